"""The selected rows as a table: what every stage says about each of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import streamlit as st

from bridgeviz import Problem, Run, RunConfig, metrics
from bridgeviz.couplings import Plan
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.cache.pictures import address
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import page
from bridgeviz.ui.state.selection import Selection

MOST = 200
"""The most rows of a table: the flow is followed from several draws of the noise at each."""

_TITLES = {
    "row": ("row", None, "Its number."),
    "class": ("class", None, "Its class."),
    "overlap": ("overlap", "percent", "The share of its nearest aligned rows that are of another class."),
    "pair_row": ("nearest pair", None, "The row of the nearest pair."),
    "pair_class": ("its class", None, "The class of that pair."),
    "pair_distance": ("distance", "%.2f", "From the row to that pair, in mean distances within the space."),
    "mass": ("mass", "%.2f", "How much of the plan's mass the row carries; 1 on average."),
    "goes_to": ("mass goes to", None, "The target class that receives most of its mass."),
    "comes_from": ("mass comes from", None, "The source class that sends most of its mass."),
    "share": ("share", "percent", "The share of its mass that this is."),
    "arrives": ("flow ends in", None, "The class in which most draws of the flow end."),
    "own_draws": ("draws right", "percent", "The share of the draws that end in its own class."),
    "margin": ("margin", "%.2f", "How much nearer its end lies to its own class than to any other; negative is wrong."),
    "stage": ("stage of failure", None, "The first stage that goes wrong."),
}
_CLASSES = ("class", "pair_class", "goes_to", "comes_from", "arrives")


def show(
    config: RunConfig, problem: Problem, chosen: Selection | None, names: Mapping[str, str], *,
    plan: Plan | None = None, run: Run | None = None,
) -> None:  # fmt: skip
    """A table that is computed when it is opened, and its file; nothing without a selection.

    Args:
        config: of the page.
        problem: that the rows belong to.
        chosen: the selection.
        names: of the classes.
        plan: if it is solved.
        run: if one is finished.
    """
    with page.place():
        if chosen is not None:
            _table(config, problem, chosen, names, plan, run)


def _table(
    config: RunConfig, problem: Problem, chosen: Selection, names: Mapping[str, str], plan: Plan | None,
    run: Run | None,
) -> None:  # fmt: skip
    panel = st.expander("Table of the selected rows", icon=":material/table:", key="selected_table", on_change="rerun")
    if not panel.open:
        return
    rows = np.sort(np.random.default_rng(0).permutation(chosen.rows)[:MOST])
    labelled = analysis.labels_of(problem) is not None
    with panel, guard(), st.spinner("Following the rows through the stages …"):
        found = diagnosis = None
        if run is not None and chosen.side == "source" and labelled:
            diagnosis = analysis.diagnosis(run)
            found = analysis.failures_of_rows(run, rows, test=chosen.tested) if len(run.pairs) else None
        table = metrics.row_table(
            problem, rows, side=chosen.side, test=chosen.tested, found=found, diagnosis=diagnosis,
            pairs=stages.pairs(config) if run is None else run.pairs, plan=plan if run is None else run.plan,
            metric=config.cost.within if chosen.side == "source" else config.cost.metric,
        )  # fmt: skip
    frame = pd.DataFrame(table)
    for name in set(_CLASSES) & set(frame):
        frame[name] = [names.get(str(label), str(label)) for label in frame[name]]
    pictures = chosen.space(problem).pictures(rows)
    columns = {
        name: st.column_config.Column(title, help=text)
        if form is None
        else st.column_config.NumberColumn(title, help=text, format=form)
        for name, (title, form, text) in _TITLES.items()
    }
    file = frame.to_csv(index=False)
    if pictures is not None:
        frame.insert(0, "picture", [address(picture) for picture in pictures])
        columns["picture"] = st.column_config.ImageColumn("picture", width="small")
    panel.dataframe(frame, hide_index=True, column_config=columns, key="selected_rows")
    if len(chosen.rows) > len(rows):
        panel.caption(f"{len(rows):,} random ones of {len(chosen.rows):,} rows.")
    panel.download_button(
        "Table (.csv)", file, "selected.csv", "text/csv", icon=":material/download:", on_click="ignore",
    )  # fmt: skip
