"""Break one thing at a time and see that a test notices: `python -m tests.mutants [part of a name ...]`.

Each line names what is broken, where, what the code says and what it says instead, and the tests that ought to fail.
The breaks are made in a copy of the project. A mutant that survives makes the exit status 1. All of them take close
to an hour on two cores, so the test suite does not run them; run those of a room after changing its tests.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
LEFT_OUT = shutil.ignore_patterns(".git", "__pycache__", "venv", ".venv", ".pytest_cache", ".hypothesis")

PATIENCE = 300
"""Seconds for the tests of one mutant."""


class Mutant(NamedTuple):
    """What is broken, in which file, the code, what it becomes, and the tests (below `tests/`) that ought to fail."""

    name: str
    file: str
    code: str
    broken: str
    tests: str


MUTANTS = [
    Mutant(
        "regresses on y, not y - z",
        "bridgeviz/flows/training.py",
        "t * y + (1 - t) * z, y - z",
        "t * y + (1 - t) * z, y",
        "flows/test_target.py",
    ),
    Mutant(
        "loss regresses on y - x",
        "bridgeviz/flows/training.py",
        "return jnp.mean((velocity(t, point, x) - direction) ** 2)",
        "return jnp.mean((velocity(t, point, x) - (y - x if x.shape == y.shape else direction)) ** 2)",
        "flows/test_target.py",
    ),
    Mutant(
        "path runs backwards",
        "bridgeviz/flows/training.py",
        "return t * y + (1 - t) * z, y - z",
        "return (1 - t) * y + t * z, y - z",
        "flows/test_target.py",
    ),
    Mutant(
        "gradient ascent",
        "bridgeviz/flows/training.py",
        "p - rate * u",
        "p + rate * u",
        "flows/test_training.py flows/test_target.py",
    ),
    Mutant(
        "no learning-rate decay",
        "bridgeviz/flows/training.py",
        "learning_rate * 0.5 * (1 + jnp.cos(jnp.pi * state.step / steps))",
        "learning_rate",
        "flows/test_training.py",
    ),
    Mutant(
        "key not folded with the step",
        "bridgeviz/flows/training.py",
        "jax.random.fold_in(key, state.step)",
        "key",
        "flows/test_training.py flows/test_target.py",
    ),
    Mutant(
        "chunk donated to the caller",
        "bridgeviz/flows/training.py",
        "jax.tree.map(jnp.copy, state.params)",
        "state.params",
        "flows/test_training.py",
    ),
    Mutant(
        "transport: one scaling forgotten",
        "bridgeviz/flows/flow.py",
        "self.target.restore(np.concatenate(parts, axis=1))",
        "np.concatenate(parts, axis=1)",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: padding kept",
        "bridgeviz/flows/flow.py",
        "np.asarray(states)[:, : n - start]",
        "np.asarray(states)[:, :]",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: blocks read the first noise",
        "bridgeviz/flows/flow.py",
        "z[take]",
        "z[take - start]",
        "flows/test_flow.py",
    ),
    Mutant(
        "load: no check of finite weights",
        "bridgeviz/flows/flow.py",
        "if not all(np.isfinite(leaf).all()",
        "if False and not all(np.isfinite(leaf).all()",
        "flows/test_flow.py",
    ),
    Mutant(
        "scaling: a constant dimension divides by its deviation",
        "bridgeviz/flows/flow.py",
        "np.where(std > 1e-8 * np.abs(x).max(0), std, 1.0)",
        "np.maximum(std, 1e-30)",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: only the first times are reported",
        "bridgeviz/flows/flow.py",
        "saveat=diffrax.SaveAt(ts=ts)",
        "saveat=diffrax.SaveAt(ts=0 * ts)",
        "flows/test_flow.py",
    ),
    Mutant(
        "transport: failures pass",
        "bridgeviz/flows/flow.py",
        "if not bool(solved):",
        "if False:",
        "flows/test_flow.py",
    ),
    Mutant(
        "save: the parameters are forgotten",
        "bridgeviz/flows/flow.py",
        'checkpointer.save(draft / "params", nnx.to_pure_dict(self.params))',
        'checkpointer.save(draft / "params", jax.tree.map(jnp.zeros_like, nnx.to_pure_dict(self.params)))',
        "flows/test_flow.py",
    ),
    Mutant(
        "load: any format",
        "bridgeviz/flows/flow.py",
        'if about["format"] != _FORMAT:',
        "if False:",
        "flows/test_flow.py",
    ),
    Mutant(
        "fit: another plan's shape passes",
        "bridgeviz/flows/training.py",
        "if plan.shape != problem.shape:",
        "if False:",
        "flows/test_training.py checks",
    ),
    Mutant(
        "velocity: the condition is ignored",
        "bridgeviz/flows/velocity.py",
        "nnx.silu(self.time(time_features(t)) + self.source(x))",
        "nnx.silu(self.time(time_features(t)) + 0 * self.source(x))",
        "flows",
    ),
    Mutant(
        "velocity: blocks without gate",
        "bridgeviz/flows/velocity.py",
        "return h + gate * self.second",
        "return h + self.second",
        "flows",
    ),
    Mutant(
        "linear: shift -eps log m forgotten",
        "bridgeviz/couplings/linear.py",
        "- epsilon * np.log(m_u)[:, None] - epsilon * np.log(m_v)",
        "",
        "couplings/test_linear.py",
    ),
    Mutant(
        "linear: cost not divided by its mean",
        "bridgeviz/couplings/linear.py",
        'positive_mean(cost, "linear") if',
        "1.0 if",
        "couplings/test_linear.py",
    ),
    Mutant(
        "linear: marginals of atoms uniform",
        "bridgeviz/couplings/linear.py",
        "jnp.asarray(m_u / n)",
        "jnp.asarray(np.full(len(m_u), 1 / len(m_u)))",
        "couplings/test_linear.py",
    ),
    Mutant(
        "linear: tau sides swapped",
        "bridgeviz/couplings/linear.py",
        "tau_a=tau[0], tau_b=tau[1]",
        "tau_a=tau[1], tau_b=tau[0]",
        "couplings/test_linear.py",
    ),
    Mutant(
        "linear: always says converged",
        "bridgeviz/couplings/linear.py",
        "bool(converged)",
        "True",
        "couplings/test_linear.py",
    ),
    Mutant(
        "sampler: off by one column",
        "bridgeviz/couplings/sampler.py",
        'alias[low] = high[np.minimum(np.searchsorted(left, before, side="right"), len(high) - 1)]',
        'alias[low] = high[np.minimum(np.searchsorted(left, before, side="right") + 1, len(high) - 1)]',
        "couplings/test_sampler.py",
    ),
    Mutant(
        "sample: off by one entry",
        "bridgeviz/couplings/coupling.py",
        'side="right"), len(cdf) - 1)\n',
        'side="right") + 1, len(cdf) - 1)\n',
        "couplings/test_coupling.py",
    ),
    Mutant(
        "sample: always the first member",
        "bridgeviz/couplings/coupling.py",
        "(rng.random(len(u)) * atoms.multiplicity[u]).astype(np.int64)",
        "0 * u",
        "couplings/test_coupling.py",
    ),
    Mutant(
        "dense: atoms' mass not shared",
        "bridgeviz/couplings/coupling.py",
        "plan / self.source_atoms.multiplicity[:, None] / self",
        "plan / self",
        "couplings/test_coupling.py couplings/test_linear.py",
    ),
    Mutant(
        "true: mass 1 a pair",
        "bridgeviz/couplings/true.py",
        "np.full(len(pairs), 1 / len(pairs))",
        "np.full(len(pairs), 1.0)",
        "couplings/test_coupling.py",
    ),
    Mutant(
        "local: rows and columns mixed up",
        "bridgeviz/couplings/local.py",
        "return i[at // self.ot_batch_size], j[at % self.ot_batch_size]",
        "return i[at % self.ot_batch_size], j[at // self.ot_batch_size]",
        "couplings/test_local.py",
    ),
    Mutant(
        "true: repeated rows lose their mass",
        "bridgeviz/couplings/true.py",
        "1 / len(pairs)), (",
        "1 / (len(pairs) + 1)), (",
        "couplings/test_coupling.py",
    ),
    Mutant(
        "sampler: rows uniform",
        "bridgeviz/couplings/sampler.py",
        "share[: used.sum()] = flat.data[used]",
        "share[: used.sum()] = 1.0",
        "couplings/test_sampler.py",
    ),
    Mutant(
        "local: uniform draw from the batch",
        "bridgeviz/couplings/local.py",
        "cdf = jnp.cumsum(out.matrix.reshape(-1))",
        "cdf = jnp.cumsum(jnp.ones(self.ot_batch_size**2))",
        "couplings/test_local.py",
    ),
    Mutant(
        "local: the batch's cost is not divided by its mean",
        "bridgeviz/couplings/local.py",
        "cost = cost / jnp.maximum(cost.mean(), 1e-12)",
        "cost = 30 * cost",
        "couplings/test_local.py",
    ),
    Mutant(
        "bridge: max instead of min",
        "bridgeviz/costs/cost.py",
        "np.minimum(",
        "np.maximum(",
        "costs/test_bridge.py",
    ),
    Mutant(
        "bridge: mean division dropped",
        "bridgeviz/costs/bridge.py",
        "mean = a.metric.mean(x) or 1.0",
        "mean = 1.0",
        "costs/test_bridge.py",
    ),
    Mutant(
        "bridge: group keeps the last leg",
        "bridgeviz/costs/bridge.py",
        "np.minimum.reduceat(far, starts, axis=1))",
        "far[:, starts])",
        "costs/test_bridge.py",
    ),
    Mutant(
        "bridge: zero on pairs left to rounding",
        "bridgeviz/costs/bridge.py",
        "far[some, np.arange(len(some))] = 0.0",
        "pass",
        "costs/test_bridge.py",
    ),
    Mutant(
        "mean of a metric loses its factor 2",
        "bridgeviz/costs/intra.py",
        "float(2 * self.scale * spread)",
        "float(self.scale * spread)",
        "costs/test_intra.py",
    ),
    Mutant(
        "cosine without normalising",
        "bridgeviz/costs/intra.py",
        "return x / norms",
        "return x",
        "costs/test_intra.py",
    ),
    Mutant(
        "pearson without centring",
        "bridgeviz/costs/intra.py",
        "return centred / np.linalg.norm(centred, axis=1, keepdims=True)",
        "return x / np.linalg.norm(x, axis=1, keepdims=True)",
        "costs/test_intra.py",
    ),
    Mutant(
        "mean over atoms, not rows",
        "bridgeviz/costs/cost.py",
        "self.source_atoms.multiplicity\n            @ self.on_atoms",
        "np.ones(len(self.source_atoms)) * self.shape[0] / len(self.source_atoms)\n            @ self.on_atoms",
        "costs/test_bridge.py couplings/test_linear.py",
    ),
    Mutant(
        "conjugate gradients: wrong step",
        "bridgeviz/costs/resolvent.py",
        "p *= np.divide(size, before",
        "p *= 0.5 * np.divide(size, before",
        "costs/test_resolvent.py",
    ),
    Mutant(
        "diffusion: rows not normalised",
        "bridgeviz/costs/diffusion.py",
        "total = f_x @ (f_y.T @ given.target.multiplicity)",
        "total = np.ones(f_x.shape[0])",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "diffusion: multiplicity forgotten",
        "bridgeviz/costs/diffusion.py",
        "f_x @ (f_y.T @ given.target.multiplicity)",
        "f_x @ (f_y.T @ np.ones(f_y.shape[0]))",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "diffusion: graph not symmetric",
        "bridgeviz/costs/graph.py",
        "return sparse.csr_array(w.maximum(w.T))",
        "return sparse.csr_array(w)",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "diffusion: copies do not count as neighbours",
        "bridgeviz/costs/diffusion.py",
        "met = (atoms.multiplicity - 1)[:, None] + np.cumsum",
        "met = 0 * (atoms.multiplicity - 1)[:, None] + np.cumsum",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "diffusion: only mutual neighbours",
        "bridgeviz/costs/graph.py",
        "return sparse.csr_array(w.maximum(w.T))",
        "return sparse.csr_array(w.minimum(w.T))",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "pairs: cover_classes ignored",
        "bridgeviz/problem.py",
        "order = np.concatenate([order[first], np.delete(order, first)])",
        "pass",
        "problem",
    ),
    Mutant(
        "reversed keeps the truth's order",
        "bridgeviz/problem.py",
        "self.truth[:, ::-1]",
        "self.truth",
        "problem",
    ),
    Mutant(
        "pairs: the fraction is not rounded but cut",
        "bridgeviz/problem.py",
        "zero=True) * known)",
        "zero=True) * known - 0.499)",
        "problem",
    ),
    Mutant(
        "pairs: drawn with replacement",
        "bridgeviz/problem.py",
        "return Pairs(self.truth[order[:size]]",
        "return Pairs(self.truth[np.sort(order)[:size]]",
        "problem",
    ),
    Mutant(
        "problem: a test of other dimensions passes",
        "bridgeviz/problem.py",
        "if ours != theirs:",
        "if False:",
        "problem checks",
    ),
    Mutant(
        "checks: NaN passes",
        "bridgeviz/_checks.py",
        "good = np.isfinite(array)\n",
        "good = np.ones(array.shape, bool)\n",
        "checks",
    ),
    Mutant(
        "checks: repeats pass",
        "bridgeviz/_checks.py",
        "if len(unique) < len(array):",
        "if False:",
        "checks",
    ),
    Mutant(
        "checks: last row is out of range",
        "bridgeviz/_checks.py",
        "(array[:, column] >= size)",
        "(array[:, column] > size)",
        "checks",
    ),
    Mutant(
        "checks: tau 0 passes",
        "bridgeviz/_checks.py",
        "or (number == 0 and not zero)",
        "",
        "checks",
    ),
    Mutant(
        "checks: epsilon 0 passes",
        "bridgeviz/_checks.py",
        "if number <= 0:",
        "if number < 0:",
        "checks",
    ),
    Mutant(
        "checks: any name passes",
        "bridgeviz/_checks.py",
        'raise fail(name, where, "one of "',
        'return value\n    raise fail(name, where, "one of "',
        "checks",
    ),
    Mutant(
        "files: half a folder stays",
        "bridgeviz/_files.py",
        "    finally:\n        shutil.rmtree(draft, ignore_errors=True)",
        "    finally:\n        pass",
        "cli/test_files.py cli/test_align.py flows/test_flow.py",
    ),
    Mutant(
        "files: a foreign folder is overwritten",
        "bridgeviz/_files.py",
        "        if foreign:",
        "        if False:",
        "cli/test_align.py cli/test_files.py",
    ),
    Mutant(
        "files: an array is written in place",
        "bridgeviz/_files.py",
        "os.replace(draft, path)",
        "path.write_bytes(b'')",
        "cli",
    ),
    Mutant(
        "matching: not normalised",
        "bridgeviz/metrics/matching.py",
        "matched / plan.mass if",
        "matched if",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "matching: shares not averaged",
        "bridgeviz/metrics/matching.py",
        "return counts / atoms.multiplicity[:, None]",
        "return counts",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "class MSE: root forgotten square",
        "bridgeviz/metrics/downstream.py",
        "made[made_labels == c].mean(0)) ** 2).mean()",
        "made[made_labels == c].mean(0)) ** 1).mean()",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "confusion transposed",
        "bridgeviz/metrics/downstream.py",
        "(np.searchsorted(known, labels), np.searchsorted(known, predicted))",
        "(np.searchsorted(known, predicted), np.searchsorted(known, labels))",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "predict: decoder ignored",
        "bridgeviz/metrics/downstream.py",
        "if space.decode_labels is not None:",
        "if False:",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "neighbours of a row include itself",
        "bridgeviz/metrics/neighbours.py",
        'k = min(check.count(k, "k", "neighbourhood"), len(x) - 1)',
        'k = min(check.count(k, "k", "neighbourhood") + 1, len(x) - 1)',
        "metrics/test_diagnosis.py metrics/test_metrics.py",
    ),
    Mutant(
        "overlap: counts same labels",
        "bridgeviz/metrics/overlap.py",
        "(labels[rows] != labels[:, None])",
        "(labels[rows] == labels[:, None])",
        "metrics/test_metrics.py",
    ),
    Mutant(
        "blobs: overlap ignored",
        "bridgeviz/datasets/blobs.py",
        'width = 0.1 + 0.9 * check.unit(overlap, "overlap", "load", zero=True)',
        "width = 0.4",
        "datasets",
    ),
    Mutant(
        "mnist: thumbnails of other rows",
        "bridgeviz/datasets/mnist.py",
        "decode_images(x[rows])",
        "decode_images(x[rows - 1])",
        "datasets",
    ),
    Mutant(
        "swiss roll: unpaired",
        "bridgeviz/datasets/swiss_roll.py",
        "np.stack([np.arange(size)] * 2, axis=1)",
        "np.stack([np.arange(size), np.arange(size)[::-1]], axis=1)",
        "datasets",
    ),
    Mutant(
        "digits: the test set is trained on",
        "bridgeviz/datasets/digits.py",
        "return problem(train, problem(test, None))",
        "return problem(train, problem(train[:450], None))",
        "datasets",
    ),
    Mutant(
        "label codes: of the next label",
        "bridgeviz/datasets/label_codes.py",
        "x = mean[labels]",
        "x = mean[(labels + 1) % 10]",
        "datasets",
    ),
    Mutant(
        "idx: header read as pixels",
        "bridgeviz/datasets/idx.py",
        "offset=4 + 4 * dims",
        "offset=3 + 4 * dims",
        "datasets",
    ),
    Mutant(
        "idx: checksum not compared",
        "bridgeviz/datasets/idx.py",
        "if found != expected:",
        "if False:",
        "datasets",
    ),
    Mutant(
        "VAE: halve pads the other side",
        "bridgeviz/encoders/vae.py",
        "(pad_h // 2, pad_h - pad_h // 2)",
        "(pad_h - pad_h // 2, pad_h // 2)",
        "encoders",
    ),
    Mutant(
        "VAE: double's taps transposed",
        "bridgeviz/encoders/vae.py",
        "(k // 3, 2 - k // 3, 1), (k % 3, 2 - k % 3, 1)",
        "(k % 3, 2 - k % 3, 1), (k // 3, 2 - k // 3, 1)",
        "encoders",
    ),
    Mutant(
        "VAE: KL without its minus one",
        "bridgeviz/encoders/training.py",
        "loss(model.decode(z), x).mean()",
        "-loss(model.decode(z), x).mean()",
        "encoders",
    ),
    Mutant(
        "weights: shapes are not compared",
        "bridgeviz/encoders/training.py",
        "arrays[name].shape != shape",
        "False",
        "encoders",
    ),
    Mutant(
        "run: metrics of another seed",
        "bridgeviz/experiments/run.py",
        "flow.transport(test.source.x, seed=seed)",
        "flow.transport(test.source.x, seed=seed + 1)",
        "experiments/test_run.py",
    ),
    Mutant(
        "run: reverse ignored",
        "bridgeviz/experiments/run.py",
        "return problem.reversed() if config.reverse else problem",
        "return problem",
        "experiments/test_run.py",
    ),
    Mutant(
        "run: on_progress never called",
        "bridgeviz/experiments/run.py",
        "on_progress(progress)",
        "pass",
        "experiments/test_run.py",
    ),
    Mutant(
        "config: from_dict takes unknown names",
        "bridgeviz/experiments/config.py",
        'check.options(values, [f.name for f in fields(cls)], "RunConfig")',
        "values = {k: v for k, v in values.items() if k in [f.name for f in fields(cls)]}",
        "experiments checks",
    ),
    Mutant(
        "report: m and n swapped",
        "bridgeviz/experiments/report.py",
        '"n": n,\n        "m": m,',
        '"n": m,\n        "m": n,',
        "cli/test_align.py",
    ),
    Mutant(
        "command line: bad input ends with 1",
        "bridgeviz/cli.py",
        "    except InputError as error:\n        code = _say(str(error), 2)",
        "    except InputError as error:\n        code = _say(str(error), 1)",
        "cli",
    ),
    Mutant(
        "command line: alpha is taken in silence",
        "bridgeviz/cli.py",
        'if given["solver"] == "linear" and alpha:',
        "if False:",
        "cli",
    ),
    Mutant(
        "map: rows of other points",
        "bridgeviz/viz/maps.py",
        '"customdata": part.rows.astype(np.int32)',
        '"customdata": part.rows.astype(np.int32) + 1',
        "viz",
    ),
    Mutant(
        "map: colours by the neighbour's class",
        "bridgeviz/viz/maps.py",
        "else colour(part.rank),",
        "else colour(part.rank + 1),",
        "viz",
    ),
    Mutant(
        "route: ends at the wrong row",
        "bridgeviz/viz/pairing.py",
        "maps.right[j]])",
        "maps.right[i]])",
        "viz",
    ),
    Mutant(
        "lines: right and wrong swapped",
        "bridgeviz/viz/plans.py",
        "~right, WRONG",
        "right, WRONG",
        "viz",
    ),
    Mutant(
        "a level is drawn elsewhere",
        "bridgeviz/viz/figure.py",
        '"y0": at',
        '"y0": at + 1',
        "viz",
    ),
    Mutant(
        "scene: true classes shown as decoded",
        "bridgeviz/viz/scene.py",
        "decoded = np.searchsorted(classes, metrics.predict_labels(target, flat))",
        "decoded = np.searchsorted(classes, np.tile(source.labels[rows], len(states)))",
        "viz",
    ),
    Mutant(
        "player: frames in the wrong order",
        "bridgeviz/ui/player.py",
        "quantised(scene.positions)",
        "quantised(scene.positions[::-1])",
        "app viz",
    ),
    Mutant(
        "jobs: cancel is not heard",
        "bridgeviz/ui/jobs.py",
        "if self._cancel.is_set() or",
        "if",
        "app/test_jobs.py",
    ),
    Mutant(
        "jobs: nobody's job runs on",
        "bridgeviz/ui/jobs.py",
        " or time.monotonic() - self._seen > PATIENCE",
        "",
        "app/test_jobs.py",
    ),
    Mutant(
        "jobs: the queue has no limit",
        "bridgeviz/ui/jobs.py",
        "len(self._running) >= self.limit or",
        "",
        "app/test_jobs.py",
    ),
    Mutant(
        "jobs: an error is swallowed",
        "bridgeviz/ui/jobs.py",
        'self.tell(state="failed", stage="Failed", error=str(error))',
        'self.tell(state="done", stage="Done")',
        "app/test_jobs.py",
    ),
    Mutant(
        "settings: a wrong link passes",
        "bridgeviz/ui/settings.py",
        "bad = [said for key in DEFAULTS if key in given and (said := complaint(key, given[key]))]",
        "bad = []",
        "app/test_settings.py app/test_pages.py",
    ),
    Mutant(
        "settings: a reset keeps the values",
        "bridgeviz/ui/settings.py",
        "    for key, value in DEFAULTS.items():\n        st.session_state[key] = value",
        "    for key, value in {}.items():\n        st.session_state[key] = value",
        "app/test_settings.py app/test_pages.py",
    ),
    Mutant(
        "settings: percent read as a share",
        "bridgeviz/ui/settings.py",
        'float(values["percent"]) / 100',
        'float(values["percent"]) / 200',
        "app/test_settings.py",
    ),
    Mutant(
        "training job: other pairs than run's",
        "bridgeviz/ui/training.py",
        "pairs = sample_pairs(problem, config)",
        "pairs = sample_pairs(problem, replace(config, seed=config.seed + 1))",
        "app",
    ),
    Mutant(
        "doors: epsilon is not part of the plan's key",
        "bridgeviz/ui/doors.py",
        "(config.epsilon, config.tau)",
        "(config.tau,)",
        "app",
    ),
    Mutant(
        "Start: opens other settings",
        "pages/start.py",
        "settings.apply(gallery.config(scene))",
        "settings.reset()",
        "browser/test_app.py::test_open_these_settings_brings_them_to_flow",
    ),
    Mutant(
        "fgw: gradient without its two",
        "bridgeviz/couplings/fgw.py",
        "gradient = 2 * alpha * shapes",
        "gradient = alpha * shapes",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: alpha the other way round",
        "bridgeviz/couplings/fgw.py",
        "+ (1 - alpha) * fused\n",
        "+ alpha * fused\n",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: merged without its shift",
        "bridgeviz/couplings/fgw.py",
        "cost_matrix=gradient - epsilon * count",
        "cost_matrix=gradient",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: mass not in the fused term",
        "bridgeviz/couplings/fgw.py",
        "((mass - 1) * fused + (fused * plan).sum())",
        "(fused * plan).sum()",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: marginal term forgotten",
        "bridgeviz/couplings/fgw.py",
        "gradient += epsilon * t / (1 - t) * _log_ratio(one, asked)",
        "pass",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: epsilon not scaled by the mass",
        "bridgeviz/couplings/fgw.py",
        "epsilon = epsilon * mass",
        "epsilon = epsilon * 1.0",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: halves keep different masses",
        "bridgeviz/couplings/fgw.py",
        "new = new * jnp.sqrt(mass / new.sum())",
        "pass",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: squared is ignored",
        "bridgeviz/couplings/fgw.py",
        "fused = fused**2",
        "pass",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: converged whatever happened",
        "bridgeviz/couplings/fgw.py",
        "converged = bool(settled) and (change <= tolerance or alpha == 0)",
        "converged = True",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "fgw: merges rows that a matrix tells apart",
        "bridgeviz/couplings/fgw.py",
        "or not alike:",
        "or False:",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "within: cross term of the square dropped",
        "bridgeviz/costs/within.py",
        "+ linear + quadratic",
        "+ quadratic",
        "couplings/test_fgw.py",
    ),
    Mutant(
        "alias: surplus of a heavy entry kept",
        "bridgeviz/couplings/sampler.py",
        "keep[high] = np.clip(1.0 + left - given, 0.0, 1.0)",
        "keep[high] = 1.0",
        "couplings/test_sampler.py",
    ),
    Mutant(
        "local: transport on the small batch",
        "bridgeviz/couplings/local.py",
        "return LocalCoupling(cost, epsilon, tau, batch_size, ot_batch_size, most)",
        "return LocalCoupling(cost, epsilon, tau, batch_size, batch_size, most)",
        "couplings/test_local.py",
    ),
    Mutant(
        "local: the first row is never drawn",
        "bridgeviz/couplings/local.py",
        "jax.random.randint(rows, (self.ot_batch_size,), 0",
        "jax.random.randint(rows, (self.ot_batch_size,), 1",
        "couplings/test_local.py",
    ),
    Mutant(
        "local: always converged",
        "bridgeviz/couplings/local.py",
        "return self.probe.converged == 1.0",
        "return True",
        "couplings/test_local.py",
    ),
    Mutant(
        "geodesic: power ignored",
        "bridgeviz/costs/geodesic.py",
        "lengths = (near.distance / typical) ** power",
        "lengths = near.distance / typical",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "geodesic: islands not joined",
        "bridgeviz/costs/geodesic.py",
        "graph = joined(graph, near.points",
        "graph = (lambda g, *_: g)(graph, near.points",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "geodesic: way of another pair",
        "bridgeviz/costs/geodesic.py",
        "p = int(np.argmin(far[0][at_x] + far[1][at_y]))",
        "p = int(np.argmax(far[0][at_x] + far[1][at_y]))",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "islands: stranded rows counted as atoms",
        "bridgeviz/costs/geodesic.py",
        "atoms.multiplicity[~np.isin(part, reached)].sum()",
        "(~np.isin(part, reached)).sum()",
        "costs/test_diffusion.py costs/test_graph_costs.py",
    ),
    Mutant(
        "knn: pairs have a length",
        "bridgeviz/costs/knn.py",
        "e.data[:] = np.finfo(float).tiny",
        "e.data[:] = 1.0",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "knn: heat crosses one pair only",
        "bridgeviz/costs/knn.py",
        "np.linalg.inv(np.eye(a.groups) - t**2 * g_y @ g_x)",
        "np.eye(a.groups)",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "knn: Crane's rule without its square",
        "bridgeviz/costs/knn.py",
        "float(np.sqrt(edges).mean() ** 2)",
        "float(np.sqrt(edges).mean())",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "knn: pairs do not count in the degree",
        "bridgeviz/costs/knn.py",
        "+ np.asarray(extra).reshape(-1))",
        "+ 0 * np.asarray(extra).reshape(-1))",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "kcca: not centred",
        "bridgeviz/costs/kcca.py",
        "maps.append(lambda rows, f=features, c=centre: f(rows) - c)",
        "maps.append(lambda rows, f=features, c=centre: f(rows))",
        "costs/test_kcca.py",
    ),
    Mutant(
        "kcca: shrinkage ignored",
        "bridgeviz/costs/kcca.py",
        "(1 - shrinkage) * s[keep] ** 2 / (len(phi) - 1) + shrinkage",
        "s[keep] ** 2 / (len(phi) - 1)",
        "costs/test_kcca.py",
    ),
    Mutant(
        "diffusion: profiles not centred",
        "bridgeviz/costs/diffusion.py",
        "log -= atoms.multiplicity @ log / atoms.multiplicity.sum()",
        "log = log * 1.0",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "diffusion: the weakest anchors kept",
        "bridgeviz/costs/diffusion.py",
        "best = np.argpartition(-value, strongest - 1",
        "best = np.argpartition(value, strongest - 1",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "diffusion: dropped mass not told",
        "bridgeviz/costs/diffusion.py",
        "return f, float(1 - value.sum() / total)",
        "return f, 0.0",
        "costs/test_diffusion.py",
    ),
    Mutant(
        "anchors: grouped by the larger side",
        "bridgeviz/costs/anchors.py",
        "side = min(distinct",
        "side = max(distinct",
        "costs/test_graph_costs.py",
    ),
    Mutant(
        "excluded ratio: N counts one side",
        "bridgeviz/metrics/exclusion.py",
        "points = n + m if both else (n + m) / 2",
        "points = (n + m) / 2",
        "metrics/test_exclusion.py",
    ),
    Mutant(
        "aes: product instead of ratio",
        "bridgeviz/metrics/exclusion.py",
        "return accuracy / ratio if",
        "return accuracy * ratio if",
        "metrics/test_exclusion.py",
    ),
    Mutant(
        "recommend: the hidden pairs are not hidden",
        "bridgeviz/experiments/recommend.py",
        "kept = np.delete(pairs, part, axis=0)",
        "kept = pairs",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: chance counts as a gain",
        "bridgeviz/experiments/recommend.py",
        'sure = [k for k in order if rows[k]["gain_low"] > 0]',
        'sure = [k for k in order if rows[k]["gain"] > 0]',
        "experiments/test_recommend.py",
    ),
    Mutant(
        "recommend: the given tau is lost",
        "bridgeviz/experiments/recommend.py",
        "tau=self.tau if config.tau == (1.0, 1.0) else config.tau",
        "tau=self.tau",
        "experiments/test_recommend.py",
    ),
    Mutant(
        "tuning: the whole problem instead of the validation set",
        "bridgeviz/experiments/tuning.py",
        "permutation(len(problem.truth))[:size]]",
        "permutation(len(problem.truth))]",
        "experiments/test_tuning.py",
    ),
    Mutant(
        "tuning: R2 not adjusted",
        "bridgeviz/experiments/tuning.py",
        "adjusted = 1 - (1 - r2) * (len(y) - 1) / (len(y) - len(variables) - 1)",
        "adjusted = r2",
        "experiments/test_tuning.py",
    ),
    Mutant(
        "settings: options of another cost are kept",
        "bridgeviz/ui/settings.py",
        'for key, name in COST_KEYS.get(values["cost"], {}).items():\n        value = values[key]',
        "for key, name in [(k, n) for one in COST_KEYS.values() for k, n in one.items()]:\n        value = values[key]",
        "app/test_settings.py app/test_analysis_pages.py",
    ),
    Mutant(
        "doors: cost options are not part of the key",
        "bridgeviz/ui/doors.py",
        "tuple(sorted(config.cost_options.items())), config.distance",
        "config.distance",
        "app/test_settings.py app/test_analysis_pages.py",
    ),
    Mutant(
        "sample: partners are lost",
        "bridgeviz/problem.py",
        "partners = rng.permutation(np.unique(truth[:, 1]))[:rows]",
        "partners = rng.permutation(np.unique(truth[:, 1]))[:0]",
        "app/test_analysis_pages.py problem",
    ),
]


def main(wanted: list[str]) -> int:
    """Run those whose name or file holds one of the words, all by default; print a line each."""
    chosen = [m for m in MUTANTS if not wanted or any(word in m.name or word in m.file for word in wanted)]
    workers = max(1, (os.cpu_count() or 2) // 2)
    with tempfile.TemporaryDirectory() as base, ThreadPoolExecutor(workers) as pool:
        copies = [Path(base) / str(k) for k in range(workers)]
        for copy in copies:
            shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        lots = [chosen[k::workers] for k in range(workers)]
        survived = sum(pool.map(lambda lot, copy: sum([not caught(m, copy) for m in lot]), lots, copies))
    print(f"{len(chosen) - survived} of {len(chosen)} caught")
    return 1 if survived else 0


def caught(mutant: Mutant, copy: Path) -> bool:
    """Break the copy, run the tests, mend the copy."""
    path = copy / mutant.file
    whole = path.read_text(encoding="utf-8")
    if whole.count(mutant.code) == 0:
        print(f"STALE     {mutant.name}: {mutant.file} does not say {mutant.code!r}", flush=True)
        return False
    path.write_text(whole.replace(mutant.code, mutant.broken, 1), encoding="utf-8")
    try:
        tests = [f"tests/{part}" for part in mutant.tests.split()]
        done = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", *tests],
            cwd=copy, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(copy)}, check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        print(f"HANGS     {mutant.name}: a test must fail, not wait for ever", flush=True)
        return False
    finally:
        path.write_text(whole, encoding="utf-8")
    if done.returncode not in (0, 1):
        print(f"BROKEN    {mutant.name}: {done.stdout[-300:]}", flush=True)
        return False
    by = next((line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith("FAILED")), "")
    print(f"{'caught' if done.returncode else 'SURVIVED':<10}{mutant.name}  {by}", flush=True)
    return done.returncode == 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
