"""The four MNIST files: found, fetched, and checked by the checksum of their contents."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np
import pooch

from bridgeviz._checks import DataMissing, InputError
from bridgeviz.datasets import paths

# md5 of the uncompressed contents: mirrors compress differently, and mean the same.
FILES = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)


def read(path: Path, name: str | None = None) -> np.ndarray:
    """One idx file of unsigned bytes, its contents checked as those of the file `name` (its own, if left out).

    Raises:
        InputError: it is damaged, or another file.
    """
    expected = FILES[name or path.name]
    try:
        content = gzip.decompress(path.read_bytes())
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(
            f"{path} can't be read as a gzip file ({error}). Delete it and run `bridgeviz fetch mnist`."
        ) from error
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != expected:
        raise InputError(
            f"The contents of {path} must have the md5 {expected}. Got {found} instead. Delete it and run "
            "`bridgeviz fetch mnist`."
        )
    dims = content[3]
    shape = np.frombuffer(content, ">i4", dims, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape)


def folder() -> Path | None:
    """The first folder that holds all four files, or None."""
    return next((p for p in paths.raw("mnist") if all((p / name).is_file() for name in FILES)), None)


def fetch() -> Path:
    """The folder of the four files, checked; downloads those that are nowhere.

    Raises:
        DataMissing: no mirror could be reached.
    """
    here = folder()
    if here is None:
        here = paths.cache() / "mnist"
        for name in FILES:
            if not (here / name).is_file():
                _download(name, here)
    for name in FILES:
        read(here / name)
    return here


def images(split: str) -> np.ndarray | None:
    """Binarised pictures (n, 28, 28) of "train" or "test" in {0, 1}, or None where the files are not here."""
    here = folder()
    return None if here is None else binarised(here, split)


def binarised(here: Path, split: str) -> np.ndarray:
    """The pictures of "train" or "test" in the folder `here`: 1 where a pixel is above one half (G.1.1)."""
    prefix = {"train": "train", "test": "t10k"}[split]
    return (read(here / f"{prefix}-images-idx3-ubyte.gz") > 127).astype(np.uint8)


def _download(name: str, here: Path) -> None:
    reasons = []
    for mirror in MIRRORS:
        try:
            pooch.retrieve(mirror + name, known_hash=None, fname=name + ".part", path=here, progressbar=False)
            read(here / (name + ".part"), name)
            (here / (name + ".part")).rename(here / name)
            return
        except InputError as error:
            reasons.append(str(error))
        except Exception as error:  # requests, urllib3 and OS errors alike
            reasons.append(type(error).__name__)
        finally:
            (here / (name + ".part")).unlink(missing_ok=True)
    raise DataMissing(
        f"{name} of MNIST is not here and could not be downloaded from {len(MIRRORS)} mirrors ({'; '.join(reasons)}). "
        "Connect to the internet, or put the four idx files into a folder 'mnist' and set BRIDGEVIZ_DATA to its parent."
    )
