"""How fast flows are trained and followed, beside other training loops in the same run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from bridgeviz.datasets import DatasetOptions, Mnist
from bridgeviz.experiments.benchmarks._benchmark import Benchmark, Task
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.flows import PRECISIONS

if TYPE_CHECKING:
    import pandas as pd

    from bridgeviz.experiments.benchmarks._flow_timings import Case


@dataclass(frozen=True, kw_only=True)
class FlowBenchmark(Benchmark):
    """Time per training step, time outside the network, time of transport, and accuracy by precision.

    The rows are compared with each other, so all of them are measured in one run.

    Attributes:
        dimensions: (p, q) of source and target by name.
        chunks: the velocity fields, and the training steps of a timed chunk of each.
        batch_size: pairs per step.
        rounds: of timing; each round times every loop once.
        rows: rows per side of the random points to learn from.
        many_rows: the same for the time to the first losses and for transport.
        dataset: the labelled data set on which the precisions are compared.
        accuracy_steps: training steps of that comparison.
        accuracy_seeds: its number of seeds.
    """

    resumes = False
    dimensions: Mapping[str, tuple[int, int]] = field(
        default_factory=lambda: {"MNIST": (16, 4), "ImageNet": (768, 384)}
    )
    chunks: Mapping[str, int] = field(default_factory=lambda: {"adaln-small": 50, "adaln-medium": 20, "adaln-large": 2})
    batch_size: int = 256
    rounds: int = 7
    rows: int = 2000
    many_rows: int = 10_000
    dataset: DatasetOptions = field(default_factory=Mnist)
    accuracy_steps: int = 1000
    accuracy_seeds: int = 5

    @property
    def block(self) -> str:
        import jax

        return "flows-gpu" if jax.default_backend() == "gpu" else "flows"

    def cases(self, *, velocities: int | None = None) -> Iterator[Case]:
        """Dimensions x velocity fields, of which only the first few with `velocities`."""
        from bridgeviz.experiments.benchmarks._flow_timings import Case

        for kind, (p, q) in self.dimensions.items():
            for velocity, chunk in list(self.chunks.items())[:velocities]:
                yield Case(
                    kind=kind, p=p, q=q, velocity=velocity, chunk=chunk, batch_size=self.batch_size,
                    rounds=self.rounds, rows=self.rows,
                )  # fmt: skip

    def tasks(self, seeds: int) -> Iterator[Task]:
        import bridgeviz.experiments.benchmarks._flow_timings as timings

        first = next(self.cases())
        for case in self.cases():
            yield Task({"group": "step"}, partial(timings.step_times, case))
        for case in self.cases(velocities=2):
            yield Task({"group": "outside"}, partial(timings.share_outside_network, case))
        yield Task({"group": "second run"}, partial(timings.time_to_first_losses, first, self.many_rows))
        yield Task({"group": "transport"}, partial(timings.transport_times, first, self.many_rows))
        for precision in PRECISIONS:
            yield Task({"group": "test accuracy"}, partial(self._accuracy, precision))
        if self.block == "flows-gpu":
            for precision in PRECISIONS:
                yield Task({"group": "gpu"}, partial(timings.long_training, *self.dimensions["ImageNet"], precision))

    def _accuracy(self, precision: str) -> list[Row]:
        from bridgeviz.experiments.benchmarks._flow_timings import accuracies

        problem = self.dataset.load()
        return accuracies(problem, precision, steps=self.accuracy_steps, seeds=self.accuracy_seeds)

    def lines(self, rows: list[Row]) -> list[str]:
        return [
            f"{row['what']}: {row['value']:.4g} {row['unit']}" + (f" ({row['note']})" if row["note"] else "")
            for row in rows
        ]

    def table(self, rows: pd.DataFrame) -> str:
        """Medians and ranges."""
        lines = ["| what | median (smallest to largest) | |", "|---|---|---|"]
        for row in rows.fillna({"note": ""}).to_dict("records"):
            spread = f"{row['value']:.3g} {row['unit']} ({row['least']:.3g} to {row['most']:.3g})"
            lines.append(f"| {row['group']}: {row['what']} | {spread} | {row['note']} |")
        note = f"{rows.machine.iloc[0]}; {rows.device.iloc[0]}; batch size {self.batch_size}; {self.rounds} rounds."
        return "\n".join([*lines, "", note])
