"""Long work at the desk: a progress bar, the time, and a button that stops the work."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from dashboard.site.text import _, escape_markdown, format_number
from data.workspace.types import Progress

_STOPPED = "stopped"


@contextmanager
def show_progress(what: str, word_step: Callable[[str], str] = str) -> Iterator[Progress]:
    """Show the time, a progress bar and a button that stops the work; yield the function that moves the bar.

    When the button is pressed, the work stops at its next report of progress. `word_step` names a step in words.
    """
    shown = st.empty()
    with shown.container():
        clock = st.container()
        bar = st.progress(0.0, text=_word_progress(0.0, ""))
        st.button(_("Stop"), key="stop", on_click=_note_stop)

    def tick(done: int, total: int | None, step: str) -> None:
        share = min(done / total, 1.0) if total else 0.0
        bar.progress(share, text=_word_progress(share, word_step(step)))

    try:
        # The clock moves where one step takes minutes.
        with clock, st.spinner(what, show_time=True):
            yield tick
    finally:
        shown.empty()


def was_stopped() -> bool:
    """Return, once, whether the officer stopped the work that a page did before."""
    return bool(st.session_state.pop(_STOPPED, None))


def _word_progress(share: float, step: str) -> str:
    done = _("{share} %", share=format_number(round(100 * share)))
    return f"{done} · {escape_markdown(step)}" if step else done


def _note_stop() -> None:
    st.session_state[_STOPPED] = True
