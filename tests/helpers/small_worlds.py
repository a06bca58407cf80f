"""Make small invented worlds for the tests of releases and attacks.

Run as a program, it makes one release, which fault tests interrupt: see `main`.
"""

import hashlib
import io
import os
import sys
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from data.disclosure.policy import Policy
from data.restricted.keys import IdentifierHasher, Secret
from data.restricted.publishing import make_release
from data.restricted.vault import Vault
from data.tables.spec import CATEGORIES, DEFAULT_PLAN, OF_COUNTRIES, TableSpec

# A few tables of each counted kind: the tests make dozens of releases.
SMALL_PLAN = {
    "partner": (
        *(
            TableSpec("children", level, grain, by)
            for level in ("country", "region", "municipality")
            for grain in ("quarter", "year", "whole")
            for by in ((), ("stage",))
        ),
        *(TableSpec("encounters", "municipality", grain) for grain in ("quarter", "whole")),
        TableSpec("flows", "region", "whole", ("origin",)),
        TableSpec("model", "region", "quarter", ("crossing", "found")),
    ),
    "public": (
        TableSpec("children", "region", "year"),
        TableSpec("children", "region", "whole"),
        TableSpec("children", "region", "whole", ("stage",)),
    ),
}
# Fewer tables, for tests in which the content of a release does not matter.
FEW_PLAN = {
    "partner": (
        *(TableSpec("children", "region", grain) for grain in ("quarter", "year", "whole")),
        TableSpec("encounters", "region", "year"),
    ),
    "public": (TableSpec("children", "region", "year"),),
}
PLANS = {"small": SMALL_PLAN, "whole": DEFAULT_PLAN}
VAULT_KEY = Secret(bytes(32))
ONE_YEAR = Policy(last=date(2007, 5, 31))
KEYS = IdentifierHasher(bytes(range(32))).record_keys
FIRST, LAST = "2006-06-01", "2007-05-31"
REGIONS = {"AL": ("AL-11", "AL-02"), "GR": ("GR-I", "GR-K", "GR-69")}
MUNICIPALITIES = {"AL-11": ("101", "102", "103"), "AL-02": ("201", "202"), "GR-I": ("9001", "9002"), "GR-K": ("9261",)}
SUCCESSORS = {"9261": ("9261-1", "9261-2")}
COLUMNS = [
    *("date", "municipality", "child", "programme_child", "pathway", "stage", "form", "axis"),
    *("sex", "age_band", "found", "origin", "destination"),
]


def area_table():
    """Return a table of areas, indexed by code: two countries, five regions, eight municipalities and two successors.

    One region has no municipality.
    """
    rows = {}
    for country, regions in REGIONS.items():
        rows[country] = (country, "country", "", "")
        for region in regions:
            rows[region] = (country, "region", country, "")
            for code in MUNICIPALITIES.get(region, ()):
                rows[code] = (country, "municipality", region, ";".join(SUCCESSORS.get(code, ())))
    for old, new in SUCCESSORS.items():
        for code in new:
            rows[code] = (*rows[old][:3], "")
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=["country", "level", "parent", "succeeded_by"])
    frame["name_en"] = frame["name_local"] = "Area " + frame.index
    frame["counted"] = ~frame.index.isin([c for new in SUCCESSORS.values() for c in new])
    return frame.rename_axis("code")


def areas_bytes(table=None):
    table = area_table() if table is None else table
    columns = ["code", "country", "level", "parent", "name_en", "name_local", "counted"]
    raw = io.BytesIO()
    pq.write_table(pa.Table.from_pandas(table.reset_index()[columns], preserve_index=False), raw)
    return raw.getvalue()


def draw_areas():
    """Return the areas as bytes of GeoParquet, with a box as the shape of each, for maps and files."""
    import geopandas as gpd
    from shapely import box

    table, raw = area_table().reset_index(), io.BytesIO()
    shapes = [box(19 + i, 40, 20 + i, 41) for i in range(len(table))]
    frame = table.assign(km2=100.0, approximate=True, boundaries="drawn")
    gpd.GeoDataFrame(frame, geometry=shapes, crs=4326).to_parquet(raw)
    return raw.getvalue()


def figures():
    row = ("AL-11", "2023-01-01/P1Y", "population", 758513.0, None, "census 2023", 2023, "census", "")
    names = ["area", "period", "measure", "number", "share", "source", "year", "status", "note"]
    frame = pd.DataFrame([row], columns=names)
    return frame.astype({"number": "float64", "share": "float64", "year": "Int64"})


def child(number, salt=""):
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()


def encounters(rng, rows, children, *, concentration=0.5, first=FIRST, last=LAST):
    """Draw `rows` encounters of at most `children` children, unevenly over municipalities and categories."""
    places = [c for m in MUNICIPALITIES.values() for c in m]
    share = rng.gamma(concentration, size=len(places)) + 1e-9
    days = np.arange(np.datetime64(first), np.datetime64(last) + 1).astype(str)
    frame = pd.DataFrame(
        {
            "date": rng.choice(days, rows),
            "municipality": rng.choice(places, rows, p=share / share.sum()),
            "child": [child(n) for n in rng.integers(0, children, rows)],
            "programme_child": "",
            "origin": rng.choice(["", *places], rows),
            "destination": rng.choice(["", *places], rows),
        }
    )
    for name in ("pathway", "stage", "form", "axis", "sex", "age_band", "found"):
        weights = rng.gamma(1.0, size=len(CATEGORIES[name])) + 1e-9
        frame[name] = rng.choice(CATEGORIES[name], rows, p=weights / weights.sum())
    return frame[COLUMNS].astype("str")


def batches(frame, size=997):
    """Return a frame as batches with dictionary-encoded text, in the form that the vault yields."""
    for start in range(0, len(frame), size):
        part = frame.iloc[start : start + size]
        arrays = {}
        for name in part.columns:
            column = pa.array(part[name].tolist())
            text = pa.types.is_string(column.type) and name not in ("child", "programme_child", "household")
            arrays[name] = column.dictionary_encode() if text else column
        yield pa.RecordBatch.from_pydict(arrays)


class MemoryVault:
    """A replacement for data.restricted.vault.Vault that keeps records and publications in memory."""

    def __init__(self, **records):
        self.records = records
        self.published, self.staged, self.releases = {}, None, {}

    def read(self, kind, columns=None):
        frame = self.records.get(kind)
        if frame is not None:
            usual = {"batch": 1, "partner": "", "household": ""}
            frame = frame.assign(**{name: usual[name] for name in usual.keys() - set(frame)})
            yield from batches(frame[list(columns)] if columns else frame)

    def partners(self, kind):
        frame = self.records.get(kind)
        return sorted(set(frame["partner"]) - {""}) if frame is not None and "partner" in frame else []

    def list_imports(self):
        return []

    def published_blocks(self):
        return {
            name: SimpleNamespace(members=blob, release=self.releases[name]) for name, blob in self.published.items()
        }

    def staged_publication(self):
        return self.staged[0] if self.staged else None

    def stage_publication(self, release, blocks):
        self.staged = (release, dict(blocks))

    def confirm_publication(self, release):
        assert self.staged_publication() == release
        self.published.update(self.staged[1])
        self.releases.update(dict.fromkeys(self.staged[1], release))
        self.staged = None

    def discard_publication(self, release):
        assert self.staged_publication() == release
        self.staged = None


def fill(vault, frame, source):
    """Add encounters to a real vault as the import `source`."""
    names = [f"{source} {n}" for n in range(len(frame))]
    identity = [hashlib.sha256(n.encode()).digest()[:16] for n in names]
    rest = dict.fromkeys(("country", "community", "record_number"), "")
    rest |= {name: "unknown" for name in (*OF_COUNTRIES, "help") if name not in frame}
    rest |= {"household": ""} if "household" not in frame else {}
    vault.add("encounter", frame.assign(**rest, partner="arsis", identity=identity, content=identity), source)


def release(vault, folder, **changes):
    """Write a release with default settings, apart from `changes`, and return it."""
    settings = {
        "areas_geoparquet": areas_bytes(),
        "area_table": area_table(),
        "figures": figures(),
        "invented": True,
        "record_keys": KEYS if vault is not None else None,
        "policy": ONE_YEAR,
    }
    return make_release(vault, folder, **{**settings, **changes})


def main(folder, vault, plan):
    """Write one release of a real vault; print "begin" before it and its name after it."""
    with Vault.open(Path(vault), VAULT_KEY) as opened:
        os.write(1, b"begin\n")
        os.write(1, release(opened, Path(folder), plan=PLANS[plan]).name.encode() + b"\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
