"""`forewarn doctor`: looks at a running installation from outside, and says what to do about what it finds."""
