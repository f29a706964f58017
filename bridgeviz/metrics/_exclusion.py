"""Which points an unbalanced plan leaves out: the excluded ratio and aes (L.2, Eq. 29-30)."""

from __future__ import annotations

from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.couplings import Plan, as_plan
from bridgeviz.metrics._matching import matching_accuracy

FORMS = ("corrected", "paper")


def excluded_ratio(plan: Plan, *, form: str = "corrected", seed: int = 0) -> float:
    r"""How many points the plan's marginals leave out (Eq. 29), expected over N draws from each marginal.

    - `form="paper"`, as printed: `1 - |{x_1 .. x_N}| / N - |{y_1 .. y_N}| / N`, with the sizes of the sets of distinct
      rows. N is the number of points; both sets are divided by it, so that full coverage gives -1, and N draws that
      cover a side as well as chance does, 1 - 1/e of it, give -0.26. Range (-1, 1).
    - `form="corrected"`: N counts both sides, N = n + m: the share of all points that N draws from each marginal
      miss. Range [0, 1); even uniform marginals score about 0.13 for n = m, because draws repeat. Uneven weights
      repeat more of them, and score more; rows of weight zero are no points.

    The expectation is exact: row i of share p_i is among N draws with probability `1 - (1 - p_i)^N`. A local
    coupling has no marginals, and is sampled.

    Args:
        plan: of any strategy.
        form: "corrected" or "paper", whose N is n, or the mean of n and m if they differ.
        seed: of the draws from a local coupling.

    >>> import bridgeviz as bv
    >>> everything = bv.couplings.true([[i, i] for i in range(100)], shape=(100, 100))
    >>> round(excluded_ratio(everything), 2), round(excluded_ratio(everything, form="paper"), 2)
    (0.13, -0.27)
    """
    where = "excluded_ratio"
    plan = as_plan(plan, where)
    both = check.choice(form, "form", where, FORMS) == "corrected"
    seed = check.seed(seed, "seed", where)
    n, m = (int((side > 0).sum()) for side in plan.required())
    points = n + m if both else (n + m) / 2
    return 1 - plan.distinct_rows(points, seed=seed) / points


def aes(
    plan: Plan,
    source_labels: ArrayLike,
    target_labels: ArrayLike,
    *,
    form: str = "corrected",
    seed: int = 0,
) -> float:
    """Matching accuracy over excluded ratio (Eq. 30): high if the plan is right and leaves nothing out.

    With `form="paper"` it has the sign of the ratio, and a pole where that is zero: plans that leave few points out
    have negative values. Only the corrected form orders plans.

    Args:
        plan: of any strategy.
        source_labels: (n,).
        target_labels: (m,).
        form: of `excluded_ratio`.
        seed: of the draws from a local coupling.
    """
    accuracy = matching_accuracy(plan, source_labels, target_labels, seed=seed)
    ratio = excluded_ratio(plan, form=form, seed=seed)
    return accuracy / ratio if ratio != 0 else float("inf") * accuracy
