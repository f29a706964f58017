"""Fused Gromov-Wasserstein on a stored kernel: the same steps as in `_gromov`, for large problems."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.scipy.special import xlogy

from bridgeviz._extent import SINGLE
from bridgeviz._kernel_sinkhorn import FAINT, KernelSolver
from bridgeviz._kernel_sweeps import part, put
from bridgeviz._sinkhorn import Scalar
from bridgeviz.costs import Chords, Matrix
from bridgeviz.couplings._gromov import Progress, divergence
from bridgeviz.couplings._solver_options import finish

FIRST_ERROR, SHARE = 1e-3, 0.1
"""The error that ends a step's Sinkhorn: at first, and over the last change of the plan. A larger error would be
cheaper, but the first steps choose among stationary points, and should choose like exact ones."""


class Shapes(NamedTuple):
    """What a problem has besides the cost between the spaces, float64 on the device.

    Attributes:
        c_xx, c_yy: the cost within each space.
        mu, nu: (u,) and (v,) the required marginals.
        log_rows, log_columns: (u,) and (v,), whose sums are the logarithm of the entropy's reference measure.
    """

    c_xx: Chords | Matrix
    c_yy: Chords | Matrix
    mu: jax.Array
    nu: jax.Array
    log_rows: jax.Array
    log_columns: jax.Array

    def padded(self, count: int) -> Shapes:
        """With `count` more rows, without mass."""

        def longer(values: jax.Array, axes: int = 1) -> jax.Array:
            return jnp.pad(values, [(0, count)] * axes + [(0, 0)] * (values.ndim - axes))

        c = self.c_xx
        longer_c = Chords(longer(c.e), longer(c.r)) if isinstance(c, Chords) else Matrix(longer(c.c, 2))
        return self._replace(c_xx=longer_c, mu=longer(self.mu), log_rows=longer(self.log_rows))

    @property
    def by_source(self) -> bool:
        """Whether the plan is multiplied by the factors of the source space, the thinner ones, or of the target's."""
        return self.c_xx.rank < self.c_yy.rank


class Summary(NamedTuple):
    """What the next step needs to know of a plan.

    Attributes:
        product: the plan times the inner factor of one side, (v, k) or (u, k).
        rows, columns: its marginals.
        fused: its inner product with the cost between the spaces.
        entropy: `sum pi log pi`; 0 where nothing needs it.
        change: its L1 distance from the plan before.
    """

    product: jax.Array
    rows: jax.Array
    columns: jax.Array
    fused: jax.Array
    entropy: jax.Array
    change: jax.Array


class KernelSteps:
    """Projected gradients whose linear problems are solved on one stored kernel (`_gromov.StepSolver`).

    The gradient is never formed. But for the cost between the spaces it is a product of two thin factors, because the
    costs within are, and its rows go straight into the kernel, block by block. Sinkhorn starts from the last
    potentials, and is only as exact as the plan's last change demands.
    """

    def __init__(
        self, fused: Callable[[np.ndarray, slice], None], shapes: Shapes, *, alpha: float, epsilon: float,
        tau: tuple[float, float], quadratic: bool, tolerance: float, max_inner: int,
    ):  # fmt: skip
        """A problem to start with.

        Args:
            fused: writes rows of the cost between the spaces into a matrix, infinite where no mass may go.
            shapes: the rest of the problem.
            alpha, epsilon, tau: of the problem.
            quadratic: whether entropy and marginal terms are quadratic in the mass.
            tolerance: L1 change of the plan, and error of Sinkhorn, to reach.
            max_inner: maximum number of Sinkhorn iterations per step.
        """
        self.fused, self.unpadded = fused, shapes
        self.alpha, self.epsilon, self.tau, self.quadratic = float(alpha), float(epsilon), tau, quadratic
        self.tolerance, self.max_inner = tolerance, max_inner
        self._begin(np.float32 if tolerance >= SINGLE else np.float64)

    def _begin(self, dtype: type) -> None:
        """The product of the marginals, in this type."""
        mu, nu = self.unpadded.mu, self.unpadded.nu
        self.sinkhorn = KernelSolver(self.fused, np.asarray(mu), np.asarray(nu), self.tau, dtype)
        self.shapes = self.unpadded.padded(len(self.sinkhorn.log_a) - len(mu))
        self.current = self.shapes.mu.astype(dtype)[:, None] * nu.astype(dtype)
        self.summary = self._summary(self.current)
        self.change = math.inf

    def step(self) -> Progress:
        """Linearise the objective at the plan, and solve the linear problem."""
        last, mass = self.current, float(self.summary.rows.sum())
        linear = linearise(self.summary, self.shapes, self.alpha, self.epsilon, self.tau, quadratic=self.quadratic)
        weight, left, right, epsilon = linear
        self.sinkhorn.cost = self.sinkhorn.cost._replace(weight=weight, left=left, right=right)
        goal = self.tolerance if self.alpha == 0 else max(self.tolerance, min(FIRST_ERROR, SHARE * self.change))
        error, _ = finish(self.sinkhorn.solve(float(epsilon), goal, self.max_inner))
        new = self.sinkhorn.mass() if self.quadratic else 0.0
        # Both halves of a quadratic product keep the same mass.
        self.current = self.sinkhorn.take_plan(math.sqrt(mass / new) if new > 0 else 1.0)
        self.summary = self._summary(last)
        if self.sinkhorn.dtype == np.float32 and not float(self.summary.rows.sum()) > FAINT:
            del last
            self._begin(np.float64)
            return self.step()
        self.change = float(self.summary.change)
        return Progress(self.change, error, error <= goal)

    def plan(self) -> np.ndarray:
        """(u, v) the plan, in the type of the kernel; ends the steps."""
        size = self.sinkhorn.size
        del self.sinkhorn, self.summary
        return np.asarray(self.current)[:size]

    def _summary(self, last: jax.Array) -> Summary:
        return summarise(
            self.current, last, self.sinkhorn.cost.matrix, self.shapes, block=self.sinkhorn.block,
            quadratic=self.quadratic,
        )  # fmt: skip


@partial(jax.jit, static_argnames=("block", "quadratic"))
def summarise(
    plan: jax.Array, last: jax.Array, fused: jax.Array, shapes: Shapes, *, block: int, quadratic: bool
) -> Summary:
    """One pass over a plan and the one before; sums are float64."""
    (u, v), by_source = plan.shape, shapes.by_source
    inner = (shapes.c_xx if by_source else shapes.c_yy).factors()[1]

    def through(k: jax.Array, seen: Summary) -> Summary:
        pi = part(plan, k, block).astype(float)
        product, cost, entropy = seen.product, part(fused, k, block), seen.entropy
        if by_source:
            product += pi.T @ part(inner, k, block)
        else:
            product = put(product, pi if isinstance(shapes.c_yy, Matrix) else pi @ inner, k, block)
        if quadratic:
            entropy += xlogy(pi, pi).sum()
        return Summary(
            product=product, rows=put(seen.rows, pi.sum(1), k, block), columns=seen.columns + pi.sum(0),
            fused=seen.fused + jnp.where(jnp.isfinite(cost), cost * pi, 0.0).sum(), entropy=entropy,
            change=seen.change + jnp.abs(pi - part(last, k, block)).sum(),
        )  # fmt: skip

    zero = jnp.zeros(())
    empty = jnp.zeros((v if by_source else u, inner.shape[1]))
    return lax.fori_loop(0, u // block, through, Summary(empty, jnp.zeros(u), jnp.zeros(v), zero, zero, zero))


@partial(jax.jit, static_argnames="quadratic")
def linearise(
    plan: Summary, shapes: Shapes, alpha: Scalar, epsilon: Scalar, tau: tuple[float, float], *, quadratic: bool
):
    """The linear problem at a plan, as `_gromov.projected_step` has it.

    Returns:
        weight, left, right: of its cost (see `SplitCost`), with `- epsilon` times the reference's logarithm.
        epsilon: its entropy regularisation.
    """
    c_xx, c_yy, mu, nu, log_rows, log_columns = shapes
    rows, columns, mass = plan.rows, plan.columns, plan.rows.sum()
    # C_XX pi C_YY = left right^T
    if shapes.by_source:
        left, right = c_xx.factors()[0], c_yy.apply(plan.product)
    else:
        left, right = c_xx.apply(plan.product), c_yy.factors()[0]
    weight, constant = jnp.asarray(1 - alpha), jnp.zeros(())
    if quadratic:
        weight *= mass
        product = plan.entropy - xlogy(rows, mu).sum() - xlogy(columns, nu).sum()
        constant = (1 - alpha) * plan.fused + epsilon * product
        for marginal, required, t in ((rows, mu, tau[0]), (columns, nu, tau[1])):
            constant += jnp.where(t < 1, epsilon * t / jnp.where(t < 1, 1 - t, 1) * divergence(marginal, required), 0)
        epsilon *= mass
    of_rows = constant + 2 * alpha * c_xx.apply_square(rows) - epsilon * log_rows
    of_columns = 2 * alpha * c_yy.apply_square(columns) - epsilon * log_columns
    left = jnp.column_stack([-4 * alpha * left, of_rows, jnp.ones_like(of_rows)])
    right = jnp.column_stack([right, jnp.ones_like(of_columns), of_columns])
    return weight, left, right, jnp.asarray(epsilon)
