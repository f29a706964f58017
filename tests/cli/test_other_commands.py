"""datasets, fetch, pretrain, bench and app."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import signal
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz import InputError
from bridgeviz.baselines import NearestClassMean
from bridgeviz.datasets import Blobs, Mnist, _mnist_vae, paths
from bridgeviz.datasets import _idx as idx
from bridgeviz.encoders.training import VAEConfig
from bridgeviz.experiments import RunConfig
from bridgeviz.experiments.benchmarks import BENCHMARKS, CostBenchmark, FirstLight, _costs, _first_light


def test_without_a_command_the_commands_are_listed(call):
    code, out, err = call()
    assert (code, out) == (2, "")
    assert "\n  align " in err


def test_datasets_lists_every_name_with_its_options(call):
    code, out, _ = call("datasets")
    assert code == 0
    for word in ("digits", "mnist", "swiss-roll", "blobs", "overlap=0.3"):
        assert word in out


def test_datasets_shows_the_card_of_one(call):
    code, out, _ = call("datasets", "digits")
    assert code == 0
    assert "Licence:    CC BY 4.0." in out
    code, _, err = call("datasets", "numbers")
    assert code == 2
    assert "digits" in err


def test_fetch_reports_when_there_is_nothing_to_fetch(call):
    code, out, _ = call("fetch", "digits")
    assert code == 0
    assert "nothing to fetch" in out


@pytest.mark.parametrize(("command", "word"), [("fetch", "mnist"), ("pretrain", "digits"), ("bench", "first-light")])
def test_unknown_names_get_the_choices(call, command, word):
    code, _, err = call(command, "nope")
    assert code == 2
    assert word in err
    assert "nope" in err


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """Four idx files in the real layout with a few random pictures, in BRIDGEVIZ_DATA."""
    rng = np.random.default_rng(0)
    (tmp_path / "raw" / "mnist").mkdir(parents=True)
    files = {}
    for prefix, size in (("train", 200), ("t10k", 60)):
        labels = (np.arange(size) % 10).astype(np.uint8)
        images = (rng.random((size, 28, 28)) * 60 + 19 * labels[:, None, None]).astype(np.uint8)
        for kind, array in (("images-idx3", images), ("labels-idx1", labels)):
            head = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
            name = f"{prefix}-{kind}-ubyte.gz"
            (tmp_path / "raw" / "mnist" / name).write_bytes(gzip.compress(head + array.tobytes()))
            files[name] = hashlib.md5(head + array.tobytes(), usedforsecurity=False).hexdigest()
    monkeypatch.setattr(idx, "FILES", files)
    monkeypatch.setattr(idx, "TRAINED_ON", 128)
    monkeypatch.setattr(_mnist_vae, "IMAGE_CONFIG", VAEConfig(epochs=1, batch_size=32))
    monkeypatch.setattr(_mnist_vae, "TEXT_CONFIG", VAEConfig(epochs=2, batch_size=32, kl_weight=0.1))
    monkeypatch.setenv("BRIDGEVIZ_DATA", str(tmp_path / "raw"))
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_pretrain_writes_weights_latents_and_card(small_mnist, call):
    out = small_mnist / "models"
    code, text, _ = call("pretrain", "mnist", "--out", out)
    assert code == 0
    assert str(out) in text
    card = json.loads((out / "card.json").read_text())
    assert card["VAE_image"]["test_reconstruction_loss_nats"] > 0
    with np.load(out / "latents.npz") as latents:
        assert latents["train_x"].shape == (72, 16)
        assert latents["test_x"].shape == (60, 16)
        assert latents["test_x"].dtype == np.float16
        np.testing.assert_array_equal(latents["test_labels"], np.arange(60) % 10)
    assert (out / "vae_image.npz").is_file()
    assert (out / "vae_text.npz").is_file()


def test_interrupted_pretraining_leaves_the_folder_unchanged(small_mnist):
    out = small_mnist / "models"
    for model, _, _, _ in Mnist().pretrain(out):
        if model == "VAE_image":
            break
    assert not out.exists()
    (out / "notes").mkdir(parents=True)
    with pytest.raises(InputError, match="holds other files"):
        next(Mnist().pretrain(out))


def test_fetch_takes_files_that_are_here_and_checks_their_contents(small_mnist, call):
    code, out, _ = call("fetch", "mnist")
    assert code == 0
    assert "complete" in out
    name = "t10k-labels-idx1-ubyte.gz"
    (small_mnist / "raw" / "mnist" / name).write_bytes(gzip.compress(b"something else"))
    code, _, err = call("fetch", "mnist")
    assert code == 2
    assert name in err
    assert "md5" in err


def test_bench_resumes_and_writes_the_table(tmp_path, monkeypatch, call):
    config = RunConfig(dataset="blobs", options={"n": 60}, fraction=0.2, steps=20, batch_size=16)
    monkeypatch.setitem(BENCHMARKS, "first-light", FirstLight(cases={"case A": config, "bridge, 1 %": config}))
    monkeypatch.setattr(_first_light, "COLD", "pass")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "data")
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench first-light -->\nold\n<!-- end of bench first-light -->\nafter\n")
    code, out, _ = call("bench", "first-light", "--seeds", "1")
    assert code == 0
    table = pd.read_csv(tmp_path / "data" / "benchmarks" / "first_light.csv")
    assert len(table) == 2
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert f"{table.matching_accuracy[0]:.3f}" in text
    code, out, _ = call("bench", "first-light", "--seeds", "2")
    assert code == 0
    assert "seed 0" not in out
    assert "case A, seed 1" in out


def test_bench_takes_groups_of_rows(tmp_path, call):
    code, _, err = call("bench", "couplings", "--rows", "linear,fgv", "--folder", str(tmp_path))
    assert code == 2
    assert "must be one of 'machine', 'linear', 'min-plus', 'fgw', 'merged', 'factorised', 'sharpening'" in err
    assert "fgw" in err.rpartition("Got")[2]  # the one that was meant
    assert call("bench", "costs", "--rows", "linear")[0] == 2


def test_the_benchmark_of_costs_resumes_and_writes_the_table(tmp_path, monkeypatch, call):
    benchmark = CostBenchmark(
        name="costs", dataset=Blobs(n=60), title="blobs", tolerance=1e-2, show_tau=True, fractions=(0.2, 0.4),
        alphas=(0.25, 0.5),
    )  # fmt: skip
    monkeypatch.setitem(BENCHMARKS, "costs", benchmark)
    cases, baselines = _costs.cost_cases(), _costs.baseline_cases()
    monkeypatch.setattr(_costs, "cost_cases", lambda: {name: cases[name] for name in ("bridge", "KCCA")})
    monkeypatch.setattr(_costs, "baseline_cases", lambda: {name: baselines[name] for name in ("nearest class mean",)})
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "data")
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench costs -->\nold\n<!-- end of bench costs -->\nafter\n")
    assert call("bench", "costs", "--seeds", "1")[0] == 0
    table = pd.read_csv(tmp_path / "data" / "benchmarks" / "costs.csv")
    assert len(table) == 2 * (2 * 4 + 1)
    problem = bv.load("blobs", n=60)
    labels = problem.source.labels, problem.target.labels
    pairs = problem.sample_pairs(0.2, seed=0)
    cost = bv.costs.bridge(problem.source.x, problem.target.x, pairs)
    plan = bv.couplings.linear(cost, tolerance=1e-2)
    row = table[(table.case == "bridge") & (table.fraction == 0.2) & (table.solver == "linear") & (table.tau_y == 1)]
    assert row.matching_accuracy.item() == pytest.approx(bv.metrics.matching_accuracy(plan, *labels), abs=1e-4)
    assert f"| bridge: linear | {row.matching_accuracy.item():.3f} |" in readme.read_text()
    best = table[(table.case == "KCCA") & (table.fraction == 0.4) & (table.solver == "fgw")].matching_accuracy.max()
    assert f"{best:.3f} (0." in readme.read_text()
    code, out, _ = call("bench", "costs", "--seeds", "2")
    assert code == 0
    assert "seed 0:" not in out
    assert "KCCA, 40 %, seed 1" in out


def test_the_nearest_class_mean_is_that_of_scikit_learn(blobs):
    from sklearn.neighbors import NearestCentroid

    x, labels, pairs = blobs.source.x, blobs.source.labels, blobs.sample_pairs(0.1, seed=0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    theirs = NearestCentroid().fit(unit[pairs.source], labels[pairs.source]).predict(unit)
    fitted = NearestClassMean().fit(blobs, pairs)
    assert fitted.accuracy(x, labels) == pytest.approx((theirs == labels).mean())


def test_app_starts_streamlit_on_the_shipped_script(monkeypatch, call):
    calls = []

    def start(command, cwd):
        calls.append((command, cwd))
        return contextlib.nullcontext(SimpleNamespace(wait=lambda: 3, terminate=lambda: None))

    before = signal.getsignal(signal.SIGTERM)
    monkeypatch.setattr(subprocess, "Popen", start)
    code, _, _ = call("app", "--server.port", "8600")
    signal.signal(signal.SIGTERM, before)
    assert code == 3
    command, cwd = calls[0]
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert command[4].endswith("app.py")
    assert command[5:] == ["--server.port", "8600"]
    assert (cwd / "app.py").is_file()
