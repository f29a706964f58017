"""The paper's figures as numbers, measured here and kept as Parquet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from bridgeviz import _checks as check
from bridgeviz._options import Variant
from bridgeviz.datasets import DATASETS, DatasetOptions, Mnist, TinyImageNet
from bridgeviz.experiments.benchmarks._benchmark import Benchmark
from bridgeviz.experiments.benchmarks._gromov import GromovFigure, gromov_flow
from bridgeviz.experiments.benchmarks._learning_curves import LearningCurves
from bridgeviz.experiments.benchmarks._neural_errors import NeuralErrors
from bridgeviz.experiments.benchmarks._overlap import OverlapFigure
from bridgeviz.experiments.benchmarks._overlapping_classes import OverlappingClasses
from bridgeviz.experiments.benchmarks._own_head import own_head
from bridgeviz.experiments.benchmarks._pair_curves import PairCurves
from bridgeviz.experiments.benchmarks._strategy_times import StrategyTimes
from bridgeviz.experiments.benchmarks._tuning_figure import TuningFigure
from bridgeviz.experiments.claims import COSTS_OF
from bridgeviz.experiments.sweeps._cluster import Workers


def _costs(dataset: DatasetOptions) -> Benchmark:
    """The benchmark of costs on a data set, which is what Fig. 6, 17 and 18 show."""
    from bridgeviz.experiments.benchmarks import BENCHMARKS

    return BENCHMARKS[COSTS_OF[dataset.name]]


def _tiny_by_pairs(dataset: DatasetOptions) -> Benchmark:
    """Fig. 8, with the encoder's own head where it can be measured."""
    return PairCurves(number=8, dataset=dataset, networks=("genot",), upper=own_head())


FIGURES: dict[int, Callable[..., Benchmark]] = {
    4: OverlappingClasses,
    5: OverlapFigure,
    6: _costs,
    7: LearningCurves,
    8: _tiny_by_pairs,
    9: partial(PairCurves, number=9, raw=Mnist(spaces="raw"), fractions=(0.001, 0.01, 0.05, 0.2, 1.0)),
    10: NeuralErrors,
    11: NeuralErrors,
    12: LearningCurves,
    15: GromovFigure,
    16: StrategyTimes,
    17: _costs,
    18: _costs,
    19: TuningFigure,
    20: TuningFigure,
}
"""The benchmarks by number of the figure; several numbers may stand for one measurement."""

IMAGES: dict[str, DatasetOptions] = {"mnist": Mnist(), "tiny-imagenet": TinyImageNet(features="full")}
EVERY = {**IMAGES, **{name: DATASETS[name] for name in ("two-encoders", "snare-seq")}}
NEURONS = {name: DATASETS[name] for name in ("v4-cowley", "majaj2015")}
CHOICES: dict[int, Mapping[str, DatasetOptions | type[DatasetOptions]]] = {
    4: dict(reversed(IMAGES.items())),
    5: IMAGES,
    6: EVERY,
    7: IMAGES,
    8: {"tiny-imagenet": TinyImageNet()},
    9: {"mnist": Mnist()},
    10: NEURONS,
    11: NEURONS,
    12: IMAGES,
    16: IMAGES,
    17: EVERY,
    18: EVERY,
    19: {"mnist": Mnist()},
    20: {"mnist": Mnist()},
}
"""The data sets by number of the figure, the default first; Fig. 15 is always about the Swiss roll."""


def measure(
    number: int,
    *,
    dataset: str | DatasetOptions | None = None,
    seeds: int = 5,
    folder: Path | None = None,
    documents: Sequence[Path] | None = None,
    workers: Workers | None = None,
) -> Iterator[str]:
    """Measure what is missing from a figure's CSV, and write its table.

    Args:
        number: of the figure: 4 to 12, or 15 to 20.
        dataset: a name in `CHOICES`, the first of which is the default, or a data set of that kind as an object: with
            labels and known pairs, or for 10 and 11 a recording.
        seeds: measure and show the seeds 0 .. seeds - 1.
        folder: of the rows; None takes the project's `data/results`.
        documents: files whose blocks of that name are replaced; None takes the project's README.md and
            docs/benchmarks.md.
        workers: that measure at the same time, for figures that time nothing; None measures one after another here.

    Yields:
        A line per measurement, then the table.

    Raises:
        InputError: an unknown number or name, or workers for a figure of times.
    """
    if number not in FIGURES:
        known = ", ".join(map(str, FIGURES))
        raise check.fail("number", "figure", f"one of {known}, which are measured here", check.describe(number))
    seeds = check.count(seeds, "seeds", "figure")
    options = {}
    if number in CHOICES:
        choices = CHOICES[number]
        name = next(iter(choices)) if dataset is None else dataset
        variants = Variant(choices, DatasetOptions)
        options["dataset"] = variants.member(variants.check(name, "dataset", "figure"))
    benchmark = FIGURES[number](**options)
    if workers is not None and "workers" not in benchmark.takes:
        raise check.fail("workers", "figure", f"left out for {number}, which measures times", workers)
    yield from benchmark.measure(seeds=seeds, folder=folder, documents=documents, workers=workers)


__all__ = ["FIGURES", "gromov_flow", "measure"]
