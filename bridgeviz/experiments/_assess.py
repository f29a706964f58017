"""Can this be aligned? What the pairs say, before anything is trained."""

from __future__ import annotations

from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz import metrics
from bridgeviz._checks import InputError
from bridgeviz.baselines import Ridge
from bridgeviz.costs import COSTS, Cost, refuse_forbidden_pairs
from bridgeviz.experiments._follow import follow
from bridgeviz.experiments._held_out import FOLDS, resamples, sample_rows, share_nearer
from bridgeviz.experiments._recommend import fallback
from bridgeviz.metrics import Likeness
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

LEAST = 10
"""Number of pairs below which nothing is held out."""

GOOD, POOR = 0.25, 0.45
"""FOSCTTM below which partners are found well, and above which they are hardly found at all; chance is 0.5."""

MOST_PAIRS, MOST_ROWS = 1000, 2000
"""Pairs that are compared, and rows per side that they are ranked among; of more, a sample is drawn."""

_LEVEL = 0.05
_LINEAR = "linear map (ridge)"


@dataclass(frozen=True, eq=False, kw_only=True)
class Assessment:
    """What the pairs say about whether two spaces can be aligned.

    Attributes:
        verdict: "yes", "partly", "no", or "unsure" where there are too few pairs to tell.
        text: the verdict in words, with what to expect and what to do.
        cka, neighbours: the likeness of the two spaces on the paired rows; None with fewer than three pairs.
        table: one row per cost, the best first: `cost`, `foscttm` of the held-out pairs, `low` and
            `high` (95 % interval from resampling the pairs); with a linear map for comparison. Empty where nothing was
            held out.
        fallback: the cost that `recommend` takes where the pairs can't tell.
    """

    verdict: str
    text: str
    cka: Likeness | None
    neighbours: Likeness | None
    table: pd.DataFrame
    fallback: str

    @property
    def cost(self) -> str:
        """The cost to begin with: the best one here, or the fallback where nothing was held out."""
        named = [name for name in self.table.cost if name in COSTS] if len(self.table) else []
        return named[0] if named else self.fallback

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        sides = {"cka": self.cka, "neighbours": self.neighbours}
        likeness = {name: None if one is None else vars(one) for name, one in sides.items()}
        return {"verdict": self.verdict, "text": self.text, **likeness, "table": self.table.to_dict("records")}


def assess(
    problem: Problem,
    pairs: ArrayLike | None = None,
    *,
    metric: str | None = None,
    seed: int = 0,
    on_step: Callable[[int, int], None] | None = None,
) -> Assessment:
    """Whether two spaces can be aligned, from their pairs alone; nothing is trained, and no labels are read.

    Linear CKA and mutual nearest neighbours of the paired rows say whether the spaces share any geometry. Then the
    pairs are dealt into five folds, each fold is hidden in turn, and every cost ranks the hidden partners among the
    rows without a known pair (see `metrics.partners`). A linear map, fitted to the same pairs, stands beside the costs.

    Spaces with more than 2,000 rows are assessed on a sample of 2,000 rows of each, which contains the paired ones.

    Args:
        problem: its two spaces and what it forbids are read, and its known pairs where `pairs` is None. A forbidden
            match is further than any other.
        pairs: (l, 2) rows known to correspond.
        metric: within each space; None takes each cost's own.
        seed: of the folds, the samples and the resampling.
        on_step: called after each cost on each fold with how many are done and how many there are; raise from it to
            stop.

    Raises:
        InputError: no pairs, or spaces that no cost can be built on.

    >>> import bridgeviz as bv
    >>> problem = bv.load("blobs", n=100)
    >>> assess(problem, problem.sample_pairs(0.3, seed=0)).verdict
    'yes'
    """
    return follow(_steps(problem, pairs, metric=metric, seed=seed), on_step)


def _steps(
    problem: Problem, pairs: ArrayLike | None, *, metric: str | None, seed: int
) -> Generator[tuple[int, int], None, Assessment]:
    """`assess` as a generator: yields (done, total) after each cost on each fold and returns the assessment."""
    import pandas as pd

    if not isinstance(problem, Problem):
        raise check.fail("problem", "assess", "a Problem", check.describe(problem))
    pairs = problem.truth if pairs is None else pairs
    pairs = check.pair_index(() if pairs is None else pairs, "pairs", "assess", shape=problem.shape, least=1)
    if problem.forbidden is not None:
        refuse_forbidden_pairs(problem.forbidden, pairs, "assess")
    rng = np.random.default_rng(check.seed(seed, "seed", "assess"))
    if len(pairs) > MOST_PAIRS:
        pairs = pairs[np.sort(rng.choice(len(pairs), MOST_PAIRS, replace=False))]
    cka, neighbours = _likeness(problem, pairs, seed)
    usual = fallback(problem).cost.name
    if len(pairs) < LEAST:
        text = (
            f"{len(pairs)} pairs are too few to tell: at least {LEAST} are needed to hold some out. You can align "
            "anyway, but nothing can check the result."
        )
        return Assessment(
            verdict="unsure", text=text, cka=cka, neighbours=neighbours, table=pd.DataFrame(), fallback=usual
        )
    spaces, moved, _ = sample_rows(problem, pairs, rng, most=MOST_ROWS)
    folds = np.array_split(rng.permutation(len(moved)), FOLDS)
    rankers = {name: _by_cost(name, metric) for name in COSTS} | {_LINEAR: _by_ridge}
    ranks, done = {}, 0
    for name, ranker in rankers.items():
        of_pairs = np.zeros(len(moved))
        try:
            for fold in folds:
                match = ranker(spaces, np.delete(moved, fold, axis=0))
                match = match if spaces.forbidden is None else match.forbid(spaces.forbidden)
                of_pairs[fold] = share_nearer(match.dense(), moved[fold], np.delete(moved, fold, axis=0))
                done += 1
                yield done, FOLDS * len(rankers)
        except InputError:
            if name == list(rankers)[-1] and not ranks:
                raise  # nothing can be built on these pairs
            continue
        ranks[name] = of_pairs
    draws = resamples(len(moved), rng)
    table = pd.DataFrame([_row(name, of_pairs, draws) for name, of_pairs in ranks.items()])
    table = table.sort_values("foscttm", ignore_index=True)
    verdict, text = _verdict(table, ranks, draws, cka, neighbours)
    return Assessment(verdict=verdict, text=text, cka=cka, neighbours=neighbours, table=table, fallback=usual)


def _likeness(problem: Problem, pairs: np.ndarray, seed: int) -> tuple[Likeness | None, Likeness | None]:
    if len(pairs) < 3:
        return None, None
    x, y = problem.source.x[pairs[:, 0]], problem.target.x[pairs[:, 1]]
    return metrics.linear_cka(x, y, seed=seed), metrics.mutual_neighbours(x, y, seed=seed)


def _by_cost(name: str, metric: str | None) -> Callable[[Problem, np.ndarray], Cost]:
    options = {} if metric is None else {"metric": metric}
    return lambda spaces, pairs: COSTS[name](**options).build(spaces.source.x, spaces.target.x, pairs)


def _by_ridge(spaces: Problem, pairs: np.ndarray) -> Cost:
    ends = Ridge().fit(spaces, pairs).transport(spaces.source.x)
    return metrics.arrivals(ends, spaces.target.x)


def _row(name: str, of_pairs: np.ndarray, draws: np.ndarray) -> dict[str, Any]:
    low, high = np.quantile(of_pairs[draws].mean(1), (0.025, 0.975))
    return {"cost": name, "foscttm": float(of_pairs.mean()), "low": float(low), "high": float(high)}


def _verdict(
    table: pd.DataFrame, ranks: dict[str, np.ndarray], draws: np.ndarray, cka: Likeness | None,
    neighbours: Likeness | None,
) -> tuple[str, str]:  # fmt: skip
    """The verdict and its words. The best cost was chosen among several, so its bound allows for their number."""
    best = table.iloc[0]
    bound = float(np.quantile(ranks[best.cost][draws].mean(1), 1 - _LEVEL / len(ranks)))
    likeness = [one for one in (cka, neighbours) if one is not None]
    alike = any(one.p < _LEVEL / 2 for one in likeness)
    found = (
        f"On {len(draws[0]):,} held-out pairs, {best.cost} puts {best.foscttm:.1%} of the other rows nearer than the "
        f"true partner (guessing: 50%; at most {bound:.1%} beyond doubt)."
    )
    shared = "share more geometry than chance" if alike else "share no geometry that the pairs can show"
    if bound <= GOOD:
        return "yes", f"Yes. {found} The paired rows {shared}."
    if bound <= POOR:
        return "partly", (
            f"Partly. {found} Expect points to arrive in the right region rather than at their partner; more pairs, or "
            "features that both spaces depend on, would help."
        )
    if alike:
        return "unsure", f"Unsure. {found} Yet the paired rows {shared}: more pairs may show what these few can't."
    return "no", (
        f"No. {found} The paired rows {shared}. Check that the pairs are right; if they are, expect no better than "
        "guessing."
    )
