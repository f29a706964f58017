"""The 1,000 classes of ImageNet, and sentences about classes."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

import numpy as np

from bridgeviz._checks import DataMissing
from bridgeviz.datasets import paths
from bridgeviz.encoders import TextEncoder

FOLDER, FILE = "imagenet", "classes.csv"


class Classes(NamedTuple):
    """The classes in their usual order.

    Attributes:
        names: one per class, all different.
        index: number of each class by its WordNet id, such as "n01440764".
    """

    names: tuple[str, ...]
    index: dict[str, int]


@cache
def imagenet_classes() -> Classes:
    """The shipped table of the classes.

    Raises:
        DataMissing: it is not on this machine.
    """
    path = paths.find(FOLDER, FILE)
    if path is None:
        raise DataMissing("The names of ImageNet's classes are not here. They come with bridgeviz: reinstall it.")
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return Classes(tuple(row["name"] for row in rows), {row["wnid"]: int(row["index"]) for row in rows})


def sentence(name: str) -> str:
    """What the text encoder reads for a class (Sec. 4).

    >>> sentence("goldfish")
    'a photo of a goldfish'
    """
    return f"a photo of a {name}"


def encode_names(encoder: TextEncoder, names: Sequence[str]) -> np.ndarray:
    """(c, q) float16 embeddings of the sentences about classes."""
    return np.asarray(encoder.encode([sentence(name) for name in names]), np.float16)


def nearest_names(embeddings: np.ndarray, pairs: int) -> np.ndarray:
    """The classes with the most similar names: (pairs, 2) row numbers, the most similar pair first.

    Pairs are taken in the order of the cosine between their embeddings. A class is in one pair at most.

    >>> nearest_names(np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 0.1], [0.1, 0.9]]), 2)
    array([[0, 2],
           [1, 3]])
    """
    rows = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    first, second = np.triu_indices(len(rows), 1)
    chosen: list[tuple[int, int]] = []
    taken: set[int] = set()
    for k in np.argsort(-(rows @ rows.T)[first, second], kind="stable"):
        pair = int(first[k]), int(second[k])
        if not taken & set(pair):
            chosen.append(pair)
            taken.update(pair)
        if len(chosen) == pairs:
            break
    return np.array(chosen, np.int64).reshape(-1, 2)
