"""Mutants: changes to the code that must make a test fail. `python -m tests.mutants` runs them (see `__main__`).

Each room has a file with its mutants, in the order of its files.
"""

from __future__ import annotations

from . import (
    _baselines,
    _choice,
    _cli,
    _core,
    _costs,
    _couplings,
    _datasets,
    _dense,
    _dense_fgw,
    _encoders,
    _experiments,
    _factorised,
    _flow_files,
    _flow_training,
    _flow_transport,
    _formats,
    _metrics,
    _newton,
    _own_data,
    _procrustes,
    _restrictions,
    _settings,
    _sparse,
    _ui,
    _viz,
)
from ._mutant import ROOT, Mutant

ROOMS = (
    _core, _encoders, _datasets, _formats, _costs, _procrustes, _couplings, _newton, _dense, _dense_fgw, _factorised,
    _sparse, _flow_training, _flow_transport, _flow_files, _metrics, _restrictions, _baselines, _choice, _experiments,
    _own_data, _settings, _viz, _ui, _cli,
)  # fmt: skip

MUTANTS: list[Mutant] = [mutant for room in ROOMS for mutant in room.MUTANTS]
"""All of them."""

__all__ = ["MUTANTS", "ROOT", "Mutant"]
