"""What a user would otherwise use to carry points between two spaces, behind one protocol.

A new baseline is one new file with a `BaselineOptions`, and one line here. It then has a row in the benchmarks `costs`,
if it predicts classes, and `kinds`.
"""

from __future__ import annotations

from bridgeviz.baselines._asif import ASIF
from bridgeviz.baselines._baseline import BaselineOptions, Fitted, FittedRetrieval
from bridgeviz.baselines._cca import CCA
from bridgeviz.baselines._kcca import KernelCCA
from bridgeviz.baselines._label_spreading import LabelSpreading
from bridgeviz.baselines._logistic_regression import LogisticRegression
from bridgeviz.baselines._nearest_class_mean import NearestClassMean
from bridgeviz.baselines._nearest_pair import NearestPair
from bridgeviz.baselines._poisson_learning import PoissonLearning, PoissonMBO
from bridgeviz.baselines._procrustes import Procrustes
from bridgeviz.baselines._relative_representations import RelativeRepresentations
from bridgeviz.baselines._ridge import Ridge
from bridgeviz.baselines._wasserstein_procrustes import WassersteinProcrustes

BASELINES: dict[str, type[BaselineOptions]] = {
    "ridge": Ridge,
    "nearest-class-mean": NearestClassMean,
    "1-nn": NearestPair,
    "logistic-regression": LogisticRegression,
    "procrustes": Procrustes,
    "wasserstein-procrustes": WassersteinProcrustes,
    "cca": CCA,
    "kcca": KernelCCA,
    "asif": ASIF,
    "relative-representations": RelativeRepresentations,
    "label-spreading": LabelSpreading,
    "poisson-learning": PoissonLearning,
    "poisson-mbo": PoissonMBO,
}
"""The registered baselines by name."""

__all__ = [
    "ASIF",
    "BASELINES",
    "CCA",
    "BaselineOptions",
    "Fitted",
    "FittedRetrieval",
    "KernelCCA",
    "LabelSpreading",
    "LogisticRegression",
    "NearestClassMean",
    "NearestPair",
    "PoissonLearning",
    "PoissonMBO",
    "Procrustes",
    "RelativeRepresentations",
    "Ridge",
    "WassersteinProcrustes",
]
