"""Readers of what experiment trackers leave: a file stands for a run, whose last values count."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.evidence.readers import needing, separated, whole_json
from harness.evidence.result import Result, as_number
from harness.store.files import parse_once


def yaml_of(path: Path) -> Any:
    """A YAML file, without its tags. ValueError where it is none."""
    return parse_yaml(path.read_text(encoding="utf-8"))


def parse_yaml(text: str) -> Any:
    """YAML, without its tags. ValueError where it is none."""
    yaml = needing("yaml", "evidence")
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(f"not valid YAML: {' '.join(str(error).split())}") from None


def hydra(path: Path) -> Iterator[Result]:
    """What a run wrote as JSON, with the run's `config.` and `overrides.` beside it.

    The run's folder is the nearest one above that has `.hydra/config.yaml`.
    """
    run = next(
        (folder for folder in path.parents if (folder / ".hydra/config.yaml").is_file()), None
    )
    if run is None:
        raise ValueError("no folder above it has .hydra/config.yaml")
    config, changed = run / ".hydra/config.yaml", run / ".hydra/overrides.yaml"
    told = [str(each) for each in (yaml_of(changed) or ()) if "=" in str(each)]
    overrides = dict(each.lstrip("+~").split("=", 1) for each in told)
    about = {"config": yaml_of(config), "overrides": overrides, "run": run.name}
    for result in whole_json(path):
        yield Result({**about, **result.fields}, path, beside=(config, changed))


def mlflow(path: Path) -> Iterator[Result]:
    """A finished run of a file store, by its `meta.yaml`: `params.`, `metrics.` and `tags.`.

    An experiment's `meta.yaml` gives nothing, nor does a run that was deleted or did not finish.
    """
    about = yaml_of(path)
    if "run_id" not in about or about.get("lifecycle_stage", "active") != "active":
        return
    if about.get("status") not in (3, "3", "FINISHED"):
        return
    kinds = {kind: _files_of(path.parent / kind) for kind in ("params", "metrics", "tags")}
    fields: dict[str, Any] = {"run_id": about["run_id"], "run_name": about.get("run_name", "")}
    for kind, files in kinds.items():
        texts = {name: each.read_text(encoding="utf-8") for name, each in files.items()}
        fields[kind] = {n: _last(t) if kind == "metrics" else t.strip() for n, t in texts.items()}
    beside = [*kinds["params"].values(), *kinds["metrics"].values(), *kinds["tags"].values()]
    yield Result(fields, path, beside=tuple(beside))


def _files_of(folder: Path) -> dict[str, Path]:
    """Name of each file below a folder, which may hold slashes -> the file."""
    found = sorted(each for each in folder.rglob("*") if each.is_file())
    return {each.relative_to(folder).as_posix(): each for each in found}


def _last(text: str) -> str:
    """The value of the last step among lines of `time value step`."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    return max(lines, key=lambda line: (int(line[2]) if len(line) > 2 else 0, int(line[0])))[1]


def tensorboard(path: Path) -> Iterator[Result]:
    """The last value of each scalar of an event file, and `run`, the name of its folder."""
    library = "tensorboard.backend.event_processing.event_accumulator"
    events = needing(library, "tensorboard").EventAccumulator(
        str(path), size_guidance={"scalars": 0, "tensors": 0}
    )
    events.Reload()
    tags = events.Tags()
    scalars = {tag: events.Scalars(tag)[-1].value for tag in tags["scalars"]}
    if not scalars:
        raise ValueError(f"it has no scalars; tags: {tags}")
    yield Result({"run": path.parent.name, **scalars}, path)


def wandb(path: Path) -> Iterator[Result]:
    """A run by its `wandb-summary.json`, with `config.` of the `config.yaml` beside it."""
    summary = parse_once(path.read_text(encoding="utf-8"))
    beside = path.with_name("config.yaml")
    held = yaml_of(beside) if beside.is_file() else {}
    config = {
        name: each["value"] if isinstance(each, Mapping) and "value" in each else each
        for name, each in held.items()
    }
    run = path.parents[1].name if path.parent.name == "files" else path.parent.name
    fields = {**summary, "config": config, "run": run}
    yield Result(fields, path, beside=(beside,) if beside.is_file() else ())


def wandb_chart(path: Path) -> Iterator[Result]:
    """The last value of each curve of an exported chart, whose columns are `run - metric`."""
    last: dict[str, tuple[dict[str, Any], int]] = {}
    for result in separated(path):
        step = next(iter(result.fields.values()))
        for heading, text in result.fields.items():
            run, dash, metric = heading.rpartition(" - ")
            value = as_number(text)
            if not dash or metric.endswith(("__MIN", "__MAX")):
                continue
            if value is not None and math.isfinite(value):
                found = {"run": run, "metric": metric, "value": value, "step": step}
                last[heading] = (found, result.line)
    if not last:
        raise csv.Error("no column is called 'run - metric'")
    yield from (Result(fields, path, line) for fields, line in last.values())
