"""How the time and the memory of couplings grow with n, as a picture for the documents."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridgeviz._files import write_text
from bridgeviz.experiments.benchmarks._coupling_cases import Group
from bridgeviz.experiments.benchmarks._coupling_tables import records, total_seconds
from bridgeviz.experiments.benchmarks._documents import project_documents

if TYPE_CHECKING:
    import altair
    import pandas as pd

FILE = "couplings.svg"
"""Beside the benchmarks' page."""

AXES = {"seconds": "time, s", "gb": "memory of the call, GB"}


def draw_growth(rows: pd.DataFrame, groups: Mapping[str, Group]) -> Path | None:
    """Write the picture beside the project's page of benchmarks.

    Returns:
        Its path; None where it can't be drawn: nothing was measured at two n, there is no such page, or `altair` and
        `vl-convert-python`, which draw it, are not installed.
    """
    page = next((path for path in project_documents() if path.name == "benchmarks.md"), None)
    points = measured(rows, groups)
    drawable = all(importlib.util.find_spec(name) for name in ("altair", "vl_convert"))
    if page is None or not points or not drawable:
        return None
    converter = import_module("vl_convert")
    write_text(page.with_name(FILE), converter.vegalite_to_svg(growth_chart(points).to_dict()) + "\n")
    return page.with_name(FILE)


def measured(rows: pd.DataFrame, groups: Mapping[str, Group]) -> list[dict[str, Any]]:
    """The time and the memory of each method that was measured at more than one n."""
    points, held = [], records(rows)
    for name, group in groups.items():
        for case in group.cases:
            found = [row for row in held if (row["group"], row["case"]) == (name, case.name)]
            found = [row for row in found if math.isfinite(total_seconds(row))]
            if len(found) > 1:
                points += [
                    {"problem": name, "method": case.name, "n": int(row["n"]), "seconds": total_seconds(row),
                     "gb": float(row["gb_over"])}
                    for row in found
                ]  # fmt: skip
    return points


def growth_chart(points: list[dict[str, Any]]) -> altair.HConcatChart:
    """Both axes are logarithmic, so that the slope is the power of n."""
    import altair as alt

    def panel(column: str) -> alt.Chart:
        of_method = alt.Legend(title=None, orient="bottom", columns=2, labelLimit=500, symbolStrokeWidth=2)
        return (
            alt.Chart(alt.Data(values=points), width=330, height=300)
            .mark_line(point=True)
            .encode(
                x=alt.X("n:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title="n", format="~s", tickCount=5)),
                y=alt.Y(f"{column}:Q", scale=alt.Scale(type="log"), axis=alt.Axis(title=AXES[column], tickCount=6)),
                color=alt.Color("method:N", legend=of_method, scale=alt.Scale(scheme="dark2")),
                strokeDash=alt.StrokeDash("problem:N", legend=None),
                shape=alt.Shape("method:N", legend=None),
            )
        )

    return alt.hconcat(*(panel(column) for column in AXES)).configure(background="white")
