"""The errors of wrong input, and how values and foreign errors are worded in them."""

from __future__ import annotations

from typing import Any

import numpy as np


class InputError(ValueError):
    """A wrong argument, explained in one plain sentence. The command line prints it and exits with status 2.

    Letters that a terminal would obey are replaced, because a message may quote a file.
    """

    def __init__(self, message: str = ""):
        super().__init__(printable(message))


class DataMissing(InputError):
    """The files of a data set are not on this machine and could not be downloaded."""


class TooLarge(InputError):
    """A computation beyond the memory limit, refused before it begins.

    Attributes:
        bytes: that it would take.
        limit: the bytes allowed.
    """

    def __init__(self, message: str, size: int, limit: int):
        super().__init__(message)
        self.bytes, self.limit = size, limit


def fail(name: str, where: str, expected: str, got: object, hint: str = "") -> InputError:
    """The error for the argument `name` of the function `where`, for the caller to raise."""
    text = f"The '{name}' of {where}() must be {expected}. Got {got} instead."
    return InputError(f"{text} {hint}".rstrip())


def describe(value: Any) -> str:
    """A short description of any value for an error message, on one line."""
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape} and type {value.dtype}"
    text = " ".join(repr(value).split())
    return text if len(text) <= 60 else f"a {type(value).__name__}, {text[:57]}..."


def reason(error: BaseException) -> str:
    """The first line of a foreign error, or its type, for the end of a message of ours."""
    lines = str(error).strip().splitlines()
    return (lines[0][:160] if lines else type(error).__name__).rstrip(".")


def printable(text: str) -> str:
    """A text without control characters: white space becomes a space, and the others a question mark."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else " " if letter.isspace() else "?" for letter in text)
