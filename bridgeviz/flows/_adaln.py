"""Options of the velocity field with adaptive layer norm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from bridgeviz._options import Count, option
from bridgeviz.flows._velocity import VelocityOptions

if TYPE_CHECKING:
    from flax import nnx
    from jax.typing import DTypeLike

    from bridgeviz.flows._adaln_field import AdaLNField


@dataclass(frozen=True, kw_only=True)
class AdaLN(VelocityOptions):
    """Residual blocks on the noise, modulated by the embeddings of time and source (E.1, after DiT).

    Attributes:
        d: hidden width.
        blocks: number of residual blocks.
    """

    name = "adaln"
    where = "AdaLN"
    summary = "residual blocks with adaptive layer norm"

    d: int = option(Count(), 128, help="Hidden width.")
    blocks: int = option(Count(), 5, help="Number of residual blocks.")

    def make(self, p: int, q: int, *, dtype: DTypeLike | None = None, rngs: nnx.Rngs) -> AdaLNField:
        from bridgeviz.flows._adaln_field import AdaLNField

        return AdaLNField(p, q, d=self.d, blocks=self.blocks, dtype=dtype, rngs=rngs)
