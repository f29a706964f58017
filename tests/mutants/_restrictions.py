"""Mutants of weights and of forbidden matches."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "weights: an atom counts its rows, not their effective number",
        "bridgeviz/costs/_atoms.py",
        "return np.exp(total if tau == 1 else np.log1p(total) / (1 - tau))",
        "return self.multiplicity.astype(float)",
        "couplings/test_weights.py",
    ),
    Mutant(
        "weights: rows share an atom's mass as if tau were 1",
        "bridgeviz/costs/_atoms.py",
        "tempered = relative**self.power",
        "tempered = relative",
        "couplings/test_weights.py",
    ),
    Mutant(
        "weights: batches are drawn evenly",
        "bridgeviz/couplings/_local_coupling.py",
        "mu=RowSampler.of(self.cost.source_atoms.weights)",
        "mu=None",
        "couplings/test_weights.py",
    ),
    Mutant(
        "weights: masses to learn are over the mean weight",
        "bridgeviz/couplings/_sampler.py",
        "return np.divide(marginal, weights, out",
        "return np.divide(marginal, weights.mean(), out",
        "couplings/test_weights.py",
    ),
    Mutant(
        "weights: the cost within a space is divided by its plain mean",
        "bridgeviz/couplings/_fused_problem.py",
        "within.mean() if weights is None else weights @ within @ weights",
        "within.mean()",
        "couplings/test_weights.py",
    ),
    Mutant(
        "weights: those of a problem are lost",
        "bridgeviz/couplings/_alignment.py",
        "else cost).weighted(mu, nu)",
        "else cost)",
        "experiments/test_restricted_runs.py",
    ),
    Mutant(
        "weights: a file is not joined to its side",
        "bridgeviz/datasets/files.py",
        "Space(table.x, labels=labels, weights=of_rows)",
        "Space(table.x, labels=labels)",
        "cli/test_restricted_align.py",
    ),
    Mutant(
        "forbidden: the mean is over all matches",
        "bridgeviz/costs/_cost.py",
        "permitted = mu.sum() * nu.sum() - self.forbidden.mass(mu, nu)",
        "permitted = mu.sum() * nu.sum()",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: merged rows are not split",
        "bridgeviz/costs/_atoms.py",
        "(int(codes.max()) + 1) + codes",
        "(int(codes.max()) + 1) + 0 * codes",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: the reference measure of FGW is everywhere",
        "bridgeviz/couplings/_fused_problem.py",
        "] = -np.inf",
        "] = 0.0",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: a plan that can't exist is not explained",
        "bridgeviz/couplings/_permitted.py",
        "if missing <= max(_SHORT, (s + t) / _UNITS):",
        "if missing <= 1:",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: the search in the table skips nothing",
        "bridgeviz/costs/_lookup.py",
        "jnp.where(below, middle + 1, low)",
        "jnp.where(below, middle, low)",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: a number in place of infinity is a cost",
        "bridgeviz/costs/_matrix_cost.py",
        "return at if 1e-9 < next_largest",
        "return at if 1e99 < next_largest",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: pairs may be forbidden",
        "bridgeviz/_forbidden.py",
        "wrong = np.flatnonzero(forbidden.among(np.asarray(pairs)))",
        "wrong = np.flatnonzero(forbidden.among(np.asarray(pairs)))[:0]",
        "couplings/test_forbidden.py",
    ),
    Mutant(
        "forbidden: a run forgets it",
        "bridgeviz/experiments/_pipeline.py",
        "return cost if forbidden is None else cost.forbid(forbidden)",
        "return cost",
        "experiments/test_restricted_runs.py",
    ),
]
