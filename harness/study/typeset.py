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
        ["latexmk", "-pdf", "-interaction=nonstopmode", "-halt-on-error", main.name],
        cwd=main.parent,
        # TeX breaks the lines of its log, messages included, unless it is told not to.
        env={**os.environ, "max_print_line": "1000"},
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
