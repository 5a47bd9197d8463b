"""Build the documentation: write the reference, check every link, make pages of the Markdown.

python -m tools.build_docs
"""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from tools import reference

ROOT = Path(__file__).parents[1]
BUILD = ROOT / "docs" / "build"
STYLE = ROOT / "harness" / "render" / "templates" / "report" / "report.css"
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s#]*)(#[^)\s]*)?\)")
_HEADING = re.compile(r"^#+ +(.*)$", re.MULTILINE)
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><link rel="stylesheet" href="{root}report.css"></head>
<body><main>
{body}
</main></body></html>
"""


def sources() -> list[Path]:
    """Every page of the documentation, the first one first."""
    docs = sorted(p for p in (ROOT / "docs").rglob("*.md") if BUILD not in p.parents)
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *docs]


def broken_links(page: Path) -> Iterator[str]:
    """Links of a page that lead to no file, or to no heading of one."""
    for target, anchor in _LINK.findall(page.read_text(encoding="utf-8")):
        if ":" in target:
            continue
        path = (page.parent / target) if target else page
        if not path.exists():
            yield f"{page.relative_to(ROOT)}: {target} is not there"
        elif anchor and path.suffix == ".md" and anchor[1:] not in anchors(path):
            yield f"{page.relative_to(ROOT)}: {target} has no heading {anchor}"


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = _HEADING.findall(page.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in headings}


def render(page: Path) -> str:
    """A page as HTML, its links leading to the other pages."""
    text = page.read_text(encoding="utf-8")
    body = MarkdownIt("commonmark").enable("table").render(text)
    body = re.sub(r'(href="[^":]*)\.md(#[^"]*)?"', r'\1.html\2"', body)
    body = re.sub(r"<h([1-6])>(.*?)</h\1>", _anchored, body)
    body = body.replace("<table>", '<div class="scroll"><table>').replace(
        "</table>", "</table></div>"
    )
    title = _HEADING.search(text)
    up = "../" * (len(page.relative_to(ROOT).parts) - 1)
    return _PAGE.format(title=escape(title[1] if title else page.stem), root=up, body=body)


def _anchored(heading: re.Match[str]) -> str:
    plain = re.sub(r"<[^>]*>|&\w+;", "", heading[2])
    anchor = re.sub(r"[^\w\- ]", "", plain.lower()).replace(" ", "-")
    return f'<h{heading[1]} id="{anchor}">{heading[2]}</h{heading[1]}>'


def main() -> None:
    for name, text in reference.files().items():
        (ROOT / name).parent.mkdir(exist_ok=True)
        (ROOT / name).write_text(text, encoding="utf-8")
    problems = [problem for page in sources() for problem in broken_links(page)]
    if problems:
        sys.exit("\n".join(problems))
    shutil.rmtree(BUILD, ignore_errors=True)
    for page in sources():
        built = (BUILD / page.relative_to(ROOT)).with_suffix(".html")
        built.parent.mkdir(parents=True, exist_ok=True)
        built.write_text(render(page), encoding="utf-8")
    shutil.copyfile(STYLE, BUILD / "report.css")
    print(f"built {len(sources())} pages; open {(BUILD / 'README.html').relative_to(ROOT)}")


if __name__ == "__main__":
    main()
