"""Mutants of flows: transport, ODE solvers and saved flows."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "transport: one scaling forgotten",
        "bridgeviz/flows/_flow.py",
        "self.target.restore(np.concatenate(parts, axis=1))",
        "np.concatenate(parts, axis=1)",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: padding kept",
        "bridgeviz/flows/_flow.py",
        "np.asarray(states)[:, : n - start]",
        "np.asarray(states)[:, :]",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: blocks read the first noise",
        "bridgeviz/flows/_flow.py",
        "z[take]",
        "z[take - start]",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: failures pass",
        "bridgeviz/flows/_flow.py",
        "if not bool(solved):",
        "if False:",
        "flows/test_flow.py",
    ),
    Mutant(
        "scaling: a constant dimension divides by its deviation",
        "bridgeviz/flows/_scaling.py",
        "np.where(std > 1e-12 * np.abs(x).max(0), std, 1.0)",
        "np.maximum(std, 1e-30)",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: only the first times are reported",
        "bridgeviz/flows/_fixed_step.py",
        "k = jnp.clip((ts * steps).astype(jnp.int32), 0, steps - 1)",
        "k = jnp.clip((ts * steps).astype(jnp.int32), 0, 0)",
        "flows/test_transport.py",
    ),
    Mutant(
        "transport: straight lines between the steps",
        "bridgeviz/flows/_fixed_step.py",
        "(1 - s) * here + s * there + cubic",
        "(1 - s) * here + s * there",
        "flows/test_transport.py",
    ),
    Mutant(
        "heun: the second stage is left out",
        "bridgeviz/flows/_heun.py",
        "Step(z + h / 2 * (first + second), end",
        "Step(z + h * first, end",
        "flows/test_transport.py",
    ),
    Mutant(
        "rk4: weights of Heun",
        "bridgeviz/flows/_rk4.py",
        "h / 6 * (first + 2 * second + 2 * third + fourth)",
        "h / 2 * (first + fourth)",
        "flows/test_transport.py",
    ),
    Mutant(
        "rk4: middle at the end of the step",
        "bridgeviz/flows/_rk4.py",
        "at((k + 0.5) * h)",
        "at((k + 1) * h)",
        "flows/test_transport.py",
    ),
    Mutant(
        "tsit5: the tolerance is ignored",
        "bridgeviz/flows/_tsit5.py",
        "rtol=self.tolerance, atol=self.tolerance",
        "rtol=1e-1, atol=1e-1",
        "flows/test_transport.py flows/test_objects.py",
    ),
    Mutant(
        "draws: half the spread",
        "bridgeviz/flows/_flow.py",
        "points.std(0, ddof=1))",
        "points.std(0, ddof=1) / 2)",
        "flows/test_transport.py",
    ),
    Mutant(
        "save: the parameters are forgotten",
        "bridgeviz/flows/_storage.py",
        "np.asarray(leaf) for key, leaf",
        "np.zeros_like(leaf) for key, leaf",
        "flows/test_flow.py",
    ),
    Mutant(
        "load: weights are not verified",
        "bridgeviz/flows/_storage.py",
        'if _digest(content) != written["digest"]:',
        "if False:",
        "flows/test_flow.py flows/test_checkpoints.py",
    ),
    Mutant(
        "load: settings are not verified",
        "bridgeviz/flows/_storage.py",
        'if ("digest" in about or "arrays" in about) and about != sealed(about):',
        "if False:",
        "flows/test_flow.py",
    ),
    Mutant(
        "load: any format",
        "bridgeviz/flows/_flow_folder.py",
        'if about["format"] not in (_FORMAT, _FORMAT_0_1):',
        "if False:",
        "flows/test_flow.py",
    ),
    Mutant(
        "load: no check of finite weights",
        "bridgeviz/flows/_flow_folder.py",
        "if not all(np.isfinite(leaf).all()",
        "if False and not all(np.isfinite(leaf).all()",
        "flows/test_flow.py",
    ),
]
