"""Mutants of combined costs and of their choice."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "recommend: tau below 1 lets the plan leave rows out",
        "bridgeviz/experiments/_recommend.py",
        "if side == 1 else (of_counterparts, 1.0)",
        "if side == 0 else (of_counterparts, 1.0)",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "blend: costs are not divided by their means",
        "bridgeviz/costs/_convex.py",
        "share / _scale(part))",
        "share)",
        "costs/test_blend.py",
    ),
    Mutant(
        "blend: rows that only the second cost tells apart are merged",
        "bridgeviz/costs/_convex.py",
        "common, _ = common.split(other.index)",
        "common = common",
        "costs/test_blend.py",
    ),
    Mutant(
        "blend: forbidden matches are lost",
        "bridgeviz/costs/_convex.py",
        "if part.forbidden is not None:",
        "if False:",
        "costs/test_blend.py",
    ),
    Mutant(
        "blend: the two weights swapped",
        "bridgeviz/costs/_blend.py",
        "weights = {self.first: 1 - self.share}",
        "weights = {self.first: self.share}",
        "costs/test_blend.py",
    ),
    Mutant(
        "recommend: plans are judged where partners are",
        "bridgeviz/experiments/_held_out.py",
        "return MATCHING if min(shares) <= 0.5 else FOSCTTM",
        "return MATCHING",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: more is better by FOSCTTM",
        "bridgeviz/experiments/_held_out.py",
        '(guessing: 50%)", -1)',
        '(guessing: 50%)", 1)',
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: rows of known pairs are candidates",
        "bridgeviz/experiments/_held_out.py",
        "metrics.partners(finite(distances), hidden, known=known)",
        "metrics.partners(finite(distances), hidden)",
        "experiments/test_recommend.py experiments/test_assess.py",
    ),
    Mutant(
        "recommend: the only pair of a class is hidden",
        "bridgeviz/experiments/_held_out.py",
        "order = np.delete(order, first)",
        "pass",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: pairs of uncovered problems are kept too",
        "bridgeviz/experiments/_held_out.py",
        "if covered == 1:",
        "if covered > 0:",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: likeness never decides",
        "bridgeviz/experiments/_recommend.py",
        "if _sure(shares - 0.5) <= 0:",
        "if _sure(shares - 0.5) <= 1:",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: a class has pairs left when it is hidden",
        "bridgeviz/experiments/_held_out.py",
        "hidden = np.isin(own, fold)",
        "hidden = np.isin(np.arange(len(own)), fold)",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: known rows count for nothing",
        "bridgeviz/experiments/_held_out.py",
        "scores.pairs[fold] = (1 - self.known) *",
        "kept = 0; scores.pairs[fold] =",
        "experiments/test_recommend.py",
    ),
]
