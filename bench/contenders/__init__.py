"""Who runs: programs that read one backlog, each in a process of its own, and tell how fast they were.

Their job: per service, count the records and add up what was good and bad.
"""
