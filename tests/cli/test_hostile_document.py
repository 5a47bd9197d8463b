"""A document of a paper whose every text is TeX that would read, run or break something."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.test_paper import DOCUMENT, needs_latex, text_of, write
from tests.toy.paper import Workplace

HOSTILE = (
    r"\input{secret} \immediate\write18{touch ran}",
    r"^^5cinput{secret} ^^5c^^69nput secret.tex ",
    r"$\input{secret}$ $^^5cinput{secret}$ $\write18{touch ran}$",
    r"}}} \fi\fi \end{document} \endinput",
    r"{{{ \iffalse \begin{verbatim} $ \[ \verb|",
    r"% \catcode`\%=12 \def\par{} ~ # #1 ## & \\ _ ^",
    r"\openout0=ran.tex \csname input\endcsname{secret} \expandafter\loop",
)
NAME = r"\input{secret} ^^5cinput{secret} }}\fi % # $ ~ {"
TITLED = re.compile(r'^(label|title|caption|stub|text|where) = ".*"$', re.MULTILINE)


@pytest.fixture
def place(copied: Workplace) -> Workplace:
    """Labels, captions, claims and messages of failures, and the name of a row."""
    (copied.root / "paper").mkdir()
    write(copied, DOCUMENT.replace(r"\end{document}", r"The end. \end{document}"))
    (copied.root / "paper" / "secret.tex").write_text("a secret", encoding="utf-8")
    texts = iter(HOSTILE * 20)
    for path in (*copied.specs.glob("tables/*.toml"), copied.specs / "claims.toml"):
        text = path.read_text(encoding="utf-8").replace('name = "Released"', f"name = '{NAME}'")
        path.write_text(
            TITLED.sub(lambda found: f"{found[1]} = {json.dumps(next(texts))}", text),
            encoding="utf-8",
        )
    failures = copied.store.failures
    for identity in failures.identities():
        failure = failures.get(identity)
        assert failure
        failures.put(replace(failure, message=" ".join(HOSTILE)))
    return copied


@needs_latex
def test_nothing_of_it_is_read_run_or_broken(place: Workplace) -> None:
    made = place.repro("paper", "--json")
    assert made.code == 0, made.err
    said = text_of(Path(made.json["pdf"]))
    assert said.count("The end.") == 1
    assert "a secret" not in said
    assert not list(place.root.rglob("ran*"))
    letters = re.sub(r"\W", "", said)
    for text in HOSTILE:
        assert re.sub(r"\W", "", text) in letters, text


@needs_latex
def test_a_cell_with_such_a_name_can_be_cited(place: Workplace) -> None:
    place.repro("paper")
    cells = (place.root / "build" / "stated" / "cells.tex").read_text(encoding="utf-8")
    (key,) = set(re.findall(r"\{(verdicts:\S*input.*?:Small)\}\{", cells))
    write(
        place,
        rf"""\documentclass{{article}}\usepackage{{repro}}\begin{{document}}
Ours is \reprocell[reported]{{{key}}}.\end{{document}}""",
    )
    made = place.repro("paper", "--json")
    assert made.code == 0, made.err
    assert "Ours is 50.00 ± 0.30." in text_of(Path(made.json["pdf"]))
