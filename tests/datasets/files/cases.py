"""Hostile and broken files, and a part of the sentence that each must get; a bar divides alternatives."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from bridgeviz.datasets import files

from .makers import (
    Bomb,
    array,
    broken_pandas,
    constant_feather,
    constant_parquet,
    damaged_sparse,
    header,
    inflating,
    npy,
    table,
    tensors,
    zipped,
)  # fmt: skip
from .writers import X

MATRICES: dict[str, tuple[str, bytes | Callable[[], bytes], str]] = {
    "objects": ("x.npy", lambda: array(np.array([[Bomb()], [1]], object)), "Python objects, which are never loaded"),
    "objects in an archive": ("x.npz", lambda: zipped(("x.npy", array(np.array([Bomb()], object)))), "never loaded"),
    "a pickle as .npy": ("x.npy", lambda: pickle.dumps(Bomb()), "Python pickle, which is never loaded"),
    "a pickle as .csv": ("x.csv", lambda: pickle.dumps(Bomb()), "Python pickle"),
    "a pickle in an archive": ("x.npz", lambda: zipped(("x.npy", pickle.dumps(Bomb()))), "does not begin like one"),
    "a bomb of floats": ("x.npz", lambda: inflating(npy("(2097152, 16)", "'<f4'", data=b""), 2**27), "times as large"),
    "a bomb of bytes": ("x.npz", lambda: inflating(npy("(536870912, 1)", "'|i1'", data=b""), 2**20), "take 4.5 GB"),
    "a bomb in a header": ("x.npz", lambda: inflating(header("{", version=2, length=2**27), 2**27), "has 134,217,728"),
    "a bomb behind a small array": ("x.npz", lambda: inflating(npy(), 2**27), "different sizes"),
    "a truncated archive": ("x.npz", lambda: zipped(("x.npy", npy()))[:-9], "can't be read"),
    "an archive cut in the middle": ("x.npz", lambda: zipped(("x.npy", npy()))[:90], "can't be read"),
    "an empty archive": ("x.npz", b"PK\x05\x06" + bytes(18), "can't be read"),
    "a path in an archive": ("x.npz", lambda: zipped(("../../x.npy", npy())), "plain names. It holds '../../x'"),
    "an absolute path in an archive": ("x.npz", lambda: zipped(("/etc/x.npy", npy())), "plain names"),
    "a drive in an archive": ("x.npz", lambda: zipped(("C:\\x.npy", npy())), "plain names"),
    "another compression": ("x.npz", lambda: zipped(("x.npy", npy()), how=zipfile.ZIP_LZMA), "stored or deflated"),
    "a wrong suffix": ("x.npy", lambda: zipped(("x.npy", npy())), "By its first bytes it is a zip archive"),
    "a table as an array": ("x.npy", b"1,2\n3,4\n5,6\n7,8\n", "does not begin like one"),
    "an array as a table": ("x.csv", npy(), "By its first bytes it is a NumPy array"),
    "a table in gzip": ("x.csv", b"\x1f\x8b\x08\x00", "compressed with gzip"),
    "NaN": ("x.npy", lambda: array(np.array([[1.0], [np.nan]])), "nan at row 1"),
    "infinity": ("x.csv", b"1\n-inf\n", "-inf at row 1"),
    "a number beyond all floats": ("x.csv", b"1\n1e999\n", "inf at row 1"),
    "zero rows": ("x.npy", lambda: array(np.zeros((0, 3))), "at least 2 rows"),
    "zero columns": ("x.npy", lambda: array(np.zeros((3, 0))), "1 column"),
    "a header of 10^9 rows": ("x.npy", npy("(1000000000, 300)"), "GB: use a sample"),
    "more rows than bytes": ("x.npy", npy("(1000000, 3)"), "promises 24,000,000 bytes"),
    "a shape of 2^70": ("x.npy", npy(f"({2**70}, 2)"), "fits into memory"),
    "a negative shape": ("x.npy", npy("(-3, 2)"), "says shape (-3, 2)"),
    "a shape of digits": ("x.npy", npy(f"({'9' * 5000}, 2)"), "can't be read"),
    "a shape of words": ("x.npy", npy("('a', 2)"), "says shape ('a', 2)"),
    "a header {1: 2}": ("x.npy", header("{1: 2}"), "its header is {1: 2}"),
    "a header of brackets": ("x.npy", header("(" * 9000), "can't be read"),
    "a header that calls": ("x.npy", header("__import__('os').system('touch executed')"), "can't be read"),
    "a tuple as dtype": ("x.npy", npy(descr="('<f8', (2,))"), "structured array"),
    "a record as dtype": ("x.npy", npy(descr="[('a', '<f8')]"), "structured array"),
    "an odd dtype": ("x.npy", npy(descr="'<q9'"), "can't be read"),
    "a dtype of nothing": ("x.npy", npy(descr="'|V0'"), "type |V0"),
    "dates": ("x.npy", npy(descr="'<M8[s]'"), "real numbers. It holds type datetime64"),
    "complex numbers": ("x.npy", lambda: array(X + 1j), "real numbers. It holds type complex128"),
    "text": ("x.npy", lambda: array(np.array([["a"], ["b"]])), "real matrix"),
    "an order that is no order": ("x.npy", npy(order="None"), "its order is None"),
    "a header of another version": ("x.npy", b"\x93NUMPY\x09\x00", "does not begin like one"),
    "sparse, an index beyond the end": ("x.npz", lambda: damaged_sparse(indices=[0, 1, 2**28]), "can't be read"),
    "sparse, a negative index": ("x.npz", lambda: damaged_sparse(indices=[0, 1, -5]), "can't be read"),
    "sparse, rows that end before they begin": ("x.npz", lambda: damaged_sparse(indptr=[0, 3, 1, 3]), "can't be read"),
    "sparse, rows beyond the end": ("x.npz", lambda: damaged_sparse(indptr=[0, 1, 2, 2**40]), "can't be read"),
    "sparse, indices that are fractions": ("x.npz", lambda: damaged_sparse(indices=[0.5, 1, 2]), "indices are whole"),
    "sparse, of 10^12 entries": ("x.npz", lambda: damaged_sparse(shape=(10**6, 10**6)), "use a sample"),
    "sparse, of no layout": ("x.npz", lambda: damaged_sparse(format="bsx"), "Got format 'bsx'"),
    "a parquet of 50 million rows": ("x.parquet", lambda: constant_parquet(50 * 2**20), "times as large"),
    "a feather of 50 million rows": ("x.feather", lambda: constant_feather(50 * 2**20), "times as large"),
    "a damaged note by pandas": ("x.parquet", lambda: broken_pandas(b"{"), "by pandas, is damaged"),
    "a note by pandas of another kind": ("x.parquet", lambda: broken_pandas(b"[1, 2]"), "by pandas, is damaged"),
    "an index that is not there": ("x.parquet", lambda: broken_pandas(b'{"index_columns": ["z"]}'), "is damaged"),
    "a truncated parquet": ("x.parquet", lambda: table(a=[1.0, 2.0])[:-9], "its end is missing"),
    "a parquet of words": ("x.parquet", lambda: table(a=[1.0, 2.0], b=["c", "d"]), "Column 'b' is of type"),
    "tensors with a header of 10^15 bytes": ("x.safetensors", (10**15).to_bytes(8, "little"), "its header would have"),
    "tensors with broken JSON": ("x.safetensors", tensors(b"{" * 9), "can't be read"),
    "tensors with deep JSON": ("x.safetensors", tensors(b"[" * 99_999), "can't be read"),
    "tensors without offsets": ("x.safetensors", tensors({"x": {"dtype": "F32", "shape": [2]}}), "does not describe"),
    "a tensor of another size": (
        "x.safetensors", tensors({"x": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 8]}}), "wrong number"
    ),
    "a tensor beyond the end": (
        "x.safetensors", tensors({"x": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}), "ends within"
    ),
    "a tensor of 2^60 rows": (
        "x.safetensors", tensors({"x": {"dtype": "F32", "shape": [2**60], "data_offsets": [0, 2**62]}}), "not describe"
    ),
    "a tensor of another type": (
        "x.safetensors", tensors({"x": {"dtype": "C64", "shape": [1], "data_offsets": [0, 8]}}), "type 'C64'"
    ),
    "an archive as tensors": ("x.safetensors", lambda: zipped(("x.npy", npy())), "By its first bytes"),
    "text in a numeric column": ("x.csv", b"a,b\n1,2\n3,four\n", "Row 1, column 'b' holds 'four'"),
    "a csv of Latin-1": ("x.csv", "gr\u00f6\u00dfe,a\n1,2\n".encode("latin-1"), "Byte 2 is not"),
    "a csv of UTF-16": ("x.csv", "a,b\n1,2\n".encode("utf-16"), "It is UTF-16"),
    "a csv of zeros": ("x.csv", bytes(1000), "Got shape (0, 1)"),
    "a csv of one long line": ("x.csv", b"1" * (17 * 2**20), "first line has more than"),
    "a csv of a million columns": ("x.csv", b"1," * 10**6 + b"1\n", "at most 250,000 columns"),
    "a csv with an open quote": ("x.csv", b'a,b\n1,"2\n3,4\n', "can't be read | cells"),
    "a csv with an escape": ("x.csv", b"a\n1\n\x1b[2J\n", "'\\x1b[2J'"),
    "an empty file": ("x.csv", b"", "empty file"),
}  # fmt: skip


def pairs(path: Path) -> np.ndarray:
    return files.read_pairs(path, (12, 12))


def labels(path: Path) -> np.ndarray:
    return files.read_labels(path, 3)


OTHERS = {
    "duplicate pairs": ("p.csv", b"source,target\n1,1\n1,1\n", pairs, "(1, 1) more than once"),
    "pairs out of range": ("p.csv", b"source,target\n1,12\n", pairs, "target row 12 in pair 0"),
    "pairs beyond all integers": ("p.csv", b"source,target\n1,99999999999999999999\n", pairs, "row numbers"),
    "pairs of objects": ("p.npy", lambda: array(np.array([[Bomb(), 1]], object)), pairs, "never loaded"),
    "pairs of 10^9 rows": ("p.npy", npy("(1000000000, 2)", "'<i8'"), pairs, "use a sample"),
    "pairs of three columns": ("p.npy", lambda: array(np.ones((2, 3), int)), pairs, "Its shape is (2, 3)"),
    "no pairs": ("p.csv", b"source,target\n", pairs, "at least 1 pair"),
    "fractions as pairs": ("p.parquet", lambda: table(source=[0.5], target=[1.0]), pairs, "whole row numbers"),
    "one class": ("l.txt", b"cat\ncat\ncat\n", labels, "1 class (cat)"),
    "labels of another length": ("l.txt", b"cat\n" * 10**6, labels, "3 in total"),
    "labels of an archive": ("l.npy", lambda: zipped(("x.npy", npy())), labels, "By its first bytes"),
    "labels of objects": ("l.npy", lambda: array(np.array([Bomb(), 1, 2], object)), labels, "never loaded"),
    "labels of Latin-1": ("l.txt", "\u00fc\n".encode("latin-1") * 3, labels, "Save it as UTF-8"),
    "a label of a gigabyte for every row": (
        "l.parquet", lambda: table(label=pd.Categorical(["a"] * 10**6 + ["b" * 10**6])),
        lambda path: files.read_labels(path, 10**6 + 1), "GB: use a sample",
    ),
    "labels of 50 million rows": (
        "l.parquet", lambda: constant_parquet(50 * 2**20), labels, "times as large",
    ),
}  # fmt: skip
