"""Does a disentangled source align better? The paper's third open question, on VAEs of MNIST with several betas."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from bridgeviz import couplings, metrics
from bridgeviz._checks import DataMissing
from bridgeviz.costs import bridge, diffusion_bridge
from bridgeviz.datasets import DatasetOptions, Mnist
from bridgeviz.experiments.benchmarks._benchmark import FigureBenchmark, Task, median_and_range
from bridgeviz.experiments.benchmarks._ledger import Row
from bridgeviz.problem import Problem, Space

if TYPE_CHECKING:
    from bridgeviz.encoders.training import VAEConfig

BETAS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
FRACTIONS = (0.001, 0.01, 0.1)
TRAINED_ON = 10_000
EPOCHS = 8
SAME = 0.1
"""The rank correlation below which a relation counts as none."""


@dataclass(frozen=True, kw_only=True)
class Disentanglement(FigureBenchmark):
    """VAEs of pictures whose KL divergence weighs beta, and how well their latents align with label codes.

    Attributes:
        dataset: the label codes and the digits that are aligned.
        betas: weights of the KL divergence.
        fractions: shares of the known pairs.
        trained_on: pictures that the VAEs learn from, none of which is aligned.
        epochs: of the training.
    """

    takes = ("workers",)
    dataset: DatasetOptions = field(default_factory=Mnist)
    betas: tuple[float, ...] = BETAS
    fractions: tuple[float, ...] = FRACTIONS
    trained_on: int = TRAINED_ON
    epochs: int = EPOCHS

    @property
    def block(self) -> str:
        return "disentanglement"

    def tasks(self, seeds: int) -> Iterator[Task]:
        for seed in range(seeds):
            for beta in self.betas:
                yield Task({"beta": beta, "seed": seed}, partial(self._measure, beta, seed))

    def _measure(self, beta: float, seed: int) -> Iterator[Row]:
        from bridgeviz.encoders.training import VAEConfig

        config = VAEConfig(epochs=self.epochs, kl_weight=beta, seed=seed)
        problem, about = self._encoded(config, seed)
        for fraction in self.fractions:
            pairs = problem.sample_pairs(fraction, seed=seed)
            labels = [np.asarray(space.labels) for space in (problem.source, problem.target)]
            accuracy = {}
            for name, make in (("bridge", bridge), ("diffusion_bridge", diffusion_bridge)):
                plan = couplings.linear(make(problem.source.x, problem.target.x, pairs))
                accuracy[name] = round(
                    metrics.matching_accuracy(plan, *labels), 4
                )  # fmt: skip
            yield {"fraction": fraction, **about, **accuracy}

    def _encoded(self, config: VAEConfig, seed: int) -> tuple[Problem, Row]:
        """The problem with the latents of a VAE as its source, and what they are like."""
        from flax import nnx

        from bridgeviz.datasets import _idx as idx
        from bridgeviz.datasets._mnist_vae import encode_images
        from bridgeviz.encoders.training import bernoulli_loss, fit_vae
        from bridgeviz.encoders.vae import ImageVAE

        folder = idx.folder()
        if folder is None:
            raise DataMissing("The pictures of MNIST are not here. Run `bridgeviz fetch mnist`.")
        images = idx.binarised(folder, "train")
        model = ImageVAE(rngs=nnx.Rngs(seed))
        *_, last = fit_vae(model, images[: self.trained_on], config, loss=bernoulli_loss)
        nnx.update(model, last.params)
        problem = self.dataset.load()
        labels = np.asarray(problem.source.labels)
        aligned = images[idx.TRAINED_ON :][: len(labels)]
        x, _ = encode_images(model, aligned)
        factors: dict[str, Any] = {"label": labels, **metrics.stroke_properties(aligned)}
        about = {
            "reconstruction": round(last.reconstruction, 2), "kl": round(last.kl, 2),
            "overlap": round(metrics.feature_overlap(x, labels, seed=seed), 4),
            "gap": round(metrics.mutual_information_gap(x, factors), 4),
            "dimensionality": round(metrics.effective_dimensionality(x), 3),
        }  # fmt: skip
        return replace(problem, source=Space(x, labels=labels), test=None), about

    def lines(self, rows: list[Row]) -> list[str]:
        row = rows[-1]
        accuracies = ", ".join(f"{100 * one['fraction']:g} %: {one['bridge']:.3f}" for one in rows)
        about = f"gap {row['gap']:.3f}, overlap {row['overlap']:.3f}"
        return [f"beta {row['beta']:g}, seed {row['seed']}: {about}; {accuracies}"]

    def table(self, rows: Any) -> str:
        """Medians by beta, and the rank correlations of accuracy with each measure: medians of those within a seed, the
        pairs of which are the same for every beta."""
        fractions = sorted(rows.fraction.unique())
        percent = " | ".join(f"bridge, {100 * fraction:g} %" for fraction in fractions)
        lines = [f"| beta | gap | overlap | dimensions | {percent} |", "|---" * (4 + len(fractions)) + "|"]
        several = bool(rows.seed.max())
        show = median_and_range if several else lambda values: f"{values.median():.3f}"
        for beta, part in rows.groupby("beta"):
            cells = [show(part[name]) for name in ("gap", "overlap", "dimensionality")]
            cells += [show(part[part.fraction == fraction].bridge) for fraction in fractions]
            lines.append(f"| {beta:g} | {' | '.join(cells)} |")
        found = [
            f"{100 * fraction:g} %: " + ", ".join(
                f"{name} {part.groupby('seed')[[name, 'bridge']].corr('spearman').iloc[::2, 1].median():+.2f}"
                for name in ("gap", "overlap", "dimensionality")
            )
            for fraction, part in rows.groupby("fraction")
        ]  # fmt: skip
        seeds = f"Medians over seeds 0 to {rows.seed.max()} (smallest to largest)" if several else "Seed 0 alone"
        note = f"{seeds}. Rank correlation of the accuracy, within a seed, with "
        return "\n".join([*lines, "", f"{note}each measure: {'; '.join(found)}. `bridgeviz bench disentanglement`."])
