"""The sidebar: the settings that all pages share, and the progress of a training."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from bridgeviz import RunConfig
from bridgeviz._pair_edits import read_edits
from bridgeviz.experiments import config_of
from bridgeviz.ui.cache import stages
from bridgeviz.ui.guard import guard, refuse_without_pairs
from bridgeviz.ui.panels import charts, page
from bridgeviz.ui.panels.share import copy_link
from bridgeviz.ui.state import controls, link, owner, router, selection, values
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.work import slots

_COUNT, _CHOICE = "_pair_count", "_chosen_cost"


def draw() -> None:
    """Draw the sidebar of the current page. Drawn by `app.py`, the controls are the same on every page."""
    here = router.here()
    training = slots.snapshot(slots.TRAINING)
    with st.sidebar:
        if training is not None and training.active and here is not None and here.file != "flow":
            _progress()
        if not link.complaints():
            with st.container(key="settings" if here is None or here.settings else router.UNSEEN):
                _controls(training=here is None or here.training)
        copy_link()
        with st.container(key=f"{router.UNSEEN}_carried"):  # the browser carries what a control holds to the next page
            st.text_input("Selection", key=selection.KEY, bind="query-params", persist_state="session")
            if owner.current():
                st.text_input("Owner", key=owner.OWNER, bind="query-params", persist_state="session")


def sidebar(*, choose: bool = True) -> RunConfig:
    """The config that the controls in the sidebar say, with the cost that "auto" chooses.

    The settings are in the link and survive moving between pages. A wrong value in the link stops the page with a plain
    message and a way out.

    Args:
        choose: whether the page needs a cost; if not, "auto" stays.
    """
    router.ensure()
    link.check()
    if router.here() is None:
        draw()
    with page.place(), guard():
        _refuse_without_pairs(values.stored())
        config = config_of(values.stored())
        problem, pairs = stages.problem(config), stages.pairs(config)
    known = 0 if problem.truth is None else len(problem.truth)
    st.session_state[_COUNT].caption(f"{len(pairs):,} of {known:,} known pairs{_changed(config)}{_unused(config)}")
    with page.place():
        return chosen(config) if choose else config


def _refuse_without_pairs(texts: Mapping[str, str]) -> None:
    """Stop the page where no pair is known and what is chosen can't be built without."""
    if not texts or float(texts["percent"]) > 0:
        return
    config = config_of(dict(texts) | {"percent": values.defaults()["percent"]})
    if config.needs_pairs:
        uses_cost = config.coupling.uses_cost
        refuse_without_pairs(f"The cost **{texts['cost']}**" if uses_cost else f"The strategy **{texts['strategy']}**")


def chosen(config: RunConfig) -> RunConfig:
    """The config with the cost that "auto" chooses, which the sidebar then says; others as they are."""
    with guard():
        choice = stages.recommendation(config)
    if choice is None:
        return config
    note = st.session_state.get(_CHOICE)
    if note is not None:
        note.caption(f"auto took **{choice.cost}**", help=choice.reason)
    return choice.apply(config)


def _controls(*, training: bool) -> None:
    """All controls; those that only training reads are folded away on pages that do not train."""
    settings, defaults = values.settings(), values.defaults()
    texts = link.reconcile(settings, defaults)

    def draw_those(folded: bool) -> None:
        for setting in controls.shown(settings, texts):
            if folded == (not setting.option.main or setting.option.training > training):
                texts[setting.key] = controls.draw(setting, texts[setting.key], defaults[setting.key])
                if setting.stage == "pairs" and not folded:
                    st.session_state[_COUNT] = st.empty()
                if setting.name == "cost":
                    st.session_state[_CHOICE] = st.empty()

    draw_those(folded=False)
    with st.expander("More settings"):
        draw_those(folded=True)
        charts.choose_format()
    st.button("Reset settings", on_click=values.reset, type="tertiary", icon=":material/restart_alt:")
    values.store(texts)


@st.fragment(run_every=2.0)
def _progress() -> None:
    """A progress bar while a training runs; it also keeps the job alive."""
    record = slots.snapshot(slots.TRAINING)
    if record is None or not record.active:
        st.rerun()
        return
    st.progress(record.share, text=record.text)
    st.caption(f"This training: {summary(slots.work_of(slots.TRAINING))}.")


def _changed(config: RunConfig) -> str:
    """A note on pairs that were changed by hand, which other settings keep."""
    edits = read_edits(config.pairs.edits)
    return f", {len(edits.added) + len(edits.removed):,} changed by hand" if config.pairs.edits else ""


def _unused(config: RunConfig) -> str:
    """A note on pairs that the transport does not read."""
    if config.coupling.needs_pairs:
        return ""
    solver = "the solver" if config.coupling.alpha is None else f"alpha {config.coupling.alpha:g}"
    return f"; {solver} compares shapes alone and uses none of them"
