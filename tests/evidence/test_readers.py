"""Every reader, on a file that its library wrote or that was found in public."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.evidence.found import files_of
from harness.evidence.readers import read, reader_named, reader_of
from harness.evidence.result import MISSING, Result, look_up

PAPERS = Path(__file__).parents[3] / "shared" / "data" / "papers"
real = [
    pytest.mark.realdata,
    pytest.mark.skipif(not PAPERS.is_dir(), reason="../shared/data/papers is not here"),
]


def results(path: Path, reader: str = "") -> list[Result]:
    """As evidence reads them, by name where no reader is given."""
    return read(reader_named(reader) if reader else reader_of(path), path)


def the(path: Path, reader: str = "") -> Result:
    (only,) = results(path, reader)
    return only


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", 1),
        ("a.c.0.d", 2),
        ("x.y.z", 3),
        ("x.y.w", MISSING),
        ("a.c.1", MISSING),
        ("a.c.-1", MISSING),
        ("acc,none", 4),
    ],
)
def test_dotted_paths_lead_through_lists_and_names_with_dots(path: str, found: Any) -> None:
    held = {"a": {"b": 1, "c": [{"d": 2}]}, "x.y": {"z": 3}, "x": {"q": 0}, "acc,none": 4}
    assert look_up(held, path) == found


def test_patterns_name_parts_of_paths_and_stay_sorted(tmp_path: Path) -> None:
    for name in ("runs/b/3/m.json", "runs/a/12/m.json", "runs/a/m.json", "runs/a/12/other.json"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("{}")
    found = [
        (p.relative_to(tmp_path).as_posix(), parts)
        for p, parts in files_of("runs/{row}/{k}/m.json", tmp_path)
    ]
    assert found == [
        ("runs/a/12/m.json", {"row": "a", "k": "12"}),
        ("runs/b/3/m.json", {"row": "b", "k": "3"}),
    ]
    assert len(list(files_of("runs/**/m.json", tmp_path))) == 3


def test_tables_lines_and_objects(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text('\ufeffm,acc\n"a, b",0.5\n\nc,0.25\n', encoding="utf-8")
    (tmp_path / "a.tsv").write_text("m\tacc\nc\t0.25\n")
    (tmp_path / "a.jsonl").write_text('{"m": "c"}\n\n{"m": "d"}\n')
    (tmp_path / "a.json").write_text('[{"m": "c"}, {"m": "d"}]')
    first, second = results(tmp_path / "a.csv")
    assert (first.fields, second.line) == ({"m": "a, b", "acc": "0.5"}, 4)
    assert the(tmp_path / "a.tsv").fields["acc"] == "0.25"
    assert [each.line for each in results(tmp_path / "a.jsonl")] == [1, 3]
    assert len(results(tmp_path / "a.json")) == 2


def test_a_file_in_another_encoding_is_told_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("m,acc\nMüller,0.5\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"a.csv: is not UTF-8 .*; save it as UTF-8"):
        results(tmp_path / "a.csv")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.csv", "m;acc\nc;0,5\n", "its heading is one field, 'm;acc'; separated by ;?"),
        ("a.csv", "m\tacc\nc\t0.5\n", "separated by a tab?"),
        ("a.csv", "", "the file is empty"),
        ("a.csv", "a,a\n1,2\n", "two columns are called 'a'"),
        ("a.csv", "a,b\n1\n", "line 2 has 1 field, the heading has 2"),
        ("a.jsonl", '{"a": 1}\n[2]\n', "line 2: found [2], expected an object"),
        ("a.json", "{", "not what reader 'json' reads"),
        ("results_1.json", '{"a": 1}', "not what reader 'lm-eval' reads (KeyError: 'config')"),
        ("a.bin", "", "no reader is known"),
        ("a.json", '{"acc": 1, "acc": 2}', "'acc' is there twice in one object"),
        ("a.jsonl", '{"a": 1}\n{"b": {"x": 1, "x": 2}}', "line 2: 'x' is there twice"),
        ("results_1.json", '{"config": {}, "results": {"t": {}, "t": {}}}', "'t' is there twice"),
    ],
)
def test_a_file_of_another_kind_is_one_message(
    tmp_path: Path, name: str, text: str, message: str
) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=r"[.]") as caught:
        results(tmp_path / name)
    assert message in str(caught.value)


def test_every_split_of_a_grid_search_is_a_run(tmp_path: Path) -> None:
    pandas = pytest.importorskip("pandas")
    from sklearn.datasets import load_iris
    from sklearn.model_selection import GridSearchCV
    from sklearn.neighbors import KNeighborsClassifier

    search = GridSearchCV(KNeighborsClassifier(), {"n_neighbors": [1, 5]}, cv=3)
    held = search.fit(*load_iris(return_X_y=True)).cv_results_
    pandas.DataFrame(held).to_csv(tmp_path / "cv_results.csv")
    lists = pandas.DataFrame(held).drop(columns="params").to_dict("list")
    (tmp_path / "raw.json").write_text(json.dumps(lists))
    for each in (
        results(tmp_path / "cv_results.csv"),
        results(tmp_path / "raw.json", "sklearn-cv"),
    ):
        assert len(each) == 6
        means = [
            sum(r.number("test_score") for r in each if r.number("param_n_neighbors") == k) / 3
            for k in (1, 5)
        ]
        assert means == pytest.approx(held["mean_test_score"].tolist(), abs=1e-9)


def test_the_last_scalars_of_an_event_file(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    writer = EventFileWriter(str(tmp_path / "run_3"))
    for step, value in enumerate((0.5, 0.75)):
        summary = Summary(value=[Summary.Value(tag="test/acc", simple_value=value)])
        writer.add_event(Event(step=step, summary=summary))
    writer.close()
    (path,) = (tmp_path / "run_3").iterdir()
    assert the(path).fields == {"run": "run_3", "test/acc": 0.75}


def test_a_run_of_a_sweep_has_its_configuration(tmp_path: Path) -> None:
    run = tmp_path / "multirun" / "2026-11-28" / "10-00-00" / "1"
    (run / ".hydra").mkdir(parents=True)
    (run / ".hydra" / "config.yaml").write_text("model:\n  name: resnet\nseed: 2\n")
    (run / ".hydra" / "overrides.yaml").write_text("- model=resnet\n- +seed=2\n")
    (run / "metrics.json").write_text('{"acc": 0.5}')
    found = the(run / "metrics.json")
    assert [found.get(f) for f in ("config.model.name", "overrides.seed", "acc", "run")] == [
        "resnet", "2", 0.5, "1",
    ]  # fmt: skip
    assert [path.name for path in found.beside] == ["config.yaml", "overrides.yaml"]


def test_a_run_of_weights_and_biases_has_its_configuration(tmp_path: Path) -> None:
    files = tmp_path / "run-20261128-abc" / "files"
    files.mkdir(parents=True)
    (files / "config.yaml").write_text("wandb_version: 1\nlr:\n  desc: null\n  value: 0.1\n")
    (files / "wandb-summary.json").write_text('{"acc": 0.5, "_step": 3}')
    found = the(files / "wandb-summary.json")
    assert [found.get(field) for field in ("acc", "config.lr", "run")] == [
        0.5, 0.1, "run-20261128-abc",
    ]  # fmt: skip


def test_tasks_of_the_evaluation_harness(tmp_path: Path) -> None:
    held = {
        "results": {
            "arc_easy": {"alias": "arc_easy", "acc,none": 0.5, "acc_stderr,none": 0.01},
            "gsm8k": {"exact_match,strict-match": 0.2, "exact_match,flexible-extract": 0.3},
        },
        "config": {"model": "hf", "model_args": "pretrained=a/b", "random_seed": 0},
        "model_name": "a/b",
    }
    path = tmp_path / "results_2026-11-28T10-00-00.json"
    path.write_text(json.dumps(held))
    arc, gsm = results(path)
    assert (arc.get("task"), arc.get("model"), arc.number("acc")) == ("arc_easy", "a/b", 0.5)
    assert gsm.number("exact_match,flexible-extract") == 0.3
    with pytest.raises(UserError, match="no field 'exact_match'"):
        gsm.number("exact_match")


class TestFoundInPublic:
    pytestmark = real

    def test_mlflow(self) -> None:
        folder = PAPERS / "evidence-mlflow"
        runs = [r for p, _ in files_of("mlruns/**/meta.yaml", folder) for r in results(p)]
        assert len(runs) == 2  # of four, two were still running
        numbers = {
            (r.get("params.alpha"), r.get("params.l1_ratio")): r.number("metrics.rmse")
            for r in runs
        }
        assert all(0 < rmse < 1 for rmse in numbers.values())
        assert len(runs[0].beside) >= 5

    def test_sklearn(self) -> None:
        found = results(PAPERS / "evidence-sklearn-cv" / "cv_results.csv")
        assert len(found) == 39 * 3
        assert sum(r.number("test_score") for r in found[:3]) / 3 == pytest.approx(
            0.931376, abs=1e-6
        )

    def test_wandb_exports(self) -> None:
        folder = PAPERS / "evidence-wandb"
        assert len(results(folder / "wandb_export.csv")) == 54
        curves = results(folder / "wandb_chart_export.csv")
        assert {r.get("metric") for r in curves} >= {"eval/loss"}
        assert "avg_sampling" in {r.get("run") for r in curves}

    def test_model_cards_and_eval_results(self) -> None:
        (value,) = (
            r.number("value")
            for r in results(PAPERS / "evidence-hf-eval-results/b/.eval_results/mmlu_pro.yaml")
        )
        card = results(PAPERS / "evidence-model-index" / "README.md")
        assert value in (55.3, 77.2)
        assert {r.get("metric"): round(r.number("value"), 4) for r in card} == {
            "precision": 0.9274, "recall": 0.9363, "f1": 0.9319, "accuracy": 0.9840,
        }  # fmt: skip
        assert {r.get("dataset.name") for r in card} == {"conll2003"}

    def test_every_eval_ever(self) -> None:
        (path,) = (PAPERS / "evidence-every-eval-ever").glob("98ea*.json")
        found = {
            r.get("evaluation_name"): r.number("score") for r in results(path, "every-eval-ever")
        }
        assert found["IFEval"] == 0.4486
