"""What a run shows."""

from __future__ import annotations

import io
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


def test_a_terminal_gets_a_bar_and_the_failures(tmp_path: Path):
    stream = Terminal()
    progress = progress_on(stream)
    assert isinstance(progress, Bar)
    broken = make_step("broken", function="tests.run.graphs:unload")
    InlineExecutor().run(graph_of(make_step("draw"), broken), Store(tmp_path), progress)
    assert "2/2" in stream.getvalue()
    assert "one over nothing" in stream.getvalue()
    assert "a word before the end" not in stream.getvalue(), "a step's prints are its log"
