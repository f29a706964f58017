"""The learned flow: carry new source points to the target space (Eq. 9, 12), and keep it on disk."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx
from jaxtyping import Float
from numpy.typing import ArrayLike

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import new_folder
from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.velocity import VELOCITIES

SOLVERS = ("heun", "tsit5")
_FORMAT = 1
_FAR = 1e6  # standard deviations: beyond it, float32 and the network say nothing


class Trajectory(NamedTuple):
    """Where points are on their way: `.ts` (T,) times in [0, 1], `.states` (T, n, q) in the target space's units."""

    ts: Float[np.ndarray, " T"]
    states: Float[np.ndarray, "T n q"]


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
class Flow:
    """A trained velocity field with the scalings of both spaces. Made by `fit` or `Flow.load`."""

    config: FlowConfig
    graph: nnx.GraphDef
    params: Any
    source: Scaling
    target: Scaling

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
            solver: "heun" with fixed steps, or "tsit5", adaptive (both diffrax).
            steps: of the fixed-step solver.
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
        scaled = self.source.standardise(x)
        far = np.abs(scaled).max(1)
        if far.max() > _FAR:
            row, expected = int(far.argmax()), "in the units of the space the flow was trained on"
            got = f"row {row}, {far[row]:.1e} standard deviations away from it"
            raise check.fail("x", where, expected, got)
        scaled = scaled.astype(np.float32)
        block = min(8192, 1 << (n - 1).bit_length())  # few distinct shapes, so few compilations
        parts = []
        for start in range(0, n, block):
            take = np.minimum(np.arange(start, start + block), n - 1)
            states, solved = _solve(
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

    def save(self, path: str | Path) -> None:
        """Write a checkpoint folder (orbax), whole or not at all; an existing one at `path` is replaced."""
        import orbax.checkpoint as ocp

        with new_folder(path, holds={"flow.json", "params"}) as draft:
            with ocp.StandardCheckpointer() as checkpointer:
                checkpointer.save(draft / "params", nnx.to_pure_dict(self.params))
            scalings = {
                side: {"mean": s.mean.tolist(), "std": s.std.tolist()}
                for side, s in (("source", self.source), ("target", self.target))
            }
            about = {"format": _FORMAT, "config": asdict(self.config), **scalings}
            (draft / "flow.json").write_text(json.dumps(about))

    @classmethod
    def load(cls, path: str | Path) -> Flow:
        """Read a checkpoint folder.

        Raises:
            InputError: nothing is there, or it is damaged.
        """
        import orbax.checkpoint as ocp

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
            abstract = nnx.eval_shape(lambda: VELOCITIES[config.velocity](p, q, nnx.Rngs(0)))
            graph, params = nnx.split(abstract, nnx.Param)
            with ocp.StandardCheckpointer() as checkpointer:
                stored = checkpointer.restore(path / "params", nnx.to_pure_dict(params))
            nnx.replace_by_pure_dict(params, stored)
            if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(params)):
                raise ValueError("weights that are not finite")
        except Exception as error:  # whatever a damaged file makes a reader say
            reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
            raise InputError(
                f"load() can't read the flow at {path}: it is damaged or incomplete ({reason}). Train and save it anew."
            ) from error
        return cls(config, graph, params, *scalings)


@partial(jax.jit, static_argnames=("graph", "solver", "steps"))
def _solve(graph, params, x, z, ts, tolerance, *, solver: str, steps: int):
    import diffrax

    model = nnx.merge(graph, params)
    term = diffrax.ODETerm(lambda t, state, x: model(jnp.full(len(state), t), state, x))
    if solver == "heun":
        method, controller = diffrax.Heun(), diffrax.ConstantStepSize()
        dt, most = 1.0 / steps, steps + 2
    else:
        method, controller = diffrax.Tsit5(), diffrax.PIDController(rtol=tolerance, atol=tolerance)
        dt, most = None, 4096
    solution = diffrax.diffeqsolve(
        term, method, t0=0.0, t1=1.0, dt0=dt, y0=z, args=x, saveat=diffrax.SaveAt(ts=ts),
        stepsize_controller=controller, max_steps=most, throw=False,
    )  # fmt: skip
    states = jnp.asarray(solution.ys)
    return states, (solution.result == diffrax.RESULTS.successful) & jnp.isfinite(states).all()
