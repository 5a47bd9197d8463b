"""What a run would do: early cutoff, exactly what is downstream, and quickly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.plan.step import Step, StepInput, StepResult
from harness.run.lease import acquire
from harness.run.state import states
from harness.store.store import Store
from tests.run.graphs import StepContext, chain, graph_of, make_step, named, run_inline
from tests.toy.functions import select
from tests.toy.steps import SelectParams


def select_more(
    params: SelectParams, inputs: Mapping[str, StepInput], context: StepContext
) -> StepResult:
    """A select whose numbers changed, and with them its revision."""
    return select(SelectParams(keep=params.keep + 1), inputs, context)


def by_state(graph: Mapping[str, Step], store: Store) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for identity, state in states(graph, store).items():
        found.setdefault(state, []).append(graph[identity].name)
    return found


def test_equal_content_is_linked_instead_of_run_again(tmp_path: Path):
    run_inline(chain(revision=1), tmp_path)
    graph = chain(revision=2)
    assert by_state(graph, Store(tmp_path)) == {
        "current": ["draw", "measure"],
        "run": ["select", "measure"],
    }
    report = run_inline(graph, tmp_path)
    assert named(graph, report.current) == ["draw", "measure"]
    assert named(graph, report.ran) == ["select"]
    assert named(graph, report.linked) == ["measure"]
    (linked,) = report.linked
    record = Store(tmp_path).get(linked)
    assert record is not None
    assert record.link in chain(revision=1)
    assert set(states(graph, Store(tmp_path)).values()) == {"current"}


def test_a_new_revision_with_other_numbers_runs_exactly_what_is_downstream(tmp_path: Path):
    run_inline(chain(), tmp_path)
    draw, old, measured, other = chain().values()
    new = make_step(
        "select",
        {"keep": 5},
        {"draw": draw},
        revision=2,
        function=f"{__name__}:select_more",
    )
    below = make_step("measure", dict(measured.params), {"images": new}, seed=1)
    report = run_inline(graph_of(draw, new, below, other), tmp_path)
    assert report.ran == [new.identity, below.identity]
    assert report.current == [draw.identity, other.identity]
    record = Store(tmp_path).get(below.identity)
    assert record is not None
    assert record.values["count"] == 6
    assert old.identity in Store(tmp_path).identities()


def test_the_plan_tells_links_through_links(tmp_path: Path):
    draw, select_step, measure, _ = chain().values()
    run_inline(chain(), tmp_path)
    redrawn = replace(make_step("draw", {"count": 20}, revision=2))
    run_inline(graph_of(redrawn), tmp_path)
    again = make_step("select", {"keep": 5}, {"draw": redrawn})
    below = make_step("measure", dict(measure.params), {"images": again}, seed=1)
    graph = graph_of(redrawn, again, below)
    assert list(states(graph, Store(tmp_path)).values()) == ["current", "linked", "linked"]
    assert run_inline(graph, tmp_path).linked == [again.identity, below.identity]
    assert draw.identity != redrawn.identity
    assert select_step.identity != again.identity


def test_failed_blocked_and_running_are_told(tmp_path: Path):
    store = Store(tmp_path)
    draw = make_step("draw")
    broken = make_step("broken", inputs={"draw": draw}, function="tests.run.graphs:unload")
    below = make_step("select", {}, {"draw": broken})
    lowest = make_step("measure", {}, {"images": below})
    busy = make_step("measure", {}, {"images": draw})
    graph = graph_of(draw, broken, below, lowest, busy)
    assert by_state(graph, store) == {"run": ["draw", "broken", "select", "measure", "measure"]}
    run_inline(graph_of(draw, broken), tmp_path)
    lease = acquire(store, busy.identity, busy.name)
    assert lease is not None
    with lease:
        assert list(states(graph, store).values()) == [
            "current",
            "failed",
            "blocked",
            "blocked",
            "running",
        ]


def test_a_directory_that_holds_no_record_is_none(tmp_path: Path):
    graph = graph_of(*[make_step("draw", seed=seed) for seed in range(1_000)])
    for identity in graph:
        (tmp_path / "records" / identity[:2] / identity).mkdir(parents=True)
    assert set(states(graph, Store(tmp_path)).values()) == {"run"}
