"""The manifest of a release: a Frictionless Data Package with the content of the release and how it was made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from data.disclosure.cell_key import NAME
from data.disclosure.policy import Policy
from data.reference import registry
from data.restricted.publishing.draft import Draft
from data.tables.resource import DOI_ADDRESS, UNITS
from data.tables.spec import TableSpec, Tier
from data.workspace.version import code_version

_TITLES: dict[Tier, str] = {
    "partner": "protected, not anonymous; only for partners who signed the agreement",
    "public": "for everybody",
}
_METHOD = (
    "Each child is counted once, in the cell of the first encounter in the whole programme; at most {cap} "
    "encounters per child and cell are counted. "
    "Counts have noise from the cell key method: variance {variance:g} ({variance_near_k:g} for counts of 7 "
    "to 15, near the threshold), largest noise {largest} (times {cap} for encounters). It is zero on "
    "average for counts from 1, and a true zero stays zero. So the published numbers of a total and its parts may "
    "differ by up to (parts + 1) x {largest}; the reconciled ones add up. {threshold}The numbers of a year are drawn "
    "once, when the year is final, and repeated for ever; what is reported later is in no number. Those of the whole "
    "programme are sums of years, with the noise of each.{provisional}"
)
_PROVISIONAL = " Quarters after {final} are provisional: they are drawn anew when their year is final."
_THRESHOLD = "Numbers below {k} are not shown, zero among them. "
_MUNICIPAL = (
    "Numbers of municipalities below {k} are not shown, zero among them; those of the whole programme are sums of the "
    "numbers that their years show. "
)
_INVENTED = " All numbers of the programme are invented; {figures}."
_FIGURES = {
    False: "published figures are real",
    True: "published figures are real, but for those whose source begins with “Invented”",
}
_LICENCES = {"CC-BY-4.0": ("https://creativecommons.org/licenses/by/4.0/", "Creative Commons Attribution 4.0")}


def describe_table(spec: TableSpec, states: Mapping[str, float]) -> dict[str, Any]:
    """Return the description of a table for the manifest; `states` is the share of cells in each state, from 0 to 1."""
    return {
        "measure": spec.measure,
        "level": spec.level,
        "grain": spec.grain,
        "breakdown": list(spec.columns),
        "unit": UNITS[spec.measure],
        "states": dict(states),
    }


def describe_release(
    draft: Draft,
    tier: Tier,
    created: str,
    resources: Sequence[dict[str, Any]],
    states: Mapping[str, Mapping[str, float]],
) -> dict[str, Any]:
    """Return the manifest of one tier; `states` is the share of cells in each state, from 0 to 1, by table."""
    name, policy, grid, invented = draft.name, draft.policy, draft.grid, draft.invented
    first, last = (grid.span.start.isoformat(), grid.span.end.isoformat()) if grid else (None, None)
    span = f"{first} to {last}" if grid else "published figures only"
    content = next(r["hash"] for r in resources if r["name"] == "areas")
    publication = _describe_publication(policy, tier)
    figures = next(r["tact"] for r in resources if r["name"] == "figures")
    return {
        "profile": "data-package",
        "name": name.lower(),
        "title": f"TACT Map release {name}, {tier} tier" + (" (invented data)" if invented else ""),
        "description": f"Tier {tier}: {_TITLES[tier]}. {span}."
        + (_INVENTED.format(figures=_FIGURES[figures["invented"]]) if invented else ""),
        "version": name,
        "created": created,
        "licenses": [_licence(policy.public_licence if tier == "public" else policy.partner_licence)],
        "sources": [{"title": f"{s.name}: {s.credit}", "licence": s.licence} for s in registry()],
        "keywords": ["child trafficking", "Albania", "Greece", "disclosure control"],
        "citation": _citation(name, tier, invented, created, content, publication),
        **publication,
        "resources": list(resources),
        "tact": {
            "release": name,
            "tier": tier,
            "invented": invented,
            "sequence": draft.sequence,
            "k": policy.k,
            "frozen": policy.frozen,
            "first": first,
            "last": last,
            "final": grid.final.isoformat() if grid and grid.final else None,
            "first_month": draft.first_month,
            "mechanism": NAME,
            "plan": {name: [spec.name for spec in specs] for name, specs in draft.plan.items()},
            "parameters": draft.parameters(),
            "knowledge": {m: knowledge.as_dict() for m, knowledge in draft.knowledge(tier).items()},
            "method": describe_method(draft, tier),
            "suppressed": dict(states),
            "areas_source": draft.areas_source,
            "code_version": code_version(),
            "created": created,
        },
    }


def describe_method(draft: Draft, tier: Tier) -> str:
    """Return a text that tells the readers of a tier how its numbers are made."""
    k, k_municipal = draft.policy.k, draft.policy.k_municipal
    threshold = (
        _THRESHOLD.format(k=k) if tier == "public" else _MUNICIPAL.format(k=k_municipal) if k_municipal > 1 else ""
    )
    final = draft.grid.final if draft.grid else None
    provisional = _PROVISIONAL.format(final=final.isoformat()) if final and tier == "partner" else ""
    return _METHOD.format(**draft.parameters(), threshold=threshold, provisional=provisional)


def _licence(name: str) -> dict[str, str]:
    if name in _LICENCES:
        path, title = _LICENCES[name]
        return {"name": name, "path": path, "title": title}
    return {"name": "other-closed", "title": name.capitalize()}


def _describe_publication(policy: Policy, tier: Tier) -> dict[str, Any]:
    """Return publisher and DOI in the form of the Data Package specification; the DOI only for the public tier."""
    publisher = {"contributors": [{"title": policy.publisher, "role": "publisher"}]} if policy.publisher else {}
    return publisher | ({"id": f"{DOI_ADDRESS}{policy.doi}"} if policy.doi and tier == "public" else {})


def _citation(name: str, tier: Tier, invented: bool, created: str, content: str, publication: Mapping[str, Any]) -> str:
    data = "invented data, " if invented else ""
    cited = [f"TACT Map, release {name}, {tier} tier ({data}areas {content[:12]}), {created[:10]}."]
    cited += [f"{entry['title']}." for entry in publication.get("contributors", ())]
    return " ".join([*cited, *([publication["id"]] if "id" in publication else [])])
