"""The results as a table and a plot in `docs/audit.md`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- measured: begin -->", "<!-- measured: end -->"
Counts = Mapping[str, Mapping[str, int]]


def write_page(results: Mapping[str, Any], docs: Path) -> None:
    """Put the table between the marks of the page, and draw the plot beside it."""
    page = docs / "audit.md"
    text = page.read_text(encoding="utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    lines = [*_summary(results), ""]
    for title, group in (("Seen while rules were written", "seen"), ("Held out", "held out")):
        lines += [f"### {title}", "", *_table(results["recall"].get(group, {})), ""]
    lines.append("![Recall by kind of error](audit-recall.svg)")
    told = "\n".join(lines)
    page.write_text(f"{before}{BEGIN}\n{told}\n{END}{after}", encoding="utf-8")
    _draw(results["recall"], docs / "audit-recall.svg")


def total(kinds: Counts) -> Counter[str]:
    found: Counter[str] = Counter()
    for counts in kinds.values():
        found.update(counts)
    return found


def wilson(right: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson, 1927)."""
    z, p = 1.959964, right / of
    middle = p + z * z / (2 * of)
    half = z * math.sqrt(p * (1 - p) / of + z * z / (4 * of**2))
    return (middle - half) / (1 + z * z / of), (middle + half) / (1 + z * z / of)


def _share(part: int, whole: int) -> str:
    if not whole:
        return "–"
    low, high = wilson(part, whole)
    return f"{part / whole:.1%} ({low:.1%} to {high:.1%})"


def _summary(results: Mapping[str, Any]) -> list[str]:
    every = total({k: total(kinds) for k, kinds in results["recall"].items()})
    told = results["precision"]
    first = told["first"]
    made = sum(digest == "generated" for digest in results["papers"].values())
    return [
        f"{every['injected']} errors in {len(results['papers'])} papers ({made} of them generated),"
        " one at a time; shares with their 95 % intervals (Wilson).",
        "",
        "| | of | found |",
        "|---|---|---|",
        f"| all errors (raw recall) | {every['injected']} | "
        f"{_share(every['found'], every['injected'])} |",
        f"| errors that could be found | {every['detectable']} | "
        f"{_share(every['both'], every['detectable'])} |",
        *_group_lines(results["recall"]),
        "",
        f"On the papers as they are there are {told['findings']} findings. {told['judged']} of "
        "them were judged by hand, without the name of the rule: "
        f"{_share(told['right'], told['judged'])} are right. On the generated papers, which are "
        f"consistent, there are {told['on_generated_papers']}.",
        "",
        "Beside that, the errors themselves say what is right: of the "
        f"{every['new']} findings that a table or a sentence has only with an error in it, "
        f"{_share(every['at_error'], every['new'])} name a number that was changed.",
        "",
        "At the first score, before rules that had spoken wrongly were mended with these papers in "
        f"view, {_share(first['right'], first['judged'])} of {first['judged']} findings were "
        f"right, and of what was held out {_share(first['both'], first['detectable'])} of "
        f"{first['detectable']} was found.",
    ]


def _group_lines(recall: Mapping[str, Counts]) -> list[str]:
    lines = []
    for group, kinds in recall.items():
        n = total(kinds)
        lines.append(
            f"| of these, {group} | {n['detectable']} | {_share(n['both'], n['detectable'])} |"
        )
    return lines


def _table(kinds: Counts) -> list[str]:
    lines = [
        "| kind | errors | found | could be found | of these found |",
        "|---|--:|--:|--:|--:|",
    ]
    for kind, n in kinds.items():
        of = f"{n['both'] / n['detectable']:.0%}" if n["detectable"] else "–"
        raw = f"{n['found']} ({n['found'] / n['injected']:.0%})"
        lines.append(f"| {kind} | {n['injected']} | {raw} | {n['detectable']} | {of} |")
    return lines


def _draw(recall: Mapping[str, Counts], path: Path) -> None:
    """Bars: all errors of a kind, those that could be found, and those that were."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "audit"
    from matplotlib import pyplot

    kinds: dict[str, Counter[str]] = {}
    for group in recall.values():
        for kind, counts in group.items():
            kinds.setdefault(kind, Counter()).update(counts)
    names = sorted(kinds, reverse=True)
    figure, axes = pyplot.subplots(figsize=(7, 0.26 * len(names) + 1), layout="constrained")
    for label, key, colour in (
        ("all", "injected", "#d9d9d9"),
        ("could be found", "detectable", "#9ecae1"),
        ("found", "found", "#08519c"),
    ):
        height = 0.8 if key != "found" else 0.4
        axes.barh(names, [kinds[n][key] for n in names], height, color=colour, label=label)
    axes.set_xlabel("errors")
    axes.margins(y=0.01)
    axes.legend(frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    axes.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
