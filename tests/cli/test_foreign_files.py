"""Files of desktops and network file systems beside the records are no damage and no records."""

from __future__ import annotations

from tests.toy.paper import Workplace

NAMES = (".DS_Store", "._d30fb91c", ".nfs000000000000a1b2", "Thumbs.db", "desktop.ini~")
LINES = ("store verify", "runs --json", "show verdicts --json", "status --json", "store rebuild")


def test_nothing_takes_them_for_its_own(copied: Workplace) -> None:
    before = [copied.repro(*line.split()).out for line in LINES]
    folders = [path for path in copied.store.root.rglob("*") if path.is_dir()]
    for folder in (copied.store.root, *folders):
        for name in NAMES:
            (folder / name).write_bytes(b"\0\1not of ours\xff")
    assert [copied.repro(*line.split()).out for line in LINES] == before
    assert copied.repro("make", "verdicts", "--executor", "inline").code == 0
    assert len([*copied.store.root.rglob(NAMES[0])]) >= len(folders), "they are left alone"
