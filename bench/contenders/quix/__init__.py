"""Quix Streams, in an environment of its own, since its pins are not ours."""
