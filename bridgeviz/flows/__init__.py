"""Velocity fields, U-GENOT training, transport and checkpoints. Every name is imported on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridgeviz._lazy import attach

if TYPE_CHECKING:
    from bridgeviz.flows._adaln import AdaLN
    from bridgeviz.flows._checkpoints import Busy, Stale, check_checkpoints, forget, held
    from bridgeviz.flows._config import PRECISIONS, FlowConfig
    from bridgeviz.flows._field import TIME_FEATURES, VelocityField
    from bridgeviz.flows._fixed_step import FixedStep
    from bridgeviz.flows._flow import Flow
    from bridgeviz.flows._heun import Heun
    from bridgeviz.flows._linear_map import LinearMap
    from bridgeviz.flows._loss import genot_loss, loss_in_parts, parts_of
    from bridgeviz.flows._mlp import MLP
    from bridgeviz.flows._networks import init_velocity, parameter_count
    from bridgeviz.flows._ode import OdeOptions
    from bridgeviz.flows._ode_solvers import ODE_SOLVERS
    from bridgeviz.flows._parallel import mesh
    from bridgeviz.flows._progress import Progress, TrainingError
    from bridgeviz.flows._rk4 import RK4
    from bridgeviz.flows._scaling import Scaling
    from bridgeviz.flows._step import compilations
    from bridgeviz.flows._trainer import fit
    from bridgeviz.flows._trajectory import Draws, Trajectory
    from bridgeviz.flows._transported_file import save_transported
    from bridgeviz.flows._tsit5 import Tsit5
    from bridgeviz.flows._velocities import VELOCITIES, default_velocity
    from bridgeviz.flows._velocity import VelocityOptions

__getattr__, __dir__, __all__ = attach(
    __name__,
    {
        "_adaln": ["AdaLN"],
        "_checkpoints": ["Busy", "Stale", "check_checkpoints", "forget", "held"],
        "_config": ["PRECISIONS", "FlowConfig"],
        "_field": ["TIME_FEATURES", "VelocityField"],
        "_fixed_step": ["FixedStep"],
        "_flow": ["Flow"],
        "_heun": ["Heun"],
        "_mlp": ["MLP"],
        "_networks": ["init_velocity", "parameter_count"],
        "_ode": ["OdeOptions"],
        "_ode_solvers": ["ODE_SOLVERS"],
        "_parallel": ["mesh"],
        "_rk4": ["RK4"],
        "_scaling": ["Scaling"],
        "_linear_map": ["LinearMap"],
        "_loss": ["genot_loss", "loss_in_parts", "parts_of"],
        "_step": ["compilations"],
        "_progress": ["Progress", "TrainingError"],
        "_trainer": ["fit"],
        "_trajectory": ["Draws", "Trajectory"],
        "_transported_file": ["save_transported"],
        "_tsit5": ["Tsit5"],
        "_velocities": ["VELOCITIES", "default_velocity"],
        "_velocity": ["VelocityOptions"],
    },
)
