"""Answers kept whole: a command that only reads says again what it said, while all that it read is
as it was.

Nearly all the time of such a command goes to importing and to reading what has not changed. So the
first answer is kept with all that it follows from: every folder that the process listed or opened a
file of, as Python's audit hooks (PEP 578) tell, and every file that it asked for by `os.stat`. Of
each file counts what the file system says: inode, size, and the moment of the last change (ctime),
which on usual file systems no program can set back. A command that wrote anything, ran a program or
asked the network keeps nothing, nor does one that read what was changed so lately that another
change may bear the same moment. What libraries read by calls of their own is not heard, unless its
folder was. Answers lie with the user, not in the project, so that no project brings some along.
"""

# ruff: noqa: PTH100, PTH109, PTH112, PTH116, PTH117, PTH118, PTH120 (texts are faster than paths)
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
from stat import S_ISDIR
from typing import TYPE_CHECKING, Any

from harness.places import specs_of, store_of

if TYPE_CHECKING:
    from harness.cli.streams import Said

KEPT = frozenset({"show", "diff", "verify", "audit", "assumptions", "list", "make", "report"})
"""Commands whose answers are kept; those that must look or run anew each time are not among
them."""
_SETTLED = 2 * 10**9
"""Nanoseconds between two stamps of the coarsest file systems."""
_MOST_ANSWERS = 200
_MOST_BYTES = 1_000_000
_MOST_FILES = 20_000
"""Asking for more of them would take as long as the command."""
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
_LEARNED = ("memo/answers", "memo/probed")
"""What is in the memo and follows from no other file: which results there are, as `show` and `make`
found them, and which code passed its probes."""
_STANDARD = (os.devnull, "/dev/urandom", "/dev/random")
_PYTHON = tuple(
    {sysconfig.get_path(kind) + os.sep for kind in ("stdlib", "platstdlib", "purelib", "platlib")}
)


class Reading:
    """All that one command looks into from now on."""

    def __init__(self, key: Path) -> None:
        self._said: Said = []
        self._key = key
        self._began = time.time_ns()
        self._newest = 0
        self._only_read = True
        self._busy: int | None = None
        self._store = _store()
        self._states: dict[str, str] = {}
        """Of folders by their paths with a slash at the end, and of files."""
        for folder in _of_code():
            self._saw(folder)
        sys.addaudithook(self._heard)
        os.stat, os.lstat = self._asking(os.stat), self._asking(os.lstat)

    def hear(self, number: int, text: bytes) -> None:
        """What the process has written to a stream."""
        if self._only_read:
            self._said.append((number, text))

    def keep(self, code: int) -> None:
        """Keep what was said, if it follows from what is still there; where the disk takes it."""
        still = self._only_read and self._newest < self._began - _SETTLED
        self._only_read = False  # from here on nothing is listened to
        if not still or sum(len(text) for _, text in self._said) > _MOST_BYTES:
            return
        if any(files for _, _, files in os.walk(os.path.join(self._store, "leases"))):
            return  # whoever holds one may end at any time
        said = [(number, text.decode("latin-1")) for number, text in self._said]
        with suppress(OSError):
            if _are(self._states):
                _write(self._key, {"states": self._states, "said": said, "code": code})

    def _asking(self, ask: Callable[..., os.stat_result]) -> Callable[..., os.stat_result]:
        """`os.stat` or `os.lstat`, heard, since what is looked for by its name opens nothing."""

        def heard(path: Any, *given: Any, **options: Any) -> os.stat_result:
            if self._listens and not isinstance(path, int):
                place = _place(path)
                if not _is_device(place):
                    self._saw(place)
            return ask(path, *given, **options)

        return heard

    @property
    def _listens(self) -> bool:
        return self._only_read and self._busy != get_ident()

    def _heard(self, event: str, given: tuple[Any, ...]) -> None:
        if not self._listens:
            return
        if event in ("open", "sqlite3.connect"):
            if given[0] is not None and not isinstance(given[0], int):
                self._opened(_place(given[0]), given[2] if event == "open" else 0)
        elif event in ("os.listdir", "os.scandir"):
            if not isinstance(given[0], int):
                self._saw(_place(given[0] or ".") + os.sep)
        elif event in _CHANGES:
            named = (path for path in given[:2] if isinstance(path, (str, bytes, os.PathLike)))
            places = [_place(path) for path in named]
            made_before = event == "os.mkdir" and os.path.isdir(places[0])
            if not made_before and not all(map(self._is_scratch, places)):
                self._only_read = False
        elif event in _RUNS:
            self._only_read = False

    def _opened(self, place: str, flags: int) -> None:
        if place in _STANDARD:
            return
        if _is_device(place):
            self._only_read = False  # a terminal, or what is piped in, is another one next time
        elif flags & _WRITES:
            if not self._is_scratch(place):
                self._only_read = False
        else:
            self._saw(os.path.dirname(place) + os.sep)

    def _saw(self, place: str) -> None:
        """Note how a file is, or a folder, whose path has a slash at its end."""
        if place in self._states or place.startswith(_PYTHON) or self._is_scratch(place):
            return
        if place.startswith(("/proc/", "/sys/")):
            # What is told of the machine stays; another process comes and goes.
            if _OTHERS(place) and not f"{place}/".startswith(f"/proc/{os.getpid()}/"):
                self._only_read = False
            return
        self._busy = get_ident()
        try:
            self._states[place], newest = _state(place)
            self._newest = max(self._newest, newest)
        except OSError:
            self._only_read = False
        finally:
            self._busy = None
        if len(self._states) > _MOST_FILES:
            self._only_read = False

    def _is_scratch(self, place: str) -> bool:
        """Whether it is where a store keeps what it can compute again, or where answers lie."""
        inside = place.removeprefix(f"{self._store}{os.sep}")
        return f"{place}{os.sep}".startswith(f"{self._key.parent}{os.sep}") or (
            inside != place
            and inside.startswith(("tmp", "memo", "repro.duckdb"))
            and not inside.startswith(_LEARNED)
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
        if not key.is_file():
            return None
        kept = json.loads(key.read_bytes())
        said = [(int(number), text.encode("latin-1")) for number, text in kept["said"]]
        return (said, int(kept["code"])) if _are(kept["states"]) else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _key(words: list[str]) -> Path | None:
    """The file of an answer: named by all that a process starts with. None where nothing is kept,
    as where `REPRO_ANSWERS` is `off`."""
    chosen = os.environ.get("REPRO_ANSWERS", "")
    if chosen == "off":
        return None
    try:
        cache = (
            (chosen if os.path.isabs(chosen) else "")
            or os.environ.get("XDG_CACHE_HOME")
            or Path.home() / ".cache"
        )
        variables = {k: v for k, v in os.environ.items() if k not in _PASSING}
        start = [
            [sys.version, repr(sys.flags), sys.argv[0], __file__, _installed()],
            [os.uname(), os.getuid(), os.getcwd(), words, sorted(variables.items())],
            [*map(_terminal, range(3))],
        ]
    except (OSError, RuntimeError):
        return None
    name = hashlib.sha256(json.dumps(start).encode()).hexdigest()
    return Path(os.path.abspath(cache), "repro-answers", f"{name}.json")


def _installed() -> list[tuple[str, int]]:
    """What is installed beside, and when each was."""
    with os.scandir(sysconfig.get_path("purelib")) as entries:
        found = [e for e in entries if e.name.endswith(".dist-info")]
        return sorted((e.name, e.stat().st_mtime_ns) for e in found)


def _terminal(number: int) -> tuple[int, ...] | None:
    try:
        return tuple(os.get_terminal_size(number)) if os.isatty(number) else None
    except OSError:
        return None


def _store() -> str:
    """The folder of the store, as `find_project` finds it; that of no project is not there."""
    return os.path.abspath(store_of(specs_of() or Path("specs")))


def _of_code() -> Iterator[str]:
    """The folders of the modules that are imported so far."""
    for module in tuple(sys.modules.values()):
        if file := getattr(module, "__file__", None):
            yield os.path.dirname(_place(file)) + os.sep


def _is_device(place: str) -> bool:
    return place.startswith("/dev/") and not place.startswith("/dev/shm/")


def _place(path: Any) -> str:
    return os.path.abspath(os.fsdecode(path))


def _are(states: dict[str, str]) -> bool:
    """Whether all is in these states. OSError where something cannot be looked into."""
    return all(_state(place)[0] == state for place, state in states.items())


def _state(place: str) -> tuple[str, int]:
    """What the file system says of a file, or of all files in a folder, and the latest moment at
    which one of them was changed; empty where nothing is.

    Raises:
        OSError: it cannot be looked into, or holds too much for that.
    """
    with suppress(FileNotFoundError, NotADirectoryError):
        return _listed(place) if place[-1] == os.sep else _told(os.stat(place))
    return "", 0


def _told(about: os.stat_result) -> tuple[str, int]:
    if S_ISDIR(about.st_mode):
        return "folder", 0
    return f"{about.st_ino}/{about.st_size}/{about.st_ctime_ns}", about.st_ctime_ns


def _listed(folder: str) -> tuple[str, int]:
    """A digest of names and files in a folder."""
    lines, newest = [], 0
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                lines.append(entry.name)
            elif not entry.name.startswith("repro.duckdb"):
                state, changed = _told(_about(entry))
                newest = max(newest, changed)
                lines.append(f"{entry.name}/{state}")
    if len(lines) > _MOST_FILES:
        raise OSError(f"{folder}: too many files")
    text = "\0".join(sorted(lines))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest(), newest


def _about(entry: os.DirEntry[str]) -> os.stat_result:
    """Of a file; of a link that leads nowhere, of the link."""
    with suppress(OSError):
        return entry.stat()
    return entry.stat(follow_symlinks=False)


def _write(key: Path, answer: dict[str, Any]) -> None:
    key.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = key.with_suffix(f".{os.getpid()}")
    try:
        draft.write_text(json.dumps(answer), encoding="utf-8")
        draft.replace(key)
    finally:
        draft.unlink(missing_ok=True)
    kept = sorted(key.parent.glob("*.json"), key=lambda path: path.stat().st_mtime)
    for old in kept[:-_MOST_ANSWERS]:
        old.unlink(missing_ok=True)
