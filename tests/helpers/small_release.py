"""Write a small release with fixed numbers: six regions, three municipalities, two years, most states."""

import hashlib
import json
from itertools import product
from pathlib import Path

import geopandas as gpd
import pandas as pd
from shapely import box

from data.reference import figures
from data.release import Release
from data.tables.periods import Calendar, Period

NAME = "2008-05-001"
FIRST, LAST = "2006-06-01", "2008-05-31"
WHOLE = f"{FIRST}/{LAST}"
QUARTERS = [p.id for p in Calendar(6).between(Period.parse(WHOLE).start, Period.parse(WHOLE).end, "quarter")]
YEARS = ["2006-06-01/P1Y", "2007-06-01/P1Y"]
REGIONS = ["AL-01", "AL-02", "AL-04", "AL-11", "GR-A", "GR-I"]
HOSTILE = "<img src=x onerror=alert(1)>"
FORMULA = "=HYPERLINK(1)"
AXES = ["prevention", "protection", "assisted_voluntary_return", "reintegration", "coordination"]
PATHWAYS = ["internal", "al_to_gr", "other_cross_border", "none_known"]


def areas() -> gpd.GeoDataFrame:
    names = {"AL-01": "Berat", "AL-02": "Durrës", "AL-04": "Fier", "AL-11": "Tirana", "GR-A": HOSTILE, "GR-I": "Attica"}
    rows = [("AL", "AL", "country", "", "Albania", "Shqipëria"), ("GR", "GR", "country", "", "Greece", "Ελλάδα")]
    rows += [(c, c[:2], "region", c[:2], names[c], names[c]) for c in REGIONS]
    rows += [
        ("10944420", "AL", "municipality", "AL-11", "Tirana", "Tiranë"),
        ("9224", "GR", "municipality", "GR-I", HOSTILE, FORMULA),
        ("9999", "GR", "municipality", "GR-I", "Piraeus", "Πειραιώς"),
    ]
    frame = pd.DataFrame(rows, columns=["code", "country", "level", "parent", "name_en", "name_local"])
    shapes = [box(19.123456789 + i, 40, 20 + i, 41) for i in range(len(rows) - 1)]
    about = {"km2": 100.0, "approximate": True, "counted": True, "boundaries": HOSTILE}
    return gpd.GeoDataFrame(frame.assign(**about), geometry=[*shapes, None], crs=4326)


def rows(areas_, periods, cell, **categories):
    """Return one row for each area, period and choice of categories.

    cell : returns value, state, margin, low and high for an area, a period and categories.
    """
    names = list(categories)
    records = [
        (area, period, *chosen, *cell(area, period, *chosen))
        for area, period, chosen in product(areas_, periods, list(product(*categories.values())) or [()])
    ]
    columns = ["area", "period", *names, "value", "state", "margin", "low", "high"]
    frame = pd.DataFrame(records, columns=columns)
    return frame.astype(dict.fromkeys(["value", "margin", "low", "high"], "Float64"))


def number(value, margin=None):
    return value, "number", margin, None, None


def state(name):
    return None, name, None, None, None


def span(low, high):
    return None, "class", None, low, high


_YEARLY = {
    "AL-01": (None, None),
    "AL-02": (40, 79),
    "AL-04": (20, 21),
    "AL-11": (90, 40),
    "GR-A": (30, 43),
    "GR-I": (60, 95),
}


def children(area, period, *_by):
    """Return a cell: the number of a year; the sum of both years for the whole time; a fourth of a year for a quarter.

    AL-01 is "almost_none"; the first year of GR-I is "not_searched".
    """
    first, last = _YEARLY.get(area, (50, 60))
    if area == "AL-01":
        return state("almost_none")
    if period == YEARS[0] and area == "GR-I":
        return state("not_searched")
    if period == WHOLE:
        return number(first + last, 5)
    value = first if period < "2007-06-01" else last
    return number(value if period in YEARS else value // 4, 5)


def internal(area, period, category):
    """Return the cell of a pathway: 90 % of the children for internal trafficking in Durrës, 10 % in other areas.

    For each other pathway it is the reverse: 10 % in Durrës, 90 % in other areas. Cells without a number keep their
    state.
    """
    value, name, margin, _, _ = children(area, period)
    if name != "number":
        return state(name)
    share = 0.9 if (area == "AL-02") == (category == "internal") else 0.1
    return number(round(value * share), margin)


def partner() -> dict[str, pd.DataFrame]:
    days = {"AL-02": (100, 103), "AL-04": (50, 80), "AL-11": (200, 90)}
    tables = {}
    for level, codes in (
        ("country", ["AL", "GR"]),
        ("region", REGIONS),
        ("municipality", ["10944420", "9224", "9999"]),
    ):
        for grain, periods in (("quarter", QUARTERS), ("year", YEARS), ("whole", [WHOLE])):
            tables[f"children_{level}_{grain}"] = rows(codes, periods, children)
            tables[f"children_{level}_{grain}_pathway"] = rows(codes, periods, internal, pathway=PATHWAYS)
        tables[f"effort_{level}_year"] = rows(codes, YEARS, lambda a, p: number(days.get(a, (10, 0))[p == YEARS[1]]))
    # One axis of Durrës is withheld, so its total is a lower limit.
    tables["services_region_quarter"] = rows(
        REGIONS, QUARTERS, lambda a, _p: span(1, None) if a == "AL-02" else number(REGIONS.index(a))
    )
    tables["services_region_quarter_axis"] = rows(
        REGIONS,
        QUARTERS,
        lambda a, _p, axis: state("withheld") if axis == "protection" and a == "AL-02" else number(len(axis) % 2),
        axis=AXES,
    )
    tables["capacity_region_quarter"] = rows(REGIONS, QUARTERS, lambda a, _p: number(10 * REGIONS.index(a)))
    tables["communities_region_year"] = rows(
        REGIONS,
        YEARS,
        lambda a, _p, g: span(1000, None) if a == "AL-04" else span(50, 199) if g == "roma" else state("no_data"),
        group=["roma", "egyptian", "roma_and_egyptian"],
    )
    return tables


def public() -> dict[str, pd.DataFrame]:
    def few(area, period, *categories):
        value, name, margin, *_ = children(area, period, *categories)
        return number(value, margin) if name == "number" and value >= 35 else state("few")

    return {
        "children_country_year": rows(["AL", "GR"], YEARS, few),
        "children_region_year": rows(REGIONS, YEARS, few),
        "children_region_whole": rows(REGIONS, [WHOLE], few),
        "children_region_whole_pathway": rows(REGIONS, [WHOLE], lambda *_a: state("few"), pathway=PATHWAYS),
        "effort_region_year": rows(REGIONS, YEARS, lambda a, _p: span(0, 0) if a == "AL-01" else span(50, 99)),
        "services_region_year": rows(REGIONS, YEARS, lambda _a, _p: span(1, 4)),
        "communities_region_year": rows(REGIONS, YEARS, lambda *_a: span(200, 499), group=["roma"]),
    }


def make_both(releases: Path) -> Path:
    """Write both tiers of the release; return the folder of releases."""
    for tier in ("partner", "public"):
        make(releases, tier)
    return releases


def make(
    releases: Path,
    tier: str = "partner",
    *,
    invented: bool = True,
    tables=None,
    more_figures=(),
    made_up=(),
    name=NAME,
    sequence=0,
    first=FIRST,
) -> Release:
    """Write one tier of the release and open it.

    tables : by default those of `partner` or `public`. more_figures, made_up : further rows of figures, real and
    invented ones. sequence : larger for a later release. first : the first day that the release covers.
    """
    folder = releases / name / tier
    folder.mkdir(parents=True, exist_ok=True)
    contents = dict(tables if tables is not None else {"partner": partner, "public": public}[tier]())
    published = [figures().assign(invented=False)]
    for more, is_invented in ((more_figures, False), (made_up, True)):
        if more:
            columns = list(published[0].columns.drop("invented"))
            published.append(pd.DataFrame(list(more), columns=columns).assign(invented=is_invented))
    contents["figures"] = pd.concat(published, ignore_index=True)
    resources = []
    for table, frame in contents.items():
        frame.to_parquet(folder / f"{table}.parquet", index=False)
        resources.append(describe(folder, table, {"measure": table.split("_")[0]}))
    areas().to_parquet(folder / "areas.parquet", index=False)
    resources.append(describe(folder, "areas", None))
    about = {
        "release": name,
        "sequence": sequence,
        "tier": tier,
        "invented": invented,
        "k": 11,
        "first": first,
        "last": LAST,
        "first_month": 6,
        "mechanism": "cell_key",
        "parameters": {"largest": 5, "variance": 2.0},
        "areas_source": "Approximate boundaries: drawn by hand",
    }
    package = {"title": "A small release", "created": "2026-11-24T15:33:35Z", "resources": resources, "tact": about}
    (folder / "datapackage.json").write_text(json.dumps(package), encoding="utf-8")
    (releases / "current").write_text(f"{name}\n", encoding="utf-8")
    (releases / "blocked").write_text("", encoding="utf-8")
    return Release.open(releases, tier)


def describe(folder: Path, name: str, about):
    content = (folder / f"{name}.parquet").read_bytes()
    resource = {"name": name, "path": f"{name}.parquet", "hash": hashlib.sha256(content).hexdigest()}
    return resource if about is None else {**resource, "tact": about}
