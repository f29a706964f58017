"""Records on disk: settings as JSON and arrays as `.npz`, both verified by a digest when they are read."""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import jax
import numpy as np
from jaxtyping import PyTree

Tree = TypeVar("Tree")

ARRAYS = "arrays.npz"
"""The file with a record's arrays."""

_MOST_ABOUT = 64 * 2**20
"""Bytes of the largest JSON file that is read."""


def write_record(folder: Path, name: str, about: Mapping[str, Any], tree: PyTree) -> None:
    """Write a record to a folder that exists.

    Args:
        folder: where.
        name: of the JSON file.
        about: values for JSON.
        tree: nested arrays; the file of arrays is `ARRAYS`.

    Raises:
        OSError: the disk is full or cannot be written to.
    """
    content = io.BytesIO()  # on the disk itself, a zip file that fails half-way complains once more when it is deleted
    named: dict[str, Any] = {key: np.asarray(leaf) for key, leaf in by_name(tree).items()}
    np.savez(content, **named)
    content = content.getvalue()
    (folder / ARRAYS).write_bytes(content)
    arrays = {"bytes": len(content), "digest": _digest(content)}
    (folder / name).write_text(json.dumps(sealed({**about, "arrays": arrays})), encoding="utf-8")


def read_about(path: Path) -> dict[str, Any]:
    """The values of a record's JSON file. The files of version 0.1.0, which have no digest, are read as they are.

    Raises:
        ValueError: it is not a file, or not what `write_record` wrote. For damaged files, the JSON library raises
            errors of other types.
    """
    about = json.loads(_content(path, most=_MOST_ABOUT))
    if ("digest" in about or "arrays" in about) and about != sealed(about):
        raise ValueError(f"{path.name} was changed after it was written")
    return about


def read_arrays(folder: Path, about: Mapping[str, Any], like: Tree) -> Tree:
    """The arrays of a record, with the structure, shapes and types of `like`, as NumPy arrays.

    Raises:
        ValueError: the file has another size or other contents than when it was written, or the arrays are not those
            of `like`.
    """
    written = about["arrays"]
    content = _content(folder / ARRAYS, size=written["bytes"])
    if _digest(content) != written["digest"]:
        raise ValueError(f"{ARRAYS} was changed after it was written")
    with np.load(io.BytesIO(content), allow_pickle=False) as stored:
        arrays = dict(stored.items())
    expected = by_name(like)
    if arrays.keys() != expected.keys():
        differ = sorted(arrays.keys() ^ expected.keys())
        raise ValueError(f"arrays of another model: {differ[0]}")
    for name, leaf in expected.items():
        array = arrays[name]
        if (array.shape, array.dtype) != (leaf.shape, leaf.dtype):
            raise ValueError(f"{name} of shape {array.shape} and type {array.dtype}, not {leaf.shape} and {leaf.dtype}")
    return jax.tree.unflatten(jax.tree.structure(like), [arrays[name] for name in expected])


def sealed(about: Mapping[str, Any]) -> dict[str, Any]:
    """Values for JSON with their digest, in the place of an earlier one."""
    values = {name: value for name, value in about.items() if name != "digest"}
    return {**values, "digest": _digest(json.dumps(values, sort_keys=True).encode())}


def _content(path: Path, *, size: int | None = None, most: int | None = None) -> bytes:
    """The bytes of a regular file, whose size is checked before it is read."""
    if not path.is_file():  # a pipe or a device could be read for ever
        raise ValueError(f"{path.name} is not a file")
    actual = os.stat(path).st_size
    if size is not None and actual != size:
        raise ValueError(f"{path.name} has {actual:,} bytes, not {size:,}")
    if most is not None and actual > most:
        raise ValueError(f"{path.name} has {actual:,} bytes, which is too large")
    return path.read_bytes()


def _digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def by_name(tree: PyTree) -> dict[str, Any]:
    """The arrays of a tree by their names, in the order of the tree."""
    paths, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in paths}
