"""Mutants of figures."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "map: rows of other points",
        "bridgeviz/viz/maps.py",
        '"customdata": rows.astype(np.int32)',
        '"customdata": rows.astype(np.int32) + 1',
        "viz",
    ),
    Mutant(
        "map: the colour of another class",
        "bridgeviz/viz/maps.py",
        "else colour(rank),",
        "else colour(rank + 1),",
        "viz",
    ),
    Mutant("route: ends at the wrong row", "bridgeviz/viz/pairing.py", "maps.right[j]])", "maps.right[i]])", "viz"),
    Mutant("lines: right and wrong swapped", "bridgeviz/viz/plans.py", "~right, WRONG", "right, WRONG", "viz"),
    Mutant(
        "lines: the wrong ones have more ink",
        "bridgeviz/viz/plans.py",
        '"9px,3px", 2.0',
        '"9px,3px", 2.4',
        "viz",
    ),
    Mutant(
        "plan in blocks: shares instead of multiples",
        "bridgeviz/viz/plans.py",
        "times = blocks.mass / blocks.even",
        "times = blocks.mass",
        "viz",
    ),
    Mutant(
        "heatmap: white text on light cells",
        "bridgeviz/viz/plans.py",
        "(shares >= 0.5 * top) == dark",
        "(shares >= 0.4 * top) == dark",
        "viz",
    ),
    Mutant(
        "map: equal rows have the first one's class",
        "bridgeviz/viz/markers.py",
        "key = atoms.index * (int(code.max()) + 1) + code",
        "key = atoms.index * (int(code.max()) + 1)",
        "viz",
    ),
    Mutant(
        "map: single rows are drawn class by class",
        "bridgeviz/viz/markers.py",
        "rng.integers(0, _LAYERS, n)",
        "np.zeros(n, np.int64)",
        "viz",
    ),
    Mutant("a level is drawn elsewhere", "bridgeviz/viz/figure.py", '"y0": y,', '"y0": y + 1,', "viz"),
]
