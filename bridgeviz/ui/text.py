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
