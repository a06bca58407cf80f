"""The manifest of a release: a Frictionless Data Package that says what it holds and how it was made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib import metadata
from typing import Any

import pyarrow as pa

from data.disclosure.mechanism import Mechanism
from data.disclosure.plan import COUNTED, Plan, TableSpec, Tier
from data.disclosure.policy import Policy
from data.periods import Period
from data.reference import registry

__all__ = ["code_version", "package", "resource"]

_TITLES: dict[Tier, str] = {
    "partner": "protected, not anonymous: under agreement with the programme's partners",
    "public": "for anyone",
}
_METHOD = (
    "Each child counts once, in the cell of its first encounter of the whole programme; encounters count at "
    "most {cap} times a child and cell. Counts carry noise by the cell key method: variance {variance}, "
    "never more than {largest} (times {cap} for encounters), zero on average for counts from 1 on; a true "
    "zero stays zero. The same children show the same number in every table. Tables therefore do not add up "
    "exactly: a total and its parts differ by at most (parts + 1) x {largest}. {threshold}A published number "
    "is repeated by later releases until at least {k} different children behind it have changed."
)
_THRESHOLD = "Numbers below {k} are not shown, zero among them. "
_COLUMNS = {
    "area": "Code of the area; see the resource areas.",
    "period": "The period, as an ISO 8601 interval: a start and a length, or a first and a last day.",
    "value": "The number, where the state is number; counts of children and encounters carry noise.",
    "state": "What the cell is: number, class, few, almost_none, not_searched, structural_zero, withheld, "
    "no_data, no_figure.",
    "margin": "How far the number may be from the truth at most; empty where it is exact.",
    "low": "Lower end of the class, or the least that there is, where the state is class.",
    "high": "Upper end of the class; empty where it is open, or where something may have been left out.",
    "number": "The figure as published, where it is a number.",
    "share": "The figure as published, where it is a share, from 0 to 1.",
    "source": "Who published the figure; begins with “Invented” where it is invented.",
    "invented": "Whether the figure was made up, in a workspace for practice; those that ship are real.",
    "origin": "Code of the area that the children come from; area is where they went.",
    "crossing": "internal, or cross_border.",
}
_INVENTED = " All numbers of the programme are invented; {figures}."
_FIGURES = {
    False: "published figures are real",
    True: "published figures are real, but for those whose source begins with “Invented”",
}
_UNITS = {
    "children": "children",
    "encounters": "encounters",
    "effort": "outreach days",
    "services": "services",
    "staff": "people",
    "capacity": "places",
    "communities": "people, estimated",
    "flows": "children",
    "model": "children",
}
_LICENCES = {
    "CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0")
}


def code_version() -> str:
    """Give the version of the product that is running."""
    try:
        return metadata.version("tact-map")
    except metadata.PackageNotFoundError:
        return "unknown"


def resource(
    name: str, path: str, sha256: str, size: int, schema: pa.Schema, about: Mapping[str, Any] | None
) -> dict[str, Any]:
    """Describe one Parquet file; `about` is what the product itself needs to know of it."""
    fields = [_field(schema.field(i)) for i in range(len(schema))]
    described: dict[str, Any] = {
        "name": name,
        "path": path,
        "profile": "data-resource",
        "format": "parquet",
        "mediatype": "application/vnd.apache.parquet",
        "bytes": size,
        "hash": sha256,
        "schema": {"fields": fields},
    }
    if about is not None:
        described["title"] = _title(about)
        described["tact"] = dict(about)
    return described


def _field(field: pa.Field) -> dict[str, str]:
    kind = "string"
    if pa.types.is_integer(field.type):
        kind = "integer"
    elif pa.types.is_floating(field.type):
        kind = "number"
    elif pa.types.is_boolean(field.type):
        kind = "boolean"
    elif pa.types.is_binary(field.type) or pa.types.is_large_binary(field.type):
        kind = "any"  # WKB
    described = {"name": field.name, "type": kind}
    if field.name in _COLUMNS:
        described["description"] = _COLUMNS[field.name]
    return described


def _title(about: Mapping[str, Any]) -> str:
    if about["measure"] == "figures":
        return "Published figures, copied unchanged" + (", some invented" if about["invented"] else "")
    by = f", by {' and '.join(about['breakdown'])}" if about["breakdown"] else ""
    return f"{_UNITS[about['measure']]} by {about['level']} and {about['grain']}{by}".capitalize()


def of_table(spec: TableSpec, states: Mapping[str, float]) -> dict[str, Any]:
    """Say what a table is: measure, level, grain, breakdown, unit, share of cells in each state."""
    return {
        "measure": spec.measure,
        "level": spec.level,
        "grain": spec.grain,
        "breakdown": list(spec.columns),
        "unit": _UNITS[spec.measure],
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
) -> dict[str, Any]:
    """Make the descriptor of one tier of a release."""
    listed = list(resources)
    values = policy.parameters()
    threshold = _THRESHOLD.format(k=policy.k) if tier == "public" else ""
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
            "parameters": {**values, **mechanism.parameters((1, policy.cap))},
            "knowledge": knowledge(tier, policy, mechanism),
            "method": _METHOD.format(**values, threshold=threshold),
            "suppressed": dict(cell_counts),
            "privacy": {"spent": None, "why": "The cell key method has no privacy budget."},
            "areas_source": areas_source,
            "code_version": code_version(),
            "created": created,
        },
    }


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
