"""The ODE solvers, by name."""

from __future__ import annotations

from bridgeviz.flows._heun import Heun
from bridgeviz.flows._ode import OdeOptions
from bridgeviz.flows._rk4 import RK4
from bridgeviz.flows._tsit5 import Tsit5

ODE_SOLVERS: dict[str, type[OdeOptions]] = {
    "heun": Heun,
    "rk4": RK4,
    "tsit5": Tsit5,
}
"""The registered solvers: each name stands for a class of `OdeOptions`."""
