"""The user's own data: passed as a `Problem`, or kept on this machine under a key, so that a link can name them."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing
from bridgeviz._options import Text, option
from bridgeviz.datasets import keeping
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem

_KEY = re.compile(rf"[0-9a-f]{{{keeping.DIGITS}}}")


@dataclass(frozen=True, kw_only=True)
class Key(Text):
    """The key of kept data, or an empty text."""

    what: str = f"the key of data that were opened on the page Your data, {keeping.DIGITS} hexadecimal digits"
    empty: bool = True

    def check(self, value: object, name: str, where: str) -> str:
        """The key, or an `InputError`."""
        text = super().check(value, name, where)
        if text and not _KEY.fullmatch(text):
            raise check.fail(name, where, self.what, repr(text[:40]))
        return text


@dataclass(frozen=True, kw_only=True)
class Yours(DatasetOptions):
    """Your own two spaces and their pairs.

    Without a key it stands for the `problem` that is passed to `run`. With the key that `keeping.keep` returned, it
    loads what was kept. It can't be chosen by name alone, so it is not in `DATASETS`.

    Args:
        kept: the key of kept data.

    Raises:
        DataMissing: no key, or nothing is kept under it.
    """

    name = "yours"
    title = "your own data"
    card = Card(
        source="You: files that you opened, or a problem that you passed.",
        licence="Yours.",
        size="As your files have it.",
        made="By your own models.",
        cautions=("It is kept on this machine alone, until you delete it or other data take its place.",),
    )
    kept: str = option(Key(), "", key="own_data", label="Your data", main=True, help="The key of your data.")

    def load(self) -> Problem:
        if not self.kept:
            raise DataMissing(
                "No data of your own are open. Use the page Your data, or in Python pass problem=bv.Problem(...)."
            )
        return keeping.kept(self.kept).problem
