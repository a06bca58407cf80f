"""The panel beside the map: the layer's own number first, then the others that matter, how they changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from dashboard.map import Mark
from dashboard.pages.situation.timeline import compute_heights
from dashboard.site.text import _, html, join_markup, number, translate
from geo.layers.profile import Bar, Profile
from geo.layers.profile.facts import Fact

__all__ = ["Row", "PanelContent", "render_area_panel", "render_overview"]

_KNOWN = {"number", "class"}
# Which layer's number each fact of a profile is.
_LAYERS = {
    "children": "encounters",
    "internal": "encounters",
    "effort": "effort",
    "services": "services",
    "population": "population",
}


@dataclass(frozen=True)
class PanelContent:
    """What is on the map, as the panel needs it.

    `first` is the main layer's own number and `others` those of the layers over it, already in words.
    `when` is the period on the map in words. `told` names the facts that need not be told again. `allowed`
    names the layers whose numbers may stand beside what is on the map: what may not lie on the map together
    does not stand in the panel together either. `beside` is the sentence where a community layer stands
    with another one; `community` says whether it is the main one. `changes`: the small bars of children
    met are shown, which the strip does not show already.
    """

    marks: Sequence[Mark]
    first: Markup
    others: Sequence[Markup]
    when: str
    now: str
    told: frozenset[str]
    allowed: frozenset[str]
    beside: str = ""
    community: bool = False
    changes: bool = True


@dataclass(frozen=True)
class Row:
    """One number of the panel: its words, its margin, what is told of it on hover, and what below it."""

    label: str
    text: str
    margin: str
    told: str
    quiet: bool = False
    detail: str = ""


def render_area_panel(profile: Profile, shown: PanelContent) -> Markup:
    """Describe one area."""
    rows = [_fact(fact, shown.when) for fact in _facts_of(profile, shown)]
    whole = {"encounters", "effort"} <= shown.allowed
    where = _(profile.kind) if profile.kind == profile.country else f"{_(profile.kind)}, {profile.country}"
    series = _changes(profile.series, shown.now, _("Children met, first time")) if shown.changes else ""
    return _panel(
        html("<p class=where>{}</p><h2>{}</h2>", " · ".join(filter(None, (where, shown.when))), profile.name),
        html("<p class=local>{}</p>", profile.name_local) if profile.name_local != profile.name else "",
        _ordered(shown, join_markup((_facts(rows), series if "encounters" in shown.allowed else ""))),
        _meaning(profile) if whole else html("<div class=meaning>{}</div>", _notes(shown.marks)),
    )


def _facts_of(profile: Profile, shown: PanelContent) -> list[Fact]:
    return [fact for fact in profile.facts if _LAYERS[fact.id] in shown.allowed and fact.id not in shown.told]


def _ordered(shown: PanelContent, numbers: Markup) -> Markup:
    """Put the layer's own number first; a community's number stands apart, with what it does not mean."""
    if not shown.beside:
        return join_markup((shown.first, *shown.others, numbers))
    if shown.community:
        return join_markup((_apart(shown.first, shown.beside), *shown.others, numbers))
    return join_markup((shown.first, numbers, *(_apart(other, shown.beside) for other in shown.others)))


def _apart(block: Markup, sentence: str) -> Markup:
    return html("<div class=apart><p class=beside>{}</p>{}</div>", sentence, block)


def _panel(*parts: object) -> Markup:
    """Put the parts of the panel together; it scrolls by keyboard too."""
    return html("<div class=panel tabindex=0>{}</div>", join_markup(parts))


def _notes(marks: Sequence[Mark]) -> Markup:
    notes = (mark.data.legend.note for mark in marks)
    return join_markup(html("<p>{}</p>", translate(note)) for note in notes if note)


def _fact(fact: Fact, when: str) -> Row:
    # Of a count of axes the note says which; without it the count cannot be used.
    note, detail = ("", translate(fact.note)) if fact.id == "services" else (fact.note, "")
    told, quiet = _told(fact.source, fact.period, note), fact.state not in _KNOWN
    detail = "; ".join(filter(None, (_dated(fact, when), detail)))
    return Row(translate(fact.label), translate(fact.text), fact.margin, told, quiet, detail)


def _dated(fact: Fact, when: str) -> str:
    """Give the period of a number that is not of the one on the map, unless its words say it."""
    return "" if not fact.period or fact.period == when or fact.period in fact.label else fact.period


def _told(*notes: str) -> str:
    return ". ".join(translate(note).rstrip(".") for note in notes if note)


def _facts(rows: Sequence[Row]) -> Markup:
    """List the numbers; what most of them have in common is told by the list, the rest by its row."""
    common = Counter(row.told for row in rows).most_common(1)[0][0] if rows else ""
    return html('<dl class=facts title="{}">{}</dl>', common, join_markup(_row(row, common) for row in rows))


def _row(row: Row, common: str) -> Markup:
    return html(
        "<div{}{}><dt>{}</dt><dd>{}{}</dd>{}</div>",
        Markup(' class="quiet"') if row.quiet else "",
        html(' title="{}"', row.told) if row.told != common else "",
        row.label,
        row.text,
        html(" <small>{}</small>", row.margin) if row.margin else "",
        html("<dd class=detail>{}</dd>", row.detail) if row.detail else "",
    )


def _changes(series: Sequence[Bar], now: str, title: str) -> Markup:
    """Draw small bars over time; a period without a number keeps its place."""
    if not any(bar.state == "number" for bar in series):
        return Markup("")
    values = [bar.value if bar.state == "number" else None for bar in series]
    drawn = [
        html("<i{} style=height:{}%></i>", _bar_class(bar, now), height)
        for bar, height in zip(series, compute_heights(values), strict=True)
    ]
    return html(
        "<figure class=changes><figcaption><span>{}</span><span>{}</span></figcaption>"
        '<div class="bars counts" role="img" aria-label="{}">{}</div>'
        "<div class=ends><span>{}</span><span>{}</span></div></figure>",
        title,
        _("highest {value}", value=number(max(value for value in values if value is not None))),
        "; ".join(map(_bar_words, series)),
        join_markup(drawn),
        _first(series[0].label),
        _last(series[-1].label),
    )


def _bar_words(bar: Bar) -> str:
    return f"{translate(bar.words)}{f' ±{number(bar.margin)}' if bar.margin > 0 else ''}"


def _bar_class(bar: Bar, now: str) -> Markup:
    classes = ["now"] if bar.period == now else []
    if not bar.complete:
        classes.append("unfinished")
    if bar.state != "number":
        classes.append(f"state-{bar.state}")
    return html(' class="{}"', " ".join(classes)) if classes else Markup("")


def _first(label: str) -> str:
    """Give the first month of a period's words: "Jun 2006" of "Jun to Aug 2006"."""
    parts = label.split(" to ")
    return parts[0] if len(parts) < 2 or parts[0][-4:].isdigit() else f"{parts[0]} {label[-4:]}"


def _last(label: str) -> str:
    return label.rpartition(" to ")[2]


def _meaning(profile: Profile) -> Markup:
    sentences = " ".join(translate(s) for s in profile.meaning.sentences)
    return html("<div class=meaning><b>{}.</b> {}</div>", translate(profile.meaning.headline), sentences)


def render_overview(
    profiles: Sequence[Profile], shown: PanelContent, question: str, unmapped: Sequence[str]
) -> Markup:
    """Describe both countries side by side, while no area is chosen; name the areas without a shape."""
    first, second = profiles
    facts = zip(_facts_of(first, shown), _facts_of(second, shown), strict=True)
    known = [pair for pair in facts if any(fact.state != "no_figure" for fact in pair)]
    table = _table(known, profiles, shown.when) if known else Markup("")
    return _panel(
        html("<p class=where>{}</p>", shown.when or _("Latest figures")),
        html("<h2>{}</h2>", _("{first} and {second}", first=first.name, second=second.name)),
        html("<p class=question>{}</p>", question),
        _ordered(shown, table),
        html(
            "<p class=hint>{}</p>",
            _("Choose an area on the map to see its numbers, how they changed and what they mean."),
        ),
        html("<div class=meaning>{}</div>", _notes(shown.marks)),
        _without_shape(unmapped),
    )


def _without_shape(names: Sequence[str]) -> Markup:
    if not names:
        return Markup("")
    told = _("Not on this map, but in the table: {areas}.", areas=", ".join(names))
    return html("<p class=unmapped>{}</p>", told)


def _table(facts: Sequence[Sequence[Fact]], profiles: Sequence[Profile], when: str) -> Markup:
    """Put both countries side by side; what most rows have in common is told by the table."""
    measures = [[_fact(fact, when) for fact in pair] for pair in facts]
    told = ["; ".join(dict.fromkeys(row.told for row in rows if row.told)) for rows in measures]
    common = Counter(told).most_common(1)[0][0]
    lines = [
        _compared(rows, profiles, one if one != common else "")
        for rows, one in zip(measures, told, strict=True)
    ]
    return html(
        '<table class=both title="{}"><thead><tr><td></td>{}</tr></thead><tbody>{}</tbody></table>',
        common,
        join_markup(html("<th scope=col>{}</th>", profile.name) for profile in profiles),
        join_markup(lines),
    )


def _compared(rows: Sequence[Row], profiles: Sequence[Profile], told: str) -> Markup:
    """Give one measure of several areas; the words of the first stand for all, without its country."""
    label = rows[0].label
    for profile in profiles:
        label = label.replace(profile.country, _("the country"))
    cells = join_markup(
        html(
            "<td{}>{}{}</td>",
            Markup(' class="quiet"') if row.quiet else "",
            row.text,
            html(" <small>{}</small>", row.margin) if row.margin else "",
        )
        for row in rows
    )
    detail = _details(rows, profiles)
    return html(
        "<tr{}><th scope=row>{}{}</th>{}</tr>",
        html(' title="{}"', told) if told else "",
        label,
        html("<small>{}</small>", detail) if detail else "",
        cells,
    )


def _details(rows: Sequence[Row], profiles: Sequence[Profile]) -> str:
    """Say what stands below a measure once where it is the same for all, else by name."""
    if len({row.detail for row in rows}) == 1:
        return rows[0].detail
    named = zip(profiles, rows, strict=True)
    return ". ".join(f"{profile.name}: {row.detail}" for profile, row in named if row.detail)
