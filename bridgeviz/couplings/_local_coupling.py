"""A plan that exists only batch by batch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import numpy as np
from scipy import sparse

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.costs import Cost, Within
from bridgeviz.couplings._batch_solver import BatchSolver
from bridgeviz.couplings._entries import count_pairs
from bridgeviz.couplings._plan import Plan
from bridgeviz.couplings._reports import DRAWS, RowShares, Verdict
from bridgeviz.couplings._rows_with_mass import RowsWithMass, from_draws
from bridgeviz.couplings._solver_options import SolverOptions

if TYPE_CHECKING:
    import jax

    from bridgeviz.couplings._batches import LocalSampler

TOLERANCE = 1e-2
"""L1 marginal error at which the transport of a batch stops."""

SAMPLES = 10_000
"""The number of draws from which the share of mass between rows of one group is estimated."""

_PROBES = 8


class Probe(NamedTuple):
    """How the transport of a few batches went.

    Attributes:
        converged: the share of batches whose solver reached its tolerance.
        marginal_error: L1 distance of a batch's marginals from the required ones, summed over both sides; mean.
        mass: mean.
        iterations: mean.
    """

    converged: float
    marginal_error: float
    mass: float
    iterations: float


@dataclass(frozen=True, eq=False, kw_only=True)
class LocalCoupling(Plan):
    """A coupling that exists only batch by batch: it can be sampled, and has no (n, m) plan.

    Attributes:
        cost: between the spaces.
        transport: the solver of each batch.
        batch_size: pairs drawn from each batch's plan by `sample`.
        ot_batch_size: rows of each space per batch.
        max_iterations: maximum number of Sinkhorn iterations per step.
        max_steps: maximum number of steps of an outer loop, if the solver has one.
        within: the costs within both spaces; None for a solver that does not need them.
    """

    cost: Cost
    transport: SolverOptions
    batch_size: int
    ot_batch_size: int
    max_iterations: int
    max_steps: int
    within: tuple[Within, Within] | None = None
    solver: str = "local"
    _kept: dict[int, np.ndarray] = field(default_factory=dict, init=False, repr=False)

    estimated = True

    @property
    def epsilon(self) -> float | None:
        """The entropy regularisation of each batch; None if the solver has none."""
        return self.transport.epsilon_for(self.cost)

    @property
    def tau(self) -> tuple[float, float] | None:
        """The (tau_x, tau_y) of each batch; None if the solver has none."""
        return getattr(self.transport, "tau", None)

    @property
    def alpha(self) -> float | None:
        """The weight of the Gromov-Wasserstein term; None if the solver has none."""
        return getattr(self.transport, "alpha", None)

    @cached_property
    def batch_solver(self) -> BatchSolver:
        """What couples a batch on the device."""
        return self.transport.batch(
            self.cost, tolerance=TOLERANCE, max_iterations=self.max_iterations, max_steps=self.max_steps
        )

    @cached_property
    def probe(self) -> Probe:
        """The transport of eight batches, solved when it is first asked for."""
        import jax

        from bridgeviz.couplings._batches import measure

        sampler = self.sampler()
        measured = [measure(sampler, jax.random.key(seed)) for seed in range(_PROBES)]
        return Probe(*(float(np.mean([float(batch[k]) for batch in measured])) for k in range(4)))

    @property
    def converged(self) -> bool:
        """Whether the transport of every probed batch converged, to a plan of finite numbers with mass."""
        return self.probe.converged == 1.0 and 0 < self.probe.mass < np.inf

    @property
    def marginal_error(self) -> float:
        """The mean over the probed batches."""
        return self.probe.marginal_error

    @property
    def mass(self) -> float:
        """The mean mass of the probed batches' plans."""
        return self.probe.mass

    @property
    def iterations(self) -> int:
        """The mean over the probed batches."""
        return round(self.probe.iterations)

    @property
    def advice(self) -> str:
        """What to try if not every batch converged, else ""."""
        if self.converged:
            return ""
        share = f"In {1 - self.probe.converged:.0%} of {_PROBES} batches"
        forbidden = " Matches are forbidden: larger batches leave each row more of the others." * (
            self.cost.forbidden is not None
        )
        return f"{share} {self.batch_solver.advice(self.marginal_error)}{forbidden}"

    @property
    def verdict(self) -> Verdict:
        """How the transport of the probed batches went, in words."""
        text = self.advice
        if self.converged:
            text = (
                f"Eight test batches of {self.ot_batch_size:,} rows per side converged, after {self.iterations} "
                "iterations on average."
            )
        return Verdict(self.converged, f"{text} There is no plan of all rows.")

    @property
    def shape(self) -> tuple[int, int]:
        """(n, m)."""
        return self.cost.shape

    @property
    def merged(self) -> bool:
        """Never: the rows of a batch are coupled as they are."""
        return False

    @property
    def whole(self) -> None:
        """There is none."""
        return None

    def dense(self) -> NoReturn:
        """There is none: an error that says so."""
        raise InputError("A local coupling has no (n, m) plan: it exists batch by batch. Use sample(seed, size).")

    marginals = dense

    def required(self) -> tuple[np.ndarray, np.ndarray]:
        """The share of the mass that each source row and each target row has to carry: its weight."""
        return self.cost.source_atoms.required, self.cost.target_atoms.required

    def sampler(self) -> LocalSampler:
        """The same on the device, for the training step."""
        import jax.numpy as jnp

        from bridgeviz.costs import Lookup
        from bridgeviz.couplings._batches import LocalSampler
        from bridgeviz.couplings._row_sampler import RowSampler

        source, target = self.cost.source_atoms.index, self.cost.target_atoms.index
        within = self.within
        return LocalSampler(
            source_factor=_on_device(self.cost.source_factor),
            target_factor=_on_device(self.cost.target_factor),
            source_index=jnp.asarray(source, jnp.int32),
            target_index=jnp.asarray(target, jnp.int32),
            spaces=None if within is None else (within[0].rows_on_device(), within[1].rows_on_device()),
            solver=self.batch_solver,
            combine=self.cost.combine,
            size=self.ot_batch_size,
            mu=RowSampler.of(self.cost.source_atoms.weights),
            nu=RowSampler.of(self.cost.target_atoms.weights),
            forbidden=None if self.cost.forbidden is None else Lookup.of(self.cost.forbidden),
        )

    def sample(self, seed: int, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Draw `size` row numbers (i, j), from as many batches as that takes.

        Batches are solved for it. The first 20,000 draws of the last seed are kept, for what reads them next.
        """
        size, seed = check.count(size, "size", "sample"), check.seed(seed, "seed", "sample")
        drawn = self._kept.get(seed, np.empty((2, 0), np.int32))
        if drawn.shape[1] < size:
            drawn = np.concatenate([drawn, self._draws(seed, drawn.shape[1], size)], axis=1)
            self._kept.clear()
            self._kept[seed] = drawn[:, : self.batch_size * -(-DRAWS // self.batch_size)]
        i, j = drawn[:, :size].copy()
        return i, j

    def _draws(self, seed: int, start: int, end: int) -> np.ndarray:
        """(2, r) draws of the batches that hold those from `start`, with which one begins, to `end`."""
        import jax

        from bridgeviz.couplings._batches import draw

        key, sampler = jax.random.key(seed), self.sampler()
        batches = range(start // self.batch_size, -(-end // self.batch_size))
        drawn = [draw(sampler, jax.random.fold_in(key, b), self.batch_size) for b in batches]
        return np.concatenate([np.stack(batch) for batch in drawn], axis=1)

    def between(
        self, source_groups: np.ndarray, target_groups: np.ndarray, sizes: tuple[int, int], *, seed: int = 0,
        samples: int | None = None,
    ) -> np.ndarray:  # fmt: skip
        """The number of draws between groups of rows, of 20,000 unless `samples` says otherwise."""
        i, j = self.sample(seed, DRAWS if samples is None else samples)
        return count_pairs(source_groups[i], target_groups[j], sizes)

    def agreement(
        self, source_groups: np.ndarray, target_groups: np.ndarray, size: int, *, seed: int = 0,
        samples: int | None = None,
    ) -> float:  # fmt: skip
        """The share of draws between rows of the same group, of 10,000 unless `samples` says otherwise."""
        i, j = self.sample(seed, SAMPLES if samples is None else samples)
        return float(np.mean(source_groups[i] == target_groups[j]))

    def shares_of_rows(
        self, rows: Sequence[int | None], distances: np.ndarray, neighbours: np.ndarray, target_groups: np.ndarray,
        size: int, *, seed: int = 0,
    ) -> list[RowShares]:  # fmt: skip
        """Where draws go that start at the points or their neighbours (see `Plan.shares_of_rows`)."""
        i, j = self.sample(seed, DRAWS)
        found = []
        for row, near in zip(rows, neighbours, strict=True):
            starts = near if row is None else np.append(near, row)
            ends = j[np.isin(i, starts)]
            counts = np.bincount(target_groups[ends], minlength=size).astype(float)
            shares = counts / max(counts.sum(), 1.0)
            found.append(RowShares(int(near[0] if row is None else row), shares, len(ends)))
        return found

    def rows_with_mass(
        self, source_groups: np.ndarray, target_groups: np.ndarray, size: int, *, seed: int = 0
    ) -> RowsWithMass:
        """An estimate from 20,000 draws (see `Plan.rows_with_mass`)."""
        return from_draws(*self.sample(seed, DRAWS), self.required(), (source_groups, target_groups), size)

    def distinct_rows(self, draws: float, *, seed: int = 0) -> float:
        """The distinct rows among `draws` draws of (i, j)."""
        return float(sum(len(np.unique(side)) for side in self.sample(seed, round(draws))))


def _on_device(factor: Any) -> jax.Array:
    import jax.numpy as jnp

    return jnp.asarray(factor.toarray() if sparse.issparse(factor) else np.asarray(factor), jnp.float32)
