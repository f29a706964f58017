"""The baselines of the paper that train a network for minutes (G.1.2). They need JAX, which takes seconds to import."""

from __future__ import annotations

from bridgeviz.baselines._baseline import BaselineOptions
from bridgeviz.baselines._fused_vae import FusedVAE
from bridgeviz.baselines._genot import Genot
from bridgeviz.baselines._vae import VAE

NETWORKS: dict[str, BaselineOptions] = {
    "vae-small": VAE(size="small"),
    "vae-large": VAE(size="large"),
    "fused-vae": FusedVAE(),
    "genot": Genot(),
}
"""By name. Their `training` trains step by step, and `fit` to the end."""

__all__ = ["NETWORKS", "VAE", "FusedVAE", "Genot"]
