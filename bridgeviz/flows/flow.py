"""The learned flow: carry new source points to the target space (Eq. 9, 12), and keep it on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import new_folder
from bridgeviz.flows import reweighting
from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.storage import read_tree, write_tree
from bridgeviz.flows.transport import BLOCK, SOLVERS, Draws, Trajectory, follow
from bridgeviz.flows.velocity import structure

_FORMAT = 2
_FAR = 1e6  # standard deviations: beyond it, float32 and the network say nothing


@dataclass(frozen=True, eq=False)
class Scaling:
    """Mean and standard deviation of each dimension of a space; a constant dimension keeps its unit."""

    mean: Float[np.ndarray, " d"]
    std: Float[np.ndarray, " d"]

    @classmethod
    def of(cls, x: np.ndarray) -> Scaling:
        """The scaling that standardises x."""
        mean, std = x.mean(0, dtype=np.float64), x.std(0, dtype=np.float64)
        return cls(mean, np.where(std > 1e-8 * np.abs(x).max(0), std, 1.0))

    def standardise(self, x: np.ndarray) -> np.ndarray:
        """To zero mean and unit variance."""
        return (x - self.mean) / self.std

    def restore(self, x: np.ndarray) -> np.ndarray:
        """Back to the units of the space."""
        return x * self.std + self.mean


@dataclass(frozen=True, eq=False)
class Masses:
    """The learned reweighting functions (Appendix L.1), as shares of the mean mass.

    Attributes:
        eta, xi: parameters of the networks of the source and of the target.
        mean: the plan's mass: the mean of both functions.
    """

    eta: Any
    xi: Any
    mean: float


@dataclass(frozen=True, eq=False)
class Flow:
    """A trained velocity field with the scalings of both spaces. Made by `fit` or `Flow.load`.

    Attributes:
        config: how it was trained.
        graph, params: of the velocity field (flax).
        source, target: the spaces' scalings.
        masses: of an unbalanced plan, where they were learned; else None.
    """

    config: FlowConfig
    graph: nnx.GraphDef
    params: Any
    source: Scaling
    target: Scaling
    masses: Masses | None = None

    def transport(
        self,
        x: ArrayLike,
        *,
        seed: int = 0,
        ts: Sequence[float] = (0.0, 1.0),
        solver: str = "heun",
        steps: int = 20,
        tolerance: float = 1e-4,
    ) -> Trajectory:
        """Carry source points to the target space: `y = ODESolve(v(. | x), z, 0, 1)`, z ~ N(0, I_q) (Eq. 12).

        Args:
            x: (n, p) source points, any n >= 1.
            seed: of the noise, one draw a point.
            ts: times in [0, 1] to report, in increasing order; 0 is noise, 1 the result.
            solver: "heun" or "rk4" (the classic Runge-Kutta method) with fixed steps, or "tsit5", adaptive (diffrax).
            steps: of the fixed-step solvers.
            tolerance: relative and absolute, of the adaptive solver.

        Returns:
            `Trajectory`: `.states[-1]` is the transported points when `ts` ends at 1.

        Raises:
            InputError: x has other dimensions than the flow was trained on, or ts leaves [0, 1].
        """
        where = "transport"
        x = check.matrix(x, "x", where, columns=len(self.source.mean), rows=1)
        if np.ndim(ts) != 1:
            raise check.fail("ts", where, "increasing times in [0, 1], such as (0.0, 1.0)", check.describe(ts))
        times = check.vector(ts, "ts", where, length=len(ts))
        if len(times) == 0 or times.min() < 0 or times.max() > 1 or (np.diff(times) <= 0).any():
            raise check.fail("ts", where, "increasing times in [0, 1]", check.describe(list(times)))
        check.choice(solver, "solver", where, SOLVERS)
        steps = check.count(steps, "steps", where)
        tolerance = check.positive(tolerance, "tolerance", where)
        key = jax.random.key(check.seed(seed, "seed", where))
        n, q = len(x), len(self.target.mean)
        z = np.asarray(jax.random.normal(key, (n, q), jnp.float32))
        scaled = self._scaled(self.source, x, "x", where)
        block = min(BLOCK, 1 << (n - 1).bit_length())  # few distinct shapes, so few compilations
        parts = []
        for start in range(0, n, block):
            take = np.minimum(np.arange(start, start + block), n - 1)
            states, solved = follow(
                self.graph, self.params, scaled[take], z[take], jnp.asarray(times, jnp.float32), tolerance,
                solver=solver, steps=steps,
            )  # fmt: skip
            if not bool(solved):
                hint = "Its weights may be damaged, or train with a smaller learning rate."
                if solver == "tsit5":
                    hint = f"Try a larger tolerance, such as {max(10 * tolerance, 1e-5):.0e}, or solver='heun'."
                raise InputError(f"transport() could not follow the flow to t = 1 with tolerance={tolerance:g}. {hint}")
            parts.append(np.asarray(states)[:, : n - start])
        return Trajectory(times, self.target.restore(np.concatenate(parts, axis=1)))

    def draws(self, x: ArrayLike, *, samples: int = 8, seed: int = 0, **options: Any) -> Draws:
        """Carry each source point several times, each time from other noise: pi(. | x) and not one draw of it.

        Args:
            x: (n, p) source points.
            samples: draws a point, at least 2.
            seed: of the noise.
            options: of `transport`: `solver`, `steps`, `tolerance`.

        Returns:
            `Draws`: all ends, their mean and their spread. A wide spread says that the flow is not sure, or that the
            plan sends the point to several places.

        Raises:
            InputError: as for `transport`.
        """
        samples = check.count(samples, "samples", "draws", least=2)
        x = check.matrix(x, "x", "draws", columns=len(self.source.mean), rows=1)
        if "ts" in options:
            raise check.fail("ts", "draws", "left out: the ends at t = 1 are returned", check.describe(options["ts"]))
        ends = self.transport(np.tile(x, (samples, 1)), seed=seed, ts=(1.0,), **options).states[0]
        points = ends.reshape(samples, len(x), -1)
        return Draws(points, points.mean(0), points.std(0, ddof=1))

    def source_mass(self, x: ArrayLike) -> Float[np.ndarray, " n"]:
        """`eta(x) = n pi_X(x)` (Appendix L.1): the mass of a source point in the plan; 1 is what a balanced plan gives.

        Args:
            x: (n, p) source points.

        Raises:
            InputError: the flow was trained without reweighting.
        """
        return self._mass(x, "x", "source_mass", self.source, "eta")

    def target_mass(self, y: ArrayLike) -> Float[np.ndarray, " m"]:
        """`xi(y) = m pi_Y(y)` (Appendix L.1): the mass of a target point in the plan; 1 is what a balanced plan gives.

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
                f"{where}() needs a flow that learned how much mass its plan leaves each point; this one was trained "
                f"without. Train with FlowConfig(reweight=True), or on an unbalanced plan."
            )
        graph, _ = reweighting.structure(x.shape[1])
        scaled = self._scaled(scaling, x, name, where)
        return self.masses.mean * np.asarray(_evaluate(graph, getattr(self.masses, which), scaled), np.float64)

    def _scaled(self, scaling: Scaling, x: np.ndarray, name: str, where: str) -> np.ndarray:
        scaled = scaling.standardise(x)
        far = np.abs(scaled).max(1)
        if far.max() > _FAR:
            row, expected = int(far.argmax()), "in the units of the space the flow was trained on"
            got = f"row {row}, {far[row]:.1e} standard deviations away from it"
            raise check.fail(name, where, expected, got)
        return scaled.astype(np.float32)

    def save(self, path: str | Path) -> None:
        """Write a checkpoint folder (orbax), whole or not at all; an existing one at `path` is replaced."""
        with new_folder(path, holds={"flow.json", "params"}) as draft:
            write_tree(draft / "params", self._weights())
            scalings = {
                side: {"mean": s.mean.tolist(), "std": s.std.tolist()}
                for side, s in (("source", self.source), ("target", self.target))
            }
            mass = None if self.masses is None else self.masses.mean
            about = {"format": _FORMAT, "config": asdict(self.config), "mass": mass, **scalings}
            (draft / "flow.json").write_text(json.dumps(about))

    def _weights(self) -> dict[str, Any]:
        trees = {"velocity": self.params}
        if self.masses is not None:
            trees |= {"eta": self.masses.eta, "xi": self.masses.xi}
        return {name: nnx.to_pure_dict(tree) for name, tree in trees.items()}

    @classmethod
    def load(cls, path: str | Path) -> Flow:
        """Read a checkpoint folder.

        Raises:
            InputError: nothing is there, or it is damaged.
        """
        try:
            path = Path(path).resolve()
        except (TypeError, ValueError):
            raise check.fail("path", "load", "the path of a folder", check.describe(path)) from None
        if not (path / "flow.json").is_file():
            raise InputError(
                f"load() found no flow at {path}: expected a folder with flow.json. Save one there with Flow.save()."
            )
        try:
            about = json.loads((path / "flow.json").read_text())
            if about["format"] != _FORMAT:
                raise ValueError(f"format {about['format']}, not {_FORMAT}")
            config = FlowConfig(**about["config"])
            scalings = [
                Scaling(*(np.array(about[side][k], float) for k in ("mean", "std"))) for side in ("source", "target")
            ]
            for s in scalings:
                if s.mean.shape != s.std.shape or not np.isfinite([s.mean, s.std]).all() or not (s.std > 0).all():
                    raise ValueError("scalings that are no finite means and positive deviations")
            p, q = (len(s.mean) for s in scalings)
            graph, params = structure(config.velocity, p, q, config.precision)
            weights = {"velocity": params}
            mean = about["mass"]
            if mean is not None:
                weights |= {"eta": reweighting.structure(p)[1], "xi": reweighting.structure(q)[1]}
            stored = read_tree(path / "params", {name: nnx.to_pure_dict(tree) for name, tree in weights.items()})
            for name, tree in weights.items():
                nnx.replace_by_pure_dict(tree, jax.tree.map(jnp.asarray, stored[name]))
            if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((weights, mean))):
                raise ValueError("weights that are not finite")
        except Exception as error:  # whatever a damaged file makes a reader say
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise InputError(
                f"load() can't read the flow at {path}: it is damaged or incomplete ({reason}). Train and save it anew."
            ) from error
        masses = None if mean is None else Masses(weights["eta"], weights["xi"], float(mean))
        return cls(config, graph, weights["velocity"], scalings[0], scalings[1], masses)


_evaluate = jax.jit(lambda graph, params, x: nnx.merge(graph, params)(x), static_argnums=0)
