"""What a run shows."""

from __future__ import annotations

import io
import re
from pathlib import Path

from harness.run.inline import InlineExecutor
from harness.run.progress import Bar, Lines, progress_on
from harness.store.store import Store
from tests.run.graphs import chain, graph_of, make_step


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_lines_count_steps_and_name_outcomes(tmp_path: Path):
    stream = io.StringIO()
    progress = progress_on(stream)
    assert isinstance(progress, Lines)
    broken = make_step("broken", function="tests.run.graphs:unload")
    graph = {**chain(), **graph_of(broken)}
    InlineExecutor().run(graph, Store(tmp_path), progress)
    lines = stream.getvalue().splitlines()
    assert [line.split()[:3] for line in lines] == [
        ["[1/5]", "ran", "draw"],
        ["[2/5]", "ran", "select"],
        ["[3/5]", "ran", "measure"],
        ["[4/5]", "ran", "measure"],
        ["[5/5]", "failed", "broken"],
    ]
    assert lines[4].endswith("ZeroDivisionError: one over nothing")


def test_a_log_names_numbers_as_they_are_finished(tmp_path: Path):
    stream, graph = io.StringIO(), chain()
    draw, select, *measures = graph
    numbers = {
        draw: ["table:row:one", "table:row:two"],
        select: ["table:row:one"],
        measures[0]: ["table:row:one"],
        measures[1]: ["table:row:two"],
    }
    InlineExecutor().run(graph, Store(tmp_path), progress_on(stream, numbers))
    assert re.sub(r": [\d.]+ s$", "", stream.getvalue(), flags=re.MULTILINE).splitlines() == [
        "[1/4] table:row:one and 1 more: ran draw (seed 0)",
        "[3/4] table:row:one: finished",
        "[4/4] table:row:two: finished",
    ]


def test_a_number_with_a_failed_step_is_never_finished(tmp_path: Path):
    broken = make_step("broken", function="tests.run.graphs:unload")
    stream, graph = io.StringIO(), {**graph_of(broken), **chain()}
    numbers = {identity: ["table:row:cell"] for identity in graph}
    InlineExecutor().run(graph, Store(tmp_path), progress_on(stream, numbers))
    (line,) = stream.getvalue().splitlines()
    assert line.startswith("[1/5] table:row:cell: failed broken (seed 0): ZeroDivisionError")


def test_a_terminal_gets_a_bar_and_the_failures(tmp_path: Path):
    stream = Terminal()
    progress = progress_on(stream)
    assert isinstance(progress, Bar)
    broken = make_step("broken", function="tests.run.graphs:unload")
    InlineExecutor().run(graph_of(make_step("draw"), broken), Store(tmp_path), progress)
    assert "2/2" in stream.getvalue()
    assert "one over nothing" in stream.getvalue()
    assert "a word before the end" not in stream.getvalue(), "a step's prints are its log"
