"""After a loss of power, no record is half there, and none that was reported is gone."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness.store.store import Store
from harness.store.verify import verify
from tests.cli.conftest import INLINE
from tests.store.power import Disk
from tests.toy.paper import Workplace, new_workplace

CELL = "verdicts:Faithful:Small"
MAKE = ("make", CELL, "--seeds", "2", *INLINE)


class Losing(Disk):
    """Builds what is left after each push, and looks at it."""

    def __init__(self, root: Path, images: Path) -> None:
        super().__init__(root)
        self.images = images
        self.most = 0

    def pushed(self) -> None:
        for names_kept in (False, True):
            left = Store(self.after_loss(self.images / "store", names_kept))
            assert verify(left) == [], f"push {self.pushes}, names kept: {names_kept}"
            readable = sum(left.has(identity) for identity in left.identities())
            assert readable == len(left.listing("records") | left.listing("links"))
            self.most = max(self.most, readable)
            shutil.rmtree(left.root)


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    return new_workplace(tmp_path / "work")


def digests(store: Store) -> dict[str, str]:
    return {record.identity: record.digest for record in store.iterate()}


def test_no_moment_leaves_half_a_record(place: Workplace, tmp_path: Path) -> None:
    disk = Losing(place.root / "store", tmp_path / "images")
    with disk.watched():
        assert place.repro(*MAKE).code == 0
    assert disk.pushes > 20
    assert disk.most == len(place.store.identities()) > 2


@pytest.mark.parametrize("names_kept", [False, True])
def test_what_was_reported_is_there_and_goes_on(
    place: Workplace, tmp_path: Path, names_kept: bool
) -> None:
    disk = Disk(place.root / "store")
    with disk.watched():
        assert place.repro(*MAKE).code == 0
    made = digests(place.store)
    left = disk.after_loss(tmp_path / "left", names_kept)
    assert digests(Store(left)) == made, "records were lost after make had ended"
    shutil.rmtree(place.root / "store")
    shutil.move(left, place.root / "store")
    assert place.repro(*MAKE).code == 0
    assert digests(place.store) == made
    assert place.repro("store", "verify").code == 0


def test_a_disk_that_keeps_what_is_not_pushed_would_be_told(tmp_path: Path) -> None:
    """The simulation loses what it must: contents, names, and files in folders without a push."""
    disk = Disk(tmp_path / "disk")
    (disk.root / "folder").mkdir()
    (disk.root / "folder" / "file").write_text("x")
    assert list(disk.after_loss(tmp_path / "a", False).iterdir()) == []
    kept = disk.after_loss(tmp_path / "b", True)
    assert (kept / "folder" / "file").read_bytes() == b""
