"""MNIST as in the paper (Sec. 4, G.1.1, Table 2): VAE_image latents against VAE_text latents of the same digits."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jax
import numpy as np
from flax import nnx

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing
from bridgeviz._files import check_folder, new_folder, read_arrays
from bridgeviz.datasets import idx, paths
from bridgeviz.datasets.label_codes import NAMES, label_space
from bridgeviz.encoders.training import (
    VAEConfig,
    bernoulli_loss,
    categorical_loss,
    fit_vae,
    load_weights,
    save_weights,
)
from bridgeviz.encoders.vae import ImageVAE, text_vae
from bridgeviz.problem import Problem, Space

TITLE = "MNIST: handwritten digits, VAE latents (16) against label codes (4)"
TRAINED_ON = 50_000
_MANY = 5_000  # pictures from which on a whole split is decoded, and kept
HOLDS = {"vae_image.npz", "vae_text.npz", "latents.npz", "card.json"}
IMAGE_CONFIG = VAEConfig(epochs=8, batch_size=128, learning_rate=1e-3, kl_weight=1.0)
TEXT_CONFIG = VAEConfig(epochs=60, batch_size=128, learning_rate=1e-3, kl_weight=0.1)


def load(*, n: int = 10_000, codes: str = "mean", seed: int = 0) -> Problem:
    """The 10,000 training digits that the VAEs never saw, to align; the 10,000 test digits as `.test`.

    Args:
        n: how many of the training digits to keep, from the first.
        codes: of the labels: "mean", where equal labels are equal points, or "sampled" from their Gaussians.
        seed: of the sampled codes.
    """
    n = check.count(n, "n", "load", least=20, most=10_000)
    sampled = check.choice(codes, "codes", "load", ("mean", "sampled")) == "sampled"
    seed = check.seed(seed, "seed", "load")
    arrays = _latents()

    def problem(split: str, rows: slice, test: Problem | None) -> Problem:
        x, labels = arrays[f"{split}_x"][rows].astype(np.float32), arrays[f"{split}_labels"][rows].astype(np.int64)
        real = idx.folder() is not None
        source = Space(
            x, labels=labels, names=NAMES, classes=np.arange(10), title="handwriting, latents of VAE_image",
            images=lambda some: _pictures(split, x, some),
            images_note="" if real else "decoded from the latents: the raw images are not on this machine",
            decode_images=decode_images,
        )  # fmt: skip
        truth = np.stack([np.arange(len(x))] * 2, axis=1)
        return Problem(
            source,
            label_space(labels, sampled=sampled, seed=[seed, int(split == "test")]),
            truth=truth,
            test=test,
            name="mnist",
        )

    return problem("train", slice(n), problem("test", slice(None), None))


def _latents() -> dict[str, np.ndarray]:
    path = paths.find("mnist", "latents.npz")
    if path is None:
        raise DataMissing(
            "The latents of MNIST are not here. Run `bridgeviz fetch mnist`, then `bridgeviz pretrain mnist`."
        )
    return read_arrays(path, "bridgeviz pretrain mnist")


def decode_images(z: np.ndarray) -> np.ndarray:
    """(k, 16) codes -> (k, 28, 28) mean pictures in [0, 1], by the decoder of VAE_image."""
    graph, params = nnx.split(_model())
    z = np.asarray(z, np.float32)
    return np.concatenate([np.asarray(_decode(graph, params, part)) for part in np.array_split(z, -(-len(z) // 256))])


@cache
def _model() -> ImageVAE:
    path = paths.find("mnist", "vae_image.npz")
    if path is None:
        raise DataMissing("The weights of VAE_image are not here. Run `bridgeviz pretrain mnist`.")
    return load_weights(path, nnx.eval_shape(lambda: ImageVAE(rngs=nnx.Rngs(0))))


_decode = jax.jit(lambda graph, params, z: jax.nn.sigmoid(nnx.merge(graph, params).decode(z)), static_argnums=0)
_encode = jax.jit(lambda graph, params, x: nnx.merge(graph, params).encode(x), static_argnums=0)


@cache
def _raw(split: str, here: Path) -> np.ndarray:
    images = idx.binarised(here, split)
    return images if split == "test" else images[TRAINED_ON:]


def _pictures(split: str, x: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The raw pictures of some rows of a split, or, where those are not here, decoded from its latents x."""
    here = idx.folder()
    if here is not None:
        return (255 * _raw(split, here)[rows]).astype(np.uint8)
    return _decoded(split)[rows] if len(rows) > _MANY else _grey(decode_images(x[rows]))


@cache
def _decoded(split: str) -> np.ndarray:
    """All pictures of a split: several seconds, spent once."""
    return _grey(decode_images(_latents()[f"{split}_x"]))


def _grey(pictures: np.ndarray) -> np.ndarray:
    return (255 * pictures).astype(np.uint8)


def pretrain(out: Path) -> Iterator[tuple[str, int, int, float]]:
    """Train both VAEs and write weights, latents and a model card to `out`; yields (what, step, steps, loss)."""
    check_folder(out, holds=HOLDS)
    here = idx.fetch()
    images = {split: idx.binarised(here, split) for split in ("train", "test")}
    labels = {
        split: idx.read(here / f"{prefix}-labels-idx1-ubyte.gz").astype(np.int64)
        for split, prefix in (("train", "train"), ("test", "t10k"))
    }
    text = text_vae(nnx.Rngs(0))
    one_hot = np.eye(10, dtype=np.uint8)[labels["train"][:TRAINED_ON]]
    for progress in fit_vae(text, one_hot, TEXT_CONFIG, loss=categorical_loss, block=390):
        yield "VAE_text", progress.step, progress.steps, progress.reconstruction + progress.kl
    nnx.update(text, progress.params)
    image = ImageVAE(rngs=nnx.Rngs(0))
    for progress in fit_vae(image, images["train"][:TRAINED_ON], IMAGE_CONFIG, loss=bernoulli_loss):
        yield "VAE_image", progress.step, progress.steps, progress.reconstruction + progress.kl
    nnx.update(image, progress.params)
    with new_folder(out, holds=HOLDS) as draft:
        write(draft, image, text, images, labels)


def write(out: Path, image: ImageVAE, text, images: dict, labels: dict) -> None:
    """Weights (float16), latents (float16) and model card of two trained VAEs."""
    save_weights(out / "vae_image.npz", image)
    save_weights(out / "vae_text.npz", text)
    # Judge what is shipped: the weights as they were rounded.
    load_weights(out / "vae_image.npz", image)
    load_weights(out / "vae_text.npz", text)
    graph, params = nnx.split(image)

    def encode(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        parts = [_encode(graph, params, part.astype(np.float32)) for part in np.array_split(x, -(-len(x) // 250))]
        mean, logvar = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in (0, 1))
        return mean, logvar

    kept = {"train": slice(TRAINED_ON, None), "test": slice(None)}
    codes = {split: encode(images[split][rows]) for split, rows in kept.items()}
    np.savez(
        out / "latents.npz",
        **{f"{split}_x": codes[split][0].astype(np.float16) for split in kept},
        **{f"{split}_labels": labels[split][rows].astype(np.uint8) for split, rows in kept.items()},
    )
    mean, logvar = codes["test"]
    rng = np.random.default_rng(0)
    losses = {"mean": [], "sampled": []}
    logits = jax.jit(lambda params, z: nnx.merge(graph, params).decode(z))
    for rows in np.array_split(np.arange(len(mean)), 40):
        noise = rng.standard_normal(mean[rows].shape).astype(np.float32)
        x = images["test"][rows].astype(np.float32)
        for name, z in (("mean", mean[rows]), ("sampled", mean[rows] + np.exp(logvar[rows] / 2) * noise)):
            losses[name].append(np.asarray(bernoulli_loss(logits(params, z), x)))
    kl = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar).sum(1).mean()
    decoded = text.decode(text.encode(np.eye(10, dtype=np.float32))[0]).argmax(1)
    card = {
        "VAE_image": {
            "architecture": "Conv 128, 256, 512 -> 16 -> ConvT 256, 128, 1 (Table 2)",
            "trained_on": f"the first {TRAINED_ON} MNIST training images, binarised at 0.5",
            "test_reconstruction_loss_nats": round(float(np.concatenate(losses["sampled"]).mean()), 2),
            "test_reconstruction_loss_from_mean_code_nats": round(float(np.concatenate(losses["mean"]).mean()), 2),
            "test_kl_nats": round(float(kl), 2),
            "config": vars(IMAGE_CONFIG),
        },
        "VAE_text": {
            "architecture": "FC 64, 32 -> 4 -> FC 32, 16, 10 (Table 2)",
            "labels_decoded_from_mean_code": float((np.asarray(decoded) == np.arange(10)).mean()),
            "config": vars(TEXT_CONFIG),
        },
        "data": "MNIST (LeCun et al., 2010), CC BY-SA 3.0; no image of it is stored here",
        "made_by": "bridgeviz pretrain mnist",
        "stored_as": "float16; every figure above is of the stored weights",
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n")
