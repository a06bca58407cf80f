"""The live map in a real browser: what it shows, how much data a change needs, and which hosts it asks."""

import pytest

from tests.helpers.browser import (
    HOSTILE,
    area_point,
    changed,
    click_area,
    list_serious,
    map_frame,
    resize,
    settle,
    shown,
    until,
    wait_for_map,
    wait_for_whole_countries,
)
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=75)
MOST = 10_000  # bytes a change may send, see performance.md
# The legend of two layers is the highest, and beside it a small desk has the least room. (A phone has a test below.)
FULL, PHONE = "map?layer=services&over=communities", (390, 844)
SCREENS = [(view, size) for size in [(1024, 768), (1366, 768), (1920, 1080), (2560, 1440)] for view in (FULL, "map")]


def radio(page, name):
    return page.get_by_role("radio", name=name, exact=True)


def heading(page):
    return page.locator(".panel h2").inner_text()


def test_the_first_view_shows_both_countries_and_asks_nobody_outside(partner, look):
    page = look(f"{partner.url}/map")
    assert heading(page) == "Albania and Greece"
    assert "Partner tier" in page.locator(".topbar").inner_text()
    assert page.locator(".invented").is_visible()
    corners = (
        map_frame(page)
        .locator("#map_div")
        .evaluate(
            """() => ['AL', 'GR'].length && [[42.6, 20], [34.9, 24], [41.7, 26.3], [39.7, 19.4]].map(
             p => window.map.getBounds().contains(p))"""
        )
    )
    assert corners == [True] * 4
    check_that_the_canvas_is_drawn_and_not_blank(page)
    check_that_nothing_of_a_meeting_is_asked_for(page)
    check_that_no_name_of_a_country_runs_into_another_thing(page)
    check_that_on_a_desk_all_parts_are_in_view(page)
    assert page.watch.clean, vars(page.watch)


def check_that_the_canvas_is_drawn_and_not_blank(page):
    colours = (
        map_frame(page)
        .locator("canvas")
        .evaluate_all(
            """all => all.map(c => new Set(new Uint32Array(
             c.getContext('2d').getImageData(0, 0, c.width, c.height).data.buffer)).size)"""
        )
    )
    assert len(colours) == 3
    assert all(count > 3 for count in colours)


def check_that_nothing_of_a_meeting_is_asked_for(page):
    asked = page.evaluate("performance.getEntriesByType('resource').map(one => one.name)")
    assert not [address for address in asked if "meeting" in address]
    assert page.evaluate("sessionStorage.length") == 0


def check_that_no_name_of_a_country_runs_into_another_thing(page):
    settle(page)
    names = map_frame(page).locator(".tact-land-name span")
    boxes = [box.bounding_box() for box in names.all() if box.is_visible()]
    boxes += [box.bounding_box() for box in page.locator(".st-key-controls [role=radiogroup]").all()]
    assert len(boxes) > 4
    for i, box in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = box["x"] + box["width"] <= other["x"] or other["x"] + other["width"] <= box["x"]
            assert apart or box["y"] + box["height"] <= other["y"] or other["y"] + other["height"] <= box["y"]


def check_that_on_a_desk_all_parts_are_in_view(page):
    for size in ((1366, 768), (1920, 1080)):
        resize(page, size)
        for part in (".st-key-controls", ".legend", ".panel h2", "[class*=st-key-c-period]", ".st-key-c-table"):
            box = page.locator(part).first.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]
            assert box["y"] + box["height"] <= size[1], part


@vary("address, size", SCREENS)
def test_both_countries_stand_whole_on_the_first_view_of_any_screen(partner, look, address, size):
    assert wait_for_whole_countries(look(f"{partner.url}/{address}", size)) == []


@vary("area, count", [("10944420", 3), ("10944420", 7), ("", 7), ("AL-11", 7)])
def test_a_change_sends_little_and_keeps_the_map(partner, look, area, count):
    page = look(f"{partner.url}/map?area={area}&level={'municipality' if area.isdigit() else 'region'}")
    frame = map_frame(page)
    frame.locator("#map_div").evaluate(
        "() => { window.kept = 1; window.map.setView([41.3, 19.8], 8, {animate: false}); }"
    )
    loaded = page.watch.frames
    slider = page.locator("[class*=st-key-c-period] input")

    def later():
        slider.focus()
        page.keyboard.press("ArrowLeft")

    steps = [
        later,
        radio(page, "Municipality").click if not area.isdigit() else radio(page, "County or region").click,
        radio(page, "Services").click,
        later,
        radio(page, "Outreach").click,
        radio(page, "Children identified or met").click,
        radio(page, "Services").click,
    ]
    sent = [changed(page, step) for step in steps[:count]]
    assert max(sent) <= MOST, sent
    assert page.watch.frames == loaded
    assert frame.locator("#map_div").evaluate("() => [window.kept, window.map.getZoom()]") == [1, 8]
    assert page.watch.clean, vars(page.watch)


def test_a_click_on_an_area_opens_its_panel_and_a_click_on_the_sea_closes_it(partner, look):
    page = look(f"{partner.url}/map")
    click_area(page, "GR-B")
    until(page, lambda: heading(page) == "Central Macedonia")
    until(page, lambda: "area=GR-B" in page.url)
    frame = map_frame(page)
    sea = frame.locator("#map_div").evaluate("() => window.map.latLngToContainerPoint([38.9, 25.0])")
    frame.locator("#map_div").click(position=sea)
    until(page, lambda: heading(page) == "Albania and Greece")
    until(page, lambda: "area=" not in page.url)


@pytest.mark.long
def test_an_address_opens_the_same_view(partner, look):
    page = look(f"{partner.url}/map")
    changed(page, radio(page, "Services").click)
    changed(page, radio(page, "Municipality").click)
    click_area(page, "10944420", "municipality")
    until(page, lambda: "area=" in page.url)
    settle(page)
    first = page.url, shown(page), heading(page)
    page.goto(page.url)
    wait_for_map(page)
    assert (page.url, shown(page), heading(page)) == first
    assert radio(page, "Municipality").get_attribute("aria-checked") == "true"


@pytest.mark.long
@pytest.mark.parametrize(
    "address",
    [
        "layer=%3Cscript%3E&level=street&period=yesterday&area=../../etc&over=a,b&encounters.of=zz",
        "period=9999-99-99/P3M&layer=effort&over=communities",
        "layer=referrals&level=municipality&period=2006-06-01/P3M&projector=maybe",
    ],
)
def test_garbage_in_the_address_opens_a_view_all_the_same(partner, look, address):
    page = look(f"{partner.url}/map?{address}")
    assert "over=" not in page.url
    assert page.locator("[data-testid=stException], [data-testid=stAlert]").count() == 0
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long
def test_communities_lie_over_services_and_never_over_effort(partner, look):
    page = look(f"{partner.url}/map?layer=services&over=communities")
    assert "over=communities" in page.url
    assert page.locator(".legend section").count() == 2
    changed(page, radio(page, "Outreach").click)
    assert "over=" not in page.url
    assert page.locator(".legend section").count() == 1


@pytest.mark.long
def test_the_public_tier_shows_public_numbers_only(public, look):
    page = look(f"{public.url}/map?layer=encounters&over=communities&level=municipality")
    assert "Public tier" in page.locator(".topbar").inner_text()
    assert "over=" not in page.url
    assert "level=region" in page.url
    assert radio(page, "Municipality").count() == 0
    page.goto(f"{public.url}/map?layer=services&over=communities")
    until(page, lambda: page.locator(".legend section").count() == 2)
    assert public.audit() == []


@pytest.mark.long
def test_a_published_zero_that_is_adjusted_says_both_under_the_mouse(partner, look):
    page = look(f"{partner.url}/map?layer=encounters&level=region&period=2009-03-01/P3M")
    frame = map_frame(page)
    frame.locator("#map_div").hover(position=area_point(page, "GR-C", "region"))
    tip = frame.locator(".tact-tip-line")
    tip.wait_for()
    assert tip.inner_text() == "none or almost none; adjusted: 1 ±6 children"


@pytest.mark.long  # test_hostile_text.py tries this with more texts
def test_text_from_data_is_text_everywhere(hostile, look):
    page = look(f"{hostile.url}/map?layer=population&area=AL-02")
    assert heading(page) == HOSTILE
    assert HOSTILE in page.locator(".panel").inner_text()
    frame = map_frame(page)
    assert frame.locator(".tact-note").inner_text() == HOSTILE
    frame.locator("#map_div").hover(position=area_point(page, "GR-B", "region"))
    frame.locator(".tact-tip strong").wait_for()
    assert frame.locator(".tact-tip strong").inner_text() == HOSTILE
    changed(page, radio(page, "Roma and Egyptian figures").click)
    assert HOSTILE in page.locator(".legend").inner_text()
    page.get_by_role("button", name="Table").click()
    page.locator("[data-testid=stDialog]").wait_for()
    page.wait_for_timeout(500)
    assert page.locator("img[src='x']").count() == 0
    assert frame.locator("img").count() == 0
    assert page.watch.clean, vars(page.watch)


def test_the_search_finds_areas_and_cities_and_says_what_it_does_not_find(partner, look):
    page = look(f"{partner.url}/map")
    box, answer = map_frame(page).get_by_label("Find an area"), map_frame(page).locator(".tact-said")

    def find(typed):
        box.fill(typed)
        box.press("Enter")

    find("Iraklio")
    until(page, lambda: "Heraklion (Crete)" in answer.inner_text())
    assert heading(page) == "Albania and Greece", "a name of several areas names them"
    find("Atlantis")
    until(page, lambda: "No area has this name" in answer.inner_text())
    assert box.evaluate("e => e.validationMessage") == ""
    box.press("End")
    page.keyboard.type("x")
    assert answer.text_content() == ""
    for first_letters, name in (("Durr", "Durrës"), ("tiran", "Tirana"), ("αττικ", "Attica")):
        find(first_letters)
        until(page, lambda name=name: heading(page) == name)
    # A city is found where the map shows larger areas.
    for city, around, words in (
        ("Λάρισα", "Thessaly", "Larissa is in Thessaly."),
        ("Heraklion", "Crete", "Heraklion is in Crete."),
        ("Selanik", "Central Macedonia", "Thessaloniki is in Central Macedonia."),
    ):
        find(city)
        until(page, lambda around=around: heading(page) == around)
        assert answer.inner_text() == words
    assert page.watch.clean, vars(page.watch)


@pytest.mark.long
def test_a_bar_tells_its_period_and_number_with_the_margin(partner, look):
    page = look(f"{partner.url}/map")
    slider, bar = page.locator("[class*=st-key-c-period]"), page.locator(".bars.time i").nth(2)
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4)
    until(page, lambda: "Dec 2006 to Feb 2007: " in (slider.get_attribute("title") or ""))
    assert "±" in slider.get_attribute("title")
    assert "±" in slider.locator("input").get_attribute("aria-valuetext")


@pytest.mark.long
def test_a_wrong_address_says_what_was_not_found_until_the_reader_goes_on(partner, look):
    page = look(f"{partner.url}/map?layer=nothing&area=XX-9")
    message = page.locator(".missed")
    assert "layer “nothing”" in message.inner_text()
    assert "Children identified or met" in message.inner_text()
    changed(page, radio(page, "Services").click)
    assert message.count() == 0


def test_everything_can_be_reached_by_keyboard(partner, look):
    page = look(f"{partner.url}/map")
    slider = page.locator("[class*=st-key-c-period] input")
    slider.focus()
    assert "Mar to May 2009" in slider.get_attribute("aria-valuetext")
    changed(page, lambda: page.keyboard.press("ArrowLeft"))
    assert "Dec 2008 to Feb 2009" in slider.get_attribute("aria-valuetext")
    radio(page, "Children identified or met").focus()
    changed(page, lambda: (page.keyboard.press("ArrowRight"), page.keyboard.press("Enter")))
    assert "layer=services" in page.url
    box = map_frame(page).get_by_label("Find an area")
    box.focus()
    page.keyboard.type("Attica, Greece")
    page.keyboard.press("Enter")
    until(page, lambda: heading(page) == "Attica")
    container = map_frame(page).locator("#map_div")
    container.focus()
    before = container.evaluate("() => window.map.getCenter().lng")
    page.keyboard.press("ArrowRight")
    until(page, lambda: container.evaluate("() => window.map.getCenter().lng") > before)
    zoom = container.evaluate("() => window.map.getZoom()")
    page.keyboard.press("+")
    until(page, lambda: container.evaluate("() => window.map.getZoom()") > zoom)


@pytest.mark.long
def test_a_key_held_down_moves_the_slider_as_far_as_it_was_pressed(partner, look):
    page = look(f"{partner.url}/map")
    slider = page.locator("[class*=st-key-c-period] input")
    slider.focus()
    for _ in range(8):
        page.keyboard.press("ArrowLeft")
        page.wait_for_timeout(40)
    until(page, lambda: "2007-03-01" in page.url)
    settle(page)
    assert "2007-03-01" in page.url
    assert "Mar to May 2007" in slider.get_attribute("aria-valuetext")


@pytest.mark.long
def test_the_view_outlives_a_visit_to_another_page(partner, look):
    page = look(f"{partner.url}/map?layer=services&services.of=axis-protection&area=AL-02")
    before = page.url
    page.get_by_role("link", name="Method").click()
    until(page, lambda: "/method" in page.url)
    page.get_by_role("link", name="Map", exact=True).click()
    until(page, lambda: page.url == before)
    until(page, lambda: heading(page) == "Durrës")


def test_the_buttons_on_the_map_go_to_places_where_names_have_room(partner, look):
    page = look(f"{partner.url}/map")
    frame = map_frame(page)
    names, container = frame.locator(".tact-area-name span"), frame.locator("#map_div")
    assert names.count() == 0
    frame.get_by_role("button", name="Tirana and Durrës").click()
    until(page, lambda: container.evaluate("() => window.map.getZoom()") > 7)
    until(page, lambda: container.evaluate("() => window.map.getBounds().contains([41.32, 19.82])"))
    until(page, lambda: "Tirana" in names.all_inner_texts())
    frame.get_by_role("button", name="Both").click()
    until(page, lambda: container.evaluate("() => window.map.getBounds().contains([35.2, 25])"))


@pytest.mark.long
def test_the_table_holds_what_the_map_shows(partner, look):
    page = look(f"{partner.url}/map?layer=roma_figures&level=region&area=AL-04")
    assert "1,640" in page.locator(".panel").inner_text()
    page.get_by_role("button", name="Table").click()
    dialog = page.locator("[data-testid=stDialog]")
    dialog.locator("[data-testid=stDataFrame]").wait_for()
    cells = dialog.locator("[data-testid=stDataFrame] [role=gridcell]")
    cells.first.wait_for(state="attached")
    words = cells.all_text_contents()
    assert "1,640" in words
    assert "no published figure" in words


@pytest.mark.long
def test_projector_mode_folds_the_panels_and_keeps_the_legend(partner, look):
    page = look(f"{partner.url}/map")
    page.get_by_role("button", name="Projector").click()
    page.locator(".st-key-panel").wait_for(state="hidden")
    assert page.locator(".legend").is_visible()
    assert "projector=1" in page.url
    size = page.locator(".legend h2").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 22
    for part in ("[class*=st-key-c-level]", "[class*=st-key-c-over]", "[class*=st-key-c-period]"):
        assert page.locator(part).first.is_visible(), part
    click_area(page, "GR-B")
    until(page, lambda: page.locator(".headline h2").inner_text() == "Central Macedonia")
    assert "±" in page.locator(".headline .numbers").inner_text()
    page.get_by_role("link", name="Method").click()
    until(page, lambda: "/method" in page.url)
    page.get_by_role("link", name="Map", exact=True).click()
    until(page, lambda: "projector=1" in page.url)


@pytest.mark.long
def test_play_steps_through_time(partner, look):
    page = look(f"{partner.url}/map?period=2008-12-01/P3M")
    page.get_by_role("button", name="Play").click()
    before = page.evaluate("history.length")
    until(page, lambda: "2009-03-01" in page.url)
    page.get_by_role("button", name="Play").wait_for(timeout=30_000)
    assert page.evaluate("history.length") <= before + 1


@pytest.mark.long
@pytest.mark.parametrize(
    "address", ["layer=services&over=communities", "layer=communities&over=encounters", "layer=referrals"]
)
def test_the_legend_stands_whole_and_clear_of_the_controls(partner, look, address):
    page = look(f"{partner.url}/map?{address}")
    settle(page)
    legend = page.locator(".legend")
    assert legend.evaluate("e => e.scrollHeight <= e.clientHeight")
    box = legend.bounding_box()
    for part in page.locator(".st-key-controls > *").all():
        other = part.bounding_box()
        beside = other["x"] >= box["x"] + box["width"]
        assert beside or other["y"] + other["height"] <= box["y"]


@pytest.mark.long
def test_the_legend_folds_and_stays_folded(partner, look):
    page = look(f"{partner.url}/map?layer=encounters&over=communities")
    page.get_by_role("button", name="Hide legend").click()
    page.get_by_role("button", name="Show legend").wait_for()
    changed(page, radio(page, "Services").click)
    page.reload()
    page.get_by_role("button", name="Show legend").wait_for()
    assert page.locator(".legend .origin:visible").count() == 0
    assert "causes trafficking" in page.locator(".legend").inner_text()
    page.get_by_role("button", name="Show legend").click()
    assert page.locator(".legend .origin:visible").count() > 0


def test_on_a_phone_the_countries_stand_whole_and_nothing_is_cut(partner, look):
    page = look(f"{partner.url}/map", PHONE)
    assert wait_for_whole_countries(page) == []
    check_that_the_parts_stand_one_below_another(page)
    for part in (".topbar .choices", ".chip summary", ".invented"):
        assert page.locator(part).evaluate("e => e.scrollWidth <= e.clientWidth"), part
    assert page.locator(".panel .hint").count() == 1
    page.get_by_role("button", name="Table").click()
    page.locator("[data-testid=stDataFrame] [role=gridcell]").first.wait_for(state="attached")
    heads = page.locator("[data-testid=stDataFrame] [role=columnheader]").all_text_contents()
    assert heads[:3] == ["Area", "Value", "Margin (±)"]
    # The chosen area and its number stand above the map.
    page.goto(f"{partner.url}/map?area=AL-11")
    wait_for_map(page)
    assert page.locator(".headline h2").inner_text() == "Tirana"
    box = page.locator(".headline").bounding_box()
    assert box["y"] + box["height"] <= page.locator("iframe").bounding_box()["y"] + 12
    assert "±" in page.locator(".headline").inner_text()


@vary("layer", ["risk", "communities", "population"])
def test_on_a_phone_layers_stand_in_one_row_that_shows_the_chosen_one(partner, look, layer):
    page = look(f"{partner.url}/map?lang=el&layer={layer}", PHONE)
    row = page.locator("[class*=st-key-c-layer] [role=radiogroup]")
    until(page, lambda: row.locator("[aria-checked=true]").count() == 1)
    settle(page)
    around, chosen = row.bounding_box(), row.locator("[aria-checked=true]").bounding_box()
    assert around["height"] < 60
    assert around["x"] - 1 <= chosen["x"]
    assert chosen["x"] + chosen["width"] <= around["x"] + around["width"] + 1
    find = map_frame(page).locator(".tact-find input")
    words = find.evaluate("""one => { const pen = document.createElement("canvas").getContext("2d");
      pen.font = getComputedStyle(one).font; return pen.measureText(one.placeholder).width; }""")
    assert words + 34 <= find.bounding_box()["width"]  # the browser keeps room for the arrow of the list


def check_that_the_parts_stand_one_below_another(page):
    tops = [
        page.locator(part).first.bounding_box()["y"]
        for part in (".st-key-controls", ".headline", "iframe", ".when", ".legend", ".panel h2")
    ]
    assert tops == sorted(tops)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]


@pytest.mark.long
def test_without_a_release_the_base_map_stands_and_says_what_to_do(serve, look, tmp_path):
    served = serve(tmp_path)
    page = look(f"{served.url}/map")
    assert "tact release" in page.locator(".st-key-empty").inner_text()
    assert page.watch.clean, vars(page.watch)


@vary("address", ["/map?layer=services&over=communities&area=AL-02", "/map?area=AL-02", "/map?projector=1"])
def test_nothing_serious_for_axe(partner, look, address):
    page = look(partner.url + address)
    assert [list_serious(frame) for frame in page.frames] == [[]] * len(page.frames)


@pytest.mark.long
def test_shapes_that_a_broken_line_kept_back_come_when_they_are_chosen_again(partner, look):
    page, shapes = look(f"{partner.url}/map"), "**/geometry/*/municipality.json*"
    page.route(shapes, lambda route: route.abort())
    radio(page, "Municipality").click()
    failed = map_frame(page).locator(".tact-failed")
    failed.wait_for()
    page.unroute(shapes)
    until(page, lambda: "level=municipality" in page.url)
    radio(page, "County or region").click()
    until(page, lambda: "level=municipality" not in page.url)
    radio(page, "Municipality").click()
    failed.wait_for(state="detached")
