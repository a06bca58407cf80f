"""The Trends page: published numbers with possible reasons for changes, outreach below them, and the forecast."""

import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from dashboard.narrative.shift import word_shifts
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.pages import trends
from dashboard.pages.trends import charts as series
from dashboard.pages.trends import summary
from dashboard.site import current_release
from data.release import Release
from risk.model.breaks import Break, accept_break, read_breaks
from risk.report.trends import CountChange, Jump, Trends
from tests.helpers.pages import open_current, open_page, read_text


@pytest.fixture
def run(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "trends")


def charts(test):
    return test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


def cells(current, area, pathway):
    rows = current.release.table("children_region_quarter_pathway")
    return rows[(rows["area"] == area) & (rows["pathway"] == pathway)].set_index("period")


@pytest.mark.parametrize("area", ["AL-11", "GR-K", "GR-A"])
def test_a_number_stands_with_its_bounds_and_a_state_with_its_words(current, area):
    table, rows = summary.read_met(current, area, "internal").set_index("period"), cells(current, area, "internal")
    assert list(table.index) == sorted(rows.index)
    for period, row in rows.iterrows():
        shown = table.loc[period]
        if row["state"] == "number":
            assert shown[["state", "value", "noisy"]].tolist() == ["number", row["reconciled"], f"{row['value']} ±5"]
            ends = shown[["low", "high"]].tolist()
            assert ends == [max(0, row["value"] - row["margin"]), row["value"] + row["margin"]]
        elif not pd.isna(row["reconciled"]) and row["reconciled"] > 0:
            assert shown[["state", "value", "low", "high", "noisy"]].tolist() == ["number", row["reconciled"], 0, 5, ""]
        else:
            assert shown["state"] == row["state"]
            assert np.isnan(table.loc[period, "value"])
            assert table.loc[period, "words"] in {"none or almost none", "not searched"}


def test_two_published_numbers_add_up_with_their_bounds(current):
    parts = [cells(current, "AL-11", name) for name in ("al_to_gr", "other_cross_border")]
    table = summary.read_met(current, "AL-11", "cross_border").set_index("period")
    for period, row in table[table["state"] == "number"].iterrows():
        values = [part.loc[period, "value"] for part in parts]
        assert row["value"] == sum(part.loc[period, "reconciled"] for part in parts)
        assert row["noisy"] == " + ".join(f"{value} ±5" for value in values if not pd.isna(value))
        most = sum(5 if pd.isna(value) else value + 5 for value in values)
        assert row["high"] == most


def test_what_is_expected_is_the_next_four_quarters(current):
    ahead = summary.read_expected(current, "AL-11", "internal")
    assert len(ahead) == 4
    assert ahead["period"].min() > summary.read_met(current, "AL-11", "internal")["period"].max()
    assert (ahead["low"] <= ahead["value"]).all()
    assert (ahead["value"] <= ahead["high"]).all()
    assert summary.read_expected(current, "AL-11", "all").empty


def test_all_pictures_share_one_axis_of_time(current):
    met, ahead = summary.read_met(current, "AL-11", "internal"), summary.read_expected(current, "AL-11", "internal")
    periods = [*met["period"], *ahead["period"]]
    days, shares = summary.read_effort(current, "AL-11"), summary.read_share(current, "AL-11")
    drawn = [
        series.draw_met(met, ahead, {}),
        series.draw_effort(days, periods, last=False),
        series.draw_share(shares, periods),
    ]
    domains = [set(map(tuple, _domains(chart.to_dict()))) for chart in drawn]
    assert domains == [{tuple(periods)}] * 3


def _domains(chart):
    if isinstance(chart, dict):
        if chart.get("field") == "period" and "scale" in chart:
            yield chart["scale"]["domain"]
        for inner in chart.values():
            yield from _domains(inner)
    elif isinstance(chart, list):
        for inner in chart:
            yield from _domains(inner)


def test_a_state_has_a_sign_that_the_page_explains(current, run):
    frames = [summary.read_met(current, "GR-K", "internal"), summary.read_effort(current, "GR-K")]
    states = set(pd.concat(frames)["state"]) - {"number", "class"}
    signs = series.list_signs(frames)
    assert len(signs) == len(states)
    assert len({sign.split()[0] for sign in signs}) == len(states)
    text = read_text(run(area="GR-K", pathway="internal"))
    assert all(sign in text for sign in signs)


JUMP = Jump("2008-03-01/P3M", "AL", 20.4, 48.0, 12, 11)
LAW = Break("2007-12-01/P3M", "AL", "a new law", "data officer", "2009-06-01")


@pytest.fixture
def set_trends(monkeypatch):
    """Let the risk model's result say something else of time."""

    def say(**values):
        manifest = current_release.read_manifest
        monkeypatch.setattr(
            current_release, "read_manifest", lambda release: replace(manifest(release), trends=Trends(**values))
        )
        current_release.read_risk_manifest.cache_clear()

    yield say
    monkeypatch.undo()
    current_release.read_risk_manifest.cache_clear()


def change(area, verdict, **options):
    values = {"ratio": 1.9, "low": 1.2, "high": 3.3, "effort_ratio": 1.6, "effort_warning": True}
    return CountChange(area, "internal", verdict, **{**values, **options})


def test_a_possible_break_is_told_before_a_rise(run, current, set_trends):
    set_trends(jumps=(("internal", JUMP),), changes=(change("AL-11", "possible break"),))
    words = "Albania: about 48 children were met in a quarter from Mar to May 2008 on, about 20.4 before that."
    text = read_text(run(area="AL-11", pathway="internal"))
    assert words in text
    assert "check whether recording changed" in text
    assert "Counts rose in 11 of 12 areas." in text
    assert text.index(words) < text.index("a possible break, or a rise") < text.index("read every change together")
    assert words not in read_text(run(area="GR-I", pathway="internal"))
    assert words not in read_text(run(area="AL-11", pathway="cross_border"))


def test_a_rise_comes_with_its_interval_and_its_effort_warning(run, set_trends):
    set_trends(changes=(change("AL-11", "rise"), change("AL-02", "rise", effort_warning=False), change("GR-I", "fall")))
    text = read_text(run(area="AL-11", pathway="internal"))
    assert "1.9 times the children of the year before (95 % interval 1.2 to 3.3): a rise." in text
    assert "Outreach was 1.6 times that of the year before, which may be the reason." in text
    text = read_text(run(area="AL-02", pathway="internal"))
    assert "a rise." in text
    assert "a rise. Outreach was" not in text


def test_an_accepted_break_is_marked_and_nothing_is_compared_until_the_model_ran_again(
    run, current, set_trends, scored, tmp_path
):
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    set_trends(jumps=(("internal", JUMP),), changes=(change("AL-11", "rise"),))
    test = run(derived=derived, area="AL-11", pathway="internal")
    test.text_input[0].input("a new form").run()
    next(button for button in test.button if button.label.startswith("Accept a break")).click().run()
    assert not test.exception
    (accepted,) = read_breaks(derived)
    assert (accepted.period, accepted.place, accepted.note) == (JUMP.period, "AL", "a new form")
    text = read_text(test)
    assert "Break in the series from Mar to May 2008 on, Albania: a new form." in text
    assert "run tact risk again" in text
    assert "times the children of the year before" not in text
    next(button for button in test.button if button.label.startswith("Remove the break")).click().run()
    assert read_breaks(derived) == ()


def test_a_break_that_the_model_knows_stops_comparison(run, set_trends, scored, tmp_path):
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    accept_break(derived, LAW, ["AL"])
    set_trends(breaks=(LAW,), changes=(change("AL-11", "not compared", note="a new law"),))
    text = read_text(run(derived=derived, area="AL-11", pathway="internal"))
    assert "Counts of the last two years are not compared: a new law." in text
    assert "run tact risk again" not in text


def test_breaks_are_lines_in_the_chart(current):
    met, empty = summary.read_met(current, "AL-11", "all"), summary.read_expected(current, "AL-11", "all")
    drawn = series.draw_met(met, empty, {"2008-03-01/P3M": "a new law", "1999-03-01/P3M": "too early"}).to_dict()
    words = [str(rows) for rows in drawn["datasets"].values()]
    assert any("a new law" in rows for rows in words)
    assert not any("too early" in rows for rows in words)


def test_a_change_is_told_once_with_the_outreach_of_its_year(current):
    t = speak_to_reader(current)
    look = {
        "period": "2009-03-01/P3M", "low": 1.25, "high": float("nan"), "median": 1.8, "lower": 1.3,
        "upper": 2.4, "effort_ratio": 1.7, "effort_warning": True, "claim": "rising", "certainty": "likely",
        "surely": "",
    }  # fmt: skip
    sentence = summary._format_change(t, [look, {**look, "period": "2008-12-01/P3M"}], "Internal trafficking")
    assert sentence.startswith(
        "Found earlier, Internal trafficking: rising (likely). The year up to May 2009 had 1.80 times the rate of the "
        "year before"
    )
    assert "which may be the reason" in sentence
    assert "The same was found for the years up to Feb 2009." in sentence
    looks = [{**look, "period": f"{month}/P3M"} for month in ("2009-03-01", "2008-12-01", "2008-09-01", "2008-06-01")]
    sentence = summary._format_change(t, looks, "Internal trafficking")
    assert "for the years up to Feb 2009, Nov 2008 and Aug 2008." in sentence
    calm = {**look, "claim": "same", "certainty": "very_likely"}
    assert "about the same (very likely)." in summary._format_change(t, [calm], "Internal trafficking")


def test_every_statement_on_the_shift_is_listed(current, run):
    manifest, t = current_release.read_risk_manifest(current), Speech("en", current_release.load_areas(current.release))
    statements = word_shifts(t, manifest.shifts, manifest.years)
    assert len(statements) == 3
    text = read_text(run())
    assert all(words in text for words in statements)


def test_the_address_opens_the_same_view(run):
    test = run(area="GR-M", pathway="cross_border")
    assert [one.value for one in test.subheader] == ["Crete, Greece · Cross-border trafficking"]
    assert len(charts(test)) == 3


def test_the_table_holds_every_quarter(current):
    table = summary.tabulate_series(current, "AL-11", "internal")
    assert len(table) == 12 + 4
    assert (table["Children identified or met"] != "").sum() == 12
    assert (table["Forecast"] != "").sum() == 4


def test_the_public_page_has_yearly_numbers_alone(run, scored):
    test = run("public", area="AL-11")
    assert len(charts(test)) == 1
    text = read_text(test)
    assert "quarter" not in text
    assert "the share of internal trafficking" not in text
    release = Release.open(scored.releases, "public")
    rows = release.table("children_region_year").query("area == 'AL-11'")
    for value in rows["value"].dropna():
        assert f" {value:.0f} " in re.sub(r"\s+", " ", text)


def test_without_a_result_the_published_series_stand_and_the_page_says_what_to_run(run, tmp_path):
    test = run(derived=tmp_path, area="AL-11", pathway="internal")
    assert len(charts(test)) == 2
    assert "tact risk" in read_text(test)


def test_where_the_model_is_not_better_the_page_says_so(run, monkeypatch):
    assert not run(area="AL-11").warning
    monkeypatch.setattr(trends, "is_beaten", lambda _evaluation: True)
    monkeypatch.setattr(trends, "format_verdict", lambda _evaluation: "The model does not beat the mean.")
    assert run(area="AL-11").warning
