"""What is selected, of how many, and how to select something else; the same line on every page."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import numpy as np
import streamlit as st

from bridgeviz import InputError, Problem, RunConfig
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.panels import page
from bridgeviz.ui.state import selection, spans
from bridgeviz.ui.state.selection import Selection
from bridgeviz.ui.text import literal

MOST_CLASSES = 40
"""The most classes that are offered by a button each; others are found by name."""

_SEARCH, _SIDE, _PROBLEM = "select_search", "select_side", "_select_complaint"


def bar(
    config: RunConfig, problem: Problem, names: Mapping[str, str],
    groups: Mapping[str, Callable[[], Selection]] | None = None,
) -> Selection | None:  # fmt: skip
    """One line on what is selected, and a menu that selects by row, class or group; the selection.

    Args:
        config: of the page.
        problem: whose rows.
        names: of the classes.
        groups: what else can be selected on this page, by name, such as all points that are wrong.
    """
    chosen = _current(problem)
    with page.place():
        _line(config, problem, names, chosen, groups or {})
    return chosen


def _line(
    config: RunConfig, problem: Problem, names: Mapping[str, str], chosen: Selection | None,
    groups: Mapping[str, Callable[[], Selection]],
) -> None:  # fmt: skip
    """What is selected, the menu, and what must be said about the selection."""
    with st.container(key="selected", horizontal=True, vertical_alignment="center", gap="small"):
        if chosen is None:
            st.markdown(":material/highlight_alt: Nothing is selected.", width="content")
        else:
            text = literal(selection.described(chosen, problem, names))
            st.markdown(f":material/highlight_alt: **Selected:** {text}", width="content")
            st.button("Clear", key="select_clear", on_click=selection.clear, type="tertiary", icon=":material/close:")
        with st.popover("Select ...", type="tertiary"):
            _menu(config, problem, names, groups)
    complaint = st.session_state.pop(_PROBLEM, "")
    if complaint:
        st.warning(literal(complaint), icon=":material/search_off:")
    if chosen is not None and not chosen.text:
        st.caption("So many rows do not fit into the link: they stay selected in this tab, until it is loaded again.")


def _current(problem: Problem) -> Selection | None:
    try:
        return selection.current(problem)
    except InputError as error:
        st.session_state[_PROBLEM] = f"The selection in the link can't be used. {error}"
        return None


def _menu(
    config: RunConfig, problem: Problem, names: Mapping[str, str], groups: Mapping[str, Callable[[], Selection]]
) -> None:  # fmt: skip
    """The ways to select something other than with a lasso."""
    side = st.segmented_control(
        "Rows of", ["source", "target"], default="source", required=True, key=_SIDE, format_func=str.capitalize
    )
    side = side or "source"
    st.text_input(
        "Find rows by number or name, or a class", key=_SEARCH, placeholder="3, 17, 20-25", on_change=_find,
        args=(config, problem, dict(names)),
    )  # fmt: skip
    space = getattr(problem, side)
    if space.labels is not None:
        classes = [str(c) for c in np.unique(space.labels)]
        if len(classes) <= MOST_CLASSES:
            with st.container(horizontal=True, gap="small"):
                for label in classes:
                    st.button(
                        names.get(label, label), key=f"select_class_{label}",
                        on_click=_select, args=(partial(selection.whole_class, problem, side, label),),
                    )  # fmt: skip
    for title, make in groups.items():
        st.button(title, key=f"select_{title}", on_click=_select, args=(make,), width="stretch")


def _select(make: Callable[[], Selection]) -> None:
    """A callback: select what `make` returns, or say why that is not possible."""
    try:
        selection.select(make())
    except InputError as error:
        st.session_state[_PROBLEM] = str(error)


def _find(config: RunConfig, problem: Problem, names: Mapping[str, str]) -> None:
    """A callback: select the class or the rows that the search names."""
    text, side = str(st.session_state[_SEARCH]).strip(), st.session_state.get(_SIDE) or "source"
    if not text:
        return
    labels = [label for label, name in names.items() if name.casefold() == text.casefold()]
    if labels:
        _select(partial(selection.whole_class, problem, side, labels[0]))
        return
    size = len(getattr(problem, side))
    of_rows = {name.casefold(): row for row, name in enumerate(analysis.row_names(config, side, size) or ())}
    parts = [part.strip().casefold() for part in text.split(",")]
    if of_rows.keys() >= set(parts):
        rows = np.unique([of_rows[part] for part in parts])
        _select(lambda: Selection(side, rows, "by name"))
    else:
        _select(lambda: Selection(side, spans.read(text, size), "by number"))
