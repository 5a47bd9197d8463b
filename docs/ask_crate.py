"""Ask a crate which runs are behind a number: python docs/ask_crate.py FOLDER 22.68

Needs `rocrate` alone, and nothing of `repro`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from rocrate.rocrate import ROCrate


def behind(folder: str, number: str) -> Iterator[dict[str, Any]]:
    """The runs behind each cell that came back as a number, rounded as that is."""
    crate = ROCrate(folder)
    runs = {run["result"].id: run for run in crate.get_by_type("CreateAction") if one(run)}
    places = len(number.partition(".")[2])
    for cell in crate.get_by_type("PropertyValue"):
        if not cell.id.startswith("#number-") or not cell["value"]:
            continue
        if f"{float(cell['value']):.{places}f}" != number:
            continue
        for result in cell["isBasedOn"]:
            run = runs[result.id]
            code = run["instrument"].get("isPartOf")
            yield {
                "cell": cell["name"],
                "seed": next(g["value"] for g in run["object"] if g["name"] == "seed"),
                "step": run["instrument"]["name"],
                "code": run["instrument"]["identifier"],
                "commit": code["version"] if code else "not known",
                "values": json.loads(result["value"]),
            }


def one(run: Any) -> bool:
    """Whether it is the run of one step, not that of the workflow."""
    return not isinstance(run["result"], list)


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("expected a folder with a crate and a number, such as: ask_crate.py crate 22.68")
    answers = list(behind(*sys.argv[1:]))
    for found in answers:
        print(json.dumps(found))
    if not answers:
        sys.exit(f"no cell of {sys.argv[1]} has the number {sys.argv[2]}")
