"""The content of the Situation page for a view: the panel, the strip of periods, the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import streamlit as st
from markupsafe import Markup

from dashboard.map import Mark
from dashboard.map.marks import describe_states, read_mark, read_marks
from dashboard.map.shapes import SHIPPED
from dashboard.map.view import MapView, list_unmet, list_view_periods
from dashboard.narrative.area import word_area_advice, word_rate, word_unmet
from dashboard.narrative.judgement import judge_area, read_area_advice
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.situation import headline, panel, timeline
from dashboard.pages.situation.timeline import Total
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, cache_by_language, find_language, format_period, html, translate
from dashboard.widgets.layer_table import IN_ORDER, measure_column, tabulate_layer
from data.errors import InputError
from data.tables.periods import Period
from geo.areas import Areas
from geo.layers import LAYERS, choose_caution, find_conflict, find_layer, find_map_conflict
from geo.layers.core.words import LEVELS
from geo.layers.profile import Profile

_SHORT = re.compile(r"[A-Za-z0-9_/-]{1,24}")


def describe_shipped_shapes() -> dict[str, Any]:
    """Return the fixed settings of a map without a release, which shows the areas that are part of the product."""
    language = find_language()
    return {"shapes": SHIPPED, **({"language": language} if language != "en" else {})}


@cache_by_language(maxsize=512)
def render_panel(current: CurrentRelease, view: MapView) -> Markup:
    """Return the panel of the chosen area, or of both countries."""
    areas = load_areas(current.release)
    shown = _make_panel_content(current, areas, view)
    if view.area:
        return panel.render_area_panel(_read_profile(current, view.area, view.period), shown)
    profiles = [_read_profile(current, code, view.period) for code in current_release.read_country_names(current)]
    unmapped = [str(current_release.read_area_names(current)[code]) for code in areas.missing(view.level)]
    return panel.render_overview(profiles, shown, _(find_layer(view.layer).question), unmapped)


def _read_profile(current: CurrentRelease, area: str, period: str) -> Profile:
    """Read the profile of an area, with names in the reader's language."""
    profile, names = current_release.read_profile(current, area, period), current_release.read_area_names(current)
    country = str(names[load_areas(current.release).table["country"][area]])
    local = profile.name_local if find_language() == "en" else profile.name
    return replace(profile, name=str(names[area]), name_local=local, country=country)


def _make_panel_content(current: CurrentRelease, areas: Areas, view: MapView) -> panel.PanelContent:
    marks = read_marks(current, view)
    first, *others = [
        _render_block(current, areas, view, name, mark) for name, mark in zip(view.layers, marks, strict=True)
    ]
    sentence = choose_caution(view.layers)
    natures = {find_layer(name).nature for name in view.layers}
    covered = frozenset(fact for name in view.layers for fact in _list_covered_facts(view, name))
    code = view.area
    inside = bool(code) and areas.table["level"][code] == "municipality"
    return panel.PanelContent(
        marks=marks,
        first=first,
        others=others,
        when=format_period(view.period) if list_view_periods(view, current) else "",
        now=view.period,
        # With communities no pathway is shown, so that nothing in the panel can be read as a cause.
        covered=covered | {"internal"} if "community" in natures else covered,
        allowed=frozenset(other.id for other in LAYERS if not find_conflict(current.tier, [*view.layers, other.id])),
        beside=_(sentence) if sentence else "",
        community=find_layer(view.layer).nature == "community",
        changes="encounters" in view.layers and not _is_in_strip(current, view),
        around=(str(areas.table["parent"][code]) if inside else code),
        **_judge_area(current, view),
    )


def _judge_area(current: CurrentRelease, view: MapView) -> dict[str, str]:
    """Return sentences on what is likely in the chosen county or region, and on what the plan does there.

    The keys are those of PanelContent. Empty without a judgement of the area, and with a layer beside which no results
    of the risk model may be shown, such as a community layer.
    """
    judged = judge_area(current, view.area) if view.area else None
    if judged is None or find_conflict(current.tier, [*view.layers, "risk"]):
        return {}
    t = speak_to_reader(current)
    pathway = view.chosen("risk").get("on", "internal")
    sentences = [word_unmet(t, judged), word_rate(t, judged.rates.get(pathway), pathway)]
    return {
        "judged": " ".join(filter(None, sentences)),
        "advice": word_area_advice(t, read_area_advice(current, judged.area)),
    }


def _is_in_strip(current: CurrentRelease, view: MapView) -> bool:
    """Return whether the strip of periods already shows all children met in the shortest periods."""
    every = view.layer == "encounters" and view.chosen(view.layer).get("of", "all") == "all"
    return every and view.period in current_release.list_periods(current, view.layer, view.level, "", ())


def _list_covered_facts(view: MapView, name: str) -> tuple[str, ...]:
    """Return the ids of the facts of a profile that the headline of a layer already shows."""
    if name == "encounters":
        choice = view.chosen(name).get("of", "all")
        return {"all": ("children",), "pathway-internal": ("internal",)}.get(choice, ())
    return {"effort": ("effort",), "population": ("population",)}.get(name, ())


def _render_block(current: CurrentRelease, areas: Areas, view: MapView, name: str, mark: Mark) -> Markup:
    codes = [view.area] if view.area else current_release.read_country_names(current)
    wheres = [_find_where(current, areas, view, name, code) for code in codes]
    headlines = [headline.read_headline(where) for where in wheres]
    carriers = _name_carriers(current, areas, view, wheres) if name == "services" else ()
    return headline.render_headlines(next((where.mark for where in wheres if where.mark), mark), headlines, carriers)


def _name_carriers(current: CurrentRelease, areas: Areas, view: MapView, wheres: list[headline.Where]) -> list[str]:
    """Return a sentence on the duty bearers of each area; one if it is the same for all, else with the areas' names."""
    lines: list[tuple[str, str]] = []
    for where in wheres:
        level = str(areas.table["level"][where.code])
        carriers = headline.name_carriers(current, level, view.period, where.code, view.key("services"))
        lines += [(where.name, carriers)] if carriers else []
    distinct = list(dict.fromkeys(carriers for _name, carriers in lines))
    return distinct if len(distinct) < 2 else [f"{name}: {carriers}" for name, carriers in lines]


def _find_where(current: CurrentRelease, areas: Areas, view: MapView, name: str, code: str) -> headline.Where:
    table, options = areas.table, view.key(name)
    level = str(table["level"][code])
    parts = read_mark(current, name, view.level, view.period, options) if level != view.level else None
    above = "country" if level == "country" else "parent"
    within = table.index[(table["level"] == view.level) & (table[above] == code) & table["counted"]]
    period = view.period or (_find_year(parts) if parts and find_layer(name).of_figures else "")
    mark = (
        read_mark(current, name, level, period, options)
        if level in current_release.list_levels(current)[name]
        else None
    )
    return headline.Where(
        code, str(current_release.read_area_names(current)[code]), mark, parts, tuple(map(str, within))
    )


def _find_year(parts: Mark) -> str:
    """Return the year of the figures on the map as the id of a period, so that the headline has the same year.

    Empty if the figures are of several years, or of none.
    """
    years = parts.data.frame["year"].dropna().unique()
    return f"{int(years[0])}-01-01/P1Y" if len(years) == 1 else ""


def render_missed(address: Mapping[str, str], view: MapView, current: CurrentRelease) -> Markup:
    """Return a line on the parts of an address that cannot be shown, and on what is shown instead.

    address : its parameters. view : the view that is shown. Empty if all parts are shown.
    """
    lost = list_unmet(address, view)
    if not lost:
        return Markup("")
    titles = {name: _(find_layer(name).title) for name in current_release.list_levels(current)}
    words = {
        "layer": (_("layer"), titles.get(address.get("layer", ""), ""), titles.get(view.layer, "")),
        "level": (_("level"), _(LEVELS.get(address.get("level", ""), "")), _(LEVELS.get(view.level, ""))),
        "period": (_("period"), _format_period(address.get("period", "")), _format_period(view.period)),
        "area": (_("area"), _name_area(address.get("area", ""), current), _name_area(view.area, current)),
    }
    missed = [
        (what, name or _quote(address[key]), shown)
        for key in lost
        if key in words
        for what, name, shown in [words[key]]
    ]
    sentences = []
    if missed:
        asked = ", ".join(f"{what} {name}".strip() for what, name, _shown in missed)
        shown = ", ".join(shown for _what, _name, shown in missed if shown)
        sentences = [_("Not found here: {asked}.", asked=asked), _("Shown instead: {shown}.", shown=shown)]
    if "over" in lost:
        sentences.append(_explain_overlay(address["over"], view, current))
    return html('<p class="missed" role="status">{}</p>', " ".join(sentences))


def _explain_overlay(asked: str, view: MapView, current: CurrentRelease) -> str:
    """Return a sentence on why a requested second layer is not on the map; asked : layer ids, separated by commas."""
    for name in asked.split(","):
        if name in view.layers or name not in current_release.list_levels(current):
            continue
        title = _(find_layer(name).title)
        reason = find_map_conflict(current.tier, [*view.layers, name])
        if reason:
            return _("{layer} is not shown with it: {reason}", layer=title, reason=_(reason))
        return _("{layer} is not published for this area level.", layer=title)
    return _("The second layer that the address asks for is not in this release.")


def _quote(text: str) -> str:
    """Return a short name from an address in quotes; empty for other texts, which the page does not repeat."""
    return f"“{text}”" if _SHORT.fullmatch(text) else ""


def _format_period(period: str) -> str:
    try:
        return format_period(period)
    except InputError:
        return ""


def _name_area(area: str, current: CurrentRelease) -> str:
    return str(current_release.read_area_names(current).get(area, "")) if area else _("both countries")


@cache_by_language(maxsize=512)
def compute_totals(current: CurrentRelease, view: MapView, listed: tuple[str, ...]) -> dict[str, Total]:
    """Return the total of each period in `listed`: of the chosen area, or of both countries together.

    Both countries are read at the coarsest level with numbers, because the noise is smallest there. For layers whose
    values cannot be summed, see `timeline.judge_totals`. The mapping is shared: never change it.
    """
    words = describe_states(current.release, view.level)
    if not find_layer(view.layer).sums:
        data = [current_release.read_layer(current, view.layer, view.level, period, view.key()) for period in listed]
        return dict(zip(listed, timeline.judge_totals(data, view.area, words), strict=True))
    table = load_areas(current.release).table
    levels = [str(table["level"][view.area])] if view.area else _find_levels(current, view, listed)
    totals: list[Total] = []
    for level in levels:
        frames = current_release.read_series(current, view.layer, level, listed, view.key())
        reach = max((current.release.find_reach(level, Period.parse(period).grain) for period in listed), default=0.0)
        totals = timeline.compute_totals(frames, view.area, words, reach)
        if any(total.value is not None for total in totals):
            break
    return dict(zip(listed, totals, strict=True))


def render_strip(current: CurrentRelease, view: MapView, totals: Mapping[str, Total]) -> Markup:
    """Return the strip of periods: the name of the period, and a bar for each period if there are several."""
    words = format_period(view.period) if totals and view.period else _("Latest figures")
    several = totals if len(totals) > 1 else {}
    # Published figures do not end with the records.
    last = None if find_layer(view.layer).of_figures else current.release.manifest["tact"].get("last")
    return timeline.render_strip(words, several, view.period, last)


def _find_levels(current: CurrentRelease, view: MapView, listed: tuple[str, ...]) -> list[str]:
    """Return the levels at which the layer has exactly these periods, the coarsest first."""
    return [
        level
        for level in current_release.list_levels(current)[view.layer]
        if current_release.list_periods(current, view.layer, level, view.period, view.key()) == listed
    ]


@st.dialog("Table", width="large")
def show_table(current: CurrentRelease, view: MapView) -> None:
    """Show the content of the map in a dialog as tables, one for each layer."""
    for name, mark in zip(view.layers, read_marks(current, view), strict=True):
        data = mark.data
        st.html(html("<h3>{}</h3><p>{}, {}</p>", mark.title, mark.unit, data.legend.period))
        rows = tabulate_layer(current.release, find_layer(name), view.view(name), data)
        order = [column for column in IN_ORDER if column in rows]
        st.dataframe(
            rows,
            width="stretch",
            height=420,
            hide_index=True,
            column_order=order,
            column_config={c: st.column_config.Column(width=measure_column(rows, c)) for c in order},
        )
        st.html(html('<p class="origin">{}. {}</p>', translate(data.legend.source), translate(data.legend.note)))
