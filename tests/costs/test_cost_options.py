"""Costs as dataclasses of options: the same numbers as the functions, one registry line per cost, light imports."""

from __future__ import annotations

import inspect
import subprocess
import sys
from dataclasses import dataclass, replace

import numpy as np
import pytest

from bridgeviz import costs
from bridgeviz._checks import InputError
from bridgeviz._options import Positive, option, options_of, pick

HEAVY = ("jax", "flax", "optax", "orbax", "ott", "diffrax", "sklearn", "pandas", "scipy.sparse.csgraph")


@pytest.mark.parametrize("name", costs.COSTS)
def test_the_function_and_the_options_are_one_cost(name, spaces):
    x, y, pairs = spaces(0, 20, 15, 3, 4, 5)
    cls, function = costs.COSTS[name], getattr(costs, name)
    assert cls.name == function.__name__ == name
    assert function.__doc__ == cls.__doc__
    keywords = list(inspect.signature(function).parameters.items())
    assert [key for key, _ in keywords[:3]] == ["x", "y", "pairs"]
    assert {key: about.default for key, about in keywords[3:]} == {
        key: about.default for key, about in options_of(cls).items()
    }
    for variant in cls.variants:
        build = cls(**variant.options)
        assert build.changed() == variant.options
        np.testing.assert_array_equal(build(x, y, pairs).dense(), function(x, y, pairs, **variant.options).dense())
        assert build(x, y, pairs).name == name


@pytest.mark.parametrize("name", costs.COSTS)
def test_every_cost_describes_itself(name):
    cls = costs.COSTS[name]
    assert cls.summary
    assert cls.lead.endswith(".")
    assert any(variant.title for variant in cls.variants)
    for about in options_of(cls).values():
        assert about.help.endswith(".")
        for stop in about.stops:
            value = None if stop == about.word else about.kind.check(type(about.kind.limits[0])(float(stop)), "a", "b")
            assert about.limits is None or value is None or about.limits[0] <= value <= about.limits[1]


def test_options_compare_and_hash_by_their_values():
    assert costs.KNN(k=np.int64(5)) == costs.KNN(k=5) != costs.KNN()
    assert len({costs.KNN(k=5), costs.KNN(k=5), costs.KNN(), costs.DiffusionBridge(k=5)}) == 3
    assert replace(costs.DiffusionBridge(a=0.9), k=3).changed() == {"a": 0.9, "k": 3}
    assert costs.KCCA(gamma=[1, 2]).gamma == (1.0, 2.0)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: costs.KNN(form="path", t=1.0), r"'t' of knn\(\) must be None with form 'path', which has no heat"),
        (lambda: costs.KNN(form="paths"), r"'form' of knn\(\) must be one of 'heat', 'path'.* Did you mean 'path'"),
        (lambda: costs.DiffusionBridge(form="profile", strongest=3), r"'strongest' of diffusion_bridge\(\) .*profile"),
        (lambda: costs.GeodesicBridge(power=0.4), r"'power' of geodesic_bridge\(\) must be a float >= 0.5. Got 0.4"),
        (lambda: costs.GeodesicBridge(k=None), r"'k' of geodesic_bridge\(\) must be an integer >= 1. Got None"),
        (lambda: costs.KCCA(gamma=(1.0, 0.0)), r"'gamma' of kcca\(\) must be a float > 0"),
        (lambda: costs.KCCA(gamma=(1.0,)), r"'gamma' of kcca\(\) must be two floats > 0: \(gamma_x, gamma_y\)"),
        (lambda: costs.Bridge(metric="cosin"), r"'metric' of bridge\(\) .* Did you mean 'cosine'"),
    ],
)  # fmt: skip
def test_options_out_of_range_are_refused_when_they_are_set(build, message):
    with pytest.raises(InputError, match=message):
        build()


@dataclass(frozen=True, kw_only=True)
class Doubled(costs.CostOptions):
    """The bridge cost times a factor."""

    name = "doubled_bridge"
    factor: float = option(Positive(), 2.0, help="The factor.")

    def build(self, x, y, pairs):
        return costs.as_cost(self.factor * costs.bridge(x, y, pairs, metric=self.metric).dense(), self.name)


def test_a_new_cost_needs_one_class_and_one_line(monkeypatch, spaces):
    x, y, pairs = spaces(1, 9, 8, 3, 2, 3)
    assert costs.CostOptions.variants == ()
    assert Doubled.variants == (costs.CostVariant({}, title="doubled bridge"),)
    monkeypatch.setitem(costs.COSTS, "doubled_bridge", Doubled)
    arguments = {"metric": "sqeuclidean", "factor": 3, "k": 5}
    member = pick(costs.COSTS, "doubled_bridge", arguments, "cost", "run", costs.CostOptions)
    assert member == Doubled(metric="sqeuclidean", factor=3.0)
    expected = 3 * costs.bridge(x, y, pairs, metric="sqeuclidean").dense()
    np.testing.assert_array_equal(member(x, y, pairs).dense(), expected)
    np.testing.assert_array_equal(
        costs.functional(Doubled)(x, y, pairs, metric="sqeuclidean", factor=3).dense(), expected
    )


def test_import_and_numpy_input_need_no_jax():
    code = f"""
import sys
from bridgeviz import costs
assert not [name for name in {HEAVY} if name in sys.modules], "after the import"
for build in (costs.bridge, costs.kcca):
    build([[1.0], [2.0], [4.0]], [[1.0], [2.0]], [[0, 0], [1, 1]], metric="sqeuclidean").dense()
costs.Within([[1.0], [2.0]], metric="sqeuclidean").dense()
assert not [name for name in {HEAVY} if name in sys.modules], "after building costs"
costs.geodesic_bridge([[1.0], [2.0], [4.0]], [[1.0], [2.0]], [[0, 0], [1, 1]], metric="sqeuclidean").dense()
assert "jax" not in sys.modules, "after building a graph"
costs.Chords
assert "jax" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
