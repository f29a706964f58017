"""The benchmarks with small settings: what they measure, keep and write, and what of it is up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.baselines import BASELINES, BaselineOptions, Fitted
from bridgeviz.costs import COSTS, Bridge, CostVariant
from bridgeviz.datasets import Blobs, V4Cowley, paths
from bridgeviz.experiments import benchmarks
from bridgeviz.experiments.benchmarks import BENCHMARKS, Ledger, _costs, write_block
from bridgeviz.experiments.figures import FIGURES, IMAGES

SMALL_COSTS = {"dataset": Blobs(n=60), "title": "blobs", "tolerance": 1e-2, "alphas": (0.25, 0.5), "show_tau": True}


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "benchmarks.md"
    blocks = [f"before\n<!-- bench {n} -->\nold\n<!-- end of bench {n} -->\n" for n in ("flows", "costs")]
    path.write_text("".join(blocks) + "after\n")
    return path


@pytest.fixture
def small_costs(monkeypatch):
    """The benchmark of costs on two fractions of the blobs, with two costs and two baselines."""
    costs, baselines = _costs.cost_cases(), _costs.baseline_cases()
    monkeypatch.setattr(_costs, "cost_cases", lambda: {name: costs[name] for name in ("bridge", "KCCA")})
    two = {name: baselines[name] for name in ("ridge", "nearest class mean")}
    monkeypatch.setattr(_costs, "baseline_cases", lambda: two)
    benchmark = replace(BENCHMARKS["costs"], fractions=(0.2, 0.4), **SMALL_COSTS)
    monkeypatch.setitem(BENCHMARKS, "costs", benchmark)
    return benchmark


def test_the_short_table_is_written_where_its_block_stands(tmp_path, document, small_costs, monkeypatch):
    monkeypatch.setattr(_costs, "SHORT", (0.4,))
    short = tmp_path / "README.md"
    short.write_text("<!-- bench costs-short -->\n<!-- end of bench costs-short -->")
    list(benchmarks.measure("costs", seeds=1, folder=tmp_path, documents=[document, short]))
    table = pd.read_csv(tmp_path / "costs.csv")
    linear = table[(table.fraction == 0.4) & (table.solver == "linear") & (table.tau_y == 1)].set_index("case")
    ridge = table[(table.fraction == 0.4) & (table.case == "ridge")]
    text = short.read_text()
    assert f"| bridge | {linear.matching_accuracy['bridge']:.3f} |\n" in text
    assert f"| ridge | {ridge.matching_accuracy.item():.3f} |\n" in text
    assert "20 %" not in text
    assert "FGW" not in text


def test_rows_of_another_version_are_measured_again(tmp_path, document, small_costs, monkeypatch):
    list(benchmarks.measure("costs", seeds=1, folder=tmp_path, documents=[document]))
    table = pd.read_csv(tmp_path / "costs.csv")
    old = table.case == "ridge"
    table.assign(version=table.version.where(~old, "0.0.1")).to_csv(tmp_path / "costs.csv", index=False)
    lines = list(benchmarks.measure("costs", seeds=1, folder=tmp_path, documents=[document]))
    assert [line.partition(":")[0] for line in lines[:-1]] == ["ridge, 20 %, seed 0", "ridge, 40 %, seed 0"]
    again = pd.read_csv(tmp_path / "costs.csv")
    pd.testing.assert_frame_equal(
        again[again.case != "ridge"].reset_index(drop=True), table[~old].reset_index(drop=True)
    )
    assert set(again.version) == {bv.__version__}


def test_an_interrupted_benchmark_keeps_what_it_has_measured(tmp_path, document, small_costs):
    run = benchmarks.measure("costs", seeds=1, folder=tmp_path, documents=[document])
    first = next(run)
    run.close()
    assert set(pd.read_csv(tmp_path / "costs.csv").case) == {"bridge"}
    assert "old" in document.read_text()
    assert first not in list(benchmarks.measure("costs", seeds=1, folder=tmp_path, documents=[document]))


@dataclass(frozen=True, eq=False, kw_only=True)
class _FittedConstant(Fitted):
    y: np.ndarray

    def transport(self, x):
        return np.tile(self.y, (len(x), 1))


@dataclass(frozen=True, kw_only=True)
class _Constant(BaselineOptions):
    name = "first-target"
    summary = "the target row of the first pair"

    def fit(self, problem, pairs, *, seed=0):
        return _FittedConstant(target=problem.target, y=problem.target.x[pairs[0, 1]])


@dataclass(frozen=True, kw_only=True)
class _Far(Bridge):
    name = "far"
    variants = (CostVariant({}, title="far bridge"), CostVariant({"metric": "sqeuclidean"}))


def test_a_registered_cost_and_a_registered_baseline_have_rows(tmp_path, document, monkeypatch):
    monkeypatch.setitem(COSTS, "far", _Far)
    monkeypatch.setitem(BASELINES, "first-target", _Constant)
    costs = _costs.cost_cases
    monkeypatch.setattr(_costs, "cost_cases", lambda: {name: c for name, c in costs().items() if name == "far bridge"})
    baselines = _costs.baseline_cases()
    few = {name: baselines[name] for name in ("nearest class mean", "first target")}
    monkeypatch.setattr(_costs, "baseline_cases", lambda: few)
    benchmark = replace(BENCHMARKS["costs"], fractions=(0.2,), **SMALL_COSTS)
    list(benchmark.measure(seeds=1, folder=tmp_path, documents=[document]))
    text = document.read_text()
    assert "| far bridge: linear |" in text
    assert text.index("| nearest class mean |") < text.index("| first target |")


def test_the_cases_of_the_costs_are_those_of_the_paper_and_ours():
    assert list(_costs.cost_cases()) == [
        "bridge", "geodesic bridge", "diffusion bridge", "diffusion bridge, profile", "discriminant bridge",
        "Procrustes bridge", "Procrustes bridge, ridge map", "KNN, exact paths", "KNN, heat", "KCCA",
        "KCCA, shrinkage 0.01", "blend", "blend of diffusion and discriminant",
    ]  # fmt: skip
    assert {"ridge", "nearest class mean", "1-NN", "Poisson learning"} <= set(_costs.baseline_cases())


@pytest.mark.parametrize("number", [0, 15, "x", None])
def test_unknown_benchmarks_and_seeds_are_refused(number):
    with pytest.raises(bv.InputError, match=r"'name' of measure\(\) must be one of 'first-light', 'costs'"):
        next(benchmarks.measure(str(number)))
    if not isinstance(number, int) or number < 1:
        with pytest.raises(bv.InputError, match=r"'seeds' of measure\(\)"):
            next(benchmarks.measure("costs", seeds=number))


def test_a_ledger_reads_what_it_has_written(tmp_path):
    ledger = Ledger(tmp_path / "new" / "rows.csv")
    ledger.add([{"case": "a", "fraction": 0.1 + 0.2, "seed": 0, "value": 1 / 3, "note": ""}])
    ledger.add([{"case": "b", "fraction": 0.3, "seed": 1, "value": 2.0}])
    ledger.save()
    again = Ledger.open(ledger.path, is_current=lambda row: row["case"] != "c")
    assert again.holds({"case": "a", "fraction": 0.1 + 0.2, "seed": 0})
    assert not again.holds({"case": "a", "fraction": 0.3, "seed": 0})
    assert again.rows[0]["value"] == 1 / 3
    assert again.table(seeds=1).case.tolist() == ["a"]
    assert Ledger.open(ledger.path, is_current=lambda row: row["case"] == "b").table().case.tolist() == ["b"]
    assert Ledger.open(tmp_path / "none.csv", is_current=lambda _: True).rows == []


def test_a_block_is_replaced_in_every_document_that_has_it(tmp_path):
    texts = {
        "a": "x <!-- bench one -->old<!-- end of bench one --> y",
        "b": "<!-- bench two --><!-- end of bench two -->",
    }
    documents = [tmp_path / name for name in texts]
    for document in documents:
        document.write_text(texts[document.name])
    write_block("one", r"\1 new", documents=documents)
    assert documents[0].read_text() == "x <!-- bench one -->\n\\1 new\n<!-- end of bench one --> y"
    assert documents[1].read_text() == texts["b"]


def _shipped() -> list[Callable[[], tuple[benchmarks.Benchmark, int]]]:
    """The benchmarks whose CSV is shipped and resumed, and their number of seeds."""
    figures = {"figure-12": (FIGURES[12](dataset=IMAGES["mnist"]), 3), "figure-15": (FIGURES[15](), 5)}
    figures["figure-7"] = FIGURES[7](dataset=IMAGES["tiny-imagenet"]), 2
    for name, dataset in IMAGES.items():
        figures[f"figure-4, {name}"] = FIGURES[4](dataset=dataset), 1
        figures[f"figure-5, {name}"] = FIGURES[5](dataset=dataset), 5
    figures["figure-19"] = FIGURES[19](dataset=IMAGES["mnist"]), 5
    figures["figure-16"] = FIGURES[16](dataset=IMAGES["mnist"]), 5
    figures["figure-10"] = FIGURES[10](dataset=V4Cowley()), 5
    named = {name: (BENCHMARKS[name], 5) for name in ("first-light", "costs", "costs-tiny", "costs-snare-seq")}
    named["encoders"] = BENCHMARKS["encoders"], 3
    return [pytest.param(*entry, id=name) for name, entry in (named | figures).items()]


@pytest.mark.parametrize(("benchmark", "seeds"), _shipped())
def test_the_shipped_measurements_are_complete_and_shown(benchmark, seeds, tmp_path):
    """No case of data/benchmarks is measured in part, and the tables of docs/benchmarks.md show what is there.

    A cost or a baseline that was registered since has no rows yet, and no line in the tables.
    """
    ledger = benchmark.ledger()
    cases = {row.get("case") for row in ledger.rows}
    tasks = [task.key for task in benchmark.tasks(seeds) if task.key.get("case") in cases]
    assert tasks
    assert [key for key in tasks if not ledger.holds(key)] == []
    document = paths.shipped().parent / "docs" / "benchmarks.md"
    copy = tmp_path / document.name
    copy.write_text(document.read_text())
    assert benchmark.write(ledger, seeds=seeds, documents=[copy]) in document.read_text()
    assert copy.read_text() == document.read_text()
