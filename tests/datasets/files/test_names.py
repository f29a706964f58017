"""Pairs and labels that name the rows of a space."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bridgeviz import InputError
from bridgeviz.datasets import files

A = ("ann", "bob", "cid", "dan")

pytestmark = pytest.mark.usefixtures("here")


def pairs(folder, source, target, suffix=".csv"):
    table = pd.DataFrame({"source": source, "target": target})
    path = folder / f"p{suffix}"
    {".csv": lambda: table.to_csv(path, index=False), ".parquet": lambda: table.to_parquet(path)}[suffix]()
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_each_side_is_paired_by_name_or_by_number(tmp_path, suffix):
    read = files.read_pairs
    path = pairs(tmp_path, ["dan", "ann"], ["bob", "cid"], suffix)
    assert read(path, (4, 4), names=(A, A)).tolist() == [[3, 1], [0, 2]]
    path = pairs(tmp_path, ["dan", "ann"], [1, 2], suffix)
    assert read(path, (4, 4), names=(A, None)).tolist() == [[3, 1], [0, 2]]
    assert read(path, (4, 4), names=(A, A)).tolist() == [[3, 1], [0, 2]]  # numbers are not the names of these rows
    counted = tuple(str(k) for k in range(4))
    assert read(path, (4, 4), names=(A, counted)).tolist() == [[3, 1], [0, 2]]


def test_an_array_of_names_pairs_as_well(tmp_path):
    for value in (np.array([["dan", "bob"]]), np.array([[b"dan", b"bob"]])):
        np.save(tmp_path / "p.npy", value)
        np.savez(tmp_path / "p.npz", value)
        for path in tmp_path.iterdir():
            assert files.read_pairs(path, (4, 4), names=(A, A)).tolist() == [[3, 1]]


@pytest.mark.parametrize(
    ("source", "names", "message"),
    [
        (["dan", "eve"], A, "must name rows of the source. Pair 1 names 'eve'"),
        (["dan", "ann"], None, "Row 0, column 'source' holds 'dan', and the rows of the source have no names"),
        (["0", "ann"], None, "Row 1, column 'source' holds 'ann'"),
        ([7, 9], ("7", "9", "3", "1"), "can be read in two ways: the numbers in column 'source' may be row numbers or"),
        (["ann", "bob"], ("ann", "ann", "bob", "cid"), "must name one row of the source. Several are named 'ann'"),
        ([0, 4], A, "0 to 3 for the source"),
        ([0.5, 1], A, "must name rows of the source. Pair 0 names '0.5'"),
        ([0.5, 1], None, "holds '0.5'"),
    ],
)
def test_names_that_do_not_fit_are_refused(tmp_path, source, names, message):
    with pytest.raises(InputError, match=message):
        files.read_pairs(pairs(tmp_path, source, [0, 1]), (4, 4), names=(names, None))


def test_names_that_are_not_used_may_repeat(tmp_path):
    path = pairs(tmp_path, ["bob", "cid"], [0, 1])
    assert files.read_pairs(path, (4, 4), names=(("ann", "ann", "bob", "cid"), None)).tolist() == [[2, 0], [3, 1]]


def labels(folder, text, length=4, names=A, name="l.csv"):
    (folder / name).write_text(text)
    return files.read_labels(folder / name, length, names=names).tolist()


SHUFFLED = "name,label\ncid,C\nann,A\ndan,D\nbob,B\n"


def test_labels_are_joined_by_name_where_both_have_names(tmp_path):
    assert labels(tmp_path, SHUFFLED) == list("ABCD")
    assert labels(tmp_path, SHUFFLED + "eve,E\n") == list("ABCD")
    assert labels(tmp_path, SHUFFLED.replace("name,label", "id,kind")) == list("ABCD")
    assert labels(tmp_path, SHUFFLED.replace(",", "\t"), name="l.tsv") == list("ABCD")
    assert labels(tmp_path, SHUFFLED, names=None) == list("CADB")
    assert labels(tmp_path, "label\nA\nB\nC\nD\n") == list("ABCD")
    assert labels(tmp_path, "index,label\n0,A\n1,B\n2,C\n3,D\n") == list("ABCD")  # it numbers the rows
    assert labels(tmp_path, "id,label\n7,A\n3,B\n5,B\n9,D\n", names=("3", "5", "7", "9")) == list("BBAD")
    assert labels(tmp_path, "label,x\nA,1\nB,2\nC,3\nD,4\n") == list("ABCD")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (SHUFFLED.replace("bob", "rob"), "must have a label for every row. Row 1, 'bob', has none"),
        (SHUFFLED + "bob,X\n", "must have one label per row. Several are named 'bob'"),
        ("id,label\n1,A\n0,B\n3,C\n2,D\n", "Row 0, 'ann', has none"),
        (SHUFFLED.replace("label", "kind"), "say which one holds the labels, as in l.csv::kind"),
        (SHUFFLED.replace("name", "id").replace("C\n", "\n"), "must have a label in every row. Row 2 has none"),
    ],
)
def test_labels_that_do_not_fit_the_names_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        labels(tmp_path, text)


def test_a_key_names_the_column_of_labels(tmp_path):
    frame = pd.DataFrame({"age": [1, 2, 1, 2], "kind": list("wxyz")}, index=pd.Index(A[::-1], name="who"))
    frame.to_csv(tmp_path / "l.csv")
    frame.to_parquet(tmp_path / "l.parquet")
    frame.reset_index().to_feather(tmp_path / "l.feather")
    for path in sorted(tmp_path.iterdir()):
        assert files.read_labels(f"{path}::kind", 4, names=A).tolist() == list("zyxw"), path.name
        assert files.read_labels(path, 4, names=A, key="age").tolist() == [2, 1, 2, 1]
        with pytest.raises(InputError, match="has no column 'size'"):
            files.read_labels(path, 4, key="size")
    np.savez(tmp_path / "l.npz", kind=list("abca"), other=[1, 2, 1, 2])
    assert files.read_labels(tmp_path / "l.npz", 4, key="kind").tolist() == list("abca")
