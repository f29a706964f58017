"""Options of the velocity field of Klein et al. (2023)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridgeviz._options import Count, option
from bridgeviz.flows._velocity import VelocityOptions

if TYPE_CHECKING:
    from flax import nnx
    from jax.typing import DTypeLike

    from bridgeviz.flows._mlp_field import MLPField


@dataclass(frozen=True, kw_only=True)
class MLP(VelocityOptions):
    """The baseline of Klein et al. (2023): one embedding each of time, source and noise, then a joint block (E).

    Attributes:
        d: hidden width.
        embedding: layers of each of the three embeddings.
        joint: layers of the joint block, not counting the linear output layer.
    """

    name = "mlp"
    where = "MLP"
    summary = "three embeddings and a joint block"

    d: int = option(Count(), 256, help="Hidden width.")
    embedding: int = option(Count(), 1, help="Layers of each of the three embeddings.")
    joint: int = option(Count(), 3, help="Layers of the joint block.")

    def make(self, p: int, q: int, *, dtype: DTypeLike | None = None, rngs: nnx.Rngs) -> MLPField:
        from bridgeviz.flows._mlp_field import MLPField

        return MLPField(p, q, d=self.d, embedding=self.embedding, joint=self.joint, dtype=dtype, rngs=rngs)
