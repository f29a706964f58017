"""Velocity fields, GENOT training, transport and checkpoints."""

from bridgeviz.flows.config import FlowConfig
from bridgeviz.flows.flow import Flow, Trajectory
from bridgeviz.flows.training import Progress, TrainingError, fit, genot_loss
from bridgeviz.flows.velocity import VELOCITIES, parameter_count

__all__ = [
    "VELOCITIES",
    "Flow",
    "FlowConfig",
    "Progress",
    "TrainingError",
    "Trajectory",
    "fit",
    "genot_loss",
    "parameter_count",
]
