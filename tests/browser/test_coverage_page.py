"""The Coverage page in a browser: the map fits into the page, the address follows, no other host is asked."""

import pytest

from tests.helpers.browser import click_area, map_frame, resize, until
from tests.helpers.nonempty import nonempty

pytestmark = pytest.mark.browser
SIZES = [(1366, 768), (390, 844)]


def opened(look, served, address, size=(1366, 768)):
    page = look(f"{served.url}/{address}", size, ready=False)
    map_frame(page).locator("#map_div[data-shown]").wait_for(timeout=60_000)
    page.locator(".legend").wait_for()
    return page


@pytest.mark.long
def test_the_map_has_room_and_nothing_runs_over_the_edge(served, look):
    page = opened(look, served, "coverage?show=gap&services=axis-prevention")
    for size in SIZES:
        resize(page, size)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        box = page.locator(".st-key-mapbox iframe").bounding_box()
        assert box["height"] >= 400
        assert box["width"] >= (0.4 if size[0] > 900 else 0.85) * size[0]
    assert "gap: less than half of the national average" in page.locator(".legend").inner_text()
    assert not page.watch.outside


@pytest.mark.long
def test_what_is_chosen_stands_in_the_address(served, look):
    page = opened(look, served, "coverage")
    page.get_by_role("radio", name="Travel time to the nearest service").click()
    until(page, lambda: "show=minutes" in page.url)
    until(page, lambda: "Travel time to the nearest service" in page.locator(".legend").inner_text())
    page.get_by_role("link", name="Trends").click()
    until(page, lambda: "/trends" in page.url)


@pytest.mark.long
def test_matrix_and_map_are_on_the_first_screen(served, look):
    page = opened(look, served, "coverage?area=GR-I&show=gap&services=axis-prevention")
    for part in (".gaps", ".st-key-coverage-map .st-key-mapbox"):
        box = page.locator(part).bounding_box()
        assert box["y"] + box["height"] <= 768


@pytest.mark.parametrize("width", [920, 1024, 1110])
def test_in_greek_the_choice_of_columns_covers_no_country(served, look, width):
    page = opened(look, served, "coverage?lang=el", (width, 768))
    choice = page.locator(".st-key-coverage-matrix [class*=st-key-pick-columns]").bounding_box()
    for country in nonempty(page.locator(".st-key-coverage-matrix .lands a").all()):
        box = country.bounding_box()
        assert box["x"] + box["width"] <= choice["x"] or box["y"] >= choice["y"] + choice["height"]


def test_a_cell_shows_its_map_and_is_one_step_back(served, look):
    page = opened(look, served, "coverage?area=AL")
    first = page.url
    page.get_by_role("link", name="Durrës, coordination").click()
    until(page, lambda: "services=axis-coordination" in page.url and "area=AL-02" in page.url)
    until(page, lambda: "Gaps: coordination" in page.locator(".legend").inner_text())
    until(page, lambda: page.locator(".gaps td.picked").count() == 1)
    page.go_back()
    until(page, lambda: page.locator(".gaps td.picked").count() == 0)
    assert "area=AL-02" not in page.url
    assert page.url.split("?")[0] == first.split("?")[0]
    page.get_by_role("radio", name="Duty bearers").click()
    until(page, lambda: "columns=bearers" in page.url)
    until(page, lambda: page.locator(".gaps thead th").count() == 3 + 6)


@pytest.mark.long
def test_an_area_is_chosen_on_the_map_and_that_is_one_step_back(served, look):
    page = opened(look, served, "coverage?area=AL-02")
    click_area(page, "GR-M")
    until(page, lambda: "area=GR-" in page.url)
    until(page, lambda: page.locator(".gaps tr.chosen").count() == 1)
    page.go_back()
    until(page, lambda: "area=AL-02" in page.url and page.locator(".gaps tr.chosen[data-area=AL-02]").count() == 1)
