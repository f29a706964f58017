"""Six short lessons: each step asks for a bet, and then measures. Every number is measured when it is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np

from bridgeviz import metrics
from bridgeviz.couplings import linear
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._pipeline import Pipeline

Values = Mapping[str, float]

DRAWS = 4000
"""Draws from a local plan by which its accuracy is estimated: to one percent."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """A bet and what decides it.

    Attributes:
        text: what the step is about. Names of values in braces are given away, in percent.
        question: what to bet on.
        measure: the values by name, in [0, 1] unless `unit` says otherwise.
        answer: the name of the value to guess; "" asks which of the `shown` values is the largest.
        shown: the names of the values that the picture shows, in order; what they are is their name.
        told: what the values say; a function of them.
        unit: "share", or what else the values are.
        formula: the paper's, in LaTeX, and its number.
        page: the page that shows more, and `config`: its settings.
    """

    text: str
    question: str
    measure: Callable[[], dict[str, float]]
    shown: tuple[str, ...]
    told: Callable[[Values], str]
    answer: str = ""
    unit: str = "share"
    formula: str = ""
    page: str = "pairs_and_cost"
    config: RunConfig | None = None

    def said(self, values: Values) -> str:
        """The text with the values that it gives away."""
        return re.sub(r"\{([^}]+)\}", lambda found: _percent(values[found[1]]), self.text)

    def best(self, values: Values) -> str:
        """Which of the values that are shown is the largest."""
        return max(self.shown, key=values.__getitem__)


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """Three to five steps on one question."""

    title: str
    about: str
    steps: tuple[Step, ...]


def cheapest(**settings) -> float:
    """How often the cheapest target has the right class."""
    pipeline = _until("cost", settings)
    source, target = pipeline.problem.source, pipeline.problem.target
    return metrics.cost_accuracy(pipeline.cost, source.labels, target.labels)


def matched(**settings) -> float:
    """The share of the plan's mass between rows of one class; of draws, where there is no plan of all points."""
    pipeline = _until("coupling", settings)
    source, target, plan = pipeline.problem.source, pipeline.problem.target, pipeline.plan
    samples = DRAWS if plan.estimated else None
    return metrics.matching_accuracy(plan, source.labels, target.labels, samples=samples)


def _until(stage: str, settings: dict) -> Pipeline:
    pipeline = Pipeline(RunConfig(**settings))
    for name in pipeline.stages(until=stage):
        for _ in pipeline.stage(name):
            pass
    return pipeline


_DIGITS = {"dataset": "digits", "cost": "bridge"}
_BRIDGE = r"C(x_i, y_j) = \min_p \; d_X(x_i, x_p) + d_Y(y_p, y_j) \qquad \text{(Eq. 6)}"
_TRANSPORT = (
    r"\pi = \arg\min_{\pi \in \Pi(\mu, \nu)} \sum_{ij} \pi_{ij} C(x_i, y_j) - \varepsilon H(\pi) \qquad \text{(Eq. 1)}"
)
_UNBALANCED = (
    r"\min_\pi \langle \pi, C \rangle - \varepsilon H(\pi) + \rho_1 \mathrm{KL}(\pi 1 \,\|\, \mu) "
    r"+ \rho_2 \mathrm{KL}(\pi^\top 1 \,\|\, \nu), \quad \tau = \rho / (\rho + \varepsilon)"
)
_OVERLAP = r"o(x_i) = \tfrac1k \sum_{j \in N_k(i)} [c_j \neq c_i] \qquad \text{(Eq. 21)}"


def _first_pairs() -> dict[str, float]:
    return {"7 pairs": cheapest(**_DIGITS, count=7)}


def _doublings() -> dict[str, float]:
    counts = (7, 14, 28, 56)
    right = [cheapest(**_DIGITS, count=count) for count in counts]
    return {
        f"{a} → {b} pairs": max(0.0, y - x) for a, b, x, y in zip(counts, counts[1:], right, right[1:], strict=False)
    }


def _missing() -> dict[str, float]:
    pipeline = _until("pairs", {**_DIGITS, "count": 7})
    labels, unused = pipeline.problem.source.labels, pipeline.problem.unused(pipeline.pairs)
    lacking = unused[~np.isin(labels[unused.source], labels[pipeline.pairs.source])]
    i, j = (int(row) for row in lacking[0])
    return {
        "7 pairs": cheapest(**_DIGITS, count=7),
        "one more, of a class without any": cheapest(**_DIGITS, count=7, edits=f"{i}:{j}"),
        "ten more, drawn at random": cheapest(**_DIGITS, count=17),
    }


def _costs() -> dict[str, float]:
    names = {"the bridge": "bridge", "KNN": "knn", "the diffusion bridge": "diffusion_bridge"}
    return {title: matched(dataset="digits", cost=name, count=13) for title, name in names.items()}


_COVERED = {"dataset": "digits", "count": 13, "cover_classes": True}


def _cheapest_or_plan(cost: str) -> dict[str, float]:
    return {
        "the cheapest target": cheapest(**_COVERED, cost=cost),
        "the plan": matched(**_COVERED, cost=cost),
    }


def _fill() -> dict[str, float]:
    settings = {**_COVERED, "cost": "diffusion_bridge"}
    relaxed = {"a fifth less strict (tau 0.8)": 0.8, "hardly at all (tau 0.1)": 0.1}
    values = {"strictly (tau 1)": matched(**settings)}
    return values | {title: matched(**settings, tau=(1.0, tau)) for title, tau in relaxed.items()}


_EPSILONS = {"epsilon 0.0005": 5e-4, "epsilon 0.005": 5e-3, "epsilon 0.05": 5e-2, "epsilon 0.5": 0.5}


def _epsilons() -> dict[str, float]:
    return {title: matched(**_DIGITS, count=27, epsilon=epsilon) for title, epsilon in _EPSILONS.items()}


def _choices() -> dict[str, float]:
    """The effective number of target classes among which the median row's mass is divided."""
    values = {}
    for title, epsilon in _EPSILONS.items():
        pipeline = _until("coupling", {**_DIGITS, "count": 27, "epsilon": epsilon})
        problem, rows = pipeline.problem, np.arange(0, len(pipeline.problem.source), 7)
        groups = np.full(len(problem.source), len(rows))
        groups[rows] = np.arange(len(rows))
        mass = metrics.masses_by_class(problem, pipeline.plan, "source", groups, len(rows) + 1)[:-1]
        share = mass / mass.sum(1, keepdims=True)
        entropy = -(share * np.log(np.where(share > 0, share, 1.0))).sum(1)
        values[title] = float(np.exp(np.median(entropy)))
    return values


def _batches() -> dict[str, float]:
    local = {**_DIGITS, "count": 27, "strategy": "local"}
    sizes = {"batches of 16": 16, "batches of 64": 64, "batches of 256": 256}
    values = {title: matched(**local, batch_size=size) for title, size in sizes.items()}
    return values | {"all points at once": matched(**_DIGITS, count=27)}


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
    problem = _until("load", {"dataset": "blobs", "options": {"overlap": 0.9}}).problem
    return {"neighbours of another class": metrics.feature_overlap(problem.source.x, problem.source.labels)}


_TAUS = {"tau 1": 1.0, "tau 0.95": 0.95, "tau 0.8": 0.8, "tau 0.5": 0.5}


def _without_partner(measure: str) -> dict[str, float]:
    """Plans where the target lacks a class that the source has, by the tau of both sides.

    Args:
        measure: "mass", the share of the mass that is right; "rows", the share of the source rows that carry any;
            "both", the share of all source rows that are sent to their own class.
    """
    problem = _until("load", {"dataset": "blobs", "options": {"overlap": 0.2}}).problem
    labels = problem.target.labels
    part = problem.part(np.arange(len(problem.source)), np.flatnonzero(labels != labels.max()))
    config = RunConfig(dataset="blobs", cost="bridge")
    pipeline = Pipeline(config, own_problem=part, own_pairs=part.sample_pairs(0.05))
    for name in pipeline.stages(until="cost"):
        for _ in pipeline.stage(name):
            pass
    values = {}
    for title, tau in _TAUS.items():
        plan = linear(pipeline.cost, epsilon=5e-3, tau=(tau, tau))
        rows = metrics.rows_with_mass(plan, part.source.labels, part.target.labels)
        right = metrics.matching_accuracy(plan, part.source.labels, part.target.labels)
        values[title] = {"mass": right, "rows": rows.source, "both": rows.agreement}[measure]
    return values


def _percent(value: float) -> str:
    return f"{value:.0%}"


def _best(values: Values, names: tuple[str, ...]) -> str:
    name = max(names, key=values.__getitem__)
    return f"**{name}** comes first, with {_percent(values[name])}"


LESSONS: dict[str, Lesson] = {
    "pairs": Lesson(
        title="What is a pair worth?",
        about="A pair says which source row belongs to which target row. All other distances are measured across "
        "pairs.",
        steps=(
            Step(
                text="1,347 handwritten digits, and as many codes of labels. Only 7 of them are known to correspond, a "
                "pair in 200.",
                question="For how many digits is the cheapest code that of the right label?",
                measure=_first_pairs,
                shown=("7 pairs",),
                answer="7 pairs",
                formula=_BRIDGE,
                told=lambda v: (
                    f"{_percent(v['7 pairs'])}. Guessing would give 10%. A class without a pair can hardly be "
                    "right: no leg of a bridge ends in it."
                ),
                config=RunConfig(**_DIGITS, count=7),
            ),
            Step(
                text="Now the number of pairs is doubled, three times in turn.",
                question="Which doubling gains the most?",
                measure=_doublings,
                shown=("7 → 14 pairs", "14 → 28 pairs", "28 → 56 pairs"),
                told=lambda v: (
                    f"{_best(v, tuple(v))} more of the digits. What counts is less the number of pairs than "
                    "whether each class, and each way of writing it, has one."
                ),
                config=RunConfig(**_DIGITS, count=28),
            ),
            Step(
                text="With 7 pairs, {7 pairs} are right, and some classes have no pair at all.",
                question="Which is worth more: one pair of a class that has none, or ten more at random?",
                measure=_missing,
                shown=("one more, of a class without any", "ten more, drawn at random"),
                told=lambda v: (
                    f"{_best(v, ('one more, of a class without any', 'ten more, drawn at random'))}. Per pair, "
                    "the chosen one gains "
                    f"{(v['one more, of a class without any'] - v['7 pairs']):+.0%}, each of the ten "
                    f"{(v['ten more, drawn at random'] - v['7 pairs']) / 10:+.1%}: choose pairs where none is near."
                ),
                config=RunConfig(**_DIGITS, count=7),
            ),
            Step(
                text="The same 13 pairs can be used in several ways: straight to the nearest pair (the bridge), by the "
                "distances to all pairs (KNN), or along the cloud of points (the diffusion bridge).",
                question="Which cost makes most of 13 pairs?",
                measure=_costs,
                shown=("the bridge", "KNN", "the diffusion bridge"),
                told=lambda v: f"{_best(v, tuple(v))}. A cost that knows the shape of the cloud needs fewer pairs.",
                config=RunConfig(dataset="digits", cost="diffusion_bridge", count=13),
                page="coupling",
            ),
        ),
    ),
    "transport": Lesson(
        title="Why does transport need all points?",
        about="The cheapest target of each row is decided row by row. A plan is decided for all rows together.",
        steps=(
            Step(
                text="Each class has a pair, 13 in all, and the cost is the diffusion bridge: the cheapest target is "
                "right "
                "for {the cheapest target} of the digits. Transport uses the same cost, but all target rows must "
                "be "
                "filled.",
                question="How much of the plan's mass goes to the right class?",
                measure=partial(_cheapest_or_plan, "diffusion_bridge"),
                shown=("the cheapest target", "the plan"),
                answer="the plan",
                formula=_TRANSPORT,
                page="coupling",
                told=lambda v: (
                    f"{_percent(v['the plan'])}, {v['the plan'] - v['the cheapest target']:+.0%}. Rows that "
                    "would all crowd into one class are pushed on, to where there is room: where they belong."
                ),
                config=RunConfig(**_COVERED, cost="diffusion_bridge"),
            ),
            Step(
                text="The same 13 pairs with the plain bridge, which is more often wrong.",
                question="Which is right more often now?",
                measure=partial(_cheapest_or_plan, "bridge"),
                shown=("the cheapest target", "the plan"),
                page="coupling",
                told=lambda v: (
                    f"{_best(v, tuple(v))}, against {_percent(min(v.values()))}. A plan trusts its cost: whoever "
                    "is pushed out of a class by a wrong row is then wrong as well. What transport adds depends on "
                    "the cost."
                ),
                config=RunConfig(**_COVERED, cost="bridge"),
            ),
            Step(
                text="Back to the diffusion bridge. How strictly the target rows are filled is a setting, tau.",
                question="How strictly should they be filled here?",
                measure=_fill,
                shown=("strictly (tau 1)", "a fifth less strict (tau 0.8)", "hardly at all (tau 0.1)"),
                told=lambda v: (
                    f"{_best(v, tuple(v))}. Both sides hold the same classes in the same shares. That is "
                    "knowledge, and filling the target strictly puts it to use; without it, each row would go its "
                    "own way."
                ),
                page="coupling",
                config=RunConfig(**_COVERED, cost="diffusion_bridge"),
            ),
        ),
    ),
    "epsilon": Lesson(
        title="What does epsilon do?",
        about="Epsilon blurs the plan: the entropy of the plan is worth something, so that mass is spread.",
        steps=(
            Step(
                text="With 27 pairs and epsilon 0.005, {epsilon 0.005} of the mass goes to the right class.",
                question="How much is it with an epsilon a hundred times as large?",
                measure=_epsilons,
                shown=tuple(_EPSILONS),
                answer="epsilon 0.5",
                formula=_TRANSPORT,
                told=lambda v: f"{_percent(v['epsilon 0.5'])}. The plan is nearly flat: it prefers entropy to cost.",
                page="coupling",
                config=RunConfig(**_DIGITS, count=27, epsilon=0.5),
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
                    "plan "
                    "is taught many targets for one point."
                ),
                page="coupling",
                config=RunConfig(**_DIGITS, count=27, epsilon=0.05),
            ),
            Step(
                text="A small epsilon is sharp, and slower to solve.",
                question="Which epsilon has the most of its mass right?",
                measure=_epsilons,
                shown=tuple(_EPSILONS),
                told=lambda v: (
                    f"{_best(v, tuple(v))}. Below some epsilon nothing is gained: the plan is as good as its cost."
                ),
                page="coupling",
                config=RunConfig(**_DIGITS, count=27),
            ),
        ),
    ),
    "local": Lesson(
        title="When does local alignment misguide?",
        about="To save memory, transport can be solved inside each small batch of points, as it is drawn.",
        steps=(
            Step(
                text="All digits at once: {all points at once} of the mass goes to the right class. Now the plan "
                "is "
                "made within batches of 16 digits and 16 codes, drawn at random.",
                question="How much is right within them?",
                measure=_batches,
                shown=("batches of 16", "all points at once"),
                answer="batches of 16",
                told=lambda v: (
                    f"{_percent(v['batches of 16'])}. In a small batch, a digit's label is often not there, and "
                    "it must go to another."
                ),
                page="coupling",
                config=RunConfig(**_DIGITS, count=27, strategy="local", batch_size=16),
            ),
            Step(
                text="A larger batch holds the right label more often.",
                question="Which is right most often?",
                measure=_batches,
                shown=("batches of 16", "batches of 64", "batches of 256", "all points at once"),
                told=lambda v: f"{_best(v, tuple(v))}. The gap closes as batches grow; it never helps to see less.",
                page="coupling",
                config=RunConfig(**_DIGITS, count=27, strategy="local", batch_size=256),
            ),
            Step(
                text="Of ten classes, a batch of 16 targets lacks some by chance.",
                question="With how much probability does a batch of 16 lack the label of a given digit?",
                measure=lambda: {"lacking": 0.9**16},
                shown=("lacking",),
                answer="lacking",
                told=lambda v: f"{_percent(v['lacking'])}: 0.9 to the power of 16. No cost can mend that.",
                page="coupling",
                config=RunConfig(**_DIGITS, count=27, strategy="local", batch_size=16),
            ),
        ),
    ),
    "overlap": Lesson(
        title="Is overlap fate?",
        about="Where classes lie on top of each other in the source, a point's surroundings do not tell its class.",
        steps=(
            Step(
                text="Five clouds that hardly overlap: with 5 % of the pairs, {overlap 0.1} of the mass goes to "
                "the "
                "right class. Now the clouds are pushed together, to an overlap of 0.9.",
                question="How much is right then?",
                measure=_easy_or_hard,
                shown=("overlap 0.1", "overlap 0.5", "overlap 0.9"),
                answer="overlap 0.9",
                told=lambda v: f"{_percent(v['overlap 0.9'])}. Halfway, at 0.5, it is {_percent(v['overlap 0.5'])}.",
                formula=_OVERLAP,
                page="data",
                config=RunConfig(dataset="blobs", options={"overlap": 0.9}, cost="bridge", fraction=0.05),
            ),
            Step(
                text="Overlap is measured by neighbours: the share of the 15 nearest rows that are of another class.",
                question="What share is that on average, at an overlap of 0.9?",
                measure=_neighbours,
                shown=("neighbours of another class",),
                answer="neighbours of another class",
                told=lambda v: f"{_percent(v['neighbours of another class'])}. Completely mixed, it would be 80%.",
                formula=_OVERLAP,
                page="data",
                config=RunConfig(dataset="blobs", options={"overlap": 0.9}, cost="bridge", fraction=0.05),
            ),
            Step(
                text="At an overlap of 0.9 we try three changes.",
                question="Which helps the most?",
                measure=_against_overlap,
                shown=("eight times the pairs", "a sharper plan (epsilon 0.0005)", "classes that overlap less (0.3)"),
                told=lambda v: (
                    f"{_best(v, tuple(v))}; as it is, {_percent(v['as it is'])}. Better features are worth more "
                    "than more pairs of the same features."
                ),
                page="data",
                config=RunConfig(dataset="blobs", options={"overlap": 0.3}, cost="bridge", fraction=0.05),
            ),
        ),
    ),
    "leave_out": Lesson(
        title="When should points be left out?",
        about="Some source points have no counterpart at all. Balanced transport must send them somewhere.",
        steps=(
            Step(
                text="Five clouds in the source, but the target lacks one of them. Balanced transport (tau 1) moves "
                "every "
                "point.",
                question="How much of the mass goes to the right class?",
                measure=partial(_without_partner, "mass"),
                shown=("tau 1",),
                answer="tau 1",
                told=lambda v: (
                    f"{_percent(v['tau 1'])}. A fifth of the points has no right target, and by taking the places "
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
                    f"{_percent(v['tau 0.95'])}, {v['tau 0.95'] - v['tau 1']:+.0%}: what is left out is "
                    "mostly "
                    "what has no partner."
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
                    f"{_percent(v['tau 0.5'])}, against {_percent(v['tau 0.95'])} with tau 0.95. Four "
                    "rows of "
                    "five have a partner."
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
                    f"{_percent(v['tau 0.5'])}; with tau 0.95 as many as with tau 1, "
                    f"{_percent(v['tau 0.95'])}. A little leaves out what is wrong anyway, much leaves out what would "
                    "be right. The paper's aes (Eq. 30) weighs the accuracy against the share that is left out."
                ),
                page="coupling",
            ),
        ),
    ),
}
"""The lessons by name, in order."""
