"""Which cost, with which settings? Hold out part of the pairs and see which cost finds them again."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs import COSTS, CostOptions, DiffusionBridge, Forbidden, refuse_forbidden_pairs
from bridgeviz.couplings import Coupling, Global, Linear
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._follow import follow
from bridgeviz.experiments._pipeline import Pipeline
from bridgeviz.experiments._recommendation import Recommendation
from bridgeviz.metrics import partners
from bridgeviz.problem import Problem, Space

FALLBACK = DiffusionBridge.name
"""The cost that is taken unless another is better beyond doubt: the best in both tables of `bridgeviz bench costs`."""

LEAST = 10
"""Number of pairs below which nothing is held out."""

EPSILONS = (0.5, 1.0, 4.0)
"""Values tried for the best cost, in units of its own default."""

TAUS = ((1.0, 1.0), (1.0, 0.95), (0.95, 0.95))
_FOLDS, _ROWS, _DRAWS = 5, 2000, 2000
_TOLERANCE, _MAX_ITERATIONS = 1e-2, 500


@dataclass(frozen=True)
class Candidate:
    """A cost with its options, an epsilon (None: the cost's own) and a tau."""

    cost: CostOptions
    epsilon: float | None = None
    tau: tuple[float, float] = (1.0, 1.0)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the cost that differ from their defaults, without the metric."""
        return {name: value for name, value in self.cost.changed().items() if name != "metric"}


@dataclass(eq=False)
class _Scores:
    """How a candidate did: a score and FOSCTTM per pair, which folds converged, seconds, and the epsilon used."""

    pairs: np.ndarray
    foscttm: np.ndarray
    converged: list[bool] = field(default_factory=list)
    seconds: float = 0.0
    epsilon: float = 0.0


def candidates(metric: str | None = None) -> list[Candidate]:
    """The costs and settings that are compared: the variants that each registered cost names, the fallback's first.

    Args:
        metric: within each space; None takes each cost's own.
    """
    fallback_first = sorted(COSTS.values(), key=lambda cost: cost.name != FALLBACK)
    named = {} if metric is None else {"metric": metric}
    return [Candidate(cost(**variant.options, **named)) for cost in fallback_first for variant in cost.variants]


def recommend(
    problem: Problem,
    pairs: ArrayLike,
    *,
    metric: str | None = None,
    seed: int = 0,
    forbidden: ArrayLike | Forbidden | None = None,
    on_step: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """Choose the cost, its settings, epsilon and tau by held-out pairs; no labels are read.

    The pairs are dealt into five folds. Each fold is hidden in turn, every candidate is coupled from the remaining
    pairs and scored by how much of each hidden source row's mass reaches its own partner, among the hidden partners.
    For the best cost, epsilon and tau are tried in the same way. The choice is the best of the candidates that the
    pairs set apart from the fallback, the diffusion bridge: those whose gain over it, resampled over pairs, is above
    zero at a level of 5 % divided by the number of candidates. If there is none, or with fewer than ten pairs, it is
    the fallback, and the result says so.

    Problems with more than 2,000 distinct rows on both sides are evaluated on a sample of 2,000 rows of each, which
    contains the paired ones.

    Args:
        problem: its two spaces, their weights and what it forbids are read, nothing else.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: within each space; None takes each cost's own.
        seed: of the folds, the sample and the resampling.
        forbidden: matches that may carry no mass, in addition to those of the problem, as in `run`. Rows that have no
            permitted match left in a sample are left out of it.
        on_step: called after each solved coupling with how many are done and how many there are at most; raise from it
            to stop.

    Raises:
        InputError: no pairs, or spaces that no cost can be built on.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> choice = recommend(problem, problem.sample_pairs(0.1, seed=0))
    >>> choice.cost, choice.decided
    ('diffusion_bridge', False)
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
    """`recommend` as a generator: yields (done, total) after each solved coupling and returns the recommendation."""
    import pandas as pd

    if not isinstance(problem, Problem):
        raise check.fail("problem", "recommend", "a Problem", check.describe(problem))
    pairs = check.pair_index(pairs, "pairs", "recommend", shape=problem.shape, least=1)
    if forbidden is not None:
        problem = problem.forbid(forbidden, where="recommend")
    if problem.forbidden is not None:
        refuse_forbidden_pairs(problem.forbidden, pairs, "recommend")
    rng = np.random.default_rng(check.seed(seed, "seed", "recommend"))
    if len(pairs) < LEAST:
        nothing = float("nan")
        return Recommendation(
            cost=FALLBACK, cost_options={}, epsilon=None, tau=(1.0, 1.0), score=nothing, interval=(nothing, nothing),
            decided=False, table=pd.DataFrame(),
            reason=f"{len(pairs)} pairs are too few to hold any out (at least {LEAST}): the fallback, {FALLBACK}.",
        )  # fmt: skip
    spaces, pairs, sampled = sample_rows(problem, pairs, rng)
    folds = np.array_split(rng.permutation(len(pairs)), _FOLDS)
    compared = candidates(metric)
    refinements = [(e, t) for t in TAUS for e in EPSILONS if (e, t) != (1.0, (1.0, 1.0))]
    total, done = _FOLDS * (len(compared) + len(refinements)), 0
    results: list[tuple[Candidate, _Scores]] = []

    def scored(candidate: Candidate) -> Generator[tuple[int, int], None, _Scores]:
        nonlocal done
        scores, start = _Scores(np.zeros(len(pairs)), np.zeros(len(pairs))), time.perf_counter()
        for fold in folds:
            scores.pairs[fold], plan = _held_out(spaces, pairs, fold, candidate)
            scores.foscttm[fold] = partners(plan, pairs[fold]).foscttm
            scores.converged.append(plan.converged)
            scores.epsilon = plan.epsilon or scores.epsilon
            done += 1
            yield done, total
        scores.seconds = time.perf_counter() - start
        return scores

    for candidate in compared:
        before = done
        try:
            results.append((candidate, (yield from scored(candidate))))
        except InputError:
            if not results:
                raise
            done = before + _FOLDS  # this candidate can't be built on these pairs
    best, best_scores = max(results, key=lambda result: result[1].pairs.mean())
    for factor, tau in refinements:
        epsilon = None if factor == 1 else factor * best_scores.epsilon
        candidate = replace(best, epsilon=epsilon, tau=tau)
        results.append((candidate, (yield from scored(candidate))))
    return _decide(results, len(pairs), sampled, rng)


def _decide(
    results: list[tuple[Candidate, _Scores]], count: int, sampled: bool, rng: np.random.Generator
) -> Recommendation:
    import pandas as pd

    draws = rng.integers(0, count, (_DRAWS, count))
    base = results[0][1].pairs
    level = 0.05 / (len(results) - 1)
    rows = []
    for candidate, scores in results:
        low, high = np.quantile(scores.pairs[draws].mean(1), (0.025, 0.975))
        gain = scores.pairs - base
        rows.append({
            "cost": candidate.cost.name, "options": ", ".join(f"{k}={v}" for k, v in candidate.options.items()),
            "epsilon": candidate.epsilon, "tau_x": candidate.tau[0], "tau_y": candidate.tau[1],
            "score": float(scores.pairs.mean()), "low": float(low), "high": float(high),
            "foscttm": float(scores.foscttm.mean()), "gain": float(gain.mean()),
            "gain_low": float(np.quantile(gain[draws].mean(1), level)),
            "converged": float(np.mean(scores.converged)), "seconds": scores.seconds,
        })  # fmt: skip
    order = sorted(range(len(rows)), key=lambda k: -rows[k]["score"])
    sure = [k for k in order if rows[k]["gain_low"] > 0]
    best, chosen = order[0], sure[0] if sure else 0
    candidate, row = results[chosen][0], rows[chosen]
    basis = f"On {count} held-out pairs" + (f" and a sample of {_ROWS:,} rows per side" if sampled else "")
    if sure:
        reason = (
            f"{basis}, {_named(row)} finds {row['score']:.1%} of partners, {row['gain']:+.1%} against the fallback, "
            f"{FALLBACK} (at least {row['gain_low']:+.1%})."
        )
    elif best == 0:
        reason = f"{basis}, the fallback, {FALLBACK}, is the best itself: {row['score']:.1%} of partners."
    else:
        reason = (
            f"{basis}, the best candidate, {_named(rows[best])}, can't be distinguished from the fallback, "
            f"{FALLBACK} (gain {rows[best]['gain']:+.1%}, perhaps {rows[best]['gain_low']:+.1%}), so the fallback is "
            "taken."
        )
    return Recommendation(
        cost=candidate.cost.name, cost_options=candidate.options, epsilon=candidate.epsilon, tau=candidate.tau,
        score=row["score"], interval=(row["low"], row["high"]), decided=bool(sure), reason=reason,
        table=pd.DataFrame([rows[k] for k in order]),
    )  # fmt: skip


def _named(row: dict[str, Any]) -> str:
    """A candidate in words: the cost, and what differs from its defaults."""
    differences = [row["options"]] if row["options"] else []
    if row["epsilon"] is not None:
        differences.append(f"epsilon={row['epsilon']:g}")
    if (row["tau_x"], row["tau_y"]) != (1.0, 1.0):
        differences.append(f"tau=({row['tau_x']:g}, {row['tau_y']:g})")
    return row["cost"] + (f" ({', '.join(differences)})" if differences else "")


def _held_out(
    spaces: Problem, pairs: np.ndarray, fold: np.ndarray, candidate: Candidate
) -> tuple[np.ndarray, Coupling]:
    """(h,) the share of each hidden row's mass on its partner, among the hidden partners; and the plan."""
    solver = Linear(epsilon=candidate.epsilon, tau=candidate.tau, tolerance=_TOLERANCE, max_iterations=_MAX_ITERATIONS)
    config = RunConfig(dataset="yours", cost=candidate.cost, coupling=Global(solver=solver))
    known = np.delete(pairs, fold, axis=0)
    plan = Pipeline(config, own_problem=spaces, own_pairs=known).result("coupling")
    rows = plan.source_atoms.index[pairs[fold, 0]]
    partner = plan.target_atoms.index[pairs[fold, 1]]
    columns, own = np.unique(partner, return_inverse=True)
    mass = np.asarray(plan.plan)[np.ix_(rows, columns)]
    total = mass.sum(1)
    share = np.divide(mass[np.arange(len(fold)), own], total, out=np.full(len(fold), 1 / len(columns)), where=total > 0)
    return share, plan


def sample_rows(problem: Problem, pairs: np.ndarray, rng: np.random.Generator) -> tuple[Problem, np.ndarray, bool]:
    """The spaces and pairs, or a sample of both where the plans between distinct rows would be too large to solve.

    The spaces have their rows and weights alone; what the problem forbids is forbidden. Rows of weight zero are drawn
    only where they are paired, and rows without a permitted match in the sample are left out.
    """
    spaces = [Space(space.x, weights=space.weights) for space in (problem.source, problem.target)]
    whole = Problem(*spaces, truth=pairs, forbidden=problem.forbidden)
    if min(len(np.unique(space.x, axis=0)) for space in spaces) <= _ROWS:
        return whole, pairs, False
    if len(pairs) > _ROWS:
        pairs = pairs[np.sort(rng.choice(len(pairs), _ROWS, replace=False))]
    rows = []
    for side, space in enumerate(spaces):
        paired = np.unique(pairs[:, side])
        others = np.setdiff1d(np.arange(len(space)), paired)
        if space.weights is not None:
            others = others[space.weights[others] > 0]
        more = rng.choice(others, min(len(others), max(0, _ROWS - len(paired))), replace=False)
        rows.append(np.sort(np.concatenate([paired, more])))
    part = replace(whole, truth=pairs).part(*rows)
    assert part.truth is not None
    return part, part.truth, True
