"""Results -> numbers."""

from bridgeviz.metrics.downstream import classwise_mse, confusion, downstream_accuracy, predict_labels
from bridgeviz.metrics.exclusion import aes, excluded_ratio
from bridgeviz.metrics.matching import class_plan, matching_accuracy
from bridgeviz.metrics.overlap import feature_overlap, point_overlap

__all__ = [
    "aes",
    "class_plan",
    "classwise_mse",
    "confusion",
    "downstream_accuracy",
    "excluded_ratio",
    "feature_overlap",
    "matching_accuracy",
    "point_overlap",
    "predict_labels",
]
