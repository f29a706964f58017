"""A user's files as the nouns of the library."""

from __future__ import annotations

import bridgeviz as bv


def space(path: str, labels: str | None = None) -> bv.Space:
    """A space from a file of its rows and one of their labels."""
    from bridgeviz.datasets import files

    x = files.read_matrix(path)
    return bv.Space(x, labels=None if labels is None else files.read_labels(labels, len(x)))
