"""Making images with latent diffusion models: D4M and Minimax Diffusion."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from harness.lab.probing import DATASET
from harness.lab.recipe import Count, DatasetRef
from harness.later import np
from harness.plan.step import (
    Facts,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)

TINY = "random-tiny"
"""Name of a generator of few random weights, for probes and tests."""
_FINISHED = "images"


class GenerateParams(StepParams):
    """The parameters that D4M and Minimax have in common."""

    dataset: DatasetRef
    generator: str
    """Name of a pretrained diffusion model: its folder among the weights."""
    fingerprint: str = ""
    """Fingerprint of the generator's files, checked if it is given."""
    per_class: Count
    side: Count
    """Side of the images that the generator was made for, in pixels."""
    guidance: float = Field(ge=1)
    """Scale of classifier-free guidance; 1 is none."""
    sampling_steps: Count
    """Steps from noise to image."""
    precision: Literal["float16", "float32", "float64"]


class D4mParams(GenerateParams):
    prompts: Literal["official", "corrected", "numbers"]
    """How a class is named: by all its names in WordNet, for ImageNet-1K alone, with the two cranes
    in each other's place as in the official list or in their own; or by `class 0` and so on."""
    negative_prompt: str
    cluster_expansion: Count
    """Latents that a step of k-means is given, for each prototype."""
    strength: Annotated[float, Field(gt=0, le=1)]
    """Share of the way to noise that a prototype is sent, and from there back to an image."""

    @model_validator(mode="after")
    def _a_step_for_every_class(self) -> D4mParams:
        batch, fewest = self.cluster_expansion * self.per_class, self.dataset.smallest_class
        if batch > fewest:
            raise ValueError(
                f"a step of k-means takes {batch} images, {self.cluster_expansion} for each of "
                f"{self.per_class} prototypes, but the smallest class of '{self.dataset.name}' has "
                f"{fewest}; choose a smaller cluster_expansion"
            )
        return self


class MinimaxParams(GenerateParams):
    autoencoder: str
    """Name of the pretrained autoencoder between images and latents."""
    autoencoder_fingerprint: str = ""
    """Fingerprint of its files, checked if it is given."""
    phase_classes: Count
    """Classes that the generator is fine-tuned on together, each time as it was published."""
    epochs: Count
    batch_size: Count
    learning_rate: float = Field(gt=0)
    """AdamW's learning rate, constant; there is no weight decay."""
    lambda_r: float = Field(ge=0)
    """Weight of the representativeness loss."""
    lambda_d: float = Field(ge=0)
    """Weight of the diversity loss."""
    memory: Count
    """Latents of each class that each of the two losses remembers."""
    ema: float = Field(ge=0, lt=1)
    """Decay of the mean of weights that images are made with; 0: the weights themselves."""
    label_dropout: float = Field(ge=0, lt=1)
    """Share of images that are learned without their class, as guidance needs it."""
    guided_channels: Count
    """Channels of a latent that are guided, the first ones."""
    precision: Literal["float32", "float64"]


def distill_d4m(params: D4mParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Make images from the centres of each class's latents, given its name (D4M, Su et al. 2024).

    Arrays `images` uint8 (n, h, w, c) and `labels` int64 (n,), class by class; value `fingerprint`
    of the generator's weights. Draws, of each class: "order" of its training images, "encode",
    "clusters", and "image-0" and so on.
    Raises `UserError` if a class has fewer images than one step of k-means takes, and
    `EvidenceError` without the generator's weights.
    """

    from harness.lab.data import sets
    from harness.lab.distill.diffusion.pretrained import (
        STABLE_DIFFUSION,
        checked_fingerprint,
        stable_diffusion,
    )
    from harness.lab.distill.diffusion.prototypes import class_names, imagined, prototypes
    from harness.lab.distill.synthesis import class_labels

    dataset, train = params.dataset, sets.load(params.dataset).train
    fingerprint = checked_fingerprint(params.generator, STABLE_DIFFUSION, params.fingerprint)
    pipeline = stable_diffusion(params.generator, ctx.device, params.precision)
    prompts = class_names(params)
    made = []
    for label in range(dataset.classes):
        own = ctx.part(label, dataset.classes)
        saved = own.checkpoints.load()
        if saved is None:
            centres = prototypes(params, pipeline.vae, train, label, own)
            images = imagined(params, pipeline, centres, prompts[label], own)
            saved = {_FINISHED: images}
            own.checkpoints.save(saved)
        made.append(np.array(saved[_FINISHED]))
    arrays = {"images": np.concatenate(made), "labels": class_labels(dataset, params.per_class)}
    return StepResult({"fingerprint": fingerprint}, arrays)


def distill_minimax(
    params: MinimaxParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Tune a diffusion transformer on some classes after others, and make images of each.

    The images become typical of real ones, and diverse (Minimax Diffusion, Gu et al. 2024).

    Arrays `images` uint8 (n, h, w, c) and `labels` int64 (n,), class by class; `losses` float64
    (batches of all phases,). Values: the fingerprints of the weights of `generator` and
    `autoencoder`. Draws, of each phase: "order-0" and so on, "synthesis", "image-0" and so on.
    Raises `UserError` if a phase has no whole batch, and `EvidenceError` without the weights.
    """
    from copy import deepcopy

    from harness.lab.data import sets
    from harness.lab.distill.diffusion.dit import Diffusion, tunable
    from harness.lab.distill.diffusion.minimax import Phase, check_fit, of_classes
    from harness.lab.distill.diffusion.pretrained import (
        autoencoder,
        checked_fingerprint,
        transformer,
    )
    from harness.lab.distill.synthesis import class_labels

    dataset, train = params.dataset, sets.load(params.dataset).train
    prints = {
        "generator": checked_fingerprint(params.generator, ["transformer"], params.fingerprint),
        "autoencoder": checked_fingerprint(
            params.autoencoder, [""], params.autoencoder_fingerprint
        ),
    }
    published = transformer(params.generator, ctx.device, params.precision)
    between = autoencoder(params.autoencoder, ctx.device, params.precision)
    check_fit(params, published, between)
    starts = range(0, dataset.classes, params.phase_classes)

    def made(number: int, start: int) -> Mapping[str, np.ndarray]:
        labels = range(start, min(start + params.phase_classes, dataset.classes))
        own = ctx.part(number, len(starts))
        saved = own.checkpoints.load()
        if saved is not None and _FINISHED in saved:
            return {name: np.array(array) for name, array in saved.items()}
        network = deepcopy(published)
        tuned, noise = tunable(network), Diffusion.linear(ctx.device)
        chosen = of_classes(train, labels, ctx.device)
        phase = Phase(params, labels, network, tuned, between, chosen, own, noise)
        finished = {"losses": phase.tune(), _FINISHED: phase.images()}
        own.checkpoints.save(finished)
        return finished

    phases = [made(number, start) for number, start in enumerate(starts)]
    arrays = {name: np.concatenate([phase[name] for phase in phases]) for name in phases[0]}
    return StepResult(prints, {**arrays, "labels": class_labels(dataset, params.per_class)})


# Floating-point operations of one pass, counted layer by layer at the sides that were published:
# Stable Diffusion 1.5 at 512 pixels, DiT-XL/2 at 256.
UNET, DIT = 8.03e11, 2.373e11
ENCODE_512, DECODE_512 = 1.117e12, 2.515e12
ENCODE_256, DECODE_256 = 2.727e11, 6.222e11
GUIDED = 2
"""Passes for each step of a guided image."""
TRAINED = 3
"""A pass and its gradient, in passes."""


def _work(p: GenerateParams, samples: float, flops: float) -> Work:
    return Work(samples, flops, half=flops if p.precision == "float16" else 0.0)


def _made(p: GenerateParams) -> int:
    return p.per_class * p.dataset.classes


def _d4m_work(p: D4mParams, facts: Facts) -> Work:
    # The scheduler of Stable Diffusion takes its second step twice.
    scale, steps = (p.side / 512) ** 2, int(p.sampling_steps * p.strength) + 1
    made = _made(p) * (GUIDED * steps * UNET + DECODE_512)
    samples = p.dataset.train_size + _made(p) * GUIDED * steps
    return _work(p, samples, scale * (p.dataset.train_size * ENCODE_512 + made))


def _minimax_work(p: MinimaxParams, facts: Facts) -> Work:
    scale, seen = (p.side / 256) ** 2, p.epochs * p.dataset.train_size
    tuned = seen * (ENCODE_256 + TRAINED * DIT)
    made = _made(p) * (GUIDED * p.sampling_steps * DIT + DECODE_256)
    samples = seen + _made(p) * GUIDED * p.sampling_steps
    return _work(p, samples, scale * (tuned + made))


def generating_probe() -> dict[str, Any]:
    """Parameters of a tiny generation, for the probes of both methods."""
    return {
        "dataset": DATASET,
        "generator": TINY,
        "per_class": 1,
        "side": 16,
        "guidance": 3.0,
        "sampling_steps": 3,
        "precision": "float64",
    }


def d4m_probe() -> Probe:
    return Probe(
        D4mParams(
            **generating_probe(),
            prompts="numbers",
            negative_prompt="cartoon",
            cluster_expansion=3,
            strength=0.7,
        ),
        {},
    )


def minimax_probe() -> Probe:
    return Probe(
        MinimaxParams(
            **generating_probe(),
            autoencoder=TINY,
            phase_classes=2,
            epochs=2,
            batch_size=4,
            learning_rate=0.01,
            lambda_r=0.5,
            lambda_d=0.5,
            memory=3,
            ema=0.5,
            label_dropout=0.3,
            guided_channels=3,
        ),
        {},
        variants=({"ema": 0.0},),
    )


STEPS = (
    declare(distill_d4m, d4m_probe, _d4m_work),
    declare(distill_minimax, minimax_probe, _minimax_work),
)
