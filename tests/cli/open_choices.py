"""A table whose numbers depend on what is left open, for exploring and for flip sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.toy.paper import Workplace, new_workplace

INLINE = ("--executor", "inline")
SETTING = """
[settings.{name}]
value = {value}
source = "inferred"
why = "The paper does not say."
alternatives = [{other}]
"""
METHOD = """
id = "{id}"
label = "{id}"
origin = "invented"
state = "runs"
images = {{ paper = "real", here = "real" }}
{settings}
[settings.fail]
value = false
source = "paper"
place = "Section 1"

[[steps]]
id = "drawn"
step = "draw"
params = {{ count = "{{size}}" }}

[[steps]]
id = "chosen"
step = "select"
inputs = {{ draw = "drawn" }}
params = {{ keep = "{{keep}}" }}
"""
RECIPE = """
id = "factors"
label = "Factors"

[settings.epochs]
value = 3
source = "paper"
place = "Section 1"

[[steps]]
id = "measured"
step = "measure"
inputs = { images = "{images}" }
params = { mean = { product = ["{one}", "{other}"] }, std = "{scatter}", fail = "{fail}" }
seed = "{seed}"
"""
ROW = """
[[rows]]
name = "{id}"
label = "{id}"
bind = {{ method = "{id}" }}
cells = {{ Small = "50.00 ± 0.05" }}
"""
LONE = {"one": (1.0, 0.9), "other": (0.5, 0.5005), "scatter": (0.0005, 0.05), "keep": (10, 5)}
"""Setting -> value and alternative: `one` turns the verdict, `scatter` weakens it, nothing comes of
`keep` or of `other`, which is a twentieth of a point."""
PAIR = {"one": (1.0, 0.985), "other": (0.5, 0.493), "scatter": (0.0005, 0.0006), "keep": (10, 5)}
"""`one` and `other` are 0.7 points each; only both are more than the margin of 1."""


def with_open(tmp_path: Path, *rows: str) -> Workplace:
    """A paper with one more table, of such rows; their methods are to be added."""
    made = new_workplace(tmp_path)
    text = (made.specs / "tables" / "verdicts.toml").read_text(encoding="utf-8")
    head = text[: text.index('[[columns]]\nname = "Large"')]
    head = head.replace('id = "verdicts"', 'id = "open"').replace("Table 1", "Table 9")
    head = head.replace('recipe = "measuring"', 'recipe = "factors"')
    made.add("tables/open.toml", head + "".join(ROW.format(id=id) for id in rows))
    made.add("recipes/factors.toml", RECIPE)
    return made


def with_two_rows(tmp_path: Path) -> Workplace:
    """Four settings of each row, as `LONE` and `PAIR` have them."""
    made = with_open(tmp_path, "lone", "pair")
    for id, settings in (("lone", LONE), ("pair", PAIR)):
        texts = [SETTING.format(name=n, value=v, other=o) for n, (v, o) in settings.items()]
        made.add(f"methods/{id}.toml", METHOD.format(id=id, settings="".join(texts)))
    return made


def with_one_row(tmp_path: Path) -> Workplace:
    """A paper of one table whose only number depends on three settings, one with two others."""
    made = with_open(tmp_path, "lone")
    settings = {"one": "0.9, 0.8", "other": "0.4", "scatter": "0.05"}
    texts = [SETTING.format(name=n, value=LONE[n][0], other=o) for n, o in settings.items()]
    texts.append('[settings.keep]\nvalue = 10\nsource = "paper"\nplace = "Section 1"\n')
    made.add("methods/lone.toml", METHOD.format(id="lone", settings="".join(texts)))
    return made


def flips(place: Workplace, row: str) -> dict[str, Any]:
    found = place.repro("assumptions", "open", "--flips", "--json")
    assert found.code == 0, found.err
    cells = {cell["address"]: cell for cell in found.json["verdicts"]}
    return cells[f"open:{row}:Small"]


def turns(cell: dict[str, Any]) -> dict[str, str]:
    return {", ".join(each["choices"]): each["turn"] for each in cell["readings"]}
