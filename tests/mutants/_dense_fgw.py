"""Mutants of fused Gromov-Wasserstein on a stored kernel."""

from __future__ import annotations

from ._mutant import Mutant

FILE = "bridgeviz/couplings/_gromov_on_kernel.py"
TESTS = "couplings/test_dense_fgw.py"
SAME = f"{TESTS}::test_the_plan_is_that_of_ott"

MUTANTS = [
    Mutant("dense fgw: half of the shapes", FILE, "-4 * alpha * left", "-2 * alpha * left", SAME),
    Mutant("dense fgw: mass not in the fused term", FILE, "weight *= mass", "pass", SAME),
    Mutant(
        "dense fgw: marginal terms forgotten",
        FILE,
        "constant += jnp.where(t < 1,",
        "constant += jnp.where(t < 0,",
        SAME,
    ),
    Mutant("dense fgw: halves keep different masses", FILE, "math.sqrt(mass / new) if", "1.0 if", SAME),
    Mutant("dense fgw: no reference for the rows", FILE, " - epsilon * log_rows", "", SAME),
    Mutant(
        "dense fgw: single precision for every tolerance",
        FILE,
        "np.float32 if tolerance >= SINGLE else np.float64",
        "np.float32",
        f"{TESTS}::test_double_precision_below_what_single_reaches",
    ),
    Mutant(
        "dense fgw: a faint plan is lost",
        FILE,
        "self.sinkhorn.dtype == np.float32 and not",
        "False and not",
        f"{TESTS}::test_a_faint_plan_is_solved_in_double_precision",
    ),
    Mutant(
        "dense fgw: a space as a matrix",
        "bridgeviz/couplings/_fused_problem.py",
        "return within.on(rows, scale)",
        "within = within.dense()",
        f"{TESTS}::test_no_matrix_of_a_space_is_made",
    ),
    Mutant(
        "dense fgw: a plain matrix is multiplied by the factors of a space",
        FILE,
        "pi if isinstance(shapes.c_yy, Matrix) else pi @ inner",
        "pi @ inner if isinstance(shapes.c_yy, Matrix) else pi[:, : inner.shape[1]]",
        f"{TESTS}::test_costs_within_as_matrices_or_as_rows",
    ),
    Mutant(
        "dense fgw: forbidden matches at weight zero are NaN",
        "bridgeviz/_kernel_sweeps.py",
        "jnp.where(jnp.isfinite(matrix), cost.weight * matrix, jnp.inf)",
        "cost.weight * matrix",
        f"{TESTS}::test_weights_forbidden_matches_and_equal_rows",
    ),
]
