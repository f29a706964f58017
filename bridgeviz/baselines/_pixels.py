"""The encoders and decoders of Table 3: for pictures, for class codes, and for latents."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bridgeviz.encoders.training import bernoulli_loss, categorical_loss, squared_loss
from bridgeviz.encoders.vae import Double, Halve
from bridgeviz.problem import Space

Loss = Callable[[jax.Array, jax.Array], jax.Array]

CONVOLUTIONS, TRANSPOSED = (512, 1024, 2048), (1024, 512)
"""Channels of the encoder of pictures, and of the hidden layers of their decoder (Table 3)."""

CODES_ENCODER, CODES_DECODER = (64, 32), (32, 16)
"""Widths of the hidden layers for anything but pictures (Table 3)."""


def picture_shape(space: Space) -> tuple[int, int] | None:
    """The height and width of the pictures that the rows of a space are; None if they are none."""
    pictures = space.pictures(np.arange(1))
    if pictures is None:
        return None
    height, width = pictures.shape[1:3]
    return (height, width) if height * width == space.x.shape[1] and pictures.ndim == 3 else None


def loss_of(space: Space) -> tuple[Loss, Callable[[jax.Array], jax.Array]]:
    """The loss of a decoder into a space, and what makes a point of its output.

    Cross-entropy for pictures and for the one-hot codes of classes, and half of the squared error for anything else.
    """
    if picture_shape(space) is not None:
        return bernoulli_loss, jax.nn.sigmoid
    if np.isin(space.x, (0, 1)).all() and (space.x.sum(1) == 1).all():
        return categorical_loss, jax.nn.softmax
    return squared_loss, lambda y: y


class Dense(nnx.Module):
    """Fully connected layers, with ReLU between them."""

    def __init__(self, widths: tuple[int, ...], *, rngs: nnx.Rngs):
        self.layers = nnx.List([nnx.Linear(i, o, rngs=rngs) for i, o in pairwise(widths)])

    def __call__(self, x: jax.Array) -> jax.Array:
        for layer in self.layers[:-1]:
            x = nnx.relu(layer(x))
        return self.layers[-1](x)


class ToCode(nnx.Module):
    """From pictures (n, height * width) to numbers (n, outputs): convolutions of stride 2 and a linear layer."""

    def __init__(self, shape: tuple[int, int], channels: tuple[int, ...], outputs: int, *, rngs: nnx.Rngs):
        self.shape = shape
        self.convs = nnx.List([Halve(i, o, rngs=rngs) for i, o in pairwise((1, *channels))])
        self.out = nnx.Linear(channels[-1] * int(np.prod(_smallest(shape, len(channels)))), outputs, rngs=rngs)

    def __call__(self, x: jax.Array) -> jax.Array:
        h = x.reshape(len(x), *self.shape, 1)
        for conv in self.convs:
            h = nnx.relu(conv(h))
        return self.out(h.reshape(len(h), -1))


class FromCode(nnx.Module):
    """From codes (n, inputs) to the logits of pictures (n, height * width): `ToCode` the other way round.

    Transposed convolutions double the size of the smallest pictures, and the centre of the last ones is kept.
    """

    def __init__(self, shape: tuple[int, int], channels: tuple[int, ...], inputs: int, *, rngs: nnx.Rngs):
        channels = (2 * channels[0], *channels, 1)
        self.shape, self.start = shape, (*_smallest(shape, len(channels) - 1), channels[0])
        self.into = nnx.Linear(inputs, int(np.prod(self.start)), rngs=rngs)
        self.deconvs = nnx.List([Double(i, o, rngs=rngs) for i, o in pairwise(channels)])

    def __call__(self, z: jax.Array) -> jax.Array:
        h = nnx.relu(self.into(z)).reshape(len(z), *self.start)
        for deconv in self.deconvs[:-1]:
            h = nnx.relu(deconv(h))
        h = self.deconvs[-1](h)[..., 0]
        (height, width), (above, left) = (
            self.shape,
            ((have - want) // 2 for have, want in zip(h.shape[1:], self.shape, strict=True)),
        )
        return h[:, above : above + height, left : left + width].reshape(len(h), -1)


def encoder_of(space: Space, latents: int, width: float, *, rngs: nnx.Rngs) -> nnx.Module:
    """The encoder of a space: mean and log-variance of the code, side by side."""
    shape = picture_shape(space)
    if shape is not None:
        return ToCode(shape, scaled(CONVOLUTIONS, width), 2 * latents, rngs=rngs)
    return Dense((space.x.shape[1], *CODES_ENCODER, 2 * latents), rngs=rngs)


def decoder_of(space: Space, latents: int, width: float, *, rngs: nnx.Rngs) -> nnx.Module:
    """The decoder into a space."""
    shape = picture_shape(space)
    if shape is not None:
        return FromCode(shape, scaled(TRANSPOSED, width), latents, rngs=rngs)
    return Dense((latents, *CODES_DECODER, space.x.shape[1]), rngs=rngs)


def scaled(channels: tuple[int, ...], width: float) -> tuple[int, ...]:
    """A share of the channels, at least one."""
    return tuple(max(1, round(width * count)) for count in channels)


def parameters(model: nnx.Module) -> int:
    """The number of weights of a model."""
    return sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(nnx.state(model, nnx.Param)))


def _smallest(shape: tuple[int, int], halvings: int) -> tuple[int, int]:
    height, width = (-(-side // 2**halvings) for side in shape)
    return height, width


def codes(encoded: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and log-variance."""
    mean, logvar = jnp.split(encoded, 2, axis=-1)
    return mean, logvar
