"""What other methods reach on the same data with about as many pairs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from bridgeviz import Run
from bridgeviz.experiments import others
from bridgeviz.ui.panels import evidence, page
from bridgeviz.ui.state import link
from bridgeviz.viz.words import counted

SHOWN = 5
"""The best methods that are listed, beside the best rival and the automatic choice."""

HERE = "this run"


def show(run: Run) -> None:
    """The best methods that were measured on the data of a run, and the run among them."""
    st.header("What do other methods reach with this many pairs?")
    known = page.known_pairs(run.problem)
    whole = not run.config.data.reverse and run.config.data.rows is None
    found = None
    if whole and run.metrics:
        found = others(run.config.data.dataset, pairs=len(run.pairs), known=known, numbers=run.metrics)
    if found is None:
        st.markdown("Other methods were measured on eight kinds of data; these settings are not among them.")
        _open(None)
        return
    here = run.metrics[found.number]
    names = [*list(found.medians)[:SHOWN], found.best_rival, found.automatic]
    values = {name: found.medians[name] for name in names if name is not None} | {HERE: here}
    better = sum((value > here) == found.higher and value != here for value in found.medians.values())
    st.markdown(
        f"On the same data with {counted(found.count, 'pair')} (this run has {len(run.pairs):,}), {better:,} of "
        f"{counted(len(found.medians), 'method')} are ahead of this run. The best that is not of bridgeviz is "
        f"**{found.best_rival or 'none'}**."
    )
    table = pd.DataFrame(
        {
            "method": list(values),
            found.title: list(values.values()),
            "of bridgeviz": [name not in found.rivals for name in values],
        }
    ).sort_values(found.title, ascending=not found.higher)
    st.dataframe(
        table, hide_index=True, key="others",
        column_config={found.title: st.column_config.NumberColumn(format="%.3f")},
    )  # fmt: skip
    st.caption(
        f"Medians over seeds; {'higher' if found.higher else 'lower'} is better. Only methods that were measured with "
        "about as many pairs are listed; this run is one run."
    )
    _open(found.kind)


def _open(kind: str | None) -> None:
    """A button that opens Which method?, at a kind of problem."""
    if st.button("Which method?", key="open_methods", icon=":material/fork_right:", on_click=_choose, args=(kind,)):
        link.open_page("which_method")


def _choose(kind: str | None) -> None:
    if kind is not None:
        st.session_state[evidence.KIND] = kind
