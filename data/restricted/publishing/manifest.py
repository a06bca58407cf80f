"""The manifest of a release: a Frictionless Data Package that says what it holds and how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from data.disclosure import mechanisms
from data.disclosure.channel import Mechanism
from data.disclosure.dp import Ledger
from data.disclosure.policy import Policy
from data.reference import registry
from data.tables.periods import Period
from data.tables.resource import UNITS
from data.tables.spec import COUNTED, Plan, TableSpec, Tier
from data.workspace.version import code_version

__all__ = [
    "knowledge",
    "method",
    "of_table",
    "package",
    "parameters",
    "privacy",
]

_TITLES: dict[Tier, str] = {
    "partner": "protected, not anonymous: under agreement with the programme's partners",
    "public": "for anyone",
}
_COUNTED = (
    "Each child counts once, in the cell of its first encounter of the whole programme; encounters count at "
    "most {cap} times a child and cell. "
)
_REPEATED = "until at least {k} different children behind it have changed."
# Of each mechanism, what is true of the numbers that it makes.
_METHODS = {
    "cell_key": "Counts carry noise by the cell key method: variance {variance:g} ({variance_near_k:g} for "
    "counts of 7 to 15, about which the threshold lies), never more than {largest} (times {cap} for "
    "encounters), zero on average for counts from 1 on; a true zero stays zero. The same children show the "
    "same number in every table. Tables therefore do not add up exactly: a total and its parts differ by at "
    "most (parts + 1) x {largest}. {threshold}A published number is repeated by later releases " + _REPEATED,
    "threshold": "Numbers that are shown are exact. Counts below {k} are not shown on either tier, {zeros}; "
    "nor are others beside them, so that no sum of shown numbers gives a small one away. Both look alike: "
    "that a number is not shown does not say that it is small. Shown numbers add up as long as they are of "
    "one day; a published number is repeated by later releases " + _REPEATED + " A repeated number is that "
    "of the day on which it was first published, and may differ from newer ones by what fewer children than "
    "that have changed.",
    "dp": "Counts carry noise that gives differential privacy: two-sided geometric, epsilon {epsilon:g} for "
    "a count of children, {cap} times as wide for encounters; beyond {largest} (times {cap} for encounters) "
    "once in a billion cells. A child counts in {cells} cells of all tables at most, of tables of encounters "
    "in some of those where it was met. Numbers are then made whole, none below zero, and made to add up, "
    "but for flows over areas and for encounters. {threshold}What was drawn is repeated by later releases "
    + _REPEATED + " A number may still move a little, so that it adds up with newer ones.",
}  # fmt: skip
_THRESHOLD = "Numbers below {k} are not shown, zero among them. "
_ZEROS = {False: "zero among them", True: "zero is"}
_NO_BUDGET = {
    "cell_key": "The cell key method has no privacy budget.",
    "threshold": "Suppression has no privacy budget.",
}
_BUDGET = "Epsilon on the child that lost most, of all that was ever drawn; costs of tables add up."
_INVENTED = " All numbers of the programme are invented; {figures}."
_FIGURES = {
    False: "published figures are real",
    True: "published figures are real, but for those whose source begins with “Invented”",
}
_LICENCES = {
    "CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0")
}


def of_table(spec: TableSpec, states: Mapping[str, float]) -> dict[str, Any]:
    """Say what a table is: measure, level, grain, breakdown, unit, share of cells in each state."""
    return {
        "measure": spec.measure,
        "level": spec.level,
        "grain": spec.grain,
        "breakdown": list(spec.columns),
        "unit": UNITS[spec.measure],
        "states": dict(states),
    }


def package(
    *,
    name: str,
    tier: Tier,
    invented: bool,
    created: str,
    sequence: int,
    repeats: bool,
    whole: Period | None,
    first_month: int,
    areas_source: str,
    resources: Iterable[dict[str, Any]],
    policy: Policy,
    plan: Plan,
    mechanism: Mechanism,
    cell_counts: Mapping[str, Any],
    privacy: Mapping[str, Any],
    search: Mapping[str, Any] | None,
) -> dict[str, Any]:
    """Make the descriptor of one tier of a release."""
    listed = list(resources)
    span = f"{whole.start.isoformat()} to {whole.end.isoformat()}" if whole else "published figures only"
    content = next(r["hash"] for r in listed if r["name"] == "areas")
    figures = next(r["tact"] for r in listed if r["name"] == "figures")
    return {
        "profile": "data-package",
        "name": name.lower(),
        "title": f"TACT Map release {name}, {tier} tier" + (" (invented data)" if invented else ""),
        "description": f"Tier {tier}: {_TITLES[tier]}. {span}."
        + (_INVENTED.format(figures=_FIGURES[figures["invented"]]) if invented else ""),
        "version": name,
        "created": created,
        "licenses": [_licence(policy.public_licence if tier == "public" else policy.partner_licence)],
        "sources": _sources(),
        "keywords": ["child trafficking", "Albania", "Greece", "disclosure control"],
        "citation": _citation(name, tier, invented, created, content),
        "resources": listed,
        "tact": {
            "release": name,
            "tier": tier,
            "invented": invented,
            "sequence": sequence,
            "k": policy.k,
            "frozen": policy.frozen,
            "repeats": repeats,
            "first": whole.start.isoformat() if whole else None,
            "last": whole.end.isoformat() if whole else None,
            "first_month": first_month,
            "mechanism": mechanism.name,
            "plan": {name: [spec.name for spec in specs] for name, specs in plan.items()},
            "parameters": parameters(policy, mechanism),
            "knowledge": knowledge(tier, policy, mechanism),
            "method": method(tier, policy, mechanism),
            "suppressed": dict(cell_counts),
            **({} if search is None else {"search": dict(search)}),
            "privacy": dict(privacy),
            "areas_source": areas_source,
            "code_version": code_version(),
            "created": created,
        },
    }


def parameters(policy: Policy, mechanism: Mechanism) -> dict[str, Any]:
    """Give what the policy decides, and of mechanisms the parameters of this one alone."""
    others = {*mechanisms.PARAMETERS, "mechanism", "budget"}
    general = {name: value for name, value in policy.parameters().items() if name not in others}
    return {**general, **mechanism.parameters((1, policy.cap))}


def method(tier: Tier, policy: Policy, mechanism: Mechanism) -> str:
    """Say in words how numbers are made, for whoever reads them."""
    values = parameters(policy, mechanism)
    threshold = _THRESHOLD.format(k=policy.k) if tier == "public" else ""
    zeros = _ZEROS[bool(values.get("zeros_shown"))]
    return (_COUNTED + _METHODS[mechanism.name]).format(**values, threshold=threshold, zeros=zeros)


def privacy(mechanism: Mechanism, before: Ledger, after: Ledger) -> dict[str, Any]:
    """Say what the numbers have cost by way of privacy, before a release and with it."""
    if mechanism.name in _NO_BUDGET:
        return {"spent": None, "why": _NO_BUDGET[mechanism.name]}
    now = after.epsilon - before.epsilon
    return {"spent": after.epsilon, "by_this_release": now, "limit": after.limit, "why": _BUDGET}


def knowledge(tier: Tier, policy: Policy, mechanism: Mechanism) -> dict[str, dict[str, int]]:
    """Say what a reader knows of one cell of each measure; the attacks start from it."""
    k = policy.k if tier == "public" else None
    scales = {measure: policy.cap if measure == "encounters" else 1 for measure in sorted(COUNTED)}
    return {measure: mechanism.knowledge(scale, k).as_dict() for measure, scale in scales.items()}


def _licence(name: str) -> dict[str, str]:
    if name in _LICENCES:
        path, title = _LICENCES[name]
        return {"name": name, "path": path, "title": title}
    return {"name": "other-closed", "title": name.capitalize()}


def _sources() -> list[dict[str, str]]:
    return [{"title": f"{s.name}: {s.credit}", "licence": s.licence} for s in registry()]


def _citation(name: str, tier: Tier, invented: bool, created: str, content: str) -> str:
    data = "invented data, " if invented else ""
    return f"TACT Map, release {name}, {tier} tier ({data}areas {content[:12]}), {created[:10]}."
