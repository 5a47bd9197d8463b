"""The readers of results: one entry for each kind of file.

They read plain tables and JSON, what experiment trackers leave (a file of a tracker stands for a
run, whose last values count), and formats in which scores are kept and shared.

A further reader is one more entry: by `register`, or as an entry point of the group
`repro.readers` of an installed distribution, which names a `ReaderEntry`.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path, PurePath
from types import ModuleType
from typing import Any

from harness.errors import UserError, nearest
from harness.evidence.result import Result, as_number
from harness.registry import Registry, resolve
from harness.store.files import parse_once
from harness.words import counted


@dataclass(frozen=True)
class ReaderEntry:
    """How files of one kind are read."""

    name: str
    read: str
    """`package.module:function` that takes the path of a file and yields a `Result` for each run or
    line in it. It may raise ValueError, KeyError or TypeError for a file of another kind."""
    files: tuple[str, ...]
    """Patterns of the ends of paths that are such files, such as `*.csv`."""


_HERE = "harness.evidence.readers"
_READERS = Registry(
    "repro.readers",
    (
        ReaderEntry("sklearn-cv", f"{_HERE}:sklearn_cv", ("*cv_results*.csv", "*cv_results*.json")),
        ReaderEntry("mlflow", f"{_HERE}:mlflow", ("meta.yaml",)),
        ReaderEntry("tensorboard", f"{_HERE}:tensorboard", ("*tfevents*",)),
        ReaderEntry("wandb", f"{_HERE}:wandb", ("wandb-summary.json",)),
        ReaderEntry("wandb-chart", f"{_HERE}:wandb_chart", ("*chart*.csv",)),
        ReaderEntry("hydra", f"{_HERE}:hydra", ("multirun/**/*.json", "outputs/**/*.json")),
        ReaderEntry("lm-eval", f"{_HERE}:lm_eval", ("results_*.json",)),
        ReaderEntry("eval-results", f"{_HERE}:eval_results", (".eval_results/*.yaml",)),
        ReaderEntry("model-index", f"{_HERE}:model_index", ("README.md",)),
        ReaderEntry("every-eval-ever", f"{_HERE}:every_eval_ever", ()),
        ReaderEntry("csv", f"{_HERE}:separated", ("*.csv",)),
        ReaderEntry("tsv", f"{_HERE}:tabs", ("*.tsv",)),
        ReaderEntry("json", f"{_HERE}:whole_json", ("*.json",)),
        ReaderEntry("jsonl", f"{_HERE}:json_lines", ("*.jsonl", "*.ndjson")),
    ),
)
register, readers = _READERS.register, _READERS.known


def reader_named(name: str) -> ReaderEntry:
    """The reader of a name. UserError where there is none."""
    entry = _READERS.find(name)
    if entry is None:
        raise UserError(f"unknown reader '{name}'; {nearest(name, readers())}")
    return entry


def reader_of(path: PurePath) -> ReaderEntry:
    """The first reader that knows files of this name.

    Raises:
        UserError: none does.
    """
    for entry in readers().values():
        for pattern in entry.files:
            head, deep, tail = pattern.partition("/**/")
            if path.match(tail if deep else pattern) and (not deep or head in path.parts[:-1]):
                return entry
    raise UserError(
        f"{path}: no reader is known for such a file; name one of {', '.join(readers())}"
    )


def read(entry: ReaderEntry, path: Path) -> list[Result]:
    """All results of a file.

    Raises:
        UserError: it cannot be read, or is no file of this kind.
    """
    try:
        return list(resolve(entry.read)(path))
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: is not UTF-8 ({error}); save it as UTF-8") from None
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error})") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, csv.Error) as error:
        why = f"{type(error).__name__}: {error}" if isinstance(error, KeyError) else error
        raise UserError(f"{path}: not what reader '{entry.name}' reads ({why})") from None


def needing(module: str, extra: str) -> ModuleType:
    """A library of an extra. UserError that names the extra where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise UserError(
            f"this reader needs {module.partition('.')[0]}; pip install 'repro-harness[{extra}]'"
        ) from None


def separated(path: Path, delimiter: str = ",") -> Iterator[Result]:
    """Each line of a table with a heading; a column without one is called `index`."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = csv.reader(file, delimiter=delimiter, strict=True)
        headings = next(lines, None)
        if headings is None:
            raise ValueError("the file is empty")
        if len(headings) == 1 and (other := next((s for s in ";\t|" if s in headings[0]), "")):
            sign = "a tab" if other == "\t" else other
            raise ValueError(f"its heading is one field, '{headings[0]:.60}'; separated by {sign}?")
        headings = [name or "index" for name in headings]
        if twice := {name for name in headings if headings.count(name) > 1}:
            raise ValueError(f"two columns are called '{min(twice)}'")
        for line in lines:
            if len(line) not in (0, len(headings)):
                raise ValueError(
                    f"line {lines.line_num} has {counted(len(line), 'field')}, the heading has "
                    f"{len(headings)}"
                )
            if line:
                yield Result(dict(zip(headings, line, strict=True)), path, lines.line_num)


def tabs(path: Path) -> Iterator[Result]:
    """The same, separated by tabs."""
    return separated(path, "\t")


def whole_json(path: Path) -> Iterator[Result]:
    """Each object of a list, or the one object of the file."""
    held = parse_once(path.read_text(encoding="utf-8"))
    yield from (
        Result(_object(each), path) for each in (held if isinstance(held, list) else [held])
    )


def json_lines(path: Path) -> Iterator[Result]:
    """Each line's object."""
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.strip():
            try:
                yield Result(_object(parse_once(line)), path, number)
            except ValueError as error:
                raise ValueError(f"line {number}: {error}") from None


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"found {value!s:.40}, expected an object with named fields")
    return value


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
