"""What is released agrees with itself, and holds nothing that belongs to one machine."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import bridgeviz as bv

ROOT = Path(__file__).resolve().parents[1]
# Written in pieces, so that this file does not hold what it looks for.
HOSTS = [".".join(parts) for parts in (("py" + "pi", "org"), ("files", "python" + "hosted", "org"))]


def tracked() -> list[Path]:
    out = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if out.returncode:
        return [p for p in ROOT.rglob("*") if p.is_file() and ".git" not in p.parts]
    return [p for name in out.stdout.split("\0") if name and (p := ROOT / name).is_file()]


def test_the_version_is_the_same_everywhere():
    changes = (ROOT / "CHANGELOG.md").read_text()
    assert re.search(r"^## (\d+\.\d+\.\d+)", changes, re.MULTILINE).group(1) == bv.__version__
    citation = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: \"?([\d.]+)", citation, re.MULTILINE).group(1) == bv.__version__


def declared(*extras: str) -> set[str]:
    """The names of the packages that the project declares."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lines = [*project["dependencies"], *(line for extra in extras for line in project["optional-dependencies"][extra])]
    return {re.split(r"[<>=\[]", line)[0].strip().lower().replace("_", "-") for line in lines}


@pytest.mark.parametrize(("lock", "extras"), [("requirements.lock", ()), ("requirements-test.lock", ("test",))])
def test_a_lock_names_versions_and_hashes_of_all_that_is_declared_and_no_place(lock, extras):
    text = (ROOT / lock).read_text()
    assert "://" not in text
    blocks = re.split(r"\n(?=\S)", text.strip())[1:]  # after the comment
    names = set()
    for block in blocks:
        first, *hashes = block.split(" \\\n")
        assert re.fullmatch(r"[a-z0-9.-]+(\[[a-z0-9,]+\])?==[^\s;@]+( ; .*)?", first), first
        assert hashes, first
        assert all(re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}", line) for line in hashes), first
        names.add(re.split(r"[=\[]", first)[0])
    assert declared(*extras) <= names


def brought_along(names: set[str]) -> set[str]:
    """The packages that these need, and that those need in turn, as far as they are installed here."""
    found, left = set(), [Requirement(name) for name in names]
    while left:
        package = left.pop()
        name = package.name.lower().replace("_", "-").replace(".", "-")
        for extra in {"", *package.extras}:
            if (name, extra) in found:
                continue
            found.add((name, extra))
            try:
                needs = [Requirement(line) for line in requires(name) or ()]
            except PackageNotFoundError:  # it is of another platform, or was installed by nobody
                continue
            left += [need for need in needs if need.marker is None or need.marker.evaluate({"extra": extra})]
    return {name for name, _ in found}


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-test.lock"])
def test_a_lock_holds_what_its_packages_bring_along(lock):
    """An installer that asks for hashes refuses a package that the lock does not name."""
    names = {re.split(r"[=\\ ]", line)[0] for line in (ROOT / lock).read_text().splitlines() if line[:1].isalnum()}
    assert brought_along(names) <= {re.sub(r"\[.*", "", name) for name in names}


def test_no_file_names_a_package_registry():
    for path in tracked():
        content = path.read_bytes()
        for host in HOSTS:
            assert host.encode() not in content, f"{path.relative_to(ROOT)} names {host}"


def test_the_data_is_small():
    sizes = {p: p.stat().st_size for p in tracked() if p.is_relative_to(ROOT / "data")}
    assert sizes
    assert sum(sizes.values()) < 20e6


@pytest.mark.parametrize("name", bv.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert getattr(bv, name).__doc__


def test_every_package_that_is_imported_is_declared():
    """A package that only another one brings along may go away with it."""
    known = declared(*tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])
    files = [*ROOT.glob("bridgeviz/**/*.py"), *ROOT.glob("pages/*.py"), ROOT / "app.py"]
    imported = set()
    for file in files:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                imported |= {name.name.split(".")[0] for name in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                imported.add(node.module.split(".")[0])
    packages = packages_distributions()
    for name in imported - sys.stdlib_module_names - {"bridgeviz"}:
        distributions = {package.lower().replace("_", "-") for package in packages.get(name, [name])}
        assert distributions & known, f"{name} is imported, and none of {distributions} is declared"
