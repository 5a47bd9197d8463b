"""Names that the shell offers when Tab is pressed: names that the specs of the project have.

Specs are read as they are written, without models, so that it is quick; a project that is not
there or a file that is wrong offers nothing, for a prompt is no place for a message.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

Offer = Callable[[str], list[str]]


def _offering(names: Callable[[Path, str], Iterator[str]]) -> Offer:
    def offer(incomplete: str) -> list[str]:
        with suppress(Exception):
            from harness.study.project import find_project

            found = names(find_project().specs, incomplete)
            return sorted({name for name in found if name.startswith(incomplete)})
        return []

    return offer


def _exhibits(specs: Path, incomplete: str) -> Iterator[str]:
    for folder in _exhibit_folders(specs):
        yield from _stems(folder)


def _parts(specs: Path, incomplete: str) -> Iterator[str]:
    """Exhibits; after a colon, their rows, and after another, their columns."""
    exhibit, colon, rest = incomplete.partition(":")
    if not colon:
        yield from _exhibits(specs, incomplete)
        return
    [path] = [path for folder in _exhibit_folders(specs) for path in folder.glob(f"{exhibit}.toml")]
    stated = _read(path)
    row, colon, _ = rest.partition(":")
    if not colon:
        yield from (f"{exhibit}:{each['name']}" for each in _named(stated, "rows", "panels"))
    yield from (f"{exhibit}:{row}:{each['name']}" for each in _named(stated, "columns") if colon)


def _variations(specs: Path, incomplete: str) -> Iterator[str]:
    """`owner.setting=` and each declared alternative."""
    for folder in (specs / "methods", specs / "recipes", *_exhibit_folders(specs)):
        for path in folder.glob("*.toml"):
            for setting, stated in _read(path).get("settings", {}).items():
                for choice in stated if isinstance(stated, list) else [stated]:
                    for value in choice.get("alternatives", ()):
                        said = value if isinstance(value, str) else json.dumps(value)
                        yield f"{path.stem}.{setting}={said}"


def _exhibit_folders(specs: Path) -> list[Path]:
    from harness.spec.paper import exhibit_folders

    return [specs / name for name in exhibit_folders(specs)]


def _read(path: Path) -> Mapping[str, Any]:
    import tomli

    return tomli.loads(path.read_text(encoding="utf-8-sig"))


def _named(stated: Mapping[str, Any], *keys: str) -> Iterator[Mapping[str, Any]]:
    for key in keys:
        yield from stated.get(key, ())


def _stems(folder: Path) -> Iterator[str]:
    return (path.stem for path in folder.glob("*.toml"))


exhibits = _offering(_exhibits)
parts = _offering(_parts)
variations = _offering(_variations)
profiles = _offering(lambda specs, _: _stems(specs / "profiles"))
datasets = _offering(lambda specs, _: _stems(specs / "datasets"))
