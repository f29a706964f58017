"""Every wrong argument raises an `InputError` that names it, what was expected, and what was passed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

import bridgeviz as bv

X = np.random.default_rng(0).normal(size=(6, 3))
LABELS = [0, 1, 2, 0, 1, 2]
PAIRS = [[0, 0], [1, 1]]
SPACE = bv.Space(X, labels=LABELS)
PROBLEM = bv.Problem(SPACE, SPACE, truth=[[0, 0], [1, 1], [2, 2], [3, 3]])
PLAIN = bv.Problem(bv.Space(X), bv.Space(X))
COST = np.random.default_rng(1).random((6, 6))
PLAN = bv.couplings.true(PAIRS, shape=(6, 6))
NAN, INF = X.copy(), X.copy()
NAN[4, 1], INF[2, 0] = np.nan, -np.inf
FLAT = X.copy()
FLAT[3] = 2.0
ZERO = X.copy()
ZERO[5] = 0.0
EMPTY_PLAN = replace(PLAN, plan=0 * PLAN.plan)


class Tensor:
    """An array of another library, whose conversion raises its own error."""

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("it needs a gradient")


def flow(**arguments):
    """Transport by an untrained flow; `transport` checks its arguments before it computes."""
    import jax

    from bridgeviz.flows import Scaling, init_velocity

    graph, params = init_velocity("adaln-small", 3, 3, jax.random.key(0))
    untrained = bv.Flow(bv.FlowConfig(), graph, params, Scaling.of(X), Scaling.of(X))
    return untrained.transport(**({"x": X} | arguments))


# A wrong call, and the fragments that its message must contain.
WRONG = [
    # matrices: rank, rows, NaN, infinity, empty, type, size
    (lambda: bv.Space([1.0, 2.0]), "'x' of Space() must be a matrix", "shape (2,)"),
    (lambda: bv.Space(np.ones((2, 2, 2))), "'x' of Space()", "one row per sample", "shape (2, 2, 2)"),
    (lambda: bv.Space(np.zeros((0, 3))), "at least 2 rows", "shape (0, 3)"),
    (lambda: bv.Space(np.zeros((4, 0))), "'x' of Space()", "1 column", "shape (4, 0)"),
    (lambda: bv.Space([[1.0, 2.0]]), "at least 2 rows", "shape (1, 2)"),
    (lambda: bv.Space(NAN), "'x' of Space() must be finite", "nan at row 4"),
    (lambda: bv.Space(INF), "'x' of Space() must be finite", "-inf at row 2"),
    (lambda: bv.Space([["a", "b"], ["c", "d"]]), "real matrix", "type <U1"),
    (lambda: bv.Space(X + 1j), "real matrix", "complex128"),
    (lambda: bv.Space([[1.0, 2.0], [1.0]]), "real matrix", "list that cannot be converted to numbers"),
    (lambda: bv.Space([[None, 1.0], [2.0, 3.0]]), "finite everywhere", "row 0"),
    (lambda: bv.Space(1e200 * X), "numbers below 1e+60", "Rescale"),
    (lambda: bv.Space(1e-200 * X), "numbers above 1e-60", "Rescale"),
    (lambda: bv.Space(Tensor()), "'x' of Space()", "cannot be converted to an array (it needs a gradient)"),
    (lambda: bv.Space(sparse.csr_array((10**7, 10**7))), "'x' of Space()", "a dense 10,000,000 x", "above the limit"),
    (lambda: bv.Space(X, labels=sparse.csr_array([LABELS])), "'labels' of Space()", "a sparse csr_array", ".toarray()"),
    (lambda: bv.Space(np.ma.masked_less(X, 0)), "'x' of Space()", "masked array", ".filled()"),
    (lambda: bv.Space(pd.DataFrame(X).convert_dtypes().mask(X < 0)), "'x' of Space()", "converted to numbers"),
    (lambda: bv.costs.cosine(X, X[:, :2]), "'y' of cosine() must be a matrix with 3 columns", "shape (6, 2)"),
    (lambda: bv.costs.bridge(X[:, 0], X, PAIRS), "'x' of bridge()", "shape (6,)"),
    (lambda: bv.costs.bridge(X, NAN, PAIRS), "'y' of bridge()", "nan at row 4"),
    (lambda: bv.costs.diffusion_bridge(X, INF, PAIRS), "'y' of diffusion_bridge()", "row 2"),
    (lambda: bv.couplings.linear([1.0, 2.0]), "'cost' of linear() must be a matrix", "shape (2,)"),
    (lambda: bv.couplings.linear([[np.nan, 1.0]]), "'cost' of linear() must be finite", "nan at row 0"),
    (lambda: bv.couplings.linear(-COST), "'cost' of linear()", "nowhere negative", "similarity"),
    (lambda: bv.couplings.local(-COST), "'cost' of local()", "nowhere negative"),
    (lambda: bv.couplings.local([[-np.inf, 1.0]]), "'cost' of local() must be finite", "inf"),
    (lambda: bv.couplings.local([[np.inf, 1.0]]), "The cost of local() leaves 1 target row without a permitted match"),
    (lambda: bv.couplings.linear([[1.0]], weights=([0], None)), "'source weights' of linear()", "Got 0 for every row"),
    (lambda: bv.Space(X, weights=[1, 2]), "'weights' of Space()", "a vector of length"),
    # rows for which a metric is undefined
    (lambda: bv.costs.cosine(ZERO), "'x' of cosine()", "rows of length zero", "row 5", "sqeuclidean"),
    (lambda: bv.costs.pearson(FLAT), "'x' of pearson()", "constant rows", "row 3", "sqeuclidean"),
    (lambda: bv.costs.bridge(X, ZERO, PAIRS), "'y' of bridge()", "rows of length zero", "row 5"),
    (lambda: bv.costs.diffusion_bridge(FLAT, X, PAIRS, metric="pearson", k=2), "'x' of diffusion_bridge()", "row 3"),
    # labels
    (lambda: bv.Space(X, labels=[0, 1]), "'labels' of Space()", "one label per row, 6 in total", "shape (2,)"),
    (lambda: bv.Space(X, labels=[[0]] * 6), "'labels' of Space()", "shape (6, 1)"),
    (lambda: bv.Space(X, labels=[0] * 6), "at least two classes", "1 class (0)"),
    (lambda: bv.Space(X, labels=[0.5, 1, 2, 0, 1, 2]), "whole numbers or strings", "fraction"),
    (lambda: bv.Space(X, labels=[np.nan, 1, 2, 0, 1, 2]), "whole numbers or strings", "NaN"),
    (lambda: bv.Space(X, labels=[[1], [1, 2], 1, 2, 3, 4]), "one label per row", "different lengths"),
    (lambda: bv.Space(X, labels=pd.array([*"ababa", None], dtype="string")), "one label per row", "none in row 5"),
    (lambda: bv.Space(X, labels=pd.array([0, 1, None, 0, 1, 0], dtype="Int64")), "'labels' of Space()"),
    (lambda: bv.Space(X, labels=np.ma.masked_equal(LABELS, 2)), "'labels' of Space()", "masked array"),
    (
        lambda: bv.Space(X, labels=pd.Series(list("abcdef"), index=[5, 4, 3, 2, 1, 0])),
        "in the order of its index", "row 0 is a by position and f by the index", ".sort_index()",
    ),
    (
        lambda: bv.Space(pd.DataFrame(X, index=list("abcdef")), labels=pd.Series(LABELS, index=list("uvwxyz"))),
        "'labels' of Space()", "the same index as the rows of x", "begins with 'u'",
    ),
    (
        lambda: bv.metrics.matching_accuracy(PLAN, LABELS, pd.Series(LABELS, index=[1, 0, 2, 3, 4, 5])),
        "'target_labels'", "in the order of its index",
    ),
    (lambda: bv.Space(X, labels=LABELS, names=["a"]), "'names' of Space()", "one name per class, 3 in total", "1"),
    (lambda: bv.Space(X, labels=LABELS, classes=[0, 1]), "'labels' of Space()", "among the classes [0, 1]", "Got 2"),
    (lambda: bv.Space(X, images=np.ones((4, 2, 2))), "'images' of Space()", "one image per row, 6 in total", "4"),
    (lambda: SPACE.take([6]), "'rows' of take()", "0 to 5", "6"),
    (
        lambda: bv.metrics.matching_accuracy(PLAN, LABELS, [0, 1]),
        "'target_labels' of matching_accuracy()", "one label per row, 6 in total",
    ),
    (lambda: bv.metrics.matching_accuracy(PLAN, [0] * 6, LABELS), "'source_labels'", "two classes", "1 class (0)"),
    (lambda: bv.metrics.matching_accuracy(PLAN, LABELS, list("abcabc")), "'target_labels'", "must be numbers"),
    (lambda: bv.metrics.matching_accuracy(COST, LABELS, LABELS), "'plan' of matching_accuracy()", "a coupling"),
    (lambda: bv.metrics.class_plan(PLAN, LABELS, LABELS[:3]), "'target_labels' of class_plan()", "shape (3,)"),
    (lambda: bv.metrics.feature_overlap(X, [1] * 6), "'labels' of feature_overlap()", "two classes"),
    (lambda: bv.metrics.feature_overlap(X, LABELS, k=6), "'k' of feature_overlap()", "from 1 to 5", "Got 6"),
    (lambda: bv.metrics.feature_overlap(X, LABELS, k=3, batch_size=3), "'batch_size'", ">= 4", "Got 3"),
    (lambda: bv.metrics.point_overlap(NAN, LABELS, k=2), "'x' of point_overlap()", "row 4"),
    (lambda: bv.metrics.predict_labels(bv.Space(X), X), "predict_labels()", "target space with labels"),
    (lambda: bv.metrics.predict_labels(SPACE, X[:, :2]), "'y' of predict_labels()", "3 columns", "shape (6, 2)"),
    (lambda: bv.metrics.downstream_accuracy(SPACE, X, [0, 1]), "'labels' of downstream_accuracy()", "6 in total"),
    (lambda: bv.metrics.downstream_accuracy(SPACE, X, list("abcabc")), "'labels'", "must be numbers", "strings"),
    (lambda: bv.metrics.confusion([0, 1], [0, 1, 1]), "'predicted' of confusion()", "shape (2,)", "shape (3,)"),
    (lambda: bv.metrics.confusion([0, 5], [0, 1], classes=[0, 1]), "'classes' of confusion()", "no 5"),
    (
        lambda: bv.metrics.classwise_mse(np.ones((2, 3, 3)), [0, 1], np.ones((2, 2, 2)), [0, 1]),
        "'decoded' of classwise_mse()", "(3, 3)", "(2, 2)",
    ),
    (
        lambda: bv.metrics.classwise_mse(np.ones((3, 2, 2)), [0, 1, 2], np.ones((2, 2, 2)), [0, 1]),
        "'decoded_labels' of classwise_mse()", "every class", "[2]",
    ),
    # pairs: range, repeats, number, shape, type
    (lambda: bv.costs.bridge(X, X, [[0, 6]]), "'pairs' of bridge()", "0 to 5 for the target", "row 6 in pair 0"),
    (lambda: bv.costs.bridge(X, X, [[0, 0], [-1, 0]]), "for the source", "source row -1 in pair 1"),
    (lambda: bv.costs.bridge(X, X, [[0, 1], [0, 1]]), "free of repeats", "(0, 1) more than once"),
    (lambda: bv.costs.bridge(X, X, []), "'pairs' of bridge()", "at least 1 pair", "0 pairs"),
    (lambda: bv.costs.diffusion_bridge(X, X, np.zeros((0, 2), int)), "'pairs'", "at least 1 pair", "0 pairs"),
    (lambda: bv.costs.legs(X, X, [], 0, 0), "'pairs' of legs()", "at least 1 pair"),
    (lambda: bv.costs.legs(X, X, PAIRS, 6, 0), "'i' of legs()", "from 0 to 5", "Got 6"),
    (lambda: bv.costs.legs(X, X, PAIRS, 0, -1), "'j' of legs()", "from 0 to 5", "Got -1"),
    (lambda: bv.couplings.true([], shape=(6, 6)), "'pairs' of true()", "at least 1 pair", "0 pairs"),
    (lambda: bv.couplings.true([[0, 9]], shape=(6, 6)), "'pairs' of true()", "target row 9"),
    (lambda: bv.couplings.true(PAIRS, shape=6), "'shape' of true()", "two integers", "Got 6"),
    (lambda: bv.couplings.true(PAIRS, shape=(6, 0)), "'shape' of true()", "integer >= 1", "Got 0"),
    (lambda: bv.costs.bridge(X, X, [[0, 1, 2]]), "(l, 2) array", "shape (1, 3)"),
    (lambda: bv.costs.bridge(X, X, [0, 1]), "(l, 2) array", "shape (2,)"),
    (lambda: bv.costs.bridge(X, X, None), "(l, 2) array", "shape ()"),
    (lambda: bv.costs.bridge(X, X, [[0, 1], [2]]), "(l, 2) array", "different lengths"),
    (lambda: bv.costs.bridge(X, X, pd.DataFrame({"source": [0], "to": [1]})), "source and target", "source, to"),
    (lambda: bv.costs.bridge(X, X, pd.DataFrame(np.eye(3, dtype=int))), "columns source and target", "0, 1, 2"),
    (lambda: bv.costs.bridge(X, X, np.ma.masked_equal(PAIRS, 0)), "'pairs' of bridge()", "masked array"),
    (lambda: bv.costs.bridge(X, X, [[0.5, 1]]), "whole row numbers", "float64"),
    (lambda: bv.costs.bridge(X, X, [["a", "b"]]), "whole row numbers", "<U1"),
    (lambda: bv.Pairs([[0, 4]], shape=(3, 4)), "'index' of Pairs()", "target row 4"),
    (lambda: bv.Problem(SPACE, SPACE, truth=[[0, 7]]), "'truth' of Problem()", "target row 7"),
    (lambda: bv.Problem(SPACE, SPACE, truth=[[1, 1], [1, 1]]), "'truth' of Problem()", "free of repeats"),
    (lambda: bv.Problem(X, SPACE), "'source' of Problem()", "a Space", "bv.Space(x)"),
    (lambda: bv.Problem(SPACE, SPACE, test=3), "'test' of Problem()", "a Problem", "Got 3"),
    (
        lambda: bv.Problem(SPACE, SPACE, test=bv.Problem(SPACE, bv.Space(X[:, :2]))),
        "'test' of Problem()", "(3, 3) dimensions", "(3, 2)",
    ),
    # draws
    (lambda: PLAIN.sample_pairs(0.5), "sample_pairs() needs known pairs", "truth=pairs"),
    (lambda: PROBLEM.sample_pairs(), "one of 'fraction' and 'count'", "neither"),
    (lambda: PROBLEM.sample_pairs(0.5, count=2), "one of 'fraction' and 'count'", "both"),
    (lambda: PROBLEM.sample_pairs(1.5), "'fraction' of sample_pairs()", "[0, 1]", "Got 1.5"),
    (lambda: PROBLEM.sample_pairs("half"), "'fraction' of sample_pairs()", "a float in [0, 1]", "Got 'half'"),
    (lambda: PROBLEM.sample_pairs(True), "'fraction' of sample_pairs()", "Got True"),
    (lambda: PROBLEM.sample_pairs(0.01), "'fraction' of sample_pairs()", "large enough for one pair", "Got 0.01"),
    (lambda: PROBLEM.sample_pairs(count=5), "'count' of sample_pairs()", "from 0 to 4", "Got 5"),
    (lambda: PROBLEM.sample_pairs(count=-1), "'count' of sample_pairs()", "Got -1"),
    (lambda: PROBLEM.sample_pairs(count=2, cover_classes=True), "'count' of sample_pairs()", "3 pairs", "Got 2 pairs"),
    (lambda: PROBLEM.sample_pairs(0.25, cover_classes=True), "'fraction' of sample_pairs()", "3 pairs", "Got 1 pairs"),
    (lambda: PROBLEM.sample_pairs(0.5, seed=-1), "'seed' of sample_pairs()", "integer from 0 to", "Got -1"),
    (
        lambda: bv.Problem(bv.Space(X), SPACE, truth=PAIRS).sample_pairs(0.5, cover_classes=True),
        "cover_classes=True", "needs source labels",
    ),
    # epsilon, tau, scale, tolerance, sizes
    (lambda: bv.couplings.linear(COST, epsilon=0), "'epsilon' of linear() must be a float > 0", "Got 0"),
    (lambda: bv.couplings.linear(COST, epsilon=-1), "'epsilon' of linear() must be a float > 0", "Got -1"),
    (lambda: bv.couplings.linear(COST, epsilon=float("nan")), "'epsilon' of linear()", "Got nan"),
    (lambda: bv.couplings.linear(COST, epsilon="1"), "'epsilon' of linear()", "Got '1'"),
    (lambda: bv.couplings.local(COST, epsilon=0.0), "'epsilon' of local() must be a float > 0", "Got 0.0"),
    (lambda: bv.couplings.linear(COST, tau=(0, 1)), "'tau' of linear()", "(0, 1]", "Got 0"),
    (lambda: bv.couplings.linear(COST, tau=(1.0, 1.2)), "'tau' of linear()", "(0, 1]", "Got 1.2"),
    (lambda: bv.couplings.linear(COST, tau=0.9), "'tau' of linear()", "two floats", "Got 0.9"),
    (lambda: bv.couplings.local(COST, tau=(-0.5, 1)), "'tau' of local()", "(0, 1]", "Got -0.5"),
    (lambda: bv.couplings.linear(COST, scale_cost=0), "'scale_cost' of linear()", "> 0", "Got 0"),
    (lambda: bv.couplings.linear(COST, tolerance=0), "'tolerance' of linear()", "> 0"),
    (lambda: bv.couplings.linear(COST, max_iterations=0), "'max_iterations' of linear()", ">= 1", "Got 0"),
    (lambda: bv.couplings.local(COST, batch_size=1), "'batch_size' of local()", ">= 2", "Got 1"),
    (lambda: PLAN.sample(0, 0), "'size' of sample()", ">= 1", "Got 0"),
    (lambda: PLAN.sample(-1, 1), "'seed' of sample()", "from 0 to", "Got -1"),
    (lambda: PLAN.row(6), "'i' of row()", "from 0 to 5", "Got 6"),
    (lambda: EMPTY_PLAN.sample(0, 2), "'plan' of sample()", "with mass", "mass 0"),
    (lambda: bv.costs.diffusion_bridge(X, X, PAIRS, k=0), "'k' of diffusion_bridge()", ">= 1", "Got 0"),
    (lambda: bv.costs.diffusion_bridge(X, X, PAIRS, k=3, a=1.0), "'a' of diffusion_bridge()", "to 0.9999", "Got 1.0"),
    (lambda: bv.costs.diffusion_bridge(X, X, PAIRS, k=3, a=0), "'a' of diffusion_bridge()", "0.001 to 0.9999", "Got 0"),
    # unknown names
    (lambda: bv.load("cifar"), "'name' of load()", "'digits'", "Got 'cifar'"),
    (lambda: bv.load("mnits"), "'name' of load()", "Did you mean 'mnist'?"),
    (lambda: bv.load("blobs", spread=1), "load() has no option 'spread'", "n, classes, overlap, seed"),
    (lambda: bv.load("blobs", overlp=1), "load() has no option 'overlp'", "Did you mean 'overlap'?"),
    (lambda: bv.datasets.fetch("x"), "'name' of fetch()", "one of", "Got 'x'"),
    (lambda: next(bv.datasets.pretrain("blobs")), "nothing to train for 'blobs'", "mnist"),
    (lambda: bv.costs.bridge(X, X, PAIRS, metric="cosin"), "'metric' of bridge()", "Did you mean 'cosine'?"),
    (lambda: bv.costs.bridge(X, X, PAIRS, metric=X), "'metric' of bridge()", "an array of shape (6, 3)"),
    (lambda: bv.costs.diffusion_bridge(X, X, PAIRS, k=2, metric="l1"), "'metric' of diffusion_bridge()", "Got 'l1'"),
    (lambda: bv.RunConfig(cost="bridges"), "'cost' of RunConfig()", "Did you mean 'bridge'?"),
    (lambda: bv.RunConfig(metric="l2"), "'metric' of RunConfig()", "'pearson'", "Got 'l2'"),
    (lambda: bv.RunConfig(strategy="glob"), "'strategy' of RunConfig()", "'true', 'global', 'local'"),
    (lambda: bv.RunConfig(solver="fgww"), "'solver' of RunConfig()", "one of", "Got 'fgww'"),
    (lambda: bv.RunConfig(velocity="adaln"), "'velocity' of RunConfig()", "'adaln-small'"),
    (lambda: bv.FlowConfig(ema=1.0), "'ema' of FlowConfig()", "a decay in (0, 1)", "Got 1.0"),
    (lambda: bv.FlowConfig(reweight="yes"), "'reweight' of FlowConfig()", "True or False", "Got 'yes'"),
    (lambda: bv.FlowConfig(precision="float16"), "'precision' of FlowConfig()", "'bfloat16'", "Got 'float16'"),
    (lambda: bv.FlowConfig(velocity=["adaln"]), "'velocity' of FlowConfig()", "Got ['adaln']"),
    # configs
    (lambda: bv.RunConfig(epsilon=0), "'epsilon' of RunConfig()", "> 0", "Got 0"),
    (lambda: bv.RunConfig(tau=(2, 1)), "'tau' of RunConfig()", "(0, 1]", "Got 2"),
    (lambda: bv.RunConfig(fraction=0), "'fraction' of RunConfig()", "(0, 1]", "Got 0"),
    (lambda: bv.RunConfig(fraction=None), "'fraction' of RunConfig()", "unless 'count'"),
    (lambda: bv.RunConfig(count=0), "'count' of RunConfig()", ">= 1", "Got 0"),
    (lambda: bv.RunConfig(options=5), "'options' of RunConfig()", "a dict", "Got 5"),
    (lambda: bv.RunConfig(steps=0), "'steps' of RunConfig()", ">= 1", "Got 0"),
    (lambda: bv.RunConfig.from_dict({"colour": "red"}), "RunConfig() has no option 'colour'", "dataset"),
    (lambda: bv.RunConfig.from_dict({"tau": 5}), "'tau' of RunConfig()", "two floats", "Got 5"),
    (lambda: bv.FlowConfig(steps=1.5), "'steps' of FlowConfig()", "integer >= 1", "Got 1.5"),
    (lambda: bv.FlowConfig(batch_size=1), "'batch_size' of FlowConfig()", ">= 2", "Got 1"),
    (lambda: bv.FlowConfig(learning_rate=0), "'learning_rate' of FlowConfig()", "> 0", "Got 0"),
    (lambda: bv.FlowConfig(learning_rate=float("inf")), "'learning_rate' of FlowConfig()", "Got inf"),
    (lambda: bv.FlowConfig(seed=-1), "'seed' of FlowConfig()", "from 0 to 4294967295", "Got -1"),
    (lambda: bv.FlowConfig(seed=2**32), "'seed' of FlowConfig()", "Got 4294967296"),
    (lambda: bv.RunConfig(reverse="no"), "'reverse' of RunConfig()", "True or False", "Got 'no'"),
    (lambda: bv.RunConfig.from_dict(None), "dict of settings", "Got None"),
    (lambda: bv.run({"dataset": "blobs"}), "'config' of run()", "a RunConfig"),
    (lambda: bv.run(bv.RunConfig(dataset="yours")), "'problem' of run()", "Pass problem="),
    (lambda: flow(x=1e30 * X), "'x' of transport()", "standard deviations"),
    (lambda: bv.Space(X, labels=["a", None, "b", "a", "b", "a"]), "'labels' of Space()", "none in row 1"),
    (lambda: bv.couplings.linear([[1.0, -1.0], [-1.0, 1.0]]), "'cost' of linear()", "nowhere negative"),
    (lambda: bv.FlowConfig(chunk_size=0), "'chunk_size' of FlowConfig()", ">= 1", "Got 0"),
    # training, transport and runs
    (lambda: bv.flows.fit(SPACE, PLAN), "'problem' of fit()", "a Problem", "Space"),
    (lambda: bv.flows.fit(PROBLEM, COST), "'plan' of fit()", "a coupling", "array of shape (6, 6)"),
    (lambda: bv.flows.fit(PROBLEM, PLAN, {"steps": 3}), "'config' of fit()", "a FlowConfig", "{'steps': 3}"),
    (lambda: bv.flows.fit(PROBLEM, EMPTY_PLAN), "'plan' of fit()", "with mass", "mass 0"),
    (
        lambda: bv.flows.fit(PROBLEM, bv.couplings.true(PAIRS, shape=(6, 5))),
        "'plan' of fit()", "shape (6, 6)", "shape (6, 5)",
    ),
    (lambda: flow(x=X[:, :2]), "'x' of transport()", "3 columns", "shape (6, 2)"),
    (lambda: flow(x=NAN), "'x' of transport()", "nan at row 4"),
    (lambda: flow(ts=(0.5, 0.5)), "'ts' of transport()", "increasing times in [0, 1]"),
    (lambda: flow(ts=(0.0, 2.0)), "'ts' of transport()", "increasing times in [0, 1]"),
    (lambda: flow(ts=()), "'ts' of transport()", "increasing times"),
    (lambda: flow(ts="all"), "'ts' of transport()", "increasing times", "Got 'all'"),
    (lambda: flow(ts=0.5), "'ts' of transport()", "such as (0.0, 1.0)", "Got 0.5"),
    (lambda: flow(solver="euler"), "'solver' of transport()", "'heun', 'rk4', 'tsit5'", "Got 'euler'"),
    (lambda: flow(steps=0), "'steps' of transport()", ">= 1", "Got 0"),
    (lambda: flow(tolerance=-1.0), "'tolerance' of transport()", "> 0", "Got -1.0"),
    (lambda: flow(seed=1.0), "'seed' of transport()", "integer", "Got 1.0"),
    (lambda: bv.run(bv.RunConfig(steps=2), problem=X), "'problem' of run()", "a Problem", "array"),
    (lambda: bv.run(bv.RunConfig(steps=2), problem=PROBLEM, pairs=[[0, 9]]), "'pairs' of run()", "target row 9"),
    (lambda: bv.run(bv.RunConfig(steps=2, reverse=True), problem=PROBLEM, pairs=[1, 2]), "'pairs' of run()", "(l, 2)"),
    (lambda: bv.run(bv.RunConfig(steps=2), problem=PLAIN), "sample_pairs() needs known pairs"),
    (lambda: bv.RunConfig(dataset="cifar"), "'dataset' of RunConfig()", "Got 'cifar'"),
    # datasets' own options
    (lambda: bv.load("blobs", n=3), "'n' of load()", "from 20", "Got 3"),
    (lambda: bv.load("blobs", classes=9), "'classes' of load()", "from 2 to 5", "Got 9"),
    (lambda: bv.load("blobs", overlap=2), "'overlap' of load()", "[0, 1]", "Got 2"),
    (lambda: bv.load("swiss-roll", noise=-1), "'noise' of load()", ">= 0", "Got -1"),
    (lambda: bv.load("digits", features="cnn"), "'features' of load()", "'pca', 'vae'", "Got 'cnn'"),
    (lambda: bv.load("digits", latents=65), "'latents' of load()", "from 2 to 64", "Got 65"),
    (lambda: bv.load("mnist", n=10_001), "'n' of load()", "10000", "Got 10001"),
    (lambda: bv.load("mnist", codes="all"), "'codes' of load()", "'mean', 'sampled'", "Got 'all'"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "fragments"), [(call, fragments) for call, *fragments in WRONG], ids=[case[1] for case in WRONG]
)
def test_the_message_names_the_argument_what_was_expected_and_what_was_passed(call, fragments):
    with pytest.raises(bv.InputError) as caught:
        call()
    message = str(caught.value)
    for fragment in fragments:
        assert fragment in message
    assert "\n" not in message
    assert len(message) < 400
    assert message.endswith((".", "?"))
    assert isinstance(caught.value, ValueError)


def test_a_data_set_whose_files_are_missing(monkeypatch, tmp_path):
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path))
    monkeypatch.setattr("bridgeviz.datasets.paths.shipped", lambda: tmp_path)
    with pytest.raises(bv.DataMissing, match=r"latents of MNIST are not here. Run `bridgeviz fetch mnist`"):
        bv.load("mnist")
