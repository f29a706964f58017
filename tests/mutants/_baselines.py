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
        "bridgeviz/baselines/_classes.py",
        "return means / np.bincount(code)[:, None]",
        "return means",
        "baselines",
    ),
    Mutant(
        "nearest class mean: rows keep their length",
        "bridgeviz/baselines/_unit_rows.py",
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
        "bridgeviz/baselines/_classes.py",
        "class_means(problem.target.x[pairs[:, 1]], code)",
        "class_means(problem.target.x[pairs[:, 0]], code)",
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
    Mutant(
        "baselines: scores keep the sign of distances",
        "bridgeviz/baselines/_baseline.py",
        "return -metrics.arrivals(self.transport(x), self.target.x).dense()",
        "return metrics.arrivals(self.transport(x), self.target.x).dense()",
        "baselines",
    ),
    Mutant(
        "baselines: a tie goes to the sum of its rows",
        "bridgeviz/baselines/_baseline.py",
        "return (best @ self.target.x) / best.sum(1, keepdims=True)",
        "return best @ self.target.x",
        "baselines/test_protocol.py",
    ),
    Mutant(
        "procrustes: directions without a pair are mapped at random",
        "bridgeviz/baselines/_procrustes.py",
        "kept = s > 1e-9 * s.max(initial=0.0)",
        "kept = s >= 0",
        "baselines/test_retrieval.py",
    ),
    Mutant(
        "procrustes: no scale",
        "bridgeviz/baselines/_procrustes.py",
        "float(s[kept].sum()) / spread if spread else 0.0",
        "1.0",
        "baselines/test_retrieval.py",
    ),
    Mutant(
        "asif: all cosines are kept",
        "bridgeviz/baselines/_asif.py",
        "np.where(cosines >= least, cosines, 0)",
        "cosines",
        "baselines/test_retrieval.py",
    ),
    Mutant(
        "relative representations: lengths of the pairs count",
        "bridgeviz/baselines/_relative_representations.py",
        "anchors=at_length_one(x[i])",
        "anchors=x[i]",
        "baselines/test_retrieval.py",
    ),
    Mutant(
        "poisson: only the last step of the walk counts",
        "bridgeviz/baselines/_poisson_learning.py",
        "u = u + flow / degree",
        "u = flow / degree",
        "baselines/test_classifiers.py",
    ),
    Mutant(
        "poisson: sizes are not held",
        "bridgeviz/baselines/_poisson_learning.py",
        "(scores * _levels(scores, sizes)).argmax(1)",
        "scores.argmax(1)",
        "baselines/test_classifiers.py",
    ),
    Mutant(
        "source graph: one width for all rows",
        "bridgeviz/baselines/_source_graph.py",
        "width = np.maximum(distance[:, -1:],",
        "width = np.maximum(distance.mean(),",
        "baselines/test_classifiers.py",
    ),
    Mutant(
        "cca: not scaled",
        "bridgeviz/baselines/_cca.py",
        "self.joint.unit_variates(x / self.scale, side=0)",
        "self.joint.unit_variates(x, side=0)",
        "baselines/test_retrieval.py",
    ),
]
