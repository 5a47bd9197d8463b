"""Drawings inside a page: intervals and curves as SVG without styles of its own, and images.

Colours come from the style sheet by class, so that they follow light, dark and print.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby

from markupsafe import Markup

from harness.judge.model import Picture
from harness.render.formula import pieces
from harness.render.report.pages import Curve, Gap
from harness.render.text import plain
from harness.words import counted

_HALF = 60.0
"""Half of the width of an interval plot, in its own units; its height is 16."""
_INNER = 56.0
_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 460.0, 190.0, 66.0, 26.0, 10.0
_EM = 20.0
"""Size of the letters of a formula in its own units."""
MOST_POINTS = 400
"""Most points of a curve; longer curves are thinned."""


def png(picture: Picture) -> str:
    """An image as the address of a PNG that the page itself holds."""
    from PIL import Image

    file = BytesIO()
    Image.fromarray(picture.array).save(file, "PNG")
    return f"data:image/png;base64,{b64encode(file.getvalue()).decode('ascii')}"


def with_formulas(text: str) -> Markup:
    """A text whose formulas, between dollars, are set."""
    found = pieces(plain(text))
    return Markup().join(formula(each) if is_formula else each for each, is_formula in found)


def formula(source: str) -> Markup:
    """A formula in the colour and size of the text; its LaTeX source where it cannot be set."""
    from matplotlib import rc_context
    from matplotlib.path import Path
    from matplotlib.textpath import TextPath

    source = plain(source)
    try:
        if not source.isascii() or source.endswith("\\"):
            raise ValueError("matplotlib draws a box for a sign that it lacks")
        with rc_context({"text.parse_math": True, "mathtext.fontset": "dejavusans"}):
            outline = TextPath((0, 0), f"${source}$", size=_EM)
        box = outline.get_extents()
    except (ValueError, RecursionError, AttributeError):  # the last of one without any ink
        return Markup("<code>{}</code>").format(source)
    letters = {Path.MOVETO: "M", Path.LINETO: "L", Path.CURVE3: "Q", Path.CURVE4: "C"}
    drawn = "".join(
        letters[kind] + ",".join(map(_n, ends)) if kind in letters else "Z"
        for ends, kind in outline.iter_segments(simplify=False)
    )
    sizes = (box.width / _EM, box.y0 / _EM, box.x0, -box.y1, box.width, box.height)
    return Markup(
        '<svg class="formula" role="img" aria-label="{}" '
        'style="width: {}em; vertical-align: {}em" viewBox="{} {} {} {}">'
        '<title>{}</title><path transform="scale(1 -1)" d="{}"/></svg>'
    ).format(source, *map(_n, sizes), source, drawn)


def interval(gap: Gap, reach: float) -> Markup:
    """A difference with its 95 % interval on a line from -reach to +reach, the margin shaded.

    What goes beyond the line ends in an arrow.
    """
    at = _INNER / reach
    band = min(gap.margin * at, _INNER)
    parts = [
        Markup('<rect class="band" x="{}" y="-7" width="{}" height="14"/>').format(
            _n(-band), _n(2 * band)
        ),
        Markup('<line class="zero" x1="0" y1="-7" x2="0" y2="7"/>'),
    ]
    if gap.interval is not None:
        low, high = (max(-_INNER, min(_INNER, end * at)) for end in gap.interval)
        parts.append(
            Markup('<line class="span" x1="{}" y1="0" x2="{}" y2="0"/>').format(_n(low), _n(high))
        )
        parts += [_end(end * at) for end in gap.interval]
    if abs(gap.difference) <= reach:
        parts.append(
            Markup('<circle class="dot" cx="{}" cy="0" r="3"/>').format(_n(gap.difference * at))
        )
    else:
        parts.append(_end(gap.difference * at))
    return Markup(
        '<svg class="interval" viewBox="-{half} -8 {width} 16" width="120" height="16" role="img"'
        ' aria-label="{label}"><title>{label}</title>{parts}</svg>'
    ).format(half=_n(_HALF), width=_n(2 * _HALF), label=described(gap), parts=Markup().join(parts))


def described(gap: Gap) -> str:
    """The same in words."""
    margin = f"margin ±{gap.margin:g}"
    if gap.interval is None:
        return f"difference {gap.difference:+.3g}, no interval, {margin}"
    low, high = gap.interval
    return f"difference {gap.difference:+.3g}, 95 % interval {low:+.3g} to {high:+.3g}, {margin}"


def _end(x: float) -> Markup:
    """A bar at the end of an interval, or an arrow where it goes on beyond the plot."""
    if abs(x) <= _INNER:
        return Markup('<line class="span" x1="{0}" y1="-3" x2="{0}" y2="3"/>').format(_n(x))
    tip = math.copysign(_HALF - 1, x)
    back = math.copysign(_INNER - 2, x)
    points = f"{_n(back)},-4 {_n(tip)},0 {_n(back)},4"
    return Markup('<polygon class="arrow" points="{}"/>').format(points)


def curves(drawn: Sequence[Curve]) -> Markup:
    """The curves of one name, a line for each run; nothing where no number is finite."""
    finite = [value for curve in drawn for value in curve.values if math.isfinite(value)]
    if not finite:
        return Markup()
    low, high = min(finite), max(finite)
    longest = max(len(curve.values) for curve in drawn)
    parts = [*_axes(low, high, longest)]
    for index, curve in enumerate(drawn):
        for points in _pieces(curve, low, high, longest):
            parts.append(
                Markup(
                    '<polyline class="curve c{}" points="{}"><title>{}</title></polyline>'
                ).format(index % 6, points, plain(curve.run))
            )
    label = f"{drawn[0].name} of {counted(len(drawn), 'run')}, from {low:.4g} to {high:.4g}"
    return Markup(
        '<svg class="curves" viewBox="0 0 {w} {h}" role="img" aria-label="{label}">{parts}</svg>'
    ).format(w=_n(_WIDTH), h=_n(_HEIGHT), label=plain(label), parts=Markup().join(parts))


def _axes(low: float, high: float, longest: int) -> Iterator[Markup]:
    floor, right = _HEIGHT - _BOTTOM, _WIDTH - 8
    frame = f"M{_n(_LEFT)} {_n(_TOP)} V{_n(floor)} H{_n(right)}"
    yield Markup('<path class="axis" d="{}"/>').format(frame)
    text = Markup('<text x="{}" y="{}" text-anchor="{}">{}</text>')
    yield text.format(_n(_LEFT - 6), _n(_TOP + 8), "end", f"{high:.3g}")
    yield text.format(_n(_LEFT - 6), _n(floor), "end", f"{low:.3g}")
    yield text.format(_n(_LEFT), _n(_HEIGHT - 8), "middle", "1")
    yield text.format(_n(right), _n(_HEIGHT - 8), "end", str(longest))


def _pieces(curve: Curve, low: float, high: float, longest: int) -> Iterator[str]:
    """Lines between the places where a number is not finite."""
    span = (high - low) or 1.0
    stride = max(1, math.ceil(len(curve.values) / MOST_POINTS))
    kept = list(enumerate(curve.values))[::stride]
    for finite, run in groupby(kept, key=lambda pair: math.isfinite(pair[1])):
        if finite:
            yield " ".join(
                f"{_n(_LEFT + (_WIDTH - 8 - _LEFT) * at / max(1, longest - 1))},"
                f"{_n(_HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * (value - low) / span)}"
                for at, value in run
            )


def _n(value: float) -> str:
    """Two decimals at most."""
    return f"{value:.2f}".rstrip("0").rstrip(".")
