"""The code of the documents runs, where the libraries that it compares with are installed."""

from __future__ import annotations

import doctest
import importlib.util
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[1] / "docs"
PAGE = DOCS / "from_other_libraries.md"
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.M | re.S)
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS

BLOCKS = BLOCK.findall(PAGE.read_text(encoding="utf-8"))


def libraries(block: str) -> list[str]:
    """The packages that a block imports, the most particular last."""
    return re.findall(r"^>>> (?:from|import) (\w+)", block, re.M)


def installed(block: str) -> bool:
    return all(importlib.util.find_spec(name) for name in libraries(block))


def run(block: str, names: dict, page: Path = PAGE) -> list[str]:
    """What differs from the document, example by example; `names` takes up what the block defines."""
    failures: list[str] = []
    test = doctest.DocTestParser().get_doctest(block, names, page.name, str(page), 0)
    doctest.DocTestRunner(optionflags=OPTIONS).run(test, out=failures.append, clear_globs=False)
    names.update(test.globs)
    return failures


@pytest.mark.parametrize(
    "block", [block for block in BLOCKS[1:] if installed(block)], ids=lambda block: libraries(block)[-1]
)
def test_the_code_of_the_page_runs(block):
    names: dict = {}
    assert run(BLOCKS[0], names) == []
    assert run(block, names) == []


@pytest.mark.parametrize("name", ["transport.md", "weights.md"])
def test_the_code_of_a_page_runs_from_its_start_to_its_end(name):
    page, names = DOCS / name, {}
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    assert [run(block, names, page) for block in blocks] == [[]] * len(blocks)


def test_the_page_has_code_for_every_library():
    assert [libraries(block)[-1] for block in BLOCKS] == ["bridgeviz", "sklearn", "moscot", "ott", "ot", "torchcfm"]
    headings = re.findall(r"^## (.*)$", PAGE.read_text(encoding="utf-8"), re.M)
    assert headings == ["scikit-learn", "moscot", "ott-jax", "POT", "torchcfm"]
    assert all(installed(block) for block in BLOCKS if libraries(block)[-1] not in ("moscot", "torchcfm"))


def test_a_wrong_result_is_noticed():
    assert len(run(">>> 1 + 1\n3\n>>> 2\n2\n", {})) == 1


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.name)
def test_links_between_documents_lead_somewhere(page):
    targets = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
