"""`align` without --pairs."""

from __future__ import annotations

import json

import numpy as np
from scipy.stats import ortho_group

WITHOUT = ("align", "x.npy", "y.npy", "--steps", "20", "--batch-size", "32", "--out", "out")


def test_align_works_without_pairs_and_says_how_far_to_trust_it(folder, call):
    x = np.random.default_rng(0).gamma(1.0, size=(60, 5)) * np.arange(1, 6)
    np.save("x.npy", x)
    np.save("y.npy", x @ ortho_group.rvs(5, random_state=0))
    (folder / "test.csv").write_text("source,target\n" + "".join(f"{i},{i}\n" for i in range(60)))
    code, out, err = call(*WITHOUT, "--cost", "procrustes_bridge", "--test-pairs", "test.csv")
    assert code == 0
    report = json.loads((folder / "out" / "report.json").read_text())
    assert report["l"] == 0
    assert report["metrics"]["plan_foscttm"] < 0.01
    assert "from 0 pairs: FOSCTTM 0.0" in out
    assert "Found with no pairs: the agreement of the restarts is" in err
    assert report["advice"].endswith("Confirm it with some known pairs.")


def test_align_refuses_no_pairs_where_the_cost_or_the_strategy_needs_them(folder, call):
    code, _, err = call(*WITHOUT, "--cost", "bridge")
    assert code != 0
    assert "align() needs --pairs with cost 'bridge'" in err
    assert "choose a cost that needs none (procrustes_bridge)" in err
    code, _, err = call(*WITHOUT, "--cost", "procrustes_bridge", "--strategy", "true")
    assert code != 0
    assert "align() needs --pairs with strategy 'true'" in err
