"""Cost -> coupling: the three strategies of Sec. 3.2, and the solvers that two of them use.

`true`, `linear`, `fgw`, `assignment` and `local` are functions of arrays. The pipeline and the settings of a run use
the same as objects: a strategy (`TrueAlignment`, `Global`, `Local`) couples a problem, `Global` and `Local` by a solver
(`Linear`, `FGW`, `Assignment`). A new solver is one new file and one line in `SOLVERS`.
"""

from bridgeviz.couplings._alignment import Alignment
from bridgeviz.couplings._as_plan import as_plan, as_whole
from bridgeviz.couplings._assignment import Assignment, assignment
from bridgeviz.couplings._batch_solver import BatchPlan, BatchSolver
from bridgeviz.couplings._coupling import Coupling
from bridgeviz.couplings._distance import distance
from bridgeviz.couplings._entries import group_shares
from bridgeviz.couplings._fgw import FGW, fgw
from bridgeviz.couplings._global import Global
from bridgeviz.couplings._largest import strongest_entries
from bridgeviz.couplings._linear import Linear, linear
from bridgeviz.couplings._local import Local, local
from bridgeviz.couplings._local_coupling import LocalCoupling, Probe
from bridgeviz.couplings._pace import Pace
from bridgeviz.couplings._plan import Plan
from bridgeviz.couplings._plan_memory import peak_bytes
from bridgeviz.couplings._reports import DRAWS, Refinement, RowShares, Sampler, Verdict
from bridgeviz.couplings._rows_with_mass import RowsWithMass
from bridgeviz.couplings._solver_options import Entropic, SolverOptions, Steps
from bridgeviz.couplings._solvers import SOLVERS
from bridgeviz.couplings._strategies import STRATEGIES
from bridgeviz.couplings._true import TrueAlignment, true

__all__ = [
    "DRAWS",
    "FGW",
    "SOLVERS",
    "STRATEGIES",
    "Alignment",
    "Assignment",
    "BatchPlan",
    "BatchSolver",
    "Coupling",
    "Entropic",
    "Global",
    "Linear",
    "Local",
    "LocalCoupling",
    "Pace",
    "Plan",
    "Probe",
    "Refinement",
    "RowShares",
    "RowsWithMass",
    "Sampler",
    "SolverOptions",
    "Steps",
    "TrueAlignment",
    "Verdict",
    "as_plan",
    "as_whole",
    "assignment",
    "distance",
    "fgw",
    "group_shares",
    "linear",
    "local",
    "peak_bytes",
    "strongest_entries",
    "true",
]
