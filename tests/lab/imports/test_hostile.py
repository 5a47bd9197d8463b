"""Hostile files are refused in one line, do nothing, and take no more memory than they have."""

from __future__ import annotations

import collections
import io
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.lab.data.torch_files import ALLOWED, Refused, read_torch
from harness.lab.imports.importing import import_set
from harness.lab.recipe import DatasetRef
from tests.lab.imports.layouts import normalised, write_folders, write_sets

ROOT = Path(__file__).parents[3]


class Calls:
    """Pickles as a call: unpickled without care, it is made."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> tuple[Any, ...]:
        return self.call


def torch_zip(path: Path, content: Any) -> None:
    torch.save({"data": content}, path)


def legacy_stream(path: Path, content: Any) -> None:
    torch.save({"data": content}, path, _use_new_zipfile_serialization=False)


def plain_pickle(path: Path, content: Any) -> None:
    path.write_bytes(pickle.dumps({"data": content}, protocol=2))


def legacy_tar(path: Path, content: Any) -> None:
    """The form of torch before 0.1.10: pickles inside a tar, one of which climbs out of it."""
    with tarfile.open(path, "w") as archive:
        for name in ("sys_info", "pickle", "storages", "tensors", "../../outside"):
            data = pickle.dumps(content, protocol=2)
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))


def zip_of_pickle(path: Path, content: Any) -> None:
    """Laid out as torch does, with a newer pickle protocol, and a name that climbs out."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(content, protocol=4))
        archive.writestr("archive/version", "3\n")
        archive.writestr("../../outside", "x")


FORMS = (torch_zip, legacy_stream, plain_pickle, legacy_tar, zip_of_pickle)


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.__name__)
def test_a_pickle_that_would_act_does_not(tmp_path: Path, form: Callable[..., None]) -> None:
    trace = tmp_path / "trace"
    for payload in (
        Calls(os.system, f"touch {trace}"),
        Calls(open, str(trace), "w"),
        Calls(eval, f"open({str(trace)!r}, 'w')"),
        Calls(subprocess.check_call, ["touch", str(trace)]),
        Calls(torch.load, str(trace)),
        Calls(np.load, str(trace)),
        Calls(__import__, "this"),
    ):
        form(tmp_path / "evil.pt", payload)
        before = sorted(path.name for path in tmp_path.rglob("*"))
        with pytest.raises(Refused) as refused:
            read_torch(tmp_path / "evil.pt")
        assert "\n" not in str(refused.value)
        assert sorted(path.name for path in tmp_path.rglob("*")) == before
        assert not (tmp_path.parent.parent / "outside").exists()


def test_the_payload_is_real(tmp_path: Path) -> None:
    """Else the test above would pass on a payload that cannot act."""
    trace = tmp_path / "trace"
    plain_pickle(tmp_path / "evil.pt", Calls(os.system, f"touch {trace}"))
    pickle.loads((tmp_path / "evil.pt").read_bytes())
    assert trace.exists()


def test_what_the_pickle_names_is_told(tmp_path: Path) -> None:
    torch_zip(tmp_path / "evil.pt", Calls(os.system, "true"))
    with pytest.raises(Refused, match=r"names 'posix.system'; only tensors, .* was run"):
        read_torch(tmp_path / "evil.pt")


def test_nothing_that_acts_or_takes_memory_at_will_is_allowed() -> None:
    assert not {"builtins.bytearray", "torch.Tensor", "torch.storage._load_from_bytes"} & ALLOWED
    modules = {name.rpartition(".")[0] for name in ALLOWED}
    assert modules == {
        *("torch", "torch._utils", "collections", "_codecs"),
        *("numpy", "numpy.core.multiarray", "numpy._core.multiarray"),
    }


def absurd(size: tuple[int, ...], stride: tuple[int, ...]) -> Calls:
    """A tensor that claims another shape than its four values have."""
    four = torch.zeros(4)
    storage = torch.storage.TypedStorage(
        wrap_storage=four.untyped_storage(), dtype=four.dtype, _internal=True
    )
    rebuild = torch._utils._rebuild_tensor_v2
    return Calls(rebuild, storage, 0, size, stride, False, collections.OrderedDict())


@pytest.mark.parametrize(
    ("size", "stride"),
    [
        ((10**10,), (1,)),
        ((10**12, 3, 8, 8), (0, 0, 0, 0)),
        ((36, 3, 8, 8), (0, 0, 0, 0)),
        ((10**6, 10**6), (1, 1)),
        ((-1,), (1,)),
        ((2**62, 4), (0, 0)),
    ],
)
def test_shapes_that_the_file_has_no_values_for_are_refused(
    ref: DatasetRef, tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...]
) -> None:
    torch_zip(tmp_path / "huge.pt", [[absurd(size, stride), torch.zeros(4)]])
    with pytest.raises(Refused, match=r"more than the file holds|cannot be read as tensors"):
        import_set(ref.name, ref.model_dump(exclude={"name"}), tmp_path / "huge.pt", "sets")


def bomb(path: Path, name: str, size: int) -> None:
    """A zip whose entry unpacks to `size` zeros from next to nothing."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open(name, "w", force_zip64=True) as entry:
            for _ in range(size >> 20):
                entry.write(bytes(1 << 20))
        archive.writestr("archive/data.pkl", pickle.dumps([], protocol=2))


@pytest.mark.parametrize("name", ["archive/data/0", "archive/other"])
def test_zip_bombs_are_refused_by_their_headers(tmp_path: Path, name: str) -> None:
    bomb(tmp_path / "bomb.pt", name, 8 << 20)
    assert (tmp_path / "bomb.pt").stat().st_size < 1 << 20
    with pytest.raises(Refused, match="would unpack to more than the file"):
        read_torch(tmp_path / "bomb.pt")


def test_entries_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    """Stored, and yet many times the file: every entry of the listing is the same place."""
    with zipfile.ZipFile(tmp_path / "once.pt", "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps([], protocol=2))
        archive.writestr("archive/data/0", bytes(1 << 16))
        archive.filelist += [archive.getinfo("archive/data/0")] * 100
    with pytest.raises(Refused, match="would unpack to more than the file"):
        read_torch(tmp_path / "once.pt")


def test_every_truncation_is_one_message(ref: DatasetRef, tmp_path: Path) -> None:
    images, labels = normalised(ref)
    whole = write_sets(tmp_path / "res.pt", (images, labels)).read_bytes()
    for length in [*range(0, 200, 7), *range(200, len(whole), len(whole) // 60)]:
        (tmp_path / "cut.pt").write_bytes(whole[:length])
        with pytest.raises(Refused):
            read_torch(tmp_path / "cut.pt")


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.pt")
    (tmp_path / "link.pt").symlink_to("/dev/zero")
    (tmp_path / "loop.pt").symlink_to(tmp_path / "loop.pt")
    for name in ("pipe.pt", "link.pt", "loop.pt", "absent.pt", "x" * 300, "nul\0.pt"):
        with pytest.raises(Refused, match=r"a file was expected|cannot be opened"):
            read_torch(tmp_path / name)
    with (tmp_path / "sparse.pt").open("wb") as stream:
        stream.truncate(5 << 30)
    with pytest.raises(Refused, match="no such file has more than"):
        read_torch(tmp_path / "sparse.pt")


def test_a_picture_bomb_is_refused_before_it_is_decoded(ref: DatasetRef, tmp_path: Path) -> None:
    path = write_folders(tmp_path / "syn", ref, "minimax")
    file = next(path.iterdir()) / "0.png"
    written = bytearray(file.read_bytes())
    # The header comes first: width, height, depth and kind, and their checksum.
    written[16:24] = struct.pack(">II", 60_000, 60_000)
    written[29:33] = struct.pack(">I", zlib.crc32(written[12:29]))
    file.write_bytes(written)
    with pytest.raises(Refused, match=r"60000 x 60000|no readable picture \(Decompression"):
        import_set(ref.name, ref.model_dump(exclude={"name"}), path, "folders")


def test_names_cannot_speak_to_the_terminal(ref: DatasetRef, tmp_path: Path) -> None:
    path = write_folders(tmp_path / "syn", ref, "minimax")
    next(path.iterdir()).rename(path / "\x1b]0;evil\x07\n\u202ename")
    with pytest.raises(Refused) as refused:
        import_set(ref.name, ref.model_dump(exclude={"name"}), path, "folders")
    assert str(refused.value).isprintable()


def test_arrays_that_would_need_pickle_or_promise_too_much_are_refused(
    ref: DatasetRef, tmp_path: Path
) -> None:
    trace = tmp_path / "trace"
    np.save(tmp_path / "rows.npy", np.array([Calls(open, str(trace), "w")]), allow_pickle=True)
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": "<i8", "fortran_order": False, "shape": (10**12,)}
    )
    (tmp_path / "huge.npy").write_bytes(header.getvalue() + bytes(64))
    np.savez(tmp_path / "packed.npz", rows=np.arange(36))
    (tmp_path / "packed.npz").rename(tmp_path / "packed.npy")
    for name in ("rows.npy", "huge.npy", "packed.npy"):
        with pytest.raises(Refused):
            import_set(ref.name, ref.model_dump(exclude={"name"}), tmp_path / name, "list")
    assert not trace.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="reads the peak of memory as Linux counts it")
def test_memory_stays_bounded(tmp_path: Path) -> None:
    """All of the files that would take gigabytes, in a process that may not have them."""
    bomb(tmp_path / "bomb.pt", "archive/data/0", 128 << 20)
    torch_zip(tmp_path / "bytes.pt", Calls(bytearray, 4 << 30))
    torch_zip(tmp_path / "wide.pt", absurd((10**10,), (1,)))
    torch_zip(tmp_path / "array.pt", Calls(np.ndarray, (1 << 30,), np.dtype("O")))
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from harness.lab.data.torch_files import Refused\n"
        "from harness.lab.data.torch_files import read_torch\n"
        "status = Path('/proc/self/status')\n"
        "peak = lambda: int(re.search(r'VmHWM:\\s*(\\d+)', status.read_text())[1])\n"
        "before = peak()\n"
        "for path in sorted(Path(sys.argv[1]).glob('*.pt')):\n"
        "    try:\n"
        "        read_torch(path)\n"
        "    except Refused as error:\n"
        "        print('refused', error)\n"
        "print(peak() - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.count("refused") == 4, done.stdout + done.stderr
    assert int(done.stdout.split()[-1]) < 48 << 10, "KiB"
