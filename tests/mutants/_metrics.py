"""Mutants of metrics, and what plans count for them."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "matching: not normalised",
        "bridgeviz/couplings/_coupling.py",
        "return matched / self.mass if self.mass > 0 else 0.0",
        "return matched",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "matching: shares not averaged",
        "bridgeviz/couplings/_entries.py",
        "return sums / atoms.multiplicity[:, None]",
        "return sums",
        "metrics/test_metrics.py couplings/test_plan.py",
    ),
    Mutant(
        "rows with mass: every row counts",
        "bridgeviz/couplings/_rows_with_mass.py",
        "(mass > 0) & (mass >= LEAST * share * mass.sum())",
        "(mass >= 0)",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "story: a tie is a failure",
        "bridgeviz/metrics/_story.py",
        "if own > 1 - MAJORITY:",
        "if own > 0.5:",
        "metrics/test_diagnosis.py",
    ),
    Mutant(
        "class MSE: not squared",
        "bridgeviz/metrics/_downstream.py",
        "decoded[decoded_labels == c].mean(0)) ** 2).mean()",
        "decoded[decoded_labels == c].mean(0)) ** 1).mean()",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "confusion transposed",
        "bridgeviz/metrics/_downstream.py",
        "(np.searchsorted(known, labels), np.searchsorted(known, predicted))",
        "(np.searchsorted(known, predicted), np.searchsorted(known, labels))",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "predict: decoder ignored",
        "bridgeviz/metrics/_downstream.py",
        "if space.decode_labels is not None:",
        "if False:",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "neighbours of a row include itself",
        "bridgeviz/metrics/_neighbours.py",
        'k = min(check.count(k, "k", "neighbourhood"), len(x) - 1)',
        'k = min(check.count(k, "k", "neighbourhood") + 1, len(x) - 1)',
        "metrics/test_diagnosis.py metrics/test_metrics.py",
    ),
    Mutant(
        "overlap: counts same labels",
        "bridgeviz/metrics/_overlap.py",
        "(labels[rows] != labels[:, None])",
        "(labels[rows] == labels[:, None])",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "excluded ratio: N counts one side",
        "bridgeviz/metrics/_exclusion.py",
        "points = n + m if both else (n + m) / 2",
        "points = (n + m) / 2",
        "metrics/test_exclusion.py",
    ),
    Mutant(
        "aes: product instead of ratio",
        "bridgeviz/metrics/_exclusion.py",
        "return accuracy / ratio if",
        "return accuracy * ratio if",
        "metrics/test_exclusion.py",
    ),
    Mutant(
        "two-sample: pairs within counted once",
        "bridgeviz/metrics/_two_sample.py",
        "within_second = distance.sum() - within_first - 2 * across",
        "within_second = distance.sum() - within_first - across",
        "metrics/test_two_sample.py",
    ),
    Mutant(
        "curvature: the chord is left out",
        "bridgeviz/metrics/_journey.py",
        "np.linalg.norm(states[-1] - states[0], axis=-1)",
        "np.ones(states.shape[1])",
        "flows/test_transport.py",
    ),
    Mutant(
        "journey: the spread in the target's units",
        "bridgeviz/metrics/_journey.py",
        ".spread / flow.target.std)",
        ".spread)",
        "flows/test_transport.py",
    ),
]
