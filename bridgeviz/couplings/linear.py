"""Linear entropic optimal transport, balanced and unbalanced (Eq. 1), on merged atoms."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.cost import Cost, as_cost, positive_mean
from bridgeviz.couplings.coupling import Coupling


def linear(
    cost: Cost | ArrayLike,
    *,
    epsilon: float | None = None,
    tau: tuple[float, float] = (1.0, 1.0),
    scale_cost: float | None = None,
    merge: bool = True,
    tolerance: float = 1e-3,
    max_iterations: int = 10_000,
) -> Coupling:
    r"""`argmin <C, pi> + epsilon sum pi (log pi - 1) + lambda_x KL(pi_x || mu) + lambda_y KL(pi_y || nu)` (Eq. 1).

    mu and nu are uniform. lambda follows from `tau = lambda / (lambda + epsilon)` (Eq. 28); tau = 1 holds that
    marginal exactly. The entropy's reference is the counting measure on the n x m entries, so the mass of an
    unbalanced plan grows with n: tau is tied to n, and `sample` normalises. Solved by ott-jax's Sinkhorn in the
    log domain, in float64.

    Equal rows are merged first (exact: the merged cost is shifted by `-epsilon log(m_u m_v)`, which balanced
    transport does not notice and unbalanced transport needs).

    Args:
        cost: a `Cost`, or an (n, m) matrix.
        epsilon: entropy regularisation > 0, in units of the divided cost; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1].
        scale_cost: what the cost is divided by; None takes its mean over n x m (Appendix D), 1.0 leaves it alone.
        merge: whether to merge equal rows; False solves the n x m problem as it stands.
        tolerance: the L1 marginal error (the fixed point's, if unbalanced) at which to stop.
        max_iterations: of Sinkhorn, which looks up every tenth.

    Returns:
        A `Coupling` that says whether it converged, and what to try if not.

    Raises:
        InputError: epsilon <= 0, tau outside (0, 1], or a cost that is no finite matrix.

    >>> import numpy as np
    >>> plan = linear(np.array([[0.0, 1.0], [1.0, 0.0]]), epsilon=0.05)
    >>> plan.dense().round(3)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """
    cost = as_cost(cost, "linear")
    epsilon = cost.default_epsilon if epsilon is None else check.positive(epsilon, "epsilon", "linear")
    tau = check.pair_of_units(tau, "tau", "linear")
    tolerance = check.positive(tolerance, "tolerance", "linear")
    max_iterations = check.count(max_iterations, "max_iterations", "linear")
    if not check.flag(merge, "merge", "linear"):
        cost = cost.unmerged()
    scale = positive_mean(cost, "linear") if scale_cost is None else check.positive(scale_cost, "scale_cost", "linear")
    m_u, m_v = cost.source_atoms.multiplicity, cost.target_atoms.multiplicity
    n, m = cost.shape
    shifted = cost.on_atoms / scale - epsilon * np.log(m_u)[:, None] - epsilon * np.log(m_v)
    with jax.enable_x64(True):
        plan, errors, converged, iterations = _sinkhorn(
            jnp.asarray(shifted), jnp.asarray(m_u / n), jnp.asarray(m_v / m), epsilon, tolerance,
            tau=tau, max_iterations=max_iterations,
        )  # fmt: skip
        plan, errors = np.asarray(plan), np.asarray(errors)
    if tau == (1.0, 1.0):
        error = float(np.abs(plan.sum(1) - m_u / n).sum() + np.abs(plan.sum(0) - m_v / m).sum())
    else:
        error = float(errors[errors >= 0][-1]) if (errors >= 0).any() else float("nan")
    advice = "" if converged else (
        f"Sinkhorn stopped after {int(iterations)} iterations with a residual of {error:.1e} > {tolerance:.0e}: "
        f"try a larger epsilon (now {epsilon:g}) or more max_iterations."
    )  # fmt: skip
    return Coupling(
        plan, cost.source_atoms, cost.target_atoms, "linear", bool(converged), error, int(iterations), epsilon, tau,
        advice,
    )  # fmt: skip


@partial(jax.jit, static_argnames=("tau", "max_iterations"))
def _sinkhorn(
    cost: Any, a: Any, b: Any, epsilon: Any, tolerance: Any, *, tau: tuple[float, float], max_iterations: int
):
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    geom = geometry.Geometry(cost_matrix=cost, epsilon=epsilon)
    problem = linear_problem.LinearProblem(geom, a=a, b=b, tau_a=tau[0], tau_b=tau[1])
    out = sinkhorn.Sinkhorn(threshold=tolerance, max_iterations=max_iterations)(problem)
    return out.matrix, out.errors, out.converged, out.n_iters
