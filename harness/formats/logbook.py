"""A logbook as Trackio reads it (its schema 2): a page for each sentence that the paper claims.

`trackio logbook` shows and publishes it from the folder. Pages are Markdown whose cells follow a
comment with their kind; the first page is a table of the others, with a column for the status.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from harness.formats.exported import Exported, file_name
from harness.judge.outcomes import Judged, Sentence, by_sentence

PROJECT = ".trackio"


def write(exported: Exported) -> bool:
    """Write the logbook into an export, where there are claims."""
    sentences, title = by_sentence(exported.claims()), f"Claims of {exported.paper.about.title}"
    if not sentences:
        return False
    named = [(f"claim-{n}-{file_name(each.where)}"[:60], each) for n, each in enumerate(sentences)]
    root = exported.folder / PROJECT / "logbook"
    for slug, sentence in named:
        _page(root / "pages" / slug / "page.md", _told(exported, slug, sentence))
    table = [
        f"| [{_line(each.text)}](#/{slug}) | {each.reported} | {each.reproduced} |"
        for slug, each in named
    ]
    heading = "| Page | On the paper's numbers | Status on ours |\n| --- | --- | --- |"
    index = "\n".join((f"# {title}\n", f"## Pages\n\n{heading}", *table, ""))
    _page(root / "pages" / "index.md", index)
    about: dict[str, object] = {
        "space_id": None,
        "paper": {"title": exported.paper.about.title},
        "tags": [],
    }
    (root.parent / "metadata.json").write_text(json.dumps(about, indent=1), encoding="utf-8")
    pages = [_node(slug, _line(each.text), f"pages/{slug}/page.md") for slug, each in named]
    manifest = {
        "schema_version": 2,
        "title": title,
        **about,
        "root": {**_node("index", title, "pages/index.md"), "children": pages},
    }
    (root / "logbook.json").write_text(json.dumps(manifest, indent=1), encoding="utf-8")
    return True


def _told(exported: Exported, slug: str, sentence: Sentence) -> str:
    """A page: the sentence, and for each claim in it what both sides say."""
    about = {"type": "markdown", "id": f"cell_{slug}", "title": "Verdicts"}
    cell = f"---\n<!-- trackio-cell\n{json.dumps(about)}\n-->"
    head = f"# {_line(sentence.text)}\n\n> {sentence.text}\n\n{sentence.where}\n"
    profiles = {each.plan.profile.id for each in exported.judgements}
    ran = f"Run under profile {', '.join(sorted(profiles))}.\n"
    return "\n".join((head, cell, ran, *_claims(sentence.claims), ""))


def _claims(claims: Sequence[Judged]) -> list[str]:
    return [
        f"- `{each.claim.id}`: on the paper's numbers **{each.reported.outcome}** "
        f"({each.reported.why}); on ours **{each.reproduced.outcome}** ({each.reproduced.why})"
        for each in claims
    ]


def _line(text: str) -> str:
    """A sentence as one line of a table, not too long."""
    short = text if len(text) <= 100 else text[:99].rstrip() + "…"
    return " ".join(short.split()).translate({ord(sign): " " for sign in "|[]"})


def _node(slug: str, title: str, file: str) -> dict[str, object]:
    return {"slug": slug, "title": title, "file": file, "children": []}


def _page(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
