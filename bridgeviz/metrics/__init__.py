"""Results -> numbers."""

from bridgeviz.metrics.downstream import classwise_mse, confusion, downstream_accuracy, predict_labels
from bridgeviz.metrics.exclusion import aes, excluded_ratio
from bridgeviz.metrics.journey import Journey, curvature, journey, transport_error
from bridgeviz.metrics.matching import class_plan, matching_accuracy
from bridgeviz.metrics.overlap import feature_overlap, point_overlap
from bridgeviz.metrics.two_sample import TwoSample, two_sample

__all__ = [
    "Journey",
    "TwoSample",
    "aes",
    "class_plan",
    "classwise_mse",
    "confusion",
    "curvature",
    "downstream_accuracy",
    "excluded_ratio",
    "feature_overlap",
    "journey",
    "matching_accuracy",
    "point_overlap",
    "predict_labels",
    "transport_error",
    "two_sample",
]
