"""A folder of pictures with one sub-folder per class -> the features file of the data set `imagenet`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bridgeviz._checks import InputError, fail
from bridgeviz._files import check_array_path
from bridgeviz.datasets._features_file import arrays_of, names_array
from bridgeviz.datasets._imagenet_classes import encode_names, imagenet_classes
from bridgeviz.encoders import Encoded, Progress, encode_to, open_pictures, open_text, open_vision, store

LISTED = 5
"""The number of unreadable pictures that are named one by one."""


def encode(
    out: Path,
    images: str | Path,
    vision: str,
    text: str,
    layers: Sequence[str],
    *,
    whole: bool,
    grid: int | None,
    batch_size: int,
    restart: bool,
) -> Iterator[str | Progress]:
    """Encode pictures and names; see `ImageNet.encode`."""
    check_array_path(out, ".npz")
    if batch_size < 1:
        raise fail("batch-size", "features", "an integer >= 1", batch_size)
    if grid is not None and grid < 1:
        raise fail("grid", "features", "an integer >= 1", grid)
    with open_pictures(images) as pictures:
        folders, labels = class_folders(pictures.names)
        names, index = names_of_classes(folders)
        yield f"{len(pictures):,} pictures of {len(names)} classes"
        encoder = open_vision(vision)
        embeddings = encode_names(open_text(text), names)
        about = {"vision": encoder.model, "weights": encoder.digest, "text": text, "whole": whole, "grid": grid}
        skipped: list[str] = []

        def finish(encoded: Encoded) -> dict[str, np.ndarray | store.Parts]:
            skipped.extend(f"{pictures.names[row]}: {why}" for row, why in encoded.unreadable.items())
            return {
                **arrays_of(encoded, pictures, about), "text": embeddings, "names": names_array(names),
                "imagenet_index": index, "labels": labels[encoded.rows],
            }  # fmt: skip

        yield from encode_to(
            out, pictures, encoder, layers, finish=finish, whole=whole, grid=grid, batch_size=batch_size,
            restart=restart,
        )  # fmt: skip
    yield from (f"skipped {line}" for line in skipped[:LISTED])
    if len(skipped) > LISTED:
        yield f"skipped {len(skipped)} pictures that can't be read; the array 'skipped' of the file lists all of them"


def class_folders(names: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The folders that stand for the classes, sorted, and the (n,) number of each picture's folder.

    A class is the part of a picture's path that is a WordNet id of ImageNet, such as "n01440764", if every path has
    one. Otherwise it is the first folder.

    Raises:
        InputError: a picture lies in no folder, or there are fewer than two classes.

    >>> class_folders(["train/n01440764/images/0.jpg", "train/n01443537/images/0.jpg"])[0]
    ['n01440764', 'n01443537']
    """
    known = imagenet_classes().index
    parts = [name.split("/")[:-1] for name in names]
    found = [next((part for part in path if part in known), None) for path in parts]
    if None in found:
        loose = next((name for name, path in zip(names, parts, strict=True) if not path), None)
        if loose is not None:
            raise InputError(f"The pictures must lie in one folder per class. {loose} lies in none.")
        found = [path[0] for path in parts]
    folders, labels = np.unique(np.array(found, dtype=object).astype(str), return_inverse=True)
    if len(folders) < 2:
        raise InputError(f"The pictures must be of at least two classes. All lie in the folder {folders[0]}.")
    return [str(folder) for folder in folders], labels.astype(np.int32)


def names_of_classes(folders: Sequence[str]) -> tuple[list[str], np.ndarray]:
    """The name of each class, and its number in ImageNet, or -1.

    >>> names_of_classes(["n01443537", "my_dog"])
    (['goldfish', 'my dog'], array([ 1, -1], dtype=int16))
    """
    known = imagenet_classes()
    index = np.array([known.index.get(folder, -1) for folder in folders], np.int16)
    names = [
        known.names[number] if number >= 0 else folder.replace("_", " ").strip()
        for folder, number in zip(folders, index, strict=True)
    ]
    return names, index
