"""What the Overview page shows, of either tier, and the parts that both draw in the same way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.narrative.answer import Finding
from dashboard.pages.overview.alerts import Alert
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import html, join_markup
from dashboard.widgets.picture import AreaMark


@dataclass(frozen=True)
class Legend:
    """The legend of the map: title, unit and period, classes with their colours, notes.

    A class is named by its lower bound, or by words, one below the other.
    """

    title: str
    unit: str
    classes: Sequence[tuple[str, str]]
    notes: Sequence[str]
    in_words: bool = False


@dataclass(frozen=True)
class Content:
    """The content of the page.

    links : words and address of what leads on. areas : country of each area that can be chosen. flows : moves that are
    advised. alerts : made from the release before, if there is one. render_rows : of a country, an order and the chosen
    area. word_area : the card of the chosen area.
    """

    findings: Sequence[Finding]
    links: Sequence[tuple[str, str]]
    note: str
    legend: Legend
    marks: Mapping[str, AreaMark]
    areas: Mapping[str, str]
    flows: Sequence[tuple[str, str, int]]
    orders: Mapping[str, str]
    alerts: Callable[[CurrentRelease | None], list[Alert]]
    render_rows: Callable[[str, str, str], Markup]
    word_area: Callable[[str], Markup]

    @property
    def countries(self) -> list[str]:
        """The countries of the areas, in order."""
        return list(dict.fromkeys(self.areas.values()))

    def find_country(self, area: str) -> str:
        """Return the country of an area, or a country itself; empty for others."""
        return area if area in self.countries else self.areas.get(area, "")


def render_answer(content: Content) -> Markup:
    """Return the answer as the first thing of the page: leads in ink, details quieter, then where to go on."""
    findings = join_markup(
        html("<span><b>{}</b>{}</span> ", finding.lead, html(" ({}).", finding.detail) if finding.detail else ".")
        for finding in content.findings
    )
    links = [
        html('<a class="{}" href="{}" target="_self">{}</a>', "first" if n == 0 else "then", address, words)
        for n, (words, address) in enumerate(content.links)
    ]
    return html(
        '<div class="finding"><h1>{}</h1><div class="onward">{}<p>{}</p></div></div>',
        findings,
        join_markup(links),
        content.note,
    )


def render_legend(content: Content) -> Markup:
    """Return the legend that lies on the map."""
    legend = content.legend
    classes = join_markup(
        html('<li><i style="background:{}"></i>{}</li>', colour, words) for colour, words in legend.classes
    )
    notes = join_markup(html("<p>{}</p>", note) for note in legend.notes if note)
    return html(
        '<div class="key"><h2>{}</h2><p>{}</p><ul class="{}">{}</ul>{}</div>',
        legend.title,
        legend.unit,
        "words" if legend.in_words else "",
        classes,
        notes,
    )
