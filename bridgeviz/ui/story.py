"""One point's story, stage by stage: source overlap -> nearest pair -> coupling row -> flow end."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Run
from bridgeviz.metrics.story import Story
from bridgeviz.problem import Space
from bridgeviz.ui import thumbnails
from bridgeviz.ui.maps import named
from bridgeviz.viz.diagnosis import sent_bars
from bridgeviz.viz.words import story_verdict

_MARK = {True: ":material/check_circle:", False: ":material/cancel:", None: ":material/help:"}


def story(run: Run, told: Story, points: Space, row: int, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """Four columns, one a stage, and the verdict.

    Args:
        run: that the point went through.
        told: its story.
        points: the space it belongs to: the test source, or the source.
        row: of it.
        classes: of both sides, in whose order colours are given out.
        names: of the classes.
    """
    source, target = run.problem.source, run.problem.target
    name = "the point" if told.label is None else names[str(told.label)]
    good = {True: st.success, False: st.warning}[told.stage in ("right", "unknown")]
    good(story_verdict(told, dict(names)), icon=":material/search_insights:")
    one, two, three, four = st.columns(4)
    with one:
        st.markdown(f"**1. In the source** {_mark(told.overlap <= 0.5 if np.isfinite(told.overlap) else None)}")
        thumbnails.of_rows(points, [row], [f"row {row}{named(points, row, names)}"], size=84)
        if np.isfinite(told.overlap):
            st.caption(f"{told.overlap:.0%} of its {len(told.neighbours)} nearest training rows are not {name}:")
        near = told.neighbours[:8]
        wrong = None if source.labels is None or told.label is None else source.labels[near] != told.label
        said = [named(source, r, names).strip(" ()") or f"row {r}" for r in near]
        if not thumbnails.of_rows(source, near, said, size=36, wrong=wrong):
            st.caption(", ".join(said))
    with two:
        same = None if told.pair_label is None or told.label is None else told.pair_label == told.label
        st.markdown(f"**2. Its nearest pair** {_mark(same)}")
        said = f"row {told.pair_row}{named(source, told.pair_row, names)}"
        if not thumbnails.of_rows(source, [told.pair_row], [said], size=84, wrong=None if same is None else [not same]):
            st.markdown(said)
        st.caption(f"Pair {told.pair}, {told.distance:.2f} mean distances away.")
    with three:
        sure = None
        if target.classes is not None and told.label is not None and told.sent.sum() > 0:
            sure = bool(target.classes[told.sent.argmax()] == told.label)
        st.markdown(f"**3. Its coupling row** {_mark(sure)}")
        if target.classes is None:
            st.caption("The target has no labels: the row can't be read by class.")
        else:
            known = [names[str(c)] for c in target.classes]
            st.plotly_chart(
                sent_bars(told, known, np.searchsorted(classes, target.classes).tolist()),
                key="sent",
                alt="mass by class",
            )
        if told.draws:
            st.caption(f"A local plan has no rows: counted from {told.draws:,} draws around the nearest rows.")
        elif told.stands_in:
            st.caption(
                f"The plan has no row of its own for this point; shown is that of the nearest training row with mass, "
                f"row {told.row}{named(source, told.row, names)}."
            )
    with four:
        right = None if told.label is None or target.labels is None else bool(np.mean(told.arrived == told.label) > 0.5)
        st.markdown(f"**4. Where the flow ends** {_mark(right)}")
        wrong = np.zeros(len(told.arrived), bool) if right is None else np.asarray(told.arrived != told.label)
        said = [names.get(str(c), "?") for c in told.arrived]
        if target.decode_images is not None:
            made = np.clip(255 * np.asarray(target.decode_images(told.ends)), 0, 255).astype(np.uint8)
            thumbnails.strip(made, said, size=48, wrong=wrong.tolist())
        elif target.labels is not None:
            st.markdown(
                "  ".join(
                    f":{'red' if bad else 'blue'}-badge[{'✗ ' if bad else ''}{s}]"
                    for s, bad in zip(said, wrong, strict=True)
                )
            )
        if right is not None:
            st.caption(f"{int((~wrong).sum())} of {len(wrong)} draws of noise end as {name}.")


def _mark(good: bool | None) -> str:
    return _MARK[None if good is None else bool(good)]
