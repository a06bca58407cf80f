"""The Risk and Trends pages in a browser: charts appear, the address follows, no other host is asked."""

import pytest

from tests.helpers.browser import resize, settle, until
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser
SIZES = [(1366, 768), (390, 844)]


def opened(look, served, address, size=(1366, 768)):
    page = look(f"{served.url}/{address}", size, ready=False)
    page.locator("[data-testid=stVegaLiteChart] canvas, [data-testid=stVegaLiteChart] svg, .rates").first.wait_for()
    return page


@pytest.mark.long
@pytest.mark.parametrize("address", ["risk", "trends"])
def test_a_page_draws_its_pictures_and_nothing_runs_over_its_edge(served, look, address):
    page = opened(look, served, address)
    for size in SIZES:
        resize(page, size)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert not page.watch.outside


@pytest.mark.long
def test_what_is_chosen_stands_in_the_address_and_going_back_undoes_it(served, look):
    page = opened(look, served, "risk?pathway=internal&area=AL-02")
    page.get_by_role("button", name="Cross-border").click()
    until(page, lambda: "pathway=cross_border" in page.url and "area=AL-02" in page.url)
    page.go_back()
    inside = page.get_by_role("button", name="Internal")
    until(page, lambda: "pathway=internal" in page.url and inside.get_attribute("aria-pressed") == "true")
    page.get_by_role("link", name="Trends").click()
    until(page, lambda: "/trends" in page.url and "area=AL-02" in page.url)


def test_map_and_list_of_rates_are_joined_and_a_choice_is_one_step_back(served, look):
    page = opened(look, served, "risk?area=GR-I")
    page.locator(".sheet svg").wait_for()
    page.locator(".rates tr[data-area=GR-M]").hover()
    until(page, lambda: page.locator(".sheet .area.pointed[data-area=GR-M]").count() == 1)
    page.locator(".sheet .area[data-area=AL-06]").click()
    until(page, lambda: "area=AL-06" in page.url)
    until(page, lambda: page.locator(".rates tr.chosen[data-area=AL-06]").count() == 1)
    until(page, lambda: page.locator(".sheet .area.chosen[data-area=AL-06]").count() == 1)
    page.go_back()
    until(page, lambda: page.locator(".rates tr.chosen[data-area=GR-I]").count() == 1)
    slider = page.locator(".st-key-sure input")
    slider.focus()
    slider.press("ArrowRight")
    until(page, lambda: "sure=66" in page.url)


@pytest.mark.long
def test_map_and_list_of_rates_are_on_the_first_screen(served, look):
    page = opened(look, served, "risk")
    for size in ((1366, 768), (1920, 1080)):
        resize(page, size)
        for part in (".st-key-risk-map", ".rates"):
            box = page.locator(part).bounding_box()
            assert box["y"] + box["height"] <= size[1]


@vary("language", ["el", "en", "sq"])
def test_on_a_small_screen_the_map_of_rates_is_whole_and_its_legend_stands_below(served, look, language):
    page = look(f"{served.url}/risk?lang={language}", (1024, 768), ready=False)
    page.locator(".areacard").wait_for(timeout=60_000)
    sheet, key = (page.locator(f".st-key-risk-map {part}").bounding_box() for part in (".sheet", ".key"))
    assert sheet["y"] + sheet["height"] <= 768
    assert key["y"] >= sheet["y"] + sheet["height"]


@pytest.mark.long
def test_on_a_projector_the_card_stays_and_the_type_grows(served, look):
    page, sizes = opened(look, served, "risk?area=AL-02"), []
    for address in ("risk?area=AL-02", "risk?area=AL-02&projector=1"):
        page.goto(f"{served.url}/{address}")
        page.locator(".areacard").wait_for()
        sizes.append(page.locator(".rates tbody th").first.bounding_box()["height"])
        sizes.append(page.locator(".areacard .said").bounding_box()["height"])
    assert sizes[2] > 1.2 * sizes[0]
    assert sizes[3] > 1.2 * sizes[1]
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= 1366


@pytest.mark.long
def test_a_cell_of_trends_chooses_its_area_and_one_step_back_undoes_it(served, look):
    page = opened(look, served, "risk?pathway=internal&area=AL-02")
    page.get_by_role("link", name="Trends").click()
    cells = page.locator(".multiples a")
    cells.first.wait_for()
    assert cells.count() == 26
    until(page, lambda: page.locator(".multiples a[aria-current]").get_attribute("href").startswith("?area=AL-02"))
    settle(page)
    page.locator(".multiples a", has_text="Crete").click()
    until(page, lambda: page.get_by_role("heading", name="Crete, Greece").is_visible())
    until(page, lambda: "area=GR-M" in page.url and "pathway=internal" in page.url)
    settle(page)
    page.go_back()
    until(page, lambda: page.get_by_role("heading", name="Durrës, Albania").is_visible())
    settle(page)
    page.go_back()
    until(page, lambda: "/risk" in page.url)


@pytest.mark.long
def test_on_a_phone_the_chosen_area_comes_into_view(served, look):
    page = opened(look, served, "trends?pathway=internal&area=AL-02", (390, 844))
    page.locator(".multiples a", has_text="Crete").click()
    heading = page.get_by_role("heading", name="Crete, Greece")
    heading.wait_for()
    settle(page)
    assert 0 <= heading.bounding_box()["y"] < 844
    box = page.locator(".multiples a").first.bounding_box()
    assert box["height"] >= 44
    assert box["width"] >= 44


@pytest.mark.long
def test_the_layer_lies_on_the_map_with_a_mark_for_what_it_cannot_tell(served, look):
    page = look(f"{served.url}/map?layer=risk&area=GR-D")
    legend = page.locator(".legend").inner_text()
    assert "very high: over 2.25" in legend
    assert page.locator(".legend .state-cannot_tell").count() == 1
    assert page.watch.clean, vars(page.watch)
    names = [text.strip() for text in page.locator("[role=radio]").all_inner_texts()]
    assert "Risk" in names
    page.goto(f"{served.url}/map?layer=risk&over=communities")
    page.locator(".missed").wait_for()
    assert "over=" not in page.url
    assert "can be shown only with children identified or met and with services" in page.locator(".missed").inner_text()


@pytest.mark.long
@pytest.mark.parametrize("show", ["burden", "class", "change"])
def test_the_legend_covers_no_control(served, look, show):
    page = look(f"{served.url}/map?layer=risk&level=municipality&show={show}")
    for size in ((1366, 768), (1024, 768)):
        resize(page, size)
        top = page.locator(".legend").bounding_box()["y"]
        for control in page.locator(".st-key-controls [role=radio], .st-key-controls [role=combobox]").all():
            box = control.bounding_box()
            assert box is None or box["y"] + box["height"] <= top


@vary("address", ["trends", "risk"])
def test_a_table_offers_no_file_of_its_own(served, look, address):
    page = opened(look, served, address)
    page.locator("summary", has_text="Table").first.click()
    page.locator("[data-testid=stDataFrame]:visible").first.hover()
    page.locator("button[aria-label=Fullscreen]:visible").first.wait_for()
    names = [button.get_attribute("aria-label") for button in page.locator("button[kind=elementToolbar]").all()]
    assert "Search" in names
    assert "Download as CSV" not in names
