"""Types of values on the command line. What they refuse, they refuse in the error voice of the library."""

from __future__ import annotations

from typing import Any

import click

from bridgeviz import _checks as check
from bridgeviz._checks import InputError


class Integer(click.ParamType):
    """An integer; what it may be is checked where it is used."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return int(value)
        except ValueError:
            raise refusal("an integer", value, param, ctx) from None


class File(click.Path):
    """The path of a file or folder; what is there is checked where it is opened."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if "\0" in str(value):  # no system has such a path, and Python's functions raise different errors
            raise refusal("a path", value, param, ctx)
        return super().convert(value, param, ctx)


FILE = File()

INTEGER = Integer()


def refusal(expected: str, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> InputError:
    """The error for a value of an option or argument, for the caller to raise."""
    name = "" if param is None or param.name is None else param.name.replace("_", "-")
    command = "" if ctx is None or ctx.command.name is None else ctx.command.name
    return check.fail(name, command, expected, check.describe(value))
