"""Any model of the package `sentence-transformers`."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bridgeviz.encoders._encoder import TextEncoder, opening


class SentenceEncoder(TextEncoder):
    """A model of `sentence-transformers`, by its name or from a local folder."""

    name = "sentence-transformers"
    summary = "the name or the local folder of a model of sentence-transformers"

    def __init__(self, model: str):
        self.model = model
        with opening(model, "sentence-transformers"):
            from sentence_transformers import SentenceTransformer  # pyright: ignore[reportMissingImports]

            self._network = SentenceTransformer(model)

    @classmethod
    def reads(cls, model: str) -> bool:
        return Path(model).is_dir() or re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model) is not None

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        return np.asarray(self._network.encode(list(sentences), show_progress_bar=False), np.float32)
