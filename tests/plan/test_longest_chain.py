"""The critical path of a plan, beside every chain of small graphs."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from harness.plan.cost import NOTHING, Seconds
from harness.plan.step import Step, Work
from harness.study.forecast import Forecast

STEP = Step(
    name="",
    revision=1,
    params={},
    seed=0,
    inputs={},
    identity="",
    function="",
    work=Work(0.0, 0.0),
)


def forecast(draws: random.Random) -> Forecast:
    """Up to nine steps of three names, some of them done."""
    steps: dict[str, Step] = {}
    for number in range(draws.randint(1, 9)):
        read = [i for i in steps if draws.random() < 0.4]
        inputs = {f"in{at}": i for at, i in enumerate(read)}
        identity, name = f"i{number}", draws.choice("abc")
        steps[identity] = replace(STEP, identity=identity, name=name, inputs=inputs)
    times = {i: Seconds(t / 2, t, 2 * t) for i in steps for t in [draws.uniform(1, 9)]}
    states = {i: "current" if draws.random() < 0.2 else "run" for i in steps}
    return Forecast("e", "p", "cpu", steps, states, times, {}, {}, {})  # type: ignore[arg-type]


def chains(steps: Mapping[str, Step], todo: set[str]) -> Iterator[tuple[str, ...]]:
    """Every chain of steps to do, each of which reads the one before it."""

    def grown(chain: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
        yield chain
        for identity in todo:
            if chain[-1] in steps[identity].inputs.values():
                yield from grown((*chain, identity))

    for identity in todo:
        yield from grown((identity,))


@pytest.mark.parametrize("seed", range(60))
def test_no_chain_takes_longer(seed: int):
    planned = forecast(random.Random(seed))
    every = list(chains(planned.steps, set(planned.todo)))
    longest = max((planned.sum(chain).mid for chain in every), default=0.0)
    assert tuple(planned.longest) in [*every, ()]
    assert planned.sum(planned.longest).mid == pytest.approx(longest)
    kept = [[i for i in chain if planned.steps[i].name != "a"] for chain in every]
    rest = max((planned.sum(chain).mid for chain in kept), default=0.0)
    assert planned.without("a").mid == pytest.approx(rest)
    assert NOTHING.mid <= rest <= longest
