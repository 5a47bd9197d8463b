"""How many injected errors the audit finds, and how much of what it says of papers is right.

python -m benchmarks.audit

One error at a time goes into the tables of generated papers, of this paper and of other papers
(read from their sources, where `../shared/data/papers` is there). Whether an error can be found is
decided before any rule runs, by relations that the unchanged numbers satisfy and the changed ones
do not; `witnesses` states them anew, without the rules' code.
"""

from __future__ import annotations

import hashlib
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

from benchmarks.bench import RESULTS, ROOT
from harness.errors import UserError
from harness.importing import read_tables
from harness.judge.audit.audit import audit_sheet, merged
from harness.judge.audit.finding import Finding
from harness.judge.audit.imported import imported_sheets
from harness.judge.audit.sheet import Line, Number, Sheet, sheets
from harness.spec.paper import load_paper

PAPERS = ROOT.parent / "shared" / "data" / "papers"
JUDGED = Path(__file__).parent / "audit_judged.json"
PER_KIND = 3
"""Errors of one kind in one table."""
Key = tuple[int, int]


@dataclass(frozen=True)
class Error:
    """A table with one error, and the addresses that the audit may point at."""

    kind: str
    sheet: Sheet
    places: frozenset[str]


# ---- tables --------------------------------------------------------------------------------


def number(text: str, at: str, **fields: object) -> Number:
    mean = Decimal(text)
    exponent = mean.as_tuple().exponent
    assert isinstance(exponent, int)
    made = Number(at, at, text, mean, Decimal(f"5E{exponent - 1}"))
    return replace(made, **fields)  # type: ignore[arg-type]


def made_sheet(name: str, columns: list[str], lines: list[list[str]], **fields: object) -> Sheet:
    held = {
        (r, c): number(text, f"{name}:{r}:{c}")
        for r, line in enumerate(lines)
        for c, text in enumerate(line)
    }
    rows = tuple(Line(f"row {r}") for r in range(len(lines)))
    return replace(
        Sheet(name, name, "", rows, tuple(map(Line, columns)), held),
        **fields,  # type: ignore[arg-type]
    )


def generated(seed: int) -> list[Sheet]:
    """Consistent tables with a mean, a total, shares, gains, F1, extremes, counts, stars."""
    draw = random.Random(f"audit {seed}")
    n = draw.randint(5, 8)

    def mean(values: list[float], places: int = 1) -> str:
        return f"{math.fsum(values) / len(values):.{places}f}"

    def some(low: float, high: float, count: int) -> list[float]:
        return [round(draw.uniform(low, high), 1) for _ in range(count)]

    parts = [some(20, 90, 4) for _ in range(n)]
    counts = [[draw.randint(20, 900) for _ in range(3)] for _ in range(n)]
    totals = [*counts, [sum(line[c] for line in counts) for c in range(3)]]
    pairs = [some(30, 80, 2) for _ in range(n)]
    rates = [[round(draw.uniform(0.3, 0.95), 3) for _ in range(2)] for _ in range(n)]
    triples = [sorted(some(10, 60, 3)) for _ in range(n)]
    found = [
        made_sheet("means", [*"abcd", "Avg."], [[*map(str, p), mean(p)] for p in parts]),
        made_sheet("totals", [*"abc"], [[*map(str, line)] for line in totals]),
        made_sheet("gains", ["ours", "theirs", "gain"],
                   [[str(a), str(b), f"{a - b:.1f}"] for a, b in pairs]),
        made_sheet("f1", ["Precision", "Recall", "F1"],
                   [[f"{p:.3f}", f"{r:.3f}", f"{2 * p * r / (p + r):.3f}"] for p, r in rates]),
        made_sheet("extremes", ["min", "mean", "max"], [[*map(str, t)] for t in triples]),
        made_sheet("shares", [*"abcd"], _shares(draw, n)),
        made_sheet("counted", [*"abc"],
                   [[f"{draw.randint(10, 24) * 4}.0" for _ in range(3)] for _ in range(n)],
                   percent=True, items=25, runs=1),
        _bold(made_sheet("accuracy", [*"abcd"], [[*map(str, some(55, 80, 4))] for _ in range(n)],
                         percent=True, better="higher", runs=3), draw),
        _starred(draw, n),
        _intervals(draw, n),
    ]  # fmt: skip
    return [replace(s, id=f"generated {seed} {s.id}") for s in found]


def _shares(draw: random.Random, n: int) -> list[list[str]]:
    columns = []
    for _ in range(4):
        cuts = sorted(draw.sample(range(1, 1000), n - 1))
        columns.append([b - a for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)])
    return [[f"{column[r] / 10:.1f}" for column in columns] for r in range(n)]


def _bold(sheet: Sheet, draw: random.Random) -> Sheet:
    held = dict(sheet.numbers)
    for column in range(len(sheet.columns)):
        best = max(sheet.column(column), key=lambda r: held[r, column].mean)
        held[best, column] = replace(held[best, column], bold=True)
    errors = {key: Decimal(draw.randint(1, 9)).scaleb(-1) for key in held}
    return replace(sheet, numbers={k: replace(x, error=errors[k]) for k, x in held.items()})


def _starred(draw: random.Random, n: int) -> Sheet:
    sheet = made_sheet(
        "regression", ["(1)"], [[f"{draw.uniform(0.1, 3):.3f}"] for _ in range(n + 3)]
    )
    held = {}
    for (r, c), x in sheet.numbers.items():
        ratio = (4.0, 2.2, 1.0)[r % 3] * draw.uniform(0.9, 1.1)
        error = Decimal(f"{x.value / ratio:.3f}")
        held[r, c] = replace(x, error=error, stars=(3, 2, 0)[r % 3])
    return replace(sheet, numbers=held)


def _intervals(draw: random.Random, n: int) -> Sheet:
    sheet = made_sheet(
        "intervals", ["a", "b"], [[f"{draw.uniform(1, 9):.2f}"] * 2 for _ in range(n)]
    )
    held = {}
    for key, x in sheet.numbers.items():
        wide = Decimal(f"{draw.uniform(0.2, 0.6):.2f}")
        mean = x.mean + draw.randint(0, 9) * Decimal("0.11")
        held[key] = replace(x, text=str(mean), mean=mean, low=mean - wide, high=mean + wide)
    return replace(sheet, numbers=held)


def corpus() -> Iterator[tuple[str, Sheet]]:
    """(paper, table) of what is read from sources; nothing where they are not there."""
    folders = sorted(PAPERS.iterdir()) if PAPERS.is_dir() else []
    for folder in folders:
        for path in sorted((folder / "tables").rglob("*")):
            if path.suffix in (".tex", ".md"):
                try:
                    tables = read_tables(path).tables
                except UserError:
                    continue
                yield from ((folder.name, sheet) for sheet in imported_sheets(tables, PAPERS))


# ---- errors --------------------------------------------------------------------------------


def retold(x: Number, text: str) -> Number:
    made = number(text, x.address)
    return replace(x, text=text, mean=made.mean, half=made.half)


def put(kind: str, sheet: Sheet, changed: dict[Key, Number]) -> Error:
    places = frozenset(x.address for x in changed.values())
    return Error(kind, replace(sheet, numbers={**sheet.numbers, **changed}), places)


def plain(x: Number) -> str:
    return f"{x.mean:f}"


def swapped_digits(x: Number, draw: random.Random) -> str | None:
    text = plain(x)
    at = [i for i in range(len(text)) if text[i].isdigit()]
    pairs = [(i, j) for i, j in pairwise(at) if text[i] != text[j]]
    if not pairs:
        return None
    i, j = draw.choice(pairs)
    return text[:i] + text[j] + text[i + 1 : j] + text[i] + text[j + 1 :]


def other_digit(x: Number, draw: random.Random) -> str | None:
    text = plain(x)
    i = draw.choice([i for i in range(len(text)) if text[i].isdigit()])
    return text[:i] + draw.choice([d for d in "0123456789" if d != text[i]]) + text[i + 1 :]


def moved(power: int) -> Callable[[Number, random.Random], str | None]:
    return lambda x, _: f"{x.mean.scaleb(power):f}" if x.mean else None


def negated(x: Number, _: random.Random) -> str | None:
    return f"{-x.mean:f}" if x.mean else None


def shortened(x: Number, _: random.Random) -> str | None:
    text = plain(x)
    return text[:-1] if "." in text and len(text.partition(".")[2]) > 1 else None


def stepped(x: Number, units: int) -> str:
    """A number so many units of its last digit away."""
    return f"{(x.mean + units * 2 * x.half).quantize(x.mean):f}"


def shifted(x: Number, draw: random.Random) -> str | None:
    return stepped(x, draw.choice([-5, -3, 3, 5]))


TEXTS: dict[str, Callable[[Number, random.Random], str | None]] = {
    "digit swap": swapped_digits,
    "wrong digit": other_digit,
    "wrong unit": moved(2),
    "share for percent": moved(-2),
    "point slip": moved(1),
    "point slip down": moved(-1),
    "sign slip": negated,
    "lost digit": shortened,
    "slight change": shifted,
}
HEADED = {"wrong average": "avg", "wrong gain": "gain", "wrong F1": "f1", "mean beyond": "mean"}


def errors(sheet: Sheet, seed: str) -> Iterator[Error]:
    """A few errors of every kind that a table has room for."""
    draw = random.Random(seed)
    keys = sorted(sheet.numbers)
    for kind, change in TEXTS.items():
        for key in draw.sample(keys, min(PER_KIND, len(keys))):
            text = change(sheet.numbers[key], draw)
            if (text is not None and Decimal(text) != sheet.numbers[key].mean) or (
                kind == "lost digit" and text
            ):
                yield put(kind, sheet, {key: retold(sheet.numbers[key], str(text))})
    yield from _headed(sheet, draw)
    yield from _swaps(sheet, draw)
    yield from _marks(sheet, draw)


def _headed(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    """Errors in a column that its heading says is derived."""
    for kind, word in HEADED.items():
        for c, line in enumerate(sheet.columns):
            if word in line.label.casefold().split(".")[0].split():
                rows = sorted(sheet.column(c))
                for r in draw.sample(rows, min(PER_KIND, len(rows))):
                    x = sheet.numbers[r, c]
                    far = 600 if kind == "mean beyond" else draw.choice([-9, -7, 7, 9])
                    yield put(kind, sheet, {(r, c): retold(x, stepped(x, far))})


def _swaps(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    rows, columns = range(len(sheet.rows)), range(len(sheet.columns))

    def trade(kind: str, pairs: list[tuple[Key, Key]]) -> Iterator[Error]:
        full = [(a, b) for a, b in pairs if a in sheet.numbers and b in sheet.numbers]
        changed = {}
        for a, b in full:
            x, y = sheet.numbers[a], sheet.numbers[b]
            changed[a] = replace(y, address=x.address, place=x.place)
            changed[b] = replace(x, address=y.address, place=y.place)
        if any(sheet.numbers[a].text != sheet.numbers[b].text for a, b in full):
            yield put(kind, sheet, changed)

    for _ in range(PER_KIND):
        if len(rows) > 1:
            i, j = draw.sample(rows, 2)
            c = draw.choice(columns)
            yield from trade("cell swap", [((i, c), (j, c))])
            yield from trade("row swap", [((i, c), (j, c)) for c in columns])
            copy = {
                (j, c): replace(x, address=y.address, place=y.place)
                for c in columns
                if (x := sheet.numbers.get((i, c))) and (y := sheet.numbers.get((j, c)))
            }
            if copy:
                yield put("copied row", sheet, copy)
        if len(columns) > 1:
            i, j = draw.sample(columns, 2)
            yield from trade("column swap", [((r, i), (r, j)) for r in rows])
    if len(rows) > 3:
        gone = draw.choice(rows)
        kept = {k: x for k, x in sheet.numbers.items() if k[0] != gone}
        if kept:
            yield Error("dropped row", replace(sheet, numbers=kept),
                        frozenset(x.address for x in kept.values()))  # fmt: skip


def _marks(sheet: Sheet, draw: random.Random) -> Iterator[Error]:
    for key in [k for k, x in sorted(sheet.numbers.items()) if x.bold][:PER_KIND]:
        other = draw.choice(
            [k for k in sorted(sheet.numbers) if k[1] == key[1] and k != key] or [key]
        )
        if other != key:
            a, b = sheet.numbers[key], sheet.numbers[other]
            changed = {key: replace(a, bold=False), other: replace(b, bold=True)}
            yield put("shifted bold", sheet, changed)
    for key, x in sorted(sheet.numbers.items())[:PER_KIND]:
        if x.low is not None and x.high is not None:
            up = x.high + (x.high - x.low)
            yield put("wrong interval", sheet, {key: retold(x, f"{up:f}")})
        if x.stars:
            yield put("wrong stars", sheet, {key: replace(x, stars=0)})
        if x.error is not None and not x.stars:
            yield put("wrong spread", sheet, {key: replace(x, error=x.error * 1000)})


# ---- what can be found, by relations of the numbers themselves ------------------------------


def witnesses(sheet: Sheet) -> set[str]:
    """Names of the relations that hold everywhere in a table."""
    held: set[str] = set()
    for turned in (False, True):
        s = sheet.transposed() if turned else sheet
        lines = [s.column(c) for c in range(len(s.columns))]
        for c, line in enumerate(lines):
            if len(line) >= 3:
                label = s.columns[c].words
                held |= {f"{turned} {label}: {name}" for name in _line_facts(s, c, line)}
        sums = [sum(x.value for x in line.values()) for line in lines if len(line) >= 3]
        if len(sums) >= 3 and all(abs(t - 100) <= 0.06 * len(s.rows) for t in sums):
            held.add(f"{turned} shares")
        texts = [tuple(x.text for x in line.values()) for line in lines if len(line) >= 3]
        if len(set(texts)) == len(texts):
            held.add(f"{turned} all differ")
    if sheet.percent and all(0 <= x.mean <= 100 for x in sheet.numbers.values()):
        held.add("percentages")
    if sheet.percent and all((x.error or 0) <= 75 for x in sheet.numbers.values()):
        held.add("spreads")
    if sheet.items and all(
        float(x.mean) * sheet.items % 100 < 1e-9 for x in sheet.numbers.values()
    ):
        held.add("counts")
    if all(
        x.low is None or x.high is None or x.low <= x.mean <= x.high for x in sheet.numbers.values()
    ):
        held.add("intervals")
    return held


def _line_facts(sheet: Sheet, c: int, line: dict[int, Number]) -> Iterator[str]:
    """What holds in every row of a column, given the others."""
    label = sheet.columns[c].label.casefold()
    values = [x.value for x in line.values()]
    rows = [
        {k: x.value for (r, k), x in sheet.numbers.items() if r == row and k != c} for row in line
    ]
    digits = {len(x.text.partition(".")[2]) for x in line.values() if "(" not in x.text}
    if len(line) >= 4 and len(digits) == 1:
        yield "digits"
    before = [[v for k, v in row.items() if k < c] for row in rows]
    if min(map(len, before)) >= 2:
        slack = [float(x.half) * (1 + 1e-6) for x in line.values()]
        near = [(v, b, h) for v, b, h in zip(values, before, slack, strict=True)]
        if "av" in label and all(abs(v - sum(b) / len(b)) <= 2 * h for v, b, h in near):
            yield "mean"
        if min(map(len, before)) >= 3 and all(abs(v - sum(b)) <= h for v, b, h in near):
            yield "sum"
        if all(abs(v - (b[-2] - b[-1])) <= 3 * h for v, b, h in near):
            yield "difference"
        if "f1" in label and all(
            abs(v - 2 * b[-2] * b[-1] / max(1e-9, b[-2] + b[-1])) <= 3 * h for v, b, h in near
        ):
            yield "harmonic"
    if label == "mean" and all(
        min(r.values()) <= v <= max(r.values()) for v, r in zip(values, rows, strict=True)
    ):
        yield "between"
    if (
        len(values) >= 5
        and min(map(abs, values)) > 0
        and max(map(abs, values)) <= 5 * min(map(abs, values))
    ):
        yield "one size"
    if (
        len(values) >= 5
        and (min(values) > 0 or max(values) < 0)
        and max(map(abs, values)) <= 8 * min(map(abs, values))
    ):
        yield "one sign"
    bold = [x for x in line.values() if x.bold]
    if len(bold) == 1 and sheet.better and bold[0].mean == max(x.mean for x in line.values()):
        yield "bold"
    if len({x.stars for x in line.values()}) > 1 and all(x.error for x in line.values()):
        order = sorted(line.values(), key=lambda x: abs(x.value) / float(x.error or 1))
        if [x.stars for x in order] == sorted(x.stars for x in line.values()):
            yield "stars"


# ---- score ---------------------------------------------------------------------------------


def said(sheet: Sheet) -> dict[tuple[str, str, tuple[str, ...]], Finding]:
    return {(f.rule, f.printed, f.addresses): f for f in merged(audit_sheet(sheet))}


def score(found: list[tuple[str, Sheet]]) -> dict[str, Counter[str]]:
    """Kind -> how many were injected, can be found, and were found."""
    tally: dict[str, Counter[str]] = {}
    for paper, sheet in found:
        before, held = said(sheet), witnesses(sheet)
        for error in errors(sheet, f"{paper} {sheet.id}"):
            kept = {f" {line.words}: " for s in error.sheet.both_ways() for line in s.columns}
            still = {h for h in held if ": " not in h or any(k in h for k in kept)}
            detectable = not still <= witnesses(error.sheet)
            after = said(error.sheet)
            new = [f for key, f in after.items() if key not in before]
            caught = any(error.places & set(f.addresses) for f in new)
            count = tally.setdefault(error.kind, Counter())
            count["injected"] += 1
            count["detectable"] += detectable
            count["found"] += caught
            count["both"] += caught and detectable
    return tally


def printed(title: str, tally: dict[str, Counter[str]]) -> list[str]:
    lines = [
        title,
        "| kind | injected | found | recall | detectable | found of these | recall |",
        "|---|---|---|---|---|---|---|",
    ]
    total: Counter[str] = sum(tally.values(), Counter())
    for kind, n in [*sorted(tally.items()), ("all", total)]:
        raw, of = n["found"] / max(1, n["injected"]), n["both"] / max(1, n["detectable"])
        lines.append(
            f"| {kind} | {n['injected']} | {n['found']} | {raw:.0%} | {n['detectable']} | "
            f"{n['both']} | {f'{of:.0%}' if n['detectable'] else '-'} |"
        )
    return lines


def precision(found: list[tuple[str, Sheet]]) -> tuple[int, int, list[str]]:
    """Findings on the papers as they are: judged right, judged at all, and those that are not."""
    judged = json.loads(JUDGED.read_text(encoding="utf-8")) if JUDGED.exists() else {}
    right = total = 0
    open_: list[str] = []
    for _, sheet in found:
        for finding in said(sheet).values():
            verdict = judged.get(finding.id)
            total += verdict is not None
            right += bool(verdict and verdict["right"])
            if verdict is None:
                open_.append(f"{finding.id} | {finding.printed} | {finding.expected}")
    return right, total, open_


def wilson(right: int, total: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    z, p = 1.96, right / total
    middle, half = (
        p + z * z / (2 * total),
        z * math.sqrt(p * (1 - p) / total + z * z / (4 * total**2)),
    )
    return (middle - half) / (1 + z * z / total), (middle + half) / (1 + z * z / total)


def main() -> None:
    mine = [("this paper", sheet) for sheet in sheets(load_paper(ROOT / "specs"))]
    made = [(f"generated {seed}", sheet) for seed in range(5) for sheet in generated(seed)]
    others = [(name, s) for name, s in corpus() if 6 <= len(s.numbers) <= 40]
    out: list[str] = []
    record: dict[str, object] = {}
    groups = {"generated papers": made, "this paper": mine, "papers of others": others[::4]}
    for title, group in groups.items():
        if group:
            tally = score(group)
            out += [*printed(title, tally), ""]
            digest = hashlib.sha256("".join(s.id for _, s in group).encode()).hexdigest()[:12]
            record[title] = {"tables": len(group), "of": digest, "kinds": tally}
    right, total, open_ = precision([*mine, *((n, s) for n, s in corpus())])
    if total:
        low, high = wilson(right, total)
        out.append(
            f"precision on the papers as they are: {right} of {total} findings are right "
            f"({right / total:.0%}, 95 % interval {low:.0%} to {high:.0%})"
        )
        record["precision"] = {"right": right, "findings": total}
    out += [f"not judged: {text}" for text in open_]
    print("\n".join(out))
    path = RESULTS / "audit.json"
    path.write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
