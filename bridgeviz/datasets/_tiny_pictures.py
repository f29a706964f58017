"""The validation pictures of Tiny-ImageNet, which are shown where they are on this machine and never shipped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from bridgeviz.datasets import paths
from bridgeviz.encoders import Pictures, open_pictures

ARCHIVE, SIDE = "val.tar", 64


def thumbnails(folder: str, files: Sequence[str]) -> Callable[[np.ndarray], np.ndarray] | None:
    """What reads the grey pictures (k, 64, 64) of some of these files from the archive; None without one.

    Args:
        folder: of the data set.
        files: the picture of each row; their folders don't count.
    """
    archive = next((place / ARCHIVE for place in paths.raw(folder) if (place / ARCHIVE).is_file()), None)
    return None if archive is None else lambda chosen: _grey(archive, [files[int(row)] for row in chosen])


def _grey(archive: Path, files: Sequence[str]) -> np.ndarray:
    pictures, places = _opened(archive)
    read = [pictures.open(places[file_of(file)]).convert("L").resize((SIDE, SIDE)) for file in files]
    return np.stack([np.asarray(picture, np.uint8) for picture in read])


@cache
def _opened(archive: Path) -> tuple[Pictures, dict[str, int]]:
    """The archive, whose list of files takes half a second to read, and the places of the files in it."""
    pictures = open_pictures(archive)
    return pictures, {file_of(name): place for place, name in enumerate(pictures.names)}


def file_of(path: str) -> str:
    """The name of a file without its folders."""
    return path.rpartition("/")[2]
