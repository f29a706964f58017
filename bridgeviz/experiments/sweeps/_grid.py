"""The cells of a sweep: every combination of some settings, read from TOML."""

from __future__ import annotations

import hashlib
import itertools
import json
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.experiments._config import STAGES, RunConfig

CASE = "case"
"""The column with the name of a case."""

ENDS = ("coupling", "evaluation")
"""The stages after which a cell can end: with the plan's numbers, or with those of the flow as well."""

EXAMPLE = "[grid]\nfraction = [0.01, 0.1]\nseed = [0, 1, 2]"


@cache
def _version() -> str:
    return version("bridgeviz")


@dataclass(frozen=True)
class Cell:
    """One run of a sweep.

    Attributes:
        columns: what distinguishes it in the grid, for its row of the table.
        config: its settings.
        until: the stage after which it ends.
    """

    columns: dict[str, Any]
    config: RunConfig
    until: str

    @cached_property
    def key(self) -> str:
        """Names its result: a hash of everything that the numbers depend on, the version of bridgeviz included."""
        parts = [self.config.stages(), self.until, _version()]
        return hashlib.blake2b(json.dumps(parts, sort_keys=True).encode(), digest_size=16).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Settings that are the same in all cells, and those that vary.

    Attributes:
        settings: flat names of `RunConfig`, and the value that all cells have.
        grid: flat names, and the values of which every combination is a cell.
        cases: named settings, each of which is combined with the whole grid; `{"": {}}` if there is only one.
        until: "evaluation" for whole runs, or "coupling" for the plans alone.

    Raises:
        InputError: a name or value that `RunConfig` refuses, in any cell, or one that is given twice.

    >>> grid = Grid(settings={"dataset": "blobs"}, grid={"fraction": [0.1, 0.2], "seed": [0, 1]})
    >>> len(grid.cells), grid.cells[-1].columns
    (4, {'fraction': 0.2, 'seed': 1})
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    grid: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    cases: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"": {}})
    until: str = "evaluation"

    def __post_init__(self):
        check.choice(self.until, "until", "sweep", ENDS)
        for name, values in self.grid.items():
            if isinstance(values, str) or not isinstance(values, Sequence) or not values:
                hint = "A setting that does not vary belongs in [settings]."
                raise check.fail(name, "the grid", "a list of values", check.describe(values), hint)
        seen = [set(self.settings), set(self.grid), set().union(*self.cases.values())]
        for first, second in itertools.combinations(seen, 2):
            if both := sorted(first & second):
                raise InputError(f"The setting {both[0]!r} is given twice in the sweep. Leave one of them out.")
        list(self)  # every cell is checked

    @classmethod
    def read(cls, path: str | Path) -> Grid:
        """The grid of a TOML file with the tables `[settings]`, `[grid]` and `[[case]]`, and the key `until`.

        Raises:
            InputError: there is no such file, it isn't TOML, or it holds anything else.
        """
        try:
            values = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"{path} can't be read as TOML: {reason}. A sweep begins like this: {EXAMPLE!r}."
            ) from error
        known = {"settings": dict, "grid": dict, CASE: list, "until": str}
        for name, value in values.items():
            if name not in known or not isinstance(value, known[name]):
                raise InputError(f"{path} holds {name!r}, which is none of [settings], [grid], [[case]] and until.")
        cases = {}
        for settings in values.pop(CASE, []):
            name = settings.pop("name", None)
            if not isinstance(name, str) or name in cases:
                raise InputError(f"Each [[case]] of {path} needs a name of its own. One has {name!r}.")
            cases[name] = settings
        settings: dict[str, Any] = {**values, **({"cases": cases} if cases else {})}
        return cls(**settings)

    def __iter__(self) -> Iterator[Cell]:
        return iter(self._in_order)

    @cached_property
    def _in_order(self) -> list[Cell]:
        cells = []
        for case, settings in self.cases.items():
            for values in itertools.product(*self.grid.values()):
                varied = dict(zip(self.grid, values, strict=True))
                columns = ({CASE: case} if case else {}) | varied
                cells.append(Cell(columns, RunConfig(**self.settings, **settings, **varied), self.until))
        return cells

    @property
    def cells(self) -> list[Cell]:
        """All cells, so that those that share a data set, pairs, a cost or a plan follow each other."""
        cells = list(self)
        orders: list[dict[Any, int]] = []
        for stage in STAGES[: STAGES.index("coupling") + 1]:
            keys = [cell.config.key(stage) for cell in cells]
            orders.append({key: place for place, key in reversed(list(enumerate(keys)))})
        stages = STAGES[: len(orders)]
        return sorted(
            cells,
            key=lambda cell: [
                order[cell.config.key(stage)] for stage, order in zip(stages, orders, strict=True)
            ],
        )  # fmt: skip
