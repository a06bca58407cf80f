"""A meeting in browsers: others follow the presenter in their own language, look around, come back, come late."""

import re
from pathlib import Path

import pytest

from tests.helpers.browser import map_frame, settle, until, wait_for_bar, wait_for_map
from tests.helpers.meeting_pages import add_view, decide, go, open_room, read_paper, say

pytestmark = pytest.mark.browser(seconds=75)
DARK = "document.documentElement.classList.contains('dark')"


def query(page):
    return page.url.partition("?")[2]


@pytest.fixture
def meeting(partner, look):
    """Open a meeting on the map; return its presenter, and a function that lets another window join."""
    presenter = look(f"{partner.url}/map")
    return presenter, open_meeting(presenter, look)


def open_meeting(presenter, look):
    """Open a meeting in a window; return a function that lets another window join."""
    address = open_room(presenter)
    assert re.fullmatch(r"127\.0\.0\.1:\d+/meeting/\w{4}-\w{4}-\w{4}-\w{4}", address)

    def join(language, size=(1366, 768)):
        page = look(f"http://{address}?lang={language}", size, ready=False)
        wait_for_bar(page)
        page.locator(".meetingline").wait_for()
        return page

    return join


def test_others_follow_look_around_come_back_come_late_and_take_over(meeting):
    presenter, join = meeting
    albanian, greek = join("sq"), join("el", (390, 844))
    until(presenter, lambda: say(presenter) == "You present. Following: 2")
    assert say(albanian) == "Ju ndiqni prezantuesin."
    assert "meeting" not in albanian.url
    albanian.evaluate("() => { window.kept = 1; }")
    go(presenter, 2)
    for page, language in ((albanian, "sq"), (greek, "el")):
        until(page, lambda page=page: "/risk" in page.url)
        until(page, lambda page=page, language=language: page.locator(f".topbar[lang={language}]").count() == 1)
        assert f"lang={language}" in query(page)
        assert greek.evaluate("document.documentElement.scrollWidth") <= 390
    presenter.get_by_label("Area", exact=True).select_option("AL-02")
    until(albanian, lambda: "area=AL-02" in query(albanian))
    until(albanian, lambda: albanian.locator(".topbar select").input_value() == "AL-02")
    # Somebody looks around: they stay where they are, the others go on.
    go(albanian, 4)
    until(albanian, lambda: say(albanian) == "Ju i shikoni faqet vetë.")
    go(presenter, 5)
    until(greek, lambda: "/trends" in greek.url)
    assert "/coverage" in albanian.url
    albanian.get_by_role("button", name="Kthehu te prezantuesi").click()
    until(albanian, lambda: "/trends" in albanian.url)
    assert say(albanian) == "Ju ndiqni prezantuesin."
    # What is shown now is where a late one starts.
    settle(presenter)
    late = join("en", (1024, 768))
    until(late, lambda: "/trends" in late.url and "area=AL-02" in query(late))
    # The meeting is handed over: the one who presented follows.
    presenter.get_by_role("button", name="Invite").click()
    presenter.get_by_role("button", name="Hand over to Member 4").click()
    until(late, lambda: say(late) == "You present. Following: 3")
    assert say(presenter) == "You follow the presenter."
    go(late, 4)
    for page in (presenter, albanian, greek):
        until(page, lambda page=page: "/coverage" in page.url)
    assert albanian.evaluate("() => window.kept") == 1
    late.get_by_role("button", name="End the meeting").click()
    for page in (presenter, albanian, greek, late):
        until(page, lambda page=page: page.locator(".meetingline.old").count() == 1)
        page.locator(".meetingline button").click()
        assert page.locator(".meetingline").count() == 0
        assert page.watch.clean, vars(page.watch)


def test_the_place_on_the_map_and_the_pointer_are_followed_without_drawing_the_page_anew(meeting):
    presenter, join = meeting
    follower = join("sq")
    wait_for_map(follower)
    settle(follower)
    frames, received = follower.watch.frames, follower.watch.received
    map_frame(presenter).locator("#map_div").press("ArrowRight")
    until(presenter, lambda: "at=" in query(presenter))
    until(follower, lambda: "at=" in query(follower))
    assert say(follower) == "Ju ndiqni prezantuesin."
    box = presenter.locator("iframe[title='streamlit_folium.st_folium']").bounding_box()
    for step in range(3):
        presenter.mouse.move(box["x"] + box["width"] / 2 + 3 * step, box["y"] + box["height"] / 2)
        presenter.wait_for_timeout(200)
    pointer = map_frame(follower).locator(".tact-pointer")
    pointer.wait_for()
    # Both windows are of one size, so that the pointer is at the same place in both.
    until(follower, lambda: abs(pointer.bounding_box()["x"] + 13 - box["x"] - box["width"] / 2 - 6) < 2)
    assert follower.watch.frames == frames
    assert follower.watch.received - received < 10_000
    # Who moves the map looks around.
    map_frame(follower).locator("#map_div").press("ArrowLeft")
    until(follower, lambda: say(follower) == "Ju i shikoni faqet vetë.")
    assert pointer.is_hidden()
    assert follower.watch.clean, vars(follower.watch)


def test_a_window_that_is_loaded_anew_is_in_the_meeting_still(meeting):
    presenter, join = meeting
    follower = join("en")
    follower.reload()
    wait_for_bar(follower)
    until(follower, lambda: follower.locator(".meetingline").count() == 1)
    presenter.reload()
    wait_for_bar(presenter)
    until(presenter, lambda: presenter.locator(".meetingline").count() == 1)
    until(presenter, lambda: say(presenter) == "You present. Following: 1")
    # An address that the presenter types leads the room.
    presenter.goto(presenter.url.partition("/map")[0] + "/risk")
    until(follower, lambda: "/risk" in follower.url)
    assert "/risk" in presenter.url
    go(presenter, 4)
    until(follower, lambda: "/coverage" in follower.url)
    follower.get_by_role("button", name="Leave").click()
    assert follower.locator(".meetingline").count() == 0
    go(presenter, 5)
    until(presenter, lambda: say(presenter) == "You present. Following: 0")
    assert "/coverage" in follower.url


def test_without_a_line_the_last_view_stays_with_a_word_that_it_is_old(meeting):
    presenter, join = meeting
    follower = join("en")
    lines, broken = [], []

    def hold(line):
        lines.append(line)
        if broken:
            line.close()
        else:
            line.connect_to_server()

    follower.route_web_socket(re.compile("/meeting/line$"), hold)
    follower.reload()
    wait_for_bar(follower)
    until(follower, lambda: len(lines) == 1 and say(follower) == "You follow the presenter.")
    broken.append(True)
    lines[0].close()
    until(follower, lambda: "No connection" in say(follower))
    go(presenter, 4)
    until(presenter, lambda: "/coverage" in presenter.url)
    until(follower, lambda: len(lines) > 2)
    assert "/map" in follower.url
    broken.clear()
    until(follower, lambda: "/coverage" in follower.url)
    assert say(follower) == "You follow the presenter."


@pytest.mark.long
def test_nothing_serious_for_axe(partner, look):
    axe = pytest.importorskip("axe_playwright_python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = look(f"{partner.url}/method", ready=False)
    wait_for_bar(page)
    page.get_by_role("button", name="Meeting").click()
    page.locator(".meetingpanel").wait_for()
    page.evaluate(script)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        until(page, lambda scheme=scheme: page.evaluate(DARK) == (scheme == "dark"))
        for place in (".meetingline", ".meetingpanel"):
            answer = page.evaluate("place => axe.run(place)", place)
            assert [(violation["id"], violation["nodes"][0]["html"][:160]) for violation in answer["violations"]] == []


def test_an_agenda_is_made_played_and_decided_on(served, look):
    presenter = look(f"{served.url}/risk?area=AL-02", ready=False)
    add_view(presenter, "Is Durrës rising?", title="Coordination")
    presenter.goto(f"{served.url}/coverage?area=AL-11")
    add_view(presenter, "Where is a gap?")
    join = open_meeting(presenter, look)
    follower = join("sq")
    presenter.get_by_role("link", name="Show the agenda").click()
    strip = follower.locator(".agendastrip[aria-label='Rendi i ditës']")
    until(follower, lambda: strip.count() and "1 nga 2" in strip.inner_text() and "/risk" in follower.url)
    assert "Is Durrës rising?" in strip.inner_text()
    assert "lang=sq" in query(follower)
    assert follower.locator(".agendanext").is_hidden(), "who follows goes nowhere by a key"
    follower.keyboard.press("ArrowRight")
    presenter.locator(".agendanext").wait_for()  # what a follower shows may be there first
    settle(presenter)
    presenter.keyboard.press("ArrowRight")
    until(follower, lambda: "2 nga 2" in strip.inner_text() and "/coverage?area=AL-11" in follower.url)
    settle(presenter)
    presenter.keyboard.press("ArrowLeft")
    until(follower, lambda: "1 nga 2" in strip.inner_text() and "/risk?area=AL-02" in follower.url)
    assert say(follower) == "Ju ndiqni prezantuesin."
    links = presenter.locator(".topbar nav a").evaluate_all("links => links.map(link => link.href)")
    assert "release=" in presenter.url
    assert not any("release=" in link for link in links), "other pages show the release that was open before"
    presenter.locator(".agendadecide").click()
    decide(presenter, "Two more days <b>a week</b>", "Municipality of Tirana")
    decide(presenter, "Ask the school", "Office of the county")
    until(follower, lambda: follower.locator(".st-key-decide li").count() == 2)
    assert "Two more days <b>a week</b>" in follower.locator(".st-key-decide").inner_text()
    presenter.get_by_role("textbox", name="What is decided").fill("Call +355 69 123 4567")
    presenter.get_by_role("combobox", name="Who does it").click()
    presenter.keyboard.type("Office of the county")
    presenter.keyboard.press("Enter")
    presenter.get_by_role("button", name="Minute this decision").click()
    presenter.get_by_text("seems to contain").wait_for()
    assert presenter.locator(".st-key-decide li").count() == 2
    # The minutes come out in each language.
    presenter.get_by_role("link", name="Whole agenda").click()
    for name, words in (("English", "Decisions"), ("Shqip", "Vendimet"), ("Ελληνικά", "Αποφάσεις")):
        text = read_paper(presenter, presenter.get_by_role("button", name=f"Minutes (PDF, {name})"), pages=1)
        assert words in text
        assert "Two more days <b>a week</b>" in text
        assert "Municipality of Tirana" in text
    slides = read_paper(presenter, presenter.locator(".agendaslides a[lang=el]"), pages=2)
    assert "Where is a gap?" in slides
    # The next meeting opens with what was decided in this one.
    go(presenter, 2)
    until(presenter, lambda: "/risk" in presenter.url)
    add_view(presenter, "What now?", title="Follow-up")
    presenter.get_by_role("link", name="Show the agenda").click()
    before = follower.locator(".agendabefore")
    until(follower, lambda: before.count() and "Ask the school" in before.inner_text())
    assert "Asnjë publikim më i ri" in before.inner_text()
    for page in (presenter, follower):
        assert page.watch.clean, vars(page.watch)
