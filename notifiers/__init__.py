"""One channel, one file."""
