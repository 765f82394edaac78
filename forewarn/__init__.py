"""The command line, the embedded broker, replay: everything a person starts."""
