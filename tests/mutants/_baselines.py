"""Mutants of baselines."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "ridge: learns from other pairs",
        "bridgeviz/baselines/_ridge.py",
        "problem.target.x[j])",
        "problem.target.x[j[::-1]])",
        "baselines experiments/test_bench_flows.py",
    ),
    Mutant(
        "ridge: the given penalty is ignored",
        "bridgeviz/baselines/_ridge.py",
        "if self.alpha is None else",
        "if True else",
        "baselines",
    ),
    Mutant(
        "nearest class mean: sums instead of means",
        "bridgeviz/baselines/_nearest_class_mean.py",
        "return means / np.bincount(code)[:, None]",
        "return means",
        "baselines",
    ),
    Mutant(
        "nearest class mean: rows keep their length",
        "bridgeviz/baselines/_nearest_class_mean.py",
        "return x / lengths",
        "return x",
        "baselines",
    ),
    Mutant(
        "nearest class mean: the farthest class",
        "bridgeviz/baselines/_nearest_class_mean.py",
        "unit @ self.means.T).argmin(1)",
        "unit @ self.means.T).argmax(1)",
        "baselines",
    ),
    Mutant(
        "nearest class mean: carried to the source's mean",
        "bridgeviz/baselines/_nearest_class_mean.py",
        "targets=_class_means(problem.target.x[j], code)",
        "targets=_class_means(problem.target.x[i], code)",
        "baselines",
    ),
    Mutant(
        "baselines: the accuracy counts errors",
        "bridgeviz/baselines/_baseline.py",
        "float(np.mean(predicted == labels))",
        "float(np.mean(predicted != labels))",
        "baselines",
    ),
    Mutant(
        "baselines: too few pairs pass",
        "bridgeviz/baselines/_baseline.py",
        "shape=problem.shape, least=least)",
        "shape=problem.shape)",
        "baselines",
    ),
]
