"""What a worker does: it runs cells and writes the result of each as soon as it ends."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from collections.abc import Iterator, MutableMapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from filelock import FileLock

from bridgeviz._checks import InputError
from bridgeviz._files import write_text
from bridgeviz.experiments._evaluation import device, evaluate_plan
from bridgeviz.experiments._pipeline import Finished, Pipeline
from bridgeviz.experiments._recommend import recommend_steps
from bridgeviz.experiments._report import versions
from bridgeviz.experiments.sweeps._grid import Cell
from bridgeviz.flows import TrainingError

KEPT = {"load": 2, "pairs": 4, "recommend": 4, "cost": 1, "coupling": 1}
"""How many results of each stage a worker keeps for its next cells; it keeps no others."""

Result = dict[str, Any]
"""Of one cell, as plain values: `metrics`, `seconds` by stage and so on, or the sentence of an `error`."""


class Recent(MutableMapping[tuple[Any, ...], Finished]):
    """The results of stages that were used last, by stage and key."""

    def __init__(self):
        self._by_stage: dict[str, OrderedDict[tuple[Any, ...], Finished]] = {stage: OrderedDict() for stage in KEPT}

    def __getitem__(self, key: tuple[Any, ...]) -> Finished:
        held = self._by_stage.get(key[0], OrderedDict())
        found = held[key]
        held.move_to_end(key)
        return found

    def __setitem__(self, key: tuple[Any, ...], finished: Finished) -> None:
        held = self._by_stage.get(key[0])
        if held is not None:
            held[key] = finished
            while len(held) > KEPT[key[0]]:
                held.popitem(last=False)

    def __delitem__(self, key: tuple[Any, ...]) -> None:
        del self._by_stage[key[0]][key]

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return (key for held in self._by_stage.values() for key in held)

    def __len__(self) -> int:
        return sum(map(len, self._by_stage.values()))


_recent = Recent()


def run_cells(cells: list[Cell], folder: str, sweep: str) -> list[tuple[str, Result]]:
    """The results of cells by key, each written to the folder if this machine has it.

    Args:
        cells: that share a plan, or as much as possible.
        folder: of the sweep.
        sweep: the identity of the sweep, by which a folder of the same name on another machine is told apart.
    """
    shared = identity(Path(folder)) == sweep
    return [(cell.key, _once(cell, Path(folder)) if shared else _run(cell)) for cell in cells]


def identity(folder: Path) -> str | None:
    """The identity of the sweep in a folder; None if there is none."""
    with suppress(OSError):
        return (folder / "sweep").read_text(encoding="utf-8")
    return None


def result_path(folder: Path, key: str) -> Path:
    """The file with the result of a cell; one of 256 folders, so that none gets long."""
    return folder / "cells" / key[:2] / f"{key}.json"


def read_result(folder: Path, key: str) -> Result | None:
    """The result of a finished cell; None if there is none, or only the error of one."""
    try:
        result = json.loads(result_path(folder, key).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return None if "error" in result else result


def write_result(folder: Path, key: str, result: Result) -> None:
    """Write the result of a cell, completely or not at all."""
    path = result_path(folder, key)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(result, allow_nan=False) + "\n")


def _once(cell: Cell, folder: Path) -> Result:
    """The result of a cell, which no other process runs meanwhile: whoever comes later reads what the first wrote."""
    path = result_path(folder, cell.key)
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.with_suffix(".lock")
    with FileLock(lock):
        result = read_result(folder, cell.key)
        if result is None:
            result = _run(cell)
            write_result(folder, cell.key, result)
        lock.unlink(missing_ok=True)  # whoever waits for it, or makes a new one, finds the result
    return result


def _run(cell: Cell) -> Result:
    pipeline = Pipeline(cell.config, known=_recent, choose=recommend_steps)
    about: Result = {"config": cell.config.as_dict(), "until": cell.until, "versions": versions()}
    try:
        for _ in pipeline.updates(until=cell.until):
            pass
        numbers = pipeline.metrics if cell.until == "evaluation" else _of_plan(pipeline)
    except (InputError, TrainingError) as error:
        return about | {"error": str(error)}
    except MemoryError:
        return about | {"error": "There is not enough memory."}
    plan = pipeline.plan
    assert plan is not None
    transport = {
        "converged": bool(plan.converged), "iterations": plan.iterations, "marginal_error": plan.marginal_error,
        "mass": plan.mass, "epsilon": plan.epsilon,
    }  # fmt: skip
    return about | {
        "cost": None if pipeline.cost is None else pipeline.cost.name,
        "metrics": {name: _plain(value) for name, value in numbers.items()},
        "transport": {name: _plain(value) for name, value in transport.items()},
        "seconds": {stage: round(seconds, 4) for stage, seconds in pipeline.seconds.items()},
        "device": device(),
    }


def _of_plan(pipeline: Pipeline) -> dict[str, float]:
    problem, plan = pipeline.problem, pipeline.plan
    assert problem is not None
    assert plan is not None
    return evaluate_plan(problem, plan, pipeline.pairs, seed=pipeline.config.seed)


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    value = float(value)
    return value if math.isfinite(value) else None
