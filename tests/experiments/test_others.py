"""What other methods reached on the same data, looked up in the rows that were measured."""

from __future__ import annotations

import pandas as pd
import pytest

import bridgeviz as bv
from bridgeviz.datasets import Blobs, Mnist, TinyImageNet, TwoEncoders, V4Cowley, paths
from bridgeviz.experiments import others
from bridgeviz.experiments.benchmarks._kind_list import KINDS


@pytest.fixture(scope="module")
def rows():
    return pd.read_csv(paths.shipped() / "benchmarks" / "kinds.csv")


@pytest.mark.parametrize(
    ("dataset", "pairs", "known", "number", "column", "label"),
    [
        (Mnist(), 8, 10_000, "test_accuracy", "test", "10 pairs, one per class"),
        (Mnist(), 5_000, 10_000, "test_accuracy", "test", "1 %"),
        (TinyImageNet(), 300, 5_000, "test_accuracy", "test", "5 %"),
        (TwoEncoders(), 0, 4_000, "plan_foscttm", "foscttm", "0 pairs"),
        (TwoEncoders(), 60, 4_000, "plan_foscttm", "foscttm", "100 pairs"),
        (V4Cowley(), 1_000, 1_000, "test_prediction_error", "error", "100 %"),
    ],
)
def test_the_nearest_number_of_pairs_is_found_and_its_methods_are_sorted(
    rows, dataset, pairs, known, number, column, label
):
    found = others(dataset, pairs=pairs, known=known, numbers={number, "matching_accuracy"})
    assert (found.pairs, found.number) == (label, number)
    part = rows[(rows.kind == found.kind) & (rows.pairs == label)].dropna(subset=[column])
    if "failed" in part:
        part = part[part.failed.isna()]
    assert found.medians == pytest.approx(part.groupby("method")[column].median().to_dict())
    values = list(found.medians.values())
    assert values == sorted(values, reverse=found.higher)
    assert found.higher is (column == "test")
    assert found.rivals == set(part[part.rival.astype(bool)].method)
    assert found.best_rival == next(name for name in found.medians if name in found.rivals)
    assert found.automatic is None or found.automatic.startswith("automatic")


def test_without_a_common_number_or_a_measurement_there_is_nothing():
    assert others(Blobs(), pairs=10, known=100, numbers={"test_accuracy"}) is None
    assert others(TwoEncoders(), pairs=10, known=100, numbers={"test_accuracy"}) is None
    assert others(Mnist(), pairs=10, known=100, numbers={"matching_accuracy"}).number == "matching_accuracy"


def test_a_run_of_the_app_on_measured_data_is_compared_by_the_same_dataset_object():
    for kind in KINDS.values():
        if kind.dataset.name in bv.datasets.DATASETS:
            assert bv.RunConfig(dataset=kind.dataset).data.dataset == kind.dataset
