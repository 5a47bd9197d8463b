"""Published results: records as Parquet, read beside the working store.

Large arrays, weights and pictures are left out, so a published record always has its values and
provenance, but may lack what a later step would read.
"""

from __future__ import annotations

import io
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from harness.errors import EvidenceError, one_line
from harness.plan.step import Json
from harness.store.digest import digest_array, digest_file
from harness.store.files import parse_json
from harness.store.memo import Memo
from harness.store.record import Record, content_digest
from harness.store.tables import read_table

if TYPE_CHECKING:
    import numpy as np

RECORDS = "records"
ARRAYS = "arrays"
ANSWERS = "answers"
MANIFEST = "manifest.json"
ROWS = "published"
"""Memo kind: digests of the files -> their rows."""
FORMAT = 3
FORMATS = (2, 3)
"""Those that are read. The second has no answers."""
_SHA256 = re.compile(r"[0-9a-f]{64}")
_PARQUET = re.compile(r"(records|arrays|answers)-[0-9a-f]{12}\.parquet")
_BODIES = {"identity": "VARCHAR", "body": "VARCHAR"}
_HELD = {"identity": "VARCHAR", "name": "VARCHAR", "data": "BLOB"}
LARGEST = 48 * 1024
"""Bytes of the largest array that is published; what is larger can be made again."""
LARGEST_BODY = 4 << 20
"""Bytes of the values and the provenance of one record."""
MOST_ARRAYS = 64
"""Of one record."""
MOST_ANSWERS = 10_000
LARGEST_ANSWER = 64 << 20
"""Bytes of what is said of one exhibit under one profile."""
_FILE = re.compile(r"\w[\w.-]{0,99}\.(npy|safetensors)")


class _Closed(BaseModel):
    """What was published has these fields, of these types, and no others."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False, defer_build=True)


class _Output(_Closed):
    file: str
    sha256: str
    shape: list[int]
    dtype: str


class _Body(_Closed):
    identity: str
    step: Annotated[str, StringConstraints(pattern=r"^\w+$", max_length=80)]
    revision: int
    params: dict[str, Any]
    seed: int
    inputs: dict[str, str]
    input_digests: dict[str, str]
    values: dict[str, Any]
    outputs: dict[str, _Output]
    digest: str
    code: str
    environment: dict[str, Any]
    seconds: float
    flops: float
    link: None


@dataclass(frozen=True)
class PublishedRecord(Record):
    """A record whose arrays, as far as they were published, are held in memory."""

    held: Mapping[str, bytes] = field(default_factory=dict, compare=False)
    """Array name -> the bytes of its `.npy` file."""

    @property
    def whole(self) -> bool:
        """Whether every output was published."""
        return set(self.held) == set(self.outputs)

    def array(self, name: str) -> np.ndarray:
        """One array, checked against its digest. EvidenceError where it was left out."""
        import numpy as np

        if name not in self.held:
            raise EvidenceError(
                f"the published record {self.identity} of step '{self.step}' leaves out '{name}'; "
                "make the exhibit with this step anew to have it"
            )
        try:
            loaded: np.ndarray = np.load(io.BytesIO(self.held[name]), allow_pickle=False)
        except Exception as error:  # what was published decides what goes wrong inside
            raise EvidenceError(
                f"'{name}' of published record {self.identity} is no array ({_line(error)})"
            ) from None
        if digest_array(loaded) != self.outputs[name]["sha256"]:
            raise EvidenceError(f"'{name}' of published record {self.identity} fails its digest")
        return loaded

    def tensors(self, name: str) -> Path:
        raise EvidenceError(f"the published record {self.identity} leaves out '{name}'")


def parquet(kind: str, digest: str) -> str:
    """File name of the records or the arrays: by content, so that no export changes a file."""
    return f"{kind}-{digest[:12]}.parquet"


def looks_in(found: Any) -> tuple[int, ...]:
    """Runs at each look, as read from JSON. ValueError where it is something else."""
    if not isinstance(found, list) or not all(type(n) is int and n > 0 for n in found):
        raise ValueError("looks are a list of numbers of runs")
    return tuple(found)


def _looks(found: Any) -> dict[str, tuple[int, ...]]:
    if not all(_SHA256.fullmatch(key) for key in found):  # it becomes the name of a file
        raise ValueError("looks are of a digest")
    return {key: looks_in(at) for key, at in found.items()}


class Published:
    """The records of one published folder; empty where there is none."""

    def __init__(self, folder: Path, memo: Memo | None = None) -> None:
        self.folder = folder
        self._memo = memo

    @property
    def looks(self) -> Mapping[str, tuple[int, ...]]:
        """Key of an item -> runs at each look that was taken at it."""
        found: Mapping[str, tuple[int, ...]] = self._manifest.get("looks", {})
        return found

    def leftovers(self) -> list[Path]:
        """Files of other exports than the manifest's: of earlier ones, or one that was cut off."""
        named = {parquet(kind, digest) for kind, digest in self._manifest["files"].items()}
        found = (path for path in self.folder.iterdir() if _PARQUET.fullmatch(path.name))
        return sorted(
            path
            for path in found  # ours are named by their content; a file of others is not
            if path.name not in named and path.stem.endswith(f"-{digest_file(path)[:12]}")
        )

    @property
    def written(self) -> Mapping[str, str]:
        """Files that exports wrote for other tools -> their digests."""
        found: Mapping[str, str] = self._manifest.get("written", {})
        return found

    def get(self, identity: str) -> PublishedRecord | None:
        """A record; the Parquet files are read only if the manifest lists it."""
        return (
            self.records.get(identity) if identity in self._manifest.get("identities", ()) else None
        )

    @cached_property
    def _manifest(self) -> Mapping[str, Any]:
        """The manifest; empty where nothing is published."""
        path = self.folder / MANIFEST
        if not path.is_file():
            return {}
        try:
            found = json.loads(path.read_bytes())
            files, listed = found["files"], found["identities"]
            if found["format"] in FORMATS and all(_SHA256.fullmatch(d) for d in files.values()):
                return {
                    "files": {
                        kind: files[kind]
                        for kind in (RECORDS, ARRAYS, *((ANSWERS,) if ANSWERS in files else ()))
                    },
                    "identities": frozenset(listed),
                    "looks": _looks(found.get("looks", {})),
                    "written": dict(found.get("written", {})),
                }
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise EvidenceError(f"{path}: cannot be read as a manifest ({_line(error)})") from None
        raise EvidenceError(f"{path}: a manifest of a format up to {FORMAT} was expected")

    @cached_property
    def records(self) -> Mapping[str, PublishedRecord]:
        """Identity -> record.

        Raises:
            EvidenceError: a file is missing, or is not the one of the manifest.
        """
        if not self._manifest:
            return {}
        self._check()
        bodies, arrays = self._remembered_rows()
        held: dict[str, dict[str, bytes]] = {}
        for identity, name, data in arrays:
            held.setdefault(identity, {})[name] = b64decode(data)
        return {
            identity: self._record(identity, body, held.get(identity, {}))
            for identity, body in bodies
        }

    def _remembered_rows(self) -> tuple[list[Any], list[Any]]:
        """Identity and body of each record; identity, name and bytes in base 64 of each array.

        They are remembered by the digests of the files: reading Parquet takes longer than all else
        that a command does with it.
        """
        key: Json = {kind: self._manifest["files"][kind] for kind in (RECORDS, ARRAYS)}
        kept: Any = self._memo and self._memo.get(ROWS, key)
        if kept:
            return kept[RECORDS], kept[ARRAYS]
        count = len(self._manifest["identities"])
        bodies = read_table(self._path(RECORDS), _BODIES, count, LARGEST_BODY)
        arrays = [
            (identity, name, b64encode(data).decode())
            for identity, name, data in read_table(
                self._path(ARRAYS), _HELD, count * MOST_ARRAYS, LARGEST
            )
        ]
        if self._memo:
            rows: Any = {RECORDS: [*map(list, bodies)], ARRAYS: [*map(list, arrays)]}
            self._memo.put(ROWS, key, rows)
        return bodies, arrays

    @cached_property
    def identities(self) -> frozenset[str]:
        """Those of all records, by the manifest."""
        return frozenset(self._manifest.get("identities", ()))

    @property
    def digests(self) -> Mapping[str, str]:
        """Kind of file (`records`, `arrays`, `answers`) -> its digest, by the manifest."""
        return {str(kind): str(each) for kind, each in self._manifest.get("files", {}).items()}

    @cached_property
    def answers(self) -> Mapping[str, Json]:
        """Exhibit and profile, as `harness.plan.answers` joins them -> which cells the records are
        of; empty where an older version published.

        Raises:
            EvidenceError: a file is missing, is not the one of the manifest, or cannot be read.
        """
        if ANSWERS not in self._manifest.get("files", ()):
            return {}
        self._check()
        rows = read_table(self._path(ANSWERS), _BODIES, MOST_ANSWERS, LARGEST_ANSWER)
        try:
            return {name: parse_json(body) for name, body in rows}
        except ValueError as error:
            raise EvidenceError(f"{self._path(ANSWERS)}: no JSON ({_line(error)})") from None

    def _record(self, identity: str, body: str, held: Mapping[str, bytes]) -> PublishedRecord:
        where = f"{self.folder}: record {one_line(identity[:64])}"
        try:
            record = PublishedRecord(**_Body.model_validate_json(body).model_dump(), held=held)
            named = all(
                _FILE.fullmatch(output["file"]) and output["file"].startswith(name)
                for name, output in record.outputs.items()
            )
            sound = record.digest == content_digest(record.values, record.outputs)
        except (TypeError, ValueError) as error:
            raise EvidenceError(f"{where} cannot be read ({_line(error)})") from None
        if not (_SHA256.fullmatch(identity) and record.identity == identity and named and sound):
            raise EvidenceError(f"{where} does not agree with itself")
        return record

    def _path(self, kind: str) -> Path:
        return self.folder / parquet(kind, self._manifest["files"][kind])

    def _check(self) -> None:
        for kind, wanted in self._manifest["files"].items():
            path = self._path(kind)
            if not path.is_file() or digest_file(path) != wanted:
                raise EvidenceError(
                    f"{path}: not the file of the manifest; restore both from the commit that "
                    "published them"
                )


def _line(error: Exception) -> str:
    """An error in one line; of a body that does not fit, where and why."""
    if not isinstance(error, ValidationError):
        return one_line(str(error))
    first = error.errors(include_url=False, include_input=False)[0]
    return one_line(f"{'.'.join(map(str, first['loc']))}: {first['msg']}")
