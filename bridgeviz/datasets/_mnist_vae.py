"""VAE_image of MNIST: its codes and pictures, and the training of both VAEs (Table 2)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bridgeviz._checks import DataMissing
from bridgeviz._files import check_folder, new_folder
from bridgeviz.datasets import _idx as idx
from bridgeviz.datasets import paths
from bridgeviz.encoders.training import (
    VAEConfig,
    bernoulli_loss,
    categorical_loss,
    fit_vae,
    load_weights,
    save_weights,
)
from bridgeviz.encoders.vae import DenseVAE, ImageVAE, text_vae

HOLDS = {"vae_image.npz", "vae_text.npz", "latents.npz", "card.json"}
IMAGE_CONFIG = VAEConfig(epochs=8, batch_size=128, learning_rate=1e-3, kl_weight=1.0)
TEXT_CONFIG = VAEConfig(epochs=60, batch_size=128, learning_rate=1e-3, kl_weight=0.1)


def encode_images(model: ImageVAE, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(k, 28, 28) binary images -> mean and log-variance of their codes, (k, 16) each."""
    graph, params = nnx.split(model)
    parts = [_encode(graph, params, part.astype(np.float32)) for part in np.array_split(images, -(-len(images) // 250))]
    mean, logvar = (np.concatenate([np.asarray(part[k]) for part in parts]) for k in (0, 1))
    return mean, logvar


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


def pretrain(out: Path) -> Iterator[tuple[str, int, int, float]]:
    """Train both VAEs and write weights, latents and a model card to `out`; yields (model, step, steps, loss)."""
    check_folder(out, holds=HOLDS)
    folder = idx.fetch()
    images = {split: idx.binarised(folder, split) for split in ("train", "test")}
    labels = {split: idx.labels(folder, split) for split in ("train", "test")}
    text = text_vae(nnx.Rngs(0))
    one_hot = np.eye(10, dtype=np.uint8)[labels["train"][: idx.TRAINED_ON]]
    for progress in fit_vae(text, one_hot, TEXT_CONFIG, loss=categorical_loss, block=390):
        yield "VAE_text", progress.step, progress.steps, progress.reconstruction + progress.kl
    nnx.update(text, progress.params)
    image = ImageVAE(rngs=nnx.Rngs(0))
    for progress in fit_vae(image, images["train"][: idx.TRAINED_ON], IMAGE_CONFIG, loss=bernoulli_loss):
        yield "VAE_image", progress.step, progress.steps, progress.reconstruction + progress.kl
    nnx.update(image, progress.params)
    with new_folder(out, holds=HOLDS) as draft:
        write(draft, image, text, images, labels)


def write(
    out: Path, image: ImageVAE, text: DenseVAE, images: dict[str, np.ndarray], labels: dict[str, np.ndarray]
) -> None:
    """Write weights (float16), latents (float16) and model card of two trained VAEs."""
    save_weights(out / "vae_image.npz", image)
    save_weights(out / "vae_text.npz", text)
    # The latents and the card describe what is shipped, so continue with the rounded weights.
    load_weights(out / "vae_image.npz", image)
    load_weights(out / "vae_text.npz", text)
    rows = {"train": slice(idx.TRAINED_ON, None), "test": slice(None)}
    codes = {split: encode_images(image, images[split][rows[split]]) for split in rows}
    latents = {f"{split}_x": codes[split][0].astype(np.float16) for split in rows}
    classes = {f"{split}_labels": labels[split][rows[split]].astype(np.uint8) for split in rows}
    np.savez(out / "latents.npz", allow_pickle=False, **latents, **classes)
    mean, logvar = codes["test"]
    losses = _reconstruction_losses(image, images["test"], mean, logvar)
    kl = 0.5 * (np.exp(logvar) + mean**2 - 1 - logvar).sum(1).mean()
    decoded = text.decode(text.encode(np.eye(10, dtype=np.float32))[0]).argmax(1)
    card = {
        "VAE_image": {
            "architecture": "Conv 128, 256, 512 -> 16 -> ConvT 256, 128, 1 (Table 2)",
            "trained_on": f"the first {idx.TRAINED_ON} MNIST training images, binarised at 0.5",
            "test_reconstruction_loss_nats": round(losses["sampled"], 2),
            "test_reconstruction_loss_from_mean_code_nats": round(losses["mean"], 2),
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
        "stored_as": "float16; every figure above was measured with the stored weights",
    }
    (out / "card.json").write_text(json.dumps(card, indent=2) + "\n")


def _reconstruction_losses(
    model: ImageVAE, images: np.ndarray, mean: np.ndarray, logvar: np.ndarray
) -> dict[str, float]:
    """Mean loss in nats per image, decoded from the mean code and from a sampled one."""
    graph, params = nnx.split(model)
    logits = jax.jit(lambda params, z: nnx.merge(graph, params).decode(z))
    rng = np.random.default_rng(0)
    losses = {"mean": [], "sampled": []}
    for rows in np.array_split(np.arange(len(mean)), 40):
        noise = rng.standard_normal(mean[rows].shape).astype(np.float32)
        x = jnp.asarray(images[rows], jnp.float32)
        for code, z in (("mean", mean[rows]), ("sampled", mean[rows] + np.exp(logvar[rows] / 2) * noise)):
            losses[code].append(np.asarray(bernoulli_loss(logits(params, z), x)))
    return {code: float(np.concatenate(parts).mean()) for code, parts in losses.items()}
