"""`forewarn replay`: run the folds over a recorded log, offline, and print all that they would publish."""
