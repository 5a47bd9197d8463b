"""Tables in the forms in which papers print them: loaded, shown, judged and rendered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.spec.exhibit import Table
from tests.toy.paper import Workplace, new_workplace

HEAD = """
id = "forms"
kind = "table"
label = "Table 9"
title = "Printed forms"
section = "1"
caption = "Each cell is the accuracy of one method."
bind = {{ dataset = "numbers", network = "none", recipe = "measuring", size = 20 }}
measure = {{ value = "accuracy", scale = 100 }}

[reporting]
{reporting}

[[columns]]
name = "A"
label = "A"
"""
COUNT = 'measure = { value = "count", deterministic = true }\n'
VARIES = 'measure = { value = "accuracy", scale = 100, deterministic = true }\n'
MARGIN = 'unit = "percent accuracy"\n'
RUNS = MARGIN + "n = 5\n"
FRACTION = "measure = { value = 'accuracy' }\n"

FORMS = {
    "a mean and a std": (MARGIN, "", "50.00 ± 0.30", "reproduced"),
    "another mean": (MARGIN, "", "60.00 ± 0.30", "deviates"),
    "without spaces": (MARGIN, "", "50.00±0.30", "reproduced"),
    "in ASCII": (MARGIN, "", "50.00 +/- 0.30", "reproduced"),
    "in LaTeX": (MARGIN, "", r"$50.00 \pm 0.30$", "reproduced"),
    "a standard error": (MARGIN + 'spread = "sem"\nn = 5\n', "", "50.0 (0.1)", "reproduced"),
    "the digit form": (MARGIN, "", "50.0(3)", "reproduced"),
    "a named deviation": (MARGIN, "", "45.0 (SD 4.0)", "inconclusive"),
    "a named standard error": (RUNS, "", "45.0 (SE 4.0)", "inconclusive"),
    "their ±": (MARGIN + 'spread = "std"\n', "", "45.0 ± 4.0", "inconclusive"),
    "their ± as errors": (RUNS + 'spread = "sem"\n', "", "45.0 ± 4.0", "inconclusive"),
    "an interval with its level": (RUNS, "", "50.0 (95% CI 49.7 to 50.3)", "reproduced"),
    "a declared interval": (RUNS + 'spread = "ci90"', "", "50.0 [49.7, 50.3]", "reproduced"),
    "an interval of anything": (MARGIN, "", "50.0 [49.7, 50.3]", "not comparable"),
    "a median and its IQR": (MARGIN, "", "50.0 (IQR 49.7–50.3)", "not comparable"),
    "a declared IQR": (MARGIN + 'spread = "iqr"\n', "", "50.0 [49.7, 50.3]", "not comparable"),
    "asymmetric errors": (MARGIN, "", "50.0^{+0.3}_{-0.2}", "reproduced"),
    "n in the cell": (MARGIN, "", "50.00 ± 0.30 (n = 7)", "reproduced"),
    "a percent sign": (MARGIN, "", "50.0% ± 0.3%", "reproduced"),
    "a percent sign at the error": (MARGIN, "", "50.0 ± 0.3%", "reproduced"),
    "an error that may be a share": (
        "margin = 0.01\n",
        FRACTION,
        "0.500 ± 3%",
        "not comparable",
    ),
    "stars": (MARGIN, "", "50.0** (0.3)", "reproduced"),
    "a footnote": (MARGIN, "", "50.0 ± 0.3†", "reproduced"),
    "a bound that holds": ("", "", "< 55", "reproduced"),
    "a bound that fails": ("", "", "< 45", "deviates"),
    "a lower bound": ("", "", "≥ 45", "reproduced"),
    "scientific notation": ("margin = 0.01\n", FRACTION, "5.00 × 10^{-1}", "reproduced"),
    "scientific notation in LaTeX": (
        "margin = 0.01\n",
        FRACTION,
        r"$5.00 \times 10^{-1}$",
        "reproduced",
    ),
    "a ratio": ("margin = 0.01\n", FRACTION, "0.50×", "reproduced"),
    "a deterministic count": ("", COUNT, "10/178", "reproduced"),
    "a false declaration": (MARGIN, VARIES, "50.00 ± 0.30", "reproduced"),
    "another count": ("", COUNT, "11/178", "deviates"),
    "thousands": ("margin = 100\n", "", "1,050", "deviates"),
    "a missing number": (MARGIN, "", "–", "not comparable"),
    "a word": (MARGIN, "", "OOM", "not comparable"),
    "yes": (MARGIN, "", "yes", "not comparable"),
}  # fmt: skip
ROW = """
[[rows]]
name = "Faithful"
label = "Faithful"
bind = {{ method = "faithful" }}
cells = {{ A = '{text}' }}
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Workplace:
    """The invented paper, in which the runs that all forms are about are made."""
    place = new_workplace(Path(tmp_path_factory.mktemp("forms")))
    _written(place, "a mean and a std")
    made = place.repro("make", "forms", "--executor", "inline", "--json")
    assert made.code == 0, made.err
    return place


def _written(place: Workplace, form: str) -> None:
    """Write the table of one form in the place of that of another."""
    reporting, column, text, _ = FORMS[form]
    spec = HEAD.format(reporting=reporting) + column + ROW.format(text=text)
    (place.specs / "tables/forms.toml").write_text(spec, encoding="utf-8")


def _cell(place: Workplace, form: str) -> dict[str, Any]:
    _written(place, form)
    (cell,) = place.repro("diff", "forms", "--json").json["cells"]
    fields: dict[str, Any] = cell
    return fields


@pytest.mark.parametrize("form", FORMS)
def test_a_form_is_shown_judged_and_rendered(place: Workplace, form: str) -> None:
    _, _, text, verdict = FORMS[form]

    cell = _cell(place, form)

    assert (cell["reported"]["text"], cell["verdict"]) == (text, verdict), cell["why"]
    exhibit = place.paper.exhibits["forms"]
    assert isinstance(exhibit, Table)
    (number,) = exhibit.rows[0].cells.values()
    assert exhibit.model_dump(mode="json")["rows"][0]["cells"] == {"A": text}
    assert (number.kind == "number") == (text not in ("–", "OOM", "yes"))
    shown = place.repro("show", "forms")
    assert text in shown.out
    assert shown.code == 0


def test_what_a_cell_says_is_in_its_json(place: Workplace) -> None:
    def reported(form: str) -> dict[str, Any]:
        fields: dict[str, Any] = _cell(place, form)["reported"]
        return fields

    today = ["text", "mean", "error", "spread", "n", "half_unit", "unit"]
    assert list(reported("a mean and a std")) == today
    assert reported("a bound that holds")["relation"] == "<"
    assert reported("an interval of anything")["interval"] == [49.7, 50.3]
    assert reported("asymmetric errors")["errors"] == [0.2, 0.3]
    assert reported("n in the cell")["n"] == 7
    assert reported("a deterministic count")["of"] == 178
    assert reported("stars")["stars"] == "**"
    word = reported("a word")
    assert (word["kind"], word["mean"], word["text"]) == ("word", None, "OOM")


def test_a_number_that_varies_is_judged_by_its_runs_whatever_is_declared(place: Workplace) -> None:
    declared, undeclared = _cell(place, "a false declaration"), _cell(place, "a mean and a std")
    assert declared["reproduced"]["n"] > 1
    (name,) = declared.pop("mixed")
    assert name == "accuracy, which is declared deterministic"
    assert {**declared, "mixed": {}} == undeclared


def test_the_reason_is_said_where_there_is_nothing_to_judge(place: Workplace) -> None:
    for form, why in {
        "a word": "The paper prints 'OOM' for this cell, so there is nothing to judge.",
        "an interval of anything": "declare its 'spread'",
        "an error that may be a share": "its error may be in percent of it (declare its 'unit'",
        "a declared IQR": "an interquartile range is no mean with a standard deviation",
    }.items():
        assert why in _cell(place, form)["why"]


def test_a_spread_in_words_counts_as_the_same_behind_a_sign(place: Workplace) -> None:
    for words, sign in {
        "a named deviation": "their ±",
        "a named standard error": "their ± as errors",
    }.items():
        named, same = _cell(place, words), _cell(place, sign)
        assert named["interval"] == same["interval"]
        assert {**named["reported"], "text": ""} == {**same["reported"], "text": ""}


def test_several_measures_stand_in_one_table_with_bold_and_underline(tmp_path: Path) -> None:
    place = new_workplace(tmp_path)
    spec = HEAD.format(reporting=MARGIN) + (
        '\n[[columns]]\nname = "Count"\nlabel = "Count"\n'
        'reporting = { unit = "images" }\n' + COUNT + ROW.format(text="50.00 ± 0.30")
    )
    spec = spec.replace("± 0.30' }", "± 0.30', Count = '10' }\nbold = ['A']\nunderline = ['Count']")
    place.add("tables/forms.toml", spec)
    assert place.repro("make", "forms", "--executor", "inline").code == 0

    cells = place.repro("diff", "forms", "--json").json["cells"]

    assert [(cell["reproduced"]["mean"] == 10, cell["verdict"]) for cell in cells] == [
        (False, "reproduced"),
        (True, "reproduced"),
    ]
    (source,) = place.root.rglob("forms.tex")
    assert r"\textbf{50.00 $\pm$ 0.30}" in source.read_text(encoding="utf-8")
    assert r"\underline{10}" in source.read_text(encoding="utf-8")
    (shown,) = place.root.rglob("forms.md")
    assert "| **50.00 ± 0.30** | <u>10</u> |" in shown.read_text(encoding="utf-8")


SHAPES = {
    # shape: how it is read, which value, text, verdict, LaTeX, HTML
    "median and IQR": ('unit = "percent accuracy"\nspread = "iqr"', "", "50.0 [49.7, 50.3]",
        "not comparable", "50.0 [49.7, 50.3]", ""),
    "standard error in parentheses": ('unit = "percent accuracy"\nspread = "sem"\nn = 5', "",
        "50.0 (0.1)", "reproduced", "50.0 (0.1)", ""),
    "p-value with stars": ('margin = 0.01', FRACTION, "0.500**", "reproduced", "0.500**", ""),
    "p-value that is a bound": ("", FRACTION, "< 0.51*", "reproduced", "$<$ 0.51*", "&lt; 0.51*"),
    "ratio": ("margin = 0.01", FRACTION, "0.50×", "reproduced", r"0.50$\times$", ""),
    "n in the cell": (MARGIN, "", "50.00 ± 0.30 (n = 7)", "reproduced",
        r"50.00 $\pm$ 0.30 (n = 7)", ""),
    "text": (MARGIN, "", "OOM", "not comparable", "OOM", ""),
    "scientific notation": ("margin = 0.01", FRACTION, r"$5.00 \times 10^{-1}$", "reproduced",
        r"5.00 $\times$10\textsuperscript{$-$1}", "5.00 ×10<sup>-1</sup>"),
    "deterministic": ("", COUNT, "10/178", "reproduced", "10/178", ""),
    "another metric": ('unit = "images"\nmargin = 1', COUNT, "12", "deviates", "12", ""),
}  # fmt: skip
"""The ways to print results that other fields have, which one table may hold together."""


def test_every_shape_goes_from_one_table_to_its_verdict_and_to_every_render(
    tmp_path: Path,
) -> None:
    place = new_workplace(tmp_path)
    rows = [
        f"\n[[rows]]\nname = '{name}'\nlabel = '{name}'\nbind = {{ method = 'faithful' }}\n"
        f"cells = {{ A = '{text}' }}\n{measure}[rows.reporting]\n{reporting}\n"
        for name, (reporting, measure, text, *_) in SHAPES.items()
    ]
    place.add("tables/forms.toml", HEAD.format(reporting="") + "".join(rows))
    assert place.repro("make", "forms", "--executor", "inline").code == 0
    assert place.repro("report", "--out", str(tmp_path / "site")).code == 0

    cells = {cell["row"]: cell for cell in place.repro("diff", "forms", "--json").json["cells"]}

    found = {name: (each["reported"]["text"], each["verdict"]) for name, each in cells.items()}
    assert found == {name: (text, verdict) for name, (_, _, text, verdict, *_) in SHAPES.items()}
    build = {path.suffix: path for path in (tmp_path / "build").rglob("forms.*")}
    source, plotted = (build[suffix].read_text(encoding="utf-8") for suffix in (".tex", ".csv"))
    page = (tmp_path / "site" / "exhibits" / "forms.html").read_text(encoding="utf-8")
    for name, (_, _, text, _, tex, html) in SHAPES.items():
        assert tex in source, name
        assert f'<span class="reported">{html or text}</span>' in page, name
        number = cells[name]["reported"]["mean"]
        assert number is None or f"{number:g}" in plotted, name


def test_markup_and_what_can_be_read_in_two_ways_are_refused(tmp_path: Path) -> None:
    place = new_workplace(tmp_path)
    for text, says in {
        "**50.0**": "name its column in 'bold'",
        "12,57": "it has the signs of a number, but not its form",
        " 50.0": "begins or ends with a space",
    }.items():
        (place.specs / "tables/forms.toml").write_text(
            HEAD.format(reporting=MARGIN) + ROW.format(text=text), encoding="utf-8"
        )
        told = place.repro("show", "forms")
        assert told.code == 2
        assert says in told.err
        assert "rows.0.cells.A" in told.err
