"""Costs between two spaces. Nothing here knows about couplings.

`cosine`, `sqeuclidean` and `pearson` return dense matrices. `bridge` and `diffusion_bridge` are built on pairs and
return a lazy `Cost`. A new cost on pairs is one new file and one line in `COSTS`.
"""

from bridgeviz.costs.bridge import bridge, legs
from bridgeviz.costs.cost import Cost, as_cost
from bridgeviz.costs.diffusion import diffusion_bridge
from bridgeviz.costs.intra import METRICS, cosine, pearson, sqeuclidean

COSTS = {"bridge": bridge, "diffusion_bridge": diffusion_bridge}

__all__ = [
    "COSTS",
    "METRICS",
    "Cost",
    "as_cost",
    "bridge",
    "cosine",
    "diffusion_bridge",
    "legs",
    "pearson",
    "sqeuclidean",
]
