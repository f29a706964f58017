"""Pictures in a folder or an archive, read one by one. Nothing is unpacked to the disk."""

from __future__ import annotations

import io
import os
import tarfile
import threading
import warnings
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bridgeviz._checks import InputError, reason

if TYPE_CHECKING:
    from PIL.Image import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
MOST_BYTES = 256 * 2**20
"""The largest file that is read as a picture."""
MOST_PIXELS = 100_000_000
"""The largest picture that is decoded; a file of a few kB can claim to hold far more."""


class Unreadable(Exception):
    """A file that is not a picture, with the reason in a few words."""


class Pictures(ABC):
    """A list of pictures; as a context manager it closes the archive that holds them.

    Attributes:
        names: of the files within the folder or archive, with "/" between folders, sorted.
        sizes: of the files in bytes.
    """

    names: list[str]
    sizes: list[int]

    def __len__(self) -> int:
        return len(self.names)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:  # noqa: B027 - a folder has nothing to close
        """Close the archive."""

    @abstractmethod
    def read(self, index: int) -> bytes:
        """The contents of a file, at most `MOST_BYTES` + 1 bytes of it."""

    def open(self, index: int) -> Image:
        """One picture, in RGB.

        Raises:
            Unreadable: it is damaged, no picture, or too large.
        """
        try:
            data = self.read(index)
        except Exception as error:  # a damaged archive raises errors of many kinds
            raise Unreadable(reason(error)) from error
        if not data:
            raise Unreadable("an empty file")
        if len(data) > MOST_BYTES:
            raise Unreadable(f"more than {MOST_BYTES // 2**20} MB")
        return decode(data)


def decode(data: bytes) -> Image:
    """The picture in the contents of a file, in RGB.

    Raises:
        Unreadable: it is damaged, no picture, or too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about sizes, which are checked below, and about odd metadata
            with Image.open(io.BytesIO(data)) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Unreadable(f"{picture.width} x {picture.height} pixels are too many")
                return picture.convert("RGB")
    except (Unreadable, MemoryError):
        raise
    except UnidentifiedImageError:
        raise Unreadable("not a picture") from None
    except Exception as error:  # the readers of a dozen formats raise whatever they like on damaged data
        raise Unreadable(reason(error)) from error


def open_pictures(path: str | Path) -> Pictures:
    """The pictures in a folder, with all folders in it, or in a `.zip` or uncompressed `.tar` archive.

    Files with another suffix than that of a picture are left out, as are hidden files and links to folders.

    Raises:
        InputError: there is no such folder or archive, or no picture in it.
    """
    path = Path(path)
    try:
        if path.is_dir():
            pictures: Pictures = _Folder(path)
        elif path.is_file() and path.suffix.lower() in (".zip", ".tar"):
            pictures = _Zip(path) if path.suffix.lower() == ".zip" else _Tar(path)
        else:
            what = "does not exist" if not path.exists() else "is neither"
            raise InputError(f"The pictures must be in a folder, or in a .zip or .tar archive: {path} {what}.")
    except (OSError, ValueError, zipfile.BadZipFile, tarfile.TarError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"The pictures in {path} can't be read: {reason(error)}.") from error
    if not len(pictures):
        raise InputError(f"The pictures in {path} must end in one of {', '.join(SUFFIXES)}. There is none.")
    return pictures


class _Folder(Pictures):
    def __init__(self, path: Path):
        self._path = path
        found = sorted(_walk(path, ""))
        self.names, self.sizes = [name for name, _ in found], [size for _, size in found]

    def read(self, index: int) -> bytes:
        with (self._path / self.names[index]).open("rb") as file:
            return file.read(MOST_BYTES + 1)


def _walk(folder: Path, prefix: str) -> Iterator[tuple[str, int]]:
    """(name, size) of the pictures below a folder. Only regular files are listed: reading a pipe would never end."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{prefix}{entry.name}/")
            elif entry.name.lower().endswith(SUFFIXES) and entry.is_file():
                yield prefix + entry.name, entry.stat().st_size


class _Zip(Pictures):
    def __init__(self, path: Path):
        self._archive = zipfile.ZipFile(path)
        found = sorted((one.filename, one.file_size) for one in self._archive.infolist() if _is_picture(one.filename))
        self.names, self.sizes = [name for name, _ in found], [size for _, size in found]

    def read(self, index: int) -> bytes:
        with self._archive.open(self.names[index]) as file:
            return file.read(MOST_BYTES + 1)

    def close(self) -> None:
        self._archive.close()


class _Tar(Pictures):
    def __init__(self, path: Path):
        self._archive = tarfile.open(path, "r:")  # noqa: SIM115 - open until `close`
        self._lock = threading.Lock()  # all members share one position in the file
        members = [one for one in self._archive if one.isfile() and _is_picture(one.name)]
        self._members = sorted(members, key=lambda one: one.name)
        self.names = [one.name for one in self._members]
        self.sizes = [one.size for one in self._members]

    def read(self, index: int) -> bytes:
        with self._lock:
            file = self._archive.extractfile(self._members[index])
            return b"" if file is None else file.read(MOST_BYTES + 1)

    def close(self) -> None:
        self._archive.close()


def _is_picture(name: str) -> bool:
    return name.lower().endswith(SUFFIXES) and not name.rpartition("/")[2].startswith(".")
