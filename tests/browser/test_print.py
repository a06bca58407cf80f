"""Pages on paper: nothing is cut off at the edge of the screen, and maps keep their picture."""

import io

import pytest
from pypdf import PdfReader

from tests.helpers.browser import map_frame, settle, unfold
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser
# What stands at the very end of a page, far below the edge of a screen.
ENDS = {"trends": "Table: all areas", "method": "Citation", "download": "What the states mean"}
_WIDE = 1040  # pixels of a sheet of A4 across, without its margins


@vary("name", ENDS)
def test_a_page_is_printed_to_its_end(partner, look, name):
    page = look(f"{partner.url}/{name}", ready=False)
    page.get_by_text(ENDS[name]).last.wait_for()
    if name == "method":
        unfold(page)
    settle(page)
    printed = PdfReader(io.BytesIO(page.pdf(prefer_css_page_size=True)))
    sheet = printed.pages[0].mediabox
    assert sheet.width > sheet.height
    text = " ".join(page.extract_text() for page in printed.pages)
    assert ENDS[name] in text
    assert "Invented data" in text
    assert name != "method" or len(printed.pages) > 5


@pytest.mark.long
def test_nothing_is_wider_than_the_sheet_and_what_cannot_be_pressed_is_gone(partner, look):
    page = look("about:blank", (_WIDE, 720), ready=False)
    page.emulate_media(media="print")
    for name in ("method", "download", "trends", "programme"):
        page.goto(f"{partner.url}/{name}")
        page.locator("h1").first.wait_for()
        settle(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= _WIDE
        assert page.evaluate("getComputedStyle(document.querySelector('.stMain')).overflowY") == "visible"
        assert not page.locator(".share summary").is_visible()


def test_the_map_keeps_its_picture_on_paper(partner, look):
    page = look(f"{partner.url}/map?layer=encounters&level=region")
    page.emulate_media(media="print")
    assert map_frame(page).locator("#map_div").evaluate("map => map.clientHeight") > 300
    assert page.locator(".legend").is_visible()
    assert page.locator(".panel").is_visible()
