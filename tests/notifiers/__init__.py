"""Channels, each against a server that behaves, or misbehaves, like its real one."""
