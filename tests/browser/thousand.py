"""A page with a thousand points and nothing else, on which `targets.py` times the frames of the player."""

import numpy as np
import streamlit as st

from bridgeviz.experiments import Scene
from bridgeviz.ui.panels.player import player, size

FRAMES = 21

rng = np.random.default_rng(0)
ends = rng.standard_normal((2, 1000, 2))
ts = np.linspace(0, 1, FRAMES)[:, None, None]
labels = np.arange(1000) % 10
scene = Scene(
    ts=ts[:, 0, 0],
    positions=((1 - ts) * ends[0] + ts * ends[1]).astype(np.float32),
    labels=labels.astype(np.uint8),
    decoded=np.broadcast_to(labels, (FRAMES, 1000)).astype(np.uint8),
    names=tuple("0123456789"),
    landmarks=rng.standard_normal((10, 2)),
    strip=np.arange(12),
    badge={
        "name": "synthetic", "variance_share": 1.0, "trustworthiness": 1.0, "step_variation": 0.0,
        "latent_step_variation": 0.0,
    },
    thumbnails=rng.integers(0, 255, (1000, 14, 14)).astype(np.uint8),
    strip_pictures=rng.integers(0, 255, (12, 28, 28)).astype(np.uint8),
)  # fmt: skip
player(scene, key="thousand", pictures="pictures" in st.query_params)
st.caption(f"payload {size(scene)}")
