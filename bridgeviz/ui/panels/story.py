"""The story of one point, stage by stage: source overlap -> nearest pair -> coupling row -> flow ends."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Run, Space
from bridgeviz.metrics import Story, goes_home
from bridgeviz.ui.panels import charts, thumbnails
from bridgeviz.ui.state.picks import class_suffix
from bridgeviz.ui.text import literal
from bridgeviz.viz.plans import share_bars
from bridgeviz.viz.words import counted, story_verdict

_MARK = {True: ":material/check_circle:", False: ":material/cancel:", None: ":material/help:"}


def show(run: Run, story: Story, points: Space, row: int, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """The verdict, and one column per stage.

    Args:
        run: that the point went through.
        story: of the point.
        points: the space that it belongs to: the test source, or the source.
        row: of the point.
        classes: of both sides, whose order gives the colours.
        names: of the classes.
    """
    box = {True: st.success, False: st.warning, None: st.info}[story.right]
    box(literal(story_verdict(story, dict(names))), icon=":material/search_insights:")
    columns = st.columns(4)
    with columns[0]:
        _in_the_source(run.problem.source, story, points, row, names)
    with columns[1]:
        _nearest_pair(run.problem.source, story, names)
    with columns[2]:
        _coupling_row(run, story, classes, names)
    with columns[3]:
        _flow_ends(run.problem.target, story, names)


def _in_the_source(source: Space, story: Story, points: Space, row: int, names: Mapping[str, str]) -> None:
    known = np.isfinite(story.overlap)
    st.markdown(f"**1. In the source** {_mark(story.overlap <= 0.5 if known else None)}")
    thumbnails.of_rows(points, [row], [f"row {row}{class_suffix(points, row, names)}"], size=84)
    if known:
        others = f"{story.overlap:.0%} of its {len(story.neighbours)} nearest training rows"
        st.caption(f"{others} are not {_own_name(story, names)}:")
    near = story.neighbours[:8]
    wrong = None if source.labels is None or story.label is None else source.labels[near] != story.label
    captions = [class_suffix(source, r, names).strip(" ()") or f"row {r}" for r in near]
    if not thumbnails.of_rows(source, near, captions, size=36, wrong=wrong):
        st.caption(literal(", ".join(captions)))


def _nearest_pair(source: Space, story: Story, names: Mapping[str, str]) -> None:
    same = None if story.pair_label is None or story.label is None else story.pair_label == story.label
    st.markdown(f"**2. Its nearest pair** {_mark(same)}")
    caption = f"row {story.pair_row}{class_suffix(source, story.pair_row, names)}"
    wrong = None if same is None else [not same]
    if not thumbnails.of_rows(source, [story.pair_row], [caption], size=84, wrong=wrong):
        st.markdown(literal(caption))
    st.caption(f"Pair {story.pair}, {story.distance:.2f} mean distances away.")


def _coupling_row(run: Run, story: Story, classes: np.ndarray, names: Mapping[str, str]) -> None:
    target = run.problem.target
    right = None
    if target.classes is not None and story.label is not None and story.sent.sum() > 0:
        right = goes_home(story.sent, target.classes, story.label)
    st.markdown(f"**3. Its coupling row** {_mark(right)}")
    if target.classes is None:
        st.caption("The target has no labels, so the row can't be summed by class.")
    else:
        known = [names[str(c)] for c in target.classes]
        ranks = np.searchsorted(classes, target.classes).tolist()
        charts.draw(st, share_bars(story.sent, known, ranks), key="sent", alt="mass by class")
    if story.draws:
        st.caption(f"A local plan has no rows: estimated from {counted(story.draws, 'draw')} around the nearest rows.")
    elif story.stands_in:
        row = f"row {story.row}{class_suffix(run.problem.source, story.row, names)}"
        st.caption(f"This point has no row in the plan. Shown is the nearest training row with mass, {literal(row)}.")


def _flow_ends(target: Space, story: Story, names: Mapping[str, str]) -> None:
    known = story.label is not None and target.labels is not None
    st.markdown(f"**4. Where the flow ends** {_mark(story.right)}")
    wrong = np.asarray(story.arrived != story.label) if known else np.zeros(len(story.arrived), bool)
    captions = [names.get(str(c), "?") for c in story.arrived]
    if target.decode_images is not None:
        pictures = np.clip(255 * np.asarray(target.decode_images(story.ends)), 0, 255).astype(np.uint8)
        thumbnails.strip(pictures, captions, size=48, wrong=wrong.tolist())
    elif target.labels is not None:
        badges = (
            f":{'red' if bad else 'blue'}-badge[{'✗ ' if bad else ''}{literal(caption)}]"
            for caption, bad in zip(captions, wrong, strict=True)
        )
        st.markdown("  ".join(badges))
    if known:
        st.caption(f"{int((~wrong).sum())} of {len(wrong)} draws of the noise end as {_own_name(story, names)}.")


def _own_name(story: Story, names: Mapping[str, str]) -> str:
    return "the point" if story.label is None else literal(names[str(story.label)])


def _mark(good: bool | None) -> str:
    return _MARK[None if good is None else bool(good)]
