"""Linear entropic optimal transport, balanced and unbalanced (Eq. 1), on merged atoms."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._extent import Extent, extent, row_blocks
from bridgeviz._options import Choice, Count, option
from bridgeviz.costs import Cost, Within, as_cost, divisor, positive_mean
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._entries import in_double, sums
from bridgeviz.couplings._linear_methods import (
    METHODS,
    MOST_EQUATIONS,
    NARROW,
    TRIED,
    newton_can,
    quickest,
    sizes_of_others,
)
from bridgeviz.couplings._linear_sparse import has_paths, solve_sparse
from bridgeviz.couplings._pace import Pace
from bridgeviz.couplings._permitted import ATTEMPT, doubt, shortage, support
from bridgeviz.couplings._plan_memory import refuse_transport
from bridgeviz.couplings._reports import ASKED
from bridgeviz.couplings._solver_options import (
    Entropic,
    SolverOptions,
    Steps,
    Weights,
    finish,
    measured,
    numbered_from,
    weigh,
    with_options,
)
from bridgeviz.couplings._starts import potentials_of

if TYPE_CHECKING:
    from bridgeviz._solution import Solution
    from bridgeviz.couplings._linear_batch import LinearBatch


@dataclass(frozen=True, kw_only=True)
class Linear(Entropic):
    r"""`argmin <C, pi> + epsilon sum pi (log pi - 1) + lambda_x KL(pi_x || mu) + lambda_y KL(pi_y || nu)` (Eq. 1).

    mu and nu are the weights of the rows, uniform unless they are given. lambda follows from `tau = lambda / (lambda +
    epsilon)` (Eq. 28); tau = 1 enforces that marginal exactly. The entropy's reference is the counting measure on the
    n x m entries, as in ott-jax, so the mass of an unbalanced plan grows with n: tau is tied to n, and `sample`
    normalises.

    The method "ott" is ott-jax's Sinkhorn in the log domain, in float64, the reference. Two methods find the same plan
    up to the tolerance in a fraction of the time. "newton" solves for the potentials of the smaller side, in float64:
    some twenty steps, also where mass hardly moves between atoms and Sinkhorn needs tens of thousands. "dense" stores
    the kernel, in float32 for tolerances down to 1e-6, lets epsilon fall to its value, and over-relaxes balanced
    problems. There, the cost is written once, in the type of the kernel, and the kernel becomes the plan, so that two
    matrices are all. A plan of more than 4 million entries keeps the type of the kernel.

    Two methods never make a matrix:

    - "sparse", for the bridge, the geodesic bridge and exact kNN paths, stores the entries that can carry mass. With
      more than 500 atoms on a side, the mean that divides the cost is an estimate. `Coupling.why` says its error, and
      how much mass the entries that were left out would have.
    - "factorised" needs a cost whose kernel `exp(-C)` is a product of two thin factors (`costs.diffusion_bridge`). It
      solves the problem whose Sinkhorn kernel is that product itself, epsilon 1 of the undivided cost, exactly, in
      O((n + m) l) time and memory. Its plan is flat; `diffusion_bridge(power=...)` sharpens it.

    "auto" is "newton" where a side has at most 128 atoms, and "dense" elsewhere; where that has not converged after
    2,000 iterations and a side has at most 1,024 atoms, "newton" goes on from its potentials. Where a matrix would
    exceed the memory, it is "factorised" if the cost allows it and neither epsilon nor `scale_cost` is given, or
    "sparse" if the cost allows it and epsilon is at most 0.02. `Coupling.method` and `why` say which ran.

    Equal rows are merged first. This is exact: the merged cost is shifted by `-epsilon log(m_u m_v)`, which does not
    affect balanced transport and which unbalanced transport needs. m_u is the multiplicity of an atom. With weights, it
    is its effective number of rows, `(sum_i q_i^tau)^(1 / (1 - tau))` for the shares q of its rows in its weight, and
    these rows share its mass in proportion to `q^tau`: the scaling iterations, `u_i = (mu_i / (K v)_i)^tau` with the
    same `(K v)_i` for all rows of an atom, say both.

    Rows of weight zero carry no mass and change nothing. Twice the weight is a row twice if the problem is balanced; if
    it is not, two rows have more of the reference than one of their total weight.

    Where the cost is infinite (`Cost.forbid`), the plan is exactly zero. A row without a permitted match is an error,
    or left out where tau < 1. If every row has one and still no balanced plan exists, `converged` is False and `advice`
    names the rows that compete.

    Args:
        epsilon: entropy regularisation > 0, in units of the divided cost; None takes the cost's own default.
        tau: (tau_x, tau_y), each in (0, 1].
        scale_cost: the divisor of the cost; None takes its mean over n x m (Appendix D), 1.0 leaves it unchanged.
        merge: whether to merge equal rows; False solves the full n x m problem.
        tolerance: L1 marginal error (of the fixed point, if unbalanced) at which to stop.
        max_iterations: maximum number of Sinkhorn iterations; "ott" checks the error at every tenth.
        method: "auto", "newton", "dense", "factorised", "sparse" or "ott"; the result says which ran, and why.

    Raises:
        InputError: epsilon <= 0, tau outside (0, 1], a cost that is not a finite matrix, or one that the method can't
            be used with.
        TooLarge: the memory that the method needs exceeds the limit.

    >>> import numpy as np
    >>> plan = linear(np.array([[0.0, 1.0], [1.0, 0.0]]), epsilon=0.05)
    >>> plan.dense().round(3)
    array([[0.5, 0. ],
           [0. , 0.5]])
    """

    name = "linear"
    summary = "the cost between the spaces alone decides"
    formula = (
        r"\pi^* = \arg\min_{\pi} \sum_{ij} C_{ij} \pi_{ij} - \epsilon H(\pi) + "
        r"\lambda_X \mathrm{KL}(\pi_X \,\|\, \mu) + \lambda_Y \mathrm{KL}(\pi_Y \,\|\, \nu) \quad (1)"
    )
    unread_in_batches = (*Entropic.unread_in_batches, "max_iterations")
    max_iterations: int = option(
        Count(), 10_000, label="Sinkhorn iterations", key="iterations", limits=(10, 1_000_000),
        stops=("1000", "10000", "100000"),
        help="Maximum number of Sinkhorn iterations. It stops as soon as it converges.",
    )  # fmt: skip

    method: str = option(
        Choice(METHODS), "auto", label="Method",
        help="How the linear transport is solved: for the potentials of the smaller side (newton), on the stored "
        "kernel (dense), by ott-jax in the log domain (ott), or on two factors of the kernel (factorised), which some "
        "costs have at their own epsilon. The plan is the same up to the tolerance. auto takes what is fast at this "
        "size and fits into the memory.",
    )  # fmt: skip

    def steps(
        self,
        cost: Cost | ArrayLike | None,
        within: tuple[Within | ArrayLike, Within | ArrayLike] | None = None,
        *,
        start: Coupling | None = None,
    ) -> Steps[Coupling]:
        """The coupling; yields the iterations and the error after each few. `within` is not read, and `start` by the
        methods "newton" and "dense"."""
        if cost is None:
            raise check.fail("cost", "linear", "a Cost or an (n, m) matrix", None)
        cost = as_cost(cost, "linear")
        cost = cost if self.merge else cost.unmerged()
        if self.method == "newton" and min(cost.atom_shape) > MOST_EQUATIONS:
            expected = f"'dense' where both sides have more than {MOST_EQUATIONS:,} atoms"
            hint = "Newton's method solves an equation per atom of the smaller side in each step."
            raise check.fail("method", "linear", expected, self.method, hint)
        method, why = self.choice(cost)
        goes_on = self.method == "auto" and method == "dense" and self.max_iterations > TRIED
        goes_on = goes_on and newton_can(cost, MOST_EQUATIONS, self.tolerance)
        steps = self._in_turn if goes_on else self._steps
        return (yield from measured(steps(cost, method, why, start)))

    def _in_turn(self, cost: Cost, method: str, why: str, start: Coupling | None) -> Steps[Coupling]:
        """By one method, and if it has not converged after `TRIED` iterations, by Newton's."""
        first = yield from replace(self, max_iterations=TRIED)._steps(cost, method, why, start)
        if first.converged or first.iterations < TRIED or not first.mass:
            return first
        why = f"the method '{method}' had not reached the tolerance after {TRIED:,} iterations"
        rest = replace(self, max_iterations=self.max_iterations - TRIED)._steps(cost, "newton", why, first)
        second = yield from numbered_from(TRIED, rest)
        return replace(second, iterations=TRIED + second.iterations)

    def _steps(self, cost: Cost, method: str, why: str, start: Coupling | None) -> Steps[Coupling]:
        if method == "factorised":
            from bridgeviz.couplings._linear_factored import solve_factored

            return (yield from solve_factored(
                cost, epsilon=self.epsilon, scale_cost=self.scale_cost, tau=self.tau, tolerance=self.tolerance,
                max_iterations=self.max_iterations, why=why,
            ))  # fmt: skip
        if method == "sparse":
            coupling = yield from solve_sparse(
                cost, epsilon=self.epsilon_for(cost), scale_cost=self.scale_cost, tau=self.tau,
                tolerance=self.tolerance, max_iterations=self.max_iterations,
            )  # fmt: skip
            return replace(coupling, why=f"{why}; {coupling.why}")
        epsilon = self.epsilon_for(cost)
        u, v = cost.atom_shape
        refuse_transport(u, v, method, self.tolerance, sizes_of_others(cost, self.tolerance))
        used = support(cost, self.tau, "linear")
        impossible = shortage(cost, self.tau)
        source, target = cost.source_atoms, cost.target_atoms
        mu, nu = source.mass[used.rows], target.mass[used.columns]
        counts = source.effective(self.tau[0])[used.rows], target.effective(self.tau[1])[used.columns]
        settings: Any = {
            "epsilon": epsilon, "tau": self.tau, "tolerance": self.tolerance,
            "max_iterations": ATTEMPT if impossible else self.max_iterations,
        }  # fmt: skip
        if start is not None and method != "ott":
            settings["start"] = potentials_of(start, v, epsilon, target.mass)[used.columns]
        write = partial(cost.write, rows=used.rows, columns=used.columns)
        if method == "dense":
            from bridgeviz._kernel_sinkhorn import solve_on_kernel

            solution = yield from solve_on_kernel(
                write, mu, nu, **settings, divisor=self._divisor,
                reference=counts if any((side != 1).any() for side in counts) else None,
            )  # fmt: skip
        else:
            shifted = np.empty((len(mu), len(nu)))
            write(shifted)
            shifted /= self._divisor(extent(row_blocks(shifted), mu, nu))
            shifted -= epsilon * np.log(counts[0])[:, None]
            shifted -= epsilon * np.log(counts[1])
            solution = yield from _solver(method)(shifted, mu, nu, **settings)
        plan, error, converged, iterations, found = solution
        del solution
        if self.tau == (1.0, 1.0):
            error = float(np.abs(sums(plan, 1) - mu).sum() + np.abs(sums(plan, 0) - nu).sum())
            converged = converged and error <= 2 * self.tolerance  # as measured on the plan itself
        advice = "" if converged else (
            f"Sinkhorn stopped after {iterations} iterations with a residual of {error:.1e} > {self.tolerance:.0e}: "
            f"try a larger epsilon (now {epsilon:g}) or more Sinkhorn iterations.{doubt(cost, self.tau)}"
        )  # fmt: skip
        if impossible:
            converged, advice = False, impossible
        if reason := self.useless(plan, epsilon, f"after {iterations} iterations"):
            plan, converged, error, advice = np.zeros_like(plan), False, float("nan"), reason
        return Coupling(
            plan=used.spread(in_double(plan)), source_atoms=replace(source, power=self.tau[0]),
            target_atoms=replace(target, power=self.tau[1]), solver="linear", converged=converged,
            marginal_error=error, iterations=iterations, epsilon=epsilon, tau=self.tau, advice=advice,
            method=method, why=why, potentials=None if found is None else used.spread_columns(found),
        )  # fmt: skip

    def _divisor(self, extent: Extent) -> float:
        """What a cost of this extent is divided by."""
        return divisor(extent, "linear") if self.scale_cost is None else self.scale_cost

    def choice(self, cost: Cost) -> tuple[str, str]:
        """The method that solves the problem of a cost, and why."""
        if self.method != "auto":
            return self.method, ASKED
        own_epsilon = self.epsilon is None and self.scale_cost is None
        return quickest(cost, self.tolerance, own_epsilon=own_epsilon, epsilon=self.epsilon_for(cost))

    def by_method(self, cost: Cost) -> dict[str, SolverOptions]:
        """This solver with each method that solves the same problem, at the same epsilon of the divided cost."""
        cost = cost if self.merge else cost.unmerged()
        same, floor = self, cost.kernel_floor
        if self.choice(cost)[0] == "factorised":  # epsilon 1 of the undivided cost, unless the options say the same
            epsilon = 1 / (self.scale_cost or 1.0) if self.epsilon is None else self.epsilon
            same = replace(self, epsilon=epsilon, scale_cost=1 / epsilon)
        if floor is not None:
            scale = positive_mean(cost, "linear") if same.scale_cost is None else same.scale_cost
            floor = floor if abs(same.epsilon_for(cost) * scale - 1) <= 1e-9 else None
        possible = {
            "auto": False,
            "newton": newton_can(cost, NARROW, self.tolerance),
            "factorised": floor is not None,
            "sparse": has_paths(cost),
        }
        names = [name for name in METHODS if possible.get(name, True)]
        return {name: replace(same, method=name) for name in names}

    def pace(self) -> Pace:
        """What turns the steps of a solve into a line on its progress."""
        return Pace("iteration", "marginal error", tolerance=self.tolerance, most=self.max_iterations)

    def batch(self, cost: Cost, *, tolerance: float, max_iterations: int, max_steps: int) -> LinearBatch:
        """Sinkhorn on one batch; `max_steps` is not read."""
        from bridgeviz.couplings._linear_batch import LinearBatch

        return LinearBatch(
            epsilon=self.epsilon_for(cost), tau=self.tau, tolerance=tolerance, max_iterations=max_iterations,
            forbids=cost.forbidden is not None,
        )  # fmt: skip


def _solver(method: str) -> Callable[..., Steps[Solution]]:
    """What solves a linear problem in float64; imported here, because JAX takes seconds and Newton's needs none."""
    if method == "newton":
        from bridgeviz._newton import solve_by_newton as solve
    else:
        from bridgeviz._sinkhorn import solve_linear as solve
    return solve


@with_options(Linear)
def linear(
    cost: Cost | ArrayLike, *, weights: Weights | None = None, start: Coupling | None = None, **options: Any
) -> Coupling:
    """See `Linear`, whose docstring replaces this one."""
    return finish(Linear(**options).steps(weigh(cost, weights, "linear"), start=start))


linear.__doc__ = (Linear.__doc__ or "").replace(
    """    Args:
""",
    """    Args:
        weights: (a, b), of the source rows (n,) and of the target rows (m,): >= 0, divided by their sums; either may be
            None, for the same weight on every row. None takes those of the cost, which has none unless it was given
            them by `Cost.weighted`.
        start: a plan of a similar problem, such as one with another epsilon, tau or cost between the same atoms: the
            iterations begin with its potentials. "ott", "factorised" and "sparse" do not read it.
""",
    1,
)
