"""A folder with a user's files, and the command line as a function."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bridgeviz import cli

N, M, P, Q, L = 60, 50, 5, 3, 12

ALIGN = ("align", "x.npy", "y.npy", "--pairs", "pairs.csv", "--cost", "bridge")
"""The files of `folder`, with a cost that is quick to build."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with two spaces of four classes, pairs and labels, as every kind of file."""
    rng = np.random.default_rng(0)
    source_labels, target_labels = np.arange(N) % 4, np.arange(M) % 4
    x = 3 * rng.standard_normal((4, P))[source_labels] + 0.3 * rng.standard_normal((N, P))
    y = 3 * rng.standard_normal((4, Q))[target_labels] + 0.3 * rng.standard_normal((M, Q))
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "x.npz", x=x, other=np.zeros(2))
    np.savetxt(tmp_path / "x.csv", x, delimiter=",")
    pd.DataFrame(x, columns=[f"f{k}" for k in range(P)]).to_csv(tmp_path / "x_header.csv", index=False)
    pd.DataFrame(x, columns=[f"f{k}" for k in range(P)]).to_parquet(tmp_path / "x.parquet")
    np.save(tmp_path / "y.npy", y.astype(np.float32))
    pd.DataFrame({"source": range(L), "target": range(L)}).to_csv(tmp_path / "pairs.csv", index=False)
    np.save(tmp_path / "pairs.npy", np.stack([np.arange(L)] * 2, axis=1))
    (tmp_path / "xl.txt").write_text("".join(f"class {k}\n" for k in source_labels))
    pd.DataFrame({"label": [f"class {k}" for k in target_labels]}).to_csv(tmp_path / "yl.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def call(capsys):
    """Runs a command; returns its exit status, stdout and stderr."""

    def run(*arguments) -> tuple[int, str, str]:
        with pytest.raises(SystemExit) as stop:
            cli.main([str(argument) for argument in arguments])
        out = capsys.readouterr()
        return stop.value.code, out.out, out.err

    return run
