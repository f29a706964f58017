"""bridgeviz check: can this be aligned?"""

from __future__ import annotations

import numpy as np
import pytest

import bridgeviz as bv

CHECK = ("check", "x.npy", "y.npy", "--pairs", "pairs.csv")


def test_check_looks_at_both_spaces_and_answers(folder, call):
    code, out, err = call(*CHECK, "--source-labels", "xl.txt")
    assert (code, err) == (0, "")
    problem = bv.Problem(bv.Space(np.load("x.npy")), bv.Space(np.load("y.npy")))
    assessment = bv.assess(problem, np.load("pairs.npy"))
    assert out.endswith(f"Can this be aligned? {assessment.text}\n")
    assert "Rows:      60, all distinct" in out
    assert "Classes:   4, with 15 to 15 rows" in out
    assert "Classes:   no labels" in out
    assert "Transport between all rows takes 0.00011 GB of memory; the limit is" in out
    best = assessment.table.iloc[0]
    assert f"{best.cost:<19}{best.foscttm:.3f}  [{best.low:.3f}, {best.high:.3f}]" in out
    assert f"--cost {assessment.cost} --metric cosine" in out


def test_unrelated_spaces_end_with_status_1(folder, call):
    rng = np.random.default_rng(0)
    np.save("x.npy", rng.normal(size=(60, 5)))
    np.save("pairs.npy", np.stack([np.arange(50)] * 2, axis=1))
    code, out, _ = call("check", "x.npy", "y.npy", "--pairs", "pairs.npy")
    assert code == 1
    assert "Can this be aligned? No." in out


def test_what_to_be_careful_about_is_said(folder, call):
    x = np.load("x.npy")
    x[:, 1] *= 1e4
    x[3:6], x[:, 0] = 0, 7
    np.save("x.npy", x)
    code, out, _ = call(*CHECK, "--metric", "sqeuclidean")
    assert code == 0
    assert "Caution:   Rows that repeat another one: 2 of 60." in out
    assert "Caution:   One column varies" in out
    assert "--metric sqeuclidean" in out


@pytest.mark.parametrize(("pairs", "reason"), [("source,target\n", "pairs"), ("a,b\n1,2\n", "source")])
def test_pairs_that_are_none_are_one_sentence(folder, call, pairs, reason):
    (folder / "pairs.csv").write_text(pairs)
    code, _, err = call(*CHECK)
    assert code == 2
    assert err.count("\n") == 1
    assert reason in err
