"""A user's own files: what is read, and what is refused rather than misread."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bridgeviz import InputError
from bridgeviz._files import check_folder, new_folder
from bridgeviz.datasets import files


@pytest.mark.parametrize("first", ["nan,2", ",2", "inf,2", "1e400,2", "?,2"])
def test_a_bad_first_row_is_refused_and_not_taken_for_a_header(tmp_path, first):
    path = tmp_path / "x.csv"
    path.write_text(f"{first}\n3,4\n5,6\n")
    with pytest.raises(InputError, match=r"x\.csv"):
        files.read_matrix(path)


def test_a_header_is_one_and_rows_are_counted_after_it(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("a,b\n1,2\n3,4\n")
    np.testing.assert_array_equal(files.read_matrix(path), [[1, 2], [3, 4]])
    path.write_text("a,b\n1,2\nnan,4\n")
    with pytest.raises(InputError, match="row 1"):
        files.read_matrix(path)


def test_an_index_column_is_refused(tmp_path):
    path = tmp_path / "x.csv"
    pd.DataFrame({"a": [1.5, 3.5], "b": [2.5, 4.5]}).to_csv(path)
    with pytest.raises(InputError, match="index=False"):
        files.read_matrix(path)


def test_a_byte_order_mark_capitals_and_blank_lines_do_no_harm(tmp_path):
    path = tmp_path / "X.CSV"
    path.write_bytes(b"\xef\xbb\xbf1,2\n\n3,4\n")
    np.testing.assert_array_equal(files.read_matrix(path), [[1, 2], [3, 4]])
    pd.DataFrame({"a": [1.0, 2.0]}).to_parquet(tmp_path / "X.PARQUET")
    assert files.read_matrix(tmp_path / "X.PARQUET").shape == (2, 1)


def test_pairs_with_a_field_too_many_are_refused(tmp_path):
    path = tmp_path / "pairs.csv"
    path.write_text("source,target\n0,1,2\n")
    with pytest.raises(InputError, match=r"pairs\.csv"):
        files.read_pairs(path, (5, 5))
    path.write_text("id,target,source\n7,1,2\n")
    np.testing.assert_array_equal(files.read_pairs(path, (5, 5)), [[2, 1]])


def test_dates_and_words_in_parquet_are_refused(tmp_path):
    path = tmp_path / "x.parquet"
    pd.DataFrame({"day": pd.to_datetime(["2026-01-01", "2026-01-02"]), "a": [1.0, 2.0]}).to_parquet(path)
    with pytest.raises(InputError, match="'day'"):
        files.read_matrix(path)


def test_the_same_labels_in_any_file_are_the_same_labels(tmp_path):
    for name, text in (("a.txt", "3\n1\n3\n"), ("b.csv", "3\n1\n3\n"), ("c.csv", "label,x\n3,0\n1,0\n3,0\n")):
        (tmp_path / name).write_text(text)
    (tmp_path / "d.txt").write_bytes(b"\xef\xbb\xbf3\r\n1\r\n3\r\n")
    np.save(tmp_path / "e.npy", np.array([3, 1, 3]))
    for name in ("a.txt", "b.csv", "c.csv", "d.txt", "e.npy"):
        np.testing.assert_array_equal(files.read_labels(tmp_path / name, 3), [3, 1, 3])
    (tmp_path / "f.txt").write_text("03\n1\n3\n")
    np.testing.assert_array_equal(files.read_labels(tmp_path / "f.txt", 3), ["03", "1", "3"])


def test_a_row_without_a_label_is_refused(tmp_path):
    (tmp_path / "a.txt").write_text("cat\n\ndog\n")
    (tmp_path / "b.csv").write_text("label,x\ncat,1\n,2\ndog,3\n")
    for name in ("a.txt", "b.csv"):
        with pytest.raises(InputError, match="Row 1 has none"):
            files.read_labels(tmp_path / name, 3)


@pytest.mark.parametrize("damage", ["header", "byte", "negative"])
def test_damaged_arrays_get_a_sentence(tmp_path, damage):
    path = tmp_path / ("x.npz" if damage == "byte" else "x.npy")
    if damage == "byte":
        np.savez_compressed(path, x=np.random.default_rng(0).normal(size=(50, 4)))
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
    else:
        np.save(path, np.ones((3, 3)))
        old, new = (b"(3, 3)", b"(3, '") if damage == "header" else (b"(3, 3), ", b"(-3, 3),")
        path.write_bytes(path.read_bytes().replace(old, new))
    with pytest.raises(InputError, match=path.name):
        files.read_matrix(path)


def test_a_folder_with_anything_else_in_it_is_never_replaced(tmp_path):
    holds = {"report.json"}
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "report.json").write_text("{}")
    (tmp_path / "project" / "thesis.tex").write_text("years of work")
    with pytest.raises(InputError, match=r"thesis\.tex"), new_folder(tmp_path / "project", holds=holds):
        pass
    assert (tmp_path / "project" / "thesis.tex").is_file()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="not a writable folder"):
        check_folder(tmp_path / "file" / "below", holds=holds)
