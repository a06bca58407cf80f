"""Random walks over the controls: a step changes only what it should change.

The walker predicts the view by the rules of dashboard/map/view.py, and compares it with the address and the screen
after each step.
"""

import random
from dataclasses import replace
from urllib.parse import parse_qsl, urlsplit

import pytest

from dashboard.map.view import (
    SHARED_OPTION,
    follow_address,
    format_address,
    list_grains,
    list_view_periods,
    parse_address,
    settle_view,
)
from dashboard.site import Site, current_release
from dashboard.site.current_release import load_areas
from data.tables.periods import Period
from geo.layers import find_layer, find_map_conflict
from geo.layers.core.words import LEVELS
from tests.helpers.browser import click_area, map_frame, until, wait_for_map
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.browser
# Far apart, so that no circle lies over the middle of another area.
REGIONS = ("GR-A", "GR-B", "GR-M", "GR-G")
GRAINS = {"month": "Month", "quarter": "Quarter", "year": "Year", "whole": "All years"}


@vary("seed, steps", [(0, 12), *((seed, 22) for seed in range(4))])
def test_a_step_changes_what_it_asks_for_and_nothing_else(partner, look, releases, seed, steps):
    walker = Walker(
        look(f"{partner.url}/map"), current_release.open_current_release(Site(releases, "partner")), random.Random(seed)
    )
    for _ in range(steps):
        walker.step()
    assert walker.page.watch.clean, vars(walker.page.watch)


@pytest.mark.long
@pytest.mark.parametrize("seed", [1, 0])
def test_a_hurried_reader_loses_nothing(partner, look, seed):
    """The reader opens the table while the page still works on the previous step, and so interrupts that step."""
    chance = random.Random(seed)
    page = look(f"{partner.url}/map?period=2008-03-01/P3M")
    button, dialog = page.get_by_role("button", name="Table"), page.locator("[data-testid=stDialog]")
    page.locator(".next").wait_for()  # what is drawn last, and moves the button
    for _ in range(4):
        name = find_layer(chance.choice(["encounters", "services", "effort"])).title
        clear = page.get_by_role("button", name="Both countries")
        steps = [page.get_by_role("radio", name=name, exact=True).click]
        steps.append(clear.click if clear.count() else lambda: click_area(page, chance.choice(REGIONS)))
        chance.choice(steps)()
        page.wait_for_timeout(chance.choice([0, 20, 60, 120, 250]))
        button.click()
        dialog.wait_for()
        page.wait_for_timeout(300)
        until(page, lambda: page.keyboard.press("Escape") or dialog.count() == 0)
        assert "period=2008-03-01%2FP3M" in page.url
        assert page.locator(".when > p").inner_text() == "Mar to May 2008"


class Walker:
    """A reader who tries the controls one after another, and knows what the page should then show."""

    def __init__(self, page, current, chance):
        self.page, self.current, self.chance = page, current, chance
        self.areas = load_areas(current.release)
        self.asked = self.settle(parse_address({}))
        self.past, self.taken = [], []
        self.parents = {(code, "country"): "GR" for code in REGIONS}
        self.check()

    def settle(self, asked):
        return settle_view(asked, self.current, self.areas.table)

    @property
    def view(self):
        return self.settle(self.asked)

    def step(self):
        steps = [
            *[self.to_layer] * 4, *[self.to_level] * 2, *[self.to_period] * 3, self.to_grain,
            *[self.over] * 2, self.choice, *[self.to_area] * 4, *[self.both] * 2, *[self.table] * 2,
            *[self.back] * 2, self.projector, self.another_page,
        ]  # fmt: skip
        self.chance.choice(steps)()

    def ask(self, action, act, **changes):
        """Do an action that should change the view, and check that nothing else changes.

        To choose what is shown already is no choice: what was asked for stays, also where the view cannot follow it.
        """
        view, before = self.view, format_address(self.view)
        self.taken.append(action)
        act()
        chosen = {name: value for name, value in changes.items() if value != getattr(view, name)}
        self.asked = replace(self.asked, **chosen)
        if format_address(self.view) != before:
            self.past.append(before)
        self.check()

    def check(self):
        expected = format_address(self.view)
        for _ in range(100):
            if self.address() == expected and not self.differing():
                break
            self.page.wait_for_timeout(100)
        self.page.wait_for_timeout(250)
        history = f"after {', '.join(self.taken)}"
        assert self.address() == expected, history
        assert self.differing() == {}, history

    def address(self):
        # Centre and zoom of the map belong to the browser.
        return {name: value for name, value in parse_qsl(urlsplit(self.page.url).query) if name != "at"}

    def differing(self):
        """Return each part of the screen that is wrong, with the right content."""
        view, page = self.view, self.page
        name = self.areas.table["name_en"].get(view.area, "Albania and Greece")
        wanted = {
            "layer": find_layer(view.layer).title,
            "level": LEVELS[view.level],
            "heading": "" if view.projector else name,
            "legends": 1 + len(view.over),
            "period": Period.parse(view.period).label if list_view_periods(view, self.current) else "Latest figures",
        }
        checked = page.locator("[role=radio][aria-checked=true]").all_inner_texts()
        headings = page.locator(".panel h2:visible").all_inner_texts()
        screen = {
            "layer": checked[0] if checked else "",
            "level": checked[1] if len(checked) > 1 else "",
            "heading": headings[0] if headings else "",
            "legends": page.locator(".legend section").count(),
            "period": page.locator(".when > p").inner_text(),
        }
        # One that was replaced leaves with the end of the run, also between two questions to the page.
        sliders = page.locator("[class*=st-key-c-period] input")
        for text in sliders.evaluate_all("all => all.map(input => input.getAttribute('aria-valuetext'))")[:1]:
            wanted["slider"], screen["slider"] = wanted["period"], text.partition(":")[0]
        return {key: (screen[key], wanted[key]) for key in wanted if screen[key] != wanted[key]}

    def radio(self, name):
        return self.page.get_by_role("radio", name=name, exact=True)

    def to_layer(self):
        name = self.chance.choice(list(current_release.list_levels(self.current)))
        self.ask(f"layer {name}", self.radio(find_layer(name).title).click, layer=name)

    def to_level(self):
        level = self.chance.choice(current_release.list_levels(self.current)[self.view.layer])
        self.ask(f"level {level}", self.radio(LEVELS[level]).click, level=level)

    def to_period(self):
        listed = list_view_periods(self.view, self.current)
        slider = self.page.locator("[class*=st-key-c-period] input")
        if len(listed) < 2:
            return
        by = self.chance.choice([-1, 1])
        place = min(max(listed.index(self.view.period) + by, 0), len(listed) - 1)
        key = "ArrowLeft" if by < 0 else "ArrowRight"
        self.ask(f"period {listed[place]}", lambda: slider.press(key), period=listed[place])

    def to_grain(self):
        grains = list_grains(self.view, self.current)
        if len(grains) > 1:
            grain = self.chance.choice(list(grains))
            self.ask(f"grain {grain}", self.radio(GRAINS[grain]).click, period=grains[grain])

    def pick(self, label, words):
        self.page.get_by_role("combobox", name=label, exact=True).click()
        self.page.get_by_role("option", name=words, exact=True).click()

    def over(self):
        view = self.view
        allowed = [
            name
            for name, levels in current_release.list_levels(self.current).items()
            if name != view.layer
            and view.level in levels
            and not find_map_conflict(self.current.tier, [view.layer, name])
        ]
        if allowed:
            name = self.chance.choice(["", *allowed])
            words = f"together with {find_layer(name).title}" if name else "No second layer"
            self.ask(f"over {name}", lambda: self.pick("Second layer", words), over=(name,) if name else ())

    def choice(self):
        view = self.view
        for option in current_release.list_options(self.current, view.layer, view.level):
            if (view.layer, option.id) == SHARED_OPTION:
                continue
            plain = [choice for choice in option.choices if not choice.group]
            choice = self.chance.choice(plain)
            words = choice.label[:1].upper() + choice.label[1:]
            options = view.choosing(view.layer, option.id, choice.id).options
            self.ask(f"choice {choice.id}", lambda o=option, w=words: self.pick(o.label, w), options=options)

    def to_area(self):
        """Click a region; the address names the area found there, which must be the same at each later click."""
        before, level = self.view.area, self.view.level
        code = self.chance.choice(REGIONS)
        if before and self.parents.get((code, level), before) == before:
            return

        def act():
            click_area(self.page, code)
            until(self.page, lambda: self.address().get("area", "") not in ("", before))

        self.page.wait_for_timeout(300)
        self.past.append(format_address(self.view))
        self.taken.append(f"area at {code}")
        act()
        area = self.address()["area"]
        assert self.parents.setdefault((code, level), area) == area
        assert self.areas.table["level"][area] == level
        self.asked = replace(self.asked, area=area)
        self.check()

    def both(self):
        if self.view.area:
            self.ask("both", self.page.get_by_role("button", name="Both countries").click, area="")

    def table(self):
        dialog = self.page.locator("[data-testid=stDialog]")

        def act():
            self.page.get_by_role("button", name="Table").click()
            dialog.locator("[data-testid=stDataFrame]").first.wait_for()
            self.page.keyboard.press("Escape")
            dialog.wait_for(state="detached")

        self.ask("table", act)

    def back(self):
        if self.past:
            self.taken.append("back")
            self.page.go_back()
            arrived = self.past.pop()
            followed = follow_address(arrived, format_address(self.view), self.asked)
            self.asked = followed or self.settle(parse_address(arrived))
            self.check()

    def projector(self):
        for on in (True, False):
            toggle = self.page.get_by_role("button", name="Projector")
            self.ask(f"projector {on}", toggle.click, projector=on)

    def another_page(self):
        """Open another page and come back: the view stays the same."""
        self.taken.append("another page")
        self.page.get_by_role("link", name="Method").click()
        until(self.page, lambda: "/method" in self.page.url)
        self.page.get_by_role("link", name="Map", exact=True).click()
        wait_for_map(self.page)
        self.past = []
        self.check()
        assert map_frame(self.page).locator("#map_div").count() == 1
