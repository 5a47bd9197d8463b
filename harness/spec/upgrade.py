"""Rewriting specs of an older format: what a key says may move, comments and order stay.

A change of the format that specs of before do not follow adds one migration here and raises
`FORMAT` in `harness.spec.paper`. A migration may look at all files, since keys refer to each other.
"""

from __future__ import annotations

import json
import re
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli

from harness.errors import UserError
from harness.spec.paper import format_of, load_paper
from harness.spec.toml import SpecError

Texts = Mapping[Path, str]
"""Path of a spec from the folder of specs -> its text."""
ABOUT = Path("paper.toml")
"""The spec that holds the number of the format."""


def upgraded(root: Path) -> dict[Path, tuple[str, str]]:
    """Path of every spec that the present format writes otherwise -> its text, and the new one.

    Nothing is written. The new specs are loaded, so that an upgrade never leaves broken ones;
    `paper.toml` comes last, so that one which is cut off can be done again.

    Raises:
        SpecError: the specs are wrong as they are, or of a format that is newer than this version.
        UserError: they would be wrong after the upgrade.
    """
    load_paper(root)
    paths = [path for path in sorted(root.rglob("*.toml")) if path.is_file()]
    before = {path.relative_to(root): path.read_text(encoding="utf-8-sig") for path in paths}
    after: Texts = before
    for number, migrate in enumerate(MIGRATIONS[format_of(root) - 1 :], format_of(root) + 1):
        after = _numbered(migrate(after), number)
    changed = {path: (text, after[path]) for path, text in before.items() if text != after[path]}
    changed = dict(sorted(changed.items(), key=lambda item: item[0] == ABOUT))
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder) / "specs"
        shutil.copytree(root, copied)
        for path, (_, text) in changed.items():
            (copied / path).write_text(text, encoding="utf-8")
        try:
            load_paper(copied)
        except SpecError as error:
            message = str(error).replace(str(copied), str(root))
            raise UserError(f"not upgraded, for the result would be wrong: {message}") from None
    return changed


def _numbered(texts: Texts, number: int) -> Texts:
    """The same with the format's number, in front of the other keys of `paper.toml`."""
    stated = re.compile(r"^format *=.*$", re.MULTILINE)
    first = re.compile(r"^(?=[^\s#])", re.MULTILINE)
    line = f"format = {number}"
    text, found = stated.subn(line, texts[ABOUT], count=1)
    return {**texts, ABOUT: text if found else first.sub(f"{line}\n", text, count=1)}


def share_copies(texts: Texts) -> Texts:
    """Format 2: a setting that is a copy of another, word for word, is taken from it.

    Only where nothing else follows from it: neither has alternatives, which could be varied one by
    one, and no profile puts a value in the place of either. What the paper itself states stays
    where it is, as it states it for each.
    """
    shared = dict(texts)
    for owner, *others in copies(texts).values():
        for path, name in others:
            origin = f"{owner[0].stem}.{owner[1]}"
            shared[path] = taken(shared[path], name, origin)
    return shared


def copies(texts: Texts) -> dict[str, list[tuple[Path, str]]]:
    """What settings state -> those of one name that state it, where nothing varies them."""
    overridden = {
        name
        for path, text in texts.items()
        if path.parent.name == "profiles"
        for name in tomli.loads(text).get("override", {})
    }
    found = defaultdict(list)
    for path, name, setting in _settings(texts):
        own = any("alternatives" in each or each["source"] == "paper" for each in setting)
        if not own and f"{path.stem}.{name}" not in overridden:
            found[json.dumps([name, setting], sort_keys=True)].append((path, name))
    return {stated: places for stated, places in found.items() if len(places) > 1}


def _settings(texts: Texts) -> Iterator[tuple[Path, str, list[Mapping[str, Any]]]]:
    """Every setting of a method or a recipe that states its choices."""
    for path, text in sorted(texts.items()):
        if path.parent.as_posix() in ("methods", "recipes"):
            for name, stated in tomli.loads(text).get("settings", {}).items():
                if "from" not in stated:
                    yield path, name, stated if isinstance(stated, list) else [stated]


def taken(text: str, name: str, origin: str) -> str:
    """A spec in which one setting is taken from another; unchanged where it has no own header."""
    header = re.compile(rf"\s*\[\[?settings\.{re.escape(name)}\]\]?\s*(#.*)?$")
    lines = text.splitlines(keepends=True)
    kept: list[str] = []
    inside = False
    for index, line in enumerate(lines):
        if header.match(line):
            if not inside and not any(map(header.match, lines[:index])):
                kept += [f"[settings.{name}]\n", f'from = "{origin}"\n']
            inside = True
        elif inside and re.match(r"\s*(#|\[|$)", line):
            inside = False
        if not inside:
            kept.append(line)
    new = re.sub(r"\n{3,}", "\n\n", "".join(kept))
    expected = tomli.loads(text)
    expected["settings"][name] = {"from": origin}
    try:
        return new if tomli.loads(new) == expected else text
    except tomli.TOMLDecodeError:
        return text


def state_units(texts: Texts) -> Texts:
    """Format 3: a table says that its numbers are accuracies, which it went without saying."""
    line = 'unit = "percent top-1"\n'
    new = dict(texts)
    for path, text in texts.items():
        reporting = tomli.loads(text).get("reporting", {})
        if path.parent.as_posix() != "tables" or "unit" in reporting:
            continue
        section, first = r"^(\[reporting\].*\n)", r"^(?=\[)"
        if re.search(section, text, re.MULTILINE):
            new[path] = re.sub(section, rf"\g<1>{line}", text, count=1, flags=re.MULTILINE)
        elif not reporting:
            head = f"[reporting]\n{line}\n"
            new[path] = re.sub(first, head, text, count=1, flags=re.MULTILINE)
    return new


MIGRATIONS: tuple[Callable[[Texts], Texts], ...] = (share_copies, state_units)
"""From format 1 to 2, and so on."""
