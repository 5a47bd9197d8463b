"""GLaD: a set that its code left, from the files to the numbers of students."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.errors import UserError
from harness.lab.data import sets
from harness.plan.exhibit import plan_exhibit
from harness.spec.paper import load_paper
from tests.lab.fixtures import DIGITS
from tests.lab.imports.layouts import write_pair
from tests.lab.test_beside_the_paper import beside, repro

FINGERPRINT = "ab" * 32


def named(specs: Path, fingerprint: str) -> None:
    path = specs / "methods" / "glad.toml"
    text = path.read_text("utf-8")
    assert text.count('value = ""') == 1
    path.write_text(text.replace('value = ""', f'value = "{fingerprint}"'), "utf-8")


def test_without_a_set_one_message_says_where_it_is_to_be_named(tmp_path: Path) -> None:
    paper = load_paper(beside(tmp_path, "glad"))
    with pytest.raises(UserError, match=r"glad.toml:.*no released set is named here"):
        plan_exhibit(paper, "beside", "digits", seeds=1)


@pytest.mark.parametrize("profile", ["paper", "digits"])
def test_a_named_set_is_what_students_train_on_once_a_teacher_knows_it(
    tmp_path: Path, profile: str
) -> None:
    specs = beside(tmp_path, "glad")
    named(specs, FINGERPRINT)
    plan = plan_exhibit(load_paper(specs), "beside", profile, seeds=1)
    (cell,) = plan.items
    images = plan.steps[plan.steps[cell.sources["recipe"][0][0]].inputs["images"]]
    assert (images.name, images.params["fingerprint"]) == ("released_set", FINGERPRINT)
    assert plan.steps[images.inputs["teacher"]].name == "teacher"
    # Where it cannot be compared, that is not for the source of its images.
    assert "images are" not in cell.reason


@pytest.mark.slow
def test_it_runs_on_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    specs = beside(tmp_path, "glad")
    monkeypatch.setenv("REPRO_DATA", str(tmp_path / "data"))
    train = sets.load(DIGITS).train
    rows = np.concatenate([np.flatnonzero(train.labels == label)[:5] for label in range(10)])
    pixels = torch.from_numpy(train.images[rows].transpose(0, 3, 1, 2) / 255).float()
    images = (pixels - DIGITS.mean[0]) / DIGITS.std[0]
    folder = write_pair(tmp_path / "a-run", images, torch.from_numpy(train.labels[rows])).parent
    said = ("--as", "pair", "--space", "mean-std")
    told = json.loads(repro(tmp_path, "data", "import", "digits", str(folder), *said, "--json"))
    named(specs, told["fingerprint"])
    repro(tmp_path, "make", "beside", "--profile", "digits", "--executor", "inline")
    shown = repro(tmp_path, "show", "beside", "--profile", "digits", "--json")
    (cell,) = json.loads(shown)["cells"]
    # Five real images of each digit.
    assert cell["reproduced"]["mean"] > 60
