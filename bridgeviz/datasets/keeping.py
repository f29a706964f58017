"""A user's own data, kept on this machine under a key that is made of their contents."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from bridgeviz._checks import DataMissing, InputError
from bridgeviz._files import new_folder, read_arrays
from bridgeviz._forbidden import Forbidden
from bridgeviz.datasets import paths
from bridgeviz.problem import Problem, Space

DIGITS = 32
MOST, MOST_BYTES = 20, 2 * 10**9
"""The most that is kept. The oldest data are deleted first."""

_HOLDS = {"arrays.npz", "about.json"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Kept:
    """A problem with the names of its rows and of the files that it came from.

    Attributes:
        problem: two spaces, the pairs as `truth`, and what is forbidden.
        rows: the names of the source rows and of the target rows, each None if they have none.
        files: the names of the files by what they hold: "source", "target", "pairs", "source labels", ...
    """

    problem: Problem
    rows: tuple[Sequence[str] | None, Sequence[str] | None] = (None, None)
    files: Mapping[str, str] = field(default_factory=dict)


def home() -> Path:
    """The folder of all kept data, in the cache."""
    return paths.cache() / "yours"


def keep(data: Kept) -> str:
    """Write data to this machine's disk, whole or not at all; returns their key. Equal data have equal keys.

    Raises:
        InputError: the disk can't be written.
    """
    arrays = _arrays(data)
    about = {"files": dict(data.files), "titles": [data.problem.source.title, data.problem.target.title]}
    digest = hashlib.blake2b(json.dumps(about, sort_keys=True).encode(), digest_size=DIGITS // 2)
    for name, array in sorted(arrays.items()):
        digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
        digest.update(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"")
    key = digest.hexdigest()
    folder = home() / key
    try:
        home().mkdir(parents=True, exist_ok=True)
        if not (folder / "about.json").is_file():
            with new_folder(folder, holds=_HOLDS) as draft:
                np.savez(draft / "arrays.npz", allow_pickle=False, **arrays)
                (draft / "about.json").write_text(json.dumps(about), encoding="utf-8")
        (folder / "about.json").touch()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise InputError(
            f"Your data can't be kept in {home()}: {reason}. Make room, or set BRIDGEVIZ_CACHE."
        ) from error
    _prune(keeping=folder)
    return key


def kept(key: str) -> Kept:
    """The data under a key.

    Raises:
        DataMissing: there are none: they were deleted, or belong to another machine.
    """
    folder = home() / key
    if not (folder / "about.json").is_file():
        raise DataMissing(
            "These data of yours are not on this machine: they were deleted, or the link comes from another machine. "
            "Open the files again on the page Your data."
        )
    arrays = read_arrays(folder / "arrays.npz", "the page Your data once more")
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    spaces = [
        Space(arrays[side], labels=arrays.get(f"{side}_labels"), weights=arrays.get(f"{side}_weights"), title=title)
        for side, title in zip(("source", "target"), about["titles"], strict=True)
    ]
    rows = [None if (names := arrays.get(f"{side}_rows")) is None else names.tolist() for side in ("source", "target")]
    return Kept(
        problem=Problem(*spaces, truth=arrays["pairs"], name="yours", forbidden=_forbidden(arrays)),
        rows=(rows[0], rows[1]),
        files=about["files"],
    )


def forget(key: str) -> None:
    """Delete data; nothing happens if there are none."""
    with suppress(OSError):
        shutil.rmtree(home() / key)


def _arrays(data: Kept) -> dict[str, np.ndarray]:
    from scipy import sparse

    problem = data.problem
    pairs = np.zeros((0, 2), np.int64) if problem.truth is None else np.asarray(problem.truth, np.int64)
    arrays = {"pairs": pairs}
    for side, space, names in zip(("source", "target"), (problem.source, problem.target), data.rows, strict=True):
        arrays[side] = np.asarray(space.x)
        if space.labels is not None:
            arrays[f"{side}_labels"] = np.asarray(space.labels)
        if space.weights is not None:
            arrays[f"{side}_weights"] = np.asarray(space.weights)
        if names is not None:
            arrays[f"{side}_rows"] = np.asarray(names, str)
    if problem.forbidden is not None:
        table = sparse.coo_array(problem.forbidden.table)
        arrays["forbidden_source"], arrays["forbidden_target"] = problem.forbidden.source, problem.forbidden.target
        arrays["forbidden_codes"] = np.stack(table.coords).astype(np.int64)
        arrays["forbidden_kinds"] = np.array(problem.forbidden.kinds, np.int64)
    return arrays


def _forbidden(arrays: Mapping[str, np.ndarray]) -> Forbidden | None:
    from scipy import sparse

    if "forbidden_codes" not in arrays:
        return None
    i, j = arrays["forbidden_codes"]
    shape = tuple(arrays["forbidden_kinds"].tolist())
    table = sparse.csr_array((np.ones(len(i), bool), (i, j)), shape=shape)
    return Forbidden(arrays["forbidden_source"], arrays["forbidden_target"], table)


def _prune(*, keeping: Path) -> None:
    """Delete the oldest data beyond the limits."""
    with suppress(OSError):
        known = sorted(home().glob("*/about.json"), key=lambda about: -about.stat().st_mtime)
        total = 0
        for place, folder in enumerate(about.parent for about in known):
            total += sum(file.stat().st_size for file in folder.iterdir())
            if folder != keeping and (place >= MOST or total > MOST_BYTES):
                shutil.rmtree(folder)
