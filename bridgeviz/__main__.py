"""The command `bridgeviz`, also `python -m bridgeviz`."""

from bridgeviz._interrupt import end_at_once


def main() -> None:
    """Run the command line."""
    end_at_once()
    from bridgeviz.cli import main

    main()


if __name__ == "__main__":
    main()
