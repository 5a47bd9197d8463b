"""`why` names the components that differ and the step they come from."""

from __future__ import annotations

from pathlib import Path

from harness.run.why import why
from harness.store.store import Store
from tests.run.graphs import chain, graph_of, make_step, run_inline


def text(step, graph, root: Path) -> str:
    return "\n".join(why([step], graph, Store(root)))


def test_a_current_step_is_one_line(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path)
    measure = list(graph.values())[2]
    assert why([measure], graph, Store(tmp_path)) == [f"measure {measure.identity[:12]} is current"]


def test_the_upstream_step_that_changed_is_named_with_old_and_new(tmp_path: Path):
    run_inline(chain(), tmp_path)
    old = list(chain().values())
    graph = chain(revision=2, keep=4)
    new = list(graph.values())
    assert why([new[2]], graph, Store(tmp_path)) == [
        f"measure {new[2].identity[:12]} will run",
        f"  compared with record {old[2].identity[:12]}:",
        f"  input images was {old[1].identity[:12]}, is {new[1].identity[:12]}:",
        f"    select {new[1].identity[:12]} will run",
        f"      compared with record {old[1].identity[:12]}:",
        "      revision: 1 → 2",
        "      params.keep: 5 → 4",
    ]


def test_own_parameters_and_seed_are_named(tmp_path: Path):
    graph = chain()
    run_inline(graph, tmp_path)
    other = make_step("draw", {"count": 21}, seed=3)
    lines = why([other], graph_of(other), Store(tmp_path))
    assert [line.strip() for line in lines[2:]] == ["params.count: 20 → 21", "seed: 0 → 3"]


def test_an_empty_store_says_so_up_to_the_first_step(tmp_path: Path):
    graph = chain()
    told = text(list(graph.values())[2], graph, tmp_path)
    assert [f"no record of a step '{n}' exists" in told for n in ("measure", "select", "draw")] == [
        True,
        True,
        True,
    ]


def test_a_failure_gives_its_message_and_blocks_below(tmp_path: Path):
    broken = make_step("broken", function="tests.run.graphs:unload")
    below = make_step("select", {}, {"draw": broken})
    graph = graph_of(broken, below)
    run_inline(graph, tmp_path)
    told = text(below, graph, tmp_path)
    assert "select" in told.splitlines()[0]
    assert "is blocked: a step that it needs failed" in told.splitlines()[0]
    assert "ZeroDivisionError: one over nothing" in told


def test_a_lost_input_record_is_told_for_a_step_that_must_run(tmp_path: Path):
    graph = chain()
    draw, select, *_ = graph
    run_inline(graph, tmp_path)
    store = Store(tmp_path)
    store.set_aside(draw)
    store.set_aside(select)
    changed = make_step("select", {"keep": 6}, {"draw": graph[draw]})
    told = text(changed, graph_of(graph[draw], changed), tmp_path)
    assert f"draw {draw[:12]} will run" in told
