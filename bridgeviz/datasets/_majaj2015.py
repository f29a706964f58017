"""Macaque V4 and IT (Majaj et al. 2015), the paper's recording: features of any network against neurons."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bridgeviz import _checks as check
from bridgeviz._checks import DataMissing, InputError
from bridgeviz._options import Choice, Count, Flag, Text, option
from bridgeviz.datasets import paths
from bridgeviz.datasets._assembly import Recording, read_recording, read_repetitions
from bridgeviz.datasets._card import Card
from bridgeviz.datasets._dataset_options import DatasetOptions
from bridgeviz.datasets._download import download
from bridgeviz.datasets._neural_features import NeuralFeatures
from bridgeviz.datasets._neural_splits import HELD_OUT, Split, standardised, three_way
from bridgeviz.problem import Problem, Space

FOLDER = "majaj2015"
FILE = "assy_dicarlo_MajajHong2015_public.nc"
SHA1 = "13d28ca0ce88ee550b54db3004374ae19096e9b9"
"""As it stands in Brain-Score's registry, which publishes no other digest."""

MIRRORS = (
    "https://brainio-brainscore.s3.amazonaws.com/",
    "https://s3.amazonaws.com/brainio.dicarlo/",
)
PAPER_LAYERS = ("layer1", "layer2", "layer3", "layer5", "layer6", "features")
"""The six layers of EfficientNet that the paper chose (G.3.1)."""


@dataclass(frozen=True, kw_only=True)
class Majaj2015(DatasetOptions):
    """1,920 pictures to align and 640 as `.test`: features of a network against neurons of V4 or IT (Sec. 4, G.3).

    A one-to-one problem: row i of both spaces belongs to the same picture, and the rows are sorted by its id. Responses
    are averaged over repetitions. Labels are the eight categories; no cost and no solver reads them. The 3,200
    pictures are divided 60 / 20 / 20 % at random, always the same way.

    Args:
        region: "IT" (168 neurons) or "V4" (88).
        layer: of the network, by its name in the file of features or the beginning of it.
        features: path of an `.npz` file with arrays (3200, p) by name of the layer, and the ids of the pictures as
            `stimulus_id` (or their file names as `image`). Empty: `features.npz` beside the recording.
        pca: path of a file like it with features of *other* pictures, on which the principal components are fitted
            (G.3.1 takes 1,000 validation images of ImageNet). Empty: features as they are.
        components: principal components to keep; fewer where there are fewer pictures or dimensions.
        assembly: path of the recording. Empty: where `bridgeviz fetch majaj2015` puts it.
        held_out: what `.test` is, "test" or "validation".
        zscore: whether responses are in standard deviations of the training pictures.

    Raises:
        DataMissing: the recording or the features are not on this machine.
        InputError: a file of another kind, no such layer, or a picture without features.
    """

    name = "majaj2015"
    title = "Macaque V4 and IT (Majaj et al. 2015): layers of a network against 88 or 168 neurons"
    card = Card(
        source="Majaj, Hong, Solomon and DiCarlo (2015), Journal of Neuroscience 35(39), 13402-13418; the public "
        "assembly of Brain-Score (dicarlo.MajajHong2015.public).",
        licence="None is stated with the file. Cite the paper; bridgeviz downloads the file and never ships it.",
        size="3,200 pictures of 64 objects in 8 categories; 168 neurons in IT, 88 in V4; 148,480 presentations, "
        "between 28 and about 50 of each picture. 1,920 rows to align, 640 for validation, 640 for tests.",
        made="`bridgeviz fetch majaj2015` downloads the recording and compares its SHA-1 with that of Brain-Score's "
        "registry. Responses (70 to 170 ms after onset) are averaged over repetitions and standardised by neuron over "
        "the training pictures. Features are yours: any network, one row per picture.",
        cautions=(
            "Written against the published format; the recording itself was not available to the authors of bridgeviz, "
            "so nothing here was measured on it, and the download has not been tried.",
            "The rows are split by picture, so an object of a test picture occurs in training pictures as well.",
            "Features are matched by the id or the file name of a picture, never by position.",
        ),
    )
    region: str = option(Choice(("IT", "V4")), "IT", help="The region of the neurons.")
    layer: str = option(Text("the name of a layer"), "layer3", help="Layer of the network.")
    features: str = option(Text("the path of a file", empty=True), "", help="File with the features of the pictures.")
    pca: str = option(Text("the path of a file", empty=True), "", help="Features of other pictures, to fit the PCA on.")
    components: int = option(Count(1), 1000, help="Principal components to keep.")
    assembly: str = option(Text("the path of a file", empty=True), "", help="The recording, a netCDF file.")
    held_out: str = option(Choice(HELD_OUT), "test", help="What the test split is: test or validation.")
    zscore: bool = option(Flag(), True, help="Responses in standard deviations of the training pictures.")

    def load(self) -> Problem:
        recording = read_recording(self._path(), self.region)
        split = three_way(len(recording.stimuli))
        y = recording.responses
        y = standardised(y, split.train) if self.zscore else y.astype(np.float32)
        x = self._rows(self._features(), self.layer, recording)
        names, labels = np.unique(recording.categories, return_inverse=True)

        def problem(rows: np.ndarray, test: Problem | None) -> Problem:
            about = {"labels": labels[rows], "names": tuple(map(str, names)), "classes": np.arange(len(names))}
            source = Space(x[rows], title=f"pictures, {self.layer}", **about)
            target = Space(y[rows], title=f"{self.region}, macaque", neurons=True, **about)
            return Problem(
                source, target, truth=np.stack([np.arange(len(rows))] * 2, axis=1), test=test, name=self.name
            )

        return problem(split.train, problem(getattr(split, self.held_out), None))

    def fetch(self) -> Path:
        """Download the recording, or find it, and check its SHA-1.

        Raises:
            DataMissing: no mirror could be reached.
            InputError: a file has other contents than expected.
        """
        home = next((folder for folder in paths.raw(FOLDER) if (folder / FILE).is_file()), paths.cache() / FOLDER)
        if not (home / FILE).is_file():
            home.mkdir(parents=True, exist_ok=True)
            advice = f"Connect to the internet, or put {FILE} into {home}."
            urls = [mirror + FILE for mirror in MIRRORS]
            download(home / FILE, urls, _verify, what=f"The recording {FILE}", advice=advice)
        _verify(home / FILE)
        return home

    def split(self) -> Split:
        """The rows of the training, validation and test pictures among all pictures, sorted by id."""
        return three_way(len(read_recording(self._path(), self.region).stimuli))

    def layers(self, names: tuple[str, ...] = PAPER_LAYERS) -> dict[str, np.ndarray]:
        """Features of the training pictures by layer, for `metrics.rank_layers`.

        Args:
            names: of the layers; the paper's six by default.
        """
        recording, features = read_recording(self._path(), self.region), self._features()
        train = three_way(len(recording.stimuli)).train
        return {name: self._rows(features, name, recording)[train] for name in names}

    def repetitions(self) -> np.ndarray:
        """(640, q, r) single responses to the held-out pictures, for `metrics.noise_ceiling`.

        NaN where a picture was shown less often.
        """
        return read_repetitions(self._path(), self.region)[getattr(self.split(), self.held_out)]

    def _path(self) -> Path:
        if self.assembly:
            return Path(self.assembly)
        path = next((folder / FILE for folder in paths.raw(FOLDER) if (folder / FILE).is_file()), None)
        if path is None:
            raise DataMissing("The recording of majaj2015 is not here. Run `bridgeviz fetch majaj2015`.")
        return path

    def _features(self) -> NeuralFeatures:
        path = Path(self.features) if self.features else self._path().parent / "features.npz"
        if not path.is_file():
            raise DataMissing(
                f"The features of the pictures of majaj2015 are not here ({path}): an .npz file with one array per "
                "layer and the ids of the pictures as 'stimulus_id'. Name it with the option features=."
            )
        return NeuralFeatures.read(path)

    def _rows(self, features: NeuralFeatures, layer: str, recording: Recording) -> np.ndarray:
        x = features.rows(layer, list(recording.stimuli))
        if not self.pca:
            return x
        others = NeuralFeatures.read(Path(self.pca))
        common = set(others.stimuli) & set(features.stimuli)
        if common:
            hint = "The components must not be fitted on pictures that are aligned or tested."
            raise check.fail("pca", "load", "features of other pictures", f"{min(common)} in both files", hint)
        return principal_components(x, others.rows(layer, others.stimuli), self.components)


def principal_components(x: np.ndarray, others: np.ndarray, components: int) -> np.ndarray:
    """Rows of x in at most `components` principal components of other rows, float32 (G.3.1).

    Raises:
        InputError: both have other numbers of columns.
    """
    if x.shape[1] != others.shape[1]:
        raise check.fail("pca", "load", f"features of {x.shape[1]} columns, as the pictures have", f"{others.shape[1]}")
    mean = others.mean(0, dtype=np.float64)
    _, strengths, directions = np.linalg.svd(others - mean, full_matrices=False)
    kept = min(components, int((strengths > 1e-10 * strengths[:1].max(initial=1e-300)).sum()))
    return ((x - mean) @ directions[:kept].T).astype(np.float32)


def _verify(path: Path) -> None:
    """Raise an `InputError` unless a file is the recording."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.sha1(usedforsecurity=False)).hexdigest()
    if digest != SHA1:
        raise InputError(
            f"The contents of {path} must have the SHA-1 {SHA1}. Got {digest} instead. Delete it and run "
            "`bridgeviz fetch majaj2015`."
        )
