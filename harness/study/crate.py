"""A Process Run Crate (Workflow Run RO-Crate, profile 0.5) beside exported records.

It says of every number which runs it is of: their step, seed, parameters, code and machine, what
they read and what they left, in the words of schema.org. https://w3id.org/ro/wfrun/process/0.5
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import UserError
from harness.judge.exhibit import Judgement
from harness.judge.results import ItemResult
from harness.store.record import Record
from harness.study.project import Project

if TYPE_CHECKING:
    from rocrate.model import ContextEntity
    from rocrate.rocrate import ROCrate

PROFILE = "https://w3id.org/ro/wfrun/process/0.5"
LICENCE = "LICENSE"


def write_crate(
    project: Project, folder: Path, judgements: Sequence[Judgement], records: Iterable[Record]
) -> Path:
    """Write the crate's metadata into a folder of exported records, with a copy of the specs.

    Raises:
        UserError: the library `rocrate` is not here.
    """
    crate = _crate()
    about = project.paper.about
    crate.name = f"Runs of {about.title}"
    crate.description = "Records of experiments, the specs that they follow, and the verdicts."
    crate.root_dataset["conformsTo"] = _entity(crate, PROFILE, "CreativeWork", version="0.5")
    shutil.copytree(
        project.paper.root,
        folder / "specs",
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    licence = project.paper.root.parent / LICENCE
    if licence.is_file():
        shutil.copy2(licence, folder / LICENCE)
        crate.license = crate.add_file(folder / LICENCE, LICENCE)
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in (LICENCE, "ro-crate-metadata.json"):
            crate.add_file(path, name, properties={"name": path.name})
    code = _code(crate, about.id, _commit(project.paper.root))
    runs = {record.identity: record for record in records}
    for identity in sorted(runs):
        _add_run(crate, runs[identity], code, runs)
    crate.root_dataset["mentions"] = [{"@id": f"#run-{identity}"} for identity in sorted(runs)]
    for judgement in judgements:
        for result in judgement.results:
            _add_number(crate, judgement, result)
    crate.metadata.write(folder)
    return folder / "ro-crate-metadata.json"


def _crate() -> ROCrate:
    try:
        from rocrate.rocrate import ROCrate
    except ModuleNotFoundError:
        raise UserError("--crate needs the library rocrate; install repro-harness[crate]") from None
    return ROCrate()


def _code(crate: ROCrate, paper: str, commit: str) -> ContextEntity:
    more = {"softwareVersion": commit} if commit else {}
    return _entity(crate, f"#code-{paper}", "SoftwareApplication", name=f"{paper}: steps", **more)


def _add_run(
    crate: ROCrate, record: Record, code: ContextEntity, runs: Mapping[str, Record]
) -> None:
    """A run as an action: its step by its code, what it read, and what it left."""
    identity = record.identity
    step = _entity(
        crate,
        f"#step-{record.step}-{record.code[:16]}",
        "SoftwareApplication",
        name=record.step,
        identifier=record.code,
        softwareVersion=str(record.revision),
        isPartOf=code,
    )
    given = {"seed": record.seed, **record.params}
    read = [
        _property(crate, f"#given-{identity}-{name}", name, value) for name, value in given.items()
    ]
    read += [_result(crate, i) for i in sorted(record.inputs.values()) if i in runs]
    left = _result(crate, identity, record)
    machine = _property(crate, f"#machine-{identity}", "environment", dict(record.environment))
    _entity(
        crate,
        f"#run-{identity}",
        "CreateAction",
        name=f"{record.step}, seed {record.seed}",
        instrument=step,
        object=[*read, machine],
        result=left,
    )


def _add_number(crate: ROCrate, judgement: Judgement, result: ItemResult) -> None:
    """A number: what is printed, what came back, the verdict, and the runs that it is of."""
    address = str(result.item.address)
    verdict, printed = judgement.verdict(result), result.item.reported
    amount = result.amount
    came = f"{amount.summary.mean:.10g}" if amount else ""
    told = {"printed": printed.text if printed else "", "reproduced": came}
    told["verdict"] = verdict.name if verdict else ""
    _entity(
        crate,
        f"#number-{address}".replace(" ", "%20"),
        "PropertyValue",
        name=address,
        value=came,
        description=json.dumps(told, ensure_ascii=False),
        isBasedOn=[{"@id": f"#result-{identity}"} for identity in result.item.identities],
    )


def _result(crate: ROCrate, identity: str, record: Record | None = None) -> ContextEntity:
    known = f"#result-{identity}"
    values = {"value": json.dumps(dict(record.values), sort_keys=True)} if record else {}
    return _entity(crate, known, "PropertyValue", name=f"record {identity[:12]}", **values)


def _property(crate: ROCrate, known: str, name: str, value: object) -> ContextEntity:
    text = value if isinstance(value, str | int | float) else json.dumps(value, sort_keys=True)
    return _entity(crate, known, "PropertyValue", name=name, value=text)


def _entity(crate: ROCrate, known: str, kind: str, **fields: Any) -> ContextEntity:
    """An entity of the crate, made where there is none, with further fields."""
    from rocrate.model import ContextEntity

    found = crate.get(known) or crate.add(ContextEntity(crate, known, {"@type": kind}))
    for name, value in fields.items():
        found[name] = value
    return found


def _commit(root: Path) -> str:
    """The commit of the specs' repository; empty where there is none, or they were edited since."""
    try:
        told = [
            subprocess.run(
                ["git", *words], cwd=root, capture_output=True, text=True, check=True
            ).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--", "."))
        ]
    except (OSError, subprocess.CalledProcessError):
        return ""
    return "" if told[1] else told[0]
