"""Each rule on an invented paper: it finds its planted fault, and is silent without it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.judge.audit.audit import audit
from harness.judge.audit.significance import interval
from harness.spec.claims import ClaimsFile
from harness.spec.kinds import Figure, Lemma
from harness.spec.paper import Paper
from tests.judge.audit.papers import dataset, fit, grid, paper, recipe, stated, table


def rows(*lines: str) -> dict[str, str]:
    return dict(zip(("A", "B", "C", "D", "E", "F"), lines, strict=False))


def numbers(*lines: str, columns: str = "x y z", **fields: Any) -> Paper:
    return paper(grid("one", columns.split(), rows(*lines), **fields))


def averaged(last: str) -> Paper:
    lines = ("10.0 20.0 15.0", "11.5 30.1 20.8", "40.0 22.2 31.1", f"17.3 19.9 {last}")
    return numbers(*lines, columns="p q Avg.")


def summed(last: str) -> Paper:
    """A row that is the sum of those above, which nothing but its numbers says."""
    lines = {"A": "12 55 31 8", "B": "20 14 9 27", "C": "7 3 61 40", "All": f"39 72 101 {last}"}
    return paper(grid("one", ["w", "x", "y", "z"], lines))


def gained(last: str) -> Paper:
    lines = (
        "52.1 50.0 2.1",
        "61.7 57.3 4.4",
        "48.8 49.9 -1.1",
        "70.3 61.1 9.2",
        f"33.0 31.5 {last}",
    )
    return numbers(*lines, columns="ours theirs gain")


def harmonic(last: str) -> Paper:
    lines = ("0.80 0.60 0.686", "0.91 0.45 0.602", "0.55 0.70 0.616", f"0.72 0.88 {last}")
    return numbers(*lines, columns="P R F1")


def shared(last: str) -> Paper:
    lines = ("50.1 20.0 61.3", "29.9 45.5 30.0", f"20.0 34.5 {last}")
    return numbers(*lines, columns="x y z")


def extreme(mean: str) -> Paper:
    return numbers(f"3.1 {mean} 7.7", "2.2 3.3 4.4", columns="min mean max")


def percentage(value: str) -> Paper:
    reporting = {"spread": "std", "n": 3, "unit": "percent top-1"}
    return numbers(f"51.0±0.4 {value} 55.5±0.3", reporting=reporting)


def slipped(value: str) -> Paper:
    lines = ("61.2 71.3", f"{value} 73.5", "60.9 72.2", "66.6 70.7", "65.0 77.1")
    return numbers(*lines, columns="x y")


def ordered(last: str) -> Paper:
    """Five rows of two sizes at two places; C alone is smaller where it should be larger."""
    lines = (
        "32.0 45.2 31.0 47.0",
        "40.1 51.2 41.2 52.1",
        f"40.4 52.0 41.3 {last}",
        "37.6 47.7 36.6 49.1",
        "38.2 50.4 42.2 52.5",
    )
    columns = [
        {"name": f"{at} {size}", "label": size, "group": at, "bind": {"size": size, "at": at}}
        for at in ("near", "far")
        for size in ("small", "large")
    ]
    return paper(grid("one", [str(c["name"]) for c in columns], rows(*lines), columns=columns))


def bold(mark: str) -> Paper:
    first = {"a": "**30.0** 20.0", "b": "25.0 **24.0**"}
    last = {"A": ("**41.0**", "40.0"), "B": ("41.0", "**40.0**")}[mark]
    cells = {"A": f"{first['a']} {last[0]}", "B": f"{first['b']} {last[1]}"}
    return paper(grid("one", ["x", "y", "z"], cells))


def copied(last: str) -> Paper:
    return numbers("51.12 48.31 60.07", "55.00 47.20 59.96", last)


def counted(value: str) -> Paper:
    """25 test items and one run leave multiples of 4 percent."""
    reporting = {"spread": "std", "n": 1, "unit": "percent top-1", "items": 25}
    return numbers(f"52.0 48.0 {value}", reporting=reporting)


def spread(value: str) -> Paper:
    """Two runs over 10 items: a mean of 50 leaves deviations of 0, 14.1, 28.3 or 0, 10, 20."""
    reporting = {"spread": "std", "n": 2, "unit": "percent top-1", "items": 10}
    return numbers(f"50.0±14.1 45.0±7.1 {value}", reporting=reporting)


def derived(kind: str, text: str, left: list[str], right: list[str] | None = None) -> Paper:
    value = stated(
        text, derived={"kind": kind, "left": left, **({"right": right} if right else {})}
    )
    lines = {"A": "50.0 60.0 80.0", "B": "40.0 55.5 79.0"}
    return paper(grid("one", ["x", "y", "z"], lines, stated={"v": value}))


def multiple(text: str) -> Paper:
    values = {
        "parts": stated("7", "parts"),
        "all": stated(text, "all", derived={"kind": "multiple", "left": ["one:stated:parts"]}),
    }
    return paper(table("one", {}, stated=values))


def bounded(other: str) -> Paper:
    cells = {"A": "50.0±0.1 60.0±0.1", "Best": f"52.0±0.2 {other}"}
    said = {"kind": "bound", "where": "Section 1", "quote": "the best obtainable",
            "exhibits": ["one"], "row": "Best", "over": ["A"]}  # fmt: skip
    return paper(grid("one", ["x", "y"], cells), statements=[said])


def named(row: str) -> Paper:
    said = {"kind": "names", "where": "Section 1", "quote": f"{row} is fine (Tab. 1)",
            "exhibits": ["one"], "rows": [row]}  # fmt: skip
    return paper(grid("one", ["x"], {"A": "1.0", "B": "2.0"}), statements=[said])


def figure(caption: str) -> Figure:
    panels = [{"name": name, "shows": "the loss", "x": "epoch", "y": "loss"} for name in ("a", "b")]
    fields = {"kind": "figure", "label": "Figure 1", "title": "f", "section": "1"}
    return Figure.model_validate({"id": "figure1", **fields, "caption": caption, "panels": panels})


def plotted(term: str) -> Paper:
    said = {"kind": "plots", "where": "Figure 1, caption", "quote": f"the {term} falls",
            "exhibit": "figure1", "terms": [term]}  # fmt: skip
    return paper(figure("c"), statements=[said])


def cited(panel: str) -> Paper:
    return paper(figure(f"As Fig. 1({panel}) shows, and Fig. 3(z) of the main paper."))


def symbol(second: str) -> Paper:
    said = [
        {"kind": "symbol", "symbol": "T", "meaning": meaning, "where": where, "quote": "q"}
        for where, meaning in (("Section 1", "the temperature"), ("Section 2", second))
    ]
    return paper(statements=said)


def lemma(sign: str) -> Paper:
    fields = {"kind": "lemma", "label": "Lemma 1", "title": "l", "section": "1", "caption": "c"}
    formulas = {
        "assumption": "none",
        "statement": r"It holds that $S(x) \approx \frac{c}{T} \|p(x) - q(x)\|$.",
        "steps": {"last": rf"S(x) {sign} \frac{{c}}{{T}} \|p - q\|"},
    }
    return paper(Lemma.model_validate({"id": "lemma1", **fields, **formulas}))


def batches(*told: int) -> Paper:
    """A batch size for the sizes told, of a table that has the sizes 1 and 2."""
    plain = recipe("plain", {"batch": [(8 * size, {"size": [size]}) for size in told]})
    return paper(table("one", {"A": {"cells": {"Small": "1.0", "Large": "2.0"}}}), recipes=[plain])


def twice(n: int) -> Paper:
    cells = {"A": {"cells": {"Small": "1.0 ± 0.1"}}}
    other = table("two", cells, reporting={"spread": "std", "n": n})
    return paper(table("one", cells), other)


def placed(caption: str) -> Paper:
    bind = {"recipe": "plain", "dataset": "mice"}
    one = table("one", {"A": {"cells": {"Small": "1.0"}}}, bind=bind, caption=caption)
    about = paper().about
    variables = {**about.variables, "dataset": "dataset"}
    source = paper(one, datasets=[dataset("mice")])
    return source.model_copy(update={"about": about.model_copy(update={"variables": variables})})


def spelt(name: str) -> Paper:
    return paper(table("one", {"Deep-Net": {"cells": {"Small": "1.0"}}}, caption=f"{name} wins."))


def correlated(text: str, rho: str, points: int | None) -> Paper:
    about = {"id": "c", "kind": "correlation", "where": "Section 1", "value": "one:stated:rho"}
    told = {} if points is None else {"points": points}
    claims = ClaimsFile.model_validate(
        {"claims": [{**about, **told, "text": text, "low": -0.9, "high": 0.9}]}
    ).claims
    return paper(table("one", {}, stated={"rho": stated(rho)}), claims=claims)


def equal(text: str) -> Paper:
    about = {"id": "c", "kind": "equal", "where": "Section 1", "text": "as in Table 1"}
    sides = {"left": ["one:A:Small"], "right": ["two:stated:v"]}
    claims = ClaimsFile.model_validate({"claims": [{**about, **sides}]}).claims
    one = table("one", {"A": {"cells": {"Small": "12.3"}}})
    return paper(one, table("two", {}, stated={"v": stated(text)}), claims=claims)


def fitted(text: str) -> Paper:
    return paper(fit({"rate": {}}, {"v": ("rate", text)}))


Case = tuple[str, Callable[..., Paper], tuple[Any, ...], tuple[Any, ...]]
CASES: list[Case] = [
    ("aggregate", averaged, ("16.8",), ("18.6",)),
    ("aggregate", summed, ("77",), ("75",)),
    ("aggregate", gained, ("5.1",), ("1.5",)),
    ("aggregate", harmonic, ("0.729",), ("0.792",)),
    ("shares", shared, ("9.8",), ("8.7",)),
    ("outside-extremes", extreme, ("7.9",), ("5.0",)),
    ("outside-range", percentage, ("154.0±0.2",), ("54.0±0.2",)),
    ("impossible-spread", percentage, ("99.9±6.1",), ("99.9±0.1",)),
    ("scale", slipped, ("6.34",), ("63.4",)),
    ("sign", slipped, ("-63.4",), ("63.4",)),
    ("order-break", ordered, ("40.0",), ("53.0",)),
    ("bold", bold, ("B",), ("A",)),
    ("repeated", copied, ("51.12 48.31 60.07",), ("51.13 48.31 60.07",)),
    ("digits", copied, ("51.1 48.32 60.08",), ("51.10 48.32 60.08",)),
    ("granularity", counted, ("53.0",), ("56.0",)),
    ("granularity", spread, ("50.0±9.0",), ("50.0±28.3",)),
    ("stated-derivation", derived, ("same", "51.0", ["one:A:x"]), ("same", "50", ["one:A:x"])),
    (
        "stated-derivation",
        derived,
        ("mean", "57.3", ["one:A:x", "one:A:y"]),
        ("mean", "55", ["one:A:x", "one:A:y"]),
    ),
    (
        "stated-derivation",
        derived,
        ("change", "20", ["one:A:x"], ["one:B:x"]),
        ("change", "25", ["one:A:x"], ["one:B:x"]),
    ),
    (
        "stated-derivation",
        derived,
        ("ratio", "1.52", ["one:A:x"], ["one:B:x"]),
        ("ratio", "1.25", ["one:A:x"], ["one:B:x"]),
    ),
    ("stated-derivation", multiple, ("158",), ("161",)),
    ("bound-exceeded", bounded, ("58.0±0.2",), ("61.0±0.2",)),
    ("named-row", named, ("C",), ("B",)),
    ("unplotted-term", plotted, ("accuracy",), ("loss",)),
    ("citation", cited, ("c",), ("b",)),
    ("symbol", symbol, ("the data",), ("the temperature",)),
    ("relation", lemma, ("=",), (r"\approx",)),
    ("setting-gap", batches, (1,), (1, 2)),
    ("runs-differ", twice, (5,), (3,)),
    ("unnamed", placed, ("Accuracy.",), ("Accuracy on MICE.",)),
    ("unnamed", placed, ("Results on MICE.",), ("Accuracy on MICE.",)),
    ("spelling", spelt, ("DeepNet",), ("Deep-Net",)),
    ("significance", correlated, ("a significant link", "-0.12", 158), ("a link", "-0.12", 158)),
    ("significance", correlated, ("significant", "-0.12", 158), ("significant", "-0.12", 500)),
    ("significance", correlated, ("no correlation", "0.40", 40), ("no correlation", "0.01", 500)),
    (
        "significance",
        correlated,
        ("zero or negative", "0.12", 40),
        ("zero or negative", "-0.12", 158),
    ),
    ("bare-correlation", correlated, ("modest", "0.4", None), ("modest", "0.4", 90)),
    ("bare-estimate", fitted, ("1.5",), ("1.5 ± 0.2",)),
    ("claim", equal, ("13.2",), ("12.3",)),
]


@pytest.mark.parametrize(("rule", "make", "wrong", "right"), CASES, ids=[c[0] for c in CASES])
def test_the_planted_fault_is_found_and_its_twin_is_not(
    rule: str, make: Callable[..., Paper], wrong: tuple[Any, ...], right: tuple[Any, ...]
) -> None:
    faulty = audit(make(*wrong))
    found = [finding for finding in faulty if finding.rule == rule]
    assert len(found) == 1, [finding.id for finding in faulty]
    assert not [finding.id for finding in audit(make(*right)) if finding.rule == rule]
    assert [f.id for f in faulty if f.severity == "severe" and f.rule != rule] == []


def test_a_finding_that_is_accepted_with_a_reason_is_let_stand() -> None:
    (finding,) = (f for f in audit(averaged("16.8")) if f.rule == "aggregate")
    accepted = averaged("16.8").model_copy(update={"accepted": {finding.id: "weighted"}})
    assert finding.id not in {f.id for f in audit(accepted)}


def test_the_interval_of_a_rank_correlation() -> None:
    """Worked by hand: atanh(-0.12) ± 1.96 sqrt((1 + 0.0072) / 155), back through tanh."""
    assert interval(-0.12, 158) == pytest.approx((-0.272, 0.038), abs=1e-3)
