"""Publishers' files become prepared arrays, and every state is one line that says what to do."""

from __future__ import annotations

import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
from torchvision.datasets import CIFAR100

from harness.errors import EvidenceError, UserError
from harness.lab.data import datasets, prepared, sets
from tests.lab.fixtures import DIGITS


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    sets._loaded.cache_clear()
    return tmp_path


def write_pickles(folder: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """A tiny data set in the publisher's layout, whose digests torchvision is told to expect."""
    folder = folder / "cifar-100-python"
    folder.mkdir(parents=True)
    random = np.random.default_rng(0)
    made, digests = {}, {}
    for name, count in (("train", 6), ("test", 4)):
        rows = random.integers(0, 256, (count, 3072), dtype=np.uint8)
        made[name] = rows
        content = pickle.dumps({"data": rows, "fine_labels": list(range(count))})
        (folder / name).write_bytes(content)
        digests[name] = hashlib.md5(content).hexdigest()
    content = pickle.dumps({"fine_label_names": [str(i) for i in range(6)]})
    (folder / "meta").write_bytes(content)
    monkeypatch.setattr(CIFAR100, "train_list", [["train", digests["train"]]])
    monkeypatch.setattr(CIFAR100, "test_list", [["test", digests["test"]]])
    meta = dict(CIFAR100.meta) | {"md5": hashlib.md5(content).hexdigest()}
    monkeypatch.setattr(CIFAR100, "meta", meta)
    return made


def test_the_publishers_pickles_become_arrays_in_their_order(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = write_pickles(datasets.published("cifar100"), monkeypatch)
    assert datasets.prepare("cifar100") == datasets.path("cifar100")
    found = prepared.read("cifar100")
    # The publisher stores the red plane, then the green, then the blue.
    planes = found.test.images.transpose(0, 3, 1, 2).reshape(4, 3072)
    assert np.array_equal(planes, made["test"])
    assert found.train.labels.tolist() == [0, 1, 2, 3, 4, 5]
    word, line = datasets.state("cifar100", DIGITS.model_dump())
    assert word == "other"
    assert "is not the one of its spec" in line


def test_damaged_pickles_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = datasets.published("cifar100")
    write_pickles(folder, monkeypatch)
    (folder / "cifar-100-python" / "train").write_bytes(b"not what was published")
    with pytest.raises(EvidenceError, match="no undamaged cifar-100-python is there"):
        datasets.prepare("cifar100")
    assert not prepared.is_prepared("cifar100")


def test_what_is_missing_is_said_in_one_line_with_its_place(root: Path) -> None:
    word, line = datasets.state("cifar100", {})
    assert word == "missing"
    assert str(root / "publishers" / "cifar100") in line
    assert "repro data prepare cifar100" in line
    assert "\n" not in line
    word, line = datasets.state("mini-imagenet-c", {})
    assert (word, str(root / "mini-imagenet-c") in line) == ("missing", True)


def test_a_prepared_set_is_checked_to_its_bytes(root: Path) -> None:
    digits = sets.load(DIGITS)
    other = DIGITS.model_copy(update={"name": "copy"})
    prepared.write("copy", digits, "a test")
    assert datasets.check("copy", other.model_dump()) == []
    assert datasets.state("copy", other.model_dump())[0] == "prepared"
    images = np.load(root / "copy" / "test_images.npy")
    images[0, 0, 0] += 1
    np.save(root / "copy" / "test_images.npy", images)
    assert "not as the manifest says" in datasets.check("copy", other.model_dump())[0]


def test_what_cannot_be_prepared_says_so() -> None:
    with pytest.raises(UserError, match="is bundled"):
        datasets.prepare("digits")
    with pytest.raises(UserError, match=r"did you mean 'cifar100'\?"):
        datasets.prepare("cifar10")


def test_a_failed_download_says_where_the_files_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(self, root: str, download: bool) -> None:
        raise OSError("no network")

    monkeypatch.setattr(CIFAR100, "__init__", refused)
    with pytest.raises(EvidenceError, match=r"no network.*put the folder cifar-100-python"):
        datasets.fetch("cifar100")
