"""The kinds of problem that are compared, in the order in which they are measured."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from bridgeviz.datasets import DatasetOptions, Mnist, SnareSeq, TinyImageNet, TwoEncoders, V4Cowley
from bridgeviz.experiments.benchmarks._kind import Classes, Draw, Kind, Neurons, OneToOne
from bridgeviz.experiments.benchmarks._kind_cases import AUTO, FLOWS, TRUE
from bridgeviz.problem import Problem, Space

NOISE = 0.05
"""The noise of the rotated copy, in standard deviations of the latents."""
ROTATED_ROWS = 2000


@dataclass(frozen=True, kw_only=True)
class Rotated(DatasetOptions):
    """Some latents of MNIST, and the same turned by a random orthogonal map and noised; row i belongs to row i."""

    name = "rotated-mnist"

    def load(self) -> Problem:
        rng = np.random.default_rng(0)
        x = Mnist().load().source.x.astype(np.float64)
        x = x[np.sort(rng.permutation(len(x))[:ROTATED_ROWS])]
        turn = np.linalg.qr(rng.normal(size=(x.shape[1], x.shape[1])))[0]
        y = x @ turn + NOISE * x.std() * rng.normal(size=x.shape)
        order = rng.permutation(len(x))  # the order of the rows says nothing
        truth = np.stack([order, np.arange(len(x))], axis=1)
        return Problem(Space(x), Space(y[order]), truth=truth, name=self.name)


@dataclass(frozen=True, kw_only=True)
class EfficientNetPictures(DatasetOptions):
    """The EfficientNet-Lite0 components of `two-encoders` against the sentence embeddings of the class names."""

    name = "efficientnet-lite0"

    def load(self) -> Problem:
        from bridgeviz.datasets._tiny_imagenet import text_of_classes
        from bridgeviz.datasets._two_encoders import ENCODERS, shipped_arrays

        arrays, text = shipped_arrays(), text_of_classes()
        x = np.asarray(arrays[next(iter(ENCODERS))], np.float32)
        labels, classes = (
            np.searchsorted(text["imagenet_index"], arrays["imagenet_index"]),
            np.arange(len(text["text"])),
        )
        y, test = text["text"].astype(np.float32)[labels], np.asarray(arrays["test"], bool)

        def part(rows: np.ndarray) -> Problem:
            spaces = [Space(points[rows], labels=labels[rows], classes=classes) for points in (x, y)]
            return Problem(*spaces, truth=np.stack([np.arange(len(spaces[0]))] * 2, axis=1), name=self.name)

        return replace(part(~test), test=part(test))


def _percent(*values: int) -> tuple[Draw, ...]:
    return tuple(Draw(label=f"{value} %", fraction=value / 100) for value in values)


def _counts(*values: int) -> tuple[Draw, ...]:
    return tuple(Draw(label=f"{value:,} pairs", count=value) for value in values)


_BOTH = ("flow", "flow on a linear map")


def _tiny(*percent: int) -> dict[str, Any]:
    """What the kinds with 202 classes have in common: at 1 % most have no pair, so tau of the target matters."""
    return {
        "draws": _percent(*percent), "taus": (1.0, 0.9), "flows": (TRUE, AUTO),
        "flow_variants": tuple(FLOWS), "flow_seeds": 2,
    }  # fmt: skip


KINDS: dict[str, Kind] = {
    kind.name: kind
    for kind in (
        Classes(
            name="mnist", title="MNIST: latents of digits against label codes", dataset=Mnist(),
            draws=(Draw(label="10 pairs, one per class", count=10, cover=True), *_percent(1)),
            flows=(AUTO,),
        ),
        OneToOne(
            name="two-encoders", title="Two encoders of the same pictures", dataset=TwoEncoders(),
            draws=_counts(0, 20, 100, 1000),
        ),
        OneToOne(
            name="snare-seq", title="Chromatin and genes of the same cells", dataset=SnareSeq(),
            draws=_counts(0, 10, 50, 100),
        ),
        Neurons(
            name="v4", title="V4 neurons, session 201025", dataset=V4Cowley(), draws=_percent(20, 80, 100),
            flows=(TRUE,), flow_variants=_BOTH,
        ),
        OneToOne(
            name="rotated-mnist", title="A rotated, noised copy of MNIST's latents", dataset=Rotated(),
            draws=_counts(10),
        ),
        Classes(
            name="efficientnet-lite0", title="Tiny-ImageNet, EfficientNet-Lite0 (192 components) against class names",
            dataset=EfficientNetPictures(), **_tiny(1, 5, 20, 100),
        ),
        Classes(
            name="mobilenet-v2", title="Tiny-ImageNet, MobileNetV2 (256 components) against class names",
            dataset=TinyImageNet(), **_tiny(1, 5, 20, 100),
        ),
        Classes(
            name="mobilenet-v2-full", title="Tiny-ImageNet, all 1,280 features of MobileNetV2 against class names",
            dataset=TinyImageNet(features="full"), **_tiny(100),
        ),
    )
}  # fmt: skip
"""The kinds by name."""
