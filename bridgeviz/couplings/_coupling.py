"""A plan between the rows of two spaces that holds all of its entries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import ArrayLike
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._units import duration, memory
from bridgeviz.costs import Atoms, refuse_above_limit
from bridgeviz.couplings._entries import (
    as_dense,
    as_sparse,
    count_entries,
    count_pairs,
    draw_entries,
    group_shares,
    random_members,
    sums,
    times,
)
from bridgeviz.couplings._factored import Factored
from bridgeviz.couplings._largest import largest_entries
from bridgeviz.couplings._plan import Plan
from bridgeviz.couplings._reports import ASKED, METHODS, Refinement, RowShares, Verdict
from bridgeviz.couplings._rows_with_mass import RowsWithMass, from_marginals

if TYPE_CHECKING:
    from bridgeviz.couplings._sampler import PlanSampler


@dataclass(frozen=True, eq=False)
class Coupling(Plan):
    """A plan pi (n, m) between the rows of two spaces, kept on merged atoms.

    The rows of an atom share its mass equally, or as `Atoms.shares` says if they have weights.

    Attributes:
        plan: (u, v) mass between atoms, dense, sparse or factored; >= 0. A dense plan of more than 4 million entries
            may be float32. All numbers below are summed in float64.
        source_atoms, target_atoms: which rows the atoms stand for.
        solver: the name of what made it.
        converged: whether the solver reached its tolerance.
        marginal_error: L1 distance of the plan's marginals from the required ones, summed over both sides. For an
            unbalanced plan, whose marginals may differ by design, the residual of the solver's fixed point.
        iterations: the number of iterations of the solver.
        epsilon, tau: of the problem it solves; None if nothing was solved.
        advice: what to try if it did not converge, else "".
        alpha: the weight of the Gromov-Wasserstein term; None if the solver has none.
        refinement: how it was refined; None if it was not.
        method: what solved it, where a solver has several (see `Linear`); else "".
        why: this method was taken.
        seconds: that it took.
        memory: the bytes that the process held at most, beyond those before; 0 where that is not known.
        potentials: (v,) the dual potentials of the target atoms, in units of the divided cost, for `linear(start=...)`;
            None where the method keeps none, and 0 for atoms that take no part.
    """

    plan: np.ndarray | sparse.csr_array | Factored
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
    refinement: Refinement | None = None
    method: str = ""
    why: str = ""
    seconds: float = 0.0
    memory: int = 0
    potentials: np.ndarray | None = None

    estimated = False

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return len(self.source_atoms.index), len(self.target_atoms.index)

    @property
    def mass(self) -> float:
        """Total mass: 1 for a balanced plan. An unbalanced plan's mass grows with n; sampling normalises it."""
        return float(sums(self.plan))

    @property
    def merged(self) -> bool:
        """Whether equal rows were merged before solving."""
        return self.source_atoms.merged or self.target_atoms.merged

    @property
    def whole(self) -> Coupling:
        """This plan."""
        return self

    @property
    def verdict(self) -> Verdict:
        """How the transport went, in words."""
        if self.solver == "true":
            return Verdict(True, "The plan consists of the pairs themselves: nothing had to be solved.")
        text = self.advice
        if self.converged:
            steps = "iterations" if self.alpha is None else f"steps at alpha {self.alpha:g}"
            epsilon = "" if self.epsilon is None else f", with epsilon {self.epsilon:g}"
            text = f"Converged after {self.iterations:,} {steps}{epsilon}."
        if self.merged:
            (n, m), u, v = self.shape, len(self.source_atoms), len(self.target_atoms)
            text += f" Equal rows were merged: {n:,} x {m:,} became {u:,} x {v:,}, which is exact."
        if self.refinement is not None:
            text += f" {self.refinement.text}"
        return Verdict(self.converged, text)

    @property
    def effort(self) -> str:
        """Which method solved it, how long that took and with how much memory, and why it was taken; "" if unknown."""
        if not self.seconds:
            return ""
        last = self.refinement is not None and self.refinement.rounds > 0
        text = ("The last round was solved" if last else "Solved") + (
            f" by {METHODS[self.method]} ('{self.method}')" if self.method in METHODS else ""
        )
        text += f" in {duration(self.seconds)}" + (f" with {size}" if (size := memory(self.memory)) else "")
        if not self.why:
            return f"{text}."
        return f"{text}, {self.why}." if self.why == ASKED else f"{text}, because {self.why}."

    def dense(self) -> Float[np.ndarray, "n m"]:
        """The whole (n, m) matrix."""
        refuse_above_limit(*self.shape, "plan")
        plan = as_dense(self.plan)
        source, target = self.source_atoms, self.target_atoms
        if source.weights is None and target.weights is None:
            return (plan / source.multiplicity[:, None] / target.multiplicity)[np.ix_(source.index, target.index)]
        return plan[np.ix_(source.index, target.index)] * source.shares[:, None] * target.shares

    def row(self, i: int) -> Float[np.ndarray, " m"]:
        """pi(. | x_i): where source row i goes, summing to 1; all zeros if it carries no mass."""
        i = check.count(i, "i", "row", least=0, most=self.shape[0] - 1)
        atom = self.source_atoms.index[i]
        mass = as_dense(self.plan[[atom], :])[0]
        total = mass.sum()
        if self.source_atoms.shares[i] == 0 or total == 0:
            return np.zeros(self.shape[1])
        return (mass / total)[self.target_atoms.index] * self.target_atoms.shares

    def block(self, rows: ArrayLike, columns: ArrayLike) -> Float[np.ndarray, "r c"]:
        """The entries of the given source rows and target rows."""
        rows, columns = np.asarray(rows), np.asarray(columns)
        shares = self.source_atoms.shares[rows][:, None] * self.target_atoms.shares[columns]
        return as_dense(self.plan[self.source_atoms.index[rows]][:, self.target_atoms.index[columns]]) * shares

    def marginals(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
        """The mass of each source row and of each target row."""
        rows, columns = (np.asarray(sums(self.plan, axis)) for axis in (1, 0))
        return (
            rows[self.source_atoms.index] * self.source_atoms.shares,
            columns[self.target_atoms.index] * self.target_atoms.shares,
        )

    def times(self, matrix: Float[np.ndarray, "v k"]) -> Float[np.ndarray, "u k"]:
        """The product of `plan` and a matrix with a row for each target atom, in float64."""
        return times(self.plan, matrix)

    def required(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
        """The share of the mass that each source row and each target row has to carry: its weight."""
        return self.source_atoms.required, self.target_atoms.required

    def sample(self, seed: int, size: int) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """Draw (i, j) row numbers from the normalised plan."""
        size = check.count(size, "size", "sample")
        rng = np.random.default_rng(check.seed(seed, "seed", "sample"))
        self._require_mass("sample")
        u, v = draw_entries(self.plan, rng, size)
        return random_members(self.source_atoms, u, rng), random_members(self.target_atoms, v, rng)

    def sampler(self) -> PlanSampler:
        """The same on the device, for the training step."""
        from bridgeviz.couplings._sampler import PlanSampler

        self._require_mass("sampler")
        return PlanSampler.of(self.plan, self.source_atoms, self.target_atoms, self.marginals())

    def _require_mass(self, where: str) -> None:
        if not self.mass > 0:
            raise check.fail("plan", where, "a coupling with mass", f"mass {self.mass}", "Raise tau or epsilon.")

    def between(
        self, source_groups: np.ndarray, target_groups: np.ndarray, sizes: tuple[int, int], *, seed: int = 0,
        samples: int | None = None,
    ) -> np.ndarray:  # fmt: skip
        """The mass between groups of rows, exactly, or counted from `samples` draws (see `Plan.between`)."""
        if samples is not None:
            i, j = self.sample(seed, samples)
            return count_pairs(source_groups[i], target_groups[j], sizes)
        of_source = group_shares(self.source_atoms, source_groups, sizes[0])
        of_target = group_shares(self.target_atoms, target_groups, sizes[1])
        return of_source.T @ self.times(of_target)

    def agreement(
        self, source_groups: np.ndarray, target_groups: np.ndarray, size: int, *, seed: int = 0,
        samples: int | None = None,
    ) -> float:  # fmt: skip
        """The share of the mass between rows of the same group, exactly, or among `samples` draws."""
        if samples is not None:
            i, j = self.sample(seed, samples)
            return float(np.mean(source_groups[i] == target_groups[j]))
        of_source = group_shares(self.source_atoms, source_groups, size)
        of_target = group_shares(self.target_atoms, target_groups, size)
        matched = float((self.times(of_target) * of_source).sum())
        return matched / self.mass if self.mass > 0 else 0.0

    def shares_of_rows(
        self, rows: Sequence[int | None], distances: np.ndarray, neighbours: np.ndarray, target_groups: np.ndarray,
        size: int, *, seed: int = 0,
    ) -> list[RowShares]:  # fmt: skip
        """Where source rows go, or the nearest ones that carry mass (see `Plan.shares_of_rows`); no draws are made."""
        mass = self.marginals()[0]
        carrying, found = np.flatnonzero(mass > 0), []
        for row, apart, near in zip(rows, distances, neighbours, strict=True):
            if row is None or mass[row] <= 0:
                row = int(carrying[apart[carrying].argmin()]) if len(carrying) else int(near[0])
            found.append(RowShares(row, np.bincount(target_groups, weights=self.row(row), minlength=size), 0))
        return found

    def rows_with_mass(
        self, source_groups: np.ndarray, target_groups: np.ndarray, size: int, *, seed: int = 0
    ) -> RowsWithMass:
        """Exactly, from the marginals (see `Plan.rows_with_mass`); no draws are made."""
        sent = self.times(group_shares(self.target_atoms, target_groups, size))
        own = sent[self.source_atoms.index, source_groups] * self.source_atoms.shares
        return from_marginals(self.marginals(), self.required(), own, (source_groups, target_groups), size)

    def distinct_rows(self, draws: float, *, seed: int = 0) -> float:
        """The expected number: row i with share p_i is among N draws with probability `1 - (1 - p_i)^N`."""
        total = 0.0
        for mass in self.marginals():
            share = mass / mass.sum() if mass.sum() > 0 else mass
            total += float(-np.expm1(draws * np.log1p(-np.minimum(share, 1 - 1e-16))).sum())
        return total

    def sparse(self, *, most: int = 20_000_000) -> tuple[sparse.csr_array, float]:
        """The (n, m) plan as CSR, and the share of its mass that this keeps.

        A small plan is kept whole. In a large one, entries below 1e-8 of their row's mass are dropped, and at most
        about `most` are kept: the same number in each row, the largest ones.
        """
        if not self.merged and count_entries(self.plan) <= most // 10:
            return as_sparse(self.plan), 1.0
        kept = largest_entries(self.plan, self.source_atoms, self.target_atoms, most=most)
        return kept, float(kept.sum() / self.mass)
