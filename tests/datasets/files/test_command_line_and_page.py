"""Every hostile file through the command line and through the page Your data: one sentence, and nothing is written."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from bridgeviz.cli import main
from bridgeviz.datasets import files
from bridgeviz.ui.panels import bring
from bridgeviz.ui.text import literal

from .cases import MATRICES, OTHERS, pairs
from .hdf5_cases import HDF5, h5

ROLES = {role.name: role.holds for role in bring.ROLES}

LENGTHS = {"one class": 3, "labels of another length": 3, "a label of a gigabyte for every row": 10**6 + 1}
"""Rows of the source where the file is refused for what it says of them; 12 elsewhere."""


def hdf5(change: Callable) -> Callable[[], bytes]:
    def content() -> bytes:
        h5(change)(Path("made.h5ad"))
        return Path("made.h5ad").read_bytes()

    return content


CASES = {
    **{case: ("source", *MATRICES[case]) for case in MATRICES},
    **{case: ("source", "x.h5ad", hdf5(change), expected) for case, (change, expected) in HDF5.items()},
    **{
        case: ("pairs" if read is pairs else "source labels", name, content, expected)
        for case, (name, content, read, expected) in OTHERS.items()
    },
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BRIDGEVIZ_CACHE", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture
def page(monkeypatch):
    """What the page needs of Streamlit, and the sentences that it shows."""
    shown = []
    stand_in = SimpleNamespace(
        session_state={}, spinner=lambda _: nullcontext(), error=lambda text, icon: shown.append(text)
    )
    monkeypatch.setattr(bring, "st", stand_in)
    return shown


def inputs(case: str) -> tuple[str, dict[str, str]]:
    """The role of the hostile file, and the files by role; all others are as they should be."""
    role, name, content, _ = CASES[case]
    rows = LENGTHS.get(case, 12)
    np.save("source.npy", np.random.default_rng(0).normal(size=(rows, 2)).astype(np.float32))
    np.save("target.npy", np.ones((12, 2)) + np.arange(12)[:, None])
    Path("pairs.csv").write_text("source,target\n0,0\n1,1\n")
    Path(name).write_bytes(content() if callable(content) else content)
    return role, {"source": "source.npy", "target": "target.npy", "pairs": "pairs.csv", role: name}


def refuse(message: str, case: str) -> None:
    _, name, _, expected = CASES[case]
    assert any(part in message for part in expected.split(" | ")), message
    assert name in message
    assert len(message) < 500 + len(name)
    assert message.isprintable()


def on_the_command_line(paths: Mapping[str, str], case: str, capsys: pytest.CaptureFixture[str]) -> None:
    labels = ["--source-labels", paths["source labels"]] if "source labels" in paths else []
    before = sorted(Path().iterdir())
    with pytest.raises(SystemExit) as ended:
        main(["align", paths["source"], paths["target"], "--pairs", paths["pairs"], *labels, "--out", "out"])
    out, message = capsys.readouterr()
    assert (ended.value.code, out) == (2, "")
    assert message.startswith("bridgeviz: ")
    assert message.count("\n") == 1
    refuse(message.removesuffix("\n"), case)
    assert sorted(Path().iterdir()) == before


def on_the_page(paths: Mapping[str, str], case: str, page: list[str]) -> None:
    entries = {role: (path, path, io.BytesIO(Path(path).read_bytes())) for role, path in paths.items()}
    before = sorted(Path().iterdir())
    assert bring._read({role: entries.get(role) for role in ROLES}) is None
    [(_, key, message)] = [bring.st.session_state[bring._KEPT]]
    assert key is None
    assert page == [literal(message)]
    refuse(message, case)
    assert "/" not in message.partition(" must ")[0]  # nothing of the folder that the uploads are written to
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_file_is_one_sentence_everywhere(folder, case, here, page, capsys):
    role, paths = inputs(case)
    assert Path(paths[role]).suffix in files.kinds(ROLES[role])  # so that the page lets it be uploaded
    on_the_command_line(paths, case, capsys)
    on_the_page(paths, case, page)
