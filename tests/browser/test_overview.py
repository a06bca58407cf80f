"""The Overview page in a browser: it fits the screen, map and list are one, and a choice is one step back."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from dashboard.narrative.judgement import read_usual_plan
from dashboard.site import Site
from dashboard.site.current_release import open_current_release
from risk.planning.saved import save_plan
from tests.helpers.browser import resize, settle, until, wait_for_silence
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser
FIRST = 60_000  # milliseconds
EXCESS = "(list => list.scrollHeight - list.clientHeight)(document.querySelector('.ranking'))"


@pytest.fixture(scope="module")
def decided(serve, scored, tmp_path_factory):
    """Start a server on which a plan is saved: then most cards stand under the list, which has least room."""
    derived = Path(shutil.copytree(scored.derived, tmp_path_factory.mktemp("decided") / "derived"))
    current = open_current_release(Site(scored.releases, "partner", derived))
    save_plan(derived, current.release, replace(read_usual_plan(current), title="Nearer to the children"))
    return serve(scored.releases, "--derived", str(derived))


def opened(look, served, size=(1366, 768), language="en"):
    page = look(f"{served.url}?lang={language}", size, ready=False)
    page.locator(".sheet svg").wait_for(timeout=FIRST)
    return page


def test_nothing_is_below_the_screen(look, decided):
    page = opened(look, decided, (1024, 768))
    assert page.locator(".alerts > *").count() == 4
    for size in ((1024, 768), (1366, 768), (1920, 1080)):
        resize(page, size)
        bottom = page.locator(".alerts").bounding_box()
        assert bottom["y"] + bottom["height"] <= size[1]
        assert page.evaluate("document.querySelector('.stMain').scrollHeight") <= size[1]
        assert "2009" in page.locator(".topbar .period").inner_text()
        until(page, lambda: page.evaluate(EXCESS) <= 0)
        swatches = page.locator(".key i").evaluate_all("all => all.map(one => one.getBoundingClientRect().width)")
        assert len(swatches) == page.locator(".key li").count() >= 4
        assert min(swatches) > 15
    assert page.watch.clean, vars(page.watch)


@vary(
    "language, land, areas",
    [("sq", "AL", 12), ("el", "AL", 12), ("en", "GR", 13), ("sq", "GR", 13), ("el", "GR", 13)],
    ("sq", "AL", 12),
    ("el", "GR", 13),
)
def test_the_whole_list_is_seen_also_where_it_or_its_words_are_longer(look, decided, language, land, areas):
    page = look(f"{decided.url}?lang={language}&land={land}", (1366, 768), ready=False)
    page.locator(".ranking tr[data-area]").nth(areas - 1).wait_for(timeout=FIRST)
    page.locator(".alerts > *").nth(3).wait_for(timeout=FIRST)
    assert page.locator(".ranking tr[data-area]").count() == areas
    for size in ((1366, 768), (1920, 1080)):
        resize(page, size)
        until(page, lambda: page.evaluate(EXCESS) <= 0)
        assert page.evaluate("document.querySelector('.stMain').scrollHeight") <= size[1]


@pytest.mark.long
def test_a_list_that_is_too_long_for_the_screen_can_be_moved_to_its_end(look, served):
    """Regions of Greece have long names."""
    page = look(f"{served.url}?lang=el&land=GR", (1024, 768), ready=False)
    page.locator(".ranking tbody tr").last.wait_for(timeout=FIRST)
    settle(page)
    table, panel = page.locator(".ranking").bounding_box(), page.locator(".st-key-overview-list").bounding_box()
    assert table["y"] + table["height"] <= panel["y"] + panel["height"]
    assert page.evaluate("getComputedStyle(document.querySelector('.ranking')).overflowY") == "auto"


@pytest.mark.long
def test_the_list_of_long_names_fits_a_phone_and_says_a_rate_in_two_lines(look, served):
    """Greek has the longest words for a rate, Albanian the longest names."""
    page = look(f"{served.url}?lang=el", (1366, 768), ready=False)
    page.locator(".ranking tr[data-area=AL-04]").wait_for(timeout=FIRST)
    heights = page.locator(".ranking td.rate span").evaluate_all("all => all.map(one => one.getClientRects().length)")
    assert len(heights) == 12
    assert max(heights) <= 2
    resize(page, (390, 844))
    for language, area in (("el", "AL-06"), ("sq", "GR-A")):
        page.goto(f"{served.url}?lang={language}&area={area}")
        page.locator(f".ranking tr[data-area={area}]").wait_for(timeout=FIRST)
        widths = page.evaluate(
            "(({scrollWidth, clientWidth}) => [scrollWidth, clientWidth])(document.querySelector('.ranking'))"
        )
        assert widths[0] <= widths[1], language


@pytest.mark.long
@pytest.mark.parametrize("size", [(390, 844), (1024, 768)])
def test_on_a_small_screen_nothing_is_wider_than_it(look, served, size):
    page = opened(look, served, size)
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= size[0]
    boxes = page.locator(".names span").evaluate_all("all => all.map(one => one.getBoundingClientRect().toJSON())")
    assert len(boxes) > 15
    for place, box in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = box["right"] <= other["left"] or other["right"] <= box["left"]
            assert apart or box["bottom"] <= other["top"] or other["bottom"] <= box["top"], (box, other)


@pytest.mark.long
def test_on_a_phone_every_link_is_large_enough_for_a_finger(look, served):
    page = opened(look, served, (390, 844))
    page.locator(".ranking tr[data-area=AL-06] a").click()
    page.locator(".card").wait_for(timeout=FIRST)
    parts = page.locator(".st-key-overview :is(a, button):visible").all()
    boxes = [(part.inner_text(), part.bounding_box()) for part in parts]
    assert len([name for name, _box in boxes if name]) > 20
    # The arrow of the menu lies in the menu, which is pressed everywhere.
    assert [(name, box) for name, box in boxes if box["height"] < 44 or (name and box["width"] < 44)] == []
    assert page.evaluate(
        "document.querySelector('.ranking').scrollWidth <= document.querySelector('.ranking').clientWidth"
    )


# What a room has to read: its size of letters, by its selector.
SIZES = """names => names.map(name => parseFloat(getComputedStyle(document.querySelector(name)).fontSize))"""
PARTS = [
    ".finding h1",
    ".ranking tbody th a",
    ".ranking tbody .amount small",
    ".key p",
    ".key h2",
    ".card p",
    ".alerts a",
]
# Rows of the list above its foot, and pixels that it is wider than its box.
ROOM = """() => {
  const box = document.querySelector(".ranking"), foot = box.querySelector("tfoot td").getBoundingClientRect().top;
  const seen = [...box.querySelectorAll("tbody tr")].filter(row => row.getBoundingClientRect().bottom <= foot);
  return [seen.length, box.scrollWidth - box.clientWidth];
}"""


@vary("language, size", [("el", (1366, 768)), ("sq", (1920, 1080))])
def test_a_projector_makes_sentence_list_legend_and_cards_larger(look, served, language, size):
    page = look(f"{served.url}/?lang={language}&area=AL-02", size, ready=False)
    for part in PARTS:
        page.locator(part).first.wait_for(timeout=FIRST)
    before = page.evaluate(SIZES, PARTS)
    page.locator(".topbar button.projector").click()
    until(page, lambda: "projector=1" in page.url)
    settle(page)
    larger = dict(zip(PARTS, zip(before, page.evaluate(SIZES, PARTS), strict=True), strict=True))
    assert {part: sizes for part, sizes in larger.items() if sizes[1] < 1.1 * sizes[0]} == {}
    rows, wider = page.evaluate(ROOM)
    assert (rows >= 6, wider) == (True, 0)
    assert page.watch.clean, vars(page.watch)


@vary("address", ["", "risk"])
def test_on_an_old_projector_the_legend_has_room_for_its_larger_letters(look, served, address):
    page = look(f"{served.url}/{address}?projector=1", (1024, 768), ready=False)
    page.locator(".aside .key").wait_for(timeout=FIRST)
    settle(page)
    inset, key = (page.locator(f".aside {name}").bounding_box()["width"] for name in (".inset", ".key"))
    assert (inset >= 90, key >= 190) == (True, True), (inset, key)
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long
def test_another_country_draws_the_list_alone(look, served):
    """A list that the browser already has is not sent again, so hardly more than the choice is left."""
    page = opened(look, served)
    for country, area in (("Greece", "GR-B"), ("Albania", "AL-11")):
        page.get_by_role("radio", name=country).click()
        page.locator(f".ranking tr[data-area={area}]").wait_for(timeout=FIRST)
        wait_for_silence(page)
    received = page.watch.received
    page.get_by_role("radio", name="Greece").click()
    page.locator(".ranking tr[data-area=GR-B]").wait_for(timeout=FIRST)
    wait_for_silence(page)
    assert 0 < page.watch.received - received < 3_500
    received = page.watch.received
    page.locator(".ranking tr[data-area=GR-I] a").click()
    page.locator(".card").wait_for(timeout=FIRST)
    wait_for_silence(page)
    assert page.watch.received - received < 14_000, "the list alone is larger"
    assert page.watch.clean, vars(page.watch)


def test_map_and_list_are_joined_and_a_choice_is_one_step_back(look, served):
    page = opened(look, served)
    page.locator(".ranking tr[data-area=AL-06]").hover()
    until(page, lambda: page.locator(".sheet .area.pointed[data-area=AL-06]").count() == 1)
    before = page.url
    page.locator(".sheet .area[data-area=GR-M]").click()
    page.locator(".card").wait_for(timeout=FIRST)
    assert "area=GR-M" in page.url
    until(page, lambda: page.locator(".ranking tr.chosen[data-area=GR-M] a[aria-current=true]").count() == 1)
    assert page.locator(".ranking :is(tr.chosen, a[aria-current])").count() == 2
    until(page, lambda: page.locator(".sheet .area.chosen[data-area=GR-M]").count() == 1)
    page.go_back()
    until(page, lambda: page.locator(".card").count() == 0)
    assert "area=" not in page.url
    assert page.url.split("?")[0] == before.split("?")[0]
    assert page.watch.clean, vars(page.watch)
