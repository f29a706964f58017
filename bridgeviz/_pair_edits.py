"""Pairs that are added and removed by hand, as short text: "3:17,-4:20", or "-all,3:17" to draw none."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Int

from bridgeviz import _checks as check
from bridgeviz._kinds import Text

_NONE = "-all"
_ONE = re.compile(r"(-?)(\d{1,12}):(\d{1,12})")

Pair = tuple[int, int]


class PairEdits(NamedTuple):
    """What is changed in some pairs, in this order: all are left out, some removed, some added.

    Attributes:
        fresh: whether all pairs are left out.
        removed, added: pairs of a source row and a target row, sorted.
    """

    fresh: bool = False
    removed: tuple[Pair, ...] = ()
    added: tuple[Pair, ...] = ()

    @property
    def text(self) -> str:
        """The edits as text; `read_edits` the other way round."""
        removed = (f"-{i}:{j}" for i, j in self.removed)
        return ",".join([*([_NONE] if self.fresh else []), *removed, *(f"{i}:{j}" for i, j in self.added)])

    def of(self, drawn: Int[np.ndarray, "l 2"]) -> Int[np.ndarray, "k 2"]:
        """The pairs after the edits, each once: those that stay of `drawn`, in its order, and then those added."""
        gone = set(self.removed)
        kept = [] if self.fresh else [pair for pair in map(tuple, np.asarray(drawn).tolist()) if pair not in gone]
        pairs = list(dict.fromkeys([*kept, *self.added]))
        return np.array(pairs, np.int64).reshape(-1, 2)


def read_edits(text: str, name: str = "edits", where: str = "RunConfig") -> PairEdits:
    """The edits that a text stands for.

    Raises:
        InputError: it is anything else than numbers of rows.

    >>> read_edits("-4:20, 3:17").text
    '-4:20,3:17'
    """
    fresh, removed, added = False, set(), set()
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _ONE.fullmatch(part)
        if part == _NONE:
            fresh = True
        elif found is not None:
            (removed if found[1] else added).add((int(found[2]), int(found[3])))
        else:
            raise check.fail(
                name, where, "pairs to add and to remove, such as '3:17,-4:20', or '-all' to remove all", part
            )
    return PairEdits(fresh, tuple(sorted(removed - added)), tuple(sorted(added)))


def between(drawn: Int[np.ndarray, "l 2"], wanted: Int[np.ndarray, "k 2"]) -> PairEdits:
    """The edits that make some pairs of others, in the shorter of the two ways to say it.

    Args:
        drawn: the pairs before.
        wanted: the pairs after.

    >>> between(np.array([[0, 0], [1, 1]]), np.array([[1, 1], [2, 5]])).text
    '-0:0,2:5'
    """
    before, after = (set(map(tuple, np.asarray(pairs).reshape(-1, 2).tolist())) for pairs in (drawn, wanted))
    changed = PairEdits(False, tuple(sorted(before - after)), tuple(sorted(after - before)))
    replaced = PairEdits(True, (), tuple(sorted(after)))
    return min((changed, replaced), key=lambda edits: len(edits.text))


@dataclass(frozen=True)
class Edits(Text):
    """`PairEdits` as text."""

    what: str = "pairs to add and to remove"
    empty: bool = True

    def check(self, value: Any, name: str, where: str) -> str:
        return read_edits(super().check(value, name, where), name, where).text
