"""Blocks of the documents that a benchmark writes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from bridgeviz._files import write_text
from bridgeviz.datasets import paths


def project_documents() -> list[Path]:
    """The project's own documents with generated blocks; none in an installed package."""
    root = paths.shipped().parent
    return [path for path in (root / "README.md", root / "docs" / "benchmarks.md") if path.is_file()]


def write_block(name: str, text: str, *, documents: Iterable[Path] | None = None) -> None:
    """Replace the text between `<!-- bench NAME -->` and `<!-- end of bench NAME -->` in every document that has it.

    Args:
        name: of the block.
        text: Markdown.
        documents: files to search; None takes the project's README.md and docs/benchmarks.md.
    """
    start, end = f"<!-- bench {name} -->", f"<!-- end of bench {name} -->"
    block = re.compile(re.escape(start) + ".*?" + re.escape(end), re.DOTALL)
    for document in project_documents() if documents is None else documents:
        before = document.read_text(encoding="utf-8")
        after = block.sub(lambda _: f"{start}\n{text}\n{end}", before)
        if after != before:
            write_text(document, after)
