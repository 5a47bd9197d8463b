"""A whole paper as data: all its specs, loaded and checked against each other."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, PositiveInt, StringConstraints

from harness.errors import UserError, nearest, require
from harness.spec.base import SHOWN, Label, Name, ShownLabel, ShownText, SpecModel
from harness.spec.bindings import check_name
from harness.spec.claims import Claim, ClaimsFile, Correlation, addresses
from harness.spec.exhibit import Exhibit, Table
from harness.spec.kinds import find_kind, kinds
from harness.spec.operands import Operand
from harness.spec.parts import Dataset, Method, Network, Profile, Recipe, Setting
from harness.spec.references import check_references, with_shared_settings
from harness.spec.statements import Statement, StatementsFile, check_statements
from harness.spec.toml import SpecError, as_spec, located, read_spec, read_toml, require_at

SpecT = TypeVar("SpecT", Dataset, Method, Network, Recipe, Profile)
ItemT = TypeVar("ItemT")
FoundT = TypeVar("FoundT")
ExhibitT = TypeVar("ExhibitT", bound=Exhibit)
OTHER_FOLDERS = ("methods", "recipes", "datasets", "models", "profiles")
"""Folders of specs that are no exhibits."""
FORMAT = 3
"""The format of specs that this version writes; it reads all before it."""
ABBREVIATED = 3
"""Most letters of a variable's name that is taken for an abbreviation."""
VariableKind = Literal["method", "recipe", "dataset", "network", "value"]


class Owner(Protocol):
    """A method, a recipe or an exhibit, seen as what has settings."""

    @property
    def id(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, Setting]: ...


class PaperFile(SpecModel):
    """`paper.toml`."""

    format: PositiveInt = 1
    """The format of all these specs; `repro upgrade` rewrites older ones."""
    id: Name
    title: ShownLabel
    authors: Annotated[tuple[Label, ...], SHOWN]
    venue: ShownText
    source: ShownText
    """The document that the numbers were read from."""
    steps: Annotated[str, StringConstraints(pattern=r"^([A-Za-z_]\w*(\.[A-Za-z_]\w*)*)?$")] = ""
    """Module with the step types, as `package.module`. Left out: only programs are run."""
    data: str = ""
    """Module that lists, checks, fetches and prepares data sets, likewise."""
    imports: str = ""
    """Module that reads sets of images that others released, likewise."""
    default_profile: Annotated[Name, SHOWN]
    paper_profile: Name
    variables: Mapping[str, VariableKind]
    """The variables that exhibits bind, and what each one names."""


class Paper(BaseModel):
    """All specs of one paper."""

    model_config = ConfigDict(frozen=True)

    root: Path
    about: PaperFile
    exhibits: Mapping[str, Exhibit]
    methods: Mapping[str, Method]
    recipes: Mapping[str, Recipe]
    official: Mapping[str, Recipe]
    """Recipes as the official code of others has them, which the paper says it follows."""
    datasets: Mapping[str, Dataset]
    networks: Mapping[str, Network]
    profiles: Mapping[str, Profile]
    claims: Mapping[str, Claim]
    statements: tuple[Statement, ...] = ()
    accepted: Mapping[str, str] = {}
    """Finding of the audit -> why it is let stand."""
    digest: str = ""
    """Of the names and the content of the files as they were when they were read; empty where they
    changed meanwhile, or where this was made in another way. What is kept under it stays true."""

    @cached_property
    def kept(self) -> dict[str, Any]:
        """What others have made of it once, by name, for whoever asks after them."""
        return {}

    def once(self, name: str, find: Callable[[Paper], FoundT]) -> FoundT:
        """What is found of this paper, found when it is first asked for."""
        if name not in self.kept:
            self.kept[name] = find(self)
        found: FoundT = self.kept[name]
        return found

    def model_copy(self, *, update: Mapping[str, Any] | None = None, deep: bool = False) -> Paper:
        """A copy with other parts must not keep what was made of the old ones."""
        copied = super().model_copy(update=update, deep=deep)
        copied.__dict__.pop("kept", None)
        return copied

    def exhibit(self, name: str) -> Exhibit:
        whole, colon, _ = name.partition(":")
        if colon and whole in self.exhibits:
            raise UserError(
                f"'{name}': expected an exhibit, not a part of one; give '{whole}' (`plan`, `make` "
                "and `why` take parts)"
            )
        return _lookup("exhibit", self.exhibits, name)

    def exhibits_of(self, model: type[ExhibitT]) -> list[ExhibitT]:
        """The exhibits that a model describes, for what is said of these alone."""
        return [exhibit for exhibit in self.exhibits.values() if isinstance(exhibit, model)]

    def runnable_exhibit(self, name: str) -> Exhibit:
        """An exhibit for which something is run.

        Raises:
            UserError: there is no such exhibit, or nothing is run for it.
        """
        exhibit = self.exhibit(name)
        if not exhibit.runnable:
            raise UserError(
                f"nothing runs for '{name}' ({exhibit.label}) in this version; something runs for: "
                + ", ".join(self.runnable)
            )
        return exhibit

    @property
    def runnable(self) -> list[str]:
        """The exhibits for which something is run, in their order."""
        return [name for name, exhibit in self.exhibits.items() if exhibit.runnable]

    def path_of(self, owner: Owner | Exhibit) -> Path:
        """The file of a method, a recipe or an exhibit."""
        if self.methods.get(owner.id) is owner:
            folder = "methods"
        elif self.recipes.get(owner.id) is owner:
            folder = "recipes"
        else:
            folder = kinds()[self.exhibits[owner.id].kind].folder
        return self.root / folder / f"{owner.id}.toml"

    def method(self, name: str) -> Method:
        return _lookup("method", self.methods, name)

    def methods_of(self, variables: Mapping[str, Any]) -> dict[str, Method]:
        """The variables that name methods, and these."""
        kinds = self.about.variables
        named = [name for name in variables if kinds[name] == "method"]
        return {name: self.method(variables[name]) for name in named}

    def recipe(self, name: str) -> Recipe:
        return _lookup("recipe", self.recipes, name)

    def dataset(self, name: str) -> Dataset:
        return _lookup("data set", self.datasets, name)

    def network(self, name: str) -> Network:
        return _lookup("network", self.networks, name)

    def label(self, variable: str, value: Any) -> str:
        """The label of the method or other spec that a variable names, or its value as text."""
        find: Mapping[str, Callable[[str], Method | Recipe | Dataset | Network]] = {
            "method": self.method,
            "recipe": self.recipe,
            "dataset": self.dataset,
            "network": self.network,
        }
        kind = self.about.variables[variable]
        return str(value) if kind == "value" else find[kind](str(value)).label

    @staticmethod
    def word(variable: str) -> str:
        """How readers call a variable: in capitals where it is an abbreviation, as IPC is."""
        return variable.upper() if len(variable) <= ABBREVIATED else variable.replace("_", " ")

    def profile(self, name: str | None) -> Profile:
        """A profile by name; without a name, the paper's default."""
        return _lookup("profile", self.profiles, name or self.about.default_profile)

    def owner(self, name: str) -> Method | Recipe:
        """A method or a recipe."""
        owners: Mapping[str, Method | Recipe] = {**self.methods, **self.recipes}
        return _lookup("method or recipe", owners, name)

    def settings(self) -> dict[str, Setting]:
        """`owner.setting` -> the setting, of all methods, recipes and exhibits."""
        combined: list[Owner] = [*self.methods.values(), *self.recipes.values()]
        owners = [(owner.id, owner.settings) for owner in combined]
        owners += [(exhibit.id, exhibit.own_settings) for exhibit in self.exhibits.values()]
        return {
            f"{owner}.{name}": setting for owner, held in owners for name, setting in held.items()
        }

    def forward_flops(self, network: str, resolution: int) -> float:
        """Operations of one forward pass; convolutions scale with the number of pixels."""
        spec = self.network(network)
        return spec.forward_flops * (resolution / spec.resolution) ** 2


def load_paper(root: Path) -> Paper:
    """Load `paper.toml` and the folders beside it.

    Raises:
        SpecError: any file is wrong, or refers to something that is not there.
    """
    if not root.is_dir():
        raise SpecError(f"{root}: no such folder; the specs of a paper were expected here")
    digest = _digest_of(root)
    format_of(root)
    about = read_spec(root / "paper.toml", PaperFile)
    claims = read_spec(root / "claims.toml", ClaimsFile)
    more = root / "statements.toml"
    said = read_spec(more, StatementsFile) if more.is_file() else StatementsFile()
    paper = Paper(
        root=root,
        about=about,
        exhibits=_read_exhibits(root),
        methods=_read_folder(root / "methods", Method),
        recipes=_read_folder(root / "recipes", Recipe),
        official=_read_folder(root / "recipes" / "official", Recipe),
        datasets=_read_folder(root / "datasets", Dataset),
        networks=_read_folder(root / "models", Network),
        profiles=_read_folder(root / "profiles", Profile),
        claims={claim.id: claim for claim in claims.claims},
        statements=said.statements,
        accepted={item.finding: item.reason for item in said.accepted},
    )
    paper = with_shared_settings(paper)
    _check_references(paper)
    return paper.model_copy(update={"digest": digest if digest == _digest_of(root) else ""})


def _digest_of(root: Path) -> str:
    hashed = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*.toml") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        hashed.update(f"{path.relative_to(root).as_posix()}\0{content}\n".encode())
    return hashed.hexdigest()


def format_of(root: Path) -> int:
    """The format of the specs in a folder, read before anything that another one may not have.

    Raises:
        SpecError: it is newer than this version.
    """
    path = root / "paper.toml"
    found = read_toml(path).get("format", 1)
    if isinstance(found, int) and found > FORMAT:
        message = f"specs of format {found}; this version reads formats up to {FORMAT}"
        raise located(path, ["format"], f"{message}; use a newer version")
    return int(found) if isinstance(found, int) else 1


def _read_folder(folder: Path, model: type[SpecT]) -> dict[str, SpecT]:
    """All specs of one kind; each file is named by the id it declares."""
    specs = {path: read_spec(path, model) for path in sorted(folder.glob("*.toml"))}
    for path, spec in specs.items():
        _check_named(path, spec.id)
    return {path.stem: spec for path, spec in specs.items()}


def _read_exhibits(root: Path) -> dict[str, Exhibit]:
    found: dict[str, Exhibit] = {}
    for folder in exhibit_folders(root):
        for path in sorted((root / folder).glob("*.toml")):
            raw = read_toml(path)
            name = str(raw.get("kind"))
            kind = find_kind(name)
            if kind is None:
                raise located(path, ["kind"], f"unknown kind; {nearest(name, kinds())}")
            exhibit = as_spec(path, raw, kind.model)
            _check_named(path, exhibit.id)
            found[exhibit.id] = exhibit
    return dict(sorted(found.items(), key=lambda item: _natural(item[0])))


def exhibit_folders(root: Path) -> list[str]:
    """The folders of exhibits, in the order of their kinds."""
    known = list(dict.fromkeys(kind.folder for kind in kinds().values()))
    others = {path.parent.name for path in root.glob("*/*.toml")} - {*known, *OTHER_FOLDERS}
    if others:
        known += {
            kind.folder: 0 for kind in kinds(installed=True).values() if kind.folder in others
        }
    return known


def _natural(name: str) -> list[str | int]:
    """table2 before table10."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def _check_named(path: Path, identifier: str) -> None:
    if identifier != path.stem:
        raise located(path, ["id"], f"expected '{path.stem}', the file's name")


def _lookup(kind: str, items: Mapping[str, ItemT], name: str) -> ItemT:
    require(name, items, f"unknown {kind} '{name}'")
    return items[name]


def _check_references(paper: Paper) -> None:
    """Every name that one spec uses of another must exist."""
    for _, exhibit in sorted(paper.exhibits.items()):
        exhibit.check(paper, paper.path_of(exhibit))
        if exhibit.parts_of:
            _check_parts(paper, exhibit)
    for profile in paper.profiles.values():
        _check_profile(paper, paper.root / "profiles" / f"{profile.id}.toml", profile)
    for index, claim in enumerate(paper.claims.values()):
        for address in addresses(claim):
            _check_address(paper, ["claims", index, "id"], address)
        if isinstance(claim, Correlation):
            _check_correlation(paper, ["claims", index, "value"], claim.value)
    check_references(paper)
    check_statements(paper)
    for key in ("default_profile", "paper_profile"):
        try:
            paper.profile(getattr(paper.about, key))
        except UserError as error:
            raise located(paper.root / "paper.toml", [key], str(error)) from None


def _check_parts(paper: Paper, exhibit: Exhibit) -> None:
    """What shows the parts of another exhibit is none of the paper, and that other one is."""
    whole, place = exhibit.parts_of, (paper.path_of(exhibit), ["parts_of"])
    require_at(*place, whole, paper.exhibits, f"'{whole}': no exhibit")
    if paper.exhibits[whole].parts_of:
        expected = "expected the one of which it shows the parts"
        raise located(*place, f"'{whole}' is an exhibit of parts itself; {expected}")
    if any(exhibit.printed_cells()):
        none = "an exhibit of parts is none of the paper, which prints no number in it"
        raise located(*place, f"{none}; leave out 'cells'")


def _check_address(paper: Paper, keys: list[int | str], address: str) -> None:
    """A claim may only refer to numbers that the specs hold."""
    path = paper.root / "claims.toml"
    name, row, column = address.split(":")
    require_at(path, keys, name, paper.exhibits, f"'{address}': no exhibit")
    exhibit = paper.exhibits[name]
    if row == "stated":
        require_at(path, keys, column, exhibit.stated, f"'{address}': not stated")
    elif row == "unprinted":
        require_at(path, keys, column, exhibit.unprinted, f"'{address}': not declared")
    else:
        require_at(path, keys, row, exhibit.row_names, f"'{address}': unknown row")
        require_at(path, keys, column, exhibit.column_names, f"'{address}': unknown column")


def _check_correlation(paper: Paper, keys: list[int | str], value: Operand) -> None:
    if isinstance(value, str):
        name, row, column = value.split(":")
        printed = paper.exhibits[name].printed(row, column)
        if printed is not None and printed.is_number and abs(printed.number) > 1:
            raise located(
                paper.root / "claims.toml",
                keys,
                f"'{value}' is {printed}, and a correlation lies in [-1, 1]; correct the number, "
                "or, if the paper prints it so, make it a claim of the kind parameter_domain",
            )


def _check_profile(paper: Paper, path: Path, profile: Profile) -> None:
    kinds = paper.about.variables
    mappable = {name if kind == "value" else kind: kind for name, kind in kinds.items()}
    for name, table in profile.map.items():
        require_at(path, ["map", name], name, mappable, "unknown kind or value")
        for stated, used in table.items():
            for value in (used,) if stated == "*" else (stated, used):
                check_name(paper, path, ["map", name, stated], mappable[name], value)
    known = paper.settings()
    for name in profile.override:
        require_at(path, ["override", name], name, known, "unknown setting")
    if profile.seeds_of:
        tables = (table for table in paper.exhibits.values() if isinstance(table, Table))
        cells = {f"{t.id}:{row.name}:{column.name}" for t in tables for row, column, _ in t.cells()}
        for address in profile.seeds_of:
            place = path, ["seeds_of", address]
            require_at(*place, address, cells, f"'{address}': no cell of a table")
