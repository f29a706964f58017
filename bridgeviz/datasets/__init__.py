"""Real and made spaces to align, by name.

A new dataset is one new module with `TITLE` and `load`, and one line here.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz.datasets import paths
from bridgeviz.problem import Problem

DATASETS = {
    "digits": "digits",
    "mnist": "mnist",
    "tiny-imagenet": "tiny_imagenet",
    "swiss-roll": "swiss_roll",
    "blobs": "blobs",
}
FETCHED = ("mnist",)
PRETRAINED = ("mnist", "digits")
ENCODED = ("tiny-imagenet",)


def load(name: str, **options: Any) -> Problem:
    """The problem of that name: "digits", "mnist", "swiss-roll" or "blobs", offline; "tiny-imagenet" needs features.

    Args:
        name: of the dataset.
        **options: of that dataset's own `load`, such as `overlap=0.5` for blobs.

    Raises:
        InputError: an unknown name or option.
        DataMissing: its files are not here.

    >>> load("blobs", n=100).shape
    (100, 100)
    """
    module = _module(name, "load")
    check.options(options, inspect.signature(module.load).parameters, "load")
    return module.load(**options)


def describe() -> list[tuple[str, str, dict[str, Any]]]:
    """Name, title and options with their defaults of every dataset."""
    rows = []
    for name in DATASETS:
        module = _module(name, "describe")
        parameters = inspect.signature(module.load).parameters
        rows.append((name, module.TITLE, {k: v.default for k, v in parameters.items()}))
    return rows


def fetch(name: str) -> Path | None:
    """Download (or find) the raw files of a dataset and check their contents; None where there is nothing to fetch."""
    _module(name, "fetch")
    if name not in FETCHED:
        return None
    from bridgeviz.datasets import idx

    return idx.fetch()


def pretrain(name: str, out: Path | None = None) -> Iterator[tuple[str, int, int, float]]:
    """Train the frozen models of a dataset; yields (what, step, steps, loss) and writes to `out` at the end."""
    module = _module(name, "pretrain")
    if name not in PRETRAINED:
        raise InputError(f"pretrain() has nothing to train for '{name}'. It trains: {', '.join(PRETRAINED)}.")
    return module.pretrain(out or paths.home(name))


def features(name: str, out: Path | None = None) -> Iterator[str]:
    """Run the frozen encoders of a dataset on what it is made of; yields what it does and writes to `out`."""
    module = _module(name, "features")
    if name not in ENCODED:
        raise InputError(f"features() has nothing to encode for '{name}'. It encodes: {', '.join(ENCODED)}.")
    return module.features(out or paths.home(DATASETS[name]))


def _module(name: str, where: str) -> Any:
    return import_module(f"bridgeviz.datasets.{DATASETS[check.choice(name, 'name', where, DATASETS)]}")


__all__ = ["DATASETS", "ENCODED", "FETCHED", "PRETRAINED", "describe", "features", "fetch", "load", "pretrain"]
