"""Velocity fields, U-GENOT training, transport and checkpoints."""

from bridgeviz.flows.checkpoints import Busy, Stale, forget
from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.flow import Flow
from bridgeviz.flows.parallel import mesh
from bridgeviz.flows.training import Progress, TrainingError, fit, genot_loss
from bridgeviz.flows.transport import Draws, Trajectory
from bridgeviz.flows.velocity import PRECISIONS, VELOCITIES, default_velocity, parameter_count

__all__ = [
    "PRECISIONS",
    "VELOCITIES",
    "Busy",
    "Draws",
    "Flow",
    "FlowConfig",
    "Progress",
    "Stale",
    "TrainingError",
    "Trajectory",
    "default_velocity",
    "fit",
    "forget",
    "genot_loss",
    "mesh",
    "parameter_count",
]
