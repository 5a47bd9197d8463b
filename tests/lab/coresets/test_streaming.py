"""Scoring images of many sizes: every image once, and no more memory for more of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from harness.lab.coresets import dynamics
from harness.lab.coresets.dynamics import CadParams, DualParams, DynamicsParams, DynUncParams
from harness.lab.data import image_tree, prepared, sets
from harness.lab.recipe import DatasetRef
from tests.lab.fixtures import DIGITS, HARD_LABELS, changed, context, held

ROOT = Path(__file__).parents[3]
HEIGHT, WIDTH, SIDE, SHORT = 11, 8, 7, 8
TEST = 8


def prepare(name: str, train: int, zoom: int = 1) -> DatasetRef:
    """A prepared set of `train` images, all black but the first eight, in files that are sparse."""
    unfinished = prepared.folder_of(f".{name}-unfinished")
    unfinished.mkdir(parents=True)
    (unfinished / "source.json").write_text("{}")
    entries, labels = {}, {}
    for split, count in (("train", train), ("test", TEST)):
        entries[split] = np.zeros(count, image_tree.ENTRY)
        entries[split]["size"] = HEIGHT * zoom, WIDTH * zoom
        labels[split] = np.arange(count, dtype=np.int64) % 4
        (unfinished / f"{split}_index.bin").touch()
        with (unfinished / f"{split}_pixels.bin").open("wb") as file:
            random = np.random.default_rng(0)
            file.write(random.integers(0, 256, 8 * 3 * HEIGHT * WIDTH * zoom**2, np.uint8))
            file.truncate(image_tree.size_of(entries[split]))
    files = {split: [b"%d.png" % i for i in range(len(made))] for split, made in entries.items()}
    prepared.finish_ragged(name, unfinished, entries, files, labels, ["a", "b", "c", "d"])
    fields = {
        "name": name,
        "fingerprint": prepared.fingerprint(prepared.read(name)),
        "classes": 4,
        "train_size": train,
        "test_size": TEST,
        "smallest_class": train // 4,
        "resolution": SIDE * zoom,
        "channels": 3,
        "mean": (0.5,) * 3,
        "std": (0.25,) * 3,
        "short_side": SHORT * zoom,
    }
    return DatasetRef.model_validate(DIGITS.model_dump() | fields)


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REPRO_DATA", str(tmp_path))
    sets._loaded.cache_clear()


def test_a_run_shorter_than_an_epoch_scores_every_image() -> None:
    dataset = prepare("short", 40)
    recipe = changed(HARD_LABELS, batch_size=4, learning_rate=0.01)
    params = DynamicsParams(dataset=dataset, network="mlp", recipe=recipe, samples=16, looks=4)
    made = dynamics.dynamics(params, {}, context("dynamics"))
    assert made.values["epochs"] == 16 / 40
    for array in made.arrays.values():
        assert array.shape == (4, 40)
        assert np.isfinite(array).all()
    # Sixteen images were visited, four before each look; all others are told by their evaluation.
    apart = made.arrays["train_probability"] != made.arrays["probability"]
    assert apart.any(axis=0).sum() == 16
    assert apart.sum(axis=1).tolist() == [4, 8, 12, 16]
    # Black images of one class are the same picture, and have the same score wherever they are.
    black = made.arrays["el2n"][:, 8:].reshape(4, -1, 4)
    np.testing.assert_allclose(black, np.broadcast_to(black[:, :1], black.shape), rtol=1e-5)


def test_scores_are_those_of_all_examples_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    signal = np.random.default_rng(0).random((12, 103)).astype(np.float32)
    given = {"dynamics": held(probability=signal, el2n=signal, train_probability=signal)}
    window = {"window": 4, "signal": "probability"}
    kinds = (
        (dynamics.dyn_unc_score, DynUncParams(**window, drop_last=True)),
        (dynamics.dual_score, DualParams(**window, looks=9)),
        (dynamics.cad_score, CadParams(**window, tail=2)),
    )
    for score, params in kinds:
        whole = score(params, given, context("score")).arrays["score"]
        monkeypatch.setattr(dynamics, "BLOCK", 10)
        assert np.array_equal(score(params, given, context("score")).arrays["score"], whole)
        monkeypatch.undo()


SCRIPT = """
import json, sys
from pathlib import Path
from harness.lab.coresets import dynamics, runs
from harness.lab.coresets.dynamics import DynamicsParams
from harness.plan.step import StepContext

def taken():
    status = Path("/proc/self/status").read_text()
    return int(status.split("RssAnon:")[1].split()[0]) * 1024

peak = 0
look = runs.look
def watched(*given):
    global peak
    made = look(*given)
    peak = max(peak, taken())
    return made
runs.look = watched
dynamics.dynamics(DynamicsParams.model_validate_json(sys.argv[1]), {}, StepContext("dynamics", 0))
print(max(peak, taken()))
"""


@pytest.mark.slow
def test_memory_does_not_grow_with_the_images_beyond_a_few_numbers_for_each() -> None:
    recipe = changed(HARD_LABELS, batch_size=16, learning_rate=0.01)
    peaks, sizes = [], []
    for count in (2000, 12000):
        dataset = prepare(f"of-{count}", count, zoom=6)
        params = DynamicsParams(dataset=dataset, network="mlp", recipe=recipe, samples=64, looks=2)
        text = json.dumps(params.model_dump(mode="json"))
        # Without it, the C library keeps what was freed, and how much of it is a matter of luck.
        env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
        command = [sys.executable, "-c", SCRIPT, text]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
        sizes.append(prepared.read(f"of-{count}").train.images.bytes)
    assert sizes[1] - sizes[0] > 90e6
    # Labels, sizes, starts, order, latest visit: about a hundred bytes an image, and some noise.
    assert peaks[1] - peaks[0] < 15e6, peaks
