"""Which cost, with which settings? Hide part of the pairs and see which cost finds them again."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._forbidden import Forbidden, refuse_forbidden_pairs
from bridgeviz.costs import COSTS, Blend, DiffusionBridge, ProcrustesBridge
from bridgeviz.experiments._follow import follow
from bridgeviz.experiments._held_out import (
    FOLDS,
    MATCHING,
    MOST_IN_CLASSES,
    MOST_ROWS,
    Candidate,
    Measure,
    Scores,
    Trial,
    known_share,
    measure_of,
    resamples,
    sample_rows,
    standing,
)
from bridgeviz.experiments._recommendation import Recommendation
from bridgeviz.problem import Problem

FALLBACKS = {"matching": DiffusionBridge(), "foscttm": Blend()}
"""What is taken by measure unless another candidate is better."""

FEW_COVERED = 0.5
"""Share of the counterparts with a pair, below which the fallback is that for counterparts without any."""

UNCOVERED, UNCOVERED_TAU = Blend(), 0.95
"""The fallback where most counterparts have no pair but similar ones have similar rows: its map leads to them, and tau
below 1 lets a counterpart have fewer rows than its share."""

ROUNDS = {"matching": 20, "foscttm": 0}
"""Rounds of refinement by measure: held-out pairs decide how many of them are kept (see `couplings.Global`)."""

LEAST = 10
"""Number of pairs below which nothing is held out."""

ERRORS = 1.5
"""Standard errors by which a candidate's gain over the fallback must exceed 0: the best of many gains is often one."""

EPSILONS = (0.5, 1.0, 4.0)
"""Values tried for the best cost where rows share counterparts, in units of its own default."""

TAUS = (1.0, 0.95, 0.7)
"""Values tried for the best cost where rows share counterparts, of the counterparts alone: below 1, each may have more
or fewer rows than its share. The rows keep their mass, else the plan would leave out those that are hard to match, and
held-out pairs, judged by shares of what is left, could not tell."""

UNPAIRED = ProcrustesBridge()
"""What is taken without any pairs."""

Result = tuple[Candidate, Scores]


def fallback(problem: Problem, metric: str | None = None) -> Candidate:
    """The candidate that is taken where the pairs can't tell, by what they could show (see `recommend`).

    Args:
        problem: whose rows say what that is.
        metric: within each space; None takes the cost's own.
    """
    return _fallback(measure_of(problem), metric)


def _fallback(measure: Measure, metric: str | None) -> Candidate:
    cost = FALLBACKS[measure.name]
    return Candidate(cost if metric is None else replace(cost, metric=metric))


def _tau(of_counterparts: float, side: int) -> tuple[float, float]:
    """The tau of both sides, for that of the counterparts and their side."""
    return (1.0, of_counterparts) if side == 1 else (of_counterparts, 1.0)


def _sure(gain: np.ndarray) -> float:
    """The mean gain less `ERRORS` of its standard errors."""
    return float(gain.mean() - ERRORS * gain.std(ddof=1) / np.sqrt(len(gain)))


def candidates(measure: Measure, metric: str | None = None) -> list[Candidate]:
    """The costs and settings that are compared: the variants that each registered cost names, the fallback first.

    Args:
        measure: what they are judged by.
        metric: within each space; None takes each cost's own.
    """
    named = {} if metric is None else {"metric": metric}
    every = [Candidate(cost(**variant.options, **named)) for cost in COSTS.values() for variant in cost.variants]
    first = _fallback(measure, metric)
    return [first, *(one for one in every if one != first)]


def recommend(
    problem: Problem,
    pairs: ArrayLike,
    *,
    metric: str | None = None,
    seed: int = 0,
    forbidden: ArrayLike | Forbidden | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """Choose the cost and its settings by held-out pairs; no labels are read.

    The pairs are dealt into five folds. Each fold is hidden in turn, every candidate is built on the remaining pairs,
    and judged by what the problem is about:

    - Where rows have one partner each, by FOSCTTM: the share of the rows without a known pair that are nearer than the
      hidden partner, by a balanced plan of the cost, the mean of both directions.
    - Where one side has at most half as many distinct rows as rows, as where every target is one of a few classes, by
      the share of a row's mass that reaches its own counterpart in the plan: that of hidden rows, and that of known
      ones for the part of all rows that they are. For the best cost, epsilon and the counterparts' tau are then tried
      in the same way. If every counterpart has a pair, it keeps one: its first pair is never hidden.

    The choice is the best candidate whose gain over the fallback is more than 1.5 standard errors of that gain over the
    pairs, else the fallback: the diffusion bridge for classes, its blend with the Procrustes bridge for partners. With
    fewer than ten pairs that can be held out it is the fallback, and without any pairs the Procrustes bridge.

    If less than half of the counterparts have a pair, held-out pairs can't tell how the rows of the others are matched.
    Then nothing is compared: it is the blend with tau .95 of the counterparts, not refined, if by its cost the own
    counterparts of held-out rows are nearer than others without a pair by 1.5 standard errors, because its map leads to
    those too; else the diffusion bridge.

    Large problems are judged on a sample of rows that contains the paired ones: 1,000 a side, or 4,000 where rows share
    counterparts.

    Args:
        problem: its two spaces, their weights and what it forbids are read, nothing else.
        pairs: (l, 2) rows known to correspond; may be empty.
        metric: within each space; None takes each cost's own.
        seed: of the folds, the sample and the resampling.
        forbidden: matches that may carry no mass, in addition to those of the problem, as in `run`. Rows that have no
            permitted match left in a sample are left out of it.
        on_step: called after each candidate on each fold with how many are done and how many there are at most; raise
            from it to stop.

    Raises:
        InputError: pairs out of range, or spaces that no cost can be built on.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> choice = recommend(problem, problem.sample_pairs(0.1, seed=0))
    >>> choice.cost, choice.decided
    ('blend', False)
    """
    return follow(recommend_steps(problem, pairs, metric=metric, seed=seed, forbidden=forbidden), on_step)


def recommend_steps(
    problem: Problem,
    pairs: ArrayLike,
    *,
    metric: str | None = None,
    seed: int = 0,
    forbidden: ArrayLike | Forbidden | None = None,
) -> Generator[tuple[int, int], None, Recommendation]:
    """`recommend` as a generator: yields (done, total) after each candidate on each fold, and returns the choice."""
    if not isinstance(problem, Problem):
        raise check.fail("problem", "recommend", "a Problem", check.describe(problem))
    pairs = check.pair_index(pairs, "pairs", "recommend", shape=problem.shape, least=0)
    if forbidden is not None:
        problem = problem.forbid(forbidden, where="recommend")
    if problem.forbidden is not None:
        refuse_forbidden_pairs(problem.forbidden, pairs, "recommend")
    rng = np.random.default_rng(check.seed(seed, "seed", "recommend"))
    measure = measure_of(problem)
    if len(pairs) == 0:
        named = {} if metric is None else {"metric": metric}
        reason = f"Without pairs, only {UNPAIRED.name} can be built; its facts say how far to trust it."
        return _untried(Candidate(replace(UNPAIRED, **named)), measure, reason)
    if len(pairs) < LEAST:
        return _too_few(len(pairs), measure, metric)
    most = MOST_IN_CLASSES if measure is MATCHING else MOST_ROWS
    known = known_share(problem, pairs) if measure is MATCHING else 0.0
    spaces, pairs, sampled = sample_rows(problem, pairs, rng, most=most)
    trial = Trial.of(spaces, pairs, measure, rng, known)
    if len(trial.hidden) < LEAST:
        return _too_few(len(trial.hidden), measure, metric)
    if trial.covered < FEW_COVERED:
        return _few_covered(trial, metric, rng)
    compared = candidates(measure, metric)
    refinements = [(e, t) for t in TAUS for e in EPSILONS if (e, t) != (1.0, 1.0)] if measure is MATCHING else []
    total, done = FOLDS * (len(compared) + len(refinements)), 0
    results: list[Result] = []

    def counted(candidate: Candidate) -> Generator[tuple[int, int], None, None]:
        nonlocal done
        steps = trial.scores(candidate)
        while True:
            try:
                next(steps)
            except StopIteration as end:
                results.append((candidate, end.value))
                return
            done += 1
            yield done, total

    for number, candidate in enumerate(compared, start=1):
        try:
            yield from counted(candidate)
        except InputError:
            if number == len(compared) and not results:
                raise
            done = FOLDS * number  # this candidate can't be built on these pairs
    best, scores = max(results, key=lambda result: measure.sign * result[1].mean)
    for factor, tau in refinements:
        epsilon = None if factor == 1 else factor * scores.epsilon
        yield from counted(replace(best, epsilon=epsilon, tau=_tau(tau, trial.side)))
    basis = f"On {len(trial.hidden):,} held-out pairs" + (f" and a sample of {most:,} rows per side" if sampled else "")
    return decide(results, measure, resamples(len(trial.hidden), rng), basis)


def _too_few(count: int, measure: Measure, metric: str | None) -> Recommendation:
    """The fallback, because `count` pairs that could be held out are too few."""
    chosen = _fallback(measure, metric)
    reason = f"{count} pairs that could be held out are too few to compare costs (at least {LEAST}): {chosen}."
    return _untried(chosen, measure, reason)


def _few_covered(trial: Trial, metric: str | None, rng: np.random.Generator) -> Recommendation:
    """The choice where most counterparts have no pair, so that no pair tells whether their rows are found."""
    cost = UNCOVERED if metric is None else replace(UNCOVERED, metric=metric)
    likely = Candidate(cost, tau=_tau(UNCOVERED_TAU, trial.side))
    shares = standing(trial.spaces, trial.pairs, likely.cost, rng)
    some = f"Only {trial.covered:.0%} of the counterparts have a pair"
    if _sure(shares - 0.5) <= 0:
        chosen = _fallback(trial.measure, metric)
        return _untried(chosen, trial.measure, f"{some}, and similar ones have no similar rows that show: {chosen}.")
    reason = (
        f"{some}. Similar ones have similar rows: by {likely.cost.name}, the own counterpart of a held-out row is "
        f"nearer than {shares.mean():.0%} of the others without a pair (guessing: 50%). It is {likely}, not refined."
    )
    return replace(_untried(likely, trial.measure, reason), refine=0)


def _untried(chosen: Candidate, measure: Measure, reason: str) -> Recommendation:
    """A choice that no other was compared with."""
    import pandas as pd

    nothing = float("nan")
    return Recommendation(
        cost=chosen.cost.name, cost_options=chosen.options, epsilon=None, tau=chosen.tau, measure=measure.name,
        score=nothing, interval=(nothing, nothing), decided=False, table=pd.DataFrame(),
        refine=ROUNDS[measure.name],
        reason=reason,
    )  # fmt: skip


def decide(results: list[Result], measure: Measure, draws: np.ndarray, basis: str) -> Recommendation:
    """The choice among candidates with their scores, the first of which is the fallback, and the reason in words."""
    import pandas as pd

    base = results[0][1].pairs
    rows: list[dict[str, Any]] = []
    for candidate, scores in results:
        low, high = scores.interval(draws)
        gain = measure.sign * (scores.pairs - base)
        rows.append({
            "cost": candidate.cost.name, "options": ", ".join(f"{k}={v}" for k, v in candidate.options.items()),
            "epsilon": candidate.epsilon, "tau_x": candidate.tau[0], "tau_y": candidate.tau[1],
            "score": scores.mean, "low": low, "high": high, "gain": float(gain.mean()),
            "gain_low": _sure(gain), "seconds": scores.seconds,
        })  # fmt: skip
    order = sorted(range(len(rows)), key=lambda k: -measure.sign * rows[k]["score"])
    sure = [k for k in order if rows[k]["gain_low"] > 0]
    chosen = sure[0] if sure else 0
    candidate, row = results[chosen][0], rows[chosen]
    names = [str(one) for one, _ in results]
    said = f"{row['score']:.1%} {measure.words}"
    if sure:
        reason = f"{basis}, {names[chosen]} is best: {said}; the fallback, {names[0]}, has {rows[0]['score']:.1%}."
    elif order[0] == 0:
        reason = f"{basis}, the fallback, {names[0]}, is the best itself: {said}."
    else:
        reason = (
            f"{basis}, the best candidate, {names[order[0]]}, can't be distinguished from the fallback, {names[0]} "
            f"({rows[order[0]]['score']:.1%} and {row['score']:.1%}), so the fallback is taken: {said}."
        )
    return Recommendation(
        cost=candidate.cost.name, cost_options=candidate.options, epsilon=candidate.epsilon, tau=candidate.tau,
        refine=ROUNDS[measure.name], measure=measure.name, score=row["score"],
        interval=(row["low"], row["high"]), decided=bool(sure), reason=reason,
        table=pd.DataFrame([rows[k] for k in order]),
    )  # fmt: skip
