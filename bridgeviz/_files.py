"""Results are written completely or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from bridgeviz._checks import InputError


def check_folder(out: str | Path, *, holds: set[str]) -> Path:
    """`out` as a path that `new_folder` may fill: new, empty, or an earlier result with no files but those in `holds`.

    Call it before the long computation whose result goes there.

    Raises:
        InputError: `out` is something else, or cannot be created.
    """
    try:
        out = Path(out).resolve()
    except (TypeError, ValueError) as error:
        raise InputError(f"The output folder must be a path. Got {out!r} instead.") from error
    if out.exists() and not out.is_dir():
        raise InputError(f"The output folder {out} must be a folder. It is a file: choose another name.")
    if out.is_dir():
        foreign = sorted({p.name for p in out.iterdir()} - holds)
        if foreign:
            raise InputError(
                f"The output folder {out} must be new, empty or an earlier result. It holds other files: {foreign[0]}."
            )
    parent = next(p for p in out.parents if p.exists())
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"The output folder {out} can't be created: {parent} is not a writable folder.")
    return out


@contextmanager
def new_folder(out: str | Path, *, holds: set[str]) -> Iterator[Path]:
    """A draft folder that replaces `out` when the block succeeds, and is deleted when it fails."""
    out = check_folder(out, holds=holds)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        yield draft
        draft.chmod(0o755)
        if not out.exists():
            os.replace(draft, out)
            return
        old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-", dir=out.parent))
        try:  # move the earlier result aside, and restore it if the new one can't replace it
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


def read_arrays(path: Path, remedy: str) -> dict[str, np.ndarray]:
    """All arrays of one of the project's own `.npz` files.

    Raises:
        InputError: the file is damaged; the message tells the user to run `remedy`.
    """
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return dict(stored.items())
    except (OSError, ValueError, EOFError, KeyError, zlib.error, zipfile.BadZipFile) as error:
        raise InputError(f"{path} can't be read ({error}): it is damaged. Run `{remedy}`.") from error


def check_array_path(path: str | Path) -> Path:
    """`path` as the path of a `.npy` file that can be written, or an `InputError`."""
    path = Path(path)
    if path.suffix != ".npy" or path.is_dir():
        raise InputError(f"The output file {path} must be a file that ends in .npy. Choose another name.")
    parent = path.resolve().parent
    if not parent.is_dir() or not os.access(parent, os.W_OK):
        raise InputError(f"The output file {path} must be in a writable folder. {parent} is not one.")
    return path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A draft file that replaces `path` when the block succeeds, and is deleted when it fails."""
    draft = path.with_name(f".{os.getpid()}-{path.name}")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)


def write_array(path: str | Path, array: np.ndarray) -> None:
    """Write a `.npy` file, completely or not at all."""
    with new_file(check_array_path(path)) as draft:
        np.save(draft, array, allow_pickle=False)


def write_text(path: Path, text: str) -> None:
    """Write a text file, completely or not at all."""
    with new_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
