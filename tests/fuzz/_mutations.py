"""Changes to the bytes of a file: blind ones, and those that know a little of what they change."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable

import numpy as np

from ._corpus import archive, members

WORDS = (
    b"nan", b"inf", b"1e999", b"-1", b"0", b"--5", b"\xc2\xb2", b"9" * 400, b'"', b"'", b";", b",", b"\t", b"\r", b"\n",
    b"\0", b"\xff", b"\xef\xbb\xbf", b"(", b")", b"{", b"}", b"[", b"]", b"None", b"1" + b"0" * 18, b"<f8", b"|O",
    b"<U9", b"<M8", b">i8", b"<c16", b"(3,)", b"index_columns", b"../", b"id,label\n", b"source,target\n", b"1,5",
    b"\x1b[2J", b"PK\x05\x06", b"PAR1", b"ARROW1\0\0", b"\x93NUMPY", b"\x89HDF\r\n\x1a\n",
)  # fmt: skip

NUMBERS = (0, 1, 2, 127, 128, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, 2**64 - 1)


def _place(rng: np.random.Generator, content: bytes) -> int:
    """An offset: anywhere, or near the beginning or the end, where headers and footers are."""
    size = len(content) + 1
    near = min(size, 300)
    return int(rng.choice([rng.integers(size), rng.integers(near), size - 1 - rng.integers(near)]))


def flip(rng: np.random.Generator, content: bytes) -> bytes:
    """Other bits in a few bytes."""
    array = bytearray(content)
    for _ in range(int(rng.choice([1, 1, 2, 8, 64]))):
        place = _place(rng, content)
        if place < len(array):
            array[place] ^= int(rng.integers(1, 256))
    return bytes(array)


def number(rng: np.random.Generator, content: bytes) -> bytes:
    """A length, an offset or a count that is the edge of something."""
    place, width = _place(rng, content), int(rng.choice([1, 2, 4, 8]))
    value = (int(rng.choice(len(NUMBERS))) and NUMBERS[int(rng.integers(len(NUMBERS)))]) % 256**width
    return content[:place] + value.to_bytes(width, "little") + content[place + width :]


def word(rng: np.random.Generator, content: bytes) -> bytes:
    """A word that means something to a reader, inserted or written over what was there."""
    place, text = _place(rng, content), WORDS[int(rng.integers(len(WORDS)))]
    return content[:place] + text + content[place + (len(text) if rng.random() < 0.5 else 0) :]


def cut(rng: np.random.Generator, content: bytes) -> bytes:
    """The beginning alone."""
    return content[: _place(rng, content)]


def remove(rng: np.random.Generator, content: bytes) -> bytes:
    """A part is missing."""
    start, length = _place(rng, content), int(rng.choice([1, 2, 8, 100]))
    return content[:start] + content[start + length :]


def repeat(rng: np.random.Generator, content: bytes) -> bytes:
    """A part comes again, sometimes many times."""
    start, length, times = _place(rng, content), int(rng.choice([1, 8, 200])), int(rng.choice([2, 3, 1000]))
    return content[:start] + content[start : start + length] * times + content[start + length :]


def digits(rng: np.random.Generator, content: bytes) -> bytes:
    """Another number where there is one in text: a shape, an offset, a cell."""
    places = [match.span() for match in re.finditer(rb"\d+", content)]
    if not places:
        return flip(rng, content)
    start, stop = places[int(rng.integers(len(places)))]
    value = str(NUMBERS[int(rng.integers(len(NUMBERS)))]).encode() if rng.random() < 0.8 else b"9" * 5000
    return content[:start] + value + content[stop:]


BLIND: tuple[Callable[[np.random.Generator, bytes], bytes], ...] = (
    flip, number, word, cut, remove, repeat, digits,
)  # fmt: skip


def mutated(rng: np.random.Generator, content: bytes, suffix: str, others: list[bytes]) -> bytes:
    """A file with one to four changes. Half of the archives are unpacked, changed within and packed again."""
    if suffix == ".npz" and rng.random() < 0.5:
        parts = members(content)
        name = list(parts)[int(rng.integers(len(parts)))]
        parts[name] = blindly(rng, parts[name])
        if rng.random() < 0.2:
            parts["n" + blindly(rng, name.encode()).decode("latin-1")[:100]] = parts.pop(name)
        return archive(parts, int(rng.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])))
    if rng.random() < 0.1:
        other = others[int(rng.integers(len(others)))]
        return content[: _place(rng, content)] + other[_place(rng, other) :]
    return blindly(rng, content)


def blindly(rng: np.random.Generator, content: bytes) -> bytes:
    """One to four changes that know nothing of the format."""
    for _ in range(int(rng.choice([1, 1, 1, 2, 4]))):
        content = BLIND[int(rng.integers(len(BLIND)))](rng, content)
    return content
