"""The benchmark of the encoders, on a problem of its own size."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bridgeviz.datasets import _tiny_imagenet, _two_encoders
from bridgeviz.experiments.benchmarks import _encoders
from bridgeviz.experiments.benchmarks._encoders import EncoderBenchmark


@pytest.fixture
def small(monkeypatch):
    """Eight pictures of each of five classes, two of them for testing; their features are the class with some noise."""
    rng = np.random.default_rng(0)
    known = _tiny_imagenet.text_of_classes()["imagenet_index"][:5]
    label = np.arange(40) % 5
    index, test = known[label], np.arange(40) >= 30
    good, bad = (np.eye(5)[label] + noise * rng.normal(size=(40, 5)) for noise in (0.1, 0.6))
    full = {
        "efficientnet_lite0": good, "mobilenet_v2": bad, "imagenet_index": index, "test": test,
        "shipped": np.arange(40), "efficientnet_lite0_head": index,
        "mobilenet_v2_head": np.where(np.arange(40) % 2, index, 0),
    }  # fmt: skip
    monkeypatch.setattr(_two_encoders, "full_arrays", lambda: full)
    shipped = {name: full[name][:, :3] for name in ("efficientnet_lite0", "mobilenet_v2")}
    monkeypatch.setattr(_two_encoders, "shipped_arrays", lambda: shipped)
    monkeypatch.setattr(_encoders, "CASES", {k: v for k, v in _encoders.CASES.items() if v[0] != "tiny-imagenet"})
    _encoders._problem.cache_clear()
    yield
    _encoders._problem.cache_clear()


def test_the_better_encoder_and_the_loss_of_the_components_are_measured(small, tiny_velocity, tmp_path):
    benchmark = EncoderBenchmark(fractions=(0.4, 1.0), velocity="tiny", steps=20)
    document = tmp_path / "benchmarks.md"
    document.write_text("<!-- bench encoders -->\n<!-- end of bench encoders -->")
    lines = list(benchmark.measure(seeds=1, folder=tmp_path, documents=[document]))
    table = pd.read_csv(tmp_path / "encoders.csv").set_index(["case", "fraction"])
    assert len(table) == 4 * 2
    assert table.loc[("EfficientNet-Lite0", 0.4)].pairs == 12
    assert table.loc[("EfficientNet-Lite0", 0.4)].bridge > table.loc[("MobileNetV2", 0.4)].bridge
    assert np.isnan(table.loc[("MobileNetV2", 1.0)].bridge)  # nothing is left to match
    assert table.loc[("EfficientNet-Lite0", 1.0)].class_mean == 1
    assert table.loc[("EfficientNet-Lite0, shipped components", 1.0)].dimensions == 3
    assert table.loc[("EfficientNet-Lite0, shipped components", 1.0)].class_mean < 1  # two classes have no feature left
    assert np.isnan(table.loc[("MobileNetV2, shipped components", 1.0)].flow)
    assert (table["head"].loc["EfficientNet-Lite0"] == 1).all()
    assert (table["head"].loc["MobileNetV2"] == 0.5).all()
    text = document.read_text()
    assert "choose among 1,000 classes: EfficientNet-Lite0 1.000, MobileNetV2 0.500." in text
    assert "| EfficientNet-Lite0 | 5 | 100 % |  |  | 1.000 |" in text
    assert lines[0].startswith("EfficientNet-Lite0, 40 %, seed 0: matching, bridge ")
