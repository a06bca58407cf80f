"""What is new in a release: planted changes are found, noise alone is none, tiers stay apart, three languages."""

from types import SimpleNamespace

import numpy as np
import pytest

from dashboard.narrative import digest
from dashboard.narrative.digest import describe_news
from dashboard.site.current_release import follow_release
from dashboard.site.text import LANGUAGE_NAMES, speak
from data.errors import InputError
from data.release import Release
from tests.helpers.small_release import NAME, YEARS, make, partner, public

pytestmark = pytest.mark.slow

LATER = "2008-08-001"
MARGIN = 5


@pytest.fixture(scope="module")
def earlier(tmp_path_factory):
    return follow_release(make(tmp_path_factory.mktemp("earlier"), sequence=1))


def make_later(folder, change=None, tier="partner", make_tables=partner):
    tables = make_tables()
    if change:
        change(tables)
    return follow_release(make(folder, tier, tables=tables, name=LATER, sequence=2))


def count(tables, area, period, value, name="children_region_year"):
    frame = tables[name]
    rows = (frame["area"] == area) & (frame["period"] == period)
    assert rows.any()
    frame.loc[rows, ["value", "state"]] = (value, "number")


def read(current, earlier):
    return {topic.title: " ".join(topic.sentences).replace("\u00a0", " ") for topic in describe_news(current, earlier)}


def test_nothing_is_new_in_the_same_numbers(earlier, tmp_path):
    assert describe_news(make_later(tmp_path), earlier) == ()


def test_a_planted_change_is_found_with_both_numbers_and_their_margins(earlier, tmp_path):
    news = read(make_later(tmp_path, lambda tables: count(tables, "AL-11", YEARS[0], 130)), earlier)
    (words,) = news.values()
    assert words == "Tirana: 130 ±5 in Jun 2006 to May 2007 (before: 90 ±5)."


@pytest.mark.always("100-False", "101-True")
@pytest.mark.parametrize(("value", "is_told"), [(100, False), (101, True), (80, False), (79, True)])
def test_a_change_is_told_only_where_both_margins_together_cannot_explain_it(earlier, tmp_path, value, is_told):
    news = read(make_later(tmp_path, lambda tables: count(tables, "AL-11", YEARS[0], value)), earlier)
    assert bool(news) == is_told


@pytest.mark.always("0")
@pytest.mark.parametrize("seed", range(5))
def test_noise_alone_is_never_a_change(tmp_path, seed):
    rng = np.random.default_rng(seed)

    def draw(tables):
        for name, frame in tables.items():
            if name.startswith("children"):
                noise = rng.integers(-MARGIN, MARGIN + 1, len(frame))
                frame["value"] = (frame["value"] + noise).clip(lower=0)

    first, second = partner(), partner()
    draw(first)
    draw(second)
    before = follow_release(make(tmp_path / "one", tables=first, sequence=1))
    now = follow_release(make(tmp_path / "two", tables=second, name=LATER, sequence=2))
    assert describe_news(now, before) == ()


def test_services_that_came_or_went_are_named_and_a_lower_limit_says_nothing(earlier, tmp_path):
    def change(tables):
        frame = tables["services_region_quarter"]
        last = frame["period"] == frame["period"].max()
        frame.loc[last & (frame["area"] == "AL-11"), "value"] = 9
        frame.loc[last & (frame["area"] == "AL-02"), "low"] = 4

    news = read(make_later(tmp_path, change), earlier)
    assert news == {"Services": "Tirana: 9 services (before: 3)."}


def test_a_layer_that_is_new_gone_or_withheld_is_named_without_a_number(earlier, tmp_path):
    def change(tables):
        del tables["communities_region_year"]

    now = make_later(tmp_path, change)
    assert read(now, earlier) == {"New periods and layers": "Communities: not shown any more."}
    assert read(earlier, now) == {"New periods and layers": "Communities: shown from this release on."}
    blocked = [
        follow_release(
            Release.open(current.release.folder.parents[1], "partner", current.release.name, {"communities"})
        )
        for current in (make_later(tmp_path / "whole"), earlier)
    ]
    assert read(*blocked) == {"New periods and layers": "Communities: withheld at present."}


def test_outreach_that_is_not_shown_has_not_begun_or_ended(earlier, tmp_path):
    """Where one release does not show outreach, nobody can say that an area was searched again, or no longer."""

    def silence(tables):
        frame = tables["effort_region_year"]
        frame.loc[frame["area"] == "AL-11", ["value", "state"]] = (None, "not_searched")

    silent = make_later(tmp_path, silence)
    assert read(silent, earlier)["New alerts"] == "Tirana: not searched for two quarters."
    assert read(earlier, silent)["Alerts that have ended"] == "Tirana: outreach is recorded again."
    folder = earlier.release.folder.parents[1]
    blocked = follow_release(Release.open(folder, "partner", earlier.release.name, {"effort"}))
    assert "New alerts" not in read(silent, blocked)
    assert "Alerts that have ended" not in read(blocked, silent)


def test_the_public_tier_is_compared_with_itself_alone(earlier, tmp_path):
    before = follow_release(make(tmp_path / "before", "public", sequence=1))
    now = make_later(
        tmp_path / "now", lambda tables: count(tables, "AL-11", YEARS[0], 130), tier="public", make_tables=public
    )
    assert read(now, before) == {
        "Children identified or met: numbers that changed by more than their noise": (
            "Tirana: 130 ±5 in Jun 2006 to May 2007 (before: 90 ±5)."
        )
    }
    with pytest.raises(InputError, match="compare one tier"):
        describe_news(now, earlier)


def test_a_number_that_one_release_hides_is_not_said(tmp_path):
    before = follow_release(make(tmp_path / "before", "public", sequence=1))

    def hide(tables):
        frame = tables["children_region_year"]
        frame.loc[frame["area"] == "AL-11", ["value", "state", "margin"]] = (None, "few", None)

    now = make_later(tmp_path / "now", hide, tier="public", make_tables=public)
    (words,) = read(now, before).values()
    assert "fewer than 11, possibly none in Jun 2006 to May 2007 (before: 90 ±5)" in words


def judge(claim="", change="", gap="none"):
    rate = SimpleNamespace(claim=claim, certainty="likely" if claim else "")
    return SimpleNamespace(
        rates={"internal": rate}, changes={"internal": SimpleNamespace(claim=change)}, gaps={"prevention": gap}
    )


@pytest.fixture
def judged(earlier, tmp_path, monkeypatch):
    """Return a function that says what is new between two judgements of two areas."""
    now = make_later(tmp_path)

    def compare(before, after):
        areas = {LATER: after, NAME: before}
        monkeypatch.setattr(digest, "judge_areas", lambda current: areas[current.release.name])
        breaks = {LATER: [("internal", SimpleNamespace(period=YEARS[0], place="AL"))], NAME: []}
        monkeypatch.setattr(
            digest,
            "read_risk_manifest",
            lambda current: SimpleNamespace(trends=SimpleNamespace(jumps=breaks[current.release.name])),
        )
        return {topic.title: topic.sentences for topic in describe_news.__wrapped__(now, earlier)}

    return compare


def test_classes_alerts_gaps_and_breaks_that_began_or_ended(judged):
    groups = judged(
        {"AL-11": judge("high", "rising", "gap"), "AL-02": judge("", "", "withheld")},
        {"AL-11": judge("low", "steady", "none"), "AL-02": judge("high", "rising", "gap")},
    )
    assert groups["Class of risk"][0].startswith("Tirana, Internal trafficking: ")
    assert len(groups["Class of risk"]) == 1
    assert groups["New alerts"] == (
        "Durrës, Internal trafficking: the rate rose.",
        "Albania: a possible break in the series from Jun 2006 to May 2007 on. Did recording change?",
    )
    assert groups["Alerts that have ended"] == (
        "Tirana, Internal trafficking: no rise any more.",
        "No gap any more, prevention: Tirana.",
    )


def test_a_rise_has_not_ended_where_it_cannot_be_told_any_more(judged):
    groups = judged({"AL-11": judge(change="rising")}, {"AL-11": judge(change="")})
    assert "Alerts that have ended" not in groups


@pytest.mark.long
def test_rises_stand_in_the_order_of_the_release_whatever_the_seed_of_hashes(judged):
    codes = ["AL-11", "AL-02", "GR-I", "AL-04", "AL-01"]
    groups = judged({code: judge(change="steady") for code in codes}, {code: judge(change="more") for code in codes})
    places = [sentence.partition(",")[0] for sentence in groups["New alerts"][: len(codes)]]
    assert places == ["Tirana", "Durrës", "Attica", "Fier", "Berat"]


@pytest.mark.always("2008-05-001")
@pytest.mark.parametrize("missing", [NAME, LATER])
def test_risk_that_was_not_compared_is_said(earlier, tmp_path, monkeypatch, missing):
    there = SimpleNamespace(trends=SimpleNamespace(jumps=[]))
    monkeypatch.setattr(
        digest, "read_risk_manifest", lambda current: None if current.release.name == missing else there
    )
    (topic,) = describe_news.__wrapped__(make_later(tmp_path), earlier)
    assert topic.sentences == (f"Release {missing} has no results on risk, so risk was not compared.",)


@pytest.mark.always("sq")
@pytest.mark.parametrize("language", LANGUAGE_NAMES)
def test_every_language_says_it_in_its_own_words(earlier, tmp_path, language):
    now = make_later(tmp_path, lambda tables: count(tables, "GR-I", YEARS[1], 1300))
    with speak("en"):
        english = describe_news(now, earlier)
    with speak(language):
        (topic,) = describe_news(now, earlier)
    assert "±5" in topic.sentences[0]
    assert (topic.title == english[0].title) == (language == "en")
