"""ImageNet as in the paper (Sec. 4, G.2, H.3): features of pictures against sentence embeddings of their classes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing, InputError
from bridgeviz._options import Choice, Count, Seed, Text, option
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.encoders import Progress, store
from bridgeviz.problem import Problem, Space

FOLDER, FILE = "imagenet", "features.npz"
LEAST_ROWS = 20
TO_ALIGN, TO_VALIDATE = 0.5, 0.1
"""Shares of the pictures; the others are for testing."""


@dataclass(frozen=True, kw_only=True)
class ImageNet(DatasetOptions):
    """Half of the pictures of a features file, each paired with the sentence of its class; 40 % (or 10 %) as `.test`.

    The file is made by `bridgeviz features imagenet` from any folder with one sub-folder per class. All pictures of a
    class share one target row, so couplings merge the target to one atom per class. Only the rows that are used are
    read from the file.

    Args:
        file: the features file; empty takes `imagenet/features.npz` in `$BRIDGEVIZ_DATA` or in the cache folder.
        layer: one of the layers in the file; empty takes the first.
        n: pictures to align, at most.
        test_rows: held-out pictures, at most.
        held_out: "test", 40 % of the pictures, or "validation", 10 % of them for choosing settings.
        seed: determines the draw of fewer pictures. The split itself is always the same.

    Raises:
        DataMissing: there is no such file.
        InputError: the file is damaged, or holds something else.
    """

    name = "imagenet"
    title = "ImageNet: features of your own copy's pictures against sentence embeddings of the class names"
    card = Card(
        source="ImageNet, Deng et al. (2009), or any folder of pictures with one sub-folder per class.",
        licence="ImageNet's terms: research only. Nothing but the names of its classes, which are facts, is shipped.",
        size="Half of the pictures to align and 40 % to test, at most 10,000 each by default.",
        made="`bridgeviz features imagenet --images DIR --vision MODEL --text MODEL --out FILE` on this machine.",
        cautions=(
            "The paper's ViT-Base and all 1.2 million pictures are not shipped, so its numbers need both from you.",
            "All pictures of a class share one target row: only its class can be right or wrong.",
            "Three of ImageNet's short names are not unique; they are 'crane bird', 'construction crane' and 'tank "
            "suit' here.",
        ),
        checksums={"imagenet/classes.csv": "f1d944e53cf4d1e163b47075b358c341821f6370a6725ff04dabd027efa6fcf3"},
    )
    file: str = option(Text("the path of a features file", empty=True), "", help="The features file.")
    layer: str = option(Text("the name of a layer", empty=True), "", help="A layer in the file; empty: the first.")
    n: int = option(Count(LEAST_ROWS), 10_000, help="Pictures to align, at most.")
    test_rows: int = option(Count(2), 10_000, help="Held-out pictures, at most.")
    held_out: str = option(Choice(("test", "validation")), "test", help="Which held-out pictures to test on.")
    seed: int = option(Seed(), 0, help="Seed of the draw of fewer pictures.")

    def load(self) -> Problem:
        arrays = self._arrays()
        rows, held_out = self._rows(len(arrays["labels"]))
        return self._problem(arrays, rows, self._problem(arrays, held_out, None))

    def head_accuracy(self) -> float | None:
        """The accuracy of the encoder's own head on the held-out pictures: the upper line of the paper's Fig. 8.

        None if the encoder has no head for ImageNet, or a class of the file is not one of ImageNet's.
        """
        arrays = self._arrays()
        index = arrays["imagenet_index"]
        if "head" not in arrays or (index < 0).any():
            return None
        rows = self._rows(len(arrays["labels"]))[1]
        return float(np.mean(np.asarray(arrays["head"])[rows] == index[arrays["labels"][rows]]))

    def encode(
        self,
        out: Path,
        *,
        images: str | Path = "",
        vision: str = "",
        text: str = "all-MiniLM-L6-v2",
        layers: Sequence[str] = (),
        whole: bool = False,
        grid: int | None = None,
        batch_size: int = 32,
        restart: bool = False,
    ) -> Iterator[str | Progress]:
        """Encode a folder of pictures and the names of its classes into a features file.

        Args:
            out: the file.
            images: a folder, or a `.zip` or `.tar` archive, with one folder per class; see `class_folders`.
            vision: the encoder of the pictures; see `encoders.open_vision`.
            text: the encoder of the sentences; see `encoders.open_text`.
            layers: of the encoder of the pictures; none takes its default.
            whole: squeeze whole pictures into the encoder's square, rather than cropping them.
            grid: average feature maps over grid x grid cells.
            batch_size: pictures per call of the encoder.
            restart: discard what an interrupted command has encoded.

        Raises:
            InputError: a wrong argument, or an encoder that is not installed.
        """
        from bridgeviz.datasets._imagenet_features import encode

        for name, value in (("images", images), ("vision", vision)):
            if not str(value).strip():
                raise InputError(f"The features of imagenet need --{name}. `bridgeviz features --help` explains it.")
        if out == self.home():
            out.parent.mkdir(parents=True, exist_ok=True)
        return encode(out, images, vision, text, layers, whole=whole, grid=grid, batch_size=batch_size, restart=restart)

    @classmethod
    def home(cls) -> Path:
        """The features file that `encode` writes by default."""
        return paths.cache() / FOLDER / FILE

    def _arrays(self) -> dict[str, np.ndarray]:
        """The arrays of the file; the features by memory map."""
        places = [Path(self.file)] if self.file else [folder / FILE for folder in paths.raw(FOLDER)]
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            raise DataMissing(
                f"The features of ImageNet are not in {places[-1]}. Make them with `bridgeviz features imagenet "
                "--images DIR --vision MODEL`, or name a file with the option 'file'."
            )
        stored = store.read(path)
        kept = {"text", "names", "labels", "imagenet_index"}
        layers = [name for name in stored if name.partition(".")[0] == "features"]
        if not layers or not kept <= set(stored):
            raise InputError(f"{path} must be made by `bridgeviz features imagenet`. It holds other arrays.")
        layer = f"features.{self.layer}" if self.layer else "features"
        layer = "features" if self.layer and self.layer == _first_layer(stored) else layer
        if layer not in layers:
            known = [_first_layer(stored), *(name.partition(".")[2] for name in layers if name != "features")]
            raise check.fail("layer", self.where, f"one of {', '.join(known)}", repr(self.layer))
        arrays = {name: np.asarray(stored[name]) for name in kept} | {"features": stored[layer]}
        return arrays | ({"head": np.asarray(stored["head"])} if "head" in stored else {})

    def _rows(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """The rows to align and those that are held out, sorted, as many as there may be."""
        order = np.random.default_rng(0).permutation(size)
        aligned, validated = round(TO_ALIGN * size), round((TO_ALIGN + TO_VALIDATE) * size)
        held_out = order[validated:] if self.held_out == "test" else order[aligned:validated]
        rng = np.random.default_rng(self.seed)
        chosen = [
            rng.permutation(rows)[:most] for rows, most in ((order[:aligned], self.n), (held_out, self.test_rows))
        ]
        if min(map(len, chosen)) < 2:
            raise InputError(f"The features file must hold enough pictures to split, at least 20. It holds {size}.")
        return np.sort(chosen[0]), np.sort(chosen[1])

    def _problem(self, arrays: dict[str, np.ndarray], rows: np.ndarray, test: Problem | None) -> Problem:
        labels = arrays["labels"][rows].astype(np.int64)
        names = [bytes(name).decode() for name in arrays["names"]]
        classes = np.arange(len(names))
        source = Space(
            arrays["features"][rows].astype(np.float32), labels=labels, names=names, classes=classes,
            title="pictures, features of the vision model",
        )  # fmt: skip
        target = Space(
            arrays["text"].astype(np.float32)[labels], labels=labels, names=names, classes=classes,
            title="class names, sentence embeddings",
        )  # fmt: skip
        truth = np.stack([np.arange(len(rows))] * 2, axis=1)
        return Problem(source, target, truth=truth, test=test, name=self.name)


def _first_layer(stored: dict[str, np.ndarray]) -> str:
    """The name of the layer whose features are `features`."""
    import json

    try:
        return str(json.loads(bytes(stored["about"][()]))["layers"][0])
    except (KeyError, ValueError, IndexError, TypeError):
        return ""
