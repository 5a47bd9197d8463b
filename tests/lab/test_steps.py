"""The declarations: light to import, complete, and honest about cost."""

from __future__ import annotations

import subprocess
import sys

import pytest
from pydantic import BaseModel, ValidationError

from harness.lab.coresets.dynamics import DynamicsParams
from harness.lab.distill.stitch import StitchParams
from harness.lab.steps import STEPS
from harness.lab.train.student import StudentParams
from harness.lab.train.teacher import TeacherParams
from harness.plan.step import StepContext, StepParams, StepResult
from harness.registry import resolve
from harness.run.probe import probe_of
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, as_bytes, changed


class FlatFacts:
    """A network that costs 100 operations an image."""

    def forward_flops(self, network: str, resolution: int) -> float:
        assert (network, resolution) == (NETWORK, 8)
        return 100.0


COMMON = {"dataset": DIGITS, "network": NETWORK}
TRAINED = COMMON | {"recipe": HARD_LABELS}


def cost(name: str, params: StepParams) -> tuple[float, float]:
    work = next(step for step in STEPS if step.name == name).cost(params, FlatFacts())
    return work.samples, work.flops


def test_importing_the_list_of_steps_imports_neither_torch_nor_numpy() -> None:
    script = (
        "import sys, harness.lab.steps;"
        "print([m for m in ('torch', 'numpy', 'sklearn', 'torchvision') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_names_are_unique_and_dotted_names_resolve() -> None:
    assert len({step.name for step in STEPS}) == len(STEPS)
    for step in STEPS:
        assert resolve(step.function).__name__ == step.name


def models(kind: type[BaseModel]) -> list[type[BaseModel]]:
    inner = [field.annotation for field in kind.model_fields.values()]
    return [kind, *(m for m in inner if isinstance(m, type) and issubclass(m, BaseModel))]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_parameters_are_frozen_and_closed_at_every_level(step) -> None:
    for model in models(step.params):
        assert issubclass(model, StepParams)
        assert model.model_config["frozen"]
        assert model.model_config["extra"] == "forbid"


def test_costs_count_a_training_pass_three_times() -> None:
    # 60 epochs of 1347 images, then the 450 test images once.
    seen = 60 * 1347
    assert cost("teacher", TeacherParams(**TRAINED)) == (seen + 450, 100 * (3 * seen + 450))
    published = TeacherParams(**TRAINED, pretrained="IMAGENET1K_V1")
    assert cost("teacher", published) == (450, 45_000)
    watched = DynamicsParams(**TRAINED, samples=5000, looks=7)
    looked = 7 * 1347 + 450
    assert cost("dynamics", watched) == (5000 + looked, 100 * (15_000 + looked))
    small = StudentParams(**TRAINED, per_class=5)
    assert cost("student", small) == (60 * 50 + 450, 100 * (9000 + 450))
    # Five crops of each image of the pool, which cannot exceed the training split.
    stitched = StitchParams(**COMMON, per_class=5, factor=2, crop_scale=(0.08, 1))
    assert cost("stitch", stitched) == (5 * 1347, 500 * 1347)


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(ValidationError, match="factor 3 does not divide the 8-pixel side"):
        StudentParams(**TRAINED, per_class=5, factor=3)
    with pytest.raises(ValidationError, match="factor 5"):
        StitchParams(**COMMON, per_class=1, factor=5, crop_scale=(0.08, 1))
    with pytest.raises(ValidationError, match="one per channel"):
        type(DIGITS).model_validate(DIGITS.model_dump() | {"mean": (0.1, 0.2)})
    with pytest.raises(ValidationError):
        changed(HARD_LABELS, batch_size=1)
    with pytest.raises(ValidationError):
        changed(HARD_LABELS, dropout=0.5)


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_every_probe_runs_twice_alike_and_leaves_the_generators_alone(
    step, untouched_generators: None
) -> None:
    def run() -> StepResult:
        probe = probe_of(step)
        assert isinstance(probe.params, step.params)
        needed = {name.rstrip("*") for name in step.inputs if not name.endswith("?")}
        given = {name.partition(".")[0] for name in probe.inputs}
        assert needed <= given <= {name.rstrip("?*") for name in step.inputs}
        return resolve(step.function)(
            probe.params, probe.inputs, StepContext(step.name, probe.seed)
        )

    first = as_bytes(run())
    assert first
    assert first == as_bytes(run())
