"""datasets, fetch, pretrain, bench and app."""

from __future__ import annotations

import gzip
import hashlib
import json
import sys

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz import InputError, cli
from bridgeviz.datasets import idx, mnist, paths
from bridgeviz.encoders.training import VAEConfig
from bridgeviz.experiments import bench, bench_costs


def call(capsys, *arguments) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as stop:
        cli.main([str(a) for a in arguments])
    out = capsys.readouterr()
    return stop.value.code, out.out, out.err


def test_datasets_lists_every_name_with_its_options(capsys):
    code, out, _ = call(capsys, "datasets")
    assert code == 0
    for word in ("digits", "mnist", "swiss-roll", "blobs", "overlap=0.3"):
        assert word in out


def test_fetch_says_when_there_is_nothing_to_fetch(capsys):
    code, out, _ = call(capsys, "fetch", "digits")
    assert code == 0
    assert "nothing to fetch" in out


@pytest.mark.parametrize(("command", "word"), [("fetch", "mnist"), ("pretrain", "digits"), ("bench", "first-light")])
def test_unknown_names_get_the_choices(capsys, command, word):
    code, _, err = call(capsys, command, "nope")
    assert code == 2
    assert word in err
    assert "nope" in err


@pytest.fixture
def small_mnist(tmp_path, monkeypatch):
    """Four idx files of the real layout with a few made pictures, in BRIDGEVIZ_DATA."""
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
    monkeypatch.setattr(mnist, "TRAINED_ON", 128)
    monkeypatch.setattr(mnist, "IMAGE_CONFIG", VAEConfig(epochs=1, batch_size=32))
    monkeypatch.setattr(mnist, "TEXT_CONFIG", VAEConfig(epochs=2, batch_size=32, kl_weight=0.1))
    monkeypatch.setenv("BRIDGEVIZ_DATA", str(tmp_path / "raw"))
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path / "cache"))
    return tmp_path


def test_pretrain_writes_weights_latents_and_card(small_mnist, capsys):
    out = small_mnist / "made"
    code, said, _ = call(capsys, "pretrain", "mnist", "--out", out)
    assert code == 0
    assert str(out) in said
    card = json.loads((out / "card.json").read_text())
    assert card["VAE_image"]["test_reconstruction_loss_nats"] > 0
    with np.load(out / "latents.npz") as latents:
        assert latents["train_x"].shape == (72, 16)
        assert latents["test_x"].shape == (60, 16)
        assert latents["test_x"].dtype == np.float16
        np.testing.assert_array_equal(latents["test_labels"], np.arange(60) % 10)
    assert (out / "vae_image.npz").is_file()
    assert (out / "vae_text.npz").is_file()


def test_pretrain_stopped_half_way_leaves_what_was_there(small_mnist):
    out = small_mnist / "made"
    for what, _, _, _ in mnist.pretrain(out):
        if what == "VAE_image":
            break
    assert not out.exists()
    (out / "notes").mkdir(parents=True)
    with pytest.raises(InputError, match="holds other files"):
        next(mnist.pretrain(out))


def test_fetch_takes_the_files_it_is_given_and_checks_their_contents(small_mnist, capsys):
    code, out, _ = call(capsys, "fetch", "mnist")
    assert code == 0
    assert "complete" in out
    name = "t10k-labels-idx1-ubyte.gz"
    (small_mnist / "raw" / "mnist" / name).write_bytes(gzip.compress(b"something else"))
    code, _, err = call(capsys, "fetch", "mnist")
    assert code == 2
    assert name in err
    assert "md5" in err


def test_bench_resumes_and_writes_the_table(tmp_path, monkeypatch, capsys):
    settings = {"dataset": "blobs", "options": {"n": 60}, "fraction": 0.2, "steps": 20, "batch_size": 16}
    monkeypatch.setattr(bench, "FIRST_LIGHT", {"case A": settings, "bridge, 1 %": settings})
    monkeypatch.setattr(bench, "COLD", "pass")
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "data")
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench first-light -->\nold\n<!-- end of bench first-light -->\nafter\n")
    code, out, _ = call(capsys, "bench", "first-light", "--seeds", "1")
    assert code == 0
    table = pd.read_csv(tmp_path / "data" / "benchmarks" / "first_light.csv")
    assert len(table) == 2
    text = readme.read_text()
    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert f"{table.matching_accuracy[0]:.3f}" in text
    code, out, _ = call(capsys, "bench", "first-light", "--seeds", "2")
    assert code == 0
    assert "seed 0" not in out
    assert "case A, seed 1" in out


def test_the_benchmark_of_costs_resumes_and_writes_the_table(tmp_path, monkeypatch, capsys):
    suite = {
        "dataset": "blobs", "title": "blobs", "tolerance": 1e-2, "show_tau": True, "fractions": (0.2, 0.4),
        "alphas": (0.25, 0.5), "options": {"n": 60},
    }  # fmt: skip
    monkeypatch.setitem(bench_costs.SUITES, "costs", suite)
    monkeypatch.setattr(bench_costs, "CASES", {name: bench_costs.CASES[name] for name in ("bridge", "KCCA")})
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path / "data")
    readme = tmp_path / "README.md"
    readme.write_text("before\n<!-- bench costs -->\nold\n<!-- end of bench costs -->\nafter\n")
    assert call(capsys, "bench", "costs", "--seeds", "1")[0] == 0
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
    code, out, _ = call(capsys, "bench", "costs", "--seeds", "2")
    assert code == 0
    assert "seed 0:" not in out
    assert "KCCA, 40 %, seed 1" in out


def test_the_nearest_class_mean_is_the_one_of_scikit_learn(blobs):
    from sklearn.neighbors import NearestCentroid

    x, labels, pairs = blobs.source.x, blobs.source.labels, blobs.sample_pairs(0.1, seed=0)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    theirs = NearestCentroid().fit(unit[pairs.source], labels[pairs.source]).predict(unit)
    assert bench_costs.nearest_class_mean(x, labels, pairs) == pytest.approx((theirs == labels).mean())


def test_app_starts_streamlit_on_the_shipped_script(monkeypatch, capsys):
    calls = []
    monkeypatch.setattr(cli.subprocess, "call", lambda command, cwd: calls.append((command, cwd)) or 0)
    code, _, _ = call(capsys, "app", "--server.port", "8600")
    assert code == 0
    command, cwd = calls[0]
    assert command[:4] == [sys.executable, "-m", "streamlit", "run"]
    assert command[4].endswith("app.py")
    assert command[5:] == ["--server.port", "8600"]
    assert (cwd / "app.py").is_file()
