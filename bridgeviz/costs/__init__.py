"""Costs between two spaces. Nothing here knows about couplings.

`cosine`, `sqeuclidean` and `pearson` return dense matrices. The others are built on pairs and return a lazy `Cost`. A
new cost on pairs is one new file and one line in `costs/_registry.py`.
"""

from typing import TYPE_CHECKING

from bridgeviz._extent import Extent
from bridgeviz._forbidden import Forbidden, as_forbidden, refuse_forbidden_pairs
from bridgeviz._lazy import attach
from bridgeviz.costs._alternation import spectral
from bridgeviz.costs._atoms import Atoms, every_row, find_atoms
from bridgeviz.costs._blend import Blend, blend
from bridgeviz.costs._bridge import Bridge, bridge, legs
from bridgeviz.costs._combine import min_plus, scale_rows
from bridgeviz.costs._convex import convex_combination
from bridgeviz.costs._cost import Cost, divisor, positive_mean
from bridgeviz.costs._cost_options import CostOptions, CostVariant, functional, metric_option, neighbours_option
from bridgeviz.costs._diffusion import DiffusionBridge, diffusion_bridge
from bridgeviz.costs._discriminant import DiscriminantBridge, discriminant_bridge
from bridgeviz.costs._geodesic import GeodesicBridge, geodesic_bridge
from bridgeviz.costs._geometric_start import geometric_start
from bridgeviz.costs._intra import METRICS, Metric, cosine, find_metric, pearson, sqeuclidean
from bridgeviz.costs._joint_space import JointSpace, joint_space
from bridgeviz.costs._kcca import KCCA, kcca
from bridgeviz.costs._knn import KNN, knn
from bridgeviz.costs._matrix_cost import as_cost, flat
from bridgeviz.costs._memory import TooLarge, memory_limit, refuse_above_limit
from bridgeviz.costs._procrustes import ProcrustesBridge, procrustes_bridge
from bridgeviz.costs._registry import COSTS
from bridgeviz.costs._route import Route
from bridgeviz.costs._sides import Sides, unit
from bridgeviz.costs._soft_pairs import SoftPairs
from bridgeviz.costs._within import Within

if TYPE_CHECKING:
    from bridgeviz.costs._chords import Chords, Matrix
    from bridgeviz.costs._lookup import Lookup

COSTS[Blend.name] = Blend  # last, because it chooses among the others

__getattr__ = attach(__name__, {"_chords": ["Chords", "Matrix"], "_lookup": ["Lookup"]})[0]  # they need JAX

__all__ = [
    "COSTS",
    "KCCA",
    "KNN",
    "METRICS",
    "Atoms",
    "Blend",
    "Bridge",
    "Chords",
    "Cost",
    "CostOptions",
    "CostVariant",
    "DiffusionBridge",
    "DiscriminantBridge",
    "Extent",
    "Forbidden",
    "GeodesicBridge",
    "JointSpace",
    "Lookup",
    "Matrix",
    "Metric",
    "ProcrustesBridge",
    "Route",
    "Sides",
    "SoftPairs",
    "TooLarge",
    "Within",
    "as_cost",
    "as_forbidden",
    "blend",
    "bridge",
    "convex_combination",
    "cosine",
    "diffusion_bridge",
    "discriminant_bridge",
    "divisor",
    "every_row",
    "find_atoms",
    "find_metric",
    "flat",
    "functional",
    "geodesic_bridge",
    "geometric_start",
    "joint_space",
    "kcca",
    "knn",
    "legs",
    "memory_limit",
    "metric_option",
    "min_plus",
    "neighbours_option",
    "pearson",
    "positive_mean",
    "procrustes_bridge",
    "refuse_above_limit",
    "refuse_forbidden_pairs",
    "scale_rows",
    "spectral",
    "sqeuclidean",
    "unit",
]
