"""The input of the risk model: the published numbers of a release, and nothing where it has none."""

import hashlib
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from benchmarks.studies.observe import observe_world
from benchmarks.worlds import WorldParameters, simulate_default_areas
from data.disclosure.cell_key import CellKey
from data.errors import ReleaseError
from data.release import Release
from geo import areas
from risk.model import observations
from risk.model.observations import ALL, HIDDEN, MISSING, PATHWAYS, WAYS, Observations
from tests.helpers.nonempty import nonempty


@pytest.fixture(scope="module")
def world():
    return simulate_default_areas(WorldParameters(seed=3))


@pytest.fixture(scope="module")
def pairs():
    return areas.load_areas().neighbours("region")


@pytest.fixture(scope="module")
def exact(world, pairs):
    return observe_world(world, pairs)


def partner(demo_world):
    return Release.open(demo_world / "releases", "partner")


def public(demo_world):
    return Release.open(demo_world / "releases", "public")


def test_each_number_of_the_model_table_stands_where_it_was_shown(demo_world):
    release = partner(demo_world)
    seen = Observations.from_release(release)
    table = release.table("model_region_quarter_crossing_found")
    shown = table[table["state"] == "number"]
    shown = shown[shown["area"].isin(seen.areas)]
    assert len(shown) > 100
    for row in shown.itertuples():
        position = seen.areas.index(row.area), seen.quarters.index(row.period)
        cell = seen.published[(*position, PATHWAYS.index(row.crossing), WAYS.index(row.found))]
        assert cell == row.value
    assert seen.published[seen.published >= 0].sum() == shown["value"].sum()


def test_nothing_can_be_discovered_where_nobody_searched(demo_world):
    seen = Observations.from_release(partner(demo_world))
    assert (~seen.has_outreach).any()
    assert not seen.usable[~seen.has_outreach][:, :, WAYS.index("discovered")].any()
    assert seen.usable[~seen.has_outreach][:, :, WAYS.index("reported")].all()


def test_the_channel_is_the_one_that_the_manifest_states(demo_world):
    release = partner(demo_world)
    seen = Observations.from_release(release)
    about = release.manifest["tact"]
    table = np.array(about["parameters"]["table"])
    assert seen.channel.shown(0)[:2] == pytest.approx([1.0, table[1][about["parameters"]["largest"] - 1]])
    assert seen.channel.k is None
    assert seen.channel.shown(int(seen.published.max())).any()


def test_the_whole_is_read_by_crossing(demo_world):
    release = partner(demo_world)
    seen = Observations.from_release(release)
    table = release.table("children_region_whole_pathway").assign(value=lambda t: t["value"].astype(float).fillna(0.0))
    wide = table.pivot_table(index="area", columns="pathway", values="value").loc[list(seen.areas)]
    np.testing.assert_array_equal(seen.totals[:, 0], wide["internal"])
    np.testing.assert_array_equal(seen.totals[:, 1], wide["al_to_gr"] + wide["other_cross_border"])
    cross = wide[["al_to_gr", "other_cross_border"]].to_numpy(int)
    noise = seen.channel.variance()[np.clip(cross, 1, seen.channel.n_max)].sum(axis=1)
    years = release.table("children_region_year")["period"].nunique()  # each has a draw of its own
    np.testing.assert_allclose(seen.total_noise[:, 1], years * noise)
    # Counts of 7 to 15 carry wider noise than others.
    assert {years * 2.0, years * 6.0} <= set(np.round(seen.total_noise[:, 0], 6))


def test_expected_children_are_people_times_the_share_of_children(demo_world):
    release = partner(demo_world)
    seen = Observations.from_release(release)
    census = 141944  # of 2011, the one nearest to the programme's quarters
    np.testing.assert_allclose(seen.expected[seen.areas.index("AL-01")], 0.24 * census)
    assert (seen.expected >= 1).all()
    assert "GR-69" not in seen.areas  # Mount Athos


def test_a_release_without_population_says_so(demo_world, monkeypatch):
    monkeypatch.setattr(observations, "LEAST_EXPECTED", 1e9)
    with pytest.raises(ReleaseError, match="no population"):
        Observations.from_release(partner(demo_world))


def test_the_public_tier_hides_small_numbers_as_an_outcome(demo_world):
    release = public(demo_world)
    seen = Observations.from_public_release(release)
    table = release.table("children_region_year")
    table = table[table["area"].isin(seen.areas)]
    assert seen.published.shape == (len(seen.areas), 3, 1, 1)
    assert (seen.pathways, seen.ways, seen.tier) == (ALL, ALL, "public")
    assert (seen.published == HIDDEN).sum() == (table["state"] == "few").sum()
    assert (seen.published == MISSING).sum() == (table["state"] == "withheld").sum()
    assert seen.published[seen.published >= 0].min() >= release.k
    assert seen.channel.hidden()[[0, release.k + 20]] == pytest.approx([1.0, 0.0])
    assert seen.effort.max() > 0


def test_a_year_without_a_class_of_outreach_has_no_days_in_the_public_tier(demo_world, monkeypatch):
    read = Release.table

    def read_without_classes(release, name):
        table = read(release, name)
        return table.assign(low=np.nan, high=np.nan) if name == "effort_region_year" else table

    monkeypatch.setattr(Release, "table", read_without_classes)
    assert (Observations.from_public_release(public(demo_world)).effort == 0).all()


@pytest.mark.long
def test_each_child_of_a_world_counts_once_as_it_was_first_met(world, exact):
    """The test counts child by child, and distinguishes children by the known truth."""
    frame = world.records["encounter"].astype(str).assign(child=world.truth.child)
    parent = world.areas["parent"]
    counts = dict.fromkeys(((a, p) for a in exact.areas for p in PATHWAYS), 0)
    for _, rows in frame.groupby("child"):
        first = rows.sort_values("date", kind="stable").iloc[0]
        if first["stage"] != "at_risk" and first["pathway"] != "none_known":
            crossing = "internal" if first["pathway"] == "internal" else "cross_border"
            counts[parent[first["municipality"]], crossing] += 1
    mine = exact.published.sum(axis=(1, 3))
    for (area, pathway), count in nonempty(counts.items()):
        assert mine[exact.areas.index(area), PATHWAYS.index(pathway)] == count


def test_effort_of_a_world_is_that_of_its_truth(world, exact):
    rows = world.truth.need.query("level == 'region' and pathway == 'internal'")
    true = rows.pivot_table(index="area", columns="quarter", values="days", observed=True)
    np.testing.assert_allclose(exact.effort, true.loc[list(exact.areas)], atol=1e-9)


def test_a_world_through_a_mechanism_shows_what_its_channel_allows(world, exact, pairs):
    seen = observe_world(world, pairs, CellKey())
    assert (np.abs(seen.published - exact.published) <= seen.channel.largest).all()
    assert (seen.published[exact.published == 0] == 0).all()
    assert (seen.published != exact.published).mean() > 0.2
    again = observe_world(world, pairs, CellKey())
    digest = [hashlib.sha256(o.published.tobytes()).hexdigest() for o in (seen, again)]
    assert digest[0] == digest[1]
    away = seen.totals - exact.published.sum(axis=(1, 3))
    assert 1.0 < (away**2).mean() < 6.0


def test_the_first_quarters_are_what_was_known_then(exact):
    early = exact.up_to(5)
    np.testing.assert_array_equal(early.published, exact.published[:, :5])
    assert early.quarters == exact.quarters[:5]
    assert early.totals is None


def test_shapes_that_do_not_belong_together_are_refused(exact):
    from dataclasses import replace

    with pytest.raises(ReleaseError, match="effort has shape"):
        replace(exact, effort=exact.effort[:, :3])


def test_shares_of_children_are_those_of_the_worlds(world, exact):
    people = world.truth.areas.loc[list(exact.areas)]
    assert isinstance(people, pd.DataFrame)
    np.testing.assert_allclose(exact.living, people["children"])


@pytest.fixture(scope="module")
def municipal(demo_world):
    return Observations.from_release(partner(demo_world), level="municipality")


def test_each_number_of_the_municipal_table_is_read_and_every_other_cell_by_its_state(demo_world, municipal):
    table = partner(demo_world).table("model_municipality_quarter_crossing_found")
    table = table[table["area"].isin(municipal.areas)]
    positions = [
        [place.index(code) for code in table[column]]
        for column, place in (
            ("area", municipal.areas),
            ("period", municipal.quarters),
            ("crossing", PATHWAYS),
            ("found", WAYS),
        )
    ]
    hidden = table["state"].isin(["almost_none", "not_searched"])
    expected = np.where(hidden, HIDDEN, np.where(table["state"] == "number", table["value"].fillna(0), MISSING))
    assert (municipal.channel.k, municipal.totals) == (3, None)
    assert set(table["state"]) >= {"number", "almost_none", "not_searched"}
    assert (expected > 0).any()
    np.testing.assert_array_equal(municipal.published[tuple(positions)], expected.astype(int))


def test_every_municipality_with_people_is_read_with_its_region(demo_world, municipal):
    places = areas.read_areas(partner(demo_world).areas_file).frame("municipality")
    assert len(municipal.areas) == 386
    assert list(municipal.regions) == list(places.loc[list(municipal.areas), "parent"])
    assert set(municipal.regions) == set(Observations.from_release(partner(demo_world)).areas)


def test_municipalities_find_together_what_the_days_of_their_region_find(municipal):
    """If all municipalities of a region have the same rate, both levels expect the same finds in the region."""
    gamma = np.array([0.4, 0.8])
    share = municipal.expected
    finds = share * np.where(municipal.has_outreach, np.exp(municipal.log_outreach(gamma)), 0.0)
    days = municipal.region_members @ municipal.effort
    whole = (municipal.region_members @ share) * (days / municipal.usual_effort) ** gamma[:, None, None]
    np.testing.assert_allclose(municipal.region_members @ finds, np.where(days > 0, whole, 0.0))


@pytest.mark.slow
def test_without_the_people_of_one_municipality_none_is_read(demo_world, monkeypatch):
    """A region is divided among all of its municipalities, so a missing one would raise the others."""
    read = Release.table
    lost = "10944420"

    def without_one(release, name):
        table = read(release, name)
        return table[table["area"] != lost] if name == "figures" else table

    monkeypatch.setattr(Release, "table", without_one)
    with pytest.raises(ReleaseError, match=lost):
        Observations.from_release(partner(demo_world), level="municipality")
    assert len(Observations.from_release(partner(demo_world)).areas) == 25


def silence(seen, country):
    """Return observations without any count or outreach in a country."""
    inside = np.array(seen.countries) == country
    return replace(
        seen,
        published=np.where(inside[:, None, None, None], 0, seen.published),
        effort=np.where(inside[:, None], 0.0, seen.effort),
        totals=np.where(inside[:, None], 0, seen.totals),
    )


def test_a_country_is_silent_where_nobody_was_counted_and_nobody_searched(demo_world):
    seen = Observations.from_release(partner(demo_world))
    assert not seen.silent_places
    quiet = silence(seen, "GR")
    greek = [area for area in seen.areas if area.startswith("GR")]
    assert quiet.silent_places == {"GR", *greek}
    assert quiet.list_areas_in({"GR"}) == greek
    place = quiet.areas.index("GR-I")
    for name in ("published", "effort", "totals"):
        heard = getattr(quiet, name).copy()
        heard[place, ..., -1] = 1
        assert not replace(quiet, **{name: heard}).silent_places, name


@pytest.mark.parametrize("nothing", [MISSING, HIDDEN])
def test_a_count_that_is_not_shown_is_no_record(demo_world, nothing):
    quiet = silence(Observations.from_release(partner(demo_world)), "AL")
    inside = (np.array(quiet.countries) == "AL")[:, None, None, None]
    hidden = replace(quiet, published=np.where(inside, nothing, quiet.published), totals=None)
    assert hidden.silent_places == quiet.silent_places
    assert "AL" in hidden.silent_places
