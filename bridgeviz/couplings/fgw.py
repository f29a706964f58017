"""Entropic fused Gromov-Wasserstein, balanced and unbalanced (Eq. 2-3), on merged atoms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs.atoms import Atoms
from bridgeviz.costs.cost import Cost, as_cost, positive_mean, refuse_above_limit
from bridgeviz.costs.within import Matrix, Within
from bridgeviz.couplings.coupling import Coupling

CORRECTIONS = ("quadratic", "none")
_NOTHING = 1e-200


def fgw(
    cost: Cost | ArrayLike | None,
    c_xx: Within | ArrayLike,
    c_yy: Within | ArrayLike,
    *,
    alpha: float = 0.5,
    epsilon: float | None = None,
    tau: tuple[float, float] = (1.0, 1.0),
    squared: bool = False,
    correction: str = "quadratic",
    scale_cost: float | None = None,
    merge: bool = True,
    tolerance: float = 1e-3,
    max_iterations: int = 100,
    max_inner: int = 2_000,
    on_step: Callable[[int, float], None] | None = None,
) -> Coupling:
    r"""`argmin sum (alpha |c_XX - c_YY|^2 + (1 - alpha) c_XY) pi pi' - epsilon H(pi)` and marginal terms (Eq. 3).

    alpha weighs the shapes of the two spaces against the pairs: 0 is `linear`, 1 is Gromov-Wasserstein, which knows
    nothing of pairs. It is the paper's and POT's alpha (ott-jax's `fused_penalty` is `(1 - alpha) / (2 alpha)` with
    epsilon divided by `2 alpha`). Eq. 3 prints the fused cost squared; `squared=True` does that, and the default takes
    it as it is, as the linear problem does and both libraries.

    Solved by projected gradients: the objective is linearised at the last plan, `2 alpha L(pi) + (1 - alpha) C`, and
    ott-jax's Sinkhorn solves that, in float64 and from the last potentials, until the plan stays. The objective is not
    convex: this is a stationary point, the one that the product of the marginals leads to.

    Unbalanced, with `tau = lambda / (lambda + epsilon)` (Eq. 28) for each side, in one of two ways:

    - `correction="quadratic"`, Eq. 2-3: the marginal terms are `KL(p x p | q x q)`, the entropy alike, against
      mu x nu (Sejourne et al. 2021). All of it is quadratic in the mass, which does not depend on n. Each such term
      counts twice at mass one and carries a half here, so that epsilon and tau mean what they mean in `linear`.
    - `correction="none"`: tau only loosens the Sinkhorn of each step (ott-jax's `gw_unbalanced_correction=False`).
      The entropy's reference is the counting measure, as in `linear`, and the mass grows with n.

    Equal rows are merged first, exactly, as in `linear`.

    Args:
        cost: between the spaces: a `Cost`, or an (n, m) matrix; None for alpha 1, which needs none.
        c_xx, c_yy: within each space: `costs.Within(x, metric=...)`, which takes O(n p) memory, or a symmetric matrix.
        alpha: in [0, 1].
        epsilon: entropy regularisation > 0, in units of the divided cost; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1].
        squared: whether the fused cost is squared, after it is divided.
        correction: "quadratic" or "none"; the same for a balanced problem.
        scale_cost: what the three costs are divided by; None takes the mean of each, 1.0 leaves them alone.
        merge: whether to merge equal rows; given matrices must agree on them, else nothing is merged.
        tolerance: L1 change of the plan from one step to the next, and error of the last Sinkhorn, at which to stop.
        max_iterations: steps.
        max_inner: iterations of Sinkhorn in a step.
        on_step: called after each step with its number and the change of the plan; raise from it to stop.

    Returns:
        A `Coupling`: `iterations` counts steps.

    Raises:
        InputError: an option out of range, or costs that do not fit one another.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [5.0]])
    >>> c = Within(x, metric="sqeuclidean")
    >>> plan = fgw(np.ones((3, 3)), c, c, alpha=0.9, epsilon=0.05)
    >>> plan.dense().argmax(1)[2]
    np.int64(2)
    """
    where = "fgw"
    alpha = check.unit(alpha, "alpha", where, zero=True)
    if cost is None:
        if alpha < 1 or not (isinstance(c_xx, Within) and isinstance(c_yy, Within)):
            expected = "a Cost or an (n, m) matrix, but for alpha 1 between two costs.Within, which need none"
            raise check.fail("cost", where, expected, None)
        refuse_above_limit(c_xx.shape[0], c_yy.shape[0], "cost")
        cost = np.ones((c_xx.shape[0], c_yy.shape[0]))
    cost = as_cost(cost, where)
    epsilon = cost.default_epsilon if epsilon is None else check.positive(epsilon, "epsilon", where)
    tau = check.pair_of_units(tau, "tau", where)
    tolerance = check.positive(tolerance, "tolerance", where)
    max_iterations = check.count(max_iterations, "max_iterations", where)
    max_inner = check.count(max_inner, "max_inner", where)
    quadratic = check.choice(correction, "correction", where, CORRECTIONS) == "quadratic" and tau != (1.0, 1.0)
    sides = {"c_xx": _within(c_xx, "c_xx", cost.shape[0]), "c_yy": _within(c_yy, "c_yy", cost.shape[1])}
    alike = all(
        _agrees(one, atoms) for one, atoms in zip(sides.values(), (cost.source_atoms, cost.target_atoms), strict=True)
    )
    if not check.flag(merge, "merge", where) or not alike:
        cost = cost.unmerged()
    if scale_cost is not None:
        scales = [check.positive(scale_cost, "scale_cost", where)] * 3
    else:
        scales = [positive_mean(cost, where), *(float(one.mean()) or 1.0 for one in sides.values())]
    fused = cost.on_atoms / scales[0]
    if check.flag(squared, "squared", where):
        fused = fused**2
    (n, m), m_u, m_v = cost.shape, cost.source_atoms.multiplicity, cost.target_atoms.multiplicity
    with jax.enable_x64(True):
        mu, nu = jnp.asarray(m_u / n), jnp.asarray(m_v / m)
        spaces = [
            _on(one, atoms, scale)
            for one, atoms, scale in zip(
                sides.values(), (cost.source_atoms, cost.target_atoms), scales[1:], strict=True
            )
        ]
        # The entropy's reference on atoms: the count of entries that each stands for, or the product measure.
        count = jnp.log(mu)[:, None] + jnp.log(nu) + (0.0 if quadratic else np.log(n * m))
        state = (mu[:, None] * nu, jnp.zeros(len(m_u)), jnp.zeros(len(m_v)))
        squares = _squares(*spaces, mu, nu) if tau == (1.0, 1.0) else None  # held marginals: the same at every step
        problem = (jnp.asarray(fused), spaces[0], spaces[1], mu, nu, count, squares, alpha, epsilon)
        change, step, settled, residual = np.inf, 0, False, np.inf
        while step < max_iterations:
            step += 1
            state, moved, residual, settled = _step(
                state, problem, tolerance, tau=tau, quadratic=quadratic, max_inner=max_inner
            )
            change = float(moved)
            if on_step is not None:
                on_step(step, change)
            if not np.isfinite(change) or (change <= tolerance and bool(settled)) or alpha == 0:
                break
        plan = np.asarray(state[0])
    if not (np.isfinite(plan).all() and plan.sum() > _NOTHING):
        return _vanished(cost, step, epsilon, tau, alpha)
    converged = bool(settled) and (change <= tolerance or alpha == 0)
    if tau == (1.0, 1.0):
        error = float(np.abs(plan.sum(1) - m_u / n).sum() + np.abs(plan.sum(0) - m_v / m).sum())
    else:
        error = float(residual)
    return Coupling(
        plan, cost.source_atoms, cost.target_atoms, "fgw", converged, error, step, epsilon, tau,
        "" if converged else _advice(step, change, bool(settled), error, tolerance, epsilon, max_inner), alpha=alpha,
    )  # fmt: skip


def _vanished(cost: Cost, step: int, epsilon: float, tau: tuple[float, float], alpha: float) -> Coupling:
    """Leaving every point out is cheaper than moving any: a plan without mass, which says so."""
    said = (
        f"No mass is left after step {step}: with epsilon {epsilon:g} and tau ({tau[0]:g}, {tau[1]:g}) it costs less "
        "to leave every point out than to move it. Try a larger tau or epsilon."
    )
    return Coupling(
        np.zeros(cost.atom_shape), cost.source_atoms, cost.target_atoms, "fgw", False, float("nan"), step, epsilon,
        tau, said, alpha=alpha,
    )  # fmt: skip


def _advice(
    step: int, change: float, settled: bool, error: float, tolerance: float, epsilon: float, max_inner: int
) -> str:
    if not settled:
        return (
            f"The last of {step} steps' Sinkhorn stopped after {max_inner} iterations with a residual of {error:.1e} > "
            f"{tolerance:.0e}: try a larger epsilon (now {epsilon:g}) or more max_inner."
        )
    return (
        f"The plan still changed by {change:.1e} > {tolerance:.0e} in step {step}: try a larger epsilon (now "
        f"{epsilon:g}), a smaller alpha or more max_iterations."
    )


def _within(value: Within | ArrayLike, name: str, size: int) -> Within | np.ndarray:
    if not isinstance(value, Within):
        value = check.matrix(value, name, "fgw", columns=size, rows=1).astype(np.float64)
        if value.shape == (size, size) and not np.allclose(value, value.T, atol=1e-9 * np.abs(value).max()):
            raise check.fail(name, "fgw", "a symmetric matrix", "one that is not")
    if value.shape != (size, size):
        raise check.fail(name, "fgw", f"of shape ({size}, {size}), as the cost has it", f"shape {value.shape}")
    return value


def _agrees(within: Within | np.ndarray, atoms: Atoms) -> bool:
    """Whether rows that are one atom of the cost are one row of the cost within the space."""
    if not atoms.merged:
        return True
    whole = within if isinstance(within, np.ndarray) else within.rows
    return bool((whole == whole[atoms.rows][atoms.index]).all())


def _on(within: Within | np.ndarray, atoms: Atoms, scale: float) -> Any:
    if isinstance(within, Within):
        return within.on(atoms, scale)
    return Matrix(jnp.asarray(within[np.ix_(atoms.rows, atoms.rows)] / scale))


def projected_step(
    state: Any, problem: Any, tolerance: Any, *, tau: tuple[float, float], quadratic: bool, max_inner: int
) -> tuple[Any, Any, Any, Any]:
    """Linearise at the plan, solve; the new state, the change, Sinkhorn's residual, and whether it settled."""
    from ott.geometry import geometry
    from ott.problems.linear import linear_problem
    from ott.solvers.linear import sinkhorn

    plan, f, g = state
    fused, c_xx, c_yy, mu, nu, count, squares, alpha, epsilon = problem
    rows, columns = plan.sum(1), plan.sum(0)
    mass = plan.sum()
    # L(pi)[i, j] = sum |c_XX[i, i'] - c_YY[j, j']|^2 pi[i', j']
    if squares is None:
        squares = _squares(c_xx, c_yy, rows, columns)
    shapes = squares - 2 * c_yy.apply(c_xx.apply(plan).T).T
    gradient = 2 * alpha * shapes + (1 - alpha) * fused
    if quadratic:
        reference = mu[:, None] * nu
        gradient += (1 - alpha) * ((mass - 1) * fused + (fused * plan).sum())
        gradient += epsilon * _log_ratio(plan, reference)
        for one, asked, t in ((rows, mu, tau[0]), (columns, nu, tau[1])):
            if t < 1:
                gradient += epsilon * t / (1 - t) * _log_ratio(one, asked)
        epsilon = epsilon * mass
    geom = geometry.Geometry(cost_matrix=gradient - epsilon * count, epsilon=epsilon)
    linear = linear_problem.LinearProblem(geom, a=mu, b=nu, tau_a=tau[0], tau_b=tau[1])
    out = sinkhorn.Sinkhorn(threshold=tolerance, max_iterations=max_inner)(linear, init=(f, g))
    new = out.matrix
    if quadratic:
        new = new * jnp.sqrt(mass / new.sum())  # both halves of the product keep the same mass
    looks: Any = out.errors  # one every ten iterations, -1 where it did not get to
    return (new, out.f, out.g), jnp.abs(new - plan).sum(), jnp.where(looks >= 0, looks, jnp.inf).min(), out.converged


_step = jax.jit(projected_step, static_argnames=("tau", "quadratic", "max_inner"))


@jax.jit
def _squares(c_xx: Any, c_yy: Any, rows: Any, columns: Any) -> Any:
    """What depends on the marginals alone: `sum (c_XX[i, i']^2 + c_YY[j, j']^2) pi[i', j']`."""
    return c_xx.apply_square(rows)[:, None] + c_yy.apply_square(columns)


def _log_ratio(p: Any, q: Any) -> Any:
    """`sum p log(p / q)`."""
    return jnp.where(p > 0, p * jnp.log(jnp.where(p > 0, p, 1.0) / q), 0.0).sum()
