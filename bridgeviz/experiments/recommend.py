"""Which cost, with which settings? Hold out part of the pairs and see which finds them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz import couplings
from bridgeviz._checks import InputError
from bridgeviz.costs import COSTS
from bridgeviz.experiments.config import RunConfig
from bridgeviz.problem import Problem

FALLBACK = "diffusion_bridge"
"""Taken unless another is better beyond doubt: the best cost in both tables of `bridgeviz bench costs`."""

LEAST = 10
"""Pairs below which nothing is held out."""

GRID: tuple[tuple[str, dict[str, Any]], ...] = (
    ("diffusion_bridge", {}),
    ("diffusion_bridge", {"k": 5}),
    ("diffusion_bridge", {"a": 0.9}),
    ("diffusion_bridge", {"form": "profile"}),
    ("geodesic_bridge", {}),
    ("geodesic_bridge", {"k": 5}),
    ("bridge", {}),
    ("knn", {"form": "path"}),
    ("knn", {}),
    ("kcca", {}),
    ("kcca", {"shrinkage": 0.01}),
)
"""The costs and settings that are compared; the first is the fallback."""

EPSILONS = (0.5, 1.0, 4.0)
"""Tried for the best cost, in units of its own default."""

TAUS = ((1.0, 1.0), (1.0, 0.95), (0.95, 0.95))
_FOLDS, _ROWS, _DRAWS = 5, 2000, 2000


@dataclass(frozen=True, eq=False)
class Recommendation:
    """What the held-out pairs say.

    Attributes:
        cost, cost_options, epsilon, tau: the choice; epsilon None is the cost's own default.
        score: of the choice: the share of a held-out row's mass that its own partner gets, among the held-out
            partners, averaged over pairs. NaN where nothing could be held out.
        interval: of the score, 95 %, from resampling the pairs.
        decided: whether the pairs told any candidate from the fallback; False: the fallback was taken.
        reason: one sentence.
        table: a row for each candidate, the best first: cost, options, epsilon, tau_x, tau_y, score, low, high,
            `gain` over the fallback and `gain_low`, its lower bound after allowing for the number of candidates,
            converged (share of folds), seconds.
    """

    cost: str
    cost_options: dict[str, Any]
    epsilon: float | None
    tau: tuple[float, float]
    score: float
    interval: tuple[float, float]
    decided: bool
    reason: str
    table: pd.DataFrame

    def apply(self, config: RunConfig) -> RunConfig:
        """The config with the choice in it; an epsilon or a tau that it names itself stays."""
        return replace(
            config,
            cost=self.cost,
            cost_options=self.cost_options,
            epsilon=self.epsilon if config.epsilon is None else config.epsilon,
            tau=self.tau if config.tau == (1.0, 1.0) else config.tau,
        )

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON; what is not a number is None."""
        rows = [
            {k: None if isinstance(v, float) and not np.isfinite(v) else v for k, v in row.items()}
            for row in self.table.to_dict("records")
        ]
        told = np.isfinite(self.score)
        return {
            "cost": self.cost, "cost_options": self.cost_options, "epsilon": self.epsilon, "tau": list(self.tau),
            "score": self.score if told else None, "interval": list(self.interval) if told else None,
            "decided": self.decided, "reason": self.reason, "table": rows,
        }  # fmt: skip


@dataclass(frozen=True)
class _Candidate:
    cost: str
    options: Mapping[str, Any]
    epsilon: float | None = None
    tau: tuple[float, float] = (1.0, 1.0)


def recommend(
    problem: Problem,
    pairs: ArrayLike,
    *,
    metric: str | None = None,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Recommendation:
    """Choose the cost, its settings, epsilon and tau by held-out pairs; no labels are read.

    The pairs are dealt into five parts. Each part is hidden in turn, every candidate of `GRID` is coupled from the
    rest, and scored by how much of each hidden source row's mass reaches its own partner, among the hidden partners.
    For the best cost, epsilon and tau are tried in the same way. The choice is the best of the candidates that the
    pairs tell from the fallback, the diffusion bridge: those whose gain over it, resampled over pairs, is above zero
    at a level of 5 % divided by the number of candidates. If there is none, and with fewer than ten pairs, it is the
    fallback, and the result says so.

    Problems with more than 2,000 distinct rows on both sides are judged on a sample of 2,000 rows of each, the paired
    ones among them.

    Args:
        problem: whose spaces are read, nothing else.
        pairs: (l, 2) rows known to correspond, l >= 1.
        metric: within each space; None takes each cost's own.
        seed: of the parts, the sample and the resampling.
        on_step: called after each solved coupling with how many are done and how many there are at most; raise from it
            to stop.

    Raises:
        InputError: no pairs, or spaces that no cost can be built on.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=60)
    >>> found = recommend(problem, problem.sample_pairs(0.1, seed=0))
    >>> found.cost, found.decided
    ('diffusion_bridge', False)
    """
    if not isinstance(problem, Problem):
        raise check.fail("problem", "recommend", "a Problem", check.describe(problem))
    pairs = check.pair_index(pairs, "pairs", "recommend", shape=problem.shape, least=1)
    seed = check.seed(seed, "seed", "recommend")
    rng = np.random.default_rng(seed)
    if len(pairs) < LEAST:
        reason = f"{len(pairs)} pairs are too few to hold any out (at least {LEAST}): the fallback, {FALLBACK}."
        return Recommendation(
            FALLBACK, {}, None, (1.0, 1.0), float("nan"), (float("nan"), float("nan")), False, reason, pd.DataFrame()
        )
    x, y, pairs, sampled = _sampled(problem, pairs, rng)
    folds = np.array_split(rng.permutation(len(pairs)), _FOLDS)
    extra = [(e, t) for t in TAUS for e in EPSILONS if (e, t) != (1.0, (1.0, 1.0))]
    total, done = _FOLDS * (len(GRID) + len(extra)), 0

    def judged(candidate: _Candidate) -> tuple[np.ndarray, dict[str, Any], float]:
        nonlocal done
        scores, settled, epsilon, start = np.zeros(len(pairs)), [], 0.0, time.perf_counter()
        for part in folds:
            scores[part], plan = _held_out(x, y, pairs, part, candidate, metric)
            settled.append(plan.converged)
            epsilon = plan.epsilon or epsilon
            done += 1
            if on_step is not None:
                on_step(done, total)
        return scores, {"converged": float(np.mean(settled)), "seconds": time.perf_counter() - start}, epsilon

    found: list[tuple[_Candidate, np.ndarray, dict[str, Any]]] = []
    own: list[float] = []  # the epsilon that each takes by itself
    for name, options in GRID:
        try:
            candidate = _Candidate(name, options)
            scores, facts, epsilon = judged(candidate)
            found.append((candidate, scores, facts))
            own.append(epsilon)
        except InputError:
            if not found:
                raise
            done += _FOLDS - done % _FOLDS if done % _FOLDS else _FOLDS  # this one can't be built on these pairs
    best = max(range(len(found)), key=lambda k: found[k][1].mean())
    for factor, tau in extra:
        candidate = replace(found[best][0], epsilon=None if factor == 1 else factor * own[best], tau=tau)
        scores, facts, _ = judged(candidate)
        found.append((candidate, scores, facts))
    return _decide(found, len(pairs), sampled, rng)


def _decide(found: list, count: int, sampled: bool, rng: np.random.Generator) -> Recommendation:
    draws = rng.integers(0, count, (_DRAWS, count))
    base = found[0][1]
    level = 0.05 / (len(found) - 1)
    rows = []
    for candidate, scores, facts in found:
        low, high = np.quantile(scores[draws].mean(1), (0.025, 0.975))
        gain = scores - base
        rows.append({
            "cost": candidate.cost, "options": ", ".join(f"{k}={v}" for k, v in candidate.options.items()),
            "epsilon": candidate.epsilon, "tau_x": candidate.tau[0], "tau_y": candidate.tau[1],
            "score": float(scores.mean()), "low": float(low), "high": float(high), "gain": float(gain.mean()),
            "gain_low": float(np.quantile(gain[draws].mean(1), level)), **facts,
        })  # fmt: skip
    order = sorted(range(len(rows)), key=lambda k: -rows[k]["score"])
    sure = [k for k in order if rows[k]["gain_low"] > 0]
    best, chosen = order[0], sure[0] if sure else 0
    candidate, row = found[chosen][0], rows[chosen]
    judged = f"Judged by {count} held-out pairs" + (f" on a sample of {_ROWS:,} rows a side" if sampled else "")
    if sure:
        reason = (
            f"{judged}, {_named(row)} finds {row['score']:.1%} of partners, {row['gain']:+.1%} against the fallback, "
            f"{FALLBACK} (at least {row['gain_low']:+.1%})."
        )
    elif best == 0:
        reason = f"{judged}, the fallback, {FALLBACK}, is the best itself: {row['score']:.1%} of partners."
    else:
        reason = (
            f"{judged}, the best, {_named(rows[best])}, can't be told from the fallback, {FALLBACK} (gain "
            f"{rows[best]['gain']:+.1%}, perhaps {rows[best]['gain_low']:+.1%}): the fallback it is."
        )
    return Recommendation(
        candidate.cost, dict(candidate.options), candidate.epsilon, candidate.tau, row["score"],
        (row["low"], row["high"]), bool(sure), reason, pd.DataFrame([rows[k] for k in order]),
    )  # fmt: skip


def _named(row: dict[str, Any]) -> str:
    """A candidate in words: the cost, and what differs from its defaults."""
    said = [row["options"]] if row["options"] else []
    if row["epsilon"] is not None:
        said.append(f"epsilon={row['epsilon']:g}")
    if (row["tau_x"], row["tau_y"]) != (1.0, 1.0):
        said.append(f"tau=({row['tau_x']:g}, {row['tau_y']:g})")
    return row["cost"] + (f" ({', '.join(said)})" if said else "")


def _held_out(x, y, pairs: np.ndarray, part: np.ndarray, candidate: _Candidate, metric: str | None):
    """(h,) the share of each hidden row's mass on its partner, among the hidden partners; and the plan."""
    kept = np.delete(pairs, part, axis=0)
    named = {} if metric is None else {"metric": metric}
    cost = COSTS[candidate.cost](x, y, kept, **candidate.options, **named)
    plan = couplings.linear(cost, epsilon=candidate.epsilon, tau=candidate.tau, tolerance=1e-2, max_iterations=500)
    rows = plan.source_atoms.index[pairs[part, 0]]
    partner = plan.target_atoms.index[pairs[part, 1]]
    columns, own = np.unique(partner, return_inverse=True)
    mass = np.asarray(plan.plan)[np.ix_(rows, columns)]
    total = mass.sum(1)
    share = np.divide(mass[np.arange(len(part)), own], total, out=np.full(len(part), 1 / len(columns)), where=total > 0)
    return share, plan


def _sampled(problem: Problem, pairs: np.ndarray, rng: np.random.Generator):
    """The spaces and pairs, or a sample of both where the plans between distinct rows would be too large to solve."""
    x, y = problem.source.x, problem.target.x
    if min(len(np.unique(x, axis=0)), len(np.unique(y, axis=0))) <= _ROWS:
        return x, y, pairs, False
    if len(pairs) > _ROWS:
        pairs = pairs[np.sort(rng.choice(len(pairs), _ROWS, replace=False))]
    kept = []
    for side, points in enumerate((x, y)):
        paired = np.unique(pairs[:, side])
        others = np.setdiff1d(np.arange(len(points)), paired)
        more = rng.choice(others, min(len(others), max(0, _ROWS - len(paired))), replace=False)
        rows = np.sort(np.concatenate([paired, more]))
        kept.append(rows)
    moved = np.stack([np.searchsorted(rows, pairs[:, side]) for side, rows in enumerate(kept)], axis=1)
    return x[kept[0]], y[kept[1]], moved, True
