"""Checkpoints on disk: whole or absent, and only for the code and machine that made them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.store.checkpoints import StepCheckpoints, clean_checkpoints

STATE = {"step": np.array(3), "network/weight": np.arange(6.0).reshape(2, 3), "empty": np.empty(0)}
IDENTITY = "ab" * 32


def checkpoints(root: Path, made_by: str = "this", every: float = 60.0) -> StepCheckpoints:
    return StepCheckpoints(root, IDENTITY, made_by, every)


def files(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_file())


def test_what_is_saved_last_is_loaded(tmp_path: Path) -> None:
    assert checkpoints(tmp_path).load() is None
    checkpoints(tmp_path).save({"step": np.array(1)})
    checkpoints(tmp_path).save(STATE)
    loaded = checkpoints(tmp_path).load()
    assert loaded is not None
    assert set(loaded) == set(STATE)
    for name, array in STATE.items():
        assert loaded[name].dtype == array.dtype
        np.testing.assert_array_equal(loaded[name], array)


def test_parts_are_apart_and_go_together(tmp_path: Path) -> None:
    whole = checkpoints(tmp_path)
    whole.part("1").save(STATE)
    assert whole.load() is None
    assert whole.part("0").load() is None
    assert whole.part("1").load() is not None
    whole.drop()
    assert files(tmp_path) == []


def test_another_codes_checkpoint_is_passed_over(tmp_path: Path) -> None:
    checkpoints(tmp_path, "old code").save(STATE)
    assert checkpoints(tmp_path, "new code").load() is None


@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path, damage: str) -> None:
    checkpoints(tmp_path).save(STATE)
    (path,) = files(tmp_path)
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        held = bytearray(whole)
        held[place] ^= 1
        path.write_bytes({"flip": bytes(held), "cut": whole[:place], "empty": b""}[damage])
        assert checkpoints(tmp_path).load() is None
    path.write_bytes(whole)
    assert checkpoints(tmp_path).load() is not None


def test_due_is_a_matter_of_time_since_the_last(tmp_path: Path) -> None:
    assert not checkpoints(tmp_path).due()
    assert checkpoints(tmp_path, every=0).due()


def test_a_place_that_cannot_be_written_costs_the_checkpoint_only(tmp_path: Path) -> None:
    (tmp_path / "checkpoints").write_text("in the way")
    checkpoints(tmp_path).save(STATE)
    assert checkpoints(tmp_path).load() is None


def test_cleaning_spares_steps_without_a_record(tmp_path: Path) -> None:
    checkpoints(tmp_path).save(STATE)
    clean_checkpoints(tmp_path, {"cd" * 32})
    assert checkpoints(tmp_path).load() is not None
    clean_checkpoints(tmp_path, {IDENTITY})
    assert files(tmp_path) == []
