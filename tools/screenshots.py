"""Pictures of a report as people see it: on a desktop, on a phone, in the dark, and on paper.

    python -m tools.screenshots SITE FOLDER [PAGE]...

Needs Debian's Chromium and the package `playwright`. Without pages: the scorecard and every table.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import BrowserContext, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
LOOKS = (("desktop", "light"), ("phone", "light"), ("desktop", "dark"))
TALLEST = 6000


@contextmanager
def chromium() -> Iterator[BrowserContext]:
    """A browser that starts from nothing and leaves nothing behind."""
    with sync_playwright() as driver, TemporaryDirectory() as profile:
        context = driver.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, headless=True, args=list(FLAGS)
        )
        yield context
        context.close()


def take(site: Path, folder: Path, pages: list[str]) -> Iterator[Path]:
    """Each page as PNG in every look, and as PDF."""
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as context:
        page = context.new_page()
        for name in pages:
            stem = name.removesuffix(".html").replace("/", "-")
            for size, scheme in LOOKS:
                width, height = SIZES[size]
                page.set_viewport_size({"width": width, "height": height})
                page.emulate_media(color_scheme=scheme, media="screen")
                page.goto((site / name).resolve().as_uri())
                tall = min(TALLEST, page.evaluate("document.documentElement.scrollHeight"))
                path = folder / f"{stem}-{size}-{scheme}.png"
                clip = {"x": 0, "y": 0, "width": width, "height": tall}
                page.screenshot(path=path, full_page=True, clip=clip)
                yield path
            page.emulate_media(media="print")
            page.pdf(path=folder / f"{stem}.pdf", format="A4")
            yield folder / f"{stem}.pdf"


def main() -> None:
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    site, folder = Path(sys.argv[1]), Path(sys.argv[2])
    tables = sorted(f"exhibits/{path.name}" for path in (site / "exhibits").glob("table*.html"))
    for path in take(site, folder, sys.argv[3:] or ["index.html", *tables]):
        print(path)


if __name__ == "__main__":
    main()
