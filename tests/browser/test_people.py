"""People end to end: who looks at a wall in a meeting, and who has a phone, each in a language and with Back."""

import os
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard.site.text import translate_into
from tests.helpers.browser import click_area, map_frame, settle, until, wait_for_map
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser(seconds=35)
PICTURES = os.environ.get("TACT_PICTURES")
DURRES, THESSALONIKI = "AL-02", "GR-B"


class Person:
    """Somebody in front of a page, whose steps are counted as Back should undo them."""

    def __init__(self, page, name, language):
        self.page, self.name, self.language, self.steps = page, name, language, []

    def step(self, act, reached):
        """Do something that is one step, wait until it shows, and keep a picture where one is asked for."""
        self.steps.append(self.place)
        act()
        until(self.page, reached)
        settle(self.page)
        if PICTURES:
            self.page.screenshot(path=Path(PICTURES, f"{self.name}-{self.language}-{len(self.steps)}.png"))

    @property
    def place(self):
        """The page and the area of the address."""
        asked = urlsplit(self.page.url)
        return asked.path, parse_qs(asked.query).get("area", [""])[0]

    def open_page(self, title, address):
        link = self.page.locator(".topbar nav").get_by_role(
            "link", name=translate_into(self.language, title), exact=True
        )
        self.step(link.click, lambda: urlsplit(self.page.url).path == f"/{address}")

    def go_back(self):
        """Press Back once for each step, and see the places of before in turn."""
        while self.steps:
            place = self.steps.pop()
            self.page.go_back()
            until(self.page, lambda place=place: self.place == place)
            settle(self.page)
        assert self.page.evaluate("document.documentElement.lang") == self.language
        assert self.page.watch.clean, vars(self.page.watch)


def names_area(page):
    """Return whether the line over the map says the area of the panel, which is out of view."""
    names = [page.locator(part).all_text_contents() for part in (".headline h2", ".panel h2")]
    return names[0] == names[1] != []


@pytest.mark.long
@pytest.mark.parametrize(("language", "size"), [("sq", (1024, 768)), ("el", (1920, 1080))])
def test_a_meeting_looks_from_the_answer_to_the_map_and_the_plan_on_a_projector(served, look, language, size):
    page = look(f"{served.url}/?lang={language}&projector=1", size, ready=False)
    page.locator(".finding").wait_for(timeout=60_000)
    person = Person(page, f"meeting-{size[0]}", language)
    settle(page)
    row = page.locator(f".ranking tr[data-area={DURRES}] a").first
    person.step(row.click, lambda: person.place[1] == DURRES)
    person.open_page("Map", "map")
    wait_for_map(page)
    until(page, lambda: names_area(page))
    person.step(lambda: click_area(page, THESSALONIKI), lambda: person.place[1] == THESSALONIKI)
    until(page, lambda: names_area(page))
    person.open_page("Reallocate", "reallocate")
    until(page, lambda: page.locator(".lead").count() and page.locator(".lead").first.inner_text())
    assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= size[0]
    assert "projector=1" in page.url
    person.go_back()


@vary("language", ["el", "en", "sq"])
def test_a_phone_goes_from_the_answer_to_an_area_and_its_place_on_the_map(served, look, language):
    page = look(f"{served.url}/?lang={language}", (390, 844), ready=False)
    page.locator(".finding").wait_for(timeout=60_000)
    person = Person(page, "phone", language)
    settle(page)
    row = page.locator(f".ranking tr[data-area={DURRES}] a").first
    person.step(row.click, lambda: person.place[1] == DURRES)
    for title, address in (("Map", "map"), ("Risk", "risk")):
        page.get_by_role("button", name=translate_into(language, "Pages")).click()
        person.open_page(title, address)
        assert not page.locator(".topbar nav").is_visible()
        assert page.evaluate("document.querySelector('.stMain').scrollWidth") <= 390
        if address == "map":
            wait_for_map(page)
            assert map_frame(page).locator("#map_div").is_visible()
            until(page, lambda: names_area(page))
    person.go_back()
