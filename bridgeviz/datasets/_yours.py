"""The user's own data, passed as a `Problem` rather than loaded by name."""

from __future__ import annotations

from dataclasses import dataclass

from bridgeviz import _checks as check
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.problem import Problem


@dataclass(frozen=True, kw_only=True)
class Yours(DatasetOptions):
    """Stands for the `problem` that is passed to `run`. It cannot be loaded, so it is not in `DATASETS`."""

    name = "yours"
    title = "your own data"

    def load(self) -> Problem:
        hint = "Pass problem=bv.Problem(...)."
        raise check.fail("problem", "run", f"given when the dataset is '{self.name}'", None, hint)
