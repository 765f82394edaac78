"""How messages get from the table of `deliver` to their channels: what waits, in which lane, and when again."""
