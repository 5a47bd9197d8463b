from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.render.tex import escape
from harness.render.text import plain
from tests.render.readers import as_set, decode, fold


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("\x1b[1;31mred\x1b[0m", "red"),
        ("\x1b]8;;http://x.example\x1b\\link\x1b]8;;\x1b\\", "link"),
        ("\x1b]0;title\x07text", "text"),
        ("\x9b31mred", "red"),
        ("a\r\n\tb\u00a0 c", "a b c"),
        ("left\u202etfel\u200f", "lefttfel"),
        ("  12.57 ± 0.03 ", "12.57 ± 0.03"),
        ("\x1b", ""),
    ],
)
def test_plain_keeps_what_is_visible(raw: str, shown: str) -> None:
    assert plain(raw) == shown


@given(st.text())
def test_plain_is_one_printable_line_and_settled(text: str) -> None:
    once = plain(text)
    assert plain(once) == once
    assert "  " not in once
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Zl", "Zp"} for char in once)


@given(st.text().map(plain))
def test_escaped_text_is_inert_ascii_that_prints_the_text(text: str) -> None:
    source = escape(text)
    assert source.isascii()
    assert fold(decode(source)) == fold(as_set(text))


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("50% of a_b & #1", r"50\% of a\_b \& \#1"),
        ("12.57 ± 0.03", r"12.57 $\pm$ 0.03"),
        ("✓ × ✗ ⇒", r"$\surd$ $\times$ $\times$ $\Rightarrow$"),
        ("-0.5", "$-$0.5"),
        ("(-0.5)", "($-$0.5)"),
        ("10-100 and BN-2", "10-100 and BN-2"),
        ("--", "-{}-"),
        ("[12] x", "{}[12] x"),
        ("*", "{}*"),
        ("\\", r"\textbackslash{}"),
        ("Björn Łoś", r"Bj\"{o}rn \L{}o\'{s}"),
        ("a漢", "a[U+6F22]"),
        ("5 µm²", r"5 $\mu$m$^{2}$"),
    ],
)
def test_escape(text: str, source: str) -> None:
    assert escape(text) == source
