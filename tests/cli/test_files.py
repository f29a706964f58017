"""A user's own files: what is read, and what is refused rather than misread."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pytest

from bridgeviz import InputError
from bridgeviz._files import check_array_path, check_folder, new_folder
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


CHILD = """
import os, signal, sys
from pathlib import Path
from bridgeviz import _files
out, moment = Path(sys.argv[1]), sys.argv[2]
real = os.replace
def replace(source, target):
    if moment == "before the swap" or (moment == "within the swap" and Path(target) == out):
        os.kill(os.getpid(), signal.SIGKILL)
    real(source, target)
    if moment == "after the swap" and Path(target) == out:
        os.kill(os.getpid(), signal.SIGKILL)
os.replace = replace
with _files.new_folder(out, holds={"report.json"}) as draft:
    (draft / "report.json").write_text("new")
"""


@pytest.mark.parametrize("moment", ["before the swap", "within the swap", "after the swap"])
def test_kill_9_while_saving_leaves_one_whole_result_and_nothing_else(tmp_path, moment):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("old")
    (tmp_path / ".out-of-somebody-else").mkdir()
    assert subprocess.run([sys.executable, "-c", CHILD, str(out), moment], check=False).returncode == -signal.SIGKILL
    assert len(list(tmp_path.iterdir())) > 2  # it did leave something
    check_folder(out, holds={"report.json"})
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out-of-somebody-else", "out"]
    assert (out / "report.json").read_text() == ("new" if moment == "after the swap" else "old")


def test_the_drafts_of_a_process_that_runs_are_left_alone(tmp_path):
    with new_folder(tmp_path / "out", holds=set()) as draft:
        check_folder(tmp_path / "out", holds=set())
        assert draft.is_dir()
        code = "import sys; from bridgeviz._files import check_folder; check_folder(sys.argv[1], holds=set())"
        subprocess.run([sys.executable, "-c", code, str(tmp_path / "out")], check=True)
        assert draft.is_dir()


@pytest.mark.parametrize("stopped", ["before", "within"])
def test_an_interrupted_swap_puts_the_earlier_result_back(tmp_path, monkeypatch, stopped):
    out, real, calls = tmp_path / "out", os.replace, []
    out.mkdir()
    (out / "report.json").write_text("old")

    def replace(source, target):
        calls.append(target)
        if len(calls) == (1 if stopped == "before" else 2):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(KeyboardInterrupt), new_folder(out, holds={"report.json"}) as draft:
        (draft / "report.json").write_text("new")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (out / "report.json").read_text() == "old"


@pytest.mark.parametrize("out", ["", " "])
def test_an_output_folder_has_a_name(out):
    with pytest.raises(InputError, match="name a folder"):
        check_folder(out, holds=set())


def test_a_folder_that_can_not_be_written_is_refused_before_any_work(tmp_path, monkeypatch):
    def full(*_, **__):
        raise OSError("read-only")

    monkeypatch.setattr(tempfile, "TemporaryFile", full)
    with pytest.raises(InputError, match="not a writable folder"):
        check_folder(tmp_path / "out", holds=set())
    with pytest.raises(InputError, match="writable folder"):
        check_array_path(tmp_path / "moved.npy")


def write(path, text):
    path.write_text(text)
    return path


def test_a_header_of_numbers_is_one_or_is_refused(tmp_path):
    x = np.random.default_rng(0).normal(size=(12, 3))
    pd.DataFrame(x).to_csv(tmp_path / "x.csv", index=False)  # its first line is 0,1,2
    np.testing.assert_array_equal(files.read_matrix(tmp_path / "x.csv"), x)
    with pytest.raises(InputError, match="can be read in two ways: its first line 0,1,2 may be names"):
        files.read_matrix(write(tmp_path / "x.csv", "0,1,2\n3,4,5\n6,7,8\n"))
    np.testing.assert_array_equal(files.read_matrix(write(tmp_path / "x.csv", "0,2\n3,4\n")), [[0, 2], [3, 4]])


@pytest.mark.parametrize("index", [None, "id", "Index", "cell"])
@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_a_column_that_numbers_the_rows_is_no_feature(tmp_path, index, kind):
    table = pd.DataFrame(np.random.default_rng(0).normal(size=(12, 2)), columns=["a", "b"])
    table.index.name = index
    path = tmp_path / f"x.{kind}"
    if kind == "csv":
        table.to_csv(path)
    else:
        table.reset_index().to_parquet(path)
    with pytest.raises(InputError, match=r"looks like the number of the row.*index=False"):
        files.read_matrix(path)


@pytest.mark.parametrize("gap", [1, 2, 3])
def test_an_empty_cell_of_a_single_column_moves_no_row(tmp_path, gap):
    cells = ["1.5", "2.5", "3.5", "4.5"]
    cells[gap] = ""
    with pytest.raises(InputError, match=f"nan at row {gap}"):
        files.read_matrix(write(tmp_path / "x.csv", "\n".join(["f", *cells]) + "\n"))
    labels = ["cat", "dog", "cat", "fox"]
    labels[gap] = ""
    with pytest.raises(InputError, match=f"Row {gap} has none"):
        files.read_labels(write(tmp_path / "l.csv", "\n".join(["label", *labels]) + "\n"), 4)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("label\ncat\ndog\n", r"Got the header 'label' and 2 labels"),  # three rows, the last without a label
        ("cat\ndog\ncat\nfox\n", r"3 in total"),  # a label too many, which is no header
        ("id,label\n2,a\n0,b\n1,c\n", r"row 0 is 'a' by position and 'b' by its first column"),
    ],
)
def test_labels_that_do_not_fit_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        files.read_labels(write(tmp_path / "l.csv", text), 3)


@pytest.mark.parametrize("labels", [["²", "³", "²"], ["--5", "5", "5"], ["9" * 5000, "1", "1"], ["٣", "٤", "٣"]])
def test_what_only_looks_like_a_number_is_a_word(tmp_path, labels):
    path = tmp_path / "l.txt"
    path.write_text("\n".join(labels) + "\n", encoding="utf-8")
    assert files.read_labels(path, 3).tolist() == labels


def test_one_column_of_lists_is_a_matrix(tmp_path):
    x = np.random.default_rng(0).normal(size=(4, 3))
    path = tmp_path / "x.parquet"
    pd.DataFrame({"text": list("abcd"), "embedding": list(x)}).to_parquet(path)
    np.testing.assert_array_equal(files.read_matrix(path), x)
    pd.DataFrame({"embedding": [[1.0], [1.0, 2.0]]}).to_parquet(path)
    with pytest.raises(InputError, match="same length in every row of column 'embedding'"):
        files.read_matrix(path)


def test_pairs_are_read_by_their_names_with_or_without_an_index(tmp_path):
    path = tmp_path / "p.csv"
    pd.DataFrame({"target": [1, 2], "source": [3, 0]}).to_csv(path)
    np.testing.assert_array_equal(files.read_pairs(path, (5, 5)), [[3, 1], [0, 2]])
