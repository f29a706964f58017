"""A user's file: looked at before it is opened, and read so that every failure is one sentence."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from bridgeviz._checks import InputError, reason

_KINDS = {
    stat.S_ISDIR: "a folder", stat.S_ISFIFO: "a pipe", stat.S_ISSOCK: "a socket",
    stat.S_ISCHR: "a device", stat.S_ISBLK: "a device",
}  # fmt: skip


@dataclass(frozen=True)
class File:
    """A regular file that is not empty.

    Attributes:
        path: where it is.
        key: which part of it is meant, such as "obsm/X_pca"; None if nothing was said.
        size: bytes.
    """

    path: Path
    key: str | None
    size: int

    @classmethod
    def find(cls, path: Path, key: str | None) -> File:
        """Look at a file without opening it: opening a pipe waits for a writer, and a device may do anything.

        Raises:
            InputError: there is no such file, it is not a regular file, or it is empty.
        """
        try:
            status = path.stat()
        except (FileNotFoundError, NotADirectoryError):
            raise InputError(f"{path} must be a file. No such file: check the path.") from None
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path
            raise InputError(f"{str(path)!r} can't be opened: {reason(error)}.") from error
        for is_kind, kind in _KINDS.items():
            if is_kind(status.st_mode):
                raise InputError(f"{path} must be a regular file. It is {kind}.")
        if status.st_size == 0:
            raise InputError(f"{path} must hold data. It is an empty file.")
        return cls(path, key, status.st_size)

    def __str__(self) -> str:
        return str(self.path)

    def open(self) -> IO[bytes]:
        """The file for reading. `O_NONBLOCK` keeps a pipe that has just taken its place from waiting for a writer."""
        flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
        return open(os.open(self.path, flags), "rb")

    def no_key(self) -> None:
        """Refuse a key, for a file that holds one thing."""
        if self.key is not None:
            raise InputError(f"{self} holds one array, which has no key. Got '::{self.key[:40]}': leave it out.")

    def pick(self, names: list[str], default: str | None, what: str) -> str:
        """The one of `names` that the key says. Without a key, the only one there is, or the one called `default`."""
        if self.key is not None and self.key in names:
            return self.key
        listed = ", ".join(name[:40] for name in sorted(names)[:8]) or "nothing"
        listed += " and others" if len(names) > 8 else ""
        if self.key is not None:
            raise InputError(f"{self} has no {what} {self.key[:60]!r}. It holds: {listed}.")
        if default in names:
            return default
        if len(names) != 1:
            example = f" Name one, as in {self.path.name}::{sorted(names)[0][:40]}." if names else ""
            or_named = f", or one named {default}" if default else ""
            raise InputError(f"{self} must hold one {what}{or_named}. It holds: {listed}.{example}")
        return names[0]


@contextmanager
def reading(file: File, what: str) -> Iterator[None]:
    """Turn whatever a foreign reader raises into one sentence: they raise nearly anything on damaged files.

    Args:
        file: is being read.
        what: it should be, such as "a .npy array".
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise InputError(f"{file} can't be read as {what}: {reason(error)}.") from error
