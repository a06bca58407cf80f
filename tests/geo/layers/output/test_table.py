"""The table of a layer has the content of the map in words."""

import sqlite3

import pandas as pd
import pytest

from geo.export import list_layers
from geo.layers import LAYERS, find_layer
from geo.layers.core import View
from geo.layers.output.columns import build_codebook
from geo.layers.output.table import build_table
from geo.layers.output.wide import build_long_table, build_map_table
from tests.helpers import small_release
from tests.helpers.nonempty import nonempty
from tests.helpers.small_release import HOSTILE, YEARS


@pytest.fixture(scope="module")
def partner(tmp_path_factory):
    return small_release.make(tmp_path_factory.mktemp("partner"), "partner")


def test_numbers_states_margins_and_sources(partner):
    rows = build_table(partner, find_layer("encounters"), View("region", YEARS[0]))
    assert list(rows.columns) == [
        *("Area", "Local name", "Country", "Value", "Margin (±)", "Published, with noise", "State", "Source", "Note")
    ]
    assert list(rows.loc["AL-02"][["Value", "Margin (±)", "State"]]) == ["40", "5", "number"]
    assert list(rows.loc["GR-I"][["Value", "Margin (±)", "State"]]) == ["", "", "not searched"]
    assert set(rows["Source"]) == {"Invented records, release 2008-05-001"}


def test_published_figures_carry_source_and_year(partner):
    rows = build_table(partner, find_layer("roma_figures"), View("region", ""))
    assert list(rows.loc["AL-04"][["Value", "Source"]]) == ["1,640", "Census of Albania 2011"]
    assert list(rows.loc["AL-01"][["Value", "State", "Source"]]) == ["", "no published figure", ""]
    shares = build_table(partner, find_layer("roma_figures"), View("region", "", {"figure": "national-share"}))
    assert list(shares.loc["GR-I"][["Value", "Source"]]) == [
        "25",
        "Official mapping of Roma living areas in Greece 2021",
    ]


def test_a_class_reads_as_a_range(partner):
    rows = build_table(partner, find_layer("communities"), View("region", YEARS[1]))
    assert rows.loc["AL-02", "Value"] == "50 to 199"
    assert rows.loc["AL-04", "Value"] == "at least 1,000"


def test_a_least_number_reads_as_one(partner):
    rows = build_table(partner, find_layer("services"), View("region", small_release.QUARTERS[0]))
    assert list(rows.loc["AL-02"][["Value", "Margin (±)"]]) == ["at least 1", ""]
    assert list(rows.loc["AL-01"][["Value", "State"]]) == ["0", "number"]


def test_rows_for_a_map_keep_numbers_beside_least_ones(partner):
    rows, _ = build_map_table(partner, find_layer("services"), "region")
    assert pd.isna(rows.loc["AL-02", "value"])
    assert rows.loc["AL-02", ["low", "axis_prevention", "axis_protection__state"]].to_list() == [1, 0, "withheld"]


def test_text_of_an_area_is_left_as_it_is(partner):
    assert build_table(partner, find_layer("effort"), View("region", YEARS[1])).loc["GR-A", "Area"] == HOSTILE


@pytest.mark.always("encounters")
@pytest.mark.slow
@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
def test_long_rows_hold_what_the_map_shows(partner, layer):
    rows = build_long_table(partner, layer)
    for level in nonempty(layer.levels(partner)):
        shown, data = build_map_table(partner, layer, level)
        here = rows[rows["level"] == level]
        for option in layer.options:
            here = here[here[option.id] == option.default]
        for code, value in data.frame["value"].dropna().items():
            assert value in set(here.loc[here["code"] == code, "value"])
        assert list(shown.index) == list(data.frame.index)


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
def test_every_column_is_in_the_codebook(partner, layer):
    known = set(build_codebook(partner, (layer,))["column"])
    assert set(build_long_table(partner, layer).columns) <= known
    for level in layer.levels(partner):
        columns = {c.partition("__")[0] for c in build_map_table(partner, layer, level)[0].columns}
        assert columns <= known


@pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.id)
def test_the_filter_in_the_codebook_leaves_one_row_for_each_area_and_period(partner, layer):
    book = build_codebook(partner, (layer,))
    assert book["meaning"].str.startswith("Do not add up").sum() == 1
    condition = book.loc[book["kind"] == "filter", "value"].item()
    assert bool(condition) == bool(layer.levels(partner))
    if condition:
        connection = sqlite3.connect(":memory:")
        build_long_table(partner, layer).to_sql("rows", connection, index=False)
        rows = connection.execute(f"SELECT code, period FROM rows WHERE {condition}").fetchall()
        connection.close()
        assert rows
        assert len(set(rows)) == len(rows)


@pytest.mark.parametrize("name", ["population", "roma_figures"])
def test_the_filter_in_the_codebook_takes_the_newest_figure_of_each_area(partner, name):
    layer = find_layer(name)
    level = layer.levels(partner)[-1]
    book = build_codebook(partner, (layer,))
    condition = book.loc[book["kind"] == "filter", "value"].item()
    connection = sqlite3.connect(":memory:")
    build_long_table(partner, layer).to_sql("rows", connection, index=False)
    rows = dict(connection.execute(f"SELECT code, value FROM rows WHERE {condition}").fetchall())
    (number,) = connection.execute(f"SELECT count(*) FROM rows WHERE {condition}").fetchone()
    connection.close()
    newest = layer.read(partner, View(level, "")).frame["value"]
    assert number == len(rows) == len(newest)
    assert pd.Series(rows, dtype=float).reindex(newest.index).equals(newest)


def test_years_of_all_choices_are_whole_numbers(partner):
    for name in ("roma_figures", "referrals"):
        layer = find_layer(name)
        table, _ = build_map_table(partner, layer, layer.levels(partner)[0])
        kinds = {column: str(table[column].dtype) for column in table if column.endswith("year")}
        assert len(kinds) > 1
        assert set(kinds.values()) == {"Int64"}


def test_rows_say_whose_numbers_they_are(partner):
    whose = {layer.id: set(build_long_table(partner, layer)["data"]) for layer in list_layers(partner)}
    assert whose["encounters"] == {"invented"}
    assert whose["population"] == whose["roma_figures"] == whose["referrals"] == {"published"}
