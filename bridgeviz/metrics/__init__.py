"""Results -> numbers. Every name is imported from its module on first use.

`projection` maps a space to the plane, and measures how far to trust the map.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridgeviz._lazy import attach

if TYPE_CHECKING:
    from bridgeviz.metrics import projection
    from bridgeviz.metrics._category_decoder import CategoryDecoder, fit_category_decoder
    from bridgeviz.metrics._diagnosis import Collision, Diagnosis, changed_sides, collisions, diagnose
    from bridgeviz.metrics._dimensionality import effective_dimensionality
    from bridgeviz.metrics._disentanglement import mutual_information_gap, stroke_properties
    from bridgeviz.metrics._doubt import doubtful
    from bridgeviz.metrics._downstream import classwise_mse, confusion, downstream_accuracy, predict_labels
    from bridgeviz.metrics._exclusion import aes, excluded_ratio
    from bridgeviz.metrics._failures import Failures, Reliability, failures, reliability
    from bridgeviz.metrics._inspection import Inspection, inspect, plan_memory
    from bridgeviz.metrics._journey import Journey, curvature, journey, transport_error
    from bridgeviz.metrics._layers import LayerScore, rank_layers
    from bridgeviz.metrics._likeness import Likeness, linear_cka, mutual_neighbours
    from bridgeviz.metrics._lost_partners import LostPartners, lost_partners
    from bridgeviz.metrics._masses import Blocks, Received, blocks, masses_by_class, received, strongest
    from bridgeviz.metrics._matching import between_classes, class_plan, matching_accuracy, rows_with_mass
    from bridgeviz.metrics._neighbours import Neighbourhood, chance_overlap, neighbourhood
    from bridgeviz.metrics._noise_ceiling import NoiseCeiling, noise_ceiling
    from bridgeviz.metrics._overlap import feature_overlap, point_overlap
    from bridgeviz.metrics._overlap_by_classes import (
        ClassOverlap,
        OverlapByClasses,
        most_overlapping,
        overlap_by_classes,
    )
    from bridgeviz.metrics._partners import (
        MOST_PARTNERS,
        Partners,
        Ranks,
        arrivals,
        candidates,
        foscttm,
        is_one_to_one,
        pair_cosine,
        partners,
        recall,
    )
    from bridgeviz.metrics._prediction import RankTest, neuron_correlation, prediction_error, rank_test
    from bridgeviz.metrics._predictivity import Predictivity, neural_predictivity
    from bridgeviz.metrics._row_table import row_table
    from bridgeviz.metrics._rsa import rsa
    from bridgeviz.metrics._story import Story, explain_point, goes_home
    from bridgeviz.metrics._supervision import (
        CostSample,
        chance_matching,
        cheapest_classes,
        cost_accuracy,
        coverage,
        nearest_pairs,
        sample_cost,
        uncovered_pair,
    )
    from bridgeviz.metrics._two_sample import TwoSample, two_sample
    from bridgeviz.metrics._weighted import carry_weight

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_category_decoder": ["CategoryDecoder", "fit_category_decoder"],
        "_failures": ["Failures", "Reliability", "failures", "reliability"],
        "_diagnosis": ["Collision", "Diagnosis", "changed_sides", "collisions", "diagnose"],
        "_dimensionality": ["effective_dimensionality"],
        "_disentanglement": ["mutual_information_gap", "stroke_properties"],
        "_doubt": ["doubtful"],
        "_downstream": ["classwise_mse", "confusion", "downstream_accuracy", "predict_labels"],
        "_exclusion": ["aes", "excluded_ratio"],
        "_inspection": ["Inspection", "inspect", "plan_memory"],
        "_journey": ["Journey", "curvature", "journey", "transport_error"],
        "_layers": ["LayerScore", "rank_layers"],
        "_likeness": ["Likeness", "linear_cka", "mutual_neighbours"],
        "_lost_partners": ["LostPartners", "lost_partners"],
        "_masses": ["Blocks", "Received", "blocks", "masses_by_class", "received", "strongest"],
        "_matching": ["between_classes", "class_plan", "matching_accuracy", "rows_with_mass"],
        "_neighbours": ["Neighbourhood", "chance_overlap", "neighbourhood"],
        "_noise_ceiling": ["NoiseCeiling", "noise_ceiling"],
        "_overlap": ["feature_overlap", "point_overlap"],
        "_overlap_by_classes": ["ClassOverlap", "OverlapByClasses", "most_overlapping", "overlap_by_classes"],
        "_partners": [
            "MOST_PARTNERS",
            "Partners",
            "Ranks",
            "arrivals",
            "candidates",
            "foscttm",
            "is_one_to_one",
            "pair_cosine",
            "partners",
            "recall",
        ],
        "_prediction": ["RankTest", "neuron_correlation", "prediction_error", "rank_test"],
        "_predictivity": ["Predictivity", "neural_predictivity"],
        "_row_table": ["row_table"],
        "_rsa": ["rsa"],
        "_story": ["Story", "explain_point", "goes_home"],
        "_supervision": [
            "CostSample",
            "chance_matching",
            "cheapest_classes",
            "cost_accuracy",
            "coverage",
            "nearest_pairs",
            "sample_cost",
            "uncovered_pair",
        ],
        "_two_sample": ["TwoSample", "two_sample"],
        "_weighted": ["carry_weight"],
    },
    modules=["projection"],
)
