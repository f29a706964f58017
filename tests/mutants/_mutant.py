"""What a mutant is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
"""The folder of the project."""


class Mutant(NamedTuple):
    """One change to the code that at least one test must catch.

    Attributes:
        name: what is broken; unique.
        file: where, below the project's folder.
        code: a text that stands in that file exactly once.
        broken: what replaces it.
        tests: the files or folders of tests, below `tests/`, of which one must fail.
    """

    name: str
    file: str
    code: str
    broken: str
    tests: str

    def apply(self, text: str) -> str:
        """The broken file.

        Args:
            text: the file.

        Raises:
            ValueError: it does not hold the code exactly once.
        """
        if text.count(self.code) != 1:
            raise ValueError(f"{self.file} holds {self.code!r} {text.count(self.code)} times, not once")
        return text.replace(self.code, self.broken)
