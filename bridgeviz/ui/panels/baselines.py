"""What simpler methods reach with the same pairs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from bridgeviz import Run
from bridgeviz.baselines import BASELINES
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.viz.words import counted


@st.fragment
def baselines(run: Run) -> None:
    """A table of test accuracies, computed when the panel is opened; only this part of the page runs again then."""
    panel = st.expander("What simpler methods reach", key="baselines", on_change="rerun")
    if not panel.open:
        return
    test = run.problem.test
    if test is None or test.source.labels is None or run.problem.target.labels is None:
        panel.info("This comparison needs test points with labels, and labels on the target.")
        return
    with panel, st.spinner("Fitting the baselines …"), guard():
        accuracies = {name: analysis.baseline_accuracy(run, name) for name in BASELINES}
    rows = [("this flow", run.metrics.get("test_accuracy"), "")]
    rows += [(entry.title, accuracies[name], entry.summary) for name, entry in BASELINES.items()]
    panel.dataframe(
        pd.DataFrame(rows, columns=["method", "accuracy", "what it does"]), hide_index=True, key="baseline_table",
        column_config={"accuracy": st.column_config.NumberColumn("right on new points", format="percent")},
    )  # fmt: skip
    panel.caption(
        f"Each method is fitted to the same {counted(len(run.pairs), 'pair')} and evaluated on the same "
        f"{counted(len(test.source), 'test point')}. An empty cell means that it can't be fitted to these pairs."
    )
