"""Pairs that are hidden in turn, and how well a candidate finds them again from the others."""

from __future__ import annotations

import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from bridgeviz import metrics
from bridgeviz._scaling import scale_kernel
from bridgeviz.costs import Blend, Cost, CostOptions
from bridgeviz.couplings import Coupling, Linear
from bridgeviz.problem import Pairs, Problem, Space

FOLDS = 5
"""Parts into which the pairs are dealt."""

MOST_ROWS = 1000
"""Rows per side on which candidates are compared where rows have one partner each; of more, a sample is drawn."""

MOST_IN_CLASSES = 4000
"""The same where many rows share a counterpart, so that one side has few distinct rows."""

TOLERANCE, MAX_ITERATIONS = 1e-2, 500
_SHARPEST = 0.02
_DRAWS = 2000


@dataclass(frozen=True)
class Measure:
    """What a candidate is judged by.

    Attributes:
        name: "foscttm" where rows have one partner each; "matching" where many rows share a counterpart, such as a
            class.
        words: what a score says, as the end of a sentence with the number before it.
        sign: 1 where more is better, -1 where less is.
    """

    name: str
    words: str
    sign: int


FOSCTTM = Measure("foscttm", "of the other rows are nearer than the true partner (guessing: 50%)", -1)
MATCHING = Measure("matching", "of a row's mass reaches its true counterpart", 1)


def measure_of(problem: Problem) -> Measure:
    """What held-out pairs of a problem can show: `MATCHING` where a side has at most half as many distinct rows as
    rows, as where every target is one of a few classes, else `FOSCTTM`."""
    shares = [count / rows for count, rows in zip(_distinct(problem), problem.shape, strict=True)]
    return MATCHING if min(shares) <= 0.5 else FOSCTTM


def counterparts(problem: Problem) -> int:
    """The side with fewer distinct rows, which rows of the other side share: 0 for the source, 1 for the target."""
    return _fewer(_distinct(problem))


def known_share(problem: Problem, pairs: np.ndarray) -> float:
    """The share of the rows that have a pair, of those that are not the counterparts."""
    side = 1 - counterparts(problem)
    return len(np.unique(pairs[:, side])) / problem.shape[side]


def _fewer(counts: tuple[int, int]) -> int:
    """The side with the smaller number; the target if both are equal."""
    return 0 if counts[0] < counts[1] else 1


def _distinct(problem: Problem) -> tuple[int, int]:
    """The number of distinct rows of the source and of the target."""
    source, target = (len(np.unique(space.x, axis=0)) for space in (problem.source, problem.target))
    return source, target


@dataclass(frozen=True)
class Candidate:
    """A cost with its options, an epsilon (None: the cost's own) and a tau.

    Attributes:
        options: those of the cost that differ from their defaults, without the metric.
    """

    cost: CostOptions
    epsilon: float | None = None
    tau: tuple[float, float] = (1.0, 1.0)

    @property
    def options(self) -> dict[str, Any]:
        return {name: value for name, value in self.cost.changed().items() if name != "metric"}

    def __str__(self) -> str:
        """In words: the cost, and what differs from its defaults."""
        differences = [f"{name}={value}" for name, value in self.options.items()]
        if self.epsilon is not None:
            differences.append(f"epsilon={self.epsilon:g}")
        if self.tau != (1.0, 1.0):
            differences.append(f"tau=({self.tau[0]:g}, {self.tau[1]:g})")
        return self.cost.name + (f" ({', '.join(differences)})" if differences else "")


@dataclass(eq=False)
class Scores:
    """How a candidate did: a score per pair, the seconds that it took, and the epsilon that was used."""

    pairs: np.ndarray
    seconds: float = 0.0
    epsilon: float = 0.0

    @property
    def mean(self) -> float:
        """The mean over the pairs."""
        return float(self.pairs.mean())

    def interval(self, draws: np.ndarray, level: float = 0.05) -> tuple[float, float]:
        """An interval of the mean, from resampling the pairs."""
        low, high = np.quantile(self.pairs[draws].mean(1), (level / 2, 1 - level / 2))
        return float(low), float(high)


def resamples(count: int, rng: np.random.Generator) -> np.ndarray:
    """(draws, count) pairs drawn with replacement."""
    return rng.integers(0, count, (_DRAWS, count))


@dataclass(frozen=True, eq=False)
class Trial:
    """The folds of a problem's pairs. The parts of blends are built once for each fold.

    Attributes:
        spaces: the two spaces.
        pairs: (l, 2).
        folds: numbers of the pairs that are hidden together.
        measure: what candidates are judged by.
        covered: the share of the counterparts that have a pair, for `MATCHING`; else 1.
        known: the share of the whole problem's rows that have a pair, for `MATCHING`; else 0.
        side: of the counterparts, for `MATCHING`: 0 for the source, 1 for the target.
    """

    spaces: Problem
    pairs: np.ndarray
    folds: list[np.ndarray]
    measure: Measure
    covered: float = 1.0
    known: float = 0.0
    side: int = 1
    _built: dict[tuple[CostOptions, int], Cost] = field(default_factory=dict, init=False)

    @classmethod
    def of(
        cls, spaces: Problem, pairs: np.ndarray, measure: Measure, rng: np.random.Generator, known: float = 0.0
    ) -> Trial:
        """Deal the pairs into folds so that the hidden ones are like the rows that are to be matched.

        For `MATCHING` where every counterpart has a pair, the first pair of each is never hidden, so that every
        counterpart keeps one. Where some have none, any pair is hidden: what is then found of counterparts without a
        pair is what will be found of the others.
        """
        order, covered, side = rng.permutation(len(pairs)), 1.0, 1
        if measure is MATCHING:
            counts = _distinct(spaces)
            side = _fewer(counts)
            x = (spaces.source.x, spaces.target.x)[side]
            _, first = np.unique(x[pairs[order, side]], axis=0, return_index=True)
            covered = len(first) / counts[side]
            if covered == 1:
                order = np.delete(order, first)
        return cls(spaces, pairs, np.array_split(order, FOLDS), measure, covered, known, side)

    @property
    def hidden(self) -> np.ndarray:
        """The numbers of the pairs that are hidden in one of the folds."""
        return np.concatenate(self.folds)

    def scores(self, candidate: Candidate) -> Generator[None, None, Scores]:
        """Hide each fold in turn and score the candidate on it; yields after each fold."""
        scores, start = Scores(np.full(len(self.pairs), np.nan)), time.perf_counter()
        for number in range(len(self.folds)):
            with threadpool_limits(1):  # many small products, for which threads only wait
                self._score(candidate, number, scores)
            yield
        scores.pairs, scores.seconds = scores.pairs[self.hidden], time.perf_counter() - start
        return scores

    def _score(self, candidate: Candidate, number: int, scores: Scores) -> None:
        """Enter the scores of the pairs of one fold.

        For `MATCHING`, hidden rows and known ones count by their shares of the whole problem's rows: a plan also moves
        the known ones, and the candidate that finds most hidden rows may misplace many of those.
        """
        cost, fold = self._cost(candidate.cost, number), self.folds[number]
        known = np.delete(self.pairs, fold, axis=0)
        if self.measure is MATCHING:
            plan = self._plan(cost, candidate)
            kept = self.known * own_share(plan, known).mean()
            scores.pairs[fold] = (1 - self.known) * own_share(plan, self.pairs[fold]) + kept
            scores.epsilon = plan.epsilon or scores.epsilon
        else:
            scores.pairs[fold] = share_nearer(by_plan(cost), self.pairs[fold], known)

    def _cost(self, options: CostOptions, number: int) -> Cost:
        if (options, number) not in self._built:
            known = Pairs(np.delete(self.pairs, self.folds[number], axis=0), shape=self.spaces.shape)
            if isinstance(options, Blend):
                cost = options.of({part: self._cost(part, number) for part in options.parts})
            else:
                cost = options.build_for(self.spaces, known)
                cost = cost if self.spaces.forbidden is None else cost.forbid(self.spaces.forbidden)
            self._built[options, number] = cost
        return self._built[options, number]

    def _plan(self, cost: Cost, candidate: Candidate) -> Coupling:
        """The plan of a candidate's cost, to the precision that comparing needs."""
        settings = {"epsilon": candidate.epsilon, "tau": candidate.tau}
        solver = Linear(**settings, tolerance=TOLERANCE, max_iterations=MAX_ITERATIONS)
        return solver.solve(cost.weighted(self.spaces.source.weights, self.spaces.target.weights))


def own_share(plan: Coupling, hidden: np.ndarray) -> np.ndarray:
    """(h,) the share of each hidden row's mass that reaches its own counterpart, in [0, 1]; 0 for a row without mass.

    The rows are those of the side with more atoms, as photos whose counterparts are classes.
    """
    matrix, (rows, columns) = np.asarray(plan.plan), _numbers(plan, hidden)
    total = matrix[rows].sum(1, float) if matrix.shape[0] >= matrix.shape[1] else matrix[:, columns].sum(0, float)
    return np.divide(matrix[rows, columns], total, out=np.zeros(len(hidden)), where=total > 0)


def standing(spaces: Problem, pairs: np.ndarray, options: CostOptions, rng: np.random.Generator) -> np.ndarray:
    """(l,) the share of the counterparts without a pair that are farther than a pair's own, by the cost, in [0, 1].

    The counterparts that have pairs are dealt into folds, and all pairs of a fold are hidden together. Ties count half,
    so that guessing gives 0.5.
    """
    shares = np.full(len(pairs), 0.5)
    whole = options.build_for(spaces, Pairs(pairs, shape=spaces.shape))
    flipped = whole.atom_shape[0] < whole.atom_shape[1]
    own = _numbers(whole, pairs)[0 if flipped else 1]
    for fold in np.array_split(rng.permutation(np.unique(own)), FOLDS):
        hidden = np.isin(own, fold)
        cost = options.build_for(spaces, Pairs(pairs[~hidden], shape=spaces.shape))
        matrix, rows = np.asarray(cost.on_atoms), _numbers(cost, pairs[hidden])[1 if flipped else 0]
        distances = (matrix.T if flipped else matrix)[rows]
        others = np.setdiff1d(np.arange(distances.shape[1]), own[~hidden])
        mine = distances[np.arange(len(rows)), own[hidden]][:, None]
        farther = (distances[:, others] > mine).sum(1) + ((distances[:, others] == mine).sum(1) - 1) / 2
        shares[hidden] = farther / (len(others) - 1)
    return shares


def _numbers(of: Coupling | Cost, pairs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The atoms of pairs."""
    return of.source_atoms.index[pairs[:, 0]], of.target_atoms.index[pairs[:, 1]]


def share_nearer(distances: np.ndarray, hidden: np.ndarray, known: np.ndarray) -> np.ndarray:
    """(h,) the share of the other rows that are nearer than the hidden partner, the mean of both directions.

    Rows of the known pairs are no candidates: costs treat them unlike all others, and so they would count for a cost or
    against it, whatever it says of the hidden ones.

    Args:
        distances: (n, m), infinite where matches are forbidden.
        hidden: (h, 2) pairs to rank.
        known: (l, 2) pairs that the distances were made from.
    """
    ranked = metrics.partners(finite(distances), hidden, known=known)
    sides = (ranked.targets, ranked.sources)
    return np.mean([(side.nearer + side.tied / 2) / (side.candidates - 1) for side in sides], axis=0)


def by_plan(cost: Cost) -> np.ndarray:
    """(n, m) distances by which a balanced plan of the cost ranks, larger where it has less mass.

    Its marginals correct rows that are near to everything, which a cost by itself ranks too high. Solved in a few
    milliseconds, at no less than an epsilon of 0.02.
    """
    matrix = finite(cost.block(*map(np.arange, cost.shape)))  # `dense` would stay in memory as long as the cost
    scaled = matrix / (matrix.mean() or 1.0)
    a, b = cost.source_atoms.required, cost.target_atoms.required
    used = a > 0, b > 0
    epsilon = max(cost.default_epsilon, _SHARPEST)
    plan = scale_kernel(scaled[np.ix_(*used)], a[used[0]], b[used[1]], epsilon=epsilon, max_iterations=100).plan
    distances = scaled / epsilon + 1e3  # rows without weight have no mass at all
    distances[np.ix_(*used)] = -np.log(np.maximum(plan, 1e-300))
    return distances


def finite(matrix: np.ndarray) -> np.ndarray:
    """The matrix with a number larger than all others where it is infinite, because matches are forbidden."""
    forbidden = np.isinf(matrix)
    if not forbidden.any():
        return matrix
    return np.where(forbidden, 1 + np.abs(matrix[~forbidden]).max(initial=0.0), matrix)


def sample_rows(
    problem: Problem, pairs: np.ndarray, rng: np.random.Generator, *, most: int = MOST_ROWS
) -> tuple[Problem, np.ndarray, bool]:
    """The spaces and pairs, or a sample of `most` rows of each side; whether it is one.

    The spaces have their rows and weights alone; what the problem forbids is forbidden. Rows of weight zero are drawn
    only where they are paired, and rows without a permitted match in the sample are left out.
    """
    spaces = [Space(space.x, weights=space.weights) for space in (problem.source, problem.target)]
    whole = Problem(*spaces, truth=pairs, forbidden=problem.forbidden)
    if max(problem.shape) <= most:
        return whole, pairs, False
    if len(pairs) > most // 2:
        pairs = pairs[np.sort(rng.choice(len(pairs), most // 2, replace=False))]
    rows = []
    for side, space in enumerate(spaces):
        paired = np.unique(pairs[:, side])
        others = np.setdiff1d(np.arange(len(space)), paired)
        if space.weights is not None:
            others = others[space.weights[others] > 0]
        more = rng.choice(others, min(len(others), max(0, most - len(paired))), replace=False)
        rows.append(np.sort(np.concatenate([paired, more])))
    part = replace(whole, truth=pairs).part(*rows)
    assert part.truth is not None
    return part, part.truth, True
