"""`CITATION.cff` (Citation File Format 1.2.0) of a paper, from its specs.

`cffconvert` makes CodeMeta and Zenodo's metadata of it, so that these are not written here.
"""

from __future__ import annotations

import json
import re
from hashlib import sha256
from typing import Any

from harness.spec.paper import PaperFile

CITATION = "CITATION.cff"
_MADE = "# Made from specs/paper.toml, and made again until it is edited. SHA-256 of the rest: "
"""Opens a file that is made again from the specs wherever it is needed."""


def citation(about: PaperFile) -> str:
    """The file, as YAML: how to cite runs of a paper, and the paper itself."""
    authors = [_person(name) for name in about.authors] or [
        {"name": f"The authors of {about.title}"}  # the format asks for one
    ]
    year = re.search(r"\b(?:19|20)\d\d\b", about.venue)
    paper = {
        "type": "generic",
        "title": about.title,
        "authors": authors,
        **({"notes": about.venue} if about.venue else {}),  # the format takes no empty ones
        **({"year": int(year[0])} if year else {}),
    }
    told: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these runs, please cite them and the paper that they are of.",
        "type": "dataset",
        "title": f"Runs of {about.title}",
        "authors": authors,
        "references": [paper],
    }
    rest = "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items()
    )
    return f"{_opening(rest)}\n{rest}"


def is_own(text: str) -> bool:
    """Whether a `CITATION.cff` is its author's: not one of `citation`, or edited since."""
    first, _, rest = text.partition("\n")
    return first != _opening(rest)


def _opening(rest: str) -> str:
    return _MADE + sha256(rest.encode()).hexdigest()


def _person(name: str) -> dict[str, str]:
    given, _, family = name.rpartition(" ")
    return {"family-names": family, **({"given-names": given} if given else {})}
