"""What a coupling is: a plan on merged atoms, with its own verdict."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz.costs.atoms import Atoms
from bridgeviz.costs.cost import refuse_above_limit
from bridgeviz.couplings.sampler import PlanSampler


@dataclass(frozen=True, eq=False)
class Coupling:
    """A plan pi (n, m) between the rows of two spaces, kept on merged atoms; rows of one atom share its mass equally.

    Attributes:
        plan: (u, v) mass between atoms, dense or sparse; >= 0.
        source_atoms, target_atoms: which rows the atoms stand for.
        solver: what made it.
        converged: whether the solver reached its tolerance.
        marginal_error: L1 distance of the plan's marginals to the ones asked for, both sides added up. For an
            unbalanced plan, whose marginals may differ by design, the residual of the solver's fixed point.
        iterations: of the solver.
        epsilon, tau: of the problem it solves; None where there was none.
        advice: what to try when it did not converge, else "".
        alpha: the weight of the Gromov-Wasserstein term; None where the solver has none.
    """

    plan: np.ndarray | sparse.csr_array
    source_atoms: Atoms
    target_atoms: Atoms
    solver: str
    converged: bool = True
    marginal_error: float = 0.0
    iterations: int = 0
    epsilon: float | None = None
    tau: tuple[float, float] | None = None
    advice: str = ""
    alpha: float | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self.source_atoms.index), len(self.target_atoms.index)

    @property
    def mass(self) -> float:
        """Total mass: 1 for a balanced plan. An unbalanced plan's mass grows with n; sampling normalises it."""
        return float(self.plan.sum())

    @property
    def merged(self) -> bool:
        """Whether equal rows were merged before solving."""
        return self.source_atoms.merged or self.target_atoms.merged

    def dense(self) -> Float[np.ndarray, "n m"]:
        """The whole (n, m) matrix."""
        refuse_above_limit(*self.shape, "plan")
        plan = _dense(self.plan)
        shared = plan / self.source_atoms.multiplicity[:, None] / self.target_atoms.multiplicity
        return shared[np.ix_(self.source_atoms.index, self.target_atoms.index)]

    def row(self, i: int) -> Float[np.ndarray, " m"]:
        """pi(. | x_i): where source row i goes, summing to 1; all zeros if it carries no mass."""
        i = check.count(i, "i", "row", least=0, most=self.shape[0] - 1)
        atom = self.source_atoms.index[i]
        mass = _dense(self.plan[[atom], :])[0]
        total = mass.sum()
        share = mass / total if total > 0 else mass
        return (share / self.target_atoms.multiplicity)[self.target_atoms.index]

    def marginals(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
        """The mass of each source row and of each target row."""
        rows, columns = (np.asarray(self.plan.sum(axis=axis)).reshape(-1) for axis in (1, 0))
        return (
            (rows / self.source_atoms.multiplicity)[self.source_atoms.index],
            (columns / self.target_atoms.multiplicity)[self.target_atoms.index],
        )

    def sample(self, seed: int, size: int) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """Draw (i, j) row numbers from the normalised plan."""
        size = check.count(size, "size", "sample")
        rng = np.random.default_rng(check.seed(seed, "seed", "sample"))
        self._needs_mass("sample")
        flat = sparse.csr_array(self.plan)
        cdf = np.cumsum(flat.data)
        at = np.minimum(np.searchsorted(cdf, rng.random(size) * cdf[-1], side="right"), len(cdf) - 1)
        u = np.searchsorted(flat.indptr, at, side="right") - 1
        return _member(self.source_atoms, u, rng), _member(self.target_atoms, flat.indices[at], rng)

    def sampler(self) -> PlanSampler:
        """The device's side of `sample`, for the training step."""
        self._needs_mass("sampler")
        return PlanSampler.of(self.plan, self.source_atoms.rows, self.target_atoms.rows, self.marginals())

    def _needs_mass(self, where: str) -> None:
        if not self.mass > 0:
            raise check.fail("plan", where, "a coupling with mass", f"mass {self.mass}", "Raise tau or epsilon.")

    def sparse(self, *, most: int = 20_000_000) -> tuple[sparse.csr_array, float]:
        """The (n, m) plan as CSR, and the share of its mass that this keeps.

        A small plan is kept whole. Of a large one, entries below 1e-8 of their row's mass are left out, and at most
        about `most` are kept: the same number in each row, its largest.
        """
        n, m = self.shape
        plan: Any = sparse.csr_array(self.plan)
        if not self.merged and plan.nnz <= most // 10:
            return plan, 1.0
        order, starts = self.target_atoms.members()
        counts, members = self.target_atoms.multiplicity, np.split(order, starts[1:])
        room = max(1, most // n)
        pieces = []
        for u in range(plan.shape[0]):
            columns = plan.indices[plan.indptr[u] : plan.indptr[u + 1]]
            mass = plan.data[plan.indptr[u] : plan.indptr[u + 1]] / self.source_atoms.multiplicity[u]
            keep = mass > 1e-8 * mass.sum()
            columns, mass = columns[keep], mass[keep]
            largest = np.argsort(-mass / counts[columns], kind="stable")
            largest = largest[: max(1, int(np.searchsorted(np.cumsum(counts[columns[largest]]), room, side="right")))]
            columns, mass = columns[largest], mass[largest]
            index = np.concatenate([members[c] for c in columns]) if len(columns) else np.zeros(0, np.int64)
            pieces.append((index, np.repeat(mass / counts[columns], counts[columns])))
        rows = [pieces[u] for u in self.source_atoms.index]
        indptr = np.concatenate([[0], np.cumsum([len(index) for index, _ in rows])])
        out = sparse.csr_array(
            (np.concatenate([mass for _, mass in rows]), np.concatenate([index for index, _ in rows]), indptr),
            shape=(n, m),
        )
        out.sort_indices()
        return out, float(out.sum() / self.mass)


def _dense(plan: Any) -> np.ndarray:
    return plan if isinstance(plan, np.ndarray) else plan.toarray()


def _member(atoms: Atoms, u: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A random row of each atom."""
    order, starts = atoms.members()
    return order[starts[u] + (rng.random(len(u)) * atoms.multiplicity[u]).astype(np.int64)]
