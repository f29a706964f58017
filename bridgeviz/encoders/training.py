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


def squared_loss(predicted: jax.Array, x: jax.Array) -> jax.Array:
    """Minus the log-likelihood of a Gaussian of variance 1, up to a constant: (n, d) -> (n,)."""
    return 0.5 * ((predicted - x) ** 2).sum(-1)


def sampled_code(mean: jax.Array, logvar: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A draw of each code, (n, latents), and the mean divergence of the codes from a normal distribution, in nats."""
    z = mean + jnp.exp(logvar / 2) * jax.random.normal(key, mean.shape)
    return z, 0.5 * (jnp.exp(logvar) + mean**2 - 1 - logvar).sum(-1).mean()


@dataclass(frozen=True)
class AutoEncoding:
    """The parts of the negative ELBO of a model that reconstructs its input: `reconstruction + kl_weight * KL`.

    Attributes:
        loss: of the decoder's output.
    """

    loss: Callable[[jax.Array, jax.Array], jax.Array]

    def __call__(self, model: Any, x: jax.Array, key: jax.Array) -> tuple[jax.Array, jax.Array]:
        mean, logvar = model.encode(x)
        z, kl = sampled_code(mean, logvar, key)
        return self.loss(model.decode(z), x).mean(), kl


@partial(jax.jit, static_argnames=("graph", "elbo", "config", "steps"), donate_argnames=("params", "state"))
def _block(graph, params, state, batches, key, *, elbo, config: VAEConfig, steps: int):
    optimiser = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps))

    def objective(params, x, key):
        reconstruction, kl = elbo(nnx.merge(graph, params), x, key)
        return reconstruction + config.kl_weight * kl, (reconstruction, kl)

    def step(carry, inputs):
        params, state = carry
        x, key = inputs
        x = jax.tree.map(lambda part: part.astype(jnp.float32), x)
        (_, parts), grads = jax.value_and_grad(objective, has_aux=True)(params, x, key)
        updates, state = optimiser.update(grads, state, params)
        return (optax.apply_updates(params, updates), state), parts

    keys = jax.random.split(key, len(jax.tree.leaves(batches)[0]))
    (params, state), (reconstruction, kl) = jax.lax.scan(step, (params, state), (batches, keys))
    return params, state, reconstruction.mean(), kl.mean()


def fit_vae(
    model: nnx.Module, data: np.ndarray, config: VAEConfig, *, loss: Callable, block: int = 10
) -> Iterator[VAEProgress]:
    """Minimise the negative ELBO of `model` on the rows of `data`; yields as `fit_elbo`."""
    yield from fit_elbo(model, data, config, elbo=AutoEncoding(loss), block=block)


def fit_elbo(
    model: nnx.Module, data: Any, config: VAEConfig, *, elbo: Callable[..., tuple[jax.Array, jax.Array]],
    block: int = 10,
) -> Iterator[VAEProgress]:  # fmt: skip
    """Minimise `reconstruction + kl_weight * kl` on batches of rows.

    Yields after every `block` steps and at the end of each epoch. The `params` of the last `VAEProgress` are the
    trained parameters: `nnx.update(model, progress.params)`.

    Args:
        model: whose parameters are trained.
        data: an array with a row per sample, or a tuple of arrays with equally many rows.
        config: of the training; a batch holds all rows where there are fewer than its size.
        elbo: (reconstruction, kl) of (model, batch, key), both means over the batch; hashable.
        block: steps between two yields.
    """
    graph, params = nnx.split(model, nnx.Param)
    rng = np.random.default_rng(config.seed)
    key = jax.random.key(config.seed)
    rows = len(jax.tree.leaves(data)[0])
    size = min(config.batch_size, rows)
    per_epoch = rows // size
    steps = per_epoch * config.epochs
    state = optax.adam(optax.cosine_decay_schedule(config.learning_rate, steps)).init(params)
    done = 0
    for _ in range(config.epochs):
        order = rng.permutation(rows)[: per_epoch * size].reshape(per_epoch, size)
        for start in range(0, per_epoch, block):
            drawn = order[start : start + block]
            batches = jax.tree.map(lambda part, drawn=drawn: part[drawn], data)
            params, state, reconstruction, kl = _block(
                graph, params, state, batches, jax.random.fold_in(key, done), elbo=elbo, config=config, steps=steps
            )
            done += len(drawn)
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
