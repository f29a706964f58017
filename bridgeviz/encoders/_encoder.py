"""The bases of every encoder: a frozen model, what it reads, and the layers that it offers."""

from __future__ import annotations

import difflib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from bridgeviz._checks import InputError, reason

if TYPE_CHECKING:
    from PIL.Image import Image

CROP = 0.875
"""The share of the shorter side that a centre crop keeps, as usual for ImageNet."""


class ImageEncoder(ABC):
    """A frozen vision model: prepared pictures in, features by layer out.

    Attributes:
        name: under which it is registered.
        summary: which models it reads, for lists and errors.
        model: the model that was opened.
        digest: of its weights; features of other weights are never mixed with these.
        layers: names of its layers, from the first to the last.
        default: the layer that is taken unless others are named.
        head: the layer with the scores of the 1,000 classes of ImageNet in their usual order, or None.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    model: str
    digest: str
    layers: tuple[str, ...]
    default: str
    head: str | None = None

    @abstractmethod
    def __init__(self, model: str):
        """Load the model."""

    @classmethod
    @abstractmethod
    def reads(cls, model: str) -> bool:
        """Whether it can open a model of this name."""

    @abstractmethod
    def prepare(self, picture: Image, *, whole: bool = False) -> np.ndarray:
        """The input of the model for one RGB picture.

        Args:
            picture: of any size.
            whole: squeeze the whole picture into the model's square, rather than cropping it as its authors do.
        """

    @abstractmethod
    def encode(self, batch: np.ndarray, layers: Sequence[str]) -> Mapping[str, np.ndarray]:
        """The activations of some layers, float32.

        Args:
            batch: (b, ...) prepared pictures.
            layers: names in `layers`.

        Returns:
            For each layer (b, d), or (b, height, width, channels).
        """

    def layer(self, name: str) -> str:
        """The full name of a layer: its name, or a part of it that no other layer contains.

        Raises:
            InputError: no layer, or more than one, has this name.
        """
        if name in self.layers:
            return name
        matches = [layer for layer in self.layers if name and name in layer]
        if len(matches) == 1:
            return matches[0]
        if matches:
            listed = ", ".join(matches[:4])
            raise InputError(f"The layer '{name}' of {self.model} must be one layer. {len(matches)} match: {listed}.")
        near = difflib.get_close_matches(name, self.layers, n=3, cutoff=0.3) or list(self.layers)
        listed = ", ".join(self.layers) if len(self.layers) <= 30 else ", ".join(near[:6]) + ", ..."
        raise InputError(f"The layer of {self.model} must be one of: {listed}. Got '{name}' instead.")


class TextEncoder(ABC):
    """A frozen sentence encoder.

    Attributes:
        name: under which it is registered.
        summary: which models it reads, for lists and errors.
        model: the model that was opened.
    """

    name: ClassVar[str] = ""
    summary: ClassVar[str] = ""
    model: str

    @abstractmethod
    def __init__(self, model: str):
        """Load the model."""

    @classmethod
    @abstractmethod
    def reads(cls, model: str) -> bool:
        """Whether it can open a model of this name."""

    @abstractmethod
    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        """(n, q) float32, one row per sentence."""


def squared(picture: Image, size: int, *, whole: bool) -> np.ndarray:
    """A picture as a square, (size, size, 3) in 0..255.

    Bicubic, to the size / `CROP` of its shorter side and cropped to the centre, or squeezed as a whole.
    """
    from PIL import Image as pil

    if whole:
        return np.asarray(picture.resize((size, size), pil.Resampling.BICUBIC))
    scale = round(size / CROP) / min(picture.size)
    width, height = (max(size, round(side * scale)) for side in picture.size)
    left, top = (width - size) // 2, (height - size) // 2
    square = picture.resize((width, height), pil.Resampling.BICUBIC).crop((left, top, left + size, top + size))
    return np.asarray(square)


def digest_of(*files: Path) -> str:
    """The first 16 digits of the SHA-256 of some files' contents."""
    total = hashlib.sha256()
    for path in files:
        with path.open("rb") as file:
            total.update(hashlib.file_digest(file, "sha256").digest())
    return total.hexdigest()[:16]


@contextmanager
def opening(model: str, packages: str) -> Iterator[None]:
    """Turn what a foreign package raises while it loads a model into one sentence.

    Args:
        model: that is loaded.
        packages: that it needs, for the message.
    """
    try:
        yield
    except InputError:
        raise
    except ImportError as error:
        missing = f" ({error.name} is missing)" if error.name else ""
        raise InputError(f"The model '{model}' needs {packages}{missing}: pip install 'bridgeviz[encoders]'.") from None
    except Exception as error:  # anything from a missing file to a broken network
        raise InputError(f"The model '{model}' can't be loaded: {reason(error)}.") from error


def as_array(tensor: Any) -> np.ndarray:
    """A tensor of torch as a float32 array, with the channels of a feature map last."""
    array = tensor.detach().to("cpu").float().numpy()
    return np.ascontiguousarray(array.transpose(0, 2, 3, 1)) if array.ndim == 4 else array
