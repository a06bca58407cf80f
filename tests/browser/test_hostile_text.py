"""Hostile text in every field of every record kind, on every page and layer: shown as text, never executed."""

import re
import shutil
import zipfile
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.helpers import hostile as worlds
from tests.helpers.browser import area_point, map_frame, unfold, until, wait_for_map
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=30)

SOURCES = [worlds.token(payload, "figure", "source") for payload in worlds.PAYLOADS]
NOTES = [worlds.token(payload, "figure", "note") for payload in worlds.PAYLOADS]
# Elements that text from outside would have become, had it been read as markup, Markdown or mathematics.
MADE_OF_TEXT = (
    'img[src="x"]',
    "[onerror]",
    "[onclick]",
    "[onmouseover]",
    'a[href^="javascript"]',
    ".katex",
    '[data-testid="stIconMaterial"]:text("delete")',
    'b:text-is("x")',
    'strong:text-is("x")',
    'code:text-is("x")',
    '[data-testid="stMarkdownColoredText"]',
)
LAYERS = {
    "encounters": "region",
    "effort": "municipality",
    "services": "region",
    "communities": "region",
    "population": "region",
    "roma_figures": "region",
    "referrals": "country",
}


@pytest.fixture(scope="module")
def releases(shared, tmp_path_factory):
    world = worlds.build_once(shared)
    return Path(shutil.copytree(world.path / "releases", tmp_path_factory.mktemp("hostile") / "releases"))


@pytest.fixture(scope="module")
def partner_address(serve, releases):
    return serve(releases).url


@pytest.fixture(scope="module")
def public_address(serve, releases):
    return serve(releases, "--tier", "public").url


@pytest.fixture
def open_page(look):
    """Return a function that opens an address and records dialogs and requests, which only executed text can cause."""

    def opened(url, *, ready=True):
        page = look("about:blank", ready=False)
        page.ran = []
        page.on("dialog", lambda dialog: (page.ran.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda asked: page.ran.append(asked.url) if asked.url.endswith("/x") else None)
        page.goto(url)
        if ready:
            wait_for_map(page)
        return page

    return opened


def assert_nothing_ran(page):
    assert page.ran == []
    for frame in page.frames:
        assert frame.evaluate("() => typeof window.hostile") == "undefined"
        assert {what: frame.locator(what).count() for what in MADE_OF_TEXT} == dict.fromkeys(MADE_OF_TEXT, 0)
        scripts = frame.evaluate("() => [...document.scripts].map(one => one.textContent).join()")
        assert "window.hostile" not in scripts
    # Streamlit first looks whether the page's own address is its base path, which it is not.
    looked = [missing for missing in page.watch.missing if "/_stcore/" in missing]
    assert page.watch.outside == []
    assert (page.watch.missing, len(page.watch.errors)) == (looked, len(looked)), vars(page.watch)


def cells(page, within):
    """Return the texts of a table's cells, one on each line.

    The table is scrolled from the first to the last column, because the page contains only visible cells.
    """
    grid = within.locator("[data-testid=stDataFrame] [role=gridcell]")
    grid.first.wait_for(state="attached")
    until(page, lambda: any(grid.all_text_contents()))
    texts = grid.all_text_contents()
    scroller = within.locator("[data-testid=stDataFrame] .dvn-scroller").first
    scroller.evaluate("one => one.scrollTo(one.scrollWidth, 0)")
    for _ in range(10):  # a table that all but fits has the same cells in view afterwards
        page.wait_for_timeout(100)
        texts += [text for text in grid.all_text_contents() if text not in texts]
    # The reader of a long text opens when its cell is chosen and Enter pressed.
    box = scroller.bounding_box()
    scroller.click(position={"x": box["width"] - 60, "y": 50})
    page.keyboard.press("Enter")
    page.wait_for_timeout(300)
    return "\n".join(texts)


@vary("layer", ["population", *(layer for layer in LAYERS if layer != "population")])
def test_a_layer_shows_text_on_map_legend_panel_and_table(open_page, partner_address, layer):
    level = LAYERS[layer]
    area = "GR" if level == "country" else "AL-01"
    period = "" if layer == "population" else f"&period={worlds.FIRST_YEAR}-01-01/P1Y"
    page = open_page(f"{partner_address}/map?layer={layer}&level={level}&area={area}{period}")
    frame = map_frame(page)
    assert worlds.FILE_NAME in frame.locator(".tact-note").inner_text()
    if level != "country":
        tip = frame.locator(".tact-tip strong")
        for _ in range(20):  # the first view may be fitted again when the page's controls come
            frame.locator("#map_div").hover(position=area_point(page, "AL-01", "region"))
            page.wait_for_timeout(250)
            if tip.is_visible():
                break
        tip.wait_for()
    legend, panel = page.locator(".legend").inner_text(), page.locator(".panel").inner_text()
    page.get_by_role("button", name="Table").click()
    table = cells(page, page.locator("[data-testid=stDialog]"))
    if layer in ("population", "roma_figures", "referrals"):
        assert [SOURCES[0] in words for words in (legend, panel, table)] == [True] * 3
        assert NOTES[0] in panel
    if layer == "population":  # the figures of all payloads are on this map
        assert [source for source in SOURCES if not (source in legend and source in table)] == []
        assert [note for note in NOTES if f"provisional; {note}" not in table] == []
    assert_nothing_ran(page)


@pytest.mark.long  # the same legend with other periods
@pytest.mark.parametrize("number", range(0, len(worlds.PAYLOADS), 4))
def test_moving_through_time_shows_text_and_runs_nothing(open_page, partner_address, number):
    page = open_page(
        f"{partner_address}/map?layer=referrals&level=country&period={worlds.FIRST_YEAR + number}-01-01/P1Y"
    )
    until(page, lambda: SOURCES[number] in page.locator(".legend").inner_text())
    slider = page.locator("[class*=st-key-c-period] input")
    for place in range(number + 1, number + 4):
        slider.focus()
        page.keyboard.press("ArrowRight")
        until(page, lambda place=place: SOURCES[place] in page.locator(".legend").inner_text())
    assert_nothing_ran(page)


@pytest.mark.long  # in one process: tests/dashboard/pages/method/test_method.py
def test_the_method_page_lists_sources_and_boundaries_as_text(open_page, partner_address):
    page = open_page(f"{partner_address}/method", ready=False)
    body = page.locator("[data-testid=stMain]")
    until(page, lambda: "Citation" in body.inner_text())
    unfold(page)
    until(page, lambda: worlds.FILE_NAME in spaces(body.inner_text()))
    until(page, lambda: all(spaces(source) in spaces(body.inner_text()) for source in SOURCES))
    assert_nothing_ran(page)


def spaces(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.long  # tests/dashboard/commands/test_hostile_files.py reads all files
def test_the_download_page_shows_text_and_gives_it_as_text(open_page, partner_address, tmp_path):
    address = f"{partner_address}/download?format=csv&layers=population,roma_figures"
    page = open_page(address, ready=False)
    body = page.locator("[data-testid=stMain]")
    until(page, lambda: "What the states mean" in body.inner_text())
    unfold(page)
    until(page, lambda: worlds.FILE_NAME in spaces(body.inner_text()))
    until(page, lambda: any(source in cells(page, body) for source in SOURCES))
    with page.expect_download() as download:
        page.get_by_role("button", name="Download CSV").click()
    download.value.save_as(tmp_path / "taken.zip")
    with zipfile.ZipFile(tmp_path / "taken.zip") as taken:
        (name,) = [name for name in taken.namelist() if name.endswith("population.csv")]
        text = taken.read(name).decode("utf-8-sig")
    assert "'=HYPERLINK(" in text
    assert not re.search(r"""(^|[,;])[" ]*[=+@]""", text, flags=re.MULTILINE)
    assert_nothing_ran(page)


@pytest.mark.long
def test_the_public_tier_shows_text_too(open_page, public_address):
    page = open_page(f"{public_address}/map?layer=roma_figures&area=AL-01")
    assert SOURCES[0] in page.locator(".legend").inner_text()
    assert_nothing_ran(page)
    for name, last in (("method", "Citation"), ("download", "What the states mean")):
        page.goto(f"{public_address}/{name}")
        until(page, lambda last=last: last in page.locator("body").inner_text())
        unfold(page)
        until(page, lambda: worlds.FILE_NAME in spaces(page.locator("body").inner_text()))
        assert_nothing_ran(page)


@vary("payload", ["".join(worlds.PAYLOADS), "\0", "a" * 4000])
def test_hostile_text_in_the_address_opens_the_map_all_the_same(open_page, partner_address, payload):
    names = ("layer", "level", "area", "period", "over", "encounters.of", "projector", payload)
    page = open_page(f"{partner_address}/map?{'&'.join(f'{quote(name)}={quote(payload)}' for name in names)}")
    assert page.locator("[data-testid=stException], [data-testid=stAlert]").count() == 0
    assert "hostile" not in page.locator("body").inner_text()
    assert_nothing_ran(page)


@pytest.mark.long
def test_a_damaged_release_with_a_hostile_name_is_named_as_text(open_page, serve, tmp_path):
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "current").write_text(
        f"[x](javascript:window.hostile=1) $x^2$ :material/delete: {worlds.MARKUP}", encoding="utf-8"
    )
    page = open_page(serve(tmp_path / "releases").url, ready=False)
    page.locator("[data-testid=stAlert]").wait_for()
    assert "[x](javascript:window.hostile=1) $x^2$" in page.locator("[data-testid=stMain]").inner_text()
    assert_nothing_ran(page)
