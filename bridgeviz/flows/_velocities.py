"""The velocity fields of Table 1, by name."""

from __future__ import annotations

from importlib.util import find_spec

from bridgeviz._options import Variant
from bridgeviz.flows._adaln import AdaLN
from bridgeviz.flows._mlp import MLP
from bridgeviz.flows._velocity import VelocityOptions

VELOCITIES: dict[str, VelocityOptions] = {
    "adaln-small": AdaLN(d=128, blocks=5),
    "adaln-medium": AdaLN(d=256, blocks=7),
    "adaln-large": AdaLN(d=1024, blocks=8),
    "mlp-small": MLP(d=256, embedding=1, joint=3),
    "mlp-medium": MLP(d=512, embedding=2, joint=4),
    "mlp-large": MLP(d=1680, embedding=4, joint=4),
}
"""The registered velocity fields: each name stands for a `VelocityOptions` object.

Table 1 gives 0.7, 3 and 49 million parameters for each kind, without the dimensions of the two spaces. Between
ImageNet's 768 and 384 dimensions, `parameter_count` gives 0.67, 2.9 and 46.8 million (adaLN) and 0.74, 3.2 and 45.1
million (MLP). For an MLP the table gives only the total number of layers; the split between embedding and joint layers
is chosen here to match the parameter counts.
"""


KIND = Variant(VELOCITIES, VelocityOptions)
"""What selects a velocity field: a registered name or an object."""


def velocity_options(velocity: str | VelocityOptions) -> VelocityOptions:
    """The object that a registered name stands for; an object stands for itself.

    Raises:
        InputError: an unknown name.
    """
    return KIND.member(KIND.check(velocity, "velocity", "velocity_options"))


def default_velocity() -> str:
    """The largest field that trains at interactive speed here: "adaln-large" on a GPU, else "adaln-small"."""
    if find_spec("jax_plugins") is None:  # no GPU support is installed, and asking JAX takes a moment
        return "adaln-small"
    import jax

    return "adaln-large" if jax.default_backend() == "gpu" else "adaln-small"
