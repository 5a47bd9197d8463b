"""Export published results in every format, and print what the formats' own validators say.

    python -m tools.validate_formats [EXHIBIT...]

Validators that need other versions of what `repro` stands on have environments of their own, which
uv makes; that of Every Eval Ever needs Python 3.12. A format whose validator cannot be had is said
to be unchecked. Exits with 1 where one is not valid.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = ROOT / ".venv" / "bin" / "uv"
READ_LOGBOOK = """
import sys
from pathlib import Path
from trackio import logbook
place = Path(sys.argv[1])
found = logbook.build_manifest(place)
outlines = [logbook.read_page_outline(place, page["slug"]) for page in logbook.list_pages(place)]
held = [cell for each in outlines for cell in each["cells"]]
print(f"{len(found['root']['children'])} pages, {len(held)} cells")
"""


def main() -> int:
    exhibits = sys.argv[1:] or ["table8"]
    with tempfile.TemporaryDirectory() as place:
        os.environ["REPRO_STORE"] = f"{place}/store"
        folder = Path(place) / "export"
        export(folder, exhibits)
        told = {name: check(folder) for name, check in CHECKS.items()}
    for name, (said, _) in told.items():
        print(f"{name}: {said}")
    return int(not all(right for _, right in told.values()))


def export(folder: Path, exhibits: list[str]) -> None:
    from harness import Study
    from harness.study.exhibits import Request
    from harness.study.records import export

    names = ("every-eval-ever", "model-card", "croissant", "logbook", "crate")
    export(Study.open(ROOT).project, folder, exhibits, Request("paper"), names)


def every_eval_ever(folder: Path) -> tuple[str, bool]:
    files = [str(path) for path in sorted(folder.glob("every-eval-ever/data/*/*/*/*.json"))]
    names = [name.removeprefix(f"{folder}/every-eval-ever/") for name in files]
    return by_tool(
        folder / "every-eval-ever",
        lambda said: next(line.strip("│ ") for line in said.splitlines() if " passed, " in line),
        *("--python", newer_python(), "--from", "every-eval-ever==0.3.0"),
        *("every_eval_ever", "validate", *names),
    )


def newer_python() -> str:
    """One that lies beside this one, as version managers place them; else uv looks for it."""
    beside = Path(sys.base_prefix).parent.glob("3.1[2-9]*/bin/python3")
    return str(min(beside, default="3.12"))


def model_card(folder: Path) -> tuple[str, bool]:
    from huggingface_hub import ModelCard

    cards = [ModelCard.load(path) for path in sorted(folder.glob("model-card/*/*/README.md"))]
    empty = sum(not card.data.eval_results for card in cards)
    said = f"{len(cards)} cards read by huggingface_hub, {empty} of them without results"
    return said, bool(cards) and not empty


def croissant(folder: Path) -> tuple[str, bool]:
    import mlcroissant

    try:
        issues = mlcroissant.Dataset(jsonld=folder / "croissant.json").metadata.ctx.issues
    except mlcroissant.ValidationError as error:
        return str(error), False
    missing = sorted(line.split('"')[1].rpartition("/")[2] for line in issues.warnings)
    return f"no errors; recommended and not known: {', '.join(missing)}", True


def logbook(folder: Path) -> tuple[str, bool]:
    return by_tool(
        folder,
        str.strip,
        *("--with", "trackio==0.43.0", "python", "-c", READ_LOGBOOK, ".trackio"),
        run=True,
    )


def citation(folder: Path) -> tuple[str, bool]:
    return by_tool(folder, str.strip, "cffconvert==2.0.0", "--validate", "--infile", "CITATION.cff")


def crate(folder: Path) -> tuple[str, bool]:
    script = ("--script", str(ROOT / "tools" / "validate_crate.py"), ".")
    return by_tool(folder, lambda said: said.splitlines()[-1], *script, run=True)


def by_tool(
    folder: Path, line: Callable[[str], str], *words: str, run: bool = False
) -> tuple[str, bool]:
    """What a tool says in a folder, cut to a line, and whether it agrees."""
    how = ("run", "--no-project") if run else ("tool", "run")
    told = subprocess.run([UV, "--quiet", *how, *words], cwd=folder, capture_output=True, text=True)
    if any(sign in told.stderr for sign in ("No solution found", "Failed to")):
        return "not checked, since its validator cannot be installed here", True
    if told.returncode:
        return told.stdout + told.stderr, False
    return line(told.stdout), True


CHECKS: dict[str, Callable[[Path], tuple[str, bool]]] = {
    "Every Eval Ever": every_eval_ever,
    "model-index": model_card,
    "Croissant": croissant,
    "Trackio logbook": logbook,
    "CITATION.cff": citation,
    "RO-Crate": crate,
}

if __name__ == "__main__":
    sys.exit(main())
