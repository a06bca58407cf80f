"""Laws of invented worlds that the risk model does not know: each changes what it says, and nothing else."""

from functools import cache

import numpy as np
import pytest

from benchmarks.worlds import LAWS, WorldParameters, simulate_default_areas
from data.errors import InputError

SEED = 4


@cache
def world(*laws):
    return simulate_default_areas(WorldParameters(seed=SEED, laws=laws))


@cache
def needs(*laws):
    """Return need and reports by region, pathway and quarter, (R, 4, 12) each."""
    rows = world(*laws).truth.need.query("level == 'region'")
    return tuple(rows[name].to_numpy().reshape(-1, 4, 12) for name in ("need", "reported"))


def met(*laws):
    return len(set(world(*laws).truth.child.tolist()))


@pytest.mark.long
@pytest.mark.parametrize("law", LAWS)
def test_a_world_of_each_law_has_as_many_children_and_another_truth_or_other_records(law):
    assert needs(law)[0].sum() == pytest.approx(needs()[0].sum())
    assert met(law) == pytest.approx(met(), rel=0.1) or (law == "lockdown" and met(law) < met())
    assert not world(law).records["encounter"].equals(world().records["encounter"])
    whole = world(law).truth.need
    parts = whole.groupby("level")["need"].sum()
    assert parts["municipality"] == pytest.approx(parts["region"])


@pytest.mark.slow
def test_in_a_lockdown_year_need_goes_on_and_hardly_anybody_is_found():
    (need, reported), (usual, usually_reported) = needs("lockdown"), needs()
    np.testing.assert_allclose(need, usual)
    np.testing.assert_allclose(reported[:, :, :8], usually_reported[:, :, :8])
    np.testing.assert_allclose(reported[:, :, 8:], 0.25 * usually_reported[:, :, 8:])
    days = [w.truth.need.query("level == 'region'")["days"].to_numpy().reshape(-1, 4, 12)[:, 0] for w in
            (world("lockdown"), world())]  # fmt: skip
    np.testing.assert_array_equal(days[0][:, :8], days[1][:, :8])
    assert days[0][:, 8:].sum() / days[1][:, 8:].sum() == pytest.approx(0.15, abs=0.02)


def test_contagion_ties_a_quarter_to_the_one_before():
    def following(need):
        steps = np.diff(np.log(need[:, :, 4:].sum(axis=1) + 1), axis=1)
        return np.abs(steps).mean()

    assert following(needs("contagion")[0]) > 2 * following(needs()[0])


def test_seasons_move_need_within_a_country_and_come_back_after_a_year():
    need, usual = needs("seasons")[0], needs()[0]
    table = world().truth.areas.query("level == 'region'")
    for country in ("AL", "GR"):
        inside = (table["country"] == country).to_numpy()
        np.testing.assert_allclose(need[inside].sum(axis=0), usual[inside].sum(axis=0))
    lived = usual[:, 0].sum(axis=1) > 5
    ratio = np.log(need[lived, 0] / usual[lived, 0])
    ratio -= ratio.mean(axis=1, keepdims=True)
    assert np.mean(ratio[:, 4:] * ratio[:, :-4]) > 0.5 * np.mean(ratio**2)


def test_hot_places_hold_most_of_the_need():
    def top(law):
        rows = world(*law).truth.need.query("level == 'municipality'").groupby("area")["need"].sum()
        return rows.nlargest(20).sum() / rows.sum()

    assert top(("hot-places",)) > top(()) + 0.1


def test_partners_change_reports_and_not_the_need():
    need, reported = needs("partners")
    np.testing.assert_array_equal(need, needs()[0])
    share = (reported.sum(axis=1) + 1e-9) / (needs()[1].sum(axis=1) + 1e-9)
    steps = (share.max(axis=1) / share.min(axis=1)) > 2
    assert 0.2 < steps.mean() < 0.9


def test_late_reports_are_dated_later_and_some_have_not_arrived():
    late, usual = needs("delays")[1].sum(axis=(0, 1)), needs()[1].sum(axis=(0, 1))
    np.testing.assert_allclose(late[0], 0.5 * usual[0])
    np.testing.assert_allclose(late[3], np.dot([0.1, 0.15, 0.25, 0.5], usual[:4]))
    assert late.sum() < usual.sum()
    assert met("delays") < met()


def test_a_rise_in_two_counties_is_threefold_for_a_year_and_outreach_does_not_follow():
    areas = world().truth.areas.query("level == 'region'").index.to_numpy()
    cities, (risen, _), (steady, _) = np.isin(areas, ["AL-02", "AL-11"]), needs("unfollowed-rise"), needs()
    with np.errstate(invalid="ignore"):
        change = risen / steady
    scale = change[~cities & (steady[:, 0, 0] > 0)]
    np.testing.assert_allclose(scale, scale.ravel()[0], rtol=1e-6)  # the total stays as it was
    np.testing.assert_allclose(change[cities, 0, -4:], 3.0 * scale.ravel()[0], rtol=1e-6)
    np.testing.assert_allclose(change[cities, 0, :-4], scale.ravel()[0], rtol=1e-6)
    np.testing.assert_allclose(change[cities, 1:], scale.ravel()[0], rtol=1e-6)

    def share(*laws):
        rows = world(*laws).truth.need.query("level == 'region' and pathway == 'internal'")
        days = rows["days"].to_numpy().reshape(-1, 12)[:, -4:].sum(axis=1)
        return days[cities].sum() / days.sum()

    # Beside the same rise, outreach that follows finds would go there.
    assert share("unfollowed-rise") < share() + 0.05


def test_outreach_that_follows_finds_leaves_fewer_places():
    days = [
        world(*law).records["effort"].groupby("municipality", observed=True)["days"].sum() for law in ((), ("effort",))
    ]
    assert days[1].nlargest(5).sum() / days[1].sum() > days[0].nlargest(5).sum() / days[0].sum()


@pytest.mark.long
def test_laws_compose_and_an_unknown_one_is_refused():
    both = needs("seasons", "partners")
    np.testing.assert_array_equal(both[0], needs("seasons")[0])
    assert not np.array_equal(both[1], needs("seasons")[1])
    with pytest.raises(InputError, match=r"'gravity'.*contagion"):
        simulate_default_areas(WorldParameters(laws=("gravity",)))
