"""A fused Gromov-Wasserstein problem before it is solved: checked, merged and divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Atoms, Cost, Within, as_cost, flat, positive_mean, refuse_above_limit
from bridgeviz.couplings._permitted import Support, support

if TYPE_CHECKING:
    from bridgeviz.couplings._gromov import Problem, SpaceCost, State

_MATRICES = 11
"""Matrices of the problem's shape at the peak of the memory, together with what is later read from the plan."""


@dataclass(frozen=True, eq=False, kw_only=True)
class FusedProblem:
    """The three costs on merged atoms, and their scales.

    Attributes:
        cost: between the spaces, merged or not.
        fused: (u, v) the same on atoms, divided and perhaps squared.
        spaces: the cost within each space, not divided.
        scales: its divisors.
        used: the atoms that take part.
    """

    cost: Cost
    fused: np.ndarray
    spaces: tuple[Within | np.ndarray, Within | np.ndarray]
    scales: tuple[float, float]
    used: Support

    @property
    def marginals(self) -> tuple[np.ndarray, np.ndarray]:
        """The masses of the atoms that take part."""
        return self.cost.source_atoms.mass[self.used.rows], self.cost.target_atoms.mass[self.used.columns]

    def on_device(
        self, *, alpha: float, epsilon: float, tau: tuple[float, float], quadratic: bool
    ) -> tuple[Problem, State]:
        """The problem and the plan to start from, in float64.

        Args:
            alpha, epsilon, tau: of the problem.
            quadratic: whether the entropy's reference is the product of the marginals, instead of the counting measure.
        """
        import jax

        from bridgeviz.couplings._gromov import make_problem, start

        mu, nu = self.marginals
        with jax.enable_x64(True):
            c_xx = _on_device(self.spaces[0], self.cost.source_atoms, self.scales[0], self.used.rows)
            c_yy = _on_device(self.spaces[1], self.cost.target_atoms, self.scales[1], self.used.columns)
            problem = make_problem(
                self.used.part(self.fused), c_xx, c_yy, mu, nu, count=self._count(tau, quadratic),
                fixed=tau == (1.0, 1.0), alpha=alpha, epsilon=epsilon,
            )  # fmt: skip
            return problem, start(problem.mu, problem.nu)

    def _count(self, tau: tuple[float, float], quadratic: bool) -> np.ndarray:
        """The logarithm of the entropy's reference measure, with none of it on forbidden matches."""
        source, target = self.cost.source_atoms, self.cost.target_atoms
        if quadratic:
            rows, columns = self.marginals
        else:
            rows = source.effective(tau[0])[self.used.rows]
            columns = target.effective(tau[1])[self.used.columns]
        count = np.log(rows)[:, None] + np.log(columns)
        if self.cost.forbidden is not None:
            u, v = self.cost.atom_shape
            count[self.cost.forbidden.block(np.arange(u)[self.used.rows], np.arange(v)[self.used.columns])] = -np.inf
        return count


def prepare(
    cost: Cost | ArrayLike | None,
    within: tuple[Within | ArrayLike, Within | ArrayLike] | None,
    *,
    needs_pairs: bool,
    merge: bool,
    scale_cost: float | None,
    squared: bool,
    tau: tuple[float, float],
) -> FusedProblem:
    """Check the three costs, merge equal rows and divide.

    Args:
        cost: between the spaces; None only if no pairs are needed.
        within: the cost within each space.
        needs_pairs: whether the cost between the spaces matters.
        merge, scale_cost, squared, tau: as in `FGW`.
    """
    if within is None:
        raise check.fail("c_xx", "fgw", "given with c_yy, the costs within both spaces", None)
    cost = as_cost(_none(needs_pairs, *within) if cost is None else cost, "fgw")
    spaces = _checked(within[0], "c_xx", cost.shape[0]), _checked(within[1], "c_yy", cost.shape[1])
    alike = _agrees(spaces[0], cost.source_atoms) and _agrees(spaces[1], cost.target_atoms)
    if not merge or not alike:
        cost = cost.unmerged()
    refuse_above_limit(*cost.atom_shape, "transport", matrices=_MATRICES)
    if scale_cost is None:
        atoms = cost.source_atoms, cost.target_atoms
        c_xx, c_yy = (_mean(c, side.weights) or 1.0 for c, side in zip(spaces, atoms, strict=True))
        scales = positive_mean(cost, "fgw"), c_xx, c_yy
    else:
        scales = scale_cost, scale_cost, scale_cost
    fused = cost.on_atoms / scales[0]
    if cost.forbidden is not None:
        fused = np.where(np.isinf(fused), 0.0, fused)  # the reference measure says where no mass may go
    if squared:
        fused = fused**2
    used = support(cost, tau, "fgw")
    return FusedProblem(cost=cost, fused=fused, spaces=spaces, scales=scales[1:], used=used)


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


def _on_device(within: Within | np.ndarray, atoms: Atoms, scale: float, used: np.ndarray | slice) -> SpaceCost:
    """The cost between the atoms that take part on the device."""
    rows = atoms.rows[used]
    if isinstance(within, Within):
        return within.on(rows, scale)
    import jax.numpy as jnp

    from bridgeviz.costs import Matrix

    return Matrix(jnp.asarray(within[np.ix_(rows, rows)] / scale))
