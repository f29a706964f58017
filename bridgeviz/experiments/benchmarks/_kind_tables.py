"""The tables of the benchmark of kinds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from bridgeviz.experiments.benchmarks._kind import Draw, Figure, Kind
from bridgeviz.experiments.benchmarks._kind_cases import AUTO, RIDGE

Rows = Any
"""A pandas table of the ledger's rows, or one of its columns."""

CLOSE = 0.05
"""How far the automatic choice may be from the best candidate, as a share of its figure."""
SMALLEST = 0.001
"""A difference of two figures that counts as none."""


def summary(rows: Rows, kinds: Mapping[str, Kind]) -> str:
    """A line per kind, figure and number of pairs: medians of the best rival, the automatic choice and our best."""
    lines = ["| kind | pairs | figure | best baseline | automatic choice | best of ours |", "|---" * 6 + "|"]
    for kind, figure, draw, part in _parts(rows, kinds):
        medians = part.groupby("method")[figure].median().dropna()
        rival = part.groupby("method")["rival"].first().astype(bool)
        sides = [medians[rival[medians.index]], medians[~rival[medians.index]]]
        best = [_best(side, kind.figures[figure]) for side in sides]
        chosen = [method for method in sides[1].index if method.partition(",")[0] == AUTO]
        cells = [_named(part, figure, best[0]), _named(part, figure, _best(sides[1][chosen], kind.figures[figure]))]
        lines.append(
            f"| {kind.name} | {draw.label} | {kind.figures[figure].title} | {' | '.join(cells)} | "
            f"{_named(part, figure, best[1])} |"
        )
    return "\n".join([*lines, "", f"{_seeds(rows)} {_closeness(rows, kinds)} `bridgeviz bench kinds`."])


def details(rows: Rows, kinds: Mapping[str, Kind]) -> str:
    """A table per kind and figure, with all methods."""
    tables = []
    for kind in kinds.values():
        for name in kind.figures:
            parts = {draw.label: part for k, figure, draw, part in _parts(rows, {kind.name: kind}) if figure == name}
            if parts:
                tables.append(_table(kind, name, parts))
    return "\n\n".join([*tables, f"{_seeds(rows)} {_failures(rows)}".strip()])


def _table(kind: Kind, name: str, parts: Mapping[str, Rows]) -> str:
    """All methods by number of pairs."""
    figure = kind.figures[name]
    order = "higher is better" if figure.higher else "lower is better"
    lines = [f"| {kind.title}; {figure.title} ({order}) | {' | '.join(parts)} |", "|---" * (1 + len(parts)) + "|"]
    methods = dict.fromkeys(method for part in parts.values() for method in part.method)
    for method in methods:
        cells = [_cell(part[part.method == method][name]) for part in parts.values()]
        lines.append(f"| {method} | {' | '.join(cells)} |")
    return "\n".join(lines)


def regrets(rows: Rows, kinds: Mapping[str, Kind]) -> list[bool]:
    """For each kind, number of pairs and seed: whether the plan chosen automatically is close to the best candidate's.

    The candidates are the plans of our costs and ridge; the figure is the first of the kind that a plan has. Close is
    within 5 % of the best figure, of the accuracy or of the error; differences below .001 count as none.
    """
    close = []
    for kind, name, _, part in _parts(rows, kinds):
        if name != next(iter(kind.figures)):
            continue
        for _, of_seed in part.dropna(subset=[name]).groupby("seed"):
            figures = of_seed.set_index("method")[name]
            ours = ~of_seed.rival.astype(bool).to_numpy() | (of_seed.method == RIDGE).to_numpy()
            candidates = figures[ours & ~figures.index.str.contains("flow")] if AUTO in figures else figures[:0]
            if AUTO in candidates:
                close.append(_is_close(candidates[AUTO], candidates.to_numpy(), kind.figures[name]))
    return close


def _is_close(value: float, candidates: np.ndarray, figure: Figure) -> bool:
    best = candidates.max() if figure.higher else candidates.min()
    short = best - value if figure.higher else value - best
    return bool(short <= max(CLOSE * best, SMALLEST))


def _closeness(rows: Rows, kinds: Mapping[str, Kind]) -> str:
    close = regrets(rows, kinds)
    if not close:
        return ""
    return (
        f"The automatic choice's plan is within {CLOSE:.0%} of the best candidate's figure (all plans of ours, and "
        f"ridge) in {sum(close)} of {len(close)} cases; a case is a kind, a number of pairs and a seed."
    )


def _parts(rows: Rows, kinds: Mapping[str, Kind]) -> Iterator[tuple[Kind, str, Draw, Rows]]:
    """The rows of each kind, figure and number of pairs that have that figure."""
    for kind in kinds.values():
        for figure in kind.figures:
            for draw in kind.draws:
                part = rows[(rows.kind == kind.name) & (rows.pairs == draw.label)]
                if figure in part and part[figure].notna().any():
                    yield kind, figure, draw, part.dropna(subset=[figure])


def _best(medians: Rows, figure: Figure) -> str:
    """The name of the best method; "" without any."""
    if not len(medians):
        return ""
    return str(medians.idxmax() if figure.higher else medians.idxmin())


def _named(part: Rows, figure: str, method: str) -> str:
    """A method's figure and its name."""
    return f"{_cell(part[part.method == method][figure])} {method}" if method else "-"


def _cell(values: Rows) -> str:
    """The median, and the range if there are several values."""
    if not len(values):
        return "-"
    spread = f" ({values.min():.3f} to {values.max():.3f})" if len(values) > 1 else ""
    return f"{values.median():.3f}{spread}"


def _seeds(rows: Rows) -> str:
    return (
        f"Medians over the seeds that are measured, 0 to {rows.seed.max()} (smallest to largest); the automatic choice "
        "and flows over the first of them."
    )


def _failures(rows: Rows) -> str:
    """The methods that could not be fitted, and why."""
    if "failed" not in rows:
        return ""
    failed = rows.dropna(subset=["failed"]).drop_duplicates(["kind", "pairs", "method"])
    return " ".join(f"{row.kind}, {row.pairs}: {row.method}: {row.failed}" for row in failed.itertuples())
