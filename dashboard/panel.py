"""The panel beside the map: who and where, the few numbers that matter, how they changed, what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard.mapview import Mark
from dashboard.strip import heights
from dashboard.text import _, html, joined, number, quantity, translated
from geo.layers.profile import Bar, Fact, Profile

__all__ = ["area_panel", "overview", "reading"]

# Shown by the profile already, so the layer on the map need not be repeated above it.
_IN_PROFILE = {"encounters", "effort", "services", "population"}


def area_panel(profile: Profile, shown: Sequence[tuple[str, Mark]], now: str) -> Markup:
    """Describe one area; `shown` are the layers on the map by identifier, `now` the period."""
    extra = [
        reading(mark, profile.area)
        for name, mark in shown
        if name not in _IN_PROFILE and profile.area in mark.data.frame.index
    ]
    where = _(profile.kind) if profile.kind == profile.country else f"{_(profile.kind)}, {profile.country}"
    return html(
        '<div class="panel"><p class="where">{}</p><h2>{}</h2>{}{}{}{}</div>',
        where,
        profile.name,
        html('<p class="local">{}</p>', profile.name_local) if profile.name_local != profile.name else "",
        _facts([*map(_fact, profile.facts), *extra]),
        _changes(profile.series, now, _("Children met, first time")),
        _meaning(profile),
    )


def reading(mark: Mark, area: str) -> Markup:
    """Give one row for what a layer says of an area."""
    row: dict[Any, Any] = mark.data.frame.loc[area].to_dict()
    text = quantity(row["value"], row["low"], row["high"]) or mark.words[str(row["state"])]
    margin = "" if pd.isna(row["margin"]) else f"±{number(row['margin'])}"
    source = str(row["source"]) or translated(mark.data.legend.source)
    return _row(
        f"{mark.title}, {mark.unit}",
        translated(text),
        margin,
        [source, mark.data.legend.period, str(row["note"])],
    )


def _fact(fact: Fact) -> Markup:
    notes = [fact.source, fact.period, fact.note]
    return _row(
        translated(fact.label), translated(fact.text), fact.margin, notes, quiet=fact.state != "number"
    )


def _row(label: str, text: str, margin: str, notes: Sequence[str], *, quiet: bool = False) -> Markup:
    told = ". ".join(note.rstrip(".") for note in map(translated, notes) if note)
    return html(
        '<div class="fact{}" title="{}"><dt>{}</dt><dd>{}{}</dd></div>',
        " quiet" if quiet else "",
        told,
        label,
        text,
        html(" <small>{}</small>", margin) if margin else "",
    )


def _facts(rows: Sequence[Markup]) -> Markup:
    return html('<dl class="facts">{}</dl>', joined(rows))


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


def overview(profiles: Sequence[Profile], shown: Sequence[tuple[str, Mark]], question: str) -> Markup:
    """Describe both countries side by side, while no area is chosen."""
    names = joined(html("<th scope='col'>{}</th>", profile.name) for profile in profiles)
    rows = [_compared([p.facts[i] for p in profiles], profiles) for i in range(len(profiles[0].facts))]
    notes = joined(
        html("<p>{}</p>", translated(mark.data.legend.note)) for _name, mark in shown if mark.data.legend.note
    )
    return html(
        '<div class="panel"><p class="where">{}</p><h2>{}</h2><p class="question">{}</p>'
        '<table class="both"><thead><tr><th scope="col"><span class="hidden">{}</span></th>{}</tr></thead>'
        '<tbody>{}</tbody></table><p class="hint">{}</p><div class="meaning">{}</div></div>',
        profiles[0].facts[0].period,
        " and ".join(p.name for p in profiles),
        question,
        _("Measure"),
        names,
        joined(rows),
        _("Choose an area on the map to see its numbers, how they changed and what they mean."),
        notes,
    )


def _compared(facts: Sequence[Fact], profiles: Sequence[Profile]) -> Markup:
    """Give one measure of several areas; the words of the first stand for all, without its country."""
    label = translated(facts[0].label)
    for profile in profiles:
        label = label.replace(profile.country, _("the country"))
    cells = joined(
        html(
            "<td{}>{}{}</td>",
            Markup(' class="quiet"') if f.state != "number" else "",
            translated(f.text),
            html(" <small>{}</small>", f.margin) if f.margin else "",
        )
        for f in facts
    )
    told = dict.fromkeys(". ".join(filter(None, (translated(f.source), f.period))) for f in facts)
    return html('<tr title="{}"><th scope="row">{}</th>{}</tr>', "; ".join(filter(None, told)), label, cells)
