"""`bridgeviz align` with weights of the rows and forbidden matches."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import sparse

ALIGN = ("align", "x.npy", "y.npy", "--pairs", "pairs.csv", "--steps", "5", "--batch-size", "16", "--out", "out")


def test_weights_and_forbidden_matches_are_in_the_plan_and_the_report(folder, call):
    n, m = len(np.load(folder / "x.npy")), len(np.load(folder / "y.npy"))
    weights = np.r_[0.0, 0.0, np.arange(1, n - 1)]
    np.save(folder / "a.npy", weights)
    rows = [f"{20 + k},{k}" for k in range(5)]
    (folder / "forbidden.csv").write_text("\n".join(["source,target", *rows]) + "\n")
    options = ("--source-weights", "a.npy", "--forbid", "forbidden.csv", "--epsilon", "0.1")
    assert call(*ALIGN, *options)[0] == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["weights"]["source"]["rows"] == n - 2
    assert report["weights"]["target"] is None
    assert report["forbidden"] == pytest.approx(5 / (n * m))
    assert report["converged"]
    plan = sparse.load_npz(folder / "out" / "coupling.npz").toarray()
    np.testing.assert_allclose(plan.sum(1), weights / weights.sum(), atol=1e-3)
    assert not plan[20 + np.arange(5), np.arange(5)].any()


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
