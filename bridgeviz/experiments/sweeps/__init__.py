"""Many runs: a grid over any settings, on the cores of this machine, a Dask cluster or a job queue.

A cell's result is written as soon as it ends, under a key of its settings. Whatever interrupts a sweep, the next start
runs only what is missing.
"""

from bridgeviz.experiments.sweeps._cluster import QUEUES, Workers
from bridgeviz.experiments.sweeps._grid import Cell, Grid
from bridgeviz.experiments.sweeps._sweep import TABLE, Progress, sweep, table

__all__ = ["QUEUES", "TABLE", "Cell", "Grid", "Progress", "Workers", "sweep", "table"]
