"""Choices that are kept in the address, so that one address opens the same view for everybody."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import count

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import LANGUAGE_NAMES, _, find_language

_WIDTH = 320
_NONE = "none"
_LONG = 10  # digits
# What goes along from page to page (dashboard/static/shell.js), and what only the browser writes: zoom and
# centre of the map, whether it is dark, and the release that is open.
_AREA, _PATHWAY, _LANGUAGE, _BROWSER = "area", "pathway", "lang", ("at", "theme", "release")
RELEASE, AGENDA, ITEM, DECIDE, ADD = "release", "agenda", "item", "decide", "add"
PLAYED = (RELEASE, AGENDA, ITEM, DECIDE)
"""Parameters of a view in a meeting: its release, the agenda, the number of the item, whether decisions are open."""
_SHARED = (_PATHWAY, _LANGUAGE, AGENDA, ITEM, DECIDE)


_parameters: ContextVar[Mapping[str, str] | None] = ContextVar("address", default=None)
_FOLLOWER = "follow-area"


@contextmanager
def follow(parameters: Mapping[str, str]) -> Iterator[None]:
    """Use these parameters in place of those of the address inside the block, for example for a picture of a page."""
    token = _parameters.set(parameters)
    try:
        yield
    finally:
        _parameters.reset(token)


def read_parameter(name: str, default: str = "") -> str:
    """Return a parameter of the address; `default` if the address does not have it, or if no page is drawn."""
    parameters = _parameters.get()
    if parameters is None:
        parameters = {} if get_script_run_ctx(suppress_warning=True) is None else st.query_params
    return str(parameters.get(name, default))


def read_parameters() -> dict[str, str]:
    """Return all parameters of the address."""
    parameters = _parameters.get()
    return {name: str(value) for name, value in (st.query_params if parameters is None else parameters).items()}


def read_choice(name: str, offered: Sequence[str]) -> str:
    """Return the choice in the address if it is in `offered`, else the first of `offered`."""
    asked = read_parameter(name)
    return asked if asked in offered else offered[0]


def read_area() -> str:
    """Return the code of the area that the address chooses for all pages; empty for both countries."""
    return read_parameter(_AREA)


def write_area(code: str) -> None:
    """Write the area that is chosen for all pages into the address; empty for both countries."""
    if code:
        st.query_params[_AREA] = code
    else:
        st.query_params.pop(_AREA, None)
    _tell_area(code)


def follow_area(tell: Callable[[str], None]) -> None:
    """Set the function that is called with the code of each area that this session writes into the address."""
    st.session_state[_FOLLOWER] = tell


def _tell_area(code: str) -> None:
    if tell := st.session_state.get(_FOLLOWER):
        tell(code)


def find_area(current: CurrentRelease, offered: Mapping[str, str], first: str) -> str:
    """Return the chosen area's code if it is in `offered`, else that of the offered area around it, else `first`."""
    code, rows = read_area(), load_areas(current.release).rows
    while code not in offered and code in rows:
        code = str(rows[code]["parent"])
    return code if code in offered else first


def read_pathway(offered: Sequence[str]) -> str:
    """Return the pathway in the address ("all" if there is none) if it is in `offered`, else the first of `offered`."""
    asked = read_parameter(_PATHWAY, "all")
    return asked if asked in offered else offered[0]


def read_language() -> str:
    """Return the language in the address; English if the address has none that is known, or if no page is drawn."""
    return read_choice(_LANGUAGE, list(LANGUAGE_NAMES))


def read_view() -> dict[str, str]:
    """Return the parameters of the address that only this page reads and writes."""
    return {name: str(value) for name, value in st.query_params.items() if name not in (*_SHARED, *_BROWSER)}


def write_view(view: Mapping[str, str]) -> None:
    """Write the parameters of a page into the address in place of its old ones, if they differ.

    Parameters that all pages share are kept. The browser adds the zoom and centre of the map itself.
    """
    if read_view() != dict(view):
        shared = {name: st.query_params[name] for name in _SHARED if name in st.query_params}
        st.query_params.from_dict({**view, **shared})
        _tell_area(view.get(_AREA, ""))


def set_choice(name: str, value: str | int) -> None:
    """Set the choice or whole number that a widget will show. Call it before the widget is shown."""
    st.session_state[f"pick-{name}"] = value
    _write_choice(name, f"pick-{name}", str(value))


def pick_segment(name: str, label: str, words: Mapping[str, str], *, labelled: bool = False) -> str:
    """Show choices side by side and return the id of the chosen one. The first one is the default.

    words : the text of each choice, by id. The label is only for screen readers, unless `labelled`.
    """
    key = _settle_key(name, list(words))
    st.segmented_control(
        label,
        list(words),
        format_func=words.__getitem__,
        key=key,
        required=True,
        label_visibility="visible" if labelled else "collapsed",
    )
    return _keep_choice(name, key)


def tell_apart(words: Mapping[str, str]) -> dict[str, str]:
    """Return the texts of choices, by id, with a number after a text that a later choice in the list has too.

    Streamlit finds a choice of a menu by its text, and takes the last one that has it. Lists begin with the newest, so
    a choice keeps its text when a new one has the same.
    """
    labels: dict[str, str] = {}
    for name, text in reversed(list(words.items())):
        numbered = (text if number == 1 else f"{text} ({number})" for number in count(1))
        labels[name] = next(label for label in numbered if label not in labels.values())
    return {name: labels[name] for name in words}


def renew_menu(key: str) -> str:
    """Return the key of a menu that is about to be shown, and send its text to the browser again in a new language.

    A browser remembers the text that it shows in a menu, in the language in which it was chosen.
    """
    state, language = st.session_state, find_language()
    if key in state and state.get(f"{key}-language", language) != language:
        state[key] = state[key]
    state[f"{key}-language"] = language
    return key


def pick_from_menu(name: str, label: str, words: Mapping[str, str], first: str) -> str:
    """Show choices in a menu and return the id of the chosen one. `first` is the id of the default."""
    key, texts = _settle_key(name, [first, *words]), tell_apart(words)
    st.selectbox(label, list(words), format_func=texts.__getitem__, key=renew_menu(key), width=_WIDTH)
    return _keep_choice(name, key)


def pick_step(name: str, label: str, words: Mapping[str, str]) -> str:
    """Show choices as a slider, in their order, and return the id of the chosen one. The first one is the default."""
    key = _settle_key(name, list(words))
    st.select_slider(label, list(words), format_func=words.__getitem__, key=key)
    return _keep_choice(name, key)


def pick_number(
    name: str, label: str, most: int, first: int | None, help_text: str, *, least: int = 0, width: int = 0
) -> int | None:
    """Ask for a whole number from `least` to `most` and return it.

    first : the default; None if the number may be left empty. The result is None if it is empty. A box with another
    default takes `most` when it is emptied. help_text : explains the number. width : of a box in a sentence, in pixels,
    with the label for screen readers only.
    """
    key = _settle_number_key(name, least, most, first)
    st.number_input(
        f"{label} ({least}–{most})",  # the browser keeps a number out of range in the box, and does not send it
        min_value=least,
        max_value=most,
        value=None,
        step=1,
        key=key,
        help=None if width else help_text,
        label_visibility="collapsed" if width else "visible",
        width=width or "stretch",
        placeholder=_("no limit") if first is None else str(most),
    )
    return _keep_number(name, key)


def read_number(name: str, most: int, first: int) -> int:
    """Return the whole number from 0 to `most` that a widget further down the page shows; `first` is the default."""
    return int(st.session_state[_settle_number_key(name, 0, most, first)])


def pick_share(name: str, label: str, first: int, caption: str) -> int:
    """Show a slider from 0 to 100 per cent in steps of 5 and return its value; `first` is the default."""
    key = _settle_number_key(name, 0, 100, first)
    st.slider(label, min_value=0, max_value=100, step=5, key=key, format="%d %%")
    st.caption(caption)
    return _keep_number(name, key) or 0


def _settle_number_key(name: str, least: int, most: int, first: int | None) -> str:
    """Return the key of a number's widget, like `_settle_key`. An empty number is written as "none"."""
    key, asked = f"pick-{name}", str(st.query_params.get(name, ""))
    remembered = str(st.session_state.get(f"{key}-kept", ""))
    if asked != remembered and _is_number(asked, least, most, first):
        st.session_state[key] = _read_number(asked)
    elif key not in st.session_state:
        st.session_state[key] = _read_number(remembered) if remembered else first
    elif st.session_state[key] is None and first is not None:
        st.session_state[key] = most
    return key


def _is_number(text: str, least: int, most: int, first: int | None) -> bool:
    whole = text.isascii() and text.isdigit() and len(text) < _LONG and least <= int(text) <= most
    return whole or (text == _NONE and first is None)


def read_whole(name: str, least: int, most: int, first: int | None) -> int | None:
    """Return the whole number in the address if it is from `least` to `most`, else `first`.

    The word "none" in the address gives None if `first` is None.
    """
    asked = read_parameter(name)
    return _read_number(asked) if _is_number(asked, least, most, first) else first


def _read_number(text: str) -> int | None:
    return None if text == _NONE else int(text)


def _keep_number(name: str, key: str) -> int | None:
    chosen: int | None = st.session_state[key]
    _write_choice(name, key, _NONE if chosen is None else str(chosen))
    return chosen


def _settle_key(name: str, offered: list[str]) -> str:
    """Return the key of a widget, and set the widget's value from the address if that has changed.

    Without a value that is offered, the widget gets the last choice, or else the first of `offered`.

    The choice is also stored apart from the widget, because a widget's value is lost when another page is shown.
    """
    key, asked = f"pick-{name}", str(st.query_params.get(name, ""))
    remembered = str(st.session_state.get(f"{key}-kept", ""))
    if asked in offered and asked != remembered:
        st.session_state[key] = asked
    elif st.session_state.get(key) not in offered:
        st.session_state[key] = remembered if remembered in offered else offered[0]
    return key


def _keep_choice(name: str, key: str) -> str:
    chosen = str(st.session_state[key])
    _write_choice(name, key, chosen)
    return chosen


def _write_choice(name: str, key: str, written: str) -> None:
    """Write a choice to the session and to the address."""
    st.session_state[f"{key}-kept"] = written
    if st.query_params.get(name) != written:
        st.query_params[name] = written
