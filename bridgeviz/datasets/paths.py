"""Where data lives: what the project ships, what a user fetched, what BRIDGEVIZ_DATA points to."""

from __future__ import annotations

import os
from pathlib import Path

import pooch

_PACKAGE = Path(__file__).resolve().parents[1]


def shipped() -> Path:
    """The project's own `data/`: beside the package in a checkout, inside it in an installed wheel."""
    checkout = _PACKAGE.parent / "data"
    return checkout if (_PACKAGE.parent / "pyproject.toml").is_file() else _PACKAGE / "_data"


def cache() -> Path:
    """Where fetched and pretrained files go: BRIDGEVIZ_CACHE, or the system's cache folder."""
    return Path(os.environ.get("BRIDGEVIZ_CACHE") or pooch.os_cache("bridgeviz"))


def home(name: str) -> Path:
    """Where `pretrain` writes: the checkout's `data/` if this is one, else the cache."""
    return shipped() / name if shipped().parent == _PACKAGE.parent else cache() / name


def find(name: str, file: str) -> Path | None:
    """The first of shipped and cached folders that holds `file`, or None."""
    return next((p for p in (shipped() / name / file, cache() / name / file) if p.is_file()), None)


def raw(name: str) -> list[Path]:
    """Folders that may hold a dataset's raw files."""
    given = os.environ.get("BRIDGEVIZ_DATA")
    return ([Path(given) / name] if given else []) + [cache() / name]
