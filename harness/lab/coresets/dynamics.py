"""Training dynamics: runs in which every example is watched, and the scores taken from them.

Scores but that of forgetting slide a window of J looks over a recorded signal S (looks x examples)
and use the unbiased standard deviation U_k and the mean M_k of S over the looks k .. k+J-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from harness.errors import UserError
from harness.lab.probing import BY_DSA, DATASET, NETWORK, PLAIN_SGD, RECIPE, recipes
from harness.lab.recipe import Count, TrainedParams, passes
from harness.later import np
from harness.plan.step import (
    Facts,
    MemoryInput,
    Neutral,
    Probe,
    StepContext,
    StepInput,
    StepParams,
    StepResult,
    Work,
    declare,
)

BLOCK = 1 << 16
"""Examples scored at once: a window of a million would take more memory than the signal itself."""


class DynamicsParams(TrainedParams):
    """The `epochs` of its recipe are not used: `samples` is the length of the run."""

    samples: Annotated[int, Field(ge=2)]
    """Training examples seen in the run; its schedule ends exactly there."""
    looks: Count
    """Evenly spaced points of the run at which every example is scored, the last at its end."""
    schedule_samples: Annotated[int, Field(ge=0), Neutral(0)] = 0
    """Examples of the longer run that this is the beginning of, with its schedule; 0: of none."""

    @model_validator(mode="after")
    def _a_beginning_is_shorter(self) -> DynamicsParams:
        if 0 < self.schedule_samples < self.samples:
            raise ValueError(
                f"the first {self.samples} examples of a run of {self.schedule_samples} are asked "
                "for; a beginning is no longer than its run"
            )
        return self


def dynamics(
    params: DynamicsParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Train for `samples` examples and record `looks` evenly spaced looks at all n examples.

    Arrays (looks, n), float32, or float64 if the recipe's precision is:
    `probability`: of the true class, evaluation mode, un-augmented;
    `el2n`: norm of softmax minus one-hot, likewise (Paul et al. 2021);
    `train_probability`: of the true class at the example's latest visit, train mode, on the
    augmented batch before the update; an example not visited so far takes its `probability`.
    Values: `accuracy` and `loss` on the test split at the end, `epochs` seen. The beginning of a
    longer run makes as many updates as a whole run of its `samples`.
    Raises `UserError` if there are fewer updates than looks.
    """
    from harness.lab.coresets.runs import watched

    return watched(params, ctx)


def _dynamics_work(p: DynamicsParams, facts: Facts) -> Work:
    scored = p.looks * p.dataset.train_size + p.dataset.test_size
    return passes(facts, p.network, p.dataset, p.samples, scored, p.recipe.precision)


def probe_dynamics() -> Probe:

    return Probe(
        DynamicsParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, samples=60, looks=4),
        {},
        variants=(
            {"schedule_samples": 90},
            *recipes(
                PLAIN_SGD,
                {"nesterov": False},
                {"warmup_epochs": 0},
                {"decayed_parameters": "weights"},
                {"scheduler_interval": "epoch"},
                {"cosine_floor": 0.5},
                {"scheduler": "step", "step_after_epochs": 1, "step_factor": 0.1},
                {"scheduler": "step", "loop": "official", "step_factor": 0.1},
                BY_DSA,
            ),
        ),
    )


Window: TypeAlias = Annotated[int, Field(ge=2)]


Probability: TypeAlias = Literal["probability", "train_probability"]


class DynUncParams(StepParams):
    window: Window = 10
    signal: Probability
    drop_last: bool
    """Leave out the window that ends at the last look, as the official loop does."""


def dyn_unc_score(
    params: DynUncParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Array `score` (n,), float32: mean of U_k over all windows (Dyn-Unc, He et al. 2024).

    The official constant factor 10 is left out. Raises `UserError` if looks < window + 1.
    """
    signal = inputs["dynamics"].array(params.signal)
    looks, window = len(signal), params.window
    if looks < window + 1:
        raise UserError(
            f"dyn_unc_score: windows of {window} looks need at least {window + 1} looks, but the "
            f"dynamics recorded {looks}; record more looks or shorten the window"
        )
    starts = range(looks - window + (0 if params.drop_last else 1))
    score = _by_blocks(signal, lambda part: _mean(std for std, _ in _windows(part, window, starts)))
    return _result(score=score)


class DualParams(StepParams):
    window: Window
    looks: Count
    """Only the first so many looks count."""
    signal: Probability


def dual_score(params: DualParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Arrays `score`: mean of U_k (1 - M_k), and `mean_probability`, both (n,) and float32.

    Over all windows within the first `looks` looks (DUAL, Cho et al. 2025); the official constant
    factor 10 is left out. Raises `UserError` if the dynamics recorded fewer looks, or if they do
    not hold one window.
    """
    signal = inputs["dynamics"].array(params.signal)
    if not params.window <= params.looks <= len(signal):
        raise UserError(
            f"dual_score: the first {params.looks} looks in windows of {params.window} were asked "
            f"for, but the dynamics recorded {len(signal)}; expected window <= looks <= recorded"
        )
    early = signal[: params.looks]
    starts = range(params.looks - params.window + 1)

    def score(part: np.ndarray) -> np.ndarray:
        return _mean(std * (1 - mean) for std, mean in _windows(part, params.window, starts))

    mean = early.mean(axis=0, dtype="float64")
    return _result(score=_by_blocks(early, score), mean_probability=mean)


class CadParams(StepParams):
    window: Window | Literal["span"]
    """Looks per window; `span`: as many as `tail` windows before the last look leave room for."""
    tail: Count
    """Number of last windows that are averaged."""
    signal: Literal["el2n", "probability"]


def cad_score(params: CadParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Array `score` (n,), float32: CAD(x) = (1/W) sum of U_k(x), k = L-J-W .. L-J-1.

    The last W windows of a compute-matched run of L looks, without the one that holds the last
    look (CAD-Prune, main paper, eq. 1 and 2). Raises `UserError` if L < J + W.
    """
    signal = inputs["dynamics"].array(params.signal)
    looks, tail = len(signal), params.tail
    window = max(2, looks - tail) if params.window == "span" else params.window
    if looks < window + tail:
        raise UserError(
            f"cad_score: the last {tail} windows of {window} looks need {window + tail} looks, but "
            f"the dynamics recorded {looks}; record more looks, or shorten `window` or `tail`"
        )
    starts = range(looks - window - tail, looks - window)
    score = _by_blocks(signal, lambda part: _mean(std for std, _ in _windows(part, window, starts)))
    return _result(score=score)


def _by_blocks(signal: np.ndarray, score: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Scores (n,) of a signal (looks, n), some examples at a time."""

    starts = range(0, signal.shape[1], BLOCK)
    return np.concatenate([score(signal[:, start : start + BLOCK]) for start in starts])


def _windows(
    signal: np.ndarray, length: int, starts: range
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """U_k and M_k of each window, one at a time so that memory stays that of a single window."""
    for start in starts:
        part = signal[start : start + length].astype("float64")
        yield part.std(axis=0, ddof=1), part.mean(axis=0)


def _mean(terms: Iterator[np.ndarray]) -> np.ndarray:
    total, count = next(terms), 1
    for term in terms:
        total, count = total + term, count + 1
    return total / count


def _result(**arrays: np.ndarray) -> StepResult:
    return StepResult({}, {name: array.astype("float32") for name, array in arrays.items()})


def _watched() -> MemoryInput:
    """Signals of eight looks at 24 examples: rippled learning curves of different speed."""

    look, example = np.indices((8, DATASET.train_size))
    ripple = 0.05 * np.sin(2.3 * look * (1 + example % 5) + example)
    probability = 1 / (1 + np.exp(2 - look * (0.2 + example / 24))) + ripple * 0.5
    signals = {
        "probability": probability,
        "train_probability": 0.9 * probability,
        "el2n": np.sqrt(2) * (1 - probability),
    }
    return MemoryInput(held=signals)


class VisitsParams(TrainedParams):
    """The `epochs` of its recipe are not used."""

    epochs: Annotated[int, Field(ge=2)]
    """Length of the run, and visits of each example."""


def visits(params: VisitsParams, inputs: Mapping[str, StepInput], ctx: StepContext) -> StepResult:
    """Train on all n examples for `epochs`, and record what was right when it was visited.

    Array `correct` (epochs, n), bool: whether the network knew the example at its visit of each
    epoch, train mode, on the augmented batch, before the update.
    """
    from harness.lab.coresets.runs import visited

    return StepResult({}, {"correct": visited(params, ctx)})


class ForgettingParams(StepParams):
    never_learned: Literal["infinite", "zero"]
    """Score of an example that was never right."""


def forgetting_score(
    params: ForgettingParams, inputs: Mapping[str, StepInput], ctx: StepContext
) -> StepResult:
    """Array `score` (n,), float32: visits at which an example was wrong after it had been right.

    An example that was never right scores infinity, as in the paper (`infinite`), or 0, as the
    count says and DeepCore has it (`zero`).
    """

    correct = inputs["visits"].array("correct")
    events = (correct[:-1] & ~correct[1:]).sum(axis=0).astype("float32")
    if params.never_learned == "infinite":
        events[~correct.any(axis=0)] = np.inf
    return StepResult({}, {"score": events})


def probe_forgetting_score() -> Probe:

    visit, example = np.indices((6, DATASET.train_size))
    correct = np.sin(1.3 * visit * (example % 5)) > 0.2
    return Probe(
        ForgettingParams(never_learned="infinite"),
        {"visits": MemoryInput(held={"correct": correct})},
    )


STEPS = (
    declare(dynamics, probe_dynamics, _dynamics_work),
    declare(
        dyn_unc_score,
        lambda: Probe(
            DynUncParams(window=3, signal="probability", drop_last=True), {"dynamics": _watched()}
        ),
        inputs=("dynamics",),
    ),
    declare(
        dual_score,
        lambda: Probe(
            DualParams(window=3, looks=6, signal="train_probability"), {"dynamics": _watched()}
        ),
        inputs=("dynamics",),
    ),
    declare(
        cad_score,
        lambda: Probe(
            CadParams(window="span", tail=2, signal="el2n"),
            {"dynamics": _watched()},
            variants=({"window": 3},),
        ),
        inputs=("dynamics",),
    ),
    declare(
        visits,
        lambda: Probe(
            VisitsParams(dataset=DATASET, network=NETWORK, recipe=RECIPE, epochs=4),
            {},
            variants=recipes({"nesterov": False}, {"warmup_epochs": 0}),
        ),
        lambda p, facts: passes(
            facts, p.network, p.dataset, p.epochs * p.dataset.train_size, 0, p.recipe.precision
        ),
    ),
    declare(forgetting_score, probe_forgetting_score, inputs=("visits",)),
)
