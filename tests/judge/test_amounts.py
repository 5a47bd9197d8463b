"""What a quantity of an item comes to over its seeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from harness.judge.model import Amount
from harness.judge.results import _Collector
from harness.spec.exhibit import Readings
from harness.spec.runs import Quantity

FOUND = {"b": [1.0, 5.0, 3.0], "b_low": [0.5, 4.0, 2.5], "b_high": [1.5, 7.0, 3.5]}


@dataclass
class Held:
    """A record with the values of one seed."""

    values: dict[str, float]
    digest: str = ""
    step: str = "fit"
    arrays: frozenset[str] = field(default_factory=frozenset)


def amount(
    quantity: Quantity, seeds: int, members: int = 1, same: str = "", once: bool = False
) -> Amount:
    """The amount over records `0`, `1`, ... of so many seeds, each a mean of so many.

    Args:
        same: the digest of all records, where they hold the same.
        once: whether all seeds lead to the same records.
    """
    names = iter(range(seeds * members))
    sources = tuple(tuple(str(next(names)) for _ in range(members)) for _ in range(seeds))
    sources = sources[:1] * seeds if once else sources
    item: Any = SimpleNamespace(
        seeds=tuple(range(seeds)),
        sources={"fit": sources},
        students={},
        address=SimpleNamespace(exhibit="e", row="r"),
    )

    def read(identity: str) -> Any:
        at = 0 if same else int(identity)
        return Held({name: values[at] for name, values in FOUND.items()}, same or identity)

    return _Collector(item, Readings(), read)._amount(quantity, range(seeds))


def test_runs_are_records_that_may_differ() -> None:
    b = Quantity(name="b", of="fit", value="b")
    made = amount(b, 3)
    assert (made.values, made.deterministic, made.summary.n) == ((1.0, 5.0, 3.0), False, 3)
    # Every seed leads to one record, which was done once.
    made = amount(b, 50, once=True)
    assert (made.values, made.deterministic, made.summary.std) == ((1.0,), False, None)
    # Every seed has its own, and all are the same, as a few test items make them by chance.
    made = amount(b, 3, same="d")
    assert (made.values, made.deterministic, made.summary.std) == ((1.0, 1.0, 1.0), False, None)


def test_of_a_number_that_cannot_vary_one_run_tells_all() -> None:
    said = Quantity(name="b", of="fit", value="b", deterministic=True)
    for made in (amount(said, 1), amount(said, 50, same="d")):
        assert (made.values, made.deterministic, made.summary.std) == ((1.0,), True, 0.0)


def test_runs_that_differ_refute_that_a_number_cannot_vary() -> None:
    said = Quantity(name="b", of="fit", value="b", deterministic=True)
    made = amount(said, 3)
    assert (made.values, made.deterministic, made.summary.n) == ((1.0, 5.0, 3.0), False, 3)


def test_the_ends_hold_the_intervals_of_all_seeds_and_so_their_mean() -> None:
    made = amount(Quantity(name="b", of="fit", value="b", low="b_low", high="b_high"), 3)
    assert (made.mean, made.std) == (3.0, 2.0)
    assert (made.low, made.high) == (0.5, 7.0)


def test_without_intervals_there_are_no_ends() -> None:
    made = amount(Quantity(name="b", of="fit", value="b"), 1)
    assert (made.values, made.std, made.low, made.high) == ((1.0,), None, None, None)


def test_a_mean_of_several_members_is_one_value_of_a_seed() -> None:
    made = amount(Quantity(name="b", of="fit", value="b", scale=10.0), 1, members=3)
    assert made.values == (30.0,)
