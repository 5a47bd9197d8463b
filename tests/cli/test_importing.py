"""`repro data import`: what it prints, and its exit codes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.lab.data import sets
from harness.lab.imports import released
from tests.lab.fixtures import DIGITS
from tests.toy.paper import Workplace

SPECS = Path(__file__).parents[2] / "specs"


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """The specs of the paper itself, and a data folder of the test's own."""
    monkeypatch.setenv("REPRO_DATA", str(tmp_path / "data"))
    (tmp_path / "specs").symlink_to(SPECS)
    return Workplace(tmp_path)


def rows() -> np.ndarray:
    labels = sets.load(DIGITS).train.labels
    return np.concatenate([np.flatnonzero(labels == c)[:5] for c in range(DIGITS.classes)])


def test_a_set_is_kept_under_the_fingerprint_that_is_printed(
    real: Workplace, tmp_path: Path
) -> None:
    np.save(tmp_path / "rows.npy", rows())
    command = ("data", "import", "digits", str(tmp_path / "rows.npy"), "--as", "list")
    fields = real.repro(*command, "--json").json
    assert (fields["images"], fields["per_class"]) == (50, 5)
    kept = released.read(fields["fingerprint"], DIGITS)
    assert kept.indices is not None
    assert np.array_equal(kept.indices, rows())
    outcome = real.repro(*command)
    assert outcome.code == 0
    assert f'fingerprint = "{fields["fingerprint"]}"' in outcome.out
    assert fields["folder"] in outcome.out


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("cifar", "rows.npy", "--as", "list"), "unknown data set 'cifar'; did you mean"),
        (("digits", "rows.npy", "--as", "lists"), "unknown layout 'lists'; did you mean 'list'"),
        (("digits", "nowhere.npy", "--as", "list"), "nowhere.npy: cannot be opened"),
        (("digits", "rows.npy", "--as", "pair"), "say which space"),
        (("digits", "rows.npy", "--as", "sets"), "no zip as torch.save writes"),
    ],
)
def test_what_is_refused_is_one_message_and_keeps_nothing(
    real: Workplace, tmp_path: Path, arguments: tuple[str, ...], reason: str
) -> None:
    np.save(tmp_path / "rows.npy", rows())
    name, file, *options = arguments
    outcome = real.repro("data", "import", name, str(tmp_path / file), *options)
    assert outcome.code == 2
    assert reason in outcome.err
    assert outcome.err.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_paper_without_importers_says_what_to_add(place: Workplace) -> None:
    outcome = place.repro("data", "import", "numbers", "x", "--as", "list")
    assert outcome.code == 2
    assert "add imports = 'package.module'" in outcome.err
