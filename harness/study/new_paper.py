"""`repro new-paper`: a project with one table that can be made, shown and verified at once."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from harness.errors import UserError
from harness.spec.schema import files
from harness.study.trust import trust

SKELETON = Path(__file__).parents[1] / "skeleton"
_HIDDEN = {"gitignore": ".gitignore"}
"""Files that would be heeded here if they had their own names."""


def new_paper(folder: Path) -> None:
    """Write a new project, and the schemas by which editors complete and check its specs.

    Raises:
        UserError: the folder is not empty.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder}: not empty; name a new folder")
    name = re.sub(r"[^a-z0-9]+", "-", folder.resolve().name.lower()).strip("-") or "my-paper"
    unwanted = shutil.ignore_patterns("__pycache__")
    shutil.copytree(SKELETON, folder, dirs_exist_ok=True, ignore=unwanted)
    for plain, hidden in _HIDDEN.items():
        (folder / plain).rename(folder / hidden)
    about = folder / "specs" / "paper.toml"
    about.write_text(
        about.read_text(encoding="utf-8").replace('"my-paper"', f'"{name}"'), encoding="utf-8"
    )
    for path, text in files().items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")
    trust(folder.resolve())  # all of its code is the skeleton's, so far
