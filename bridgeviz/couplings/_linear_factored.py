"""Linear transport whose Sinkhorn kernel is a product of two thin factors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._factor_sinkhorn import solve_on_factors
from bridgeviz.costs import Cost, scale_rows
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._factored import Factored
from bridgeviz.couplings._permitted import Support, support
from bridgeviz.couplings._solver_options import Steps


def solve_factored(
    cost: Cost, *, epsilon: float | None, scale_cost: float | None, tau: tuple[float, float], tolerance: float,
    max_iterations: int, why: str,
) -> Steps[Coupling]:  # fmt: skip
    """The coupling whose kernel is `exp(-C)` itself, epsilon 1 of the undivided cost; yields after each few iterations.

    Args: as the options of `Linear`.

    Raises:
        InputError: a cost whose kernel is no product of factors, or another epsilon or `scale_cost`.
    """
    floor = cost.kernel_floor
    if floor is None:
        expected = f"'dense' or 'ott' for {cost.name}, whose kernel is no product of two factors"
        if cost.forbidden is not None:
            expected = "'dense' or 'ott' where matches are forbidden"
        raise check.fail("method", "linear", expected, "factorised", "Only diffusion_bridge(form='kernel') has one.")
    epsilon = 1.0 if epsilon is None else epsilon
    scale = 1 / epsilon if scale_cost is None else scale_cost
    if abs(epsilon * scale - 1) > 1e-9:
        got = f"epsilon {epsilon:g} and scale_cost {scale:g}"
        hint = "Sharpen the plan by diffusion_bridge(power=...) instead, or use the method 'dense'."
        raise check.fail("epsilon", "linear", "1 / scale_cost with the method 'factorised'", got, hint)
    used = support(cost, tau, "linear")
    source, target = cost.source_atoms, cost.target_atoms
    # The floor is a column of its own: a place for rows that share no anchor with any other.
    f_x, f_y = (
        scale_rows(_with_column(factor, value), atoms.effective(t))
        for factor, value, atoms, t in zip(
            (cost.source_factor, cost.target_factor), (floor, 1.0), (source, target), tau, strict=True
        )
    )
    f_x, f_y = f_x[used.rows], f_y[used.columns]
    a, b = source.mass[used.rows], target.mass[used.columns]
    solution = yield from solve_on_factors(
        f_x, f_y, a, b, tau=tau, tolerance=tolerance, max_iterations=max_iterations,
    )  # fmt: skip
    sides = [
        Support(rows, slice(None), (size, factor.shape[1])).spread(scale_rows(factor, scaling))
        for factor, scaling, rows, size in zip(
            (f_x, f_y), (solution.rows, solution.columns), (used.rows, used.columns), used.shape, strict=True
        )
    ]
    plan, error, converged = Factored(*sides), solution.error, solution.converged
    if tau == (1.0, 1.0):
        error = float(np.abs(plan.sum(1) - source.mass).sum() + np.abs(plan.sum(0) - target.mass).sum())
        converged = converged and error <= 2 * tolerance
    advice = "" if converged else (
        f"Sinkhorn stopped after {solution.iterations} iterations with a residual of {error:.1e} > "
        f"{tolerance:.0e}: try more Sinkhorn iterations, or a smaller power of {cost.name}."
    )  # fmt: skip
    return Coupling(
        plan=plan, source_atoms=replace(source, power=tau[0]),
        target_atoms=replace(target, power=tau[1]), solver="linear", converged=converged,
        marginal_error=error, iterations=solution.iterations, epsilon=epsilon, tau=tau, advice=advice,
        method="factorised", why=why,
    )  # fmt: skip


def _with_column(factor: Any, value: float) -> Any:
    """A factor with one more column, of one value."""
    column = np.full((factor.shape[0], 1), value, factor.dtype)
    if sparse.issparse(factor):
        return sparse.csr_array(sparse.hstack([factor, sparse.csr_array(column)]))
    return np.concatenate([factor, column], axis=1)
