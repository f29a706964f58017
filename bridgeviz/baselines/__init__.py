"""What a user would otherwise use to carry points between two spaces, behind one protocol.

A new baseline is one new file with a `BaselineOptions`, and one line here. It then has a row in the benchmark of costs.
"""

from __future__ import annotations

from bridgeviz.baselines._baseline import BaselineOptions, Fitted, FittedRetrieval
from bridgeviz.baselines._nearest_class_mean import NearestClassMean
from bridgeviz.baselines._ridge import Ridge

BASELINES: dict[str, type[BaselineOptions]] = {
    "ridge": Ridge,
    "nearest-class-mean": NearestClassMean,
}
"""The registered baselines by name."""

__all__ = ["BASELINES", "BaselineOptions", "Fitted", "FittedRetrieval", "NearestClassMean", "Ridge"]
