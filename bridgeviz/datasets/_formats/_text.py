"""`.txt`: labels, one per line."""

from __future__ import annotations

import io
from itertools import islice

from bridgeviz._checks import InputError
from bridgeviz.datasets._formats._file import File
from bridgeviz.datasets._formats._format import Column, Format
from bridgeviz.datasets._formats._limits import refuse_long_text


class Text(Format):
    """Labels, one per line, in UTF-8."""

    def labels(self, file: File, length: int) -> Column:
        file.no_key()
        refuse_long_text(file)
        try:
            with file.open() as stream, io.TextIOWrapper(stream, "utf-8-sig") as text:
                return Column([line.strip() for line in islice(text, length + 1)])
        except UnicodeDecodeError as error:
            raise InputError(f"{file} can't be read as text: {error}. Save it as UTF-8.") from None
