"""Periods and numbers in the language of the reader, on the pages that build their words of several parts."""

import re

import pytest

from dashboard.narrative import model_card
from dashboard.narrative.speech import Speech
from dashboard.pages.method import summary as method
from dashboard.pages.overview import partner, public
from dashboard.pages.programme import summary as programme
from dashboard.pages.trends import summary as trends
from dashboard.site.current_release import load_areas, name_periods, name_regions, read_risk_manifest
from dashboard.site.text import speak
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
