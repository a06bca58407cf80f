"""From the first page to a plan with a decision, saved and opened again, as a programme manager works."""

from pathlib import Path

import pytest

from dashboard.site.text import translate_into
from tests.helpers.browser import map_frame, resize, settle, shown, until, wait_for_whole_countries
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=25)
SIZES = [(1366, 768), (1920, 1080), (390, 844)]
FIRST = 180_000  # the model is fitted once a process
# Notes words and size of what stands in place of the map, as long as it is there.
NOTE_WAITING = """new MutationObserver(() => {
  const box = document.querySelector(".waiting");
  if (box) window.waiting = [box.textContent, box.closest(".st-key-mapbox").getBoundingClientRect().toJSON()];
}).observe(document, { childList: true, subtree: true });"""


def opened(look, served, address="reallocate", size=(1366, 768)):
    page = look(f"{served.url}/{address}", size, ready=False)
    page.locator(".lead").wait_for(timeout=FIRST)
    map_frame(page).locator("#map_div[data-shown]").wait_for(timeout=60_000)
    return page


def lead(page):
    return page.locator(".lead").inner_text()


def cards(page):
    """Return the moves in the words of an arrow, those in the fold too."""
    return page.locator(".move").evaluate_all(
        "all => all.map(one => `${one.querySelector('.what').textContent}: ${one.querySelector('h3').textContent}`)"
    )


@vary("language, size", [("sq", (1024, 768)), ("en", (1366, 768)), ("el", (1920, 1080))])
def test_a_manager_comes_from_the_first_page_to_a_plan_that_is_kept(served, look, language, size):
    page = look(f"{served.url}/?lang={language}", size, ready=False)
    page.locator(".finding .onward a").first.click(timeout=FIRST)
    page.locator(".lead").wait_for(timeout=FIRST)
    assert "/reallocate" in page.url
    map_frame(page).locator("#map_div[data-shown]").wait_for()
    assert wait_for_whole_countries(page) == []
    first = cards(page)[0]
    page.get_by_role("button", name=translate_into(language, "Decline")).first.click()
    page.get_by_label(translate_into(language, "Reason (others will read it; write nothing about a child)")).fill(
        "The team has just arrived."
    )
    page.get_by_role("button", name=translate_into(language, "Decline: do not make this move")).click()
    page.locator(".st-key-undo-0 button").first.wait_for()
    until(page, lambda: first not in cards(page))
    settle(page)
    answer = lead(page)
    page.get_by_role("button", name=translate_into(language, "Save"), exact=True).click()
    page.get_by_label(translate_into(language, "Title")).fill(title := f"Nearer to the children ({language})")
    page.get_by_role("button", name=translate_into(language, "Save this plan")).click()
    saved = translate_into(language, "The plan is saved as “{title}”, under Open and compare plans.")
    saved = saved.format(title=title)
    page.get_by_text(saved).wait_for(timeout=FIRST)
    until(page, lambda: "plan=" in page.url)
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name=translate_into(language, "Briefing (PDF)")).click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    again = opened(look, served, page.url.removeprefix(served.url + "/"))
    assert lead(again) == answer
    until(again, lambda: "The team has just arrived." in again.locator(".stMain").inner_text())
    again.get_by_text(translate_into(language, "Open and compare plans"), exact=True).click()
    until(again, lambda: title in again.locator(".stMain").inner_text())
    again.get_by_text(saved).wait_for()
    again.locator(".st-key-undo-0 button").first.click()
    again.get_by_text(saved).wait_for(state="detached")
    for seen in (page.watch, again.watch):
        assert seen.clean, vars(seen)


def test_a_manager_asks_in_a_sentence_without_a_file(served, look):
    """At most three moves, Albania only, two teams stay in Shkodër, for internal trafficking."""
    page = opened(look, served)
    box = page.get_by_label("Maximum number of moves (0–200)")
    box.fill("3")
    box.press("Enter")
    until(page, lambda: "moves=3" in page.url)
    for menu, choice, written in (
        ("rule-land", "Albania", "within=AL"),
        ("rule-where", "Shkodër", "rules=AL-10%3E%3D2"),
        ("rule-need", "internal trafficking", "pathway=internal"),
    ):
        page.locator(f".st-key-{menu} input").click()
        page.get_by_role("option", name=choice, exact=True).click()
        until(page, lambda written=written: written in page.url)
        settle(page)
    until(page, lambda: page.locator(".topbar button[data-pathway=internal]").get_attribute("aria-pressed") == "true")
    facts = page.locator(".verdict .facts dt").all_inner_texts()
    assert {"How sure", "What would change it", "One more team"} <= set(facts)
    assert all(move.startswith(("1 ×", "2 ×", "3 ×")) for move in cards(page))
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long  # the way of the manager has a briefing, and test_saved.py saves by one
def test_a_briefing_saves_its_plan_and_the_open_list_has_it_at_once(served, look):
    page = opened(look, served, "reallocate?moves=4")
    page.get_by_text("Open and compare plans", exact=True).click()
    settle(page)
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("button", name="Briefing (PDF)").click()
    assert Path(download.value.path()).read_bytes().startswith(b"%PDF")
    sentence = page.get_by_text("The plan is saved as “", exact=False).first
    sentence.wait_for()
    title = sentence.inner_text().partition("“")[2].partition("”")[0]
    until(page, lambda: "plan=" in page.url)
    until(page, lambda: title in page.locator(".st-key-drawers table").last.inner_text())
    assert page.watch.clean, vars(page.watch)


@vary("language, size, moves", [("en", (1366, 768), 6), ("el", (390, 844), 5)])
def test_the_box_of_the_map_has_its_size_and_a_word_before_the_map(served, look, language, size, moves):
    """Each case has a plan of its own, which is calculated while one looks."""
    page = look("about:blank", size, ready=False)
    page.add_init_script(NOTE_WAITING)
    page.goto(f"{served.url}/reallocate?lang={language}&pathway=all&moves={moves}")
    map_frame(page).locator("#map_div[data-shown]").wait_for(timeout=FIRST)
    page.locator(".waiting").wait_for(state="detached")
    words, before = page.evaluate("window.waiting")
    assert words == translate_into(language, "The map comes with the plan.")
    after = page.locator(".st-key-mapbox iframe").bounding_box()
    for side in ("width", "height"):
        assert after[side] == pytest.approx(before[side], abs=3)
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long
def test_a_choice_is_in_the_address_and_going_back_undoes_it(served, look):
    page = opened(look, served, "reallocate?moves=4&unsearched=0")
    until(page, lambda: "moves=4" in page.url and "unsearched=0" in page.url)
    internal = page.locator(".topbar button[data-pathway=internal]")
    internal.click()
    until(page, lambda: "pathway=internal" in page.url and "moves=4" in page.url)
    page.go_back()
    until(page, lambda: "pathway" not in page.url and internal.get_attribute("aria-pressed") == "false")


@pytest.mark.long
def test_the_map_shows_today_and_the_plan_with_arrows_that_tell_what_moves(served, look):
    page = opened(look, served)
    frame = map_frame(page)
    before = shown(page)
    frame.locator("#map_div").evaluate("() => { window.kept = 1; }")
    page.get_by_role("radio", name="Planned").click()
    until(page, lambda: shown(page) != before)
    assert frame.locator("#map_div").evaluate("() => window.kept") == 1
    assert "Need met with the plan" in page.locator(".legend").inner_text()
    assert page.locator(".legend .way").count() == 1
    box, tip = page.locator("iframe").bounding_box(), frame.locator(".tact-tip")
    page.locator("iframe").scroll_into_view_if_needed()
    names = set()
    for x in range(20, int(box["width"]) - 20, 12):
        frame.locator("#map_div").hover(position={"x": x, "y": int(box["height"] * 0.42)}, force=True)
        if tip.is_visible() and "→" in tip.inner_text():
            names.add(tip.inner_text())
    assert names
    moves = cards(page)
    assert all(line in moves for name in names for line in name.split("; "))
    signs = frame.locator(".tact-sign span").all_inner_texts()
    assert sorted(int(number) for sign in signs for number in sign.split(", ")) == list(range(1, len(moves) + 1))


@pytest.mark.long
def test_the_answer_stands_on_the_first_screen_and_nothing_runs_over_the_edge(served, look):
    page = opened(look, served)
    for size in SIZES:
        resize(page, size)
        box = page.locator(".lead").bounding_box()
        assert box["y"] + box["height"] < size[1] * 0.5
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not page.watch.outside


@pytest.mark.long
@pytest.mark.parametrize("language", ["el", "en", "sq"])
def test_folded_the_page_is_two_screens_long(served, look, language):
    page = opened(look, served, f"reallocate?area=AL-09&lang={language}")
    page.locator(".move").first.wait_for()
    settle(page)
    assert page.evaluate("document.querySelector('.stMain').scrollHeight") <= 2 * 768


@pytest.mark.long
def test_one_step_back_leaves_the_page(served, look):
    page = look(served.url, ready=False)
    page.locator(".finding .onward a").first.click(timeout=FIRST)
    page.locator(".move").first.wait_for(timeout=FIRST)
    until(page, lambda: "moves=10" in page.url)
    page.go_back()
    page.locator(".finding").wait_for(timeout=FIRST)
    assert "/reallocate" not in page.url
