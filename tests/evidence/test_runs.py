"""How results become the numbers of cells: selections, aggregates, baselines, names."""

from __future__ import annotations

import json
import statistics
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.evidence.result import as_number, text_key
from tests.toy.paper import Workplace

LINES = """method,seed,epoch,val,test,kind
ResNet-18,0,1,0.5,10,run
ResNet-18,0,2,0.9,20,run
ResNet-18,1,1,0.8,32,run
ResNet-18,1,2,0.2,40,run
ResNet-18,2,1,0.7,60,run
Plain,0,1,0.1,8,run
Plain,1,1,0.1,4,run
Plain,2,1,0.1,4,run
"""
CHOSEN = [20.0, 32.0, 60.0]
"""Of ResNet-18, by validation: epoch 2, 1 and 1."""


def entry(place: Workplace, *keys: str, value: str = '{ Wine = "test" }') -> None:
    (place.root / "lines.csv").write_text(LINES)
    head = f'[[evidence]]\nfiles = ["lines.csv"]\nrow = "method"\nvalue = {value}\n'
    place.add("tables/table2.toml", "\n" + head + "\n".join(keys) + "\n")


def found(place: Workplace) -> dict[str, dict[str, Any]]:
    """What the files come to in the column Wine, by row."""
    cells = place.repro("show", "table2", "--json").json["cells"]
    return {c["row"]: c["reproduced"] for c in cells if c["column"] == "Wine" and c["reproduced"]}


SELECT = 'select = { by = "val" }'


def test_of_several_results_of_a_run_that_with_the_best_validation_counts(
    place: Workplace,
) -> None:
    entry(place, 'seed = "seed"', SELECT)
    ours = found(place)["ResNet-18"]
    assert (ours["mean"], ours["n"]) == (pytest.approx(statistics.fmean(CHOSEN)), 3)
    assert ours["std"] == pytest.approx(statistics.stdev(CHOSEN))


def test_the_smallest_and_a_mean_of_fields_may_decide(place: Workplace) -> None:
    entry(place, 'seed = "seed"', 'select = { by = ["val", "epoch"], take = "smallest" }')
    # The means are 0.75 and 1.45; 0.9 and 1.1; 0.85.
    assert found(place)["ResNet-18"]["mean"] == pytest.approx((10 + 32 + 60) / 3)


@pytest.mark.parametrize(
    ("aggregate", "number"),
    [
        ("median", 32), ("mean", 112 / 3), ("max", 60), ("min", 20), ("sum", 112), ("count", 3),
        ("std", statistics.stdev(CHOSEN)), ("sem", statistics.stdev(CHOSEN) / 3**0.5),
    ],
)  # fmt: skip
def test_an_aggregate_is_one_number(place: Workplace, aggregate: str, number: float) -> None:
    entry(place, 'seed = "seed"', SELECT, f'aggregate = "{aggregate}"')
    ours = found(place)["ResNet-18"]
    assert (ours["mean"], ours["n"]) == (pytest.approx(number), 1)


def test_without_seeds_an_aggregate_is_of_all_results(place: Workplace) -> None:
    entry(place, 'aggregate = "median"')
    assert found(place)["ResNet-18"]["mean"] == 32


def test_the_deviation_of_one_run_is_no_number(place: Workplace) -> None:
    entry(place, "where = { epoch = 2, seed = 0 }", 'seed = "seed"', 'aggregate = "std"')
    assert found(place) == {}


BASELINE = 'baseline = {{ where = {{ method = "Pl*" }}, formula = "{}"{} }}'


@pytest.mark.parametrize(
    ("formula", "number"),
    [
        ("value / baseline", 8), ("baseline / value", 1 / 8), ("value - baseline", 28),
        ("value / baseline - 1", 7), ("1 - value / baseline", -7),
    ],
)  # fmt: skip
def test_a_number_beside_its_baseline(place: Workplace, formula: str, number: float) -> None:
    """The medians are 32 and 4."""
    entry(
        place, 'seed = "seed"', SELECT, 'aggregate = "median"', BASELINE.format(formula, "")
    )  # fmt: skip
    ours = found(place)
    assert list(ours) == ["ResNet-18"]
    assert ours["ResNet-18"]["mean"] == pytest.approx(number)


def test_runs_may_each_have_a_baseline(place: Workplace) -> None:
    paired = BASELINE.format("value / baseline", ', per = "seed"')
    entry(place, 'seed = "seed"', SELECT, paired)
    ours = found(place)["ResNet-18"]
    assert (ours["n"], ours["mean"]) == (3, pytest.approx((20 / 8 + 32 / 4 + 60 / 4) / 3))


def test_several_runs_may_share_a_baseline_of_one(place: Workplace) -> None:
    one = 'baseline = { where = { method = "Plain", seed = 0 }, formula = "value - baseline" }'
    entry(place, 'seed = "seed"', SELECT, one)
    ours = found(place)["ResNet-18"]
    assert (ours["n"], ours["mean"]) == (3, pytest.approx(statistics.fmean(CHOSEN) - 8))


def test_runs_may_each_have_a_baseline_of_several(place: Workplace) -> None:
    """Fold 0 of the baseline is 1 and 3, fold 1 is 2 and 6: their means are 2 and 4."""
    entry(place, 'seed = "run"', BASELINE.format("value - baseline", ', per = "fold"'))
    lines = ["method,run,fold,test", "ResNet-18,0,0,10", "ResNet-18,1,1,20"]
    lines += ["Plain,0,0,1", "Plain,1,1,2", "Plain,2,0,3", "Plain,3,1,6"]
    (place.root / "lines.csv").write_text("\n".join(lines))
    ours = found(place)["ResNet-18"]
    assert (ours["n"], ours["mean"]) == (2, pytest.approx((8 + 16) / 2))


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (
            ('seed = "seed"', SELECT, BASELINE.format("value - baseline", "")),
            "lines.csv:4: a second run against one mean of 3 runs of the baseline, which says "
            "nothing of how that mean varies. Pair the runs by a field in 'per', such as 'seed', "
            "or take one number of both sides by 'aggregate'",
        ),
        (('seed = "seed"',), "'where' can leave one of them out, 'select' can choose"),
        (
            ('seed = "seed"', SELECT, BASELINE.format("value / baseline", ', per = "epoch"')),
            "no baseline for a number; 'per' tells them by epoch",
        ),
        (
            ("seed = 'epoch'", SELECT, BASELINE.format("value / baseline", "")),
            "a second result of seed 1 in the baseline; the first is in",
        ),
        (('aggregate = "mode"',), "aggregate"),
        ((BASELINE.format("baseline * value", ""),), "formula"),
        (('inside = "runs.{name}"',), "nothing lies at 'runs.{name}' ('inside')"),
    ],
)
def test_a_mistake_is_one_message(place: Workplace, keys: tuple[str, ...], message: str) -> None:
    entry(place, *keys)
    said = place.repro("show", "table2")
    assert said.code == 2
    assert message in " ".join(said.err.split())
    assert "Traceback" not in said.err


def test_results_lie_inside_an_object(place: Workplace) -> None:
    held = {"about": {"unit": "percent"}, "runs": {"resnet": {"wine": [80.0, 82.0]}}}
    (place.root / "one.json").write_text(json.dumps(held))
    place.add(
        "tables/table2.toml",
        '\n[[evidence]]\nfiles = ["one.json"]\ninside = "runs.{net}.{data}.{seed}"\nrow = "net"\n'
        'column = "data"\nseed = "seed"\nvalue = "value"\nnames = { "res*" = "ResNet-18" }\n',
    )
    ours = found(place)["ResNet-18"]
    assert (ours["mean"], ours["n"], ours["seeds"]) == (81.0, 2, [0, 1])


def test_one_text_names_a_row_and_a_column(place: Workplace) -> None:
    (place.root / "one.csv").write_text("name,time\nres_wine,81\nplain_iris,61\nplain_wine,71\n")
    place.add(
        "tables/table2.toml",
        '\n[[evidence]]\nfiles = ["one.csv"]\nrow = "name"\ncolumn = "name"\nvalue = "time"\n'
        'names = { "res_*" = "ResNet-18", "plain_*" = "Plain", "*_wine" = "Wine", "*_iris" = '
        '"Iris" }\n',
    )
    means = {row: ours["mean"] for row, ours in found(place).items()}
    assert means == {"ResNet-18": 81.0, "Plain": 71.0}


def test_a_negative_name_is_not_the_positive_one(place: Workplace) -> None:
    """Row 1 has no runs in the file, and row 1e5 none either."""
    for old, new in {"ResNet-18": "1", "Plain": "1e5"}.items():
        place.edit("tables/table2.toml", f'name = "{old}"\n', f'name = "{new}"\n')
    (place.root / "one.csv").write_text("power,acc\n-1,81\n1e-5,71\n1E5,61\n")
    place.add(
        "tables/table2.toml",
        '\n[[evidence]]\nfiles = ["one.csv"]\nrow = "power"\nvalue = { Wine = "acc" }\n',
    )
    assert {row: ours["mean"] for row, ours in found(place).items()} == {"1e5": 61.0}


FEW = st.sampled_from(["1", "-1", "2", "-2", ".5", "-.5"])
NUMBERS = FEW | st.builds("{}e{}".format, FEW, st.sampled_from(["1", "-1", "05", "-05"]))


@given(one=NUMBERS, other=NUMBERS, before=st.sampled_from(["", "lr=", "a/", "lr = ", "T: "]))
def test_numbers_as_names_are_one_where_they_are_written_alike(
    one: str, other: str, before: str
) -> None:
    assert (text_key(before + one) == text_key(before + other)) == (one == other)


@pytest.mark.parametrize(
    "names",
    [
        ("ResNet-18", "resnet_18", "ResNet 18", "ResNet -18", "resnet18"),
        ("Base-16", "base16", "base - 16"),
        ("-1", " -1"),
        ("1e-5", "1E-5"),
    ],
)
def test_other_spellings_are_one_name(names: tuple[str, ...]) -> None:
    assert len(set(map(text_key, names))) == 1


@pytest.mark.parametrize(
    ("texts", "seeds"),
    [
        (
            ("20240101123456701", "20240101123456703", "1"),
            [1, 20240101123456701, 20240101123456703],
        ),
        (("1.0", " 2", "3."), [1, 2, 3]),
        (("1e2", "100", "1_00"), []),
        (("9007199254740993", "9007199254740992.0", "-0"), [0, 9007199254740992, 9007199254740993]),
        (("9" * 5000, "1", "2"), []),
    ],
)
def test_ids_of_runs_are_told_apart_as_they_are_written(
    place: Workplace, texts: tuple[str, ...], seeds: list[int]
) -> None:
    entry(place, 'seed = "seed"')
    lines = [f"ResNet-18,{text},{value}\n" for value, text in enumerate(texts)]
    (place.root / "lines.csv").write_text(f"method,seed,test\n{''.join(lines)}")
    ours = found(place)["ResNet-18"]
    assert (ours["n"], ours["seeds"]) == (3, seeds)


def test_a_filter_takes_no_other_id_than_the_one_it_names(place: Workplace) -> None:
    entry(place, "where = { seed = 20240101123456701 }")
    lines = "ResNet-18,20240101123456703,1\nResNet-18,20240101123456701,2\n"
    (place.root / "lines.csv").write_text(f"method,seed,test\n{lines}")
    assert found(place)["ResNet-18"]["mean"] == 2


def test_only_what_every_language_reads_as_a_number_is_one() -> None:
    assert [as_number(text) for text in ("1000", "1e3", " 1000.0", "1_000", "1,000")] == [
        *[1000.0] * 3,
        None,
        None,
    ]
