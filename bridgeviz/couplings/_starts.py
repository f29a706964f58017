"""Where a linear transport begins: at the potentials of a similar one."""

from __future__ import annotations

import numpy as np

from bridgeviz import _checks as check
from bridgeviz.couplings._coupling import Coupling


def potentials_of(start: Coupling, v: int, epsilon: float, mass: np.ndarray) -> np.ndarray:
    """(v,) the potentials of a plan of the same atoms, relative to the marginal at another epsilon."""
    expected = f"a plan of 'linear' for the same {v:,} target atoms, by the method 'newton' or 'dense'"
    if start.potentials is None or len(start.potentials) != v or start.epsilon is None:
        atoms = len(start.target_atoms)
        raise check.fail("start", "linear", expected, f"one of '{start.solver}', {start.method!r}, for {atoms:,}")
    log = np.log(mass, out=np.zeros(v), where=mass > 0)
    return start.potentials + (epsilon - start.epsilon) * log
