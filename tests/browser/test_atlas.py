"""The atlas in a browser without a network: no request, no hostile text run, every control by keyboard."""

from pathlib import Path

import pytest

from dashboard.map.atlas import write_atlases
from tests.helpers import small_release
from tests.helpers.browser import HOSTILE

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def atlas(tmp_path_factory):
    """Return the address of the atlas of a release whose areas have markup as names."""
    folder = tmp_path_factory.mktemp("atlas")
    hostile = ("AL-01", "2011-01-01/P1Y", "population", 7.0, None, HOSTILE, 2011, "read", HOSTILE)
    release = small_release.make(folder, "partner", more_figures=[hostile])
    return write_atlases(release, folder)[0].as_uri()


@pytest.fixture(scope="module")
def opened(atlas, browser):
    """Open the atlas without a network, once for all tests of this file."""
    context = browser.new_context(viewport={"width": 1366, "height": 768}, offline=True)
    opened = context.new_page()
    opened.asked, opened.faults = [], []
    opened.on("request", lambda request: opened.asked.append(request.url))
    opened.on("console", lambda message: opened.faults.append(message.text) if message.type == "error" else None)
    opened.on("pageerror", lambda error: opened.faults.append(str(error)))
    opened.on("dialog", lambda dialog: (opened.faults.append(dialog.message), dialog.dismiss()))
    yield opened
    context.close()


@pytest.fixture
def page(opened, atlas):
    """Return the atlas as it is when somebody opens it."""
    opened.asked.clear()
    opened.faults.clear()
    opened.goto(atlas)
    opened.locator(".folium-map[data-shown]").wait_for(timeout=30_000)
    return opened


@pytest.mark.long
def test_the_page_download_hands_the_atlas_out(public, look):
    page = look(f"{public.url}/download", ready=False)
    button = page.get_by_role("button", name="Download the atlas", exact=True)
    button.wait_for(timeout=60_000)
    with page.expect_download(timeout=120_000) as download:
        button.click()
    assert download.value.suggested_filename.endswith("-public-invented-atlas.html")
    assert download.value.path().read_text(encoding="utf-8").startswith("<!DOCTYPE html>\n<html lang=en>")


def test_every_view_is_drawn_without_a_request_and_without_an_error(page, atlas):
    layers = page.locator(".controls select").first
    for number in range(layers.locator("option").count()):
        layers.select_option(index=number)
        choices = page.locator(".controls select").nth(1)
        for choice in range(choices.locator("option").count() if choices.is_visible() else 0):
            choices.select_option(index=choice)
            assert page.locator(".legend h2").first.inner_text()
    asked = [url for url in page.asked if not url.startswith("data:")]
    assert (asked, page.faults) == ([atlas], [])


def test_markup_in_names_stays_text(page):
    page.get_by_role("button", name=HOSTILE).first.click()
    assert page.locator(".panel h2").inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    assert page.faults == []


def test_the_keyboard_reaches_area_period_and_about(page):
    page.locator(".pick", has_text="Tirana").focus()
    page.keyboard.press("Enter")
    assert page.locator(".panel h2").inner_text() == "Tirana"
    before = page.locator(".strip output").inner_text()
    page.locator(".strip input").focus()
    page.keyboard.press("ArrowLeft")
    assert page.locator(".strip output").inner_text() != before
    page.locator("#about-open").press("Enter")
    assert page.locator("#about").is_visible()
    page.keyboard.press("Escape")
    assert not page.locator("#about").is_visible()


def test_numbers_have_their_margin_and_states_their_words(page):
    page.locator(".strip select").select_option("whole")
    rows = dict(row.split("\t") for row in page.locator(".areas tbody").inner_text().splitlines() if "\t" in row)
    assert rows["Tirana"] == "130 ±5"
    assert rows["Berat"] == "none or almost none"


@pytest.mark.parametrize(
    ("level", "around"), [("region", ["Albania"] * 4 + ["Greece"] * 2), ("municipality", ["Tirana", "Attica"])]
)
def test_the_table_has_one_country_after_the_other(page, level, around):
    page.locator(".controls select").first.select_option(label="Population")
    page.locator(".controls select:visible").filter(has=page.locator(f"option[value={level}]")).select_option(level)
    shown = []
    for pick in page.locator(".areas .pick").all():
        pick.click()
        shown.append(page.locator(".panel .where").inner_text())
        page.locator(".panel .back").click()
    assert shown == around


def test_nothing_serious_for_axe(page):
    axe = pytest.importorskip("axe_playwright_python")
    # The page's own policy refuses other scripts; this runs beside it.
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    session = page.context.new_cdp_session(page)
    session.send("Page.setBypassCSP", {"enabled": True})
    page.reload()
    page.locator(".folium-map[data-shown]").wait_for(timeout=30_000)
    page.evaluate(script)
    violations = page.evaluate("axe.run().then(r => r.violations)")
    assert [violation["id"] for violation in violations] == []
