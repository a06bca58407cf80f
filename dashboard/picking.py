"""Choices that stand in the address, so that one address opens the same view for everybody."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

__all__ = ["menu", "segments"]

_WIDTH = 320


def segments(name: str, label: str, words: Mapping[str, str]) -> str:
    """Offer a few choices side by side; the first one is the default. Give the one that is chosen."""
    key = _settled(name, list(words))
    st.segmented_control(
        label,
        list(words),
        format_func=words.__getitem__,
        key=key,
        required=True,
        label_visibility="collapsed",
    )
    return _kept(name, key)


def menu(name: str, label: str, words: Mapping[str, str], first: str) -> str:
    """Offer many choices in a menu, `first` where none was made yet. Give the one that is chosen."""
    key = _settled(name, [first, *words])
    st.selectbox(label, list(words), format_func=words.__getitem__, key=key, width=_WIDTH)
    return _kept(name, key)


def _settled(name: str, offered: list[str]) -> str:
    """Give the key of a widget, set to the address when somebody changed it, else to what was chosen last.

    The choice is kept beside the widget too, which is forgotten where another page is shown.
    """
    key, asked = f"pick-{name}", str(st.query_params.get(name, ""))
    kept = str(st.session_state.get(f"{key}-kept", ""))
    if asked in offered and asked != kept:
        st.session_state[key] = asked
    elif st.session_state.get(key) not in offered:
        st.session_state[key] = kept if kept in offered else offered[0]
    return key


def _kept(name: str, key: str) -> str:
    chosen = str(st.session_state[key])
    st.session_state[f"{key}-kept"] = chosen
    if st.query_params.get(name) != chosen:
        st.query_params[name] = chosen
    return chosen
