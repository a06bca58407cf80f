"""The information in every exported file: tier, release, whether invented, licence, method, citation."""

from __future__ import annotations

from typing import Any

import pandas as pd

from data.message import mark
from data.reference import FIGURES, registry
from data.release import Release
from data.release.completeness import read_questions
from data.tables.spec import Tier
from geo.layers.core import Layer
from geo.layers.reading import tables

INVENTED = mark("Invented data. Nothing here is about real children.")
INCOMPLETE = mark("Incomplete: records of a partner are missing, so need, risk and changes are preliminary.")
TIERS: dict[Tier, str] = {
    "partner": mark(
        "Partner tier: protected, but not anonymous. Only for partners who signed the data-sharing "
        "agreement. Do not pass it on."
    ),
    "public": mark("Public tier: for everybody. Small counts of children are not shown."),
}
_LICENCES = {"partner": mark("Under the partners' data-sharing agreement"), "public": "CC-BY-4.0"}
_REAL = mark("Published figures are real. Each has its source and year, and they are never mixed with other numbers.")
_SOME_INVENTED = mark(
    "Published figures whose source begins with “Invented” were made up for practice. All others are "
    "real and have their source and year."
)
_ADJUSTED = mark(
    "Numbers of children are adjusted so that parts add up to totals; the published number with noise is in the column "
    "noisy."
)
_APPROXIMATE = mark("Approximate boundaries")
# The usual texts of a manifest, which pages translate.
USUAL_LICENCE = mark("Under agreement")
USUAL_BOUNDARIES = mark("Approximate boundaries: made with Natural Earth; places from GeoNames, CC-BY 4.0")


def name_files(release: Release, *, invented: bool) -> str:
    """Return the prefix of file names: product, release, tier, and "invented" if the data are."""
    return "-".join(["tact", release.name, release.tier, *(["invented"] if invented else [])])


def find_licence(release: Release) -> str:
    """Return the licence in the manifest; without one, the licence of the tier."""
    stated: list[dict[str, Any]] = release.manifest.get("licenses") or []
    names = [str(entry.get("title") or entry.get("name")) for entry in stated]
    return "; ".join(names) or _LICENCES[release.tier]


def has_invented_figures(release: Release) -> bool:
    """Return whether any published figure is invented, as in a practice workspace."""
    figures = tables.load_table(release, "figures")
    return "invented" in figures and bool(figures["invented"].any())


def has_reconciled_numbers(release: Release) -> bool:
    """Return whether the release has adjusted numbers, whose parts add up to totals."""
    fields = [f["name"] for r in release.manifest["resources"] for f in (r.get("schema") or {}).get("fields", ())]
    return "reconciled" in fields


def has_approximate_boundaries(release: Release) -> bool:
    """Return whether any boundary of the release is approximate."""
    return bool(tables.load_areas(release)["approximate"].any())


def describe_boundaries(release: Release) -> str:
    """Return the source of the boundaries, after the words "Approximate boundaries" if any of them is approximate."""
    source = str(release.manifest["tact"].get("areas_source") or "")
    if not has_approximate_boundaries(release) or source.startswith(_APPROXIMATE):
        return source
    return f"{_APPROXIMATE}. {source}".strip()


def format_citation(release: Release) -> str:
    """Return the citation in the manifest; without one, make it from release, tier, areas and day."""
    stated = release.manifest.get("citation")
    if stated:
        return str(stated)
    data = "invented data, " if release.invented else ""
    day, areas = str(release.manifest.get("created") or "")[:10], release.areas_checksum[:12]
    return f"TACT Map, release {release.name}, {release.tier} tier ({data}areas {areas}), {day}."


def list_cautions(release: Release, *, invented: bool | None = None) -> list[str]:
    """Return what to know before anything else: that the data are invented, or that records are missing.

    invented : whether they are; by default whether those of the release are.
    """
    is_invented, incomplete = release.invented if invented is None else invented, bool(read_questions(release).waiting)
    return [text for text, holds in ((INVENTED, is_invented), (INCOMPLETE, incomplete)) if holds]


def describe_file(release: Release, layers: tuple[Layer, ...]) -> dict[str, str]:
    """Return the entries of the description of a file with these layers, in order; empty entries are left out."""
    tact = release.manifest["tact"]
    parameters = tact.get("parameters") or {}
    entries = {
        "title": str(release.manifest.get("title") or f"TACT Map release {release.name}"),
        "release": release.name,
        "tier": release.tier,
        "tier_means": TIERS[release.tier],
        "data": INVENTED if release.invented else mark("Records of the programme's partners"),
        "caution": INCOMPLETE if INCOMPLETE in list_cautions(release) else "",
        "published_figures": _SOME_INVENTED if has_invented_figures(release) else _REAL,
        "layers": name_layers(layers),
        "created": str(release.manifest.get("created") or tact.get("created") or ""),
        "first_day": str(tact.get("first") or ""),
        "last_day": str(tact.get("last") or ""),
        "threshold_k": str(release.k),
        "mechanism": str(tact.get("mechanism") or ""),
        "method": str(tact.get("method") or ""),
        "sums": _ADJUSTED if has_reconciled_numbers(release) else "",
        "largest_perturbation": str(parameters.get("largest", "")),
        "boundaries": describe_boundaries(release),
        "licence": find_licence(release),
        "citation": format_citation(release),
    }
    return {key: value for key, value in entries.items() if value}


def name_layers(layers: tuple[Layer, ...]) -> str:
    """Return the identifiers of the layers, separated by commas."""
    return ", ".join(layer.id for layer in layers)


def list_sources(release: Release) -> pd.DataFrame:
    """List all sources; of published figures, only those in this release. Columns: what, source, licence, credit."""
    figures = tables.load_table(release, "figures")
    named = "; ".join(sorted(map(str, figures["source"].unique()))) if len(figures) else ""
    rows = [(s.name, named if s.file == FIGURES else s.source, s.licence, s.credit) for s in registry()]
    return pd.DataFrame(rows, columns=["what", "source", "licence", "credit"])
