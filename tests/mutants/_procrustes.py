"""Mutants of the Procrustes bridge, of its starts, of its rival, and of runs without pairs."""

from __future__ import annotations

from ._mutant import Mutant

BRIDGE, RIVAL = "costs/test_procrustes.py", "baselines/test_wasserstein_procrustes.py"

MUTANTS = [
    Mutant(
        "scaling: the smallest cost of a row isn't taken off its entries",
        "bridgeviz/_scaling.py",
        "(cost.min(1, keepdims=True) - cost)",
        "(-100 - cost)",
        BRIDGE,
    ),
    Mutant(
        "scaling: the earlier scale isn't read",
        "bridgeviz/_scaling.py",
        "np.ones_like(b) if start is None else start",
        "np.ones_like(b)",
        BRIDGE,
    ),
    Mutant(
        "sides: masses of atoms are not read",
        "bridgeviz/costs/_sides.py",
        "x = x - mass @ x",
        "x = x - x.mean(0)",
        BRIDGE,
    ),
    Mutant(
        "sides: a part keeps the masses of the whole",
        "bridgeviz/costs/_sides.py",
        "a=a / a.sum(), b=b / b.sum()",
        "a=a, b=b",
        BRIDGE,
    ),
    Mutant(
        "alternation: the map is not orthogonal in the end",
        "bridgeviz/costs/_alternation.py",
        "weight = (s / (s.max(initial=0.0) or 1)) ** np.float32(power)",
        "weight = (s / (s.max(initial=0.0) or 1)) ** np.float32(1)",
        f"{BRIDGE} {RIVAL}",
    ),
    Mutant(
        "alternation: CKA is not centred",
        "bridgeviz/costs/_alternation.py",
        "x, y = x - mass @ x, y - mass @ y",
        "x, y = x + 0, y + 0",
        BRIDGE,
    ),
    Mutant(
        "similarity start: pairs are not read",
        "bridgeviz/costs/_similarity_start.py",
        "cost = (cost + _distance(x @ x_pairs.T, y @ y_pairs.T)) / 2",
        "pass",
        BRIDGE,
    ),
    Mutant(
        "similarity start: the profiles are not read",
        "bridgeviz/costs/_similarity_start.py",
        "cost = _distance(_profile(x), _profile(y))",
        "cost = 0 * _distance(_profile(x), _profile(y))",
        BRIDGE,
    ),
    Mutant(
        "geometric start: the linear term is dropped",
        "bridgeviz/costs/_geometric_start.py",
        "rows, columns = linear_sum_assignment(mixed + linear, maximize=True)",
        "rows, columns = linear_sum_assignment(mixed, maximize=True)",
        BRIDGE,
    ),
    Mutant(
        "geometric start: the worst try counts",
        "bridgeviz/costs/_geometric_start.py",
        "if reached > value:",
        "if reached > value or True:",
        BRIDGE,
    ),
    Mutant(
        "restarts: pairs that a restart saw count as held out",
        "bridgeviz/costs/_restarts.py",
        "hidden = np.setdiff1d(shuffled, kept)",
        "hidden = kept",
        BRIDGE,
    ),
    Mutant(
        "restarts: the lead is over all restarts",
        "bridgeviz/costs/_restarts.py",
        "if same < _ALIKE]",
        "if same < 2]",
        BRIDGE,
    ),
    Mutant(
        "procrustes bridge: weights of rows are not read",
        "bridgeviz/costs/_procrustes.py",
        "weights = problem.source.weights, problem.target.weights",
        "weights = None, None",
        BRIDGE,
    ),
    Mutant(
        "procrustes bridge: atoms without mass take part",
        "bridgeviz/costs/_procrustes.py",
        "i, j = sides.a > 0, sides.b > 0",
        "i, j = sides.a >= 0, sides.b >= 0",
        BRIDGE,
    ),
    Mutant(
        "procrustes bridge: the ridge map is the orthogonal one",
        "bridgeviz/costs/_procrustes.py",
        'if self.map == "orthogonal" else',
        "if self.map else",
        BRIDGE,
    ),
    Mutant(
        "wasserstein procrustes: the pairs are forgotten after the start",
        "bridgeviz/baselines/_wasserstein_procrustes.py",
        "/ np.float32(len(rows)) + batch.pairs",
        "/ np.float32(len(rows))",
        RIVAL,
    ),
    Mutant(
        "wasserstein procrustes: the target's centre is forgotten",
        "bridgeviz/baselines/_wasserstein_procrustes.py",
        'self._turned(x, "transport") + self.centres[1]',
        'self._turned(x, "transport")',
        RIVAL,
    ),
    Mutant(
        "runs without pairs: every cost is refused",
        "bridgeviz/experiments/_config.py",
        "self.cost.needs_pairs or not self.coupling.uses_cost",
        "True",
        "experiments/test_no_pairs.py",
    ),
    Mutant(
        "runs without pairs: the strategy doesn't count",
        "bridgeviz/experiments/_config.py",
        "(self.cost.needs_pairs or not self.coupling.uses_cost)",
        "self.cost.needs_pairs",
        "experiments/test_no_pairs.py",
    ),
    Mutant(
        "runs without pairs: the cost is flat",
        "bridgeviz/experiments/_pipeline.py",
        "unread = len(pairs) == 0 and not coupling.needs_pairs and self.config.cost.needs_pairs",
        "unread = len(pairs) == 0",
        "experiments/test_no_pairs.py",
    ),
]
