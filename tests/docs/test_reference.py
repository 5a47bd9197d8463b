"""The reference is what the code says now, and links lead somewhere."""

from __future__ import annotations

import pytest

from tools import build_docs, reference


@pytest.mark.parametrize("name", ["docs/reference/commands.md", "docs/reference/specs.md"])
def test_the_reference_is_fresh(name: str) -> None:
    committed = (build_docs.ROOT / name).read_text(encoding="utf-8")
    assert committed == reference.files()[name], f"{name} is stale; run `make docs`"


@pytest.mark.parametrize("page", build_docs.sources(), ids=lambda page: page.name)
def test_links_lead_somewhere(page) -> None:  # type: ignore[no-untyped-def]
    assert list(build_docs.broken_links(page)) == []
