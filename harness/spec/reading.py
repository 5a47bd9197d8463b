"""Reading a printed number: the one grammar of the forms in which papers print them."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal

from harness.spec.notation import Canonical, canonical
from harness.spec.printed import Error, Interval, Meaning, Printed, Relation, half_unit, last_digit


class _Ambiguous(ValueError):
    """The text has more than one reading, or none."""


NARROW = "\u2009\u202f\u00a0"
"""Spaces that may part thousands."""
_WHOLE = (
    rf"(?:[1-9]\d{{0,2}}(?:,\d{{3}})+|[1-9]\d{{0,2}}(?:[{NARROW}]\d{{3}})+"
    r"|[1-9]\d{0,2}(?:['’]\d{3})+|\d+)"
)
_PLAIN = rf"(?:{_WHOLE}(?:\.\d*)?|\.\d+)"
_TEN = r"(?: ?[×x·] ?10\^\{[+-]?\d{1,3}\})"
_POWER = rf"(?:[eE][+-]?\d{{1,3}}(?!\d)|{_TEN})"
_NUMBER = rf"[+-]? ?{_PLAIN}{_POWER}?"
_UNITS = (
    "%|‰|pp|pts?|×|x|ns|[µμu]s|ms|secs?|s|mins?|hours?|hrs?|hr|h|days?|d|years?|yrs?|"
    "[KMGT]i?B|[kKMBGT]|dB|[kMG]?Hz|m?W|kWh|[kM]?J|°C|°|K|[mck]m|[µμ]m|m|kg|mg|g|"
    "[MGTP]?FLOPs|[eE]V|[kMG]eV|bpm|USD|EUR"
)
_HEAD = re.compile(
    rf"(?:[pP] ?(?=[<≤>≥=]))?(?P<relation>[<≤>≥≈∼~=]?) ?(?P<currency>[$€£]?)(?P<sign>[+-]? ?)"
    rf"(?:(?P<ten>10\^\{{[+-]?\d{{1,3}}\}})|(?P<number>{_PLAIN})(?P<digits>\(\d+\))?(?P<power>{_POWER})?)"
    rf"(?: ?(?P<unit>{_UNITS})(?![A-Za-z\d]))?",
    re.ASCII,
)
_SEPARATOR = r"(?: ?[,;–—] ?| to | - |(?<=[\d.%])-)"
_DASHES = re.compile(r"[\d.%]-{2,}[\d.]")
"""As typed: in LaTeX a dash, elsewhere perhaps a dash before a negative number."""
_LABEL = r"(?:(?P<level>\d+(?:\.\d+)?) ?% ?)?(?P<meaning>(?:CI|CrI|HDI|IQR|[Rr]ange)\b)?:? ?"
_NAMED = r"(?i:(?P<std>s\.?d|std(?:\.? ?dev)?)|(?P<sem>s\.?e(?:\.?m)?))\.? ?[=:]?"
_SPREADS = re.compile(
    r"[±σ]|(?<![a-z])(?:s\.?d|s\.?e|s\.?e\.?m|std\w*|standard|variance|MAD|C\.?I|CrI|HDI|HPDI?|IQR|"
    r"(?:inter)?quartile|percentile|range|interval|confidence|credible)s?(?![a-z])",
    re.IGNORECASE,
)
"""Words of what a number scatters by."""
_TAILS = {
    "error": re.compile(
        rf"(?:±|(?:(?P<open>[(\[]) ?|, )?{_NAMED}) ?"
        rf"(?P<error>{_PLAIN})(?P<power>{_POWER})?(?: ?(?P<unit>%|×))?(?(open) ?[)\]])",
        re.ASCII,
    ),
    "asymmetric": re.compile(
        rf"(?:\^\{{\+ ?(?P<up>{_PLAIN})\}} ?_\{{- ?(?P<down>{_PLAIN})\}}"
        rf"|_\{{- ?(?P<down2>{_PLAIN})\}} ?\^\{{\+ ?(?P<up2>{_PLAIN})\}}"
        rf"|(?P<open>\()?\+ ?(?P<up3>{_PLAIN}) ?[/,;]? ?- ?(?P<down3>{_PLAIN})(?(open)\)))",
        re.ASCII,
    ),
    "n": re.compile(r"[(\[]?\b[nN] ?= ?(?P<n>\d{1,12}(?:,\d{3})*)[)\]]?", re.ASCII),
    "parenthesis": re.compile(
        rf"(?:\(|(?P<square>\[)) ?(?P<value>{_PLAIN}{_POWER}?) ?(?P<unit>%?) ?(?(square)\]|\))",
        re.ASCII,
    ),
    "interval": re.compile(
        rf"{_LABEL}[(\[] ?{_LABEL.replace('level', 'level2').replace('meaning', 'meaning2')}"
        rf"(?P<low>{_NUMBER}) ?%?{_SEPARATOR}(?P<high>{_NUMBER}) ?%? ?[)\]]",
        re.ASCII,
    ),
    "change": re.compile(
        rf"_\{{ ?(?P<signed>[+-] ?{_PLAIN} ?%?) ?\}}|[_^]\{{ ?(?P<set>[↑↓▲▼] ?{_PLAIN} ?%?) ?\}}"
        rf"|(?P<arrow>[↑↓▲▼] ?{_PLAIN} ?%?)",
        re.ASCII,
    ),
    "stars": re.compile(r"\^\{(?P<raised>\*+)\}|(?P<stars>\*+)"),
    "marks": re.compile(
        r"\^\{(?P<raised>[a-zA-Z†‡§¶‖#](?: ?,? ?[a-zA-Z†‡§¶‖#])*)\}|(?P<mark>[†‡§¶‖↑↓])"
    ),
    "note": re.compile(r"[(\[](?P<note>[^()\[\]]*)[)\]]"),
}
_MISSING = frozenset(
    [
        "",
        "-",
        "–",
        "—",
        "/",
        ".",
        "…",
        "...",
        "?",
        "n/a",
        "n.a.",
        "na",
        "nan",
        "none",
        "null",
        "tbd",
    ]
)
_COUNT = re.compile(
    r"(?P<part>0|[1-9]\d*) ?(?:/| of ) ?(?P<whole>0|[1-9]\d*)(?P<rest>.*)", re.ASCII
)
_WRAPPED = re.compile(rf"\( ?({_NUMBER} ?± ?{_PLAIN}) ?\)( ?%|{_TEN})", re.ASCII)
_CLOCK = re.compile(r"(\d+):([0-5]\d):([0-5]\d(?:\.\d+)?)", re.ASCII)
_DURATION = re.compile(
    r"(?:(?P<d>\d+) ?d(?:ays?)?)? ?(?:(?P<h>\d+) ?h(?:ours?|rs?)?)? ?"
    r"(?:(?P<m>\d+) ?m(?:in(?:utes?|s)?)?)? ?(?:(?P<s>\d+(?:\.\d+)?) ?s(?:ec(?:onds?|s)?)?)?",
    re.ASCII,
)
_RELATIONS: dict[str, Relation] = {
    "": "=",
    "=": "=",
    "<": "<",
    "≤": "≤",
    ">": ">",
    "≥": "≥",
    "≈": "≈",
    "∼": "≈",
    "~": "≈",
}
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}
_RANK = re.compile(r"#(?P<rank>\d+)|(?P<place>\d+)(?:\^\{)?(?:st|nd|rd|th)\}?", re.ASCII)


def read_printed(text: str, *, bold: bool = False, underline: bool = False) -> Printed:
    """Read one cell, written in Unicode, LaTeX or Markdown; never raises.

    `bold` and `underline` say how the cell is set where its text does not.
    """
    plain = canonical(text)
    blank = Printed(text, "word", bold=bold or plain.bold, underline=underline or plain.underline)
    if plain.text.lower() in _MISSING:
        return replace(blank, kind="missing")
    try:
        return _read(plain, blank)
    except _Ambiguous as error:
        return blank.unreadable(str(error))


def _read(plain: Canonical, blank: Printed) -> Printed:
    text = plain.text
    if wrapped := _WRAPPED.fullmatch(text):
        text = _unwrapped(*wrapped.groups())
    for reader in (_count, _rank, _duration):
        if (found := reader(text, blank)) is not None:
            return found
    head = _HEAD.match(text)
    if head is None or _glued(text, head.end()):
        return _without_value(text, blank)
    return _tails(text, head.end(), _headed(head, blank))


def _unwrapped(inner: str, scale: str) -> str:
    """`(1.2 ± 0.3) × 10^{-4}` with the scale at both numbers."""
    value, _, error = inner.partition("±")
    scale = scale.strip()
    scale = scale if scale == "%" else f" {scale}"
    return f"{value.strip()}{scale} ± {error.strip()}{scale}"


def _glued(text: str, end: int) -> bool:
    """Whether letters or more digits follow at once, so that it is no number: `3D`, `1.2.3`."""
    return re.match(r"[^\W_]|[.:/-]|,(?! [A-Za-z])", text[end:]) is not None


def _decimal(number: str, power: str | None = None) -> Decimal:
    digits = re.sub(rf"[ ,'’{NARROW}]", "", number)
    exponent = re.sub(r"[^\d+-]", "", re.sub(r"^ ?[×x·] ?10", "", power)) if power else "0"
    return Decimal(f"{digits}E{exponent}")


def _headed(head: re.Match[str], blank: Printed) -> Printed:
    number, power = (
        (head["number"], head["power"]) if head["ten"] is None else ("1", head["ten"][2:])
    )
    value = _decimal(head["sign"].strip() + number, power)
    error = None
    if head["digits"] is not None:
        digits = head["digits"][1:-1]
        if len(digits) > sum(sign.isdigit() for sign in number):
            raise _Ambiguous("more digits are in brackets than before them")
        size = Decimal(f"{digits}E{last_digit(value)}")
        error = Error("digits", size, size)
    relation = _RELATIONS[head["relation"]]
    return replace(
        blank,
        kind="number",
        value=value,
        half=half_unit(value),
        relation=relation,
        error=error,
        unit={"x": "×"}.get(head["unit"] or "", head["unit"] or head["currency"]),
    )


def _tails(text: str, at: int, found: Printed) -> Printed:
    """All that follows the value: errors, intervals, stars, marks, n, notes."""
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        for name, pattern in _TAILS.items():
            if (match := pattern.match(text, at)) is not None and match.end() > at:
                changed = _TAKERS[name](match, found)
                if changed is not None:
                    found, at = changed, match.end()
                    break
        else:
            return _unlike(text, found)
    return found


def _unlike(text: str, found: Printed) -> Printed:
    """Text that begins like a number and goes on otherwise."""
    if _is_word(text):
        return Printed(found.text, "word", bold=found.bold, underline=found.underline)
    raise _Ambiguous("it begins like a number, but what follows is not known")


def _plus_minus(match: re.Match[str], found: Printed) -> Printed | None:
    power = match["power"]
    assert found.value is not None  # a head has a value
    if power and "10^" in power and "10^" not in match.string[: match.start()]:
        raise _Ambiguous("a power of ten after ± may scale the error alone or both numbers")
    if found.error is not None:
        return None
    size = _decimal(match["error"], power)
    error = Error("plus-minus", size, size, percent=match["unit"] == "%" != found.unit)
    if match["std"] or match["sem"]:
        error = replace(error, meaning="std" if match["std"] else "sem")
    unit = found.unit or (not error.percent and match["unit"]) or ""
    return replace(found, error=error, unit=unit)


def _asymmetric(match: re.Match[str], found: Printed) -> Printed | None:
    if found.error is not None:
        return None
    up = match["up"] or match["up2"] or match["up3"]
    down = match["down"] or match["down2"] or match["down3"]
    return replace(found, error=Error("asymmetric", Decimal(down), Decimal(up)))


def _n(match: re.Match[str], found: Printed) -> Printed | None:
    return replace(found, n=int(match["n"].replace(",", ""))) if found.n is None else None


def _parenthesis(match: re.Match[str], found: Printed) -> Printed | None:
    inner = match["value"]
    if "," in inner and "," not in match.string[: match.start()]:
        raise _Ambiguous("the comma in brackets may group digits or part two numbers")
    if match["square"] and inner.isdigit():
        raise _Ambiguous("a whole number in square brackets may be an error or a reference")
    if found.error is not None or (match["unit"] and found.unit != "%"):
        return None
    size = _value(inner)
    return replace(found, error=Error("parentheses", size, size))


def _value(number: str) -> Decimal:
    parts = re.fullmatch(rf"(?P<number>[+-]? ?{_PLAIN})(?P<power>{_POWER})?", number, re.ASCII)
    assert parts is not None  # the patterns above are made of the same pieces
    return _decimal(parts["number"], parts["power"])


def _interval(match: re.Match[str], found: Printed) -> Printed | None:
    low, high = _value(match["low"]), _value(match["high"])
    if low <= -high < 0 and _DASHES.search(found.text):
        raise _Ambiguous("'--' may be a dash, or a dash and a minus ('–' and 'to' are clear)")
    if found.interval is not None or low > high:
        return None
    named = (match["meaning"] or match["meaning2"] or "").lower()
    level = match["level"] or match["level2"]
    meanings: dict[str, Meaning] = {
        "iqr": "iqr",
        "range": "range",
        "": "ci" if level else "unknown",
    }
    read = Interval(low, high, meanings.get(named, "ci"), Decimal(level) if level else None)
    return replace(found, interval=read)


def _change(match: re.Match[str], found: Printed) -> Printed:
    return replace(found, notes=(*found.notes, match["signed"] or match["set"] or match["arrow"]))


def _stars(match: re.Match[str], found: Printed) -> Printed | None:
    return None if found.stars else replace(found, stars=match["raised"] or match["stars"])


def _marks(match: re.Match[str], found: Printed) -> Printed:
    raised = re.findall(r"[^ ,]", match["raised"] or match["mark"])
    return replace(found, marks=(*found.marks, *raised))


def _note(match: re.Match[str], found: Printed) -> Printed | None:
    note = match["note"].strip()
    if _SPREADS.search(note) and (found.error or any(map(str.isdigit, note))):
        raise _Ambiguous(f"'{note}' in brackets speaks of a spread, and is not known as one")
    signed = re.fullmatch(rf"[+↑↓-] ?{_PLAIN} ?%?|{_PLAIN} ?%", note, re.ASCII)
    if not signed and not any(sign.isalpha() for sign in note):
        raise _Ambiguous(f"what stands in brackets, '{note}', is not known")
    return replace(found, notes=(*found.notes, note))


_TAKERS = {
    "error": _plus_minus,
    "asymmetric": _asymmetric,
    "n": _n,
    "parenthesis": _parenthesis,
    "interval": _interval,
    "change": _change,
    "stars": _stars,
    "marks": _marks,
    "note": _note,
}


def _count(text: str, blank: Printed) -> Printed | None:
    match = _COUNT.fullmatch(text)
    if match is None or (match["rest"] and match["rest"][0] in "/.,:-–"):
        return None
    part, whole = Decimal(match["part"]), Decimal(match["whole"])
    if part > whole:
        raise _Ambiguous("two numbers, of which the first is no part of the second")
    found = replace(blank, kind="number", value=part, half=half_unit(part), of=whole)
    return _tails(text, match.start("rest"), found)


def _rank(text: str, blank: Printed) -> Printed | None:
    match = _RANK.fullmatch(text)
    if match is None:
        return None
    value = Decimal(match["rank"] or match["place"])
    return replace(blank, kind="number", value=value, half=half_unit(value), unit="rank")


def _duration(text: str, blank: Printed) -> Printed | None:
    """`1h 20m`, `1:23:45`; a single unit such as `12.3 s` is a number with a unit."""
    if clock := _CLOCK.fullmatch(text):
        parts = dict(zip("hms", clock.groups(), strict=True))
    else:
        match = _DURATION.fullmatch(text)
        parts = {k: v for k, v in match.groupdict().items() if v} if match else {}
        if len(parts) < 2:
            return None
    value = sum((Decimal(v) * _SECONDS[k] for k, v in parts.items()), Decimal(0))
    last, digits = list(parts.items())[-1]
    half = half_unit(Decimal(digits)) * _SECONDS[last]
    return replace(blank, kind="number", value=value, half=half, unit="s")


def _without_value(text: str, blank: Printed) -> Printed:
    """A cell that holds only brackets, words, or something that cannot be read."""
    if alone := re.fullmatch(rf"\( ?({_NUMBER}) ?\)|\[ ?({_NUMBER}) ?\]", text, re.ASCII):
        inner = alone[1] or alone[2]
        if "," in inner:
            raise _Ambiguous("the comma in brackets may group digits or part two numbers")
        size = _value(inner)
        return replace(blank, kind="bracketed", error=Error("parentheses", size, size))
    if interval := _TAILS["interval"].fullmatch(text):
        found = _interval(interval, blank)
        if found is not None:
            return replace(found, kind="bracketed")
    if not _is_word(text):
        raise _Ambiguous("it has the signs of a number, but not its form")
    return blank


def _is_word(text: str) -> bool:
    """Whether nobody would take the text for a number: it is a name, and holds no `r = 0.5`."""
    digits = sum(sign.isdigit() for sign in text)
    if not digits:
        return True
    if re.search(r"[=<>≤≥≈] ?[+-]? ?[\d.]", text):
        return False
    return text[0].isalpha() or sum(sign.isalpha() for sign in text) >= digits
