"""Makes hostile and broken files, byte by byte."""

from __future__ import annotations

import io
import json
import os
import zipfile
from functools import cache

import numpy as np
import pandas as pd
from scipy import sparse


class Bomb:
    """Writes a file when it is unpickled."""

    def __reduce__(self):
        return os.system, ("touch executed",)


def header(descr: str, *, version: int = 1, length: int | None = None) -> bytes:
    """The beginning of a .npy file with this text as its header."""
    text = descr.encode() + b"\n"
    width = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + (length or len(text)).to_bytes(width, "little") + text


def npy(shape: str = "(3, 2)", descr: str = "'<f8'", order: str = "False", data: bytes = bytes(48)) -> bytes:
    return header(f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}") + data


def array(value: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, value, allow_pickle=True)
    return stream.getvalue()


def zipped(*members: tuple[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", how) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return stream.getvalue()


@cache
def inflating(start: bytes, zeros: int) -> bytes:
    """A zip archive with one member x.npy: `start` and then many zeros."""
    stream, block = io.BytesIO(), bytes(2**20)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("x.npy", "w") as member:
        member.write(start)
        for done in range(0, zeros, len(block)):
            member.write(block[: zeros - done])
    return stream.getvalue()


def table(**columns) -> bytes:
    stream = io.BytesIO()
    pd.DataFrame(columns).to_parquet(stream)
    return stream.getvalue()


def broken_pandas(note: bytes) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    stream = io.BytesIO()
    parquet.write_table(pa.table({"a": [1.0, 2.0]}).replace_schema_metadata({b"pandas": note}), stream)
    return stream.getvalue()


@cache
def constant_parquet(rows: int) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    stream = io.BytesIO()
    with parquet.ParquetWriter(stream, pa.schema([("a", pa.float64())]), use_dictionary=True) as writer:
        group = pa.table({"a": np.zeros(2**20)})
        for _ in range(rows // 2**20):
            writer.write_table(group)
    return stream.getvalue()


@cache
def constant_feather(rows: int) -> bytes:
    import pyarrow as pa
    from pyarrow import feather

    stream = io.BytesIO()
    feather.write_feather(pa.table({"a": np.zeros(rows)}), stream, compression="zstd", chunksize=2**22)
    return stream.getvalue()


def damaged_sparse(**changes) -> bytes:
    stream = io.BytesIO()
    matrix = sparse.csr_array(np.eye(3))
    parts = {"data": matrix.data, "indices": matrix.indices, "indptr": matrix.indptr, "shape": (3, 3), "format": "csr"}
    np.savez(stream, **(parts | changes))
    return stream.getvalue()


def tensors(header: object, data: bytes = b"") -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data
