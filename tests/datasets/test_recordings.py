"""Recordings: files in the layout of the published ones, read row by row, and what can be wrong with them."""

from __future__ import annotations

import hashlib
import io
import json
import socket
import zipfile

import numpy as np
import pytest
from PIL import Image
from scipy.io import netcdf_file

import bridgeviz as bv
from bridgeviz.datasets import _assembly, _majaj2015, _neural_splits, _v4_features, _v4_files
from bridgeviz.datasets._assembly import read_recording, read_repetitions
from bridgeviz.datasets._formats import _isolated, reading
from bridgeviz.datasets._majaj2015 import Majaj2015, principal_components
from bridgeviz.datasets._neural_features import NeuralFeatures
from bridgeviz.datasets._v4_cowley import V4Cowley
from bridgeviz.datasets._v4_files import SessionFiles
from bridgeviz.encoders import ImageEncoder


@pytest.fixture(autouse=True)
def here(monkeypatch):
    """No recording is read in a process of its own, which takes most of the time."""

    def read(file, reader, *arguments, title):
        with reading(file, title):
            return getattr(_assembly, reader.partition(":")[2])(file, *arguments)

    monkeypatch.setattr(_assembly, "read_apart", read)


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch, tmp_path, request):
    """An empty cache, no larger data, and no network."""

    def refuse(*_, **__):
        raise AssertionError("a test tried to reach the network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path / "cache"))
    if not request.node.get_closest_marker("data"):
        monkeypatch.delenv("BRIDGEVIZ_DATA", raising=False)


def test_the_split_is_fixed_disjoint_and_complete():
    split = _neural_splits.three_way(1200)
    assert [len(rows) for rows in split] == [720, 240, 240]
    np.testing.assert_array_equal(np.sort(np.concatenate(split)), np.arange(1200))
    np.testing.assert_array_equal(_neural_splits.three_way(1200).test, split.test)
    assert [len(rows) for rows in _neural_splits.three_way(3200)] == [1920, 640, 640]
    x = np.random.default_rng(0).normal(size=(1200, 3)) * [1, 100, 1] + 7
    x[:, 2] = 0.1
    z = _neural_splits.standardised(x, split.train)
    np.testing.assert_allclose(z[split.train, :2].mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(z[split.train, :2].std(0), 1, atol=1e-5)
    assert (z[:, 2] == 0).all()
    assert abs(z[split.test, 0].mean()) > 1e-4  # the test rows had no part in it


# --- V4 of Cowley et al.


@pytest.fixture
def session(monkeypatch, tmp_path):
    """A small session in the repository's layout: 6 neurons, 50 pictures whose archive is in another order."""
    home = tmp_path / "cache" / "v4"
    home.mkdir(parents=True)
    rng = np.random.default_rng(0)
    responses = rng.poisson(4, size=(6, 50)) / 3
    np.save(home / "responses_201025.npy", responses)
    names = [f"image{k + 1:04}.jpg" for k in range(50)]
    digest = hashlib.sha256()
    with zipfile.ZipFile(home / "images_201025.zip", "w") as archive:
        contents = {}
        for k, name in enumerate(names):
            stream = io.BytesIO()
            Image.fromarray(np.full((8, 8, 3), 5 * k, np.uint8)).save(stream, "jpeg")
            contents[name] = stream.getvalue()
            digest.update(hashlib.sha256(contents[name]).digest())
        archive.writestr("__MACOSX/._image0001.jpg", b"not a picture")
        for k in rng.permutation(50):
            archive.writestr(f"folder{k % 3}/{names[k]}", contents[names[k]])
    layers = {"block6_4x4x2": rng.normal(size=(50, 32)), "block10_2x2x3": rng.normal(size=(50, 12))}
    order = rng.permutation(50)  # rows are found by the names beside them
    np.savez(home / "features_201025.npz", image=np.array(names)[order], **{k: v[order] for k, v in layers.items()})
    about = SessionFiles(
        neurons=6, images=50, responses_commit="a" * 40, images_commit="b" * 40,
        responses_digest=hashlib.sha256(responses.astype("<f8").tobytes()).hexdigest(),
        images_digest=digest.hexdigest(),
    )  # fmt: skip
    monkeypatch.setattr(_v4_files, "SESSIONS", {"201025": about})
    return home, responses, layers


def test_v4_rows_correspond_by_the_names_of_the_pictures(session):
    _, responses, layers = session
    problem, split = bv.load("v4-cowley"), V4Cowley().split()
    assert problem.shape == (30, 30)
    assert problem.test.shape == (10, 10)
    np.testing.assert_allclose(problem.source.x, layers["block10_2x2x3"][split.train], rtol=1e-6)
    raw = bv.load("v4-cowley", zscore=False)
    np.testing.assert_allclose(raw.target.x, responses.T[split.train], rtol=1e-6)
    np.testing.assert_allclose(raw.test.target.x, responses.T[split.test], rtol=1e-6)
    np.testing.assert_allclose(problem.target.x.std(0), 1, atol=1e-5)
    np.testing.assert_array_equal(problem.truth, np.stack([np.arange(30)] * 2, axis=1))
    assert problem.target.neurons
    assert not problem.source.neurons
    assert problem.source.labels is problem.target.labels is None
    pictures = problem.source.pictures([0, 3])
    np.testing.assert_allclose(pictures.mean((1, 2)), 5 * split.train[[0, 3]], atol=2)
    np.testing.assert_allclose(problem.test.source.pictures([1]).mean(), 5 * split.test[1], atol=2)


def test_v4_options_choose_layer_split_and_network(session, tmp_path):
    home, responses, layers = session
    split = V4Cowley().split()
    validation = bv.load("v4-cowley", held_out="validation", layer="block6", zscore=False).test
    np.testing.assert_allclose(validation.target.x, responses.T[split.validation], rtol=1e-6)
    np.testing.assert_allclose(validation.source.x, layers["block6_4x4x2"][split.validation], rtol=1e-6)
    ranked = V4Cowley().layers()
    assert list(ranked) == ["block6_4x4x2", "block10_2x2x3"]
    np.testing.assert_allclose(ranked["block6_4x4x2"], layers["block6_4x4x2"][split.train], rtol=1e-6)
    # A file of `bridgeviz features imagenet`: the first layer is called "features", paths are bytes.
    other = tmp_path / "lite.npz"
    paths = np.array([f"201025/image{k + 1:04}.png".encode() for k in range(50)])
    first, second = np.arange(100.0).reshape(50, 2), np.arange(150.0).reshape(50, 3)
    about = np.array(json.dumps({"layers": ["layer3", "features"]}).encode())
    np.savez(other, features=first, **{"features.features": second}, path=paths, head=np.arange(50), about=about)
    for layer, expected in (("layer3", first), ("features", second)):
        problem = bv.load("v4-cowley", features=other, layer=layer)
        np.testing.assert_array_equal(problem.source.x, expected[split.train])
    assert "lite" in problem.source.title
    assert list(V4Cowley(features=str(other)).layers()) == ["layer3", "features"]
    with pytest.raises(
        bv.InputError, match=r"'layer' of load\(\) must be a layer of features_201025.npz: block6_4x4x2"
    ):
        bv.load("v4-cowley", layer="block")
    with pytest.raises(bv.DataMissing, match=r"nothing.npz is not there"):
        bv.load("v4-cowley", features=tmp_path / "nothing.npz")
    (home / "features_201025.npz").unlink()
    with pytest.raises(bv.DataMissing, match=r"Run `bridgeviz features v4-cowley --vision mobilenet_v2\.tflite`"):
        bv.load("v4-cowley")


class Brightness(ImageEncoder):
    """A network whose maps hold the brightness of the picture, with the layers of a network of its name."""

    summary = "the name of a test"

    def __init__(self, model):
        self.model = model
        mobile = [f"MobileNetV2/expanded_conv_{k}/add/add" for k in (6, 10, 13, 16)] + ["MobileNetV2/Conv2d_18_1/Relu6"]
        self.layers = tuple(mobile) if "mobile" in model else (*_v4_features.EFFICIENTNET, "pooled")
        self.digest, self.default = "", self.layers[-1]

    @classmethod
    def reads(cls, model):
        return model.startswith(("mobile", "efficient"))

    def prepare(self, picture, *, whole=False):
        assert whole  # nothing of a stimulus is cropped away
        return np.asarray(picture, np.float32)

    def encode(self, batch, layers):
        level = batch.mean((1, 2, 3))
        shape = {"MobileNetV2/Conv2d_18_1/Relu6": (7, 7, 1280), "pooled": (5,)}
        return {name: np.stack([np.full(shape.get(name, (14, 14, 3)), value) for value in level]) for name in layers}


def test_features_of_v4_are_made_by_a_named_network(session, monkeypatch):
    home, *_ = session
    with pytest.raises(bv.InputError, match=r"'vision' of features\(\) must be efficientnet-lite0, a .tflite file"):
        list(bv.datasets.features("v4-cowley"))
    monkeypatch.setattr("bridgeviz.encoders.VISION", {"brightness": Brightness})
    with pytest.raises(bv.DataMissing, match="--vision efficientnet-lite0"):
        bv.load("v4-cowley", features="efficientnet-lite0")
    steps = list(bv.datasets.features("v4-cowley", vision="efficientnet-lite0"))
    assert [(step.done, step.total) for step in steps] == [(32, 50), (50, 50)]
    assert V4Cowley.home() == home
    dataset = V4Cowley(features="efficientnet-lite0", layer="layer3")
    assert list(dataset.layers()) == list(_v4_features.EFFICIENTNET)
    source, train = dataset.load().source, dataset.split().train
    assert source.x.shape == (30, 4 * 4 * 3)
    np.testing.assert_allclose(source.x, np.tile(5.0 * train[:, None], 48), atol=2.5)  # the pictures are JPEGs
    assert source.title == "pictures, layer3 of efficientnet-lite0"
    list(bv.datasets.features("v4-cowley", vision="efficientnet-lite0", layers=["pooled"]))
    assert list(dataset.layers()) == ["pooled"]
    list(bv.datasets.features("v4-cowley", vision="mobile.tflite"))
    assert list(V4Cowley().layers()) == ["block6", "block10", "block13", "block16", "conv18"]
    assert bv.load("v4-cowley", layer="conv18").source.x.shape == (30, 1280)
    assert bv.load("v4-cowley").source.x.shape == (30, 48)


def test_cells_are_those_of_the_published_features():
    """Sides of 14 and 7 do not divide by four; these cells reproduce the published features bit for bit."""
    line = np.arange(14.0)
    maps = np.broadcast_to(line[None, :, None, None], (1, 14, 14, 1))
    np.testing.assert_allclose(_v4_features.pooled(maps)[0, ::4], [1.5, 5.5, 9, 12])
    np.testing.assert_allclose(_v4_features.pooled(maps[:, :7, :7])[0, ::4], [0.5, 2.5, 4, 5.5])
    np.testing.assert_allclose(_v4_features.pooled(maps.transpose(0, 2, 1, 3))[0, :4], [1.5, 5.5, 9, 12])
    assert _v4_features.pooled(np.ones((2, 9, 9, 2))).shape == (2, 32)
    assert _v4_features.pooled(np.ones((2, 3, 3, 2))).shape == (2, 18)


def test_repetitions_of_v4_must_average_to_the_responses(session):
    home, responses, _ = session
    with pytest.raises(bv.DataMissing, match=r"Copy data_V4_responses/responses_raw/responses_201025.npy of the repos"):
        V4Cowley().repetitions()
    noise = np.random.default_rng(1).normal(size=(6, 50, 4))
    raw = np.concatenate(
        [responses[..., None] + noise - noise.mean(2, keepdims=True), np.full((6, 50, 2), np.nan)], axis=2
    )
    np.save(home / "responses_raw_201025.npy", raw)
    split = V4Cowley().split()
    np.testing.assert_array_equal(V4Cowley().repetitions(), raw.transpose(1, 0, 2)[split.test])
    assert bv.metrics.noise_ceiling(V4Cowley().repetitions()).reliability.shape == (6,)
    np.save(home / "responses_raw_201025.npy", raw + 0.1)
    with pytest.raises(bv.InputError, match="its averages are not the responses of the session"):
        V4Cowley().repetitions()


def test_fetching_v4_downloads_what_is_missing_and_compares_contents(session, monkeypatch, tmp_path):
    home, *_ = session
    repository = tmp_path / "repository"
    home.rename(repository)
    with pytest.raises(bv.DataMissing, match="Run `bridgeviz fetch v4-cowley`"):
        bv.load("v4-cowley")
    urls = []

    def retrieve(url, known_hash, fname, path, **_):
        urls.append(url)
        (path / fname).write_bytes((repository / url.rsplit("/", 1)[1]).read_bytes())

    monkeypatch.setattr("pooch.retrieve", retrieve)
    assert bv.datasets.fetch("v4-cowley") == home
    root = "https://raw.githubusercontent.com/cowleygroup/V4_compact_models"
    assert urls == [
        f"{root}/{'a' * 40}/data_V4_responses/responses_repeat_averaged/responses_201025.npy",
        f"{root}/{'b' * 40}/data_V4_responses/images/images_201025.zip",
    ]
    assert sorted(path.name for path in home.iterdir()) == ["images_201025.zip", "responses_201025.npy"]
    bv.datasets.fetch("v4-cowley")
    assert len(urls) == 2
    (home / "responses_201025.npy").unlink()
    np.save(repository / "responses_201025.npy", np.ones((6, 50)))
    with pytest.raises(
        bv.DataMissing, match=r"could not be downloaded from 1 address \(The contents .* must have the SHA"
    ):
        bv.datasets.fetch("v4-cowley")
    assert [path.name for path in home.iterdir()] == ["images_201025.zip"]


def test_damaged_files_of_v4_are_one_sentence(session):
    home, responses, _ = session
    archive = (home / "images_201025.zip").read_bytes()
    for name, content, message in (
        ("images_201025.zip", archive[: len(archive) // 2], "images_201025.zip can't be read"),
        ("responses_201025.npy", b"\x93NUMPY broken", "responses_201025.npy can't be read"),
        ("features_201025.npz", b"PK broken", "features_201025.npz can't be read as an .npz file of features"),
    ):
        before = (home / name).read_bytes()
        (home / name).write_bytes(content)
        with pytest.raises(bv.InputError, match=message):
            bv.load("v4-cowley")
        (home / name).write_bytes(before)
    np.save(home / "responses_201025.npy", np.where(responses > 2, np.nan, responses))
    with pytest.raises(bv.InputError, match=r"responses_201025\.npy can't be read"):
        bv.load("v4-cowley")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (
            {"layer": np.ones((3, 2))},
            "must hold the names of the stimuli as an array of strings, under the name 'image'",
        ),
        ({"image": np.array(["a", "b", "b.png"]), "layer": np.ones((3, 2))}, "name occurs more than once"),
        ({"image": np.arange(3), "layer": np.ones((3, 2))}, "must hold the names of the stimuli"),
        ({"image": np.array(["a", "b", "c"])}, "It holds only names"),
        ({"image": np.array(["a", "b", "c"]), "layer": np.ones((2, 2))}, "must be one row per stimulus, 3"),
        ({"image": np.array(["a", "b", "c"]), "layer": np.full((3, 2), np.nan)}, "must be finite"),
        ({"image": np.array(["a", "b", "d"]), "layer": np.ones((3, 2))}, r"It lacks c\."),
        ({"image": np.array(["a", "b", "c"], object), "layer": np.ones((3, 2))}, "can't be read"),
    ],
)
def test_files_of_features_that_are_not(tmp_path, arrays, message):
    np.savez(tmp_path / "f.npz", **arrays)
    with pytest.raises(bv.InputError, match=message):
        NeuralFeatures.read(tmp_path / "f.npz").rows("layer", ["c", "a", "b"])


@pytest.mark.data
def test_the_real_session_is_the_published_one():
    """Shapes, contents, and the quality of ridge regression that DESIGN.md reports: median r .57."""
    problem = bv.load("v4-cowley")
    assert (*problem.shape, problem.source.x.shape[1], problem.target.x.shape[1]) == (720, 720, 1024, 89)
    assert bv.datasets.fetch("v4-cowley").name == "v4"
    fitted = bv.baselines.Ridge().fit(problem, problem.truth)
    correlation = bv.metrics.neuron_correlation(fitted.transport(problem.test.source.x), problem.test.target.x)
    assert np.median(correlation) == pytest.approx(0.57, abs=0.02)
    other = bv.load("v4-cowley", session="190925", layer="conv18")
    assert (other.source.x.shape[1], other.target.x.shape[1]) == (1280, 36)
    assert problem.source.pictures([5]).shape == (1, 112, 112)


# --- V4 and IT of Majaj et al.

REGIONS = np.array(["V4", "IT", "IT", "V4", "IT"])
STIMULI = np.array([f"{k:02}{'ab' * 19}" for k in range(40)])
CATEGORIES = np.array(["Animals", "Boats", "Cars", "Chairs"])


def presentations():
    """(stimulus, repetition) of 40 stimuli, shown three to five times, in random order."""
    rng = np.random.default_rng(0)
    shown = np.concatenate([np.full(3 + k % 3, k) for k in range(40)])
    return rng.permutation(shown)


def coordinates(shown, key):
    """The coordinates of the published file by name: (axis, values)."""
    return {
        "neuroid_id": (
            "neuroid",
            np.array(["Chabo_L_M_5_9", "Chabo_L_A_2_4", "Tito_L_P_1_1", "Tito_L_M_8_0", "Tito_R_A_3"]),
        ),
        "region": ("neuroid", REGIONS),
        "animal": ("neuroid", np.array(["Chabo", "Chabo", "Tito", "Tito", "Tito"])),
        key: ("presentation", STIMULI[shown]),
        "category_name": ("presentation", CATEGORIES[shown % 4]),
        "object_name": ("presentation", np.array([f"object{k % 8}" for k in shown])),
        "repetition": ("presentation", np.arange(len(shown))),
        "time_bin_start": ("time_bin", np.array([70])),
        "time_bin_end": ("time_bin", np.array([170])),
    }


def write_3(path, values, dims, coords):
    """As xarray writes netCDF-3: strings as rows of characters."""
    with netcdf_file(path, "w") as file:
        for dim, size in zip(dims, values.shape, strict=True):
            file.createDimension(dim, size)
        stored = file.createVariable("dicarlo.MajajHong2015.public", "f4", dims)
        stored[:] = values
        for name, (dim, array) in coords.items():
            if array.dtype.kind == "U":
                width = array.dtype.itemsize // 4
                if f"string{width}" not in file.dimensions:
                    file.createDimension(f"string{width}", width)
                characters = np.char.encode(array, "utf-8").astype(f"S{width}").view("S1").reshape(len(array), width)
                file.createVariable(name, "c", (dim, f"string{width}"))[:] = characters
            else:
                file.createVariable(name, "i4", (dim,))[:] = array


def write_4(path, values, dims, coords):
    """As xarray writes netCDF-4, which is HDF5: dimension scales without variables, strings of variable length."""
    import h5py

    with h5py.File(path, "w") as file:
        for dim, size in zip(dims, values.shape, strict=True):
            file.create_dataset(dim, data=np.zeros(size, ">f4"))
            file[dim].make_scale("This is a netCDF dimension but not a netCDF variable.")
        file.create_dataset("dicarlo.MajajHong2015.public", data=values.astype(np.float32), compression="gzip")
        for axis, dim in enumerate(dims):
            file["dicarlo.MajajHong2015.public"].dims[axis].attach_scale(file[dim])
        for name, (dim, array) in coords.items():
            text = array.dtype.kind == "U"
            data = array.astype(object) if text else array
            file.create_dataset(name, data=data, dtype=h5py.string_dtype() if text else None)
            file[name].dims[0].attach_scale(file[dim])


WRITERS = {"netCDF-3": write_3, "netCDF-4": write_4}


@pytest.fixture(params=WRITERS)
def assembly(request, tmp_path):
    """A small file in the layout of the public assembly, with its values and the stimulus of each presentation."""
    shown = presentations()
    values = np.random.default_rng(1).normal(size=(5, len(shown), 1)).astype(np.float32)
    values += shown[:, None] / 10
    path = tmp_path / "cache" / "majaj2015" / _majaj2015.FILE
    path.parent.mkdir(parents=True)
    dims = ("neuroid", "presentation", "time_bin")
    WRITERS[request.param](path, values, dims, coordinates(shown, "image_id"))
    return path, values, shown, WRITERS[request.param]


def averages(values, shown, region):
    rows = [values[region == REGIONS][:, shown == k, 0].mean(1, dtype=np.float64) for k in range(40)]
    return np.array(rows)


@pytest.fixture
def pictures(assembly):
    """Features of the pictures in another order, by file name, and of other pictures for the PCA."""
    path, *_ = assembly
    rng = np.random.default_rng(2)
    layers = {
        "layer1": rng.normal(size=(40, 2, 3)),
        "layer3": rng.normal(size=(40, 9)),
        "features": rng.normal(size=(40, 4)),
    }
    order = rng.permutation(40)
    names = np.array([f"hvm/{name}.png" for name in STIMULI])
    np.savez(path.parent / "features.npz", image=names[order], **{k: v[order] for k, v in layers.items()})
    others = rng.normal(size=(12, 9))
    np.savez(path.parent / "others.npz", image=np.array([f"val{k}.jpg" for k in range(12)]), layer3=others)
    return layers, others


@pytest.mark.parametrize("region", ["V4", "IT"])
def test_repetitions_are_averaged_by_stimulus(assembly, region):
    path, values, shown, _ = assembly
    recording = read_recording(path, region)
    np.testing.assert_array_equal(recording.stimuli, STIMULI)
    np.testing.assert_allclose(recording.responses, averages(values, shown, region), rtol=1e-6)
    np.testing.assert_array_equal(recording.categories, CATEGORIES[np.arange(40) % 4])
    np.testing.assert_array_equal(recording.objects, [f"object{k % 8}" for k in range(40)])
    np.testing.assert_array_equal(recording.counts, 3 + np.arange(40) % 3)
    assert len(recording.neurons) == (region == REGIONS).sum()
    assert recording.neurons[0] == {"V4": "Chabo_L_M_5_9", "IT": "Chabo_L_A_2_4"}[region]
    repeats = read_repetitions(path, region)
    assert repeats.shape == (40, (region == REGIONS).sum(), 5)
    np.testing.assert_allclose(np.nanmean(repeats, axis=2), recording.responses, rtol=1e-5)
    np.testing.assert_array_equal(np.isfinite(repeats[:, 0]).sum(1), recording.counts)


def test_the_order_of_the_axes_and_the_name_of_the_id_do_not_matter(assembly, tmp_path):
    path, values, shown, write = assembly
    expected = read_recording(path, "IT")
    for key, order in (("stimulus_id", (1, 0, 2)), ("image_id", (2, 1, 0)), ("stimulus_id", (0, 1))):
        dims = np.array(["neuroid", "presentation", "time_bin"])[list(order)]
        other = tmp_path / "other.nc"
        coords = {name: c for name, c in coordinates(shown, key).items() if c[0] in dims}
        write(other, (values if len(order) == 3 else values[..., 0]).transpose(order), tuple(dims), coords)
        np.testing.assert_allclose(read_recording(other, "IT").responses, expected.responses, rtol=1e-6)
        np.testing.assert_array_equal(read_repetitions(other, "IT"), read_repetitions(path, "IT"))
        other.unlink()


def test_majaj2015_is_a_problem_of_pictures_and_neurons(assembly, pictures):
    _, values, shown, _ = assembly
    layers, _ = pictures
    problem, split = bv.load("majaj2015", zscore=False), Majaj2015().split()
    assert [len(rows) for rows in split] == [24, 8, 8]
    assert problem.shape == (24, 24)
    np.testing.assert_allclose(problem.source.x, layers["layer3"][split.train], rtol=1e-6)
    np.testing.assert_allclose(problem.target.x, averages(values, shown, "IT")[split.train], rtol=1e-5)
    np.testing.assert_allclose(problem.test.target.x, averages(values, shown, "IT")[split.test], rtol=1e-5)
    np.testing.assert_array_equal(problem.source.labels, split.train % 4)
    np.testing.assert_array_equal(problem.target.labels, problem.source.labels)
    assert problem.source.names == tuple(CATEGORIES)
    assert problem.target.neurons
    scaled = bv.load("majaj2015", region="V4", held_out="validation", layer="layer1")
    np.testing.assert_allclose(scaled.target.x.std(0), 1, atol=1e-5)
    np.testing.assert_allclose(scaled.test.source.x, layers["layer1"].reshape(40, 6)[split.validation], rtol=1e-6)
    assert Majaj2015().repetitions().shape == (8, 3, 5)
    assert list(Majaj2015().layers(("layer1", "features"))) == ["layer1", "features"]
    with pytest.raises(bv.InputError, match=r"a layer of features\.npz: layer1, layer3, features\. Got 'layer2'"):
        Majaj2015().layers()


def test_components_are_fitted_on_other_pictures(assembly, pictures):
    from sklearn.decomposition import PCA

    path, *_ = assembly
    layers, others = pictures
    pca = path.parent / "others.npz"
    train = Majaj2015().split().train
    reduced = bv.load("majaj2015", pca=pca, components=5).source.x
    expected = PCA(5).fit(others).transform(layers["layer3"])[train]
    np.testing.assert_allclose(np.abs(reduced), np.abs(expected), atol=1e-4)
    assert bv.load("majaj2015", pca=pca).source.x.shape[1] == 9
    assert principal_components(layers["layer3"], others[:4], 1000).shape == (
        40,
        3,
    )  # four points span three directions
    with pytest.raises(bv.InputError, match=r"features of other pictures. Got .* in both files instead"):
        bv.load("majaj2015", pca=path.parent / "features.npz")
    with pytest.raises(bv.InputError, match=r"features of 4 columns, as the pictures have\. Got 9"):
        principal_components(layers["features"], others, 3)


def test_what_a_recording_lacks_is_named(assembly, tmp_path):
    _, values, shown, write = assembly
    dims, coords = ("neuroid", "presentation", "time_bin"), coordinates(shown, "image_id")
    other = tmp_path / "other.nc"

    def read(values=values, dims=dims, region="IT", without="", **changed):
        write(other, values, dims, {k: v for k, v in (coords | changed).items() if k != without})
        try:
            return read_recording(other, region)
        finally:
            other.unlink()

    with pytest.raises(bv.InputError, match=r"must have neurons of region V1\. It has IT, V4"):
        read(region="V1")
    for name in ("region", "neuroid_id", "category_name", "object_name"):
        with pytest.raises(bv.InputError, match=f"must have the coordinate '{name}'"):
            read(without=name)
    with pytest.raises(bv.InputError, match="must have the coordinate 'stimulus_id'"):
        read(without="image_id")
    with pytest.raises(bv.InputError, match=r"must have one time bin\. It has 2"):
        read(np.concatenate([values, values], axis=2), time_bin_start=("time_bin", np.array([0, 70])),
             time_bin_end=("time_bin", np.array([70, 170])))  # fmt: skip
    silent = values.copy()
    silent[1, shown == 7] = np.nan
    with pytest.raises(bv.InputError, match=f"It has none of neuron Chabo_L_A_2_4 to {STIMULI[7]}"):
        read(silent)
    silent[1, np.flatnonzero(shown == 7)[0]] = 5.0
    assert read(silent).responses[7, 0] == 5.0
    with pytest.raises(bv.InputError, match="must hold one array of neuroid by presentation"):
        read(dims=("neuron", "presentation", "time_bin"), without="region",
             **{k: ("neuron", coords[k][1]) for k in ("neuroid_id", "animal")})  # fmt: skip


def test_files_that_are_no_recordings(assembly, tmp_path):
    path, *_ = assembly
    content = path.read_bytes()
    other = tmp_path / "other.nc"
    for broken, message in (
        (b"a,b\n1,2\n", "must be a netCDF file. It begins with other bytes"),
        (b"", "It is an empty file"),
        (content[:40], "can't be read|must have|must hold"),
        (content[: len(content) // 2], "can't be read|must have|must hold"),
        (content[:8] + bytes(len(content) - 8), "can't be read|must have|must hold"),
    ):
        other.write_bytes(broken)
        with pytest.raises(bv.InputError, match=message) as caught:
            read_recording(other, "IT")
        assert "\n" not in str(caught.value)
    with pytest.raises(bv.DataMissing, match="is not there"):
        read_recording(tmp_path / "nothing.nc", "IT")
    with pytest.raises(bv.DataMissing, match="is not there"):
        read_recording(tmp_path, "IT")


def test_a_process_of_its_own_reads_the_same(assembly, monkeypatch):
    path, *_ = assembly
    here, single = read_recording(path, "IT"), read_repetitions(path, "IT")
    monkeypatch.setattr(_assembly, "read_apart", _isolated.read_apart)
    _assembly._averaged.cache_clear()
    apart = read_recording(path, "IT")
    for name, value in vars(here).items():
        np.testing.assert_array_equal(getattr(apart, name), value)
        assert getattr(apart, name).dtype == value.dtype
    np.testing.assert_array_equal(read_repetitions(path, "IT"), single)
    with pytest.raises(bv.InputError, match=r"public\.nc must have neurons of region V1\. It has IT, V4"):
        read_recording(path, "V1")


@pytest.mark.parametrize("code", ["import os; os.abort()", "import time; time.sleep(60)"])
def test_a_reader_that_crashes_or_hangs_is_one_sentence(tmp_path, monkeypatch, code):
    monkeypatch.setattr(_assembly, "read_apart", _isolated.read_apart)
    monkeypatch.setattr(_isolated, "_CODE", code)
    monkeypatch.setattr(_isolated, "_PATIENCE", 0.2 if "sleep" in code else 60)
    (tmp_path / "recording.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    for read in (read_recording, read_repetitions):
        with pytest.raises(bv.InputError, match=r"recording\.nc can't be read"):
            read(tmp_path / "recording.nc", "IT")


def test_netcdf_4_may_not_point_elsewhere(tmp_path):
    path = tmp_path / "recording.nc"
    import h5py

    write_4(tmp_path / "inner.nc", np.ones((5, 3, 1)), ("neuroid", "presentation", "time_bin"), {})
    with h5py.File(path, "w") as file:
        file["region"] = h5py.ExternalLink(str(tmp_path / "inner.nc"), "neuroid")
    with pytest.raises(bv.InputError, match="'region' is a link to another place, which isn't followed"):
        read_recording(path, "IT")
    with h5py.File(path, "w") as file:
        file.create_dataset("region", shape=(4,), dtype="u1", external=[(str(tmp_path / "inner.nc"), 0, 4)])
    with pytest.raises(bv.InputError, match="must hold its own data"):
        read_recording(path, "IT")
    with h5py.File(path, "w") as file:
        file.create_dataset("x", shape=(10**5, 10**6), dtype="f4", chunks=(1, 1000), fillvalue=0)
    with pytest.raises(bv.InputError, match="would take"):
        read_recording(path, "IT")


def test_fetching_majaj2015_compares_the_digest(monkeypatch, tmp_path):
    with pytest.raises(bv.DataMissing, match="Run `bridgeviz fetch majaj2015`"):
        bv.load("majaj2015")
    urls = []

    def retrieve(url, known_hash, fname, path, **_):
        urls.append(url)
        (path / fname).write_bytes(b"the recording" if url.startswith(_majaj2015.MIRRORS[1]) else b"an error page")

    monkeypatch.setattr("pooch.retrieve", retrieve)
    with pytest.raises(
        bv.DataMissing, match=r"could not be downloaded from 2 mirrors \(The contents of .* SHA-1 13d28ca0"
    ):
        bv.datasets.fetch("majaj2015")
    home = tmp_path / "cache" / "majaj2015"
    assert list(home.iterdir()) == []
    monkeypatch.setattr(_majaj2015, "SHA1", hashlib.sha1(b"the recording").hexdigest())
    assert bv.datasets.fetch("majaj2015") == home
    assert len(urls) == 4
    assert (home / _majaj2015.FILE).read_bytes() == b"the recording"
    bv.datasets.fetch("majaj2015")
    assert len(urls) == 4
    with pytest.raises(bv.InputError, match="must be a netCDF file"):
        bv.load("majaj2015")


def test_majaj2015_without_features_says_what_they_are(assembly):
    with pytest.raises(bv.DataMissing, match=r"features.npz\): an .npz file with one array per layer and the ids"):
        bv.load("majaj2015")
