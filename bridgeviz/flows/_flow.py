"""The learned flow: transport of new source points to the target space (Eq. 9, 12)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jax
import numpy as np
from flax import nnx
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._options import pick
from bridgeviz.flows import _reweighting as reweighting
from bridgeviz.flows._conditional_mean import BLOCK, antithetic, expected_end
from bridgeviz.flows._config import FlowConfig
from bridgeviz.flows._flow_folder import FlowParts, read_flow, write_flow
from bridgeviz.flows._linear_map import LinearMap
from bridgeviz.flows._ode import OdeOptions
from bridgeviz.flows._ode_solvers import ODE_SOLVERS
from bridgeviz.flows._reweighting import Masses
from bridgeviz.flows._scaling import Scaling
from bridgeviz.flows._trajectory import Draws, Trajectory
from bridgeviz.flows._transport import follow_in_blocks

_FAR = 1e6
"""Standard deviations beyond which float32 and the network are meaningless."""

_ROWS = 2**14
"""Rows that are checked at a time."""


@dataclass(frozen=True, eq=False)
class Flow:
    """A trained velocity field with the scalings of both spaces. Made by `fit` or `Flow.load`.

    Attributes:
        config: settings of its training.
        graph, params: structure and weights of the velocity field (flax).
        source, target: scalings of the two spaces.
        masses: reweighting functions, if they were learned; else None.
        base: the linear map whose residual the flow carries; None if it carries the target itself.
    """

    config: FlowConfig
    graph: nnx.GraphDef
    params: nnx.State
    source: Scaling
    target: Scaling
    masses: Masses | None = None
    base: LinearMap | None = None

    def transport(
        self,
        x: ArrayLike,
        *,
        seed: int = 0,
        ts: Sequence[float] = (0.0, 1.0),
        solver: str | OdeOptions = "heun",
        **options: float,
    ) -> Trajectory:
        """Carry source points to the target space: `y = ODESolve(v(. | x), z, 0, 1)`, z ~ N(0, I_q) (Eq. 12).

        Args:
            x: (n, p) source points, any n >= 1.
            seed: seed of the noise, one draw per point.
            ts: times in [0, 1] to report, in increasing order; 0 is noise (around the prediction of `base`, if there is
                one), 1 the result.
            solver: a name in `ODE_SOLVERS`, or an `OdeOptions` object such as `Heun(steps=20)`: "heun" and "rk4" (the
                classic Runge-Kutta method) take equal steps, "tsit5" is adaptive (diffrax).
            options: of the solver: `steps` (of "heun" and "rk4", 20 by default), `tolerance` (of "tsit5", relative and
                absolute, 1e-4 by default). Options of other solvers are checked and ignored.

        Returns:
            `Trajectory`: `.states[-1]` are the transported points if `ts` ends at 1.

        Raises:
            InputError: x has other dimensions than the flow was trained on, ts leaves [0, 1], or the solver failed.
        """
        times = _increasing_times(ts, "transport")
        parts = self._in_blocks(x, 1, seed, ts, solver, options)
        return Trajectory(times, np.concatenate(list(parts), axis=1))

    def transport_in_blocks(
        self,
        x: ArrayLike,
        *,
        samples: int = 1,
        seed: int = 0,
        ts: Sequence[float] = (1.0,),
        solver: str | OdeOptions = "heun",
        **options: float,
    ) -> Iterator[Float[np.ndarray, "T k q"]]:
        """Carry source points to the target space, some at a time: for more points than fit into memory (Eq. 12).

        Args:
            x: (n, p) source points, any n >= 1, such as a memory map.
            samples: how often all points are carried, each time from other noise; the points come in the order
                of `x`, then all of them again.
            seed, ts, solver, options: as for `transport`, which returns the same numbers.

        Returns:
            An iterator over the states of successive points at the times `ts`, in the units of the target space. What
            is wrong with the arguments is said before the first block.

        Raises:
            InputError: as for `transport`; while iterating, if the solver failed.
        """
        return self._in_blocks(x, check.count(samples, "samples", "transport"), seed, ts, solver, options)

    def _in_blocks(
        self,
        x: ArrayLike,
        samples: int,
        seed: int,
        ts: Sequence[float],
        solver: str | OdeOptions,
        options: Mapping[str, float],
    ) -> Iterator[np.ndarray]:
        where = "transport"
        x = check.matrix(x, "x", where, columns=len(self.source.mean), rows=1)
        times = _increasing_times(ts, where)
        method = pick(ODE_SOLVERS, solver, options, "solver", where, OdeOptions)
        seed = check.seed(seed, "seed", where)
        self._refuse_far(self.source, x, "x", where)

        def source(rows: np.ndarray) -> np.ndarray:
            return self.source.standardise(x[rows % len(x)]).astype(np.float32)

        blocks = follow_in_blocks(
            self.graph, self.params, source, size=samples * len(x), columns=len(self.target.mean), seed=seed, ts=times,
            solver=method,
        )  # fmt: skip
        return (self._placed(source(rows), states) for rows, states in blocks)

    def mean(self, x: ArrayLike, *, draws: int = 16, seed: int = 0) -> Float[np.ndarray, "n q"]:
        """The mean of the target given the source point, `E[y | x]`, from the velocity at t = 0.

        At t = 0 a point is pure noise, so the velocity that minimises the loss (Eq. 4) is `E[y | x] - z`, and
        `z + v_0(z | x)` is the mean for any z. A trained network only comes close to that, and its error varies with z:
        the average over several draws has less of it. One draw costs one evaluation of the network, where a transport
        takes dozens; and the mean is the prediction of least squared error, while transported points also have the
        spread of `pi(. | x)`.

        Args:
            x: (n, p) source points, any n >= 1.
            draws: of the noise, the same for all points.
            seed: of the noise.

        Raises:
            InputError: x has other dimensions than the flow was trained on.
        """
        where = "mean"
        x = check.matrix(x, "x", where, columns=len(self.source.mean), rows=1)
        draws = check.count(draws, "draws", where)
        noise = antithetic(jax.random.key(check.seed(seed, "seed", where)), draws, len(self.target.mean))
        scaled = self._scaled(self.source, x, "x", where)
        block = min(BLOCK, 1 << (len(x) - 1).bit_length())
        parts = []
        for start in range(0, len(x), block):
            rows = np.minimum(np.arange(start, start + block), len(x) - 1)
            parts.append(np.asarray(expected_end(self.graph, self.params, scaled[rows], noise))[: len(x) - start])
        return self._placed(scaled, np.concatenate(parts))

    def draws(
        self,
        x: ArrayLike,
        *,
        samples: int = 8,
        seed: int = 0,
        solver: str | OdeOptions = "heun",
        **options: float,
    ) -> Draws:
        """Carry each source point several times, each time from different noise: several draws from pi(. | x).

        Args:
            x: (n, p) source points.
            samples: draws per point, at least 2.
            seed: seed of the noise.
            solver, options: as for `transport`.

        Returns:
            `Draws`: all endpoints, their mean and their spread. A wide spread means that the flow is uncertain, or that
            the plan sends the point to several places.

        Raises:
            InputError: as for `transport`.
        """
        samples = check.count(samples, "samples", "draws", least=2)
        x = check.matrix(x, "x", "draws", columns=len(self.source.mean), rows=1)
        if "ts" in options:
            raise check.fail("ts", "draws", "left out: the ends at t = 1 are returned", check.describe(options["ts"]))
        blocks = self._in_blocks(x, samples, seed, (1.0,), solver, options)
        points = np.concatenate(list(blocks), axis=1).reshape(samples, len(x), -1)
        return Draws(points, points.mean(0), points.std(0, ddof=1))

    def source_mass(self, x: ArrayLike) -> Float[np.ndarray, " n"]:
        """`eta(x) = n pi_X(x)` (Appendix L.1): the mass of a source point in the plan; in a balanced plan it is 1.

        Args:
            x: (n, p) source points.

        Raises:
            InputError: the flow was trained without reweighting.
        """
        return self._mass(x, "x", "source_mass", self.source, "eta")

    def target_mass(self, y: ArrayLike) -> Float[np.ndarray, " m"]:
        """`xi(y) = m pi_Y(y)` (Appendix L.1): the mass of a target point in the plan; in a balanced plan it is 1.

        Args:
            y: (m, q) target points.

        Raises:
            InputError: the flow was trained without reweighting.
        """
        return self._mass(y, "y", "target_mass", self.target, "xi")

    def _mass(self, x: ArrayLike, name: str, where: str, scaling: Scaling, which: str) -> np.ndarray:
        x = check.matrix(x, name, where, columns=len(scaling.mean), rows=1)
        if self.masses is None:
            raise InputError(
                f"{where}() needs a flow that learned how much mass its plan leaves at each point; this one did not. "
                "Train with FlowConfig(reweight=True), or on an unbalanced plan."
            )
        graph, _ = reweighting.structure(x.shape[1])
        scaled = self._scaled(scaling, x, name, where)
        shares = reweighting.evaluate(graph, getattr(self.masses, which), scaled)
        return self.masses.mean * np.asarray(shares, np.float64)

    def _placed(self, x: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """What the network carries, (..., n, q) for standardised source points x, in the units of the target space."""
        return self.target.restore(ends if self.base is None else self.base(x) + self.base.scale * ends)

    def _scaled(self, scaling: Scaling, x: np.ndarray, name: str, where: str) -> np.ndarray:
        self._refuse_far(scaling, x, name, where)
        return scaling.standardise(x).astype(np.float32)

    def _refuse_far(self, scaling: Scaling, x: np.ndarray, name: str, where: str) -> None:
        """Refuse points that are in other units than those of the training. Memory: a block of rows."""
        row, farthest = 0, 0.0
        for start in range(0, len(x), _ROWS):
            far = np.abs(scaling.standardise(x[start : start + _ROWS])).max(1)
            if far.max() > farthest:
                row, farthest = start + int(far.argmax()), float(far.max())
        if farthest > _FAR:
            expected = "in the units of the space that the flow was trained on"
            raise check.fail(name, where, expected, f"row {row}, {farthest:.1e} standard deviations away from it")

    def save(self, path: str | Path) -> None:
        """Write a folder, whole or not at all; an existing flow at `path` is replaced."""
        write_flow(
            path,
            FlowParts(
                config=self.config, graph=self.graph, params=self.params, source=self.source, target=self.target,
                masses=self.masses, base=self.base,
            ),
        )  # fmt: skip

    @classmethod
    def load(cls, path: str | Path) -> Flow:
        """Read a saved flow.

        Raises:
            InputError: there is none, or it is damaged.
        """
        return cls(**read_flow(path)._asdict())


def _increasing_times(ts: Sequence[float], where: str) -> np.ndarray:
    if np.ndim(ts) != 1:
        raise check.fail("ts", where, "increasing times in [0, 1], such as (0.0, 1.0)", check.describe(ts))
    times = check.vector(ts, "ts", where, length=len(ts))
    if len(times) == 0 or times.min() < 0 or times.max() > 1 or (np.diff(times) <= 0).any():
        raise check.fail("ts", where, "increasing times in [0, 1]", check.describe(list(times)))
    return times
