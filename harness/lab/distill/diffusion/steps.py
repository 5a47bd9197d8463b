"""Images from latent diffusion models: parameters and costs.

Neither torch nor numpy is imported here, so that planning stays cheap.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from harness.lab.declare import declare
from harness.lab.recipe import Count, DatasetRef
from harness.plan.step import Facts, StepParams, Work


class GenerateParams(StepParams):
    """What both have in common."""

    dataset: DatasetRef
    generator: str
    """Name of a pretrained diffusion model: its folder among the weights."""
    fingerprint: str = ""
    """Of the generator's files, checked if it is given."""
    per_class: Count
    side: Count
    """Of the images that the generator was made for, in pixels."""
    guidance: float = Field(ge=1)
    """Scale of classifier-free guidance; 1 is none."""
    sampling_steps: Count
    """Steps from noise to image."""
    precision: Literal["float16", "float32", "float64"]


class D4mParams(GenerateParams):
    prompts: Literal["official", "corrected", "numbers"]
    """What stands for a class: all its names in WordNet, for ImageNet-1K alone, with the two cranes
    in each other's place as in the official list or in their own; or `class 0` and so on."""
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
    """Of its files, checked if it is given."""
    phase_classes: Count
    """Classes that the generator is fine-tuned on together, each time as it was published."""
    epochs: Count
    batch_size: Count
    learning_rate: float = Field(gt=0)
    """Of AdamW, constant, without weight decay."""
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


STEPS = (
    declare("distill_d4m", "distill.diffusion.d4m", D4mParams, _d4m_work),
    declare("distill_minimax", "distill.diffusion.minimax", MinimaxParams, _minimax_work),
)
