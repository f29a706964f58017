"""Linear transport on one batch, on the device."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp

from bridgeviz._sinkhorn import run_sinkhorn
from bridgeviz.costs import Chords
from bridgeviz.couplings._batch_marginals import batch_marginals, reachable
from bridgeviz.couplings._batch_solver import BatchPlan


@partial(
    jax.tree_util.register_dataclass,
    data_fields=(),
    meta_fields=("epsilon", "tau", "tolerance", "max_iterations", "forbids"),
)
@dataclass(frozen=True)
class LinearBatch:
    """The linear problem on one batch, with uniform marginals (a `BatchSolver`).

    `forbids` says whether the cost is infinite anywhere.
    """

    epsilon: float
    tau: tuple[float, float]
    tolerance: float
    max_iterations: int
    forbids: bool = False

    def solve(self, cost: jax.Array, spaces: tuple[Chords, Chords] | None) -> BatchPlan:
        """The transport of one batch; `spaces` are not read."""
        a, b = batch_marginals(cost) if self.forbids else (None, None)
        out = run_sinkhorn(
            reachable(cost) if self.forbids else cost, self.epsilon, self.tau, tolerance=self.tolerance,
            max_iterations=self.max_iterations, a=a, b=b,
        )  # fmt: skip
        plan = jnp.asarray(out.matrix)
        if self.forbids:
            plan = jnp.where(jnp.isinf(cost), 0.0, plan)
        return BatchPlan(plan, jnp.asarray(out.converged), jnp.asarray(out.n_iters))

    def advice(self, error: float) -> str:
        """What to try for batches that did not converge, as the end of a sentence."""
        return (
            f"Sinkhorn stopped after {self.max_iterations} iterations (mean residual {error:.1e}, tolerance "
            f"{self.tolerance:.0e}): try a larger epsilon (now {self.epsilon:g}) or more Sinkhorn iterations per "
            "batch."
        )
