"""The content of the Overview page for each tier, and the parts that both tiers draw in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.map.area_marks import AreaMark, Key
from dashboard.narrative.answer import Finding
from dashboard.pages.overview.alerts import Alert
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import html, join_markup


@dataclass(frozen=True)
class Link:
    """The text and the address of a link; `main` : whether it leads to what should be done."""

    words: str
    address: str
    main: bool = False


@dataclass(frozen=True)
class Content:
    """The content of the page.

    links : links to other pages. note : a sentence beside them. key : the legend of the map. marks : how each area is
    drawn, by code. areas : the country of each area that can be chosen, by code. flows : the moves on the map. orders :
    the names of the orders of the list. alerts : function that returns the alerts, from the earlier release or None.
    render_rows : function that returns the list for a country, an order and a pathway. word_area : function that
    returns the text on an area for a pathway, empty for an unknown area.
    """

    findings: Sequence[Finding]
    links: Sequence[Link]
    note: str
    key: Key
    marks: Mapping[str, AreaMark]
    areas: Mapping[str, str]
    flows: Sequence[tuple[str, str, int]]
    orders: Mapping[str, str]
    alerts: Callable[[CurrentRelease | None], list[Alert]]
    render_rows: Callable[[str, str, str], Markup]
    word_area: Callable[[str, str], Markup]

    @property
    def countries(self) -> list[str]:
        """The codes of the countries of the areas, each once, in the order of the areas."""
        return list(dict.fromkeys(self.areas.values()))

    def find_country(self, area: str) -> str:
        """Return the code of the country of an area, or of a country itself; empty for any other code."""
        return area if area in self.countries else self.areas.get(area, "")


def render_answer(findings: Iterable[Finding], links: Iterable[Link], note: str) -> Markup:
    """Return the first element of the page: the findings, with details in a weaker colour, the links, and a note."""
    sentences = join_markup(
        html("<span><b>{}</b>{}</span> ", finding.lead, html(" ({}).", finding.detail) if finding.detail else ".")
        for finding in findings
    )
    buttons = [
        html(
            '<a class="{}" href="{}" target="_self">{}</a>', "first" if link.main else "then", link.address, link.words
        )
        for link in links
    ]
    return html(
        '<div class="finding"><h1>{}</h1><div class="onward">{}<p>{}</p></div></div>',
        sentences,
        join_markup(buttons),
        note,
    )
