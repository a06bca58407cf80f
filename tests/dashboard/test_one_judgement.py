"""No two pages give two numbers for one thing: every statement of every page on every area, against the one judgement.

Two more invented worlds are built for it, small and with other seeds; they are slow.
"""

import re

import pytest

from dashboard.briefing import situation as briefing
from dashboard.map.view import parse_address, settle_view
from dashboard.narrative import area as words
from dashboard.narrative import moves, plan
from dashboard.narrative.judgement import judge_areas, read_area_advice, read_needs, read_shifts, read_usual_plan
from dashboard.narrative.risk import name_certainty, name_claim, name_pathways
from dashboard.narrative.shift import list_shifts
from dashboard.narrative.speech import Speech
from dashboard.pages.coverage import summary as coverage
from dashboard.pages.flows import summary as flows
from dashboard.pages.overview import partner
from dashboard.pages.reallocate import planner
from dashboard.pages.reallocate import summary as reallocate
from dashboard.pages.risk import summary as risk
from dashboard.pages.situation import summary as situation
from dashboard.pages.trends import summary as trends
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from dashboard.site.text import format_number
from risk.planning.inputs import Setting
from risk.planning.summary import Author

WORLDS = ["demo", pytest.param(11, marks=pytest.mark.slow), pytest.param(12, marks=pytest.mark.slow)]


@pytest.fixture(scope="module", params=WORLDS)
def folder(request, demo_world, shared):
    """Return the workspace of a world; the small ones are built once for all runs that share a folder."""
    if request.param == "demo":
        return demo_world
    from dashboard.commands.demo import build_demo

    place = shared / f"small-world-{request.param}"
    if not (place / "derived").exists():
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("XDG_CONFIG_HOME", str(shared / "small-config"))
            patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
            build_demo(place, seed=request.param, children=500)
    return place


@pytest.fixture(scope="module")
def current(folder):
    return current_release.open_current_release(Site(folder / "releases", "partner", derived=folder / "derived"))


@pytest.fixture(scope="module")
def t(current):
    return Speech("en", load_areas(current.release))


@pytest.fixture(scope="module")
def judged(current):
    areas = judge_areas(current)
    assert len(areas) == 25
    return areas


def test_the_risk_page_says_the_judgement(current, t, judged):
    for code, area in judged.items():
        for pathway, rate in area.rates.items():
            said = " ".join(risk.explain_statement(current, pathway, code))
            assert words.word_unmet(t, area) in said
            assert words.word_change(t, area.changes[pathway]) in said
            burden = area.burdens[pathway]
            assert f"About {format_number(burden.value)} children are newly in need" in said
            whole = next(value for name, value in risk.list_reasons(current, pathway, code) if "whole time" in name)
            assert f"{rate.value:.2f}".rstrip("0").rstrip(".") in whole


def test_the_table_of_rates_and_the_list_of_the_overview_agree(current, t, judged):
    content = partner.make_content(t, current)
    markup = "".join(str(content.render_rows(land, "unmet", "")) for land in content.countries)
    rows = dict(re.findall(r'<tr data-area="([^"]+)"(.*?)</tr>', markup, re.S))
    assert set(rows) == set(judged)
    pathway = next(iter(name_pathways()))
    table = risk.tabulate_rates(current, pathway).set_index("Area")
    for code, area in judged.items():
        row, rate = table.loc[t.name_area(code)], area.rates[pathway]
        assert row["Rate compared with the national average"] == round(rate.value, 2)
        assert (row["Rate"], row["Certainty"]) == (name_claim(rate.claim), name_certainty(rate.certainty))
        assert f"{rate.value:.2f} times the national average" in rows[code]
        assert name_claim(rate.claim) in rows[code]
        assert f'class="number">{t.format_number(area.unmet.amount.value)}<' in rows[code]
        for axis, gap in area.gaps.items():
            assert f"{t.name_kind(axis)}: {gap.replace('_', ' ').replace('none', 'no gap')}" in rows[code]


def test_areas_without_a_rate_are_named_on_both_pages(current, t, judged):
    table = load_areas(current.release).table
    others = [code for code in table.index[table["level"] == "region"] if code not in judged]
    content = partner.make_content(t, current)
    markup = "".join(str(content.render_rows(land, "unmet", "")) for land in content.countries)
    assert others
    assert all(t.name_area(code) in risk.name_unjudged(current) and t.name_area(code) in markup for code in others)


def test_the_panel_of_the_map_says_the_judgement(current, t, judged):
    areas = load_areas(current.release)
    for code, area in judged.items():
        view = settle_view(parse_address({"layer": "risk", "area": code}), current, areas.table)
        panel = str(situation.render_panel(current, areas, view))
        advice = words.word_area_advice(t, read_area_advice(current, code))
        assert all(sentence and sentence in panel for sentence in (words.word_unmet(t, area), advice))
        assert words.word_rate(t, area.rates["internal"], "internal") in panel
        beside = settle_view(parse_address({"layer": "communities", "area": code}), current, areas.table)
        assert "not reached in a quarter" not in str(situation.render_panel(current, areas, beside))


def test_trends_says_the_same_of_the_last_year_as_risk(current, t, judged):
    for code, area in judged.items():
        said = trends.list_changes(current, code)
        for pathway, change in area.changes.items():
            latest = [sentence for sentence in said if sentence.startswith(name_pathways()[pathway])]
            assert len(latest) == 1
            assert words.word_change(t, change) in latest[0]
        assert all("Found earlier" in sentence for sentence in said[len(area.changes) :])


def test_the_shift_of_each_city_is_the_same_everywhere(current, t, judged):
    shifts = read_shifts(current)
    assert [shifts[(code,)] for code in ("AL-02", "AL-11") if (code,) in shifts] == [
        judged[code].share for code in ("AL-02", "AL-11") if judged[code].share
    ]
    sentences = list_shifts(t, current)
    assert len(sentences) == len(shifts)
    assert risk.list_headlines(current)[: len(shifts)] == sentences == briefing.list_changes(t, current, len(shifts))


def test_flows_shows_the_shares_that_the_sentences_compare(current, t):
    shares, shifts = flows.read_shares(current), read_shifts(current)
    for codes, shift in shifts.items():
        names = [t.name_area(code) for code in codes]
        place = f"{names[0]} and {names[-1]} together" if len(names) > 1 else names[0]
        years = shares.loc[shares["place"] == place, "share"]
        assert (years.iloc[0], years.iloc[-1]) == (shift.before, shift.after)


def test_need_is_one_number_on_coverage_reallocate_and_in_the_briefing(current, t, judged):
    needs, summary = read_needs(current), read_usual_plan(current)
    covered = coverage.tabulate_access(current, "all").set_index("Area")["Children in need"]
    moved = reallocate.tabulate_areas(t, summary, needs).set_index("County or region")["Children in need per quarter"]
    changed = {row[0]: row[1] for row in moves.tabulate_changed_areas(t, summary, 99, needs)}
    assert set(covered.index) == {t.name_area(code) for code in judged}
    for code, area in judged.items():
        name, need = t.name_area(code), area.need.value
        assert needs[code] == need
        assert covered[name].startswith(f"{format_number(need)} (")
        assert moved[name] == t.format_number(need)
        assert changed.get(name, t.format_number(need)) == t.format_number(need)


def test_gaps_are_the_same_on_coverage(current, judged):
    for axis in next(iter(judged.values())).gaps:
        table = coverage.tabulate_access(current, f"axis-{axis}")
        answers = dict(zip(table["Area"], table["Gap"], strict=True))
        named = {"gap": "gap", "none": "no gap", "cannot_tell": "cannot tell", "withheld": "withheld"}
        names = load_areas(current.release).table["name_en"]
        assert {str(names[code]): named[area.gaps[axis]] for code, area in judged.items()} == answers


def test_the_plan_of_the_first_screen_is_that_of_reallocate(current, t, judged):
    usual = read_usual_plan(current)
    author = Author("programme manager", "2026-11-26")
    shown = planner.compute_plan(current, "", Setting(), (), author, title="x")
    assert (shown.verdict, shown.moves, shown.coverage) == (usual.verdict, usual.moves, usual.coverage)
    for code in judged:
        advice = read_area_advice(current, code)
        assert advice.leaving == sum(move.units for move in shown.moves if move.start == code)
        assert advice.coming == sum(move.units for move in shown.moves if move.end == code)


def test_no_figure_sounds_like_moves_under_the_advice_to_change_nothing(current, t):
    summary = read_usual_plan(current)
    labels = [figure.label for figure in plan.list_figures(t, summary)]
    considered = summary.answer == "nothing" and bool(summary.moves)
    assert considered == ("Units that were considered" in labels)
    assert considered != ("Units that move" in labels)
    if considered:
        said = [words.word_area_advice(t, read_area_advice(current, code)) for code in judge_areas(current)]
        assert not any(sentence.startswith("The plan advises") for sentence in said)
