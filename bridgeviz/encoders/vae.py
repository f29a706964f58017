"""The frozen models of the MNIST experiments: VAE_image and VAE_text (Appendix G.1.1, Table 2).

Both are Gaussian variational auto-encoders. The *feature* of a sample is the mean of its code. Losses are
negative ELBOs in nats per sample: `reconstruction + kl_weight * KL(q(z|x) || N(0, I))`.
"""

from __future__ import annotations

from functools import reduce
from itertools import pairwise

import jax
import jax.numpy as jnp
from flax import nnx
from jax.typing import ArrayLike

IMAGE_LATENTS = 16
TEXT_LATENTS = 4
DIGITS_LATENTS = 8


class Halve(nnx.Module):
    """A 3x3 convolution with stride 2 and "same" padding, written as one matrix product.

    On a CPU, XLA differentiates strided convolutions by a slow generic loop. With a matrix product, the time of the
    backward pass stays in proportion to that of the forward pass.
    """

    def __init__(self, channels_in: int, channels_out: int, *, rngs: nnx.Rngs):
        self.linear = nnx.Linear(9 * channels_in, channels_out, rngs=rngs)

    def __call__(self, h: jax.Array) -> jax.Array:
        _, height, width, _ = h.shape
        rows, cols = -(-height // 2), -(-width // 2)
        pad_h, pad_w = 2 * rows + 1 - height, 2 * cols + 1 - width
        h = jnp.pad(h, ((0, 0), (pad_h // 2, pad_h - pad_h // 2), (pad_w // 2, pad_w - pad_w // 2), (0, 0)))
        taps = [h[:, a : a + 2 * rows : 2, b : b + 2 * cols : 2] for a in range(3) for b in range(3)]
        return self.linear(jnp.concatenate(taps, axis=-1))


class Double(nnx.Module):
    """The transposed convolution with stride 2: one matrix product gives nine taps, which are shifted and added."""

    def __init__(self, channels_in: int, channels_out: int, *, rngs: nnx.Rngs):
        self.linear = nnx.Linear(channels_in, 9 * channels_out, use_bias=False, rngs=rngs)
        self.bias = nnx.Param(jnp.zeros(channels_out))

    def __call__(self, h: jax.Array) -> jax.Array:
        _, rows, cols, _ = h.shape
        taps = jnp.split(self.linear(h), 9, axis=-1)
        none = (0, 0, 0)
        shifted = [
            jax.lax.pad(tap, jnp.zeros((), h.dtype), (none, (k // 3, 2 - k // 3, 1), (k % 3, 2 - k % 3, 1), none))
            for k, tap in enumerate(taps)
        ]
        return reduce(jnp.add, shifted)[:, : 2 * rows, : 2 * cols] + self.bias


class ImageVAE(nnx.Module):
    """VAE_image of Table 2: Conv 128, 256, 512 -> 16 latents -> ConvT 256, 128, 1; 3x3, stride 2, same padding.

    Images are (n, 28, 28) in {0, 1}. The decoder upsamples 4x4 to 32x32 and crops the central 28x28, because 28 is not
    a multiple of 2^3. ReLU after each hidden layer; the decoder returns logits.
    """

    def __init__(self, *, rngs: nnx.Rngs):
        channels = (1, 128, 256, 512)
        self.convs = nnx.List([Halve(i, o, rngs=rngs) for i, o in pairwise(channels)])
        self.code = nnx.Linear(4 * 4 * 512, 2 * IMAGE_LATENTS, rngs=rngs)
        self.uncode = nnx.Linear(IMAGE_LATENTS, 4 * 4 * 512, rngs=rngs)
        channels = (512, 256, 128, 1)
        self.deconvs = nnx.List([Double(i, o, rngs=rngs) for i, o in pairwise(channels)])

    def encode(self, images: jax.Array) -> tuple[jax.Array, jax.Array]:
        """(n, 28, 28) images -> mean and log-variance of the code, (n, 16) each."""
        h = images[..., None]
        for conv in self.convs:
            h = nnx.relu(conv(h))
        mean, logvar = jnp.split(self.code(h.reshape(len(h), -1)), 2, axis=-1)
        return mean, logvar

    def decode(self, z: jax.Array) -> jax.Array:
        """(n, 16) codes -> (n, 28, 28) pixel logits."""
        h = nnx.relu(self.uncode(z)).reshape(len(z), 4, 4, 512)
        for deconv in self.deconvs[:-1]:
            h = nnx.relu(deconv(h))
        return self.deconvs[-1](h)[:, 2:-2, 2:-2, 0]


class DenseVAE(nnx.Module):
    """A fully connected VAE.

    Args:
        encoder: widths of the encoder, from its input on.
        latents: dimensions of the code.
        decoder: widths of the decoder; the last is its output.
        rngs: random keys of the initial weights.

    `DenseVAE((10, 64, 32), 4, (32, 16, 10))` is VAE_text of Table 2; the decoder returns logits.
    """

    def __init__(self, encoder: tuple[int, ...], latents: int, decoder: tuple[int, ...], *, rngs: nnx.Rngs):
        def layers(widths):
            return nnx.List([nnx.Linear(i, o, rngs=rngs) for i, o in pairwise(widths)])

        self.encoder = layers(encoder)
        self.code = nnx.Linear(encoder[-1], 2 * latents, rngs=rngs)
        self.decoder = layers((latents, *decoder))

    def encode(self, x: ArrayLike) -> tuple[jax.Array, jax.Array]:
        """(n, d) inputs -> mean and log-variance of the code, (n, latents) each."""
        x = jnp.asarray(x)
        for layer in self.encoder:
            x = nnx.relu(layer(x))
        mean, logvar = jnp.split(self.code(x), 2, axis=-1)
        return mean, logvar

    def decode(self, z: ArrayLike) -> jax.Array:
        """(n, latents) codes -> (n, d) logits."""
        z = jnp.asarray(z)
        for layer in self.decoder[:-1]:
            z = nnx.relu(layer(z))
        return self.decoder[-1](z)


def text_vae(rngs: nnx.Rngs) -> DenseVAE:
    """VAE_text of Table 2: FC 64, 32 -> 4 latents -> FC 32, 16, 10."""
    return DenseVAE((10, 64, 32), TEXT_LATENTS, (32, 16, 10), rngs=rngs)


def digits_vae(rngs: nnx.Rngs) -> DenseVAE:
    """A small VAE for 8x8 digits: FC 128, 64 -> 8 latents -> FC 64, 128, 64."""
    return DenseVAE((64, 128, 64), DIGITS_LATENTS, (64, 128, 64), rngs=rngs)
