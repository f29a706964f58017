"""Scenes, their map, their message to the browser, and the shipped gallery."""

from __future__ import annotations

import base64
from dataclasses import replace

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.experiments import Pipeline, Scene, gallery, scene
from bridgeviz.experiments._scene import FRAMES
from bridgeviz.metrics import projection
from bridgeviz.ui.panels import player

ALL = list(gallery.PRESETS)


pytestmark = pytest.mark.usefixtures("small_networks")


@pytest.fixture(scope="module")
def run(small_networks):
    return bv.run(bv.RunConfig(steps=60, batch_size=32))


def test_a_scene_of_pictures_to_labels(run):
    film = scene(run, points=100)
    assert film.positions.shape == (FRAMES, 100, 2)
    assert film.decoded.shape == (FRAMES, 100)
    assert film.thumbnails.shape == (100, 8, 8)
    assert film.strip_sure.shape == (FRAMES, 12)
    assert film.strip_made is None
    assert sorted(film.labels[film.strip].tolist())[:3] == [0, 0, 1]
    assert film.landmarks.shape == (10, 2)


def test_a_scene_says_what_the_points_decode_to_not_what_they_should_be(run):
    film = scene(run)
    share = np.mean(film.decoded[-1] == film.labels)  # a barely trained flow errs, and is seen to
    assert share == pytest.approx(run.metrics["test_accuracy"], abs=0.1)
    assert np.unique(film.labels, return_counts=True)[1].tolist() == [40] * 10


def test_the_message_holds_every_frame_and_the_target_in_its_place_with_one_scale_for_both_axes(run):
    film = scene(run, points=50)
    message = player.payload(film)
    flat = np.concatenate([film.positions.reshape(-1, 2), film.landmarks, film.targets])
    low, size = flat.min(0), np.ptp(flat, axis=0).max()

    def sent(name, *shape):
        return low + np.frombuffer(base64.b64decode(message[name]), "<u2").reshape(*shape, 2) / 65535 * size

    np.testing.assert_allclose(sent("positions", FRAMES, 50), film.positions, atol=1e-4 * size)
    np.testing.assert_allclose(sent("targets", 10), film.targets, atol=1e-4 * size)
    assert f"{len(film.targets)} points of the target" in message["badge"]
    assert message["accuracy"][-1] == f"{np.mean(film.decoded[-1] == film.labels):.0%}"
    assert message["chance"] == f"{film.chance:.0%}"


def test_the_targets_of_a_scene_lie_where_the_points_should_arrive():
    run = bv.run(bv.RunConfig(dataset="swiss-roll", options={"n": 200}, steps=5, batch_size=32))
    film, target = scene(run, points=40), run.problem.target
    plane = projection.fit_map(target.x)
    np.testing.assert_allclose(np.unique(film.targets, axis=0), np.unique(plane.project(target.x), axis=0), atol=1e-5)
    assert film.target_labels.max() < len(film.names)


def test_the_source_of_a_scene_is_where_the_points_come_from(run):
    film = scene(run, points=40)
    at = projection.fit_map(run.problem.source.x).project(run.problem.test.source.x)
    nearest = np.linalg.norm(film.origins[:, None] - at, axis=-1)
    assert nearest.min(1).max() < 1e-4  # each is a test point, on the map of the source
    np.testing.assert_array_equal(run.problem.test.source.labels[nearest.argmin(1)], film.labels)
    message = player.payload(film)["origins"]
    low, size = film.origins.min(0), np.ptp(film.origins, axis=0).max()
    sent = low + np.frombuffer(base64.b64decode(message["positions"]), "<u2").reshape(40, 2) / 65535 * size
    np.testing.assert_allclose(sent, film.origins, atol=1e-4 * size)
    assert message["equal"] == [1] * 40
    assert "source: its own PCA" in player.badge(film)


def test_points_at_one_place_of_the_source_are_counted_and_an_old_scene_has_no_source(run):
    film = scene(run, points=20)
    labels = replace(film, origins=np.repeat(film.origins[[0, 3]], [15, 5], axis=0))
    assert player.payload(labels)["origins"]["equal"] == [15] * 15 + [5] * 5
    assert player.payload(labels)["id"] != player.payload(film)["id"]
    without = replace(film, origins=np.zeros((0, 2), np.float32))
    assert player.payload(without)["origins"] is None
    assert "source: its own PCA" not in player.badge(without)


def without_classes(problem, *, truth=slice(None)):
    """The same problem whose points have no labels, with some of its known pairs."""
    sides = [bv.Space(space.x) for space in (problem.source, problem.target)]
    return bv.Problem(*sides, truth=np.asarray(problem.truth)[truth])


def test_points_without_classes_have_the_colour_of_their_place_and_their_partners_too(blobs, small_networks):
    problem = without_classes(blobs, truth=slice(0, None, 2))
    film = scene(bv.run(bv.RunConfig(dataset="yours", steps=5), problem=problem), points=50)
    assert film.places[film.origins[:, 0].argsort()].tolist() == pytest.approx(np.linspace(0, 1, 50).tolist())
    to = dict(np.asarray(problem.truth).tolist())
    assert [to[row] for row in film.rows[film.partners].tolist()] == [
        int(np.linalg.norm(projection.fit_map(problem.target.x).project(problem.target.x) - at, axis=1).argmin())
        for at in film.targets
    ]
    assert set(film.rows[film.partners]) == set(film.rows) & set(to)
    message = player.payload(film)
    assert np.frombuffer(base64.b64decode(message["places"]), np.uint8).tolist() == [
        min(int(8 * place), 7) for place in film.places
    ]
    assert message["partners"] == film.partners.tolist()
    assert "each in the colour of the point that should arrive there" in message["badge"]
    assert "colour: the place in the source" in message["badge"]


def test_classes_keep_their_own_colours_and_without_known_pairs_targets_are_nobodys(run, blobs, small_networks):
    film = scene(run, points=40)
    assert (film.places, len(film.partners), player.payload(film)["places"]) == (None, 0, None)
    problem = without_classes(blobs, truth=slice(0))
    config = bv.RunConfig(dataset="yours", steps=5, cost="bridge")
    film = scene(bv.run(config, problem=problem, pairs=blobs.sample_pairs(0.2, seed=0)), points=40)
    assert film.places is not None
    assert len(film.partners) == 0
    assert len(film.targets) > 40
    assert replace(film, origins=np.zeros((0, 2), np.float32)).places is None


def test_selected_points_are_shown_with_their_paths_and_the_others_stay_as_they_were(run):
    plain, rows = scene(run, points=60), np.array([0, 1, 2, 300])
    film = scene(run, points=60, lit=rows)
    own = ~film.lit
    assert film.lit.sum() == 4
    assert len(film.labels) == len(plain.labels) + 4 - (film.lit[: len(plain.labels)]).sum()
    np.testing.assert_array_equal(film.positions[:, : len(plain.labels)], plain.positions)
    assert set(film.strip[:4]) == set(np.flatnonzero(film.lit))  # followed first
    assert own[film.strip[4:]].all()
    labels = run.problem.test.source.labels
    assert sorted(film.labels[film.lit].tolist()) == sorted(np.searchsorted(np.unique(labels), labels[rows]).tolist())
    assert "4 of them selected" in player.badge(film)
    message = player.payload(film)
    assert np.frombuffer(base64.b64decode(message["lit"]), np.uint8).tolist() == film.lit.astype(int).tolist()
    assert player.payload(plain)["lit"] is None
    assert message["id"] != player.payload(plain)["id"]


def test_aligned_rows_are_played_instead_of_test_points(run):
    film = scene(run, points=40, lit=[5], test=False)
    assert film.badge["tested"] is False
    assert film.lit.sum() == 1
    with pytest.raises(bv.InputError, match="'lit' of scene"):
        scene(run, lit=[10**6])


def test_a_scene_of_labels_to_pictures():
    film = scene(bv.run(bv.RunConfig(steps=20, batch_size=32, reverse=True)), points=40)
    assert film.strip_made.shape == (FRAMES, 12, 8, 8)
    assert film.thumbnails is None


def test_a_scene_without_labels():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 5))
    problem = bv.Problem(bv.Space(x), bv.Space(x[:, :3]), truth=np.stack([np.arange(60)] * 2, axis=1))
    film = scene(bv.run(bv.RunConfig(dataset="yours", fraction=0.5, steps=10, batch_size=16), problem=problem))
    assert film.names == ("target",)
    assert player.payload(film)["accuracy"] is None


def test_the_map_is_linear_and_says_how_much_it_shows():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((200, 4)) * [5, 3, 0.1, 0.1]
    plane = projection.fit_map(x)
    assert plane.variance_share > 0.99
    a, b = rng.standard_normal((2, 4))
    np.testing.assert_allclose(plane.project((a + b) / 2), (plane.project(a) + plane.project(b)) / 2)
    np.testing.assert_allclose(plane.axes.T @ plane.axes, np.eye(2), atol=1e-12)
    assert projection.fit_map(x[:, :1]).project(x[:, :1]).shape == (200, 2)


def test_step_variation_sees_a_teleport():
    steady = np.linspace(0, 1, 21)[:, None, None] * np.ones((1, 5, 3))
    assert projection.step_variation(steady) == pytest.approx(0, abs=1e-9)
    leap = np.where(np.arange(21)[:, None, None] < 10, 0.0, 1.0) * np.ones((1, 5, 3))
    assert projection.step_variation(leap) > 3
    assert projection.largest_step(leap) == pytest.approx(1)


def test_a_thousand_points_take_less_than_0_3_mb(run):
    film = scene(run, points=400)
    every = np.arange(1000) % 400
    large = replace(
        film, positions=film.positions[:, every], labels=film.labels[every], decoded=film.decoded[:, every],
        thumbnails=np.zeros((1000, 14, 14), np.uint8),
    )  # fmt: skip
    assert player.size(large) <= 300_000


@pytest.mark.parametrize("name", ALL)
def test_a_shipped_file_is_small_and_its_map_is_honest(name):
    path = gallery.home() / f"{name}.npz"
    assert path.stat().st_size <= gallery.MOST_BYTES
    film = gallery.read(name)
    assert isinstance(film, Scene)
    assert gallery.config(film) == gallery.PRESETS[name].config
    assert abs(film.badge["step_variation"] - film.badge["latent_step_variation"]) <= 0.05
    assert "?" not in gallery.lesson(name, film)
    assert "{" not in gallery.lesson(name, film)


def test_the_gallery_shows_what_it_says():
    right = {name: gallery.read(name).metrics for name in ALL}
    assert right["digits"]["test_accuracy"] > 0.8
    assert right["mnist"]["test_accuracy"] > 0.85
    for name in ALL:
        if "against_test_accuracy" in right[name]:
            assert right[name]["test_accuracy"] < right[name]["against_test_accuracy"] - 0.05


@pytest.mark.parametrize("name", [name for name in ALL if name not in ("mnist", "local_misguides")])
def test_the_gallery_shows_what_its_settings_give(name):
    film = gallery.read(name)
    pipeline = Pipeline(gallery.config(film))
    plan, problem = pipeline.result("coupling"), pipeline.problem
    labels = problem.source.labels, problem.target.labels
    assert bv.metrics.matching_accuracy(plan, *labels) == pytest.approx(film.metrics["matching_accuracy"], abs=1e-3)
    assert bv.metrics.rows_with_mass(plan, *labels).source == pytest.approx(film.metrics["rows_with_mass"], abs=1e-3)
    on_map = projection.fit_map(problem.target.x).project(problem.target.x)
    nearest = np.linalg.norm(film.targets[:, None] - on_map, axis=-1).min(1)
    assert nearest.max() < 1e-4
    played = problem.test or problem
    origins = projection.fit_map(problem.source.x).project(played.source.x)
    assert np.linalg.norm(film.origins[:, None] - origins, axis=-1).min(1).max() < 1e-3


def test_the_whole_gallery_is_small():
    assert sum(path.stat().st_size for path in gallery.home().glob("*.npz")) <= 2_500_000


def test_a_file_is_made_and_read_again(tmp_path):
    gallery.make("true_overfits", tmp_path, points=30, changes=lambda config: config.replace(steps=10))
    film = gallery.read("true_overfits", tmp_path)
    assert film.positions.shape == (FRAMES, 30, 2)
    assert list(tmp_path.iterdir()) == [tmp_path / "true_overfits.npz"]


def test_a_missing_or_damaged_file_is_reported(tmp_path):
    with pytest.raises(bv.InputError, match="The gallery has no file"):
        gallery.read("digits", tmp_path)
    (tmp_path / "digits.npz").write_bytes(b"PK\x03\x04 nothing")
    with pytest.raises(bv.InputError, match="damaged"):
        gallery.read("digits", tmp_path)
