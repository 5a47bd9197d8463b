"""A Workflow Run RO-Crate (profile 0.5) beside exported records.

It says of every number which runs it is of: their step, seed, parameters, code and machine, what
they read and what they left, in the words of schema.org. https://w3id.org/ro/wfrun/workflow/0.5
The specs are its workflow, whose inputs are how the exhibits were asked for, and whose outputs are
the records. `manifest-sha256.txt` lists the digest of every file, as `sha256sum --check` reads it.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from harness.errors import UserError
from harness.formats.exported import Exported
from harness.judge.exhibit import Judgement
from harness.judge.results import ItemResult
from harness.run.cluster.snapshot import snapshot
from harness.spec.paper import Paper, PaperFile
from harness.store.digest import digest_file
from harness.store.record import Record

if TYPE_CHECKING:
    from rocrate.model import ContextEntity
    from rocrate.rocrate import ROCrate


VERSION = "1.1"
"""Of RO-Crate: the one that the profile stands on."""
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "0.5",
    "https://w3id.org/ro/wfrun/workflow/0.5": "0.5",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "1.0",
}
TERMS = {"environment": "https://w3id.org/ro/terms/workflow-run#environment"}
"""What the profile adds to the context of RO-Crate and is used here."""
WORKFLOW = "specs/paper.toml"
WORKFLOW_TYPES = ["File", "SoftwareSourceCode", "ComputationalWorkflow"]
CODE = "code/"
LICENCE = "LICENSE"
NO_LICENCE = "https://rightsstatements.org/vocab/CNE/1.0/"
"""No licence is stated: copyright was not evaluated."""
METADATA = "ro-crate-metadata.json"
DIGESTS = "manifest-sha256.txt"


def write(exported: Exported) -> bool:
    """Write the crate's metadata into a folder of exported records, with the specs and the code."""
    from rocrate.rocrate import ROCrate

    paper, folder, judgements = exported.paper, exported.folder, exported.judgements
    commits = exported.commits()
    crate = ROCrate(version=VERSION)
    about = paper.about
    crate.name = f"Runs of {about.title}"
    crate.description = "Records of experiments, the specs that they follow, and the verdicts."
    crate.root_dataset["conformsTo"] = [
        _entity(crate, profile, "CreativeWork", version=version)
        for profile, version in PROFILES.items()
    ]
    _copy(paper, judgements, folder)
    _add_files(crate, folder)
    runs = {record.identity: record for record in exported.records}
    for identity in sorted(runs):
        _add_run(crate, runs[identity], commits.get(identity, ""), runs)
    numbers = [_add_number(crate, each, result) for each in judgements for result in each.results]
    made = _add_workflow(crate, judgements, numbers)
    crate.root_dataset["mentions"] = [made, *({"@id": f"#run-{i}"} for i in sorted(runs))]
    crate.metadata.extra_terms.update(TERMS)
    crate.metadata.write(folder)
    write_digests(folder)
    return True


def digests(folder: Path) -> dict[str, str]:
    """Name -> SHA-256 of every file of a bundle, but for the list of them and its signature."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file())
    named = {path.relative_to(folder).as_posix(): path for path in found}
    return {n: digest_file(p) for n, p in named.items() if n not in (DIGESTS, f"{DIGESTS}.sig")}


def write_digests(folder: Path) -> None:
    """List the digests of all files of a bundle; an older signature no longer holds."""
    lines = (f"{digest}  {name}\n" for name, digest in digests(folder).items())
    (folder / DIGESTS).write_text("".join(lines), encoding="utf-8")
    (folder / f"{DIGESTS}.sig").unlink(missing_ok=True)


def _copy(paper: Paper, judgements: Iterable[Judgement], folder: Path) -> None:
    """Place specs, licence and the code that runs the steps beside the records."""
    unwanted = shutil.ignore_patterns("__pycache__")
    for name in ("specs", CODE):
        if (folder / name).exists() and not (folder / METADATA).is_file():
            raise UserError(
                f"{folder / name}: it is there and of no crate; export the crate to a folder of "
                "its own"
            )
        shutil.rmtree(folder / name, ignore_errors=True)
    shutil.copytree(paper.root, folder / "specs", ignore=unwanted)
    snapshot({s.function for each in judgements for s in each.plan.steps.values()}, folder / CODE)
    (folder / CITATION).write_text(citation(paper.about), encoding="utf-8")
    for name in (LICENCE, CITATION):  # the project's own, where it has them
        own = paper.root.parent / name
        if own.is_file() and is_own(own.read_text(encoding="utf-8", errors="replace")):
            shutil.copy2(own, folder / name)


def _add_files(crate: ROCrate, folder: Path) -> None:
    crate.license = NO_LICENCE
    crate.add_dataset(folder / CODE, CODE, properties={"name": "The code that runs the steps"})
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        described = name in (METADATA, DIGESTS, f"{DIGESTS}.sig") or name.startswith(CODE)
        if path.is_file() and not described:
            kind = WORKFLOW_TYPES if name == WORKFLOW else "File"
            file = crate.add_file(path, name, properties={"@type": kind, "name": path.name})
            if name == LICENCE:
                crate.license = file


def _add_workflow(
    crate: ROCrate, judgements: Sequence[Judgement], numbers: Sequence[ContextEntity]
) -> ContextEntity:
    """The specs as the workflow, and the one run of it that asked for all of the records."""
    asked = {
        "exhibits": ", ".join(each.plan.exhibit.id for each in judgements),
        "profile": ", ".join(sorted({each.plan.profile.id for each in judgements})),
    }
    given = [_property(crate, f"#asked-{name}", name, value) for name, value in asked.items()]
    result = [each for each in crate.data_entities if each.id.startswith("records-")]
    inputs = [
        _parameter(crate, each, name, "PropertyValue")
        for each, name in zip(given, asked, strict=True)
    ]
    outputs = [_parameter(crate, each, "records", "File") for each in result]
    language = _entity(
        crate,
        "#toml",
        "ComputerLanguage",
        name="Specs of repro, in TOML",
        url="https://toml.io/en/v1.0.0",
    )
    workflow = crate.get(WORKFLOW)
    workflow["programmingLanguage"] = language
    workflow["input"], workflow["output"] = inputs, outputs
    crate.root_dataset["mainEntity"] = workflow
    return _entity(
        crate,
        "#make",
        "CreateAction",
        name=f"repro make {asked['exhibits']}",
        description="The steps that the specs lead to, each a run of its own, and their numbers.",
        instrument=workflow,
        object=given,
        result=[*result, *numbers],
    )


def _parameter(crate: ROCrate, example: ContextEntity, name: str, kind: str) -> ContextEntity:
    """An input or output of the workflow, with the one that it had."""
    made = _entity(
        crate,
        f"#parameter-{name}",
        "FormalParameter",
        name=name,
        additionalType=kind,
        workExample=example,
    )
    example["exampleOfWork"] = made
    return made


def _add_run(crate: ROCrate, record: Record, commit: str, runs: Mapping[str, Record]) -> None:
    """A run as an action: its step by its code, what it read, and what it left."""
    identity = record.identity
    code = _entity(crate, f"#code-{commit}", "SoftwareApplication", name="code", version=commit)
    step = _entity(
        crate,
        f"#step-{record.step}-{record.code[:16]}-{commit[:12]}",
        "SoftwareApplication",
        name=record.step,
        identifier=record.code,
        softwareVersion=str(record.revision),
        **({"isPartOf": code} if commit else {}),
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
        name=record.work,
        instrument=step,
        object=read,
        environment=machine,
        result=left,
        actionStatus="http://schema.org/CompletedActionStatus",
    )


def _add_number(crate: ROCrate, judgement: Judgement, result: ItemResult) -> ContextEntity:
    """A number: what is printed, what came back, the verdict, and the runs that it is of."""
    address = str(result.item.address)
    verdict, printed = judgement.verdict(result), result.item.reported
    amount = result.amount
    came = f"{amount.summary.mean:.10g}" if amount else ""
    told = {"printed": printed.text if printed else "", "reproduced": came}
    told["verdict"] = verdict.name if verdict else ""
    return _entity(
        crate,
        f"#number-{quote(address)}",
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


CITATION = "CITATION.cff"
_MADE = "# Made from specs/paper.toml, and made again until it is edited. SHA-256 of the rest: "
"""Opens a file that is made again from the specs wherever it is needed."""


def citation(about: PaperFile) -> str:
    """The file, as YAML: how to cite runs of a paper, and the paper itself."""
    authors = [_person(name) for name in about.authors] or [
        {"name": f"The authors of {about.title}"}  # the format asks for one
    ]
    year = re.search(r"\b(?:19|20)\d\d\b", about.venue)
    paper = {
        "type": "generic",
        "title": about.title,
        "authors": authors,
        **({"notes": about.venue} if about.venue else {}),  # the format takes no empty ones
        **({"year": int(year[0])} if year else {}),
    }
    told: dict[str, Any] = {
        "cff-version": "1.2.0",
        "message": "If you use these runs, please cite them and the paper that they are of.",
        "type": "dataset",
        "title": f"Runs of {about.title}",
        "authors": authors,
        "references": [paper],
    }
    rest = "".join(
        f"{key}: {json.dumps(value, ensure_ascii=False)}\n" for key, value in told.items()
    )
    return f"{_opening(rest)}\n{rest}"


def is_own(text: str) -> bool:
    """Whether a `CITATION.cff` is its author's: not one of `citation`, or edited since."""
    first, _, rest = text.partition("\n")
    return first != _opening(rest)


def _opening(rest: str) -> str:
    return _MADE + sha256(rest.encode()).hexdigest()


def _person(name: str) -> dict[str, str]:
    given, _, family = name.rpartition(" ")
    return {"family-names": family, **({"given-names": given} if given else {})}
