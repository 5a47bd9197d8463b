"""Parameters that describe a data set and how a network is trained, and what its passes cost."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import AfterValidator, Field, ValidationInfo, model_validator

from harness.plan.step import Facts, Neutral, StepParams, Work

Count: TypeAlias = Annotated[int, Field(ge=1)]
Share: TypeAlias = Annotated[float, Field(gt=0, le=1)]
CropScale: TypeAlias = tuple[Share, Share]
"""Smallest and largest share of an image's area that a random crop may take."""
Resize: TypeAlias = Literal["256", "none"]


class DatasetRef(StepParams):
    """A data set, known by its fingerprint, and how its pixels are scaled."""

    name: str
    fingerprint: str
    """SHA-256 as `harness.lab.data.sets.fingerprint` computes it."""
    classes: Count
    train_size: Count
    test_size: Count
    smallest_class: Count
    """Training images of the class that has fewest."""
    resolution: Count
    """Side of the square images, in pixels; of the views of images of many sizes."""
    channels: Count
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Mean and standard deviation per channel, of pixels in [0, 1]."""
    flip: bool
    """Whether a mirrored image keeps its class."""
    short_side: Annotated[int, Field(ge=0), Neutral(0)] = 0
    """Pixels of the shorter side of images of many sizes, as they are kept; 0 if all are square."""

    @model_validator(mode="after")
    def _one_value_per_channel(self) -> DatasetRef:
        if not len(self.mean) == len(self.std) == self.channels:
            raise ValueError(f"mean and std need {self.channels} values, one per channel")
        return self


def check_factor(factor: int, dataset: DatasetRef) -> None:
    """Refuse a grid of patches that does not tile the images."""
    if dataset.resolution % factor:
        raise ValueError(
            f"factor {factor} does not divide the {dataset.resolution}-pixel side of the images "
            f"of '{dataset.name}'; choose a factor that does"
        )


class Recipe(StepParams):
    """How a network is trained (supplement, Table 1)."""

    epochs: Count
    batch_size: Annotated[int, Field(ge=2)]
    """A batch of one has no batch statistics, so two is the least."""
    loss: Literal["cross-entropy", "kl"]
    optimizer: Literal["sgd", "adamw"]
    learning_rate: float = Field(gt=0)
    momentum: float = Field(default=0.0, ge=0, lt=1)
    """Momentum of SGD, which `nesterov` belongs to as well."""
    nesterov: bool = False
    weight_decay: float = Field(ge=0)
    scheduler: Literal["cosine", "constant", "step"]
    """Cosine: falls to `cosine_floor` at the end of the run. Step: falls once, see `loop`."""
    warmup_epochs: int = Field(default=0, ge=0)
    """Epochs in which the rate rises linearly to `learning_rate`."""
    augmentation: Literal["none", "rrc-flip", "rrc-flip-cutmix", "dsa"]
    crop_scale: CropScale = (1.0, 1.0)
    """Range of the random resized crop."""
    precision: Literal["float32", "bfloat16", "float64"] = "float32"

    evaluation_epochs: Annotated[Count | None, Neutral(None)] = None
    """Length of a student's run, where it is not `epochs`."""
    betas: Annotated[tuple[float, float], Neutral([0.9, 0.999])] = (0.9, 0.999)
    """Both betas of AdamW."""
    decayed_parameters: Annotated[Literal["all", "weights"], Neutral("all")] = "all"
    """Weights: only tensors of two or more dimensions, so no biases and no norms."""
    cosine_floor: Annotated[float, Field(ge=0, lt=1), Neutral(0.0)] = 0.0
    """Share of the rate left at the end, by a cosine that is cut off there (EDC's has one half)."""
    scheduler_interval: Annotated[Literal["step", "epoch"], Neutral("step")] = "step"
    """How often the cosine falls."""
    loop: Annotated[Literal["plain", "official"], Neutral("plain")] = "plain"
    """How a step schedule runs. Plain: the rate falls once, after `step_after_epochs`. Official
    (DC, DC-Bench): a run of E has E + 1 epochs, and after epoch index E // 2 + 1 the rate falls and
    a new optimiser starts, without momentum."""
    step_after_epochs: Annotated[int, Field(ge=0), Neutral(0)] = 0
    step_factor: Annotated[float, Field(gt=0, le=1), Neutral(1.0)] = 1.0
    dsa_strategy: Annotated[str, Neutral("")] = ""
    """Names of groups of operations, joined by `_`."""
    dsa_mode: Annotated[Literal["one", "all"], Neutral("one")] = "one"
    """One group drawn for each batch, or all of them in order."""
    dsa_parameters: Annotated[Literal["per-image", "per-batch"], Neutral("per-image")] = "per-image"
    labels: Annotated[Literal["given", "stored", "online"], Neutral("given")] = "given"
    """Given: the classes. Stored: one soft label an image. Online: the teacher's answer to the very
    view that the student sees."""
    temperature: Annotated[float, Field(gt=0), Neutral(1.0)] = 1.0
    kl_direction: Annotated[Literal["teacher-student"], Neutral("teacher-student")] = (
        "teacher-student"
    )
    kl_reduction: Annotated[Literal["batch-mean", "mean"], Neutral("batch-mean")] = "batch-mean"
    """Sum over classes and mean over the batch, or mean over both."""
    kl_t2: Annotated[bool, Neutral(False)] = False
    """Whether the divergence is multiplied by the squared temperature."""
    cutmix_alpha: Annotated[float, Field(ge=0), Neutral(0.0)] = 0.0
    """Both parameters of the Beta distribution of the share that CutMix keeps; above 0 only where
    the augmentation has CutMix."""
    teacher: Annotated[str, Neutral("")] = ""
    """Network of the teacher of soft labels."""
    teacher_mode: Annotated[Literal["eval", "train"], Neutral("eval")] = "eval"
    teacher_view: Annotated[Literal["whole", "enlarged"], Neutral("whole")] = "whole"
    """How the teacher of stored labels sees an image of a small data set, see `soft_labels`."""
    statistics_updates: Annotated[Count, Neutral(1)] = 1
    """How often the statistics of a student's batch enter those that its batch norms keep."""
    zca: Annotated[bool, Neutral(False)] = False
    """Whether the network reads ZCA-whitened images, as in MTT and DATM, or normalised ones."""
    released_set: Annotated[Literal["last"], Neutral("last")] = "last"
    evaluated_epoch: Annotated[Literal["last"], Neutral("last")] = "last"
    warmup_start: Annotated[float, Field(ge=0, le=1), Neutral(0.0)] = 0.0
    """Share of the rate that the warm-up rises from."""
    warmup_counted: Annotated[bool, Neutral(True)] = True
    """Whether the warm-up is among the epochs of the run, or comes before them."""
    ema: Annotated[float, Field(ge=0, lt=1), Neutral(0.0)] = 0.0
    """Decay of the moving average of the weights that is evaluated; 0: the weights themselves."""
    patch_shuffle: Annotated[Literal["rded", "none"], Neutral("rded")] = "rded"
    """Whether patches change places where the images have several: RDED's code does so."""
    label_storage: Annotated[Literal["none", "per-epoch"], Neutral("none")] = "none"
    """Whether online labels are made in training, or beforehand and kept in 16 bits (SRe2L)."""
    train_resize: Annotated[Resize, Neutral("256")] = "256"
    """Shorter side of real images of many sizes when training crops are taken of them. None: crops
    are taken of the publisher's files, as in the official codes."""
    test_view: Annotated[Literal["resize-256-center-224"], Neutral("resize-256-center-224")] = (
        "resize-256-center-224"
    )
    """View of test images of many sizes; those of one size are seen whole."""

    @model_validator(mode="after")
    def _one_drop(self) -> Recipe:
        if self.scheduler == "step" and self.loop == "plain" and not self.step_after_epochs:
            raise ValueError("a plain step schedule needs step_after_epochs")
        return self

    @model_validator(mode="after")
    def _labels_fit_the_loss(self) -> Recipe:
        if (self.loss == "kl") != (self.labels != "given"):
            raise ValueError("the loss is 'kl' exactly where labels are 'stored' or 'online'")
        mixes = self.augmentation.endswith("cutmix")
        if mixes and self.labels != "online":
            raise ValueError("only the teacher can label a mixed image: labels must be 'online'")
        if mixes != (self.cutmix_alpha > 0):
            raise ValueError("cutmix_alpha is above 0 exactly where the augmentation has cutmix")
        if self.label_storage != "none" and self.labels != "online":
            raise ValueError("label_storage is about the labels of views: labels must be 'online'")
        if self.zca and self.labels == "online":
            raise ValueError("no teacher can read the student's view where zca is true")
        return self

    @property
    def _stated_epochs(self) -> int:
        return self.evaluation_epochs or self.epochs

    @property
    def _epochs_before(self) -> int:
        """Epochs of a warm-up that comes before the run's own."""
        return 0 if self.warmup_counted else self.warmup_epochs

    @property
    def run_epochs(self) -> int:
        """Epochs that a student's run really has."""
        return self._epochs_before + self._stated_epochs + (self.loop == "official")

    @property
    def epochs_before_drop(self) -> int:
        """Epochs of such a run at the full rate, if the schedule is a step."""
        if self.loop == "official":
            return self._epochs_before + self._stated_epochs // 2 + 2
        return min(self._epochs_before + self.step_after_epochs, self.run_epochs)


def _resized(value: Resize, info: ValidationInfo) -> Resize:
    """Images of one size are never resized, so that either reading is the same work."""
    dataset: DatasetRef | None = info.data.get("dataset")
    return value if dataset is None or dataset.short_side else "256"


def _heeding_size(recipe: Recipe, info: ValidationInfo) -> Recipe:
    resize = _resized(recipe.train_resize, info)
    return recipe.model_copy(update={"train_resize": resize})


CropsOf: TypeAlias = Annotated[Resize, Neutral("256"), AfterValidator(_resized)]
"""`Recipe.train_resize` of a step without a recipe. Stands after the step's `dataset`."""
RecipeOfData: TypeAlias = Annotated[Recipe, AfterValidator(_heeding_size)]
"""A recipe with which a network is trained on real images. Stands after the step's `dataset`."""


class NetworkParams(StepParams):
    """Parameters of every step that has a network see a data set."""

    dataset: DatasetRef
    network: str


class TrainedParams(NetworkParams):
    """Parameters of every step that trains one on it."""

    recipe: RecipeOfData


def passes(
    facts: Facts,
    network: str,
    dataset: DatasetRef,
    trained: int,
    scored: int,
    precision: str = "float32",
) -> Work:
    """Examples that a network is trained on, and examples that it scores.

    A training pass costs three forward passes: forward, and twice that backward.
    """
    flops = (3 * trained + scored) * facts.forward_flops(network, dataset.resolution)
    return Work(trained + scored, flops, half=flops if precision == "bfloat16" else 0.0)


def class_batches(dataset: DatasetRef, size: int) -> float:
    """Training images in a batch of `size` of every class, or of all if it has fewer, or if 0."""
    whole = dataset.train_size / dataset.classes
    return dataset.classes * min(size or whole, whole)
