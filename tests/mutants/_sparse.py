"""Mutants of the transport on few entries, and of the assignment."""

from __future__ import annotations

from ._mutant import Mutant

SEARCH, SPARSE = "bridgeviz/_near_entries.py", "bridgeviz/couplings/_linear_sparse.py"
GUESS, MATCH = "bridgeviz/couplings/_sampled_potentials.py", "bridgeviz/couplings/_assignment_on_entries.py"
TESTS, MATCH_TESTS = "couplings/test_sparse.py", "couplings/test_assignment.py"

MUTANTS = [
    Mutant("sparse: a sum in place of the least sum", SEARCH, "if total < best[j]:", "if best[j] == np.inf:", TESTS),
    Mutant("sparse: entries are chosen once", SPARSE, "or rounds == ROUNDS or", "or rounds >= 1 or", TESTS),
    Mutant("sparse: what is missed is not said", SPARSE, "if missed.share > MISSED:", "if False:", TESTS),
    Mutant(
        "sparse: the counts of merged rows are forgotten", SPARSE, "unit, np.log(source.counts))", "unit, f * 0)", TESTS
    ),
    Mutant("sparse: the mean from rows alone", GUESS, " - alpha @ both @ beta", " - by_column @ beta", TESTS),
    Mutant("assignment: other entries are not looked at", MATCH, "number < most else", "False else", MATCH_TESTS),
]
