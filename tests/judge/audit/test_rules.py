"""Each rule on a minimal paper: with the fault it reports it, without it is silent."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.judge.audit.audit import audit
from harness.judge.audit.finding import Finding
from harness.judge.audit.parameters import grid_nodes
from harness.judge.audit.quantities import rivals
from harness.spec.claims import ClaimsFile
from harness.spec.paper import Paper
from tests.judge.audit.papers import dataset, fit, network, paper, recipe, stated, table


def found(source: Paper, rule: str) -> list[Finding]:
    return [finding for finding in audit(source) if finding.rule == rule]


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        ("10.00 ± 0.10", "10.00 ± 0.10", True),
        ("10.00 ± 0.10", "10.00", True),
        ("10.0", "10.04", True),
        ("10.0", "10.06", False),
        ("10.00 ± 0.10", "10.01 ± 0.10", False),
        ("10.00 ± 0.10", "10.00 ± 0.11", False),
        ("10.00 ± 0.1", "10.00 ± 0.11", True),
        ("80", "81", False),
        ("-5.0", "5.0", False),
    ],
)
def test_one_run_printed_twice(first: str, second: str, agree: bool) -> None:
    source = paper(
        table("one", {"A": {"cells": {"Small": first}}}),
        table("two", {"A": {"cells": {"Small": second}}}),
    )
    findings = found(source, "same-quantity")
    assert not findings if agree else len(findings) == 1
    if not agree:
        assert findings[0].addresses == ("one:A:Small", "two:A:Small")
        assert first in findings[0].printed
        assert second in findings[0].printed
        others = {address: [m.address for m in ms] for address, ms in rivals(source).items()}
        assert others == {"one:A:Small": ["two:A:Small"], "two:A:Small": ["one:A:Small"]}


def test_names_of_rows_and_columns_do_not_matter_but_every_variable_does() -> None:
    def pair(**bind: Any) -> Paper:
        other = table("two", {"B": {"cells": {"Small": "20.0"}, "bind": {"method": "a", **bind}}})
        return paper(table("one", {"A": {"cells": {"Small": "10.0"}}}), other)

    assert len(found(pair(), "same-quantity")) == 1
    assert not found(pair(network="n"), "same-quantity")
    assert not found(pair(recipe="other"), "same-quantity")
    average = {"over": "network", "values": ["n", "m"]}
    means = table("two", {"A": {"cells": {"Small": "20.0"}}}, average=average)
    single = table("one", {"A": {"cells": {"Small": "10.0"}}})
    assert not found(paper(single, means), "same-quantity")


def test_a_quantity_stated_twice_and_a_setting_stated_again() -> None:
    values = {"a": stated("80", "steps"), "b": stated("20", "steps"), "c": stated("20", "others")}
    findings = found(paper(table("one", {}, stated=values)), "same-quantity")
    assert [finding.subject for finding in findings] == ["steps"]
    assert findings[0].addresses == ("one:stated:a", "one:stated:b")

    for epochs, count in ((200, 0), (201, 1)):
        again = {"e": stated("200", "epochs", setting="plain.epochs")}
        source = paper(
            table("one", {}, stated=again), recipes=[recipe("plain", {"epochs": epochs})]
        )
        assert len(found(source, "same-quantity")) == count


def test_two_approximate_numbers_are_judged_more_mildly() -> None:
    near = {"a": stated("0.805", approximate=True), "b": stated("0.806", approximate=True)}
    assert found(paper(table("one", {}, stated=near)), "same-quantity")[0].severity == "notable"
    exact = {"a": stated("0.805", approximate=True), "b": stated("0.806")}
    assert found(paper(table("one", {}, stated=exact)), "same-quantity")[0].severity == "severe"


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("(+ 9.3)", True),
        ("(+9.26)", True),
        ("(+ 9.2)", False),
        ("(+ 9.4)", False),
        ("(− 9.3)", False),
    ],
)
def test_a_difference_beside_a_cell(text: str, right: bool) -> None:
    rows: dict[str, Any] = {
        "A": {"cells": {"Small": "30.95 ± 0.35"}},
        "B": {
            "cells": {"Small": "40.21 ± 0.15"},
            "derived": {"Small": {"text": text, "minus": "A"}},
        },
    }
    findings = found(paper(table("one", rows)), "printed-difference")
    assert len(findings) == (not right)
    if findings:
        assert findings[0].severity == "severe"
        assert "9.26" in findings[0].expected


@given(a=st.integers(0, 9999), b=st.integers(0, 9999), digits=st.integers(0, 2))
def test_a_difference_that_someone_rounded_right_is_never_reported(
    a: int, b: int, digits: int
) -> None:
    """The oracle rounds integers of hundredths, half away from zero."""
    unit = 10 ** (2 - digits)
    gap = a - b
    rounded = (abs(gap) + unit // 2) // unit * unit
    text = f"({'+' if gap >= 0 else '-'} {rounded / 100:.{digits}f})"
    rows: dict[str, Any] = {
        "A": {"cells": {"Small": f"{b / 100:.2f}"}},
        "B": {
            "cells": {"Small": f"{a / 100:.2f}"},
            "derived": {"Small": {"text": text, "minus": "A"}},
        },
    }
    assert not found(paper(table("one", rows)), "printed-difference")


def test_ranges_and_products_that_the_text_states() -> None:
    rows = {
        "A": {"cells": {"Small": "38.18", "Large": "46.32"}},
        "B": {"cells": {"Small": "25.04", "Large": "38.64"}},
    }
    sides = {
        "left": ("one:A:Small", "one:A:Large"),
        "right": ("one:B:Small", "one:B:Large"),
    }

    def ranged(low: str, high: str, product: str) -> Paper:
        values = {
            "low": stated(low, "low", derived={"kind": "difference", **sides}),
            "high": stated(
                high, "high", derived={"kind": "difference", "take": "largest", **sides}
            ),
            "all": stated(
                product,
                "all",
                derived={"kind": "product", "left": ("one:stated:few", "one:stated:times")},
            ),
            "few": stated("10", "few"),
            "times": stated("5", "times"),
        }
        return paper(table("one", rows, stated=values))

    assert not found(ranged("8", "13", "50"), "stated-derivation")
    for wrong, subject in (
        (("7", "13", "50"), "low"),
        (("8", "14", "50"), "high"),
        (("8", "13", "49"), "all"),
    ):
        findings = found(ranged(*wrong), "stated-derivation")
        assert [finding.subject for finding in findings] == [f"one:stated:{subject}"]


DECAY = {
    "rate": {
        "low": 0.0,
        "high": 1.0,
        "sign": "positive",
        "relation": {"kind": "half_life", "of": "life"},
    },
    "life": {
        "low": 0.0,
        "grids": [{"low": 1.0, "high": 10.0, "points": 20, "origin": "somewhere"}],
    },
    "slope": {"high": 0.0, "sign": "negative"},
}


@pytest.mark.parametrize(
    ("parameter", "text", "rule"),
    [
        ("rate", "0.787", None),
        ("rate", "1.0", None),  # 0.96 rounds to it
        ("rate", "1.1", "parameter-domain"),
        ("rate", "-0.5", "sign-convention"),
        ("slope", "-0.19", None),
        ("slope", "0.00", None),
        ("slope", "0.05", "sign-convention"),
    ],
)
def test_domain_and_sign(parameter: str, text: str, rule: str | None) -> None:
    source = paper(fit(DECAY, {"v": (parameter, text)}))
    kinds = ("parameter-domain", "sign-convention")
    findings = [f for f in audit(source) if f.rule in kinds]
    assert [f.rule for f in findings] == ([rule] if rule else [])
    assert all(f.severity == "severe" and f.addresses == ("law:stated:v",) for f in findings)


def test_nodes_of_another_parameters_grid() -> None:
    """1 + 9 * 4 / 19 and 1 + 9 * 9 / 19 are nodes; the half-lives give the rates."""
    source = paper(fit(DECAY, {"u": ("rate", "2.8947"), "v": ("rate", "5.2632")}))
    (finding,) = (f for f in grid_nodes(source) if f.rule == "grid-node")
    assert finding.addresses == ("law:stated:u", "law:stated:v")
    (whole,) = found(source, "parameter-domain")
    assert finding.explanation in whole.explanation, "one cause, one finding"
    assert f"{0.5 ** (1 / 2.8947):.4f} and {0.5 ** (1 / 5.2632):.4f}" in finding.expected
    # 20 of the 90,001 numbers of four decimals from 1 to 10 are nodes, and there are two values.
    assert f"{(20 / 90001) ** 2:.1g}" in finding.explanation
    assert finding.confidence == "certain"
    off = paper(fit(DECAY, {"u": ("rate", "2.8948"), "v": ("rate", "5.2631")}))
    assert not list(grid_nodes(off))
    coarse = paper(fit(DECAY, {"u": ("rate", "2.9")}))
    assert not list(grid_nodes(coarse)), "20 of 91 such numbers are nodes"


def test_nodes_of_the_own_grid_tell_how_fine_the_search_was() -> None:
    (finding,) = found(paper(fit(DECAY, {"v": ("life", "2.8947")})), "grid-resolution")
    assert finding.severity == "minor"
    assert "0.24" in finding.explanation
    assert not found(paper(fit(DECAY, {"v": ("life", "2.8940")})), "grid-resolution")
    inside = {**DECAY, "rate": {"low": 0.0}}
    assert not list(grid_nodes(paper(fit(inside, {"v": ("rate", "2.8947")}))))


@pytest.mark.parametrize(
    ("text", "severity"), [("423", None), ("411", "notable"), ("420", "minor"), ("410", "notable")]
)
def test_parameter_counts(text: str, severity: str | None) -> None:
    count = {"unit": 1000, "networks": {"hundred": "plain"}}
    source = paper(
        table("one", {}, stated={"n": stated(text, count=count)}),
        datasets=[dataset("hundred")],
        networks=[network("plain", "Net", {"hundred": 422_756, "ten": 411_146})],
    )
    findings = found(source, "parameter-count")
    assert [finding.severity for finding in findings] == ([severity] if severity else [])
    if findings:
        assert "422,756" in findings[0].expected
        assert ("Net on ten" in findings[0].explanation) == (text == "411")


def test_what_a_caption_says_of_all_cells() -> None:
    rows = {"A": {"cells": {"Small": "10.0"}}}
    for said, silent in (({"size": 1}, False), ({"recipe": "plain"}, True), ({}, True)):
        findings = found(paper(table("one", rows, caption_binds=said)), "caption")
        assert (not findings) == silent
    average = {"over": "network", "values": ["n", "m"]}
    means = table("one", rows, average=average, caption_binds={"network": "n"})
    (finding,) = found(paper(means), "caption")
    assert finding.addresses == ("one:caption:network",)
    assert finding.expected == "network m, n"


def test_a_recipe_and_the_code_that_it_follows() -> None:
    follows = {"recipe": "code", "where": "Section 1", "quote": "as in their code"}
    cases = [(50, {"paper.size": [1]}), (128, {"paper.size": [2]}), (9, {"paper.size": [3]})]
    ours = recipe("ours", {"epochs": 200, "loss": "a", "batch": cases}, follows=[follows])
    theirs = recipe(
        "code", {"epochs": 300, "loss": "a", "batch": [(100, {"size": [1]}), (128, {"size": [2]})]}
    )
    (finding,) = found(paper(recipes=[ours], official=[theirs]), "official-recipe")
    assert finding.addresses == ("recipe:ours:epochs", "recipe:ours:batch")
    assert finding.printed == "epochs 200; batch 50 (size 1), 9 (size 3)"
    assert finding.expected == "epochs 300; batch 100 (size 1), undefined (size 3)"
    assert finding.severity == "notable"

    only = {**follows, "settings": ["loss"]}
    narrowed = ours.model_validate({**dict(ours), "follows": [only]})
    assert not found(paper(recipes=[narrowed], official=[theirs]), "official-recipe")
    tuned = ours.model_validate({**dict(ours), "follows": [{**follows, "tuned": True}]})
    assert audit(paper(recipes=[tuned], official=[theirs]))[0].severity == "minor"


def test_a_fixed_setting_against_cases_of_the_code() -> None:
    follows = {"recipe": "code", "where": "Section 1", "quote": "as in their code"}
    ours = recipe("ours", {"batch": 128}, follows=[follows])
    theirs = recipe("code", {"batch": [(128, {"size": [1]}), (256, {"size": [2]})]})
    (finding,) = found(paper(recipes=[ours], official=[theirs]), "official-recipe")
    assert (finding.printed, finding.expected) == ("batch 128 (size 2)", "batch 256 (size 2)")


def test_our_own_choices_contradict_nobody() -> None:
    follows = {"recipe": "code", "where": "Section 1", "quote": "as in their code"}
    choice = {"value": 0.9, "source": "inferred", "why": "not stated"}
    ours = recipe("ours", {}, follows=[follows])
    ours = ours.model_validate({**dict(ours), "settings": {"momentum": choice}})
    source = paper(recipes=[ours], official=[recipe("code", {"momentum": 0.5})])
    assert not audit(source)


@pytest.mark.parametrize("expect", ["holds", "fails"])
def test_a_sentence_that_its_numbers_contradict(expect: str) -> None:
    rows = {"A": {"cells": {"Small": "10.0"}}, "B": {"cells": {"Small": "20.0"}}}

    def claim(name: str, better: str, worse: str) -> dict[str, Any]:
        names = {"exhibit": "one", "better": [better], "worse": [worse], "columns": ["Small"]}
        told = {"text": "the best", "where": "Section 1", "expect": expect}
        return {"id": name, "kind": "greater", **told, **names}

    claims = ClaimsFile.model_validate(
        {"claims": [claim("right", "B", "A"), claim("wrong", "A", "B")]}
    ).claims
    (finding,) = found(paper(table("one", rows), claims=claims), "claim")
    assert finding.id == "claim/right", "the sentence, by its first claim"
    assert finding.addresses == ("claim:wrong", "one:A:Small", "one:B:Small")
    assert finding.severity == "notable"
    assert not found(paper(table("one", rows), claims=claims[:1]), "claim")


def test_digits_and_error_bars_one_finding_for_a_table_and_fault() -> None:
    rows = {
        "A": {"cells": {"Small": "10.00 ± 0.10", "Large": "20.00 ± 0.10"}},
        "B": {"cells": {"Small": "10.0 ± 0.1", "Large": "21.00"}},
        "C": {"cells": {"Small": "11.00 ± 0.1", "Large": "22.00"}},
    }
    source = paper(table("one", rows))
    (digits,) = found(source, "digits")
    assert digits.addresses == ("one:B:Small", "one:C:Small")
    (bare,) = found(source, "missing-error-bars")
    assert bare.addresses == ("one:B:Large", "one:C:Large")
    assert not found(source, "unexplained-error-bars")
    unknown = paper(table("one", rows, reporting={"spread": "std", "n": "unknown"}))
    (unexplained,) = found(unknown, "unexplained-error-bars")
    assert "runs" in unexplained.expected
    assert "what ± is" not in unexplained.expected


def test_a_paper_without_any_error_bar_is_not_asked_for_them_table_by_table() -> None:
    bare = table("two", {"A": {"cells": {"Small": "10.0"}}})
    barred = table("one", {"B": {"cells": {"Small": "10.0 ± 0.1"}}})
    assert not audit(paper(bare))
    assert [f.subject for f in found(paper(bare, barred), "missing-error-bars")] == ["two"]


def test_findings_come_in_a_fixed_order_the_gravest_first_and_ids_differ() -> None:
    source = paper(
        table("one", {"A": {"cells": {"Small": "10.0 ± 0.1", "Large": "1.0"}}}),
        table("two", {"A": {"cells": {"Small": "20.0 ± 0.1"}}}, caption_binds={"size": 1}),
        fit(DECAY, {"u": ("rate", "2.8947")}),
    )
    findings = audit(source)
    grades = ["severe", "notable", "minor"]
    assert [f.severity for f in findings] == sorted(
        (f.severity for f in findings), key=grades.index
    )
    assert len({finding.id for finding in findings}) == len(findings)
    assert findings == audit(source)


def test_a_copy_of_a_paper_keeps_nothing_that_was_made_of_the_original() -> None:
    original = paper(table("one", {}))
    original.kept["rivals"] = "of the original"
    assert "rivals" not in original.model_copy(update={"exhibits": {}}).kept
