"""A plan between the rows of two spaces, whether all of its entries exist or only batches of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from jaxtyping import Float, Int

from bridgeviz.couplings._reports import RowShares, Sampler, Verdict
from bridgeviz.couplings._rows_with_mass import RowsWithMass

if TYPE_CHECKING:
    from bridgeviz.couplings._coupling import Coupling


class Plan(ABC):
    """A coupling of the rows of two spaces: mass between source rows i and target rows j.

    A `Coupling` holds all of its mass, so that every number is exact. A `LocalCoupling` exists only batch by batch, so
    that its numbers are estimated from draws, and `whole` is None.

    Attributes:
        estimated: whether the numbers are estimated from draws.
        solver: the name of what made it: "true", "linear", "fgw", "assignment" or "local".
        mass: the total mass: 1 for a balanced plan; of a batch, on average, where there is no whole plan.
        converged: whether the solver reached its tolerance.
        marginal_error: L1 distance of the marginals from the required ones, summed over both sides.
        iterations: the number of iterations of the solver.
        epsilon, tau, alpha: of the problem that it solves; None where it has none.
        advice: what to try if the solver did not converge, else "".
    """

    estimated: ClassVar[bool]
    solver: str
    mass: float
    converged: bool
    marginal_error: float
    iterations: int
    epsilon: float | None
    tau: tuple[float, float] | None
    alpha: float | None
    advice: str

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(n, m)."""

    @property
    @abstractmethod
    def merged(self) -> bool:
        """Whether equal rows were merged before solving."""

    @property
    @abstractmethod
    def whole(self) -> Coupling | None:
        """This plan with all of its entries; None if it exists only batch by batch."""

    @property
    @abstractmethod
    def verdict(self) -> Verdict:
        """How the transport went, in words."""

    @property
    def effort(self) -> str:
        """Which method solved it, how long that took and with how much memory, and why it was taken; "" if unknown.

        It varies between runs, unlike the verdict.
        """
        return ""

    @abstractmethod
    def dense(self) -> Float[np.ndarray, "n m"]:
        """The whole (n, m) matrix."""

    @abstractmethod
    def marginals(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
        """The mass of each source row and of each target row."""

    @abstractmethod
    def required(self) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " m"]]:
        """The share of the mass that each source row and each target row has to carry: its weight."""

    @abstractmethod
    def sample(self, seed: int, size: int) -> tuple[Int[np.ndarray, " size"], Int[np.ndarray, " size"]]:
        """Draw (i, j) row numbers from the normalised plan."""

    @abstractmethod
    def sampler(self) -> Sampler:
        """The same on the device, for the training step."""

    @abstractmethod
    def between(
        self, source_groups: np.ndarray, target_groups: np.ndarray, sizes: tuple[int, int], *, seed: int = 0,
        samples: int | None = None,
    ) -> np.ndarray:  # fmt: skip
        """The mass between groups of rows.

        Args:
            source_groups: (n,) the group of each source row, from 0.
            target_groups: (m,) the group of each target row, from 0.
            sizes: (a, b) the numbers of groups.
            seed: of the draws.
            samples: the number of draws to estimate it from; None takes the exact mass where there is one.

        Returns:
            (a, b) masses, or numbers of draws.
        """

    @abstractmethod
    def agreement(
        self, source_groups: np.ndarray, target_groups: np.ndarray, size: int, *, seed: int = 0,
        samples: int | None = None,
    ) -> float:  # fmt: skip
        """The share of the mass between rows of the same group, in [0, 1]; arguments as in `between`."""

    @abstractmethod
    def shares_of_rows(
        self, rows: Sequence[int | None], distances: np.ndarray, neighbours: np.ndarray, target_groups: np.ndarray,
        size: int, *, seed: int = 0,
    ) -> list[RowShares]:  # fmt: skip
        """Where some points go, by group of target rows.

        For a point that is not a source row, or whose row carries no mass, the nearest source row with mass stands in.
        Without a whole plan, the shares are counted from draws that start at the point or its neighbours.

        Args:
            rows: the points' source rows; None for a new point.
            distances: (s, n) from each point to every source row.
            neighbours: (s, k) its nearest source rows, without itself.
            target_groups: (m,) the group of each target row, from 0.
            size: the number of groups.
            seed: of the draws.
        """

    @abstractmethod
    def rows_with_mass(
        self, source_groups: np.ndarray, target_groups: np.ndarray, size: int, *, seed: int = 0
    ) -> RowsWithMass:
        """Which rows carry mass, and how many of all rows go to their own group; arguments as in `between`."""

    @abstractmethod
    def distinct_rows(self, draws: float, *, seed: int = 0) -> float:
        """The number of distinct rows of both sides among `draws` draws from each marginal.

        Args:
            draws: need not be whole.
            seed: of the draws, where the expected number can't be computed.
        """
