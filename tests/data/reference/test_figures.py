"""The published figures that ship with the product: they match the schema, and each has its source."""

import pandas as pd
import pytest

from data.reference import area_table, figures
from data.schema import conform
from tests.helpers.reference import read_rows


def find_figure(area, measure, year):
    table = figures()
    rows = table[(table.area == area) & (table.measure == measure) & (table.year == year)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_figures_conform_to_their_schema():
    table = figures()
    assert len(conform(table, "figure")) == len(table)
    assert set(table.area) <= set(area_table().index)
    assert (table.source != "").all()


def test_every_period_is_the_calendar_year_of_the_figure():
    table = figures()
    assert list(table.period) == [f"{year}-01-01/P1Y" for year in table.year]


def test_no_figure_stands_twice():
    table = figures()
    assert not table.duplicated(["area", "period", "measure", "source"]).any()


def test_figures_of_the_done_when():
    assert find_figure("GR-I", "roma_share_of_national", 2021).share == 0.25
    assert find_figure("AL-04", "roma", 2011).number == 1640
    berat = figures()[lambda t: t.area == "AL-01"]
    assert set(berat.measure) == {"population"}


def test_populations_are_those_of_the_facts():
    rows = read_rows("population.csv")
    for row in rows:
        typed = find_figure(row["code"], "population", int(row["census"]))
        assert (typed.number, typed.status) == (float(row["population"]), row["status"])
    regions = area_table().query("level == 'region'").index
    newest = figures()[lambda t: (t.measure == "population") & t.area.isin(regions) & (t.year > 2011)]
    assert len(rows) == len(newest)


@pytest.mark.parametrize(
    ("country", "year", "people"),
    [("AL", 2011, 2800138), ("AL", 2023, 2402113), ("GR", 2011, 10816286), ("GR", 2021, 10432481)],
)
def test_municipalities_add_up_to_their_regions_in_each_census(country, year, people):
    """Mount Athos is counted in Central Macedonia and is no municipality: 1,811 people in 2011, 1,779 in 2021."""
    areas = area_table()
    table = figures()[lambda t: (t.measure == "population") & (t.year == year)].set_index("area")
    towns = areas[(areas.country == country) & (areas.level == "municipality") & areas.counted]
    regions = areas[(areas.country == country) & (areas.level == "region")].drop("GR-69", errors="ignore")
    sums = table.number.loc[towns.index].groupby(towns.parent).sum()
    missing = table.number.loc[regions.index] - sums
    assert missing[missing != 0].to_dict() == ({"GR-B": {2011: 1811, 2021: 1779}[year]} if country == "GR" else {})
    assert table.number.loc[regions.index].sum() == people
    assert set(table.status.loc[towns.index]) == {"provisional"}


def test_the_municipalities_split_in_2019_are_the_sums_of_their_parts():
    people = figures()[lambda t: (t.measure == "population") & (t.year == 2021)].set_index("area").number
    split = {"9118": 97464, "9261": 83068, "9264": 32633, "9120": 34924, "9069": 12546}
    assert people.loc[list(split)].to_dict() == split
    assert not set(people.index) & {"GR-69", *area_table().query("not counted").index}


def test_communities_are_those_of_the_facts():
    rows = read_rows("communities.csv")
    measures = {"Roma": "roma", "Egyptian": "egyptian", "Roma+Egyptian": "roma_and_egyptian"}
    for row in rows:
        national = row["note"] == "share of the national Roma population"
        measure = "roma_share_of_national" if national else measures[row["group"]]
        typed = find_figure(row["code"], measure, int(row["year"]))
        assert ("" if pd.isna(typed.number) else str(int(typed.number))) == row["population"]
        assert ("" if pd.isna(typed.share) else str(typed.share)) == row["share"]
    communal = ["roma", "egyptian", "roma_and_egyptian", "roma_share_of_national"]
    assert len(rows) == figures().measure.isin(communal).sum()


def test_referrals_are_those_of_the_facts():
    columns = {
        "victims": "victims",
        "children": "children_victims",
        "found_by_mobile_units": "found_by_mobile_units",
        "mobile_unit_regions": "mobile_unit_regions",
    }
    cells = 0
    for row in read_rows("referrals.csv"):
        for column, measure in columns.items():
            if row[column]:
                cells += 1
                assert find_figure(row["country"], measure, int(row["year"])).number == float(row[column])
    assert cells == figures().measure.isin(columns.values()).sum()
