"""`python -m tests.mutants [part of a name or file ...] [--sample N [--seed S]]`.

Runs the mutants whose name or file contains one of the words, or all of them; with `--sample`, a random N of these. All
of them take an hour or more on two cores, so the test suite does not run them. Run those of a room after changing its
code or its tests. The exit status is 1 if a mutant survives, or if its code is no longer in its file.
"""

from __future__ import annotations

import argparse
import random
import sys
import time

from . import MUTANTS
from ._runner import run

PARSER = argparse.ArgumentParser(prog="python -m tests.mutants", description="Break the code; a test must notice.")
PARSER.add_argument("words", nargs="*", metavar="WORD", help="part of the name or file of a mutant; all by default")
PARSER.add_argument("--sample", type=int, metavar="N", help="run a random N of them")
PARSER.add_argument("--seed", type=int, metavar="S", help="seed of the sample; taken from the clock by default")


def main(arguments: list[str] | None = None) -> int:
    """Run the mutants that the arguments choose, with one line for each; returns the exit status."""
    options = PARSER.parse_args(arguments)
    words = options.words
    chosen = [m for m in MUTANTS if not words or any(word in m.name or word in m.file for word in words)]
    if not chosen:
        PARSER.error(f"no mutant's name or file contains {' or '.join(words)}")
    if options.sample is not None:
        seed = time.time_ns() % 10**6 if options.seed is None else options.seed
        size = min(max(options.sample, 1), len(chosen))
        print(f"{size} of {len(chosen)} mutants, with --seed {seed}", flush=True)
        chosen = random.Random(seed).sample(chosen, size)
    return 0 if run(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
