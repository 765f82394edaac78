"""The machine: which core does what, how much memory a process takes, the broker."""
