"""A fused Gromov-Wasserstein problem before it is solved: checked, merged and divided."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz.costs import Atoms, Cost, Within, as_cost, positive_mean, refuse_above_limit

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
    """

    cost: Cost
    fused: np.ndarray
    spaces: tuple[Within | np.ndarray, Within | np.ndarray]
    scales: tuple[float, float]

    @property
    def marginals(self) -> tuple[np.ndarray, np.ndarray]:
        """(u,) and (v,) the masses of the atoms if all rows weigh the same."""
        source, target = self.cost.source_atoms, self.cost.target_atoms
        return source.multiplicity / len(source.index), target.multiplicity / len(target.index)

    def on_device(self, *, alpha: float, epsilon: float, quadratic: bool, balanced: bool) -> tuple[Problem, State]:
        """The problem and the plan to start from, in float64.

        Args:
            alpha, epsilon: of the problem.
            quadratic: whether the entropy's reference is the product of the marginals, instead of the counting measure.
            balanced: whether both marginals are enforced.
        """
        import jax

        from bridgeviz.couplings._gromov import make_problem, start

        (n, m), (mu, nu) = self.cost.shape, self.marginals
        with jax.enable_x64(True):
            c_xx = _on_device(self.spaces[0], self.cost.source_atoms, self.scales[0])
            c_yy = _on_device(self.spaces[1], self.cost.target_atoms, self.scales[1])
            problem = make_problem(
                self.fused, c_xx, c_yy, mu, nu, entries=1 if quadratic else n * m, fixed=balanced, alpha=alpha,
                epsilon=epsilon,
            )  # fmt: skip
            return problem, start(problem.mu, problem.nu)


def prepare(
    cost: Cost | ArrayLike | None,
    within: tuple[Within | ArrayLike, Within | ArrayLike] | None,
    *,
    needs_pairs: bool,
    merge: bool,
    scale_cost: float | None,
    squared: bool,
) -> FusedProblem:
    """Check the three costs, merge equal rows and divide.

    Args:
        cost: between the spaces; None only if no pairs are needed.
        within: the cost within each space.
        needs_pairs: whether the cost between the spaces matters.
        merge, scale_cost, squared: as in `FGW`.
    """
    if within is None:
        raise check.fail("c_xx", "fgw", "given with c_yy, the costs within both spaces", None)
    cost = as_cost(_constant(needs_pairs, *within) if cost is None else cost, "fgw")
    spaces = _checked(within[0], "c_xx", cost.shape[0]), _checked(within[1], "c_yy", cost.shape[1])
    alike = _agrees(spaces[0], cost.source_atoms) and _agrees(spaces[1], cost.target_atoms)
    if not merge or not alike:
        cost = cost.unmerged()
    refuse_above_limit(*cost.atom_shape, "transport", matrices=_MATRICES)
    if scale_cost is None:
        scales = positive_mean(cost, "fgw"), float(spaces[0].mean()) or 1.0, float(spaces[1].mean()) or 1.0
    else:
        scales = scale_cost, scale_cost, scale_cost
    fused = cost.on_atoms / scales[0]
    if squared:
        fused = fused**2
    return FusedProblem(cost=cost, fused=fused, spaces=spaces, scales=scales[1:])


def _constant(needs_pairs: bool, c_xx: Within | ArrayLike, c_yy: Within | ArrayLike) -> np.ndarray:
    """What stands for the cost between the spaces if alpha 1 makes it irrelevant."""
    if needs_pairs or not (isinstance(c_xx, Within) and isinstance(c_yy, Within)):
        expected = "a Cost or an (n, m) matrix, but for alpha 1 between two costs.Within, which need none"
        raise check.fail("cost", "fgw", expected, None)
    refuse_above_limit(c_xx.shape[0], c_yy.shape[0], "cost")
    return np.ones((c_xx.shape[0], c_yy.shape[0]))


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


def _on_device(within: Within | np.ndarray, atoms: Atoms, scale: float) -> SpaceCost:
    """The cost between atoms on the device."""
    if isinstance(within, Within):
        return within.on(atoms, scale)
    import jax.numpy as jnp

    from bridgeviz.costs import Matrix

    return Matrix(jnp.asarray(within[np.ix_(atoms.rows, atoms.rows)] / scale))
