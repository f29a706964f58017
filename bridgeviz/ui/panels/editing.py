"""Pairs changed by hand: add one, remove one, undo, save and load, and what that does to the accuracy."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import streamlit as st

from bridgeviz import InputError, Pairs, Problem, RunConfig, metrics
from bridgeviz._checks import pair_index
from bridgeviz._pair_edits import between
from bridgeviz.ui.cache import analysis, stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import page
from bridgeviz.ui.state import values
from bridgeviz.ui.state.link import EDITS
from bridgeviz.ui.text import literal
from bridgeviz.viz.words import counted

_UNDO, _PROBLEM = "_undo_edits", "_edits_complaint"
MOST = 2000
"""The most pairs that a file may hold; they stand in the link."""


def buttons(config: RunConfig, problem: Problem, pairs: Pairs, i: int, j: int) -> None:
    """Buttons that add and remove pairs; in a fragment, of which a press runs the whole page again.

    Args:
        config: of the page.
        problem: whose pairs.
        pairs: that may be used now.
        i, j: the rows that are picked.
    """
    held = pairs[(pairs.source == i) & (pairs.target == j)]
    of_row = pairs[pairs.source == i]
    pressed = []
    if not len(held):
        wanted = np.concatenate([np.asarray(pairs), [(i, j)]])
        pressed.append(_button(f"Add the pair ({i}, {j})", "add", config, wanted, ":material/add_link:"))
    if len(of_row):
        kept = np.asarray(pairs)[pairs.source != i]
        what = f"Remove the pair of row {i}" if len(of_row) == 1 else f"Remove the pairs of row {i}"
        pressed.append(_button(what, "remove", config, kept, ":material/link_off:"))
    missing = metrics.uncovered_pair(problem, pairs)
    if missing is not None:
        wanted = np.concatenate([np.asarray(pairs), [missing]])
        pressed.append(_button("Add one of a missing class", "missing", config, wanted, ":material/playlist_add:"))
    if st.session_state.get(_UNDO):
        pressed.append(st.button("Undo", key="edit_undo", on_click=_undo, icon=":material/undo:", width="stretch"))
    if any(pressed):
        st.rerun()


def effect(config: RunConfig, problem: Problem, pairs: Pairs) -> None:
    """What was changed by hand, the accuracies before and after, and files to save and load pairs."""
    complaint = st.session_state.pop(_PROBLEM, "")
    with page.place():
        if complaint:
            st.error(literal(complaint), icon=":material/error:")
        if config.pairs.edits:
            _changed(config, problem, pairs)
    with st.expander("Save or load pairs", icon=":material/save:"):
        left, right = st.columns(2)
        table = pd.DataFrame({"source": pairs.source, "target": pairs.target})
        left.download_button(
            "Pairs (.csv)", table.to_csv(index=False), "pairs.csv", "text/csv", icon=":material/download:",
            on_click="ignore",
        )  # fmt: skip
        right.file_uploader(
            "A CSV file with the columns source and target", type="csv", key="edit_file", on_change=_load,
            args=(config, problem), max_upload_size=1,
        )  # fmt: skip


def _changed(config: RunConfig, problem: Problem, pairs: Pairs) -> None:
    """How many pairs were changed by hand, the accuracies before and after, and the way back."""
    before, drawn = config.replace(edits=""), _drawn(config)
    changes = between(drawn, np.asarray(pairs))
    removed = len(drawn) if changes.fresh else len(changes.removed)
    left, cost, plan, button = st.columns(4, vertical_alignment="center")
    left.markdown(
        f"**Changed by hand:** {counted(len(changes.added), 'pair')} added, {removed:,} of {len(drawn):,} removed."
    )
    if analysis.labels_of(problem) is not None and (len(drawn) or not before.needs_pairs):
        with guard(), st.spinner("Measuring both sets of pairs …"):
            _metric(cost, "Cheapest target is right", analysis.cost_accuracy(config), analysis.cost_accuracy(before))
            _metric(plan, "Coupling: right class", analysis.matching(config)[0], analysis.matching(before)[0])
    button.button("Back to the draw", key="edit_reset", on_click=_put, args=("",), icon=":material/restart_alt:")


def _metric(column, label: str, now: float | None, before: float | None) -> None:
    if now is not None and before is not None:
        column.metric(label, f"{now:.1%}", f"{now - before:+.1%} by the changes", delta_arrow="off")


def _button(label: str, key: str, config: RunConfig, wanted: np.ndarray, icon: str) -> bool:
    return st.button(label, key=f"edit_{key}", on_click=_change, args=(config, wanted), icon=icon, width="stretch")


def _change(config: RunConfig, wanted: np.ndarray) -> None:
    """A callback: use these pairs."""
    _put(between(_drawn(config), wanted).text)


def _drawn(config: RunConfig) -> np.ndarray:
    """The pairs that were drawn, before any change."""
    try:
        return np.asarray(stages.pairs(config.replace(edits="")))
    except InputError:  # no pairs are known, so that none can be drawn
        return np.zeros((0, 2), np.int64)


def _put(text: str) -> None:
    """A callback: set the changes, and remember those before."""
    now = values.now()
    st.session_state.setdefault(_UNDO, []).append(now[EDITS])
    del st.session_state[_UNDO][:-50]
    values.put(EDITS, text)


def _undo() -> None:
    values.put(EDITS, st.session_state[_UNDO].pop())


def _load(config: RunConfig, problem: Problem) -> None:
    """A callback: use the pairs of a file."""
    file = st.session_state.get("edit_file")
    if file is None:
        return
    try:
        table = pd.read_csv(io.BytesIO(file.getvalue()))
        pairs = pair_index(table, "pairs", file.name, shape=problem.shape, least=1)
    except InputError as error:
        st.session_state[_PROBLEM] = str(error)
    except (ValueError, pd.errors.ParserError, UnicodeDecodeError):
        st.session_state[_PROBLEM] = (
            f"{file.name} can't be read. A CSV file with the columns source and target is expected."
        )
    else:
        if len(pairs) > MOST:
            st.session_state[_PROBLEM] = f"{file.name} holds {len(pairs):,} pairs; at most {MOST:,} can be loaded here."
        else:
            _change(config, pairs)
