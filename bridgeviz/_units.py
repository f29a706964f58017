"""Seconds and bytes in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Seconds in words.

    >>> duration(0.0123), duration(3.21), duration(75.0), duration(300.0)
    ('0.01 s', '3.2 s', '75 s', '5.0 min')
    """
    if seconds >= 120:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.2f} s" if seconds < 1 else f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


def memory(size: int) -> str:
    """Bytes in words; "" for less than a megabyte, which is no more than chance.

    >>> memory(2**19), memory(12 * 2**20), memory(2**30)
    ('', '12 MB', '1.0 GB')
    """
    if size < 2**20:
        return ""
    return f"{size / 2**30:.1f} GB" if size >= 2**30 / 10 else f"{size / 2**20:.0f} MB"
