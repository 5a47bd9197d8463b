"""Readers of formats in which scores are kept and shared."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.evidence.readers import json_lines, separated, whole_json
from harness.evidence.result import Result
from harness.evidence.tracked import parse_yaml, yaml_of
from harness.store.files import parse_once

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
