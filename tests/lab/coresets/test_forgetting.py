"""Forgetting events of sequences made by hand, and what a run records."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.lab.coresets import runs
from harness.lab.coresets.dynamics import ForgettingParams, VisitsParams, forgetting_score, visits
from harness.lab.data import sets
from tests.lab.fixtures import DIGITS, HARD_LABELS, NETWORK, changed, context, held

SEQUENCES = {
    # Right at a visit: 1. Forgotten: from 1 to 0.
    "11111": 0,
    "00111": 0,
    "11000": 1,
    "10101": 2,
    "01010": 2,
    "00001": 0,
    "00000": np.inf,
}


def test_events_by_hand() -> None:
    correct = np.array([[digit == "1" for digit in text] for text in SEQUENCES]).T
    given_ = {"visits": held(correct=correct)}
    found = {
        rule: forgetting_score(ForgettingParams(never_learned=rule), given_, context("x"))
        .arrays["score"]
        .tolist()
        for rule in ("infinite", "zero")
    }
    assert found["infinite"] == list(SEQUENCES.values())
    assert found["zero"] == [*list(SEQUENCES.values())[:-1], 0]


def test_a_run_records_every_visit_of_every_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = changed(HARD_LABELS, learning_rate=0.05, batch_size=100)
    labels = torch.from_numpy(sets.load(DIGITS).train.labels)
    seen: list[list[bool]] = [[] for _ in range(1347)]
    plain = runs.training

    def watched(*given, **named):
        for update in plain(*given, **named):
            right = update.logits.argmax(1) == labels[update.chosen]
            for row, known in zip(update.chosen.tolist(), right.tolist(), strict=True):
                seen[row].append(known)
            yield update

    monkeypatch.setattr(runs, "training", watched)
    params = VisitsParams(dataset=DIGITS, network=NETWORK, recipe=recipe, epochs=3)
    correct = visits(params, {}, context("visits")).arrays["correct"]
    assert correct.shape == (3, 1347)
    assert correct.dtype == bool
    assert correct.T.tolist() == seen
    assert correct[0].mean() + 0.1 < correct[2].mean()
