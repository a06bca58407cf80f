"""The live map in a real browser: what it shows, how much data a change needs, and which hosts it asks."""

from pathlib import Path

import pytest

from tests.helpers.browser import HOSTILE, area_point, changed, click_area, map_frame, resize, settle, shown, until
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser
MOST = 10_000  # bytes a change may send, see performance.md
# Every screen with each change, on which the two views take turns; the other one of each by `make long`.
SCREENS = [
    pytest.param(view, size, marks=[pytest.mark.long] if (turn + number) % 2 else [])
    for turn, size in enumerate([(1366, 768), (1920, 1080), (1024, 768), (390, 844), (2560, 1440)])
    for number, view in enumerate(["map?layer=services&over=communities", "map"])
]


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
    assert page.watch.clean, vars(page.watch)


@pytest.mark.parametrize(("address", "size"), SCREENS)
def test_both_countries_stand_whole_on_the_first_view_of_any_screen(partner, look, size, address):
    page = look(f"{partner.url}/{address}", size)
    for _ in range(25):  # until the frame has its last size
        page.wait_for_timeout(200)
        if not (hidden := list_hidden(page)):
            break
    assert hidden == []


def list_hidden(page):
    """List the areas at the ends of both countries that stand outside the map or behind something on it."""
    frame, hidden = page.locator("iframe").bounding_box(), []
    boxes = [
        part.bounding_box() for part in page.locator(".legend, .st-key-controls [role=radiogroup], .st-key-panel").all()
    ]
    for code in ("AL-01", "AL-12", "GR-A", "GR-M", "GR-L", "GR-F"):
        point = area_point(page, code, "region")
        x, y = frame["x"] + point["x"], frame["y"] + point["y"]
        is_inside = 0 <= point["x"] <= frame["width"] and 0 <= point["y"] <= frame["height"]
        is_behind = any(b["x"] <= x <= b["x"] + b["width"] and b["y"] <= y <= b["y"] + b["height"] for b in boxes)
        if not is_inside or is_behind:
            hidden.append(code)
    return hidden


def test_the_canvas_is_drawn_and_not_blank(partner, look):
    page = look(f"{partner.url}/map")
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


@vary("area", ["10944420", "", "AL-11"])
def test_a_change_sends_little_and_keeps_the_map(partner, look, area):
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
        radio(page, "Services").click,
        radio(page, "Outreach").click,
        radio(page, "Children identified or met").click,
        later,
        radio(page, "Municipality").click if not area.isdigit() else radio(page, "County or region").click,
        radio(page, "Services").click,
        later,
    ]
    sent = [changed(page, step) for step in steps]
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


def test_an_address_opens_the_same_view(partner, look):
    first = look(f"{partner.url}/map")
    changed(first, radio(first, "Services").click)
    changed(first, radio(first, "Municipality").click)
    click_area(first, "10944420", "municipality")
    until(first, lambda: "area=" in first.url)
    second = look(first.url)
    assert second.url == first.url
    assert shown(second) == shown(first)
    assert heading(second) == heading(first)
    assert radio(second, "Municipality").get_attribute("aria-checked") == "true"


@vary(
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


def test_communities_lie_over_services_and_never_over_effort(partner, look):
    page = look(f"{partner.url}/map?layer=services&over=communities")
    assert "over=communities" in page.url
    assert page.locator(".legend section").count() == 2
    changed(page, radio(page, "Outreach").click)
    assert "over=" not in page.url
    assert page.locator(".legend section").count() == 1


def test_the_public_tier_shows_public_numbers_only(public, look):
    page = look(f"{public.url}/map?layer=encounters&over=communities&level=municipality")
    assert "Public tier" in page.locator(".topbar").inner_text()
    assert "over=" not in page.url
    assert "level=region" in page.url
    assert radio(page, "Municipality").count() == 0
    page.goto(f"{public.url}/map?layer=services&over=communities")
    until(page, lambda: page.locator(".legend section").count() == 2)
    assert public.audit() == []


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


def test_an_area_is_found_by_the_first_letters_of_its_name(partner, look):
    page = look(f"{partner.url}/map")
    box = map_frame(page).get_by_label("Find an area")
    for typed, found in (("Durr", "Durrës"), ("tiran", "Tirana"), ("αττικ", "Attica")):
        box.fill(typed)
        box.press("Enter")
        until(page, lambda found=found: heading(page) == found)


def test_a_name_that_is_not_there_is_said(partner, look):
    page = look(f"{partner.url}/map")
    box = map_frame(page).get_by_label("Find an area")
    box.fill("Atlantis")
    box.press("Enter")
    told = map_frame(page).locator(".tact-said")
    until(page, lambda: "No area has this name" in told.inner_text())
    assert box.evaluate("e => e.validationMessage") == ""
    box.press("End")
    page.keyboard.type("x")
    assert told.text_content() == ""


@vary(
    "typed, around, said",
    [
        ("Λάρισα", "Thessaly", "Larissa is in Thessaly."),
        ("Heraklion", "Crete", "Heraklion is in Crete."),
        ("Selanik", "Central Macedonia", "Thessaloniki is in Central Macedonia."),
    ],
)
def test_a_city_is_found_where_the_map_shows_larger_areas(partner, look, typed, around, said):
    page = look(f"{partner.url}/map")
    box = map_frame(page).get_by_label("Find an area")
    box.fill(typed)
    box.press("Enter")
    until(page, lambda: heading(page) == around)
    assert map_frame(page).locator(".tact-said").inner_text() == said
    assert page.watch.clean, vars(page.watch)


def test_a_name_of_several_areas_names_them(partner, look):
    page = look(f"{partner.url}/map")
    box = map_frame(page).get_by_label("Find an area")
    box.fill("Iraklio")
    box.press("Enter")
    told = map_frame(page).locator(".tact-said")
    until(page, lambda: "Heraklion (Crete)" in told.inner_text())
    assert heading(page) == "Albania and Greece"


def test_names_stand_on_the_map_once_there_is_room(partner, look):
    page = look(f"{partner.url}/map")
    names = map_frame(page).locator(".tact-area-name span")
    assert names.count() == 0
    map_frame(page).get_by_role("button", name="Tirana and Durrës").click()
    until(page, lambda: "Tirana" in names.all_inner_texts())


def test_a_bar_tells_its_period_and_number_with_the_margin(partner, look):
    page = look(f"{partner.url}/map")
    slider, bar = page.locator("[class*=st-key-c-period]"), page.locator(".bars.time i").nth(2)
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] - 4)
    until(page, lambda: "Dec 2006 to Feb 2007: " in (slider.get_attribute("title") or ""))
    assert "±" in slider.get_attribute("title")
    assert "±" in slider.locator("input").get_attribute("aria-valuetext")


def test_a_wrong_address_says_what_was_not_found_until_the_reader_goes_on(partner, look):
    page = look(f"{partner.url}/map?layer=nothing&area=XX-9")
    said = page.locator(".missed")
    assert "layer “nothing”" in said.inner_text()
    assert "Children identified or met" in said.inner_text()
    changed(page, radio(page, "Services").click)
    assert said.count() == 0


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


def test_the_view_outlives_a_visit_to_another_page(partner, look):
    page = look(f"{partner.url}/map?layer=services&services.of=axis-protection&area=AL-02")
    before = page.url
    page.get_by_role("link", name="Method").click()
    until(page, lambda: "/method" in page.url)
    page.get_by_role("link", name="Map", exact=True).click()
    until(page, lambda: page.url == before)
    until(page, lambda: heading(page) == "Durrës")


def test_the_buttons_on_the_map_go_to_places(partner, look):
    page = look(f"{partner.url}/map")
    frame = map_frame(page)
    frame.get_by_role("button", name="Tirana and Durrës").click()
    container = frame.locator("#map_div")
    until(page, lambda: container.evaluate("() => window.map.getZoom()") > 7)
    until(page, lambda: container.evaluate("() => window.map.getBounds().contains([41.32, 19.82])"))
    frame.get_by_role("button", name="Both").click()
    until(page, lambda: container.evaluate("() => window.map.getBounds().contains([35.2, 25])"))


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


def test_projector_mode_folds_the_panels_and_keeps_the_legend(partner, look):
    page = look(f"{partner.url}/map")
    page.get_by_role("button", name="Projector").click()
    page.locator(".st-key-panel").wait_for(state="hidden")
    assert page.locator(".legend").is_visible()
    assert "projector=1" in page.url
    size = page.locator(".legend h2").evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
    assert size >= 22
    for kept in ("[class*=st-key-c-level]", "[class*=st-key-c-over]", "[class*=st-key-c-period]"):
        assert page.locator(kept).first.is_visible(), kept
    click_area(page, "GR-B")
    until(page, lambda: page.locator(".headline h2").inner_text() == "Central Macedonia")
    assert "±" in page.locator(".headline .numbers").inner_text()
    page.get_by_role("link", name="Method").click()
    until(page, lambda: "/method" in page.url)
    page.get_by_role("link", name="Map", exact=True).click()
    until(page, lambda: "projector=1" in page.url)


def test_play_steps_through_time(partner, look):
    page = look(f"{partner.url}/map?period=2008-09-01/P3M")
    page.get_by_role("button", name="Play").click()
    before = page.evaluate("history.length")
    until(page, lambda: "2009-03-01" in page.url)
    page.get_by_role("button", name="Play").wait_for(timeout=30_000)
    assert page.evaluate("history.length") <= before + 1


def test_on_a_desk_all_parts_are_in_view(partner, look):
    page = look(f"{partner.url}/map", (1366, 768))
    for size in ((1366, 768), (1920, 1080)):
        resize(page, size)
        for part in (".st-key-controls", ".legend", ".panel h2", "[class*=st-key-c-period]", ".st-key-c-table"):
            box = page.locator(part).first.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= size[0]
            assert box["y"] + box["height"] <= size[1], part


@vary("address", ["layer=services&over=communities", "layer=communities&over=encounters", "layer=referrals"])
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


def test_no_name_of_a_country_runs_into_a_control_or_another_name(partner, look):
    page = look(f"{partner.url}/map")
    settle(page)
    names = map_frame(page).locator(".tact-land-name span")
    boxes = [one.bounding_box() for one in names.all() if one.is_visible()]
    boxes += [one.bounding_box() for one in page.locator(".st-key-controls [role=radiogroup]").all()]
    assert len(boxes) > 4
    for i, one in enumerate(boxes):
        for other in boxes[i + 1 :]:
            apart = one["x"] + one["width"] <= other["x"] or other["x"] + other["width"] <= one["x"]
            assert apart or one["y"] + one["height"] <= other["y"] or other["y"] + other["height"] <= one["y"]


def test_on_a_phone_the_chosen_area_and_its_number_stand_above_the_map(partner, look):
    page = look(f"{partner.url}/map?area=AL-11", (390, 844))
    assert page.locator(".headline h2").inner_text() == "Tirana"
    box = page.locator(".headline").bounding_box()
    assert box["y"] + box["height"] <= page.locator("iframe").bounding_box()["y"] + 12
    assert "±" in page.locator(".headline").inner_text()


def test_on_a_phone_map_panel_and_strip_stand_one_below_another(partner, look):
    page = look(f"{partner.url}/map", (390, 844))
    tops = [
        page.locator(part).first.bounding_box()["y"]
        for part in (".st-key-controls", ".headline", "iframe", ".when", ".legend", ".panel h2")
    ]
    assert tops == sorted(tops)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_on_a_phone_nothing_that_matters_is_cut(partner, look):
    page = look(f"{partner.url}/map", (390, 844))
    for part in (".topbar .choices", ".chip summary", ".invented", "[class*=st-key-c-layer] [role=radiogroup]"):
        assert page.locator(part).evaluate("e => e.scrollWidth <= e.clientWidth"), part
    assert page.locator(".panel .hint").count() == 1
    page.get_by_role("button", name="Table").click()
    page.locator("[data-testid=stDataFrame] [role=gridcell]").first.wait_for(state="attached")
    heads = page.locator("[data-testid=stDataFrame] [role=columnheader]").all_text_contents()
    assert heads[:3] == ["Area", "Value", "Margin (±)"]


def test_without_a_release_the_base_map_stands_and_says_what_to_do(serve, look, tmp_path):
    served = serve(tmp_path)
    page = look(f"{served.url}/map")
    assert "tact release" in page.locator(".st-key-empty").inner_text()
    assert page.watch.clean, vars(page.watch)


@vary("address", ["/map?layer=services&over=communities&area=AL-02", "/map", "/map?area=AL-02", "/map?projector=1"])
def test_nothing_serious_for_axe(partner, look, address):
    axe = pytest.importorskip("axe_playwright_python")
    script = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
    page = look(partner.url + address)
    for frame in page.frames:
        frame.evaluate(script)
        found = frame.evaluate("axe.run({iframes: false}).then(r => r.violations)")
        serious = [
            (v["id"], [n["html"][:160] for n in v["nodes"]]) for v in found if v["impact"] in {"serious", "critical"}
        ]
        assert serious == []
