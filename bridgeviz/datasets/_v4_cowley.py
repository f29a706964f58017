"""Macaque V4 (Cowley et al. 2023): features of a network against recorded neurons, for the same pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from bridgeviz._checks import DataMissing
from bridgeviz._options import Choice, Flag, Text, option
from bridgeviz.datasets import _v4_files as files
from bridgeviz.datasets import paths
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.datasets._neural_features import NeuralFeatures
from bridgeviz.datasets._neural_splits import HELD_OUT, Split, standardised, three_way
from bridgeviz.problem import Problem, Space

if TYPE_CHECKING:
    from bridgeviz.encoders import Progress

LAYERS = ("block6", "block10", "block13", "block16", "conv18")
"""The layers of MobileNetV2, from the first to the last; in the files their shape follows the name."""


@dataclass(frozen=True, kw_only=True)
class V4Cowley(DatasetOptions):
    """720 pictures to align and 240 as `.test`: features of a network against the neurons that saw the same pictures.

    A one-to-one problem without labels: row i of the source is the picture that row i of the target answers to. The
    pictures are in the order of their names. Sixty percent of them are aligned, twenty are for the choice of settings
    and twenty for tests; the division is random and always the same (Sec. 4).

    Args:
        session: the recording, by its date. Neurons differ between sessions.
        layer: of the network, by the beginning of its name. Those of MobileNetV2, the default, are "block6",
            "block10", "block13", "block16" and "conv18".
        features: another network: its name, where `bridgeviz features v4-cowley --vision NAME` has run, such as
            "efficientnet-lite0"; or the path of an `.npz` file with arrays (1200, p) by name of the layer, and the
            names of the pictures as `image`. Empty: MobileNetV2.
        held_out: what `.test` is, "test" or "validation".
        zscore: whether responses are in standard deviations of the training pictures, as those of Majaj et al. are.
            If not, they are spikes per 100 ms, and the Pearson cost (Eq. 27) follows the neurons that fire most.

    Raises:
        DataMissing: the files are not on this machine.
        InputError: no such layer, or a damaged file.
    """

    name = "v4-cowley"
    title = "Macaque V4: layers of a network (512 to 2,560) against neurons (89 or 36), for the same pictures"
    card = Card(
        source="Cowley, Stan, Pillow and Smith (2023), Compact deep neural network models of visual cortex, "
        "https://github.com/cowleygroup/V4_compact_models.",
        licence="GPL-3.0: bridgeviz downloads it and never ships it. Features of MobileNetV2: Apache-2.0.",
        size="1,200 pictures of 112 x 112 pixels; 89 neurons in session 201025, 36 in session 190925; five layers of "
        "MobileNetV2 with 512 to 2,560 dimensions. About 5 MB per session are downloaded.",
        made="`bridgeviz fetch v4-cowley` downloads responses averaged over repetitions (commit d1b3526) and pictures "
        "(commits af82f72 and f6cbd03) and compares SHA-256 digests of their contents. `bridgeviz features v4-cowley "
        "--vision NETWORK` runs a network on the whole pictures, enlarged to 224 x 224 (bicubic): five layers of a "
        "TFLite MobileNetV2, or the paper's six of efficientnet-lite0; feature maps are averaged over 4 x 4 cells. "
        "60 / 20 / 20 % of the pictures are for training, validation and test, at random with a fixed seed; responses "
        "are standardised by neuron over the training pictures.",
        cautions=(
            "Responses and pictures correspond in the order of the pictures' basenames, not of the archive.",
            "Neurons differ between sessions, so sessions are never pooled.",
            "The pictures have no categories.",
            "The averages hide the repetitions (12 per picture in session 201025), so the noise ceiling needs the raw "
            "file of the repository, whose digest is not known here.",
            "The commits were read from an index of the repository; the download itself has not been tried.",
        ),
    )
    session: str = option(Choice(tuple(files.SESSIONS)), "201025", help="The recording, by its date.")
    layer: str = option(Text("the name of a layer"), "block10", help="Layer of the network, by the start of its name.")
    features: str = option(Text("a network or the path of a file", empty=True), "", help="Another network, or a file.")
    held_out: str = option(Choice(HELD_OUT), "test", help="What the test split is: test or validation.")
    zscore: bool = option(Flag(), True, help="Responses in standard deviations of the training pictures.")

    def load(self) -> Problem:
        home, split = files.folder(self.session), self.split()
        x = self._features(home).rows(self.layer, files.picture_names(home, self.session))
        y = files.responses(home, self.session)
        y = standardised(y, split.train) if self.zscore else y.astype(np.float32)

        def problem(rows: np.ndarray, test: Problem | None) -> Problem:
            source = Space(
                x[rows], title=f"pictures, {self.layer} of {self._network}",
                images=lambda chosen: _pictures(home, self.session)[rows[np.asarray(chosen)]],
            )  # fmt: skip
            target = Space(y[rows], title=f"V4, session {self.session}", neurons=True)
            return Problem(
                source, target, truth=np.stack([np.arange(len(rows))] * 2, axis=1), test=test, name=self.name
            )

        return problem(split.train, problem(getattr(split, self.held_out), None))

    def fetch(self) -> Path:
        """Download responses and pictures of both sessions, or find them, and check their contents.

        Raises:
            DataMissing: the repository could not be reached.
            InputError: a file has other contents than expected.
        """
        return [files.fetch(session) for session in files.SESSIONS][-1]

    def encode(self, out: Path, *, vision: str = "", layers: Sequence[str] = ()) -> Iterator[Progress]:
        """Run a network on the pictures of both sessions and write its features to `out`.

        Args:
            out: a folder; `load` finds the files in the cache's.
            vision: "efficientnet-lite0", a `.tflite` file of MobileNetV2, or another model that an encoder reads.
            layers: of the network; none takes those that are named on the card.

        Raises:
            DataMissing: the pictures are not on this machine.
            InputError: no such network or layer, or its package is not installed.
        """
        from bridgeviz.datasets import _v4_features

        vision = _v4_features.required(vision)
        for session in files.SESSIONS:
            yield from _v4_features.encode(out, vision, layers, session)

    @classmethod
    def home(cls) -> Path:
        """The folder of the pictures and the features; never the project's own, which is shipped."""
        return paths.cache() / files.FOLDER

    def split(self) -> Split:
        """The rows of the training, validation and test pictures among all pictures of the session."""
        return three_way(files.SESSIONS[self.session].images)

    def layers(self) -> dict[str, np.ndarray]:
        """(720, p) features of the training pictures by layer, for `metrics.rank_layers`."""
        home = files.folder(self.session)
        features, names = self._features(home), files.picture_names(home, self.session)
        return {layer: features.rows(layer, names)[self.split().train] for layer in features.layers}

    def repetitions(self) -> np.ndarray:
        """(240, q, r) single responses to the held-out pictures in spikes per 100 ms, for `metrics.noise_ceiling`.

        NaN where a picture was shown less often.

        Raises:
            DataMissing: the file is not here, and the message says where to put it.
        """
        rows = getattr(self.split(), self.held_out)
        return files.repetitions(files.folder(self.session), self.session)[rows]

    @property
    def _network(self) -> str:
        return Path(self.features).stem if self.features else "MobileNetV2"

    def _features(self, home: Path) -> NeuralFeatures:
        """The features of all pictures."""
        if self.features.endswith(".npz"):
            return NeuralFeatures.read(Path(self.features))
        name = files.features_name(self.features, self.session)
        path = next((folder / name for folder in (home, *paths.raw(files.FOLDER)) if (folder / name).is_file()), None)
        if path is None:
            vision = self.features or "mobilenet_v2.tflite"
            raise DataMissing(
                f"The features of session {self.session} of v4-cowley are not here ({name}). Run `bridgeviz features "
                f"v4-cowley --vision {vision}`."
            )
        return NeuralFeatures.read(path)


@cache
def _pictures(home: Path, session: str) -> np.ndarray:
    """All pictures of a session, (1200, 112, 112), read in half a second."""
    return files.pictures(home, session, range(files.SESSIONS[session].images))
