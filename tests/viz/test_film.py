"""An animation as a file: a picture that moves, and a page that holds all it needs."""

import io
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bridgeviz.experiments import gallery
from bridgeviz.ui.panels.player import page_of
from bridgeviz.viz.film import PER_FRAME, SIZE, SOURCE, gif
from bridgeviz.viz.palette import RAMP, ramp_step


@pytest.fixture(scope="module")
def film():
    return gallery.shipped(next(iter(gallery.PRESETS)))


@pytest.fixture(scope="module")
def short(film):
    """The same with few frames, which are drawn fast."""
    kept = np.linspace(0, len(film.ts) - 1, 4).astype(int)
    return replace(film, ts=film.ts[kept], positions=film.positions[kept], decoded=film.decoded[kept])


def frames_of(data: bytes) -> list[np.ndarray]:
    picture = Image.open(io.BytesIO(data))
    assert (picture.format, picture.size, picture.info["loop"]) == ("GIF", (SOURCE + SIZE[0], SIZE[1]), 0)
    frames = []
    for k in range(picture.n_frames):
        picture.seek(k)
        frames.append(np.asarray(picture.convert("RGB")).astype(int))
    return frames


def red(frame: np.ndarray) -> int:
    """How many pixels are of the red of what is wrong."""
    return int((np.abs(frame - (214, 39, 40)).max(-1) < 40).sum())


def test_the_picture_moves_from_noise_to_the_target_and_rings_what_is_wrong_at_the_end(short):
    wrong = replace(
        short,
        decoded=np.where(np.arange(len(short.labels)) % 2, (short.labels + 1) % 10, short.labels)[None].repeat(4, 0),
    )
    right = replace(short, decoded=short.labels[None].repeat(4, 0))
    data = gif(wrong, seconds=0.9, hold=2.0)
    frames = frames_of(data)
    assert len(frames) == 3 * PER_FRAME + 1
    assert np.abs(frames[0] - frames[-1]).max() > 100
    assert red(frames[-1]) > red(frames[-2]) + 200
    assert red(frames[-1][:, :SOURCE]) > red(frames[-2][:, :SOURCE]) + 100  # in the source as well
    assert abs(red(frames_of(gif(right))[-1]) - red(frames_of(gif(right))[-2])) < 200
    last = Image.open(io.BytesIO(data))
    last.seek(last.n_frames - 1)
    assert last.info["duration"] == 2000


def test_a_scene_without_a_source_shows_the_stage_alone(short):
    data = gif(replace(short, origins=np.zeros((0, 2), np.float32)))
    assert Image.open(io.BytesIO(data)).size == SIZE


def test_points_without_classes_are_drawn_in_the_colour_of_their_place(short):
    plain = replace(short, names=("target",), labels=np.zeros_like(short.labels), decoded=np.zeros_like(short.decoded))
    last = frames_of(gif(plain))[-1][60:, :SOURCE]
    ends = [RAMP[ramp_step(place)] for place in (0, 1)]
    assert ends == [RAMP[0], RAMP[-1]]
    inks = [[int(ink[k : k + 2], 16) for k in (1, 3, 5)] for ink in ends]
    at = [np.flatnonzero((np.abs(last - ink).max(-1) < 12).any(0)) for ink in inks]  # columns with that colour
    assert at[0].max() < at[1].min()


def test_a_page_holds_all_it_needs_and_no_text_breaks_it(film):
    odd = replace(film, names=("</script><script>alert(1)</script>", *film.names[1:]))
    page = page_of(odd, "a & b")
    assert "<title>a &amp; b</title>" in page
    assert page.count("</script>") == 1
    assert "export default" not in page
    for word in ("http:", "https:", "src=", "@import", "url("):
        assert word not in page
