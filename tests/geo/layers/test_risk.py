"""The risk layer: classes in words, states that are no class, and never together with communities."""

import re

import numpy as np
import pandas as pd
import pyogrio
import pytest

from dashboard.map.view import parse_address, settle_view
from dashboard.pages.situation import timeline
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from data.disclosure.attacks import surface
from data.release import Release
from data.tables.periods import Period
from data.tables.states import STATES
from geo.export import FORMATS, export_layers, list_layers, qgis, split_layers
from geo.layers import find_conflict, find_layer, find_map_conflict, group_layers
from geo.layers.core import View
from geo.layers.output.columns import build_codebook
from geo.layers.output.table import build_table
from geo.layers.output.wide import build_long_table, choose_latest_view
from geo.layers.reading import tables
from geo.layers.risk import CERTAINTIES, CHANGES, PUBLIC, RATES, find_claim
from risk.model import statements
from risk.model.statements import LIKELY, PUBLIC_CLAIMS, RATE_CLAIMS
from risk.report.change import CHANGE_CLAIMS
from tests.helpers.nonempty import nonempty
from tests.helpers.repetitions import vary

RISK = find_layer("risk")


@pytest.fixture(scope="module")
def partner(scored):
    return Release.open(scored.releases, "partner", derived=scored.derived)


@pytest.fixture(scope="module")
def public(scored):
    return Release.open(scored.releases, "public", derived=scored.derived)


def whole(release):
    """Return the whole time of the release, the period of the risk classes."""
    return choose_latest_view(release, "region").period


def read(release, period=None, **options):
    return RISK.read(release, View("region", whole(release) if period is None else period, options))


@pytest.mark.parametrize(("claims", "change"), [(RATE_CLAIMS, False), (CHANGE_CLAIMS, True)])
def test_the_claims_and_their_words_are_those_that_the_model_names(claims, change):
    shown = CHANGES if change else RATES
    assert {claim.code for claim in claims} == set(shown)
    for claim in claims:
        assert find_claim(claim.low, claim.high if np.isfinite(claim.high) else np.nan, change=change) == claim.code
    assert set(PUBLIC) == {claim.code for claim in PUBLIC_CLAIMS}
    assert list(CERTAINTIES) == [*statements.CERTAINTIES, statements.AS_REGION]


@pytest.mark.parametrize("on", ["internal", "cross_border"])
def test_what_is_said_reads_in_words_and_no_state_takes_a_colour(partner, on):
    data = read(partner, on=on)
    source = partner.table("risk_region_whole_crossing").query("crossing == @on").set_index("area")
    shown = build_table(partner, RISK, View("region", whole(partner), {"on": on}), data)
    for area, row in source.iterrows():
        if row["state"] == "class":
            assert shown.loc[area, "Value"] == RATES[row["statement"]].words
            assert data.classes()[area] == list(RATES).index(row["statement"])
            assert data.frame.loc[area, "note"].startswith(CERTAINTIES[row["certainty"]])
        else:
            assert (shown.loc[area, "State"], shown.loc[area, "Value"]) == ("cannot tell", "")
            assert data.classes()[area] == -1
    assert "class" in set(data.frame["state"])


def test_the_burden_is_shown_with_its_ranks(partner):
    data = read(partner, show="burden")
    source = partner.table("burden_region_quarter_crossing").query("crossing == 'internal'").set_index("area")
    assert data.frame["value"].dropna().to_dict() == pytest.approx(source["value"].to_dict())
    row = source.loc["AL-11"]
    assert f"rank {row['rank']:.0f} of the country ({row['rank_first']:.0f} to" in data.frame.loc["AL-11", "note"]


def test_the_interval_stands_beside_every_class_that_is_told_and_that_is_not(partner):
    source = partner.table("risk_region_whole_crossing").query("crossing == 'internal'").set_index("area")
    notes = read(partner).frame["note"]
    for area, row in nonempty(source.iterrows()):
        numbers = [float(n) for n in re.findall(r"\d+(?:\.\d+)?", notes[area].replace("95 %", ""))]
        assert numbers == pytest.approx([row["median"], row["lower"], row["upper"]], abs=0.006)


def test_chances_are_those_of_the_table(partner):
    period = read(partner).legend.period
    data = read(partner, show="chance", on="cross_border")
    source = partner.table("exceedance_region_whole_crossing").query("crossing == 'cross_border'")
    expected = source.set_index("area")["value"]
    assert data.frame["value"].dropna().to_dict() == pytest.approx(expected.to_dict())
    assert data.legend.period == period


def test_the_level_is_of_the_whole_time_and_what_is_expected_lies_ahead(partner):
    last = Period.parse(partner.manifest["tact"]["first"] + "/" + partner.manifest["tact"]["last"]).end
    assert RISK.periods(partner, View("region", whole(partner))) == (whole(partner),)
    assert len(RISK.periods(partner, View("region", ""))) == 12
    ahead = RISK.periods(partner, View("region", "", {"show": "expected"}))
    legend = RISK.read(partner, View("region", "", {"show": "expected"})).legend
    assert legend.margin == "average of what is possible", "a mean, which may lie outside the 80 % interval"
    assert len(ahead) == 4
    assert all(Period.parse(period).start > last for period in ahead)
    changes = read(partner, show="change")
    assert changes.style.labels == tuple(claim.words for claim in CHANGES.values())
    assert set(changes.frame["state"]) <= {"class", "cannot_tell", "no_data"}


def test_the_public_tier_has_one_class_by_year_and_nothing_else(public):
    assert RISK.levels(public) == ("region",)
    assert RISK.list_options(public, "region") == ()
    years = RISK.periods(public, View("region", ""))
    assert {Period.parse(period).grain for period in years} == {"year"}
    data = read(public, show="class", on="cross_border")
    assert "all pathways" in data.legend.title
    assert data.frame["value"].isna().all()
    assert (data.frame["note"] == "").all()
    rows = RISK.rows(public, "region")
    assert set(rows["on"]) == {"all"}
    assert rows[["median", "lower", "upper", "value"]].isna().all(axis=None)


def test_without_a_result_it_is_not_offered(scored):
    bare = Release.open(scored.releases, "partner")
    assert RISK not in list_layers(bare)
    assert "risk" not in current_release.list_levels(
        current_release.open_current_release(Site(scored.releases, "partner"))
    )


@pytest.mark.parametrize("tier", ["partner", "public"])
def test_communities_never_stand_over_it(scored, tier):
    current = current_release.open_current_release(Site(scored.releases, tier, derived=scored.derived))
    known = load_areas(current.release).table
    for first, second in (("risk", "communities"), ("communities", "risk")):
        assert find_conflict(tier, [first, second])
        assert find_map_conflict(tier, [first, second])
        assert len(group_layers(tier, [first, second])) == 2
        assert settle_view(parse_address({"layer": first, "over": second}), current, known).over == ()
    for together_in_a_file in split_layers(current.release):
        names = {layer.id for layer in together_in_a_file}
        assert not {"risk", "communities"} <= names


EVERY, SOME = tuple(FORMATS), ("csv", "geojson")


@pytest.mark.slow
@vary("tier,formats", [("public", EVERY), ("partner", SOME), ("partner", EVERY)])
def test_every_file_holds_it_and_no_number_that_the_model_did_not_write(scored, tmp_path, tier, formats):
    release = Release.open(scored.releases, tier, derived=scored.derived)
    files = export_layers(release, tmp_path, formats, ["risk"])
    assert {path.suffix for path in files} >= {f".{form}" for form in formats}
    findings, went = surface.search(release, files)
    assert not findings
    assert went["cells"] > 0
    alone = Release.open(scored.releases, tier)
    tables = [path for path in files if path.suffix == ".csv"]
    assert surface.search(alone, tables)[0], "a release without the result does not hold these numbers"


@pytest.mark.long
def test_a_number_of_the_model_that_was_changed_is_found(partner, tmp_path):
    rows = build_long_table(partner, RISK)
    row = int(np.flatnonzero(rows["median"].notna())[0])
    rows.assign(median=rows["median"].where(rows.index != row, 1.2345671)).to_csv(tmp_path / "a.csv", index=False)
    findings, _ = surface.search(partner, [tmp_path / "a.csv"])
    assert [finding.cell["column"] for finding in findings] == ["median"]


def test_the_codebook_explains_every_column_and_the_state(partner):
    book = build_codebook(partner, (RISK,))
    assert set(build_long_table(partner, RISK).columns) <= set(book["column"])
    assert {"probability", "rank", "top"} <= set(book["column"])
    assert (book["meaning"] != "").all()


def test_a_geopackage_keeps_the_bounds_exactly(partner, tmp_path):
    (path,) = export_layers(partner, tmp_path, ["gpkg"], ["risk"])
    low = pyogrio.read_dataframe(path, layer="risk_region")["low"].dropna()
    assert set(low) <= {claim.low for claim in RATES.values()}
    filters = re.findall(r'filter="([^"]*)"', qgis.format_style(read(partner), 1))
    ends = re.findall(r"quot;low&quot; = (\S+) AND &quot;high&quot; (?:= (\S+)|IS NULL)", " ".join(filters))
    assert [find_claim(float(low), float(high or "nan")) for low, high in ends] == list(RATES)
    assert len(filters) >= len(RATES)


def test_bars_of_time_never_add_classes_up(partner):
    periods = RISK.periods(partner, View("region", "2009-03-01/P3M"))
    layers = [read(partner, period) for period in periods]
    words = dict.fromkeys(STATES, "state")
    assert all(total.value is None for total in timeline.judge_totals(layers, "", words))
    of_area = timeline.judge_totals(layers, "GR-D", words)
    expected = [data.texts()["GR-D"] or "state" for data in layers]
    assert [total.words for total in of_area] == expected
    chance = [read(partner, period, show="chance") for period in periods]
    values = [data.frame["value"]["GR-D"] for data in chance]
    assert [total.value for total in timeline.judge_totals(chance, "GR-D", words)] == pytest.approx(values)


def test_what_it_does_not_mean_stands_with_it(partner, public):
    for release, least in ((partner, LIKELY), (public, PUBLIC_CLAIMS[0].least)):
        legend = read(release).legend
        assert "never a person or a community" in legend.note
        assert release.name in legend.source
        assert pd.notna(legend.margin)
        assert legend.margin.endswith(f"at least {least:.0%}".replace("%", " %"))


def test_municipalities_have_a_class_and_where_it_is_their_regions_it_says_so(partner, public):
    assert RISK.levels(partner) == ("region", "municipality")
    assert RISK.levels(public) == ("region",), "nothing finer than a county or region is public"
    data = RISK.read(partner, View("municipality", whole(partner)))
    source = partner.table("risk_municipality_whole_crossing").query("crossing == 'internal'").set_index("area")
    alone = data.frame["note"].str.contains("as its county or region")
    assert set(alone[alone].index) == set(source.index[source["region_only"]])
    assert 0 < alone.sum() < len(source)
    assert (data.frame["state"] == source["state"].reindex(data.frame.index)).all()
    assert not data.frame.loc[alone, "note"].str.contains("likely").any(), "no chance as if it were its own"
    # What it repeats is what is said of its region.
    regions = partner.table("risk_region_whole_crossing").query("crossing == 'internal'").set_index("area")
    repeated = source[source["region_only"]]
    parents = tables.load_areas(partner)["parent"][repeated.index]
    assert (repeated["statement"].to_numpy() == regions["statement"][parents].to_numpy()).all()


def test_the_change_of_a_municipality_is_that_of_its_region_and_says_so(partner):
    regions = partner.table("riskchange_region_quarter_crossing").set_index(["area", "period", "crossing"])
    inside = partner.table("riskchange_municipality_quarter_crossing")
    parents = tables.load_areas(partner)["parent"]
    where = list(zip(inside["area"].map(parents), inside["period"], inside["crossing"], strict=True))
    assert inside["median"].to_numpy() == pytest.approx(regions.loc[where, "median"].to_numpy())
    notes = RISK.read(partner, View("municipality", inside["period"].max(), {"show": "change"})).frame["note"]
    claims = inside["state"] == "class"
    assert set(inside.loc[claims, "certainty"]) <= {"as_region"}
    assert notes[notes != ""].str.contains("as its county or region").all()
