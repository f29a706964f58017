"""What a user should know about a data set before using it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class Card:
    """Where a data set comes from, what may be done with it, and what to be careful about.

    Attributes:
        source: who made the raw data, with the citation or the address of its home.
        licence: of the data, and of the frozen models where it differs.
        size: rows and dimensions of both spaces, and what is downloaded, in words.
        made: how the two spaces were made from the raw data.
        cautions: known traps, one sentence each.
        checksums: SHA-256 by file, relative to the project's `data/`, of the files that come with bridgeviz.
    """

    source: str
    licence: str
    size: str
    made: str
    cautions: tuple[str, ...] = ()
    checksums: Mapping[str, str] = field(default_factory=dict)

    def lines(self) -> dict[str, str]:
        """The card as (heading, text), in the order in which it is read."""
        shipped = ", ".join(f"{file} ({digest[:12]}...)" for file, digest in self.checksums.items())
        return {
            "Source": self.source,
            "Licence": self.licence,
            "Size": self.size,
            "Made by": self.made,
            "Cautions": " ".join(self.cautions) or "None known.",
            "Checksums": shipped or "No file comes with bridgeviz.",
        }
