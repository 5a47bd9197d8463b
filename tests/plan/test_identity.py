"""What makes two pieces of work the same."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.plan.exhibit import plan_exhibit
from harness.plan.identity import canonical, digest, identities, identity_of
from harness.plan.step import Neutral, StepType
from harness.spec.paper import load_paper
from tests.toy.paper import Workplace
from tests.toy.steps import STEPS

DRAW, SELECT, MEASURE, *_ = STEPS
DRAWN = {"mean": 0.0, "std": 1.0, "count": 100}
INPUT = {"draw": 64 * "a"}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=6,
)  # fmt: skip
PARAMS = st.dictionaries(st.text(min_size=1, max_size=5), JSON, min_size=1, max_size=4)


def test_identities_of_fixed_steps() -> None:
    """Stores hold records under these names.

    Never change a digest here. If the scheme must change, raise SCHEME: then all of them do.
    """
    draw = identity_of(DRAW, DRAWN, 0, {})
    select = identity_of(SELECT, {"keep": 10}, 0, {"draw": draw})
    fields = {"mean": 0.5, "std": 0.002, "fail": False}
    measure = identity_of(MEASURE, fields, 3, {"images": select})
    assert draw == "f264ff86626d9f0e810bb5c75944ba3e2a518071b7816f5bacf653b9a0d4c9b8"
    assert select == "d30fb91c1e236f6766901515948a91d7e07b28556f503b2788be4cefbd76740a"
    assert measure == "e6fe89b31778350f77f787b85171ec0bd1ab203af306c5ad7af69a11c93db97f"


def test_an_identity_is_the_digest_of_this_text() -> None:
    text = (
        "repro/step\n"
        '{"inputs":{},"params":{"count":100,"mean":0.0,"std":1.0},'
        '"revision":1,"scheme":1,"seed":0,"step":"draw"}'
    )
    assert identity_of(DRAW, DRAWN, 0, {}) == hashlib.sha256(text.encode()).hexdigest()


@given(params=PARAMS, seed=st.integers(0, 2**40), name=st.text(max_size=3))
def test_many_identities_are_each_that_of_its_canonical_json(
    params: dict[str, Any], seed: int, name: str
) -> None:
    inputs = {name: 64 * "a", "b": 64 * "c"}
    fields = {"scheme": 1, "step": DRAW.name, "revision": DRAW.revision}
    whole = digest("step", {**fields, "params": params, "seed": seed, "inputs": inputs})
    made = identities(DRAW, params)
    assert made(seed, inputs) == whole
    assert made(seed + 1, {}) != whole


def shuffled(value: Any, draw: st.DataObject) -> Any:
    """The same JSON with the keys of every object in another order."""
    if isinstance(value, dict):
        keys = draw.draw(st.permutations(sorted(value)))
        return {key: shuffled(value[key], draw) for key in keys}
    return [shuffled(item, draw) for item in value] if isinstance(value, list) else value


@given(params=PARAMS, data=st.data())
def test_the_order_of_keys_does_not_count(params: dict[str, Any], data: st.DataObject) -> None:
    inputs = {"a": "1", "b": "2"}
    again = identity_of(DRAW, shuffled(params, data), 5, dict(reversed(inputs.items())))
    assert again == identity_of(DRAW, params, 5, inputs)


@given(params=PARAMS, name=st.data(), other=JSON)
def test_every_parameter_counts(params: dict[str, Any], name: st.DataObject, other: Any) -> None:
    changed = params | {name.draw(st.sampled_from(sorted(params))): other}
    same = canonical(changed) == canonical(params)
    assert (identity_of(DRAW, changed, 0, {}) == identity_of(DRAW, params, 0, {})) is same


@pytest.mark.parametrize(
    ("step", "seed", "inputs"),
    [
        (replace(SELECT, revision=2), 0, INPUT),
        (replace(SELECT, name="choose"), 0, INPUT),
        (SELECT, 1, INPUT),
        (SELECT, 0, {"draw": 64 * "b"}),
        (SELECT, 0, {"other": 64 * "a"}),
        (SELECT, 0, {}),
    ],
    ids=["revision", "name", "seed", "input", "input's name", "no input"],
)
def test_name_revision_seed_and_inputs_count(
    step: StepType, seed: int, inputs: dict[str, str]
) -> None:
    assert identity_of(step, {"keep": 1}, seed, inputs) != identity_of(
        SELECT, {"keep": 1}, 0, INPUT
    )


def test_where_the_function_lies_does_not_count() -> None:
    moved = replace(SELECT, function="elsewhere:other", probe="elsewhere:probe")
    assert identity_of(moved, {"keep": 1}, 0, INPUT) == identity_of(SELECT, {"keep": 1}, 0, INPUT)


def test_a_field_added_later_counts_unless_it_is_neutral() -> None:
    class Skewed(DRAW.params):
        skew: Annotated[float, Neutral(0.0)] = 0.0

    later = replace(DRAW, params=Skewed)
    before = identity_of(DRAW, DRAWN, 0, {})
    assert identity_of(later, {**DRAWN, "skew": 0.0}, 0, {}) == before
    assert identity_of(later, {**DRAWN, "skew": 0.5}, 0, {}) != before


def test_numbers_that_json_lacks_have_no_identity() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        identity_of(DRAW, {**DRAWN, "mean": float("nan")}, 0, {})


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("methods/noisy.toml", "value = 0.04", "value = 4e-2"),
        ("methods/noisy.toml", "value = 0.04", "value   =   0.040 # four"),
        (
            "methods/noisy.toml",
            '[settings.scatter]\nvalue = 0.04\nsource = "paper"\nplace = "Section 1"',
            '[settings]\nscatter = { place = "Section 1", source = "paper", value = 0.04 }',
        ),
        (
            "recipes/measuring.toml",
            '{ mean = "{truth}", std = "{scatter}", fail = "{fail}" }',
            '{ fail = "{fail}", std = "{scatter}", mean = "{truth}" }',
        ),
        # Settings that no step reads, names and labels.
        ("recipes/measuring.toml", "value = 3", "value = 4"),
        ("methods/noisy.toml", 'label = "noisy"', 'label = "loud"'),
    ],
)
def test_formatting_and_labels_of_specs_do_not_count(
    place: Workplace, file: str, old: str, new: str
) -> None:
    before = plan_exhibit(load_paper(place.specs), "verdicts")
    place.edit(file, old, new)
    after = plan_exhibit(load_paper(place.specs), "verdicts")
    assert list(after.steps) == list(before.steps)
