"""What `repro evidence add` refuses, and what it warns of."""

from __future__ import annotations

import pytest

from tests.toy.paper import Workplace

ADD = ("evidence", "add", "table2")


@pytest.fixture
def here(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    """The project, with the command standing in it."""
    monkeypatch.chdir(place.root)
    return place


def spec(place: Workplace) -> str:
    return (place.specs / "tables" / "table2.toml").read_text()


def test_the_row_may_be_named_by_several_options(here: Workplace) -> None:
    (here.root / "nets.csv").write_text("net,depth,seed,acc\nResNet,18,0,90.1\nVGG,18,0,10\n")
    here.edit("tables/table2.toml", 'name = "ResNet-18"\n', 'name = "ResNet/18"\n')
    done = here.repro(*ADD, "nets.csv", "--row", "net", "--row", "depth", "--value", "Wine=acc")
    assert done.code == 0, done.err
    assert 'row = ["net", "depth"]' in spec(here)
    cells = here.repro("show", "table2", "--json").json["cells"]
    found = {(c["row"], c["column"]): c["reproduced"]["mean"] for c in cells if c["reproduced"]}
    assert found == {("ResNet/18", "Wine"): 90.1}


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        (
            "rn-18,wine,0,90\nvgg,wine,0,80\n",
            "none of the 4 printed numbers of table2 has a result there, so nothing was written. "
            "The files have rn-18, vgg; the table has, nearest first, ResNet-18, ",
        ),
        ("", "x.csv: holds no results; its first line is 'method,dataset,seed,accuracy'"),
    ],
)
def test_files_without_a_number_of_the_table_are_refused(
    here: Workplace, lines: str, says: str
) -> None:
    before = spec(here)
    (here.root / "x.csv").write_text("method,dataset,seed,accuracy\n" + lines)
    fields = ("--row", "method", "--column", "dataset", "--value", "accuracy")
    said = here.repro(*ADD, "x.csv", *fields)
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert says in said.err
    assert spec(here) == before
    assert not (here.specs / "evidence.lock").exists()


def test_another_entry_that_adds_nothing_is_refused_too(added: Workplace) -> None:
    before = spec(added)
    (added.root / "x.csv").write_text("method,dataset,seed,accuracy\nvgg,wine,0,80\n")
    said = added.repro(*ADD, "x.csv", "--row", "method", "--column", "dataset")
    assert "so nothing was written. The files have vgg;" in said.err
    assert spec(added) == before


@pytest.mark.parametrize("more", [(), ("--scale", "1"), ("--row", "method", "--reader", "csv")])
def test_the_same_files_read_alike_are_in_the_table_already(
    added: Workplace, more: tuple[str, ...]
) -> None:
    before = spec(added)
    said = added.repro(*ADD, "runs.csv", *more)
    line = added.line("tables/table2.toml", "[[evidence]]")
    assert said.code == 2
    assert f"table2.toml:{line}: evidence.0: runs.csv already in an [[evidence]] of table2" in (
        said.err
    )
    assert spec(added) == before


@pytest.mark.parametrize(
    ("wine", "iris", "warned"),
    [
        ("0.9", "80.0", "Wine the numbers of the files are about 100 times smaller"),
        ("90.0", "8000", "Iris the numbers of the files are about 100 times larger"),
        ("90.0", "20.0", ""),
    ],
)
def test_a_column_of_another_scale_is_warned_of(
    here: Workplace, wine: str, iris: str, warned: str
) -> None:
    (here.root / "x.csv").write_text(f"method,Wine,Iris\nResNet-18,{wine},{iris}\n")
    said = here.repro(*ADD, "x.csv")
    assert said.code == 0, said.err
    assert ("100 times" in said.out) == bool(warned)
    assert warned in said.out


def test_a_column_of_another_scale_takes_an_entry_of_its_own(here: Workplace) -> None:
    (here.root / "x.csv").write_text("method,Wine,Iris\nResNet-18,0.9,80\n")
    first = here.repro(*ADD, "x.csv", "--value", "Wine=Wine", "--scale", "100")
    second = here.repro(*ADD, "x.csv", "--value", "Iris=Iris")
    assert "100 times" not in first.out + second.out
    cells = here.repro("show", "table2", "--json").json["cells"]
    assert [c["reproduced"]["mean"] for c in cells if c["reproduced"]] == [90.0, 80.0]


def test_what_files_have_besides_is_named_beside_the_differences(added: Workplace) -> None:
    said = added.repro("diff", "table2")
    assert said.out.count("Not in the table, and passed over: other") == 1


def test_where_nothing_passes_it_is_asked_whether_it_should(here: Workplace) -> None:
    fields = ("--row", "method", "--column", "dataset", "--value", "accuracy")
    said = here.repro(*ADD, "runs.csv", *fields, "--where", "method=nobody")
    assert said.code == 2
    assert "No line or object of theirs counts" in said.err


def test_a_file_of_a_heading_alone_is_said_to_hold_no_results(here: Workplace) -> None:
    (here.root / "x.csv").write_text("method,dataset,seed,accuracy\n")
    said = here.repro(*ADD, "x.csv")
    assert said.code == 2
    assert "holds no results; its first line is 'method,dataset,seed,accuracy'" in said.err


@pytest.mark.parametrize("folder", [".", "./", "res", "./res/"])
def test_a_folder_is_what_its_results_are_though_it_has_a_readme(
    here: Workplace, folder: str
) -> None:
    place = here.root / folder
    place.mkdir(exist_ok=True)
    (here.root / "runs.csv").rename(place / "runs.csv")
    (place / "README.md").write_text("# Results of ours\n")
    said = here.repro(*ADD, folder)
    assert said.code == 0, said.err
    inside = "" if folder.strip("./") == "" else "res/"
    assert f'files = ["{inside}**/*.csv"]' in spec(here)


def test_a_pattern_of_a_spec_may_begin_with_its_own_folder(added: Workplace) -> None:
    added.edit("tables/table2.toml", '"runs.csv"', '"./runs.csv"')
    assert added.repro("show", "table2").err == ""


@pytest.mark.parametrize("scale", ["0", "-100", "nan", "inf", "1e400"])
def test_a_scale_that_makes_no_number_of_another_is_refused(here: Workplace, scale: str) -> None:
    before = spec(here)
    said = here.repro(*ADD, "runs.csv", f"--scale={scale}")
    assert (said.code, len(said.err.splitlines())) == (2, 1)
    assert said.err.startswith("repro: --scale ")
    assert spec(here) == before


@pytest.mark.parametrize("scale", ["0", "-100.0", "nan", "1e400"])
def test_a_spec_has_the_same_bound(added: Workplace, scale: str) -> None:
    added.edit("tables/table2.toml", "scale = 100", f"scale = {scale}")
    said = added.repro("show", "table2")
    assert said.code == 2
    assert "evidence.0.scale" in said.err
