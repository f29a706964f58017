"""Names that are imported when they are first used."""

from __future__ import annotations

import importlib
import sys

import pytest


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of two lazy modules, freshly imported."""
    folder = tmp_path / "lazy_package"
    folder.mkdir()
    (folder / "__init__.py").write_text(
        "from bridgeviz._lazy import attach\n"
        '__getattr__, __dir__, __all__ = attach(__name__, {"_numbers": ["ONE"]}, modules=["words"])\n'
    )
    (folder / "_numbers.py").write_text("ONE = [1]\n")
    (folder / "words.py").write_text("HELLO = 'hello'\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("lazy_package")
    for name in [name for name in sys.modules if name.startswith("lazy_package")]:
        del sys.modules[name]


def test_a_name_is_imported_when_it_is_first_used(package):
    assert "lazy_package._numbers" not in sys.modules
    assert package.ONE is sys.modules["lazy_package._numbers"].ONE
    assert vars(package)["ONE"] is package.ONE  # not looked up again
    assert "lazy_package.words" not in sys.modules
    assert package.words.HELLO == "hello"


def test_all_public_names_are_listed_without_an_import(package):
    assert dir(package) == package.__all__ == ["ONE", "words"]
    assert "lazy_package._numbers" not in sys.modules


def test_an_unknown_name_is_an_error(package):
    with pytest.raises(AttributeError, match="module 'lazy_package' has no attribute 'TWO'"):
        _ = package.TWO
    assert not hasattr(package, "HELLO")
