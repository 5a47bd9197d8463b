"""Text from anywhere is harmless in each medium, and is still the same text where it was so."""

from __future__ import annotations

import csv
import json
from io import BytesIO, StringIO, TextIOWrapper
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import media

TEXTS = st.one_of(
    st.text(),
    st.text(st.sampled_from("=+-@ \t\r\n%:,1.5±\x1b\x07\x9b\u202e\u200f\x85\x00'|a()")),
    st.sampled_from(("\x1b]0;title\x07", "=cmd|'/c calc'!A1", "\r::error::x", "-2+3+cmd|'x'!A")),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | TEXTS, lambda inner: st.lists(inner, max_size=3)
)


def obeyed(text: str) -> set[str]:
    """Signs that a terminal might obey or hide."""
    return {c for c in text if c != "\n" and not (c.isprintable() or c in " \u2009\u202f\u00a0")}


@given(TEXTS)
def test_a_terminal_obeys_nothing(text: str) -> None:
    assert not {
        c for c in media.terminal(text) if c != "\n" and ord(c) in {*range(32), *range(127, 160)}
    }
    assert len(media.terminal(text)) == len(text)
    out = StringIO()
    media.console(file=out, width=60).print(text, soft_wrap=True)
    assert "\x1b" not in out.getvalue()
    assert "\x9b" not in out.getvalue()


@given(TEXTS)
def test_a_spreadsheet_finds_no_formula(text: str) -> None:
    field = media.csv_field(text)
    assert not field.lstrip().startswith(("=", "@"))
    if field.lstrip().startswith(("+", "-")):
        assert not set(field) & set("|!()abcdfghijklmnopqrstuvwxyzABCDFGHIJKLMNOPQRSTUVWXYZ")


@pytest.mark.parametrize("number", ["-0.5", "+ 9.3", "-12.57 ± 0.03", "-1.2e-05", "88.7", ""])
def test_numbers_stay_numbers(number: str) -> None:
    assert media.csv_field(number) == number


@given(st.lists(TEXTS, min_size=1, max_size=3))
def test_csv_reads_back(row: list[str]) -> None:
    out = StringIO()
    media.write_csv([row], out)
    (read,) = csv.reader(StringIO(out.getvalue(), newline=""))
    assert read == [media.csv_field(text) for text in row]


@given(JSON)
def test_json_is_strict_printable_and_the_same(value: object) -> None:
    text = media.json_text(value)
    assert not {c for c in text if ord(c) in {*range(127, 160), 0x202E, 0x200F}}
    text.encode()
    back = json.loads(text, parse_constant=lambda word: pytest.fail(word))
    assert back == media._in_json(value)


@given(TEXTS)
def test_a_workflow_command_stays_one_line(text: str) -> None:
    line = media.workflow(text)
    assert not obeyed(line)
    assert "\n" not in line


@given(TEXTS)
def test_xml_is_well_formed(text: str) -> None:
    node = ElementTree.Element("a", b=media.xml(text))
    node.text = media.xml(text)
    assert ElementTree.fromstring(ElementTree.tostring(node)).text is not None or not text


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "cp437"])
def test_no_sign_becomes_another_ones(encoding: str) -> None:
    """`?` means inconclusive, so neither of these may be shown as it."""
    raw = BytesIO()
    stream = TextIOWrapper(raw, encoding=encoding, errors=media.SPELT, write_through=True)
    stream.write("✓|✗|≠|–|!|?|漢|é ± Ł")
    shown = raw.getvalue().decode(encoding).split("|")
    assert shown[:3] == ["+", "x", "#"] or encoding == "cp437"
    assert shown[4:7] == ["!", "?", "[U+6F22]"]
    assert len(set(shown[:6])) == 6
    assert "?" not in shown[-1]
