"""Every sentence of the paper with a number or a comparison has its claims, or a reason."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from pydantic import ValidationError

from harness.spec.claims import ClaimsFile, ParameterCount
from harness.spec.parts import Network
from harness.spec.statements import CoverageFile, CoveredSentence, split, tells
from harness.spec.toml import read_spec
from tests.spec.sentences import covers, find_gaps, sentences

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
SUPPLEMENT = ROOT.parent / "shared" / "knowledge" / "supplement.md"
COVERAGE = read_spec(SPECS / "coverage.toml", CoverageFile).sentences
CLAIMS = {claim.id: claim for claim in read_spec(SPECS / "claims.toml", ClaimsFile).claims}

TEXT = """
1. Results

1.1. Small sets

We compare two methods, see Tab. 1. A beats
B by 3.5 points (cf. Fig. 2, et al. Something) and contin-

Table 1. **Accuracy of A and B.** A is better.

Method	IPC 10
A	10.5
Group
B	7.0

¹A note with the number 7.

ues to gain. The law is

$$y = 3 x \\quad (1)$$

where x is small. Is it so? “Yes.” Done.

References

- [1] A reference of 2024, which is better.
"""


@pytest.fixture(scope="module")
def supplement() -> str:
    if not SUPPLEMENT.exists():
        pytest.skip("the supplement's text (../shared/knowledge/supplement.md) is not here")
    return SUPPLEMENT.read_text(encoding="utf-8")


def test_sentences_of_a_page() -> None:
    """Joined over a line, a table, a caption and a footnote; these by themselves or left out."""
    assert [(s.where, s.text) for s in sentences(TEXT)] == [
        ("Section 1.1", "We compare two methods, see Tab. 1."),
        (
            "Section 1.1",
            "A beats B by 3.5 points (cf. Fig. 2, et al. Something) and continues to gain.",
        ),
        ("Section 1.1", "The law is"),
        ("Table 1, caption", "**Accuracy of A and B.**"),
        ("Table 1, caption", "A is better."),
        ("Footnote 1", "A note with the number 7."),
        ("Section 1.1", "where x is small."),
        ("Section 1.1", "Is it so?"),
        ("Section 1.1", "“Yes.”"),
        ("Section 1.1", "Done."),
    ]


def test_a_sentence_knows_the_line_of_its_paragraph() -> None:
    starts = ("We compare", "Table 1.", "¹A note", "where x")
    lines = TEXT.splitlines()
    expected = {n for n, line in enumerate(lines, start=1) if line.startswith(starts)}
    assert len(expected) == 4
    assert {sentence.line for sentence in sentences(TEXT)} == expected


def test_splitting_loses_no_letter() -> None:
    paragraph = "One (e.g. this). Two? *Three.* Four holds for K-Centers, etc. Five ends open"
    assert " ".join(split(paragraph)) == paragraph
    assert len(list(split(paragraph))) == 5


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("It gains 3 points.", True),
        ("We set $N=20$ here.", True),
        ("The value is -0.12 there.", True),
        ("It takes 10k steps.", True),
        ("We show five images.", True),
        ("A outperforms B.", True),
        ("The gap closes.", True),
        ("It is on-par with B.", True),
        ("Performance saturates.", True),
        ("Both are identical.", True),
        ("It is 2× slower.", True),
        ("ResNet-18 is trained on CIFAR-100 and ImageNet-1K by D4M and EL2N.", False),
        ("As others do [1, 26], see Tab. 3, Fig. 4(a) and Sec. 1.2.", False),
        ("(1) First, select; (2) then train.", False),
        (r"Here $\sigma_l^2(x)$ is a variance.", False),
        ("Images of the class Bakery.", False),
    ],
)
def test_what_tells(sentence: str, expected: bool) -> None:
    assert tells(sentence) == expected


def entry(starts: str, where: str = "Section 1.1", **fields: object) -> CoveredSentence:
    fields = fields or {"reason": "a reason"}
    return CoveredSentence.model_validate({"where": where, "starts": starts, **fields})


def complete() -> list[CoveredSentence]:
    return [
        entry("We compare two"),
        entry("A beats B by", claims=["a-beats-b"]),
        entry("A is better.", "Table 1, caption", claims=["a-beats-b"]),
        entry("A note with", "Footnote 1"),
    ]


def test_a_complete_file_leaves_no_gap() -> None:
    assert not any(find_gaps(TEXT, complete(), ["a-beats-b"]))


@pytest.mark.parametrize("missing", range(4))
def test_a_sentence_without_an_entry_is_unmapped(missing: int) -> None:
    entries = complete()
    left_out = entries.pop(missing)
    unmapped = find_gaps(TEXT, entries, ["a-beats-b"]).unmapped
    assert [covers(left_out, sentence) for sentence in unmapped] == [True]


def test_entries_must_point_at_one_sentence() -> None:
    gone = entry("We compared three")
    elsewhere = entry("We compare two", "Section 1.2")
    assert find_gaps(TEXT, [*complete(), gone, elsewhere], ["a-beats-b"]).stale == (gone, elsewhere)
    assert find_gaps(TEXT + "\n\nA is better.", complete(), ["a-beats-b"]).stale == ()
    doubled = TEXT.replace("A is better.", "A is better. A is better.")
    assert find_gaps(doubled, complete(), ["a-beats-b"]).stale == (complete()[2],)


def test_a_sentence_has_one_entry() -> None:
    gaps = find_gaps(TEXT, [*complete(), entry("We compare two methods")], ["a-beats-b"])
    assert [sentence.text for sentence in gaps.unmapped] == ["We compare two methods, see Tab. 1."]


def test_claims_are_named_and_used() -> None:
    gaps = find_gaps(TEXT, complete(), ["a-beats-c"])
    assert (gaps.unknown, gaps.unused) == (("a-beats-b",), ("a-beats-c",))


def test_an_entry_has_claims_or_a_reason() -> None:
    with pytest.raises(ValidationError, match="either 'claims'"):
        entry("We compare two", claims=["a"], reason="b")


def test_an_entry_with_neither_is_open_and_covers_nothing() -> None:
    entries = [entry("We compare two", reason=" "), *complete()[1:]]
    assert [e.open for e in entries] == [True, False, False, False]
    (unmapped,) = find_gaps(TEXT, entries, ["a-beats-b"]).unmapped
    assert unmapped.text.startswith("We compare two")


def test_the_whole_supplement_is_covered(supplement: str) -> None:
    gaps = find_gaps(supplement, COVERAGE, CLAIMS)
    assert [f"line {s.line}, {s.where}: {s.text}" for s in gaps.unmapped] == []
    assert [f"{e.where}: {e.starts}" for e in gaps.stale] == []
    assert (gaps.unknown, gaps.unused) == ((), ())


def test_the_supplement_is_read_to_its_end(supplement: str) -> None:
    found = sentences(supplement)
    places = {sentence.where for sentence in found}
    assert {f"Section 8.{n}" for n in range(1, 6)} | {"Section 9"} <= places
    assert {f"Figure {n}, caption" for n in range(1, 11)} <= places
    assert {f"Table {n}, caption" for n in range(1, 12)} <= places
    assert {f"Footnote {n}" for n in range(1, 4)} <= places


def test_nothing_of_the_running_text_is_lost(supplement: str) -> None:
    """Letter by letter, but for tables, equations, headings and the names of floats."""
    body = supplement.partition("\nReferences\n")[0]
    blocks = [block for block in re.split(r"\n\s*\n", body) if block.strip()]
    heading = re.compile(r"\d+(\.\d+)*\. [A-Z][^\n]*[^.\n]$")
    running = [
        re.sub(r"^(Table|Figure) \d+\.", "", block.strip())
        for block in blocks
        if "\t" not in block and not block.startswith("$$") and not heading.match(block.strip())
    ]
    assert len(running) < len(blocks) - 20
    assert letters(running) == letters(sentence.text for sentence in sentences(supplement))


def letters(texts: Iterable[str]) -> Counter[str]:
    return Counter(letter for text in texts for letter in text if letter.isalpha())


def test_a_claim_is_quoted_from_a_sentence_that_maps_to_it(supplement: str) -> None:
    found = sentences(supplement)
    for claim in CLAIMS.values():
        mapped = [e for e in COVERAGE if claim.id in e.claims and e.where == claim.where]
        quoted = [s for e in mapped for s in found if covers(e, s) and claim.text in s.text]
        assert quoted, f"{claim.id}: '{claim.text}' ({claim.where})"


def test_every_claim_that_does_not_hold_says_why() -> None:
    text = (SPECS / "claims.toml").read_text(encoding="utf-8")
    blocks = [block for block in text.split("\n\n") if "[[claims]]" in block]
    assert len(blocks) == len(CLAIMS)
    for block, claim in zip(blocks, CLAIMS.values(), strict=True):
        assert f'id = "{claim.id}"' in block
        assert claim.expect == "holds" or block.startswith("# "), claim.id


def test_parameter_counts_are_those_of_the_networks() -> None:
    known = {
        count
        for path in sorted((SPECS / "models").glob("*.toml"))
        for count in read_spec(path, Network).parameters.values()
    }
    counts = [claim.count for claim in CLAIMS.values() if isinstance(claim, ParameterCount)]
    assert len(counts) == 6
    assert set(counts) <= known
