"""The findings that rules of the audit report, and every rule in a sentence.

A rule's sentence says what it compares, and what it cannot see.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Severity = Literal["severe", "notable", "minor"]
"""`severe`: a number cannot be right as printed, or two printed values of one quantity disagree.
`notable`: the paper says two things that do not go together. `minor`: something is left unsaid.
"""
Confidence = Literal["certain", "likely", "possible"]
"""How sure it is that the finding is a mistake of the paper and not of its reading."""
Source = tuple[str, int]
"""A file, named from the folder of the project, and a line in it, from 1."""
SEVERITIES: tuple[Severity, ...] = ("severe", "notable", "minor")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing in the paper that does not go together with another."""

    rule: str
    subject: str
    """Its subject; together with the rule it stays the same when numbers change."""
    addresses: tuple[str, ...]
    """`exhibit:row:column`, `exhibit:stated:id`, `exhibit:caption:variable`, `exhibit:table` for
    a whole exhibit, `recipe:id:setting` or `claim:id`."""
    printed: str
    expected: str
    severity: Severity
    confidence: Confidence
    explanation: str
    """Why it matters, in whole sentences that can stand alone."""
    cause: str = ""
    """Findings with one cause are one finding; without a name, a finding is its own."""

    @property
    def id(self) -> str:
        return f"{self.rule}/{self.subject}"

    @property
    def where(self) -> str:
        return "; ".join(self.addresses)


RULES: Mapping[str, str] = {
    "aggregate": "A mean, sum, difference, ratio or F1 is what its row or column derives it from, "
    "as most other lines do.",
    "bare-correlation": "A coefficient is printed with its number of points.",
    "bare-estimate": "A fitted value is printed with an error.",
    "bold": "Bold marks the best of its row or column, in the direction that other lines show.",
    "bound-exceeded": "Nothing is above a row that the paper calls the best that can be had.",
    "caption": "What a caption says of all cells holds of each.",
    "citation": "A figure, table or panel that a sentence cites is there.",
    "claim": "A sentence is borne out by the numbers that the specs tie it to.",
    "count-share": "The percentage behind a count is that share of its whole.",
    "digits": "The numbers of one column are rounded alike.",
    "grid-node": "A fitted value is a node of its own search grid.",
    "grid-resolution": "A fitted value is printed with no more digits than its search grid has.",
    "granularity": "A percentage of n items, or a mean of n whole numbers, is one that they can "
    "have (GRIM), and so is its deviation over runs (GRIMMER). Where n is as large as the digits "
    "are fine, as for 10,000 items and two decimals, every value is possible and nothing can be "
    "found.",
    "impossible-spread": "A deviation is no larger than the mean and the range leave room for, and "
    "that of zeros and ones is what their mean gives (DEBIT).",
    "interval-centre": "An estimate lies in the middle of its interval, as all others of its table "
    "do.",
    "interval-width": "An interval is as many standard errors wide as all others of its table.",
    "missing-error-bars": "Numbers have a ± where others of the paper have one.",
    "named-row": "A row that a sentence names is in the table that it cites.",
    "official-recipe": "A setting that is said to follow other code is as that code has it.",
    "order-break": "No single cell breaks an order that all other rows keep.",
    "outside-extremes": "A mean or median is between the minimum and the maximum beside it.",
    "outside-interval": "An estimate is inside its own interval.",
    "outside-range": "A percentage, probability or correlation is one.",
    "p-value": "A p-value follows from its statistic and degrees of freedom, two-sided.",
    "parameter-count": "A number of parameters is that of the network that is meant.",
    "parameter-domain": "A fitted value is inside the domain that its equation gives.",
    "printed-difference": "A difference beside a cell follows from the cells.",
    "ranking": "A sentence that calls a row the best, or better than another, agrees with the "
    "table.",
    "relation": "Two sides are related by one sign wherever they are.",
    "repeated": "No two rows or columns have the same numbers to the last digit.",
    "runs-differ": "Two captions call the same runs alike.",
    "same-quantity": "A quantity that is printed in several places has one value.",
    "scale": "No number is 10, 100 or 1000 times off from a line of like numbers.",
    "scores": "Precision, recall, F1, accuracy, sensitivity and specificity can go together, and "
    "with the numbers of positives and negatives where these are given.",
    "setting-gap": "A setting that is stated for some sizes is stated for all in use.",
    "shares": "Shares sum to the whole, as those of all other lines do.",
    "sign": "No single number has another sign than a line of like numbers.",
    "sign-convention": "A fitted value has the sign that its equation gives.",
    "significance": "“Significant” and “no correlation” are what a coefficient and its points "
    "allow.",
    "spelling": "A name is spelt in one way.",
    "stars": "Stars grow with the distance from 0 in standard errors.",
    "stars-level": "Stars are those that the notes and the standard errors give.",
    "stated-derivation": "A number in a sentence follows from the numbers that it is about.",
    "symbol": "A symbol has one meaning.",
    "text-cell": "A number in a sentence is that of the cell that it names.",
    "uncited": "An entry of the bibliography is cited.",
    "underline": "An underlined number is the best of those that are not bold.",
    "unexplained-error-bars": "A caption says what ± is and over how many runs.",
    "unnamed": "A table names its data set, network and measure.",
    "unplotted-term": "A figure plots what its caption speaks of.",
    "unreferenced": "A table or figure is referred to.",
    "unresolved": "A citation or reference leads to an entry or a label.",
    "worked-number": "`a × b = c` and `k of n (p %)` come out.",
}
"""Name -> what holds where the rule finds nothing."""

OF_SPECS = frozenset(
    {
        *("bare-correlation", "bare-estimate", "bound-exceeded", "caption", "citation", "claim"),
        *("grid-node", "grid-resolution", "missing-error-bars", "named-row", "official-recipe"),
        *("order-break", "parameter-count", "parameter-domain", "printed-difference", "relation"),
        *("runs-differ", "same-quantity", "setting-gap", "sign-convention", "spelling"),
        *("stated-derivation", "symbol", "unnamed", "unplotted-term"),
    }
)
"""Rules that compare what only specs tell, and so are not run on files."""
