"""From LaTeX to a PDF, with latexmk."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

from harness.errors import UserError

PACKAGES = "texlive-latex-extra and latexmk"
"""The packages of Debian with all that is needed."""
_LATEXMK = (
    "latexmk",
    "-norc",  # such a file is Perl, and the paper may bring one
    "-pdf",
    "-pdflatex=pdflatex -no-shell-escape %O %S",
    "-interaction=nonstopmode",
    "-halt-on-error",
)
_TEX = {
    "shell_escape": "f",
    # Nothing above the folder is read or written, and no hidden file, but for TeX's own.
    "openin_any": "p",
    "openout_any": "p",
    "max_print_line": "1000",  # else TeX breaks the lines of its log, messages included
}
_EXHIBIT = re.compile(r"^repro: exhibit (?P<name>\S+)$(?P<log>.*?)^repro: end$", re.M | re.S)
r"""What `\reproexhibit` puts around all that the log says of an exhibit."""
_MISFIT = re.compile(
    r"(?P<wide>Overfull \\hbox \((?P<by>[\d.]+)pt too wide\))"
    r"|Float too large for page by (?P<high>[\d.]+)pt"
)
_UNSEEN = 1.0
"""Points by which an exhibit may stick out and nobody sees it."""
_PROBLEM = re.compile(r"^! (?P<message>.+(?:\n\(\w+\) .+)*)", re.MULTILINE)


def typeset(main: Path) -> Path:
    """Compile a LaTeX document in its folder; the PDF.

    Raises:
        UserError: LaTeX is not installed, or stopped with an error, which is quoted.
    """
    if shutil.which("latexmk") is None or shutil.which("pdflatex") is None:
        raise UserError(
            f"no PDF was built, as LaTeX is not installed; the document is in {main.parent}. "
            f"On Debian and its kin, install {PACKAGES} and run this again; elsewhere, TeX Live"
        )
    done = subprocess.run(
        [*_LATEXMK, main.name],
        cwd=main.parent,
        env={**os.environ, **_TEX},
        capture_output=True,
        check=False,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        raise UserError(_failure(main, done.stdout + done.stderr))
    return main.with_suffix(".pdf")


def misfits(main: Path) -> list[str]:
    """Exhibits that are wider than the text or higher than a page, as the log of TeX says."""
    text = main.with_suffix(".log").read_text(encoding="utf-8", errors="replace")
    found = []
    for exhibit in _EXHIBIT.finditer(text):
        wide, high = 0.0, 0.0
        for misfit in _MISFIT.finditer(exhibit["log"]):
            wide = max(wide, float(misfit["by"] or 0))
            high = max(high, float(misfit["high"] or 0))
        for by, what in ((wide, "wider than the text"), (high, "higher than the page")):
            if by > _UNSEEN:
                found.append(
                    f"{exhibit['name']} is {by:.0f} pt {what}; shorten its labels, give the "
                    "document more room, or turn it by hand"
                )
    return found


def inputs(main: Path) -> set[str]:
    """The names of the files that TeX read, as the recorder of latexmk says."""
    text = main.with_suffix(".fls").read_text(encoding="utf-8", errors="replace")
    return {Path(line).name for line in text.splitlines() if line.startswith("INPUT ")}


def _failure(main: Path, output: str) -> str:
    log = main.with_suffix(".log")
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else output
    problem = _PROBLEM.search(text)
    message = re.sub(r"\s*\n\(\w+\)\s+", " ", problem["message"]) if problem else output[-400:]
    hint = f" (on Debian, {PACKAGES} have all it needs)" if ".sty' not found" in message else ""
    return f"{main}: LaTeX stopped: {message.strip()}{hint}; the whole log is {log}"
