"""Claims on the paper's printed numbers, for the tests of claims."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from harness.judge import claims
from harness.judge.comparison import Numbers
from harness.judge.model import Source
from harness.judge.sample import ReportedNumber
from harness.spec.claims import Claim
from harness.spec.reading import read_printed
from harness.spec.reporting import Reporting
from harness.spec.units import Unit

CLAIM = TypeAdapter(Claim)

PRINTED = {
    "table3:TM:SL/IPC 10": (37.60, 0.25),
    "table3:TM:SL/IPC 50": (46.26, 0.30),
    "table3:TM:HL/IPC 10": (38.18, 0.42),
    "table3:TM:HL/IPC 50": (46.32, 0.26),
    "table3:K-centers:SL/IPC 10": (34.70, 0.27),
    "table3:K-centers:SL/IPC 50": (46.24, 0.12),
    "table3:K-centers:HL/IPC 10": (25.04, 0.30),
    "table3:K-centers:HL/IPC 50": (38.64, 0.43),
    "table6:CA2D:HL/IPC 50": (41.56, None),
    "table6:RDED:HL/IPC 50": (38.49, None),
    "table6:FAD-RM:HL/IPC 50": (21.21, None),
    "table7:DUAL:IPC 10": (15.65, 0.17),
    "table7:DUAL:IPC 50": (38.28, 0.09),
    "table7:CAD-Prune:IPC 10": (12.57, 0.03),
    "table7:CAD-Prune:IPC 50": (40.21, 0.15),
    "table7:CAD-Prune:IPC 100": (47.40, 0.20),
    "table7:CA2D:IPC 50": (41.72, 0.40),
    "table7:CA2D:IPC 100": (46.32, 0.10),
    "table9:CAD-Prune:IPC 50/RN50": (40.37, None),
    "table9:EL2N-Best:IPC 50/RN50": (40.12, None),
    "table11:Early:IPC 50": (30.95, 0.35),
    "table11:Early:IPC 100": (39.94, 0.25),
    "table11:Compute-aware:IPC 50": (40.21, 0.15),
    "table11:Compute-aware:IPC 100": (47.40, 0.20),
}

A_AND_B = {"left": ["e:a:x"], "right": ["e:b:x"]}
A_OVER_B = {"better": ["e:a:x"], "worse": ["e:b:x"]}
TM_LEAD = {"exhibit": "table3", "left": "TM", "right": "K-centers"}
TM_LEAD_LOW_IPC = {**TM_LEAD, "wide": ["HL/IPC 10"], "narrow": ["SL/IPC 10"]}


def reported(address):
    entry = PRINTED.get(address)
    return None if entry is None else ReportedNumber(*entry).summary()


def claim(kind, **fields):
    return CLAIM.validate_python(
        {"id": "c", "text": "a sentence", "where": "Table 3", "kind": kind, **fields}
    )


def evaluate(asked, lookup, *source_and_runs, **known):
    """A claim on the numbers that `lookup` gives for addresses, of which more may be known."""
    return claims.evaluate(asked, Numbers(lookup, *source_and_runs, **known))


def outcome(kind, numbers=reported, source="reported", **fields):
    return evaluate(claim(kind, **fields), numbers, source)


def table3(kind, columns, **fields):
    return outcome(kind, exhibit="table3", columns=columns, **fields)


def judged(
    texts: Mapping[str, str],
    kind: str,
    *,
    declared: str | Mapping[str, str] = "",
    source: Source = "reported",
    by_seed: Mapping[str, Mapping[int, float]] | None = None,
    **fields: Any,
) -> claims.Evaluation:
    """A claim on `e:a:x`, `e:b:x`, ..., where a text is printed for each letter.

    `declared` is the unit of all, or of some letters.
    """
    printed = {f"e:{row}:x": read_printed(text) for row, text in texts.items()}
    numbers = {
        at: ReportedNumber.read(number, Reporting()).summary()
        for at, number in printed.items()
        if number.is_number
    }
    return evaluate(
        claim(kind, **fields),
        numbers.get,
        source,
        by_seed=by_seed or {},
        without={at: number for at, number in printed.items() if at not in numbers},
        half_units={
            at: float(number.rounding)
            for at, number in printed.items()
            if at in numbers and number.of is None
        },
        units={
            at: Unit.of(number, declared if isinstance(declared, str) else declared[at[2]])
            for at, number in printed.items()
            if number.kind == "number"
        },
    )
