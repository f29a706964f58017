"""The paper's network baselines: the sizes of Table 3, what they learn, and that nothing else is read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import bridgeviz as bv
from bridgeviz.baselines import _pixels
from bridgeviz.baselines.networks import NETWORKS, VAE, FusedVAE, Genot


def pictures(n: int, seed: int, side: int = 12) -> bv.Problem:
    """Binary pictures whose bright half tells which of two classes they show, and one-hot labels."""
    half = side // 2
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    images = rng.random((n, side, side)) < 0.1
    images[labels == 0, :half] |= rng.random((int((labels == 0).sum()), half, side)) < 0.6
    images[labels == 1, half:] |= rng.random((int((labels == 1).sum()), half, side)) < 0.6
    source = bv.Space(images.reshape(n, -1).astype(np.float32), labels=labels, images=images.astype(np.uint8))
    target = bv.Space(
        np.eye(2, dtype=np.float32)[labels], labels=labels, decode_labels=np.asarray, classes=np.arange(2)
    )
    return bv.Problem(source, target, truth=np.stack([np.arange(n)] * 2, axis=1))


@pytest.fixture(scope="module")
def problem():
    return pictures(60, 0)


def table_3(directions: dict[str, tuple[bv.Problem, object]]) -> dict[str, int]:
    return {name: options.parameters(problem) for name, (problem, options) in directions.items()}


def test_the_sizes_are_those_of_table_3(capsys):
    """Every layer of Table 3, counted by hand: weights and biases of each."""
    problem = pictures(60, 0, side=28)
    ten = bv.Problem(problem.source, bv.Space(np.eye(10, dtype=np.float32)[np.arange(60) % 10]))
    back = ten.reversed()
    rng = np.random.default_rng(0)
    latent = bv.Problem(bv.Space(rng.normal(size=(9, 16))), bv.Space(rng.normal(size=(9, 4))))

    def dense(*widths: int) -> int:
        return sum(i * o + o for i, o in itertools.pairwise(widths))

    def conv(*channels: int) -> int:
        return sum(9 * i * o + o for i, o in itertools.pairwise(channels))

    def reads(latents: int) -> int:
        return conv(1, 512, 1024, 2048) + dense(16 * 2048, 2 * latents)

    def draws(latents: int) -> int:
        return dense(latents, 16 * 2048) + conv(2048, 1024, 512, 1)

    counts = table_3({
        "VAE (small) text->image": (back, VAE(size="small", width=1.0)),
        "VAE (large) text->image": (back, VAE(size="large", width=1.0)),
        "VAE (small) image->text": (ten, VAE(size="small", width=1.0)),
        "VAE (large) image->text": (ten, VAE(size="large", width=1.0)),
        "Fused VAE (E2E)": (ten, FusedVAE(width=1.0)),
        "Fused VAE (latent)": (latent, FusedVAE(width=1.0)),
    })  # fmt: skip
    expected = {
        "VAE (small) text->image": dense(10, 64, 32, 32) + draws(16),
        "VAE (large) text->image": dense(10, 64, 32, 256) + draws(128),
        "VAE (small) image->text": reads(16) + dense(16, 32, 16, 10),
        "VAE (large) image->text": reads(128) + dense(128, 32, 16, 10),
        "Fused VAE (E2E)": reads(128) + dense(10, 64, 32, 256) + draws(128) + dense(128, 32, 16, 10),
        "Fused VAE (latent)": sum(
            dense(space, *[1024] * 8, 256) + dense(128, *[1024] * 8, space) for space in (16, 4)
        ),
    }  # fmt: skip
    with capsys.disabled():
        print("\nTable 3, weights:", ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    assert counts == expected


@pytest.mark.parametrize(
    "options", [VAE(steps=100, width=0.02), FusedVAE(steps=100, width=0.02)], ids=lambda one: one.name
)
def test_pictures_become_labels_and_labels_become_pictures(problem, options):
    new = pictures(40, 1)
    fitted = options.fit(problem, problem.truth)
    assert fitted.accuracy(new.source.x, new.source.labels) > 0.9
    assert fitted.transport(new.source.x).sum(1) == pytest.approx(1, abs=1e-5)
    drawn = options.fit(problem.reversed(), problem.truth[:, ::-1]).transport(np.eye(2))
    halves = drawn.reshape(2, 2, 6, 12).mean((2, 3))
    assert halves.argmax(1).tolist() == [0, 1]
    assert 0 <= drawn.min() <= drawn.max() <= 1


def test_without_pictures_it_carries_points(blobs):
    pairs = blobs.sample_pairs(0.5, seed=0)
    for options in (VAE(steps=300), FusedVAE(steps=120, width=0.2)):
        fitted = options.fit(blobs, pairs)
        assert fitted.accuracy(blobs.test.source.x, blobs.test.source.labels) > 0.6


def test_only_the_pairs_are_read(problem):
    options = VAE(steps=5, width=0.02)
    pairs = problem.truth[:10]
    other = problem.source.x.copy()
    other[20:] = 1 - other[20:]
    changed = bv.Problem(
        bv.Space(other, images=other.reshape(-1, 12, 12).astype(np.uint8)), problem.target, truth=problem.truth
    )
    first, second = (options.fit(one, pairs).transport(problem.source.x[:5]) for one in (problem, changed))
    np.testing.assert_array_equal(first, second)


def test_the_seed_decides_and_progress_is_told(problem):
    options = VAE(steps=12, width=0.02)
    steps = list(options.training(problem, problem.truth, seed=3))
    assert [progress.step for progress, _ in steps][-1] >= 12
    again = options.fit(problem, problem.truth, seed=3).transport(problem.source.x)
    np.testing.assert_array_equal(steps[-1][1].transport(problem.source.x), again)
    assert not np.array_equal(again, options.fit(problem, problem.truth, seed=4).transport(problem.source.x))


def test_genot_couples_within_batches(blobs):
    pairs = blobs.sample_pairs(0.2, seed=0)
    fitted = Genot(steps=60, batch_size=64).fit(blobs, pairs)
    assert fitted.accuracy(blobs.test.source.x, blobs.test.source.labels) > 0.5


@pytest.mark.parametrize("name", NETWORKS)
def test_no_pairs_are_refused(blobs, name):
    with pytest.raises(bv.InputError, match=r"'pairs' of .* must"):
        NETWORKS[name].fit(blobs, np.zeros((0, 2), int))


def test_which_spaces_are_pictures(problem, blobs):
    assert _pixels.picture_shape(problem.source) == (12, 12)
    assert _pixels.picture_shape(problem.target) is None
    assert _pixels.picture_shape(blobs.source) is None


@pytest.mark.data
def test_mnist_has_its_raw_pictures_and_the_pairs_of_its_latents():
    raw, latents = bv.load("mnist", spaces="raw", n=200), bv.load("mnist", n=200)
    assert raw.source.x.shape == (200, 784)
    assert raw.target.x.shape == (200, 10)
    np.testing.assert_array_equal(raw.sample_pairs(0.1, seed=2), latents.sample_pairs(0.1, seed=2))
    np.testing.assert_array_equal(raw.source.labels, latents.source.labels)
    assert _pixels.picture_shape(raw.source) == (28, 28)
