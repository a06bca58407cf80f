"""The headline value of the layer on the map, for the chosen area or for both countries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard.map import Mark
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, Options
from dashboard.site.text import _, capitalise, html, join_markup, translate
from geo.layers import find_layer
from geo.layers.core.words import format_margin

_KNOWN = {"number", "class"}
_EMPTY = {"no_data", "no_figure"}
_ALL = {"what": "services", "of": "all"}


@dataclass(frozen=True)
class Where:
    """An area, and the layer whose value its headline shows.

    mark : the layer at the level of the area; None if the layer lacks this level. parts : the layer at the level of the
    map; None if that is the level of the area. within : the codes of the areas of this level inside the area.
    """

    code: str
    name: str
    mark: Mark | None
    parts: Mark | None = None
    within: tuple[str, ...] = ()


@dataclass(frozen=True)
class Headline:
    """The layer's headline value for one area: value, margin, period, source and note, in words.

    known : whether the area has a number or a class of its own.
    """

    name: str
    text: str
    margin: str
    when: str
    source: str
    note: str
    known: bool


def read_headline(where: Where) -> Headline:
    """Return the layer's headline for an area.

    If the area has no value, the headline is the number of areas inside it that have one. If it has no such areas, it
    is the state of the area, or a text that says that the layer is not published for it.
    """
    if where.mark is None or where.code not in where.mark.data.frame.index:
        return _count_parts(where) or Headline(
            where.name, _("not published for this area"), "", "", "", "", known=False
        )
    row: dict[Any, Any] = where.mark.data.frame.loc[where.code].to_dict()
    legend = where.mark.data.legend
    if str(row["state"]) in _EMPTY and (headline := _count_parts(where)):
        return headline
    text, meaning = _format_value(where.mark, where.code)
    state, adjusted = where.mark.words[str(row["state"])], where.mark.data.find_adjusted_zeros()[where.code]
    zero = _("published: {state}; adjusted so that parts add up", state=state) if adjusted else ""
    least = row.get("noisy", float("nan")) - row.get("noisy_margin", float("nan"))
    return Headline(
        name=where.name,
        text=text or state,
        margin=translate(format_margin(row["value"], row["margin"], str(row["state"]), least)),
        when=translate(legend.period) if pd.isna(row["year"]) else str(int(row["year"])),
        source="" if str(row["state"]) in _EMPTY else translate(str(row["source"]) or legend.source),
        note="; ".join(filter(None, (zero, meaning, translate(row["note"])))),
        known=str(row["state"]) in _KNOWN,
    )


def _format_value(mark: Mark, area: str) -> tuple[str, str]:
    """Return the number of an area and an empty text, or the name and the meaning of its class; empty without both."""
    text = translate(mark.data.texts()[area])
    name, _colon, meaning = text.partition(": ") if mark.data.style.named else (text, "", "")
    return name, capitalise(meaning)


def _count_parts(where: Where) -> Headline | None:
    """Return a headline with the number of areas inside the area that have a value; None if it has no such areas."""
    if where.parts is None or not where.within:
        return None
    data = where.parts.data
    known = int(data.frame["state"].reindex(list(where.within)).isin(_KNOWN).sum())
    text = _("shown for {known} of {all} areas", known=known, all=len(where.within))
    source = translate(data.legend.source)
    return Headline(where.name, text, "", translate(data.legend.period), source, "", known=False)


def render_headlines(mark: Mark, headlines: Sequence[Headline], more: Sequence[str] = ()) -> Markup:
    """Return the headlines as the first part of the panel. mark : the layer. more : lines below the values."""
    numbers = [_render_number(headline, named=len(headlines) > 1) for headline in headlines]
    whens = list(dict.fromkeys(headline.when for headline in headlines if headline.when))
    sources = list(dict.fromkeys(headline.source for headline in headlines if headline.source))
    below = [*(headline.note for headline in headlines if headline.note and len(headlines) == 1), *more]
    return html(
        "<section class=own><h3>{}</h3><p class=unit>{}<div class=numbers>{}</div>{}{}</section>",
        mark.title,
        ", ".join([mark.unit, *whens[:1]]) if len(whens) < 2 else mark.unit,
        join_markup(numbers)
        if len(whens) < 2
        else join_markup(_render_number(headline, named=True, dated=True) for headline in headlines),
        join_markup(html("<p class=below>{}</p>", headline) for headline in below),
        html("<p class=origin>{}", "; ".join(sources)) if sources else "",
    )


def _render_number(headline: Headline, *, named: bool, dated: bool = False) -> Markup:
    return html(
        "<p{}>{}<b>{}</b>{}{}</p>",
        "" if headline.known else Markup(' class="quiet"'),
        html("<span>{}</span>", headline.name) if named else "",
        headline.text,
        html(" <small>{}</small>", headline.margin) if headline.margin else "",
        html("<em>{}</em>", headline.when) if dated and headline.when else "",
    )


def name_carriers(current: CurrentRelease, level: str, period: str, area: str, options: Options) -> str:
    """Return a sentence on the duty bearers that run prevention and coordination in an area.

    Empty if not all services are chosen, if the release has no services of the level, or if no duty bearer is known.
    """
    chosen = {**_ALL, **dict(options)}
    if chosen != _ALL or level not in current_release.list_levels(current)["services"]:
        return ""
    option = next(choice for choice in find_layer("services").options if choice.id == "of")
    bearers = (choice for choice in option.choices if choice.id.startswith("duty_bearer"))
    carriers = [translate(choice.label) for choice in bearers if _carries(current, level, period, area, choice.id)]
    return _("Prevention and coordination run by: {listed}.", listed=", ".join(carriers)) if carriers else ""


def _carries(current: CurrentRelease, level: str, period: str, area: str, choice: str) -> bool:
    """Return whether the release shows a service of a duty bearer in the area; choice : such as "duty_bearer-ngo"."""
    if not current_release.has_layer(current, "services", level, (("of", choice),)):
        return False
    frame = current_release.read_layer(current, "services", level, period, (("of", choice),)).frame
    return area in frame.index and bool(frame.loc[[area], ["value", "low"]].gt(0).any(axis=None))
