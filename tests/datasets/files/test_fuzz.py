"""Half a minute of the fuzzer. Ten minutes of it: `python -m tests.fuzz --minutes 10 --seed 1`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_no_mutated_file_is_anything_but_read_or_refused():
    """In a process of its own, so that a crash of a compiled reader is seen as one."""
    command = [sys.executable, "-m", "tests.fuzz", "--minutes", "0.4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr.replace("\r", "\n")[-3000:]
    assert "cases, no failure" in done.stdout
