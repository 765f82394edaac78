"""What a message will look like, before anybody gets it."""
