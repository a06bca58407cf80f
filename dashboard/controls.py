"""The controls of the Situation page. The view is the one source: a widget shows it and asks for another.

Each widget's value is set from the view before the widget is made, and its callback makes the next view. So
a click on the map, an address and a control can never disagree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pandas as pd
import streamlit as st

from dashboard import mapview
from dashboard.reading import Held
from dashboard.state import Situation, grains, parse, settle, written
from dashboard.text import _, translated
from data.periods import Period
from geo.areas import Areas
from geo.layers import LAYERS, combinable, layer
from geo.layers.base import Choice, Option
from geo.layers.words import LEVELS

__all__ = ["clicked", "current", "grain", "keep", "layers", "levels", "options", "overlays", "projector", "slider"]

_VIEW, _WRITTEN = "situation", "situation-address"
_GRAINS = {"month": "Month", "quarter": "Quarter", "year": "Year", "whole": "All years"}
_NONE = "none"


def current(of: Held, areas: pd.DataFrame) -> Situation:
    """Give the view: of the address when it was changed from outside, else the session's; settled."""
    address = {name: str(value) for name, value in st.query_params.items()}
    known: Situation | None = st.session_state.get(_VIEW)
    # Changing page empties the address; then the session remembers.
    outside = known is None or (bool(address) and address != st.session_state.get(_WRITTEN))
    asked = parse(address) if outside or known is None else known
    view = settle(asked, of.release, of.release.tier, areas)
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


def _bind(key: str, value: object) -> None:
    if st.session_state.get(key) != value:
        st.session_state[key] = value


def layers(of: Held, view: Situation) -> None:
    """Choose the main layer."""
    titles = {one.id: _(one.title) for one in LAYERS if one.levels(of.release)}

    def chosen() -> None:
        _ask(lambda v: replace(v, layer=st.session_state["c-layer"]))

    _bind("c-layer", view.layer)
    st.segmented_control(
        _("Layer"), list(titles), format_func=titles.__getitem__, key="c-layer", required=True,
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def levels(of: Held, view: Situation) -> None:
    """Choose the level of the areas, of those that the main layer has."""
    offered = [level for level in LEVELS if level in layer(view.layer).levels(of.release)]

    def chosen() -> None:
        _ask(lambda v: replace(v, level=st.session_state["c-level"]))

    _bind("c-level", view.level)
    st.segmented_control(
        _("Level"), offered, format_func=lambda level: _(LEVELS[level]), key="c-level", required=True,
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def overlays(of: Held, view: Situation) -> None:
    """Choose what lies over the main layer, of what the tier allows."""
    offered = [
        one
        for one in LAYERS
        if one.id != view.layer
        and view.level in one.levels(of.release)
        and not combinable(of.release.tier, [view.layer, one.id])
    ]
    if not offered:
        return
    titles = {_NONE: _("Nothing over it"), **{one.id: _("with {layer}", layer=_(one.title).lower()) for one in offered}}

    def chosen() -> None:
        picked = st.session_state["c-over"]
        _ask(lambda v: replace(v, over=() if picked == _NONE else (picked,)))

    _bind("c-over", view.over[0] if view.over else _NONE)
    st.selectbox(
        _("Over it"), list(titles), format_func=titles.__getitem__, key="c-over", on_change=chosen,
        label_visibility="collapsed",
    )  # fmt: skip


def options(of: Held, view: Situation) -> None:
    """Choose the options of the layers on the map, of the choices that the release holds."""
    for name in view.layers:
        for option in layer(name).offered(of.release, view.level):
            _option(name, option, view)


def _option(name: str, option: Option, view: Situation) -> None:
    key = f"c-option-{name}-{option.id}"
    words = {choice.id: _choice_words(choice) for choice in option.choices}

    def chosen() -> None:
        picked = st.session_state[key]
        _ask(lambda v: v.choosing(name, option.id, picked))

    choice = view.view(name).choice(option)
    _bind(key, choice if choice in words else option.choices[0].id)
    st.selectbox(
        _(option.label), list(words), format_func=words.__getitem__, key=key, on_change=chosen,
        label_visibility="collapsed",
    )  # fmt: skip


def _choice_words(choice: Choice) -> str:
    label = translated(choice.label)
    return f"{translated(choice.group)}: {label}" if choice.group else label[:1].upper() + label[1:]


def grain(of: Held, view: Situation) -> None:
    """Choose the length of the periods, where the layer is held in more than one."""
    found = grains(view, of.release)
    if len(found) < 2:  # noqa: PLR2004 (a choice needs two)
        return
    now = Period.parse(view.period).grain

    def chosen() -> None:
        period = found[st.session_state["c-grain"]]
        _ask(lambda v: replace(v, period=period))

    _bind("c-grain", now)
    st.segmented_control(
        _("Length of periods"), list(found), format_func=lambda g: _(_GRAINS[g]), key="c-grain", required=True,
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def slider(listed: tuple[str, ...], view: Situation) -> None:
    """Choose the period; the arrow keys move it."""

    def chosen() -> None:
        _ask(lambda v: replace(v, period=st.session_state["c-period"]))

    _bind("c-period", view.period)
    st.select_slider(
        _("Period"), list(listed), format_func=lambda p: Period.parse(p).label, key="c-period",
        on_change=chosen, label_visibility="collapsed",
    )  # fmt: skip


def projector(view: Situation) -> None:
    """Turn the projector mode on and off: panels fold, type grows."""

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


def chosen_options(view: Situation) -> Mapping[str, Mapping[str, str]]:
    """Give the choices of the layers on the map."""
    return {name: view.chosen(name) for name in view.layers}
