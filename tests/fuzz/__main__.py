"""Mutate users' files for a while, and stop at the first that is not refused in one sentence or read.

Each case is made from the seed and its number alone: `--seed 3 --case 4711` repeats it, and `--keep FILE` writes it.
"""

from __future__ import annotations

import argparse
import faulthandler
import os
import re
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np

from bridgeviz import InputError
from bridgeviz.datasets import files
from tests.datasets.files.bounds import bounded
from tests.datasets.files.writers import NAMES, ROWS

from . import _corpus
from ._mutations import mutated

SECONDS, GROWTH, HANGS = 2.0, 150 * 2**20, 60
"""The bounds of one case, a little above those of the tests, and the seconds until it is said to hang."""

EVERY = 60
"""Seconds between two lines of progress where the output is not a terminal."""

SLOW = (".h5ad", ".h5mu", ".parquet", ".feather", ".arrow")
"""Files that are read in a process of their own, and therefore seldom."""

KEYS = ("x", "label", "X", "obsm/X_pca", "rna/X", "embedding", "obs/kind", "../..", "\x00", "a" * 300)


def read(path: Path, rng: np.random.Generator) -> str:
    """Read a file as something that its kind can hold; returns "read" or the refusal."""
    roles = [role for role in ("matrix", "matrix", "labels", "pairs") if path.suffix in files.kinds(role)]
    role = roles[int(rng.integers(len(roles)))]
    key = KEYS[int(rng.integers(len(KEYS)))] if rng.random() < 0.2 else None
    names = NAMES if rng.random() < 0.5 else None
    try:
        if role == "matrix":
            table = files.read_table(path, key=key)
            assert np.isfinite(table.x).all()
            assert table.names is None or len(table.names) == len(table.x)
        elif role == "labels":
            assert len(files.read_labels(path, ROWS, names=names, key=key)) == ROWS
        else:
            pairs = files.read_pairs(path, (ROWS, ROWS), names=(names, None), key=key)
            assert pairs.shape == (len(pairs), 2)
            assert ((pairs >= 0) & (pairs < ROWS)).all()
    except InputError as error:
        message = str(error)
        assert message.isprintable(), message
        assert len(message) < 800, message
        return "refused"
    return "read"


def case(number: int, seed: int, corpus: list[tuple[str, bytes]], folder: Path) -> tuple[str, str]:
    """Make one file and read it; returns its suffix and what came of it.

    Raises:
        Exception: it was neither read nor refused, or took too long or too much memory.
    """
    rng = np.random.default_rng([seed, number])
    suffix, content = corpus[int(rng.integers(len(corpus)))]
    while suffix in SLOW and rng.random() < 0.98:
        suffix, content = corpus[int(rng.integers(len(corpus)))]
    path = folder / f"case{number}{suffix}"  # a crash leaves it there
    path.write_bytes(mutated(rng, content, suffix, [other for _, other in corpus]))
    faulthandler.dump_traceback_later(HANGS, exit=True)
    with bounded(SECONDS, GROWTH), warnings.catch_warnings():
        warnings.simplefilter("error")
        outcome = read(path, rng)
    faulthandler.cancel_dump_traceback_later()
    return suffix, outcome


def warm_up(corpus: list[tuple[str, bytes]], folder: Path) -> None:
    """Read every file as it is, so that no import is counted as a case."""
    for number, (suffix, content) in enumerate(corpus):
        path = folder / f"whole{number}{suffix}"
        path.write_bytes(content)
        for role, reader in (("matrix", files.read_table), ("labels", lambda path: files.read_labels(path, ROWS))):
            if suffix in files.kinds(role):
                with suppress(InputError):
                    reader(path)
        path.unlink()


class Ticker:
    """Says on stderr how far the cases are: all the time on a terminal, every `EVERY` seconds elsewhere."""

    def __init__(self, seed: int):
        self.seed = seed
        self.live = sys.stderr.isatty()
        self.next = time.monotonic() + EVERY

    def show(self, number: int) -> None:
        text = f"case {number} of seed {self.seed}"
        if self.live:
            print(text, file=sys.stderr, end="\r", flush=True)
        elif time.monotonic() >= self.next:
            print(text, file=sys.stderr, flush=True)
            self.next = time.monotonic() + EVERY


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=0.5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--case", type=int, help="repeat this case alone")
    parser.add_argument("--only", default="", help="suffixes to mutate, such as .npz.h5ad; all by default")
    parser.add_argument("--keep", type=Path, help="where to write the file of a case that fails")
    options = parser.parse_args()
    faulthandler.enable()
    os.environ["BRIDGEVIZ_MEMORY_GB"] = "0.05"  # a sparse matrix may rightly become a dense one of this size
    counts: Counter[tuple[str, str]] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "corpus").mkdir()
        corpus = [(path.suffix, path.read_bytes()) for path in _corpus.write(folder / "corpus")]
        wanted = re.findall(r"\.\w+", options.only)
        corpus = [item for item in corpus if not wanted or item[0] in wanted]
        warm_up(corpus, folder)
        end, number, ticker = time.monotonic() + 60 * options.minutes, options.case or 0, Ticker(options.seed)
        print(f"seed {options.seed}, one file at a time in {folder}", file=sys.stderr, flush=True)
        while time.monotonic() < end:
            ticker.show(number)
            try:
                counts[case(number, options.seed, corpus, folder)] += 1
            except Exception:
                traceback.print_exc()
                path = next(folder.glob("case*"), folder)
                if options.keep is not None and path.is_file():
                    options.keep.write_bytes(path.read_bytes())
                print(f"\nFailed: --seed {options.seed} --case {number} ({path.suffix})", file=sys.stderr)
                return 1
            for path in folder.glob("case*"):
                path.unlink()
            if options.case is not None:
                break
            number += 1
    for suffix in sorted({suffix for suffix, _ in counts}):
        print(f"{suffix:<13}{counts[suffix, 'read']:>7} read {counts[suffix, 'refused']:>8} refused")
    print(f"{sum(counts.values())} cases, no failure")
    return 0


if __name__ == "__main__":
    sys.exit(main())
