"""Which epsilon and tau? The tuning of L.2 by aes on a validation set, and the regression of Fig. 19."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from bridgeviz import _checks as check
from bridgeviz import metrics
from bridgeviz.experiments._config import RunConfig
from bridgeviz.experiments._pipeline import Pipeline
from bridgeviz.problem import Problem

if TYPE_CHECKING:
    import pandas as pd

EPSILONS = (1e-3, 5e-3, 2e-2)
TAUS = (0.5, 0.8, 0.9, 0.95, 0.99, 1.0)
FRACTIONS = (0.02, 0.05, 0.1, 0.2)
VARIABLES = ("epsilon", "tau_x", "tau_y", "paired")
"""The independent variables of the regression; `paired` is the ratio of paired to unpaired rows."""


def tune(
    problem: Problem,
    config: RunConfig,
    *,
    epsilons: Sequence[float] = EPSILONS,
    taus: Sequence[float] = TAUS,
    fractions: Sequence[float] = FRACTIONS,
    validation: float = 0.3,
) -> Iterator[dict[str, Any]]:
    """Solve the plan of a validation set for every combination; yields one row each, so that it can be stopped.

    The validation set is a random part of the known pairs' rows, which nothing else is fitted on; a `fraction` of it
    is paired. Rows with labels on both sides are evaluated.

    Args:
        problem: with labels and `truth`.
        config: cost, metric, solver and seed; its epsilon, tau and fraction are what varies.
        epsilons: values to try.
        taus: values to try on either side, in all combinations.
        fractions: shares of the validation pairs that may be used.
        validation: share of the known pairs that the set holds, in (0, 1].

    Yields:
        Dicts with `VARIABLES`, fraction, matching_accuracy, excluded_ratio, aes, excluded_ratio_paper, aes_paper,
        mass, converged.

    Raises:
        InputError: no labels, no known pairs, or a validation set of fewer than ten.
    """
    where = "tune"
    if problem.truth is None or problem.source.labels is None or problem.target.labels is None:
        raise check.fail("problem", where, "one with labels on both sides and known pairs", "one without")
    if not config.coupling.uses_cost:
        got = f"strategy '{config.coupling.name}'"
        raise check.fail("config", where, "of strategy 'global' or 'local', which solve a transport", got)
    share = check.unit(validation, "validation", where)
    for name, values in (("epsilons", epsilons), ("taus", taus), ("fractions", fractions)):
        for value in values:
            (check.positive if name == "epsilons" else check.unit)(value, name, where)
    size = round(share * len(problem.truth))
    if size < 10:
        raise check.fail("validation", where, "large enough for ten pairs", f"{size} pairs")
    held_out = problem.truth[np.random.default_rng(config.seed).permutation(len(problem.truth))[:size]]
    small = Problem(
        problem.source.take(held_out[:, 0]), problem.target.take(held_out[:, 1]),
        truth=np.stack([np.arange(size)] * 2, axis=1), name=problem.name,
        forbidden=None if problem.forbidden is None else problem.forbidden.take(*held_out.T),
    )  # fmt: skip
    source, target = small.source.labels, small.target.labels
    if source is None or target is None:
        raise check.fail("validation", where, "large enough for two classes", f"{size} pairs of one")
    for fraction in fractions:
        paired = config.replace(
            rows=None, reverse=False, fraction=max(fraction, 1 / size), count=None, cover_classes=False
        )
        stages = Pipeline(paired, own_problem=small)
        pairs = stages.result("pairs")
        for epsilon in epsilons:
            for tau_x in taus:
                for tau_y in taus:
                    stages.config = paired.replace(epsilon=epsilon, tau=(tau_x, tau_y))  # the cost is built once
                    plan = stages.result("coupling")
                    stages.forget("coupling")
                    accuracy = metrics.matching_accuracy(plan, source, target)
                    ratios = {form: metrics.excluded_ratio(plan, form=form) for form in ("corrected", "paper")}
                    unpaired = size - len(pairs)
                    yield {
                        "epsilon": epsilon, "tau_x": tau_x, "tau_y": tau_y,
                        "paired": len(pairs) / unpaired if unpaired > 0 else float("inf"), "fraction": fraction,
                        "matching_accuracy": accuracy,
                        "excluded_ratio": ratios["corrected"], "aes": accuracy / ratios["corrected"],
                        "excluded_ratio_paper": ratios["paper"], "aes_paper": accuracy / ratios["paper"],
                        "mass": plan.mass, "converged": bool(plan.converged),
                    }  # fmt: skip


class Regression(NamedTuple):
    """Ordinary least squares of aes on `VARIABLES`.

    Attributes:
        coefficients: by name, including the `intercept`.
        predicted: (rows,) the fitted value of each row.
        r2, adjusted_r2: share of the variance explained; the paper reports 0.909 adjusted for V4 and IT (Fig. 19).
    """

    coefficients: dict[str, float]
    predicted: np.ndarray
    r2: float
    adjusted_r2: float


def regress(table: pd.DataFrame, *, response: str = "aes") -> Regression:
    """The general rule of L.2: aes as a linear function of epsilon, the taus and the ratio of paired to unpaired rows.

    Args:
        table: rows of `tune`, from one problem or several.
        response: the column to explain.

    Raises:
        InputError: fewer rows than coefficients.
    """
    variables = [name for name in VARIABLES if len(np.unique(table[name])) > 1]
    if len(table) <= len(variables) + 1:
        raise check.fail("table", "regress", f"of more than {len(variables) + 1} rows", f"{len(table)}")
    design = np.column_stack([np.ones(len(table)), table[variables].to_numpy(float)])
    y = np.asarray(table[response], float)
    check.finite(y, response, "regress")
    solution, *_ = np.linalg.lstsq(design, y, rcond=None)
    predicted = design @ solution
    spread = float(np.sum((y - y.mean()) ** 2))
    r2 = 1 - float(np.sum((y - predicted) ** 2)) / spread if spread > 0 else 1.0
    adjusted = 1 - (1 - r2) * (len(y) - 1) / (len(y) - len(variables) - 1)
    names = ["intercept", *variables]
    return Regression(dict(zip(names, map(float, solution), strict=True)), predicted, float(r2), float(adjusted))


def best(table: pd.DataFrame) -> pd.Series:
    """The combination of epsilon and taus with the highest aes, averaged over fractions."""
    import pandas as pd

    middle = table.groupby(["epsilon", "tau_x", "tau_y"]).aes.mean()
    return pd.Series(dict(zip(middle.index.names, middle.idxmax(), strict=True)) | {"aes": middle.max()})
