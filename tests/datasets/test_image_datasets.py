"""The data sets made by pretrained image encoders: tiny-imagenet, two-encoders and imagenet."""

from __future__ import annotations

import hashlib
import io
import socket
import tarfile

import numpy as np
import pytest
from PIL import Image

import bridgeviz as bv
from bridgeviz.datasets import _tiny_imagenet, _two_encoders, paths
from bridgeviz.datasets._features_file import names_array
from bridgeviz.datasets._imagenet_classes import imagenet_classes, nearest_names
from bridgeviz.datasets._imagenet_features import class_folders
from bridgeviz.datasets._reduction import principal_components, rank_within
from bridgeviz.encoders import store

CACHED = (_tiny_imagenet.full_features, _tiny_imagenet.shipped_features, _two_encoders.full_arrays)


@pytest.fixture(autouse=True)
def offline(monkeypatch):
    """No test in this module may open a connection, and each reads the files anew."""

    def refuse(*_, **__):
        raise AssertionError("a test tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    yield
    for function in CACHED:
        function.cache_clear()


@pytest.fixture
def nowhere(monkeypatch, tmp_path):
    """A machine with nothing but the shipped files."""
    monkeypatch.delenv("BRIDGEVIZ_DATA", raising=False)
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path / "cache"))
    for function in CACHED:
        function.cache_clear()
    return tmp_path


def nearest_class_mean(problem: bv.Problem) -> float:
    """The accuracy of the nearest mean of the source's classes, by cosine, on the test split."""
    x, labels = problem.source.x, problem.source.labels
    means = np.stack([x[labels == label].mean(0) for label in np.unique(labels)])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    predicted = np.unique(labels)[(problem.test.source.x @ means.T).argmax(1)]
    return float((predicted == problem.test.source.labels).mean())


def test_tiny_imagenet_opens_offline_from_the_shipped_files(nowhere):
    problem = bv.load("tiny-imagenet")
    assert (*problem.shape, problem.source.x.shape[1], problem.target.x.shape[1]) == (4040, 4040, 256, 384)
    assert (*problem.test.shape, *np.unique(np.bincount(problem.source.labels))) == (1010, 1010, 20)
    assert len(np.unique(problem.target.x, axis=0)) == len(np.unique(problem.target.labels)) == 202
    np.testing.assert_array_equal(problem.source.labels, problem.target.labels)
    assert problem.source.names[0] == "goldfish"
    assert 0.43 < nearest_class_mean(problem) < 0.47  # 0.464 with all 1,280 features of the same pictures


def test_fewer_pictures_are_drawn_by_the_seed(nowhere):
    first, same, other = (bv.load("tiny-imagenet", n=300, seed=seed).source.x for seed in (0, 0, 1))
    assert len(first) == 300
    np.testing.assert_array_equal(first, same)
    assert (first[:50] != other[:50]).any()
    assert bv.load("two-encoders", n=100).shape == (100, 100)


def test_synonyms_are_the_classes_with_the_nearest_names(nowhere):
    problem, whole = bv.load("tiny-imagenet", classes="synonyms"), bv.load("tiny-imagenet")
    assert problem.shape == (400, 400)
    assert problem.test.shape == (100, 100)
    assert len(problem.source.names) == 20
    for pair in (("cliff dwelling", "cliff"), ("slug", "sea slug"), ("golden retriever", "Labrador retriever")):
        assert set(pair) <= set(problem.source.names)
    rows = {name: problem.target.x[problem.target.labels == k][0] for k, name in enumerate(problem.source.names)}
    for name, row in rows.items():  # the same class has the same sentence as among all classes
        label = list(whole.target.names).index(name)
        np.testing.assert_array_equal(row, whole.target.x[whole.target.labels == label][0])
    mean = whole.source.x[whole.source.labels == list(whole.source.names).index("slug")].mean(0)
    slugs = problem.source.x[problem.source.labels == list(problem.source.names).index("slug")]
    np.testing.assert_allclose(slugs.mean(0), mean, rtol=1e-4, atol=1e-4)


def test_the_nearest_pairs_share_no_class():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(30, 5))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    cosine = unit @ unit.T - 2 * np.eye(30)
    left, expected = set(range(30)), []
    for _ in range(6):  # the same rule by brute force
        pair = max(((i, j) for i in left for j in left if i < j), key=lambda ij: cosine[ij])
        expected.append(pair)
        left -= set(pair)
    np.testing.assert_array_equal(nearest_names(x, 6), expected)
    assert nearest_names(x[:3], 9).shape == (1, 2)


def test_full_features_that_are_not_here_are_named(nowhere):
    with pytest.raises(bv.DataMissing, match=r"put train_features.npz into .*tiny_imagenet, let BRIDGEVIZ_DATA .*ship"):
        bv.load("tiny-imagenet", features="full")
    with pytest.raises(bv.DataMissing, match="Run `bridgeviz features two-encoders`"):
        bv.load("two-encoders", features="full")
    with pytest.raises(bv.DataMissing, match=r"val.tar is not here: let BRIDGEVIZ_DATA point to .*/val.tar"):
        list(bv.datasets.features("two-encoders", nowhere / "out"))
    assert not (nowhere / "out").exists()


def test_tiny_imagenet_reads_features_of_the_documented_layout(nowhere, monkeypatch):
    rng = np.random.default_rng(0)
    known = _tiny_imagenet.text_of_classes()["imagenet_index"]
    folder = nowhere / "tiny_imagenet"
    folder.mkdir()
    for split, rows in (("train", 60), ("val", 20)):
        index = known[np.arange(rows) % 5]
        np.savez(folder / f"{split}_features.npz", features=rng.normal(size=(rows, 8)), imagenet_index=index)
    monkeypatch.setenv("BRIDGEVIZ_DATA", str(nowhere))
    problem = bv.load("tiny-imagenet", features="full", n=40)
    assert (problem.shape, problem.test.shape) == ((40, 40), (20, 20))
    assert bv.load("tiny-imagenet", features="full").shape == (60, 60)
    assert len(np.unique(problem.target.x, axis=0)) == 5
    np.savez(folder / "train_features.npz", features=rng.normal(size=(60, 8)), imagenet_index=np.full(60, 999))
    _tiny_imagenet.full_features.cache_clear()
    with pytest.raises(bv.InputError, match="a class that bridgeviz has no sentence for"):
        bv.load("tiny-imagenet", features="full", n=40)


def test_tiny_imagenet_shows_the_validation_pictures_where_they_are(nowhere, monkeypatch):
    assert bv.load("tiny-imagenet").test.source.images is None
    known = _tiny_imagenet.text_of_classes()["imagenet_index"]
    folder, index = nowhere / "tiny_imagenet", np.repeat(known[:3], 2)
    folder.mkdir()
    files = np.array([f"val/images/val_{row}.png" for row in (4, 1, 0, 5, 3, 2)])
    for split in ("train", "val"):
        features = np.random.default_rng(0).normal(size=(6, 8))
        np.savez(folder / f"{split}_features.npz", features=features, imagenet_index=index, path=files)
    with tarfile.open(folder / "val.tar", "w") as archive:
        for row, file in enumerate(files):
            picture = io.BytesIO()
            Image.new("RGB", (30, 20), (10 * row,) * 3).save(picture, "PNG")
            member = tarfile.TarInfo(f"elsewhere/{file}")
            member.size = picture.tell()
            archive.addfile(member, io.BytesIO(picture.getvalue()))
    monkeypatch.setenv("BRIDGEVIZ_DATA", str(nowhere))
    for function in CACHED:
        function.cache_clear()
    test = bv.load("tiny-imagenet", features="full").test
    shown = test.source.pictures([5, 0, 3])
    assert shown.shape == (3, 64, 64)
    assert shown[:, 32, 32].tolist() == [50, 0, 30]
    # the shipped components are of other pictures than this file's
    assert bv.load("tiny-imagenet").test.source.images is None


@pytest.mark.data
def test_pictures_of_the_shipped_components_are_those_of_their_classes():
    test = bv.load("tiny-imagenet").test
    full, rows = _tiny_imagenet.full_features("val"), _tiny_imagenet.shipped_rows("val")
    np.testing.assert_array_equal(
        full["imagenet_index"][rows], _tiny_imagenet.shipped_features("val")["imagenet_index"]
    )
    assert test.source.pictures([0, 1009]).shape == (2, 64, 64)


@pytest.mark.data
def test_full_features_are_used_where_they_are_asked_for():
    problem = bv.load("tiny-imagenet", features="full")
    assert (*problem.shape, problem.source.x.shape[1]) == (10_000, 10_000, 1280)
    assert problem.test.shape == (10_100, 10_100)
    assert bv.load("tiny-imagenet").source.x.shape == (4040, 256)


@pytest.mark.data
def test_the_shipped_components_keep_the_distances_of_the_full_features():
    stored = _tiny_imagenet.full_features("val")
    kept = np.flatnonzero(rank_within(stored["imagenet_index"]) < _tiny_imagenet.PER_CLASS["val"])[:200]
    full, shipped = (x.astype(np.float64) for x in (stored["features"][kept], bv.load("tiny-imagenet").test.source.x))
    between = [((x[:100, None] - x[None, 100:200]) ** 2).sum(-1).ravel() for x in (full, shipped[:200])]
    assert np.corrcoef(*between)[0, 1] > 0.97


def test_two_encoders_is_one_to_one(nowhere):
    problem = bv.load("two-encoders")
    assert (*problem.shape, problem.source.x.shape[1], problem.target.x.shape[1]) == (3030, 3030, 192, 192)
    assert problem.test.shape == (1010, 1010)
    np.testing.assert_array_equal(problem.truth, np.stack([np.arange(3030)] * 2, axis=1))
    np.testing.assert_array_equal(problem.source.labels, problem.target.labels)
    assert set(np.bincount(problem.source.labels)) == {15}
    assert set(np.bincount(problem.test.source.labels)) == {5}
    for space in (problem.source, problem.target):
        assert len(np.unique(space.x, axis=0)) == 3030
    assert nearest_class_mean(problem) > 0.48
    assert nearest_class_mean(problem.reversed()) > 0.4


def test_the_rows_of_two_encoders_belong_together(nowhere):
    """A linear map that is fitted to some pairs finds the partners of others, but only in the right order."""
    problem = bv.load("two-encoders")
    x, y = (space.x - space.x.mean(0) for space in (problem.source, problem.target))
    fitted = np.linalg.lstsq(x[:2000], y[:2000], rcond=None)[0]
    carried, found = x[2000:2500] @ fitted, y[2000:2500]
    cosine = carried @ found.T / np.linalg.norm(carried, axis=1)[:, None] / np.linalg.norm(found, axis=1)
    rank = (cosine > np.diag(cosine)[:, None]).mean()
    assert rank < 0.02
    assert abs((cosine > np.diag(np.roll(cosine, 7, axis=1))[:, None]).mean() - 0.5) < 0.1


def test_the_checksums_of_the_cards_are_those_of_the_files():
    for name in ("tiny-imagenet", "two-encoders", "imagenet"):
        sums = bv.datasets.card(name).checksums
        assert sums
        for file, digest in sums.items():
            assert hashlib.sha256((paths.shipped() / file).read_bytes()).hexdigest() == digest
    assert bv.datasets.card("tiny-imagenet").checksums.keys() >= {"tiny_imagenet/features.npz"}


def test_principal_components_are_those_of_the_covariance():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 6)) * [5, 4, 3, 0.1, 0.1, 0.1] + 10
    fitted = np.arange(40)
    reduced, share = principal_components(x, fitted, 3)
    values, vectors = np.linalg.eigh(np.cov(x[fitted].T))
    expected = (x - x[fitted].mean(0)) @ vectors[:, ::-1][:, :3]
    np.testing.assert_allclose(np.abs(reduced), np.abs(expected), atol=0.02)
    assert share == pytest.approx(values[-3:].sum() / values.sum())
    assert reduced.dtype == np.float16


def test_ranks_number_the_rows_of_each_class():
    labels = np.array([4, 4, 1, 4, 1, 1, 1])
    rank = rank_within(labels, seed=3)
    assert sorted(rank[labels == 4]) == [0, 1, 2]
    assert sorted(rank[labels == 1]) == [0, 1, 2, 3]
    np.testing.assert_array_equal(rank, rank_within(labels, seed=3))


def test_the_table_of_imagenet_names_every_class_once():
    classes = imagenet_classes()
    assert len(classes.names) == len(set(classes.names)) == len(classes.index) == 1000
    assert classes.names[classes.index["n01443537"]] == "goldfish"
    text = _tiny_imagenet.text_of_classes()
    for name, index in zip(text["names"], text["imagenet_index"], strict=True):
        assert classes.names[index] in (name, f"construction {name}")  # "crane" is also a bird


@pytest.mark.parametrize(
    ("names", "folders"),
    [
        (["val/n01440764/a.jpg", "n01443537/deep/b.jpg"], ["n01440764", "n01443537"]),
        (["cats/n01440764/a.jpg", "dogs/b.jpg"], ["cats", "dogs"]),
    ],
)
def test_classes_are_wordnet_ids_or_first_folders(names, folders):
    found, labels = class_folders(names)
    assert found == folders
    assert labels.tolist() == [0, 1]


def write_features(path, *, size: int = 200, classes: int = 4, head: bool = True) -> None:
    """A features file as the command makes it: row i has the features (i, label)."""
    labels = np.arange(size, dtype=np.int32) % classes
    arrays = {
        "features": np.stack([np.arange(size), labels], 1).astype(np.float16),
        "features.stem": np.ones((size, 5), np.float16),
        "labels": labels, "names": names_array([f"class {k}" for k in range(classes)]),
        "imagenet_index": np.arange(10, 10 + classes, dtype=np.int16), "text": np.eye(classes, 6, dtype=np.float16),
        "about": np.array(b'{"layers": ["pooled", "stem"]}'),
    }  # fmt: skip
    if head:
        arrays["head"] = np.where(np.arange(size) % 2, labels + 10, 0).astype(np.int16)
    store.write(path, arrays)


def test_imagenet_is_split_into_50_10_and_40_percent(tmp_path):
    path = tmp_path / "features.npz"
    write_features(path)
    problem = bv.load("imagenet", file=path)
    validation = bv.load("imagenet", file=str(path), held_out="validation").test
    parts = [space.x[:, 0].astype(int) for space in (problem.source, validation.source, problem.test.source)]
    assert [len(part) for part in parts] == [100, 20, 80]
    assert sorted(np.concatenate(parts)) == list(range(200))
    for part in (problem, problem.test, validation):
        np.testing.assert_array_equal(part.source.x[:, 1], part.source.labels)
        np.testing.assert_array_equal(part.target.x.argmax(1), part.source.labels)
    assert problem.source.names[2] == "class 2"
    fewer = bv.load("imagenet", file=path, n=30, test_rows=10, seed=1)
    assert (len(fewer.source), len(fewer.test.source)) == (30, 10)
    assert set(fewer.source.x[:, 0]) <= set(problem.source.x[:, 0])
    cost = bv.costs.bridge(problem.source.x, problem.target.x, problem.sample_pairs(0.2), metric="sqeuclidean")
    assert len(cost.target_atoms.rows) == 4  # the sentences are merged


def test_the_upper_line_is_the_accuracy_of_the_encoders_own_head(tmp_path):
    path = tmp_path / "features.npz"
    write_features(path)
    dataset = bv.datasets.ImageNet(file=str(path))
    odd = dataset.load().test.source.x[:, 0] % 2 == 1
    assert dataset.head_accuracy() == pytest.approx(odd.mean())
    write_features(path, head=False)
    assert dataset.head_accuracy() is None
    assert bv.datasets.Blobs().head_accuracy() is None


def test_a_layer_of_the_file_is_chosen_by_name(tmp_path):
    path = tmp_path / "features.npz"
    write_features(path)
    assert bv.load("imagenet", file=path, layer="stem").source.x.shape == (100, 5)
    assert bv.load("imagenet", file=path, layer="pooled").source.x.shape == (100, 2)
    with pytest.raises(bv.InputError, match=r"'layer' of load\(\) must be one of pooled, stem. Got 'sten'"):
        bv.load("imagenet", file=path, layer="sten")


def test_other_files_are_refused(tmp_path, nowhere):
    with pytest.raises(bv.DataMissing, match="Make them with `bridgeviz features imagenet --images DIR"):
        bv.load("imagenet")
    with pytest.raises(bv.DataMissing, match=r"are not in .*missing.npz"):
        bv.load("imagenet", file=tmp_path / "missing.npz")
    np.savez(tmp_path / "other.npz", x=np.ones((3, 2)))
    with pytest.raises(bv.InputError, match=r"other.npz must be made by `bridgeviz features imagenet`"):
        bv.load("imagenet", file=tmp_path / "other.npz")
    (tmp_path / "text.npz").write_text("no zip")
    with pytest.raises(bv.InputError, match=r"text.npz can't be read"):
        bv.load("imagenet", file=tmp_path / "text.npz")
    write_features(tmp_path / "few.npz", size=4, classes=2)
    with pytest.raises(bv.InputError, match=r"enough pictures to split, at least 20. It holds 4"):
        bv.load("imagenet", file=tmp_path / "few.npz", held_out="validation")
