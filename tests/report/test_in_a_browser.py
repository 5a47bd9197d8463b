"""The report in Debian's Chromium: usable by eye, keyboard and screen reader, from a file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright", reason="the package playwright is not installed")
from playwright.sync_api import BrowserContext, Page, expect

from tools.screenshots import CHROMIUM, SIZES, chromium

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM.is_file(), reason=f"{CHROMIUM} is not installed"),
]
PAGES = (
    "index.html",
    "numbers.html",
    "claims.html",
    "findings.html",
    "exhibits/verdicts.html",
    "exhibits/averaged.html",
    "exhibits/scatter.html",
    "exhibits/law.html",
    "numbers/verdicts/faithful-small.html",
)


@pytest.fixture(scope="module")
def context() -> Iterator[BrowserContext]:
    with chromium() as opened:
        yield opened


@pytest.fixture
def page(context: BrowserContext) -> Iterator[Page]:
    """A page that fails the test if a script fails, a dialog opens or anything but a file is read.

    What it remembers is forgotten first.
    """
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("console", lambda said: wrong.append(said.text) if said.type == "error" else None)
    opened.on("dialog", lambda dialog: (wrong.append("a dialog"), dialog.dismiss()))
    opened.on("request", lambda request: _only_files(request.url, wrong))
    opened.set_viewport_size(_size("desktop"))
    yield opened
    opened.close()
    assert wrong == []


def _only_files(url: str, wrong: list[str]) -> None:
    if not url.startswith(("file:", "data:")):
        wrong.append(f"asked for {url}")


def _size(name: str) -> Any:
    width, height = SIZES[name]
    return {"width": width, "height": height}


def _open(page: Page, site: Path, name: str) -> None:
    path, _, anchor = name.partition("#")
    page.goto("about:blank")
    page.goto((site / path).as_uri() + (f"#{anchor}" if anchor else ""))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", sorted(SIZES))
def test_axe_finds_nothing_serious_and_nothing_is_wider_than_the_screen(
    page: Page, poisoned: Path, site: Path, size: str, scheme: Any
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page.set_viewport_size(_size(size))
    page.emulate_media(color_scheme=scheme)
    for folder in (site, poisoned):
        for name in PAGES:
            _open(page, folder, name)
            page.evaluate("localStorage.clear()")
            page.reload()
            found = Axe().run(page, options={"preload": False}).response["violations"]
            grave = [
                (item["id"], item["nodes"][0]["html"][:200])
                for item in found
                if item["impact"] in ("serious", "critical")
            ]
            assert grave == [], f"{name}, {size}, {scheme}"
            beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
            assert beyond <= 0, f"{name} is {beyond} pixels wider than a {size}"


def test_hostile_text_in_every_field_runs_nothing(page: Page, poisoned: Path) -> None:
    for path in sorted(poisoned.rglob("*.html")):
        _open(page, poisoned, path.relative_to(poisoned).as_posix())
        assert page.evaluate("window.hacked") is None, path
        assert page.locator("img[src=x]").count() == 0, path
    page.keyboard.press("/")
    page.keyboard.type("script")
    page.locator("#found [role=option]").first.wait_for()
    assert page.evaluate("window.hacked") is None


def test_filters_narrow_the_numbers_and_the_address_keeps_them(page: Page, site: Path) -> None:
    _open(page, site, "numbers.html")
    rows = page.locator("#numbers tbody tr:visible")
    everything = rows.count()
    page.select_option("select[name=verdict]", "deviates")
    page.select_option("select[name=method]", "flattered")
    expect(rows.first).to_be_visible()
    expect(rows.filter(has_not_text="deviates")).to_have_count(0)
    expect(rows.filter(has_not_text="flattered")).to_have_count(0)
    few = rows.count()
    assert few < everything
    page.reload()
    expect(rows).to_have_count(few)
    expect(page.locator("#count")).to_have_text(f"{few} of {everything} numbers")
    page.click("button[type=reset]")
    expect(rows).to_have_count(everything)


def test_headings_sort_the_numbers_and_those_without_one_stay_last(page: Page, site: Path) -> None:
    _open(page, site, "numbers.html")
    shown = "rows => rows.map(row => row.cells[3].dataset.sort ?? null)"
    for turn, heading in ((1, "ascending"), (-1, "descending")):
        page.get_by_role("button", name="Difference").click()
        expect(page.get_by_role("columnheader", name="Difference")).to_have_attribute(
            "aria-sort", heading
        )
        found = page.locator("#numbers tbody tr").evaluate_all(shown)
        known = [turn * float(value) for value in found if value is not None]
        assert len(known) > 2
        assert known == sorted(known)
        assert found[len(known) :] == [None] * (len(found) - len(known))


def test_what_is_wider_than_a_phone_says_so(page: Page, site: Path) -> None:
    page.set_viewport_size(_size("phone"))
    _open(page, site, "exhibits/verdicts.html")
    for box in page.locator(".scroll").all():
        wide = box.evaluate("box => box.scrollWidth > box.clientWidth")
        hint = box.locator("xpath=preceding-sibling::*[1]")
        expect(hint).to_be_visible() if wide else expect(hint).to_be_hidden()


def test_a_square_leads_to_its_number(page: Page, site: Path) -> None:
    _open(page, site, "index.html")
    square = page.locator("a.sq[href='numbers/verdicts/faithful-small.html']")
    expect(square).to_have_accessible_name(re.compile("Faithful, Small: reported .* reproduced$"))
    square.click()
    page.wait_for_url("**/numbers/verdicts/faithful-small.html")


def test_the_scorecard_leads_to_the_numbers_that_it_counts(page: Page, site: Path) -> None:
    _open(page, site, "index.html")
    links = page.locator("table.score a[href^='numbers.html']")
    for index in range(links.count()):
        count = int(links.nth(index).inner_text())
        address = links.nth(index).get_attribute("href")
        assert address
        _open(page, site, address)
        expect(page.locator("#numbers tbody tr:visible")).to_have_count(count)
        _open(page, site, "index.html")


def test_search_works_by_keyboard_alone(page: Page, site: Path) -> None:
    _open(page, site, "exhibits/verdicts.html")
    page.keyboard.press("/")
    page.keyboard.type("noisy large")
    page.locator("#found [role=option]").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/numbers/verdicts/noisy-large.html")
    page.keyboard.press("/")
    page.keyboard.type("nothing is called so")
    expect(page.locator("#found")).to_be_hidden()


def test_the_first_stop_of_the_keyboard_skips_to_the_content(page: Page, site: Path) -> None:
    _open(page, site, "exhibits/verdicts.html")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()


def test_a_link_to_a_step_opens_it(page: Page, site: Path) -> None:
    _open(page, site, "numbers/verdicts/faithful-small.html")
    assert page.locator("details[open]").count() == 0
    page.locator("section[aria-labelledby=runs] a").first.click()
    expect(page.locator("details[open]")).to_have_count(1)


def test_light_and_dark_are_chosen_and_remembered(page: Page, site: Path) -> None:
    page.emulate_media(color_scheme="light")
    _open(page, site, "index.html")
    shade = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(shade)
    page.click("#theme")
    expect(page.locator("body")).not_to_have_css("background-color", light)
    dark = page.evaluate(shade)
    _open(page, site, "claims.html")
    expect(page.locator("body")).to_have_css("background-color", dark)
    page.emulate_media(media="print")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    expect(page.locator(".top")).to_be_hidden()


def test_without_scripts_everything_is_shown(page: Page, site: Path) -> None:
    page.route("**/*.js", lambda route: route.fulfill(body=""))
    _open(page, site, "numbers.html")
    expect(page.locator("#filters")).to_be_hidden()
    expect(page.locator(".tools")).to_be_hidden()
    assert page.locator("#numbers tbody tr:visible").count() > 10
