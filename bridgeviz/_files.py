"""Writing results whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bridgeviz._checks import InputError


def check_folder(out: str | Path, *, mark: str) -> Path:
    """`out` as a path that `new_folder` may fill: not there, empty, or an earlier result, known by its file `mark`.

    Ask before the long work whose result goes there.
    """
    out = Path(out).resolve()
    if out.exists() and not out.is_dir():
        raise InputError(f"The output folder {out} must be a folder. It is a file: choose another name.")
    if out.is_dir() and any(out.iterdir()) and not (out / mark).is_file():
        raise InputError(f"The output folder {out} must be new, empty or an earlier result. It holds other files.")
    parent = next(p for p in out.parents if p.exists())
    if not os.access(parent, os.W_OK):
        raise InputError(f"The output folder {out} can't be made: {parent} can't be written to.")
    return out


@contextmanager
def new_folder(out: str | Path, *, mark: str) -> Iterator[Path]:
    """A draft folder beside `out` that takes its place when the block ends well, and vanishes when it does not."""
    out = check_folder(out, mark=mark)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield draft
        draft.chmod(0o755)
        if not out.exists():
            os.replace(draft, out)
            return
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
        try:  # the earlier result steps aside, and comes back if the new one can't take its place
            os.replace(out, old / "result")
            try:
                os.replace(draft, out)
            except OSError:
                os.replace(old / "result", out)
                raise
        finally:
            shutil.rmtree(old, ignore_errors=True)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write one `.npy`, whole or not at all."""
    path = Path(path)
    if path.suffix != ".npy":
        raise InputError(f"The output file {path} must end in .npy. Got '{path.suffix}' instead.")
    if not path.resolve().parent.is_dir():
        raise InputError(f"The output file {path} must be in a folder that exists. {path.resolve().parent} does not.")
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        with draft.open("wb") as file:
            np.save(file, array, allow_pickle=False)
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
