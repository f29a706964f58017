"""Train a VAE, and store its weights in a small file that NumPy alone can read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx

from bridgeviz._checks import InputError
from bridgeviz._files import read_arrays

M = TypeVar("M", bound=nnx.Module)


@dataclass(frozen=True)
class VAEConfig:
    """Settings of the training of a VAE: Adam with a cosine decay of the learning rate to zero.

    `kl_weight` is 1 for images. For ten equally likely labels, the collapsed solution has the same ELBO as the
    useful one at weight 1, so VAE_text uses 0.1.
    """

    epochs: int = 8
    batch_size: int = 128
    learning_rate: float = 1e-3
    kl_weight: float = 1.0
    seed: int = 0


class VAEProgress(NamedTuple):
    """State after a block of steps: step, mean losses of the block in nats per sample, current parameters."""

    step: int
    steps: int
    reconstruction: float
    kl: float
    params: Any


def bernoulli_loss(logits: jax.Array, x: jax.Array) -> jax.Array:
    """Binary cross-entropy in nats, summed over everything but the first axis: (n, ...) -> (n,)."""
    return optax.sigmoid_binary_cross_entropy(logits, x).reshape(len(x), -1).sum(-1)


def categorical_loss(logits: jax.Array, x: jax.Array) -> jax.Array:
    """Softmax cross-entropy in nats against one-hot rows: (n, c) -> (n,)."""
    return optax.softmax_cross_entropy(logits, x)


@partial(jax.jit, static_argnames=("graph", "loss", "config", "steps"), donate_argnames=("params", "state"))
def _block(graph, params, state, batches, key, *, loss, config: VAEConfig, steps: int):
    optimiser = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))

    def objective(params, x, key):
        model = nnx.merge(graph, params)
        mean, logvar = model.encode(x)
        z = mean + jnp.exp(logvar / 2) * jax.random.normal(key, mean.shape)
        reconstruction = loss(model.decode(z), x).mean()
        kl = 0.5 * (jnp.exp(logvar) + mean**2 - 1 - logvar).sum(-1).mean()
        return reconstruction + config.kl_weight * kl, (reconstruction, kl)

    def step(carry, inputs):
        params, state = carry
        x, key = inputs
        (_, parts), grads = jax.value_and_grad(objective, has_aux=True)(params, x.astype(jnp.float32), key)
        updates, state = optimiser.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), parts

    keys = jax.random.split(key, len(batches))
    (params, state), (reconstruction, kl) = jax.lax.scan(step, (params, state), (batches, keys))
    return params, state, reconstruction.mean(), kl.mean()


def fit_vae(
    model: nnx.Module, data: np.ndarray, config: VAEConfig, *, loss: Callable, block: int = 10
) -> Iterator[VAEProgress]:
    """Minimise the negative ELBO of `model` on the rows of `data`.

    Yields after every `block` steps and at the end of each epoch. The `params` of the last `VAEProgress` are the
    trained parameters: `nnx.update(model, progress.params)`.
    """
    graph, params = nnx.split(model, nnx.Param)
    rng = np.random.default_rng(config.seed)
    key = jax.random.key(config.seed)
    per_epoch = len(data) // config.batch_size
    steps = per_epoch * config.epochs
    state = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps)).init(params)
    done = 0
    for _ in range(config.epochs):
        order = rng.permutation(len(data))[: per_epoch * config.batch_size].reshape(per_epoch, config.batch_size)
        for start in range(0, per_epoch, block):
            rows = order[start : start + block]
            params, state, reconstruction, kl = _block(
                graph, params, state, data[rows], jax.random.fold_in(key, done), loss=loss, config=config, steps=steps
            )
            done += len(rows)
            yield VAEProgress(done, steps, float(reconstruction), float(kl), jax.tree.map(jnp.copy, params))


def save_weights(path: Path, model: nnx.Module) -> None:
    """Write the parameters of `model` as a float16 `.npz`, with one array per parameter, named by its path."""
    flat = {".".join(map(str, k)): np.asarray(v.get_value(), np.float16) for k, v in nnx.to_flat_state(_state(model))}
    np.savez(path, allow_pickle=False, **flat)


def load_weights(path: Path, model: M) -> M:
    """Fill `model`, which may be abstract (`nnx.eval_shape`), with the parameters written by `save_weights`.

    Raises:
        InputError: the file is damaged, or holds the parameters of another model.
    """
    arrays = read_arrays(path, "bridgeviz pretrain")
    state = _state(model)
    for key, variable in nnx.to_flat_state(state):
        name, shape = ".".join(map(str, key)), variable.get_value().shape
        if name not in arrays or arrays[name].shape != shape:
            stored = arrays[name].shape if name in arrays else "nothing"
            raise InputError(f"The weights in {path} must hold {name!r} of shape {shape}. Got {stored} instead.")
        variable.set_value(jnp.asarray(arrays[name], jnp.float32))
    nnx.update(model, state)
    return model


def _state(model: nnx.Module):
    return nnx.state(model, nnx.Param)
