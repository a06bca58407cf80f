"""A picture of a view shows what the page shows, and the search for leaks reads what is in it."""

import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from dashboard.briefing import sheet, view_sheet
from dashboard.map import marks
from dashboard.map.values import STATE_CODES
from dashboard.pages.overview import sheet as overview_sheet
from dashboard.site import Site, current_release
from dashboard.site.text import LANGUAGE_NAMES, speak
from data.release import Release
from data.tables.spec import TIERS
from tests.helpers import small_release
from tests.helpers.pages import open_current
from tests.helpers.small_release import HOSTILE

SITE = Site(Path(), "partner")
VIEWS = [
    {"layer": "encounters", "level": "region", "period": "2009-03-01/P3M", "over": "communities"},
    {"layer": "risk", "level": "region", "pathway": "cross_border"},
    {"layer": "communities", "level": "region"},
    {"layer": "effort", "level": "municipality"},
]


@pytest.fixture(scope="module", params=TIERS)
def current(scored, request):
    return open_current(scored, request.param)


def draw(current, address):
    content = view_sheet.make_view_sheet(current, address)
    return sheet.render_sheet(content, current.release, "svg").decode()


def read_shapes(svg):
    """Return what stands on the shapes of a picture: state and numbers by area, of each layer in turn."""
    shapes = [shape.attrib for shape in ET.fromstring(svg).iter() if "data-area" in shape.attrib]
    return [{name[5:]: value for name, value in shape.items() if name.startswith("data-")} for shape in shapes]


def read_fills(svg):
    """Return fill and words of each area of a picture."""
    shapes = [shape for shape in ET.fromstring(svg).iter() if "data-area" in shape.attrib]
    return {shape.get("data-area"): (shape.get("fill"), shape[0].text) for shape in shapes}


@pytest.mark.always("partner-encounters", "partner-risk", "public-encounters")
@pytest.mark.slow
@pytest.mark.parametrize("address", VIEWS, ids=lambda address: address["layer"])
def test_a_shape_has_the_number_of_the_page_and_a_state_has_none(current, address):
    view = view_sheet._read_view(current, address)
    (main, *_over) = marks.read_marks(current, view)
    frame, drawn_as = main.data.frame, main.data.list_marks()
    shown = [cell for cell in read_shapes(draw(current, address)) if cell["area"] in frame.index]
    assert shown
    for cell in shown:
        assert ("value" in cell) <= (cell["state"] not in STATE_CODES)
        row = frame.loc[cell["area"]]
        if "value" in cell and drawn_as[cell["area"]] == cell["state"] and not address.get("over"):
            assert float(cell["value"]) == pytest.approx(row["value"], abs=1e-6)


@pytest.mark.parametrize("language", LANGUAGE_NAMES)
def test_legend_source_period_tier_and_release_are_on_it(current, language):
    address = {"layer": "effort", "level": "region"}
    with speak(language):
        text = " ".join(ET.fromstring(draw(current, address)).itertext())
        (main,) = marks.read_marks(current, view_sheet._read_view(current, address))
        legend = [main.title, main.unit, *main.labels]
    squeezed = re.sub(r"\s+", "", text)
    for words in (*legend, current.release.name, "2009"):
        assert re.sub(r"\s+", "", words) in squeezed
    assert {"en": "Invented data", "sq": "Të dhëna të trilluara", "el": "Επινοημένα δεδομένα"}[language] in text


@pytest.mark.parametrize(("kind", "start"), [("png", b"\x89PNG"), ("pdf", b"%PDF"), ("svg", b"<svg")])
def test_each_format_is_made_of_the_same_sheet_and_is_always_the_same(current, kind, start):
    content = overview_sheet.make_sheet(SITE, current)
    first, again = (sheet.render_sheet(content, current.release, kind) for _ in range(2))
    assert first.startswith(start)
    assert first == again
    assert sheet.name_file(content, current.release, "overview", kind).endswith(f"-invented-overview.{kind}")


def test_the_picture_of_the_overview_is_that_of_the_page(current):
    shapes = read_fills(sheet.draw_sheet(overview_sheet.make_sheet(SITE, current), current.release))
    make_content = (
        overview_sheet.partner.make_content if current.tier == "partner" else overview_sheet.public.make_content
    )
    content = make_content(overview_sheet.speak_to_reader(current), current)
    assert shapes == {
        code: ("url(#state-cannot_tell)" if mark.unsure else mark.colour, mark.words)
        for code, mark in content.marks.items()
    }


def test_text_from_data_is_never_markup_in_a_picture(tmp_path):
    hostile = ("AL-01", "2011-01-01/P1Y", "roma", 7.0, None, HOSTILE, 2011, "read", HOSTILE)
    small_release.make(tmp_path, "partner", more_figures=[hostile])
    opened = current_release.follow_release(Release.open(tmp_path, "partner"))
    svg = draw(opened, {"layer": "roma_figures", "level": "region"})
    assert HOSTILE not in svg
    ET.fromstring(svg)


@pytest.mark.parametrize(
    ("invented", "figures_invented", "layer", "marked"),
    [
        (True, False, "population", False),
        (True, False, "effort", True),
        (False, False, "effort", False),
        (False, True, "roma_figures", True),
        (False, False, "roma_figures", False),
    ],
)
def test_the_mark_of_invented_data_comes_from_the_layers_that_are_shown(
    tmp_path, invented, figures_invented, layer, marked
):
    practice = ("AL-01", "2011-01-01/P1Y", "roma", 7.0, None, "Invented for practice", 2011, "read", "")
    small_release.make(tmp_path, "public", invented=invented, made_up=[practice] if figures_invented else [])
    opened = current_release.follow_release(Release.open(tmp_path, "public"))
    content = view_sheet.make_view_sheet(opened, {"layer": layer})
    assert content.legend[0].title
    assert content.invented is marked
    assert ("Invented data" in sheet.draw_sheet(content, opened.release)) is marked
    assert ("-invented-" in sheet.name_file(content, opened.release, "map", "svg")) is marked
