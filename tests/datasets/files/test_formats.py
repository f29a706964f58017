"""Every kind of file reads the same; names are read where a file has them, and a key picks one of several arrays."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.datasets import files
from bridgeviz.datasets._formats import FORMATS, Format, Table

from .bounds import bounded
from .writers import COLUMNS, LABELS, NAMES, ROWS, X, frame, h5ad, named, safetensors, unnamed

pytestmark = pytest.mark.usefixtures("here")


def test_every_kind_of_file_with_names_reads_the_same(tmp_path):
    for path in named(tmp_path):
        table = files.read_table(path)
        np.testing.assert_array_equal(table.x, X, err_msg=path.name)
        assert table.names == NAMES, path.name
        assert len(table) == ROWS


def test_every_kind_of_file_without_names_reads_the_same(tmp_path):
    for path in unnamed(tmp_path):
        table = files.read_table(path)
        np.testing.assert_array_equal(table.x, X, err_msg=path.name)
        assert table.names is None, path.name


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i1", "i8", "u2", "?"])
def test_the_type_in_the_file_is_told_and_becomes_a_float(tmp_path, dtype):
    x = np.array([[0, 1], [1, 0], [1, 1]], dtype)
    frame = pd.DataFrame(x, columns=["a", "b"])
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x)
    frame.to_parquet(tmp_path / "x.parquet")
    kinds = {"f2": "F16", "f4": "F32", "f8": "F64", "i1": "I8", "i8": "I64", "u2": "U16", "?": "BOOL"}
    safetensors(tmp_path / "x.safetensors", x=(kinds[dtype], x.shape, x.tobytes()))
    for path in tmp_path.iterdir():
        table = files.read_table(path)
        assert table.x.dtype == ("f4" if dtype in ("f2", "f4") else "f8"), path.name
        np.testing.assert_array_equal(table.x, x.astype("f8"))
        if path.suffix != ".parquet":
            assert table.stored == np.dtype(dtype).name


def test_tensors_are_read_as_their_own_package_writes_them(tmp_path):
    numpy = pytest.importorskip("safetensors.numpy")
    numpy.save_file({"x": X, "other": X[0]}, tmp_path / "x.safetensors", metadata={"format": "pt"})
    np.testing.assert_array_equal(files.read_matrix(tmp_path / "x.safetensors"), X)


def test_bfloat16_becomes_float32(tmp_path):
    upper = X.astype("f4").view("u4") >> 16
    path = safetensors(tmp_path / "x.safetensors", x=("BF16", X.shape, upper.astype("u2").tobytes()))
    table = files.read_table(path)
    assert (table.stored, table.x.dtype) == ("bfloat16", "f4")
    np.testing.assert_array_equal(table.x, (upper.astype("u4") << 16).view("f4"))


def test_a_large_array_is_mapped_and_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr("bridgeviz.datasets._formats._npy.MAPPED", 100)
    monkeypatch.setattr("bridgeviz.datasets._formats._safetensors.MAPPED", 100)
    np.save(tmp_path / "x.npy", X)
    safetensors(tmp_path / "x.safetensors", x=("F64", X.shape, X.tobytes()))
    for path in tmp_path.iterdir():
        x = files.read_matrix(path)
        while x.base is not None and not isinstance(x, np.memmap):
            x = x.base
        assert isinstance(x, np.memmap), path.name
        np.testing.assert_array_equal(x, X)


@pytest.mark.parametrize("suffix", [".h5ad", ".h5mu"])
def test_annotated_matrices_are_picked_by_a_key(tmp_path, suffix):
    counts = sparse.random_array((ROWS, 9), density=0.3, rng=np.random.default_rng(0), dtype=np.float32)
    matrices = {"X": counts.tocsr(), "layers__raw": counts.tocsc(), "obsm__X_pca": X}
    path = h5ad(tmp_path / f"cells{suffix}", **matrices)
    home = "rna/" if suffix == ".h5mu" else ""
    for key, expected in (("X", counts.toarray()), ("layers/raw", counts.toarray()), ("obsm/X_pca", X)):
        for table in (files.read_table(f"{path}::{home}{key}"), files.read_table(path, key=home + key)):
            np.testing.assert_array_equal(table.x, expected)
            assert table.x.dtype == expected.dtype
            assert table.names == NAMES
    with pytest.raises(
        InputError, match=f"must hold one matrix. It holds: {home}X, {home}layers/raw, {home}obsm/X_pca"
    ):
        files.read_table(path)
    with pytest.raises(InputError, match="has no matrix 'obsm/X_umap'"):
        files.read_table(path, key="obsm/X_umap")
    for key in ("kind", "obs/kind"):
        labels = files.read_labels(f"{path}::{home}{key}", ROWS, names=NAMES[::-1])
        assert labels.tolist() == LABELS[::-1]
    assert files.read_labels(path, ROWS, key=f"{home}batch").tolist() == [k % 2 for k in range(ROWS)]
    with pytest.raises(InputError, match=r"has no column of labels 'colour'. It holds:.*kind, label"):
        files.read_labels(path, ROWS, key=f"{home}colour")


def test_the_only_annotated_matrix_needs_no_key(tmp_path):
    np.testing.assert_array_equal(files.read_matrix(h5ad(tmp_path / "cells.h5ad")), X)
    assert files.read_labels(tmp_path / "cells.h5ad", ROWS).tolist() == LABELS


def test_a_key_picks_an_array_a_tensor_or_a_column_of_lists(tmp_path):
    np.savez(tmp_path / "x.npz", a=X, b=X + 1)
    safetensors(tmp_path / "x.safetensors", a=("F64", X.shape, X.tobytes()), b=("F64", X.shape, (X + 1).tobytes()))
    pd.DataFrame({"a": list(X), "b": list(X + 1)}).to_parquet(tmp_path / "x.parquet")
    for path in tmp_path.iterdir():
        np.testing.assert_array_equal(files.read_matrix(f"{path}::b"), X + 1)
        with pytest.raises(InputError, match=r"It holds: a, b. Name one, as in x"):
            files.read_matrix(path)
        with pytest.raises(InputError, match=r"'c'. It holds: a, b"):
            files.read_matrix(f"{path}::c")
    np.save(tmp_path / "x::b.npy", X)
    np.testing.assert_array_equal(files.read_matrix(tmp_path / "x::b.npy"), X)
    with pytest.raises(InputError, match="holds one array, which has no key"):
        files.read_matrix(tmp_path / "x::b.npy", key="a")


def test_columns_of_float32_stay_float32(tmp_path):
    frame().astype(np.float32).to_parquet(tmp_path / "x.parquet")
    frame().astype({"a": np.float32}).to_parquet(tmp_path / "mixed.parquet")
    assert files.read_matrix(tmp_path / "x.parquet").dtype == np.float32
    np.testing.assert_array_equal(files.read_matrix(tmp_path / "mixed.parquet")[:, 1:], X[:, 1:])


def test_a_column_of_numbers_called_id_beside_lists_is_names(tmp_path):
    pd.DataFrame({"embedding": list(X), "id": 100 + np.arange(ROWS)}).to_parquet(tmp_path / "x.parquet")
    assert files.read_table(tmp_path / "x.parquet").names[:2] == ("100", "101")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a;b\n1,234;5,678\n9,101;1,213\n", "two ways: 1,234 may be 1.234 or 1234"),
        ("name,0,1\na,2,3\nb,4,5\n", "two ways: its first line name,0,1"),
        ("kind,a\ncat,1\ndog,2\ncat,3\n", "Column 'kind' holds 'cat' in rows 0 and 2: labels belong into"),
        ("id,a\n7,1\n9,2\n", "'id', looks like the number of the row.*begin its values with a letter"),
        ("a,b\n1,2\nx,3\n", "Row 1, column 'a' holds 'x'"),
        ("id,a\nx,1\n,2\n", "must name every row in column 'id'. Row 1 has no name"),
        ("1.5 2.5\n3.5 4.5\n", "Write commas between the cells"),
        ("a,b\n1,2\n3\n", "must have 2 cells in every line. Line 3 has 1"),
        ("a,b\n", r"shape \(0, 2\)"),
        ("\n \n", "no line with text"),
        ("x;y\n1.5;2,5\n", "must have one decimal mark. It holds '1.5' and '2,5'"),
    ],
)
def test_what_can_be_read_in_two_ways_or_not_at_all_is_refused(tmp_path, text, message):
    (tmp_path / "x.csv").write_text(text)
    with pytest.raises(InputError, match=message):
        files.read_matrix(tmp_path / "x.csv")


@pytest.mark.parametrize(
    ("text", "x", "names"),
    [
        ("1,5;2\n-3,25;4\n", [[1.5, 2], [-3.25, 4]], None),
        ("id\tx\nA1\t1e-3\n2B\t+.5\n", [[0.001], [0.5]], ("A1", "2B")),
        ('"a","b"\n"1","2"\n"3","4"\n', [[1, 2], [3, 4]], None),
        ("name,0,1\na,2.5,3\nb,4,5\n", [[2.5, 3], [4, 5]], ("a", "b")),
        ("e,1,2\nf,3,4\n", [[1, 2], [3, 4]], ("e", "f")),
        ("# x, y\n1,2\n3,4\n", [[1, 2], [3, 4]], None),
        ("ü,x\nä,2\nß,4\n", [[2], [4]], ("ä", "ß")),
        ("1\n2\n", [[1], [2]], None),
    ],
)
def test_csv_of_many_kinds(tmp_path, text, x, names):
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    table = files.read_table(tmp_path / "x.csv")
    np.testing.assert_array_equal(table.x, x)
    assert table.names == names


@pytest.mark.parametrize("kind", ["plain", "named", "comma"])
def test_a_wide_csv_is_read_with_little_time_and_memory(tmp_path, kind):
    x = np.random.default_rng(0).normal(size=(3, 60_000))
    table = pd.DataFrame(x, index=list("abc") if kind == "named" else None)
    table = table.rename(columns=lambda column: f"gene {column}")
    options = {"sep": ";", "decimal": ","} if kind == "comma" else {}
    table.to_csv(tmp_path / "x.csv", index=kind == "named", **options)
    with bounded():
        found = files.read_table(tmp_path / "x.csv")
    np.testing.assert_array_equal(found.x, x)
    assert found.names == (("a", "b", "c") if kind == "named" else None)
    for damage, message in (("x", r"Row 0, column 'gene \d+' holds"), ("1,1", "must have 6000. cells in every line")):
        text = (tmp_path / "x.csv").read_text()
        place = text.index("\n") + len(text) // 8
        (tmp_path / "y.csv").write_text(text[:place] + damage.replace(",", options.get("sep", ",")) + text[place:])
        with bounded(), pytest.raises(InputError, match=message):
            files.read_table(tmp_path / "y.csv")


def test_numbers_are_parsed_to_the_last_bit(tmp_path):
    x = np.random.default_rng(0).normal(size=(500, 3)) * 10.0 ** np.random.default_rng(1).integers(-40, 40, (500, 3))
    pd.DataFrame(x, columns=["a", "b", "c"]).to_csv(tmp_path / "x.csv", index=False)
    np.testing.assert_array_equal(files.read_matrix(tmp_path / "x.csv"), x)


def test_a_whole_problem_by_names(tmp_path):
    frame().to_csv(tmp_path / "x.csv")
    frame().iloc[::-1].to_parquet(tmp_path / "y.parquet")
    pd.DataFrame({"target": NAMES[:3], "source": NAMES[:3]}).to_csv(tmp_path / "pairs.csv", index=False)
    labels = pd.DataFrame({"cell": [*NAMES[::-1], "another"], "label": [*LABELS[::-1], "dog"]})
    labels.to_csv(tmp_path / "labels.csv", index=False)
    inputs = files.read_problem(
        tmp_path / "x.csv", tmp_path / "y.parquet", tmp_path / "pairs.csv",
        source_labels=tmp_path / "labels.csv", target_labels=tmp_path / "labels.csv",
    )  # fmt: skip
    assert isinstance(inputs.problem, bv.Problem)
    assert inputs.pairs.tolist() == [[0, 11], [1, 10], [2, 9]]
    assert inputs.problem.source.labels.tolist() == LABELS
    assert inputs.problem.target.labels.tolist() == LABELS[::-1]
    assert inputs.names == (NAMES, NAMES[::-1])
    assert inputs.problem.source.x.shape == (ROWS, COLUMNS)


class Hex(Format):
    """Rows of hexadecimal digits."""

    def matrix(self, file):
        return Table(np.array([[int(digit, 16) for digit in line] for line in file.path.read_text().split()]))


def test_a_new_kind_of_file_is_one_class_and_one_line(tmp_path, monkeypatch):
    monkeypatch.setitem(FORMATS, ".hex", Hex("rows of hexadecimal digits (.hex)"))
    (tmp_path / "x.hex").write_text("0f\n3a\n")
    assert files.read_matrix(tmp_path / "x.hex").tolist() == [[0, 15], [3, 10]]
    assert ".hex" in files.kinds("matrix")
    assert ".hex" not in files.kinds("labels")
    with pytest.raises(InputError, match=r"labels in a file that ends in .*Got '\.hex' instead"):
        files.read_labels(tmp_path / "x.hex", 2)
    (tmp_path / "x.hex").write_text("0g\n")
    with pytest.raises(InputError, match="can't be read as rows of hexadecimal digits"):
        files.read_matrix(tmp_path / "x.hex")
