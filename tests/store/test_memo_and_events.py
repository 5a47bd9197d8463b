"""The memo, the failures and the event log."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from harness.store.events import Events
from harness.store.failures import Failure, Failures
from harness.store.memo import Memo
from tests.run.graphs import ended, in_child

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=25)
@given(key=JSON, value=JSON, other=JSON)
def test_a_memo_gives_back_what_was_put_last(tmp_path_factory, key, value, other):
    memo = Memo(tmp_path_factory.mktemp("memo"))
    assert memo.get("verdict", key) is None
    memo.put("verdict", key, other)
    memo.put("verdict", key, value)
    assert memo.get("verdict", key) == value
    assert memo.get("render", key) is None


def test_a_spoilt_entry_counts_as_absent(tmp_path: Path):
    memo = Memo(tmp_path)
    memo.put("verdict", [1, 2], "reproduced")
    (path,) = (tmp_path / "memo").rglob("*.json")
    for spoilt in (b"{", b"[]", b'{"key":[1,3],"value":"deviates"}'):
        path.write_bytes(spoilt)
        assert memo.get("verdict", [1, 2]) is None


def test_failures_are_kept_replaced_and_dropped(tmp_path: Path):
    failures = Failures(tmp_path)
    failures.put(Failure("ab" * 32, "draw", "ValueError", "first", ""))
    second = Failure("ab" * 32, "draw", "ValueError", "second", "log")
    failures.put(second)
    assert failures.get("ab" * 32) == second
    assert failures.identities() == {"ab" * 32}
    failures.drop("ab" * 32)
    failures.drop("ab" * 32)
    assert failures.get("ab" * 32) is None
    assert failures.identities() == set()


def test_lines_of_several_processes_do_not_mix(tmp_path: Path):
    def write() -> None:
        for number in range(100):
            Events(tmp_path).append("start", f"{number}", "draw", message="x" * 500)

    children = [in_child(write) for _ in range(3)]
    assert [ended(child) for child in children] == [0, 0, 0]
    events = Events(tmp_path).read()
    assert len(events) == 300
    assert {event["pid"] for event in events} == set(children)
    assert [event["time"] for event in events] == sorted(event["time"] for event in events)


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path):
    events = Events(tmp_path)
    assert events.read() == []
    events.append("start", "a", "draw")
    (path,) = (tmp_path / "events").iterdir()
    path.write_text(path.read_text() + '{"time": 1', encoding="utf-8")
    assert [event["identity"] for event in events.read()] == ["a"]
