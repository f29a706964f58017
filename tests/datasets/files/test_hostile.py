"""Hostile and broken files: one plain sentence within a second, little memory, nothing written, nothing executed."""

from __future__ import annotations

import os
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

from bridgeviz import InputError
from bridgeviz.datasets import files
from bridgeviz.datasets._formats import FORMATS

from .bounds import bounded
from .cases import MATRICES, OTHERS, labels, pairs
from .hdf5_cases import HDF5, h5
from .makers import array, npy, zipped
from .writers import NAMES, X, frame, h5ad, safetensors


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
def test_a_matrix_is_refused_in_one_sentence(folder, case, here):
    name, content, expected = MATRICES[case]
    message = refusal(files.read_matrix, written(folder, name, content), folder)
    assert fits(message, expected), message


@pytest.mark.parametrize("case", HDF5)
def test_hdf5_never_leaves_its_file(folder, case, here):
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


@pytest.mark.parametrize("suffix", [".h5ad", ".h5mu", ".parquet", ".feather", ".arrow"])
@pytest.mark.parametrize("code", ["import os; os.abort()", "import time; time.sleep(60)", "print('{}')", "print(1)"])
def test_a_reader_that_crashes_or_hangs_is_one_sentence(folder, monkeypatch, code, suffix):
    from bridgeviz.datasets._formats import _isolated

    path = written(folder, f"x{suffix}", FORMATS[suffix].signature + bytes(100))
    monkeypatch.setattr(_isolated, "_CODE", code)
    monkeypatch.setattr(_isolated, "_PATIENCE", 0.2 if "sleep" in code else 60)
    started = time.monotonic()
    assert "can't be read" in refusal(files.read_matrix, path, folder)
    assert time.monotonic() - started < 30


@pytest.mark.parametrize("case", OTHERS)
def test_pairs_and_labels_are_refused_in_one_sentence(folder, case, here):
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


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_process_of_its_own_reads_the_same(folder, monkeypatch, unbuffered):
    """Numbers stay numbers, words words, and names names on the way from that process."""
    monkeypatch.setenv("PYTHONUNBUFFERED", unbuffered)  # "" is as if it were not set
    frame().to_parquet("x.parquet")
    table = files.read_table("x.parquet")
    np.testing.assert_array_equal(table.x, X)
    assert (table.names, table.stored) == (NAMES, "double")
    pd.DataFrame({"source": [3, 0], "target": ["cell 2", "cell 1"]}).to_parquet("pairs.parquet")
    assert files.read_pairs("pairs.parquet", (12, 12), names=(None, NAMES)).tolist() == [[3, 2], [0, 1]]
    pd.DataFrame({"label": [2.0, 1.0, 2.0]}).to_feather("l.feather")
    assert files.read_labels("l.feather", 3).tolist() == [2, 1, 2]
    labels = pd.DataFrame({"kind": list("abcdabcdabcd")}, index=pd.Index(NAMES[::-1]))
    labels.to_parquet("l.parquet")
    assert "".join(files.read_labels("l.parquet::kind", 12, names=NAMES)) == "dcbadcbadcba"
    with pytest.raises(InputError, match=r"^l\.parquet has no column 'size'"):
        files.read_labels("l.parquet::size", 12)


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
