"""The result of the model for a release: of the same tier, from that tier alone, and the same each time."""

import shutil

import numpy as np
import pandas as pd
import pytest

from data.release import Release
from geo import areas as geography
from risk import report
from risk.model import RiskModel
from risk.model.observations import Observations
from risk.model.statements import RATE_CLAIMS
from risk.report import assess, safeguards, tables
from risk.report.tables import AHEAD
from tests.helpers.nonempty import nonempty

CHILDREN = "riskreasons_region_whole_crossing"


@pytest.fixture(scope="module")
def scored(demo_world):
    """Open the demo with the results from its building."""
    return {
        tier: Release.open(demo_world / "releases", tier, derived=demo_world / "derived")
        for tier in ("partner", "public")
    }


def test_what_is_said_has_its_bounds_its_chance_and_its_word(scored):
    table = scored["partner"].table("risk_region_whole_crossing")
    known = table["state"] == "class"
    claims = {claim.code: claim for claim in RATE_CLAIMS}
    for row in table[known].to_dict("records"):
        claim = claims[row["statement"]]
        assert row["low"] == claim.low
        assert row["high"] == claim.high or (np.isnan(row["high"]) and np.isinf(claim.high))
        assert row["probability"] >= claim.least
        assert row["certainty"] == ("very_likely" if row["probability"] >= 0.9 else "likely")
        assert not row["surely"] or row["sure_probability"] >= 0.9
    assert table.loc[~known, ["low", "high"]].isna().all(axis=None)
    assert set(table.loc[~known, "certainty"]) <= {"cannot_tell"}
    assert (~known).mean() <= 0.3
    assert (table["lower"] < table["median"]).all()
    assert (table["median"] < table["upper"]).all()
    assert len(table) == 50


def test_the_burden_ranks_the_areas_of_each_country(scored):
    table = scored["partner"].table("burden_region_quarter_crossing")
    assert (table["lower"] <= table["value"]).all()
    assert (table["value"] <= table["upper"]).all()
    for _, part in table.groupby([table["area"].str[:2], "crossing"]):
        assert part["top"].sum() == pytest.approx(5)
        assert part["rank"].between(part["rank_first"], part["rank_last"]).all()
        assert part["rank"].corr(part["value"], method="spearman") < -0.9
    assert (table["certainty"] == "cannot_tell").mean() <= 0.15


def test_a_country_is_told_to_change_as_one(scored):
    table = scored["partner"].table("riskchange_country_quarter_crossing")
    assert set(table["area"]) == {"AL", "GR"}
    assert set(table["period"]) == set(scored["partner"].table("riskchange_region_quarter_crossing")["period"])
    assert (table["state"] == "class").mean() > 0.5


def test_the_public_tier_gets_classes_and_nothing_else(scored):
    table = scored["public"].table("risk_region_year")
    assert list(table) == ["area", "period", "state", "value", "low", "high"]
    assert table["value"].isna().all()
    assert [n for n in scored["public"].tables if n.startswith(("exceed", "riskch", "fore", "pathwaysh"))] == []
    assert scored["public"].result("risk").manifest["statements"] == {}


def test_the_planted_shift_is_told_of_durres_and_tirana_together_and_of_each(scored):
    shifts = scored["partner"].result("risk").manifest["statements"]["shifts"]
    assert [shift["areas"] for shift in shifts] == [["AL-02", "AL-11"], ["AL-02"], ["AL-11"]]
    assert {shift["verdict"] for shift in shifts} == {"rose"}
    assert all(shift["after"] > shift["before"] + 25 for shift in shifts)
    both, durres, tirana = (shift["power"] for shift in shifts)
    assert 0 <= durres < tirana <= both + 10 <= 100


def test_what_counts_say_of_time_is_stored_for_every_area_and_pathway(scored):
    trends = scored["partner"].result("risk").manifest["statements"]["trends"]
    assert trends["breaks"] == []
    places = {(change["area"], change["pathway"]) for change in trends["changes"]}
    assert len(places) == len(trends["changes"]) == 25 * 3


@pytest.mark.parametrize(
    ("name", "more", "less"),
    [
        ("risk_region_whole_crossing", ("high", "very_high", "above"), ("low", "below")),
        ("burden_region_quarter_crossing", ("top", "upper_half"), ("lower_half", "not_top")),
        ("riskchange_region_quarter_crossing", ("rising", "more"), ("falling", "less")),
        ("risk_municipality_whole_crossing", ("high", "very_high", "above"), ("low", "below")),
    ],
)
def test_each_statement_has_its_tipping_point(scored, name, more, less):
    """Better teams would explain what is said to be much, worse ones what is said to be little: eq. (135)."""
    table = scored["partner"].table(name)
    repeated = table.get("region_only", pd.Series(False, index=table.index)).astype(bool)
    assert table.loc[repeated, "tipping"].isna().all(), "what is said there is said of the region"
    claims = (table["statement"] != "") & ~repeated
    assert table.loc[~claims, "tipping"].isna().all()
    assert (table.loc[table["statement"].isin(more), "tipping"].dropna() >= 1.0).all()
    assert (table.loc[table["statement"].isin(less), "tipping"].dropna() <= 1.0).all()
    assert table.loc[claims, "tipping"].notna().mean() > 0.8


def test_what_an_answer_rests_on_adds_up(scored):
    table = scored["partner"].table(CHILDREN)
    for _, part in nonempty(table.groupby([table["area"].str[:2], "crossing"])):
        assert part["by_population"].sum() == pytest.approx(part["value"].sum())
        # At the country's rate and with the area's own effort as many are met, within what is by chance.
        assert part["by_effort"].sum() == pytest.approx(part["value"].sum(), rel=0.35)


def test_the_next_quarters_are_forecast_with_intervals(scored):
    table = scored["partner"].table("forecast_region_quarter_crossing")
    last = scored["partner"].table("risk_region_quarter_crossing")["period"].max()
    assert table["period"].nunique() == AHEAD
    assert (table["period"] > last).all()
    assert (table["lower"] <= table["value"]).all()
    assert (table["value"] <= table["upper"]).mean() > 0.98, "a mean, which few large draws can move"
    share = scored["partner"].table("pathwayshare_region_quarter_crossing")
    assert share.groupby(["area", "period"])["value"].sum().to_numpy() == pytest.approx(100, abs=0.5)


@pytest.mark.slow
def test_what_is_said_of_the_public_tier_reads_nothing_of_the_other(scored, demo_world, tmp_path):
    """So the result reveals no more than the public numbers, which the membership attack tests."""
    name = scored["public"].name
    shutil.copytree(demo_world / "releases" / name / "public", tmp_path / "releases" / name / "public")
    alone = Release.open(tmp_path / "releases", "public", name)
    again = assess(alone, tmp_path / "derived")
    assert again.manifest["resources"][0]["hash"] == scored["public"].result("risk").manifest["resources"][0]["hash"]


@pytest.mark.slow
def test_the_layers_of_communities_are_read_for_the_audit_by_proxy_alone(scored, few_draws, monkeypatch):
    read = []
    read_file, audit = Release._read_file, safeguards.audit_proxy

    def remember(release, name):
        read.append(name)
        return read_file(release, name)

    def audit_proxy(release, *arguments):
        before = len(read)
        checks = audit(release, *arguments)
        assert {name.partition("_")[0] for name in read[before:]} == {"communities"}
        del read[before:]
        return checks

    monkeypatch.setattr(Release, "_read_file", remember)
    monkeypatch.setattr(safeguards, "audit_proxy", audit_proxy)
    assert report.compute_result(scored["partner"]).about["safeguards"]["proxy"]
    assert len(read) > 5
    assert not [name for name in read if name.startswith("communities")]


@pytest.mark.long
def test_without_the_layers_of_communities_the_same_risk_is_found(scored, demo_world, tmp_path):
    """Communities never enter the model; the same release and seed give the same result."""
    without = Release.open(demo_world / "releases", "partner", without=["communities"])
    assert not any(name.startswith("communities") for name in without.tables)
    again = assess(without, tmp_path).manifest
    was = scored["partner"].result("risk").manifest
    assert [r["hash"] for r in again["resources"]] == [r["hash"] for r in was["resources"]]
    assert again["card"] == was["card"]
    assert was["safeguards"]["proxy"]
    assert again["safeguards"]["proxy"] == []


def test_a_result_carries_the_tier_of_its_release(scored, demo_world):
    for tier, other in (("partner", "public"), ("public", "partner")):
        result = scored[tier].result("risk")
        assert result.manifest["tier"] == tier
        assert result.manifest["release_sha256"] == scored[tier].checksum != scored[other].checksum
        added = Release.open(demo_world / "releases", tier, derived=demo_world / "derived").added
        assert result in added
        assert {added_result.manifest["tier"] for added_result in added} == {tier}


@pytest.mark.slow
def test_of_a_country_without_any_record_no_table_says_anything(scored, few_draws, monkeypatch):
    """Greece is declared silent: its rows are empty, and those of Albania are the same as before."""
    areas = geography.read_areas(scored["partner"].areas_file)
    seen, inside = (Observations.from_release(scored["partner"], areas, level) for level in ("region", "municipality"))
    fit = RiskModel().fit(seen).fit_
    judged, municipal = tables.judge_fit(fit), report.fit_municipalities(fit, inside)

    def make():
        outputs = [*tables.make_partner_tables(judged, areas, {}), *tables.make_municipal_tables(judged, municipal)]
        outputs += tables.make_public_tables(judged)
        return {table.name: table.rows.to_pandas() for table in outputs}

    known = make()
    silent = {"GR", *seen.list_areas_in({"GR"}), *inside.list_areas_in({"GR"})}
    monkeypatch.setattr(Observations, "silent_places", frozenset(silent))
    silent_tables = make()
    assert len(silent_tables) == len(known) == 16
    for name, table in silent_tables.items():
        quiet = table["area"].isin(silent)
        rows, others = table[quiet], table[~quiet]
        assert len(rows), name
        assert set(rows["state"]) == {"cannot_tell"}, name
        assert rows.select_dtypes("number").isna().all(axis=None), name
        assert not rows.select_dtypes(bool).any(axis=None), name
        for claim in ("statement", "surely"):
            assert claim not in rows or set(rows[claim]) == {""}, name
        pd.testing.assert_frame_equal(others, known[name][~quiet], check_dtype=False)


def test_a_cluster_says_how_likely_it_is_chance(scored):
    table = scored["partner"].table("hotspots_region_whole_crossing")
    clusters = table[table["cluster"].notna()]
    assert len(clusters)
    assert clusters["p"].between(1e-4, 1).all()
    np.testing.assert_allclose(clusters["p_release"], np.minimum(4 * clusters["p"], 1))  # two countries, two pathways
    for _, part in clusters.groupby([clusters["area"].str[:2], "crossing", "cluster"]):
        assert len(set(part["p"])) == 1
        assert (part["value"] > 1).all()
    assert table["gi_q"].dropna().between(0, 1).all()


def test_the_audit_by_proxy_is_a_rank_correlation_within_each_country(scored):
    checks = scored["partner"].result("risk").manifest["safeguards"]
    for row in checks["proxy"]:
        assert -1 <= row["low"] <= row["correlation"] <= row["high"] <= 1
        assert row["areas"] >= 4
    assert {row["country"] for row in checks["proxy"]} <= {"AL", "GR"}
    assert checks["feedback"]["finds_alone"]["drifts"]
    assert not checks["feedback"]["corrected"]["drifts"]
    assert np.isfinite(scored["partner"].result("risk").manifest["card"]["gamma"]).all()


def test_every_municipality_is_judged_on_the_partner_tier_alone(scored):
    table = scored["partner"].table("risk_municipality_whole_crossing")
    assert len(table) == 2 * 386
    assert set(table["state"]) == {"class", "cannot_tell"}
    assert (table["lower"] < table["median"]).all()
    assert (table["median"] < table["upper"]).all()
    about = scored["partner"].result("risk").manifest["municipalities"]
    assert about["region_only"] == [int(table["region_only"].sum()), len(table)]
    assert not any("municipality" in resource["name"] for resource in scored["public"].result("risk").resources)
