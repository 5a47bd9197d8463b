"""Figures, fits and lemmas: exhibits of panels, each with points that are read and drawn."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeVar

from harness.judge.exhibit import Judgement
from harness.judge.model import Amount
from harness.judge.results import ItemResult
from harness.judge.stated import StatedResult
from harness.render.figures.model import FigureData, ImageGrid
from harness.render.templating import template
from harness.render.tex import escape, symbol
from harness.render.views import panel_figure
from harness.render.views.base import ExhibitView, NumberText, joined
from harness.spec.kinds import Figure, Fit, Lemma, Panelled, Parameter
from harness.spec.runs import Panel
from harness.words import counted

if TYPE_CHECKING:
    from rich.console import Console

PanelledT = TypeVar("PanelledT", bound=Panelled)


class PanelledView(ExhibitView[PanelledT]):
    """The common part of the views of figures, fits and lemmas."""

    def fields(self, judgement: Judgement | None) -> dict[str, Any]:
        if judgement is None:
            return super().fields(None)
        return {
            "points": [_point_fields(result) for result in judgement.results],
            "correlations": [asdict(item) for item in judgement.correlations],
            "stated": [_stated_fields(item) for item in judgement.stated],
        }

    def show(self, judgement: Judgement | None, console: Console) -> None:
        if judgement is None:
            super().show(None, console)
        else:
            from harness.render.views.panel_terminal import show_points

            show_points(judgement, console)

    def show_diff(self, judgement: Judgement, console: Console) -> None:
        from harness.render.views.panel_terminal import show_stated

        show_stated(judgement, console)

    def figure(self, judgement: Judgement) -> FigureData:
        return panel_figure.figure_of(self.paper, self.exhibit, judgement)

    def grids(self, judgement: Judgement) -> Sequence[ImageGrid]:
        return tuple(panel_figure.grids_of(self.paper, self.exhibit, judgement))

    def plot_caption(self, judgement: Judgement) -> str:
        lines = [
            f" Panel {item.panel}: " + "; ".join(panel_figure.correlation_lines(item)) + "."
            for item in judgement.correlations
            if item.coefficients
        ]
        intervals = " In brackets, 95 % bootstrap intervals over subsets." if lines else ""
        return f"{super().plot_caption(judgement)}{''.join(lines)}{intervals}"

    def number(self, result: ItemResult, judgement: Judgement) -> NumberText:
        text = super().number(result, judgement)
        facts = dict(text.facts)
        for (plot, _), (x, y) in result.lines.items():
            if isinstance(x, float) and isinstance(y, float):
                facts.setdefault(f"{plot}: x", f"{x:.4g}")
                facts.setdefault(f"{plot}: y", f"{y:.4g}")
        some = counted(len(result.missing), "of its steps has", "of its steps have")
        missing = f"{some} no record." if result.missing else ""
        missing = " ".join(filter(None, [missing, *result.remarks]))
        return NumberText(
            reproduced=joined(facts),
            why=" ".join(filter(None, [missing, result.item.reason])),
            facts=facts,
            runs=text.runs,
        )

    @property
    def panels(self) -> Sequence[Panel]:
        return self.exhibit.panels

    def _stated(self) -> list[dict[str, str]]:
        """The stated numbers as the templates of the document want them."""
        return [
            {
                "text": f"≈ {item.text}" if item.approximate else str(item.text),
                "where": item.where,
                "quote": f"“{item.quote}”",
            }
            for item in self.exhibit.stated.values()
        ]


class FigureView(PanelledView[Figure]):
    """A figure. Without results, the document says what its panels plot."""

    def latex(self, judgement: Judgement | None) -> str:
        panels = [self._panel(panel) for panel in self.exhibit.panels]
        return template("figure").render(figure=self.exhibit, panels=panels, stated=self._stated())

    def _panel(self, panel: Panel) -> dict[str, str]:
        """A panel with the names of specs replaced by labels."""
        facts = {
            "x": panel.x,
            "y": panel.y,
            "data": ", ".join(self.paper.dataset(name).label for name in panel.datasets),
            "networks": ", ".join(self.paper.network(name).label for name in panel.networks),
            "sets": ", ".join(self.paper.method(name).label for name in panel.methods),
            "labels": ", ".join(panel.regimes),
            "IPC": ", ".join(map(str, panel.ipcs)),
            "epochs": ", ".join(map(str, panel.epochs)),
            "points": str(panel.points or ""),
        }
        return {
            "name": panel.name,
            "shows": panel.shows,
            "facts": "; ".join(f"{name}: {value}" for name, value in facts.items() if value),
            "open": "; ".join(panel.open),
        }


class FitView(PanelledView[Fit]):
    """A law that is fitted to measurements."""

    def latex(self, judgement: Judgement | None) -> str:
        parameters = [_parameter(name, item) for name, item in self.exhibit.parameters.items()]
        return template("fit").render(
            fit=self.exhibit, parameters=parameters, stated=self._stated()
        )

    @property
    def formulas(self) -> Mapping[str, str]:
        return {f"Equation {name}": text for name, text in self.exhibit.equations.items()}

    @property
    def parameters(self) -> Mapping[str, Parameter]:
        return self.exhibit.parameters


class LemmaView(PanelledView[Lemma]):
    """A derivation, step by step."""

    def latex(self, judgement: Judgement | None) -> str:
        steps = {name.replace("-", " "): step for name, step in self.exhibit.steps.items()}
        return template("lemma").render(lemma=self.exhibit, steps=steps, stated=self._stated())

    @property
    def premises(self) -> Mapping[str, str]:
        return {"Assumption": self.exhibit.assumption, "Statement": self.exhibit.statement}

    @property
    def formulas(self) -> Mapping[str, str]:
        return {name.replace("-", " "): text for name, text in self.exhibit.steps.items()}


def _point_fields(result: ItemResult) -> dict[str, Any]:
    point = result.item
    lines: dict[str, list[dict[str, Any]]] = {}
    for (plot, _), (x, y) in result.lines.items():
        lines.setdefault(plot, []).append({"x": x, "y": y})
    # A point is no mean of several runs, so each seed has one step.
    steps = {name: [members[0] for members in seeds] for name, seeds in point.sources.items()}
    return {
        "panel": point.address.row,
        "point": point.address.column,
        "values": {name: _amount_fields(amount) for name, amount in result.amounts.items()},
        "drawn": lines,
        "pictures": [hashlib.sha256(picture.pixels).hexdigest() for picture in result.pictures],
        "comparable": point.comparable,
        "reason": point.reason,
        "missing": list(result.missing),
        "gaps": {str(seed): why for seed, why in result.gaps.items()},
        "mixed": result.mixed,
        "same_as": result.same_as or None,
        "seeds": list(point.seeds),
        "run": {**point.run, "steps": steps},
    }


def _amount_fields(amount: Amount) -> dict[str, Any]:
    interval = None if amount.low is None else [amount.low, amount.high]
    n = len(amount.values)
    return {"mean": amount.mean, "std": amount.std, "n": n, "interval": interval}


def _stated_fields(item: StatedResult) -> dict[str, Any]:
    ours, verdict = item.ours, item.verdict
    return {
        "id": item.id,
        **item.stated.model_dump(exclude={"ours"}),
        "reproduced": ours
        and {
            "mean": ours.mean,
            "error": ours.error,
            "n": ours.n,
            "interval": verdict.ours_interval,
        },
        "readings": dict(item.readings),
        "verdict": verdict.name,
        "why": verdict.why,
        "difference": verdict.difference,
        "interval": verdict.interval,
        "margin": item.stated.ours.margin if item.stated.ours else None,
    }


def _parameter(name: str, item: Parameter) -> dict[str, str]:
    return {
        "symbol": f"${symbol(name)}$",
        "domain": escape(_domain(item.low, item.high)),
        "meaning": item.meaning,
        "derivation": item.derivation,
    }


def _domain(low: float | None, high: float | None) -> str:
    """An open interval."""
    if low is not None and high is not None:
        return f"({low:g}, {high:g})"
    if low is not None:
        return f"> {low:g}"
    return f"< {high:g}" if high is not None else "any"
