"""Running mutants: each in a copy of the project, two at a time."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue

from ._mutant import ROOT, Mutant

NOT_COPIED = shutil.ignore_patterns(".git", "__pycache__", "venv", ".venv", ".*_cache", ".hypothesis")

WORKERS = 2
"""Mutants that are tested at the same time."""

PATIENCE = 600
"""Seconds for the tests of one mutant."""


def run(mutants: Sequence[Mutant]) -> bool:
    """Test each mutant and print a line; returns whether all were caught."""
    workers = min(WORKERS, len(mutants))
    copies: SimpleQueue[Path] = SimpleQueue()

    def caught(mutant: Mutant) -> bool:
        copy = copies.get()
        try:
            verdict, detail = test(mutant, copy)
        finally:
            copies.put(copy)
        print(f"{verdict:<10}{mutant.name}  {detail}".rstrip(), flush=True)
        return verdict == "caught"

    with tempfile.TemporaryDirectory() as base, ThreadPoolExecutor(workers) as pool:
        for k in range(workers):
            copies.put(Path(shutil.copytree(ROOT, Path(base) / str(k), ignore=NOT_COPIED)))
        count = sum(pool.map(caught, mutants))
    print(f"{count} of {len(mutants)} caught")
    return count == len(mutants)


def environment(copy: Path) -> dict[str, str]:
    """The environment of a copy's tests; all copies share the programs that XLA has compiled."""
    compiled = {"JAX_COMPILATION_CACHE_DIR": str(copy.parent / "compiled")}
    return compiled | os.environ | {"PYTHONPATH": str(copy)}


def test(mutant: Mutant, copy: Path) -> tuple[str, str]:
    """Break a copy of the project, run the tests, and mend the copy.

    Returns:
        A verdict, and its detail:
        - "caught", the test that failed;
        - "SURVIVED", "" if no test failed;
        - "STALE", why, if the code to break is not in the file exactly once;
        - "HANGS", "" if the tests took longer than `PATIENCE`;
        - "BROKEN", the exit status and the end of the output, if the tests could not be run to their end.
    """
    path = copy / mutant.file
    whole = path.read_text(encoding="utf-8")
    try:
        path.write_text(mutant.apply(whole), encoding="utf-8")
    except ValueError as error:
        return "STALE", str(error)
    tests = [f"tests/{part}" for part in mutant.tests.split()]
    try:
        done = subprocess.run(
            [sys.executable, "-B", "-m", "pytest", "-x", "-q", "--no-header", *tests],
            cwd=copy, capture_output=True, text=True, env=environment(copy), check=False,
            timeout=PATIENCE,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "HANGS", f"no verdict after {PATIENCE} s: a test must fail, not wait for ever"
    finally:
        path.write_text(whole, encoding="utf-8")
    if done.returncode == 0:
        return "SURVIVED", ""
    failed = [line.split(" - ")[0] for line in done.stdout.splitlines() if line.startswith(("FAILED ", "ERROR "))]
    failed = [line for line in failed if "::" in line]  # a test, not a file that could not be imported
    if done.returncode != 1 or not failed:
        return "BROKEN", f"exit status {done.returncode}: {(done.stdout + done.stderr)[-300:]}"
    return "caught", failed[0]
