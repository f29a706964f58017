"""Figures by number of pairs, of overlapping classes, of taus and of disentanglement, on few points."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bridgeviz.datasets import Blobs
from bridgeviz.experiments import claims
from bridgeviz.experiments.benchmarks._disentanglement import Disentanglement
from bridgeviz.experiments.benchmarks._overlapping_classes import GROUPS, OverlappingClasses
from bridgeviz.experiments.benchmarks._pair_curves import PairCurves
from bridgeviz.experiments.benchmarks._tuning_figure import TuningFigure
from bridgeviz.viz.paper import PICTURES, save

FEW = Blobs(n=120, classes=3, overlap=0.2)


def measured(benchmark, folder) -> pd.DataFrame:
    """The rows of one seed, measured in two starts of which the second finds everything."""
    lines = list(benchmark.measure(seeds=1, folder=folder, documents=[]))
    assert len(lines) > 1
    (again,) = benchmark.measure(seeds=1, folder=folder, documents=[])
    assert again == lines[-1]
    return pd.read_parquet(next(folder.glob("*.parquet")))


def test_strategies_and_baselines_by_number_of_pairs(tmp_path, small_networks):
    benchmark = PairCurves(
        number=8, dataset=FEW, fractions=(0.1, 0.5), steps=20, strategies=("true", "global, bridge"),
        baselines=("ridge", "nearest-class-mean"), networks=(), upper={"a classifier": lambda: 0.75},
    )  # fmt: skip
    rows = measured(benchmark, tmp_path)
    assert set(rows.case) == {"true", "global, bridge", "ridge", "nearest class mean", "a classifier"}
    assert len(rows) == 9
    assert (rows.took[rows.case == "true"] > 0).all()
    assert rows.test_accuracy.between(0, 1).all()
    drawn = PICTURES["accuracies"](rows)
    assert len(drawn.data) == 4
    (upper,), (label,) = drawn.layout.shapes, drawn.layout.annotations
    assert (upper.y0, upper.y1, label.text) == (0.75, 0.75, "a classifier")


@pytest.mark.data
def test_both_directions_with_models_that_are_trained_end_to_end(tmp_path, small_networks, monkeypatch):
    from bridgeviz.baselines import networks
    from bridgeviz.datasets import Mnist

    tiny = networks.VAE(steps=3, width=0.01)
    monkeypatch.setitem(networks.NETWORKS, "vae-small", tiny)
    benchmark = PairCurves(
        number=9, dataset=Mnist(n=300), raw=Mnist(n=300, spaces="raw"), fractions=(0.1,), steps=10,
        strategies=("global, bridge",), baselines=("nearest-class-mean",), networks=("vae-small",), width=0.01,
        points=200,
    )  # fmt: skip
    rows = measured(benchmark, tmp_path).set_index(["direction", "case"])
    assert rows.loc[("source to target", "VAE, small"), "test_accuracy"] >= 0
    assert 0 < rows.loc[("target to source", "VAE, small"), "test_mse"] < 0.5
    assert 0 < rows.loc[("target to source", "global, bridge"), "test_mse"] < 0.5
    assert ("target to source", "nearest class mean") not in rows.index
    assert claims.of_figure(9)[1].judge(rows.reset_index()).outcome in (claims.HOLDS, claims.FAILS, claims.UNTESTED)


def test_classes_that_hardly_and_that_strongly_overlap(tmp_path, small_networks):
    benchmark = OverlappingClasses(dataset=Blobs(n=200, classes=5, overlap=0.3), classes=2, steps=20)
    rows = measured(benchmark, tmp_path)
    assert set(rows.group) == set(GROUPS)
    assert (rows.took > 0).sum() == len(GROUPS)
    assert list(dict.fromkeys(rows.panel)) == ["source", "t = 0", "t = 0.5", "t = 1", "target"]
    overlap = rows.groupby("group").overlap.first()
    assert overlap["least overlap"] < overlap["most overlap"]
    drawn = PICTURES["trajectories"](rows)
    assert len(drawn.data) == 2 * 5 * 2
    assert [trace.name for trace in drawn.data if trace.showlegend] == list(dict.fromkeys(rows.name))
    assert len(drawn.layout.annotations) == 10


def test_taus_and_their_regression(tmp_path):
    rows = measured(TuningFigure(dataset=FEW, epsilons=(0.01, 0.1), taus=(0.8, 1.0), fractions=(0.1, 0.3)), tmp_path)
    assert len(rows) == 2 * 4 * 2
    assert {"aes", "fraction", "tau_x", "mass"} <= set(rows)


@pytest.mark.data
def test_vaes_of_several_betas(tmp_path):
    from bridgeviz.datasets import Mnist

    benchmark = Disentanglement(dataset=Mnist(n=300), betas=(0.5, 4.0), fractions=(0.1,), trained_on=256, epochs=1)
    rows = measured(benchmark, tmp_path)
    assert rows.beta.tolist() == [0.5, 4.0]
    assert rows[["gap", "overlap", "bridge", "dimensionality"]].notna().all(axis=None)
    assert np.isfinite(rows.reconstruction).all()


def test_a_picture_is_a_page_that_needs_no_network(tmp_path):
    rows = pd.DataFrame({"t": [0.0, 1.0], "seed": 0, "coefficient": [0.2, 0.1], "p": 0.5})
    lines = list(save(PICTURES["spiral"](rows), tmp_path / "new" / "figure_15"))
    page = (tmp_path / "new" / "figure_15.html").read_text()
    assert str(tmp_path / "new" / "figure_15.html") in lines
    assert 'src="http' not in page
    assert "energy coefficient" in page
