"""Part of Tiny-ImageNet itself: the converter, the official fingerprints, its own statistics."""

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
COPY = ROOT.parent / "shared" / "data" / "tinyimagenet"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not COPY.is_dir(), reason="no part of Tiny-ImageNet beside the project"),
]


def test_the_part_is_made_of_the_publishers_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    tool = ROOT / "tools" / "prepare_tiny_part.py"
    done = subprocess.run(
        [sys.executable, str(tool), str(COPY)], capture_output=True, text=True, cwd=ROOT
    )
    assert done.returncode == 0, done.stderr
    specs = load_paper(ROOT / "specs")
    assert datasets.check("tiny-part", specs.dataset("tiny-part").fields) == []
    found = sets.load(DatasetRef(name="tiny-part", **specs.dataset("tiny-part").fields))
    assert set(np.bincount(found.train.labels)) == {100}
    assert set(np.bincount(found.test.labels)) == {50}
    pixels = found.train.images.reshape(-1, 3)[::7] / 255
    np.testing.assert_allclose(pixels.mean(axis=0), (0.48024, 0.44807, 0.39750), atol=0.01)
    # The publisher's own fingerprints, of which those of the specs are made.
    whole = bytes.fromhex("245881ff367cd1d7e386911774ffef2499d560233bd2604105c466c49225f10f")
    train = prepared.Split(found.train.images, np.repeat(np.arange(200), 500), whole.hex())
    official = prepared.fingerprint(prepared.Dataset(train, found.test))
    assert official == specs.dataset("tiny-imagenet").fields["fingerprint"]
