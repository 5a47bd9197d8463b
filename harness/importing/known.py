"""The macros of LaTeX and its packages that stand in tables: what they take and print.

In the descriptions of arguments, `{` must stand, `[` and `*` may.
"""

from __future__ import annotations


def _named(names: str, arguments: str) -> dict[str, str]:
    return dict.fromkeys(names.split(), arguments)


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


DROPPED = {
    **_named("color rowcolor cellcolor footnote thanks", "[{"),
    **_named("caption tablecaption", "*[{"),
    **_named("vspace hspace ref eqref autoref cref Cref pageref", "*{"),
    **_named("label index phantom hphantom vphantom arrayrulecolor noalign extracolsep", "{"),
    **_named("cite citep citet citealp citealt citeauthor citeyear parencite textcite", "*[[{"),
    **_named("autocite footcite nocite", "*[[{"),
    **_named("setlength addtolength", "{{"),
    **_named("rowcolors", "*{{{"),
    **_named("specialrule", "{{{"),
    **_named("hhline Xhline", "{"),
    **_named("toprule midrule bottomrule hline hdashline addlinespace tabularnewline", "["),
    **_named("rule", "[{{"),
}
"""Macros that print nothing, with all that they take."""

SWITCHES = _set(
    "tiny scriptsize footnotesize small normalsize large Large centering raggedright raggedleft "
    "itshape it em rmfamily sffamily ttfamily scshape sc sl rm displaystyle textstyle scriptstyle "
    "boldmath unboldmath arraybackslash strut hfill hfil null relax leavevmode noindent xspace "
    "left right big Big bigl bigr Bigl Bigr nobreak protect ignorespaces unskip limits nolimits "
    "par endhead endfirsthead endfoot endlastfoot cr allowbreak morecmidrules"
)
"""Macros that print nothing and take nothing."""

KEPT = {
    **_named("textit emph textsc textrm textsf texttt textnormal textmd textup textsl mathrm", "{"),
    **_named("mathit mathsf mathcal mathtt mathbb mathfrak text mbox hbox ensuremath fbox hl", "{"),
    **_named("overline bar hat tilde widehat vec colhead smash operatorname", "{"),
    **_named("num tablenum si unit shortstack centered", "[{"),
    **_named("makecell thead", "*[{"),
    **_named("textcolor rotatebox", "[{{"),
    **_named("colorbox href scalebox adjustbox", "{{"),
    **_named("fcolorbox", "{{{"),
    **_named("resizebox", "*{{{"),
    **_named("makebox framebox", "[[{"),
    **_named("parbox", "[[[{{"),
    **_named("raisebox", "{[[{"),
    **_named("multicolumn", "{{{"),
    **_named("multirow", "[{[{[{"),
}
"""Macros that print their last argument."""

BOLD = _set("textbf mathbf boldsymbol bm pmb")
UNDERLINED = _set("underline uline ul")
QUANTITIES = _set("SI qty")
"""Macros of a number and its unit."""

RAISED = {
    **_named("textsuperscript sym tnote tablenotemark footnotemark", "^"),
    **_named("textsubscript", "_"),
}
"""Macros that raise or lower their argument; `sym` is what esttab writes around stars."""

TAKEN = {
    **DROPPED,
    **KEPT,
    **dict.fromkeys([*BOLD, *UNDERLINED, *RAISED], "{"),
    **dict.fromkeys(QUANTITIES, "[{[{"),
    **dict.fromkeys(SWITCHES, ""),
    "footnotemark": "[",
    "todo": "[{",
    "ding": "{",
    "\\": "*[",
}

SIGNS = {
    **_named("cmark checkmark", "✓"),
    **_named("thinspace ,", "\u2009"),
    **_named("; : quad qquad enspace newline linebreak \\", " "),
    **_named("! / -", ""),
    " ": " ",
    "\n": " ",
    "xmark": "✗",
    "land": "∧",
    "lor": "∨",
    "iff": " ⇔ ",
    "implies": " ⇒ ",
    "ll": "≪",
    "gg": "≫",
}

DINGBATS = {"51": "✓", "52": "✓", "55": "✗", "56": "✗"}
"""What `ding` of pifont prints, by its number."""

UNITS = {
    **_named("percent", "%"),
    **_named("per", "/"),
    **_named("squared square", "^2"),
    **_named("cubed cubic", "^3"),
    **_named("metre meter m milli", "m"),
    **_named("giga", "G"),
    **_named("mega", "M"),
    **_named("kilo", "k"),
    **_named("centi", "c"),
    **_named("micro", "µ"),
    **_named("nano", "n"),
    **_named("pico", "p"),
    **_named("femto", "f"),
    **_named("tera tesla", "T"),
    **_named("second s", "s"),
    **_named("minute", "min"),
    **_named("hour", "h"),
    **_named("day", "d"),
    **_named("gram g", "g"),
    **_named("kilogram", "kg"),
    **_named("electronvolt eV", "eV"),
    **{f"{prefix}eV": f"{prefix}eV" for prefix in "kMGT"},
    **_named("joule", "J"),
    **_named("watt", "W"),
    **_named("volt", "V"),
    **_named("ampere", "A"),
    **_named("kelvin", "K"),
    **_named("celsius degreeCelsius", "°C"),
    **_named("degree", "°"),
    **_named("hertz", "Hz"),
    **_named("newton", "N"),
    **_named("pascal", "Pa"),
    **_named("mole", "mol"),
    **_named("litre liter", "L"),
    **_named("barn bit", "b"),
    **_named("byte", "B"),
}
"""siunitx's names of units and prefixes, which hold inside its macros only."""
