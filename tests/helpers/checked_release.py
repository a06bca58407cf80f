"""Two small releases whose numbers add up, an older one of partners and a newer one of both tiers.

Tests of `tact check` derive their tables from them. The public tier hides numbers below 11: those of Berat (AL-01),
which has 6 children in the first year and 3 in the second, the two smallest pathways of Fier (AL-04) and of GR-A, and
the smallest pathway of Greece in the first year. In the older release, the quarters of the second year have other,
provisional numbers.
"""

import json
from pathlib import Path

import pandas as pd

from data.tables.spec import CATEGORIES, LEVELS
from tests.helpers import small_release
from tests.helpers.small_release import PATHWAYS, QUARTERS, REGIONS, WHOLE, YEARS, number, rows, span, state

OLD, NEW = "2008-02-001", "2008-08-001"
YEARLY = {"AL-01": (6, 3), "AL-02": (48, 55), "AL-04": (24, 31), "AL-11": (90, 82), "GR-A": (30, 27), "GR-I": (60, 71)}
INSIDE = {"10944420": "AL-11", "9224": "GR-I", "9999": "GR-I"}
SHARES = (("10944420", 1, 1), ("9224", 1, 3), ("9999", 2, 3))
_KNOWN = {"largest": 5, "hidden_from": 0, "open_from": 0, "open_values": 6, "step": 1}


def count(area: str, period: str, *categories: str) -> int:
    """Return the published number of a cell; only the first of the categories counts.

    The numbers of its categories, of its periods and of the regions of a country add up; those of municipalities are
    rounded down.
    """
    if categories:
        names = next(names for names in CATEGORIES.values() if categories[0] in names)
        whole, place = count(area, period), names.index(categories[0])
        parts = [whole * share // 20 for share in (10, 5, 3, 1, 1)[: len(names) - 1]]
        return parts[place] if place < len(parts) else whole - sum(parts)
    if period == WHOLE:
        return sum(count(area, year) for year in YEARS)
    if period in QUARTERS:
        place = QUARTERS.index(period)
        year = count(area, YEARS[place // 4])
        return year // 4 if place % 4 else year - 3 * (year // 4)
    if area in ("AL", "GR"):
        return sum(count(region, period) for region in REGIONS if region.startswith(area))
    for code, share, parts in SHARES:
        if code == area:
            return count(INSIDE[code], period) * share // parts
    return YEARLY[area][YEARS.index(period)]


def partner(shift: int = 0) -> dict[str, pd.DataFrame]:
    """Return the tables of partners.

    shift : this, or in some areas twice this, is added to the totals of the quarters of the second year.
    """

    def cell(area, period, *categories):
        value = count(area, period, *categories)
        value += shift * (1 + len(area) % 2) if period in QUARTERS[4:] and not categories else 0
        return number(value, 5) if value else state("almost_none")

    tables = {}
    for level, codes in (("country", ["AL", "GR"]), ("region", REGIONS), ("municipality", list(INSIDE))):
        for grain, periods in (("quarter", QUARTERS), ("year", YEARS), ("whole", [WHOLE])):
            tables[f"children_{level}_{grain}"] = rows(codes, periods, cell)
            tables[f"children_{level}_{grain}_pathway"] = rows(codes, periods, cell, pathway=PATHWAYS)
    tables["children_region_year_sex"] = rows(REGIONS, YEARS, cell, sex=list(CATEGORIES["sex"]))
    tables["effort_region_year"] = rows(REGIONS, YEARS, lambda a, p: number(37 + 13 * REGIONS.index(a) + len(p)))
    tables["capacity_region_quarter"] = rows(REGIONS, QUARTERS, lambda a, _p: number(13 + 10 * REGIONS.index(a)))
    flow = rows(REGIONS, [WHOLE], lambda a, p, o: number((count(a, p) + 3 * REGIONS.index(o)) // 4, 5), origin=REGIONS)
    return {**tables, "flows_region_whole_origin": flow}


def public() -> dict[str, pd.DataFrame]:
    """Return the public tables."""

    def cell(area, period, *categories):
        value = count(area, period, *categories)
        return number(value, 5) if value >= 11 else state("few")

    sexes = list(CATEGORIES["sex"])
    return {
        "children_country_year": rows(["AL", "GR"], YEARS, cell),
        "children_country_whole": rows(["AL", "GR"], [WHOLE], cell),
        "children_region_year": rows(REGIONS, YEARS, cell),
        "children_region_whole": rows(REGIONS, [WHOLE], cell),
        "children_region_whole_pathway": rows(REGIONS, [WHOLE], cell, pathway=PATHWAYS),
        "children_country_year_pathway": rows(["AL", "GR"], YEARS, cell, pathway=PATHWAYS),
        "children_country_whole_sex": rows(["AL", "GR"], [WHOLE], cell, sex=sexes),
        "effort_region_year": rows(REGIONS, YEARS, lambda a, _p: span(0, 49) if a == "AL-01" else span(50, 199)),
        "services_region_year": rows(REGIONS, YEARS, lambda _a, _p: span(1, 4)),
    }


def make(releases: Path) -> Path:
    """Write both releases into a folder, and return it."""
    parts = (("partner", partner(2), OLD, 1), ("partner", partner(), NEW, 2), ("public", public(), NEW, 2))
    for tier, tables, name, sequence in parts:
        for table, frame in tables.items():
            if table.startswith(("children", "flows")):
                tables[table] = frame.assign(reconciled=frame["value"]).drop(columns=["low", "high"])
        release = small_release.make(releases, tier, tables=tables, name=name, sequence=sequence)
        _describe(release.folder / "datapackage.json", 10 if tier == "public" else 0)
    return releases


def _describe(manifest: Path, hidden: int) -> None:
    """Add to a manifest what a real one has: the content of the tables, and what an attacker knows of the noise.

    hidden : the largest number that is hidden.
    """
    package = json.loads(manifest.read_text(encoding="utf-8"))
    for resource in package["resources"]:
        measure, *rest = resource["name"].split("_", 3)
        if rest and rest[0] in LEVELS:
            about = {"level": rest[0], "grain": rest[1], "breakdown": rest[2:]}
            resource["tact"] = {"measure": measure, **about}
    known = {**_KNOWN, "hidden_to": hidden + 5, "open_to": hidden}
    package["tact"]["knowledge"] = {"children": known, "flows": known}
    manifest.write_text(json.dumps(package), encoding="utf-8")
