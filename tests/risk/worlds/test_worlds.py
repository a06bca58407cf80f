"""Invented worlds: they are plausible, their truth is known, and a seed repeats them."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from benchmarks import worlds as sim
from data.errors import InputError
from data.reference import area_table
from risk import worlds
from tests.helpers.invented_worlds import NOW, list_neighbours, make_world

PLANTED = ("AL-02", "AL-11")
CITIES = ("10944377", "10944420")
# In thousands, rounded; the product's own figures are tested elsewhere.
ALBANIA = (141, 227, 233, 240, 60, 173, 62, 99, 107, 154, 759, 147)
GREECE = (562, 1792, 255, 320, 688, 201, 643, 505, 3792, 538, 194, 325, 617)
PEOPLE = {
    **{f"AL-{number:02}": people for number, people in enumerate(ALBANIA, start=1)},
    **{f"GR-{letter}": people for letter, people in zip("ABCDEFGHIJKLM", GREECE, strict=True)},
}


@pytest.fixture(scope="module")
def twenty():
    return [make_world(seed=seed) for seed in range(20)]


def share_of_internal(rows, column):
    """Return the share of internal trafficking among the known pathways, by quarter."""
    known = rows[rows["pathway"] != "none_known"]
    internal = known[known["pathway"] == "internal"]
    of_all = known.groupby("quarter", observed=True)[column].sum()
    return (internal.groupby("quarter", observed=True)[column].sum() / of_all).to_numpy()


def first_meetings(invented_world):
    frame = invented_world.records["encounter"]
    return frame[~pd.Series(invented_world.truth.child).duplicated().to_numpy()]


def quarter_of(invented_world, dates):
    starts = np.array([f"{day:%Y-%m-%d}" for day in invented_world.parameters.quarter_starts])
    return np.searchsorted(starts, dates.astype(str).to_numpy(dtype=str), side="right")


# The truth


@pytest.mark.parametrize("column", ["need", "reported", "discovered"])
@pytest.mark.parametrize("area", [*PLANTED, *CITIES])
def test_internal_share_goes_from_two_to_eight_in_ten_by_the_seventh_quarter(default, area, column):
    rows = default.truth.need
    share = share_of_internal(rows[rows["area"] == area], column)
    assert share[:3] == pytest.approx([0.2] * 3)
    assert share[3:6] == pytest.approx([0.35, 0.5, 0.65])
    assert share[6:] == pytest.approx([0.8] * 6)


@pytest.mark.long
def test_internal_share_stays_elsewhere(twenty):
    change = []
    for invented_world in twenty:
        rows = invented_world.truth.need.query("level == 'region'")
        elsewhere = rows[~rows["area"].isin(PLANTED) & rows["area"].str.startswith("AL")]
        share = share_of_internal(elsewhere, "need")
        change.append(share[-1] - share[0])
    assert abs(np.mean(change)) < 0.15
    assert np.max(np.abs(change)) < 0.4


def test_the_shift_is_in_the_children_that_are_met(twenty):
    counts = np.zeros((2, 12))
    for invented_world in twenty:
        frame = first_meetings(invented_world)
        inside = frame["municipality"].astype(str).map(area_table()["parent"]).isin(PLANTED)
        frame = frame[inside & (frame["pathway"] != "none_known")]
        quarter = quarter_of(invented_world, frame["date"])
        internal = (frame["pathway"] == "internal").to_numpy()
        counts[0] += np.bincount(quarter - 1, internal, 12)
        counts[1] += np.bincount(quarter - 1, minlength=12)
    share = counts[0] / counts[1]
    assert share[:3].mean() == pytest.approx(0.2, abs=0.06)
    assert share[6:].mean() == pytest.approx(0.8, abs=0.04)


def test_internal_children_are_more_and_more_brought_to_the_two_cities(twenty):
    late, early = [], []
    for invented_world in twenty:
        frame = first_meetings(invented_world)
        rows = frame[(frame["pathway"] == "internal") & (frame["country"] == "AL")]
        rows = rows[~rows["municipality"].isin(CITIES) & (rows["destination"] != "")]
        brought = rows["destination"].isin(CITIES).to_numpy()
        quarter = quarter_of(invented_world, rows["date"])
        early.append(brought[quarter <= 3])
        late.append(brought[quarter >= 7])
    assert np.concatenate(late).mean() > np.concatenate(early).mean() + 0.1


def test_about_as_many_children_are_met_as_asked_for(twenty):
    met = np.array([invented_world.truth.child.max() + 1 for invented_world in twenty])
    assert met.mean() == pytest.approx(1400, rel=0.03)
    assert ((met > 1150) & (met < 1700)).all()


def test_detection_is_what_was_asked_for(default):
    rows = default.truth.need.query("level == 'region'")
    detections = rows["reported"].sum() + rows["discovered"].sum()
    assert detections / rows["need"].sum() == pytest.approx(0.18, rel=0.05)
    assert rows["reported"].sum() / detections == pytest.approx(0.5, abs=0.05)


def test_counts_follow_their_expectation(twenty):
    met, expected = [], []
    for invented_world in twenty:
        home = first_meetings(invented_world)["municipality"].astype(str).map(area_table()["parent"])
        rows = invented_world.truth.need.query("level == 'region'")
        mean = (rows["reported"] + rows["discovered"]).groupby(rows["area"]).sum()
        expected.append(mean)
        met.append(home.value_counts().reindex(mean.index, fill_value=0))
    met, expected = pd.concat(met), pd.concat(expected)
    # Poisson over two years of negative binomial quarters: somewhat above 1.
    squares = ((met - expected) ** 2 / expected)[expected > 5]
    assert 0.8 < squares.mean() < 2.5
    assert np.corrcoef(met, expected)[0, 1] > 0.97


def test_discovery_goes_with_the_days_of_a_region_to_the_power_gamma():
    invented_world = make_world(gamma=0.6)
    rows = invented_world.truth.need.query("level == 'region' and days > 0 and need > 0")
    detection = invented_world.truth.areas.loc[rows["area"], "detection"].to_numpy()
    ratio = rows["discovered"] / (rows["need"] * detection * rows["days"] ** 0.6)
    # But for the few cells in which nine in ten of the children are found already.
    np.testing.assert_allclose(ratio.quantile([0.02, 1.0]), ratio.median())
    assert ratio.min() > 0.3 * ratio.max()
    assert (invented_world.truth.need.query("days == 0")["discovered"] == 0).all()


def test_regions_are_the_sum_of_their_municipalities(default):
    rows = default.truth.need
    home = rows["area"].map(default.truth.areas["parent"])
    keys = ["pathway", "quarter"]
    towns = rows[rows["level"] == "municipality"].assign(area=home)
    columns = ["need", "reported", "discovered", "days"]
    summed = towns.groupby(["area", *keys], observed=True)[columns].sum()
    regions = rows[rows["level"] == "region"].set_index(["area", *keys])[columns]
    summed = summed.reindex(regions.index, fill_value=0.0)
    np.testing.assert_allclose(summed, regions, rtol=1e-9, atol=1e-9)


def test_people_of_municipalities_add_up_and_known_cities_are_the_largest(default):
    areas = default.truth.areas
    towns = areas[areas["level"] == "municipality"]
    summed = towns.groupby("parent")["people"].sum()
    athos = 1779  # counted in Central Macedonia, and no municipality
    people = sim.read_population(NOW)
    for code in PEOPLE:
        assert summed[code] == people[code] - athos * (code == "GR-B")
    largest = towns.groupby("parent")["people"].idxmax()
    assert largest[["AL-11", "AL-02", "GR-I", "GR-B"]].tolist() == ["10944420", "10944377", "9186", "9031"]


@pytest.mark.long
def test_log_relative_risk_has_the_asked_spread():
    spread = []
    for seed in range(30):
        risk = make_world(seed=seed, children=20).truth.relative_risk("region")
        risk = risk[~risk["area"].isin(PLANTED) & (risk["need"] > 0)]
        spread.append(np.log(risk["relative_risk"]).groupby([risk["country"], risk["pathway"]]).var())
    assert np.sqrt(pd.concat(spread).mean()) == pytest.approx(0.75, abs=0.1)


def test_relative_risk_of_a_country_is_one(default):
    risk = default.truth.relative_risk("region")
    children = risk["area"].map(default.truth.areas["children"])
    known = risk.assign(weight=children)[children > 0]
    for _, rows in known.groupby(["country", "pathway"]):
        assert np.average(rows["relative_risk"], weights=rows["weight"]) == pytest.approx(1.0)
    assert set(risk["pathway"]) == {"internal", "cross_border"}


def test_a_world_without_signal_is_flat_and_has_no_shift():
    invented_world = make_world(signal=False, hotspot=2.0)
    rows = invented_world.truth.need.query("need > 0")
    np.testing.assert_allclose(rows["relative_risk"], 1.0)
    share = share_of_internal(rows[rows["area"].isin(PLANTED)], "need")
    np.testing.assert_allclose(share, share[0])
    by_country = rows.groupby([rows["area"].map(invented_world.truth.areas["country"]), "pathway"], observed=True)
    assert (by_country["rate"].max() - by_country["rate"].min()).max() < 1e-9
    assert invented_world.records["effort"]["days"].std() > 0


@pytest.mark.long
def test_a_hotspot_moves_every_three_quarters():
    with_it, without = make_world(hotspot=2.0).truth.need, make_world().truth.need
    rows = with_it["level"] == "region"
    ratio = (with_it["need"] / without["need"])[rows]
    quarters = ratio.groupby(with_it["quarter"], observed=True)
    hot = with_it["area"].loc[quarters.idxmax()].tolist()
    assert all(len(set(hot[i : i + 3])) == 1 for i in range(0, 12, 3))
    pairs = {frozenset(pair) for pair in list_neighbours()}
    assert all(frozenset((hot[i], hot[i + 3])) in pairs for i in (0, 3, 6))


# Effort


@pytest.mark.long
def test_effort_follows_finds_as_much_as_asked():
    pull = {}
    for follow in (0.0, 0.9):
        agreement = []
        for seed in range(10):
            invented_world = make_world(seed=seed, effort_follows_finds=follow, effort_log_sd=0.0)
            frame = first_meetings(invented_world)
            before = frame[quarter_of(invented_world, frame["date"]) <= 11]["municipality"].value_counts()
            rows = invented_world.truth.need.query("level == 'municipality' and pathway == 'internal'")
            days = rows.pivot_table(index="area", columns="quarter", values="days", observed=True)
            searched = days[(days.iloc[:, 0] > 0) & days.index.str.startswith("1094")]
            change = np.log((searched.iloc[:, -1] + 1) / (searched.iloc[:, 0] + 1))
            surprise = np.log((before.reindex(searched.index).fillna(0) + 1) / (searched.iloc[:, 0] + 1))
            agreement.append(change.corr(surprise, method="spearman"))
        pull[follow] = np.mean(agreement)
    assert pull[0.9] > 0.6
    assert pull[0.9] > pull[0.0] + 0.25


@pytest.mark.long
def test_effort_without_following_does_not_know_the_finds():
    quiet, loud = (make_world(effort_follows_finds=0.0, log_sd=sd).records["effort"] for sd in (0.0, 1.5))
    pd.testing.assert_frame_equal(quiet, loud)
    followed = [make_world(effort_follows_finds=0.5, log_sd=sd).records["effort"] for sd in (0.0, 1.5)]
    assert not followed[0].equals(followed[1])


def test_effort_is_uneven_grows_and_leaves_most_municipalities_out(default):
    rows = default.truth.need.query("level == 'municipality' and pathway == 'internal'")
    by_area = rows.groupby("area")["days"].sum()
    assert (by_area == 0).mean() > 0.5
    assert by_area.nlargest(20).sum() > 0.6 * by_area.sum()
    by_quarter = rows.groupby("quarter", observed=True)["days"].sum()
    assert by_quarter.iloc[-1] == pytest.approx(4 * by_quarter.iloc[0], rel=0.1)
    assert by_area.sum() == default.records["effort"]["days"].sum()


# Records


def test_children_known_to_several_partners_mostly_share_a_number(default):
    frame = default.records["encounter"].assign(child=default.truth.child)
    groups = frame.astype({"partner": "str", "programme_number": "str"}).groupby("child")
    several = groups["partner"].agg(lambda names: len(set(names)) > 1)
    numbered = groups["programme_number"].first() != ""
    assert several.sum() > 30
    assert 0.7 < numbered[several].mean() < 0.97
    assert numbered[~several].mean() < 0.4


def test_form_depends_on_pathway_age_and_sex(default):
    frame = default.records["encounter"]
    sexual = frame["form"] == "sexual_exploitation"
    assert not (sexual & (frame["age_band"] == "0-5")).any()
    assert sexual[frame["age_band"] == "14-17"].mean() > sexual[frame["age_band"] == "6-9"].mean()
    abroad = frame["pathway"] == "other_cross_border"
    assert sexual[abroad].mean() > sexual[frame["pathway"] == "al_to_gr"].mean()


def test_services_are_handed_over_to_duty_bearers(default):
    frame = default.records["service"].astype({"handed_to": "str", "valid_to": "str"})
    assert frame["operator"].astype("str").str.fullmatch(r"Operator \d+ \(invented\)").all()
    handovers = frame[(frame["handed_to"] != "") & (frame["handed_to"] != "ngo")]
    ended, heirs = handovers[handovers["duty_bearer"] == "ngo"], handovers[handovers["duty_bearer"] != "ngo"]
    assert len(ended) == len(heirs) > 10
    assert set(heirs["handed_to"]) >= {"municipality", "state"}
    assert (heirs["duty_bearer"].astype("str") == heirs["handed_to"]).all()
    shared = 0
    for row in heirs.itertuples():
        day_before = f"{pd.Timestamp(str(row.valid_from)) - pd.Timedelta(days=1):%Y-%m-%d}"
        same = ended[(ended["municipality"] == row.municipality) & (ended["axis"] == row.axis)]
        later = (same["valid_to"] == "") | (same["valid_to"] > day_before)
        assert ((same["valid_to"] == day_before) | later).any()
        shared += not (same["valid_to"] == day_before).any()
    assert 3 < shared < len(heirs) / 2  # the NGO works on for a while
    returned = frame[frame["handed_to"] == "ngo"]
    assert len(returned) > 2
    assert (returned["duty_bearer"] == "ngo").all()
    assert not (returned["handed_from"].astype("str") == "ngo").any()
    assert frame["axis"].nunique() == 5
    assert frame["duty_bearer"].nunique() == 6


def test_estimates_and_indicators_say_that_they_are_invented(default):
    for kind in ("community", "indicator"):
        source = default.records[kind]["source"].astype("str")
        assert source.str.contains("invented", case=False).all()
    assert (default.records["community"]["estimate"] > 0).all()


@pytest.mark.long
def test_communities_know_nothing_of_risk_and_effort():
    quiet = make_world(signal=False, effort_follows_finds=0.0).records["community"]
    loud = make_world(log_sd=2.0, effort_follows_finds=1.0).records["community"]
    pd.testing.assert_frame_equal(quiet, loud)


# Repetition


def fingerprint(world):
    """Return SHA-256 over all records and all rows of the truth."""
    digest = hashlib.sha256()
    frames = [*world.records.items(), ("need", world.truth.need), ("areas", world.truth.areas)]
    for name, frame in frames:
        digest.update(f"{name} {list(frame.columns)}".encode())
        digest.update(pd.util.hash_pandas_object(frame, index=True).to_numpy().tobytes())
    digest.update(np.ascontiguousarray(world.truth.child).tobytes())
    return digest.hexdigest()


@pytest.mark.slow
def test_a_seed_makes_the_same_world_again_and_another_makes_another(default):
    assert fingerprint(make_world()) == fingerprint(default)
    assert fingerprint(make_world(seed=1)) != fingerprint(default)


@pytest.mark.slow
def test_the_demo_has_the_records_of_a_world_with_a_known_truth():
    shipped = worlds.simulate_default_areas(worlds.WorldParameters(seed=3, children=100)).records
    known = sim.simulate_default_areas(sim.WorldParameters(seed=3, children=100)).records
    assert list(shipped) == list(known)
    for kind, frame in shipped.items():
        pd.testing.assert_frame_equal(frame, known[kind])


@pytest.mark.long
def test_a_world_does_not_depend_on_the_process_or_on_its_threads(default):
    code = "from tests.risk.worlds.test_worlds import fingerprint, make_world; print(fingerprint(make_world()))"
    settings_ = {"PYTHONHASHSEED": "77", "OPENBLAS_NUM_THREADS": "4", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings_, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == fingerprint(default)


def test_the_order_of_areas_and_neighbours_changes_nothing(default):
    pairs = [(b, a) for a, b in reversed(list_neighbours())]
    people = sim.read_population(NOW)
    shuffled = area_table().sample(frac=1.0, random_state=1)
    again = sim.simulate(default.parameters, shuffled, pairs, people.iloc[::-1])
    assert fingerprint(again) == fingerprint(default)


@pytest.mark.long
def test_regions_touch_where_their_municipalities_do():
    towns_only = [pair for pair in list_neighbours() if "-" not in pair[0]]
    bridge = [("10944377", "10944420")]
    people = sim.read_population(NOW)
    plain = sim.simulate(sim.WorldParameters(), area_table(), towns_only, people)
    joined = sim.simulate(sim.WorldParameters(), area_table(), towns_only + bridge, people)
    assert fingerprint(plain) != fingerprint(joined)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("children", 0),
        ("gamma", 0.0),
        ("reported_share", 1.2),
        ("log_sd", -1.0),
        ("quarters", 0),
        ("start", "June"),
        ("shift_begins", 9),
        ("seed", -1),
        ("detection", float("nan")),
    ],
)
def test_impossible_parameters_are_named(name, value):
    with pytest.raises(InputError, match=name):
        sim.WorldParameters(**{name: value})


def test_a_table_without_areas_is_refused():
    with pytest.raises(InputError, match="municipality"):
        sim.simulate(sim.WorldParameters(), area_table().query("level == 'country'"), [], pd.Series())


def test_figures_of_the_product_are_the_default_population():
    people = sim.read_population(NOW)
    for code, thousands in PEOPLE.items():
        assert people[code] == pytest.approx(1000 * thousands, abs=1000)


# The demo


def test_the_demo_looks_like_the_programme():
    invented_world = sim.simulate_default_areas(sim.WorldParameters())
    frame = first_meetings(invented_world)
    region = frame["municipality"].astype(str).map(area_table()["parent"])
    children = region.value_counts()
    albania = children[children.index.str.startswith("AL")]
    greece = children[children.index.str.startswith("GR")]
    offices = ["AL-11", "AL-02", "AL-03", "AL-04", "AL-06", "AL-10"]
    assert albania.index[0] == "AL-11"
    assert albania[offices].sum() > 0.75 * albania.sum()
    assert greece[["GR-I", "GR-B", "GR-D"]].sum() > 0.55 * greece.sum()
    assert (children.reindex(PEOPLE, fill_value=0) < 11).sum() >= 3
    quarters = np.bincount(quarter_of(invented_world, frame["date"]), minlength=13)[1:]
    assert quarters[-4:].sum() > 1.5 * quarters[:4].sum()
    assert len(children) >= 20
