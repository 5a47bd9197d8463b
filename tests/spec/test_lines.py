"""Line numbers in messages, against numbers counted by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.spec.toml import line_of

#        line:
TEXT = '''# 1
a = 1
"dotted.key" = 2
b.c.d = 3
text = """
[[rows]]
name = "not a key"
"""
inline = { x = 1, y = { z = 2 } }

[[rows]]
name = "one"
cells = { "IPC 10" = "1.0", "IPC 50" = "2.0" }
grid = [
  [[1]],
]

# about the second
[[rows]]
# about its name
name = "two"
literal = \'\'\'
[[rows]]
last\'\'\'
[rows.bind]
method = "x"

[[other]]
k = 1

[[rows]]
name = "é ü 漢字"
list = [
  1,
  { k = 2 },
  [3,
   4],
]
after = 1

[settings."large.epochs"]
value = 60
[[settings.window]]
value = 1
[[settings.window]]
value = 2
when = { a = [
  1,
  2 ] }
[[empty]]
[[empty]]
[[empty]]
k = 1
'''
LINES = {
    ("a",): 2,
    ("dotted.key",): 3,
    ("b", "c", "d"): 4,
    ("text",): 5,
    ("inline", "y", "z"): 9,
    ("rows",): 11,
    ("rows", 0): 11,
    ("rows", 0, "name"): 12,
    ("rows", 0, "cells", "IPC 50"): 13,
    ("rows", 0, "grid", 0): 15,
    ("rows", 1): 19,
    ("rows", 1, "name"): 21,
    ("rows", 1, "literal"): 22,
    ("rows", 1, "bind", "method"): 26,
    ("other", 0, "k"): 29,
    ("rows", 2): 31,
    ("rows", 2, "name"): 32,
    ("rows", 2, "list", 0): 34,
    ("rows", 2, "list", 1, "k"): 35,
    ("rows", 2, "list", 2, 1): 37,
    ("rows", 2, "after"): 39,
    ("settings", "large.epochs", "value"): 42,
    ("settings", "window", 0): 43,
    ("settings", "window", 1): 45,
    ("settings", "window", 1, "value"): 46,
    ("settings", "window", 1, "when", "a", 1): 49,
    ("empty", 1): 51,
    ("empty", 2): 52,
    ("empty", 2, "k"): 53,
    # What is not there is where its nearest present parent is.
    ("rows", 2, "absent"): 31,
    ("rows", 1, "bind", "absent", "deeper"): 25,
    ("rows", 9): 11,
    ("inline", "absent"): 9,
    ("absent",): 1,
    (): 1,
}


@pytest.mark.parametrize("ending", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("keys", LINES, ids=lambda keys: ".".join(map(str, keys)) or "root")
def test_a_key_stands_where_one_would_count_it(
    keys: tuple[int | str, ...], ending: str, tmp_path: Path
) -> None:
    path = tmp_path / "a.toml"
    path.write_bytes(TEXT.replace("\n", ending).encode())
    assert line_of(path, keys) == LINES[keys]
