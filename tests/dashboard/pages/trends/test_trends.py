"""The Trends page: published numbers with possible reasons for changes, outreach below them, and the forecast."""

import re
from dataclasses import replace
from html import unescape

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.narrative.risk import format_shift
from dashboard.pages import trends
from dashboard.pages.trends import charts as series
from dashboard.pages.trends import summary
from dashboard.site import Site, current_release
from data.release import Release
from geo import areas as geography
from risk.evaluation import risk_model
from risk.evaluation.risk_model import build_panel
from risk.model.observations import Observations
from risk.report.trends import Jump


def page():
    from dashboard.pages import trends

    trends.show()


@pytest.fixture
def run(monkeypatch, scored):
    def opened(tier="partner", derived=None, **address):
        monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
        monkeypatch.setenv("TACT_TIER", tier)
        monkeypatch.setenv("TACT_DERIVED", str(derived or scored.derived))
        test = AppTest.from_function(page, default_timeout=60)
        test.query_params.update(address)
        test.run()
        assert not test.exception
        return test

    return opened


def said(test):
    bodies = (element.proto.body for element in test.get("html"))
    return unescape(re.sub(r"<[^>]+>", " ", " ".join(bodies)))


def charts(test):
    return test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")


@pytest.fixture(scope="module")
def of(scored):
    return current_release.open_current_release(Site(scored.releases, "partner", derived=scored.derived))


def cells(of, area, pathway):
    rows = of.release.table("children_region_quarter_pathway")
    return rows[(rows["area"] == area) & (rows["pathway"] == pathway)].set_index("period")


@pytest.mark.parametrize("area", ["AL-11", "GR-K", "GR-A"])
def test_a_number_stands_with_its_bounds_and_a_state_with_its_words(of, area):
    found, rows = summary.read_met(of, area, "internal").set_index("period"), cells(of, area, "internal")
    assert list(found.index) == sorted(rows.index)
    for period, row in rows.iterrows():
        shown = found.loc[period]
        if row["state"] == "number":
            assert shown[["state", "value", "noisy"]].tolist() == ["number", row["reconciled"], f"{row['value']} ±5"]
            ends = shown[["low", "high"]].tolist()
            assert ends == [max(0, row["value"] - row["margin"]), row["value"] + row["margin"]]
        elif not pd.isna(row["reconciled"]) and row["reconciled"] > 0:
            assert shown[["state", "value", "low", "high", "noisy"]].tolist() == ["number", row["reconciled"], 0, 5, ""]
        else:
            assert shown["state"] == row["state"]
            assert np.isnan(found.loc[period, "value"])
            assert found.loc[period, "words"] in {"none or almost none", "not searched"}


def test_two_published_numbers_add_up_with_their_bounds(of):
    parts = [cells(of, "AL-11", name) for name in ("al_to_gr", "other_cross_border")]
    found = summary.read_met(of, "AL-11", "cross_border").set_index("period")
    for period, row in found[found["state"] == "number"].iterrows():
        values = [part.loc[period, "value"] for part in parts]
        assert row["value"] == sum(part.loc[period, "reconciled"] for part in parts)
        assert row["noisy"] == " + ".join(f"{value} ±5" for value in values if not pd.isna(value))
        most = sum(5 if pd.isna(value) else value + 5 for value in values)
        assert row["high"] == most


def test_what_is_expected_is_the_next_four_quarters(of):
    ahead = summary.read_expected(of, "AL-11", "internal")
    assert len(ahead) == 4
    assert ahead["period"].min() > summary.read_met(of, "AL-11", "internal")["period"].max()
    assert (ahead["low"] <= ahead["value"]).all()
    assert (ahead["value"] <= ahead["high"]).all()
    assert summary.read_expected(of, "AL-11", "all").empty


def test_all_pictures_share_one_axis_of_time(of):
    met, ahead = summary.read_met(of, "AL-11", "internal"), summary.read_expected(of, "AL-11", "internal")
    periods = [*met["period"], *ahead["period"]]
    days, shares = summary.read_effort(of, "AL-11"), summary.read_share(of, "AL-11")
    drawn = [
        series.draw_met(met, ahead, {}),
        series.draw_effort(days, periods, last=False),
        series.draw_share(shares, periods),
    ]
    domains = [set(map(tuple, _domains(chart.to_dict()))) for chart in drawn]
    assert domains == [{tuple(periods)}] * 3


def _domains(told):
    if isinstance(told, dict):
        if told.get("field") == "period" and "scale" in told:
            yield told["scale"]["domain"]
        for inner in told.values():
            yield from _domains(inner)
    elif isinstance(told, list):
        for inner in told:
            yield from _domains(inner)


def test_a_state_has_a_sign_that_the_page_explains(of, run):
    frames = [summary.read_met(of, "GR-K", "internal"), summary.read_effort(of, "GR-K")]
    states = set(pd.concat(frames)["state"]) - {"number", "class"}
    told = series.list_signs(frames)
    assert len(told) == len(states)
    assert len({sign.split()[0] for sign in told}) == len(states)
    text = said(run(area="GR-K", of="internal"))
    assert all(sign in text for sign in told)


def test_a_possible_break_is_told_before_a_rise(of, run, monkeypatch):
    jump = Jump("2008-03-01/P3M", "", "AL", 11, 0, 20, 48)
    monkeypatch.setattr(summary, "_find_jumps", lambda _current, _pathway: (jump,))
    breaks = summary.find_breaks(of, "AL-11", "internal")
    words = "In Albania, counts rose in 11 and fell in 0 areas at the same time (20 to 48)"
    assert breaks["2008-03-01/P3M"].startswith(words)
    assert summary.find_breaks(of, "GR-I", "internal") == {}
    text = said(run(area="AL-11", of="internal"))
    assert text.index(words) < text.index("read every change together with the outreach days")
    empty = summary.read_expected(of, "AL-11", "all")
    drawn = series.draw_met(summary.read_met(of, "AL-11", "all"), empty, breaks).to_dict()
    assert any(words in str(rows) for rows in drawn["datasets"].values())


def test_a_jump_everywhere_in_the_published_counts_is_offered_as_a_break(of, monkeypatch):
    panel = build_panel(Observations.from_release(of.release, geography.read_areas(of.release.areas_file)))
    quarter, counts = panel.quarters[6], panel.counts.copy()
    counts[[country == "AL" for country in panel.countries], 6:, 0] += 6
    jumped = replace(panel, counts=counts)
    monkeypatch.setattr(risk_model, "build_panel", lambda _seen: jumped)
    summary._find_jumps.cache_clear()
    found = {pathway: summary._find_jumps(of, pathway) for pathway in ("internal", "cross_border")}
    summary._find_jumps.cache_clear()
    assert ("AL", quarter) in {(one.country, one.period) for one in found["internal"]}
    assert ("AL", quarter) not in {(one.country, one.period) for one in found["cross_border"]}


def test_a_change_is_told_once_with_the_outreach_of_its_year():
    look = {
        "period": "2009-03-01/P3M", "low": 1.25, "high": float("nan"), "median": 1.8, "lower": 1.3,
        "upper": 2.4, "effort_ratio": 1.7, "effort_warning": True,
    }  # fmt: skip
    told = summary._format_change([look, {**look, "period": "2008-12-01/P3M"}], "Internal trafficking")
    assert told.startswith(
        "Internal trafficking: rising. The year up to May 2009 had 1.8 times the rate of the year before"
    )
    assert "which may be the reason" in told
    assert "The same was found for the years up to Feb 2009." in told
    looks = [{**look, "period": f"{month}/P3M"} for month in ("2009-03-01", "2008-12-01", "2008-09-01", "2008-06-01")]
    told = summary._format_change(looks, "Internal trafficking")
    assert "for the years up to Feb 2009, Nov 2008 and Aug 2008." in told
    calm = {**look, "low": 0.8, "high": 1.25}
    assert summary._format_change([calm], "Internal trafficking") == ""


def test_every_statement_on_the_shift_is_listed_sure_ones_first(of, run):
    names = current_release.read_area_names(of)
    statements = [format_shift(names, s) for s in current_release.read_risk_manifest(of).shifts]
    text = said(run())
    assert all(words in text for words in statements)
    sure, others = summary.list_shifts(of)
    assert sorted([*sure, *others]) == sorted(statements)
    assert sure[0] == statements[0]
    assert all("did not clearly change" in words for words in others)


def test_the_address_opens_the_same_view(run):
    test = run(area="GR-M", of="cross_border")
    assert next(one for one in test.selectbox if one.label == "Area").value == "GR-M"
    assert test.query_params["of"] == "cross_border"
    assert len(charts(test)) == 3


def test_the_table_holds_every_quarter(of):
    table = summary.tabulate_series(of, "AL-11", "internal")
    assert len(table) == 12 + 4
    assert (table["Children identified or met"] != "").sum() == 12
    assert (table["Forecast"] != "").sum() == 4


def test_the_public_page_has_yearly_numbers_alone(run, scored):
    test = run("public", area="AL-11")
    assert len(charts(test)) == 1
    text = said(test)
    assert "quarter" not in text
    assert "The share of internal trafficking in" not in text
    release = Release.open(scored.releases, "public")
    rows = release.table("children_region_year").query("area == 'AL-11'")
    for value in rows["value"].dropna():
        assert f" {value:.0f} " in re.sub(r"\s+", " ", text)


def test_without_a_result_the_published_series_stand_and_the_page_says_what_to_run(run, tmp_path):
    test = run(derived=tmp_path, area="AL-11", of="internal")
    assert len(charts(test)) == 2
    assert "tact risk" in said(test)


def test_where_the_model_is_not_better_the_page_says_so(run, monkeypatch):
    assert not run(area="AL-11").warning
    monkeypatch.setattr(trends, "is_beaten", lambda _evaluation: True)
    monkeypatch.setattr(trends, "format_verdict", lambda _evaluation: "The model does not beat the mean.")
    assert run(area="AL-11").warning
