"""Lessons: a bet, then what is measured. The step stands in the link, so that a teacher can begin at any."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components import v2 as components

from bridgeviz.experiments.lessons import LESSONS, Lesson, Step
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts
from bridgeviz.ui.state import link, router, values
from bridgeviz.viz.bets import bet_bars

LESSON, STEP, PRESENT = "lesson", "step", "present"
"""The names in the link."""

_ASSETS = Path(__file__).parents[1] / "assets"


def show() -> None:
    """The step that the link names, or the list of lessons."""
    name, number = _here()
    if st.query_params.get(PRESENT) == "true":
        st.html(_ASSETS / "present.css")
    if name is None:
        _list()
    else:
        _step(name, number)


def _here() -> tuple[str | None, int]:
    """The lesson and the step that the link names; another step than there is becomes the first."""
    name = st.query_params.get(LESSON, "")
    if name not in LESSONS:
        return None, 0
    text = st.query_params.get(STEP, "1")
    number = int(text) - 1 if text.isdigit() else 0
    return name, number if 0 <= number < len(LESSONS[name].steps) else 0


def _list() -> None:
    """All lessons, a card each."""
    for k, (name, lesson) in enumerate(LESSONS.items()):
        if k % 2 == 0:
            row = st.columns(2)
        with row[k % 2].container(border=True, height="stretch"):
            st.markdown(f"**{k + 1}. {lesson.title}**")
            st.markdown(lesson.about)
            st.button(
                f"Begin ({len(lesson.steps)} steps)", key=f"begin_{name}", on_click=_go, args=(name, 0),
                icon=":material/play_arrow:",
            )  # fmt: skip


def _step(name: str, number: int) -> None:
    """One step: its text, the bet, and after it what was measured."""
    lesson = LESSONS[name]
    step, key = lesson.steps[number], f"{name}_{number}"
    st.header(lesson.title)
    st.caption(f"{lesson.about} Step {number + 1} of {len(lesson.steps)}.")
    with guard(), st.spinner("Measuring …"):
        measured = _measured(name, number)
    st.markdown(step.said(measured))
    bet = _bet(step, key)
    revealed = st.session_state.get(f"revealed_{key}", False)
    if not revealed:
        st.button(
            "Reveal", key="lesson_reveal", type="primary", on_click=_reveal, args=(key,), disabled=bet is None,
            icon=":material/visibility:",
        )  # fmt: skip
    elif bet is not None:
        _answer(step, measured, bet)
    _ways(lesson, name, number)
    _keys()(key="lesson_keys", height=1)


def _bet(step: Step, key: str) -> float | str | None:
    """The control of the bet; None until something is bet."""
    if step.answer:
        return st.slider(
            f"**{step.question}**", 0, 100, 50, format="%d%%", key=f"bet_{key}", persist_state="session"
        ) / 100.0  # fmt: skip
    return st.radio(
        f"**{step.question}**", list(step.shown), index=None, key=f"bet_{key}", persist_state="session", horizontal=True
    )


def _answer(step: Step, measured: dict[str, float], bet: float | str) -> None:
    """What was measured beside the bet, what it means, the formula, and where to see more."""
    decides = step.answer or step.best(measured)
    if isinstance(bet, str):
        verdict = "Right." if bet == decides else "No."
    else:
        away = abs(bet - measured[decides])
        verdict = "Very close." if away <= 0.05 else "Close." if away <= 0.15 else "Further than one would think."
    picture = bet_bars(measured, step.shown, bet=bet, decides=decides, share=step.unit == "share")
    charts.draw(st, picture, key="bet", alt="what was measured, and the bet")
    st.markdown(f"{verdict} {step.told(measured)}")
    if step.formula:
        with st.expander("The formula"):
            st.latex(step.formula)
    if step.config is not None:
        title = next(page.title for page in router.PAGES if page.file == step.page)
        if st.button(
            f"Open these settings in {title}", key="lesson_open", on_click=values.apply, args=(step.config,),
            type="tertiary", icon=":material/open_in_new:",
        ):  # fmt: skip
            link.open_page(step.page)


def _ways(lesson: Lesson, name: str, number: int) -> None:
    """Buttons to the step before, the next one, the list, and the mode for a projector."""
    st.divider()
    names = list(LESSONS)
    following = names[names.index(name) + 1] if name != names[-1] else None
    last = number + 1 == len(lesson.steps)
    present = st.query_params.get(PRESENT) == "true"
    with st.container(horizontal=True):
        st.button(
            "Back", key="lesson_back", on_click=_go, args=(name, number - 1), disabled=number == 0,
            icon=":material/arrow_back:",
        )  # fmt: skip
        if not last:
            st.button(
                "Next step", key="lesson_next", on_click=_go, args=(name, number + 1), icon=":material/arrow_forward:"
            )
        elif following is not None:
            st.button(
                f"Next lesson: {LESSONS[following].title}", key="lesson_next", on_click=_go, args=(following, 0),
                icon=":material/arrow_forward:",
            )  # fmt: skip
        st.button("All lessons", key="lesson_list", on_click=_go, args=(None, 0), type="tertiary")
        st.button(
            "Leave the presentation" if present else "Present", key="lesson_present", on_click=_present,
            args=(not present,), type="tertiary", icon=":material/slideshow:",
            help="Large type without the menu; the arrow keys reveal, and lead to the next step and back.",
        )  # fmt: skip


def _go(name: str | None, number: int) -> None:
    """A callback: open a step, or the list."""
    if name is None:
        for key in (LESSON, STEP):
            st.query_params.pop(key, None)
    else:
        st.query_params.update({LESSON: name, STEP: str(number + 1)})


def _present(on: bool) -> None:
    if on:
        st.query_params[PRESENT] = "true"
    else:
        st.query_params.pop(PRESENT, None)


def _reveal(key: str) -> None:
    st.session_state[f"revealed_{key}"] = True


@st.cache_data(max_entries=64, show_spinner=False)
def _measured(name: str, number: int) -> dict[str, float]:
    return LESSONS[name].steps[number].measure()


@st.cache_resource(show_spinner=False)
def _keys() -> Any:
    return components.component("bridgeviz_keys", js=(_ASSETS / "keys.js").read_text(encoding="utf-8"))
