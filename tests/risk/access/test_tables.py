"""Who can reach which services: compared with a second calculation; a withheld number is never zero."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.release import Release
from geo import areas as geography
from geo.travel import Link, Travel
from risk.access import tables
from risk.model import RiskModel
from risk.model.detection import DetectionRange
from risk.model.observations import Observations
from risk.numbers import round_to_two_digits
from tests.helpers.nonempty import nonempty
from tests.helpers.remembered_fits import remember_fits

SPLITS = ("axis", "duty_bearer", "help")


@pytest.fixture(scope="module")
def partner(scored):
    return Release.open(scored.releases, "partner", derived=scored.derived)


@pytest.fixture(scope="module")
def known(partner, shared):
    """Return areas, observations and draws of the model, as `tact risk` makes them; the demo world has the fit."""
    areas = geography.read_areas(partner.areas_file)
    seen = Observations.from_release(partner, areas)
    with pytest.MonkeyPatch.context() as patch:
        remember_fits(patch.setattr, shared / "fits")
        return areas, seen, RiskModel().fit(seen).fit_.draws(4000, 0)


def make_tables(partner, known, times=None, release=None):
    outputs = tables.make_access_tables(release or partner, *known, times or tables.Times(), 0)
    return {table.name: table.rows.to_pandas() for table in outputs}


@pytest.fixture(scope="module")
def worked(partner, known):
    """Compute the tables again."""
    return make_tables(partner, known)


def of_kind(table, by, category):
    return table[table[by] == category].set_index("area")


def shown(partner, measure, by, category):
    """Return the shown amount of a kind of services by area in the last quarter, and which are lower limits."""
    table = partner.table(f"{measure}_region_quarter_{by}")
    rows = of_kind(table[table["period"] == table["period"].max()], by, category)
    amount = rows["value"].astype(float).fillna(rows["low"].astype(float)).fillna(0.0)
    return amount, rows["state"] != "number"


@pytest.fixture(scope="module")
def certain(partner, known):
    """Compute the tables as if all travel times were certain."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Travel, "draw_people", lambda self, size, seed: self.people[None])
        return make_tables(partner, known)


def test_uncertain_times_widen_the_places_in_reach_and_make_gaps_less_sure(certain, worked):
    sure, unsure = (of_kind(t["access_region_quarter_axis"], "axis", "prevention") for t in (certain, worked))
    width, wider = ((rows["upper"] - rows["lower"]) / rows["median"] for rows in (sure, unsure))
    assert (wider - width).mean() > 0.02
    open_chances = [t["accessgap_region_quarter"]["chance"].between(0.5, 99.5).sum() for t in (certain, worked)]
    assert open_chances[1] >= open_chances[0]


@pytest.mark.slow
def test_places_in_reach_are_those_of_the_two_steps_by_hand(partner, known, certain):
    _, seen, draws = known
    worked = certain
    by_quarter = DetectionRange().need(draws, seen, 0).sum(axis=-1)
    need = dict(zip(seen.areas, by_quarter[:, :, -4:].mean(axis=-1).T, strict=True))
    places, _ = shown(partner, "capacity", "axis", "prevention")
    ways = worked["travel_region_whole_to"].set_index(["area", "to"])
    weight = {
        (a, s): ways["reached"][a, s] * np.exp(-((ways["value"][a, s] / 40.0) ** 2) / 2.0)
        for a in need
        for s in places.index
        if a[:2] == s[:2] and ways["value"][a, s] <= 120.0
    }
    access_rows = of_kind(worked["access_region_quarter_axis"], "axis", "prevention")
    gaps = of_kind(worked["accessgap_region_quarter_axis"], "axis", "prevention")
    known_whole = access_rows.index[~gaps["at_least"] & (access_rows["state"] != "withheld")]
    for area in known_whole:
        access = np.zeros(4000)
        for site, amount in places.items():
            if (area, site) in weight and amount > 0:
                sharing = sum(need[a] * weight[a, site] for a in need if (a, site) in weight)
                access = access + amount / sharing * weight[area, site]
        expected = round_to_two_digits(100.0 * np.quantile(access, [0.5, 0.025, 0.975]))
        assert access_rows.loc[area, ["value", "lower", "upper"]].to_list() == pytest.approx(expected)
        country = [code for code in need if code[:2] == area[:2]]
        rate = places[places.index.str[:2] == area[:2]].sum() / sum(need[code] for code in country)
        assert gaps.loc[area, "chance"] == round(100 * (access < rate / 2).mean())
        assert (gaps.loc[area, "state"] == "cannot_tell") == (20 < gaps.loc[area, "chance"] < 80)
    assert (access_rows.loc[known_whole, "value"] == 0).any(), "nothing there, and no way over water was entered"
    assert access_rows.loc["AL-11", "value"] > 0


@pytest.mark.parametrize("by", SPLITS)
def test_what_is_withheld_is_never_a_zero_and_never_a_sure_gap(partner, worked, by):
    places, gaps = (worked[f"{name}_region_quarter_{by}"] for name in ("access", "accessgap"))
    hidden = 0
    for category in places[by].unique():
        access, gap = of_kind(places, by, category), of_kind(gaps, by, category)
        _, partly = shown(partner, "capacity", by, category)
        partial = partly.reindex(access.index)
        hidden += int(partial.sum())
        assert (access.loc[partial, "at_least"]).all()
        assert set(access.loc[access["at_least"], "state"]) <= {"class", "withheld"}
        assert (access.loc[access["state"] == "class", "low"] > 0).all()
        assert access.loc[access["state"] == "withheld", ["value", "low", "median", "upper"]].isna().all(axis=None)
        assert not (gap["at_least"] & (gap["low"] == tables.A_GAP[0])).any()
    # Services of a duty bearer are those that anybody may see. Kinds of help are not always known.
    assert (hidden > 0) == (by != "duty_bearer")


@pytest.mark.parametrize("by", SPLITS)
def test_a_gap_and_none_are_named_where_they_are_sure(worked, by):
    gap = worked[f"accessgap_region_quarter_{by}"]
    classes = gap[gap["state"] == "class"]
    sure = classes["low"] == tables.A_GAP[0]
    assert (classes.loc[sure, "chance"] >= 80).all()
    assert (classes.loc[~sure, "chance"] <= 20).all()
    unsure = gap[gap["state"] == "cannot_tell"]
    assert len(unsure)
    assert (unsure["chance"].between(20, 80) | unsure["at_least"]).all()
    assert set(gap["state"]) <= {"class", "cannot_tell", "withheld"}


def test_all_gaps_are_against_the_own_country(partner, worked):
    """More places in one country change nothing in the other; a gap is below half of the country's own rate."""
    gap = of_kind(worked["accessgap_region_quarter_axis"], "axis", "prevention")
    access_rows = of_kind(worked["access_region_quarter_axis"], "axis", "prevention")
    need = worked["need_region_quarter"].set_index("area")["value"]
    places, _ = shown(partner, "capacity", "axis", "prevention")
    for land in ("AL", "GR"):
        inside = access_rows.index[access_rows.index.str.startswith(land)]
        rate = 100.0 * places[places.index.str.startswith(land)].sum() / need[inside].sum()
        for area in inside:
            if gap.loc[area, "state"] == "class":
                below = access_rows.loc[area, "value"] < 0.5 * rate
                assert below == (gap.loc[area, "low"] == tables.A_GAP[0]), area


@pytest.mark.slow
def test_the_nearest_is_the_nearest_of_the_own_country_that_is_shown(partner, worked):
    ways = worked["travel_region_whole_to"]
    times = worked["accesstime_region_quarter_axis"]
    for category in nonempty(times["axis"].unique()):
        amount, partly = shown(partner, "services", "axis", category)
        for area, row in of_kind(times, "axis", category).iterrows():
            home_ways = ways[(ways["area"] == area) & (ways["to"].str[:2] == area[:2]) & ~ways["provisional"]]
            at_work = home_ways[home_ways["to"].map(amount > 0).astype(bool)]["value"]
            if row["state"] == "number":
                assert row["value"] == round(at_work.min())
                nearer = home_ways[home_ways["to"].map(partly & (amount <= 0))]["value"].min()
                assert row["nearer"] == (nearer < at_work.min())
                assert row["maybe_near"] or not nearer <= tables.CATCHMENT.minutes
            elif row["way"] == "water":
                assert at_work.empty
            elif row["way"] == "none":
                assert (amount[amount.index.str.startswith(area[:2])] == 0).all()


@pytest.fixture(scope="module")
def entered(partner, known):
    """Compute the tables with travel times that people entered."""
    towns = known[0].frame("municipality")
    corfu, *others = sorted(towns.index[towns["parent"] == "GR-F"], key=lambda code: towns["name_en"][code] != "Corfu")
    ferries = [Link("GR-F", "GR-D", 90.0, "timetable"), *(Link(corfu, code, 1.0, "invented") for code in others)]
    return make_tables(partner, known, tables.Times((Link("AL-07", "AL-10", 45.0, ""),), tuple(ferries)))


@pytest.mark.slow
def test_a_ferry_brings_places_into_reach_and_is_said_to_be_given(worked, entered):
    before, after = worked, entered
    for name, area in (("access", "GR-F"), ("accesstime", "GR-F")):
        was, now = (of_kind(t[f"{name}_region_quarter_axis"], "axis", "protection") for t in (before, after))
        assert not was.loc[area].equals(now.loc[area])
    assert was.loc["GR-F", "way"] == "water"
    assert was.loc["AL-01"].equals(now.loc["AL-01"])
    ways = after["travel_region_whole_to"].set_index(["area", "to"])
    assert not ways.loc[("GR-F", "GR-D"), "provisional"]
    assert now.loc["GR-F", "value"] == round(ways.loc[("GR-F", "GR-D"), "value"]) > 90
    assert ways.loc[("GR-F", "GR-M"), "provisional"]


@pytest.mark.slow
def test_measured_times_take_the_place_of_straight_lines(entered):
    ways = entered["travel_region_whole_to"].set_index(["area", "to"])
    assert ways.loc[("AL-07", "AL-10"), "given"]
    assert ways.loc[("AL-10", "AL-07"), "value"] == 45
    nearest = entered["accesstime_region_quarter"].set_index("area")
    assert nearest.loc["AL-07", "value"] == 45


def test_what_was_given_is_read_back_from_a_manifest():
    times = tables.Times((Link("AL-07", "AL-10", 45.0, ""),), (Link("GR-F", "GR-D", 90.5, "Ώρες"),))
    manifest = json.loads(json.dumps({"travel": tables.describe_travel(times)}))
    assert tables.Times.read(manifest) == times
    assert tables.Times.read({}) == tables.Times()
    assert times.among(["AL-07", "AL-10"]) == tables.Times(uploaded=times.uploaded)


@pytest.mark.slow
def test_it_reads_the_release_alone_and_no_layer_of_communities(partner, known, scored):
    bare = Release.open(scored.releases, "partner", without=["communities"])
    assert any(name.startswith("communities") for name in partner.tables)
    for name, rows in make_tables(bare, known).items():
        assert rows.equals(partner.table(name)), name


def test_without_places_there_are_ways_and_need_alone(partner, known, scored):
    bare = Release.open(scored.releases, "partner", without=["capacity"])
    assert set(make_tables(partner, known, release=bare)) == {"travel_region_whole_to", "need_region_quarter"}


def test_the_public_tier_gets_none_of_it(scored):
    public = Release.open(scored.releases, "public", derived=scored.derived)
    assert not [n for n in public.tables if n.startswith(("access", "travel", "need"))]


@given(st.floats(1e-3, 1e6))
def test_two_digits_stay(value):
    rounded = float(round_to_two_digits(np.array([value]))[0])
    assert rounded == pytest.approx(value, rel=0.051)
    assert len(f"{rounded:.6f}".replace(".", "").strip("0")) <= 2
