"""Pictures of methods: made, listed by what they are, and shown with those that cannot be made."""

from __future__ import annotations

import csv
import hashlib
import re
from base64 import b64decode
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from harness.judge.model import Picture
from harness.render.figures.draw import draw
from harness.render.figures.model import FigureData, ImageGrid, ImageRow
from tests.toy.paper import Workplace, plotted_workplace

INLINE = ("--executor", "inline")
GALLERY = """
id = "gallery"
kind = "figure"
label = "Figure 9"
title = "Pictures"
section = "9"
caption = "Pictures."

[settings.shown]
value = "greys"
source = "ours"
why = "That is what they are."

[[panels]]
name = "pictures"
shows = "Pictures of every set."

[panels.runs]
bind = { dataset = "numbers", size = 20 }
over = { method = ["narrow", "cited"] }

[[panels.runs.steps]]
id = "painted"
step = "paint"
inputs = { images = "{images}" }
params = { count = 2 }

[panels.gallery]
title = "{shown}"
pictures = { of = "painted", value = "pictures" }
"""


@pytest.fixture
def place(tmp_path: Path) -> Workplace:
    made = plotted_workplace(tmp_path)
    made.add("figures/gallery.toml", GALLERY)
    return made


def test_pictures_are_drawn_and_listed_and_what_is_missing_is_said(place: Workplace) -> None:
    made = place.repro("make", "gallery", *INLINE)
    assert made.code == 0, made.err
    fields = place.repro("show", "gallery", "--json").json
    narrow, cited = fields["points"]
    record = place.store.get(narrow["run"]["steps"]["painted"][0])
    assert record is not None
    expected = [hashlib.sha256(p.tobytes()).hexdigest() for p in record.array("pictures")]
    assert narrow["pictures"] == expected
    assert cited["pictures"] == []
    (table,) = place.root.rglob("gallery.csv")
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    assert [row["sha256"] for row in rows] == [*expected, ""]
    assert rows[-1]["note"] == "not run: Only its number is known."
    assert {row["title"] for row in rows} == {"greys"}
    for kind in ("png", "svg", "pdf"):
        assert table.with_suffix(f".{kind}").stat().st_size > 500
    again = table.with_suffix(".png").read_bytes()
    table.unlink()
    assert place.repro("make", "gallery", *INLINE).code == 0
    assert table.with_suffix(".png").read_bytes() == again


def test_the_report_leads_from_the_grid_to_every_image(place: Workplace) -> None:
    assert place.repro("make", "gallery", *INLINE).code == 0
    assert place.repro("report").code == 0
    narrow, cited = place.repro("show", "gallery", "--json").json["points"]
    (exhibit,) = place.root.rglob("exhibits/gallery.html")
    pages = sorted((exhibit.parents[1] / "numbers" / "gallery").glob("*.html"))
    assert all(f"numbers/gallery/{page.name}" in exhibit.read_text("utf-8") for page in pages)
    page = exhibit.read_text("utf-8")
    assert "1 of 2 rows made" in page
    assert "not run: Only its number is known." in page
    assert page.count('src="data:image/png') == len(narrow["pictures"]) == 2
    assert re.search(r"<p>Numbers[^<]*, profile", page), "what they were made with is said"
    shown = [re.findall(r'src="data:image/png;base64,([^"]+)"', p.read_text()) for p in pages]
    record = place.store.get(narrow["run"]["steps"]["painted"][0])
    assert record is not None
    decoded = [
        [np.asarray(Image.open(BytesIO(b64decode(data)))) for data in page] for page in shown
    ]
    kept = record.array("pictures")
    (made,) = filter(None, decoded)
    assert np.array_equal(np.reshape(made, kept.shape), kept)
    assert cited["pictures"] == []


def test_an_array_that_holds_no_pictures_is_one_message(place: Workplace) -> None:
    place.edit("figures/gallery.toml", 'value = "pictures" }', 'value = "greys" }')
    made = place.repro("make", "gallery", *INLINE)
    assert made.code == 2
    assert "'greys' of 'painted' holds no pictures; expected uint8" in made.err


def test_every_picture_is_shown_as_it_is() -> None:
    def picture(channels: int, seed: int) -> tuple[np.ndarray, Picture]:
        pixels = np.random.default_rng(seed).integers(0, 256, (4, 5, channels), dtype=np.uint8)
        return pixels, Picture(4, 5, channels, pixels.tobytes())

    (grey, first), (coloured, second) = picture(1, 0), picture(3, 1)
    rows = (ImageRow("a", (first, second), ""), ImageRow("b", (), "not run: no weights"))
    drawn = draw(FigureData("g", "G", "small", grids=(ImageGrid("p", "class 1", rows),)))
    images = [axes.get_images()[0].get_array() for axes in drawn.axes]
    assert len(images) == 2
    assert np.array_equal(images[0], grey[..., 0])
    assert np.array_equal(images[1], coloured)
    said = [text.get_text() for text in drawn.texts]
    assert {"a", "b", "not run: no weights", "class 1, profile small"} <= set(said)
