"""Agendas on pages: who sees which view, what is said of it, what becomes of a damaged file, and the papers."""

from dataclasses import replace
from io import BytesIO
from types import SimpleNamespace

import pytest
from pypdf import PdfReader

from dashboard.narrative import since
from dashboard.narrative.judgement import Statement
from dashboard.narrative.speech import speak_to_reader
from dashboard.site import Site, announce_site, reader
from dashboard.site.current_release import open_current_release
from dashboard.site.reader import Reader, read_as
from dashboard.site.text import speak
from dashboard.web import agenda, navigation
from dashboard.web.agenda import decisions, papers, previous, state
from dashboard.web.agenda.decisions import change
from dashboard.web.agenda.state import Played
from dashboard.web.agenda.strip import render_strip
from dashboard.web.views import detach_view
from dashboard.widgets.address import follow
from data.accounts import meetings
from data.accounts.log import read_log
from data.accounts.meetings import Decision, Item, Meeting, add_decision, add_item, create_meeting, find_local_file
from data.accounts.rights import ROLES, Role
from data.errors import InputError
from data.message import Message
from data.personal.free_text import check_free_text
from tests.helpers.accounts import make_accounts

VIEWS = ("map?layer=encounters&level=region", "reallocate?moves=4", "risk?area=AL-11")
DECISION = Decision("Two more <b>days</b>", "municipality", "2026-12-24", "AL-11")


@pytest.fixture
def site(demo_world, tmp_path, monkeypatch):
    """Announce the demo's releases to this process, with an empty folder for what is derived."""
    for name in ("TACT_RELEASES", "TACT_TIER", "TACT_DERIVED", "TACT_PUBLISHER", reader.PEOPLE):
        monkeypatch.setenv(name, "")
    monkeypatch.delenv(reader.PEOPLE)
    here = Site(demo_world / "releases", "partner", tmp_path / "derived")
    (tmp_path / "derived").mkdir()
    announce_site(here)
    return here


@pytest.fixture
def release(site):
    return site.find_newest()


def make_meeting(accounts, release, title="Coordination", day="2026-11-27"):
    key = create_meeting(accounts, title, day, "Elira")
    for number, view in enumerate(VIEWS, 1):
        add_item(accounts, key, Item(view, release, f"Sentence {number} <b>"), "Elira")
    return key


@pytest.fixture
def people(site, release, tmp_path, monkeypatch):
    """Let people sign in; return their accounts, with a meeting."""
    accounts = make_accounts(tmp_path, [1_700_000_000.0])
    monkeypatch.setenv(reader.PEOPLE, str(accounts.path))
    make_meeting(accounts, release)
    return accounts


def read_as_role(role):
    return read_as(Reader("Somebody", ROLES[role]))


def play(key, number):
    with follow({"agenda": key, "item": str(number)}):
        return state.find_played()


@pytest.mark.slow
def test_each_reader_is_given_the_views_of_their_tier_alone(people):
    with read_as_role(Role.MANAGER):
        (meeting,) = state.read_meetings()
        assert play(meeting.key, 2).item.view == VIEWS[1]
    with read_as_role(Role.GUEST):
        assert state.list_numbers(meeting, reader.find_reader()) == (1, 3)
        assert play(meeting.key, 2) is None
        shown = play(meeting.key, 1)
        assert "item=3" in shown.find_beside(1), "the next one that they may see"
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(state, "may_see", lambda *_: False)
            assert state.read_meetings() == [], "not even a title"


@pytest.mark.parametrize("number", ["1", "0", "99", "-1", "x", "٣", pytest.param("1" * 5000, id="long")])
def test_a_key_or_number_that_is_guessed_gives_nothing(people, number):
    with read_as_role(Role.MANAGER):
        assert play("0" * 16, number) is None
        key = state.read_meetings()[0].key
        assert (play(key, number) is not None) == (number in "01")


def test_only_managers_write_and_the_log_says_who(people, monkeypatch):
    monkeypatch.setattr("streamlit.session_state", session := {})
    for role in Role:
        with read_as_role(role):
            assert state.may_write() == (role is Role.MANAGER)
            change(lambda store: create_meeting(store, "One", "2026-12-01", "Somebody"), "refused")
    assert session == {}
    assert [entry.content["what"] for entry in read_log(people, "Somebody")] == ["meeting"]


def test_the_strip_says_sentence_place_and_release_and_escapes_them(people, site, release):
    with read_as_role(Role.MANAGER):
        played, current = play(state.read_meetings()[0].key, 2), open_current_release(site)
        text = render_strip(played, current, release)
        assert "Sentence 2 &lt;b&gt;" in text
        assert "2 of 3" in text
        assert "newest" not in text
        assert f"Release {release}; the newest is 2999-01-001." in render_strip(played, current, "2999-01-001")
        gone = replace(
            played, meeting=replace(played.meeting, items=(Item("map", "1999-01-001", "x"),)), number=1, numbers=(1,)
        )
        assert "1999-01-001 is not here any more" in render_strip(gone, current, release)
        assert render_strip(None, current, release) == ""


def test_a_view_is_added_without_the_agenda_that_it_was_of():
    view = "risk?area=AL-11&release=2009-05-001&agenda=x&item=2&decide=1&pathway=internal"
    assert detach_view(view) == ("risk?area=AL-11&pathway=internal", "2009-05-001")
    assert detach_view("") == ("", "")


def test_words_in_an_address_do_not_reach_the_agenda(people, release, monkeypatch):
    assert detach_view("map?area=Ana+Marku&level=region&time=2025Q1/2025Q4") == (
        "map?level=region&time=2025Q1%2F2025Q4",
        "",
    )
    typed = {"agenda-meeting": "", "agenda-title": "One", "agenda-sentence": "See", "agenda-day": "2026-12-01"}
    monkeypatch.setattr("streamlit.query_params", {})
    with read_as_role(Role.MANAGER):
        for pinned in ("Ana+Marku", release):
            monkeypatch.setattr("streamlit.session_state", dict(typed))
            agenda._add(f"map?release={pinned}", release)
        assert [m.items[0].release for m in state.read_meetings() if m.title == "One"] == [release, release]


def test_a_title_is_no_markdown(people, site, monkeypatch):
    heads = []
    meeting = Meeting("k", "[Session ended](https://x.y)", "2026-11-27")
    monkeypatch.setattr("streamlit.header", lambda text, **_: heads.append(text))
    monkeypatch.setattr(agenda, "pick_from_menu", lambda *_: "k")
    with read_as_role(Role.GUEST):
        agenda._show_meeting(open_current_release(site), [meeting])
    assert [text.replace("\u200b", "") for text in heads] == [r"\[Session ended\]\(https\://x.y\)"]


def test_on_a_local_map_meetings_are_beside_the_plans_and_on_the_public_tier_nowhere(site, release):
    assert state.read_meetings() == []
    assert not find_local_file(site.derived).exists(), "to look makes no file"
    make_meeting(state.open_store(), release)
    assert [meeting.title for meeting in state.read_meetings()] == ["Coordination"]
    announce_site(replace(site, tier="public"))
    assert not state.may_write()
    assert state.read_meetings() == []


def test_a_damaged_file_is_a_sentence_in_the_bar_and_no_failure_of_the_page(site, monkeypatch):
    find_local_file(site.derived).write_bytes(b"no database at all " * 100)
    with follow({"agenda": "x", "item": "1"}):
        played, problem = navigation._find_played(site)
    assert played is None
    assert "damaged" in problem
    assert "damaged" in render_strip(None, None, "", problem)
    monkeypatch.setattr("streamlit.session_state", session := {})
    change(lambda store: create_meeting(store, "x", "2026-12-01"), "refused")
    assert "damaged" in session["refused"]


def test_a_folder_that_cannot_be_written_is_said(site, monkeypatch):
    monkeypatch.setattr("streamlit.session_state", session := {})
    monkeypatch.setattr(state.Accounts, "open_or_create", lambda path: (_ for _ in ()).throw(PermissionError(path)))
    change(lambda store: None, "refused")
    assert "cannot be written" in session["refused"]


@pytest.mark.parametrize("text", ["x" * 301, "one\ntwo", "Call +355 69 123 4567"])
@pytest.mark.parametrize(("language", "what"), [("en", "A decision "), ("sq", "Vendimi: "), ("el", "Η απόφαση: ")])
def test_why_a_text_is_refused_is_said_in_the_reader_s_language(site, monkeypatch, language, what, text):
    monkeypatch.setattr("streamlit.session_state", session := {})
    with pytest.raises(InputError) as refused:
        check_free_text([text], Message("A decision"))
    with speak(language):
        change(lambda _store: check_free_text([text], Message("A decision")), "refused")
    assert session["refused"].startswith(what)
    assert (session["refused"] == str(refused.value)) == (language == "en")
    shared = set(session["refused"].split()) & set(str(refused.value).split())
    assert language == "en" or shared <= {"300"}


def test_a_meeting_of_whose_agenda_nothing_can_be_stored_is_not_made(site, release, monkeypatch):
    form = {agenda._TITLE: "Coordination", agenda._DAY: "2026-12-01", agenda._SENTENCE: "What now?"}
    monkeypatch.setattr("streamlit.session_state", form)
    monkeypatch.setattr("streamlit.query_params", address := {})
    with monkeypatch.context() as patch:
        patch.setattr(meetings, "MOST_ITEMS", 0)
        agenda._add("map", release)
    assert "at most 0" in form.pop(agenda._REFUSED)
    assert state.read_meetings() == []
    agenda._add("map", release)
    (meeting,) = state.read_meetings()
    assert address == {"agenda": meeting.key}
    assert [item.sentence for item in meeting.items] == ["What now?"]


OFFERED = {"agenda-day": "2026-12-01", "decide-due": "2026-12-24", "decide-area": "AL-11", "decide-plan": ""}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [({"agenda-day": None}, "a day"), ({"decide-due": None}, "a day")]
    + [({f"decide-{name}": "Ana Marku +355 69 123 4567"}, "from the lists") for name in ("area", "plan")],
)
def test_what_no_form_offers_is_not_stored(site, release, monkeypatch, wrong, words):
    key = make_meeting(state.open_store(), release)
    form = {agenda._TITLE: "One", agenda._SENTENCE: "See", decisions._WHAT: "More days", decisions._WHO: "ARSIS"}
    monkeypatch.setattr("streamlit.session_state", session := {**form, **OFFERED, **wrong})
    monkeypatch.setattr("streamlit.query_params", {})
    agenda._add("map", release)
    meeting = next(meeting for meeting in state.read_meetings() if meeting.key == key)
    decisions._save(Played(meeting, 1, (1, 2, 3)), ["", "AL-11"])
    assert words in session.get(agenda._REFUSED, "") + session.get(decisions._REFUSED, "")
    stored = [len(meeting.items[0].decisions) for meeting in state.read_meetings()]
    assert sorted(stored) == ([1] if "agenda-day" in wrong else [0, 0])


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_minutes_fit_on_a_page_in_each_language(site, release, language):
    store = state.open_store()
    key = make_meeting(store, release)
    for item in state.read_meetings()[0].items:
        for _ in range(6):
            add_decision(store, key, item.id, DECISION)
    (meeting,) = state.read_meetings()
    paper = PdfReader(BytesIO(papers.make_minutes_in(meeting, open_current_release(site), language)))
    assert len(paper.pages) == 1
    text = " ".join(paper.pages[0].extract_text().split())
    assert text.count("Two more <b>days</b>") == 18
    assert release in text
    words = {"en": "24 December 2026", "sq": "24 dhjetor 2026", "el": "24 Δεκεμβρίου 2026"}
    assert words[language] in text


def test_minutes_hold_what_others_decided_after_the_page_was_drawn(site, release):
    key = make_meeting(state.open_store(), release)
    (drawn,) = state.read_meetings()
    add_decision(state.open_store(), key, drawn.items[0].id, DECISION)
    paper = PdfReader(BytesIO(papers.make_minutes_in(drawn, open_current_release(site), "en")))
    assert "Two more <b>days</b>" in " ".join(paper.pages[0].extract_text().split())


@pytest.mark.slow
def test_slides_are_for_who_may_take_files_and_show_no_more_than_the_reader_sees(people, site):
    with read_as_role(Role.RESEARCHER), speak("en"):
        key = state.read_meetings()[0].key
        answer = papers._answer_slides(site, key)
        assert len(PdfReader(BytesIO(answer.body)).pages) == 3
        assert papers._answer_slides(site, "0" * 16).status_code == 404
    with read_as_role(Role.MANAGER):
        assert papers._answer_slides(site, key).status_code == 403
    with read_as_role(Role.PUBLIC), speak("en"):
        paper = PdfReader(BytesIO(papers._answer_slides(site.narrow(reader.find_reader()), key).body))
        text = " ".join(page.extract_text() for page in paper.pages)
        assert len(paper.pages) == 2
        assert "Sentence 2" not in text
        assert "Invented data." in text


def test_the_next_meeting_opens_with_the_decisions_of_the_last(site, release):
    store = state.open_store()
    key = make_meeting(store, release)
    add_decision(store, key, state.read_meetings()[0].items[0].id, DECISION)
    current = open_current_release(site)
    text = previous.render_previous(speak_to_reader(current), current, state.read_meetings()[0])
    assert "Two more &lt;b&gt;days&lt;/b&gt;" in text
    assert "a municipality, by 24 December 2026" in text
    assert "No newer release since." in text


def test_what_has_changed_is_said_in_the_reader_s_language(site):
    then = open_current_release(site)
    with speak("sq"):
        sentences = since.word_since(speak_to_reader(then), "AL-02", then, replace(then, checksum="another"))
    assert "si më parë" in sentences[0]
    assert "at least" not in sentences[0]


def test_what_has_changed_is_said_by_the_same_measures_of_both_releases(site, monkeypatch):
    then = open_current_release(site)
    now = replace(then, checksum="another")
    t = speak_to_reader(then)
    texts, claims, gaps = {then: "24", now: "31"}, {then: "average", now: "high"}, {then: "none", now: "gap"}

    def read_profile(current, area, period):
        return SimpleNamespace(facts=[SimpleNamespace(text=texts[current], margin="±6", period="Mar to May 2009")])

    def judge_area(current, area):
        rate = Statement(1.0, 0.5, 2.0, claims[current], "likely", "", 1.2)
        return SimpleNamespace(rates={"internal": rate}, gaps={"protection": gaps[current], "prevention": "withheld"})

    monkeypatch.setattr(since, "read_profile", read_profile)
    monkeypatch.setattr(since, "judge_area", judge_area)
    assert since.word_since(t, "AL-11", then, now) == [
        "Children identified or met: then 24 ±6 (Mar to May 2009), now 31 ±6 (Mar to May 2009).",
        "Rate of internal trafficking: then average (likely), now high (likely).",
        "New gap: protection.",
    ]
    claims[now], texts[now], gaps[now] = "average", "24", "cannot_tell"
    assert since.word_since(t, "AL-11", then, now) == [
        "Children identified or met, Mar to May 2009: 24 ±6, as before.",
        "Rate of internal trafficking: average (likely), as before.",
    ]
    assert since.word_since(t, "XX", then, now) == ["The area is not in both releases."]
    assert since.word_since(t, "AL-11", then, then) == ["No newer release since."]
