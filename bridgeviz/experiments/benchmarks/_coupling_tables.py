"""The tables of `bridgeviz bench couplings`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from bridgeviz.experiments.benchmarks._coupling_cases import MACHINE, Group
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.experiments.benchmarks._machine import COUNTED, Rates

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = (
    "n", "time", "times ours", "first call", "repeats", "memory of the call", "memory in total", "iterations",
    "marginal error", "method", "floor", "time / floor", "expected", "also",
)  # fmt: skip

NOT_MEASURED = "not measured"

NOTE = """\
Each row is a process of its own. *Time* is the median of the calls after the first one, which compiles; a first call of
more than a minute is not repeated. *At least* marks a run whose number of iterations was limited: its time is
extrapolated at the last rate of convergence. *Memory of the call* is the peak above the memory before it, with the data
loaded; it includes compilation. The *floor* is the time of the traffic and operations that the method can't avoid, at
the rates of the machine. *Expected* was written before the measurement. `bridgeviz bench couplings`."""


def tables(rows: pd.DataFrame, groups: Mapping[str, Group]) -> str:
    """A table per group, the growth with n, and notes."""
    held = {(row["group"], row["case"], row["n"]): row for row in records(rows)}
    parts = [_rates(held, groups), *(_group(held, name, groups) for name in groups if name != MACHINE)]
    machines = "; ".join(sorted({row["machine"] for row in held.values()}))
    return "\n\n".join([*parts, _growth(held, groups), NOTE, *([f"{machines}."] if machines else [])])


def records(rows: pd.DataFrame) -> list[Row]:
    """The rows without the columns that they lack."""
    return [{str(name): value for name, value in row.items() if value == value} for row in rows.to_dict("records")]


def outcome(row: Row) -> str:
    """The time of a row, or why it has none."""
    for reason in ("failed", "exceeded"):
        if isinstance(row.get(reason), str):
            return row[reason]
    seconds = total_seconds(row)
    if math.isinf(seconds):
        return f"no convergence in {row['iterations']:.0f} iterations of {_seconds(_per_iteration(row))}"
    limited = _number(row, "iterations_needed") > _number(row, "iterations")
    return (f"at least {_seconds(seconds)} ({_seconds(_per_iteration(row))} per iteration)" if limited
            else _seconds(seconds))  # fmt: skip


def total_seconds(row: Row) -> float:
    """The time to the threshold, extrapolated if the iterations were limited.

    Infinite if they did not converge, NaN if there is no time.
    """
    seconds = _number(row, "seconds")
    if "iterations_needed" not in row:
        return seconds
    return seconds * _number(row, "iterations_needed") / _number(row, "iterations")


def _per_iteration(row: Row) -> float:
    return _number(row, "seconds") / _number(row, "iterations")


def _rates(held: dict[tuple, Row], groups: Mapping[str, Group]) -> str:
    lines = [f"| {groups[MACHINE].title} | |", "|---|---|"]
    for case in groups[MACHINE].cases:
        row = next((held[key] for key in ((MACHINE, case.name, n) for n in case.expected) if key in held), None)
        rates = Rates.of([row]).per_second if row is not None and "seconds" in row else {}
        text = ", ".join(f"{rate / 1e9:.3g} {COUNTED[count]}" for count, rate in rates.items())
        lines.append(f"| {case.name} | {text or (outcome(row) if row else NOT_MEASURED)} |")
    return "\n".join(lines)


def _group(held: dict[tuple, Row], name: str, groups: Mapping[str, Group]) -> str:
    group = groups[name]
    lines = [f"| {name}: {group.title} | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for case in group.cases:
        for n, expected in case.expected.items():
            row = held.get((name, case.name, n))
            ours = held.get((name, group.cases[0].name, n))
            cells = _cells(row, ours, _rates_of(held, row)) if row else [NOT_MEASURED, *[""] * (len(COLUMNS) - 4)]
            also = row.get("also", "") if row else ""
            lines.append(f"| {case.name} | {n:,} | " + " | ".join([*cells, _seconds(expected), also]) + " |")
    return "\n".join(lines)


def _rates_of(held: dict[tuple, Row], row: Row | None) -> Rates:
    """The rates that were measured on the machine of a row, with the same versions."""
    rates = [other for (group, *_), other in held.items() if group == MACHINE and "seconds" in other]
    return Rates.of([other for other in rates if row is not None and other["machine"] == row["machine"]])


def _cells(row: Row, ours: Row | None, rates: Rates) -> list[str]:
    """The columns of a measured row between n and what was expected."""
    if "seconds" not in row:
        return [outcome(row).replace("|", "\\|"), *[""] * (len(COLUMNS) - 4)]
    floor = rates.floor(row)
    ratio = total_seconds(row) / total_seconds(ours) if ours else math.nan
    return [
        outcome(row), _plain(ratio, ".3g"), _seconds(row["seconds_first"]), f"{row['repeats']:.0f}",
        f"{row['gb_over']:.3g} GB", f"{row['gb_total']:.3g} GB", _plain(row.get("iterations"), ".0f"),
        _plain(row.get("marginal_error"), ".1e"), row.get("method", ""), _seconds(floor),
        _plain(row["seconds"] / floor if floor else None, ".3g"),
    ]  # fmt: skip


def _growth(held: dict[tuple, Row], groups: Mapping[str, Group]) -> str:
    """The exponents b of time ~ n^b between one n and the next."""
    lines = ["| Growth: b of time ~ n^b | from n | to n | b |", "|---|---|---|---|"]
    for name, group in groups.items():
        for case in group.cases:
            for n, more in pairwise(case.expected):
                times = [total_seconds(held.get((name, case.name, size), {})) for size in (n, more)]
                exponent = (
                    math.log(times[1] / times[0]) / math.log(more / n) if all(0 < t < math.inf for t in times) else None
                )
                lines.append(f"| {name}: {case.name} | {n:,} | {more:,} | {_plain(exponent, '.2f') or NOT_MEASURED} |")
    return "\n".join(lines)


def _number(row: Row, column: str) -> float:
    return float(row.get(column, math.nan))


def _plain(value: Any, form: str) -> str:
    return "" if value is None or math.isnan(value) else format(value, form)


def _seconds(value: float | None) -> str:
    if value is None or math.isnan(value):
        return ""
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"
