"""Readers of what experiment trackers leave, and of formats in which scores are kept and shared.

A file of a tracker stands for a run, whose last values count.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.evidence.readers import json_lines, needing, separated, whole_json
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


_SPLIT = re.compile(r"split(\d+)_(.+)")


def sklearn_cv(path: Path) -> Iterator[Result]:
    """Each split of each candidate of `cv_results_`: its parameters, `split`, and its scores.

    Means, standard deviations and ranks are left out, since they are no runs.
    """
    if path.suffix == ".json":
        columns = parse_once(path.read_text(encoding="utf-8"))
        names, lines = list(columns), zip(*columns.values(), strict=True)
        rows = [Result(dict(zip(names, line, strict=True)), path) for line in lines]
    else:
        rows = list(separated(path))
    for number, row in enumerate(rows):
        scores: dict[int, dict[str, Any]] = {}
        about: dict[str, Any] = {"candidate": number}
        for name, value in row.fields.items():
            if match := _SPLIT.fullmatch(name):
                scores.setdefault(int(match[1]), {})[match[2]] = value
            elif name.startswith("param"):
                about[name] = value
        if not scores:
            raise ValueError("no column is called split0_...")
        for split, held in sorted(scores.items()):
            yield Result({**about, "split": split, **held}, path, row.line)


def lm_eval(path: Path) -> Iterator[Result]:
    """Each task of a results file of lm-evaluation-harness: `task`, `model`, `config.`, metrics.

    A metric has its name with the filter, `acc,none`, and without it where that is unique.
    """
    held = parse_once(path.read_text(encoding="utf-8"))
    model = held.get("model_name") or held["config"].get("model", "")
    for task, scores in held["results"].items():
        bare = [name.partition(",")[0] for name in scores]
        short = {n: v for n, v in zip(bare, scores.values(), strict=True) if bare.count(n) == 1}
        about = {"task": task, "model": model, "config": held.get("config", {})}
        yield Result({**short, **scores, **about}, path)


def eval_results(path: Path) -> Iterator[Result]:
    """Each score of a file of `.eval_results`, with `model`, the folder of the repository."""
    for each in yaml_of(path):
        yield Result({**each, "model": path.absolute().parents[1].name}, path)


def model_index(path: Path) -> Iterator[Result]:
    """Each metric in the head of a model card: `model`, `task.`, `dataset.`, `metric`, `value`."""
    text = path.read_text(encoding="utf-8")
    head = re.match(r"---\n(.*?)\n---\s*(\n|$)", text, re.DOTALL)
    held = parse_yaml(head[1]) if head else None
    if not isinstance(held, Mapping) or "model-index" not in held:
        raise ValueError("its head has no 'model-index'")
    for model in held["model-index"]:
        for result in model["results"]:
            about = {key: result.get(key, {}) for key in ("task", "dataset", "source")}
            for metric in result["metrics"]:
                fields = {**metric, "metric": metric.get("type", metric.get("name"))}
                yield Result({**about, **fields, "model": model.get("name", "")}, path)


def every_eval_ever(path: Path) -> Iterator[Result]:
    """Each result of a record of Every Eval Ever: `model`, `evaluation_name`, `score`, and its own.

    Where the record says that a score is a mean with a standard error, that stays a field: one
    score counts as one run.
    """
    for record in json_lines(path) if path.suffix == ".jsonl" else whole_json(path):
        for each in record.fields["evaluation_results"]:
            model = record.fields["model_info"]
            about = {
                "model": model.get("id", model.get("name")),
                "score": each["score_details"]["score"],
            }
            kept = {
                key: value for key, value in record.fields.items() if key != "evaluation_results"
            }
            yield Result({**kept, **each, **about}, path, record.line)
