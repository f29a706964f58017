"""Costs between two spaces. Nothing here knows about couplings.

`cosine`, `sqeuclidean` and `pearson` return dense matrices. The others are built on pairs and return a lazy `Cost`. A
new cost on pairs is one new file and one line in `COSTS`.
"""

from bridgeviz.costs.bridge import bridge, legs
from bridgeviz.costs.cost import Cost, Route, TooLarge, as_cost
from bridgeviz.costs.diffusion import diffusion_bridge
from bridgeviz.costs.geodesic import geodesic_bridge
from bridgeviz.costs.intra import METRICS, cosine, pearson, sqeuclidean
from bridgeviz.costs.kcca import kcca
from bridgeviz.costs.knn import knn
from bridgeviz.costs.within import Within

COSTS = {
    "bridge": bridge,
    "geodesic_bridge": geodesic_bridge,
    "diffusion_bridge": diffusion_bridge,
    "knn": knn,
    "kcca": kcca,
}

__all__ = [
    "COSTS",
    "METRICS",
    "Cost",
    "Route",
    "TooLarge",
    "Within",
    "as_cost",
    "bridge",
    "cosine",
    "diffusion_bridge",
    "geodesic_bridge",
    "kcca",
    "knn",
    "legs",
    "pearson",
    "sqeuclidean",
]
