"""The bar of every page in a browser: one step back for each choice, the area goes along, the server may be gone."""

import os
import re
import signal
from pathlib import Path

import pytest

from dashboard.site.text import LANGUAGE_NAMES
from dashboard.web.page_list import RELEASE_PAGES
from tests.helpers.browser import map_frame, settle, until, wait_for_bar, wait_for_map
from tests.helpers.nonempty import nonempty

pytestmark = pytest.mark.browser(seconds=45)


def query(page):
    return page.url.partition("?")[2]


def test_each_page_is_one_step_back_and_the_area_goes_along(partner, look):
    page = look(f"{partner.url}/map")
    page.get_by_label("Area", exact=True).select_option("AL-02")
    until(page, lambda: page.locator(".panel h2").inner_text() == "Durrës")
    page.evaluate("() => { window.kept = 1; }")
    titles = [page.title()]
    for name in ("Reallocate", "Risk"):
        page.locator(".topbar nav").get_by_role("link", name=name).click()
        until(page, lambda name=name: page.title() == f"Durrës · {name} · TACT Map")
        settle(page)
        assert "area=AL-02" in query(page)
        titles.append(page.title())
    for title in reversed(titles[:-1]):
        page.go_back()
        until(page, lambda title=title: page.title() == title)
        settle(page)
        assert page.title() == title
    # The page was never loaded anew, so that what was entered on other pages stays.
    assert page.evaluate("() => window.kept") == 1
    until(page, lambda: page.locator(".panel h2").inner_text() == "Durrës")
    assert page.watch.clean, vars(page.watch)


# Pixels that are left in the box of the area beside the words that are chosen.
ROOM = """one => {
  const style = getComputedStyle(one), pen = document.createElement("canvas").getContext("2d");
  pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
  const words = pen.measureText(one.selectedOptions[0].text).width;
  return one.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - words;
}"""


def test_the_area_is_not_cut_beside_three_pathways_on_a_narrow_screen(partner, look):
    page = look(f"{partner.url}/flows?lang=el", (1024, 768), ready=False)
    area = page.locator(".topbar select")
    area.wait_for(timeout=60_000)
    until(page, lambda: page.locator(".topbar .pathway button").count() == 3)
    assert area.evaluate(ROOM) >= 0


def test_the_legend_of_flows_covers_no_button_and_not_the_source_of_the_map(partner, look):
    page = look(f"{partner.url}/flows?lang=sq", (1024, 768), ready=False)
    page.locator(".legend").wait_for(timeout=60_000)
    legend = page.locator(".legend").bounding_box()
    for name in (".tact-views", ".tact-note"):
        box = page.frame_locator("iframe").locator(name).bounding_box(timeout=60_000)
        beside = legend["x"] + legend["width"] <= box["x"]
        assert beside or legend["y"] + legend["height"] <= box["y"], name


@pytest.mark.long
def test_links_in_the_bar_lead_to_the_area_chosen_last(partner, look):
    page = look(f"{partner.url}/map")
    for code in ("AL-02", "AL-11"):
        page.get_by_label("Area", exact=True).select_option(code)
        until(page, lambda code=code: f"area={code}" in query(page))
        settle(page)
    page.locator(".topbar nav").get_by_role("link", name="Risk").click()
    until(page, lambda: "/risk" in page.url)
    settle(page)
    assert "area=AL-11" in query(page)


@pytest.mark.long
def test_a_title_names_the_county_around_a_municipality_and_never_a_page_without_a_name(partner, look):
    page = look(f"{partner.url}/map?area=10944420&level=municipality")
    page.evaluate("""() => {
      window.titles = [];
      new MutationObserver(() => window.titles.push(document.title)).observe(
        document.head, {subtree: true, childList: true, characterData: true});
    }""")
    for name in ("Risk", "Trends", "Method"):
        page.locator(".topbar nav").get_by_role("link", name=name).click()
        area = "" if name == "Method" else "Tirana · "
        until(page, lambda title=f"{area}{name} · TACT Map": page.title() == title)
        settle(page)
        assert page.title() == f"{area}{name} · TACT Map"
    assert all(title.endswith(" · TACT Map") for title in page.evaluate("window.titles"))


@pytest.mark.long
def test_moving_the_map_by_a_key_is_written_into_the_address(partner, look):
    page = look(f"{partner.url}/map")
    map_frame(page).locator("#map_div").press("ArrowRight")
    until(page, lambda: "at=" in query(page))


@pytest.mark.long
def test_the_first_address_that_the_page_writes_is_no_step(partner, look):
    page = look(f"{partner.url}/map")
    before = page.evaluate("history.length")
    page.reload()
    wait_for_map(page)
    settle(page)
    assert page.evaluate("history.length") == before


@pytest.mark.long
def test_the_address_opens_the_same_place_on_the_map(partner, look):
    page = look(f"{partner.url}/map")
    map_frame(page).get_by_role("button", name="Tirana and Durrës").click()
    until(page, lambda: "at=41" in query(page))
    page.get_by_label("Area", exact=True).select_option("AL-11")
    until(page, lambda: "area=AL-11" in query(page))
    settle(page)
    read_zoom = "() => window.map.getZoom()"
    before = map_frame(page).locator("#map_div").evaluate(read_zoom)
    page.goto(page.url)
    wait_for_map(page)
    assert before == map_frame(page).locator("#map_div").evaluate(read_zoom) > 7
    map_frame(page).get_by_role("button", name="Both").click()
    until(page, lambda: "at=" not in query(page))


def test_a_language_is_chosen_for_all_pages_and_stands_in_the_address(partner, look):
    page = look(f"{partner.url}/map")
    page.get_by_role("link", name="EL").click()
    until(page, lambda: page.evaluate("document.documentElement.lang") == "el")
    page.locator(".topbar nav a").last.click()
    until(page, lambda: "/method" in page.url and "lang=el" in query(page))
    page.go_back()
    until(page, lambda: "/map" in page.url and "lang=el" in query(page))
    settle(page)
    page.go_back()
    until(page, lambda: page.evaluate("document.documentElement.lang") == "en")


# All that a page says, with what its boxes and menus show.
TEXTS = """() => [document.title, ...document.body.innerText.split("\\n"),
  ...[...document.querySelectorAll("input:not([type=checkbox])")].map(one => one.value)]"""


@pytest.mark.long
@pytest.mark.parametrize("address", [entry.address for entry in RELEASE_PAGES])
def test_all_words_of_a_page_follow_the_language(served, look, address):
    page = look(f"{served.url}/{address}?lang=en", ready=False)
    wait_for_bar(page)
    settle(page)
    for language in ("el", "sq"):
        page.get_by_role("link", name=language.upper(), exact=True).click()
        until(page, lambda language=language: page.evaluate("document.documentElement.lang") == language)
        settle(page)
        switched = page.evaluate(TEXTS)
        page.reload()
        wait_for_bar(page)
        settle(page)
        assert set(switched) == set(page.evaluate(TEXTS))


@pytest.mark.long
@pytest.mark.parametrize("times", [1, 3])
def test_who_goes_back_before_a_page_is_there_stays_back_on_a_slow_machine(partner, look, times):
    page = look(f"{partner.url}/map")
    page.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 6})
    for _ in range(times):
        page.locator(".topbar nav a").last.click()
        until(page, lambda: "/method" in page.url)
        steps = page.evaluate("history.length")
        page.go_back()
        until(page, lambda: "/map" in page.url)
        settle(page)
        assert "/map" in page.url
        assert page.evaluate("history.length") == steps
    assert page.watch.clean, vars(page.watch)


def test_share_copies_the_address_and_hands_out_the_map(partner, look):
    page = look(f"{partner.url}/map?layer=effort&level=region&period=2009-03-01/P3M")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator(".share summary").click()
    page.get_by_role("button", name="Copy the address").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.url
    for kind, start in (("SVG", b"<svg"), ("PNG", b"\x89PNG"), ("PDF", b"%PDF")):
        with page.expect_download(timeout=60_000) as download:
            page.locator(".share").get_by_role("link", name=kind).click()
        assert download.value.suggested_filename.endswith(f"-map.{kind.lower()}")
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(start)
        assert kind != "SVG" or "Mar to May 2009" in content.decode()
    page.keyboard.press("Escape")
    assert not page.get_by_role("button", name="Print this page").is_visible()


@pytest.mark.long
def test_every_page_can_be_printed_and_has_its_address(partner, look):
    page = look(f"{partner.url}/method", ready=False)
    wait_for_bar(page)
    page.evaluate("window.print = () => { window.printed = true; }")
    page.locator(".share summary").click()
    assert page.locator(".share a").count() == 0
    page.get_by_role("button", name="Print this page").click()
    assert page.evaluate("window.printed") is True


@pytest.mark.long
def test_tier_and_release_open_their_explanation_and_close_again(partner, look):
    page = look(f"{partner.url}/map")
    words = page.get_by_text("protected, but not anonymous")
    assert not words.is_visible()
    page.locator(".chip summary").click()
    assert words.is_visible()
    page.keyboard.press("Escape")
    assert not words.is_visible()


def wait_for_title(page, entry):
    until(page, lambda: page.locator(".topbar nav a[aria-current=page]").all_text_contents() == [entry.title])


@pytest.mark.long
@pytest.mark.parametrize("entries", [RELEASE_PAGES[::3], RELEASE_PAGES])
def test_on_a_phone_the_menu_closes_and_what_can_be_pressed_is_large_enough(partner, look, entries):
    page = look(f"{partner.url}/{RELEASE_PAGES[-1].address}", (390, 844), ready=False)
    wait_for_bar(page)
    menu = page.locator(".topbar nav")
    for entry in nonempty(entries):
        page.get_by_role("button", name="Pages").click()
        assert menu.is_visible()
        for part in page.locator(".topbar :is(button, summary, nav a, .languages a):visible").all():
            box = part.bounding_box()
            assert min(box["width"], box["height"]) >= 43.5, part.inner_text()
        menu.get_by_role("link", name=entry.title, exact=True).click()
        wait_for_title(page, entry)
        until(page, lambda: not menu.is_visible())
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= 390


@pytest.mark.long
@pytest.mark.parametrize("entries", [RELEASE_PAGES[1::3], RELEASE_PAGES])
def test_a_projector_shows_each_page_larger(partner, look, entries):
    page = look(f"{partner.url}/{RELEASE_PAGES[-1].address}", (1024, 768), ready=False)
    wait_for_bar(page)
    size = "e => parseFloat(getComputedStyle(e).fontSize)"
    for entry in nonempty(entries):
        page.locator(".topbar nav").get_by_role("link", name=entry.title, exact=True).click()
        wait_for_title(page, entry)
        settle(page)
        before = page.locator(".topbar nav a").first.evaluate(size)
        page.get_by_role("button", name="Projector").click()
        until(page, lambda: "projector=1" in query(page))
        assert page.locator(".topbar nav a").first.evaluate(size) > before
        for part in page.locator(".topbar :is(button, summary, select, nav a):visible").all():
            box = part.bounding_box()
            assert box["x"] + box["width"] <= 1024, part.inner_text()
        page.get_by_role("button", name="Projector").click()
        until(page, lambda: "projector=1" not in query(page))


@pytest.mark.long
def test_a_page_that_does_not_exist_says_so_with_links(partner, look):
    page = look(f"{partner.url}/nowhere", ready=False)
    page.get_by_role("heading", name="There is no page at this address").wait_for()
    page.get_by_role("link", name="Method").click()
    wait_for_bar(page)
    assert page.title() == "Method · TACT Map"


@pytest.mark.long
def test_a_server_that_is_gone_is_not_called_the_internet(serve, look, releases):
    served = serve(releases)
    page = look(f"{served.url}/method", ready=False)
    wait_for_bar(page)
    os.kill(served.process.pid, signal.SIGSTOP)
    os.kill(served.process.pid, signal.SIGKILL)
    alert = page.get_by_role("alert").filter(has_text="The map's computer is not answering")
    alert.wait_for(timeout=60_000)
    assert "internet" not in page.locator("body").inner_text().lower()


def is_dark(page):
    """Return whether the page, what Streamlit draws in it and the ground of the map are dark; all of them or none."""
    ground = "getComputedStyle(document.querySelector('{}')).backgroundColor"
    seen = [page.evaluate(ground.format(".topbar .choices")), page.evaluate(ground.format(".stApp"))]
    seen.append(map_frame(page).locator("#map_div").evaluate("map => getComputedStyle(map).backgroundColor"))
    dark = {sum(map(int, re.findall(r"\d+", colour)[:3])) < 3 * 80 for colour in seen}
    return dark.pop() if len(dark) == 1 else None


WISHES = """() => {
  window.heard = [];
  for (const scheme of ["dark", "light"]) {
    const list = matchMedia(`(prefers-color-scheme: ${scheme})`);
    const note = how => change => window.heard.push([scheme, how, change.type, change.matches, list.matches]);
    list.addEventListener("change", note("once"), { once: true });
    list.addEventListener("change", { handleEvent: note("object") });
    const gone = note("gone");
    list.addListener(gone);
    list.removeListener(gone);
    list.addListener(note("old"));
    list.onchange = note("property");
  }
}"""


@pytest.mark.long
def test_who_asks_whether_it_is_dark_gets_all_that_a_browser_answers(partner, look):
    page = look(f"{partner.url}/map?layer=effort&level=region")
    page.evaluate(WISHES)
    for turn, is_dark_now in enumerate((True, False)):
        page.get_by_role("button", name="Dark", exact=True).click()
        until(page, lambda: len(page.evaluate("heard")) >= 6)
        ways = ["once", "object", "old", "property"][turn:]
        assert page.evaluate("heard.splice(0)") == [
            [scheme, way, "change", matches, matches]
            for scheme, matches in (("dark", is_dark_now), ("light", not is_dark_now))
            for way in ways
        ]


def test_the_page_is_dark_as_the_system_wishes_or_as_the_bar_says_and_light_on_paper_and_projector(partner, look):
    page = look(f"{partner.url}/map?layer=effort&level=region", dark=True)
    until(page, lambda: is_dark(page) is True)
    cookies, steps = page.context.cookies(), page.evaluate("history.length")
    page.get_by_role("button", name="Dark", exact=True).click()
    until(page, lambda: is_dark(page) is False)
    assert "theme=light" in query(page)
    page.locator(".topbar nav").get_by_role("link", name="Trends").click()
    until(page, lambda: page.title() == "Trends · TACT Map")
    settle(page)
    assert "theme=light" in query(page)
    page.go_back()
    until(page, lambda: page.title() == "Map · TACT Map")
    wait_for_map(page)
    until(page, lambda: is_dark(page) is False)
    page.get_by_role("button", name="Dark", exact=True).click()
    until(page, lambda: is_dark(page) is True)
    assert "theme=" not in query(page)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    until(page, lambda: is_dark(page) is False)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    until(page, lambda: is_dark(page) is True)
    page.get_by_role("button", name="Projector", exact=True).click()
    until(page, lambda: is_dark(page) is False)
    assert page.context.cookies() == cookies
    assert page.evaluate("history.length") <= steps + 2  # Trends and the projector
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long
def test_an_address_can_be_dark_where_the_system_is_not(partner, look):
    page = look(f"{partner.url}/map?layer=effort&theme=dark")
    until(page, lambda: is_dark(page) is True)
    settle(page)
    assert "theme=dark" in query(page)
    answer = page.request.get(f"{partner.url}/?theme=dark")
    assert "color-scheme:dark" in answer.text()
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long
def test_on_a_phone_the_choice_of_dark_is_in_the_menu_which_closes_after_it(partner, look):
    page = look(f"{partner.url}/method", (390, 844), ready=False)
    wait_for_bar(page)
    page.get_by_role("button", name="Pages").click()
    dark = page.get_by_role("button", name="Dark", exact=True)
    assert dark.bounding_box()["height"] >= 44
    dark.click()
    until(page, lambda: page.evaluate("document.documentElement.classList.contains('dark')"))
    assert not dark.is_visible()
    assert "theme=dark" in query(page)


@pytest.mark.long
@pytest.mark.parametrize("language", ["el", "sq"])
def test_numbers_and_lengths_of_time_have_room_in_every_language_on_an_old_projector(partner, served, look, language):
    page = look(f"{served.url}/?lang={language}", (1024, 768), ready=False)
    page.locator(".ranking td.unmet").first.wait_for(timeout=60_000)
    runs_over = """() => [...document.querySelectorAll('.ranking td:is(.unmet, .amount)')].filter((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return range.getBoundingClientRect().right > cell.getBoundingClientRect().right + 1;
    }).length"""
    assert page.evaluate(runs_over) == 0
    order = page.locator(".st-key-overview-choices input[role=combobox]")
    assert order.evaluate("box => box.scrollWidth <= box.clientWidth")
    page.goto(f"{partner.url}/map?lang={language}")
    wait_for_map(page)
    grain = page.locator("[class*=st-key-c-grain] [role=radiogroup]")
    assert grain.bounding_box()["height"] < 40


@pytest.mark.long
def test_the_period_of_the_records_is_in_the_bar_in_each_language_and_on_a_phone(partner, look):
    page = look("about:blank", ready=False)
    for language in LANGUAGE_NAMES:
        page.set_viewport_size({"width": 1366, "height": 768})
        page.goto(f"{partner.url}/reallocate?lang={language}")
        period = page.locator(".topbar .period")
        period.wait_for(timeout=60_000)
        for width, height in ((1366, 768), (1280, 720), (390, 844)):
            page.set_viewport_size({"width": width, "height": height})
            assert period.evaluate(
                "one => one.scrollWidth <= one.clientWidth + 1 && one.scrollHeight <= one.clientHeight + 1"
            )
            assert period.bounding_box()["width"] > 60, (language, width)
