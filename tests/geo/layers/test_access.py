"""The access layer: a sum that leaves out withheld numbers reads "at least", and only certain gaps are named."""

import pytest

from dashboard.map.view import parse_address, settle_view
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from data.disclosure.attacks import surface
from data.release import Release
from geo.export import FORMATS, export_layers, list_layers
from geo.layers import find_conflict, find_layer, find_map_conflict, group_layers
from geo.layers.access import SURE, WAYS, format_chance
from geo.layers.core import View
from geo.layers.output.columns import build_codebook
from geo.layers.output.table import build_table
from geo.layers.output.wide import build_long_table
from risk.access.tables import A_GAP, CATCHMENT, GAP, NO_GAP

ACCESS = find_layer("access")
VIEW = View("region", "")


@pytest.fixture(scope="module")
def partner(scored):
    return Release.open(scored.releases, "partner", derived=scored.derived)


def read(release, **options):
    return ACCESS.read(release, View("region", "", options))


def rows(release, measure, axis):
    table = release.table(f"{measure}_region_quarter_axis")
    return table[table["axis"] == axis].set_index("area")


def test_the_words_are_those_of_what_was_worked_out(partner):
    assert A_GAP[0] == SURE
    assert NO_GAP[1] == 100 - SURE
    assert GAP == 0.5
    assert "half of the national average" in " ".join(read(partner, show="gap").style.labels)
    assert CATCHMENT.minutes == 120
    assert "within two hours" in read(partner).legend.unit


def test_places_read_at_least_where_some_are_withheld(partner):
    source = rows(partner, "access", "protection")
    data = read(partner, of="axis-protection")
    shown = build_table(partner, ACCESS, View("region", "", {"of": "axis-protection"}), data)
    assert {"number", "class", "withheld"} <= set(source["state"])
    for area, row in source.iterrows():
        value, state = shown.loc[area, "Value"], shown.loc[area, "State"]
        if row["state"] == "number":
            assert value == f"{row['value']:,g}"
        elif row["state"] == "class":
            assert value == f"at least {row['low']:,g}"
            assert "some services are withheld" in shown.loc[area, "Note"]
        else:
            assert (value, state) == ("", "withheld to protect people")
    assert "at least this number" in data.legend.margin
    assert "at least this number" not in read(partner, of="axis-prevention").legend.margin
    assert not [label for label in read(partner, of="axis-prevention").style.labels if "at least" in label]


def test_a_gap_takes_a_colour_and_what_cannot_be_told_takes_none(partner):
    source = rows(partner, "accessgap", "prevention")
    data = read(partner, show="gap", of="axis-prevention")
    for area, row in source.iterrows():
        expected = -1 if row["state"] == "cannot_tell" else int(row["low"] == SURE)
        assert data.classes()[area] == expected
    assert set(data.classes()) == {-1, 0, 1}


def test_the_way_says_what_is_not_known_of_it(partner):
    source = rows(partner, "accesstime", "prevention")
    frame = read(partner, show="minutes", of="axis-prevention").frame
    assert {"water", "islands", "land"} <= set(source["way"])
    for area, row in source.iterrows():
        if row["way"] in WAYS:
            assert (frame.loc[area, "state"], frame.loc[area, "note"]) == ("cannot_tell", WAYS[row["way"]])
        else:
            assert frame.loc[area, "value"] == row["value"]
            assert ("may be nearer" in frame.loc[area, "note"]) == row["nearer"]


def test_a_chance_is_never_told_as_sure():
    assert format_chance(0.0, most=False) == format_chance(0.4, most=True) == "under 1 %"
    assert format_chance(100.0, most=False) == "over 99 %"
    assert format_chance(38.0, most=False) == "38 %"
    assert format_chance(100.0, most=True) == "up to 100 %"


@pytest.mark.slow
def test_without_a_result_it_is_not_offered(scored):
    bare = Release.open(scored.releases, "partner")
    assert ACCESS not in list_layers(bare)
    assert ACCESS.levels(bare) == ()
    assert ACCESS.periods(bare, VIEW) == ()
    public = Release.open(scored.releases, "public", derived=scored.derived)
    assert ACCESS not in list_layers(public)


def test_communities_never_lie_over_it_since_it_gives_need_away(scored):
    current = current_release.open_current_release(Site(scored.releases, "partner", derived=scored.derived))
    known = load_areas(current.release).table
    assert find_map_conflict("partner", ["access", "communities"])
    assert find_conflict("public", ["access", "communities"])
    assert find_conflict("partner", ["access", "communities", "risk"])
    assert settle_view(parse_address({"layer": "access", "over": "communities"}), current, known).over == ()
    assert settle_view(parse_address({"layer": "access", "over": "risk"}), current, known).over == ()
    assert group_layers("partner", ["access", "communities"]) == [["access"], ["communities"]]


@pytest.mark.long
def test_every_file_holds_it_and_no_number_that_was_not_worked_out(partner, scored, tmp_path):
    files = export_layers(partner, tmp_path, FORMATS, ["access"])
    findings, went = surface.search(partner, files)
    assert not findings
    assert went["cells"] > 0
    alone = Release.open(scored.releases, "partner")
    tables = [path for path in files if path.suffix == ".csv"]
    assert surface.search(alone, tables)[0], "a release without the result does not hold these numbers"


def test_the_codebook_explains_every_column_and_choice(partner):
    book = build_codebook(partner, (ACCESS,))
    table = build_long_table(partner, ACCESS)
    assert set(table.columns) <= set(book["column"])
    assert set(table["of"]) <= set(book.loc[book["kind"] == "choice", "value"])
    assert (book["meaning"] != "").all()
    assert (table["state"] == "withheld").any()
