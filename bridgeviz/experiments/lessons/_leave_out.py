"""When should points be left out?"""

from __future__ import annotations

from functools import cache, partial

import numpy as np

from bridgeviz import metrics
from bridgeviz.couplings import Linear, linear
from bridgeviz.experiments import equations
from bridgeviz.experiments.lessons._measures import until
from bridgeviz.experiments.lessons._step import Lesson, Step, percent

_TAUS = {"tau 1": 1.0, "tau 0.95": 0.95, "tau 0.8": 0.8, "tau 0.5": 0.5}

_UNBALANCED = rf"{Linear.formula}, \qquad {equations.TAU}"


def _without_partner(measure: str) -> dict[str, float]:
    """Plans where the target lacks a class that the source has, by the tau of both sides.

    Args:
        measure: "mass", the share of the mass that is right; "rows", the share of the source rows that carry any;
            "both", the share of all source rows that are sent to their own class.
    """
    return {title: values[measure] for title, values in _plans().items()}


@cache
def _plans() -> dict[str, dict[str, float]]:
    """All measures of each plan, for all steps."""
    problem = until("load", {"dataset": "blobs", "options": {"overlap": 0.2}}).problem
    labels = problem.target.labels
    part = problem.part(np.arange(len(problem.source)), np.flatnonzero(labels != labels.max()))
    settings = {"dataset": "blobs", "cost": "bridge"}
    pipeline = until("cost", settings, own_problem=part, own_pairs=part.sample_pairs(0.05))
    values = {}
    for title, tau in _TAUS.items():
        plan = linear(pipeline.cost, epsilon=5e-3, tau=(tau, tau))
        rows = metrics.rows_with_mass(plan, part.source.labels, part.target.labels)
        right = metrics.matching_accuracy(plan, part.source.labels, part.target.labels)
        values[title] = {"mass": right, "rows": rows.source, "both": rows.agreement}
    return values


LESSON = Lesson(
    title="When should points be left out?",
    about="Some source points have no counterpart at all. Balanced transport must send them somewhere.",
    steps=(
        Step(
            text="Five clouds in the source, but the target lacks one of them. Balanced transport (tau 1) moves "
            "every point.",
            question="How much of the mass goes to the right class?",
            measure=partial(_without_partner, "mass"),
            shown=("tau 1",),
            answer="tau 1",
            told=lambda v: (
                f"{percent(v['tau 1'])}. A fifth of the points has no right target, and by taking the places "
                "of others they drive those away too."
            ),
            formula=_UNBALANCED,
            page="coupling",
        ),
        Step(
            text="With tau 0.95, points that are expensive to move may be left out.",
            question="How much of the mass is right then?",
            measure=partial(_without_partner, "mass"),
            shown=("tau 1", "tau 0.95"),
            answer="tau 0.95",
            told=lambda v: (
                f"{percent(v['tau 0.95'])}, {v['tau 0.95'] - v['tau 1']:+.0%}: what is left out "
                "is mostly what has no partner."
            ),
            formula=_UNBALANCED,
            page="coupling",
        ),
        Step(
            text="The share of the mass that is right is not all: a row that is left out can't be carried across.",
            question="What share of the rows still carries mass with tau 0.5?",
            measure=partial(_without_partner, "rows"),
            shown=tuple(_TAUS),
            answer="tau 0.5",
            told=lambda v: (
                f"{percent(v['tau 0.5'])}, against {percent(v['tau 0.95'])} with tau 0.95. Four "
                "rows of five have a partner."
            ),
            page="coupling",
        ),
        Step(
            text="So we count over all rows. With tau 1, {tau 1} of them are sent to their own class.",
            question="How many are with tau 0.5?",
            measure=partial(_without_partner, "both"),
            shown=tuple(_TAUS),
            answer="tau 0.5",
            told=lambda v: (
                f"{percent(v['tau 0.5'])}; with tau 0.95 about as many as with tau 1, "
                f"{percent(v['tau 0.95'])}. A little leaves out what is wrong anyway, much leaves out what would "
                "be right. The paper's aes (Eq. 30) weighs the accuracy against the share that is left out."
            ),
            page="coupling",
        ),
    ),
)
