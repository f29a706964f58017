"""Any image model of the package `transformers`, such as the ViT-Base of the paper (G.2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bridgeviz.encoders._encoder import ImageEncoder, as_array, digest_of, opening


class Transformers(ImageEncoder):
    """An image model of `transformers`, by its name or from a local folder.

    The layers are `hidden0` (the input of the first block) to `hiddenN`; then `cls`, the first token of the last layer
    after its normalisation, which is the paper's choice for ViT, or `pooled` for models that pool (ResNet, ConvNeXt,
    Swin); and `scores` if the model classifies ImageNet. Hidden layers of a transformer give the first token.
    Pictures are prepared by the model's own processor.
    """

    name = "transformers"
    summary = "the name or the local folder of an image model of transformers"

    def __init__(self, model: str):
        self.model = model
        with opening(model, "transformers and torch"):
            import torch  # pyright: ignore[reportMissingImports]
            from transformers import (  # pyright: ignore[reportMissingImports]
                AutoConfig,
                AutoImageProcessor,
                AutoModel,
                AutoModelForImageClassification,
            )

            config = AutoConfig.from_pretrained(model)
            classifies = any("ImageClassification" in name for name in config.architectures or ())
            loader = AutoModelForImageClassification if classifies else AutoModel
            self._processor: Any = AutoImageProcessor.from_pretrained(model)
            self._network: Any = loader.from_pretrained(model).eval()
            self._body: Any = self._network.base_model
            self.digest = _digest(model, config)
        self.head = "scores" if classifies and config.num_labels == 1000 else None
        self._size = _side(self._processor, config)
        blank = np.zeros((1, 3, self._size, self._size), np.float32)
        with torch.inference_mode():
            body = self._run(blank)[0]
        hidden = tuple(f"hidden{k}" for k in range(len(body.hidden_states or ())))
        names = (parameter for parameter, _ in self._body.named_parameters())
        self._tokens = any(parameter.endswith(("cls_token", "class_embedding")) for parameter in names)
        self.default = "cls" if self._tokens else "pooled"
        self.layers = (*hidden, self.default, *([self.head] if self.head else []))

    @classmethod
    def reads(cls, model: str) -> bool:
        return (Path(model) / "config.json").is_file() or re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model) is not None

    def prepare(self, picture, *, whole: bool = False) -> np.ndarray:
        more: dict[str, Any] = {}
        if whole:
            picture, more = picture.resize((self._size, self._size)), {"do_resize": False, "do_center_crop": False}
        return np.asarray(self._processor(picture, return_tensors="np", **more)["pixel_values"][0], np.float32)

    def encode(self, batch: np.ndarray, layers: Sequence[str]) -> Mapping[str, np.ndarray]:
        import torch  # pyright: ignore[reportMissingImports]

        with torch.inference_mode():
            body, scores = self._run(batch)
        return {layer: self._values(layer, body, scores) for layer in layers}

    def _run(self, batch: np.ndarray) -> tuple[Any, Any]:
        """The output of the model without its head, and the scores of the head."""
        import torch  # pyright: ignore[reportMissingImports]

        outputs: list[Any] = []
        hook = self._body.register_forward_hook(lambda _module, _inputs, output: outputs.append(output))
        try:
            whole = self._network(torch.from_numpy(np.ascontiguousarray(batch)), output_hidden_states=True)
        finally:
            hook.remove()
        return outputs[-1], getattr(whole, "logits", None)

    def _values(self, layer: str, body: Any, scores: Any) -> np.ndarray:
        if layer == self.head:
            return as_array(scores)
        if layer == "cls":
            return as_array(body.last_hidden_state[:, 0])
        if layer == "pooled":
            pooled = getattr(body, "pooler_output", None)
            return as_array((body.last_hidden_state.mean((2, 3)) if pooled is None else pooled).flatten(1))
        hidden = body.hidden_states[int(layer.removeprefix("hidden"))]
        return as_array(hidden[:, 0] if self._tokens else hidden)


def _side(processor: Any, config: Any) -> int:
    """The side of the square that a model reads."""
    crop = getattr(processor, "crop_size", None) if getattr(processor, "do_center_crop", False) else None
    size = crop or getattr(processor, "size", None) or {}
    for key in ("height", "shortest_edge"):
        side = size.get(key) if hasattr(size, "get") else getattr(size, key, None)
        if side:
            return int(side)
    return int(getattr(config, "image_size", 224))


def _digest(model: str, config: Any) -> str:
    """The digest of the weights in a local folder, or the commit of a model of the hub."""
    folder = Path(model)
    if folder.is_dir():
        return digest_of(*sorted(path for path in folder.iterdir() if path.suffix in (".safetensors", ".bin", ".json")))
    return str(getattr(config, "_commit_hash", None) or "unknown")
