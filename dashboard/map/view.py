"""The view of the map, as parameters of the address.

An address may contain anything. `parse_address` accepts only values of the right form, and `settle_view` only values
that the release and the tier allow. The default replaces any other value, so that an old address still opens a map;
`list_unmet` lists the replaced values.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

import pandas as pd

from dashboard.site import current_release
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease, Options
from data.errors import InputError
from data.tables.periods import GRAINS, Calendar, Grain, Period
from geo.layers import LAYERS, find_map_conflict
from geo.layers.core import Layer, View

_NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")
_CODE = re.compile(r"[A-Za-z0-9-]{1,20}")
_PERIOD = re.compile(r"[0-9A-Z/-]{10,21}")
_BY_ID: dict[str, Layer] = {entry.id: entry for entry in LAYERS}
_LEVEL = "region"
# The layer and its option for the pathway, which the bar chooses for all pages.
SHARED_OPTION = ("risk", "on")
# The parameters that the bar chooses for all pages, and that links from other pages contain.
SHARED = frozenset({"area", "projector"})
_DEPTH = {"country": 0, "region": 1, "municipality": 2}


@dataclass(frozen=True)
class MapView:
    """A view of the map: the main layer, the layers over it, area level, period, area and options.

    options : choice by option, by layer. projector : whether the page is drawn larger for a projector.
    """

    layer: str = ""
    over: tuple[str, ...] = ()
    level: str = ""
    period: str = ""
    area: str = ""
    options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    projector: bool = False

    def __hash__(self) -> int:
        """Return a hash, so that results for a view can be cached."""
        options = frozenset((layer, self.key(layer)) for layer in self.options)
        return hash((self.layer, self.over, self.level, self.period, self.area, options, self.projector))

    @property
    def layers(self) -> tuple[str, ...]:
        """All layers on the map, the main one first."""
        return (self.layer, *self.over)

    def chosen(self, layer: str) -> Mapping[str, str]:
        """Return the choices that were made for a layer, by option; empty if none was made."""
        return self.options.get(layer, {})

    def key(self, layer: str | None = None) -> Options:
        """Return the choices that were made for a layer (by default the main one), in a form for the key of a cache."""
        return tuple(sorted(self.chosen(layer or self.layer).items()))

    def view(self, layer: str | None = None) -> View:
        """Return the view with which to read a layer, by default the main one."""
        return View(self.level, self.period, self.chosen(layer or self.layer))

    def choosing(self, layer: str, option: str, choice: str) -> MapView:
        """Return the same view with this choice of an option of a layer."""
        return replace(self, options={**self.options, layer: {**self.chosen(layer), option: choice}})


def _match(pattern: re.Pattern[str], text: object) -> str:
    return text if isinstance(text, str) and pattern.fullmatch(text) else ""


def parse_address(parameters: Mapping[str, str]) -> MapView:
    """Return the view that the parameters of an address ask for. Values that do not have the right form are ignored."""
    options: dict[str, dict[str, str]] = {}
    for name, value in parameters.items():
        layer, _, option = name.partition(".")
        if option and layer in _BY_ID and _match(_NAME, option) and _match(_NAME, value):
            options.setdefault(layer, {})[option] = value
    over = (name for name in parameters.get("over", "").split(",") if name in _BY_ID)
    return MapView(
        layer=_match(_NAME, parameters.get("layer", "")),
        over=tuple(dict.fromkeys(over)),
        level=_match(_NAME, parameters.get("level", "")),
        period=_match(_PERIOD, parameters.get("period", "")),
        area=_match(_CODE, parameters.get("area", "")),
        options=options,
        projector=parameters.get("projector") == "1",
    )


def follow_address(
    arrived: Mapping[str, str], written: Mapping[str, str], remembered: MapView | None
) -> MapView | None:
    """Return the remembered request with the changes in an address; None if the address asks for another view.

    arrived : the parameters that came with the page. written : those that the page wrote last. remembered : what the
    reader asked for last; None if the session has no request, which also returns None. It may ask for more than the
    view in the address, so only the parameters in `SHARED` that have changed are replaced.
    """
    changed = {name for name in {*arrived, *written} if arrived.get(name) != written.get(name)}
    if remembered is None or (changed - SHARED and arrived.keys() - SHARED):
        return None
    asked = parse_address(arrived)
    return replace(remembered, **{name: getattr(asked, name) for name in changed & SHARED})


def format_address(view: MapView) -> dict[str, str]:
    """Return a settled view as the parameters of an address. Defaults of options and `SHARED_OPTION` are left out."""
    parameters = {"layer": view.layer, "level": view.level}
    if view.over:
        parameters["over"] = ",".join(view.over)
    if view.period:
        parameters["period"] = view.period
    if view.area:
        parameters["area"] = view.area
    for name in view.layers:
        for option in _BY_ID[name].options:
            choice = view.view(name).choice(option)
            if choice != option.default and (name, option.id) != SHARED_OPTION:
                parameters[f"{name}.{option.id}"] = choice
    if view.projector:
        parameters["projector"] = "1"
    return parameters


def settle_view(view: MapView, current: CurrentRelease, areas: pd.DataFrame) -> MapView:
    """Return the nearest view that the release has and its tier allows; a view without a layer if there is no layer.

    areas : the release's table of areas by code, with the columns level and parent. A requested layer has priority over
    the level, and the level over the area.
    """
    offered = current_release.list_levels(current)
    layer = view.layer if view.layer in offered else next(iter(offered), "")
    if not layer:
        return MapView(projector=view.projector)
    levels = offered[layer]
    level = view.level if view.level in levels else _LEVEL if _LEVEL in levels else levels[0]
    allowed: list[str] = [layer]
    for name in (n for n in view.over if level in offered.get(n, ())):
        if name not in allowed and not find_map_conflict(current.tier, [*allowed, name]):
            allowed.append(name)
    over = tuple(allowed[1:])
    code = view.area
    while code in areas.index and _DEPTH[str(areas["level"][code])] > _DEPTH[level]:
        code = str(areas["parent"][code])
    nearest = replace(view, layer=layer, level=level, over=over, area=code if code in areas.index else "")
    nearest = replace(nearest, options=_settle_choices(nearest, current))
    return replace(nearest, period=_settle_period(nearest, current))


def list_unmet(parameters: Mapping[str, str], view: MapView) -> list[str]:
    """Return the names of those parameters (layer, level, over, period, area) that differ in the settled view."""
    met = {**format_address(view), "over": ",".join(view.over)}
    return [
        name
        for name in ("layer", "level", "over", "period", "area")
        if parameters.get(name) and parameters[name] != met.get(name, "")
    ]


def _settle_choices(view: MapView, current: CurrentRelease) -> dict[str, dict[str, str]]:
    """Return the known choices of each layer; for a layer on the map only if the release has them at the level.

    Layers without such a choice are left out.
    """
    valid_options: dict[str, dict[str, str]] = {}
    for name, chosen in view.options.items():
        known = {o.id: {c.id for c in o.choices} for o in _BY_ID[name].options}
        valid = {o: c for o, c in chosen.items() if c in known.get(o, ())}
        shown = name in view.layers
        if valid and (not shown or current_release.has_layer(current, name, view.level, tuple(sorted(valid.items())))):
            valid_options[name] = valid
    return valid_options


def list_view_periods(view: MapView, current: CurrentRelease) -> tuple[str, ...]:
    """Return the periods of the main layer, oldest first: those as long as the view's period, or else the shortest.

    Empty if the view has no layer, or its layer has no periods.
    """
    if not view.layer:
        return ()
    return current_release.list_periods(current, view.layer, view.level, view.period, view.key())


def _settle_period(view: MapView, current: CurrentRelease) -> str:
    """Return the view's period if the layer has it, else the nearest period of the layer.

    If the view has no valid period, the last period with numbers is returned. If the layer has no periods, the view's
    period is returned unchanged, for the layer that is chosen next.
    """
    listed = list_view_periods(view, current)
    if not listed or view.period in listed:
        return view.period
    try:
        wanted = Period.parse(view.period)
    except InputError:
        return find_latest(view, current)
    known = [Period.parse(period) for period in listed]
    around = [p for p in known if p.contains(wanted)]
    within = [p for p in known if wanted.contains(p)]
    near = min(known, key=lambda p: abs(p.start - wanted.start))
    return (around or within or [near])[-1].id


@cache_once(maxsize=2048)
def has_numbers(view: MapView, current: CurrentRelease) -> bool:
    """Return whether the main layer has a number or class anywhere in the view's period."""
    frame = current_release.read_layer(current, view.layer, view.level, view.period, view.key()).frame
    return bool(frame["state"].isin(["number", "class"]).any())


def find_latest(view: MapView, current: CurrentRelease) -> str:
    """Return the last period of the main layer that has numbers, else its last period; empty if it has no periods."""
    listed = list_view_periods(view, current)
    known = (period for period in reversed(listed) if has_numbers(replace(view, period=period), current))
    return next(known, listed[-1] if listed else "")


def move_to_numbers(view: MapView, current: CurrentRelease) -> MapView:
    """Return the view at the last period with numbers if its period has none, else the view itself."""
    if not list_view_periods(view, current) or has_numbers(view, current):
        return view
    return replace(view, period=find_latest(view, current))


def list_grains(view: MapView, current: CurrentRelease) -> dict[Grain, str]:
    """Return the lengths of the main layer's periods, each with the period nearest to the view's.

    Empty if the layer has no periods.
    """
    if not list_view_periods(view, current):
        return {}
    tact = current.release.manifest["tact"]
    now = Period.parse(view.period)
    calendar = Calendar(int(tact.get("first_month", 6)))
    periods: dict[Grain, str] = {}
    for grain in GRAINS:
        for period in _list_candidates(now, grain, calendar, tact):
            if period in list_view_periods(replace(view, period=period), current):
                periods[grain] = period
                break
    return periods


def _list_candidates(now: Period, grain: Grain, calendar: Calendar, tact: Mapping[str, str]) -> list[str]:
    """Return periods of length `grain` that may be shown in place of `now`, the best first.

    `now` itself if it has this length; else the periods at its end and its start, or the whole time. Empty if `grain`
    is "whole" and the release states no first and last day.
    """
    if grain == now.grain:
        return [now.id]
    if grain == "whole":
        first, last = tact.get("first"), tact.get("last")
        return [_find_whole(first, last, calendar.first_month)] if first and last else []
    return [calendar.period(day, grain).id for day in (now.end, now.start)]


@lru_cache(maxsize=16)
def _find_whole(first: str, last: str, first_month: int) -> str:
    days = Period.parse(f"{first}/{last}")
    return Calendar(first_month).whole(days.start, days.end).id
