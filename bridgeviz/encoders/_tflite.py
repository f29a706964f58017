"""Any image encoder in a TFLite file, such as a quantised MobileNetV2."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from bridgeviz._checks import InputError
from bridgeviz.encoders._encoder import ImageEncoder, digest_of, opening, squared


class TFLite(ImageEncoder):
    """An image encoder in a `.tflite` file.

    It has one input, (1, size, size, 3). Pixels are spread over the range of a quantised input, and over -1..1 if the
    input is float32. Quantised activations are returned as the real numbers that they stand for. The layers have the
    names of the tensors in the file; the default is the input of the last operation that has weights.
    """

    name = "tflite"
    summary = "a file that ends in .tflite"

    def __init__(self, model: str):
        self.model = Path(model).name
        with opening(model, "ai-edge-litert"):
            from ai_edge_litert.interpreter import Interpreter  # pyright: ignore[reportMissingImports]

            if not Path(model).is_file():
                raise InputError(f"The model '{model}' can't be loaded: there is no such file.")
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # keeping every layer is what is wanted here
                self._net: Any = Interpreter(str(model), experimental_preserve_all_tensors=True)
            self._net.allocate_tensors()
            self.digest = digest_of(Path(model))
        inputs, outputs = self._net.get_input_details(), self._net.get_output_details()
        shape = tuple(int(side) for side in inputs[0]["shape"])
        if len(inputs) != 1 or len(shape) != 4 or shape[0] != 1 or shape[1] != shape[2] or shape[3] != 3:
            raise InputError(f"The model '{model}' must read one picture, (1, size, size, 3). Its input is {shape}.")
        self._input, self._size = inputs[0], shape[1]
        self._describe_layers(outputs)

    @classmethod
    def reads(cls, model: str) -> bool:
        return model.lower().endswith(".tflite")

    def prepare(self, picture, *, whole: bool = False) -> np.ndarray:
        pixels = squared(picture, self._size, whole=whole).astype(np.float32) / 255
        kind = np.dtype(self._input["dtype"])
        if kind.kind == "f":
            return (2 * pixels - 1).astype(kind)
        limits = np.iinfo(kind)
        return np.round(limits.min + pixels * (limits.max - limits.min)).astype(kind)

    def encode(self, batch: np.ndarray, layers: Sequence[str]) -> Mapping[str, np.ndarray]:
        kept: dict[str, list[np.ndarray]] = {layer: [] for layer in layers}
        for picture in batch:
            self._net.set_tensor(self._input["index"], picture[None])
            self._net.invoke()
            for layer, values in kept.items():
                values.append(self._values(layer))
        return {layer: np.stack(values) for layer, values in kept.items()}

    def _values(self, layer: str) -> np.ndarray:
        """The activations of one picture, without axes of length one."""
        about = self._tensors[layer]
        values = self._net.get_tensor(about["index"])[0].astype(np.float32)
        scale, zero = about["quantization"]
        values = (values - zero) * scale if scale else values
        if layer == self.head and values.size == 1001:
            values = values.reshape(-1)[1:]  # without the background class that comes first
        return values if values.ndim == 3 and values.shape[:2] != (1, 1) else values.reshape(-1)

    def _describe_layers(self, outputs: list[dict[str, Any]]) -> None:
        tensors = {about["index"]: about for about in self._net.get_tensor_details()}
        operations = self._net._get_ops_details()  # the only way to ask which tensors are activations
        made = {int(k) for operation in operations for k in operation["outputs"]}
        rows = {
            k: about for k, about in tensors.items() if k in made and len(about["shape"]) and about["shape"][0] == 1
        }
        self._tensors = {about["name"]: about for about in rows.values()}
        self.layers = tuple(self._tensors)
        penultimate = ""
        for operation in operations:
            sources = [int(k) for k in operation["inputs"] if int(k) in rows]
            weights = [k for k in map(int, operation["inputs"]) if k in tensors and k not in made]
            if sources and any(len(tensors[k]["shape"]) >= 2 for k in weights):
                penultimate = tensors[sources[0]]["name"]
        if not penultimate:
            raise InputError(f"The model '{self.model}' has no layer with weights, so it has no features.")
        self.default = penultimate
        last = outputs[0]["name"]
        if last in self._tensors and int(np.prod(outputs[0]["shape"])) in (1000, 1001):
            self.head = last
