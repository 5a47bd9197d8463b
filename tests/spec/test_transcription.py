"""The specs say what the supplement says, to the digit.

Tables are read out of the supplement by a small parser of their own and compared as texts. Where
the supplement is not at hand, these tests are skipped; the others need only the specs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from harness.plan.exhibit import plan_exhibit
from harness.spec.exhibit import Exhibit, Row, Table, variables_of
from harness.spec.kinds import Figure, Fit, Lemma, SettingsTable
from harness.spec.paper import load_paper
from harness.spec.parts import Dataset, Method, Network, Recipe
from harness.spec.toml import read_spec, read_toml

ROOT = Path(__file__).parents[2]
SPECS = ROOT / "specs"
SUPPLEMENT = ROOT.parent / "shared" / "knowledge" / "supplement.md"
NUMBER = re.compile(r"-?\d+\.\d+(?: ± \d+\.\d+)?")
SIZES = {"cifar10": (32, 10), "cifar100": (32, 100), "tiny-imagenet": (64, 200)}
"""Data set -> side of its images, classes."""
WORDS = {"2": "twice", "4": "four", "5": "five", "6": "six", "7": "seven"}

FOLDERS: dict[str, type[Any]] = {
    "datasets": Dataset,
    "models": Network,
    "methods": Method,
    "recipes": Recipe,
    "recipes/official": Recipe,
    "figures": Figure,
    "fits": Fit,
    "lemmas": Lemma,
}


def _model(path: Path) -> type[Any]:
    if path.parent.name == "tables":
        return SettingsTable if read_toml(path)["kind"] == "settings" else Table
    return FOLDERS[path.parent.relative_to(SPECS).as_posix()]


FILES = sorted(path for folder in (*FOLDERS, "tables") for path in (SPECS / folder).glob("*.toml"))
LOADED = {path.relative_to(SPECS).as_posix(): read_spec(path, _model(path)) for path in FILES}


def _of(model: type[Any]) -> dict[str, Any]:
    return {spec.id: spec for spec in LOADED.values() if isinstance(spec, model)}


TABLES: dict[str, Table] = _of(Table)
SETTINGS: dict[str, SettingsTable] = _of(SettingsTable)
PARTS = {name for name, exhibit in _of(Exhibit).items() if exhibit.parts_of}
"""Not printed: what a printed one takes the mean of."""
EXHIBITS: dict[str, Exhibit] = {name: e for name, e in _of(Exhibit).items() if name not in PARTS}
PAPER = load_paper(SPECS)
METHODS, RECIPES = PAPER.methods, PAPER.recipes
DATASETS: dict[str, Dataset] = _of(Dataset)
NETWORKS: dict[str, Network] = _of(Network)


@pytest.fixture(scope="module")
def supplement() -> str:
    if not SUPPLEMENT.exists():
        pytest.skip("the supplement's text (../shared/knowledge/supplement.md) is not here")
    return SUPPLEMENT.read_text(encoding="utf-8")


class PrintedTable(NamedTuple):
    """A table as the supplement prints it: heading lines, then lines with numbers by group."""

    headings: list[list[str]]
    lines: list[tuple[str, str, list[str]]]
    """(group, label, texts)"""


def _lines(text: str, number: int) -> list[list[str]]:
    block = re.search(rf"^Table {number}\. .*\n\n((?:.+\n)+)", text, re.MULTILINE)
    assert block is not None
    lines = block[1].replace(r"\pm", "±").splitlines()
    return [[cell.strip() for cell in line.split("\t")] for line in lines]


def _read_table(text: str, number: int) -> PrintedTable:
    headings: list[list[str]] = []
    lines = []
    group = ""
    for label, *texts in _lines(text, number):
        if any(NUMBER.match(cell) for cell in texts):
            lines.append((group, label, texts))
        elif any(texts):
            headings.append([label, *texts])
        else:
            group = label
    return PrintedTable(headings, lines)


def _spec_line(table: Table, row: Row) -> tuple[str, str, list[str]]:
    texts = []
    for column in table.columns:
        derived = row.derived.get(column.name)
        texts.append(row.cells[column.name].text + (f" {derived.text}" if derived else ""))
    return row.group, row.label, texts


def _plain(text: str) -> str:
    """Without markup, and with any white space as one blank."""
    return " ".join(text.replace("*", "").replace("$", "").split())


def test_what_is_not_printed_is_part_of_what_is() -> None:
    assert {name: LOADED[f"tables/{name}.toml"].parts_of for name in PARTS} == {
        "table4-parts": "table4"
    }


def test_numbers_of_the_same_work_have_the_same_seeds() -> None:
    """Wherever they are printed: a cell of Table 3 may stand in Table 8 too."""
    found: dict[str, set[int]] = {}
    for name in TABLES:
        for item in plan_exhibit(PAPER, name, "paper").items:
            if item.sources:
                found.setdefault(item.key, set()).add(len(item.seeds))
    assert 5 in set().union(*found.values())
    assert [seeds for seeds in found.values() if len(seeds) > 1] == []


def test_the_whole_supplement_is_there() -> None:
    assert set(EXHIBITS) == {
        *(f"table{n}" for n in range(1, 12)),
        *(f"figure{n}" for n in range(1, 11)),
        "scaling",
        "lemma1",
    }


@pytest.mark.parametrize("path", LOADED)
def test_a_file_is_named_by_its_id(path: str) -> None:
    assert LOADED[path].id == Path(path).stem


@pytest.mark.parametrize("number", [3, 4, 5, 7, 8, 9, 10, 11])
def test_lines_of_a_table_are_as_printed(supplement: str, number: int) -> None:
    table = TABLES[f"table{number}"]
    printed = _read_table(supplement, number)
    assert [_spec_line(table, row) for row in table.rows] == printed.lines
    assert [table.stub, *(c.label for c in table.columns)][1:] == printed.headings[-1][1:]
    assert table.stub == printed.headings[0][0]
    groups = list(dict.fromkeys(c.group for c in table.columns if c.group))
    spanners = [cell for cell in printed.headings[0][1:] if cell] if groups else []
    assert groups == spanners


def test_the_transposed_table_is_as_printed(supplement: str) -> None:
    table = TABLES["table6"]
    printed = _read_table(supplement, 6)
    assert table.transposed
    assert printed.headings == [[table.stub, *(row.label for row in table.rows)]]
    texts = [row.cells["HL/IPC 50"].text for row in table.rows]
    assert printed.lines == [("", table.columns[0].label, texts)]


def test_no_cell_is_missing(supplement: str) -> None:
    printed = [
        cell
        for number in range(3, 12)
        for _, _, texts in _read_table(supplement, number).lines
        for cell in texts
        if NUMBER.match(cell)
    ]
    ours = [text for table in TABLES.values() for row in table.rows for text in row.cells.values()]
    assert len(printed) == len(ours) == 121


def _settings_cell(owner: Recipe | Method, setting: str) -> str:
    """What a table of settings prints: the choices that the paper states, or a dash."""
    choices = owner.settings[setting].choices if setting in owner.settings else ()
    return ", ".join(c.printed or str(c.value) for c in choices if c.source == "paper") or "–"


@pytest.mark.parametrize("name", SETTINGS)
def test_tables_of_settings_render_as_printed(supplement: str, name: str) -> None:
    table = SETTINGS[name]
    owners = {**METHODS, **RECIPES}
    body = [
        [_settings_cell(owners[column.owner], row.setting) for column in table.columns]
        for row in table.rows
    ]
    labels = [row.label for row in table.rows]
    columns = [column.label for column in table.columns]
    if table.transposed:
        expected = [labels, *zip(*body, strict=True)]
        lines = [[_plain(cell) for cell in line] for line in _lines(supplement, 2)]
        assert lines == [[_plain(cell) for cell in line] for line in expected]
        return
    headings, second, *lines = _lines(supplement, 1)
    assert headings[0] == table.stub
    spanners = list(dict.fromkeys(column.group for column in table.columns))
    assert [cell for cell in headings[1:] if cell] == spanners
    assert second[1:] == columns
    assert lines == [[label, *cells] for label, cells in zip(labels, body, strict=True)]


@pytest.mark.parametrize("name", EXHIBITS)
def test_captions_are_the_supplements(supplement: str, name: str) -> None:
    assert _plain(EXHIBITS[name].caption) in _plain(supplement)


@pytest.mark.parametrize("name", [name for name, item in EXHIBITS.items() if item.stated])
def test_stated_numbers_stand_in_their_quotes(supplement: str, name: str) -> None:
    for key, stated in EXHIBITS[name].stated.items():
        quote = _plain(stated.quote)
        assert quote in _plain(supplement), key
        if stated.where.endswith("in words"):
            assert WORDS[stated.text.text] in quote, key
        else:
            found = re.findall(r"-?\d+(?:\.\d+)?", quote.replace("–", " "))
            assert stated.text.text in found, key


def test_footnotes_are_the_supplements(supplement: str) -> None:
    notes = [n for item in EXHIBITS.values() for n in item.notes if n.startswith("Footnote")]
    assert [note.partition(":")[0] for note in notes] == [f"Footnote {n}" for n in (1, 2, 3)]
    text = _plain(supplement).replace("<", "").replace(">", "")
    assert all(_plain(note.partition(": ")[2]) in text for note in notes)


def test_a_fit_states_only_values_of_its_own_parameters() -> None:
    fit = LOADED["fits/scaling.toml"]
    assert {stated.parameter for stated in fit.stated.values()} == {"b", "delta"}
    assert {"b", "delta"} <= set(fit.parameters)


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_a_row_is_named_by_its_label_without_the_citation(table: Table) -> None:
    for row in table.rows:
        assert row.name == re.sub(r" \[\d+\]| \(Ours\)", "", row.label)
        citation = re.search(r"\[\d+\]", row.label)
        method = METHODS[str(row.bind["method"])]
        assert citation is None or method.origin.startswith(citation[0])
        assert not row.label.endswith("(Ours)") or method.origin == "this paper"


def test_citations_name_an_author_of_the_reference(supplement: str) -> None:
    entries = re.findall(r"^- \[(\d+)\] (.+(?:\n\n- (?!\[).+)?)", supplement, re.MULTILINE)
    references = dict(entries)
    checked = 0
    for method in METHODS.values():
        cited = re.match(r"\[(\d+)\] ([A-Z]\w+) (?:et al\.|and )", method.origin)
        if cited:
            assert cited[2] in references[cited[1]].partition(".")[0], method.id
            checked += 1
    assert checked >= 20


@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_name_that_a_table_binds_exists(table: Table) -> None:
    known = {
        "method": METHODS,
        "recipe": RECIPES,
        "reference": RECIPES,
        "expert_recipe": RECIPES,
        "dataset": DATASETS,
        "network": NETWORKS,
        "selection_network": NETWORKS,
    }
    for row, column, _ in table.cells():
        for variables in _members(table, row, column):
            # Only what matches trajectories has experts.
            assert set(variables) - {"expert_recipe"} == {*known, "ipc"} - {"expert_recipe"}
            bound = known.keys() & variables.keys()
            assert all(variables[name] in known[name] for name in bound)


def _members(table: Table, row: Row, column: Any) -> Iterator[dict[str, Any]]:
    variables = variables_of(table, row, column)
    if table.average is None:
        yield variables
        return
    for value in table.average.values:
        yield {**variables, table.average.over: value}


@pytest.mark.parametrize("dataset", ["as printed", "digits"])
@pytest.mark.parametrize("table", TABLES.values(), ids=list(TABLES))
def test_every_setting_has_a_value_in_every_cell(table: Table, dataset: str) -> None:
    """Under the paper's data set, and where a profile puts another in its place."""
    for row, column, _ in table.cells():
        for variables in _members(table, row, column):
            cases = {**variables, **{f"paper.{name}": value for name, value in variables.items()}}
            if dataset == "digits":
                cases["dataset"] = "digits"
            owners = [METHODS[variables["method"]]]
            owners += [RECIPES[variables[name]] for name in ("recipe", "reference")]
            for owner in owners:
                for name, stated in owner.settings.items():
                    applying = [c for c in stated.choices if c.applies(cases)]
                    assert applying, f"{owner.id}.{name}"


def test_every_name_that_a_figure_shows_exists() -> None:
    regimes = {recipe.regime for recipe in RECIPES.values()}
    for figure in _of(Figure).values():
        for panel in figure.panels:
            assert set(panel.methods) <= set(METHODS)
            assert set(panel.datasets) <= set(DATASETS)
            assert set(panel.networks) <= set(NETWORKS)
            assert set(panel.regimes) <= regimes


@pytest.mark.parametrize("depth", [3, 4])
def test_convnet_parameters_follow_from_the_layers(depth: int) -> None:
    """k x [3x3 convolution with bias, 128 channels, scale and shift] and one linear layer."""
    for dataset, count in NETWORKS[f"convnet-d{depth}"].parameters.items():
        side, classes = SIZES[dataset]
        blocks = (3 + 128 * (depth - 1)) * 128 * 9 + depth * 3 * 128
        assert count == blocks + (128 * (side >> depth) ** 2 + 1) * classes


@pytest.mark.parametrize("dataset", SIZES)
def test_mlp_parameters_follow_from_the_layers(dataset: str) -> None:
    side, classes = SIZES[dataset]
    expected = (3 * side**2 + 1) * 128 + 129 * 128 + 129 * classes
    assert NETWORKS["mlp"].parameters[dataset] == expected


OF_TORCHVISION = ("resnet18", "resnet50", "resnet101", "resnet152", "mobilenet-v2")
OF_TORCHVISION += ("efficientnet-b0", "shufflenet-v2-x0-5", "alexnet")


@pytest.mark.parametrize("name", OF_TORCHVISION)
def test_torchvision_networks_are_counted_right(name: str) -> None:
    torch = pytest.importorskip("torch")
    from torch.utils.flop_counter import FlopCounterMode
    from torchvision.models import get_model

    spec = NETWORKS[name]
    with torch.device("meta"):
        network = get_model(name.replace("-", "_"), weights=None).eval()
        image = torch.zeros(1, 3, spec.resolution, spec.resolution)
    with FlopCounterMode(display=False) as counter:
        network(image)
    assert spec.parameters["imagenet1k"] == sum(p.numel() for p in network.parameters())
    assert spec.forward_flops == pytest.approx(counter.get_total_flops(), rel=1e-3)


@pytest.mark.parametrize("depth", [18, 152])
@pytest.mark.parametrize("stem", ["cifar", "imagenet-stem"])
def test_small_scale_resnets_are_counted_right(depth: int, stem: str) -> None:
    torch = pytest.importorskip("torch")
    from torch import nn
    from torchvision.models import get_model

    spec = NETWORKS[f"resnet{depth}-{stem}"]
    for dataset, count in spec.parameters.items():
        _, classes = SIZES[dataset]
        with torch.device("meta"):
            network = get_model(f"resnet{depth}", weights=None, num_classes=classes)
            if stem == "cifar":
                network.conv1 = nn.Conv2d(3, 64, kernel_size=3, padding=1, bias=False)
        assert count == sum(p.numel() for p in network.parameters())
