"""The costs on pairs by name.

A new cost is one new file and one line here. The blend is added in `bridgeviz.costs`, because it chooses among these.
"""

from __future__ import annotations

from bridgeviz.costs._bridge import Bridge
from bridgeviz.costs._cost_options import CostOptions
from bridgeviz.costs._diffusion import DiffusionBridge
from bridgeviz.costs._discriminant import DiscriminantBridge
from bridgeviz.costs._geodesic import GeodesicBridge
from bridgeviz.costs._kcca import KCCA
from bridgeviz.costs._knn import KNN
from bridgeviz.costs._procrustes import ProcrustesBridge

COSTS: dict[str, type[CostOptions]] = {
    "bridge": Bridge,
    "geodesic_bridge": GeodesicBridge,
    "diffusion_bridge": DiffusionBridge,
    "discriminant_bridge": DiscriminantBridge,
    "procrustes_bridge": ProcrustesBridge,
    "knn": KNN,
    "kcca": KCCA,
}
"""The costs on pairs by name."""
