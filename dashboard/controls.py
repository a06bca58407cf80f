"""The controls of the Situation page. The view is the one source: a widget shows it and asks for another.

Each widget's value is set from the view before the widget is made, and its callback makes the next view. So
a click on the map, an address and a control can never disagree.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import mapview, reading
from dashboard.reading import Held
from dashboard.state import Situation, grains, parse, settle, written
from dashboard.text import _, number, translated
from data.periods import Period
from geo.areas import Areas
from geo.layers import combinable, layer
from geo.layers.base import Choice, Option
from geo.layers.words import LEVELS

__all__ = [
    "choose",
    "clicked",
    "current",
    "grain",
    "keep",
    "layers",
    "levels",
    "options",
    "overlays",
    "play",
    "playing",
    "projector",
    "slider",
    "step",
]

_VIEW, _WRITTEN = "situation", "situation-address"
_ASKED, _OFFERED = "situation-asked", "situation-offered"
_GRAINS = {"month": "Month", "quarter": "Quarter", "year": "Year", "whole": "All years"}
_NONE = "none"
_PLAYING, _STEPPED = "situation-playing", "situation-stepped"
_STEP = 1.4


def current(of: Held, areas: pd.DataFrame) -> Situation:
    """Give the view: of the address when it was changed from outside, else the session's; settled."""
    address = {name: str(value) for name, value in st.query_params.items()}
    known: Situation | None = st.session_state.get(_VIEW)
    # Changing page empties the address; then the session remembers. A control that was just used wins over
    # an address that the browser sent before it had the last one; so does time while it runs.
    own = st.session_state.pop(_ASKED, False) or playing() is not None
    changed = bool(address) and address != st.session_state.get(_WRITTEN)
    outside = known is None or (changed and not own)
    asked = parse(address) if outside or known is None else known
    view = settle(asked, of, areas)
    st.session_state[_VIEW] = view
    return view


def keep(view: Situation) -> None:
    """Write the view into the address, when it is not there yet."""
    address = written(view)
    st.session_state[_WRITTEN] = address
    if {name: str(value) for name, value in st.query_params.items()} != address:
        st.query_params.from_dict(address)


def _ask(change: Callable[[Situation], Situation]) -> None:
    """Make the next view; it is settled at the start of the run that follows."""
    st.session_state[_VIEW] = change(st.session_state[_VIEW])
    st.session_state[_ASKED] = True


def _bind(key: str, value: object, *choices: object) -> None:
    """Set a widget's value where it is another one, or where its choices have changed.

    A widget whose choices changed is a new one and starts without a value. Setting it at every run would
    take back what the reader did meanwhile.
    """
    offered: dict[str, tuple[object, ...]] = st.session_state.setdefault(_OFFERED, {})
    if st.session_state.get(key) != value or offered.get(key) != choices:
        st.session_state[key] = value
    offered[key] = choices


def layers(of: Held, view: Situation) -> None:
    """Choose the main layer."""
    titles = {name: _(layer(name).title) for name in reading.levels(of)}

    def chosen() -> None:
        _ask(lambda v: replace(v, layer=st.session_state["c-layer"]))

    _bind("c-layer", view.layer, *titles)
    st.segmented_control(
        _("Layer"), list(titles), format_func=titles.__getitem__, key="c-layer", required=True,
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def levels(of: Held, view: Situation) -> None:
    """Choose the level of the areas, of those that the main layer has."""
    offered = [level for level in LEVELS if level in reading.levels(of)[view.layer]]

    def chosen() -> None:
        _ask(lambda v: replace(v, level=st.session_state["c-level"]))

    _bind("c-level", view.level, *offered)
    st.segmented_control(
        _("Level"), offered, format_func=lambda level: _(LEVELS[level]), key="c-level", required=True,
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def overlays(of: Held, view: Situation) -> None:
    """Choose what lies over the main layer, of what the tier allows."""
    offered = [
        layer(name)
        for name, levels_held in reading.levels(of).items()
        if name != view.layer and view.level in levels_held and not combinable(of.tier, [view.layer, name])
    ]
    if not offered:
        return
    titles = {
        _NONE: _("nothing over it"),
        **{one.id: _("and {layer}", layer=_(one.title).lower()) for one in offered},
    }

    def chosen() -> None:
        picked = st.session_state["c-over"]
        _ask(lambda v: replace(v, over=() if picked == _NONE else (picked,)))

    _bind("c-over", view.over[0] if view.over else _NONE, *titles)
    st.selectbox(
        _("Over it"), list(titles), format_func=titles.__getitem__, key="c-over", on_change=chosen,
        label_visibility="collapsed",
    )  # fmt: skip


def options(of: Held, view: Situation, name: str) -> None:
    """Choose the options of a layer on the map, of the choices that the release holds."""
    for option in reading.offered(of, name, view.level):
        _option(name, option, view)


def _option(name: str, option: Option, view: Situation) -> None:
    key = f"c-option-{name}-{option.id}"
    words = {choice.id: _choice_words(choice) for choice in option.choices}

    def chosen() -> None:
        picked = st.session_state[key]
        _ask(lambda v: v.choosing(name, option.id, picked))

    choice = view.view(name).choice(option)
    _bind(key, choice if choice in words else option.choices[0].id, *words)
    st.selectbox(
        _(option.label), list(words), format_func=words.__getitem__, key=key, on_change=chosen,
        label_visibility="collapsed",
    )  # fmt: skip


def _choice_words(choice: Choice) -> str:
    label = translated(choice.label)
    return f"{translated(choice.group)}: {label}" if choice.group else label[:1].upper() + label[1:]


def grain(of: Held, view: Situation) -> None:
    """Choose the length of the periods, where the layer is held in more than one."""
    found = grains(view, of)
    if len(found) < 2:
        return
    now = Period.parse(view.period).grain

    def chosen() -> None:
        period = found[st.session_state["c-grain"]]
        _ask(lambda v: replace(v, period=period))

    _bind("c-grain", now, *found)
    st.segmented_control(
        _("Length of periods"), list(found), format_func=lambda g: _(_GRAINS[g]), key="c-grain",
        required=True, on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def slider(totals: Mapping[str, float | None], view: Situation) -> None:
    """Choose the period; the arrow keys move it, and it says the period's number."""

    def chosen() -> None:
        _ask(lambda v: replace(v, period=st.session_state["c-period"]))

    def words(period: str) -> str:
        value = totals[period]
        return f"{Period.parse(period).label}: {_('no number') if value is None else number(value)}"

    _bind("c-period", view.period, *map(words, totals))
    st.select_slider(
        _("Period"), list(totals), format_func=words, key="c-period", on_change=chosen,
        label_visibility="collapsed",
    )  # fmt: skip


def play(listed: tuple[str, ...], view: Situation) -> None:
    """Let time run: a button that steps through the periods until the last, or until it is pressed again."""
    running = bool(st.session_state.get(_PLAYING))
    if st.button(_("Stop") if running else _("Play"), key="c-play"):
        st.session_state[_PLAYING] = not running
        st.session_state[_STEPPED] = time.monotonic()
        if not running and view.period == listed[-1]:
            _ask(lambda v: replace(v, period=listed[0]))
        st.rerun()


def playing() -> float | None:
    """Give the seconds between two steps while time runs; None while it stands."""
    return _STEP if st.session_state.get(_PLAYING) else None


def step(listed: tuple[str, ...], view: Situation) -> Situation:
    """Give the view of the next period when its time has come; stop at the last."""
    due = time.monotonic() - st.session_state.get(_STEPPED, 0.0) >= _STEP * 0.8
    if not st.session_state.get(_PLAYING) or not due or view.period not in listed:
        return view
    st.session_state[_STEPPED] = time.monotonic()
    place = listed.index(view.period) + 1
    if place >= len(listed):
        st.session_state[_PLAYING] = False
        st.rerun()
    _ask(lambda v: replace(v, period=listed[place]))
    return st.session_state[_VIEW]  # type: ignore[no-any-return]


def projector() -> None:
    """Turn the projector mode on and off: panels fold, type grows."""
    view: Situation | None = st.session_state.get(_VIEW)
    if view is None:
        return

    def chosen() -> None:
        _ask(lambda v: replace(v, projector=st.session_state["c-projector"]))

    _bind("c-projector", view.projector)
    st.toggle(_("Projector"), key="c-projector", on_change=chosen)


def clicked(areas: Areas) -> Callable[[], None]:
    """Give the callback of a click on the map: the area there, or none, becomes the chosen one."""

    def chosen() -> None:
        place = mapview.clicked_place()
        if place is None:
            return
        _ask(lambda v: replace(v, area=areas.locate(*place, v.level) or ""))

    return chosen


def choose(area: str) -> None:
    """Make an area the chosen one; empty for none."""
    _ask(lambda v: replace(v, area=area))
