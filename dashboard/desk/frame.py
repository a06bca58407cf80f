"""The frame of the desk's pages: the list of pages, the bar, the lock, and the messages about errors.

A page can be opened only through this module. The message of an unexpected error may contain values of a record, so
neither the page nor the log repeats it: the desk describes such an error in words of its own.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.desk.state import Desk, Locked, read_desk
from dashboard.site.text import _, escape_markdown, follow_language, html, translate_message
from dashboard.web import bar
from dashboard.web.start_page import Opening
from dashboard.widgets.address import read_language
from dashboard.widgets.markup import render_lead, render_note, render_paragraphs
from data.errors import TactError, VaultError
from data.message import mark
from data.restricted import keys

OPENING = Opening(mark("Opening the desk."), has_map=False)
NAME = "TACT desk"
_LOG = logging.getLogger(__name__)
_ROOT = Path(__file__).parents[2]
_PACKAGES = ("dashboard", "risk", "geo", "data")
_LOOKS_EVERY = 10.0  # seconds after which an open page checks again whether the desk is locked


class Section(NamedTuple):
    """A page of the desk: its module in dashboard/desk, title and address."""

    module: str
    title: str
    address: str


# In the order of the bar. The first one opens by itself, at the root.
PAGES = (
    Section("files", mark("Files"), ""),
    Section("imports", mark("Imports"), "imports"),
    Section("enter", mark("Enter by hand"), "enter"),
    Section("records", mark("Records"), "records"),
    Section("release", mark("Release"), "release"),
)
# Streamlit's own title of each page, which nobody sees, is sent again with every change.
_NO_TITLE = "-"


def run_page() -> None:
    """Show the requested page inside the frame; while the desk is locked, show the form that unlocks it."""
    follow_language(read_language)
    desk = read_desk()
    sections = [
        st.Page(_guard(_load_show(entry.module)), title=_NO_TITLE, url_path=entry.address, default=entry is PAGES[0])
        for entry in PAGES
    ]
    chosen = st.navigation(sections, position="hidden")
    locked = desk.is_locked
    _show_frame(PAGES[sections.index(chosen)], desk)
    _watch_lock(locked)
    with st.container(key="desk"):
        if locked:
            _guard(_show_lock)()
        else:
            desk.touch()
            chosen.run()


def _load_show(module: str) -> Callable[[Desk], None]:
    shown: Callable[[Desk], None] = import_module(f"dashboard.desk.{module}").show
    return shown


def _guard(show: Callable[[Desk], None]) -> Callable[[], None]:
    """Return a function that shows a page, and in place of an error what `tell_errors` shows.

    If the desk is locked meanwhile, the page is drawn again.
    """

    def guarded() -> None:
        try:
            with tell_errors():
                show(read_desk())
        except Locked:
            st.rerun()

    guarded.__name__ = show.__module__.rpartition(".")[2]
    return guarded


@contextmanager
def tell_errors() -> Iterator[None]:
    """Show the error of a part of a page in place of that part, so that the other parts stay. Locked is not caught."""
    try:
        yield
    except Locked:
        raise
    except TactError as error:
        st.error(escape_markdown(translate_message(error.message)))
    except Exception as error:  # noqa: BLE001 - whatever it is, its message stays here
        places = traceback.extract_tb(error.__traceback__)
        ours = [
            place for place in places if any(Path(place.filename).is_relative_to(_ROOT / name) for name in _PACKAGES)
        ]
        place = (ours or places)[-1]
        _LOG.error("%s in %s, line %s", type(error).__name__, place.filename, place.lineno)
        st.error(
            _(
                "Something went wrong in the program. Look at Imports and Release: they say what is stored and "
                "published. The window in which the desk was started says where it went wrong; tell the people who "
                "maintain the program."
            )
        )


@st.fragment(run_every=_LOOKS_EVERY)
def _watch_lock(locked: bool) -> None:
    """Draw the page again if the desk was locked or unlocked meanwhile. The check does not count as use of the desk."""
    if read_desk().is_locked != locked:
        st.rerun()


def _show_frame(entry: Section, desk: Desk) -> None:
    st.set_page_config(page_title=f"{_(entry.title)} · {NAME}", layout="wide", menu_items={})
    pages = [(page.address or "./", _(page.title), page is entry) for page in PAGES]
    place = html('<span class="period">{}</span>', desk.workspace.path)
    invented = bar.render_invented() if desk.workspace.invented else ""
    lost = _("The desk is not answering. Start it again: tact desk")
    with st.container(key="top"):
        st.html(bar.render_header(pages, [place, invented, bar.render_dark(), bar.render_languages()], lost, NAME))


def show_title(desk: Desk, title: str, lead: str) -> None:
    """Show the title and the purpose of a page, and the button that locks the desk."""
    with st.container(key="deskhead", horizontal=True, vertical_alignment="top"):
        st.html(html('<div class="deskhead"><h1>{}</h1>{}</div>', title, render_lead(lead)))
        if st.button(_("Lock the desk"), key="lock"):
            desk.lock()
            st.rerun()


def show_note(sentence: str) -> None:
    """Show a sentence as a note, in small letters."""
    st.html(render_note(sentence))


def _show_lock(desk: Desk) -> None:
    context = get_script_run_ctx()
    if context is not None:
        context.uploaded_file_mgr.remove_session_files(context.session_id)
    for name in list(st.session_state):
        if not str(name).startswith("FormSubmitter:"):
            del st.session_state[name]
    st.html(
        html(
            "<h1>{}</h1>{}",
            _("The desk is locked"),
            render_paragraphs(
                [
                    _(
                        "The keys are forgotten, and so are files that were not imported. The desk locks when it was "
                        "not used for 15 minutes."
                    ),
                    _(
                        "To go on, press Enter in the window where you started the desk, or start it anew: tact desk. "
                        "If neither is possible, give both keys here: tact keys show says where they are."
                    ),
                ]
            ),
        )
    )
    with st.form("unlock", clear_on_submit=True, width=520):
        vault = st.text_input(_("Vault key"), type="password", autocomplete="off")
        identifier = st.text_input(_("Identifier key"), type="password", autocomplete="off")
        if st.form_submit_button(_("Unlock")):
            try:
                desk.unlock(keys.parse(vault, identifier))
            except VaultError as error:
                st.error(escape_markdown(translate_message(error.message)))
            else:
                st.rerun()
