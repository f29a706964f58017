"""A fused Gromov-Wasserstein problem before it is solved: checked, merged and divided."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Atoms, Cost, Within, as_cost, flat, positive_mean
from bridgeviz.couplings._permitted import Support, support
from bridgeviz.couplings._plan_memory import peak_bytes, refuse_transport

if TYPE_CHECKING:
    from bridgeviz.costs import Chords, Matrix
    from bridgeviz.couplings._gromov import StepSolver


@dataclass(frozen=True, eq=False, kw_only=True)
class FusedProblem:
    """The three costs on merged atoms, and their scales.

    Attributes:
        cost: between the spaces, merged or not.
        squared: whether it is squared after it is divided.
        spaces: the cost within each space, not divided.
        scales: the divisors of all three.
        used: the atoms that take part.
        method: that solves it, "dense" or "ott".
        why: it does.
    """

    cost: Cost
    squared: bool
    spaces: tuple[Within | np.ndarray, Within | np.ndarray]
    scales: tuple[float, float, float]
    used: Support
    method: str
    why: str

    @property
    def marginals(self) -> tuple[np.ndarray, np.ndarray]:
        """The masses of the atoms that take part."""
        return self.cost.source_atoms.mass[self.used.rows], self.cost.target_atoms.mass[self.used.columns]

    def solver(
        self, *, alpha: float, epsilon: float, tau: tuple[float, float], quadratic: bool, tolerance: float,
        max_inner: int,
    ) -> StepSolver:  # fmt: skip
        """The steps from the product of the marginals.

        Args:
            alpha, epsilon, tau, tolerance, max_inner: of the problem, as in `FGW`.
            quadratic: whether the entropy's reference is the product of the marginals, instead of the counting measure.
        """
        import jax
        import jax.numpy as jnp

        from bridgeviz.couplings._gromov import LogSteps, make_problem
        from bridgeviz.couplings._gromov_on_kernel import KernelSteps, Shapes

        mu, nu = self.marginals
        rows, columns = (np.log(side) for side in self._reference(tau, quadratic))
        settings: Any = {"tau": tau, "quadratic": quadratic, "tolerance": tolerance, "max_inner": max_inner}
        with jax.enable_x64(True):
            c_xx = _on_device(self.spaces[0], self.cost.source_atoms, self.scales[1], self.used.rows)
            c_yy = _on_device(self.spaces[1], self.cost.target_atoms, self.scales[2], self.used.columns)
            if self.method == "dense":
                shapes = Shapes(c_xx, c_yy, *(jnp.asarray(side) for side in (mu, nu, rows, columns)))
                return KernelSteps(self.write, shapes, alpha=alpha, epsilon=epsilon, **settings)
            fused, count = np.empty((len(mu), len(nu))), rows[:, None] + columns
            self.write(fused, slice(None))
            count[np.isinf(fused)] = -np.inf
            fused[np.isinf(fused)] = 0.0  # the reference measure says where no mass may go
            problem = make_problem(
                fused, c_xx, c_yy, mu, nu, count=count, fixed=tau == (1.0, 1.0), alpha=alpha, epsilon=epsilon
            )
            return LogSteps(problem, **settings)

    def write(self, out: np.ndarray, part: slice) -> None:
        """Put some rows of the cost between the atoms that take part into `out`, divided and perhaps squared; infinite
        where forbidden."""
        self.cost.write(out, part, rows=self.used.rows, columns=self.used.columns)
        out /= self.scales[0]
        if self.squared:
            np.square(out, out=out)

    def _reference(self, tau: tuple[float, float], quadratic: bool) -> tuple[np.ndarray, np.ndarray]:
        """The entropy's reference measure, the product of these two."""
        if quadratic:
            return self.marginals
        source, target = self.cost.source_atoms, self.cost.target_atoms
        return source.effective(tau[0])[self.used.rows], target.effective(tau[1])[self.used.columns]


def prepare(
    cost: Cost | ArrayLike | None,
    within: tuple[Within | ArrayLike, Within | ArrayLike] | None,
    *,
    needs_pairs: bool,
    merge: bool,
    scale_cost: float | None,
    squared: bool,
    tau: tuple[float, float],
    tolerance: float,
    choice: Callable[[Cost], tuple[str, str]],
) -> FusedProblem:
    """Check the three costs, merge equal rows and divide.

    Args:
        cost: between the spaces; None only if no pairs are needed.
        within: the cost within each space.
        needs_pairs: whether the cost between the spaces matters.
        merge, scale_cost, squared, tau, tolerance: as in `FGW`.
        choice: the method for a cost on its atoms, and why.
    """
    if within is None:
        raise check.fail("c_xx", "fgw", "given with c_yy, the costs within both spaces", None)
    cost = as_cost(_none(needs_pairs, *within) if cost is None else cost, "fgw")
    spaces = _checked(within[0], "c_xx", cost.shape[0]), _checked(within[1], "c_yy", cost.shape[1])
    alike = _agrees(spaces[0], cost.source_atoms) and _agrees(spaces[1], cost.target_atoms)
    if not merge or not alike:
        cost = cost.unmerged()
    method, why = choice(cost)
    u, v = cost.atom_shape
    others = {"dense": peak_bytes(u, v, "fgw dense", tolerance)}
    refuse_transport(u, v, f"fgw {method}", tolerance, others)
    if scale_cost is None:
        atoms = cost.source_atoms, cost.target_atoms
        c_xx, c_yy = (_mean(c, side.weights) or 1.0 for c, side in zip(spaces, atoms, strict=True))
        scales = positive_mean(cost, "fgw"), c_xx, c_yy
    else:
        scales = scale_cost, scale_cost, scale_cost
    used = support(cost, tau, "fgw")
    return FusedProblem(cost=cost, squared=squared, spaces=spaces, scales=scales, used=used, method=method, why=why)


def _mean(within: Within | np.ndarray, weights: np.ndarray | None) -> float:
    """The mean of a cost within a space, each entry with the product of its rows' weights."""
    if isinstance(within, Within):
        return within.mean(weights)
    return float(within.mean() if weights is None else weights @ within @ weights)


def _none(needs_pairs: bool, c_xx: Within | ArrayLike, c_yy: Within | ArrayLike) -> Cost:
    """What stands for the cost between the spaces if alpha 1 makes it irrelevant."""
    if needs_pairs or not (isinstance(c_xx, Within) and isinstance(c_yy, Within)):
        expected = "a Cost or an (n, m) matrix, but for alpha 1 between two costs.Within, which need none"
        raise check.fail("cost", "fgw", expected, None)
    return flat(c_xx.shape[0], c_yy.shape[0])


def _checked(value: Within | ArrayLike, name: str, size: int) -> Within | np.ndarray:
    """A cost within a space of `size` rows."""
    if not isinstance(value, Within):
        value = check.matrix(value, name, "fgw", columns=size, rows=1).astype(np.float64)
        if value.shape == (size, size) and not np.allclose(value, value.T, atol=1e-9 * np.abs(value).max()):
            raise check.fail(name, "fgw", "a symmetric matrix", "one that is not")
    if value.shape != (size, size):
        raise check.fail(name, "fgw", f"of shape ({size}, {size}), as the cost has it", f"shape {value.shape}")
    return value


def _agrees(within: Within | np.ndarray, atoms: Atoms) -> bool:
    """Whether rows that are one atom of the cost are equal in the cost within the space."""
    if not atoms.merged:
        return True
    whole = within if isinstance(within, np.ndarray) else within.metric.distinct(within.rows)
    return bool((whole == whole[atoms.rows][atoms.index]).all())


def _on_device(within: Within | np.ndarray, atoms: Atoms, scale: float, used: np.ndarray | slice) -> Chords | Matrix:
    """The cost between the atoms that take part on the device."""
    rows = atoms.rows[used]
    if isinstance(within, Within):
        return within.on(rows, scale)
    import jax.numpy as jnp

    from bridgeviz.costs import Matrix

    return Matrix(jnp.asarray(within[np.ix_(rows, rows)] / scale))
