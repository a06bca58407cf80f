"""The sentence of the first screen, in every case that it must tell apart."""

import re
from dataclasses import replace

import pytest

from dashboard.narrative import answer
from dashboard.narrative.judgement import Amount, AreaJudgement, Rank, Unmet
from dashboard.narrative.speech import LANGUAGES, Speech
from geo.areas import load_areas
from risk.report.shift import AreaShift
from tests.helpers import plans

T = Speech("en", load_areas())
PERIOD = "2009-03-01/P3M"


def judge(area, value=10.0, first=0.9, share=None, rank=1):
    unmet = Unmet(Amount(value, value / 2, value * 2, PERIOD), Rank(rank, 1, 3, 12, "likely"), first)
    return AreaJudgement(area, area[:2], {}, {}, {}, None, unmet, share, {})


def doubt(area, why):
    return replace(judge(area), unmet=None, doubt=why)


def shift(area, verdict, power=None):
    return AreaShift((area,), 30.0, 60.0, -5.0, 40.0, 0.99, verdict, power)


def plan(kind, count=5):
    summary = plans.saved("2009-05-001", count).summary
    return replace(summary, verdict=replace(summary.verdict, answer=kind))


def test_where_the_first_place_is_not_likely_two_areas_are_named():
    areas = {a.area: a for a in (judge("AL-11", 40, 0.5), judge("AL-02", 38, 0.4, rank=2), judge("GR-B", 60, 0.95))}
    need = answer.word_answer(T, areas, None)[0]
    assert (
        need.lead
        == "The most children in need not reached are in Tirana or Durrës (Albania), Central Macedonia (Greece)"
    )
    assert "likely" not in need.detail


def test_where_need_cannot_be_said_the_answer_says_why_and_what_would_change_it():
    areas = {area.area: area for area in (doubt("AL-11", "few"), doubt("GR-I", "silent"))}
    need, *_others = answer.word_answer(T, areas, None)
    assert need.lead == (
        "It cannot be said yet how many children are not reached in Albania: too few records; "
        "Greece shows no child past the stage “at risk” and no day of outreach in this release, so no figure"
    )
    assert need.detail == "more quarters of records and of days of outreach would change that"
    assert not re.search(r"\d|Tirana|Attica", need.lead)


def test_a_country_that_can_be_said_is_still_named_beside_one_that_cannot():
    areas = {area.area: area for area in (judge("AL-11", 40, 0.7), doubt("GR-I", "silent"))}
    first, second = answer.word_answer(T, areas, None)[:2]
    assert first.lead == "The most children in need not reached are in Tirana (Albania)"
    assert second.lead.startswith("Greece shows no child past the stage “at risk”")


def test_where_it_is_likely_the_sentence_says_how_likely():
    areas = {a.area: a for a in (judge("AL-11", 40, 0.7), judge("GR-B", 60, 0.95))}
    need = answer.word_answer(T, areas, None)[0]
    assert need.lead == "The most children in need not reached are in Tirana (Albania) and Central Macedonia (Greece)"
    assert need.detail == "likely; about 40 (20 to 80) and 60 (30 to 120) children a quarter"


def test_the_first_area_is_the_first_of_the_list_whatever_the_chances():
    """The list and the map rank by the rank, then by the number: the sentence does so too."""
    areas = [judge("AL-02", 38, 0.45, rank=2), judge("AL-03", 39, 0.05, rank=2), judge("AL-11", 40, 0.4)]
    lead = answer.word_answer(T, {area.area: area for area in areas}, None)[0].lead
    assert lead == f"The most children in need not reached are in Tirana or {T.name_area('AL-03')} (Albania)"


@pytest.mark.parametrize(
    ("tirana", "durres", "lead"),
    [
        (
            ("rose", 90.0),
            ("rose", 50.0),
            "Internal trafficking makes up a larger share of the children met in Tirana and Durrës",
        ),
        (
            ("rose", 90.0),
            ("unclear", 12.0),
            "Internal trafficking makes up a larger share of the children met in Tirana; in Durrës too few "
            "children were met to tell whether it changed",
        ),
        (
            ("unclear", 95.0),
            ("unclear", None),
            "The share of internal trafficking did not clearly change in Tirana and Durrës",
        ),
        (
            ("fell", 90.0),
            ("unclear", 95.0),
            "Internal trafficking makes up a smaller share of the children met in Tirana; the share of internal "
            "trafficking did not clearly change in Durrës",
        ),
    ],
)
def test_each_city_gets_its_own_verdict(tirana, durres, lead):
    areas = {
        "AL-11": judge("AL-11", share=shift("AL-11", *tirana)),
        "AL-02": judge("AL-02", share=shift("AL-02", *durres)),
    }
    watched = answer.word_watched(T, areas)
    assert watched.lead == lead
    if durres[0] == "unclear" and durres[1]:
        assert f"seen in {durres[1]:.0f} of 100 cases" in watched.detail


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("rose", "up from 30 % to 60 %"), ("fell", "down from 30 % to 60 %"), ("unclear", "30 % before, 60 % now")],
)
def test_two_shares_do_not_read_like_an_interval(verdict, words):
    """Beside "about 40 (20 to 80)", "from 30 to 60 %" would."""
    detail = answer.word_watched(T, {"AL-11": judge("AL-11", share=shift("AL-11", verdict, 90.0))}).detail
    assert words in detail.replace("\xa0", " ")


def test_without_two_years_nothing_is_said_of_a_change():
    assert "cannot be told" in answer.word_watched(T, {"AL-11": judge("AL-11")}).lead


def test_the_advice_is_never_stronger_than_the_plan():
    do, optional, keep = (answer.word_advice(T, plan(kind)) for kind in ("do", "optional", "keep"))
    assert (do.lead, optional.lead) == ("Do it: move 7 teams", "Optional: 7 teams could move")
    for finding in (do, optional):
        assert finding.detail == "very likely, about 68 more children in the year after (21 to 118)"
    assert keep.lead == answer.word_advice(T, plan("keep", 0)).lead == "Keep things as they are"
    assert "not even likely" in keep.detail
    assert answer.word_advice(T, None).lead == "No plan of moves was calculated"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_says_all_of_it(language):
    t = Speech(language, load_areas())
    areas = {
        "AL-11": judge("AL-11", share=shift("AL-11", "rose", 90.0)),
        "AL-02": judge("AL-02", share=shift("AL-02", "unclear", 10.0)),
    }
    findings = answer.word_answer(t, areas, plan("keep"))
    assert len(findings) == 3
    assert all(finding.lead and finding.detail and "{" not in finding.lead + finding.detail for finding in findings)
    assert t.name_area("AL-11") in findings[0].lead
