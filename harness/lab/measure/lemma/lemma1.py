"""Lemma 1: its proof line by line, how it degrades, and its assumption on real networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeAlias

from pydantic import Field, model_validator

from harness.lab.probing import DATASET, NETWORK, RECIPE, recipes, taught
from harness.lab.recipe import Count, TrainedParams, passes
from harness.later import np, torch
from harness.plan.step import (
    Facts,
    Json,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)

Positive: TypeAlias = Annotated[float, Field(gt=0)]
Classes: TypeAlias = Annotated[int, Field(ge=2)]


class IdentityParams(StepParams):
    temperatures: tuple[Positive, ...] = Field(min_length=1)
    classes: tuple[Classes, ...] = Field(min_length=1)
    largest_logit: Positive
    """Logits are uniform up to a size that is itself drawn, even in its logarithm, up to this."""
    draws: Count
    """Number of cases for each temperature, number of classes and kind of target."""


class DegradationParams(StepParams):
    classes: Classes
    temperature: Positive
    largest_logit: Positive
    """Largest logit of network and teacher, drawn as in `IdentityParams`."""
    levels: tuple[Annotated[float, Field(ge=0, lt=1)], ...] = Field(min_length=1)
    """Distances of the Gram matrices from Assumption 1."""
    rank: Count
    """Dimension of the space that the psi partly share; a small one makes large cosines."""
    draws: Annotated[int, Field(ge=3)]
    """Examples at each level, each with a Gram matrix of its own."""


class GramParams(TrainedParams):
    teacher: str
    """Network of the teacher, whose answers are the soft targets."""
    runs: Count
    """Runs over which scores are averaged."""
    epochs: tuple[Annotated[int, Field(ge=0)], ...] = Field(min_length=1)
    """Epochs after which the gradients are measured; 0 is the initial network."""
    examples: Annotated[int, Field(ge=3)]
    """Training images whose gradients are measured."""
    temperature: Positive

    @model_validator(mode="after")
    def _within_the_run(self) -> GramParams:
        if (
            list(self.epochs) != sorted(set(self.epochs))
            or self.epochs[-1] > self.recipe.run_epochs
        ):
            raise ValueError(
                f"epochs must rise and end within the run of {self.recipe.run_epochs}; "
                f"found {list(self.epochs)}"
            )
        if self.examples > self.dataset.train_size:
            raise ValueError(
                f"{self.examples} examples are asked for, but '{self.dataset.name}' has "
                f"{self.dataset.train_size}"
            )
        return self


def lemma_identity(
    params: IdentityParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Compare each line of the proof of Lemma 1 with oracles that know nothing of it.

    The derivatives of the softmax and of the loss are compared with autograd, with finite
    differences where |f| / T <= 30, and with mpmath beyond. `grand` is the gradient norm of a
    linear model with drawn psi; `norm-identity` and `result` have orthogonal psi of equal norm;
    all three by autograd. Errors are the largest absolute ones in natural units: derivatives times
    T (over T in the form with T^2), norms times T over the largest singular value of the psi.

    Values: `LINE.ORACLE`, the largest error, and `largest.ORACLE` of all lines; `cases`, and
    `cases.ORACLE`; `holds`: no error is above rounding.
    Arrays: `temperatures` (t,); `autograd`, `differences` and `mpmath` (t, 6), the largest error at
    each temperature in each line of `LINES`, NaN where there was no case; `drawn` (cases, 3),
    temperature, classes and ||p - q|| of each case.
    Draws: "cases" of `ctx`.
    """
    from itertools import product

    from harness.lab.measure.lemma import formulas
    from harness.lab.measure.lemma.identity import ALLOWED, LINES, ORACLES, cases, errors_of

    generator = torch.Generator().manual_seed(ctx.derive("cases"))
    arrays = {name: np.full((len(params.temperatures), len(LINES)), np.nan) for name in ORACLES}
    counts = dict.fromkeys(ORACLES, 0)
    met = []
    for row, temperature in enumerate(params.temperatures):
        ctx.report(row / len(params.temperatures), f"temperature {temperature:g}")
        for case in cases(params, temperature, generator):
            p = formulas.answer(case.logits, temperature)
            met.append((temperature, len(p), np.linalg.norm(p - case.target)))
            for oracle, errors in errors_of(case, generator).items():
                counts[oracle] += 1
                columns = [LINES.index(line) for line in errors]
                found = list(errors.values())
                arrays[oracle][row, columns] = np.fmax(arrays[oracle][row, columns], found)
    values: dict[str, Json] = {"cases": counts["autograd"]}
    values |= {f"cases.{oracle}": count for oracle, count in counts.items()}
    holds = True
    for (column, line), (oracle, errors) in product(enumerate(LINES), arrays.items()):
        if not np.isnan(errors[:, column]).all():
            values[f"{line}.{oracle}"] = largest = float(np.nanmax(errors[:, column]))
            holds &= largest <= ALLOWED[oracle]
    values |= {
        f"largest.{oracle}": float(np.nanmax(errors))
        for oracle, errors in arrays.items()
        if counts[oracle]
    }
    values["holds"] = bool(holds)
    arrays |= {"temperatures": np.array(params.temperatures), "drawn": np.array(met)}
    return StepResult(values, arrays)


def lemma_degradation(
    params: DegradationParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """GraNd over c EL2N-SL, exactly, for Gram matrices ever further from Assumption 1.

    Three families with c = 1, at levels t: `cosines`, (1 - t) I + t V V' with the rows of V drawn
    on a sphere of dimension `rank`; `norms`, diagonal, of norms whose logarithms spread by t;
    `common`, I + t C 11', which a = p - q cannot see, since it sums to zero.

    Arrays: `levels` (l,); `cosine` (l,), mean absolute cosine in the first family; and for each
    family F: `F_ratio` (l, 3), the 5 %, 50 % and 95 % quantile of the ratio; `F_bound` (l, 2), the
    medians of its bounds by the spectrum of G / c^2 - I; `F_rank` (l,), Spearman's correlation of
    GraNd with EL2N-SL over the draws. Values: `F_near`, the share of levels at which 90 % of the
    ratios are within 5 % of 1; `F_outside`, the most by which a ratio leaves its bounds;
    `common_error`, the most by which a ratio of that family leaves 1.
    Draws: "examples" of `ctx`, the same at every level.
    """
    from scipy.stats import spearmanr

    from harness.lab.measure.lemma import formulas
    from harness.lab.measure.lemma.formulas import (
        FAMILIES,
        NEAR,
        QUANTILES,
        answers,
        mean_cosine,
    )

    arrays = {"levels": np.array(params.levels)}
    values: dict[str, Json] = {}
    for family, gram_of in FAMILIES.items():
        ratios, bounds, ranks = [], [], []
        for level in params.levels:
            generator = torch.Generator().manual_seed(ctx.derive("examples"))
            p, q = (answers(params, generator) for _ in range(2))
            gram = gram_of(params, level, generator)
            exact = formulas.grand(p, q, gram, params.temperature)
            score = formulas.el2n_sl(p, q, params.temperature)
            ratios.append(exact / score)
            bounds.append(formulas.bounds(gram, 1.0))
            ranks.append(spearmanr(exact, score).statistic)
        ratio, bound = np.array(ratios), np.array(bounds)
        low, _, high = spread = np.quantile(ratio, QUANTILES, axis=1)
        arrays[f"{family}_ratio"] = spread.T
        arrays[f"{family}_bound"] = np.median(bound, axis=2)
        arrays[f"{family}_rank"] = np.array(ranks)
        values[f"{family}_near"] = float(((low > 1 - NEAR) & (high < 1 + NEAR)).mean())
        outside = np.maximum(bound[:, 0] - ratio, ratio - bound[:, 1])
        values[f"{family}_outside"] = max(0.0, float(outside.max()))
        if family == "common":
            values["common_error"] = float(np.abs(ratio - 1).max())
    arrays["cosine"] = np.array([mean_cosine(params, level, ctx) for level in params.levels])
    return StepResult(values, arrays)


def gram_during_training(
    params: GramParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Gram matrices of the psi of drawn training images, at several epochs of several runs.

    Evaluation mode, un-augmented, in float64. For PART in `all` (parameters) and `last` (layer),
    arrays over the k measured epochs: `PART_cosine` (k, 3), the 5 %, 50 % and 95 % quantile over
    images and pairs of classes of their cosine; `PART_norms` (k,), the spread of the norms over the
    classes (standard deviation over root mean square), mean over images; `PART_c` (k,), the spread
    of c over images; `PART_bound` (k, 2), the median bounds of GraNd over c EL2N.
    For LABEL in `hard` (one-hot, T = 1: EL2N) and `soft` (the teacher at T: EL2N-SL), of scores
    averaged over the runs, as the lemma's expectation is: `PART_LABEL_rank` (k,), Spearman's
    correlation of GraNd with the score; `PART_LABEL_c_rank`, of GraNd with the mean of c times the
    norm, so with c kept inside the expectation; `PART_LABEL_kept`, the share of the hardest 30 % by
    GraNd that are also the hardest 30 % by the score. Averages are over runs where not said.
    Array `epochs` (k,); values: `X_end`, the last one of each other array X (k,).
    Draws: "examples", and in each run "init", "order" and "augment" of `ctx`.
    """

    from harness.lab.data import sets
    from harness.lab.measure.lemma import formulas
    from harness.lab.measure.lemma.gram import PARTS, measured_run, rank_agreement, spreads
    from harness.lab.models.classifier import Classifier
    from harness.lab.train.loop import Examples

    examples = Examples.of(sets.load(params.dataset).train, ctx.device)
    draws = torch.Generator().manual_seed(ctx.derive("examples"))
    rows = torch.randperm(len(examples), generator=draws)[: params.examples]
    chosen = Examples(examples.taken(rows), examples.labels[rows.to(ctx.device)])
    teacher = Classifier.stored(
        params.teacher, params.dataset, ctx.device, inputs["teacher"].tensors("weights")
    )
    taught = torch.cat(list(teacher.predict(chosen.images))).double().cpu().numpy()
    targets = {
        "hard": (np.eye(params.dataset.classes)[chosen.labels.cpu().numpy()], 1.0),
        "soft": (formulas.answer(taught, params.temperature), params.temperature),
    }
    runs = [
        measured_run(params, examples, chosen, ctx.part(run, params.runs))
        for run in range(params.runs)
    ]
    arrays: dict[str, np.ndarray] = {"epochs": np.array(params.epochs)}
    for part in PARTS:
        found = [spreads(run[part]) for run in runs]
        for name in found[0]:
            arrays[f"{part}_{name}"] = np.mean([own[name] for own in found], axis=0)
        for label, (target, heat) in targets.items():
            for name, ranks in rank_agreement(runs, part, target, heat).items():
                arrays[f"{part}_{label}_{name}"] = ranks
    values: dict[str, Json] = {
        f"{name}_end": float(array[-1])
        for name, array in arrays.items()
        if array.ndim == 1 and name != "epochs"
    }
    return StepResult(values, arrays)


def _gram_work(p: GramParams, facts: Facts) -> Work:
    """One backward pass a class, for each image and each measured epoch."""
    measured = p.runs * len(p.epochs) * p.examples
    trained = p.runs * p.epochs[-1] * p.dataset.train_size
    seen = measured * (1 + 2 * p.dataset.classes)
    return (
        passes(facts, p.network, p.dataset, trained, 0, p.recipe.precision)
        + passes(facts, p.network, p.dataset, 0, seen)
        + passes(facts, p.teacher, p.dataset, 0, p.examples)
    )


CASE = 3.5e-4
"""Seconds that a class of a case takes, most of them in mpmath."""


def _identity_work(p: IdentityParams, facts: Facts) -> Work:
    cases = 3 * p.draws * len(p.temperatures)
    return Work(samples=0, flops=0, seconds=CASE * cases * sum(p.classes))


def _identity_probe() -> Probe:
    # Beyond the reach of differences in float64, whose rounding differs between machines.
    params = IdentityParams(temperatures=(0.003,), classes=(3, 7), largest_logit=1, draws=2)
    return Probe(params, {})


def gram_probe() -> Probe:
    return Probe(
        GramParams(
            dataset=DATASET,
            network=NETWORK,
            teacher=NETWORK,
            recipe=RECIPE,
            runs=2,
            epochs=(0, 2),
            examples=6,
            temperature=4.0,
        ),
        {"teacher": taught()},
        variants=recipes({"warmup_epochs": 0}),
    )


STEPS = (
    declare(lemma_identity, _identity_probe, _identity_work),
    declare(
        lemma_degradation,
        lambda: Probe(
            DegradationParams(
                classes=4, temperature=2.0, largest_logit=10, levels=(0.0, 0.3), rank=3, draws=5
            ),
            {},
        ),
    ),
    declare(gram_during_training, gram_probe, _gram_work, inputs=("teacher",)),
)
