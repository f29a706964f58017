"""A sweep from its grid to its table."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bridgeviz._checks import InputError
from bridgeviz._files import new_file, write_text
from bridgeviz.experiments.sweeps._cells import Result, identity, read_result, run_cells, write_result
from bridgeviz.experiments.sweeps._cluster import Done, Workers, in_order
from bridgeviz.experiments.sweeps._grid import Cell, Grid

if TYPE_CHECKING:
    import pandas as pd

TABLE = "results.parquet"

TASKS = 4
"""Tasks per worker, at least, where there are as many cells: cells that share a plan are one task up to that."""


@dataclass(frozen=True)
class Progress:
    """A report of a running sweep.

    Attributes:
        done, total: cells, those of earlier starts included.
        dashboard: the address of Dask's dashboard; "" if there is none.
        failed: what went wrong in the cells that ended last, a line each.
    """

    done: int
    total: int
    dashboard: str = ""
    failed: tuple[str, ...] = ()


def sweep(grid: Grid, folder: str | Path, *, workers: Workers | None = None) -> Iterator[Progress]:
    """Run the cells of a grid that have no result yet, and write the table; yields after every few cells.

    Several sweeps may share a folder, also at the same time: a cell with the same settings is run once.

    Args:
        grid: the cells.
        folder: of the results: `cells/` with a JSON file per cell, and `results.parquet`, the table of this grid. It is
            made if there is none.
        workers: what runs them; None takes one process per core of this machine.

    Raises:
        InputError: the folder can't be written or holds something else, or the workers can't be reached.
        OSError: a result can't be written, such as on a full disk. Those before it are kept.
    """
    folder = _prepared(Path(folder))
    cells = {cell.key: cell for cell in grid.cells}
    missing = [cell for key, cell in cells.items() if read_result(folder, key) is None]
    done = len(cells) - len(missing)
    yield Progress(done, len(cells))
    try:
        if missing:
            with (workers or Workers()).client() as client:
                yield Progress(done, len(cells), _dashboard(client))
                for ended, failed in _run(client, missing, folder):
                    done += ended
                    yield Progress(done, len(cells), _dashboard(client), tuple(failed))
    finally:
        write_table(table(grid, folder), folder)


def table(grid: Grid, folder: str | Path) -> pd.DataFrame:
    """The rows of the cells that have a result, in the order of the grid.

    Returns:
        What varies in the grid, then `cost`, the metrics, `converged`, `iterations`, `marginal_error`, `mass`,
        `epsilon`, `seconds_...` by stage, `device` and `version`, and `key`, the name of the cell's file.
    """
    import pandas as pd

    rows = []
    for cell in grid:
        result = read_result(Path(folder), cell.key)
        if result is not None:
            rows.append(_row(cell, result))
    return pd.DataFrame(rows)


def _row(cell: Cell, result: Result) -> dict[str, Any]:
    columns = {
        name: value if isinstance(value, (str, int, float)) else str(value) for name, value in cell.columns.items()
    }
    seconds = {f"seconds_{stage}": spent for stage, spent in result["seconds"].items()}
    about = {"device": result["device"], "version": result["versions"]["bridgeviz"], "key": cell.key}
    cost = {} if "cost" in columns else {"cost": result["cost"]}
    transport = {name: value for name, value in result["transport"].items() if name not in columns}
    return columns | cost | result["metrics"] | transport | seconds | about


def _run(client: Any, missing: list[Cell], folder: Path) -> Iterator[tuple[int, list[str]]]:
    """Run cells; yields how many have ended with a result, and what went wrong in others."""
    count = len(client.nthreads()) or 1
    bundles = list(_bundles(missing, most=max(1, len(missing) // (TASKS * count))))
    sweep_id = identity(folder)
    tasks = [(bundle, str(folder.resolve()), sweep_id) for bundle in bundles]
    for task in in_order(client, run_cells, tasks, [f"cells-{bundle[0].key}-{len(bundle)}" for bundle in bundles]):
        yield _kept(task, bundles[task.number], folder)


def _kept(task: Done, bundle: list[Cell], folder: Path) -> tuple[int, list[str]]:
    """Write what the worker could not write, because the folder is only here."""
    if task.error:
        return 0, [f"{cell.columns}: {task.error}" for cell in bundle]
    failed = []
    for cell, (key, result) in zip(bundle, task.result, strict=True):
        if "error" in result:
            failed.append(f"{cell.columns}: {result['error']}")
        elif read_result(folder, key) is None:
            write_result(folder, key, result)
    return len(bundle) - len(failed), failed


def _bundles(cells: list[Cell], most: int) -> Iterator[list[Cell]]:
    """Cells that share a plan, `most` at a time."""
    for _, group in itertools.groupby(cells, key=lambda cell: cell.config.key("coupling")):
        same = list(group)
        for start in range(0, len(same), most):
            yield same[start : start + most]


def _prepared(folder: Path) -> Path:
    """The folder, with its identity."""
    if folder.exists() and (not folder.is_dir() or (identity(folder) is None and any(folder.iterdir()))):
        raise InputError(f"The folder {folder} must be new, empty, or that of a sweep. It holds something else.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if identity(folder) is None:
            write_text(folder / "sweep", uuid.uuid4().hex)
    except OSError as error:
        raise InputError(f"The folder {folder} can't be written: {error.strerror or error}.") from error
    return folder


def write_table(rows: pd.DataFrame, folder: Path) -> None:
    """Write the table of a sweep, completely or not at all."""
    with new_file(folder / TABLE) as draft:
        rows.to_parquet(draft, index=False)


def _dashboard(client: Any) -> str:
    return client.dashboard_link if client.scheduler_info().get("services", {}).get("dashboard") else ""
