"""Is overlap fate?"""

from __future__ import annotations

from bridgeviz import metrics
from bridgeviz.experiments import equations
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.lessons._measures import matched, until
from bridgeviz.experiments.lessons._step import Lesson, Step, best, percent


def _blobs(**settings) -> float:
    options = {"overlap": settings.pop("overlap")}
    return matched(dataset="blobs", options=options, cost="bridge", **settings)


def _easy_or_hard() -> dict[str, float]:
    return {f"overlap {overlap:g}": _blobs(overlap=overlap, fraction=0.05) for overlap in (0.1, 0.5, 0.9)}


def _against_overlap() -> dict[str, float]:
    few = {"overlap": 0.9, "fraction": 0.05}
    return {
        "as it is": _blobs(**few),
        "eight times the pairs": _blobs(**few | {"fraction": 0.4}),
        "a sharper plan (epsilon 0.0005)": _blobs(**few, epsilon=5e-4),
        "classes that overlap less (0.3)": _blobs(**few | {"overlap": 0.3}),
    }


def _neighbours() -> dict[str, float]:
    problem = until("load", {"dataset": "blobs", "options": {"overlap": 0.9}}).problem
    return {"neighbours of another class": metrics.feature_overlap(problem.source.x, problem.source.labels)}


LESSON = Lesson(
    title="Is overlap fate?",
    about="Where classes lie on top of each other in the source, a point's surroundings do not tell its class.",
    steps=(
        Step(
            text="Five clouds that hardly overlap: with 5 % of the pairs, {overlap 0.1} of the mass goes to "
            "the right class. Now the clouds are pushed together, to an overlap of 0.9.",
            question="How much is right then?",
            measure=_easy_or_hard,
            shown=("overlap 0.1", "overlap 0.5", "overlap 0.9"),
            answer="overlap 0.9",
            told=lambda v: f"{percent(v['overlap 0.9'])}. Halfway, at 0.5, it is {percent(v['overlap 0.5'])}.",
            formula=equations.OVERLAP,
            page="data",
            config=RunConfig(dataset="blobs", options={"overlap": 0.9}, cost="bridge", fraction=0.05),
        ),
        Step(
            text="Overlap is measured by neighbours: the share of the 15 nearest rows that are of another class.",
            question="What share is that on average, at an overlap of 0.9?",
            measure=_neighbours,
            shown=("neighbours of another class",),
            answer="neighbours of another class",
            told=lambda v: f"{percent(v['neighbours of another class'])}. Completely mixed, it would be 80%.",
            formula=equations.OVERLAP,
            page="data",
            config=RunConfig(dataset="blobs", options={"overlap": 0.9}, cost="bridge", fraction=0.05),
        ),
        Step(
            text="At an overlap of 0.9 we try three changes.",
            question="Which helps the most?",
            measure=_against_overlap,
            shown=("eight times the pairs", "a sharper plan (epsilon 0.0005)", "classes that overlap less (0.3)"),
            told=lambda v: (
                f"{best(v, tuple(v))}; as it is, {percent(v['as it is'])}. Better features are worth more "
                "than more pairs of the same features."
            ),
            page="data",
            config=RunConfig(dataset="blobs", options={"overlap": 0.3}, cost="bridge", fraction=0.05),
        ),
    ),
)
