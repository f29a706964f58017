"""Every data set loads offline from the files that the project ships."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import socket
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz._options import Count, option
from bridgeviz.datasets import _digits_vae, _mnist, _mnist_vae, paths
from bridgeviz.datasets import _idx as idx
from bridgeviz.datasets import _label_codes as label_codes
from bridgeviz.encoders.training import VAEConfig

# name, options, (n, m, p, q), test rows, classes
ALL = [
    ("digits", {}, (1347, 1347, 16, 4), 450, 10),
    ("digits", {"latents": 5}, (1347, 1347, 5, 4), 450, 10),
    ("digits", {"features": "vae"}, (1347, 1347, 8, 4), 450, 10),
    ("mnist", {}, (10_000, 10_000, 16, 4), 10_000, 10),
    ("mnist", {"n": 500, "codes": "sampled"}, (500, 500, 16, 4), 10_000, 10),
    ("snare-seq", {}, (786, 786, 19, 10), 261, 4),
    ("swiss-roll", {"n": 200}, (200, 200, 3, 2), 100, 8),
    ("blobs", {"n": 100, "classes": 4}, (100, 100, 8, 4), 50, 4),
    ("blobs", {}, (600, 600, 8, 4), 300, 5),
]


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """No test in this module may open a connection."""

    def refuse(*_, **__):
        raise AssertionError("a test tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)


@pytest.mark.parametrize(("name", "options", "shape", "test", "classes"), ALL)
def test_loads_offline(name, options, shape, test, classes):
    problem = bv.load(name, **options)
    assert (*problem.shape, problem.source.x.shape[1], problem.target.x.shape[1]) == shape
    assert problem.name == name
    assert problem.source.x.dtype == problem.target.x.dtype == np.float32
    assert len(problem.source.classes) == len(problem.source.names) == classes
    np.testing.assert_array_equal(problem.truth[:, 0], np.arange(shape[0]))
    labels = problem.source.labels[problem.truth[:, 0]], problem.target.labels[problem.truth[:, 1]]
    np.testing.assert_array_equal(*labels)
    assert problem.test.shape == (test, test)
    assert problem.test.test is None
    rows = np.concatenate([problem.source.x, problem.test.source.x])
    # No test row is among the rows to align. (A few strokes of MNIST are equal after binarisation.)
    assert len(np.unique(rows, axis=0)) >= len(rows) - (3 if name == "mnist" else 0)
    assert problem.source.title
    assert problem.target.title


@pytest.mark.parametrize("name", ["swiss-roll", "blobs"])
def test_the_seed_determines_the_draw(name):
    first, same, other = bv.load(name, n=60), bv.load(name, n=60), bv.load(name, n=60, seed=1)
    np.testing.assert_array_equal(first.source.x, same.source.x)
    np.testing.assert_array_equal(first.test.target.x, same.test.target.x)
    assert (first.source.x != other.source.x).all()


def test_the_seed_determines_the_sampled_codes():
    first, same, other = (bv.load("mnist", n=100, codes="sampled", seed=seed).target.x for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, same)
    assert (first != other).all()
    mean = bv.load("mnist", n=100).target
    assert len(np.unique(mean.x, axis=0)) == len(np.unique(mean.labels))
    assert len(np.unique(first, axis=0)) == 100


@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="OpenBLAS's kernels are chosen by x86 names")
@pytest.mark.parametrize("kernels", ["Haswell", "SkylakeX", "Nehalem"])
def test_a_seed_gives_the_same_data_on_every_processor(kernels):
    """Singular vectors of equal singular values, for one, are whatever the processor's kernels make of them."""
    code = (
        "import sys, numpy as np, bridgeviz as bv\n"
        "spaces = [getattr(bv.load(name), side).x for name in sys.argv[1:] for side in ('source', 'target')]\n"
        "np.savez(sys.stdout.buffer, *spaces)"
    )
    names = ["blobs", "swiss-roll", "digits"]
    env = os.environ | {"OPENBLAS_CORETYPE": kernels}
    done = subprocess.run([sys.executable, "-c", code, *names], env=env, capture_output=True, check=True)
    there = np.load(io.BytesIO(done.stdout))
    here = [getattr(bv.load(name), side).x for name in names for side in ("source", "target")]
    assert len(there.files) == len(here) == 6
    for file, x in zip(there.files, here, strict=True):
        np.testing.assert_allclose(there[file], x, atol=1e-5)


def test_the_overlap_option_of_blobs_raises_the_feature_overlap():
    overlaps = []
    for overlap in (0.0, 0.25, 0.5, 1.0):
        problem = bv.load("blobs", n=300, overlap=overlap)
        overlaps.append([bv.metrics.feature_overlap(s.x, s.labels) for s in (problem.source, problem.target)])
    overlaps = np.array(overlaps)
    assert (np.diff(overlaps, axis=0) > 0).all()
    assert (overlaps[0] < 0.02).all()
    assert (overlaps[-1] > 0.3).all()


def test_the_rows_of_blobs_correspond_within_a_class():
    """Both rows of a pair are one draw, seen through two linear maps: pairs carry more information than the class."""
    problem = bv.load("blobs", n=400, classes=2, overlap=0.5)
    rows = problem.source.labels == 0
    x, y = (s.x[rows] - s.x[rows].mean(0) for s in (problem.source, problem.target))
    fitted = x @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert ((y - fitted) ** 2).sum() < 0.05 * (y**2).sum()


def test_without_noise_the_spiral_is_a_projection_of_the_roll():
    problem = bv.load("swiss-roll", n=100, noise=0.0)
    np.testing.assert_allclose(problem.source.x[:, [0, 2]], problem.target.x, atol=1e-6)


def test_describe_lists_every_data_set():
    rows = bv.datasets.describe()
    assert [name for name, *_ in rows] == list(bv.datasets.DATASETS)
    assert {name: options for name, _, options in rows}["blobs"]["overlap"] == 0.3


@pytest.mark.parametrize("name", bv.datasets.DATASETS)
def test_every_data_set_has_a_card_whose_checksums_are_those_of_the_shipped_files(name):
    card = bv.datasets.card(name)
    assert all(text.strip() for text in card.lines().values())
    assert card.lines()["Licence"] == card.licence
    for file, digest in card.checksums.items():
        assert hashlib.sha256((paths.shipped() / file).read_bytes()).hexdigest() == digest


def test_every_shipped_file_of_a_data_set_is_on_a_card():
    on_cards = {file for name in bv.datasets.DATASETS for file in bv.datasets.card(name).checksums}
    folders = {file.split("/")[0] for file in on_cards}
    files = (path for folder in folders for path in (paths.shipped() / folder).rglob("*.[nc][ps][yzv]"))
    assert {path.relative_to(paths.shipped()).as_posix() for path in files} == on_cards


def test_an_object_is_loaded_like_its_name():
    by_name, by_object = bv.load("blobs", n=60, classes=3), bv.load(bv.datasets.Blobs(n=60, classes=3))
    np.testing.assert_array_equal(by_object.source.x, by_name.source.x)
    assert bv.load(bv.datasets.Blobs(n=60), classes=3).source.names == by_name.source.names
    with pytest.raises(bv.InputError, match=r"load\(\) has no option 'spread'. Its options are: n, classes, overlap"):
        bv.load(bv.datasets.Blobs(), spread=1)


def test_a_new_data_set_is_one_class_and_one_line_of_the_registry(monkeypatch, tmp_path):
    @dataclass(frozen=True, kw_only=True)
    class Line(bv.datasets.DatasetOptions):
        name = "straight-line"
        title = "a straight line in both spaces"
        n: int = option(Count(2), 10, help="Rows to align.")

        def load(self):
            space = bv.Space(np.linspace([1.0, 0.0], [0.0, 1.0], self.n))
            return bv.Problem(space, space, name=self.name)

        def pretrain(self, out):
            return iter([("nothing", 1, 1, float(self.n))])

        def encode(self, out):
            return iter([f"to {out}"])

    assert bv.load(Line(n=4)).shape == (4, 4)
    monkeypatch.setitem(bv.datasets.DATASETS, Line.name, Line)
    assert bv.load("straight-line", n=3).shape == (3, 3)
    assert bv.datasets.describe()[-1] == ("straight-line", "a straight line in both spaces", {"n": 10})
    assert bv.datasets.fetch("straight-line") is None
    with pytest.raises(bv.InputError, match="'straight-line' has no card"):
        bv.datasets.card("straight-line")
    assert list(bv.datasets.pretrain("straight-line")) == [("nothing", 1, 1, 10.0)]
    assert list(bv.datasets.features("straight-line", tmp_path)) == [f"to {tmp_path}"]
    assert Line.home().name == "straight_line"
    with pytest.raises(bv.InputError, match="It trains: digits, mnist, straight-line"):
        bv.datasets.pretrain("blobs")
    with pytest.raises(bv.InputError, match=r"'n' of load\(\) must be an integer >= 2. Got 1"):
        Line(n=1)


def test_importing_the_room_loads_no_heavy_library():
    heavy = "{'flax', 'jax', 'optax', 'pandas', 'pooch', 'scipy', 'sklearn'}"
    code = f"import sys, bridgeviz.datasets as d; d.describe(); print(sorted({heavy} & set(sys.modules)))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def test_your_own_data_are_not_loaded_by_their_name_alone():
    assert "yours" not in bv.datasets.DATASETS
    with pytest.raises(bv.DataMissing, match=r"No data of your own are open.*pass problem="):
        bv.datasets.Yours().load()
    with pytest.raises(bv.DataMissing, match="are not on this machine"):
        bv.datasets.Yours(kept="0" * 32).load()
    for odd in ("../../etc", "0" * 31, "G" * 32, "0" * 32 + "/"):
        with pytest.raises(bv.InputError, match=r"'kept' of load.* must be the key of data"):
            bv.datasets.Yours(kept=odd)


def test_pretraining_the_digits_writes_weights_that_load(monkeypatch, tmp_path):
    monkeypatch.setattr(_digits_vae, "CONFIG", VAEConfig(epochs=2, batch_size=128))
    progress = list(bv.datasets.pretrain("digits", tmp_path / "digits"))
    assert [step for _, step, _, _ in progress] == [10, 20]
    assert progress[1][3] < progress[0][3]
    assert [path.name for path in (tmp_path / "digits").iterdir()] == ["vae.npz"]
    monkeypatch.setattr(paths, "shipped", lambda: tmp_path)
    _digits_vae._model.cache_clear()
    assert bv.load("digits", features="vae").source.x.shape == (1347, 8)
    _digits_vae._model.cache_clear()


def test_digits_decode_to_pictures(digits):
    pictures = digits.source.pictures(np.arange(20))
    assert pictures.shape == (20, 8, 8)
    decoded = digits.source.decode_images(digits.source.x[:20])
    assert decoded.shape == (20, 8, 8)
    assert decoded.min() >= 0
    assert decoded.max() <= 1
    assert np.abs(decoded - pictures / 255).mean() < 0.1
    vae = bv.load("digits", features="vae").source
    assert np.abs(vae.decode_images(vae.x[:200]) - vae.pictures(np.arange(200)) / 255).mean() < 0.12


def test_the_decoder_of_the_labels_is_right_for_every_label():
    mean, std = label_codes.codes()
    assert mean.shape == std.shape == (10, 4)
    assert (std > 0).all()
    probabilities = label_codes.decode_labels(mean)
    np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    np.testing.assert_array_equal(probabilities.argmax(1), np.arange(10))


def test_a_few_rows_that_lack_a_class_can_be_evaluated():
    """The first twenty digits of MNIST lack a seven; the decoder still has a column for each of the ten labels."""
    problem = bv.load("mnist", n=20)
    assert len(np.unique(problem.target.labels)) < 10
    predicted = bv.metrics.predict_labels(problem.target, problem.test.target.x[:100])
    np.testing.assert_array_equal(predicted, problem.test.target.labels[:100])


def test_shipped_files_are_small_and_documented():
    folder = paths.shipped()
    total = sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())
    assert total < 20e6
    assert sum(p.stat().st_size for p in (folder / "mnist").iterdir()) < 12e6
    card = json.loads((folder / "mnist" / "card.json").read_text())
    assert 40 < card["VAE_image"]["test_reconstruction_loss_nats"] < 60
    assert card["VAE_text"]["labels_decoded_from_mean_code"] == 1.0
    assert {paths.find("mnist", name).name for name in ("latents.npz", "vae_image.npz", "vae_text.npz")}
    with np.load(folder / "mnist" / "latents.npz", allow_pickle=False) as stored:
        assert {name: stored[name].shape for name in stored.files} == {
            "train_x": (10_000, 16), "test_x": (10_000, 16), "train_labels": (10_000,), "test_labels": (10_000,),
        }  # fmt: skip
        assert not any("image" in name for name in stored.files)


@pytest.fixture
def no_raw(monkeypatch, tmp_path):
    """A machine without the raw images and with an empty cache."""
    monkeypatch.delenv("BRIDGEVIZ_DATA", raising=False)
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path))
    _mnist._raw.cache_clear()
    yield tmp_path
    _mnist._raw.cache_clear()


def test_without_the_raw_images_thumbnails_are_decoded_and_labelled_so(no_raw):
    source = bv.load("mnist", n=50).source
    assert "decoded from the latents" in source.images_note
    pictures = source.pictures([3, 0, 7])
    assert pictures.shape == (3, 28, 28)
    assert pictures.dtype == np.uint8
    assert pictures.max() > 200
    decoded = source.decode_images(source.x[[3, 0, 7]])
    np.testing.assert_allclose(pictures / 255, decoded, atol=1 / 255)
    assert len(np.unique(pictures)) > 2  # grey, where the raw images are black and white


def test_fetch_without_a_network(no_raw, monkeypatch):
    urls = []

    def unreachable(url, **_):
        urls.append(url)
        raise ConnectionError("no network")

    monkeypatch.setattr("pooch.retrieve", unreachable)
    with pytest.raises(bv.DataMissing) as caught:
        bv.datasets.fetch("mnist")
    message = str(caught.value)
    assert "is not here and could not be downloaded from 2 mirrors" in message
    assert "ConnectionError" in message
    assert "set BRIDGEVIZ_DATA" in message
    assert "\n" not in message
    assert len(urls) == len(idx.MIRRORS)
    assert list(no_raw.rglob("*.gz*")) == []


def write_idx(path, array):
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">i4").tobytes()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(header + array.astype(np.uint8).tobytes()))


def checksum(path):
    import hashlib

    return hashlib.md5(gzip.decompress(path.read_bytes()), usedforsecurity=False).hexdigest()


def test_idx_files_are_read_and_their_contents_verified(tmp_path, monkeypatch):
    path = tmp_path / "t10k-images-idx3-ubyte.gz"
    array = np.random.default_rng(0).integers(0, 256, (3, 4, 5))
    write_idx(path, array)
    with pytest.raises(bv.InputError, match=r"must have the md5 2646ac.*Got [0-9a-f]{32} instead.*fetch mnist"):
        idx.read(path)
    monkeypatch.setitem(idx.FILES, path.name, checksum(path))
    np.testing.assert_array_equal(idx.read(path), array)
    path.write_bytes(path.read_bytes()[:-12])
    with pytest.raises(bv.InputError, match="can't be read as a gzip file"):
        idx.read(path)
    path.write_bytes(b"not gzip")
    with pytest.raises(bv.InputError, match="can't be read as a gzip file"):
        idx.read(path)


def test_fetch_downloads_missing_files_and_discards_wrong_ones(no_raw, monkeypatch, tmp_path_factory):
    """A mirror with wrong contents is skipped and the next one is used; a second fetch downloads nothing."""
    mirror = tmp_path_factory.mktemp("mirror")
    for name in idx.FILES:
        write_idx(mirror / name, np.full((2, 2), 7) if "images" in name else np.arange(2))
        monkeypatch.setitem(idx.FILES, name, checksum(mirror / name))
    urls = []

    def retrieve(url, known_hash, fname, path, **_):
        urls.append(url)
        path.mkdir(parents=True, exist_ok=True)
        good = url.startswith(idx.MIRRORS[1])
        content = (mirror / url.rsplit("/", 1)[1]).read_bytes() if good else gzip.compress(b"an error page")
        (path / fname).write_bytes(content)

    monkeypatch.setattr("pooch.retrieve", retrieve)
    folder = bv.datasets.fetch("mnist")
    assert sorted(p.name for p in folder.iterdir()) == sorted(idx.FILES)
    assert len(urls) == 8
    assert idx.folder() == folder
    assert bv.datasets.fetch("mnist") == folder
    assert len(urls) == 8
    assert bv.datasets.fetch("blobs") is None


@pytest.mark.data
def test_thumbnails_are_the_raw_images_where_available():
    _mnist._raw.cache_clear()
    problem = bv.load("mnist", n=50)
    assert problem.source.images_note == ""
    pictures = problem.source.pictures(np.arange(50))
    assert set(np.unique(pictures)) == {0, 255}
    decoded = problem.source.decode_images(problem.source.x)
    nearest = np.abs(decoded[:, None] - (pictures / 255)[None]).mean((2, 3)).argmin(1)
    assert (nearest == np.arange(50)).mean() > 0.9  # picture i is the one that latent i encodes


@pytest.mark.data
def test_encoding_the_raw_images_reproduces_the_shipped_latents():
    for split, start in (("test", 0), ("train", idx.TRAINED_ON)):
        images = idx.binarised(idx.folder(), split)[start : start + 40]
        mean, _ = _mnist_vae.encode_images(_mnist_vae._model(), images)
        with np.load(paths.find("mnist", "latents.npz"), allow_pickle=False) as stored:
            np.testing.assert_allclose(mean, stored[f"{split}_x"][:40], atol=5e-3)


@pytest.mark.data
def test_the_raw_files_pass_their_checksums_and_agree_on_the_labels():
    assert bv.datasets.fetch("mnist") is not None
    labels = idx.labels(idx.folder(), "test")
    np.testing.assert_array_equal(bv.load("mnist", n=20).test.source.labels, labels)


def test_features_need_the_encoder_and_a_data_set_that_has_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(bv.InputError, match=r"pip install 'bridgeviz\[encoders\]'"):
        list(bv.datasets.features("tiny-imagenet"))
    with pytest.raises(bv.InputError, match=r"features\(\) has nothing to encode for 'blobs'"):
        bv.datasets.features("blobs")


@pytest.mark.data
def test_the_cells_of_snare_seq_are_those_of_the_source(tmp_path):
    assert [*bv.datasets.features("snare-seq", tmp_path / "out")]
    made, shipped = (np.load(folder / "cells.npz") for folder in (tmp_path / "out", paths.shipped() / "snare_seq"))
    for name in ("atac", "rna", "types"):
        np.testing.assert_array_equal(made[name], shipped[name])
    np.testing.assert_allclose(np.linalg.norm(shipped["atac"].astype(float), axis=1), 1, atol=2e-3)
