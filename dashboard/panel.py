"""The panel beside the map: who and where, the few numbers that matter, how they changed, what they mean."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard.mapview import Mark
from dashboard.strip import heights
from dashboard.text import _, html, joined, number, quantity, translated
from geo.layers.profile import Bar, Fact, Profile
from geo.layers.table import dated

__all__ = ["Row", "area_panel", "overview", "reading"]

# Shown by the profile already, so the layer on the map need not be repeated above it.
_IN_PROFILE = {"encounters", "effort", "services", "population"}
_KNOWN = {"number", "class"}
# Which layer's number each fact of a profile is.
_LAYERS = {
    "children": "encounters",
    "internal": "encounters",
    "effort": "effort",
    "services": "services",
    "population": "population",
}
Shown = Sequence[tuple[str, Mark]]
Allowed = Callable[[str], bool]


def area_panel(profile: Profile, shown: Shown, now: str, allowed: Allowed) -> Markup:
    """Describe one area; `shown` are the layers on the map by identifier, `now` the period.

    `allowed` says whether a layer's numbers may stand beside what is shown: what may not lie on the map
    together does not stand in the panel together either.
    """
    extra = [
        reading(mark, profile.area)
        for name, mark in shown
        if name not in _IN_PROFILE and profile.area in mark.data.frame.index
    ]
    facts = [_fact(fact) for fact in profile.facts if allowed(_LAYERS[fact.id])]
    whole = allowed("encounters") and allowed("effort")
    where = _(profile.kind) if profile.kind == profile.country else f"{_(profile.kind)}, {profile.country}"
    return _panel(
        html('<p class="where">{}</p><h2>{}</h2>', where, profile.name),
        html('<p class="local">{}</p>', profile.name_local) if profile.name_local != profile.name else "",
        _facts([*extra, *facts]),
        _changes(profile.series, now, _("Children met, first time")) if allowed("encounters") else "",
        _meaning(profile) if whole else html('<div class="meaning">{}</div>', _notes(shown)),
    )


def _panel(*parts: object) -> Markup:
    """Put the parts of the panel together; it scrolls by keyboard too."""
    return html('<div class="panel" tabindex="0">{}</div>', joined(parts))


def _notes(shown: Shown) -> Markup:
    notes = (mark.data.legend.note for _name, mark in shown)
    return joined(html("<p>{}</p>", translated(note)) for note in notes if note)


@dataclass(frozen=True)
class Row:
    """One number of the panel: its words, its margin, what is told of it on hover, and what below it."""

    label: str
    text: str
    margin: str
    told: str
    quiet: bool = False
    detail: str = ""


def reading(mark: Mark, area: str) -> Row:
    """Give what a layer says of an area."""
    row: dict[Any, Any] = mark.data.frame.loc[area].to_dict()
    text = quantity(row["value"], row["low"], row["high"]) or mark.words[str(row["state"])]
    margin = "" if pd.isna(row["margin"]) else f"±{number(row['margin'])}"
    source = dated(str(row["source"]), float(row["year"]))
    told = _told(source or mark.data.legend.source, mark.data.legend.period, str(row["note"]))
    label = ". ".join(filter(None, (f"{mark.title}, {mark.unit}", source)))
    return Row(label, translated(text), margin, told)


def _fact(fact: Fact) -> Row:
    # Of a count of axes the note says which; without it the count cannot be used.
    note, detail = ("", fact.note) if fact.id == "services" else (fact.note, "")
    told, quiet = _told(fact.source, fact.period, note), fact.state not in _KNOWN
    return Row(translated(fact.label), translated(fact.text), fact.margin, told, quiet, translated(detail))


def _told(*notes: str) -> str:
    return ". ".join(translated(note).rstrip(".") for note in notes if note)


def _facts(rows: Sequence[Row]) -> Markup:
    """List the numbers; what most of them have in common is told by the list, the rest by its row."""
    common = Counter(row.told for row in rows).most_common(1)[0][0] if rows else ""
    return html('<dl class="facts" title="{}">{}</dl>', common, joined(_row(row, common) for row in rows))


def _row(row: Row, common: str) -> Markup:
    return html(
        "<div{}{}><dt>{}{}</dt><dd>{}{}</dd></div>",
        Markup(' class="quiet"') if row.quiet else "",
        html(' title="{}"', row.told) if row.told != common else "",
        row.label,
        html("<small>{}</small>", row.detail) if row.detail else "",
        row.text,
        html(" <small>{}</small>", row.margin) if row.margin else "",
    )


def _changes(series: Sequence[Bar], now: str, title: str) -> Markup:
    """Draw small bars over time; a period without a number keeps its place."""
    if not any(bar.state == "number" for bar in series):
        return Markup("")
    values = [bar.value if bar.state == "number" else None for bar in series]
    drawn = [
        html('<i{} style="height:{}%"></i>', _bar_class(bar, now), height)
        for bar, height in zip(series, heights(values), strict=True)
    ]
    return html(
        '<figure class="changes"><figcaption>{}</figcaption><div class="bars counts" aria-hidden="true">'
        '{}</div><div class="ends"><span>{}</span><span>{}</span></div></figure>',
        title,
        joined(drawn),
        _first(series[0].label),
        _last(series[-1].label),
    )


def _bar_class(bar: Bar, now: str) -> Markup:
    classes = ["now"] if bar.period == now else []
    if not bar.complete:
        classes.append("unfinished")
    return html(' class="{}"', " ".join(classes)) if classes else Markup("")


def _first(label: str) -> str:
    """Give the first month of a period's words: "Jun 2006" of "Jun to Aug 2006"."""
    parts = label.split(" to ")
    return parts[0] if len(parts) < 2 or parts[0][-4:].isdigit() else f"{parts[0]} {label[-4:]}"


def _last(label: str) -> str:
    return label.rpartition(" to ")[2]


def _meaning(profile: Profile) -> Markup:
    sentences = " ".join(translated(s) for s in profile.meaning.sentences)
    return html('<div class="meaning"><b>{}.</b> {}</div>', translated(profile.meaning.headline), sentences)


def overview(
    profiles: Sequence[Profile], shown: Shown, question: str, unmapped: Sequence[str], allowed: Allowed
) -> Markup:
    """Describe both countries side by side, while no area is chosen; name the areas without a shape."""
    first, second = profiles
    facts = zip(first.facts, second.facts, strict=True)
    rows = [
        _compared(pair, profiles)
        for pair in facts
        if allowed(_LAYERS[pair[0].id]) and any(fact.state != "no_figure" for fact in pair)
    ]
    return _panel(
        html('<p class="where">{}</p>', first.facts[0].period),
        html("<h2>{}</h2>", _("{first} and {second}", first=first.name, second=second.name)),
        html('<p class="question">{}</p>', question),
        html(
            '<table class="both"><thead><tr><th scope="col"><span class="hidden">{}</span></th>'
            '<th scope="col">{}</th><th scope="col">{}</th></tr></thead><tbody>{}</tbody></table>',
            _("Measure"),
            first.name,
            second.name,
            joined(rows),
        ),
        html(
            '<p class="hint">{}</p>',
            _("Choose an area on the map to see its numbers, how they changed and what they mean."),
        ),
        html('<div class="meaning">{}</div>', _notes(shown)),
        _without_shape(unmapped),
    )


def _without_shape(names: Sequence[str]) -> Markup:
    if not names:
        return Markup("")
    told = _("Without a shape on this map: {names}. The table holds them.", names=", ".join(names))
    return html('<p class="unmapped">{}</p>', told)


def _compared(facts: Sequence[Fact], profiles: Sequence[Profile]) -> Markup:
    """Give one measure of several areas; the words of the first stand for all, without its country."""
    label = translated(facts[0].label)
    for profile in profiles:
        label = label.replace(profile.country, _("the country"))
    cells = joined(
        html(
            "<td{}>{}{}</td>",
            Markup(' class="quiet"') if f.state not in _KNOWN else "",
            translated(f.text),
            html(" <small>{}</small>", f.margin) if f.margin else "",
        )
        for f in facts
    )
    told = dict.fromkeys(". ".join(filter(None, (translated(f.source), f.period))) for f in facts)
    return html('<tr title="{}"><th scope="row">{}</th>{}</tr>', "; ".join(filter(None, told)), label, cells)
