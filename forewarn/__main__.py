"""`python -m forewarn`: the same as the `forewarn` executable."""

from forewarn.cli import main

if __name__ == "__main__":
    main()
