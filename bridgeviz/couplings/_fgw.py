"""Entropic fused Gromov-Wasserstein, balanced and unbalanced (Eq. 2-3), on merged atoms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz._options import Choice, Count, Flag, Positive, Unit, option
from bridgeviz.costs import Cost, Within, flat
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._entries import in_double, sums
from bridgeviz.couplings._fused_problem import FusedProblem, prepare
from bridgeviz.couplings._pace import Pace
from bridgeviz.couplings._permitted import ATTEMPT, doubt, shortage
from bridgeviz.couplings._solver_options import Entropic, Steps, Weights, measured, weigh, with_options

if TYPE_CHECKING:
    from bridgeviz.couplings._gromov import FusedBatch, Progress

CORRECTIONS = ("quadratic", "none")


@dataclass(frozen=True, kw_only=True)
class FGW(Entropic):
    r"""`argmin sum (alpha |c_XX - c_YY|^2 + (1 - alpha) c_XY) pi pi' - epsilon H(pi)` and marginal terms (Eq. 3).

    alpha weighs the shapes of the two spaces against the pairs: 0 is `linear`, 1 is Gromov-Wasserstein, which uses no
    pairs. It is the paper's and POT's alpha (ott-jax's `fused_penalty` is `(1 - alpha) / (2 alpha)` with epsilon
    divided by `2 alpha`). Eq. 3 prints the fused cost squared; `squared=True` does that, and the default leaves it as
    it is, like the linear problem and both libraries.

    Solved by projected gradients: the objective is linearised at the last plan, `2 alpha L(pi) + (1 - alpha) C`, and
    Sinkhorn solves the linear problem from the last potentials, until the plan stops changing. The objective is not
    convex: the result is the stationary point that is reached from the product of the marginals.

    The method "ott" is ott-jax's Sinkhorn in the log domain, in float64. "dense" stores the kernel, in float32 for
    tolerances down to 1e-6, and solves each linear problem only as exactly as the plan still changes: the same plan up
    to the tolerance, in a fraction of the time. "auto" is "dense" from 65,536 entries on. Costs within a space that
    are given as rows (`costs.Within`) are thin factors for both, and a step takes O(n m d); "dense" holds no matrices
    but the cost, the kernel and the last plan.

    Unbalanced, with `tau = lambda / (lambda + epsilon)` (Eq. 28) for each side, in one of two ways:

    - `correction="quadratic"`, Eq. 2-3: the marginal terms are `KL(p x p | q x q)`, the entropy alike, against
      mu x nu (Sejourne et al. 2021). Every term is quadratic in the mass, which does not depend on n. Each of these
      terms counts twice at mass one and is halved here, so that epsilon and tau mean what they mean in `linear`.
    - `correction="none"`: tau only loosens the Sinkhorn of each step (ott-jax's `gw_unbalanced_correction=False`).
      The entropy's reference is the counting measure, as in `linear`, and the mass grows with n.

    Equal rows are merged first, exactly; weights and forbidden matches mean what they mean in `linear`.

    Args:
        alpha: in [0, 1].
        epsilon: entropy regularisation > 0, in units of the divided cost; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1].
        squared: whether the fused cost is squared, after it is divided.
        correction: "quadratic" or "none"; the same for a balanced problem.
        scale_cost: the divisor of the three costs; None takes the mean of each, 1.0 leaves them unchanged.
        merge: whether to merge equal rows; matrices must agree on them, else nothing is merged.
        tolerance: L1 change of the plan from one step to the next, and error of the last Sinkhorn, at which to stop.
        max_iterations: maximum number of steps.
        max_inner: maximum number of Sinkhorn iterations per step.
        method: "auto", "dense" or "ott"; the result says which ran.

    Raises:
        InputError: an option out of range, or costs that do not fit one another.
    """

    name = "fgw"
    summary = "distances within the two spaces count as well (fused Gromov-Wasserstein)"
    lead = (
        "**Fused Gromov-Wasserstein** weighs two wishes: cheap matches between the spaces, and matches that keep "
        "the distances within each space. Alpha is the weight of the second."
    )
    formula = (
        r"\pi^* = \arg\min_{\pi} \sum_{iji^\prime j^\prime} \big( \alpha |c_X(x_i, x_{i^\prime}) - "
        r"c_Y(y_j, y_{j^\prime})|^2 + (1 - \alpha) C_{ij} \big) \pi_{ij} \pi_{i^\prime j^\prime} - \epsilon H(\pi) + "
        r"\lambda_X \mathrm{KL}^{\otimes}(\pi_X \,\|\, \mu) + \lambda_Y \mathrm{KL}^{\otimes}(\pi_Y \,\|\, \nu)"
        r" \quad (3, \text{ unsquared})"
    )
    needs_spaces = True
    large = 2**16  # a step is a whole Sinkhorn, and "dense" starts each from the one before
    unread_in_batches = (*Entropic.unread_in_batches, "squared", "correction", "max_iterations", "max_inner")
    alpha: float = option(
        Unit(zero=True), 0.5, label="Alpha", main=True, stops=("0", "0.1", "0.25", "0.5", "0.75", "0.9", "1"),
        help="How much the shapes of the two spaces count against the pairs: 0 is linear, 1 uses no pairs.",
    )  # fmt: skip
    # A step that changes the plan by t leaves it t r / (1 - r) from where steps that shrink by r lead: with 1e-6, less
    # than 1e-4 up to r = 0.99.
    tolerance: float = option(Positive(), 1e-6, help="L1 change of the plan in a step at which to stop.")
    squared: bool = option(Flag(), False, help="Whether the fused cost is squared, as Eq. 3 prints it.")
    correction: str = option(
        Choice(CORRECTIONS), "quadratic", help="Whether the terms of an unbalanced problem are quadratic in the mass."
    )
    max_iterations: int = option(
        Count(), 300, label="Gromov steps", key="gromov_steps", limits=(1, 10_000), stops=("100", "300", "1000"),
        help="Maximum number of steps. It stops as soon as the plan stops changing.",
    )  # fmt: skip
    max_inner: int = option(
        Count(), 2_000, label="Sinkhorn iterations per step", key="step_iterations", limits=(10, 100_000),
        stops=("500", "2000", "10000"), help="Maximum number of Sinkhorn iterations per step.",
    )  # fmt: skip

    @property
    def needs_pairs(self) -> bool:
        """Whether it reads the cost between the spaces: not at alpha 1."""
        return self.alpha < 1

    @property
    def balanced(self) -> bool:
        """Whether both marginals are enforced."""
        return self.tau == (1.0, 1.0)

    def steps(
        self,
        cost: Cost | ArrayLike | None,
        within: tuple[Within | ArrayLike, Within | ArrayLike] | None = None,
    ) -> Steps[Coupling]:
        """The coupling; yields after each projected step."""
        return (yield from measured(self._steps(cost, within)))

    def _steps(
        self, cost: Cost | ArrayLike | None, within: tuple[Within | ArrayLike, Within | ArrayLike] | None
    ) -> Steps[Coupling]:  # fmt: skip
        import jax

        prepared = prepare(
            cost, within, needs_pairs=self.needs_pairs, merge=self.merge, scale_cost=self.scale_cost,
            squared=self.squared, tau=self.tau, tolerance=self.tolerance, choice=self.choice,
        )  # fmt: skip
        impossible = shortage(prepared.cost, self.tau)
        epsilon = self.epsilon_for(prepared.cost)
        solver = prepared.solver(
            alpha=self.alpha, epsilon=epsilon, tau=self.tau, tolerance=self.tolerance,
            quadratic=self.correction == "quadratic" and not self.balanced,
            max_inner=ATTEMPT if impossible else self.max_inner,
        )  # fmt: skip
        number = 0
        while True:
            number += 1
            with jax.enable_x64(True):  # not around the yield: it would hold for whoever drives this generator
                step = solver.step()
            yield number, step.change
            done = self._ends(step) or self.alpha == 0 or bool(impossible)
            if done or not np.isfinite(step.change) or number == self.max_iterations:
                with jax.enable_x64(True):
                    plan = solver.plan()
                return self._coupling(prepared, plan, step, epsilon, number, impossible)

    def _ends(self, step: Progress) -> bool:
        """Whether both tolerances are kept."""
        return step.residual <= self.tolerance and (step.change <= self.tolerance or self.alpha == 0)

    def _coupling(
        self, prepared: FusedProblem, plan: np.ndarray, last: Progress, epsilon: float, number: int, impossible: str
    ) -> Coupling:  # fmt: skip
        """The plan after the last step, which has this number; `impossible` says why no plan exists, if none does."""
        change, error, settled = last
        converged = self._ends(last)
        if self.balanced:
            mu, nu = prepared.marginals
            error = float(np.abs(sums(plan, 1) - mu).sum() + np.abs(sums(plan, 0) - nu).sum())
        advice = self._advice(number, change, settled, error, epsilon) + doubt(prepared.cost, self.tau)
        advice = "" if converged else advice
        if impossible:
            converged, advice = False, impossible
        if reason := self.useless(plan, epsilon, f"after step {number}"):
            plan, converged, error, advice = np.zeros_like(plan), False, float("nan"), reason
        # Against mu x nu, the rows of an atom share its mass by their weights, whatever tau is (see `Linear`).
        powers = (1.0, 1.0) if self.correction == "quadratic" else self.tau
        return Coupling(
            plan=prepared.used.spread(in_double(plan)),
            source_atoms=replace(prepared.cost.source_atoms, power=powers[0]),
            target_atoms=replace(prepared.cost.target_atoms, power=powers[1]), solver="fgw", converged=converged,
            marginal_error=error, iterations=number, epsilon=epsilon, tau=self.tau, advice=advice, alpha=self.alpha,
            method=prepared.method, why=prepared.why,
        )  # fmt: skip

    def pace(self) -> Pace:
        """What turns the steps of a solve into a line on its progress."""
        return Pace("step", "change of the plan", tolerance=self.tolerance, most=self.max_iterations)

    def _advice(self, number: int, change: float, settled: bool, error: float, epsilon: float) -> str:
        if not settled:
            return (
                f"In the last of {number} steps, Sinkhorn stopped after {self.max_inner} iterations with a residual of "
                f"{error:.1e} > {self.tolerance:.0e}: try a larger epsilon (now {epsilon:g}) or more Sinkhorn "
                "iterations per step."
            )
        return (
            f"The plan still changed by {change:.1e} > {self.tolerance:.0e} in step {number}: try a larger epsilon "
            f"(now {epsilon:g}), a smaller alpha or more Gromov steps."
        )

    def batch(self, cost: Cost, *, tolerance: float, max_iterations: int, max_steps: int) -> FusedBatch:
        """Projected gradients on one batch, as with `correction="none"`."""
        from bridgeviz.couplings._gromov import FusedBatch

        return FusedBatch(
            alpha=self.alpha, epsilon=self.epsilon_for(cost), tau=self.tau, tolerance=tolerance,
            max_iterations=max_iterations, max_steps=max_steps, forbids=cost.forbidden is not None,
        )  # fmt: skip


@with_options(FGW)
def fgw(
    cost: Cost | ArrayLike | None,
    c_xx: Within | ArrayLike,
    c_yy: Within | ArrayLike,
    *,
    weights: Weights | None = None,
    on_step: Callable[[int, float], None] | None = None,
    **options: Any,
) -> Coupling:
    """Entropic fused Gromov-Wasserstein (Eq. 2-3): see `FGW`, whose options these are.

    Args:
        cost: between the spaces: a `Cost`, or an (n, m) matrix; None for alpha 1, which needs none.
        c_xx, c_yy: within each space: `costs.Within(x, metric=...)`, which takes O(n p) memory, or a symmetric matrix.
        weights: (a, b), of the source rows (n,) and of the target rows (m,), as in `linear`.
        on_step: called after each step with its number and the change of the plan; raise from it to stop.
        options: of `FGW`.

    Returns:
        A `Coupling`; its `iterations` are steps.

    Raises:
        InputError: an option out of range, or costs that do not fit one another.

    >>> import numpy as np
    >>> x = np.array([[0.0], [1.0], [5.0]])
    >>> c = Within(x, metric="sqeuclidean")
    >>> plan = fgw(np.ones((3, 3)), c, c, alpha=0.9, epsilon=0.05)
    >>> plan.dense().argmax(1)[2]
    np.int64(2)
    """
    solver = FGW(**options)
    if cost is None and weights is not None and not solver.needs_pairs:
        cost = flat(*(len(c.rows if isinstance(c, Within) else np.asarray(c)) for c in (c_xx, c_yy)))
    return solver.solve(weigh(cost, weights, "fgw"), (c_xx, c_yy), on_step=on_step)
