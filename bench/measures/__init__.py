"""What is asked: a module is one question, with the keys of its answers."""
