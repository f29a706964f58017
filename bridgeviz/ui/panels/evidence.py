"""The measured evidence: the paper's claims with a verdict each, and every method by the number of pairs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from bridgeviz.datasets import DATASETS
from bridgeviz.experiments import RunConfig, measured_kinds
from bridgeviz.experiments._verdicts import most_overlap
from bridgeviz.experiments.benchmarks._kind import Draw, Kind
from bridgeviz.experiments.benchmarks._kind_list import KINDS
from bridgeviz.experiments.claims import CLAIMS, FAILS, HOLDS, Claim, Verdict, seconds
from bridgeviz.ui.cache import stages
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts, page, saved, thumbnails
from bridgeviz.ui.panels.advice import choice_of_cost
from bridgeviz.ui.panels.sidebar import sidebar
from bridgeviz.ui.state import link, values
from bridgeviz.ui.state.summary import summary
from bridgeviz.ui.text import duration, literal
from bridgeviz.ui.work import runs
from bridgeviz.viz.paper import PICTURES, accuracies_of_runs, highest, methods_by_pairs

COLOURS = {HOLDS: "green", FAILS: "orange"}
"""The colour of an outcome; grey for all others."""

KIND = "evidence_kind"
"""The control that says which kind of problem Which method? shows."""

ALWAYS = ("automatic", "ridge", "nearest class mean", "wasserstein procrustes", "bridge", "diffusion bridge")
"""The methods that are drawn at first, beside the best at each number of pairs."""


OPEN = 1
"""The place of the claim that is open at first: accuracy by overlap."""


@st.cache_data(show_spinner=False)
def _measured(place: int, dataset: str) -> tuple[pd.DataFrame | None, Verdict]:
    claim = CLAIMS[place]
    return claim.rows(dataset), claim.verdict(dataset)


def claims() -> None:
    """A line per claim with its verdicts; who opens it sees the claim, the numbers, the picture and the command."""
    st.caption("Green: the claim holds. Orange: it does not. Open a line to see the numbers and the picture.")
    for place, claim in enumerate(CLAIMS):
        badges = " ".join(_badge(dataset, _measured(place, dataset)[1].outcome) for dataset in claim.results)
        label = f"**{_numbers(claim)}** {claim.title} {badges}"
        key = f"claim{place + 1}"
        with st.expander(label, expanded=place == OPEN, key=key, on_change="rerun", bind="query-params") as section:
            if section.open:
                _one(place, claim)


def _badge(dataset: str, outcome: str) -> str:
    return f":{COLOURS.get(outcome, 'gray')}-badge[{dataset}: {outcome}]"


def _one(place: int, claim: Claim) -> None:
    st.markdown(f"*The paper:* {claim.claim}")
    datasets = list(claim.results)
    dataset = datasets[0]
    if len(datasets) > 1:
        dataset = st.segmented_control(
            "Data set", datasets, default=datasets[0], required=True, key=f"evidence_{place}",
            label_visibility="collapsed",
        )  # fmt: skip
    rows, verdict = _measured(place, dataset)
    st.markdown(f"*Here:* {verdict.numbers}")
    drawn = None if rows is None or not claim.drawing else PICTURES[claim.drawing](rows)
    if drawn is not None:
        charts.draw(st, drawn, key=f"figure_{place}", alt=claim.title)
    if claim.drawing == "overlap" and rows is not None:
        _worst_classes(dataset, most_overlap(rows))
    st.code(claim.commands[dataset], language=None)  # the colours of a shell are too faint
    spent = None if rows is None else seconds(rows)
    if spent is not None:
        st.caption(f"This measurement took {duration(spent)} in all, on a machine with two cores.")
    if claim.page:
        label = f"Try it on {dataset}, on the page {claim.page.replace('_', ' ').capitalize()}"
        page.open_with(claim.config(dataset), claim.page, label, key=f"claim_{place}", icon=":material/open_in_new:")


PICTURES_PER_CLASS = 8


def _worst_classes(dataset: str, overlaps: dict[str, float]) -> None:
    """Pictures of the classes with the most overlap, if the data set has pictures; loaded when they are asked for."""
    if not overlaps or not st.toggle("Show pictures of the classes with the most overlap", key=f"worst_{dataset}"):
        return
    with guard():
        problem = stages.problem(RunConfig(dataset=dataset))
    points = problem.source if problem.source.images is not None or problem.test is None else problem.test.source
    if points.images is None or points.labels is None or points.classes is None:
        st.caption("The pictures of this data set are not on this machine.")
        return
    names = points.names if points.names is not None else points.classes
    for name, overlap in overlaps.items():
        place = [str(one) for one in names].index(name)
        rows = np.flatnonzero(points.labels == points.classes[place])[:PICTURES_PER_CLASS]
        st.markdown(f"**{literal(name)}**, overlap {100 * overlap:.0f} %")
        thumbnails.of_rows(points, rows, [f"row {row}" for row in rows])
    thumbnails.note(points)


def _numbers(claim: Claim) -> str:
    return "Fig. " + ", ".join(map(str, claim.figures)) if claim.figures else "Open question"


def methods() -> None:
    """One kind of problem at a time: the curves of the chosen methods, and the best at each number of pairs."""
    rows = measured_kinds()  # a pandas table
    if rows is None:
        st.info("The measurements are not among these data. `bridgeviz bench kinds` makes them.")
        return
    names = [name for name in KINDS if name in set(rows.kind)]
    kind = KINDS[st.selectbox("Kind of problem", names, format_func=lambda name: KINDS[name].title, key=KIND)]
    part = rows[rows.kind == kind.name]
    figures = {name: about for name, about in kind.figures.items() if name in part and part[name].notna().any()}
    name = next(iter(figures))
    if len(figures) > 1:
        titles = {one: about.title for one, about in figures.items()}
        name = st.segmented_control(
            "Judged by", list(figures), default=name, required=True, format_func=titles.__getitem__,
            key=f"evidence_figure_{kind.name}",
        )  # fmt: skip
    about: Any = figures[name]
    best = highest(part, name, higher=about.higher)
    rivals = highest(part[part.rival.astype(bool)], name, higher=about.higher)
    every = list(dict.fromkeys(part.dropna(subset=[name]).method))
    first = [method for method in dict.fromkeys([*ALWAYS, *best.values(), *rivals.values()]) if method in every]
    shown = st.multiselect("Methods", every, default=first, key=f"evidence_methods_{kind.name}_{name}")
    title = f"{about.title} ({'higher' if about.higher else 'lower'} is better)"
    charts.draw(st, methods_by_pairs(part, shown, name, title, percent=about.higher), key="methods", alt=title)
    st.caption(
        "Medians over seeds; bars show the smallest and largest value. *automatic* is what the cost `auto` chooses "
        "from the pairs alone."
    )
    medians = part.groupby(["pairs", "method"], sort=False)[name].median().to_dict()
    table = [
        {
            "pairs": pairs,
            "best rival": rivals.get(pairs),
            "of the rival": medians.get((pairs, rivals.get(pairs))),
            "of the automatic choice": medians.get((pairs, "automatic")),
            "best of all": best[pairs],
            "of the best": medians[pairs, best[pairs]],
        }
        for pairs in best
    ]
    digits = {name: st.column_config.NumberColumn(format="%.3f") for name in table[0] if name.startswith("of the")}
    st.dataframe(pd.DataFrame(table), hide_index=True, key="best_methods", column_config=digits)
    _try(kind)


def _try(kind: Kind) -> None:
    """Buttons that open Flow with the data of a kind and each of its numbers of pairs, where the app has these data."""
    if kind.dataset.name not in DATASETS:
        return
    st.markdown("**See it for yourself**: train the automatic choice on these data, with")
    with st.container(horizontal=True):
        for draw in kind.draws:
            if st.button(draw.label, key=f"try_{draw.label}", on_click=_set, args=(kind, draw), icon=":material/air:"):
                link.open_page("flow")


def _set(kind: Kind, draw: Draw) -> None:
    """Set the controls to the data of a kind and one of its numbers of pairs; a callback."""
    with guard():
        known = page.known_pairs(kind.problem)
    fraction = draw.size(known) / known
    values.apply(RunConfig(dataset=kind.dataset, cost="auto", fraction=fraction, cover_classes=draw.cover))


def present() -> None:
    """What the pairs of the settings in the sidebar say."""
    st.header("And for the data in the sidebar?")
    config = sidebar(choose=False)
    st.markdown(f"The present settings: {literal(summary(config))}.")
    with guard():
        problem, pairs = stages.problem(config), stages.pairs(config)
    if len(pairs) == 0:
        st.info("Without pairs, none can be held out. The cost `auto` still chooses.", icon=":material/link_off:")
    else:
        choice_of_cost(config, problem, pairs)


def own_runs() -> None:
    """The visitor's finished runs on the data sets of the claims, beside each other."""
    st.header("What did your own runs reach?")
    names = {dataset for claim in CLAIMS for dataset in claim.results}
    own = [run for run in runs.listed() if run.finished and run.config.dataset in names]
    scored = [run for run in own if "test_accuracy" in run.metrics and run.config.fraction]
    if own:
        st.dataframe(pd.DataFrame([saved.row(run) for run in own]), hide_index=True, key="own_runs")
    else:
        st.markdown("No run on one of these data sets is saved yet.")
    if scored:
        points = [
            {
                "fraction": one.config.fraction,
                "name": summary(one.config),
                "test_accuracy": one.metrics["test_accuracy"],
            }
            for one in scored
        ]
        title = "Test accuracy of your runs by the share of the pairs"
        charts.draw(st, accuracies_of_runs(pd.DataFrame(points)), key="own_accuracies", alt=title)
    st.page_link("pages/flow.py", label="Train, open or delete runs", icon=":material/play_arrow:")
