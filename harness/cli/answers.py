"""Answers kept whole: a command that only reads says again what it said, while all that it read is
as it was.

Nearly all the time of such a command goes to importing and to reading what has not changed. So the
first answer is kept with every folder that the process looked into, as Python's audit hooks tell
(PEP 578), and with what each file there was by the file system: its place, size, rights and the
moment of its last change, which no program can set back. A command that wrote anything, ran a
program or asked the network keeps nothing, nor does one that read what was changed so lately that
another change may bear the same moment. Answers lie with the user, not in the project, so that no
project brings some along.
"""

# ruff: noqa: PTH100, PTH109, PTH110, PTH112, PTH118, PTH120, PTH206 (texts are faster)
from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import sysconfig
import time
from _thread import get_ident
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.cli.streams import Said

KEPT = frozenset({"show", "diff", "verify", "audit", "assumptions", "list", "make", "report"})
"""Commands whose answers are kept; those that must look or run anew each time are not among
them."""
_FORM = 1
_SETTLED = 2 * 10**9
"""Nanoseconds between two stamps of the coarsest file systems."""
_MOST_ANSWERS = 200
_MOST_FOLDERS = 5_000
_MOST_BYTES = 8_000_000
_PASSING = frozenset({"_", "SHLVL", "OLDPWD"})
"""Variables that a shell sets anew for each command."""
_CHANGES = frozenset(
    f"os.{name}"
    for name in ("rename", "remove", "rmdir", "mkdir", "symlink", "link", "truncate", "chmod")
) | {"os.utime"}
_RUNS = frozenset(
    {"os.exec", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "subprocess.Popen"}
) | {"socket.connect"}
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
_OTHERS = re.compile(r"/proc/[0-9]").match
_STORES = ("records", "links", "failures", "leases", "looks")
_PYTHON = tuple({f"{prefix}{os.sep}" for prefix in (sys.prefix, sys.base_prefix)})


class Reading:
    """All that one command looks into from now on."""

    def __init__(self, key: Path) -> None:
        self.said: Said = []
        self._key = key
        self._began = time.time_ns()
        self._newest = 0
        self._only_read = True
        self._busy: int | None = None
        self._folders: dict[str, str | None] = {}
        places = _places()
        self._store = places[1] if places else os.devnull
        for folder in (*_of_code(), *(_looked_for(*places) if places else ())):
            self._saw(folder)
        sys.addaudithook(self._heard)

    def keep(self, code: int) -> None:
        """Keep what was said, if it follows from what is still there; where the disk takes it."""
        still = self._only_read and self._newest < self._began - _SETTLED
        self._only_read = False  # from here on nothing is listened to
        if not still or sum(len(text) for _, text in self.said) > _MOST_BYTES:
            return
        if any(files for _, _, files in os.walk(os.path.join(self._store, "leases"))):
            return  # whoever holds one may end at any time
        if not all(_state(folder)[0] == state for folder, state in self._folders.items()):
            return
        said = [(number, text.decode("latin-1")) for number, text in self.said]
        with suppress(OSError):
            _write(self._key, {"folders": self._folders, "said": said, "code": code})

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if not self._only_read or self._busy == get_ident():
            return
        if event == "open":
            path, _, flags = given
            if isinstance(path, int) or path is None:
                return
            place = os.path.abspath(os.fsdecode(path))
            if flags & _WRITES and place != os.devnull:
                self._only_read = self._is_scratch(place)
            else:
                self._saw(os.path.dirname(place))
        elif event in ("os.listdir", "os.scandir"):
            if not isinstance(given[0], int):
                self._saw(os.path.abspath(os.fsdecode(given[0] or ".")))
        elif event == "pathlib.Path.glob":  # it only asks whether there is a folder that it names
            for place in _spelt_out(os.path.abspath(given[0]), given[1]):
                self._saw(place)
        elif event in _CHANGES:
            named = (path for path in given[:2] if isinstance(path, (str, bytes, os.PathLike)))
            places = [os.path.abspath(os.fsdecode(path)) for path in named]
            made_before = event == "os.mkdir" and os.path.isdir(places[0])
            self._only_read = made_before or all(map(self._is_scratch, places))
        elif event in _RUNS:
            self._only_read = False

    def _saw(self, folder: str) -> None:
        if folder in self._folders or folder.startswith(_PYTHON) or self._is_scratch(folder):
            return
        if folder == "/dev" or folder.startswith(("/proc/", "/sys/", "/dev/pts")):
            # What is told of the machine stays; another process comes and goes.
            self._only_read = not _OTHERS(folder) or f"{folder}/".startswith(
                f"/proc/{os.getpid()}/"
            )
            return
        self._busy = get_ident()
        self._folders[folder], newest = _state(folder)
        self._busy = None
        self._newest = max(self._newest, newest)
        self._only_read = len(self._folders) < _MOST_FOLDERS

    def _is_scratch(self, place: str) -> bool:
        """Whether it is where a store keeps what it can compute again, or where answers lie."""
        inside = place.removeprefix(f"{self._store}{os.sep}")
        return f"{place}{os.sep}".startswith(f"{self._key.parent}{os.sep}") or (
            inside != place and inside.startswith(("tmp", "memo", "repro.duckdb"))
        )


def command(words: list[str]) -> Callable[[], None]:
    """What `repro` is to do: say a kept answer again, or run the command line."""
    key = _key(words) if not words or words[0] in KEPT | {"--help"} else None
    if key and (kept := _kept(key)):
        return partial(_again, *kept)
    reading = Reading(key) if key else None
    from harness.cli.main import main

    return partial(main, reading)


def _again(said: Said, code: int) -> None:
    from harness.cli.ending import told
    from harness.cli.streams import prepare, settle

    prepare()
    try:
        with told():
            for number, text in said:
                stream = sys.stdout if number == 1 else sys.stderr
                stream.buffer.write(text)
                stream.buffer.flush()
    finally:
        settle()
    sys.exit(code)


def _kept(key: Path) -> tuple[Said, int] | None:
    """What is to be said, and the exit code; none where nothing is kept, or something changed."""
    try:
        kept = json.loads(key.read_bytes())
        same = all(_state(folder)[0] == state for folder, state in kept["folders"].items())
        said = [(int(number), text.encode("latin-1")) for number, text in kept["said"]]
        return (said, int(kept["code"])) if same else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _key(words: list[str]) -> Path | None:
    """The file of an answer: named by all that a process starts with. None where nothing is kept,
    as where `REPRO_ANSWERS` is `off`."""
    chosen = os.environ.get("REPRO_ANSWERS")
    if chosen == "off":
        return None
    try:
        root = chosen or Path(
            os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "repro", "answers"
        )
        variables = {k: v for k, v in os.environ.items() if k not in _PASSING}
        start = [
            [_FORM, sys.version, os.uname(), os.getuid(), os.getcwd(), words, __file__],
            [*map(_terminal, range(3))],
            sorted(variables.items()),
            # What is installed beside, which changes this folder.
            _state(sysconfig.get_path("purelib"))[0],
        ]
    except (OSError, RuntimeError):
        return None
    return Path(root, hashlib.sha256(json.dumps(start).encode()).hexdigest() + ".json")


def _terminal(number: int) -> tuple[int, ...] | None:
    try:
        return tuple(os.get_terminal_size(number)) if os.isatty(number) else None
    except OSError:
        return None


def _places() -> tuple[str, str] | None:
    """The folder of the project and that of its store, as `find_project` finds them."""
    specs = os.environ.get("REPRO_SPECS")
    here = Path.cwd()
    above = (p for p in (here, *here.parents) if (p / "specs" / "paper.toml").is_file())
    home = Path(specs).resolve().parent if specs else next(above, None)
    if home is None:
        return None
    return str(home), os.path.abspath(os.environ.get("REPRO_STORE") or home / "store")


def _spelt_out(folder: str, pattern: str) -> Iterator[str]:
    """Each folder that a pattern names, down to the first one that it leaves open."""
    for part in ("", *pattern.split(os.sep)[:-1]):
        if set(part) & set("*?["):
            return
        folder = os.path.join(folder, part) if part else folder
        yield folder


def _of_code() -> set[str]:
    """The folders of the modules that are imported so far."""
    files = (getattr(module, "__file__", None) for module in tuple(sys.modules.values()))
    return {os.path.dirname(os.path.abspath(file)) for file in files if file}


def _looked_for(home: str, store: str) -> Iterator[str]:
    """Folders in which something is only looked for by its name, which no hook tells."""
    yield os.getcwd()
    yield from _below(home, 2)
    if data := os.environ.get("REPRO_DATA"):
        yield from _below(os.path.abspath(data), 1)
    for kind in _STORES:
        yield from _below(os.path.join(store, kind), 1)


def _below(folder: str, levels: int) -> Iterator[str]:
    yield folder
    if levels:
        with suppress(OSError), os.scandir(folder) as entries:
            found = [e.path for e in entries if e.name[0] != "." and e.is_dir()]
            for each in found:
                yield from _below(each, levels - 1)


def _state(folder: str) -> tuple[str | None, int]:
    """What the file system says of the files in a folder, as a digest, with the latest moment at
    which one of them was changed. None for a folder that cannot be read."""
    lines, newest = [], 0
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir():
                    lines.append(entry.name)
                elif not entry.name.startswith("repro.duckdb"):
                    about = entry.stat(follow_symlinks=os.path.exists(entry.path))
                    newest = max(newest, about.st_ctime_ns)
                    lines.append(f"{entry.name}/{about.st_ino}/{about.st_size}/{about.st_ctime_ns}")
    except OSError:
        return None, 0
    text = "\0".join(sorted(lines))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(), newest


def _write(key: Path, answer: dict[str, Any]) -> None:
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = key.with_suffix(f".{os.getpid()}")
    draft.write_text(json.dumps(answer), encoding="utf-8")
    draft.replace(key)
    kept = sorted(key.parent.iterdir(), key=lambda path: path.stat().st_mtime)
    for old in kept[:-_MOST_ANSWERS]:
        old.unlink(missing_ok=True)
