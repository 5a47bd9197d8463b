"""What a finished step left: values, arrays, provenance, and the checks made on reading them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypedDict

from harness.errors import EvidenceError, one_line
from harness.plan.step import Json, Step
from harness.store.digest import digest_file, digest_json, quick_digest_file
from harness.store.files import parse_json, read_bytes, read_json

if TYPE_CHECKING:
    import numpy as np

RECORD = "record.json"
MANIFEST = "manifest.json"
LOG = "log.txt"


class DamagedRecord(EvidenceError):
    """A record whose files are not those that were committed. It is never used."""

    what = "is damaged"
    remedy = "`repro make` makes it anew"

    def __init__(self, identity: str, reason: str) -> None:
        super().__init__(
            f"record {identity} {self.what}: {reason}. It was not used; {self.remedy}."
        )
        self.identity = identity
        self.reason = reason

    def __reduce__(self) -> tuple[type[DamagedRecord], tuple[str, str]]:
        return type(self), (self.identity, self.reason)


class NewerRecord(DamagedRecord):
    """A record with fields that only a later version of this program knows. It is left alone."""

    what = "is of a later version"
    remedy = "update repro, or name another store in REPRO_STORE"


class Output(TypedDict):
    """One array or safetensors file of a record."""

    file: str
    sha256: str
    """Digest of the content (for safetensors, of each tensor's), not of the file's bytes."""
    shape: list[int]
    """Empty for a safetensors file."""
    dtype: str


@dataclass(frozen=True)
class Record:
    """A finished step. Satisfies `harness.plan.step.StepInput`."""

    identity: str
    step: str
    revision: int
    params: Mapping[str, Json]
    seed: int
    inputs: Mapping[str, str]
    """Input name -> identity."""
    input_digests: Mapping[str, str]
    values: Mapping[str, Json]
    outputs: Mapping[str, Output]
    digest: str
    """Of the values and the outputs, and of nothing else."""
    code: str
    """Fingerprint of the code that made it."""
    environment: Mapping[str, Json]
    seconds: float
    flops: float
    """Of the step as planned; with `seconds`, what a device achieves."""
    link: str | None = None
    """Identity of the record whose values and arrays these are, when this step never ran."""
    directory: Path = field(default=Path(), compare=False)
    """Where the arrays are: the linked record's directory, when this is a link."""
    _checked: set[str] = field(default_factory=set, compare=False, repr=False)

    @property
    def work(self) -> str:
        """What was done, for people to read."""
        return work_of(self.step, self.seed)

    @property
    def arrays(self) -> frozenset[str]:
        """Names of the arrays that the record holds."""
        return frozenset(n for n, output in self.outputs.items() if output["file"].endswith(".npy"))

    def array(self, name: str) -> np.ndarray:
        """One array, read anew. Its file's digest is verified first; DamagedRecord if it differs.

        Raises KeyError for an array that the record does not hold.
        """
        import numpy as np

        if name not in self.arrays:
            raise KeyError(f"step {self.step!r} left no array {name!r}; {sorted(self.arrays)}")
        path = self._verified(name)
        try:
            loaded: np.ndarray = np.load(path, allow_pickle=False)
        except Exception as error:  # a forged file decides what goes wrong inside
            raise no_content(self.identity, path, error) from None
        return loaded

    def tensors(self, name: str) -> Path:
        """Path of a safetensors file, verified like an array. KeyError if there is none."""
        if name not in self.outputs or name in self.arrays:
            known = sorted(set(self.outputs) - self.arrays)
            raise KeyError(f"step {self.step!r} left no tensors {name!r}; {known}")
        return self._verified(name)

    def is_of(self, step: Step) -> bool:
        """Whether it says of itself that it did this step, whose identity it goes by.

        Parameters are not compared: `store verify` does, by recomputing the identity.
        """
        own = (self.step, self.revision, self.seed, dict(self.inputs))
        return own == (step.name, step.revision, step.seed, dict(step.inputs))

    def check_files(self, sha256: bool) -> None:
        """Verify every file of the manifest, so that reading one need not do it again.

        Args:
            sha256: see `check_file`.

        Raises DamagedRecord.
        """
        manifest = read_manifest(self.directory, whole=True)
        for name in sorted(manifest):
            check_file(self.identity, self.directory / name, manifest, sha256)
        self._checked.update(n for n, output in self.outputs.items() if output["file"] in manifest)

    @property
    def log(self) -> str:
        """What the step printed and logged."""
        return (self.directory / LOG).read_text(encoding="utf-8")

    def to_json(self) -> dict[str, Any]:
        """What `record.json` holds."""
        return {name: getattr(self, name) for name in _STORED}

    def _verified(self, name: str) -> Path:
        path = self.directory / self.outputs[name]["file"]
        if name not in self._checked:
            check_file(self.link or self.identity, path, read_manifest(self.directory))
            self._checked.add(name)
        return path


_STORED = tuple(f.name for f in fields(Record) if f.name not in ("directory", "_checked"))


class Entry(TypedDict):
    """One file in a manifest."""

    sha256: str
    xxh3: str
    """Of records that were made before there was one: empty."""
    bytes: int


def work_of(step: str, seed: int) -> str:
    """A step that was done, for people to read: 'student, seed 0'."""
    return f"{step}, seed {seed}"


def content_digest(values: Mapping[str, Json], outputs: Mapping[str, Output]) -> str:
    """The digest of a record: of its values and its outputs' digests, free of any clock."""
    held = {name: output["sha256"] for name, output in outputs.items()}
    return digest_json({"values": dict(values), "outputs": held})


def read_manifest(directory: Path, whole: bool = False) -> dict[str, Entry]:
    """The manifest of a record's directory.

    Args:
        whole: whether it is held against its own digest. Of two digests of a file, one is asked, so
            that damage to the other would not be noticed.

    Raises:
        DamagedRecord: it cannot be read, or is not whole.
    """
    try:
        held = read_json(f"{directory}/{MANIFEST}")
        found = {
            name: Entry(
                sha256=str(entry["sha256"]),
                xxh3=str(entry.get("xxh3", "")),
                bytes=int(entry["bytes"]),
            )
            for name, entry in held["files"].items()
        }
    except OSError as error:
        raise DamagedRecord(directory.name, f"{MANIFEST}: {error.strerror}") from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DamagedRecord(directory.name, f"{MANIFEST} is no JSON, or no list of files") from None
    quick = any(entry["xxh3"] for entry in found.values())
    if whole and quick and held.get("digest") != digest_json(held["files"]):
        raise DamagedRecord(directory.name, f"{MANIFEST} does not have its own digest")
    return found


def check_file(
    identity: str, path: Path, manifest: Mapping[str, Entry], sha256: bool = False
) -> None:
    """Raise DamagedRecord unless the file has the digest that the manifest gives.

    Args:
        sha256: whether its SHA-256 is wanted, though the manifest has a quicker digest.
    """
    entry = manifest.get(path.name)
    quick = bool(entry and entry["xxh3"]) and not sha256
    with _readable(identity, path.name):
        found = quick_digest_file(path) if quick else digest_file(path)
    _check_digest(identity, path.name, found, manifest, "xxh3" if quick else "sha256")


def read_record(directory: Path) -> Record:
    """Read `record.json`, having checked it whole and every other file by its size.

    Raises DamagedRecord. Arrays are verified when they are first read.
    """
    manifest = read_manifest(directory)
    identity = directory.name
    for name, entry in manifest.items():
        try:
            # Text, since ten thousand paths cost more than what is read from them.
            size = os.stat(f"{directory}/{name}").st_size  # noqa: PTH116
        except (OSError, ValueError):
            raise DamagedRecord(identity, f"{name} is missing") from None
        if size != entry["bytes"]:
            raise DamagedRecord(identity, f"{name} has {size} bytes, not {entry['bytes']}")
    with _readable(identity, RECORD):
        text = read_bytes(f"{directory}/{RECORD}")
    _check_digest(identity, RECORD, hashlib.sha256(text).hexdigest(), manifest)
    try:
        held = parse_json(text)
        if isinstance(held, dict) and held.keys() > set(_STORED):
            later = ", ".join(sorted(held.keys() - set(_STORED)))
            raise NewerRecord(identity, f"a newer version of repro wrote it, with {later}")
        record = Record(**held, directory=directory)
    except (TypeError, ValueError) as error:
        raise DamagedRecord(
            identity, f"{RECORD} has other fields than expected ({error})"
        ) from None
    if record.identity != identity:
        raise DamagedRecord(identity, f"{RECORD} is that of {record.identity}")
    return record


def no_content(identity: str, path: Path, error: Exception) -> DamagedRecord:
    """A file with the right digest, such as a forged one, that holds no arrays."""
    return DamagedRecord(identity, f"{path.name} holds no arrays ({one_line(str(error))})")


@contextmanager
def _readable(identity: str, name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DamagedRecord(identity, f"{name} cannot be read ({error.strerror})") from None


def _check_digest(
    identity: str,
    name: str,
    found: str,
    manifest: Mapping[str, Entry],
    kind: Literal["sha256", "xxh3"] = "sha256",
) -> None:
    if name not in manifest or found != manifest[name][kind]:
        raise DamagedRecord(identity, f"{name} does not have the digest of the manifest")


def as_link(record: Record, identity: str, inputs: Mapping[str, str]) -> Record:
    """`record` as the result of another step that would have done the same work."""
    kept = {name: getattr(record, name) for name in _STORED}
    kept.update(identity=identity, inputs=dict(inputs), link=record.link or record.identity)
    return Record(**kept, directory=record.directory)
