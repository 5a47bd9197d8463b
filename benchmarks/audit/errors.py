"""Errors of a paper's author, put in one at a time."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise

from benchmarks.audit.papers import Paper, number
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Number, Sheet

Key = tuple[int, int]
HELD_OUT_KINDS = (
    "point slip", "point slip down", "share for percent", "sign slip", "wrong digit", "wrong gain",
)  # fmt: skip
"""Drawn with random.Random("audit: kinds held out") before the rules were looked at again."""
HELD_OUT_PAPERS = (
    "dl4tsc", "domainbed", "ibtransdiff", "mcgl", "obliquity", "qfn2l", "tinysepsis", "wage-theft",
)  # fmt: skip
"""Drawn with random.Random("audit: papers held out"), and not looked at while rules changed."""


@dataclass(frozen=True)
class Error:
    """A table or a sentence with one error, and the addresses that the audit may point at."""

    kind: str
    places: frozenset[str]
    sheet: Sheet | None = None
    said: Said | None = None


def table_errors(sheet: Sheet, seed: str) -> Iterator[Error]:
    """An error of every kind that a table has room for."""
    draw = random.Random(seed)
    keys = sorted(sheet.numbers)
    for kind, change in TEXTS.items():
        key = draw.choice(keys)
        text = change(sheet.numbers[key], draw)
        if text is not None and text != _plain(sheet.numbers[key]):
            yield _put(kind, sheet, {key: _retold(sheet.numbers[key], text)})
    yield from _derived(sheet, draw)
    yield from _traded(sheet, draw)
    yield from _dropped(sheet, draw)
    yield from _marked(sheet, draw)
    yield from _uncertain(sheet, draw)


def sentence_errors(paper: Paper) -> Iterator[Error]:
    """One wrong digit in each sentence with a number."""
    draw = random.Random(f"sentences of {paper.name}")
    for said in paper.said:
        found = list(re.finditer(r"(?<!Row)\d+(?:\.\d+)?", said.text))
        match = found[-1]
        text = _other_digit(number(match[0], ""), draw)
        told = said.text[: match.start()] + text + said.text[match.end() :]
        kind = said.address.rpartition(":")[2]
        name = {"product": "wrong product", "share": "wrong share", "test": "wrong p"}.get(kind)
        changed = replace(said, text=told)
        yield Error(name or "wrong sentence", frozenset({said.address}), said=changed)


def _retold(x: Number, text: str) -> Number:
    made = number(text, x.address)
    return replace(x, text=text, mean=made.mean, half=made.half)


def _put(kind: str, sheet: Sheet, changed: Mapping[Key, Number]) -> Error:
    places = frozenset(x.address for x in changed.values())
    return Error(kind, places, replace(sheet, numbers={**sheet.numbers, **changed}))


def _plain(x: Number) -> str:
    return f"{x.mean:f}"


def _swapped_digits(x: Number, draw: random.Random) -> str | None:
    text = _plain(x)
    at = [i for i in range(len(text)) if text[i].isdigit()]
    pairs = [(i, j) for i, j in pairwise(at) if text[i] != text[j]]
    if not pairs:
        return None
    i, j = draw.choice(pairs)
    return text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]


def _other_digit(x: Number, draw: random.Random) -> str:
    text = _plain(x)
    i = draw.choice([i for i in range(len(text)) if text[i].isdigit()])
    return text[:i] + draw.choice([d for d in "0123456789" if d != text[i]]) + text[i + 1 :]


def _moved(power: int) -> Callable[[Number, random.Random], str | None]:
    return lambda x, _: f"{x.mean.scaleb(power):f}" if x.mean else None


def _negated(x: Number, _: random.Random) -> str | None:
    return f"{-x.mean:f}" if x.mean else None


def _shortened(x: Number, _: random.Random) -> str | None:
    text = _plain(x)
    return text[:-1] if "." in text and len(text.partition(".")[2]) > 1 else None


def _stepped(x: Number, units: int) -> str:
    """A number so many units of its last digit away."""
    return f"{(x.mean + units * 2 * x.half).quantize(x.mean):f}"


def _shifted(x: Number, draw: random.Random) -> str:
    return _stepped(x, draw.choice([-5, -3, 3, 5]))


TEXTS: Mapping[str, Callable[[Number, random.Random], str | None]] = {
    "digit swap": _swapped_digits,
    "wrong digit": _other_digit,
    "wrong unit": _moved(2),
    "share for percent": _moved(-2),
    "point slip": _moved(1),
    "point slip down": _moved(-1),
    "sign slip": _negated,
    "lost digit": _shortened,
    "slight change": _shifted,
}
DERIVED = {
    "wrong average": "avg average mean", "wrong gain": "gain diff δ", "wrong F1": "f1 f-score",
    "wrong total": "total sum", "wrong p": "p p-value",
}  # fmt: skip


def _derived(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    """A wrong number in a line that its heading says is derived."""
    for kind, words in DERIVED.items():
        for way in sheet.both_ways():
            for c, line in enumerate(way.columns):
                rows = sorted(way.column(c))
                if line.label.casefold().strip(" .$") in words.split() and rows:
                    r = draw.choice(rows)
                    key = (c, r) if way.turned != sheet.turned else (r, c)
                    x = sheet.numbers[key]
                    yield _put(kind, sheet, {key: _retold(x, _stepped(x, draw.choice([-9, 7])))})
    for c, line in enumerate(sheet.columns):
        if line.label == "mean" and sheet.column(c):
            r = draw.choice(sorted(sheet.column(c)))
            x = sheet.numbers[r, c]
            yield _put("impossible mean", sheet, {(r, c): _retold(x, _stepped(x, 600))})


def _traded(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    """Numbers in each other's places: two cells, two rows, two columns; one row over another."""
    rows, columns = range(len(sheet.rows)), range(len(sheet.columns))

    def trade(kind: str, pairs: list[tuple[Key, Key]]) -> Iterator[Error]:
        full = [(a, b) for a, b in pairs if a in sheet.numbers and b in sheet.numbers]
        changed = {}
        for a, b in full:
            changed[a] = _at(sheet.numbers[b], sheet.numbers[a])
            changed[b] = _at(sheet.numbers[a], sheet.numbers[b])
        if any(sheet.numbers[a].text != sheet.numbers[b].text for a, b in full):
            yield _put(kind, sheet, changed)

    if len(rows) > 1:
        i, j = draw.sample(rows, 2)
        c = draw.choice(columns)
        yield from trade("cell swap", [((i, c), (j, c))])
        yield from trade("row swap", [((i, c), (j, c)) for c in columns])
        pairs = [((i, c), (j, c)) for c in columns]
        copy = {
            b: _at(sheet.numbers[a], sheet.numbers[b])
            for a, b in pairs
            if a in sheet.numbers and b in sheet.numbers
        }
        if any(copy[b].text != sheet.numbers[b].text for b in copy):
            yield _put("copied row", sheet, copy)
    if len(columns) > 1:
        i, j = draw.sample(columns, 2)
        yield from trade("column swap", [((r, i), (r, j)) for r in rows])


def _at(x: Number, y: Number) -> Number:
    """The first number at the place of the second."""
    return replace(x, address=y.address, place=y.place, source=y.source)


def _dropped(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    if len(sheet.rows) > 3:
        gone = draw.choice(range(len(sheet.rows)))
        kept = {k: x for k, x in sheet.numbers.items() if k[0] != gone}
        if kept:
            places = frozenset(x.address for x in kept.values())
            yield Error("dropped row", places, replace(sheet, numbers=kept))


def _marked(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    bold = [k for k, x in sorted(sheet.numbers.items()) if x.bold]
    if bold:
        key = draw.choice(bold)
        others = [k for k in sorted(sheet.numbers) if k[1] == key[1] and not sheet.numbers[k].bold]
        if others:
            other = draw.choice(others)
            a, b = sheet.numbers[key], sheet.numbers[other]
            changed = {key: replace(a, bold=False), other: replace(b, bold=True)}
            yield _put("shifted bold", sheet, changed)
    starred = [k for k, x in sorted(sheet.numbers.items()) if x.error and x.value]
    if any(x.stars for x in sheet.numbers.values()) and starred:
        key = draw.choice(starred)
        x = sheet.numbers[key]
        yield _put("wrong stars", sheet, {key: replace(x, stars=0 if x.stars >= 2 else 3)})


def _uncertain(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    """Wrong spreads and intervals."""
    spread = [k for k, x in sorted(sheet.numbers.items()) if x.error and not x.stars]
    if spread:
        key = draw.choice(spread)
        x = sheet.numbers[key]
        yield _put("wrong spread", sheet, {key: replace(x, error=(x.error or Decimal()) * 1000)})
    own = [k for k, x in sorted(sheet.numbers.items()) if x.low is not None]
    if own:
        key = draw.choice(own)
        x = sheet.numbers[key]
        assert x.low is not None
        assert x.high is not None
        yield _put("wrong interval", sheet, {key: _retold(x, f"{2 * x.high - x.low:f}")})
    for c, line in enumerate(sheet.columns):
        if line.label in ("Upper", "SE"):
            r = draw.choice(sorted(sheet.column(c)))
            x = sheet.numbers[r, c]
            yield _put("wrong interval", sheet, {(r, c): _retold(x, f"{x.mean * 2:f}")})
