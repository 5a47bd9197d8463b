"""Seconds of processor time that each folder of tests took, beside its budget.

Only told: a busy machine fails no test. What is over its budget is made cheaper, or marked `slow`.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

BUDGETS = {
    "cli": 130,
    "docs": 15,
    "evidence": 20,
    "formats": 5,
    "importing": 15,
    "judge": 45,
    "lab": 100,
    "plan": 15,
    "render": 25,
    "report": 30,
    "run": 45,
    "spec": 25,
    "store": 25,
    "toy_kind": 5,
}
"""Of the fast tests, on a machine that does nothing else. All are 500, which leaves what two
processes import to collect the tests, within five minutes of two cores."""
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
    # A process that has crashed sends a report that knows no time.
    spent[report.nodeid.split("/")[1]] += getattr(report, "processor", 0.0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not spent or not config.getoption("markexpr").startswith("not slow"):
        return
    run = {folder: BUDGETS.get(folder, 5) for folder in sorted(spent)}
    told = [f"{folder} {spent[folder]:.0f} of {budget}" for folder, budget in run.items()]
    over = [folder for folder, budget in run.items() if spent[folder] > budget]
    terminalreporter.write_line(f"seconds of processor time: {', '.join(told)}")
    terminalreporter.write_line(f"over budget: {', '.join(over) or 'nothing'}")
