"""Formats written beside an export, each read back by what reads it elsewhere."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import numpy as np
import pytest
from huggingface_hub import ModelCard

from harness import Study
from harness.errors import UserError
from harness.evidence.readers import read, reader_named
from harness.formats import exported
from harness.formats.exported import Exported, rows, write_formats
from harness.judge.exhibit import Judgement
from harness.plan.step import StepParams, StepResult
from harness.spec.exhibit import Table
from harness.store.digest import digest_file
from harness.store.exchange import list_written
from harness.store.store import Store
from harness.study.exhibits import Request
from harness.study.records import export
from tests.run.graphs import make_step, run_inline

ROOT = Path(__file__).parents[2]
FORMATS = ["every-eval-ever", "model-card", "croissant", "logbook"]
SCHEMA = json.loads((Path(__file__).parent / "every_eval_ever.schema.json").read_text("utf-8"))


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """This project, with its published results alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("REPRO_STORE", str(tmp_path_factory.mktemp("store")))
        return Study.open(ROOT)


@pytest.fixture(scope="module")
def folder(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("export")
    export(study.project, place, ["table8"], Request("paper"), FORMATS)
    return place


@pytest.fixture(scope="module")
def judgement(study: Study) -> Judgement:
    return study.judge("table8", profile="paper").judgement


def ours(judgement: Judgement) -> Mapping[str, float]:
    """Address -> mean of our runs."""
    return {str(each.item.address): each.amount.mean for each in judgement.results if each.amount}


def test_records_of_every_eval_ever_follow_its_schema_and_are_read_back(
    folder: Path, judgement: Judgement
) -> None:
    validator = jsonschema.Draft7Validator(SCHEMA)
    found: dict[str, Any] = {}
    for path in sorted(folder.glob("every-eval-ever/data/*/*/*/*.json")):
        held = json.loads(path.read_text("utf-8"))
        assert list(map(str, validator.iter_errors(held))) == []
        for each in read(reader_named("every-eval-ever"), path):
            found[each.fields["evaluation_result_id"]] = each.fields
    assert {address: each["score"] for address, each in found.items()} == ours(judgement)
    for address, each in found.items():
        verdict = judgement.verdicts[address]
        seeds = 5 if address.endswith("IPC 10") else 3
        assert each["score_details"]["details"]["verdict"] == verdict.name
        assert each["score_details"]["uncertainty"]["num_samples"] == seeds
    held["evaluation_results"][0]["score_details"].pop("score")
    assert not validator.is_valid(held)


def test_cards_are_read_by_the_library_of_the_hub(folder: Path, judgement: Judgement) -> None:
    found = {}
    for path in sorted(folder.glob("model-card/*/*/README.md")):
        card = ModelCard.load(path)
        for each in card.data.eval_results or ():
            found[each.metric_args["address"]] = (each.metric_value, card.data.model_name)
            assert (each.dataset_type, each.metric_type) == ("cifar100", "accuracy")
        again = [result.fields["value"] for result in read(reader_named("model-index"), path)]
        assert again == [each.metric_value for each in card.data.eval_results or ()]
    wanted = {address: (mean, address.split(":")[1]) for address, mean in ours(judgement).items()}
    assert found == wanted


def test_croissant_is_valid_and_names_the_files_and_columns_that_are_there(folder: Path) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    held = json.loads((folder / "croissant.json").read_text("utf-8"))
    about = mlcroissant.Dataset(jsonld=folder / "croissant.json").metadata
    files = {each.id: folder / each.content_url for each in about.distribution}
    assert {name: digest_file(path) for name, path in files.items()} == {
        each.id: each.sha256 for each in about.distribution
    }
    for held_rows in about.record_sets:
        for column in held_rows.fields:
            path = files[column.source.file_object]
            names = duckdb.sql(f"describe select * from '{path}'").fetchall()
            assert column.source.extract.column in [name for name, *_ in names]
    del held["distribution"][0]["sha256"]
    with pytest.raises(mlcroissant.ValidationError, match="sha256"):
        mlcroissant.Dataset(jsonld=held)


def test_a_set_that_a_step_made_is_written_whole_with_its_description(
    study: Study, tmp_path: Path
) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    made = make_step("distill_dm", function=f"{__name__}:shown")
    released, real = (
        make_step(name, function=made.function) for name in ("released_set", "jpeg_files")
    )
    other = make_step("distill_dc", function=f"{__name__}:plain")
    steps = (made, released, real, other)
    run_inline({step.identity: step for step in steps}, tmp_path / "store")
    every = sorted(Store(tmp_path / "store").iterate(), key=lambda record: record.step)
    given = Exported(study.paper, tmp_path, [], every, list, dict, 0)
    assert write_formats(["made-sets"], given) == []
    [folder] = (tmp_path / "made-sets").iterdir()
    assert folder.name == f"distill_dm-{made.identity[:12]}"
    assert np.array_equal(np.load(folder / "pictures.npy"), PICTURES)
    about = mlcroissant.Dataset(jsonld=folder / "croissant.json").metadata
    assert {each.name: each.sha256 for each in about.distribution} == {
        path.name: digest_file(path) for path in folder.iterdir() if path.name != "croissant.json"
    }
    assert about.license
    assert "seed" in about.description
    assert json.loads((folder / "record.json").read_text())["identity"] == made.identity
    given = replace(given, records=[each for each in every if each.step != "distill_dm"])
    assert write_formats(["made-sets"], given) == ["made-sets"]


PICTURES = np.arange(32, dtype=np.uint8).reshape(2, 4, 4, 1)


def shown(params: StepParams, inputs: object, context: object) -> StepResult:
    return StepResult({"scale": 2.0}, {"pictures": PICTURES, "labels": np.array([0, 1])})


def plain(params: StepParams, inputs: object, context: object) -> StepResult:
    return StepResult({}, {"intervals": np.zeros((3, 2, 2))})


def test_a_logbook_has_a_page_for_each_claimed_sentence(folder: Path, study: Study) -> None:
    root = folder / ".trackio" / "logbook"
    manifest = json.loads((root / "logbook.json").read_text("utf-8"))
    pages = {each["slug"]: root / each["file"] for each in manifest["root"]["children"]}
    index = (root / "pages" / "index.md").read_text("utf-8")
    assert re.findall(r"\(#/([\w.-]+)\) \|", index) == list(pages)
    text = "".join(path.read_text("utf-8") for path in pages.values())
    claims = study.judge("table8", profile="paper").claims
    assert claims
    for each in claims:
        assert f"`{each.claim.id}`: on the paper's numbers **{each.reported.outcome}**" in text
        assert f"on ours **{each.reproduced.outcome}**" in text


def test_rows_whose_names_differ_in_signs_alone_have_files_of_their_own(
    study: Study, judgement: Judgement, tmp_path: Path
) -> None:
    table = judgement.plan.exhibit
    assert isinstance(table, Table)
    names = {"CAD-Prune": "A+", "K-centers": "A*", "Random Real": "A 2"}
    own = [row for row in table.rows if row.name in names]
    results = tuple(
        replace(each, item=replace(each.item, address=at._replace(row=names[at.row])))
        for each in judgement.results
        if (at := each.item.address).row in names
    )
    renamed = tuple(row.model_copy(update={"name": names[row.name]}) for row in own)
    both = replace(judgement.plan, exhibit=table.model_copy(update={"rows": renamed}))
    given = Exported(
        study.paper, tmp_path, [replace(judgement, plan=both, results=results)], [], list, dict, 0
    )
    assert [name for name, _ in rows(given)] == ["a-2", "a", "a-3"]


def test_what_is_the_same_keeps_its_time_and_what_changed_gets_a_new_one(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(now: int) -> list[str]:
        monkeypatch.setattr("time.time", lambda: now)
        export(study.project, tmp_path, ["table8"], Request("paper"), ["every-eval-ever"])
        files = sorted(tmp_path.glob("every-eval-ever/data/**/*.json"))
        changed.append(files[0])
        return [path.read_text("utf-8") for path in files]

    changed: list[Path] = []
    first = written(1000)
    assert written(2000) == first
    changed[0].write_text(first[0].replace('"score": ', '"score": 1'), encoding="utf-8")
    name = changed[0].relative_to(tmp_path).as_posix()
    list_written(tmp_path, {name: digest_file(changed[0])})  # as an export of other results would
    assert written(3000) == [first[0].replace('1000"', '3000"'), *first[1:]]


def test_formats_with_nothing_to_write_are_named(study: Study, tmp_path: Path) -> None:
    asked = [study.project, tmp_path, ["lemma1"], Request("digits"), FORMATS]
    assert export(*asked).empty == ["every-eval-ever", "model-card", "logbook"]
    beside = {path.name for path in tmp_path.iterdir() if path.suffix != ".parquet"}
    assert beside == {"manifest.json", "croissant.json"}


def test_an_unknown_format_is_refused_before_anything_is_written(
    study: Study, tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"unknown format 'crossant'.*croissant"):
        export(study.project, tmp_path / "out", ["table8"], Request("paper"), ["crossant"])
    assert not (tmp_path / "out").exists()


def test_libraries_that_formats_lack_are_named_before_anything_is_written(
    study: Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    absent = ("rocrate", "mlcroissant")
    monkeypatch.setattr(exported, "find_spec", lambda name: None if name in absent else 1)
    with pytest.raises(UserError, match=re.escape("'repro-harness[crate,croissant]'")):
        export(study.project, tmp_path / "out", ["table8"], Request("paper"), ["crate", *FORMATS])
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("stated", ["tomorrow", "1e9", "-1", "9" * 5000, "253402300800"])
def test_a_settled_time_that_is_none_is_a_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stated: str
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", stated)
    with pytest.raises(UserError, match="expected whole seconds since 1970"):
        Study.open(ROOT)


def test_the_settled_time_is_that_of_what_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REPRO_STORE", str(tmp_path / "store"))
    for epoch in ("1767225600", "1767225601"):  # the second finds the files of the first
        monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
        project, place = Study.open(ROOT).project, tmp_path / "out"
        export(project, place, ["table8"], Request("paper"), ["every-eval-ever"])
        told = [json.loads(path.read_text("utf-8")) for path in place.rglob("data/**/*.json")]
        assert {each["retrieved_timestamp"] for each in told} == {epoch}


def test_a_part_is_described_alone(study: Study, tmp_path: Path) -> None:
    export(study.project, tmp_path, ["table8:CAD-Prune"], Request("paper"), ["model-card"])
    cards = [path.parent.name for path in (tmp_path / "model-card").rglob("README.md")]
    assert cards == ["table8-cad-prune"]
    whole = study.judge("table8", profile="paper").judgement
    [card] = (tmp_path / "model-card").rglob("README.md")
    told = card.read_text("utf-8")
    assert all(
        verdict.why in told
        for each in whole.results
        if each.item.address.row == "CAD-Prune" and (verdict := whole.verdict(each))
    )


def test_an_export_leaves_no_description_untrue_and_writes_over_no_one_elses(
    study: Study, tmp_path: Path
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    export(study.project, ours, ["table8"], Request("paper"), ["croissant"])
    with pytest.raises(UserError, match="--format croissant too"):
        export(study.project, ours, ["table3"], Request("paper"))
    export(study.project, ours, ["table3"], Request("paper"), ["croissant"])
    theirs.mkdir()
    (theirs / "croissant.json").write_text("{}")
    with pytest.raises(UserError, match="not of an export"):
        export(study.project, theirs, ["table8"], Request("paper"), ["croissant"])
    assert [path.name for path in theirs.iterdir()] == ["croissant.json"]


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("croissant.json", "croissant"),
        ("ro-crate-metadata.json", "crate"),
        (".trackio/logbook/pages/index.md", "logbook"),
        ("model-card/paper/table8-x/README.md", "model-card"),
    ],
)
def test_files_of_others_stay_in_a_folder_with_an_export(
    study: Study, tmp_path: Path, name: str, form: str
) -> None:
    export(study.project, tmp_path, ["table8"], Request("paper"))
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"a": 1}')
    with pytest.raises(UserError, match="not of an export"):
        export(study.project, tmp_path, ["table8"], Request("paper"), [form])
    assert path.read_text() == '{"a": 1}'


def test_ours_are_replaced_unless_edited_and_parquet_of_others_stays(
    study: Study, tmp_path: Path
) -> None:
    theirs = tmp_path / "records-123456789abc.parquet"
    theirs.write_text("theirs")
    for _ in range(2):
        export(study.project, tmp_path, ["table8"], Request("paper"), ["model-card", "logbook"])
    assert theirs.read_text() == "theirs"
    next(tmp_path.glob("model-card/*/*/README.md")).write_text("edited")
    with pytest.raises(UserError, match=r"README.md: .*changed since"):
        export(study.project, tmp_path, ["table8"], Request("paper"), ["model-card"])


def test_a_manifest_of_others_is_a_mistake_of_use(study: Study, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"a": 1}')
    with pytest.raises(UserError, match="not of an export"):
        export(study.project, tmp_path, ["table8"], Request("paper"))
