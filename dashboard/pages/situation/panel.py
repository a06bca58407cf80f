"""The panel beside the map: the headlines of the layers first, then other numbers and how they changed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from markupsafe import Markup

from dashboard.map import Mark
from dashboard.pages.situation.timeline import compute_heights, render_bar
from dashboard.site.text import _, format_month, format_number, html, join_markup, translate
from data.message import Message, mark
from data.tables.periods import Period
from geo.layers.profile import Bar, Profile
from geo.layers.profile.facts import Fact

_KNOWN = {"number", "class"}
# The layer from which the number of each fact of a profile comes.
_LAYERS = {
    "children": "encounters",
    "internal": "encounters",
    "effort": "effort",
    "services": "services",
    "population": "population",
}


@dataclass(frozen=True)
class PanelContent:
    """What the panel needs to know of the map.

    marks : the layers on the map. first, others : headlines of the main layer and of the layers over it, as markup.
    when, now : name and id of the period on the map. covered : facts that a headline already shows. allowed : ids of
    the layers that may be shown together with those on the map. beside : the caution for a community layer with another
    layer; else empty. community : whether the main layer is a community layer. changes : whether the small bars are
    shown. around : for a municipality the code of the county or region that contains it, else the area's own code.
    judged, advice : sentences on what is likely in the area and on what the plan does there; empty if they may not be
    shown.
    """

    marks: Sequence[Mark]
    first: Markup
    others: Sequence[Markup]
    when: str
    now: str
    covered: frozenset[str]
    allowed: frozenset[str]
    beside: str = ""
    community: bool = False
    changes: bool = True
    around: str = ""
    judged: str = ""
    advice: str = ""


@dataclass(frozen=True)
class Row:
    """A number of the panel. hover : its tooltip. quiet : whether it is a state. detail : a line below it."""

    label: str
    text: str
    margin: str
    hover: str
    quiet: bool = False
    detail: str = ""


def render_area_panel(profile: Profile, content: PanelContent) -> Markup:
    """Return the panel of an area."""
    rows = [_make_row(fact, content.when) for fact in _list_facts(profile, content)]
    common = Counter(row.hover for row in rows).most_common(1)[0][0] if rows else ""
    title = html(' title="{}"', common) if common and common not in content.first else ""
    numbers = html("<dl class=facts{}>{}</dl>", title, join_markup(_render_row(row, common) for row in rows))
    whole = {"encounters", "effort"} <= content.allowed
    where = _(profile.kind) if profile.kind == profile.country else f"{_(profile.kind)}, {profile.country}"
    series = _render_changes(profile.series, content.now, _("Children identified or met")) if content.changes else ""
    return _wrap_panel(
        html(
            "<p class=where>{}</p><h2{}>{}</h2>",
            " · ".join(filter(None, (where, content.when))),
            html(" data-around={}", content.around) if content.around != profile.area else "",
            profile.name,
        ),
        html("<p class=local>{}</p>", profile.name_local) if profile.name_local != profile.name else "",
        html("<p class=judged>{}", content.judged) if content.judged else "",
        _order_blocks(content, join_markup((numbers, series if "encounters" in content.allowed else ""))),
        _render_meaning(profile) if whole else html("<div class=meaning>{}</div>", _render_notes(content.marks)),
        html("<p class=judged>{}", content.advice) if content.advice else "",
    )


def _list_facts(profile: Profile, content: PanelContent) -> list[Fact]:
    return [fact for fact in profile.facts if _LAYERS[fact.id] in content.allowed and fact.id not in content.covered]


def _order_blocks(content: PanelContent, numbers: Markup) -> Markup:
    """Return the headlines and the numbers in order. With a caution, community layers are apart from the others."""
    if not content.beside:
        return join_markup((content.first, *content.others, numbers))
    if content.community:
        return join_markup((_set_apart(content.first, content.beside), *content.others, numbers))
    return join_markup((content.first, numbers, *(_set_apart(other, content.beside) for other in content.others)))


def _set_apart(block: Markup, sentence: str) -> Markup:
    return html("<div class=apart><p class=beside>{}</p>{}</div>", sentence, block)


def _wrap_panel(*parts: object) -> Markup:
    """Return an element of the panel around these parts; the keyboard can scroll it."""
    return html("<div class=panel tabindex=0>{}</div>", join_markup(parts))


def _render_notes(marks: Sequence[Mark]) -> Markup:
    notes = (mark.data.legend.note for mark in marks)
    return join_markup(html("<p>{}</p>", translate(note)) for note in notes if note)


def _make_row(fact: Fact, when: str) -> Row:
    # The note of services names the axes that were counted. It is always visible, because the count needs it.
    note, detail = ("", translate(fact.note)) if fact.id == "services" else (fact.note, "")
    named = translate(fact.period)
    period = "" if named == when or fact.period in fact.source else named
    # A period is not named again where the map shows it, or the source or the label names it.
    dated = "" if named in ("", when) or fact.period in fact.label else named
    hover = ". ".join(translate(words).rstrip(".") for words in (fact.source, period, note) if words)
    detail, quiet = "; ".join(filter(None, (dated, detail))), fact.state not in _KNOWN
    return Row(translate(fact.label), translate(fact.text), translate(fact.margin), hover, quiet, detail)


def _render_row(row: Row, common: str) -> Markup:
    return html(
        "<div{}{}><dt>{}<dd>{}{}{}</div>",
        Markup(' class="quiet"') if row.quiet else "",
        html(' title="{}"', row.hover) if row.hover != common else "",
        row.label,
        row.text,
        html(" <small>{}</small>", row.margin) if row.margin else "",
        html("<dd class=detail>{}", row.detail) if row.detail else "",
    )


def _render_changes(series: Sequence[Bar], now: str, title: str) -> Markup:
    """Return small bars over time, with an empty bar for a period without a number; empty if no period has one."""
    values = [None if math.isnan(bar.value) else bar.value for bar in series]
    if not any(value is not None for value in values):
        return Markup("")
    bars = [
        render_bar(
            height,
            is_now=bar.period == now,
            is_unfinished=not bar.complete,
            state=bar.state if math.isnan(bar.value) else "",
        )
        for bar, height in zip(series, compute_heights(values), strict=True)
    ]
    return html(
        "<figure class=changes><figcaption><span>{}</span><span>{}</span></figcaption>"
        '<div class="bars counts" role="img" aria-label="{}">{}</div>'
        "<div class=ends><span>{}</span><span>{}</span></div></figure>",
        title,
        _("highest {value}", value=format_number(max(value for value in values if value is not None))),
        "; ".join(map(_format_bar, series)),
        join_markup(bars),
        format_month(Period.parse(series[0].period).start),
        format_month(Period.parse(series[-1].period).end),
    )


def _format_bar(bar: Bar) -> str:
    return f"{translate(bar.words)}{f' ±{format_number(bar.margin)}' if bar.margin > 0 else ''}"


def _render_meaning(profile: Profile) -> Markup:
    sentences = " ".join(translate(s) for s in profile.meaning.sentences)
    return html("<div class=meaning><b>{}.</b> {}</div>", translate(profile.meaning.headline), sentences)


def render_overview(
    profiles: Sequence[Profile], content: PanelContent, question: str, unmapped: Sequence[str]
) -> Markup:
    """Return the panel of the countries side by side. unmapped : names of the areas that have no shape on the map."""
    facts = zip(*(_list_facts(profile, content) for profile in profiles), strict=True)
    names = [profile.name for profile in profiles]
    known = [pair for pair in facts if any(fact.state != "no_figure" for fact in pair)]
    table = _render_table(known, profiles, content.when, content.first) if known else Markup("")
    return _wrap_panel(
        html("<p class=where>{}</p>", content.when or _("Latest figures")),
        html("<h2>{}</h2>", _("{first} and {second}", first=names[0], second=names[1]) if len(names) > 1 else names[0]),
        html("<p class=question>{}</p>", question),
        _order_blocks(content, table),
        html("<p class=hint>{}</p>", _("Choose an area to see its numbers.")),
        html("<div class=meaning>{}</div>", _render_notes(content.marks)),
        html("<p class=unmapped>{}</p>", _("Not on this map, but in the table: {areas}.", areas=", ".join(unmapped)))
        if unmapped
        else "",
    )


def _render_table(facts: Sequence[Sequence[Fact]], profiles: Sequence[Profile], when: str, headline: Markup) -> Markup:
    """Return a table of the countries side by side, with the most common tooltip as in `render_area_panel`.

    facts : for each measure, the fact of each country; there must be one or more measures.
    """
    measures = [[_make_row(replace(fact, label=_leave_country(fact.label)), when) for fact in pair] for pair in facts]
    hovers = ["; ".join(dict.fromkeys(row.hover for row in rows if row.hover)) for rows in measures]
    common = Counter(hovers).most_common(1)[0][0]
    lines = [
        _render_comparison(rows, profiles, hover if hover != common else "")
        for rows, hover in zip(measures, hovers, strict=True)
    ]
    return html(
        "<table class=both{}><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>",
        html(' title="{}"', common) if common not in headline else "",
        join_markup(html("<th scope=col>{}</th>", profile.name) for profile in profiles),
        join_markup(lines),
    )


def _leave_country(label: str) -> str:
    """Return a label with "the country" in place of a country's name, for a row with numbers of several countries."""
    if not isinstance(label, Message) or "country" not in label.values:
        return label
    return Message(label.template, **{**label.values, "country": mark("the country")})


def _render_comparison(rows: Sequence[Row], profiles: Sequence[Profile], hover: str) -> Markup:
    """Return a row of the table: a measure with the value of each country."""
    cells = join_markup(
        html(
            "<td{}>{}{}</td>",
            Markup(' class="quiet"') if row.quiet else "",
            row.text,
            html(" <small>{}</small>", row.margin) if row.margin else "",
        )
        for row in rows
    )
    detail = _join_details(rows, profiles)
    return html(
        "<tr{}><th scope=row>{}{}</th>{}</tr>",
        html(' title="{}"', hover) if hover else "",
        rows[0].label,
        html("<small>{}</small>", detail) if detail else "",
        cells,
    )


def _join_details(rows: Sequence[Row], profiles: Sequence[Profile]) -> str:
    """Return the lines below a measure: one if it is the same for all areas, else each with the area's name."""
    if len({row.detail for row in rows}) == 1:
        return rows[0].detail
    named = zip(profiles, rows, strict=True)
    return ". ".join(f"{profile.name}: {row.detail}" for profile, row in named if row.detail)
