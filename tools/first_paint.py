"""What the pages of a report weigh, and how soon a browser shows the first of them.

    python -m tools.first_paint SITE

Every page is opened once from its file, after one that is not counted. Needs what
`tools.screenshots` needs.
"""

from __future__ import annotations

import sys
from pathlib import Path
from statistics import median

from tools.screenshots import SIZES, chromium

PAINTED = """() => new Promise(done => new PerformanceObserver(list => {
  const first = list.getEntriesByName("first-contentful-paint")[0];
  if (first) done(first.startTime);
}).observe({type: "paint", buffered: true}))"""
SHARED = ("assets/report.css", "assets/report.js")
KINDS = {"scorecard": "index.html", "numbers": "numbers.html", "claims": "claims.html"}
KINDS |= {"exhibits": "exhibits/*.html", "a number": "numbers/*/*.html"}


def paints(site: Path, names: list[str]) -> list[float]:
    """Milliseconds from the start of each page to its first content."""
    found = []
    width, height = SIZES["desktop"]
    with chromium() as context:
        page = context.new_page()
        page.set_viewport_size({"width": width, "height": height})
        for name in (names[0], *names):
            page.goto((site / name).resolve().as_uri())
            found.append(float(page.evaluate(PAINTED)))
    return found[1:]


def main() -> None:
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    site = Path(sys.argv[1])
    shared = sum((site / name).stat().st_size for name in SHARED)
    search = (site / "assets/search.js").stat().st_size
    print(f"style and script of every page {shared / 1e3:.0f} kB, search {search / 1e3:.0f} kB")
    for kind, pattern in KINDS.items():
        names = sorted(path.relative_to(site).as_posix() for path in site.glob(pattern))
        weights = [(site / name).stat().st_size / 1e3 for name in names]
        shown = paints(site, names)
        print(
            f"{kind}: {len(names)} pages, median {median(weights):.0f} kB, at most "
            f"{max(weights):.0f}; first paint after {median(shown):.0f} ms, at most "
            f"{max(shown):.0f}"
        )


if __name__ == "__main__":
    main()
