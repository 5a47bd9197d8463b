"""How real CIFAR-100 looks when it is read in a space that it is not in."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.lab.data import sets, zca
from harness.lab.imports import imported
from harness.lab.imports.imported import CONTRAST, Imported, Space, _fits, _statistics
from harness.lab.recipe import DatasetRef
from harness.spec.paper import load_paper

ROOT = Path(__file__).parents[3]
COPY = ROOT.parent / "shared" / "data" / "cifar100"

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not COPY.is_dir(), reason="no copy of CIFAR-100 beside the project"),
]


def test_no_scaling_of_real_images_passes_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    tool = ROOT / "tools" / "prepare_cifar100.py"
    subprocess.run([sys.executable, str(tool), str(COPY)], check=True, cwd=ROOT)
    fields = load_paper(ROOT / "specs").dataset("cifar100").fields
    ref = DatasetRef(name="cifar100", **fields)
    sets._loaded.cache_clear()
    train = sets.load(ref).train
    # A part of the training split tells the covariance well enough for this.
    whitening = zca.fitted(train.images[:7000])
    monkeypatch.setattr(imported, "whitening", lambda dataset: whitening)
    pixels = train.images[-1000:] / 255
    planes = whitening.whitened(torch.from_numpy(pixels.transpose(0, 3, 1, 2)))
    stored: dict[Space, np.ndarray] = {
        "pixels": pixels,
        "mean-std": (pixels - np.array(ref.mean)) / np.array(ref.std),
        "zca": planes.permute(0, 2, 3, 1).numpy(),
    }
    for space, images in stored.items():
        given = Imported(train.labels[-1000:], images.astype(np.float32), space=space)
        assert [said for said in stored if _fits(given, said, ref)] == [space]
        assert _statistics(given, space, ref)[0] == pytest.approx(1, abs=0.05)
    # The figures that the bounds stand between.
    found = [
        _statistics(Imported(train.labels[-1000:], stored[space].astype(np.float32)), said, ref)[0]
        for space, said in (("zca", "mean-std"), ("pixels", "mean-std"), ("mean-std", "zca"))
    ]
    assert found == pytest.approx([0.26, 0.27, 20], rel=0.1)
    assert max(found[:2]) < CONTRAST[0] < CONTRAST[1] < found[2]
