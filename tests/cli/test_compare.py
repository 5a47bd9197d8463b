"""`repro compare`: two profiles, two stores, an export."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace, new_workplace


def test_a_store_equals_its_export(copied: Workplace) -> None:
    export = copied.root / "export"
    assert copied.repro("store", "export", str(export), "verdicts").code == 0
    before = copied.files()
    both = (str(copied.root / "store"), str(export))
    found = copied.repro("compare", *both, "verdicts", "--json").json["changes"]
    assert len(found) == 8
    assert {item["kind"] for item in found} == {"equal"}
    assert "8 equal" in copied.repro("compare", *both, "verdicts").out
    assert copied.files() == before
    assert {path.suffix for path in export.iterdir()} <= {".parquet", ".json", ".md"}


def test_another_truth_is_a_change_and_what_one_side_lacks_is_said(
    made: Workplace, tmp_path: Path
) -> None:
    other = new_workplace(tmp_path)
    other.edit("methods/faithful.toml", "value = 0.5\n", "value = 0.7\n")
    assert other.repro("make", "verdicts:Faithful:Small", *INLINE).code == 0
    # The same specs are asked of both stores, so what the other made is not what they name.
    found = made.repro("compare", str(made.root / "store"), str(other.root / "store"), "--json")
    kinds = {item["name"]: item["kind"] for item in found.json["changes"]}
    assert kinds["verdicts:Faithful:Small"] == "only in A"


def test_two_profiles_of_one_store(copied: Workplace) -> None:
    assert copied.repro("make", "verdicts", "--profile", "small", *INLINE).code == 0
    found = copied.repro("compare", "stated", "small", "verdicts", "--json").json["changes"]
    by_name = {item["name"]: item for item in found}
    # Large sets are the same under both, but for the number of seeds.
    large = by_name["verdicts:Faithful:Large"]
    assert large["a"][:2] == large["b"]
    assert by_name["verdicts:Faithful:Small"]["kind"] in ("not told apart", "equal")


def test_an_alternative_is_of_the_second_alone(copied: Workplace) -> None:
    varied = ("--vary", "assumed.truth=0.6")
    assert copied.repro("make", "averaged", *varied, *INLINE).code == 0
    asked = ("compare", "stated", "stated", "averaged", "--seeds", "2", *varied, "--json")
    found = {item["name"]: item for item in copied.repro(*asked).json["changes"]}
    assert {len(item[side]) for item in found.values() for side in "ab"} == {2}
    kinds = {name: item["kind"] == "equal" for name, item in found.items()}
    assert not any(same for name, same in kinds.items() if ":Assumed:" in name)
    assert all(same for name, same in kinds.items() if ":Assumed:" not in name)


def test_a_difference_over_fewer_seeds_than_are_shown_says_over_how_many(
    copied: Workplace,
) -> None:
    stated = 'value = 0.04\nsource = "paper"\nplace = "Section 1"'
    left_open = 'value = 0.04\nsource = "ours"\nwhy = "A guess."\nalternatives = [0.08]'
    copied.edit("methods/noisy.toml", stated, left_open)
    varied = ("--vary", "noisy.scatter=0.08")
    made = copied.repro("make", "verdicts:Noisy:Small", "--seeds", "3", *varied, *INLINE)
    assert made.code == 0
    asked = ("compare", "stated", "stated", "verdicts", *varied)
    changes = {item["name"]: item for item in copied.repro(*asked, "--json").json["changes"]}
    small = changes["verdicts:Noisy:Small"]
    assert (len(small["a"]), len(small["b"]), small["pairs"], small["paired"]) == (5, 3, 3, True)
    told = copied.repro(*asked).out
    assert told.count("(n=3)") == 2
    assert "An n beside B - A is how many seeds A and B share, which it is over" in told
    assert copied.repro("make", "verdicts:Noisy:Small", *varied, *INLINE).code == 0
    assert "An n beside" not in copied.repro(*asked).out


def test_what_is_neither_a_folder_nor_a_profile(made: Workplace) -> None:
    outcome = made.repro("compare", "statd", "small")
    assert outcome.code == 2
    assert "did you mean 'stated'" in outcome.err
