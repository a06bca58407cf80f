"""The manifest of a release: a Frictionless Data Package that says what it holds and how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from data.disclosure.cell_key import NAME, CellKey
from data.disclosure.policy import Policy
from data.reference import registry
from data.tables.periods import Period
from data.tables.resource import UNITS
from data.tables.spec import COUNTED, Plan, TableSpec, Tier
from data.workspace.version import code_version

_TITLES: dict[Tier, str] = {
    "partner": "protected, not anonymous: under agreement with the programme's partners",
    "public": "for anyone",
}
_COUNTED = (
    "Each child counts once, in the cell of its first encounter of the whole programme; encounters count at "
    "most {cap} times a child and cell. "
)
_NOISE = (
    "Counts carry noise by the cell key method: variance {variance:g} ({variance_near_k:g} for "
    "counts of 7 to 15, about which the threshold lies), never more than {largest} (times {cap} for "
    "encounters), zero on average for counts from 1 on; a true zero stays zero. The same children show the "
    "same number in every table. Tables therefore do not add up exactly: a total and its parts differ by at "
    "most (parts + 1) x {largest}. {threshold}A published number is repeated by later releases until at least "
    "{k} different children behind it have changed."
)
_THRESHOLD = "Numbers below {k} are not shown, zero among them. "
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
    mechanism: CellKey,
    cell_counts: Mapping[str, Any],
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
            "mechanism": NAME,
            "plan": {name: [spec.name for spec in specs] for name, specs in plan.items()},
            "parameters": parameters(policy, mechanism),
            "knowledge": knowledge(tier, policy, mechanism),
            "method": method(tier, policy, mechanism),
            "suppressed": dict(cell_counts),
            "areas_source": areas_source,
            "code_version": code_version(),
            "created": created,
        },
    }


def parameters(policy: Policy, mechanism: CellKey) -> dict[str, Any]:
    """Return what the policy decides: of counting first, then of the noise."""
    of_noise = {field.name for field in fields(CellKey)}
    general = {name: value for name, value in policy.parameters().items() if name not in of_noise}
    return {**general, **mechanism.parameters((1, policy.cap))}


def method(tier: Tier, policy: Policy, mechanism: CellKey) -> str:
    """Say in words how numbers are made, for whoever reads them."""
    values = parameters(policy, mechanism)
    threshold = _THRESHOLD.format(k=policy.k) if tier == "public" else ""
    return (_COUNTED + _NOISE).format(**values, threshold=threshold)


def knowledge(tier: Tier, policy: Policy, mechanism: CellKey) -> dict[str, dict[str, int]]:
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
