"""Whatever is typed into a spec: it is read, or refused in one message that names a file."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import UserError
from harness.plan.exhibit import plan_exhibit
from harness.spec.exhibit import Table
from harness.spec.paper import load_paper
from tests.toy.paper import SPECS, Workplace, new_workplace

TEXTS = {
    str(path.relative_to(SPECS)): path.read_text(encoding="utf-8").splitlines(keepends=True)
    for path in sorted(SPECS.rglob("*.toml"))
}
TYPED = st.sampled_from("\"'[]{}=.,:#\n\t -_05naxyzé±\\\x00\u2028{}")
VALUES = st.sampled_from(
    [
        *("1", "-1", "0.5", "1e400", "nan", "true", "1979-05-27", "07:32:00"),
        *('"x"', '""', '"{a.b}"', f'"{"long" * 99}"', "[]", "[[1]]", '[1, "a"]', "{}", "{ a = 1 }"),
    ]
)


@st.composite
def edits(draw: st.DrawFn) -> tuple[str, str]:
    """A spec's place and its text after one slip of the fingers."""
    file = draw(st.sampled_from(sorted(TEXTS)))
    lines = list(TEXTS[file])
    index = draw(st.integers(0, len(lines) - 1))
    line = lines[index]
    slips: list[Callable[[], str]] = [
        lambda: "",
        lambda: line + line,
        lambda: line[: (at := draw(st.integers(0, len(line)))) - 1] + draw(TYPED) + line[at:],
        lambda: line[: (at := draw(st.integers(0, len(line))))] + draw(TYPED) + line[at:],
        lambda: line.partition("=")[0] + "= " + draw(VALUES) + "\n",
        lambda: line + draw(st.sampled_from(lines)),
    ]
    lines[index] = draw(st.sampled_from(slips))()
    return file, "".join(lines)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    return new_workplace(tmp_path_factory.mktemp("typed"))


def refusal(root: Path) -> str | None:
    """What keeps all tables from being planned under all profiles."""
    try:
        paper = load_paper(root)
        for name, exhibit in paper.exhibits.items():
            for profile in paper.profiles if isinstance(exhibit, Table) else ():
                plan_exhibit(paper, name, profile, seeds=1)
    except UserError as error:
        return str(error)
    return None


@settings(max_examples=settings.default.max_examples * 5 // 2)
@given(edit=edits())
def test_a_slip_is_harmless_or_is_told_with_the_file(
    shared: Workplace, edit: tuple[str, str]
) -> None:
    file, text = edit
    path = shared.specs / file
    path.write_text(text, encoding="utf-8")
    try:
        told = refusal(shared.specs)
    finally:
        path.write_text("".join(TEXTS[file]), encoding="utf-8")
    # A slip in one file may first be seen where another file refers to it.
    named = re.compile(rf"{re.escape(str(shared.specs))}/\S+\.toml\b")
    assert told is None or named.search(told), told


def test_the_specs_without_a_slip_are_read(shared: Workplace) -> None:
    assert refusal(shared.specs) is None
