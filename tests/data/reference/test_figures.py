"""The published figures that ship: typed from the facts, conforming, each with its source."""

import pandas as pd

from data.reference import area_table, figures
from data.schema import conform
from tests.helpers.reference import read_rows


def one(area, measure, year):
    table = figures()
    found = table[(table.area == area) & (table.measure == measure) & (table.year == year)]
    assert len(found) == 1
    return found.iloc[0]


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
    assert one("GR-I", "roma_share_of_national", 2021).share == 0.25
    assert one("AL-04", "roma", 2011).number == 1640
    berat = figures()[lambda t: t.area == "AL-01"]
    assert set(berat.measure) == {"population"}


def test_populations_are_those_of_the_facts():
    rows = read_rows("population.csv")
    for row in rows:
        typed = one(row["code"], "population", int(row["census"]))
        assert (typed.number, typed.status) == (float(row["population"]), row["status"])
    assert len(rows) == (figures().measure == "population").sum()


def test_communities_are_those_of_the_facts():
    rows = read_rows("communities.csv")
    measures = {"Roma": "roma", "Egyptian": "egyptian", "Roma+Egyptian": "roma_and_egyptian"}
    for row in rows:
        national = row["note"] == "share of the national Roma population"
        measure = "roma_share_of_national" if national else measures[row["group"]]
        typed = one(row["code"], measure, int(row["year"]))
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
                assert one(row["country"], measure, int(row["year"])).number == float(row[column])
    assert cells == figures().measure.isin(columns.values()).sum()
