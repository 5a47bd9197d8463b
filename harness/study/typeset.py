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


def _failure(main: Path, output: str) -> str:
    log = main.with_suffix(".log")
    text = log.read_text(encoding="utf-8", errors="replace") if log.is_file() else output
    problem = _PROBLEM.search(text)
    message = re.sub(r"\s*\n\(\w+\)\s+", " ", problem["message"]) if problem else output[-400:]
    hint = f" (on Debian, {PACKAGES} have all it needs)" if ".sty' not found" in message else ""
    return f"{main}: LaTeX stopped: {message.strip()}{hint}; the whole log is {log}"
