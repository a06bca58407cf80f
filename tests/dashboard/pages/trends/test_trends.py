"""The Trends page: published numbers with possible reasons for changes, outreach below them, and the forecast."""

import re
import shutil
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest

from dashboard.narrative.judgement import judge_areas
from dashboard.narrative.risk import name_certainty, name_claim
from dashboard.narrative.shift import word_shifts
from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.pages import trends
from dashboard.pages.trends import breaks, cells, multiples, summary
from dashboard.pages.trends import charts as series
from dashboard.pages.trends.multiples import Badge
from dashboard.site import Site, current_release
from dashboard.site.current_release import name_regions
from dashboard.site.reader import Reader, read_as
from dashboard.site.text import LANGUAGE_NAMES, speak
from dashboard.widgets import activity
from data.accounts.database import Accounts
from data.accounts.rights import ROLES, Right, Role
from data.release import Release
from risk.model.breaks import Break, accept_break, read_breaks
from risk.report.steps import Jump
from risk.report.trends import CountChange, Trends
from tests.helpers import small_release
from tests.helpers.nonempty import nonempty
from tests.helpers.pages import count_words, open_current, open_page, read_text, read_unfolded, speak_on_pages


@pytest.fixture
def run(monkeypatch, scored):
    return partial(open_page, monkeypatch, scored, "trends")


def charts(test):
    return test.get("arrow_vega_lite_chart") or test.get("vega_lite_chart")


@pytest.fixture(scope="module")
def current(scored):
    return open_current(scored)


def rows_of(current, area, pathway):
    rows = current.release.table("children_region_quarter_pathway")
    return rows[(rows["area"] == area) & (rows["pathway"] == pathway)].set_index("period")


@pytest.mark.parametrize("area", ["AL-11", "GR-K", "GR-A"])
def test_a_number_stands_with_its_bounds_and_a_state_with_its_words(current, area):
    table, rows = summary.read_met(current, area, "internal").set_index("period"), rows_of(current, area, "internal")
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
    parts = [rows_of(current, "AL-11", name) for name in ("al_to_gr", "other_cross_border")]
    table = summary.read_met(current, "AL-11", "cross_border").set_index("period")
    for period, row in nonempty(table[table["state"] == "number"].iterrows()):
        values = [part.loc[period, "value"] for part in parts]
        assert row["value"] == sum(part.loc[period, "reconciled"] for part in parts)
        assert row["noisy"] == " + ".join(f"{value} ±5" for value in values if not pd.isna(value))
        most = sum(5 if pd.isna(value) else value + 5 for value in values)
        assert row["high"] == most


@pytest.mark.parametrize("states", [("almost_none", "withheld"), ("withheld", "almost_none"), ("few", "almost_none")])
def test_a_sum_with_a_part_that_may_hide_children_is_not_almost_none(tmp_path, states):
    def cell(area, period, pathway):
        return small_release.state(states[pathway == "other_cross_border"])

    pathways = ["internal", "al_to_gr", "other_cross_border"]
    tables = {
        "children_region_year": small_release.rows(["AL-02"], small_release.YEARS, small_release.children),
        "children_region_year_pathway": small_release.rows(["AL-02"], small_release.YEARS, cell, pathway=pathways),
    }
    small_release.make(tmp_path, "partner", tables=tables)
    current = current_release.open_current_release(Site(tmp_path, "partner"))
    met = summary.read_met(current, "AL-02", "cross_border")
    assert set(met["state"]) == set(states) - {"almost_none"}
    assert met[["value", "low", "high"]].isna().all(axis=None)


def test_what_is_expected_is_the_next_four_quarters(current):
    ahead = summary.read_expected(current, "AL-11", "internal")
    assert len(ahead) == 4
    assert ahead["period"].min() > summary.read_met(current, "AL-11", "internal")["period"].max()
    assert (ahead["low"] <= ahead["value"]).all()
    assert (ahead["value"] <= ahead["high"]).all()
    assert summary.read_expected(current, "AL-11", "all").empty


def test_children_and_outreach_share_one_axis_of_time(current):
    met, ahead = summary.read_met(current, "AL-11", "internal"), summary.read_expected(current, "AL-11", "internal")
    periods = [*met["period"], *ahead["period"]]
    days = summary.read_effort(current, "AL-11")
    drawn = series.draw_met(met, ahead, days, series.Notes({periods[3]: "a new law"}, {periods[5]: "2008-05-001"}))
    assert set(map(tuple, _domains(drawn.to_dict()))) == {tuple(periods)}


def _domains(chart):
    if isinstance(chart, dict):
        if chart.get("field") == "period" and "scale" in chart:
            yield chart["scale"]["domain"]
        for inner in chart.values():
            yield from _domains(inner)
    elif isinstance(chart, list):
        for inner in chart:
            yield from _domains(inner)


@pytest.mark.slow
def test_a_state_has_a_sign_that_the_page_explains(current, run):
    frames = [summary.read_met(current, area, "internal") for area in name_regions(current)]
    states = set(pd.concat(frames)["state"]) - {"number", "class"}
    assert len(states) > 1
    signs = series.list_signs(frames)
    assert len(signs) == len(states)
    assert len({sign.split()[0] for sign in signs}) == len(states)
    text = read_text(run(area="GR-K", pathway="internal"))
    assert all(sign in text for sign in signs)


@pytest.mark.slow
def test_each_area_has_a_cell_in_the_words_of_the_one_judgement(current, run):
    judged = judge_areas(current)
    test = run(area="AL-02", pathway="internal")
    (grid,) = (element.proto.body for element in test.get("html") if "multiples" in element.proto.body)
    assert "Each chart has its own scales; that of the children is given above it." in grid
    cells_by_area = dict(re.findall(r'<a href="\?area=([\w-]+)(.*?)</a>', grid))
    assert set(cells_by_area) == set(name_regions(current))
    for code, area in judged.items():
        change = area.changes["internal"]
        assert f">{name_claim(change.claim, change=True)}</em>" in cells_by_area[code]
        assert not change.claim or f"({name_certainty(change.certainty)})" in cells_by_area[code]
    assert [code for code, cell in cells_by_area.items() if "aria-current" in cell] == ["AL-02"]
    assert all(
        "trend=children&amp;beside=none" in cell or "trend=children&beside=none" in cell
        for cell in cells_by_area.values()
    )


def test_the_answer_names_what_went_up_or_down_and_counts_the_rest(current):
    badges = {
        "AL-11": Badge("rising", "up", "likely"), "AL-02": Badge("falling", "down", "likely"),
        "AL-01": Badge("cannot tell", ""), "GR-I": Badge("about the same", "same", "likely"),
    }  # fmt: skip
    answer = cells.find_answer(current, badges)
    assert answer == "Up on the year before: Tirana. Down: Durrës. Of 1 of 4 areas it cannot be told."
    calm = {"GR-I": badges["GR-I"]}
    assert cells.find_answer(current, calm) == "No area is known to be up or down on the year before."
    assert cells.find_answer(current, {"AL-01": badges["AL-01"]}).startswith("No area is clearly up or down")
    assert cells.find_answer(current, {}) == ""


def test_a_small_picture_draws_each_number_range_state_and_break(current):
    met, days = summary.read_met(current, "AL-11", "internal"), summary.read_effort(current, "AL-11")
    picture = multiples.draw_counts(met, days, [met["period"].iloc[3]])
    paths = dict(re.findall(r'<path class="(\w)" d="(.*?)"', picture))
    numbers = met["value"].notna()
    assert paths["d"].count("M") == numbers.sum()
    assert paths["i"].count("M") == (met["high"] > met["low"]).sum()
    assert paths["e"].count("M") == (days["value"] > 0).sum()
    assert picture.count('class="b"') == 1
    assert "NaN" not in picture
    assert "nan" not in picture
    assert 'class="b"' not in multiples.draw_counts(met, days, [])
    assert 'class="s"' in multiples.draw_counts(met.assign(value=np.nan, low=np.nan, high=np.nan), days, [])


@pytest.mark.parametrize(("days", "jumps"), [([10, 10, 10, 10, 20], [2.0]), ([10] * 5, []), ([9, 9, 9, 9, 3], [1 / 3])])
def test_outreach_that_jumps_is_marked(days, jumps):
    rows = pd.DataFrame({"period": [f"20{n:02}-03-01/P3M" for n in range(5)], "value": map(float, days)})
    assert list(summary.find_effort_jumps(rows).values()) == pytest.approx(jumps)


def test_a_release_is_a_line_at_the_last_quarter_that_it_has(current, scored):
    assert summary.list_releases(Site(scored.releases, "partner"), current) == {"2009-03-01/P3M": current.release.name}


@pytest.mark.long
def test_a_second_area_or_the_country_stands_beside_the_first(current, run):
    alone, two = run(area="AL-02", pathway="internal"), run(area="AL-02", pathway="internal", beside="AL-11")
    country = run(area="AL-02", pathway="internal", beside="AL")
    assert [len(charts(test)) for test in (alone, two, country)] == [1, 2, 2]
    assert "Tirana, Albania" in read_text(two)
    assert summary.find_most(current, ["AL-02", "AL-11"], "internal") > 0
    assert summary.find_most(current, ["AL-02", "AL"], "internal") is None
    assert len(charts(run(area="AL-02", beside="AL-02"))) == 1
    met = summary.read_met(current, "AL", "internal")
    assert met["value"].sum() > summary.read_met(current, "AL-11", "internal")["value"].sum()


def test_an_area_without_any_number_leaves_the_axis_of_two_charts_to_the_other(scored):
    current = current_release.open_current_release(Site(scored.releases, "partner"))
    regions = list(name_regions(current))
    highs = {area: summary.read_met(current, area, "internal")["high"].astype(float).max() for area in regions}
    silent = [area for area, high in highs.items() if np.isnan(high)]
    assert len(silent) > 1
    assert summary.find_most(current, [silent[0], "AL-11"], "internal") == highs["AL-11"]
    assert summary.find_most(current, silent[:2], "internal") is None


@pytest.mark.slow
def test_the_share_of_internal_is_a_switch(current, run):
    test = run(area="AL-11", pathway="internal", trend="share")
    text = read_text(test)
    last = summary.read_share(current, "AL-11")["words"].iloc[-1]
    assert f"{last} %" in text
    assert "95 % interval of the share" in text
    assert "outreach jumps" not in text
    assert "All charts have the same scale" in text
    assert len(charts(test)) == 1


@pytest.mark.always("el-all")
@pytest.mark.slow
@pytest.mark.parametrize("pathway", ["internal", "cross_border", "all"])
@pytest.mark.parametrize("language", LANGUAGE_NAMES)
def test_the_page_says_little_before_its_folds(run, monkeypatch, language, pathway):
    speak_on_pages(monkeypatch, language)
    assert 100 < count_words(read_unfolded(run(area="AL-02", pathway=pathway))) <= 250


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


@pytest.mark.slow
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


def test_a_published_zero_is_not_called_no_child(run, set_trends):
    """The zero may stand for a small number, and a rise from it is still a rise."""
    unknown = {"ratio": None, "low": 3.0, "high": None}
    set_trends(changes=(change("AL-11", "rise", **unknown), change("AL-02", "no clear change", **unknown)))
    text = read_text(run(area="AL-11", pathway="internal"))
    assert "the published number of the year before is 0, so there is no ratio: a rise." in text
    assert "Outreach was 1.6 times that of the year before, which may be the reason." in text
    text = read_text(run(area="AL-02", pathway="internal"))
    assert "so there is no ratio: no clear change." in text
    assert "no child" not in text


def test_a_year_without_outreach_is_a_reason_only_where_a_change_is_warned_of(current):
    """Where nobody searched in either year, more outreach is no reason."""
    t = speak_to_reader(current)
    silent = summary._format_outreach(t, float("nan"), effort=False, ways=False)
    assert silent == "No outreach is recorded for the year before."
    assert "may be the reason" in summary._format_outreach(t, float("nan"), effort=True, ways=False)
    both = summary._format_outreach(t, 1.0, effort=False, ways=True)
    assert both.startswith("Outreach was 1.0 times")
    assert "a partner is known to have begun or stopped" in both


@pytest.mark.slow
def test_an_accepted_break_is_marked_and_nothing_is_compared_until_the_model_ran_again(
    run, current, set_trends, scored, tmp_path, monkeypatch
):
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    set_trends(jumps=(("internal", JUMP),), changes=(change("AL-11", "rise"),))
    test = run(derived=derived, area="AL-11", pathway="internal")
    test.text_input[0].input("a new form").run()
    with monkeypatch.context() as patch:
        patch.setattr(activity, "find_accounts", lambda: Accounts(tmp_path / "gone"))
        next(button for button in test.button if button.label.startswith("Accept a break")).click().run()
    assert "cannot be used now" in test.error[0].value
    assert read_breaks(derived) == (), "what the audit log cannot tell of is not stored"
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


def test_why_a_note_is_refused_is_said_in_the_reader_s_language(current, monkeypatch, tmp_path):
    state = {breaks._NOTE: "Call +355 69 123 4567", breaks._ROLE: "coordinator"}
    monkeypatch.setattr("streamlit.session_state", state)
    monkeypatch.setattr(breaks, "_find_folder", lambda: tmp_path)
    with speak("sq"):
        breaks._accept(current, JUMP.period, "AL")
    assert state[breaks._REFUSED].startswith("Shënimi ose roli: duket se ka numra telefoni.")


@pytest.mark.parametrize("role", ["", *Role])
def test_only_who_plans_accepts_and_removes_a_break(current, scored, monkeypatch, tmp_path, role):
    rights = ROLES[Role(role)] if role else frozenset()
    monkeypatch.setenv("TACT_RELEASES", str(scored.releases))
    monkeypatch.setenv("TACT_TIER", "partner")
    monkeypatch.setenv("TACT_DERIVED", str(tmp_path))
    monkeypatch.setattr("streamlit.session_state", {breaks._NOTE: "a new form", breaks._ROLE: "coordinator"})
    accept_break(tmp_path, LAW, ["AL"])
    with read_as(Reader("Somebody", rights)):
        breaks._accept(current, JUMP.period, "AL")
        breaks._remove(LAW)
    left = JUMP.period if Right.PLAN in rights else LAW.period
    assert [known.period for known in read_breaks(tmp_path)] == [left]


@pytest.mark.long
def test_a_break_that_the_model_knows_stops_comparison(run, set_trends, scored, tmp_path):
    derived = shutil.copytree(scored.derived, tmp_path / "derived")
    accept_break(derived, LAW, ["AL"])
    set_trends(breaks=(LAW,), changes=(change("AL-11", "not compared", note="a new law"),))
    text = read_text(run(derived=derived, area="AL-11", pathway="internal"))
    assert "Counts of the last two years are not compared: a new law." in text
    assert "run tact risk again" not in text


def test_breaks_are_lines_in_the_chart(current):
    met, empty = summary.read_met(current, "AL-11", "all"), summary.read_expected(current, "AL-11", "all")
    drawn = series.draw_met(
        met, empty, empty, series.Notes({"2008-03-01/P3M": "a new law", "1999-03-01/P3M": "too early"})
    ).to_dict()
    words = [str(rows) for rows in drawn["datasets"].values()]
    assert any("a new law" in rows for rows in words)
    assert not any("too early" in rows for rows in words)


def test_words_of_lines_stand_above_the_picture_in_two_rows(current):
    """Inside it they lie on dots and bars."""
    met, none = summary.read_met(current, "AL-11", "all"), summary.read_expected(current, "AL-11", "all")
    quarter = "2009-03-01/P3M"
    drawn = series.draw_met(met, none, none, series.Notes({quarter: "a new law"}, {quarter: "2009-05-001"})).to_dict()
    ends = {
        part["encoding"]["text"]["value"]: part["encoding"]["y"]["value"]
        for part in drawn["layer"]
        if "value" in part["encoding"].get("text", {})
    }
    assert set(ends) == {"release", "break in the series"}
    assert ends["break in the series"] + 11 <= ends["release"] < 0


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
    assert [heading.value for heading in test.subheader] == ["Crete, Greece · Cross-border trafficking"]
    assert len(charts(test)) == 1


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
    assert "Each chart has its own scale, given above it." in text
    release = Release.open(scored.releases, "public")
    rows = release.table("children_region_year").query("area == 'AL-11'")
    for value in rows["value"].dropna():
        assert f" {value:.0f} " in re.sub(r"\s+", " ", text)


@pytest.mark.slow
def test_without_a_result_the_published_series_stand_and_the_page_says_what_to_run(run, tmp_path):
    test = run(derived=tmp_path, area="AL-11", pathway="internal")
    assert len(charts(test)) == 1
    assert "tact risk" in read_text(test)


def test_where_the_model_is_not_better_the_page_says_so(run, monkeypatch):
    assert not run(area="AL-11").warning
    monkeypatch.setattr(trends, "warn_of_model", lambda _evaluation: "The model does not beat the mean.")
    assert run(area="AL-11").warning


def test_a_choice_draws_nothing_that_was_drawn_before(run, monkeypatch):
    opened = run(area="AL-11")
    drawn = []
    for module, name in ((multiples, "draw_counts"), (series, "draw_met"), (current_release, "open_earlier_release")):
        monkeypatch.setattr(module, name, lambda *_a, name=name, **_k: drawn.append(name))
    opened.run()
    assert not opened.exception
    assert drawn == []


def test_the_scale_of_a_cell_is_a_range_and_stands_only_where_there_is_a_number(current, monkeypatch):
    """A lone 5 beside an area without a child would read as five children."""
    some = summary.read_met(current, "AL-11", "internal").assign(value=3.0, low=0.0, high=9.0)
    draw = cells._draw_counts.__wrapped__
    monkeypatch.setattr(summary, "read_met", lambda *_args: some)
    assert draw(current, "AL-11", "internal", ())[1] == "0–9"
    monkeypatch.setattr(summary, "read_met", lambda *_args: some.assign(value=np.nan, low=np.nan, high=np.nan))
    assert draw(current, "AL-11", "internal", ())[1] == ""
