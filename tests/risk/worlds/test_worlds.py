"""Invented worlds: they are plausible, their truth is known, and a seed repeats them."""

import hashlib
import os
import subprocess
import sys
from functools import cache, partial

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.reference import area_table
from data.restricted.intake import read_file
from data.restricted.intake.mapping import read as read_mapping
from data.schema.kinds import KINDS
from geo.places import Places
from risk import worlds as sim

PLANTED = ("AL-02", "AL-11")
CITIES = ("10944377", "10944420")
# Which counties and regions touch; the islands of Greece touch none.
BORDERS = (
    "AL-10 AL-07, AL-10 AL-08, AL-07 AL-08, AL-07 AL-09, AL-08 AL-09, AL-08 AL-02, AL-02 AL-09, "
    "AL-02 AL-11, AL-09 AL-11, AL-09 AL-03, AL-11 AL-03, AL-11 AL-04, AL-03 AL-04, AL-03 AL-01, "
    "AL-03 AL-06, AL-01 AL-04, AL-01 AL-06, AL-01 AL-05, AL-04 AL-05, AL-04 AL-12, AL-05 AL-12, "
    "AL-05 AL-06, AL-05 GR-D, AL-12 GR-D, AL-06 GR-C, AL-06 GR-D, GR-A GR-B, GR-B GR-C, GR-B GR-E, "
    "GR-C GR-E, GR-C GR-D, GR-D GR-E, GR-D GR-G, GR-E GR-H, GR-E GR-G, GR-G GR-H, GR-H GR-I, "
    "GR-G GR-J, GR-I GR-J, GR-B GR-69"
)
# In thousands, rounded; the product's own figures are tested elsewhere.
ALBANIA = (141, 227, 233, 240, 60, 173, 62, 99, 107, 154, 759, 147)
GREECE = (562, 1792, 255, 320, 688, 201, 643, 505, 3792, 538, 194, 325, 617)
PEOPLE = {
    **{f"AL-{number:02}": people for number, people in enumerate(ALBANIA, start=1)},
    **{f"GR-{letter}": people for letter, people in zip("ABCDEFGHIJKLM", GREECE, strict=True)},
}


def neighbours():
    """Return the borders of regions, and a chain through the municipalities of each region."""
    pairs = [tuple(pair.split()) for pair in BORDERS.split(", ")]
    towns = area_table().query("level == 'municipality' and counted").sort_index()
    for _, inside in towns.groupby("parent"):
        pairs += list(zip(inside.index[:-1], inside.index[1:], strict=True))
    return pairs


NOW = sim.WorldParameters(start="2023-12")


def world(**parameters):
    people = sim.read_population(NOW)
    return sim.simulate(sim.WorldParameters(**parameters), area_table(), neighbours(), people)


@pytest.fixture(scope="module")
def default():
    return world()


@pytest.fixture(scope="module")
def twenty():
    return [world(seed=seed) for seed in range(20)]


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
    invented_world = world(gamma=0.6)
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
        risk = world(seed=seed, children=20).truth.relative_risk("region")
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
    invented_world = world(signal=False, hotspot=2.0)
    rows = invented_world.truth.need.query("need > 0")
    np.testing.assert_allclose(rows["relative_risk"], 1.0)
    share = share_of_internal(rows[rows["area"].isin(PLANTED)], "need")
    np.testing.assert_allclose(share, share[0])
    by_country = rows.groupby([rows["area"].map(invented_world.truth.areas["country"]), "pathway"], observed=True)
    assert (by_country["rate"].max() - by_country["rate"].min()).max() < 1e-9
    assert invented_world.records["effort"]["days"].std() > 0


@pytest.mark.long
def test_a_hotspot_moves_every_three_quarters():
    with_it, without = world(hotspot=2.0).truth.need, world().truth.need
    rows = with_it["level"] == "region"
    ratio = (with_it["need"] / without["need"])[rows]
    quarters = ratio.groupby(with_it["quarter"], observed=True)
    hot = with_it["area"].loc[quarters.idxmax()].tolist()
    assert all(len(set(hot[i : i + 3])) == 1 for i in range(0, 12, 3))
    pairs = {frozenset(pair) for pair in neighbours()}
    assert all(frozenset((hot[i], hot[i + 3])) in pairs for i in (0, 3, 6))


# Effort


@pytest.mark.long
def test_effort_follows_finds_as_much_as_asked():
    pull = {}
    for follow in (0.0, 0.9):
        agreement = []
        for seed in range(10):
            invented_world = world(seed=seed, effort_follows_finds=follow, effort_log_sd=0.0)
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
    quiet, loud = (world(effort_follows_finds=0.0, log_sd=sd).records["effort"] for sd in (0.0, 1.5))
    pd.testing.assert_frame_equal(quiet, loud)
    followed = [world(effort_follows_finds=0.5, log_sd=sd).records["effort"] for sd in (0.0, 1.5)]
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


def check(invented_world):
    """Check the properties that every world must have."""
    frame, child = invented_world.records["encounter"], invented_world.truth.child
    assert len(frame) == len(child)
    assert (np.unique(child) == np.arange(child.max() + 1 if len(child) else 0)).all()
    for kind, records in invented_world.records.items():
        check_schema(kind, records)
    check_effort(invented_world)
    if len(frame):
        check_children(frame, child)


def check_schema(kind, records):
    columns = {column.name: column for column in KINDS[kind].file_columns}
    assert set(records.columns) <= set(columns)
    missing = set(columns) - set(records.columns)
    assert not {name for name in missing if columns[name].required}
    assert not records.isna().to_numpy().any()
    codes = set(area_table().index)
    for name in records.columns:
        column, values = columns[name], set(records[name].astype("object").unique())
        if column.required:
            assert "" not in values
        if column.type == "category":
            assert values - {""} <= set(column.allowed)
        if column.type == "area":
            assert values - {""} <= codes
    plain = records.astype({n: "str" for n in records.columns if not columns[n].numeric})
    for rule in KINDS[kind].rules:
        assert not rule.broken(plain).any(), rule.reason


def check_effort(invented_world):
    """Check that every discovered child was met where and when outreach is recorded."""
    effort, frame = invented_world.records["effort"], invented_world.records["encounter"]
    length = np.where(effort["span"] == "week", 7, 1)
    start = effort["date"].astype("str").to_numpy().astype("datetime64[D]").astype(int)
    assert ((start + 3) % 7 == 0)[length == 7].all()
    places = effort["municipality"].astype("str").to_numpy()
    searched = {
        (place, day)
        for place, first, days in zip(places, start, length, strict=True)
        for day in range(first, first + days)
    }
    discoveries = frame[frame["found"] == "discovered"]
    days = discoveries["date"].astype("str").to_numpy().astype("datetime64[D]").astype(int)
    asked = set(zip(discoveries["municipality"].astype("str"), days.tolist(), strict=True))
    assert asked <= {(place, int(day)) for place, day in searched}
    last = invented_world.parameters.quarter_starts[-1] + pd.DateOffset(months=3)
    for dates in (frame["date"], effort["date"]):
        if len(dates):
            assert str(dates.astype("str").min()) >= f"{invented_world.parameters.quarter_starts[0]:%Y-%m-%d}"
            assert str(dates.astype("str").max()) < f"{last:%Y-%m-%d}"


def functional(frame, key, value):
    """Return whether each key has only one value."""
    return not frame[[key, value]].drop_duplicates().duplicated(key).any()


def check_children(frame, child):
    assert frame["date"].astype("str").is_monotonic_increasing
    stages = list(KINDS["encounter"].column("stage").allowed)
    by_child = pd.DataFrame(
        {
            "child": child,
            "stage": frame["stage"].astype("str").map(stages.index).to_numpy(),
            "date": frame["date"].astype("str").to_numpy(),
            "number": frame["programme_number"].astype("str").to_numpy(),
            "who": (frame["partner"].astype("str") + " " + frame["child_id"].astype("str")).to_numpy(),
            "partner": frame["partner"].astype("str").to_numpy(),
        }
    )
    groups = by_child.groupby("child")
    assert groups.size().max() <= 8
    assert (groups["stage"].diff().dropna() >= 0).all()
    assert not by_child.duplicated(["child", "date"]).any()
    # One identifier for a child at a partner, one child for an identifier, one number for a child.
    assert functional(by_child, "who", "child")
    assert by_child[["who", "child", "partner"]].drop_duplicates().duplicated(["child", "partner"]).sum() == 0
    assert functional(by_child, "child", "number")
    assert functional(by_child[by_child["number"] != ""], "number", "child")
    records = frame["record_number"][frame["record_number"] != ""]
    assert records.is_unique


def test_the_default_world_keeps_all_rules(default):
    check(default)


@pytest.mark.long
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    children=st.integers(1, 300),
    quarters=st.integers(1, 14),
    start=st.sampled_from(["2006-06", "2019-01", "2004-02"]),
    gamma=st.floats(0.2, 1.5),
    follow=st.floats(0.0, 1.0),
    reported=st.floats(0.0, 1.0),
    log_sd=st.floats(0.0, 2.0),
    at_risk=st.floats(0.0, 1.0),
    days=st.floats(1.0, 2000.0),
    signal=st.booleans(),
)
def test_every_world_keeps_all_rules(
    seed, children, quarters, start, gamma, follow, reported, log_sd, at_risk, days, signal
):
    invented_world = world(
        seed=seed,
        children=children,
        quarters=quarters,
        start=start,
        gamma=gamma,
        effort_follows_finds=follow,
        reported_share=reported,
        log_sd=log_sd,
        at_risk_share=at_risk,
        effort_days=days,
        signal=signal,
    )
    check(invented_world)
    need = invented_world.truth.need
    assert (need[["need", "reported", "discovered", "days"]] >= 0).all().all()
    assert (need["reported"] + need["discovered"] <= 0.9 * need["need"] + 1e-9).all()


@pytest.mark.long
def test_a_million_children_are_told_apart():
    invented_world = world(children=1_050_000)
    frame, child = invented_world.records["encounter"], invented_world.truth.child
    assert child.max() + 1 > 1_000_000
    who = frame["partner"].cat.codes.to_numpy().astype(np.int64) * 10**8 + child
    assert len(np.unique(who)) == frame["child_id"].nunique()
    numbered = (frame["programme_number"] != "").to_numpy()
    assert frame["programme_number"][numbered].nunique() == len(np.unique(child[numbered]))


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
    quiet = world(signal=False, effort_follows_finds=0.0).records["community"]
    loud = world(log_sd=2.0, effort_follows_finds=1.0).records["community"]
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
    assert fingerprint(world()) == fingerprint(default)
    assert fingerprint(world(seed=1)) != fingerprint(default)


@pytest.mark.long
def test_a_world_does_not_depend_on_the_process_or_on_its_threads(default):
    code = "from tests.risk.worlds.test_worlds import fingerprint, world; print(fingerprint(world()))"
    settings_ = {"PYTHONHASHSEED": "77", "OPENBLAS_NUM_THREADS": "4", "PYTHONPATH": "."}
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ | settings_, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == fingerprint(default)


def test_the_order_of_areas_and_neighbours_changes_nothing(default):
    pairs = [(b, a) for a, b in reversed(neighbours())]
    people = sim.read_population(NOW)
    shuffled = area_table().sample(frac=1.0, random_state=1)
    again = sim.simulate(default.parameters, shuffled, pairs, people.iloc[::-1])
    assert fingerprint(again) == fingerprint(default)


@pytest.mark.long
def test_regions_touch_where_their_municipalities_do():
    towns_only = [pair for pair in neighbours() if "-" not in pair[0]]
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


# Partner files


class Hasher:
    """A replacement for the keyed hash."""

    def __call__(self, identifiers):
        return [hashlib.sha256(text.encode()).hexdigest() for text in identifiers]


@cache
def read_back(path, partner, mapping=None):
    kind = path.stem.rpartition("-")[2]
    rules = read_mapping(mapping, kind) if mapping else None
    places = Places(area_table())
    return kind, read_file(path, kind, resolve=places.resolve, hash_identifier=Hasher(), mapping=rules, partner=partner)


PARTNERS = {"terre-des-hommes": "Terre des hommes", "arsis": "ARSIS", "bktf": "BKTF", "amaro-drom": "Amaro Drom"}


@pytest.fixture(scope="module")
def written(default, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return folder, sim.write_partner_files(default, folder)


def owner_and_mapping(path):
    stem = path.stem.removeprefix("invented-").rpartition("-")[0]
    mapping = path.parent / f"invented-{stem}.toml"
    return PARTNERS[stem], mapping if mapping.exists() and "encounter" in path.name else None


def test_all_files_say_that_they_are_invented(written):
    folder, paths = written
    assert sorted(paths) == sorted(folder.iterdir())
    assert all(path.name.startswith("invented-") for path in paths)
    assert {path.suffix for path in paths} == {".csv", ".xlsx", ".toml"}


@pytest.mark.long
def test_intake_takes_every_row_of_every_file_as_it_was_in_the_world(default, written):
    columns = {"encounter": ["date", "municipality", "stage", "found", "origin", "destination", "age_band"]}
    taken = {kind: [] for kind in default.records}
    for path in written[1]:
        if path.suffix == ".toml":
            continue
        partner, mapping = owner_and_mapping(path)
        kind, intake = read_back(path, partner, mapping)
        assert intake.rejects.empty, (path.name, intake.rejects.head())
        assert not intake.unknown_columns
        taken[kind].append(intake.accepted)
    for kind, frames in taken.items():
        together, world_ = pd.concat(frames), default.records[kind]
        assert len(together) == len(world_)
        names = [*columns.get(kind, []), "partner"] if kind == "encounter" else list(world_.columns)
        names = [name for name in names if name in together.columns]
        types = {name: KINDS[kind].column(name).dtype for name in names}
        pair = [frame[names].astype(types).sort_values(names, ignore_index=True) for frame in (together, world_)]
        pd.testing.assert_frame_equal(*pair)
    assert len(pd.concat(taken["encounter"])) >= 500
    # A child with a shared number is one child, whoever met it.
    children = pd.concat(taken["encounter"])["child"].nunique()
    assert default.truth.child.max() + 1 <= children <= 1.1 * default.truth.child.max()


@pytest.mark.long
def test_names_of_places_are_written_in_three_scripts_and_as_codes(written):
    texts = set()
    for path in written[1]:
        if "encounter" in path.name:
            read = pd.read_csv if path.suffix == ".csv" else partial(pd.read_excel, engine="openpyxl")
            texts |= set(read(path, dtype=str).iloc[:, :6].to_numpy().ravel().astype(str))
    assert {"Tirana", "Tiranë", "10944420", "Αθηναίων", "ΑΘΗΝΑΙΩΝ", "Athens"} <= texts


@pytest.mark.long
def test_bad_rows_come_back_and_the_rest_goes_in(default, written, tmp_path):
    wrong = 0
    for path in sim.write_partner_files(default, tmp_path, bad_rows=True):
        if path.suffix == ".toml":
            continue
        partner, mapping = owner_and_mapping(path)
        _, intake = read_back(path, partner, mapping)
        _, plain = read_back(written[0] / path.name, partner, mapping)
        assert intake.accepted_rows == plain.accepted_rows
        wrong += intake.rejected_rows
        assert intake.rejected_rows == {"encounter": 5, "effort": 3}.get(path.stem.rpartition("-")[2], 0)
    assert wrong == 4 * 5 + 4 * 3
