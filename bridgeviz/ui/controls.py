"""What the sidebar's controls are: their defaults, their stops, their limits, and what they say of themselves."""

from __future__ import annotations

from typing import Any

from bridgeviz.costs import COSTS, METRICS, diffusion
from bridgeviz.costs.knn import FORMS as KNN_FORMS
from bridgeviz.datasets import DATASETS
from bridgeviz.experiments import SOLVERS, STRATEGIES
from bridgeviz.flows import VELOCITIES, default_velocity

DEFAULTS: dict[str, Any] = {
    "dataset": "digits",
    "overlap": 0.3,
    "reverse": False,
    "percent": "2",
    "cover": False,
    "strategy": "global",
    "cost": "bridge",
    "solver": "linear",
    "alpha": "0.5",
    "k": "auto",
    "a": "auto",
    "diffusion_form": "kernel",
    "knn_form": "heat",
    "power": "2",
    "shrinkage": "0.1",
    "metric": "auto",
    "ot_batch": "auto",
    "rows": "all",
    "epsilon": "auto",
    "tau_x": "1",
    "tau_y": "1",
    "seed": 0,
    "velocity": default_velocity(),
    "steps": "1000",
    "learning_rate": "0.001",
    "batch_size": "256",
    "ema": "off",
}
"""Each setting by the name it has in the link."""

NAMED = {
    "dataset": tuple(DATASETS),
    "strategy": STRATEGIES,
    "cost": tuple(COSTS),
    "solver": SOLVERS,
    "diffusion_form": diffusion.FORMS,
    "knn_form": KNN_FORMS,
    "metric": ("auto", *METRICS),
    "velocity": tuple(VELOCITIES),
}
"""Settings that take a name."""

GRIDS = {
    "percent": ("0.1", "0.2", "0.5", "1", "2", "5", "10", "20", "50", "100"),
    "epsilon": ("auto", "0.001", "0.002", "0.005", "0.01", "0.02", "0.05", "0.1", "0.2", "0.5", "1"),
    "alpha": ("0", "0.1", "0.25", "0.5", "0.75", "0.9", "1"),
    "k": ("auto", "3", "5", "10", "15", "30"),
    "a": ("auto", "0.5", "0.8", "0.9", "0.95", "0.99", "0.995"),
    "power": ("0.5", "1", "2", "3", "4"),
    "shrinkage": ("0.01", "0.03", "0.1", "0.3", "1"),
    "ot_batch": ("auto", "64", "128", "256", "512", "1024", "2048"),
    "rows": ("all", "500", "1000", "2000", "5000"),
    "tau_x": ("0.1", "0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "1"),
    "tau_y": ("0.1", "0.3", "0.5", "0.7", "0.8", "0.9", "0.95", "0.98", "1"),
    "steps": ("100", "200", "500", "1000", "2000", "4000", "8000"),
    "learning_rate": ("0.0001", "0.0003", "0.001", "0.003"),
    "batch_size": ("32", "64", "128", "256", "512"),
    "ema": ("off", "0.9", "0.99", "0.995", "0.999", "0.9999"),
}
"""Settings that take a number: the slider's stops. A link may name any number in between."""

LIMITS: dict[str, tuple[float, float]] = {
    "overlap": (0.0, 1.0),
    "percent": (1e-3, 100.0),
    "epsilon": (1e-5, 100.0),
    "alpha": (0.0, 1.0),
    "k": (1, 1000),
    "a": (1e-3, 0.9999),
    "power": (0.5, 20.0),
    "shrinkage": (1e-4, 1.0),
    "ot_batch": (2, 8192),
    "rows": (20, 100_000),
    "tau_x": (1e-3, 1.0),
    "tau_y": (1e-3, 1.0),
    "seed": (0, 9999),
    "steps": (1, 100_000),
    "learning_rate": (1e-7, 1.0),
    "batch_size": (2, 4096),
    "ema": (0.1, 0.99999),
}
WHOLE = ("seed", "steps", "batch_size", "k", "ot_batch", "rows")
WORDS = {"epsilon": "auto", "k": "auto", "a": "auto", "ot_batch": "auto", "rows": "all", "ema": "off"}
"""What a number may be instead."""

COST_KEYS: dict[str, dict[str, str]] = {
    "bridge": {},
    "geodesic_bridge": {"k": "k", "power": "power"},
    "diffusion_bridge": {"diffusion_form": "form", "k": "k", "a": "a"},
    "knn": {"knn_form": "form", "k": "k"},
    "kcca": {"shrinkage": "shrinkage"},
}
"""Which settings each cost reads, and as which of its options."""

OPTION_LABELS = {
    "diffusion_form": "Form",
    "knn_form": "Form",
    "k": "Neighbours k",
    "a": "Diffusion a",
    "power": "Power of steps",
    "shrinkage": "Shrinkage",
}

SAMPLE = 2000
"""Rows a side that are offered where the whole would not fit."""

HELP = {
    "dataset": "What is aligned. Handwriting is matched with label codes; blobs and the Swiss roll are made up.",
    "overlap": "How much the classes run into each other, in both spaces.",
    "reverse": "Carry the target to the source instead: from labels to pictures.",
    "percent": "How many of the known source-target pairs may be used, in percent. The rest stays hidden.",
    "cover": "Draw one pair of each class before the rest.",
    "strategy": "true: learn from the pairs alone. global: optimal transport between all points. "
    "local: optimal transport inside each training batch.",
    "cost": "How far a source point is from a target point, across the pairs. bridge: over the cheapest pair. "
    "geodesic_bridge: the same, along the cloud of points. diffusion_bridge: over every pair, along every path of near "
    "neighbours. knn and kcca: the paper's rivals.",
    "solver": "linear: the cost between the spaces decides. fgw: distances inside the two spaces have a say as well "
    "(fused Gromov-Wasserstein).",
    "alpha": "How much the shapes of the two spaces count against the pairs: 0 is linear, 1 knows no pairs.",
    "k": "Neighbours of each point in the graph that the cost runs along. auto: 10.",
    "a": "How far mass diffuses from the pairs. auto: 0.99 for few pairs, 0.9 for many.",
    "diffusion_form": "kernel: how much mass two points have in common. profile: how alike their distances to all "
    "pairs are.",
    "knn_form": "heat: as in the paper, one step of heat on the graph. path: the exact shortest paths.",
    "power": "Above 1, many short steps are cheaper than a long one, so that ways keep to dense regions.",
    "shrinkage": "How strongly the correlations are regularised.",
    "ot_batch": "Rows of each space that a batch's transport is solved on; bigger misleads less. auto: the batch size.",
    "rows": "Align a random sample of so many rows a side.",
    "metric": "Distance inside each space. auto takes what suits the cost.",
    "epsilon": "How blurred the transport plan is: small is sharp and slow, large is blurred. "
    "auto takes what suits the cost.",
    "tau_x": "1: every source point must be matched. Less: points may be left out.",
    "tau_y": "1: every target point must be used equally. Less: target points may be used more or less.",
    "seed": "Of the pairs that are drawn, the network's first weights and the noise.",
    "velocity": "The network that learns the flow, and its size (Table 1). Small learns within a minute on a CPU; "
    "large is for a GPU, and the default where there is one.",
    "steps": "Of training.",
    "learning_rate": "Of training; it falls to zero on a cosine.",
    "batch_size": "Pairs a training step.",
    "ema": "The flow is an average of the weights of many steps, which is calmer than the last ones. Nearer to 1: more "
    "steps. off: the last weights.",
}
