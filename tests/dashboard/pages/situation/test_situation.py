"""The Situation page without a browser: its words, escaped text, and that every layer can be shown."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.map import legend
from dashboard.map import view as state
from dashboard.map.marks import read_marks
from dashboard.map.view import format_address, list_view_periods, parse_address, settle_view
from dashboard.pages.situation import controls, headline, panel, summary, timeline
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from dashboard.site.text import html, speak
from dashboard.web import navigation
from dashboard.widgets.layer_table import drop_silent_columns, measure_column
from data.errors import InputError
from geo.layers import LAYERS, choose_caution, find_layer
from geo.layers.communities import CAUTION
from geo.layers.output.table import build_table as layer_table
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import ROOT

APP = str(ROOT / "dashboard" / "web" / "script" / "app.py")
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module", params=["partner", "public"])
def current(scored, request):
    return current_release.open_current_release(Site(scored.releases, request.param, derived=scored.derived))


def view_of(current, **address):
    return settle_view(parse_address(address), current, load_areas(current.release).table)


def on_the_map(mark, **changes):
    block = headline.render_headlines(mark, [headline.read_headline(headline.Where("AL-04", "x", mark))])
    everything = frozenset(layer.id for layer in LAYERS)
    plain = panel.PanelContent([mark], block, (), "", "", frozenset(), everything)
    return replace(plain, **changes)


def run(monkeypatch, releases, tier="partner", derived="", **address):
    monkeypatch.setenv("TACT_RELEASES", str(releases))
    monkeypatch.setenv("TACT_DERIVED", str(derived))
    monkeypatch.setenv("TACT_TIER", tier)
    # The page opens by itself: an AppTest knows no other address.
    monkeypatch.setattr(navigation, "PAGES", tuple(entry for entry in navigation.PAGES if entry.module == "situation"))
    app = AppTest.from_file(APP, default_timeout=60)
    app.query_params.update(address)
    app.run()
    assert not app.exception
    return app


def read_html(app):
    bodies = (str(element.proto.body) for element in app.get("html"))
    return " ".join(body for body in bodies if not body.startswith("<style>"))


@pytest.mark.always("encounters-partner", "access-public", "risk-partner", "communities-public")
@pytest.mark.slow
@pytest.mark.parametrize("tier", ["partner", "public"])
@pytest.mark.parametrize("name", [layer.id for layer in LAYERS])
def test_every_layer_opens_at_every_level(monkeypatch, scored, tier, name):
    current = current_release.open_current_release(Site(scored.releases, tier, derived=scored.derived))
    levels = current_release.list_levels(current)
    assert (name in levels) == ((tier, name) != ("public", "access"))
    for level in levels.get(name, ()):
        app = run(monkeypatch, scored.releases, tier, scored.derived, layer=name, level=level)
        assert app.query_params["layer"] == name
        assert app.query_params["level"] == level
        assert "legend" in read_html(app)


def test_without_a_release_it_says_what_to_do(monkeypatch, tmp_path):
    assert "tact release" in read_html(run(monkeypatch, tmp_path))


def test_a_damaged_release_is_told_and_nothing_is_shown(monkeypatch, tmp_path):
    (tmp_path / "current").write_text("2009-01-001\n", encoding="utf-8")
    app = run(monkeypatch, tmp_path)
    assert "2009-01-001" in app.error[0].value
    assert "legend" not in read_html(app)


def test_the_public_is_not_told_where_a_damaged_file_lies(monkeypatch, tmp_path, caplog):
    (tmp_path / "current").write_text("2009-01-001\n", encoding="utf-8")
    app = run(monkeypatch, tmp_path, "public")
    assert app.error[0].value == "Something in this release cannot be read. Tell who runs the map."
    assert "2009-01-001" in caplog.text


@pytest.mark.slow
def test_a_control_changes_the_view_and_the_address(monkeypatch, demo_world):
    app = run(monkeypatch, demo_world / "releases", area="AL-11")
    app.select_slider[0].set_value("2007-03-01/P3M").run()
    assert app.query_params["period"] == "2007-03-01/P3M"
    assert "Mar to May 2007" in read_html(app)
    app.button(key="c-clear").click().run()
    assert "area" not in app.query_params


@pytest.mark.long
def test_a_layer_without_a_level_gives_it_back_to_the_layer_after_it(monkeypatch, demo_world):
    app = run(monkeypatch, demo_world / "releases", level="municipality", area="10944420", over="services")
    before = dict(app.query_params)
    pick(app, "Layer", "referrals")
    assert (app.query_params["level"], app.query_params["area"]) == ("country", "AL")
    pick(app, "Layer", "encounters")
    assert dict(app.query_params) == before
    pick(app, "Layer", "referrals")
    pick(app, "Area level", "country")
    app.button(key="c-clear").click().run()
    pick(app, "Layer", "encounters")
    assert app.query_params["level"] == "municipality"
    assert "area" not in app.query_params


@pytest.mark.parametrize("from_bar", [True, False])
def test_an_area_from_the_bar_or_another_page_changes_nothing_else(monkeypatch, demo_world, from_bar):
    app = run(monkeypatch, demo_world / "releases", level="municipality", area="10944420", over="services")
    before = dict(app.query_params)
    pick(app, "Layer", "referrals")
    written = dict(app.query_params) if from_bar else {}
    app.query_params.clear()
    app.query_params.update({**written, "area": "GR"})
    app.run()
    assert (app.query_params["layer"], app.query_params["area"]) == ("referrals", "GR")
    pick(app, "Layer", "encounters")
    assert dict(app.query_params) == {**before, "area": "GR"}


def test_a_widget_that_repeats_what_it_showed_picks_nothing(monkeypatch, demo_world):
    app = run(monkeypatch, demo_world / "releases", period="2008-03-01/P3M", area="AL-11")
    before = dict(app.query_params)
    slider = app.select_slider[0]
    app.button(key="c-clear").click()
    slider.set_value("2008-03-01/P3M").run()
    assert dict(app.query_params) == {name: value for name, value in before.items() if name != "area"}


def pick(app, label, value):
    [control] = [group for group in app.get("button_group") if group.label == label]
    control.set_value(value).run()


def test_an_error_with_a_remedy_is_shown_in_place_of_the_page(monkeypatch, demo_world):
    def show():
        raise InputError("breaks.csv, row 2 is damaged")

    monkeypatch.setattr("dashboard.pages.situation.show", show)
    app = run(monkeypatch, demo_world / "releases")
    assert "breaks.csv, row 2 is damaged" in app.error[0].value


def test_the_panel_gives_numbers_with_margins_and_sources(current):
    view = view_of(current, area="AL-11")
    text = summary.render_panel(current, view)
    assert "Tirana" in text
    assert re.search(r"<dd>\d+ <small>±\d", text) or current.tier == "public"
    assert "758,513" in text
    assert current.release.name in text


def test_the_overview_names_the_areas_without_a_shape(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    areas = load_areas(current.release)
    text = summary.render_panel(current, view_of(current, level="municipality"))
    missing = areas.missing("municipality")
    assert missing
    for code in missing:
        assert str(areas.table["name_en"][code]) in text


def test_the_legend_says_unit_period_source_and_margin(current):
    view = view_of(current)
    [mark] = read_marks(current, view)
    text = legend.render_legend([mark])
    words = mark.data.legend
    for part in (words.title, words.unit, words.period, current.release.name):
        assert part in text
    assert words.margin[1:] in text


def test_states_on_the_map_stand_in_the_legend(current):
    for layer in LAYERS:
        view = view_of(current, layer=layer.id)
        for mark in read_marks(current, view):
            states = set(mark.data.frame["state"]) - {"number", "class"}
            text = str(legend.render_legend([mark]))
            assert all(f"state-{state}" in text for state in states)


def test_under_a_fill_the_states_of_circles_are_told_in_words(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    view = view_of(current, layer="encounters", over="services", level="municipality")
    text = legend.render_legend(read_marks(current, view))
    assert "Areas without a symbol: fewer than 3, possibly none, not searched" in text


def test_the_strip_has_a_bar_for_each_period_and_marks_the_unfinished(current):
    view = view_of(current)
    listed = list_view_periods(view, current)
    totals = summary.compute_totals(current, view, listed)
    text = timeline.render_strip("now", totals, view.period, "2009-04-30")
    assert text.count("<i") == len(listed)
    words = text.partition('data-words="')[2].partition('"')[0].split("\n")
    assert words == [timeline.format_total(period, total) for period, total in totals.items()]
    assert text.count("unfinished") == 1
    assert text.count("now unfinished") == 1


def test_a_total_carries_its_margin_and_says_when_it_is_the_least():
    cells = [("number", 3.0, np.nan, 5.0), ("class", np.nan, 5.0, np.nan)]
    assert format_sum(cells) == "at least 8 ±5"
    assert format_sum(cells[:1]) == "3 ±5"
    assert format_sum([]) == "no number"
    days = [("number", 12.0, np.nan, np.nan), ("not_searched", np.nan, np.nan, np.nan)]
    assert format_sum(days) == "12", "days of outreach have no noise"


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ("withheld", "at least 40 ±5"),
        ("few", "at least 40 ±5"),
        ("no_figure", "at least 40 ±5"),
        ("almost_none", "40 ±10"),
        ("structural_zero", "40 ±5"),
    ],
)
def test_a_total_with_a_country_without_a_number_does_not_claim_to_be_the_whole(state, words):
    assert format_sum([("number", 40.0, np.nan, 5.0), (state, np.nan, np.nan, np.nan)]) == words


def format_sum(cells):
    """Return the words for the sum of cells, each (state, value, low, margin)."""
    frame = pd.DataFrame(cells, columns=["state", "value", "low", "margin"])
    period = "2008-03-01/P3M"
    (total,) = timeline.compute_totals({period: frame}, "", {}, 5)
    return timeline.format_total(period, total).removeprefix("Mar to May 2008: ")


def test_communities_have_bars_though_no_country_has_a_number(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    view = view_of(current, layer="communities", level="municipality")
    totals = summary.compute_totals(current, view, list_view_periods(view, current))
    assert all(total.value for total in totals.values())


def test_few_draw_no_large_circles(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    for level in ("region", "municipality"):
        [mark] = read_marks(current, view_of(current, level=level))
        assert mark.data.style.radius(1, mark.most) <= 22 / 25**0.5


def test_a_class_that_stands_alone_is_in_the_legend(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    [mark] = read_marks(current, view_of(current, layer="communities"))
    style = replace(mark.data.style, breaks=(), colours=("#111111",))
    alone = replace(mark, data=replace(mark.data, style=style), labels=("100 to 499",))
    assert "100 to 499" in legend.render_legend([alone])


def test_an_address_is_told_what_of_it_is_not_there(current):
    areas = load_areas(current.release).table
    address = {"layer": "nothing", "area": "<b>", "period": "2040-01-01/P1Y"}
    view = settle_view(parse_address(address), current, areas)
    text = summary.render_missed(address, view, current)
    assert "Not found here: layer “nothing”, period 2040, area." in text
    assert "both countries" in text
    assert summary.render_missed(format_address(view), view, current) == ""


@pytest.mark.parametrize(
    ("language", "words"), [("en", "in the country"), ("sq", "(brenda vendit)"), ("el", "(στη χώρα)")]
)
def test_a_row_for_both_countries_names_neither(current, language, words):
    with speak(language):
        text = str(summary.render_panel(current, view_of(current)))
    assert words in text or current.tier == "public"


def test_figures_beside_the_map_are_of_its_year_where_there_is_one_and_named_otherwise(current):
    view = view_of(current, layer="roma_figures", level="region")
    text = re.sub(r"<[^>]+>", " ", str(summary.render_panel(current, view)))
    assert re.search(r"Albania\s+8,301\s+2011", text)
    assert re.search(r"Greece\s+117,495\s+2021", text)
    with speak("sq"):
        assert "Published figures" not in summary.render_panel(current, view)


def test_countries_without_a_figure_have_no_row_for_it(current):
    text = summary.render_panel(current, view_of(current))
    assert "no published figure" not in text


def test_published_figures_have_no_unfinished_years(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    view = view_of(current, layer="referrals")
    totals = summary.compute_totals(current, view, list_view_periods(view, current))
    assert "unfinished" not in summary.render_strip(current, view, totals)


def test_heights_follow_the_values_and_nothing_has_none():
    assert timeline.compute_heights([0, 50, 100, None]) == [4, 50, 100, 0]
    assert timeline.compute_heights([None, None]) == [0, 0]
    assert timeline.compute_heights([0.0]) == [0]


def test_markup_in_data_is_escaped_wherever_it_meets_html(current):
    view = view_of(current, layer="population", area="AL-04")
    [mark] = read_marks(current, view)
    frame = mark.data.frame.assign(source=HOSTILE, note=HOSTILE)
    spoilt = type(mark.data)(frame, mark.data.style, type(mark.data.legend)(*[HOSTILE] * 6), True)
    bad = type(mark)(spoilt, HOSTILE, HOSTILE, (HOSTILE,) * len(mark.labels), dict.fromkeys(mark.words, HOSTILE))
    profile = current_release.read_profile(current, "AL-04", "")
    bad_profile = type(profile)(**{**vars(profile), "name": HOSTILE, "name_local": f"{HOSTILE}2"})
    for text in (
        legend.render_legend([bad, bad]),
        panel.render_area_panel(bad_profile, on_the_map(bad)),
        panel.render_overview([bad_profile, bad_profile], on_the_map(bad, beside=HOSTILE), HOSTILE, [HOSTILE]),
        timeline.render_strip(HOSTILE, {}, "", None),
        html('<p title="{}">{}</p>', HOSTILE, '" onload="x'),
    ):
        assert "<img" not in text
        assert 'onload="x' not in text


def test_beside_communities_the_panel_leaves_out_what_may_not_stand_beside_them(current):
    text = summary.render_panel(current, view_of(current, layer="communities", area="AL-02"))
    assert "Outreach" not in text
    assert ("Children identified or met" in text) == (current.tier == "partner")
    assert CAUTION not in text
    plain = summary.render_panel(current, view_of(current, layer="encounters", area="AL-02"))
    assert "Outreach days" in plain
    assert "communities" not in plain.lower()
    both = summary.render_panel(current, view_of(current, layer="services", over="communities"))
    assert "Outreach" not in both


@pytest.mark.parametrize("address", [("encounters", "communities"), ("communities", "encounters")])
def test_communities_beside_children_met_say_what_it_does_not_mean(demo_world, address):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    first, over = address
    view = view_of(current, layer=first, over=over, area="AL-02")
    text = summary.render_panel(current, view)
    assert text.count(CAUTION) == 1
    assert "<div class=apart>" in text
    assert "pathway" not in text.partition("<div class=meaning>")[0]
    words = legend.render_legend(read_marks(current, view), choose_caution(view.layers))
    assert CAUTION in words
    alone = view_of(current, layer=first, area="AL-02")
    assert CAUTION not in summary.render_panel(current, alone)
    assert choose_caution(alone.layers) == ""


def test_the_panel_begins_with_the_number_of_the_layer_and_when_it_is_of(current):
    for name, levels in nonempty(current_release.list_levels(current).items()):
        for area in ("", "AL-02" if "region" in levels else "AL"):
            view = view_of(current, layer=name, area=area)
            text = str(summary.render_panel(current, view))
            [mark, *_others] = read_marks(current, view)
            before = text.partition("<section class=own>")[0]
            assert not any(numbers in before for numbers in ("<dl", "<table"))
            assert html("<h3>{}</h3>", mark.title) in text
            if area:
                assert headline.read_headline(headline.Where(area, "x", mark)).text in text


def test_numbers_of_another_time_say_when_they_are_of(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    text = summary.render_panel(current, view_of(current, layer="referrals", area="AL"))
    assert "Albania · 2022" in text
    children = text.partition("Children identified or met")[2].partition("</div>")[0]
    assert children.endswith("<dd class=detail>Mar to May 2009")
    same = summary.render_panel(current, view_of(current, layer="effort", area="AL-11"))
    assert "County, Albania · Mar to May 2009" in same
    assert "<dd class=detail>Mar to May 2009" not in same


def test_those_who_carry_the_services_are_named(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    text = summary.render_panel(current, view_of(current, layer="services", area="AL-11"))
    assert re.search(r"<b>at least \d\d</b>", text)
    assert "Prevention and coordination run by: the state, " in text


def test_a_layer_opens_on_the_last_period_with_numbers_and_says_when_the_chosen_one_has_none(monkeypatch, demo_world):
    def numbered(view, _current):
        return view.layer != "effort" or view.period < "2009"

    for module in (state, controls):
        monkeypatch.setattr(module, "has_numbers", numbered)
    app = run(monkeypatch, demo_world / "releases")
    pick(app, "Layer", "effort")
    assert app.query_params["period"] == "2008-12-01/P3M"
    assert "No numbers for" not in read_html(app)
    pick(app, "Layer", "encounters")
    assert app.query_params["period"] == "2009-03-01/P3M"
    chosen = run(monkeypatch, demo_world / "releases", layer="effort", period="2009-03-01/P3M")
    assert "No numbers for Mar to May 2009. The latest are for Dec 2008 to Feb 2009." in read_html(chosen)
    chosen.button(key="c-last").click().run()
    assert chosen.query_params["period"] == "2008-12-01/P3M"


@pytest.mark.slow
def test_another_layer_stops_time(monkeypatch, demo_world):
    app = run(monkeypatch, demo_world / "releases", period="2006-06-01/P3M")
    app.button(key="c-play").click().run()
    assert app.session_state["situation-playing"]
    pick(app, "Layer", "services")
    assert not app.session_state["situation-playing"]


def test_periods_without_a_number_carry_their_state_in_bars(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    view = view_of(current, area="GR-F")
    listed = list_view_periods(view, current)
    totals = summary.compute_totals(current, view, listed)
    text = summary.render_strip(current, view, totals)
    for state_class, words in (("state-almost_none", "none or almost none"), ("state-not_searched", "not searched")):
        assert state_class in text
        assert words in text
    assert "<div class=scale><b>" in text
    whole = view_of(current, area="GR-F", period="2006-06-01/2009-05-31")
    described = summary.render_panel(current, whole)
    assert "state-not_searched" in described
    assert "not searched; " in described


def test_a_second_layer_that_may_not_be_shown_is_told_why(current):
    areas = load_areas(current.release).table
    address = {"layer": "effort", "over": "communities"}
    text = summary.render_missed(address, settle_view(parse_address(address), current, areas), current)
    assert "Communities is not shown with it: " in text
    assert "with services" in text or "children met and services only" in text


def test_the_table_leaves_out_what_says_nothing_and_cuts_nothing(demo_world):
    current = current_release.open_current_release(Site(demo_world / "releases", "partner"))
    rows = layer_table(
        current.release, find_layer("population"), view_of(current, layer="population").view()
    ).reset_index()
    shown = drop_silent_columns(rows)
    assert set(shown.loc[shown["Area"] == "Durrës", "Local name"]) == {""}
    assert "±" not in shown
    assert measure_column(shown, "Source") > 6.4 * max(map(len, shown["Source"]))
