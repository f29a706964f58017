"""What the pairs cover, and how well the cost that is built on them separates the classes."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from bridgeviz import Pairs, Problem, RunConfig, Space, metrics
from bridgeviz.costs import Cost
from bridgeviz.ui.cache import analysis
from bridgeviz.ui.guard import guard
from bridgeviz.ui.panels import charts
from bridgeviz.ui.text import literal
from bridgeviz.viz.pairing import cost_histogram, coverage_bars, supervision_curve
from bridgeviz.viz.words import listed


def coverage(source: Space, pairs: Pairs, classes: np.ndarray, names: Mapping[str, str]) -> None:
    """The number of pairs per class, and the classes without any.

    Args:
        source: the source space.
        pairs: that may be used.
        classes: of both sides, whose order gives the colours.
        names: of the classes.
    """
    if source.labels is None:
        st.info("The source has no labels, so the pairs can't be counted by class.", icon=":material/label_off:")
        return
    covered, counts = metrics.coverage(source.labels, pairs)
    missing = [names[str(c)] for c in covered[counts == 0]]
    left, right = st.columns([3, 2], vertical_alignment="center")
    ranks = np.searchsorted(classes, covered).tolist()
    bars = coverage_bars([names[str(c)] for c in covered], counts, ranks=ranks)
    charts.draw(left, bars, key="coverage", alt="pairs by class")
    if missing:
        right.warning(
            f"No pair at all for: {literal(listed(missing))}. Nothing shows where they belong. Use more pairs, or "
            "switch on **At least one pair per class** under More settings.", icon=":material/warning:",
        )  # fmt: skip
    else:
        right.success(f"Every class has a pair; the smallest number is {counts.min():,}.", icon=":material/check:")


def separation(config: RunConfig, cost: Cost, problem: Problem, pairs: Pairs) -> None:
    """The cost within and between classes, and how often the cheapest target is right, by paired fraction."""
    labels = analysis.labels_of(problem)
    if labels is None:
        st.info("Without labels on both sides, this can't be measured.", icon=":material/label_off:")
        return
    with guard():
        sample = analysis.cost_sample(config)
        accuracy = analysis.cost_accuracy(config)
        accuracies = analysis.value_of_pairs(config)
    chance = metrics.chance_matching(*labels, (problem.source.weights, problem.target.weights))
    left, right = st.columns(2)
    charts.draw(left, cost_histogram(sample), key="histogram", alt="cost by class")
    left.caption(
        f"An entry between rows of the same class is cheaper than one between different classes in "
        f"{sample.separation:.0%} of the cases; 50% would be chance."
    )
    known = len(pairs) if problem.truth is None else len(problem.truth)
    now = (len(pairs) / known, accuracy)
    curve = supervision_curve(analysis.FRACTIONS, accuracies, now, chance)
    charts.draw(right, curve, key="curve", alt="accuracy of the cost by paired fraction")
    right.caption(
        f"Before any transport, the cheapest target has the right class for {accuracy:.1%} of the rows; a random "
        f"target has it for {chance:.0%}."
    )
