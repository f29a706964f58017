"""What does epsilon do?"""

from __future__ import annotations

from functools import cache

import numpy as np

from bridgeviz import metrics
from bridgeviz.experiments import equations
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments.lessons._measures import DIGITS, matched, until
from bridgeviz.experiments.lessons._step import Lesson, Step, best, percent

_EPSILONS = {"epsilon 0.0005": 5e-4, "epsilon 0.005": 5e-3, "epsilon 0.05": 5e-2, "epsilon 0.5": 0.5}


@cache
def _epsilons() -> dict[str, float]:
    return {title: matched(**DIGITS, count=27, epsilon=epsilon) for title, epsilon in _EPSILONS.items()}


def _choices() -> dict[str, float]:
    """The effective number of target classes among which the median row's mass is divided."""
    values = {}
    for title, epsilon in _EPSILONS.items():
        pipeline = until("coupling", {**DIGITS, "count": 27, "epsilon": epsilon})
        problem, rows = pipeline.problem, np.arange(0, len(pipeline.problem.source), 7)
        groups = np.full(len(problem.source), len(rows))
        groups[rows] = np.arange(len(rows))
        mass = metrics.masses_by_class(problem, pipeline.plan, "source", groups, len(rows) + 1)[:-1]
        share = mass / mass.sum(1, keepdims=True)
        entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(1)
        values[title] = float(np.exp(np.median(entropy)))
    return values


LESSON = Lesson(
    title="What does epsilon do?",
    about="Epsilon blurs the plan: the entropy of the plan is worth something, so that mass is spread.",
    steps=(
        Step(
            text="With 27 pairs and epsilon 0.005, {epsilon 0.005} of the mass goes to the right class.",
            question="How much is it with an epsilon a hundred times as large?",
            measure=_epsilons,
            shown=tuple(_EPSILONS),
            answer="epsilon 0.5",
            formula=equations.PLAN,
            told=lambda v: f"{percent(v['epsilon 0.5'])}. The plan is nearly flat: it prefers entropy to cost.",
            page="coupling",
            config=RunConfig(**DIGITS, count=27, epsilon=0.5),
        ),
        Step(
            text="Among how many of the ten classes does a plan divide the mass of one row?",
            question="Which epsilon divides it among the most?",
            measure=_choices,
            shown=tuple(_EPSILONS),
            unit="classes",
            told=lambda v: (
                "In the median, from "
                f"{v['epsilon 0.0005']:.1f} to {v['epsilon 0.5']:.1f} classes. A flow that learns from a blurred "
                "plan is taught many targets for one point."
            ),
            page="coupling",
            config=RunConfig(**DIGITS, count=27, epsilon=0.05),
        ),
        Step(
            text="A small epsilon is sharp, and slower to solve.",
            question="Which epsilon has the most of its mass right?",
            measure=_epsilons,
            shown=tuple(_EPSILONS),
            told=lambda v: (
                f"{best(v, tuple(v))}. Below some epsilon nothing is gained: the plan is as good as its cost."
            ),
            page="coupling",
            config=RunConfig(**DIGITS, count=27),
        ),
    ),
)
