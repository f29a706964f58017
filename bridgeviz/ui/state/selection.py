"""The rows that are selected: one selection for all pages of a session, in the link if it is small."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from bridgeviz import InputError, Problem, Space
from bridgeviz.ui.state import spans
from bridgeviz.ui.state.picks import Brush

KEY = "select"
"""The name of the selection in the link, and the key of the control that holds it there."""

LONGEST = 400
"""The longest text of a selection that is put into the link."""

_SELECTION, _TEXT, _DATA = "_selection", "_selection_text", "_selection_data"
_REVISION, _DRAWN, _TOOL = "_revision_", "_drawn_", "_tool_"
_FORM = re.compile(
    r"(?P<tested>test-)?(?P<side>source|target):(?:class=(?P<label>.+)|(?P<rows>[0-9,-]+)(?:~(?P<name>.+))?)", re.DOTALL
)


class Selection(NamedTuple):
    """Some rows of one space.

    Attributes:
        side: "source" or "target".
        rows: sorted row numbers, at least one.
        name: what they are, such as "lasso on the source map"; for a class, the class.
        tested: whether they are points of the test split.
        whole_class: whether they are all rows of one class.
        chart: the key of the chart on which they were selected, or "".
    """

    side: str
    rows: np.ndarray
    name: str
    tested: bool = False
    whole_class: bool = False
    chart: str = ""

    @property
    def text(self) -> str:
        """The selection as it stands in the link; "" if it is too long for that."""
        start = f"{'test-' if self.tested else ''}{self.side}:"
        if self.whole_class:
            return f"{start}class={self.name}"
        text = f"{start}{spans.written(self.rows)}~{self.name}"
        return text if len(text) <= LONGEST else ""

    def space(self, problem: Problem) -> Space:
        """The space that the rows belong to."""
        return getattr(part_of(problem, self.tested), self.side)


def part_of(problem: Problem, tested: bool) -> Problem:
    """The test split of a problem, or the problem itself."""
    return problem.test if tested and problem.test is not None else problem


def reconcile(data: Any, in_link: str | None) -> str:
    """Make the selection agree with the link and the data, before its control is drawn; its text for the link.

    Args:
        data: whatever tells the data apart; rows of other data are no longer selected.
        in_link: the text in the link where the link decides, as in a new session; else None.
    """
    other = st.session_state.get(_DATA, data) != data
    if in_link is not None:
        if other or in_link != text():
            _put(None, in_link)
    elif other:
        clear()
    st.session_state[_DATA] = data
    if st.session_state.get(KEY) != text():  # the control only carries the text
        st.session_state[KEY] = text()
    return text()


def text() -> str:
    """The selection as it stands in the link; "" if nothing is selected, or too much for it."""
    return st.session_state.get(_TEXT, "")


def current(problem: Problem) -> Selection | None:
    """What is selected.

    Raises:
        InputError: the link names rows that do not exist.
    """
    kept: Selection | None = st.session_state.get(_SELECTION)
    if kept is None and text():
        kept = st.session_state[_SELECTION] = read(text(), problem)
    return kept


def follow(chosen: Selection | None) -> None:
    """Run the whole page again if one of its fragments finds that something else has been selected since.

    Args:
        chosen: what was selected when the page was drawn.
    """
    if st.session_state.get(_SELECTION) is not chosen:
        st.rerun()


def select(selection: Selection | None) -> None:
    """Select rows instead of those before; None or no row clears the selection. For callbacks."""
    if selection is None or not len(selection.rows):
        clear()
    else:
        _put(selection, selection.text)


def clear() -> None:
    """Select nothing; a callback."""
    _put(None, "")


def revised(figure: go.Figure, chart: str) -> go.Figure:
    """The same figure for a chart that is brushed on, which forgets that as soon as something else is selected.

    After a box or lasso that `surrounded` has read, the same tool stays active.
    """
    revision, tool = st.session_state.get(_REVISION + chart, 0), st.session_state.get(_TOOL + chart)
    if not revision:
        return figure
    return go.Figure(figure).update_layout(selectionrevision=revision, **({"dragmode": tool} if tool else {}))


def brushed(
    brush: Brush, *, chart: str, side: str, tested: bool = False, markers: np.ndarray | None = None
) -> None:  # fmt: skip
    """A chart's callback: select what is brushed on it.

    Args:
        brush: what was.
        chart: its key; the `customdata` of its markers are row numbers.
        side, tested: of the rows.
        markers: the marker of each row, where one stands for several rows; all of them are selected.
    """
    rows = brush.rows
    if markers is not None:
        rows = np.flatnonzero(np.isin(markers, markers[rows]))
    name = "point" if len(rows) == 1 else "brushed"
    select(Selection(side, rows, f"{name} on the {side} map", tested=tested, chart=chart))


def surrounded(brush: Brush, *, chart: str, left: np.ndarray, right: np.ndarray) -> bool:
    """A callback of a chart with both maps: select the rows of one side that a box or lasso on it surrounds.

    If it surrounds rows of both sides, the side with more of them counts. The chart is redrawn without the lasso,
    because it shows the selection in its own way.

    Args:
        brush: what was drawn.
        chart: its key.
        left, right: (n, 2) and (m, 2) positions of the source and target rows on it.

    Returns:
        Whether anything was drawn around rows.
    """
    found = {"source": brush.inside(left), "target": brush.inside(right)}
    side = max(found, key=lambda name: len(found[name]))
    if not len(found[side]):
        return False
    select(Selection(side, found[side], f"brushed on the {side} map"))
    st.session_state[_TOOL + chart] = brush.tool
    _forget(chart)
    return True


def drawn_on(chart: str, rows: np.ndarray | None) -> np.ndarray | None:
    """The rows that a chart highlights from the start, given those that are selected now.

    While a visitor brushes on a chart, its figure stays as it is, because Plotly forgets what is brushed when it
    changes.
    """
    kept: Selection | None = st.session_state.get(_SELECTION)
    if kept is not None and kept.chart == chart and chart in st.session_state:
        return st.session_state.get(_DRAWN + chart)
    st.session_state[_DRAWN + chart] = rows
    return rows


def whole_class(problem: Problem, side: str, label: str, *, tested: bool = False) -> Selection:
    """All rows of a class.

    Raises:
        InputError: there is no such class.
    """
    labels = getattr(part_of(problem, tested), side).labels
    rows = np.zeros(0, int) if labels is None else np.flatnonzero(labels.astype(str) == label)
    if not len(rows):
        raise InputError(f"The {side} has no row of the class '{label}'.")
    return Selection(side, rows, label, tested=tested, whole_class=True)


def read(text: str, problem: Problem) -> Selection:
    """The selection that a text in the link means.

    Raises:
        InputError: it means none of this problem.
    """
    found = _FORM.fullmatch(text)
    if found is None:
        raise InputError("A selection in a link reads like 'source:3,17,20-25' or 'target:class=7'.")
    side, tested = found["side"], bool(found["tested"])
    if tested and problem.test is None:
        raise InputError("The link selects test points, but these data have no test split.")
    if found["label"] is not None:
        return whole_class(problem, side, found["label"], tested=tested)
    rows = spans.read(found["rows"], len(getattr(part_of(problem, tested), side)))
    return Selection(side, rows, found["name"] or "by number", tested=tested)


def aligned(problem: Problem, selection: Selection | None, side: str) -> np.ndarray | None:
    """The aligned rows of one side that a selection means; None if there is no selection, or no known counterpart.

    For a test point its nearest aligned row stands in, for a row of the other side its known counterparts.
    """
    if selection is None:
        return None
    rows = selection.rows
    if selection.tested and problem.test is not None:
        space = getattr(problem, selection.side)
        rows = nearest_rows(space.x, selection.space(problem).x[rows])
    return rows if side == selection.side else counterparts(problem, rows, selection.side)


def source_points(problem: Problem, selection: Selection) -> np.ndarray | None:
    """The source rows that a selection means, in its own part of the problem; None if no counterpart is known."""
    if selection.side == "source":
        return selection.rows
    return counterparts(part_of(problem, selection.tested), selection.rows, "target")


def counterparts(problem: Problem, rows: np.ndarray, side: str) -> np.ndarray | None:
    """The rows of the other side known to correspond to some rows of one side; None if none is known."""
    if problem.truth is None:
        return None
    own, other = (0, 1) if side == "source" else (1, 0)
    found = np.unique(problem.truth[np.isin(problem.truth[:, own], rows), other])
    return found if len(found) else None


def nearest_rows(x: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The nearest row of `x` to each point, sorted, each once."""
    from sklearn.neighbors import NearestNeighbors

    return np.unique(NearestNeighbors(n_neighbors=1).fit(x).kneighbors(points, return_distance=False))


def described(selection: Selection, problem: Problem, names: Mapping[str, str]) -> str:
    """What is selected, in words: "12 of 4,000 source rows (brushed on the source map)"."""
    kind = "test point" if selection.tested else f"{selection.side} row"
    size = len(selection.space(problem))
    name = f"class {names.get(selection.name, selection.name)}" if selection.whole_class else selection.name
    return f"{len(selection.rows):,} of {size:,} {kind}{'' if size == 1 else 's'} ({name})"


def _put(selection: Selection | None, written: str) -> None:
    """Remember a selection; the chart of the one before is redrawn, unless it is the same."""
    before: Selection | None = st.session_state.get(_SELECTION)
    if before is not None and before.chart and (selection is None or selection.chart != before.chart):
        _forget(before.chart)
    st.session_state[_SELECTION], st.session_state[_TEXT] = selection, written


def _forget(chart: str) -> None:
    """Let a chart be redrawn without what was brushed on it."""
    st.session_state[_REVISION + chart] = st.session_state.get(_REVISION + chart, 0) + 1
