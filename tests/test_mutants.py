"""The mutants themselves: each breaks exactly one place, and names tests that exist."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from mutants import MUTANTS, ROOT, Mutant, _runner
from mutants.__main__ import main

EXAMPLE = Mutant("an example", "package/some.py", "x + 1", "x + 2", "test_some.py")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_breaks_one_place_and_names_tests_that_exist(mutant):
    text = (ROOT / mutant.file).read_text(encoding="utf-8")
    broken = mutant.apply(text)
    assert broken != text
    if mutant.file.endswith(".py"):
        compile(broken, mutant.file, "exec")
    assert mutant.tests
    for part in mutant.tests.split():
        path, _, test = part.partition("::")
        assert (ROOT / "tests" / path).exists()
        assert not test or f"def {test}(" in (ROOT / "tests" / path).read_text(encoding="utf-8")


def test_names_are_unique():
    assert [name for name, count in Counter(mutant.name for mutant in MUTANTS).items() if count > 1] == []


@pytest.mark.parametrize("text", ["x + 3", "x + 1, x + 1"])
def test_code_that_is_not_there_once_is_stale(text):
    assert EXAMPLE.apply("y = x + 1\n") == "y = x + 2\n"
    with pytest.raises(ValueError, match=r"package/some.py holds 'x \+ 1' [02] times, not once"):
        EXAMPLE.apply(text)


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project of one function and one test, to run mutants on."""
    folder = tmp_path / "project"
    (folder / "package").mkdir(parents=True)
    (folder / "tests").mkdir()
    (folder / "package" / "some.py").write_text("def one_more(x):\n    return x + 1  # or x + 0\n")
    (folder / "tests" / "test_some.py").write_text(
        "from package.some import one_more\n\n\ndef test_one_more():\n    assert one_more(1) == 2\n"
    )
    (folder / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider --doctest-modules\n")
    monkeypatch.setattr(_runner, "ROOT", folder)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    return folder


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "caught    an example  FAILED tests/test_some.py::test_one_more"),
        ({"code": "x + 0", "broken": "nothing"}, "SURVIVED  an example"),
        ({"code": "x - 1"}, "STALE     an example  package/some.py holds 'x - 1' 0 times, not once"),
        ({"broken": "x +"}, "BROKEN    an example  exit status 1: "),
    ],
)  # fmt: skip
def test_a_mutant_is_caught_or_survives(project, capsys, changes, line):
    caught = _runner.run([EXAMPLE._replace(**changes)])
    printed = capsys.readouterr().out
    assert printed.startswith(line)
    assert printed.endswith(f"{int(caught)} of 1 caught\n")
    assert caught == (not changes)
    assert "x + 1  # or x + 0" in (project / "package" / "some.py").read_text()


def chosen(monkeypatch, capsys, *arguments: str, caught: bool = True) -> tuple[int, list[Mutant], str]:
    """The exit status, the mutants that are run, and the output."""
    runs: list[Mutant] = []
    monkeypatch.setattr("mutants.__main__.run", lambda mutants: runs.extend(mutants) or caught)
    return main(list(arguments)), runs, capsys.readouterr().out


def test_words_and_samples_choose_mutants(monkeypatch, capsys):
    assert chosen(monkeypatch, capsys) == (0, MUTANTS, "")
    _, costs, _ = chosen(monkeypatch, capsys, "bridgeviz/costs")
    assert {Path(mutant.file).parent.name for mutant in costs} == {"costs"}
    _, sample, printed = chosen(monkeypatch, capsys, "--sample", "5", "--seed", "3")
    assert (len(set(sample)), printed) == (5, f"5 of {len(MUTANTS)} mutants, with --seed 3\n")
    assert chosen(monkeypatch, capsys, "--sample", "5", "--seed", "3")[1] == sample
    assert chosen(monkeypatch, capsys, "--sample", "5", "--seed", "4")[1] != sample
    _, sample, printed = chosen(monkeypatch, capsys, "--sample", "5")
    seed = printed.split()[-1]
    assert chosen(monkeypatch, capsys, "--sample", "5", "--seed", seed)[1] == sample
    assert len(chosen(monkeypatch, capsys, "bridgeviz/costs", "--sample", "10000")[1]) == len(costs)


def test_a_survivor_makes_the_exit_status_one(monkeypatch, capsys):
    assert chosen(monkeypatch, capsys, caught=False)[0] == 1
    with pytest.raises(SystemExit) as stop:
        main(["no such mutant"])
    assert stop.value.code == 2
    assert "no mutant's name or file contains no such mutant" in capsys.readouterr().err


def test_the_command_runs_from_the_project_folder():
    done = subprocess.run(
        [sys.executable, "-m", "tests.mutants", "--help"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "--sample N" in done.stdout
