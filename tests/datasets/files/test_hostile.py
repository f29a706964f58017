"""Hostile and broken files: one plain sentence within a second, little memory, nothing written, nothing executed."""

from __future__ import annotations

import io
import json
import os
import pickle
import socket
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from bridgeviz import InputError
from bridgeviz.datasets import files
from bridgeviz.datasets._formats import FORMATS

from .bounds import bounded
from .writers import NAMES, X, frame, h5ad, safetensors


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


def constant_parquet(rows: int) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    stream = io.BytesIO()
    with parquet.ParquetWriter(stream, pa.schema([("a", pa.float64())]), use_dictionary=True) as writer:
        group = pa.table({"a": np.zeros(2**20)})
        for _ in range(rows // 2**20):
            writer.write_table(group)
    return stream.getvalue()


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


def h5(change: Callable) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        import h5py

        h5ad(path)
        with h5py.File(path, "r+") as root:
            change(root, h5py)

    return write


def external_link(root, h5py):
    del root["X"]
    with h5py.File("secret.h5", "w") as other:
        other["X"] = X
    root["X"] = h5py.ExternalLink("secret.h5", "/X")


def external_group(root, h5py):
    with h5py.File("secret.h5", "w") as other:
        other["obsm/X_pca"] = X
    root["obsm"] = h5py.ExternalLink("secret.h5", "/obsm")


def external_storage(root, h5py):
    del root["X"]
    Path("secret.bin").write_bytes(X.tobytes())
    root.create_dataset("X", X.shape, "f8", external=[("secret.bin", 0, X.nbytes)])


def virtual(root, h5py):
    with h5py.File("secret.h5", "w") as other:
        other["X"] = X
    del root["X"]
    layout = h5py.VirtualLayout(X.shape, "f8")
    layout[:] = h5py.VirtualSource("secret.h5", "X", X.shape)
    root.create_virtual_dataset("X", layout)


def soft_link(root, h5py):
    del root["obs"]
    root["obs"] = h5py.SoftLink("/somewhere")


def huge(root, h5py):
    del root["X"]
    root.create_dataset("X", (10**9, 10**4), "f4", chunks=(100, 100))


def deflated(root, h5py):
    del root["X"]
    root.create_dataset("X", (50_000, 1_000), "f4", chunks=(50_000, 100), compression="gzip", fillvalue=0)


def objects(root, h5py):
    del root["X"]
    root["X"] = np.array([["a"], ["b"]], object)


def mismatched(root, h5py):
    del root["obs/_index"]
    root["obs/_index"] = NAMES[:5]


def codes(root, h5py):
    del root["obs/_index"]
    node = root.create_group("obs/_index")
    node["categories"], node["codes"] = ["a"], np.array([0, 900])


HDF5 = {
    "an external link": (external_link, "'X' is a link to another place"),
    "an external link to a group": (external_group, "'obsm' is a link to another place"),
    "external storage": (external_storage, "'X' refers to other files"),
    "a virtual data set": (virtual, "'X' refers to other files"),
    "a soft link": (soft_link, "'obs' is a link to another place"),
    "a data set of 40 TB": (huge, "GB: use a sample"),
    "a data set that inflates": (deflated, "times as large"),
    "a data set of objects": (objects, "is of type object"),
    "names for other rows": (mismatched, "5 names and 12 rows"),
    "codes without a category": (codes, "a class for every code"),
}

OTHERS: dict[str, tuple[str, bytes | Callable[[], bytes], Callable, str]] = {}


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


@pytest.fixture(scope="module", autouse=True)
def readers():
    """The packages that read files, imported before anything is measured."""
    import h5py  # noqa: F401
    import pyarrow.csv
    import pyarrow.feather
    import pyarrow.parquet  # noqa: F401
    import scipy.sparse  # noqa: F401


def refusal(read: Callable, path: Path, folder: Path) -> str:
    """The sentence with which a file is refused, within the bounds of time and memory, leaving the folder as it is."""
    before = sorted(folder.iterdir())
    with bounded(), pytest.raises(InputError) as caught:
        read(path)
    assert sorted(folder.iterdir()) == before
    message = str(caught.value)
    assert path.name in message
    assert len(message.splitlines()) == 1
    assert len(message) < 500 + len(str(path))
    assert message.isprintable()
    return message


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def written(folder: Path, name: str, content: bytes | Callable[[], bytes]) -> Path:
    (folder / name).write_bytes(content() if callable(content) else content)
    return folder / name


def fits(message: str, expected: str) -> bool:
    return any(part in message for part in expected.split(" | "))


@pytest.mark.parametrize("case", MATRICES)
def test_a_matrix_is_refused_in_one_sentence(folder, case):
    name, content, expected = MATRICES[case]
    message = refusal(files.read_matrix, written(folder, name, content), folder)
    assert fits(message, expected), message


@pytest.mark.parametrize("case", HDF5)
def test_hdf5_never_leaves_its_file(folder, case, monkeypatch):
    monkeypatch.setitem(FORMATS, ".h5ad", FORMATS[".h5ad"].inner)
    change, expected = HDF5[case]
    h5(change)(folder / "x.h5ad")
    message = refusal(files.read_matrix, folder / "x.h5ad", folder)
    assert fits(message, expected), message


HEAP = """
import resource
from bridgeviz.datasets import files
try:
    files.read_matrix("x.h5ad")
except files.InputError as error:
    print(error)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 2**10, "MB")
"""


def test_hdf5_that_asks_for_memory_does_not_get_it(folder):
    """The library allocates what a string says that it takes, before it looks whether the file has it."""
    import h5py

    content = bytearray(h5ad(folder / "x.h5ad").read_bytes())
    with h5py.File("x.h5ad") as root:
        place = root["obs/_index"].id.get_offset()  # of the length of the first name
    content[place : place + 4] = (2**30).to_bytes(4, "little")
    written(folder, "x.h5ad", bytes(content))
    done = subprocess.run([sys.executable, "-c", HEAP], capture_output=True, text=True, timeout=60, check=True)
    message, megabytes = done.stdout.splitlines()
    assert message.startswith("x.h5ad can't be read as an AnnData file")
    assert int(megabytes.split()[0]) < 200


@pytest.mark.parametrize(
    "code", ["import os; os.abort()", "import time; time.sleep(60)", "print('{}')", "print(1)", ""]
)
def test_a_reader_that_crashes_or_hangs_is_one_sentence(folder, monkeypatch, code):
    from bridgeviz.datasets._formats import _isolated

    h5ad(folder / "x.h5ad")
    monkeypatch.setattr(_isolated, "_CODE", code)
    monkeypatch.setattr(_isolated, "_PATIENCE", 0.2 if "sleep" in code else 60)
    started = time.monotonic()
    assert "can't be read" in refusal(files.read_matrix, folder / "x.h5ad", folder)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("case", OTHERS)
def test_pairs_and_labels_are_refused_in_one_sentence(folder, case):
    name, content, read, expected = OTHERS[case]
    message = refusal(read, written(folder, name, content), folder)
    assert fits(message, expected), message


def test_only_regular_files_are_opened(folder):
    for suffix in files.kinds("matrix"):
        path = folder / f"pipe{suffix}"
        os.mkfifo(path)
        assert "It is a pipe" in refusal(files.read_matrix, path, folder)
        path = folder / f"device{suffix}"
        path.symlink_to("/dev/zero")
        assert "It is a device" in refusal(files.read_matrix, path, folder)
        path = folder / f"folder{suffix}"
        path.mkdir()
        assert "It is a folder" in refusal(files.read_matrix, path, folder)
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.npy")
        assert "It is a socket" in refusal(files.read_matrix, folder / "s.npy", folder)
    (folder / "circle.npy").symlink_to(folder / "circle.npy")
    assert "can't be opened" in refusal(files.read_matrix, folder / "circle.npy", folder)


@pytest.mark.parametrize("path", ["x\0.npy", "x" * 5000 + ".npy", "gone.npy", "", ".npy", "x.npy::", "a/b\0c.csv"])
@pytest.mark.parametrize("read", [files.read_matrix, pairs, labels, files.location])
def test_a_path_of_any_kind_gets_a_sentence(folder, path, read):
    if read is files.location and "\0" not in path:
        return
    with pytest.raises(InputError) as caught:
        read(path)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("path", [None, 3, b"x.npy", ["x.npy"]])
def test_what_is_no_path_is_refused(path):
    with pytest.raises(InputError, match="must be named by its path"):
        files.read_matrix(path)


def test_a_file_that_may_not_be_read_gets_a_sentence(folder, monkeypatch):
    path = written(folder, "x.npy", npy())

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "Permission denied" in refusal(files.read_matrix, path, folder)


def test_what_a_foreign_reader_raises_is_one_sentence(folder, monkeypatch):
    path = written(folder, "x.npy", npy(data=np.arange(6.0).tobytes()))
    for error in (
        MemoryError(),
        RecursionError("deep"),
        KeyError("a\nb"),
        AssertionError(),
        ZeroDivisionError("\x1b[2J"),
    ):

        def fail(self, file, error=error):
            raise error

        monkeypatch.setattr(type(FORMATS[".npy"]), "matrix", fail)
        assert "can't be read as a NumPy array" in refusal(files.read_matrix, path, folder)


def test_an_archive_with_endless_members_is_not_listed(folder):
    content = zipped(*((f"{k:0200d}.npy", b"") for k in range(30_000)), how=zipfile.ZIP_STORED)
    assert "list of members is too long" in refusal(files.read_matrix, written(folder, "x.npz", content), folder)


def test_arrays_of_the_same_name_are_refused(folder):
    with pytest.warns(UserWarning, match="Duplicate"):
        content = zipped(("x.npy", npy()), ("x.npy", npy()))
    assert "'x' more than once" in refusal(files.read_matrix, written(folder, "x.npz", content), folder)


def test_an_encrypted_archive_is_refused(folder):
    content = bytearray(zipped(("x.npy", npy())))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        content[content.index(signature) + offset] |= 1
    assert "can't be read" in refusal(files.read_matrix, written(folder, "x.npz", bytes(content)), folder)


def test_the_limit_follows_the_memory_limit(folder, monkeypatch):
    path = written(folder, "x.npy", lambda: array(np.ones((1000, 20), np.int8)))
    assert files.read_matrix(path).shape == (1000, 20)
    monkeypatch.setenv("BRIDGEVIZ_MEMORY_GB", str(179_000 / 2**30))  # 20,000 x (1 + 8) bytes
    assert "GB: use a sample" in refusal(files.read_matrix, path, folder)


def test_mismatched_rows_are_refused(folder):
    frame().to_csv("x.csv")
    with pytest.raises(InputError, match="one label per row, 12 in total"):
        files.read_labels(written(folder, "l.txt", b"a\nb\n"), 12)


REAL = ["objects", "a bomb of bytes"]


def test_the_command_line_says_the_same(folder):
    """A few of them through a real process: status 2, one line, nothing written, nothing executed."""
    np.save("y.npy", X)
    pd.DataFrame({"source": [0, 1], "target": [0, 1]}).to_csv("pairs.csv", index=False)
    os.mkfifo("pipe.npy")
    sources = {written(folder, f"{k}-{MATRICES[case][0]}", MATRICES[case][1]).name: case for k, case in enumerate(REAL)}
    before = sorted(folder.iterdir())
    for source in [*sources, "pipe.npy"]:
        command = [sys.executable, "-m", "bridgeviz", "align", source, "y.npy", "--pairs", "pairs.csv", "--out", "out"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert (done.returncode, done.stdout) == (2, ""), done.stderr
        assert done.stderr.startswith(f"bridgeviz: {source} ")
        assert done.stderr.count("\n") == 1
    assert sorted(folder.iterdir()) == before


def test_tensors_may_have_a_hostile_name(folder):
    names = {"\x1b[2J" * 50: ("F64", X.shape, X.tobytes()), "b": ("F64", (), bytes(8))}
    path = safetensors(folder / "x.safetensors", **names)
    assert "It holds:" in refusal(files.read_matrix, path, folder)
