"""The audit of the real paper finds what readers found by hand; of the invented one, nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.judge.audit.audit import audit
from harness.judge.audit.finding import Finding
from harness.judge.audit.parameters import RELATIONS
from harness.judge.audit.quantities import rivals
from harness.spec.kinds import Fit
from harness.spec.paper import Paper, load_paper
from harness.spec.toml import SpecError
from tests.judge.audit.papers import SPECS, TOY

SUPPLEMENT = SPECS.parents[1] / "shared" / "knowledge" / "supplement.md"


@pytest.fixture(scope="module")
def real() -> Paper:
    return load_paper(SPECS)


@pytest.fixture(scope="module")
def findings(real: Paper) -> dict[str, Finding]:
    return {finding.id: finding for finding in audit(real)}


def test_the_consistent_paper_has_no_findings() -> None:
    assert audit(load_paper(TOY)) == ()


@pytest.mark.parametrize(
    ("name", "severity", "words"),
    [
        ("same-quantity/table6:CA2D:HL/IPC 50", "notable", ["41.56", "41.72 ± 0.40"]),
        ("same-quantity/datm-synthesis-n", "severe", ["80 (Table 2", "20 (Section 7.1"]),
        ("same-quantity/tm-loss-resnet18", "notable", ["0.805", "0.806"]),
        ("parameter-domain/scaling:delta", "severe", ["2.8947", "5.2632", "1.9474"]),
        ("sign-convention/scaling:b", "severe", ["0.05"]),
        ("parameter-count/table4:stated:mlp-parameters", "notable", ["411"]),
        ("parameter-count/table4:stated:resnet152-parameters", "minor", ["60"]),
        ("caption/table4:network", "notable", ["convnet-d3", "convnet-d4"]),
        ("official-recipe/large-scale-hl:rded", "notable", ["50 (ipc 10), 128", "200 (ipc 100)"]),
        ("official-recipe/large-scale-hl:deepcore", "minor", ["learning_rate 0.5"]),
        ("official-recipe/large-scale-sl-kd:edc", "notable", ["loss kl", "128", "warmup_epochs 5"]),
        ("official-recipe/small-scale-hl:dc-bench", "notable", ["epochs 300"]),
        ("missing-error-bars/table4", "minor", ["24 of 24", "20 of 20"]),
        ("unexplained-error-bars/table10", "minor", ["12 numbers"]),
        ("bound-exceeded/table10:EL2N-Best", "notable", ["1.77 above 38.44", "1.39 above 64.07"]),
        ("order-break/table9:CAD-Prune:IPC 100/RN101", "minor", ["52.00", "49.94"]),
        ("stated-derivation/figure2:stated:points", "minor", ["158"]),
        ("named-row/table4:DATM", "notable", ["TM and DATM"]),
        ("unplotted-term/figure4:DC loss", "notable", ["DC loss suddenly"]),
        ("setting-gap/large-scale-hl.batch_size", "notable", ["50 (ipc 10)", "200 (ipc 100)"]),
        ("significance/dcs-sre2l-ood-misaligned", "notable", ["-0.12", "significant misalignment"]),
        ("significance/dcs-sre2l-no-correlation", "minor", ["-0.12", "no correlation"]),
        ("relation/lemma1:result statement", "minor", [r"\approx", "= "]),
        ("symbol/T", "minor", ["temperature", "iterations"]),
        ("spelling/kcenters", "minor", ["K-Centers", "K-centers"]),
        ("unnamed/table10", "minor", ["Table 10", "Table 7"]),
        ("bare-estimate/scaling", "minor", ["-0.1859", "5.2632"]),
        ("bare-correlation/figure3:stated:rho-dm", "minor", ["0.41"]),
    ],
)
def test_known_contradictions(
    findings: dict[str, Finding], name: str, severity: str, words: list[str]
) -> None:
    assert name in findings
    assert findings[name].severity == severity
    for word in words:
        assert word in findings[name].printed


def test_what_was_expected_instead(findings: dict[str, Finding]) -> None:
    # Three values outside their domain, the grid that they are nodes of and the sentences that
    # they contradict have one cause.
    delta = findings["parameter-domain/scaling:delta"]
    assert "0.7871, 0.8766 and 0.7005" in delta.expected
    assert "grid of 20 values from 1 to 10 for tau" in delta.explanation
    assert "claim:scaling-el2n-saturates-slower" in delta.addresses
    assert delta.confidence == "certain"
    bound = findings["bound-exceeded/table10:EL2N-Best"]
    assert bound.confidence == "certain"
    gap = findings["setting-gap/large-scale-hl.batch_size"]
    assert gap.expected == "a value for ipc 200 and ipc 500 as well"
    count = findings["parameter-count/table4:stated:mlp-parameters"]
    assert "422,756" in count.expected
    assert "cifar10" in count.explanation
    edc = findings["official-recipe/large-scale-sl-kd:edc"]
    assert "epochs 300; loss mse" in edc.expected
    assert findings["official-recipe/small-scale-hl:dc-bench"].expected == "epochs 1000"


def test_the_sentence_on_table7_against_its_numbers(findings: dict[str, Finding]) -> None:
    """Table 7's caption says on par or better; at IPC 10 DUAL is 3 points above CAD-Prune."""
    told = [f for f in findings.values() if f.rule == "claim" and "Table 7, caption" in f.printed]
    assert any({"table7:CAD-Prune:IPC 10", "table7:DUAL:IPC 10"} <= set(f.addresses) for f in told)


def test_nothing_more_is_severe(findings: dict[str, Finding]) -> None:
    """Every severe finding is one that was confirmed by hand above."""
    assert sum(finding.severity == "severe" for finding in findings.values()) == 3


def test_a_cell_has_the_other_number_that_is_printed_for_it_as_a_rival(real: Paper) -> None:
    cells = {at: [m.text for m in others] for at, others in rivals(real).items() if "IPC" in at}
    assert cells == {
        "table6:CA2D:HL/IPC 50": ["41.72 ± 0.40"],
        "table7:CA2D:IPC 50": ["41.56"],
    }


def test_every_finding_says_all_that_it_must(findings: dict[str, Finding]) -> None:
    for finding in findings.values():
        assert finding.addresses
        assert all((finding.printed, finding.expected, finding.explanation.endswith(".")))


def test_what_captions_are_said_to_say_is_in_them(real: Paper) -> None:
    for exhibit in real.exhibits.values():
        for variable, value in exhibit.caption_binds.items():
            kind = real.about.variables[variable]
            words = f"{variable.upper()} {value}"
            if kind == "recipe":
                words = real.recipe(str(value)).regime
            elif kind != "value":
                words = {"network": real.network, "dataset": real.dataset}[kind](str(value)).label
            assert words in exhibit.caption, (exhibit.id, variable)


def test_sentences_on_official_code_are_quoted(real: Paper) -> None:
    if not SUPPLEMENT.exists():
        pytest.skip("the supplement's text (../shared/knowledge/supplement.md) is not here")
    text = " ".join(SUPPLEMENT.read_text(encoding="utf-8").split())
    follows = [item for recipe in real.recipes.values() for item in recipe.follows]
    assert len(follows) >= 4
    assert all(item.quote in text for item in follows)


def test_declared_domains_are_those_that_the_relations_give(real: Paper) -> None:
    """The ends of a related parameter's domain are the limits of its relation."""
    for law in real.exhibits_of(Fit):
        for parameter in law.parameters.values():
            if parameter.relation:
                related = RELATIONS[parameter.relation.kind]
                assert law.parameters[parameter.relation.of].low == 0
                assert related(1e-2) == pytest.approx(parameter.low, abs=1e-6)
                assert related(1e9) == pytest.approx(parameter.high, abs=1e-6)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('setting = "large-scale-hl.epochs"', 'setting = "large-scale-hl.epoch"', "epochs"),
        ("caption_binds = { dataset", "caption_binds = { datasets", "dataset"),
    ],
)
def test_a_reference_to_nothing_is_a_located_error(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    for source in SPECS.rglob("*.toml"):
        copy = tmp_path / source.relative_to(SPECS)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text(encoding="utf-8")
        copy.write_text(text.replace(old, new) if source.stem == "table9" else text)
    with pytest.raises((SpecError, UserError)) as caught:
        load_paper(tmp_path)
    assert "table9.toml:" in str(caught.value)
    assert message in str(caught.value)
