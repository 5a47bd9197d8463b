"""Whatever ends a command is one message that a terminal can take, and an exit code."""

from __future__ import annotations

import errno

import pytest

from harness.cli.ending import told
from harness.errors import EvidenceError, UserError


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (UserError("no such thing"), 2, "repro: no such thing\n"),
        (EvidenceError("a step failed:\n  x"), 3, "repro: a step failed:\n  x\n"),
        (OSError(errno.EROFS, "Read-only", "/s"), 2, "repro: /s: Read-only; use another place\n"),
        (OSError(errno.ENOSPC, "No space"), 3, "repro: No space; see to it"),
        (FileNotFoundError(errno.ENOENT, "Gone", "/s/tmp/x"), 3, "repro: /s/tmp/x: Gone; see"),
        (MemoryError(), 3, "repro: out of memory"),
        (UserError("a\x1b[31m \u202e\x07"), 2, "repro: a?[31m ??\n"),
        (UserError("x" * 10_000_000), 2, "repro: xxx"),
    ],
)
def test_one_message(
    capsys: pytest.CaptureFixture[str], error: Exception, code: int, said: str
) -> None:
    with pytest.raises(SystemExit) as ended, told():
        raise error
    assert ended.value.code == code
    printed = capsys.readouterr().err
    assert printed.startswith(said)
    assert len(printed) < 5000


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(KeyError), told():
        raise KeyError("bug")
