"""CIFAR-100 itself: the converter, the official fingerprint, the network on its images."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.lab.data import datasets, prepared, sets
from harness.lab.recipe import DatasetRef
from harness.spec.paper import load_paper

ROOT = Path(__file__).parents[2]
COPY = ROOT.parent / "shared" / "data" / "cifar100"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not COPY.is_dir(), reason="no copy of CIFAR-100 beside the project"),
]


def test_the_converted_copy_is_the_official_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    tool = ROOT / "tools" / "prepare_cifar100.py"
    done = subprocess.run(
        [sys.executable, str(tool), str(COPY)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    spec = load_paper(ROOT / "specs").dataset("cifar100")
    assert datasets.check("cifar100", spec.fields) == []
    found = sets.load(DatasetRef(name="cifar100", **spec.fields))
    assert found.train.labels[:10].tolist() == [19, 29, 0, 11, 1, 86, 90, 28, 23, 31]
    assert found.test.labels[:10].tolist() == [49, 33, 72, 51, 71, 92, 15, 14, 23, 0]
    assert set(np.bincount(found.train.labels)) == {500}
    pixels = found.train.images.reshape(-1, 3) / 255
    # DC-Bench's statistics, to their four digits.
    np.testing.assert_allclose(pixels.mean(axis=0), spec.fields["mean"], atol=1e-4)
    np.testing.assert_allclose(pixels.std(axis=0), spec.fields["std"], atol=1e-4)
    assert prepared.damaged("cifar100") == []
