"""Cost -> coupling: the three strategies of Sec. 3.2."""

from bridgeviz.couplings.coupling import Coupling
from bridgeviz.couplings.fgw import fgw
from bridgeviz.couplings.linear import linear
from bridgeviz.couplings.local import LocalCoupling, local
from bridgeviz.couplings.true import true

__all__ = ["Coupling", "LocalCoupling", "fgw", "linear", "local", "true"]
