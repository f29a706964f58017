"""The cost that held-out pairs choose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from bridgeviz import _checks as check
from bridgeviz._options import Choice, option
from bridgeviz.costs import METRICS, CostOptions


@dataclass(frozen=True, kw_only=True)
class Auto(CostOptions):
    """A placeholder for the cost that `recommend` chooses before the cost is built.

    Attributes:
        metric: within each space; None takes the own default of each cost that is tried.
    """

    name = "auto"
    summary = "whichever cost finds most of the pairs that are held out in turn"
    variants = ()
    needs_pairs = False  # without any, it is a cost that needs none
    metric: str | None = option(  # pyright: ignore[reportIncompatibleVariableOverride]
        Choice(METRICS), None, label="Metric", word="auto", help="Distance within each space."
    )

    def build(self, x: Any, y: Any, pairs: Any) -> NoReturn:
        """Refuse: `recommend` has to choose a cost first."""
        raise check.fail("cost", "build", "a cost", "'auto'", "Let bv.recommend choose one first.")
