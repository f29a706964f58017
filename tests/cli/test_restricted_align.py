"""`bridgeviz align` with weights of the rows and forbidden matches."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import sparse

from bridgeviz.datasets import files

from . import conftest

ALIGN = (*conftest.ALIGN, "--steps", "5", "--batch-size", "16", "--out", "out")


@pytest.fixture
def labelled(folder):
    """Labels of both sides: numbers, which a table of classes has as text."""
    for name, rows in (("labels", 60), ("target_labels", 50)):
        (folder / f"{name}.txt").write_text("".join(f"{k % 3}\n" for k in range(rows)))
    (folder / "pairs.csv").write_text("source,target\n0,0\n2,2\n3,3\n5,5\n")
    return ("--source-labels", "labels.txt", "--target-labels", "target_labels.txt")


def test_weights_and_forbidden_matches_are_in_the_plan_and_the_report(folder, call, labelled):
    n, m = len(np.load(folder / "x.npy")), len(np.load(folder / "y.npy"))
    weights = np.r_[0.0, 0.0, np.arange(1, n - 1)]
    np.save(folder / "a.npy", weights)
    rows = [f"{20 + k},{k}" for k in range(5)]
    (folder / "forbidden.csv").write_text("\n".join(["source,target", *rows]) + "\n")
    (folder / "classes.csv").write_text("source,target\n0,1\n2,0\n")
    options = ("--source-weights", "a.npy", "--forbid", "forbidden.csv", "--forbid-classes", "classes.csv")
    assert call(*ALIGN, *options, *labelled, "--epsilon", "0.1")[0] == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["weights"]["source"]["rows"] == n - 2
    assert report["weights"]["target"] is None
    mask = np.zeros((n, m), bool)
    mask[20 + np.arange(5), np.arange(5)] = mask[0::3, 1::3] = mask[2::3, 0::3] = True
    assert report["forbidden"] == pytest.approx(mask.mean())
    assert report["converged"]
    plan = sparse.load_npz(folder / "out" / "coupling.npz").toarray()
    np.testing.assert_allclose(plan.sum(1), weights / weights.sum(), atol=1e-3)
    assert not plan[mask].any()


@pytest.mark.parametrize(
    ("option", "name", "text", "message"),
    [
        ("--source-weights", "w.txt", "1\n2\n", "must be a vector of length"),
        ("--target-weights", "w.txt", "", "must hold data. It is an empty file"),
        ("--source-weights", "w.txt", "\n".join(["1"] * 59 + ["-2"]) + "\n", "nowhere negative. Got -2 at row 59"),
        ("--source-weights", "w.txt", "\n".join(["1"] * 59 + ["nan"]) + "\n", "finite everywhere"),
        ("--source-weights", "w.txt", "\n".join(["heavy"] * 60) + "\n", "one weight per row. Row 0 has 'heavy'"),
        ("--source-weights", "w.txt", "\n".join(["0"] * 60) + "\n", "positive for at least one row"),
        ("--source-weights", "missing.npy", None, "missing.npy"),
        ("--forbid", "f.csv", "source,target\n0,999\n", "row numbers from 0 to 49"),
        ("--forbid", "f.csv", "a,b\n0,1\n", "source"),
        ("--forbid", "pairs.csv", None, "free of the pairs, which match"),
    ],
)
def test_wrong_files_are_refused_in_one_sentence(folder, call, option, name, text, message):
    if text is not None:
        (folder / name).write_text(text)
    code, _, error = call(*ALIGN, option, name)
    assert code == 2
    assert len(error.strip().splitlines()) == 1
    assert message in error
    assert not (folder / "out").exists()


def test_a_folder_for_results_must_not_hold_the_weights(folder, call):
    (folder / "out").mkdir()
    np.save(folder / "out" / "transported.npy", np.ones(60))
    code, _, error = call(*ALIGN, "--source-weights", "out/transported.npy")
    assert code == 2
    assert "must not hold the input out/transported.npy" in error


def test_classes_of_words_are_read_as_words(folder):
    (folder / "f.csv").write_text("source,target\nclass 0,class 1\n")
    names = {"source_labels": "xl.txt", "target_labels": "yl.csv", "forbidden_classes": "f.csv"}
    forbidden = files.read_problem("x.npy", "y.npy", "pairs.npy", **names).problem.forbidden
    assert np.argwhere(forbidden.block(np.arange(4), np.arange(4))).tolist() == [[0, 1]]


@pytest.mark.parametrize(
    ("text", "sides", "message"),
    [
        ("0,9", 2, "f.csv must be made of the target's classes (0, 1, 2). Got 9 instead."),
        ("x,0", 2, "f.csv must be made of the source's classes (0, 1, 2). Got 'x' instead."),
        ("", 2, "f.csv must hold at least one pair of classes"),
        ("1,0\n1,1\n1,2", 2, "20 source rows without a permitted match, the first of them row 1."),
        ("0,0", 2, "The file 'f.csv' must be free of the pairs, which match. Got the pair (0, 0) and 1 other"),
        ("0,1", 1, "Those of the target have none: add their labels."),
        ("0,1", 0, "Those of the source and the target have none: add their labels."),
    ],
)
def test_classes_that_can_not_be_forbidden_are_refused_in_one_sentence(folder, call, labelled, text, sides, message):
    (folder / "f.csv").write_text(f"source,target\n{text}\n")
    code, _, error = call(*ALIGN, *labelled[: 2 * sides], "--forbid-classes", "f.csv")
    assert code == 2
    assert message in error
    assert len(error.strip().splitlines()) == 1
    assert not (folder / "out").exists()


def test_check_reads_what_is_forbidden(folder, call, labelled):
    (folder / "f.csv").write_text("source,target\n0,9\n")
    code, _, error = call("check", "x.npy", "y.npy", "--pairs", "pairs.csv", *labelled, "--forbid-classes", "f.csv")
    assert code == 2
    assert "made of the target's classes" in error
