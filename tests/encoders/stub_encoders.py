"""Small encoders through the public protocol, for tests of everything around an encoder."""

from __future__ import annotations

import os
import signal

import numpy as np

from bridgeviz.encoders import ImageEncoder, TextEncoder

SIDE = 8


class Colours(ImageEncoder):
    """Reads "colours"; its features are the pixels, their mean, and scores that follow the mean of red."""

    name = "colours"
    summary = "the name colours"
    layers = ("stem.map", "pooled", "scores")
    default = "pooled"
    head = "scores"
    encoded: int = 0
    kill_at: int | None = None

    def __init__(self, model="colours"):
        self.model, self.digest = model, "1"

    @classmethod
    def reads(cls, model):
        return model == "colours"

    def prepare(self, picture, *, whole=False):
        assert picture.mode == "RGB"
        return np.asarray(picture.resize((SIDE, SIDE)), np.float32)

    def encode(self, batch, layers):
        type(self).encoded += len(batch)
        if self.kill_at is not None and type(self).encoded > self.kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
        mean = batch.mean((1, 2))
        scores = np.zeros((len(batch), 1000), np.float32)
        scores[np.arange(len(batch)), mean[:, 0].round().astype(int)] = 1.0
        values = {"stem.map": batch, "pooled": mean, "scores": scores}
        return {layer: values[layer] for layer in layers}


class Wide(Colours):
    """Reads "wide"; each picture has 200,000 features."""

    name = "wide"
    layers = ("wide",)
    default = "wide"
    head = None

    @classmethod
    def reads(cls, model):
        return model == "wide"

    def encode(self, batch, layers):
        return {"wide": np.repeat(batch.mean((1, 2, 3))[:, None], 200_000, axis=1)}


class Letters(TextEncoder):
    """Reads "letters"; its features are the counts of the letters a to z."""

    name = "letters"
    summary = "the name letters"

    def __init__(self, model):
        self.model = model

    @classmethod
    def reads(cls, model):
        return model == "letters"

    def encode(self, sentences):
        return np.array([[text.count(chr(97 + k)) for k in range(26)] for text in sentences], np.float32)
