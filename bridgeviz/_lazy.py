"""Names that are imported from their module when they are first used (PEP 562)."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def attach(
    package: str, names: Mapping[str, Sequence[str]], *, modules: Sequence[str] = ()
) -> tuple[Callable[[str], Any], Callable[[], list[str]], list[str]]:
    """`__getattr__`, `__dir__` and `__all__` of a package that imports its public names on first use.

    Repeat the imports under `if TYPE_CHECKING:`, so that type checkers and editors see them.

    Args:
        package: its `__name__`.
        names: the public names by the submodule that defines them.
        modules: submodules that are public themselves.
    """
    home = {name: module for module, group in names.items() for name in group}

    def find(name: str) -> Any:
        if name in modules:
            return import_module(f"{package}.{name}")
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(f"{package}.{home[name]}"), name)
        setattr(sys.modules[package], name, value)  # so that it is looked up once
        return value

    public = sorted({*home, *modules})
    return find, lambda: public, public
