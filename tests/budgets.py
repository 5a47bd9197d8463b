"""Seconds of processor time that each folder of tests took, beside its budget.

Only told: a busy machine fails no test. What is over its budget is made cheaper, or marked `slow`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

BUDGETS = {
    "cli": 150,
    "docs": 20,
    "evidence": 20,
    "formats": 10,
    "importing": 15,
    "judge": 60,
    "lab": 120,
    "plan": 20,
    "render": 30,
    "report": 40,
    "run": 60,
    "spec": 30,
    "store": 40,
    "toy_kind": 10,
}
"""Of the fast tests, on a machine that does nothing else."""
spent: Counter[str] = Counter()
_clock = [0.0]


def _processor() -> float:
    """Seconds of this process so far, and of its children that have ended."""
    return sum(os.times()[:4])


def pytest_collection_finish() -> None:
    _clock[0] = _processor()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    report.processor = _processor() - _clock[0]
    _clock[0] += report.processor
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    spent[report.nodeid.split("/")[1]] += report.processor


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not config.getoption("markexpr").startswith("not slow"):
        return
    run = {folder: budget for folder, budget in BUDGETS.items() if spent[folder]}
    told = [f"{folder} {spent[folder]:.0f} of {budget}" for folder, budget in run.items()]
    over = [folder for folder, budget in run.items() if spent[folder] > budget]
    terminalreporter.write_line(f"seconds of processor time: {', '.join(told)}")
    terminalreporter.write_line(f"over budget: {', '.join(over) or 'nothing'}")
