"""`repro make`: what runs, what does not run again, and alternatives."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from harness.run import inline
from harness.spec.exhibit import Table
from harness.spec.paper import load_paper
from harness.store.files import temporary
from harness.store.owner import Owner
from tests.cli.conftest import INLINE
from tests.toy.paper import Workplace


def test_what_is_made_is_not_made_again(copied: Workplace) -> None:
    starts = copied.starts()
    assert starts > 0
    for executor in ("inline", "local"):
        outcome = copied.repro("make", "verdicts", "averaged", "--executor", executor)
        assert outcome.code == 0
    assert copied.starts() == starts


def test_more_seeds_run_only_what_is_new(copied: Workplace) -> None:
    before = copied.starts()
    outcome = copied.repro("make", "averaged", "--seeds", "6", *INLINE, "--json")
    # Of the sixth seed: two rows at two sizes; both rows measure the same at size 40.
    assert copied.starts() - before == 3
    ours = outcome.json["exhibits"][0]["cells"][0]["reproduced"]
    assert (ours["n"], ours["seeds"]) == (6, [0, 1, 2, 3, 4, 5])


def test_a_record_that_is_lost_is_made_again_and_nothing_else(copied: Workplace) -> None:
    fields = copied.repro("show", "averaged", "--json").json
    terms = fields["cells"][0]["run"]["steps"]
    copied.store.set_aside(terms[2][1])

    (cell, other) = copied.repro("show", "averaged", "--json").json["cells"]
    # A mean over two sizes is no mean of one: that seed drops out, in both rows that share the run.
    assert cell["reproduced"]["seeds"] == other["reproduced"]["seeds"] == [0, 1, 3, 4]
    assert cell["missing"] == [{"seed": 2, "size": 40, "identity": terms[2][1]}]

    before = copied.starts()
    assert copied.repro("make", "averaged", *INLINE).code == 0
    assert copied.starts() - before == 1
    assert copied.repro("show", "averaged", "--json").json["cells"] == fields["cells"]


def test_an_alternative_runs_beside_the_default_and_says_what_flips(place: Workplace) -> None:
    vary = ("--vary", "assumed.truth=0.6")
    outcome = place.repro("make", "averaged", *vary, *INLINE)
    assert outcome.code == 0
    assert "Varied: assumed.truth = 0.6" in outcome.out
    assert "Verdict flips: averaged:Assumed:Mean: deviates -> reproduced" in outcome.out
    assert outcome.out.count("Verdict flips") == 1

    again = place.repro("make", "averaged", *vary, *INLINE, "--json").json["exhibits"][0]
    assert again["flips"] == ["averaged:Assumed:Mean: deviates -> reproduced"]
    assert again["varied"] == {"assumed.truth": 0.6}
    assert {cell["row"]: cell["verdict"] for cell in again["cells"]} == {
        "Faithful": "reproduced",
        "Assumed": "reproduced",
    }
    default = place.repro("show", "averaged", "--json").json["cells"]
    assert {cell["row"]: cell["verdict"] for cell in default} == {
        "Faithful": "reproduced",
        "Assumed": "deviates",
    }


def test_what_was_not_asked_for_flips_no_verdict(place: Workplace) -> None:
    """Another cell that the alternative touches too has a verdict under the default alone."""
    assert place.repro("make", "verdicts", *INLINE).code == 0
    varied = ("--vary", "noisy.keep=5")
    made = place.repro("make", "verdicts:Noisy:Small", *varied, *INLINE, "--json").json
    (fields,) = made["exhibits"]
    (large,) = (c for c in fields["cells"] if (c["row"], c["column"]) == ("Noisy", "Large"))
    assert large["verdict"] == "not run"
    assert not [flip for flip in fields["flips"] if "not run" in flip]


def test_an_alternative_without_effect_flips_nothing(copied: Workplace) -> None:
    outcome = copied.repro("make", "averaged", "--vary", "assumed.keep=5", *INLINE, "--json")
    assert outcome.json["exhibits"][0]["flips"] == []


def test_interrupted_it_keeps_what_is_done_and_goes_on_from_there(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = []
    execute = inline.execute_together

    def tired(*arguments: object, **named: object) -> object:
        if len(done) == 3:
            raise KeyboardInterrupt
        done.append(1)
        return execute(*arguments, **named)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(inline, "execute_together", tired)
        outcome = place.repro("make", "averaged", *INLINE)
    assert outcome.code == 130
    assert "interrupted; what is finished is kept, and the same command goes on" in outcome.err
    assert "Traceback" not in outcome.err
    kept = place.store.identities()
    assert len(kept) == 3

    assert place.repro("make", "averaged", *INLINE).code == 0
    started = [e["identity"] for e in place.store.events.read() if e["event"] == "start"]
    assert len(started) == len(set(started))
    assert kept < place.store.identities()


def test_what_a_dead_process_left_is_cleared_where_nothing_is_to_run(copied: Workplace) -> None:
    left = temporary(copied.root / "store")
    dead = left.with_name(replace(Owner.current(), pid=2**22 + 1).token + "~1")
    left.touch()
    dead.touch()
    assert copied.repro("make", "verdicts", *INLINE).code == 0
    assert left.exists()
    assert not dead.exists()


def test_renders_are_written_and_left_alone_if_nothing_changed(copied: Workplace) -> None:
    command = ("make", "averaged", *INLINE, "--json")
    files = copied.repro(*command).json["exhibits"][0]["files"]
    assert [name.rpartition(".")[2] for name in files] == ["tex", "md", "pdf", "png", "csv"]
    build = copied.root / "build" / "stated"
    before = {path.name: path.stat().st_mtime_ns for path in build.iterdir()}
    copied.repro(*command)
    assert {path.name: path.stat().st_mtime_ns for path in build.iterdir()} == before
    (build / "averaged.md").unlink()
    copied.repro(*command)
    assert "50.00 ± 0.30" in (build / "averaged.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("more", [("--seeds", "2"), ("--vary", "replicate=pipeline")])
def test_what_is_printed_has_no_runs_of_ours(place: Workplace, more: tuple[str, str]) -> None:
    """A choice that cannot act on the printed numbers is refused, not passed over."""
    refused = place.repro("make", "verdicts", "--source", "reported", *more)
    assert refused.code == 2
    assert f"--source reported does not go with {more[0]}" in refused.err


def test_the_papers_numbers_are_rendered_without_running_anything(place: Workplace) -> None:
    outcome = place.repro("make", "all", "--source", "reported", "--json")
    assert outcome.code == 0
    assert len(outcome.json["files"]) == 6
    text = (place.root / "build" / "reported" / "verdicts.tex").read_text(encoding="utf-8")
    assert "50.00" in text
    assert not (place.root / "store").exists()


def test_a_cell_a_row_or_a_column_is_made_without_the_rest(place: Workplace) -> None:
    whole = place.repro("plan", "verdicts", "--json").json["totals"]["steps"]
    cell = place.repro("show", "verdicts", "--json").json["cells"][0]
    address = f"verdicts:{cell['row']}:{cell['column']}"
    for part in (address, f"verdicts:{cell['row']}", f"verdicts::{cell['column']}"):
        assert 0 < place.repro("plan", part, "--json").json["totals"]["steps"] <= whole

    planned = place.repro("plan", address, "--json").json["steps"]
    assert len(planned) < whole
    assert list(place.repro("plan", address, "--json").json["totals"]["by_row"]) == [cell["row"]]
    cells = place.repro("make", address, *INLINE, "--json").json["exhibits"][0]["cells"]
    assert place.starts() == len(planned)
    assert cells[0]["reproduced"]["n"] == len(cell["run"]["steps"])
    assert {c["verdict"] for c in cells if c["run"]["steps"] != cell["run"]["steps"]} == {"not run"}


def test_what_is_made_of_two_exhibits_may_be_named_in_parts(place: Workplace) -> None:
    made = place.repro("make", "averaged:Faithful", "verdicts:Faithful:Large", *INLINE, "--json")
    assert [fields["exhibit"] for fields in made.json["exhibits"]] == ["averaged", "verdicts"]


@pytest.mark.parametrize("part", ["averaged:Faithfull", "averaged:Faithful:Meen", "averaged::Meen"])
def test_an_unknown_part_is_told_with_the_nearest(place: Workplace, part: str) -> None:
    outcome = place.repro("make", part, *INLINE)
    assert outcome.code == 2
    assert f"unknown cell '{part}'; did you mean " in outcome.err
    assert place.starts() == 0


def test_the_csv_of_a_table_keeps_the_text_that_the_paper_prints(made: Workplace) -> None:
    (path,) = made.root.rglob("verdicts.csv")
    with path.open(encoding="utf-8") as file:
        told = [row["printed"] for row in csv.DictReader(file) if row["source"] == "reported"]
    exhibit = load_paper(made.specs).exhibits["verdicts"]
    assert isinstance(exhibit, Table)
    assert told == [number.text if number else "" for _, _, number in exhibit.cells()]


def test_the_log_of_a_part_names_no_number_that_was_not_asked_for(place: Workplace) -> None:
    said = place.repro("make", "averaged:Faithful:Mean", *INLINE).err
    assert "averaged:Faithful:Mean: finished" in said
    assert "averaged:Assumed:Mean" not in said  # it shares runs, and is not run
