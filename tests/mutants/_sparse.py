"""Mutants of the transport on few entries, and of the assignment."""

from __future__ import annotations

from ._mutant import Mutant

SEARCH, SPARSE = "bridgeviz/_near_entries.py", "bridgeviz/couplings/_linear_sparse.py"
GUESS, MATCH = "bridgeviz/couplings/_sampled_potentials.py", "bridgeviz/couplings/_assignment_on_entries.py"
PATHS, LEGS = "bridgeviz/_sparse_matching.py", "bridgeviz/costs/_legs.py"
LARGEST = "bridgeviz/couplings/_largest.py"
TESTS, MATCH_TESTS = "couplings/test_sparse.py", "couplings/test_assignment.py"

MUTANTS = [
    Mutant("sparse: a sum in place of the least sum", SEARCH, "if total < best[j]:", "if best[j] == np.inf:", TESTS),
    Mutant("sparse: entries are chosen once", SPARSE, "or rounds == ROUNDS or", "or rounds >= 1 or", TESTS),
    Mutant("sparse: mass without a place may stay", SPARSE, "<= UNPLACED * tolerance", "<= 1e-3", TESTS),
    Mutant("sparse: entries may be infinite", SPARSE, " + log_rows + HIGHEST", " + np.inf", TESTS),
    Mutant("sparse: what is missed is not said", SPARSE, "if missed.share > MISSED:", "if False:", TESTS),
    Mutant(
        "sparse: the counts of merged rows are forgotten", SPARSE, "unit, np.log(source.counts))", "unit, f * 0)", TESTS
    ),
    Mutant("sparse: the mean from rows alone", GUESS, " - alpha @ both @ beta", " - by_column @ beta", TESTS),
    Mutant("sparse: large legs are counted as double", LEGS, "legs.dtype.itemsize for", "8 for", TESTS),
    Mutant(
        "sparse: entries of empty rows at the start of the next row", SPARSE, "ends[i + 1], j)", "ends[i], j)", TESTS
    ),
    Mutant("assignment: other entries are not looked at", MATCH, "len(better) and number < most", "False", MATCH_TESTS),
    Mutant(
        "assignment: rows keep a match that is no longer the cheapest",
        PATHS,
        "if least < paid",
        "if 0 > paid",
        MATCH_TESTS,
    ),
    Mutant("assignment: potentials of columns with a place stay", PATHS, "self.g[left] = 0.0", "break", MATCH_TESTS),
    Mutant(
        "assignment: potentials do not follow the paths", PATHS, "+= lengths[settled[k]] - least", "+= 0", MATCH_TESTS
    ),
    Mutant(
        "assignment: one place per column",
        PATHS,
        "if held[to] < starts[to + 1] - starts[to]:",
        "if held[to] < 1:",
        MATCH_TESTS,
    ),
    Mutant(
        "assignment: a shorter row gives up entries of the next",
        LARGEST,
        "small < lengths[block, None]",
        "small >= 0",
        MATCH_TESTS,
    ),
]
