"""The choices that an exhibit rests on and the paper does not state, for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from harness.plan.settings import Shared
from harness.plan.settings import plain as json_value
from harness.render.terminal import show_grid
from harness.render.text import plain
from harness.spec.parts import Source
from harness.words import counted

_SOURCES: tuple[Source, ...] = ("inferred", "ours", "code")
"""Where choices come from, those first that rest on least."""
_SCREEN = 18
"""Choices of an overview, so that it fits a screen of 24 lines with its counts."""


def overview(found: Sequence[Shared], exhibit: str, console: Console) -> None:
    """Print how many there are of each source, then a line each: first what has alternatives."""
    counts = Counter(shared.used.choice.source for shared in found)
    told = ", ".join(f"{counts[source]} {source}" for source in _SOURCES if counts[source])
    open_ = sum(bool(shared.used.choice.alternatives) for shared in found)
    rests = f"{exhibit} rests on {counted(len(found), 'choice')}"
    console.print(Text(f"{rests} that the paper does not state", "bold"))
    console.print(Text(f"{told or 'none'}; {open_} of them with alternatives to try (--vary)\n"))
    ordered = sorted(
        found,
        key=lambda s: (not s.used.choice.alternatives, _SOURCES.index(s.used.choice.source)),
    )
    for shared in ordered[:_SCREEN]:
        console.print(_line(shared), no_wrap=True, overflow="ellipsis")
    if len(found) > _SCREEN:
        rest = f"{len(found) - _SCREEN} more: repro assumptions {exhibit} --all"
        console.print(Text(rest, style="dim"))


def _line(shared: Shared) -> Text:
    choice = shared.used.choice
    others = f" (or {plain(_alternatives(shared))})" if choice.alternatives else ""
    line = Text(f"{choice.source:8} ", style="dim")
    line.append(f"{plain(shared.used.listed)} = {plain(str(shared.used.value))}{others}")
    return line.append(f": {plain(choice.why or choice.place)}", style="dim")


def _alternatives(shared: Shared) -> str:
    return ", ".join(str(json_value(each)) for each in shared.used.choice.alternatives)


def show(found: Sequence[Shared], console: Console) -> None:
    """Print all of them with their reasons."""
    rows = [
        (
            shared.titled,
            str(shared.used.value),
            _alternatives(shared) or "–",
            f"{shared.used.choice.source}: {shared.used.choice.why or shared.used.choice.place}",
        )
        for shared in found
    ]
    show_grid(("Choice", "Value", "Alternatives", "Where from"), rows, console)
