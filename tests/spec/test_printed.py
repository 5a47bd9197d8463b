"""Printed numbers in the forms that papers use."""

from __future__ import annotations

import json
import tomllib
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from harness.spec.printed import Printed
from harness.spec.reading import read_printed
from harness.spec.reporting import PrintedText


def told(printed: Printed) -> dict[str, Any]:
    """What a cell says, without its text and what it leaves unsaid."""
    said = {
        name: getattr(printed, name)
        for name in (
            "kind",
            "value",
            "half",
            "relation",
            "unit",
            "of",
            "n",
            "stars",
            "marks",
            "notes",
            "bold",
            "underline",
        )
    }
    said = {
        name: value
        for name, value in said.items()
        if value is not False and value not in (None, "", (), "=")
    }
    if printed.error is not None:
        sizes = (str(printed.error.minus), str(printed.error.plus))
        meaning = [printed.error.meaning] if printed.error.meaning != "unknown" else []
        share = ["%"] if printed.error.percent else []
        said["error"] = (printed.error.form, *sizes, *meaning, *share)
    if printed.interval is not None:
        between = printed.interval
        level = "" if between.level is None else str(between.level)
        said["interval"] = (str(between.low), str(between.high), between.meaning, level)
    return {name: str(v) if isinstance(v, Decimal) else v for name, v in said.items()}


def number(value: str, half: str, **rest: Any) -> dict[str, Any]:
    return {"kind": "number", "value": value, "half": half, **rest}


FORMS: dict[str, dict[str, Any]] = {
    "12.50": number("12.50", "0.005"),
    "50": number("50", "0.5"),
    ".5": number("0.5", "0.05"),
    "-0.000": number("-0.000", "0.0005"),
    "−0.28": number("-0.28", "0.005"),
    "–0.28": number("-0.28", "0.005"),
    "$-$0.280": number("-0.280", "0.0005"),
    "1,237,747": number("1237747", "0.5"),
    r"8\,377": number("8377", "0.5"),
    "$1{,}234.5$": number("1234.5", "0.05"),
    "12.57 ± 0.03": number("12.57", "0.005", error=("plus-minus", "0.03", "0.03")),
    "71.85±0.00": number("71.85", "0.005", error=("plus-minus", "0.00", "0.00")),
    r"$12.57 \pm 0.03$": number("12.57", "0.005", error=("plus-minus", "0.03", "0.03")),
    r"1.20$_{\pm0.129}$": number("1.20", "0.005", error=("plus-minus", "0.129", "0.129")),
    "12.3 +/- 0.4": number("12.3", "0.05", error=("plus-minus", "0.4", "0.4")),
    "12.3 (0.4)": number("12.3", "0.05", error=("parentheses", "0.4", "0.4")),
    "-189.8 (136.3)": number("-189.8", "0.05", error=("parentheses", "136.3", "136.3")),
    "12.3(4)": number("12.3", "0.05", error=("digits", "0.4", "0.4")),
    "1.2(3)e-4": number("0.00012", "0.000005", error=("digits", "0.00003", "0.00003")),
    "12.3 (SD 4.0)": number("12.3", "0.05", error=("plus-minus", "4.0", "4.0", "std")),
    "12.3 (SE = 4.0)": number("12.3", "0.05", error=("plus-minus", "4.0", "4.0", "sem")),
    "12.3, s.e.m. 4": number("12.3", "0.05", error=("plus-minus", "4", "4", "sem")),
    "12.3% [std: 4%]": number("12.3", "0.05", unit="%", error=("plus-minus", "4", "4", "std")),
    "12.6 [10.1, 15.2]": number("12.6", "0.05", interval=("10.1", "15.2", "unknown", "")),
    "+0.007 (-0.005 to +0.023)": number(
        "0.007", "0.0005", interval=("-0.005", "0.023", "unknown", "")
    ),
    "0.5 (95% CI: 0.3 to 0.7)": number("0.5", "0.05", interval=("0.3", "0.7", "ci", "95")),
    "-0.3 (95% CI: -5.0 - -0.1)": number("-0.3", "0.05", interval=("-5.0", "-0.1", "ci", "95")),
    "5 (IQR 3–7)": number("5", "0.5", interval=("3", "7", "iqr", "")),
    "5 (IQR 3--7)": number("5", "0.5", interval=("3", "7", "iqr", "")),
    "0.1 [-0.1--0.5]": number("0.1", "0.05", interval=("-0.1", "0.5", "unknown", "")),
    "-0.3 [-0.5–0.1]": number("-0.3", "0.05", interval=("-0.5", "0.1", "unknown", "")),
    "-0.3 [-0.5−−0.1]": number("-0.3", "0.05", interval=("-0.5", "-0.1", "unknown", "")),
    "$-0.3$ [$-0.5$--$0.1$]": number("-0.3", "0.05", interval=("-0.5", "0.1", "unknown", "")),
    "5 [range 1–9]": number("5", "0.5", interval=("1", "9", "range", "")),
    "$1.2^{+0.3}_{-0.2}$": number("1.2", "0.05", error=("asymmetric", "0.2", "0.3")),
    "1.2 (+0.3/−0.2)": number("1.2", "0.05", error=("asymmetric", "0.2", "0.3")),
    "< 0.001": number("0.001", "0.0005", relation="<"),
    "$p<0.01$": number("0.01", "0.005", relation="<"),
    r"$\geq 95$": number("95", "0.5", relation="≥"),
    r"$1.2 \times 10^{-3}$": number("0.0012", "0.00005"),
    r"$5 \cdot 10^{-4}$": number("0.0005", "0.00005"),
    "1.2 × 10⁻³": number("0.0012", "0.00005"),
    "3e5": number("3E+5", "5E+4"),
    r"$(1.2 \pm 0.3) \times 10^{-4}$": number(
        "0.00012", "0.000005", error=("plus-minus", "0.00003", "0.00003")
    ),
    r"95.2\%": number("95.2", "0.05", unit="%"),
    "95.2% ± 0.4%": number("95.2", "0.05", unit="%", error=("plus-minus", "0.4", "0.4")),
    "95.2 ± 0.4%": number("95.2", "0.05", error=("plus-minus", "0.4", "0.4", "%")),
    "12 ms ± 3%": number("12", "0.5", unit="ms", error=("plus-minus", "3", "3", "%")),
    "12 ms (3%)": number("12", "0.5", unit="ms", notes=("3%",)),
    "3/178": number("3", "0.5", of="178"),
    "45 (12.5%)": number("45", "0.5", notes=("12.5%",)),
    "1.5×": number("1.5", "0.05", unit="×"),
    "12.3 ms": number("12.3", "0.05", unit="ms"),
    "1h 20m": number("4800", "30.0", unit="s"),
    "1:23:45": number("5025", "0.5", unit="s"),
    "2nd": number("2", "0.5", unit="rank"),
    "#3": number("3", "0.5", unit="rank"),
    "0.045**": number("0.045", "0.0005", stars="**"),
    r"-0.247\sym{***}": number("-0.247", "0.0005", stars="***"),
    r"$12.3^\dagger$": number("12.3", "0.05", marks=("†",)),
    "12.3^{a,b}": number("12.3", "0.05", marks=("a", "b")),
    "0.83 (n = 5)": number("0.83", "0.005", n=5),
    "2.825*** (df = 12; 274)": number("2.825", "0.0005", stars="***", notes=("df = 12; 274",)),
    "12.57 (+ 9.3)": number("12.57", "0.005", notes=("+ 9.3",)),
    r"95.2 $\uparrow$1.2": number("95.2", "0.05", notes=("↑1.2",)),
    "$95.2_{+1.2}$": number("95.2", "0.05", notes=("+1.2",)),
    "$95.2_{(0.3)}$": number("95.2", "0.05", error=("parentheses", "0.3", "0.3")),
    r"\textbf{12.3}": number("12.3", "0.05", bold=True),
    "**12.3 ± 0.4**": number("12.3", "0.05", bold=True, error=("plus-minus", "0.4", "0.4")),
    r"\underline{12.3}": number("12.3", "0.05", underline=True),
    "(0.245)": {"kind": "bracketed", "error": ("parentheses", "0.245", "0.245")},
    "[0.1, 0.3]": {"kind": "bracketed", "interval": ("0.1", "0.3", "unknown", "")},
    "–": {"kind": "missing"},
    "--": {"kind": "missing"},
    "": {"kind": "missing"},
    "n/a": {"kind": "missing"},
    "NaN": {"kind": "missing"},
    "OOM": {"kind": "word"},
    "yes": {"kind": "word"},
    "ResNet-18": {"kind": "word"},
    "3D": {"kind": "word"},
}

UNREADABLE = {
    "12,57": "a decimal comma, or thousands that lack a digit",
    "0,532": "the same",
    "1 234": "two numbers, or thousands",
    "1.2.3": "a version",
    "12.3 / 4.5": "two numbers",
    "8154/4452": "two counts",
    "1.2 ± 0.3 × 10^{-4}": "the power may scale both or one",
    "12.3^1": "a footnote, or a power",
    "12.3 [4]": "an error, or a reference",
    "12.3 (1,234)": "one number, or two",
    "72.5 ± 0.4 (3)": "a number of runs, a rank",
    "12.3 ± 1.2 ± 0.3": "two errors",
    "2015-2019": "a range, or a difference",
    "$95.2_{0.3}$": "an error, or a base",
    "0.5 (0.12345)(67)": "two errors",
    "12(345)": "more digits in brackets than before",
    "r = 0.59": "a number under a name of its own",
    "15.2 [18.1, 12.0]": "an interval upside down",
    "15.2 (95% CI 18.1 to 12.0)": "the same",
    "-0.3 (95% CI: -0.5--0.1)": "to 0.1, or to -0.1",
    "-30% [-50%---10%]": "the same",
    "12.3 ± 0.4 (SE)": "a standard error, or that of something else",
    "12.3 (std err 0.4)": "an error that is not known",
    "12.3 (± 0.4 pp)": "the same",
    "12.3 (SD 0.4, range 11–13)": "two spreads",
}


@pytest.mark.parametrize("text", FORMS)
def test_a_printed_form_says_what_it_says(text: str) -> None:
    read = read_printed(text)

    assert told(read) == FORMS[text]
    assert str(read) == text


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_has_two_readings_has_none(text: str) -> None:
    read = read_printed(text)

    assert read.kind == "unreadable", UNREADABLE[text]
    assert (read.value, read.error, read.interval) == (None, None, None)
    assert read.reason


WHOLE = st.integers(0, 9_999_999)
DIGITS = st.text("0123456789", max_size=5)
SIGNS = st.sampled_from(["", "-", "+"])


@given(sign=SIGNS, whole=WHOLE, decimals=DIGITS, minus=st.sampled_from("-−–"), data=st.data())
def test_all_spellings_of_a_number_are_one_number(
    sign: str, whole: int, decimals: str, minus: str, data: st.DataObject
) -> None:
    point = f".{decimals}" if decimals else ""
    right = Decimal(f"{sign}{whole}{point}")
    grouped = data.draw(
        st.sampled_from([str(whole), f"{whole:,}", f"{whole:,}".replace(",", r"\,")])
    )
    frame = data.draw(
        st.sampled_from(["{}", "${}$", r"\textbf{{{}}}", "**{}**", " {} ", r"\num{{{}}}"])
    )
    text = frame.format(f"{sign.replace('-', minus)}{grouped}{point}")

    read = read_printed(text)

    assert read.text == text
    assert read.value is not None
    # Compared as tuples, since Decimals are equal whatever their trailing zeros.
    assert read.value.as_tuple() == right.as_tuple()
    assert read.half == Decimal("0.5").scaleb(-len(decimals))


PIECES = st.sampled_from(
    [
        r"\pm",
        r"\times",
        r"\textbf{",
        "10^{-3}",
        "12.3",
        "0.4",
        "-3",
        "n=5",
        "95",
        "CI",
        "to",
        "1h",
        "20m",
        "nd",
        *"()[]{}^_$%±*,;:/#<+ e",
    ]
)


@given(text=st.text() | st.lists(PIECES, max_size=9).map("".join))
def test_any_text_is_kept_and_read_without_an_error(text: str) -> None:
    read = read_printed(text)

    assert read.text == text
    assert (read.value is not None) == (read.kind == "number")
    assert bool(read.reason) == (read.kind == "unreadable")


@given(text=st.text("0123456789.,±+-−–()[]/ %*<†×", max_size=16))
def test_a_number_leaves_no_digit_of_its_text_out(text: str) -> None:
    read = read_printed(text)
    if read.kind not in ("number", "bracketed"):
        return

    parts: list[Any] = [read.value, read.of, read.n, *read.notes]
    if read.error is not None:
        parts += [read.error.minus] + [read.error.plus] * (read.error.form == "asymmetric")
    if read.interval is not None:
        parts += [read.interval.low, read.interval.high, read.interval.level]
    used = "".join(f"{p:f}" if isinstance(p, Decimal) else str(p) for p in parts if p is not None)
    # Zeros may lead, and pad the digit form.
    assert sorted(c for c in used if c in "123456789") == sorted(
        c for c in text if c in "123456789"
    )


NAMES = {"SD": "std", "sd": "std", "s.d.": "std", "S.D.": "std", "std": "std", "Std. dev.": "std"}
NAMES |= {"SE": "sem", "s.e.": "sem", "SEM": "sem", "s.e.m.": "sem"}


@given(
    name=st.sampled_from(sorted(NAMES)),
    frame=st.sampled_from([" ({})", " [{}]", ", {}", " {}"]),
    between=st.sampled_from([" ", " = ", ": ", "="]),
    size=st.decimals("0.01", "99", places=2),
)
def test_all_spellings_of_a_named_error_are_one(
    name: str, frame: str, between: str, size: Decimal
) -> None:
    read = read_printed("12.3" + frame.format(f"{name}{between}{size}"))

    # `12.3 s.d.` begins like 12.3 seconds, and is refused.
    if (frame, name[:2]) == (" {}", "s.") and read.kind == "unreadable":
        return
    assert read.error is not None
    assert (read.error.plus, read.error.minus, read.error.meaning) == (size, size, NAMES[name])


@given(
    parts=st.lists(
        st.sampled_from(["SD", "SE", "s.e.m.", "95% CI", "IQR", "range", "=", ":", ", ", " – ",
                         " - ", " to ", "0.4", "-3", "7", "±", "n = 5", " "]),
        max_size=7,
    ),
    name=st.sampled_from(["SD", "SE", "s.e.m.", "95% CI", "IQR", "range"]),
)  # fmt: skip
def test_a_spread_in_words_is_read_or_refused(parts: list[str], name: str) -> None:
    read = read_printed(f"12.3 ({name} {''.join(parts)} 0.1)")

    assert read.error or read.interval or read.kind == "unreadable"
    assert not read.notes


@pytest.mark.parametrize("note", ["standard split", "long-range", "w/ SE", "CI", "SD"])
def test_words_of_a_spread_without_a_number_are_a_note(note: str) -> None:
    assert read_printed(f"95.2 ({note})").notes == (note,)
    assert read_printed(f"95.2 ± 0.4 ({note})").kind == "unreadable"


@given(
    text=st.sampled_from([*FORMS, *UNREADABLE])
    | st.text("0123456789.,±+-−–()[]/ %*<†×^{}", max_size=16)
)
def test_every_form_goes_through_the_toml_of_a_spec(text: str) -> None:
    cells = TypeAdapter(dict[str, PrintedText])
    written = tomllib.loads(f"cells = {{ A = {json.dumps(text, ensure_ascii=False)} }}")["cells"]
    read = read_printed(text)
    if read.kind == "unreadable" or read.bold or read.underline or text != text.strip():
        with pytest.raises(ValidationError, match="expected"):
            cells.validate_python(written)
        return

    loaded = cells.validate_python(written)

    assert loaded == {"A": read}
    assert cells.dump_python(loaded) == written
