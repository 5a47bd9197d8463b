"""The papers that errors are put into: generated ones, this one, and those read from sources."""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from benchmarks.bench import ROOT
from harness.errors import UserError
from harness.importing import read_tables
from harness.judge.audit.document import imported_sheets
from harness.judge.audit.said import Said
from harness.judge.audit.sheet import Line, Number, Sheet, sheets
from harness.spec.paper import load_paper

SOURCES = ROOT.parent / "shared" / "data" / "papers"
MOST_TABLES = 3
"""Tables of one paper that errors go into, drawn by chance, so that no paper counts for all."""
SIZES = range(6, 121)
"""Numbers of a table that errors go into."""


@dataclass(frozen=True)
class Paper:
    """Tables and sentences of one paper."""

    name: str
    sheets: tuple[Sheet, ...]
    said: tuple[Said, ...] = ()
    digest: str = ""
    """Of the files that it was read from."""


def read_papers() -> Iterator[Paper]:
    """Papers read from their sources, where `../shared/data/papers` is there."""
    for folder in sorted(SOURCES.iterdir()) if SOURCES.is_dir() else []:
        found, digest = [], hashlib.sha256()
        for path in sorted((folder / "tables").rglob("*")):
            if path.suffix in (".tex", ".md", ".html", ".csv"):
                try:
                    tables = read_tables(path).tables
                except UserError:
                    continue
                digest.update(path.read_bytes())
                found += imported_sheets(tables, SOURCES)
        if found:
            yield Paper(folder.name, tuple(found), (), digest.hexdigest()[:16])


def this_paper() -> Paper:
    specs = ROOT / "specs"
    digest = hashlib.sha256()
    for path in sorted((specs / "tables").glob("*.toml")):
        digest.update(path.read_bytes())
    return Paper("this paper", tuple(sheets(load_paper(specs))), (), digest.hexdigest()[:16])


def drawn_tables(paper: Paper) -> Sequence[Sheet]:
    """The tables of a paper that errors go into."""
    fitting = [sheet for sheet in paper.sheets if len(sheet.numbers) in SIZES]
    if not paper.digest or len(fitting) <= MOST_TABLES:
        return fitting
    return random.Random(f"tables of {paper.name}").sample(fitting, MOST_TABLES)


def number(text: str, at: str) -> Number:
    mean = Decimal(text)
    exponent = mean.as_tuple().exponent
    assert isinstance(exponent, int)
    return Number(at, at, text, mean, Decimal(f"5E{exponent - 1}"))


def _sheet(name: str, columns: Sequence[str], lines: Sequence[Sequence[str]]) -> Sheet:
    held = {
        (r, c): number(text, f"{name}:{r}:{c}")
        for r, line in enumerate(lines)
        for c, text in enumerate(line)
    }
    rows = tuple(Line(f"Row{r}") for r in range(len(lines)))
    return Sheet(name, name, "", rows, tuple(map(Line, columns)), held)


def generated(seed: int) -> Paper:
    """A consistent paper: one table for each relation between numbers, and sentences on them."""
    draw = random.Random(f"audit {seed}")
    n = draw.randint(5, 8)
    made = [
        _means(draw, n), _totals(draw, n), _gains(draw, n), _rates(draw, n), _extremes(draw, n),
        _shares(draw, n), _counted(draw, n), _bold(draw, n), _starred(draw, n),
        _intervals(draw, n), _tests(draw, n),
    ]  # fmt: skip
    named = [_named(sheet, f"generated {seed} {sheet.id}") for sheet in made]
    return Paper(f"generated {seed}", tuple(named), tuple(_sentences(named, draw)))


def _named(sheet: Sheet, name: str) -> Sheet:
    numbers = {}
    for (r, c), x in sheet.numbers.items():
        words = f"{name}, {sheet.rows[r].label} at {sheet.columns[c].label}"
        numbers[r, c] = replace(x, address=f"{name}:{r}:{c}", place=words)
    return replace(sheet, id=name, label=name, numbers=numbers)


def _some(draw: random.Random, low: float, high: float, count: int) -> list[float]:
    return [round(draw.uniform(low, high), 1) for _ in range(count)]


def _means(draw: random.Random, n: int) -> Sheet:
    parts = [_some(draw, 20, 90, 4) for _ in range(n)]
    lines = [[*map(str, p), f"{math.fsum(p) / 4:.1f}"] for p in parts]
    return _sheet("means", ["Ponds", "Lakes", "Rivers", "Seas", "Avg."], lines)


def _totals(draw: random.Random, n: int) -> Sheet:
    counts = [[draw.randint(20, 900) for _ in range(3)] for _ in range(n)]
    lines = [*counts, [sum(line[c] for line in counts) for c in range(3)]]
    return _sheet("totals", ["Ants", "Bees", "Crabs"], [[*map(str, line)] for line in lines])


def _gains(draw: random.Random, n: int) -> Sheet:
    pairs = [_some(draw, 30, 80, 2) for _ in range(n)]
    lines = [[str(a), str(b), f"{a - b:.1f}"] for a, b in pairs]
    return _sheet("gains", ["ours", "theirs", "gain"], lines)


def _rates(draw: random.Random, n: int) -> Sheet:
    rates = [[round(draw.uniform(0.3, 0.95), 3) for _ in range(2)] for _ in range(n)]
    lines = [[f"{p:.3f}", f"{r:.3f}", f"{2 * p * r / (p + r):.3f}"] for p, r in rates]
    return _sheet("f1", ["Precision", "Recall", "F1"], lines)


def _extremes(draw: random.Random, n: int) -> Sheet:
    lines = [[*map(str, sorted(_some(draw, 10, 60, 3)))] for _ in range(n)]
    return _sheet("extremes", ["min", "mean", "max"], lines)


def _shares(draw: random.Random, n: int) -> Sheet:
    columns = []
    for _ in range(4):
        cuts = sorted(draw.sample(range(1, 1000), n - 1))
        columns.append([b - a for a, b in zip([0, *cuts], [*cuts, 1000], strict=True)])
    lines = [[f"{column[r] / 10:.1f}" for column in columns] for r in range(n)]
    return _sheet("shares", [*"ABCD"], lines)


def _counted(draw: random.Random, n: int) -> Sheet:
    """Percentages of 25 test items in one run."""
    lines = [[f"{draw.randint(10, 24) * 4}.0" for _ in range(3)] for _ in range(n)]
    sheet = _sheet("counted", [*"abc"], lines)
    return _each(sheet, percent=True, items=25, runs=1)


def _each(sheet: Sheet, **fields: object) -> Sheet:
    changed = {k: replace(x, **fields) for k, x in sheet.numbers.items()}  # type: ignore[arg-type]
    return replace(sheet, numbers=changed)


def _bold(draw: random.Random, n: int) -> Sheet:
    lines = [[*map(str, _some(draw, 55, 80, 4))] for _ in range(n)]
    sheet = _each(_sheet("accuracy", [*"WXYZ"], lines), percent=True, runs=3)
    held = {
        k: replace(x, error=Decimal(draw.randint(1, 9)).scaleb(-1))
        for k, x in sheet.numbers.items()
    }
    for column in range(len(sheet.columns)):
        best = max(sheet.column(column), key=lambda r: held[r, column].mean)
        held[best, column] = replace(held[best, column], bold=True)
    return replace(sheet, numbers=held, better="higher")


def _starred(draw: random.Random, n: int) -> Sheet:
    sheet = _sheet("regression", ["(1)"], [[f"{draw.uniform(0.1, 3):.3f}"] for _ in range(n + 3)])
    held = {}
    for (r, c), x in sheet.numbers.items():
        ratio = (4.0, 2.2, 1.0)[r % 3] * draw.uniform(0.95, 1.05)
        error = Decimal(f"{x.value / ratio:.3f}")
        held[r, c] = replace(x, error=error, stars=(3, 2, 0)[r % 3])
    notes = "Standard errors in parentheses. ** p < 0.05, *** p < 0.01"
    return replace(sheet, numbers=held, caption=notes)


def _intervals(draw: random.Random, n: int) -> Sheet:
    lines = []
    for _ in range(n):
        estimate, error = draw.randint(100, 900), draw.randint(10, 60)
        wide = round(1.96 * error)
        lines.append(
            [f"{v / 100:.2f}" for v in (estimate, error, estimate - wide, estimate + wide)]
        )
    return _sheet("intervals", ["Estimate", "SE", "Lower", "Upper"], lines)


def _tests(draw: random.Random, n: int) -> Sheet:
    lines = []
    for _ in range(n):
        z = draw.randint(20, 300) / 100
        lines.append([f"{z:.2f}", f"{math.erfc(z / math.sqrt(2)):.3f}"])
    return _sheet("tests", ["z", "p"], lines)


def _sentences(made: Sequence[Sheet], draw: random.Random) -> Iterator[Said]:
    """Sentences that repeat cells, sum up counts, and report tests."""
    means, totals = made[0], made[1]
    for row in range(4):
        cell = means.numbers[row, row]
        words = f"{means.rows[row].label} has {cell.text} on {means.columns[row].label}."
        yield Said(f"{means.id}:text:{row}", "text", words, (means.label,))
    a, b = draw.randint(3, 20), draw.randint(3, 20)
    yield Said(f"{totals.id}:text:product", "text", f"We ran {a} × {b} = {a * b} trials.")
    whole = draw.randint(20, 90)
    part = draw.randint(1, whole - 1)
    share = f"{part} of {whole} ({100 * part / whole:.0f}%) passed."
    yield Said(f"{totals.id}:text:share", "text", share)
    z = draw.randint(100, 250) / 100
    test = f"The groups differ (z = {z:.2f}, p = {math.erfc(z / math.sqrt(2)):.3f})."
    yield Said(f"{totals.id}:text:test", "text", test)
