"""Every page in every language and at every size: nothing is cut or runs over, few words before the first fold.

Also nothing is serious for axe, and on a phone what is pressed is large enough for a finger.
"""

import os
from itertools import product
from pathlib import Path

import pytest

from dashboard.site.text import LANGUAGE_NAMES
from dashboard.web.page_list import PAGES
from tests.helpers.browser import list_serious, settle, until, wait_for_map
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=75)
SIZES = ((1366, 768), (1024, 768), (1920, 1080), (390, 844))
FEW_WORDS, MOST_WORDS = 5, 250
# Each page in each language and at each size; the size changes from case to case, so that twelve cases a page become
# four, and each language meets each size. In English a page is opened at one size and gets another while it is open.
# With each change a page is opened in one language, which takes turns, and by `make long` in the others.
CASES = [
    pytest.param(
        entry.address,
        language,
        [SIZES[(number + turn) % len(SIZES)] for turn in turns],
        marks=[pytest.mark.long] if (number + place) % 3 else [],
    )
    for number, entry in enumerate(PAGES)
    for place, (language, turns) in enumerate(zip(("en", "el", "sq"), ((0, 3), (2,), (1,)), strict=True))
]
# A page of each kind by night, on a laptop or a phone; the map, which has most colours, with each change.
DARK = [
    ("map", "sq", (390, 844)),
    ("trends", "en", (1366, 768)),
    ("reallocate", "el", (390, 844)),
    ("", "en", (1366, 768)),
    ("risk", "el", (390, 844)),
    ("coverage", "en", (1366, 768)),
]
CARD = "getComputedStyle(document.documentElement).getPropertyValue('--card')"
PICTURES = os.environ.get("TACT_PICTURES")

# Words before the first thing that unfolds: no menu, no names on a map, no table of numbers, no icon.
COUNT = """() => {
  const outside = "svg, canvas, table, .topbar, .names, [data-testid=stIconMaterial], [data-testid=stDialog]";
  const seen = (one) => one.checkVisibility({ opacityProperty: true, visibilityProperty: true });
  const main = document.querySelector(".stMain");
  const fold = [...main.querySelectorAll("details:not(.topbar details)")].find(seen);
  const walk = document.createTreeWalker(main, NodeFilter.SHOW_TEXT);
  const words = [];
  while (walk.nextNode()) {
    const node = walk.currentNode;
    if (fold && fold.compareDocumentPosition(node) & (Node.DOCUMENT_POSITION_FOLLOWING)) break;
    if (node.parentElement.closest(outside) || !seen(node.parentElement)) continue;
    words.push(...node.textContent.split(/\\s+/).filter((word) => /\\p{L}/u.test(word)));
  }
  return words;
}"""
# What can be pressed and whose words are cut or stand outside the page.
CUT = """() => {
  const width = document.documentElement.clientWidth;
  const scrolls = (one) => { for (let up = one; up; up = up.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(up).overflowX)) return true; } return false; };
  return [...document.querySelectorAll("button, a, label, h1, h2, h3, summary, legend, th")].filter((one) => {
    if (!one.checkVisibility({ opacityProperty: true, visibilityProperty: true })) return false;
    const box = one.getBoundingClientRect();
    if (box.width < 3 || box.height < 3 || one.closest(".visually-hidden, [data-testid=stSkipToContent]")) return false;
    const cut = getComputedStyle(one).overflowX !== "visible" && one.scrollWidth > one.clientWidth + 1;
    return cut || ((box.right > width + 1 || box.left < -1) && !scrolls(one.parentElement));
  }).map((one) => `${one.tagName.toLowerCase()}.${one.className}: ${one.innerText || one.getAttribute("aria-label")}`);
}"""

# What is pressed on a page beside its bar.
PRESSED = ":is(.gaps td > a, .lands a, .stButton button, .stDownloadButton button, [role=radio], summary)"


def wait_for_page(page, address):
    if address == "map":
        wait_for_map(page)
    page.locator(".topbar").wait_for(timeout=60_000)
    until(page, lambda: len(page.evaluate(COUNT)) > FEW_WORDS)
    page.locator("[data-testid=stStatusWidget], .stSpinner").first.wait_for(state="detached", timeout=60_000)
    settle(page)


@pytest.mark.parametrize(("address", "language", "sizes"), CASES)
def test_a_page_opens_under_its_address_and_fits_its_screen_in_its_language(served, look, address, language, sizes):
    page = look(f"{served.url}/{address}?lang={language}", sizes[0], ready=False)
    for size in sizes:
        page.set_viewport_size({"width": size[0], "height": size[1]})
        wait_for_page(page, address)
        if PICTURES:
            name = f"{address or 'overview'}-{language}-{size[0]}.png"
            page.screenshot(path=Path(PICTURES, name), full_page=True)
        assert page.evaluate("document.documentElement.lang") == language
        assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= size[0]
        assert page.evaluate(CUT) == []
        words = page.evaluate(COUNT)
        assert len(words) <= MOST_WORDS, " ".join(words)
        if size[0] == 390:
            heights = measure_pressed(page)
            assert heights or address == "agenda"  # which is empty
            assert [words for words, height in heights if height < 43.5] == []
    assert page.locator("[data-testid=stException], [data-testid=stDialog], [role=dialog]").count() == 0
    if language == "en":
        assert page.locator(".topbar nav a").all_text_contents() == [entry.title for entry in PAGES]
    assert page.watch.clean, vars(page.watch)
    # Only now: axe asks for style sheets again, some at addresses where they are not.
    assert [list_serious(frame) for frame in list_frames(page)] == [[]] * len(list_frames(page))


def measure_pressed(page):
    """Return the words and the height in pixels of what is pressed on a page."""
    pressed = page.locator(f".stMain {PRESSED}:not(.topbar *):visible")
    return pressed.evaluate_all("all => all.map(one => [one.textContent, one.getBoundingClientRect().height])")


def list_frames(page):
    """List the page and the frame of a map in it."""
    return [page, *(frame for frame in page.frames[1:] if frame.query_selector("#map_div"))]


@vary("address, language, size", DARK)
def test_a_page_can_be_read_where_the_system_is_dark(served, look, address, language, size):
    axe = pytest.importorskip("axe_playwright_python")
    page = look(f"{served.url}/{address}?lang={language}", size, ready=False, dark=True)
    wait_for_page(page, address)
    if PICTURES:
        page.screenshot(path=Path(PICTURES, f"{address or 'overview'}-dark-{size[0]}.png"), full_page=True)
    assert page.evaluate(CUT) == []
    for frame in list_frames(page):
        until(page, lambda frame=frame: frame.evaluate(CARD) == "#1a2129")
        frame.evaluate((Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8"))
        answer = frame.evaluate("axe.run(document, { runOnly: ['color-contrast'], iframes: false })")
        assert answer["passes"][0]["nodes"]
        assert [node["html"][:160] for violation in answer["violations"] for node in violation["nodes"]] == []
    assert page.watch.clean, vars(page.watch)


def test_each_language_meets_each_size_and_each_page_all_languages():
    seen, often = list_seen(CASES), list_seen([case for case in CASES if not case.marks])
    assert {(language, size) for _, language, size in seen} == set(product(LANGUAGE_NAMES, SIZES))
    assert len({(address, language) for address, language, _ in seen}) == len(PAGES) * len(LANGUAGE_NAMES)
    assert len({(address, size) for address, _, size in seen}) == len(PAGES) * len(SIZES)
    assert {address for address, _, _ in often} == {entry.address for entry in PAGES}
    assert len({(language, size) for _, language, size in often}) >= len(LANGUAGE_NAMES) * len(SIZES) - 1


def list_seen(cases):
    return {(address, language, size) for address, language, sizes in (case.values for case in cases) for size in sizes}
