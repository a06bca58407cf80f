"""Every cell of a released table has a row, with state and number, in every file, on the map and in its table."""

import contextlib
import json
import re
from functools import cache
from itertools import product

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest

from dashboard.map.values import STATE_CODES, Mark, describe_layer
from data.release import Release
from data.tables.periods import Period
from data.tables.spec import TIERS
from data.tables.states import STATES
from geo import export
from geo.export import export_layers
from geo.layers import find_layer
from geo.layers.core import View
from geo.layers.core.words import describe_state, format_quantity
from geo.layers.output import wide
from geo.layers.output.table import build_table
from tests.helpers import small_worlds
from tests.helpers.nonempty import nonempty

pytestmark = pytest.mark.slow

GRAINS = ("quarter", "year", "whole")
NUMBERS = ["value", "margin", "low", "high", "noisy", "noisy_margin"]
ZEROS = ["almost_none", "not_searched", "structural_zero"]
LARGEST = 5
COUNTED = ("encounters", "services", "effort", "communities")
COMPUTED = {
    "risk": {
        "class": "risk",
        "burden": "burden",
        "chance": "exceedance",
        "change": "riskchange",
        "expected": "forecast",
    },
    "access": {"places": "access", "gap": "accessgap", "minutes": "accesstime"},
}
LONG = ("csv", "xlsx", "parquet", "gpkg")
MAPS = ("geojson", "parquet", "gpkg")
LETTERS = {letter: state for state, letter in STATE_CODES.items()}


# ---- releases --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def releases(tmp_path_factory):
    """Release a world with all kinds of records, withheld services, and areas without outreach or estimates."""
    folder = tmp_path_factory.mktemp("releases")
    service = pd.DataFrame(
        {
            "municipality": ["101", "101", "102", "103"],
            "operator": ["A", "A", "B", "C"],
            "duty_bearer": ["ngo"] * 4,
            "axis": ["prevention", "protection", "protection", "protection"],
            "staff": [2, 3, 4, None],
            "capacity": [10, 5, None, 20],
            "valid_from": ["2006-01-01"] * 4,
            "valid_to": [""] * 4,
            "handed_from": [""] * 4,
            "handed_to": [""] * 4,
            "help": ["social;legal", "unknown", "legal", "shelter"],
        }
    )
    effort = pd.DataFrame({"date": ["2006-06-05", "2006-11-06"], "municipality": ["101", "9001"], "days": [3.5, 120.0]})
    community = pd.DataFrame({"area": ["AL-11"], "group": ["roma"], "estimate": [640], "year": [2005]})
    encounters = small_worlds.encounters(np.random.default_rng(2), 400, 250)
    vault = small_worlds.MemoryVault(encounter=encounters, effort=effort, service=service, community=community)
    small_worlds.release(vault, folder, areas_geoparquet=small_worlds.draw_areas())
    return {tier: Release.open(folder, tier) for tier in TIERS}


@pytest.fixture(scope="module")
def scored_releases(scored):
    return {tier: Release.open(scored.releases, tier, derived=scored.derived) for tier in TIERS}


# ---- what the release says -------------------------------------------------------------------------


def list_tables(layer, chosen):
    """Return measure, breakdown and category of a choice, as docs/researcher.md describes them."""
    if layer in COMPUTED:
        by, _, category = ("crossing", "", chosen["on"]) if layer == "risk" else chosen["of"].partition("-")
        measure = COMPUTED[layer][chosen["show"]]
        return (measure, "", "") if "all" in (by, category) else (measure, by, category)
    if layer == "communities":
        return "communities", "", chosen["group"]
    by, _, category = chosen.get("of", "all").partition("-")
    measure = {"encounters": "children", "effort": "effort"}.get(layer) or chosen["what"]
    return (measure, "", "") if by == "all" else (measure, by, category)


@cache
def list_counted(release, level):
    areas = pd.read_parquet(release.areas_file, columns=["code", "level", "counted"])
    return areas.loc[(areas["level"] == level) & areas["counted"], "code"]


def list_choices(layer):
    names = [option.id for option in layer.options]
    return [
        dict(zip(names, c, strict=True)) for c in product(*([choice.id for choice in o.choices] for o in layer.options))
    ]


def read_expected(release, layer):
    """Return every cell of a layer from the release's own tables, indexed by level, area, period and choices.

    Changes of a whole country are in the tables of the risk model, for the pages, and on no map.
    """
    parts = []
    levels = ("region", "municipality") if layer.id in COMPUTED else ("country", "region", "municipality")
    for chosen, level, grain in product(list_choices(layer), levels, GRAINS):
        measure, by, category = list_tables(layer.id, chosen)
        name = "_".join(filter(None, (measure, level, grain, by)))
        if name not in release.tables:
            continue
        table = release.table(name)
        for column in {by, "group"} & set(table):
            table = table[table[column] == category]
        table = adjust(table, level) if layer.id == "encounters" else table
        table = table.reindex(columns=["area", "period", "state", *NUMBERS])
        # The risk model leaves out an area without people: it has no data, which is a state too.
        known = set(zip(table["area"], table["period"], strict=True))
        absent = [p for p in product(list_counted(release, level), table["period"].unique()) if p not in known]
        more = pd.DataFrame(absent, columns=["area", "period"]).assign(state="no_data")
        parts.append(pd.concat([table.astype(dict.fromkeys(NUMBERS, float)), more]).assign(level=level, **chosen))
    return order(pd.concat(parts, ignore_index=True).rename(columns={"area": "code"}), layer)


def adjust(table, level):
    """Add the shown numbers to a table of published numbers of children, by docs/researcher.md."""
    noisy, margin, reconciled = (table[c].astype("Float64").astype(float) for c in ("value", "margin", "reconciled"))
    is_number, is_zero = table["state"] == "number", table["state"].isin(ZEROS)
    moved = (is_number & reconciled.notna()) | (is_zero & (reconciled > 0))
    reach = (margin + (reconciled - noisy).abs()).where(is_number, LARGEST + 2 * (level == "municipality") + reconciled)
    shown = {"value": noisy.mask(moved, reconciled), "margin": margin.mask(moved, reach)}
    return table.assign(**shown, noisy=noisy, noisy_margin=margin)


def order(rows, layer):
    """Return the rows of a layer in the same form for every kind of file."""
    keys = ["level", "code", "period", *(option.id for option in layer.options)]
    numbers = rows.reindex(columns=NUMBERS).replace("", None).astype(float)
    rows = rows[[*keys, "state"]].astype("str").join(numbers)
    assert not rows.duplicated(keys).any()
    return rows.set_index(keys).sort_index()


@pytest.fixture(scope="module")
def expected(releases, scored_releases):
    """Return a function that returns the release of a layer, and every cell of it, which it reads once."""

    @cache
    def read(tier, name):
        release = (scored_releases if name in COMPUTED else releases)[tier]
        return release, read_expected(release, find_layer(name))

    return read


CASES = [
    *product(TIERS, COUNTED[1:]),
    ("partner", "encounters"),
    ("public", "encounters"),
    ("partner", "risk"),
    ("public", "risk"),
    ("partner", "access"),
]


def find_states(expected, cases):
    return {state for case in cases for state in expected(*case)[1]["state"]}


def test_the_worlds_have_states_of_numbers_that_nobody_may_see(expected):
    assert find_states(expected, [("public", "encounters")]) >= {"number", "few"}
    assert find_states(expected, [("partner", "services")]) >= {"number", "class", "withheld"}


@pytest.mark.long
def test_the_worlds_have_every_state_that_a_file_could_lose(expected, releases, scored_releases):
    for tier, name in product(TIERS, (*COUNTED, *COMPUTED)):
        release = (scored_releases if name in COMPUTED else releases)[tier]
        assert ((tier, name) in CASES) == bool(find_layer(name).levels(release))
    states = {tier: find_states(expected, [case for case in CASES if case[0] == tier]) for tier in TIERS}
    assert states["partner"] >= {"number", "class", "almost_none", "not_searched", "withheld", "no_data", "cannot_tell"}
    assert states["public"] >= {"number", "class", "few", "withheld", "no_data", "cannot_tell"}


# ---- what the files say ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(expected, tmp_path_factory):
    """Return a function that writes the files of a layer once for all tests."""

    @cache
    def write(tier, name, form):
        return export_layers(expected(tier, name)[0], tmp_path_factory.mktemp("files"), [form], [name])

    return write


@pytest.fixture
def fresh(expected, tmp_path):
    """Return a function that writes the files of a layer again."""
    return lambda tier, name, form: export_layers(expected(tier, name)[0], tmp_path, [form], [name])


def read_long(files, form, layer):
    """Read the table of all cells of a layer from a file."""
    if form == "csv":
        (path,) = (p for p in files if p.name.endswith(f"-{layer.id}.csv"))
        return order(pd.read_csv(path, dtype="str", keep_default_na=False, encoding="utf-8-sig"), layer)
    if form == "xlsx":
        with contextlib.closing(openpyxl.load_workbook(files[0], read_only=True)) as book:
            rows = list(book[layer.title].values)
        return order(pd.DataFrame(rows[1:], columns=rows[0]), layer)
    if form == "parquet":
        (path,) = (p for p in files if p.name.endswith(f"-{layer.id}-all.parquet"))
        return order(pd.read_parquet(path), layer)
    return order(pyogrio.read_dataframe(files[0], layer=f"{layer.id}_all"), layer)


def read_map(files, form, layer, level):
    """Read the map of a level from a file: one row for each area."""
    if form == "gpkg":
        return pyogrio.read_dataframe(files[0], layer=f"{layer.id}_{level}", read_geometry=False).set_index("code")
    (path,) = (p for p in files if p.name.endswith(f"-{layer.id}-{level}.{form}"))
    if form == "parquet":
        return gpd.read_parquet(path).set_index("code")
    features = json.loads(path.read_text(encoding="utf-8"))["features"]
    return pd.DataFrame([f["properties"] for f in features]).set_index("code")


@pytest.mark.always(
    "partner-services-csv",
    "partner-encounters-csv",
    "public-encounters-csv",
    "public-encounters-xlsx",
    "public-encounters-parquet",
    "public-encounters-gpkg",
    "partner-risk-csv",
)
@pytest.mark.parametrize("form", LONG)
@pytest.mark.parametrize(("tier", "name"), CASES)
def test_each_file_has_every_cell(expected, written, tier, name, form):
    _, cells = expected(tier, name)
    pd.testing.assert_frame_equal(read_long(written(tier, name, form), form, find_layer(name)), cells)


@pytest.mark.always(
    "partner-services-geojson", "public-encounters-geojson", "public-encounters-parquet", "public-encounters-gpkg"
)
@pytest.mark.parametrize("form", MAPS)
@pytest.mark.parametrize(("tier", "name"), CASES)
def test_each_map_file_has_every_area_with_its_state(expected, written, tier, name, form):
    release, cells = expected(tier, name)
    layer, files = find_layer(name), written(tier, name, form)
    for level in nonempty(layer.levels(release)):
        rows = read_map(files, form, layer, level)
        assert sorted(rows.index) == sorted(list_counted(release, level))
        inside = cells.reset_index().query("level == @level")
        for chosen, stem in list_columns(layer):
            if f"{stem}__state" in rows or not stem:
                check_areas(rows, find_shown(release, inside, layer, level, chosen).loc[rows.index], stem)


def list_columns(layer):
    """Return the choices that a map file may contain, each with the start of its column names; "" is the default."""
    plain = {option.id: option.default for option in layer.options}
    beside = [({**plain, o.id: c.id}, c.id.replace("-", "_")) for o in layer.options for c in o.choices[1:]]
    return [(plain, ""), *beside]


def find_shown(release, rows, layer, level, chosen):
    """Return the cells of a choice in its longest and last period; for an unpublished choice, those of "all".

    rows : the cells of the level.
    """
    data = layer.read(release, View(level, wide.choose_latest_view(release, level).period, chosen))
    for name, choice in chosen.items():
        rows = rows[rows[name] == (choice if choice in set(rows[name]) else "all")]
    named = [period for period in rows["period"].unique() if Period.parse(period).label == data.legend.period]
    longest = max(named, key=lambda p: GRAINS.index(Period.parse(p).grain))
    return rows[rows["period"] == longest].set_index("code")


def check_areas(rows, known, stem):
    assert rows[f"{stem}__state" if stem else "state"].tolist() == known["state"].tolist(), stem
    for name in NUMBERS:
        column = name if not stem else stem if name == "value" else f"{stem}__{name}"
        wanted = known[name].to_numpy(float)
        if column in rows:
            np.testing.assert_allclose(rows[column].astype(float), wanted, rtol=1e-12, err_msg=column)
        else:
            assert np.isnan(wanted).all(), column


@pytest.mark.always("partner-services", "partner-encounters", "public-encounters")
@pytest.mark.parametrize(("tier", "name"), CASES)
def test_the_map_and_its_table_have_every_area_with_its_state(expected, tier, name):
    release, cells = expected(tier, name)
    layer = find_layer(name)
    options = [option.id for option in layer.options]
    views = cells.reset_index()[["level", "period", *options]].drop_duplicates()
    for row in views.sample(min(15, len(views)), random_state=1).to_dict("records"):
        view = View(row["level"], row["period"], {o: row[o] for o in options})
        known = cells.loc[(view.level, slice(None), view.period, *view.options.values()), :]
        known = known.reset_index().set_index("code")
        codes = list(list_counted(release, view.level))
        data = layer.read(release, view)
        check_script(data, known.loc[codes], codes)
        check_table(build_table(release, layer, view), known.loc[codes], release, named=data.style.named)


def check_script(data, known, codes):
    words = {state: state for state in STATES}
    text = describe_layer(Mark(data, "t", "u", ("a",) * 5, words), codes)
    fields = dict(re.findall(r"[{,]([svm]):'([^']*)'", text))
    marks = re.findall(r"([a-z0-9])(?:\((\d+)\))?", fields["s"])
    marks = [mark for mark, times in marks for _ in range(int(times or 1))]
    assert len(marks) == len(codes)
    shown = [LETTERS.get(mark, "shown") for mark in marks]
    drawn = known["state"].isin(["number", "class"]) | (known["state"].isin(ZEROS) & (known["value"] > 0))
    assert shown == known["state"].mask(drawn, "shown").tolist()
    values = [(v, int(n or 1)) for v, n in re.findall(r"([^,(]*)(?:\((\d+)\))?(?:,|$)", fields.get("v", ""))]
    values = [float(v) if v else np.nan for v, times in values for _ in range(times)]
    wanted = known.loc[drawn, "value"]
    if wanted.notna().any():
        np.testing.assert_allclose(values[: len(wanted)], wanted, rtol=1e-5)


def check_table(table, known, release, *, named):
    assert list(table.index) == list(known.index)
    assert table["State"].tolist() == [
        describe_state(state, release.k, release.find_threshold(level))
        for state, level in zip(known["state"], known["level"], strict=True)
    ]
    numbers = [format_quantity(*ends) for ends in known[["value", "low", "high"]].to_numpy()]
    if named:
        assert [bool(t) for t in table["Value"]] == [bool(t) for t in numbers]
    else:
        assert table["Value"].tolist() == numbers


# ---- the comparison sees what is lost --------------------------------------------------------------


@pytest.mark.always("csv")
@pytest.mark.parametrize("form", LONG)
def test_a_file_that_drops_a_withheld_row_is_seen(expected, fresh, monkeypatch, form):
    _, cells = expected("partner", "services")
    build = wide.build_long_table
    monkeypatch.setattr(export.wide, "build_long_table", lambda *arguments: drop_one(build(*arguments)))
    files = fresh("partner", "services", form)
    lost = cells.index.difference(read_long(files, form, find_layer("services")).index)
    assert len(lost) == 1
    with pytest.raises(AssertionError):
        test_each_file_has_every_cell(expected, fresh, "partner", "services", form)


@pytest.mark.always("geojson")
@pytest.mark.parametrize("form", MAPS)
def test_a_map_file_that_drops_a_withheld_row_is_seen(expected, fresh, monkeypatch, form):
    build = wide.build_map_table

    def lose(*arguments):
        rows, data = build(*arguments)
        return drop_one(rows), data

    monkeypatch.setattr(export.wide, "build_map_table", lose)
    with pytest.raises(AssertionError):
        test_each_map_file_has_every_area_with_its_state(expected, fresh, "partner", "services", form)


def drop_one(rows):
    withheld = rows.index[rows["state"] == "withheld"]
    assert len(withheld)
    return rows.drop(withheld[:1])
