"""The cost of protection is computed from a release alone, and is right where the truth is known."""

import shutil

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure.cell_key import CellKey
from data.disclosure.cost import (
    COLUMNS,
    compute_cost,
    compute_expected_errors,
    compute_most_of_one_number,
    estimate_hidden_share,
)
from data.release import MANIFEST, Release
from data.tables.spec import TIERS
from tests.helpers import small_release
from tests.helpers.manifests import edit_manifest
from tests.helpers.small_release import WHOLE, YEARS

NOISE = CellKey()


def publish(counts, draw, mechanism=NOISE):
    counts = np.asarray(counts, np.int64)
    return mechanism.publish(counts, draw.integers(0, mechanism.key_range, counts.shape))


def described(release, **about):
    """Write into the manifest what each table is, and the given entries."""
    with edit_manifest(release.folder / MANIFEST) as manifest:
        for resource in manifest["resources"]:
            measure, *cut = resource["name"].split("_")
            if measure == "children":
                resource["tact"] = {"measure": measure, "level": cut[0], "grain": cut[1], "breakdown": cut[2:]}
        manifest["tact"].update(about)
    return Release.open(release.folder.parents[1], release.tier)


def tables(years, whole, states=()):
    """Return tables of regions (AL-01, AL-02, GR-A) by year and of countries for the whole time; None is hidden."""
    state = dict(states)

    def row(area, period, value):
        shown = None if value is None else 5
        word = "number" if value is not None else state.get((area, period), "few")
        return (area, period, value, word, shown)

    columns = ["area", "period", "value", "state", "margin"]
    region = pd.DataFrame([row(a, p, v) for a, by in years.items() for p, v in zip(YEARS, by, strict=True)])
    country = pd.DataFrame([row(a, WHOLE, v) for a, v in whole.items()])
    named = {"children_region_year": region, "children_country_whole": country}
    return {name: f.set_axis(columns, axis=1).astype({"value": "Int64"}) for name, f in named.items()}


def measure_cost(tmp_path, release_tables, tier="public", **about):
    costs = compute_cost(described(small_release.make(tmp_path, tier, tables=release_tables), k=15, **about))
    return costs.set_index(["country", "level", "grain"])


def test_what_is_hidden_is_the_country_less_what_is_shown(tmp_path):
    release_tables = tables({"AL-01": (30, None), "AL-02": (None, 50), "GR-A": (40, 60)}, {"AL": 100, "GR": 101})
    costs = measure_cost(tmp_path, release_tables)
    albania = costs.loc[("AL", "region", "year")]
    assert (albania["cells"], albania["shown"], albania["hidden"]) == (4, 0.5, 0.2)
    # Three numbers with noise of variance 2 each.
    assert albania["hidden_high"] - albania["hidden"] == pytest.approx(1.96 * np.sqrt(6) / 100, rel=1e-3)
    assert albania["hidden"] - albania["hidden_low"] == pytest.approx(1.96 * np.sqrt(6) / 100, rel=1e-3)
    assert tuple(costs.loc[("GR", "region", "year"), ["shown", "hidden", "hidden_high"]]) == (1, 0, 0)
    assert costs.loc[("AL", "country", "whole"), "hidden"] == 0
    assert set(costs["tier"]) == {"public"}


def test_without_a_country_that_shows_its_total_the_share_is_missing_and_the_rest_stands(tmp_path):
    costs = measure_cost(tmp_path, tables({"AL-01": (30, None), "GR-A": (40, None)}, {"AL": None, "GR": 80}))
    assert costs.loc[("AL", "region", "year"), ["hidden", "hidden_low", "hidden_high"]].isna().all()
    assert costs.loc[("AL", "region", "year"), "error"] == pytest.approx(1.08, abs=0.01)
    assert costs.loc[("GR", "region", "year"), "hidden"] == 0.5
    nothing = costs.loc[("AL", "country", "whole")]
    assert nothing["shown"] == 0
    assert nothing[["hidden", "error", "relative"]].isna().all()


def test_a_cell_that_is_withheld_hides_children_and_one_without_a_programme_hides_none(tmp_path):
    release_tables = tables(
        {"AL-01": (30, None), "GR-A": (40, None)},
        {"AL": 50, "GR": 80},
        {("AL-01", YEARS[1]): "withheld", ("GR-A", YEARS[1]): "structural_zero"},
    )
    costs = measure_cost(tmp_path, release_tables)
    assert costs.loc[("AL", "region", "year"), "hidden"] == 0.4
    assert costs.loc[("GR", "region", "year"), "hidden"] == 0


def test_noise_that_makes_the_parts_more_than_the_whole_never_hides_fewer_than_none(tmp_path):
    costs = measure_cost(tmp_path, tables({"AL-01": (60, None), "GR-A": (40, 60)}, {"AL": 58, "GR": 101}))
    albania = costs.loc[("AL", "region", "year")]
    assert (albania["hidden"], albania["hidden_low"]) == (0, 0)
    assert albania["hidden_high"] > 0


def test_the_middle_number_gives_the_relative_error(tmp_path):
    costs = measure_cost(tmp_path, tables({"AL-01": (20, 100), "AL-02": (50, None)}, {"AL": 180}))
    error = compute_expected_errors(50, NOISE, 15)[0]
    assert costs.loc[("AL", "region", "year"), "relative"] == pytest.approx(float(error) / 50)
    assert costs.loc[("AL", "region", "year"), "error"] == pytest.approx(float(error))


def test_the_partner_tier_has_no_threshold_that_hides_children(tmp_path):
    release_tables = tables({"AL-01": (30, None), "GR-A": (4, 60)}, {"AL": 100, "GR": 64})
    costs = measure_cost(tmp_path, release_tables, "partner")
    assert costs["hidden"].isna().all()
    assert set(costs["tier"]) == {"partner"}
    assert costs.loc[("GR", "region", "year"), "error"] < 1.08


def test_a_release_of_figures_alone_costs_nothing(tmp_path):
    costs = compute_cost(small_release.make(tmp_path, "public", tables={}))
    assert list(costs) == list(COLUMNS)
    assert len(costs) == 0


# -- the demo world -------------------------------------------------------------------------------------


@pytest.mark.parametrize("tier", TIERS)
def test_a_tier_alone_is_enough_and_the_shares_are_those_of_its_manifest(demo_world, tmp_path, tier):
    name = Release.open(demo_world / "releases", tier).name
    shutil.copytree(demo_world / "releases" / name / tier, tmp_path / name / tier)
    release = Release.open(tmp_path, tier, name)
    costs = compute_cost(release)
    assert set(costs["country"]) == {"AL", "GR"}
    assert set(costs["tier"]) == {tier}
    entries = {r["name"]: r["tact"] for r in release.manifest["resources"] if r["name"] != "areas"}
    for (level, grain), rows in costs.groupby(["level", "grain"]):
        shown = (rows["cells"] * rows["shown"]).sum() / rows["cells"].sum()
        about = entries[f"children_{level}_{grain}"]
        assert shown == pytest.approx(about["states"]["number"], abs=1e-4)


def test_the_public_estimate_agrees_with_what_partners_see(demo_world):
    public, partner = (Release.open(demo_world / "releases", tier) for tier in ("public", "partner"))
    costs = compute_cost(public).set_index(["country", "level", "grain"])
    for grain in ("year", "whole"):
        name = f"children_region_{grain}"
        both = public.table(name).merge(partner.table(name), on=["area", "period"])
        both["children"] = both["value_y"].astype(float).fillna(0)
        hidden = both[both["state_x"] != "number"]
        country = both["area"].str[:2]
        share = hidden["children"].groupby(country).sum() / both["children"].groupby(country).sum()
        for code in ("AL", "GR"):
            estimate = costs.loc[(code, "region", grain)]
            assert estimate["hidden_low"] - 0.02 <= share[code] <= estimate["hidden_high"] + 0.02


def test_who_knows_all_others_learns_more_where_small_numbers_show(demo_world):
    public, partner = (
        compute_most_of_one_number(Release.open(demo_world / "releases", tier)) for tier in ("public", "partner")
    )
    assert public == pytest.approx(0.28, abs=0.005)
    assert partner == pytest.approx(0.48, abs=0.005)


# -- where the truth is known ---------------------------------------------------------------------------


def test_the_error_is_that_of_counts_that_are_equally_likely():
    draw = np.random.default_rng(1)
    true = draw.integers(0, 80, 400_000)
    shown = publish(true, draw)
    for value in (1, 2, 3, 5, 8, 15, 40):
        off = np.abs(shown - true)[shown == value]
        absolute, squared = compute_expected_errors(value, NOISE)
        assert off.mean() == pytest.approx(float(absolute), abs=0.05)
        assert (off**2).mean() == pytest.approx(float(squared), abs=0.15)


@pytest.mark.parametrize("k", [11, 15, 20])
def test_the_interval_holds_the_hidden_share_as_often_as_it_says(k):
    draw = np.random.default_rng(k)
    covered = 0
    for _ in range(400):
        true = draw.poisson(draw.gamma(0.8, 25, 40))
        shown, total = publish(true, draw), publish([true.sum()], draw)
        seen = shown >= k
        _, low, high = estimate_hidden_share(total, shown[seen], NOISE, k)
        covered += low <= true[~seen].sum() / true.sum() <= high
    assert covered >= 0.9 * 400


@given(
    st.lists(st.integers(15, 10**9), min_size=1, max_size=12),
    st.sampled_from([NOISE, CellKey(1.0, 3), CellKey(5.0, 8)]),
    st.sampled_from([11, 15]),
)
@settings(max_examples=40)
def test_the_error_of_any_number_lies_within_the_noise(values, mechanism, k):
    absolute, squared = compute_expected_errors([values], mechanism, k)
    largest = mechanism.knowledge(1, k).largest
    assert absolute.shape == (1, len(values))
    assert (absolute >= 0).all()
    assert (absolute <= largest).all()
    assert (squared >= absolute**2 - 1e-9).all()
    steady = compute_expected_errors([10**9], mechanism, k)[0][0]
    large = np.asarray(values) >= max(2 * largest, k)
    assert absolute[0][large] == pytest.approx(steady)


@given(st.integers(1, 10**6), st.lists(st.integers(15, 10**4), max_size=20), st.integers(11, 15))
@settings(max_examples=40)
def test_a_share_is_a_share_and_lies_within_its_interval(total, shown, k):
    share, low, high = estimate_hidden_share(total, shown, NOISE, k)
    if total < k:  # such a total is never shown, so nothing can be said of its noise
        return
    assert 0 <= low <= share <= high <= 1


def test_a_number_that_is_never_shown_has_no_error():
    assert np.isnan(compute_expected_errors([9], NOISE, 15)[0]).all()
    assert compute_expected_errors([], NOISE, 15)[0].shape == (0,)
