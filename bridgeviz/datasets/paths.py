"""Where data files are: shipped with the project, in the cache, or in the folder that BRIDGEVIZ_DATA names."""

from __future__ import annotations

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """The project's own `data/`: beside the package in a checkout, inside it in an installed wheel."""
    checkout = _PACKAGE.parent / "data"
    return checkout if (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "_data"


def cache() -> Path:
    """The folder of fetched and pretrained files: BRIDGEVIZ_CACHE, or the system's cache folder."""
    folder = os.environ.get("BRIDGEVIZ_CACHE")
    if folder:
        return Path(folder)
    import pooch

    return Path(pooch.os_cache("bridgeviz"))


def home(name: str) -> Path:
    """The folder that `pretrain` and `features` write to: in `data/` of a checkout, otherwise in the cache."""
    return shipped() / name if shipped().parent == _PACKAGE.parent else cache() / name


def find(name: str, file: str) -> Path | None:
    """The path of `file` among the shipped files or else in the cache, or None."""
    return next((path for root in (shipped, cache) if (path := root() / name / file).is_file()), None)


def raw(name: str) -> list[Path]:
    """Folders that may hold the raw files of a data set."""
    folder = os.environ.get("BRIDGEVIZ_DATA")
    return ([Path(folder) / name] if folder else []) + [cache() / name]
