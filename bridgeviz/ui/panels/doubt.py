"""Where to doubt a run that no labels can judge: the rows whose target the flow does not know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from bridgeviz import Run, metrics
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts, page
from bridgeviz.viz.maps import space_map

_SHARE = 10
"""One row in this many is shown as doubtful on the map."""

_COLUMNS = {
    "spread": st.column_config.NumberColumn(
        "spread of the ends", format="%.2f", help="Of flows from different noise, in units of the spread of the whole "
        "target. 0: sure. 1: no idea."
    ),
    "choices": st.column_config.NumberColumn(
        "choices of the plan", format="%.1f", help="The effective number of target rows among which the plan divides "
        "the row's mass."
    ),
    "target": st.column_config.NumberColumn("first choice", help="The target row with most of the mass."),
    "pair": st.column_config.NumberColumn("nearest pair", help="Its number."),
    "distance": st.column_config.NumberColumn(
        "distance to it", format="%.2f", help="In units of the mean distance within the source."
    ),
}  # fmt: skip


def measured(run: Run) -> pd.DataFrame:
    """The source rows, the most doubtful first."""
    metric = run.config.cost.metric or "cosine"
    return metrics.doubtful(run.problem, run.plan, run.flow, run.pairs, metric=metric, seed=run.config.seed)


def named(run: Run, table: pd.DataFrame) -> pd.DataFrame:
    """The table with the names of the rows, if they have any."""
    names = analysis.row_names(run.config, "source", run.problem.shape[0])
    return table if names is None else table.assign(name=np.asarray(names)[table.row])


def show(run: Run) -> None:
    """The numbers of a run without labels, its doubtful rows on the source map, and their table."""
    page.numbers(run.metrics, pairs=len(run.pairs), known=page.known_pairs(run.problem), chance=0.0)
    st.header("Which rows to doubt?")
    st.markdown(
        "Without labels, nothing can be called wrong. But a row is doubtful where flows from different noise end far "
        "apart, where the plan hesitates between many targets, or where no pair is near."
    )
    with guard(), st.spinner("Following every row from several draws of noise …"):
        table = named(run, analysis.of_run(run, "doubtful", lambda: measured(run)))
        panel = analysis.panel(run.config, "source")
    doubted = table.row.to_numpy()[: max(1, len(table) // _SHARE)]
    left, right = st.columns([2, 3])
    with left:
        charts.draw(st, space_map(panel, lit=np.sort(doubted), brush=False), key="doubt_map", alt="doubtful rows")
        st.caption(f"The source; lit up: the tenth of the rows with the widest spread. {panel.badge}.")
    right.dataframe(table, hide_index=True, column_config=_COLUMNS, height=380)
    chosen = np.corrcoef(table.spread, table.distance)[0, 1] if table.distance.notna().all() else np.nan
    if np.isfinite(chosen):
        near = "far from all pairs" if chosen > 0.3 else "not those far from a pair"
        right.caption(
            f"Correlation of the spread with the distance to the nearest pair: {chosen:.2f}. The doubtful rows are "
            f"{near}" + (": pairs there would help most." if chosen > 0.3 else ".")
        )
