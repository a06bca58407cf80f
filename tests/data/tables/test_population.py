"""People between censuses: linear, nearest outside, additive, and the better of two figures for one year."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.reference import area_table, figures
from data.tables.population import interpolate_population, is_between_censuses, list_used_censuses

QUARTERS = [f"{year}-{month:02}-01/P3M" for year in range(2005, 2027) for month in (1, 4, 7, 10)]


def census(*rows):
    """Figures of population: area, year, number, status."""
    table = pd.DataFrame(rows, columns=["area", "year", "number", "status"])
    return table.assign(measure="population", period=[f"{y}-01-01/P1Y" for y in table["year"]])


def test_between_two_censuses_the_number_is_on_the_line():
    people = interpolate_population(census(("A", 2011, 1000, "read"), ("A", 2021, 1100, "read")), ["2016-01-01/P1Y"])
    # 2011 and 2016 begin 1,826 days apart, 2011 and 2021 3,653; 2016 has a day more, so its middle is half a day later.
    assert people.loc["A"].item() == pytest.approx(1000 + 100 * 1826.5 / 3653)


def test_before_the_first_and_after_the_last_census_the_nearest_stands():
    table = census(("A", 2021, 1100, "read"), ("A", 2011, 1000, "read"), ("B", 2021, 7, "read"))
    people = interpolate_population(table, ["2006-06-01/P3M", "2026-06-01/P3M"])
    assert people.loc["A"].tolist() == [1000, 1100]
    assert people.loc["B"].tolist() == [7, 7]


def test_it_is_known_whether_a_number_is_interpolated():
    table = census(("A", 2011, 1000, "read"), ("A", 2021, 1100, "read"))
    assert is_between_censuses(table, ["2006-06-01/P3M", "2012-06-01/P3M"])
    assert not is_between_censuses(table, ["2006-06-01/P3M", "2026-06-01/P3M"])
    assert not is_between_censuses(table.head(1), ["2012-06-01/P3M"])


def test_the_censuses_behind_a_number_are_the_ones_around_its_period():
    table = census(("A", 2011, 1000, "read"), ("A", 2021, 1100, "read"), ("B", 2021, 7, "read"))
    table["source"] = "Census " + table["year"].astype(str)
    areas = pd.DataFrame({"country": ["AL", "AL"], "level": ["region", "region"]}, index=["A", "B"])
    periods = ["2006-06-01/P1Y", "2011-01-01/P1Y", "2015-06-01/P1Y", "2025-06-01/P1Y"]
    used = list_used_censuses(table, areas, periods)
    years = {period: sorted(rows["year"]) for period, rows in used[used["area"] == "AL"].groupby("period")}
    assert years == dict(zip(periods, [[2011, 2021], [2011, 2021], [2011, 2021], [2021]], strict=True))
    alone = list_used_censuses(table[table["area"] == "A"], areas, periods)
    assert alone.groupby("period")["year"].agg(list).to_dict() == dict(
        zip(periods, [[2011], [2011], [2011, 2021], [2021]], strict=True)
    )
    assert set(alone.columns) == {"area", "period", "source", "year"}


def test_of_two_figures_for_a_year_the_one_that_is_not_provisional_is_used():
    final, first = ("A", 2021, 1100, "census"), ("A", 2021, 1000, "provisional")
    for rows in ((final, first), (first, final)):
        assert interpolate_population(census(*rows), ["2021-01-01/P3M"]).loc["A"].item() == 1100


def test_municipalities_add_up_to_their_region_in_every_quarter():
    areas, people = area_table(), interpolate_population(figures(), QUARTERS)
    towns = areas[(areas.level == "municipality") & areas.counted]
    regions = people.loc[people.index.isin(areas.index[areas.level == "region"])].drop("GR-B")  # and Mount Athos
    np.testing.assert_allclose(people.loc[towns.index].groupby(towns.parent).sum().loc[regions.index], regions)


@pytest.mark.slow
@given(
    years=st.lists(st.integers(1950, 2040), min_size=1, max_size=4, unique=True),
    number=st.integers(0, 10**7),
    slope=st.integers(0, 10**4),
)
def test_every_number_lies_between_the_censuses_around_it(years, number, slope):
    rows = [("A", year, number + slope * (year - 1950), "read") for year in years]
    people = interpolate_population(census(*rows), QUARTERS).loc["A"].to_numpy()
    assert (np.diff(people) >= 0).all()
    assert people.min() >= min(row[2] for row in rows) - 1e-6
    assert people.max() <= max(row[2] for row in rows) + 1e-6
