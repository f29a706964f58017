"""Local alignment: one transport problem per batch (Sec. 3.2, Algorithm 1)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._options import Count, Variant, option, pick
from bridgeviz.costs import Cost, Within, as_cost, flat, positive_mean, refuse_above_limit
from bridgeviz.couplings._alignment import Alignment, costs_within, weighted_cost
from bridgeviz.couplings._global import SOLVER_HELP
from bridgeviz.couplings._linear import Linear
from bridgeviz.couplings._local_coupling import LocalCoupling
from bridgeviz.couplings._permitted import support
from bridgeviz.couplings._solver_options import SolverOptions, Steps, Weights, weigh
from bridgeviz.couplings._solvers import SOLVERS
from bridgeviz.problem import Pairs, Problem


@dataclass(frozen=True, kw_only=True)
class Local(Alignment):
    """`pi_b = OT(X_b, Y_b, C_b)` on a new batch at each training step: see `local`.

    Args:
        solver: "linear", "fgw", or the options of a solver that can couple batches.
        batch_size: pairs drawn from each batch's plan; in training the flow's batch size is used.
        ot_batch_size: rows of each space per batch; None takes `batch_size`.
        max_iterations: maximum number of Sinkhorn iterations per step.
        max_steps: maximum number of fused Gromov-Wasserstein steps per batch.

    Raises:
        InputError: an option out of range, or one of the solver that has no effect on batches, such as `merge`.
    """

    name = "local"
    summary = "optimal transport within each training batch"
    lead = (
        "The strategy **local** solves a new transport problem within each training batch. Everything here is "
        "**estimated from draws**, because there is no plan of all rows."
    )
    chunk_size = 2  # a step solves a transport problem, and takes far longer
    solver: SolverOptions = option(
        Variant(SOLVERS, SolverOptions, skips="unread_in_batches"), Linear(), label="Solver", key="solver", main=True,
        help=SOLVER_HELP,
    )  # fmt: skip
    batch_size: int = option(Count(least=2), 256, help="Pairs drawn from each batch's plan.")
    ot_batch_size: int | None = option(
        Count(least=2), None, label="Rows of a batch's transport", key="ot_batch", word="auto", limits=(2, 8192),
        stops=("64", "128", "256", "512", "1024", "2048"),
        help="Rows per side of each transport problem. Larger batches mislead less. auto: the batch size.",
    )  # fmt: skip
    max_iterations: int = option(
        Count(), 100, label="Sinkhorn iterations per batch", key="batch_iterations", limits=(1, 10_000),
        stops=("30", "100", "300", "1000"), help="Maximum number of Sinkhorn iterations per step.",
    )  # fmt: skip
    max_steps: int = option(Count(), 20, help="Maximum number of fused Gromov-Wasserstein steps per batch.")

    def __post_init__(self):
        super().__post_init__()
        for name, value in self.solver.changed().items():
            if name in self.solver.unread_in_batches:
                raise check.fail(name, self.solver.name, "left out within Local(), whose batches do not read it", value)

    def steps(
        self, problem: Problem, pairs: Pairs, cost: Cost | None = None, *, metric: str = ""
    ) -> Steps[LocalCoupling]:
        """The coupling, without intermediate steps: batches are solved when they are drawn."""
        yield from ()
        return self.coupling(weighted_cost(cost, problem), costs_within(self.solver, problem, metric))

    def coupling(
        self,
        cost: Cost | ArrayLike | None,
        within: tuple[Within, Within] | None = None,
        weights: Weights | None = None,
    ) -> LocalCoupling:
        """The coupling by a cost between the spaces, and by the costs within them if the solver needs those."""
        if cost is None:
            if self.solver.needs_pairs or within is None:
                raise check.fail("cost", "local", "a Cost or an (n, m) matrix, but for alpha 1, which needs none", None)
            cost = flat(within[0].shape[0], within[1].shape[0])
        if not isinstance(cost, Cost):
            cost = as_cost(cost, "local")
            # Batches are coupled in float32, where a matrix in very small or large units would lose its digits.
            cost = replace(cost, source_factor=np.asarray(cost.source_factor) / positive_mean(cost, "local"))
        if within is not None and (within[0].shape[0], within[1].shape[0]) != cost.shape:
            rows = f"{within[0].shape[0]} and {within[1].shape[0]} rows"
            raise check.fail("c_xx", "local", f"with c_yy, of a cost of shape {cost.shape}", rows)
        cost = weigh(cost, weights, "local") or cost
        self.solver.accept(cost)
        support(cost, getattr(self.solver, "tau", None), "local")  # an error for a row that no batch could couple
        size = self.batch_size if self.ot_batch_size is None else self.ot_batch_size
        refuse_above_limit(size, size, "transport of a batch", matrices=4)  # eight, in half of the precision
        plan = LocalCoupling(
            cost=cost, transport=self.solver, batch_size=self.batch_size, ot_batch_size=size,
            max_iterations=self.max_iterations, max_steps=self.max_steps, within=within,
        )  # fmt: skip
        _ = plan.batch_solver  # refuses a solver that can't couple batches
        return plan


def local(
    cost: Cost | ArrayLike | None,
    c_xx: Within | None = None,
    c_yy: Within | None = None,
    *,
    alpha: float | None = None,
    epsilon: float | None = None,
    tau: tuple[float, float] = (1.0, 1.0),
    weights: Weights | None = None,
    batch_size: int = 256,
    ot_batch_size: int | None = None,
    max_iterations: int = 100,
    max_steps: int = 20,
) -> LocalCoupling:
    """The local strategy: `pi_b = OT(X_b, Y_b, C_b)` on a new batch at each training step.

    Memory is O(b^2) whatever n and m are; the price is that a batch need not hold the counterparts of its points. The
    paper's remedy is a bigger batch: `ot_batch_size` makes that of the transport bigger than that of the flow. The
    batch's costs are divided by their own means.

    Where matches are forbidden, a row whose matches in its batch all are is left out of that batch.

    With the costs within both spaces, each batch is coupled by fused Gromov-Wasserstein, as `fgw` does with
    `correction="none"`; with alpha 1 that needs no pairs at all (Appendix I).

    Args:
        cost: a `Cost`, or an (n, m) matrix; None for alpha 1.
        c_xx, c_yy: `costs.Within(x, metric=...)` of each space; None for the linear problem.
        alpha: the weight of fused Gromov-Wasserstein, in [0, 1]; None takes 0.5, or 1 if there is no cost.
        epsilon: entropy regularisation > 0; None takes the cost's own default, or 0.005 if there is no cost.
        tau: (tau_x, tau_y), each in (0, 1].
        weights: (a, b), of the source rows (n,) and of the target rows (m,), by which the rows of a batch are drawn;
            within a batch they all have the same mass.
        batch_size: pairs drawn from each batch's plan; in training the flow's batch size is used.
        ot_batch_size: rows of each space that the transport is solved on; None takes `batch_size`.
        max_iterations: maximum number of Sinkhorn iterations per step.
        max_steps: maximum number of fused Gromov-Wasserstein steps per batch.

    Raises:
        InputError: as for `linear` and `fgw`.
    """
    within = _both(c_xx, c_yy)
    settings = {"epsilon": epsilon, "tau": tau}
    if within is None and alpha is not None:
        raise check.fail("alpha", "local", "left out without the costs within both spaces", alpha)
    if within is not None:
        settings["alpha"] = (1.0 if cost is None else 0.5) if alpha is None else alpha
    solver = pick(SOLVERS, "linear" if within is None else "fgw", settings, "solver", "local", SolverOptions)
    strategy = Local(
        solver=solver, batch_size=batch_size, ot_batch_size=ot_batch_size, max_iterations=max_iterations,
        max_steps=max_steps,
    )  # fmt: skip
    return strategy.coupling(cost, within, weights)


def _both(c_xx: Within | None, c_yy: Within | None) -> tuple[Within, Within] | None:
    if c_xx is None and c_yy is None:
        return None
    for value, name in ((c_xx, "c_xx"), (c_yy, "c_yy")):
        if not isinstance(value, Within):
            expected = "costs.Within(x, metric=...) of that space, with both spaces or neither"
            raise check.fail(name, "local", expected, check.describe(value))
    return c_xx, c_yy  # type: ignore[return-value]
