"""A mistake in a spec: one message, with file, line, key, and what was expected."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from harness.spec.paper import load_paper
from harness.spec.toml import SpecError
from tests.toy.paper import Workplace


class Mistake(NamedTuple):
    """An edit of one spec, and what the message must say."""

    file: str
    old: str
    new: str
    at: str
    """A text that only the line in question has, after the edit."""
    key: str
    says: str


VERDICTS, NOISY, SMALL = "tables/verdicts.toml", "methods/noisy.toml", "profiles/small.toml"
SCATTER = 'value = 0.04\nsource = "paper"\nplace = "Section 1"\n'
MISTAKES = {
    "a cell that is no number": Mistake(
        VERDICTS,
        'Small = "50.00 ± 4.00"',
        'Small = "50..00"',
        "50..00",
        "rows.2.cells.Small",
        "or a word; it has the signs of a number, but not its form (found '50..00')",
    ),
    "a cell without quotes": Mistake(
        VERDICTS,
        'Small = "50.00 ± 4.00"',
        "Small = 50.00",
        "Small = 50.00",
        "rows.2.cells.Small",
        "expected a number in quotes, as printed",
    ),
    "an unknown key": Mistake(
        VERDICTS, "margin =", "marign =", "marign", "reporting.marign", "did you mean 'margin'?"
    ),
    "an unknown key of a union's member": Mistake(
        "claims.toml",
        'better = ["Flattered"]',
        'beter = ["Flattered"]',
        "beter",
        "claims.0.beter",
        "did you mean 'better'?",
    ),
    "an unknown key of a setting": Mistake(
        NOISY,
        "value = 0.04",
        "vale = 0.04",
        "vale",
        "settings.scatter.vale",
        "did you mean 'value'?",
    ),
    "a missing key": Mistake(
        NOISY,
        "value = 0.04\n",
        "",
        "[settings.scatter]",
        "settings.scatter",
        "the key 'value' is missing",
    ),
    "a setting taken from one that is not there": Mistake(
        NOISY,
        SCATTER,
        'from = "assumd.scatter"\n',
        "from =",
        "settings.scatter.from",
        "unknown setting 'assumd.scatter'; did you mean 'assumed.scatter'",
    ),
    "a setting taken from itself": Mistake(
        NOISY,
        SCATTER,
        'from = "noisy.scatter"\n',
        "from =",
        "settings.scatter.from",
        "taken in a circle: noisy.scatter from noisy.scatter; one of them must state a value",
    ),
    "a setting taken from another that states a value too": Mistake(
        NOISY,
        SCATTER,
        'from = "assumed.scatter"\nvalue = 0.04\n',
        "value = 0.04",
        "settings.scatter.value",
        "a setting that is taken from another ('from') states nothing of its own",
    ),
    "specs of a later format, whatever else they have": Mistake(
        "paper.toml",
        'id = "invented"',
        'format = 99\nid = "invented"\nunheard = 1',
        "format = 99",
        "format",
        "specs of format 99; this version reads formats up to 3; use a newer version",
    ),
    "an unknown method": Mistake(
        VERDICTS,
        'method = "noisy"',
        'method = "noizy"',
        "noizy",
        "rows.2.bind.method",
        "unknown method 'noizy'; did you mean 'noisy'?",
    ),
    "an unknown variable": Mistake(
        VERDICTS,
        'method = "noisy"',
        'methd = "noisy"',
        "methd",
        "rows.2.bind.methd",
        "did you mean 'method'?",
    ),
    "a cell in no column": Mistake(
        VERDICTS,
        'Small = "50.00 ± 4.00"',
        'Smal = "50.00 ± 4.00"',
        "Smal =",
        "rows.2.cells.Smal",
        "unknown column 'Smal'; did you mean 'Small'?",
    ),
    "two rows of one name": Mistake(
        VERDICTS,
        'name = "Noisy"\n',
        'name = "Faithful"  # again\n',
        "# again",
        "rows.2.name",
        "'Faithful' comes twice",
    ),
    "a claim about a missing row": Mistake(
        "claims.toml",
        'left = ["Noisy"]',
        'left = ["Nosy"]',
        'id = "noisy-on-par"',
        "claims.1.id",
        "'verdicts:Nosy:Small': unknown row; did you mean 'Noisy'?",
    ),
    "a claim about a missing exhibit": Mistake(
        "claims.toml",
        'kind = "on_par"\nexpect = "undecided"\nexhibit = "verdicts"',
        'kind = "on_par"\nexpect = "undecided"\nexhibit = "verdict"',
        'id = "noisy-on-par"',
        "claims.1.id",
        "did you mean 'verdicts'",
    ),
    "a claim of no kind": Mistake(
        "claims.toml",
        'kind = "on_par"',
        'kind = "onpar"',
        '"onpar"',
        "claims.1.kind",
        "unknown kind 'onpar'; did you mean 'on_par'",
    ),
    "two claims of one id": Mistake(
        "claims.toml",
        'id = "noisy-on-par"',
        'id = "flattered-leads"  # again',
        "# again",
        "claims.1.id",
        "'flattered-leads' comes twice",
    ),
    "a profile that changes the method": Mistake(
        SMALL,
        "[map.size]",
        '[override."noisy.truth"]\nvalue = 1\nsource = "ours"\nwhy = "x"\n[map.size]',
        "noisy.truth",
        "override.noisy.truth",
        "may not be overridden by a profile",
    ),
    "a profile that overrides nothing": Mistake(
        SMALL,
        "[map.size]",
        '[override."mesuring.epochs"]\nvalue = 1\nsource = "ours"\nwhy = "x"\n[map.size]',
        "mesuring",
        "override.mesuring.epochs",
        "did you mean 'measuring.epochs'?",
    ),
    "a profile that maps what nothing is called": Mistake(
        SMALL,
        "[map.size]",
        '[map.dataset]\nnumber = "numbers"\n[map.size]',
        'number = "numbers"',
        "map.dataset.number",
        "unknown data set 'number'; did you mean 'numbers'?",
    ),
    "a profile for no device": Mistake(
        SMALL, 'device = "cpu"', 'device = "cpuu"', "cpuu", "device", "'cpu' (found 'cpuu')"
    ),
    "seeds of a number that is not there": Mistake(
        SMALL,
        "[map.size]",
        '[seeds_of]\n"verdicts:Noisi:Small" = 5\n[map.size]',
        "Noisi",
        "seeds_of.verdicts:Noisi:Small",
        "no cell of a table; did you mean 'verdicts:Noisy:Small'",
    ),
    "seeds of a row": Mistake(
        SMALL,
        "[map.size]",
        '[seeds_of]\n"verdicts:Noisy" = 5\n[map.size]',
        "verdicts:Noisy",
        "seeds_of.verdicts:Noisy",
        "'verdicts:Noisy' is no cell; expected \"exhibit:row:column\", in quotes",
    ),
    "seeds of a column": Mistake(
        SMALL,
        "[map.size]",
        '[seeds_of]\n"verdicts::Small" = 5\n[map.size]',
        "verdicts::Small",
        "seeds_of.verdicts::Small",
        "'verdicts::Small' is no cell; expected \"exhibit:row:column\", in quotes",
    ),
    "seeds of a cell without quotes": Mistake(
        SMALL,
        "[map.size]",
        "[seeds_of]\nverdicts.Noisy.Small = 5\n[map.size]",
        "verdicts.Noisy",
        "seeds_of.verdicts",
        "'verdicts' is no cell; expected \"exhibit:row:column\", in quotes",
    ),
    **{
        f"seeds of a cell as {wrong}": Mistake(
            SMALL,
            "[map.size]",
            f'[seeds_of]\n"verdicts:Noisy:Small" = {wrong}\n[map.size]',
            "verdicts:Noisy",
            "seeds_of.verdicts:Noisy:Small",
            "expected a count of seeds, or a list of them",
        )
        for wrong in ('"5"', "2.5", "true")
    },
    "no seeds": Mistake(SMALL, "seeds = 2", "seeds = 0", "seeds", "seeds", "greater than 0"),
    "a default profile that is not there": Mistake(
        "paper.toml",
        'default_profile = "stated"',
        'default_profile = "state"',
        "default_profile",
        "default_profile",
        "unknown profile 'state'; did you mean 'stated'?",
    ),
    "a condition on nothing": Mistake(
        "methods/assumed.toml",
        "when = { size = [40] }",
        "when = { sise = [40] }",
        "sise",
        "steps.1.when.sise",
        "did you mean 'size'?",
    ),
    "a setting that depends on nothing": Mistake(
        NOISY,
        "value = 0.04",
        "value = 0.04\nwhen = { sise = [40] }",
        "sise",
        "settings.scatter.when.sise",
        "did you mean 'size'",
    ),
    "a method that needs nothing": Mistake(
        NOISY,
        'state = "runs"',
        'state = "runs"\nwhen = { sise = [40] }\nelsewhere = "Too few."',
        "sise",
        "when.sise",
        "did you mean 'size'",
    ),
    "a number that is none": Mistake(
        NOISY, "value = 0.04", "value = nan", "nan", "settings.scatter.value", "a finite number"
    ),
    "a date": Mistake(
        "datasets/numbers.toml",
        'fingerprint = "none"',
        "fingerprint = 1979-05-27",
        "1979",
        "fields.fingerprint",
        "expected a text, a finite number, true or false (found 1979-05-27)",
    ),
    "a mean over nothing": Mistake(
        "tables/averaged.toml",
        'over = "size"',
        'over = "sise"',
        "sise",
        "average.over",
        "unknown variable 'sise'; did you mean 'size'?",
    ),
    "parts of nothing": Mistake(
        VERDICTS,
        'kind = "table"',
        'kind = "table"\nparts_of = "avergaed"',
        "parts_of",
        "parts_of",
        "'avergaed': no exhibit; did you mean 'averaged'",
    ),
    "parts of themselves": Mistake(
        VERDICTS,
        'kind = "table"',
        'kind = "table"\nparts_of = "verdicts"',
        "parts_of",
        "parts_of",
        "'verdicts' is an exhibit of parts itself; expected the one of which it shows the parts",
    ),
    "parts that the paper prints": Mistake(
        VERDICTS,
        'kind = "table"',
        'kind = "table"\nparts_of = "averaged"',
        "parts_of",
        "parts_of",
        "an exhibit of parts is none of the paper, which prints no number in it; leave out 'cells'",
    ),
    "an exhibit of no kind": Mistake(
        VERDICTS, 'kind = "table"', 'kind = "tabel"', "tabel", "kind", "did you mean 'table'?"
    ),
    "an id that is not the file's name": Mistake(
        NOISY, 'id = "noisy"', 'id = "noise"', '"noise"', "id", "expected 'noisy', the file's name"
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_message_that_says_where_and_what(
    place: Workplace, mistake: Mistake
) -> None:
    place.edit(mistake.file, mistake.old, mistake.new)
    line = place.line(mistake.file, mistake.at)

    with pytest.raises(SpecError) as caught:
        load_paper(place.specs)

    message = str(caught.value)
    assert message.startswith(f"{place.specs / mistake.file}:{line}: {mistake.key}: ")
    assert mistake.says in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "the file is missing"),
        (b'id = "invented', "not valid TOML: "),
        (b'id = "\xff"', "cannot be read as UTF-8"),
        (b"a = " + 5000 * b"[", "not valid TOML: "),
    ],
    ids=["missing", "not TOML", "not UTF-8", "too deep"],
)
def test_a_file_that_cannot_be_read_is_named(
    place: Workplace, content: bytes | None, says: str
) -> None:
    path = place.specs / "paper.toml"
    path.unlink() if content is None else path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        load_paper(place.specs)
    assert str(caught.value).startswith(f"{path}: ")
    assert says in str(caught.value)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="nowhere: no such folder; the specs of a paper"):
        load_paper(tmp_path / "nowhere")


def test_the_other_mistakes_of_a_file_are_counted(place: Workplace) -> None:
    place.edit(VERDICTS, '50.00 ± 4.00", Large = "50.00 ± 4.00', '1,5", Large = "2..0')
    with pytest.raises(SpecError, match=r"\(found '1,5'\) \(and 1 more\)"):
        load_paper(place.specs)


def test_parts_of_parts_are_refused(place: Workplace) -> None:
    table = (place.specs / VERDICTS).read_text(encoding="utf-8")
    rows = "".join(line for line in table.splitlines(True) if not line.startswith("cells ="))
    for name, whole in (("one", "averaged"), ("two", "one")):
        parts = rows.replace('id = "verdicts"', f'id = "{name}"\nparts_of = "{whole}"')
        place.add(f"tables/{name}.toml", parts)
    with pytest.raises(SpecError, match="'one' is an exhibit of parts itself; expected"):
        load_paper(place.specs)


def test_a_need_without_a_reason_is_refused(place: Workplace) -> None:
    place.edit(NOISY, 'state = "runs"', 'state = "runs"\nwhen = { size = [40] }')
    with pytest.raises(SpecError) as caught:
        load_paper(place.specs)
    says = "a method has 'elsewhere', which says why, exactly when it has 'when'"
    assert str(caught.value) == f"{place.specs / NOISY}: {says}"
