"""Reference tables: the files match the registry, and every published row has its area."""

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from data.reference import FOLDER, area_table, name_table, registry, settlement_table
from geo.places import Places
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import ROOT
from tests.helpers.reference import read_rows


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def count_rows(path: Path) -> int:
    if path.suffix == ".geojson":
        return len(json.loads(path.read_text(encoding="utf-8"))["features"])
    return len(rows_of(path))


@pytest.mark.parametrize("entry", registry(), ids=lambda entry: entry.file)
def test_a_shipped_file_is_the_one_in_the_registry(entry):
    path = FOLDER / entry.file
    assert hashlib.sha256(path.read_bytes()).hexdigest() == entry.sha256
    assert count_rows(path) == entry.rows
    assert entry.name
    assert entry.source
    assert entry.licence
    assert entry.retrieved


def test_every_shipped_data_file_is_registered():
    shipped = {p.name for p in FOLDER.iterdir() if p.suffix in {".csv", ".geojson", ".parquet"}}
    assert shipped == {entry.file for entry in registry()}


def test_the_area_table_counts_the_classification():
    table = area_table()
    municipalities = table[table["level"] == "municipality"]
    counted = municipalities[municipalities["counted"]]
    assert counted.groupby("country").size().to_dict() == {"AL": 61, "GR": 325}
    assert table[table["level"] == "region"].groupby("country").size().to_dict() == {
        "AL": 12, "GR": 14,
    }  # fmt: skip
    assert table[table["level"] == "country"].index.tolist() == ["AL", "GR"]
    assert len(municipalities) - len(counted) == 12


def test_areas_form_a_tree_of_three_levels():
    table = area_table()
    outer = {"municipality": "region", "region": "country"}
    for code, row in nonempty(table.iterrows()):
        if row["level"] == "country":
            assert row["parent"] == ""
            continue
        parent = table.loc[row["parent"]]
        assert parent["level"] == outer[row["level"]], code
        assert parent["country"] == row["country"], code


def test_the_twelve_of_2019_follow_five_in_file_order():
    table = area_table()
    split = table.loc[table["succeeded_by"] != "", "succeeded_by"].to_dict()
    assert split == {
        "9069": "9069-1;9069-2",
        "9118": "9118-1;9118-2;9118-3",
        "9120": "9120-1;9120-2;9120-3",
        "9261": "9261-1;9261-2",
        "9264": "9264-1;9264-2",
    }
    assert table.loc["9261-1", "name_en"] == "Mytilene"
    assert table.loc["9261", "valid_to"] < table.loc["9261-1", "valid_from"]


def test_the_crosswalk_has_every_code_once():
    table = area_table()
    regions = table[table["level"] == "region"]
    assert regions["hasc"].is_unique
    assert table.loc[["AL-01", "AL-03"], "hasc"].tolist() == ["AL.BE", "AL.EB"]
    assert table.loc[["AL-01", "AL-03"], "hasc_alt"].tolist() == ["AL.BR", "AL.EL"]
    assert regions["geonames"].is_unique
    assert (regions["geonames"] != "").all()
    nuts = regions.loc[regions["nuts"] != "", "nuts"]
    assert nuts.is_unique
    assert len(nuts) == 25  # Mount Athos has none of its own


def test_changing_the_returned_table_changes_nothing_for_others():
    mine = area_table()
    mine.loc["AL", "name_en"] = "changed"
    assert area_table().loc["AL", "name_en"] == "Albania"


def test_every_further_name_belongs_to_an_area():
    assert set(name_table()["code"]) <= set(area_table().index)
    assert not name_table().duplicated().any()


@pytest.mark.slow
def test_reading_the_table_loads_no_geometry():
    code = (
        "import sys, data.reference as r; r.area_table(); r.registry(); r.name_table();"
        "print({'geopandas', 'shapely', 'pyproj', 'pyogrio'} & set(sys.modules))"
    )
    out = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True,
        cwd=ROOT,
    )  # fmt: skip
    assert out.stdout.strip() == "set()"


def test_codes_and_local_names_are_those_of_the_facts():
    table = area_table()
    facts = [row for row in read_rows("areas.csv") if row["code"]]
    assert len(facts) == 26 + 61 + 325
    for row in facts:
        area = table.loc[row["code"]]
        assert area["name_local"] == row["name_local"]
        assert area["level"] == row["level"]
        outer = row["country"] if row["level"] == "region" else row["region"]
        assert area["parent"] == outer


def test_no_municipality_has_the_code_of_the_statistical_tables():
    statistical = {row["code"] for row in read_rows("greece_census_names.csv")}
    assert len(statistical) > 300
    assert statistical.isdisjoint(area_table().index)


@pytest.mark.parametrize("file", ["population.csv", "communities.csv"])
def test_every_published_row_is_in_exactly_one_area_or_country(file):
    places, table = Places(area_table()), area_table()
    name_column = {"population.csv": "name", "communities.csv": "area"}[file]
    for row in nonempty(read_rows(file)):
        assert places.resolve(row["code"], level=None).code == row["code"]
        if row[name_column] != "national":
            level = table.loc[row["code"], "level"]
            by_name = places.resolve(row[name_column], row["country"], level)
            assert by_name.code == row["code"], row


def test_every_shipped_figure_is_in_exactly_one_area_or_country():
    places = Places(area_table())
    for row in nonempty(rows_of(FOLDER / "figures.csv")):
        assert places.resolve(row["area"], level=None).code == row["area"], row


def test_crossings_name_their_source_and_lie_where_people_of_their_municipality_live():
    crossings = pd.read_csv(FOLDER / "crossings.csv", dtype={"code": "str"}, keep_default_na=False, na_values=[""])
    assert crossings["source"].notna().all()
    assert set(crossings["beyond"]) == {"AL", "GR", "ME", "XK", "MK", "BG", "TR"}
    assert not crossings.duplicated(["code", "name"]).any()
    settlements = settlement_table().groupby("code")
    for row in crossings.dropna(subset=["lat"]).itertuples():
        near = settlements.get_group(row.code)
        degrees = np.hypot(near["lat"] - row.lat, (near["lon"] - row.lon) * 0.75).min()
        assert degrees < 0.25, row.name  # about 28 km
