"""Mutants of flows: checkpoints and training on several devices."""

from __future__ import annotations

from ._mutant import Mutant

MUTANTS = [
    Mutant(
        "checkpoints: Adam starts from zero again",
        "bridgeviz/flows/_keeper.py",
        "return Checkpoint(jax.tree.map(jnp.asarray, newest.state), newest.losses, kept)",
        "return Checkpoint(jax.tree.map(jnp.asarray, newest.state)._replace(adam=state.adam), newest.losses, kept)",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: another config is taken",
        "bridgeviz/flows/_checkpoints.py",
        "if config.get(k) != ours]",
        "if False]",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: other data is taken",
        "bridgeviz/flows/_checkpoints.py",
        "if data.get(k) != mark]",
        "if False]",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: no lock",
        "bridgeviz/flows/_checkpoints.py",
        "        if self._lock is None:\n            raise _busy",
        "        if False:\n            raise _busy",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: a full disk ends the run",
        "bridgeviz/flows/_checkpoints.py",
        "except (OSError, InputError) as error:\n            self._report",
        "except InputError as error:\n            self._report",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: the state that gives NaN is kept",
        "bridgeviz/flows/_trainer.py",
        "keeper.drop(done)",
        "pass",
        "flows/test_training.py::test_the_last_good_flow_survives_a_diverging_loss",
    ),
    Mutant(
        "checkpoints: other files are deleted with them",
        "bridgeviz/flows/_checkpoints.py",
        "    _refuse_foreign(folder)\n    if folder.exists() and held",
        "    if folder.exists() and held",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: those of a running training are deleted",
        "bridgeviz/flows/_checkpoints.py",
        "    if folder.exists() and held(folder):\n        raise _busy(folder)\n",
        "",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "checkpoints: the last one is not written",
        "bridgeviz/flows/_keeper.py",
        "if due or last:",
        "if due:",
        "flows/test_checkpoints.py",
    ),
    Mutant(
        "parallel: two seeds train together",
        "bridgeviz/flows/_parallel.py",
        "    if not same.all():",
        "    if not len(same):",
        "flows/test_parallel.py::test_two_processes_interrupted_and_resumed_give_the_losses_of_one",
    ),
    Mutant(
        "parallel: devices are counted over all machines",
        "bridgeviz/flows/_parallel.py",
        "chosen = [d for own in by_process for d in own[:devices]]",
        "chosen = chosen[:devices]",
        "flows/test_parallel.py::test_two_processes_interrupted_and_resumed_give_the_losses_of_one",
    ),
    Mutant(
        "parallel: only the leader resumes",
        "bridgeviz/flows/_keeper.py",
        "return None if step == 0 else broadcast_one_to_all(like(step) if newest is None else newest)",
        "return None if step == 0 else (newest or like(step))",
        "flows/test_parallel.py::test_two_processes_interrupted_and_resumed_give_the_losses_of_one",
    ),
    Mutant(
        "parallel: other draws on a mesh than on one device",
        "bridgeviz/flows/_parallel.py",
        "put(jax.random.key_data(leaf))",
        "put(jax.random.key_data(jax.random.fold_in(leaf, 1)))",
        "flows/test_parallel.py::test_eight_devices_give_the_losses_of_one",
    ),
]
