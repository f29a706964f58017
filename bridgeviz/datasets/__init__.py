"""Real and synthetic spaces to align, by name.

A new data set is one new file with a `DatasetOptions`, and one line here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

from bridgeviz import _checks as check
from bridgeviz._checks import InputError
from bridgeviz._options import Variant, options_of
from bridgeviz.datasets import files, paths
from bridgeviz.datasets._blobs import Blobs
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.datasets._digits import Digits
from bridgeviz.datasets._imagenet import ImageNet
from bridgeviz.datasets._majaj2015 import Majaj2015
from bridgeviz.datasets._mnist import Mnist
from bridgeviz.datasets._snare_seq import SnareSeq
from bridgeviz.datasets._swiss_roll import SwissRoll
from bridgeviz.datasets._tiny_imagenet import TinyImageNet
from bridgeviz.datasets._two_encoders import TwoEncoders
from bridgeviz.datasets._v4_cowley import V4Cowley
from bridgeviz.datasets._yours import Yours
from bridgeviz.encoders import Progress
from bridgeviz.problem import Problem

DATASETS: dict[str, type[DatasetOptions]] = {
    "digits": Digits,
    "mnist": Mnist,
    "tiny-imagenet": TinyImageNet,
    "two-encoders": TwoEncoders,
    "imagenet": ImageNet,
    "snare-seq": SnareSeq,
    "v4-cowley": V4Cowley,
    "majaj2015": Majaj2015,
    "swiss-roll": SwissRoll,
    "blobs": Blobs,
}


def load(name: str | DatasetOptions, **options: Any) -> Problem:
    """Load a data set.

    All work offline but "imagenet" and recordings of neurons, whose features or files are not shipped.

    Args:
        name: a name in `DATASETS`, or a `DatasetOptions` object.
        **options: options of that data set, such as `overlap=0.5` for blobs.

    Raises:
        InputError: an unknown name or option.
        DataMissing: the files of the data set are not on this machine.

    >>> load("blobs", n=100).shape
    (100, 100)
    >>> load(Blobs(n=100, classes=3)).shape
    (100, 100)
    """
    dataset = _member(name, "load")
    check.options(options, options_of(type(dataset)), "load")
    return replace(dataset, **options).load()


def describe() -> list[tuple[str, str, dict[str, Any]]]:
    """Name, title, and options with their defaults of every data set."""
    return [
        (name, entry.title, {field: option.default for field, option in options_of(entry).items()})
        for name, entry in DATASETS.items()
    ]


def card(name: str) -> Card:
    """Where a data set comes from, its licence, and what to be careful about.

    >>> card("digits").licence
    'CC BY 4.0.'
    """
    dataset = _member(name, "card")
    if dataset.card is None:
        raise InputError(f"The data set '{name}' has no card: its author has not written one.")
    return dataset.card


def fetch(name: str) -> Path | None:
    """Download the raw files of a data set, or find them, and check their contents; None if it needs none."""
    return _member(name, "fetch").fetch()


def pretrain(name: str, out: Path | None = None) -> Iterator[tuple[str, int, int, float]]:
    """Train the frozen models of a data set and write them to `out`; yields (model, step, steps, loss)."""
    dataset = _member(name, "pretrain")
    progress = dataset.pretrain(out or dataset.home())
    if progress is None:
        raise InputError(f"pretrain() has nothing to train for '{name}'. It trains: {_overriding('pretrain')}.")
    return progress


def features(name: str, out: Path | None = None, **options: Any) -> Iterator[str | Progress]:
    """Run the frozen encoders of a data set and write their features to `out`.

    Args:
        name: of the data set.
        out: a folder, or for "imagenet" a file; None takes the data set's own.
        **options: what its `encode` takes, such as `images` and `vision` for "imagenet".

    Yields:
        Its progress, as text or as (what, done, total).
    """
    dataset = _member(name, "features")
    known = list(signature(dataset.encode).parameters)[1:]
    for option in options:
        if option not in known:
            takes = f"It takes: {', '.join(known)}." if known else "It takes none."
            raise InputError(f"features() has no option '{option}' for '{name}'. {takes}")
    progress = dataset.encode(out or dataset.home(), **options)
    if progress is None:
        raise InputError(f"features() has nothing to encode for '{name}'. It encodes: {_overriding('encode')}.")
    return progress


def _member(name: str | DatasetOptions, where: str) -> DatasetOptions:
    members = Variant(DATASETS, DatasetOptions)
    return members.member(members.check(name, "name", where))


def _overriding(method: str) -> str:
    """The names of the data sets that override a method of `DatasetOptions`."""
    default = getattr(DatasetOptions, method)
    return ", ".join(name for name, entry in DATASETS.items() if getattr(entry, method) is not default)


__all__ = [
    "DATASETS",
    "Blobs",
    "Card",
    "DatasetOptions",
    "Digits",
    "ImageNet",
    "Majaj2015",
    "Mnist",
    "SnareSeq",
    "SwissRoll",
    "TinyImageNet",
    "TwoEncoders",
    "V4Cowley",
    "Yours",
    "card",
    "describe",
    "features",
    "fetch",
    "files",
    "load",
    "paths",
    "pretrain",
]
