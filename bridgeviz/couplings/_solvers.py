"""The registry of coupling solvers. A new one is one new file and one line here."""

from bridgeviz.couplings._assignment import Assignment
from bridgeviz.couplings._fgw import FGW
from bridgeviz.couplings._linear import Linear
from bridgeviz.couplings._solver_options import SolverOptions

SOLVERS: dict[str, type[SolverOptions]] = {
    "linear": Linear,
    "fgw": FGW,
    "assignment": Assignment,
}
