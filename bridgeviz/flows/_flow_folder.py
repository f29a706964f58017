"""The folder of a saved flow: `flow.json` with settings and scalings, and the weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._files import new_folder
from bridgeviz.flows import _reweighting as reweighting
from bridgeviz.flows._config import FlowConfig
from bridgeviz.flows._linear_map import LinearMap
from bridgeviz.flows._networks import structure
from bridgeviz.flows._reweighting import Masses
from bridgeviz.flows._scaling import Scaling
from bridgeviz.flows._storage import ARRAYS, read_about, read_arrays, write_record
from bridgeviz.flows._version_0_1 import read_tree

_FORMAT = 4
_FORMAT_0_2 = 3
_FORMAT_0_1 = 2


class FlowParts(NamedTuple):
    """What a flow consists of; the attributes are those of `Flow`."""

    config: FlowConfig
    graph: nnx.GraphDef
    params: nnx.State
    source: Scaling
    target: Scaling
    masses: Masses | None
    base: LinearMap | None


def write_flow(path: str | Path, flow: FlowParts) -> None:
    """Write a flow whole or not at all; an existing one at `path` is replaced."""
    weights = {"velocity": flow.params}
    if flow.masses is not None:
        weights |= {"eta": flow.masses.eta, "xi": flow.masses.xi}
    arrays: dict[str, Any] = {name: nnx.to_pure_dict(tree) for name, tree in weights.items()}
    if flow.base is not None:
        arrays["base"] = flow.base._asdict()
    about = {
        "format": _FORMAT,
        "base": flow.base is not None,
        "config": flow.config.as_dict(),
        "mass": None if flow.masses is None else flow.masses.mean,
        "source": _plain(flow.source),
        "target": _plain(flow.target),
    }
    with new_folder(path, holds={"flow.json", ARRAYS, "params"}) as draft:
        write_record(draft, "flow.json", about, arrays)


def read_flow(path: str | Path) -> FlowParts:
    """Read what `write_flow` wrote.

    Raises:
        InputError: there is no flow, or it is damaged.
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
        return _read(path)
    except Exception as error:  # a damaged file can make its reader raise anything
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"load() can't read the flow at {path}: it is damaged or incomplete ({reason}). Train and save it again."
        ) from error


def _read(path: Path) -> FlowParts:
    about = read_about(path / "flow.json")
    if about["format"] not in (_FORMAT, _FORMAT_0_2, _FORMAT_0_1):
        raise ValueError(f"format {about['format']}, not {_FORMAT}")
    config = FlowConfig.from_dict(about["config"])
    source, target = (_scaling(about[side]) for side in ("source", "target"))
    p, q, mass = len(source.mean), len(target.mean), about["mass"]
    graph, params = structure(config.velocity, p, q, config.precision)
    weights = {"velocity": params}
    if mass is not None:
        weights |= {"eta": reweighting.structure(p)[1], "xi": reweighting.structure(q)[1]}
    like: dict[str, Any] = {name: nnx.to_pure_dict(tree) for name, tree in weights.items()}
    if about.get("base", False):
        like["base"] = {"weights": np.zeros((p, q)), "bias": np.zeros(q), "scale": np.zeros(q)}
    old = about["format"] == _FORMAT_0_1
    stored = read_tree(path / "params", like) if old else read_arrays(path, about, like)
    for name, tree in weights.items():
        nnx.replace_by_pure_dict(tree, jax.tree.map(jnp.asarray, stored[name]))
    if not all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((weights, mass, stored.get("base")))):
        raise ValueError("weights that are not finite")
    masses = None if mass is None else Masses(weights["eta"], weights["xi"], float(mass))
    base = LinearMap(**stored["base"]) if "base" in stored else None
    return FlowParts(config=config, graph=graph, params=params, source=source, target=target, masses=masses, base=base)


def _plain(scaling: Scaling) -> dict[str, Any]:
    return {"mean": scaling.mean.tolist(), "std": scaling.std.tolist(), "dtype": scaling.dtype}


def _scaling(values: dict[str, Any]) -> Scaling:
    dtype = values.get("dtype", "float32")  # version 0.1.0 wrote transported points in this type
    if dtype not in ("float32", "float64"):
        raise ValueError(f"points of type {dtype}")
    scaling = Scaling(np.array(values["mean"], float), np.array(values["std"], float), dtype)
    finite = np.isfinite(scaling.mean).all() and np.isfinite(scaling.std).all()
    if scaling.mean.shape != scaling.std.shape or not finite or not (scaling.std > 0).all():
        raise ValueError("scalings without finite means and positive deviations")
    return scaling
