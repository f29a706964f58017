"""Results are written completely or not at all, and what a killed process left behind is cleaned up."""

from __future__ import annotations

import hashlib
import math
import os
import platform
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from bridgeviz._checks import InputError

_HOST = hashlib.blake2b(platform.node().encode(), digest_size=4).hexdigest()
_OWNER = f"{_HOST}-{os.getpid()}"
"""Part of the names of drafts, by which a later process knows that nobody needs them any more."""

drafts: set[Path] = set()
"""The folders and files that this process is writing now."""

_EARLIER = "result"
"""The earlier result in the folder to which it is moved aside."""


def check_folder(out: str | Path, *, holds: set[str]) -> Path:
    """`out` as a path that `new_folder` may fill: new, empty, or an earlier result with no files but those in `holds`.

    Call it before the long computation whose result goes there. It writes a file for a moment, to see whether that is
    possible, and cleans up what a process that was killed left behind.

    Raises:
        InputError: `out` is something else, or cannot be created.
    """
    if not str(out).strip():
        raise InputError("The output folder must be a path. Got '' instead: name a folder.")
    try:
        out = Path(out).resolve()
    except (TypeError, ValueError) as error:
        raise InputError(f"The output folder must be a path. Got {out!r} instead.") from error
    _recover(out)
    if out.exists() and not out.is_dir():
        raise InputError(f"The output folder {out} must be a folder. It is a file: choose another name.")
    if out.is_dir():
        foreign = sorted({p.name for p in out.iterdir()} - holds)
        if foreign:
            raise InputError(
                f"The output folder {out} must be new, empty or an earlier result. It holds other files: {foreign[0]}."
            )
    parent = next(p for p in out.parents if p.exists())
    if not _writable(parent):
        raise InputError(f"The output folder {out} can't be created: {parent} is not a writable folder.")
    return out


@contextmanager
def new_folder(out: str | Path, *, holds: set[str]) -> Iterator[Path]:
    """A draft folder that replaces `out` when the block succeeds, and is deleted when it fails."""
    out = check_folder(out, holds=holds)
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{out.name}-{_OWNER}-", dir=out.parent))
    drafts.add(draft)
    try:
        yield draft
        draft.chmod(0o755)
        if out.exists():
            _swap(draft, out)
        else:
            os.replace(draft, out)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
        drafts.discard(draft)


def _swap(draft: Path, out: Path) -> None:
    """Put `draft` in the place of `out`; whatever interrupts this, `out` is one of the two afterwards."""
    old = Path(tempfile.mkdtemp(prefix=f".{out.name}-old-{_OWNER}-", dir=out.parent))
    try:
        os.replace(out, old / _EARLIER)
        os.replace(draft, out)
    finally:
        if not out.exists():
            os.replace(old / _EARLIER, out)
        shutil.rmtree(old, ignore_errors=True)


def _recover(out: Path) -> None:
    """Clean up after processes of this machine that were killed while they wrote `out`."""
    name = re.escape(out.name)
    draft = re.compile(rf"\.{name}-(?:old-)?{_HOST}-(\d+)-\w+|\.{_HOST}-(\d+)-{name}")
    with suppress(OSError):
        for path in out.parent.iterdir():
            match = draft.fullmatch(path.name)
            if match is None or _alive(int(match[1] or match[2])):
                continue
            if (path / _EARLIER).exists() and not out.exists():
                os.replace(path / _EARLIER, out)
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    """Whether a process of this machine may still run."""
    if os.name != "posix" or process == os.getpid():
        return True
    try:
        os.kill(process, 0)  # signal 0 is never delivered
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True


def _writable(folder: Path) -> bool:
    """Whether files can be made in a folder."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


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


def check_array_path(path: str | Path, suffix: str = ".npy") -> Path:
    """`path` as the path of a file with this suffix that can be written, or an `InputError`."""
    path = Path(path)
    if path.suffix != suffix or path.is_dir():
        raise InputError(f"The output file {path} must be a file that ends in {suffix}. Choose another name.")
    parent = path.resolve().parent
    if not parent.is_dir() or not _writable(parent):
        raise InputError(f"The output file {path} must be in a writable folder. {parent} is not one.")
    return path


@contextmanager
def new_file(path: Path) -> Iterator[Path]:
    """A draft file that replaces `path` when the block succeeds, and is deleted when it fails."""
    _recover(path)
    draft = path.with_name(f".{_OWNER}-{path.name}")
    drafts.add(draft)
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
        drafts.discard(draft)


def write_rows(path: Path, blocks: Iterable[np.ndarray], *, shape: tuple[int, ...], dtype: np.dtype) -> None:
    """Write a `.npy` file of this shape block by block: the same file as `np.save`, with the memory of one block.

    Args:
        path: a draft, because what is interrupted leaves half of the file.
        blocks: successive rows; their last axis is that of the array.
        shape: of the whole array.
        dtype: of the numbers in the file.

    Raises:
        ValueError: the blocks hold more or fewer numbers than the shape says.
    """
    header = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    written = 0
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)
            written += block.size
    if written != math.prod(shape):
        raise ValueError(f"The blocks hold {written} numbers, not those of shape {shape}.")


def write_text(path: Path, text: str) -> None:
    """Write a text file, completely or not at all."""
    with new_file(path) as draft:
        draft.write_text(text, encoding="utf-8")
