"""What a lesson is made of: bets, and what decides them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridgeviz.experiments._config import RunConfig

Values = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Step:
    """A bet and what decides it.

    Attributes:
        text: what the step is about. Names of values in braces are given away, in percent.
        question: what to bet on.
        measure: the values by name, in [0, 1] unless `unit` says otherwise.
        answer: the name of the value to guess; "" asks which of the `shown` values is the largest.
        shown: the names of the values that the picture shows, in order; what they are is their name.
        told: what the values say; a function of them.
        unit: "share", or what else the values are.
        formula: the paper's, in LaTeX, and its number.
        page: the page that shows more, and `config`: its settings.
    """

    text: str
    question: str
    measure: Callable[[], dict[str, float]]
    shown: tuple[str, ...]
    told: Callable[[Values], str]
    answer: str = ""
    unit: str = "share"
    formula: str = ""
    page: str = "pairs_and_cost"
    config: RunConfig | None = None

    def said(self, values: Values) -> str:
        """The text with the values that it gives away."""
        return re.sub(r"\{([^}]+)\}", lambda found: percent(values[found[1]]), self.text)

    def best(self, values: Values) -> str:
        """Which of the values that are shown is the largest."""
        return max(self.shown, key=values.__getitem__)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Three to five steps on one question."""

    title: str
    about: str
    steps: tuple[Step, ...]


def percent(value: float) -> str:
    """A share in percent."""
    return f"{value:.0%}"


def best(values: Values, names: tuple[str, ...]) -> str:
    """Which of some values is the largest, in words."""
    name = max(names, key=values.__getitem__)
    return f"**{name}** comes first, with {percent(values[name])}"
