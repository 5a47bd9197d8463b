"""The identity of a step: what makes two pieces of work the same."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import lru_cache
from json.encoder import encode_basestring_ascii
from pathlib import Path

from harness.plan.step import Json, StepType, uncounted

SCHEME = 1
"""Version of this scheme; raising it makes every record stale."""


_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Json) -> str:
    """JSON with sorted keys and no spaces. NaN and infinities are errors."""
    return _ENCODER.encode(value)


def digest(kind: str, value: Json) -> str:
    """SHA-256 of a canonical value, prefixed by its kind so that two kinds never collide."""
    return _hashed(kind, canonical(value))


def _hashed(kind: str, text: str) -> str:
    return hashlib.sha256(f"repro/{kind}\n{text}".encode()).hexdigest()


def identity_of(
    step: StepType, params: Mapping[str, Json], seed: int, inputs: Mapping[str, str]
) -> str:
    """Identity of a step with complete parameters.

    A parameter that has its declared neutral value is left out, so that adding a field later
    leaves old identities unchanged. Device, host, worker count and profile name never enter.
    """
    return identities(step, params)(seed, inputs)


def identities(
    step: StepType, params: Mapping[str, Json]
) -> Callable[[int, Mapping[str, str]], str]:
    """`identity_of` for many seeds and inputs: the parameters are put into words once."""
    held = {name: value for name, value in params.items() if name not in uncounted(step.params)}
    counted = canonical(_counted(held, step.neutral))
    fixed = f'"params":{counted},"revision":{step.revision},"scheme":{SCHEME}'
    name = canonical(step.name)

    def identity(seed: int, inputs: Mapping[str, str]) -> str:
        # The canonical JSON of all of it: the keys are in their order.
        body = f'{{"inputs":{_texts(inputs)},{fixed},"seed":{seed},"step":{name}}}'
        return _hashed("step", body)

    return identity


def is_identity_of(
    identity: str,
    step: StepType,
    revision: int,
    params: Mapping[str, Json],
    seed: int,
    inputs: Mapping[str, str],
) -> bool | None:
    """Whether work that says what it is has the identity that it goes by.

    None where today's code does not tell: of another revision, or with parameters that it does not
    have, other values may have been left out of the identity.
    """
    try:
        same = identity_of(replace(step, revision=revision), params, seed, inputs) == identity
        step.params.model_validate(dict(params))
    except (ValueError, TypeError):  # not finite, or other parameters than today's
        return None
    return same or (False if revision == step.revision else None)


def _texts(held: Mapping[str, str]) -> str:
    """`canonical` of texts by name, without setting up its encoder for every seed."""
    pairs = [
        f"{encode_basestring_ascii(name)}:{encode_basestring_ascii(held[name])}"
        for name in sorted(held)
    ]
    return "{" + ",".join(pairs) + "}"


def _counted(params: Mapping[str, Json], neutral: Mapping[str, Json]) -> dict[str, Json]:
    """The parameters that count; those of an inner table are named by dotted paths."""
    kept: dict[str, Json] = {}
    for name, value in params.items():
        if name in neutral and neutral[name] == value:
            continue
        inner = {k[len(name) + 1 :]: v for k, v in neutral.items() if k.startswith(f"{name}.")}
        kept[name] = _counted(value, inner) if inner and isinstance(value, dict) else value
    return kept


@lru_cache
def source_digest(*folders: Path) -> str:
    """SHA-256 of packages' sources and templates: what was made by other code is made anew."""
    hashed = hashlib.sha256()
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.suffix != ".pyc":
                content, name = path.read_bytes(), path.relative_to(folder).as_posix()
                hashed.update(f"{name}\0{len(content)}\0".encode() + content)
    return hashed.hexdigest()
