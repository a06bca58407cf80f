"""Parts equal totals wherever children are counted: on the map, in panel, table and charts, and in every file.

Each run tests a different world. To repeat a failure, set TACT_SEED to the seed that it names.
"""

import contextlib
import datetime as dt
import json
import os
import re
import secrets
import sqlite3
from datetime import date
from functools import cache, partial
from html import unescape
from itertools import product

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pytest

from dashboard.map.marks import read_mark
from dashboard.pages.situation import headline, summary
from dashboard.pages.trends import summary as trends
from dashboard.site import Site, current_release
from data.disclosure.attacks.membership import attacker
from data.disclosure.policy import Policy
from data.restricted import publishing
from data.tables.periods import Period
from data.tables.spec import TIERS
from geo.export import export_layers, qgis
from geo.layers import find_layer
from geo.layers.core import View
from geo.layers.core.words import describe_state
from geo.layers.output.columns import build_codebook
from geo.layers.output.table import NOISY, build_table
from geo.layers.profile import build_profile
from tests.helpers import small_release, small_worlds
from tests.helpers.nonempty import nonempty

pytestmark = pytest.mark.slow

SEED = int(os.environ.get("TACT_SEED") or secrets.randbelow(2**32))
LAYER = find_layer("encounters")
CHOICES = [choice.id for choice in LAYER.options[0].choices]
TWO = CHOICES[:2]  # all children, and those of one pathway
LEVELS = ("country", "region", "municipality")
ZEROS = ["almost_none", "not_searched", "structural_zero"]
WITHOUT = ["few", "withheld", "no_data"]
KEYS = ["level", "code", "period", "of"]
LARGEST = 5
read_areas = cache(small_worlds.area_table)


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Release two years of a world of four thousand encounters; return the current release of each tier."""
    folder = tmp_path_factory.mktemp("releases")
    rng = np.random.default_rng(SEED)
    encounters = small_worlds.encounters(rng, 4000, 2500, concentration=1.0, last="2008-05-31")
    effort = pd.DataFrame({"date": ["2006-06-05", "2006-11-06"], "municipality": ["101", "9001"], "days": [3.5, 120.0]})
    vault = small_worlds.MemoryVault(encounter=encounters, effort=effort)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attacker, "_SHORT", 200)
        patch.setattr(publishing, "withhold_cells", partial(publishing.withhold_cells, worlds=(500,)))
        policy = Policy(last=date(2008, 5, 31))
        small_worlds.release(vault, folder, areas_geoparquet=small_worlds.draw_areas(), policy=policy)
    return {tier: current_release.open_current_release(Site(folder, tier)) for tier in TIERS}


@pytest.fixture(params=TIERS)
def current(world, request):
    return world[request.param]


# ---- what must add up ------------------------------------------------------------------------------


def check_sums(current, rows, *needed):
    """Check every sum of rows (columns KEYS, value, state): exactly if all parts are shown, else as a lower limit.

    `needed`: the kinds of sums that must occur with all parts. Sums with a number that the release could not reconcile
    are left out.
    """
    areas = read_areas()
    numbers = rows.set_index(KEYS)["value"].astype(float).fillna(0.0).to_dict()
    hidden = set(rows.loc[rows["state"].isin(WITHOUT), KEYS].itertuples(index=False, name=None))
    periods = {p: Period.parse(p) for p in rows["period"].unique()}
    longer_than = {
        name: [longer for longer, around in periods.items() if around.grain != inner.grain and around.contains(inner)]
        for name, inner in periods.items()
    }
    sums = {}
    for level, code, period, choice in numbers:
        part = (level, code, period, choice)
        if level != "country":
            above = (LEVELS[LEVELS.index(level) - 1], areas["parent"][code], period, choice)
            sums.setdefault(("area", above), []).append(part)
        if choice != "all":
            sums.setdefault(("category", (level, code, period, "all"), choice.partition("-")[0]), []).append(part)
        for longer in longer_than[period]:
            sums.setdefault(("period", (level, code, longer, choice), periods[period].grain), []).append(part)
    loose = {cell for cell, row in list_released(current.release) if is_loose(row)}
    exact, limits = dict.fromkeys(needed, 0.0), 0.0
    for (kind, total, *_), parts in sums.items():
        if total not in numbers or total in hidden or loose & {total, *parts}:
            continue
        inside, where = sum(numbers[part] for part in parts), (f"TACT_SEED={SEED}", kind, total)
        if not hidden & set(parts) and is_whole(kind, total, parts, periods):
            assert numbers[total] == inside, where
            exact[kind] = exact.get(kind, 0.0) + inside
        else:
            assert numbers[total] >= inside, where
            limits += inside
    assert all(exact[kind] > 0 for kind in needed), (f"TACT_SEED={SEED}", exact)
    assert limits + sum(exact.values()) > 0, f"TACT_SEED={SEED}"


def list_released(release):
    """Yield each cell of the layer, as KEYS, with its row of the release's tables."""
    for name in release.tables:
        measure, *rest = name.split("_")
        if measure == "children" and rest[2:] in ([], ["pathway"], ["stage"]):
            for row in release.table(name).to_dict("records"):
                choice = "-".join([*rest[2:], row[rest[2]]]) if rest[2:] else "all"
                yield (rest[0], row["area"], row["period"], choice), row


def is_loose(row):
    """Return whether a published number could not be reconciled: on the public tier its result may be below k."""
    return row["state"] == "number" and pd.isna(row["reconciled"])


def is_whole(kind, total, parts, periods):
    """Return whether the parts cover the total: all its quarters, or all existing categories."""
    if kind == "period":
        days = sum((periods[p[2]].end - periods[p[2]].start).days + 1 for p in parts)
        return days == (periods[total[2]].end - periods[total[2]].start).days + 1
    if kind == "category":
        by = parts[0][3].partition("-")[0]
        return len(parts) == sum(choice.startswith(by) for choice in CHOICES)
    areas = read_areas()
    return len(parts) == ((areas["parent"] == total[1]) & areas["counted"]).sum()


def list_views(current, choices=CHOICES):
    """Yield a view for every level, period and choice that the release has."""
    for level, choice in product(LAYER.levels(current.release), choices):
        if LAYER.offers(current.release, level, {"of": choice}):
            rows = LAYER.rows(current.release, level)
            for period in rows.loc[rows["of"] == choice, "period"].unique():
                yield View(level, period, {"of": choice})


def as_number(text):
    """Return a number from its text; NaN where the text is a state."""
    digits = text.replace(",", "")
    return float(digits) if digits.isdigit() else np.nan


def needed(current):
    """Return the kinds of sums that a tier certainly shows; on the public tier each may have a hidden part."""
    return ("area", "period", "category") if current.tier == "partner" else ()


# ---- where it is shown -----------------------------------------------------------------------------


def read_long(files, form):
    """Read the table of all cells of the layer from a file."""
    (path,) = (p for p in files if p.name.endswith({"parquet": "-all.parquet", "csv": "s.csv"}.get(form, form)))
    if form == "csv":
        return pd.read_csv(path, dtype={"code": "str"}, encoding="utf-8-sig")
    if form == "xlsx":
        with contextlib.closing(openpyxl.load_workbook(path, read_only=True)) as book:
            first, *rest = book[LAYER.title].iter_rows(values_only=True)
        return pd.DataFrame(rest, columns=first)
    if form == "parquet":
        return pd.read_parquet(path)
    return pyogrio.read_dataframe(path, layer=f"{LAYER.id}_all")


def read_map(files, form, level):
    """Read the map of a level from a file: one row for each area."""
    if form == "gpkg":
        return pyogrio.read_dataframe(files[0], layer=f"{LAYER.id}_{level}", read_geometry=False)
    (path,) = (p for p in files if p.name.endswith(f"-{level}.{form}"))
    if form == "parquet":
        return gpd.read_parquet(path)
    return pd.DataFrame([f["properties"] for f in json.loads(path.read_text(encoding="utf-8"))["features"]])


@pytest.mark.always("partner-csv", "public-csv")
@pytest.mark.parametrize("form", ["csv", "xlsx", "parquet", "gpkg"])
def test_parts_equal_totals_in_a_file_of_all_cells_and_the_noisy_number_is_beside(current, tmp_path, form):
    rows = read_long(export_layers(current.release, tmp_path, [form], [LAYER.id]), form)
    check_sums(current, rows, *needed(current))
    check_noisy(current.release, rows)


def count_years(period):
    """Return how many years a period of the whole programme has, 1 for all shorter ones."""
    first, last = period.split("/")
    return 1 if last.startswith("P") else round((dt.date.fromisoformat(last) - dt.date.fromisoformat(first)).days / 365)


def check_noisy(release, rows):
    """Check each row with the row of the release's table: number, reconciled number, state and margin."""
    numbers = ["value", "margin", "noisy", "noisy_margin"]
    rows = rows.set_index(KEYS)[[*numbers, "state"]].astype(dict.fromkeys(numbers, float))
    cells, released = rows.to_dict("index"), dict(list_released(release))
    assert len(released) > 20
    for cell, row in released.items():
        shown = cells[cell]
        where = (f"TACT_SEED={SEED}", cell, row, shown)
        assert shown["state"] == row["state"], where
        for column, wanted in (("noisy", row["value"]), ("noisy_margin", row["margin"])):
            assert np.isnan(shown[column]) if pd.isna(wanted) else shown[column] == wanted, where
        if is_loose(row):
            assert release.tier == "public", where
            assert shown["value"] == row["value"], where
        elif row["state"] == "number":
            assert shown["value"] == row["reconciled"], where
        elif row["state"] in ZEROS:
            assert np.nan_to_num(shown["value"]) == (0 if pd.isna(row["reconciled"]) else row["reconciled"]), where
        else:
            assert np.isnan(shown["value"]), where
        if not np.isnan(shown["value"]):
            below = 2 if cell[0] == "municipality" else 0  # partners see their numbers from 3 on
            of_zero = (LARGEST + below) * count_years(row["period"])  # the whole programme is the sum of its years
            published, reach = (0, of_zero) if pd.isna(row["value"]) else (row["value"], row["margin"])
            assert shown["margin"] == reach + abs(shown["value"] - published), where
    assert (rows["value"] != rows["noisy"])[rows["noisy"].notna()].any(), f"TACT_SEED={SEED}"


@pytest.mark.always("partner-geojson")
@pytest.mark.parametrize("form", ["geojson", "parquet", "gpkg"])
def test_parts_equal_totals_in_a_map_file(current, tmp_path, form):
    files = export_layers(current.release, tmp_path, [form], [LAYER.id])
    parts = []
    for level in nonempty(LAYER.levels(current.release)):
        rows = read_map(files, form, level)
        for choice in CHOICES:
            stem = choice.replace("-", "_")
            names = (
                {"value": "value", "state": "state"} if choice == "all" else {stem: "value", f"{stem}__state": "state"}
            )
            if set(names) <= set(rows):
                assert set(rows) >= ({"noisy", "noisy_margin"} if choice == "all" else {f"{stem}__noisy"})
                chosen = rows[["code", *names]].rename(columns=names)
                parts.append(chosen.assign(level=level, period="2006-06-01/2008-05-31", of=choice))
    check_sums(current, pd.concat(parts), *needed(current)[::2])


@pytest.mark.always("partner")
def test_parts_equal_totals_in_the_table_of_the_map(current):
    parts, noisy = [], {}
    for view in list_views(current, TWO):
        table = build_table(current.release, LAYER, view).reset_index(names="code")
        states = {describe_state(s, current.release.k): s for s in WITHOUT}
        rows = table[["code"]].assign(value=table["Value"].map(as_number), state=table["State"].replace(states))
        parts.append(rows.assign(level=view.level, period=view.period, of=view.options["of"]))
        noisy[view.level, view.period, view.options["of"]] = table.set_index("code")[NOISY]
    check_sums(current, pd.concat(parts), *needed(current)[:2])
    published = current.release.table("children_region_year").set_index(["period", "area"])
    for (period, code), row in nonempty(published.iterrows()):
        text = noisy["region", period, "all"][code]
        assert text == ("" if pd.isna(row["value"]) else f"{row['value']:,} ±{row['margin']}"), f"TACT_SEED={SEED}"


@pytest.mark.long
def test_parts_equal_totals_in_the_panel(current):
    parts, facts, read_profile = [], [], cache(partial(build_profile, current.release))
    for view in list_views(current, TWO):
        mark = read_mark(current, LAYER.id, view.level, view.period, tuple(view.options.items()))
        for code, state in mark.data.frame["state"].items():
            text = headline.read_headline(headline.Where(code, code, mark)).text
            cell = (view.level, code, view.period, view.options["of"])
            parts.append((*cell, as_number(text), state))
            if name := {"all": "children", "pathway-internal": "internal"}.get(cell[3]):
                # A profile shows the nearest period where the level has none of this length.
                fact = next(f for f in read_profile(code, view.period).facts if f.id == name)
                if fact.period == Period.parse(view.period).label:
                    facts.append((*cell, as_number(fact.text), state))
    rows = pd.DataFrame(parts, columns=[*KEYS, "value", "state"])
    check_sums(current, rows, *needed(current)[:2])
    panel = pd.DataFrame(facts, columns=[*KEYS, "value", "state"])
    check_sums(current, panel, *needed(current)[:1])
    both = rows.merge(panel, on=[*KEYS, "state"], suffixes=("", "_fact"))
    assert len(both) == len(panel)
    assert both["value"].fillna(-1).equals(both["value_fact"].fillna(-1)), f"TACT_SEED={SEED}"


def test_the_small_bars_of_the_panel_are_the_quarters_of_its_years(world):
    current, parts = world["partner"], []
    for code, level in read_areas().query("counted")["level"].items():
        bars = build_profile(current.release, code, "").series
        parts += [(level, code, bar.period, "all", bar.value, bar.state) for bar in bars]
    bars = pd.DataFrame(parts, columns=[*KEYS, "value", "state"])
    check_sums(current, pd.concat([bars, read_years(current.release)]), "area", "period")


def read_years(release, choice="all"):
    """Return the rows of the years of a choice, as files have them."""
    rows = pd.concat([LAYER.rows(release, level).assign(level=level) for level in LEVELS])
    rows = rows[(rows["of"] == choice) & rows["period"].str.endswith("/P1Y")].rename(columns={"area": "code"})
    return rows[[*KEYS, "value", "state"]]


def test_parts_equal_totals_in_the_charts(world):
    """Quarters add up to years; both pathways and the children without a pathway add up to all children."""
    current, parts = world["partner"], []
    for area, pathway in nonempty(product(current_release.name_regions(current), ("all", "internal", "cross_border"))):
        met = trends.read_met(current, area, pathway)
        choice = {"all": "all", "internal": "pathway-internal", "cross_border": "crossing"}[pathway]
        parts.append(met[["period", "value", "state"]].assign(level="region", code=area, of=choice))
        assert (met["low"].fillna(0) <= met["high"].fillna(0)).all()
    bars = pd.concat(parts)
    check_sums(current, pd.concat([bars[bars["of"] == "all"], read_years(current.release)]), "area", "period")
    rows = LAYER.rows(current.release, "region").rename(columns={"area": "code"})
    rest = rows[rows["of"] == "pathway-none_known"].set_index(["code", "period"])
    for cell, here in nonempty(bars.set_index("of").groupby(["code", "period"])):
        if not set(WITHOUT) & {*here["state"], rest.loc[cell, "state"]}:
            value = here["value"].fillna(0)
            every = value["pathway-internal"] + value["crossing"] + np.nan_to_num(rest.loc[cell, "value"])
            assert value["all"] == every, (f"TACT_SEED={SEED}", cell)


def test_parts_equal_totals_in_the_bar_of_periods(world):
    current, areas = world["partner"], current_release.load_areas(world["partner"].release)
    periods = LAYER.periods(current.release, View("country", ""))
    totals = {
        code: summary.compute_totals(current, summary_view(current, areas, code), periods)
        for code in ("", "AL", "GR", "AL-11", "AL-02")
    }
    for period in nonempty(periods):
        here = {code: total[period].value for code, total in totals.items()}
        if None not in here.values():
            assert here[""] == here["AL"] + here["GR"], (f"TACT_SEED={SEED}", period)
            assert here["AL"] == here["AL-11"] + here["AL-02"], (f"TACT_SEED={SEED}", period)


def summary_view(current, areas, code):
    from dashboard.map.view import parse_address, settle_view

    address = {"layer": LAYER.id, "level": "region", **({"area": code} if code else {})}
    return settle_view(parse_address(address), current, areas.table)


# ---- the published number --------------------------------------------------------------------------


def test_the_noisy_number_is_in_the_tables_of_trends(world):
    current = world["partner"]
    table = trends.tabulate_series(current, "AL-11", "all")
    published = current.release.table("children_region_quarter").query("area == 'AL-11'").sort_values("period")
    wanted = ["" if pd.isna(v) else f"{v:,} ±{m}" for v, m in zip(published["value"], published["margin"], strict=True)]
    assert table[NOISY].tolist() == wanted, f"TACT_SEED={SEED}"
    public = world["public"]
    years = pd.concat([trends.tabulate_years(public, area) for area in current_release.name_regions(public)])
    assert years[NOISY].str.contains("±").any(), f"TACT_SEED={SEED}"


@pytest.mark.always("partner")
def test_legend_and_codebook_say_that_numbers_are_adjusted(current):
    adjusted, margins = {}, {}  # of all views that share a scale: one level, choice and length of periods
    for view in list_views(current, TWO):
        data = LAYER.read(current.release, view)
        if data.frame["margin"].notna().any() and not (data.frame["state"] == "class").any():
            scale = (view.level, view.options["of"], view.period.partition("/")[2])
            adjusted[scale] = adjusted.get(scale, False) or not data.frame["value"].equals(data.frame["noisy"])
            margins.setdefault(scale, set()).add(data.legend.margin)
    assert any(adjusted.values()), f"TACT_SEED={SEED}"
    for scale, is_adjusted in adjusted.items():
        beginning = "adjusted so that parts add up; at most " if is_adjusted else "at most "
        assert all(words.startswith(beginning) for words in margins[scale]), (f"TACT_SEED={SEED}", scale, margins)
    book = build_codebook(current.release, (LAYER,)).set_index("column")["meaning"]
    assert "adjusted so that parts add up to totals" in book["value"]
    assert "with its noise" in book["noisy"]


def test_a_release_without_reconciled_numbers_shows_the_published_ones(tmp_path):
    release = small_release.make(tmp_path, "partner")
    data = LAYER.read(release, View("region", small_release.YEARS[0]))
    assert data.frame["value"].equals(data.frame["noisy"])
    assert data.frame["margin"].equals(data.frame["noisy_margin"])
    assert data.frame.loc["AL-02", ["value", "margin"]].tolist() == [40, 5]
    assert data.legend.margin == "at most 5 away from the true number"


@pytest.mark.long
def test_the_style_for_qgis_draws_an_adjusted_zero_as_a_number(world):
    """Exactly one rule draws each area; the first rule is the rule for circles."""
    release = world["partner"].release
    for view in nonempty(list_views(world["partner"])):
        data = LAYER.read(release, view)
        style = qgis.format_style(data, release.find_threshold(view.level))
        filters = [unescape(f) for f in re.findall(r'filter="([^"]*)"', style)]
        if "almost_none" in set(data.frame["state"]):
            assert ("fewer than 3" in style) == (view.level == "municipality"), (
                "of 1 and 2, no reader knows which is none"
            )
        with contextlib.closing(sqlite3.connect(":memory:")) as file:
            data.frame[["value", "low", "state"]].rename_axis("area").to_sql("areas", file)
            drawn = [[code for (code,) in file.execute(f"SELECT area FROM areas WHERE {rule}")] for rule in filters]
        where = (f"TACT_SEED={SEED}", view)
        assert sorted(code for codes in drawn for code in codes) == sorted(data.frame.index), where
        assert set(drawn[0]) == set(data.frame.index[data.list_marks() == "number"]), where
