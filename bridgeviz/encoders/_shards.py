"""Features of many pictures in a file. A command that was killed resumes: what it has encoded is kept in shards."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz._files import check_array_path, write_text
from bridgeviz.encoders import store
from bridgeviz.encoders._encoder import ImageEncoder
from bridgeviz.encoders._features import BATCH, Batch, flat, stream
from bridgeviz.encoders._pictures import Pictures

SHARD_BYTES = 64 * 2**20
"""The largest size of a shard, which is in memory while it grows."""
SHARD_ROWS = 1024
"""The largest number of pictures in a shard: what a killed command loses at most."""

PLAN = "plan.json"


class Progress(NamedTuple):
    """How far a command is."""

    what: str
    done: int
    total: int


class Encoded(NamedTuple):
    """What the shards hold.

    Attributes:
        rows: (k,) numbers of the pictures that were read.
        layers: for each layer (k, d) float16, part by part.
        head: (k,) ImageNet index of the class that the encoder's own head predicts, or None.
        unreadable: number and reason of each picture that could not be read.
    """

    rows: np.ndarray
    layers: dict[str, store.Parts]
    head: np.ndarray | None
    unreadable: dict[int, str]


def encode_to(
    out: str | Path,
    pictures: Pictures,
    encoder: ImageEncoder,
    layers: Sequence[str] = (),
    *,
    finish: Callable[[Encoded], Mapping[str, np.ndarray | store.Parts]],
    whole: bool = False,
    grid: int | None = None,
    batch_size: int = BATCH,
    restart: bool = False,
) -> Iterator[Progress]:
    """Encode pictures, and write the arrays that `finish` makes of them to a `.npz` file.

    Shards of at most `SHARD_ROWS` pictures are kept in the folder `out` + ".parts" until the file is complete. The same
    command resumes after the last complete shard. Memory is bounded by one shard and one batch.

    Args:
        out: the file.
        pictures: to encode.
        encoder: the frozen model.
        layers: names of its layers; none takes its default.
        finish: makes the arrays of the file.
        whole: squeeze whole pictures into the model's square, rather than cropping them as its authors do.
        grid: average feature maps over grid x grid cells; None keeps every position.
        batch_size: pictures per call of the encoder.
        restart: discard the shards of an earlier command.

    Raises:
        InputError: the output can't be written, the shards belong to a command with other settings, another process is
            writing them, or no picture can be read.
    """
    from filelock import FileLock, Timeout

    out = check_array_path(out, ".npz")
    names = [encoder.layer(name) for name in layers] or [encoder.default]
    widths = _widths(encoder, names, whole, grid)
    per_row = 2 * sum(widths.values())
    size = int(max(1, min(SHARD_ROWS, SHARD_BYTES // per_row)))
    plan = {
        "pictures": _digest(pictures), "vision": encoder.model, "weights": encoder.digest, "layers": names,
        "whole": whole, "grid": grid, "rows per shard": size,
    }  # fmt: skip
    folder, lock = out.with_name(out.name + ".parts"), out.with_name(f".{out.name}.lock")
    _check_space(out.resolve().parent, 2 * per_row * len(pictures))
    try:
        with FileLock(lock, timeout=0):
            _open_folder(folder, plan, restart)
            for k, start in enumerate(range(0, len(pictures), size)):
                shard = folder / f"{k:06d}.npz"
                part = start, min(start + size, len(pictures))
                if not _complete(shard, *part):
                    yield from _encode_shard(
                        shard, pictures, encoder, names, part, whole=whole, grid=grid, batch_size=batch_size
                    )
                yield Progress(encoder.model, part[1], len(pictures))
            encoded = _collect(sorted(folder.glob("[0-9]*.npz")), widths, encoder.head, pictures)
            store.write(out, finish(encoded))
            shutil.rmtree(folder)
            lock.unlink(missing_ok=True)
    except Timeout:
        raise InputError(f"Another process is writing {out}. Wait for it, or choose another name.") from None


def _encode_shard(
    path: Path,
    pictures: Pictures,
    encoder: ImageEncoder,
    names: Sequence[str],
    part: tuple[int, int],
    *,
    whole: bool,
    grid: int | None,
    batch_size: int,
) -> Iterator[Progress]:
    """Encode the pictures part[0] .. part[1] - 1, and write them to a shard."""
    start, stop = part
    wanted = [*names, *([encoder.head] if encoder.head and encoder.head not in names else [])]
    batches: list[Batch] = []
    for batch in stream(
        pictures, encoder, wanted, whole=whole, grid=grid, batch_size=batch_size, start=start, stop=stop
    ):
        batches.append(_halved(batch, encoder, names))
        start += len(batch.rows) + len(batch.unreadable)
        yield Progress(encoder.model, start, len(pictures))
    _write_shard(path, batches, names, encoder.head)


def _open_folder(folder: Path, plan: Mapping[str, Any], restart: bool) -> None:
    """A folder of shards that belong to this plan.

    Raises:
        InputError: it holds those of another one, or something else.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"The unfinished features go to the folder {folder}. It is a file: move it away.")
    if restart and (folder / PLAN).is_file():
        shutil.rmtree(folder)
    if not folder.exists():
        folder.mkdir()
    if not any(folder.iterdir()):
        write_text(folder / PLAN, json.dumps(plan, indent=1))
    try:
        earlier = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise InputError(f"The folder {folder} holds no unfinished features, but other files: move it away.") from None
    for name, value in plan.items():
        if earlier.get(name) != value:
            change = f"its {name} were not these" if name == "pictures" else f"{name} {earlier.get(name)!r}"
            raise InputError(
                f"The unfinished features in {folder} are of another command ({change}). Repeat that one, or discard "
                "them with --restart."
            )


def _halved(batch: Batch, encoder: ImageEncoder, names: Sequence[str]) -> Batch:
    """A batch in float16; the scores of the head become the number of the best class."""
    layers = {}
    for name in names:
        values = batch.layers.get(name, np.zeros((0, 0), np.float32))
        if values.size and not np.abs(values).max() <= np.finfo(np.float16).max:
            raise InputError(
                f"The layer '{name}' of {encoder.model} holds numbers that float16 can't: choose another layer."
            )
        layers[name] = values.astype(np.float16)
    if encoder.head:
        scores = batch.layers.get(encoder.head, np.zeros((0, 1), np.float32))
        layers["head"] = scores.argmax(1).astype(np.int16)
    return Batch(batch.rows, layers, batch.unreadable)


def _write_shard(path: Path, batches: Sequence[Batch], names: Sequence[str], head: str | None) -> None:
    """The batches in one file: the layers by number, because their names may hold a "/"."""
    keys = {str(k): name for k, name in enumerate(names)} | ({"head": "head"} if head else {})
    full = [batch for batch in batches if len(batch.rows)]
    unreadable = {row: text for batch in batches for row, text in batch.unreadable.items()}
    arrays: dict[str, np.ndarray | store.Parts] = {
        key: np.concatenate([batch.layers[name] for batch in full]) for key, name in keys.items() if full
    }
    arrays["rows"] = np.concatenate([batch.rows for batch in batches])
    arrays["unreadable"] = np.array(list(unreadable), np.int64)
    arrays["reasons"] = np.array([text.encode()[:200] for text in unreadable.values()], "S200")
    store.write(path, arrays)


def _complete(path: Path, start: int, stop: int) -> bool:
    """Whether a shard is there and holds the pictures start .. stop - 1."""
    if not path.is_file():
        return False
    try:
        shard = store.read(path)
        return sorted([*shard["rows"], *shard["unreadable"]]) == list(range(start, stop))
    except (InputError, KeyError):
        return False


def _collect(paths: Sequence[Path], widths: Mapping[str, int], head: str | None, pictures: Pictures) -> Encoded:
    """All shards as one; the features stay on the disk until they are written."""
    shards = [store.read(path) for path in paths]
    unreadable = {
        int(row): bytes(text).decode(errors="replace")
        for shard in shards
        for row, text in zip(shard["unreadable"], shard["reasons"], strict=True)
    }
    full = [shard for shard in shards if len(shard["rows"])]
    if not full:
        row, text = next(iter(unreadable.items()))
        raise InputError(f"None of the {len(pictures)} pictures can be read. The first, {pictures.names[row]}: {text}.")
    rows = np.concatenate([shard["rows"] for shard in full])
    layers = {
        name: store.Parts((len(rows), width), np.float16, _parts(paths, str(k)))
        for k, (name, width) in enumerate(widths.items())
    }
    predicted = np.concatenate([shard["head"] for shard in full]) if head else None
    return Encoded(rows, layers, predicted, unreadable)


def _parts(paths: Sequence[Path], key: str) -> Iterator[np.ndarray]:
    """An array of each shard; those without a readable picture have none."""
    for path in paths:
        shard = store.read(path)
        if key in shard:
            yield shard[key]


def _widths(encoder: ImageEncoder, names: Sequence[str], whole: bool, grid: int | None) -> dict[str, int]:
    """The number of features by layer, from one blank picture."""
    from PIL import Image

    blank = encoder.prepare(Image.new("RGB", (64, 64)), whole=whole)[None]
    values = encoder.encode(blank, names)
    return {name: flat(values[name], grid).shape[1] for name in names}


def _digest(pictures: Pictures) -> str:
    total = hashlib.sha256()
    for name, size in zip(pictures.names, pictures.sizes, strict=True):
        total.update(f"{name}\0{size}\0".encode(errors="surrogateescape"))
    return total.hexdigest()[:16]


def _check_space(folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise InputError(
            f"The features take {needed / 1e9:.1f} GB with their shards, and {folder} has {free / 1e9:.1f} GB left. "
            "Choose another disk, fewer layers, or a coarser --grid."
        )
