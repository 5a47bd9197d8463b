"""Importance of training examples, from how a network's answers to them moved.

All scores slide a window of J looks over a recorded signal S (looks x examples) and use the
unbiased standard deviation U_k and the mean M_k of S over the looks k .. k+J-1.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np

from harness.errors import UserError
from harness.lab.coresets.steps import CadParams, DualParams, DynUncParams
from harness.plan.step import StepContext, StepInput, StepResult

BLOCK = 1 << 16
"""Examples scored at once: a window of a million would take more memory than the signal itself."""


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

    mean = early.mean(axis=0, dtype=np.float64)
    return _result(score=_by_blocks(early, score), mean_probability=mean)


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
        part = signal[start : start + length].astype(np.float64)
        yield part.std(axis=0, ddof=1), part.mean(axis=0)


def _mean(terms: Iterator[np.ndarray]) -> np.ndarray:
    total, count = next(terms), 1
    for term in terms:
        total, count = total + term, count + 1
    return total / count


def _result(**arrays: np.ndarray) -> StepResult:
    return StepResult({}, {name: array.astype(np.float32) for name, array in arrays.items()})
