"""Other ways to train the same flow, for `bridgeviz bench flows`. Each is a generator that yields after every chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import nnx

from bridgeviz.flows import TIME_FEATURES, AdaLN, VelocityOptions

Points = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Standardised x (n, p), y (m, q), and pairs (l, 2)."""


def ott_steps(
    points: Points, velocity: VelocityOptions, *, batch_size: int, chunk: int, learning_rate: float,
    compiled_batch: bool,
) -> Iterator[None]:  # fmt: skip
    """ott-jax's `flow_matching_step` under `nnx.jit`, with one call per step.

    Args:
        points: what is learned from.
        velocity: the network.
        batch_size: pairs per step.
        chunk: steps between two yields.
        learning_rate: of Adam.
        compiled_batch: draw the batch by one compiled function; otherwise by single JAX calls from Python, as
            ott-jax's `interpolate_samples` does.
    """
    import optax
    from ott.neural.methods import flow_matching

    x, y, pairs = (
        jnp.asarray(array, dtype)
        for array, dtype in zip(points, (jnp.float32, jnp.float32, jnp.int32), strict=True)
    )  # fmt: skip
    model = OttVelocity(velocity.make(x.shape[1], y.shape[1], rngs=nnx.Rngs(0)))
    optimizer = nnx.Optimizer(model, optax.adam(learning_rate), wrt=nnx.Param)
    step = nnx.jit(flow_matching.flow_matching_step)

    def batch(key: jax.Array) -> Any:
        row_key, noise_key, time_key = jax.random.split(key, 3)
        rows = jax.random.randint(row_key, (batch_size,), 0, len(pairs))
        z = jax.random.normal(noise_key, (batch_size, y.shape[1]))
        return flow_matching.interpolate_samples(time_key, z, y[pairs[rows, 1]], x[pairs[rows, 0]])

    if compiled_batch:
        batch = jax.jit(batch)
    key = jax.random.key(0)
    while True:
        for _ in range(chunk):
            key, step_key = jax.random.split(key)
            outcome = step(model, optimizer, batch(step_key))
        jax.block_until_ready(outcome["loss"])
        yield


class OttVelocity(nnx.Module):
    """A velocity field with the signature that ott-jax calls."""

    def __init__(self, field: Callable[[jax.Array, jax.Array, jax.Array], jax.Array]):
        self.field = field

    def __call__(self, t: jax.Array, z: jax.Array, x: jax.Array, rngs: Any = None) -> jax.Array:
        return self.field(t, z, x)


def torchcfm_steps(
    points: Points, velocity: AdaLN, *, batch_size: int, chunk: int, learning_rate: float
) -> Iterator[None]:
    """torchcfm's loop: its matcher draws points on the paths, an equal network in PyTorch learns from them with Adam.

    Args:
        points: what is learned from.
        velocity: the network.
        batch_size: pairs per step.
        chunk: steps between two yields.
        learning_rate: of Adam.
    """
    import torch  # pyright: ignore[reportMissingImports]
    from torchcfm.conditional_flow_matching import ConditionalFlowMatcher  # pyright: ignore[reportMissingImports]

    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    x, y = (torch.tensor(array, dtype=torch.float32, device=device) for array in points[:2])
    pairs = torch.tensor(np.asarray(points[2]), device=device)
    model = torch_adaln(x.shape[1], y.shape[1], d=velocity.d, blocks=velocity.blocks).to(device)
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    matcher = ConditionalFlowMatcher(sigma=0.0)
    while True:
        for _ in range(chunk):
            rows = torch.randint(len(pairs), (batch_size,), device=device)
            target = y[pairs[rows, 1]]
            t, point, direction = matcher.sample_location_and_conditional_flow(torch.randn_like(target), target)
            optimizer.zero_grad()
            loss = torch.mean((model(t, point, x[pairs[rows, 0]]) - direction) ** 2)
            loss.backward()
            optimizer.step()
        loss.item()
        yield


def torch_adaln(p: int, q: int, *, d: int, blocks: int) -> Any:
    """The velocity field `flows.AdaLN` in PyTorch, layer for layer."""
    import torch  # pyright: ignore[reportMissingImports]
    from torch import nn  # pyright: ignore[reportMissingImports]

    def embedding(inputs: int) -> nn.Module:
        return nn.Sequential(nn.Linear(inputs, d), nn.SiLU(), nn.Linear(d, d))

    class Block(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.LayerNorm(d, elementwise_affine=False)
            self.modulation = nn.Linear(d, 3 * d)
            self.mlp = nn.Sequential(nn.Linear(d, d), nn.SiLU(), nn.Linear(d, d))
            nn.init.zeros_(self.modulation.weight)
            nn.init.zeros_(self.modulation.bias)

        def forward(self, h, condition):
            shift, scale, gate = self.modulation(condition).chunk(3, dim=-1)
            return h + gate * self.mlp(self.norm(h) * (1 + scale) + shift)

    class Field(nn.Module):
        def __init__(self):
            super().__init__()
            self.time, self.source, self.noise = embedding(TIME_FEATURES), embedding(p), embedding(q)
            self.blocks = nn.ModuleList([Block() for _ in range(blocks)])
            self.norm, self.out = nn.LayerNorm(d), nn.Linear(d, q)
            nn.init.zeros_(self.out.weight)
            self.register_buffer("frequencies", torch.logspace(0, 3, TIME_FEATURES // 2))

        def forward(self, t, z, x):
            angles = t[:, None] * self.frequencies
            features = torch.cat([angles.cos(), angles.sin()], dim=-1)
            condition = nn.functional.silu(self.time(features) + self.source(x))
            h = self.noise(z)
            for block in self.blocks:
                h = block(h, condition)
            return self.out(self.norm(h))

    return Field()
