"""Text from links, files, labels and errors, which Streamlit would read as Markdown."""

from __future__ import annotations

import re

_SPECIAL = re.compile(r"[\\`*\[\]<>$~|]|(?<!\w)_|_(?!\w)|:(?=\w|//)|^(?=[#+-])", re.MULTILINE)


def literal(text: str) -> str:
    r"""Markdown that shows a text as it is: no formatting, no links, and no pictures to fetch.

    >>> literal("![x](http://host/x.png) and *this*")
    '!\\[x\\](http\\://host/x.png) and \\*this\\*'
    """
    return _SPECIAL.sub(lambda found: "\\" + found[0], text)


def duration(seconds: float) -> str:
    """A time in its natural unit.

    >>> [duration(value) for value in (40, 600, 9000)]
    ['40 s', '10 min', '2.5 hours']
    """
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} hours"
