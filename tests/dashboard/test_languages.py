"""Periods and numbers in the language of the reader, on the pages that build their words of several parts."""

import datetime as dt
import re

import altair as alt
import pandas as pd
import pytest

from dashboard.briefing.sheet import draw_chart
from dashboard.narrative import model_card, track_record
from dashboard.narrative.coverage import describe_coverage, describe_waiting
from dashboard.narrative.evaluation import format_verdict
from dashboard.narrative.speech import Speech
from dashboard.pages.method import summary as method
from dashboard.pages.overview import partner, public
from dashboard.pages.programme import render
from dashboard.pages.programme import summary as programme
from dashboard.pages.programme.summary import Number
from dashboard.pages.trends import summary as trends
from dashboard.site.current_release import load_areas, name_periods, name_regions, read_risk_manifest
from dashboard.site.text import speak, translate
from dashboard.widgets.chart import describe_chart
from data.tables.periods import Period
from geo.layers import LAYERS
from geo.layers.core import View
from geo.layers.reading.counted import list_choices
from tests.helpers.pages import open_current

ENGLISH = re.compile(r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)\b")


@pytest.fixture
def greek():
    with speak("el"):
        yield


@pytest.fixture(scope="module", params=["partner", "public"])
def current(scored, request):
    return open_current(scored, request.param)


@pytest.mark.usefixtures("greek")
def test_periods_are_greek_for_a_greek_reader(current):
    measures = [("flows", "region", "origin"), ("children", "country", "stage"), ("children", "region", "pathway")]
    content = (partner if current.tier == "partner" else public).make_content(
        Speech("el", load_areas(current.release)), current
    )
    words = [
        *(name for measure in measures for name in name_periods(current, *measure).values()),
        content.key.unit,
        content.note,
        *(finding.detail for finding in content.findings),
        *(str(content.render_rows(country, "name", "internal")) for country in ("AL", "GR")),
        *(sentence for area in name_regions(current) for sentence in trends.list_changes(current, area)),
        *programme.read_state_share(current, "AL")["end"],
        *(value for _words, value in model_card.list_facts(read_risk_manifest(current))),
        *(value for _words, value in method.list_key_facts(current.release)),
    ]
    assert sum(bool(re.search(r"\b20\d\d\b", text)) for text in words) > 8
    assert [text for text in words if ENGLISH.search(text)] == []


@pytest.mark.usefixtures("greek")
def test_the_rate_in_the_list_has_a_greek_comma(scored):
    current = open_current(scored)
    content = partner.make_content(Speech("el", load_areas(current.release)), current)
    rows = str(content.render_rows("GR", "rate", "internal"))
    assert re.search(r'title="\d+,\d\d φορές', rows)
    assert not re.search(r'title="[^"]*\d\.\d\d\b', rows)


@pytest.mark.usefixtures("greek")
def test_how_well_the_model_predicted_has_greek_commas(scored):
    current = open_current(scored)
    manifest = read_risk_manifest(current)
    record = manifest.track_record
    words = [
        format_verdict(manifest.evaluation),
        *(value for _words, value in model_card.list_facts(manifest)),
        *model_card.list_limits(Speech("el", load_areas(current.release)), manifest.card),
        *track_record.list_sentences(record),
        *track_record.tabulate_record(record).astype(str).to_numpy().ravel(),
        *track_record.tabulate_areas(record, pd.Series(dtype=str)).astype(str).to_numpy().ravel(),
    ]
    assert sum(bool(re.search(r"\d,\d", text)) for text in words) > 50
    assert [text for text in words if re.search(r"\d\.\d", text)] == []


@pytest.mark.parametrize(("language", "written"), [("en", "2,000"), ("sq", "2\u00a0000"), ("el", "2.000")])
def test_the_axis_of_a_chart_has_the_numbers_of_its_language(language, written):
    axis = alt.Axis(format=",.0f", values=[2000])
    chart = alt.Chart(pd.DataFrame({"days": [2400.0]})).mark_bar().encode(y=alt.Y("days:Q", axis=axis))
    with speak(language):
        assert f">{written}<" in draw_chart(chart).svg
        described = describe_chart(chart)["config"]["locale"]["number"]
    assert written == f"2{described['thousands']}000"


@pytest.mark.parametrize(("places", "words"), [(1, "1 place"), (2, "2 places"), (21, "21 places")])
def test_a_single_place_is_one(places, words):
    cell = render._render_cell(Number("3", 3.0, "number"), Number(str(places), float(places), "number"), None)
    assert f"<small>{words}</small>" in cell


@pytest.mark.parametrize(("later", "words"), [(1, "1 encounter is of a later day"), (21, "21 encounters are of later")])
def test_a_single_encounter_that_waits_is_one(later, words):
    assert list(describe_coverage(None, (), later))[-1].startswith(words)


@pytest.mark.slow
@pytest.mark.parametrize("language", ["sq", "el"])
def test_the_title_of_a_layer_is_translated_with_each_of_its_choices(current, language):
    titles = set()
    for layer in LAYERS:
        for level in layer.levels(current.release):
            for choices in list_choices(layer.options):
                if layer.offers(current.release, level, choices):
                    titles.add(layer.read(current.release, View(level, "", choices)).legend.title)
    assert len(titles) > 5
    with speak(language):
        assert [title for title in titles if translate(title) == title] == []


@pytest.mark.parametrize(("count", "words"), [(1, "1 encounter of a final year came"), (2000, "2,000 encounters of")])
def test_what_comes_after_a_year_is_final_counts_in_no_number(count, words):
    year = Period.starting(dt.date(2006, 6, 1), "year")
    years, late = list(describe_coverage(year, [year], 0))[1], describe_waiting(count)
    assert late.startswith(words)
    assert all(text.endswith(" in no number of children.") for text in (years, late))
