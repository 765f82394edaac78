"""The pure core: what a promise is, how its budget is spent, and what must be said about it when.

Nothing here reads a clock, draws a random number, does I/O or logs. Time is an argument, and it is the log's.
"""
