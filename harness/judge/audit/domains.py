"""Rules on fitted parameters: domain and sign as their equation gives them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from harness.judge.audit.finding import Finding
from harness.judge.audit.printed import Mention, stated_mention
from harness.spec.others import Fit, Parameter
from harness.spec.paper import Paper


def parameter_domains(paper: Paper) -> Iterator[Finding]:
    """Severe findings on stated values that no rounding brings into the parameter's domain."""
    for fit in paper.exhibits_of(Fit):
        for name, parameter in fit.parameters.items():
            for value in values_of(fit, name):
                if wrong_sign(parameter, value):
                    yield _sign_finding(fit, name, parameter, value)
                elif outside(parameter, value):
                    yield _domain_finding(fit, name, parameter, value)


def values_of(fit: Fit, parameter: str) -> list[Mention]:
    """The values that the paper states of one parameter."""
    return [
        stated_mention(fit.id, key, stated)
        for key, stated in fit.stated.items()
        if stated.parameter == parameter
    ]


def outside(parameter: Parameter, value: Mention) -> bool:
    """Whether a value is outside the open domain, however it was rounded."""
    low = parameter.low is not None and value.mean + value.half <= Decimal(str(parameter.low))
    high = parameter.high is not None and value.mean - value.half >= Decimal(str(parameter.high))
    return low or high


def wrong_sign(parameter: Parameter, value: Mention) -> bool:
    """Whether a value has the sign that the parameter cannot have."""
    if parameter.sign == "any":
        return False
    signed = value.mean if parameter.sign == "positive" else -value.mean
    return signed + value.half <= 0 and signed < 0


def interval(parameter: Parameter) -> str:
    """The domain, in the usual notation."""
    low = "-∞" if parameter.low is None else f"{parameter.low:g}"
    high = "∞" if parameter.high is None else f"{parameter.high:g}"
    return f"({low}, {high})"


def _domain_finding(fit: Fit, name: str, parameter: Parameter, value: Mention) -> Finding:
    return Finding(
        rule="parameter-domain",
        subject=f"{fit.id}:{name}",
        cause=f"{fit.id}:{name}",
        addresses=(value.address,),
        printed=f"{name} = {value}",
        expected=f"{name} in {interval(parameter)}",
        severity="severe",
        confidence="certain",
        explanation=(
            f"{name} = {value} is outside {interval(parameter)}, where the paper's own equation "
            f"puts it ({parameter.derivation}). A reader cannot compute the law with it, or "
            f"read it as what it stands for: {parameter.meaning}."
        ),
    )


def _sign_finding(fit: Fit, name: str, parameter: Parameter, value: Mention) -> Finding:
    others = [
        other
        for other in values_of(fit, name)
        if other != value and not wrong_sign(parameter, other)
    ]
    beside = f" Its other values, such as {others[0]}, have the right sign." if others else ""
    return Finding(
        rule="sign-convention",
        subject=f"{fit.id}:{name}",
        cause=f"{fit.id}:{name}",
        addresses=(value.address,),
        printed=f"{name} = {value}",
        expected=f"{name} = {-value.mean}, {parameter.sign}",
        severity="severe",
        confidence="certain" if others else "likely",
        explanation=(
            f"{name} = {value} has the wrong sign: {parameter.derivation}.{beside} Values of one "
            "parameter cannot be compared across settings when a sign is dropped."
        ),
    )
