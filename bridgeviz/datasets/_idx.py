"""The four MNIST files: found or downloaded, and verified by the checksum of their contents."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from pathlib import Path

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.datasets import paths
from bridgeviz.datasets._download import download

# md5 of the uncompressed contents, because mirrors compress the same contents differently.
FILES = {
    "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
}
PREFIXES = {"train": "train", "test": "t10k"}
MIRRORS = (
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
)
TRAINED_ON = 50_000
"""Training images that the VAEs are trained on, from the first; the others are aligned."""


def read(path: Path, name: str | None = None) -> np.ndarray:
    """Read an idx file of unsigned bytes and verify its contents.

    Args:
        path: path of the file.
        name: the key in `FILES` to verify it against; the name of the file by default.

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
    checksum = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if checksum != expected:
        raise InputError(
            f"The contents of {path} must have the md5 {expected}. Got {checksum} instead. Delete it and run "
            "`bridgeviz fetch mnist`."
        )
    dims = content[3]
    shape = np.frombuffer(content, ">i4", dims, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape)


def folder() -> Path | None:
    """The first folder that holds all four files, or None."""
    return next((p for p in paths.raw("mnist") if all((p / name).is_file() for name in FILES)), None)


def fetch() -> Path:
    """The folder of the four files, verified; files that are not on this machine are downloaded.

    Raises:
        DataMissing: no mirror could be reached.
    """
    home = folder()
    if home is None:
        home = paths.cache() / "mnist"
        for name in FILES:
            if not (home / name).is_file():
                _download(name, home)
    for name in FILES:
        read(home / name)
    return home


def binarised(home: Path, split: str) -> np.ndarray:
    """The pictures (n, 28, 28) of "train" or "test" in the folder `home`: 1 where a pixel is above one half (G.1.1)."""
    return (read(home / f"{PREFIXES[split]}-images-idx3-ubyte.gz") > 127).astype(np.uint8)


def labels(home: Path, split: str) -> np.ndarray:
    """The labels (n,) of "train" or "test" in the folder `home`."""
    return read(home / f"{PREFIXES[split]}-labels-idx1-ubyte.gz").astype(np.int64)


def _download(name: str, home: Path) -> None:
    download(
        home / name,
        [mirror + name for mirror in MIRRORS],
        lambda draft: read(draft, name),
        what=f"{name} of MNIST",
        advice="Connect to the internet, or put the four idx files into a folder 'mnist' and set BRIDGEVIZ_DATA to its "
        "parent.",
    )
