"""`python -m bridgeviz`."""

from bridgeviz.cli import main

if __name__ == "__main__":
    main()
