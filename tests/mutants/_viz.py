"""Mutants of figures."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "map: rows of other points",
        "bridgeviz/viz/maps.py",
        '"customdata": group.rows.astype(np.int32)',
        '"customdata": group.rows.astype(np.int32) + 1',
        "viz",
    ),
    Mutant(
        "map: the colour of another class",
        "bridgeviz/viz/maps.py",
        "else colour(group.rank),",
        "else colour(group.rank + 1),",
        "viz",
    ),
    Mutant("route: ends at the wrong row", "bridgeviz/viz/pairing.py", "maps.right[j]])", "maps.right[i]])", "viz"),
    Mutant("lines: right and wrong swapped", "bridgeviz/viz/plans.py", "~right, WRONG", "right, WRONG", "viz"),
    Mutant("a level is drawn elsewhere", "bridgeviz/viz/figure.py", '"y0": y,', '"y0": y + 1,', "viz"),
]
