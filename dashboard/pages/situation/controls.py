"""The controls of the Situation page. Widgets keep no state of their own: they show the view and request a new one.

A widget starts with the view's value, and only a reader's choice changes the view. If the view differs from the
widget, or if the choices have changed, a new widget replaces the old one. The program never sets the value of a widget
that the browser already has, because the message for this can get lost when a run is interrupted; then the next click
anywhere would restore the old value.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TypeVar

import pandas as pd
import streamlit as st

from dashboard import map as live_map
from dashboard.map.view import (
    SHARED_OPTION,
    MapView,
    find_latest,
    follow_address,
    format_address,
    has_numbers,
    list_grains,
    list_view_periods,
    move_to_numbers,
    parse_address,
    settle_view,
)
from dashboard.pages.situation import summary
from dashboard.pages.situation.timeline import Total, format_total
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, capitalise, format_period, html, translate
from dashboard.widgets import address
from data.message import mark
from data.tables.periods import Period
from geo.areas import Areas
from geo.layers import find_layer, find_map_conflict
from geo.layers.core import Choice, Option
from geo.layers.core.words import LEVELS

_VIEW, _WRITTEN = "situation", "situation-address"
_PATHWAYS = ("internal", "cross_border")
_ARRIVED, _MISSED = "situation-arrived", "situation-missed"
_OWN, _MADE = "situation-own", "situation-made"
_GRAINS = {"month": mark("Month"), "quarter": mark("Quarter"), "year": mark("Year"), "whole": mark("All years")}
_NONE = "none"
_PLAYING, _STEPPED, _TIMED = "situation-playing", "situation-stepped", "situation-timed"
# Whether the reader chose the period; if not, it is the one with which the layer opened.
_PICKED = "situation-picked"
_STEP = 1.4
_T = TypeVar("_T")


def note_address() -> None:
    """Store the address if the reader changed it: with a first visit, the bar, the back button, or a link.

    Only a run of the whole page that no control started has such an address. With a control's request, the browser may
    still send the address from before.
    """
    asked, asked_by_control = address.read_view(), st.session_state.pop(_OWN, False)
    changed = asked != st.session_state.get(_WRITTEN) and not asked_by_control
    if changed or _VIEW not in st.session_state:
        st.session_state[_ARRIVED] = asked


def load_view(current: CurrentRelease, areas: pd.DataFrame) -> MapView:
    """Return the view that is nearest to the reader's request among those that the release has.

    The session keeps the request itself. So a level, period or area that the layer does not have is used again for the
    next layer.
    """
    st.session_state.pop(_OWN, None)
    arrived = st.session_state.pop(_ARRIVED, None)
    if arrived is not None:
        asked = follow_address(arrived, st.session_state.get(_WRITTEN, {}), st.session_state.get(_VIEW))
        if asked is None:
            asked = settle_view(parse_address(arrived), current, areas)
            st.session_state[_PICKED] = bool(arrived.get("period"))
        st.session_state[_VIEW] = asked
        settled = settle_view(asked, current, areas)
        st.session_state[_MISSED] = (format_address(settled), summary.render_missed(arrived, settled, current))
    remembered: MapView = st.session_state[_VIEW]
    view = settle_view(remembered, current, areas)
    if not remembered.period:
        st.session_state[_VIEW] = replace(remembered, period=view.period)
    # All pages share the pathway.
    layer, option = SHARED_OPTION
    if layer in view.layers:
        view = view.choosing(layer, option, address.read_pathway(_PATHWAYS))
    return view if st.session_state.get(_PICKED) else move_to_numbers(view, current)


def show_no_numbers(current: CurrentRelease, view: MapView) -> None:
    """If the period has no numbers, show a message that says so, and offer the last period that has some."""
    if not list_view_periods(view, current) or has_numbers(view, current):
        return
    last, words = find_latest(view, current), _("There are no numbers here.")
    if last != view.period:
        names = {"period": format_period(view.period), "last": format_period(last)}
        words = _("No numbers for {period}. The latest are for {last}.", **names)
    st.html(html('<p class="missed" role="status">{}</p>', words))
    if last != view.period:
        show = partial(_request_view, lambda v: _set_period(v, last))
        st.button(_("Show {period}", period=format_period(last)), key="c-last", on_click=show)


def show_missed(view: MapView) -> None:
    """Show the parts of the address that could not be opened, until the view changes."""
    opened, words = st.session_state.get(_MISSED, (None, ""))
    if words and opened == format_address(view):
        st.html(words)


def write_address(view: MapView) -> None:
    """Write the view into the address if it is not there yet, but not while periods are played."""
    if st.session_state.get(_PLAYING):
        # So one step back in the browser undoes all periods that were played.
        return
    st.session_state[_WRITTEN] = format_address(view)
    address.write_view(st.session_state[_WRITTEN])


def _request_view(change: Callable[[MapView], MapView]) -> None:
    """Change the requested view. The next run adapts it to the release."""
    st.session_state[_VIEW] = change(st.session_state[_VIEW])
    st.session_state[_OWN] = True


def _choose_key(name: str, value: object, *choices: object) -> str:
    """Return the key of a widget: the same key as before if its value and choices are unchanged, else a new key."""
    widgets: dict[str, tuple[int, tuple[object, ...]]] = st.session_state.setdefault(_MADE, {})
    count, offered = widgets.get(name, (0, ()))
    if offered != choices or st.session_state.get(f"{name}-{count}") != value:
        count += 1
    widgets[name] = (count, choices)
    return f"{name}-{count}"


def _make_callback(key: str, shown: _T, change: Callable[[MapView, _T], MapView]) -> Callable[[], None]:
    """Return the callback of a widget that puts the reader's choice into the view.

    A widget that was replaced may report its old value once more; this is not a choice.
    """

    def picked() -> None:
        value = st.session_state.get(key, shown)
        if value != shown:
            _request_view(lambda view: change(view, value))

    return picked


def _show_segments(
    name: str, label: str, words: Mapping[str, str], value: str, change: Callable[[MapView, str], MapView]
) -> None:
    """Show choices side by side; a new choice changes the view. value : the choice in the view."""
    key = _choose_key(name, value, *words.items())
    st.segmented_control(
        label, list(words), format_func=words.__getitem__, default=value, key=key, required=True,
        on_change=_make_callback(key, value, change), label_visibility="collapsed",
    )  # fmt: skip


def _show_menu(
    name: str, label: str, words: Mapping[str, str], value: str, change: Callable[[MapView, str], MapView]
) -> None:
    """Show choices in a menu; a new choice changes the view. value : the choice in the view."""
    key = _choose_key(name, value, *words.items())
    st.selectbox(
        label, list(words), index=list(words).index(value), format_func=words.__getitem__, key=key,
        on_change=_make_callback(key, value, change), label_visibility="collapsed",
    )  # fmt: skip


def choose_layer(current: CurrentRelease, view: MapView) -> None:
    """Show the choice of the main layer."""
    titles = {name: _(find_layer(name).title) for name in current_release.list_levels(current)}
    _show_segments("c-layer", _("Layer"), titles, view.layer, lambda v, picked: replace(_stop_time(v), layer=picked))


def choose_level(current: CurrentRelease, view: MapView) -> None:
    """Show the choice of the area level among those that the main layer has."""
    words = {level: _(LEVELS[level]) for level in LEVELS if level in current_release.list_levels(current)[view.layer]}
    _show_segments(
        "c-level", _("Area level"), words, view.level, lambda v, picked: replace(_stop_time(v), level=picked)
    )


def _stop_time(view: MapView) -> MapView:
    """Stop playing periods, because another layer or level was chosen, and return the view unchanged."""
    st.session_state[_PLAYING] = False
    return view


def choose_overlay(current: CurrentRelease, view: MapView) -> None:
    """Show the choice of a second layer among those that have the level and that the tier allows; nothing if none."""
    offered = [
        find_layer(name)
        for name, levels in current_release.list_levels(current).items()
        if name != view.layer and view.level in levels and not find_map_conflict(current.tier, [view.layer, name])
    ]
    if not offered:
        return
    titles = {
        _NONE: _("No second layer"),
        **{overlay.id: _("together with {layer}", layer=_(overlay.title)) for overlay in offered},
    }
    now = view.over[0] if view.over else _NONE
    _show_menu(
        "c-over", _("Second layer"), titles, now,
        lambda v, picked: replace(v, over=() if picked == _NONE else (picked,)),
    )  # fmt: skip


def choose_options(current: CurrentRelease, view: MapView, name: str) -> None:
    """Show the options of the layer `name`, with the choices that the release has.

    SHARED_OPTION, the pathway, is left out: the bar chooses it for all pages.
    """
    for option in current_release.list_options(current, name, view.level):
        if (name, option.id) != SHARED_OPTION:
            _show_option(name, option, view)


def _show_option(name: str, option: Option, view: MapView) -> None:
    words = {choice.id: _format_choice(choice) for choice in option.choices}
    choice = view.view(name).choice(option)
    _show_menu(
        f"c-option-{name}-{option.id}", _(option.label), words,
        choice if choice in words else option.choices[0].id,
        lambda v, picked: v.choosing(name, option.id, picked),
    )  # fmt: skip


def _format_choice(choice: Choice) -> str:
    label = translate(choice.label)
    return f"{translate(choice.group)}: {label}" if choice.needs_group else capitalise(label)


def _set_period(view: MapView, period: str) -> MapView:
    """Note that the reader has chosen a period, and return the view at this period."""
    st.session_state[_PICKED] = True
    return replace(view, period=period)


def choose_grain(current: CurrentRelease, view: MapView) -> None:
    """Show the choice of the length of periods, if the layer has more than one length."""
    periods_by_grain = {str(grain): period for grain, period in list_grains(view, current).items()}
    if len(periods_by_grain) < 2:
        return
    words = {grain: _(_GRAINS[grain]) for grain in periods_by_grain}
    now = Period.parse(view.period).grain
    _show_segments(
        "c-grain", _("Period length"), words, now, lambda v, picked: _set_period(v, periods_by_grain[picked])
    )


def choose_period(totals: Mapping[str, Total], view: MapView) -> None:
    """Show the slider of periods. The arrow keys move it, and screen readers get each period with its total.

    totals : by period, oldest first.
    """
    words = {period: format_total(period, total) for period, total in totals.items()}
    key = _choose_key("c-period", view.period, *words.items())
    st.select_slider(
        _("Period"), list(words), value=view.period, format_func=words.__getitem__, key=key,
        on_change=_make_callback(key, view.period, _set_period),
        label_visibility="collapsed",
    )  # fmt: skip


def show_play_button(listed: tuple[str, ...], view: MapView) -> None:
    """Show the button that plays the periods one after the other, up to the last or until it is pressed again."""
    running = bool(st.session_state.get(_PLAYING))
    if st.button(_("Stop") if running else _("Play"), key="c-play"):
        st.session_state[_PLAYING] = not running
        st.session_state[_STEPPED] = time.monotonic()
        if not running and view.period == listed[-1]:
            _request_view(lambda v: replace(v, period=listed[0]))
        st.rerun()


def read_step_seconds() -> float | None:
    """Return the seconds between two steps while periods are played, else None."""
    st.session_state[_TIMED] = bool(st.session_state.get(_PLAYING))
    return _STEP if st.session_state[_TIMED] else None


def advance_view(listed: tuple[str, ...], view: MapView) -> MapView:
    """Return the view at the next period if periods are played and the time of a step is over, else the same view.

    At the last period, playing stops and the page is drawn again.
    """
    if st.session_state.get(_TIMED) and not st.session_state.get(_PLAYING):
        # Another control has stopped it. Only a run of the whole page stops the clock.
        write_address(view)
        st.rerun()
    due = time.monotonic() - st.session_state.get(_STEPPED, 0.0) >= _STEP * 0.8
    if not st.session_state.get(_PLAYING) or not due or view.period not in listed:
        return view
    st.session_state[_STEPPED] = time.monotonic()
    st.session_state[_PICKED] = True
    place = listed.index(view.period) + 1
    if place >= len(listed):
        st.session_state[_PLAYING] = False
        write_address(view)
        st.rerun()
    _request_view(lambda v: replace(v, period=listed[place]))
    return replace(view, period=listed[place])


def make_click_callback(areas: Areas, level: str) -> Callable[[], None]:
    """Return the callback of a click on the map, which chooses the area of this level there, or none."""

    def chosen() -> None:
        place = live_map.read_clicked_place()
        if place is not None:
            choose_area(areas.locate(*place, level) or "")

    return chosen


def choose_area(area: str) -> None:
    """Choose an area by its code; an empty code stands for both countries."""
    _request_view(lambda v: replace(v, area=area))
