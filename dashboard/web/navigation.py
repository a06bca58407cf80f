"""The navigation opens the pages in page_list.py. A page can be opened only through this module."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.site import Site, follow_asked, read_site, read_whole_site
from dashboard.site.current_release import CurrentRelease, keep_open, open_current_release
from dashboard.site.reader import find_accounts, find_reader, follow_headers, read_as
from dashboard.site.text import _, escape_markdown, follow_language, speak
from dashboard.web import bar, dev
from dashboard.web.agenda.decisions import show_decisions
from dashboard.web.agenda.state import Played, find_played, find_store, may_write
from dashboard.web.agenda.strip import render_strip
from dashboard.web.gapline import show_gaps
from dashboard.web.page_list import PAGES, RELEASE_PAGES, PageEntry
from dashboard.web.pictures import has_picture
from dashboard.widgets.activity import note_page
from dashboard.widgets.address import DECIDE, ITEM, find_area, read_language, read_parameter
from dashboard.widgets.page_frame import OF_PAGE, show_outside
from data.errors import ReleaseDamaged, TactError

_LOG = logging.getLogger(__name__)
# Streamlit's own title of each page, which nobody sees, is sent again with every change.
_NO_TITLE = "-"
_PAGE = "opened-page"
_RELEASE = "opened-release"  # the release that the session has open, also when there is a newer one


def _load_show(entry: PageEntry) -> Callable[[], None]:
    shown: Callable[[], None] = import_module(f"{entry.package}.{entry.module}").show
    return shown


def run_page() -> None:
    """Show the requested page inside the frame that all pages share."""
    # A part of a page is drawn again in a thread of its own, so each text asks these functions for language and reader.
    follow_language(read_language)
    follow_headers(lambda: st.context.headers)
    follow_asked(_find_release)
    with speak(read_language()), read_as(find_reader()):
        number = dev.look()
        _run_entry()
        dev.watch_page(number)


def _run_entry() -> None:
    reader = find_reader()
    pages = [
        st.Page(_load_show(entry), title=_NO_TITLE, url_path=entry.address, default=entry is PAGES[0])
        for entry in PAGES
    ]
    chosen = st.navigation(pages, position="hidden")
    entry = PAGES[pages.index(chosen)]
    _forget_left_page(entry)
    site, failure, current = read_site(), None, None
    try:
        current = open_current_release(site)
        # A view of an agenda has its own release, which is not the one that its reader has open.
        if current is not None and not read_parameter(ITEM):
            st.session_state[_RELEASE] = current.release.name
    except TactError as error:
        failure = error
    played, problem = _find_played(site)
    _show_frame(entry, current, played, problem)
    try:
        if entry.right not in reader.rights:
            st.info(_("Your role does not include this page. Ask your data officer if you need it."))
            return
        if not site.covers(entry.module):
            show_outside()
            return
        if failure:
            raise failure
        note_page(entry.module, current)
        with keep_open(read_site(), current):  # read again, because the session now names the release
            if played is not None and current is not None and read_parameter(DECIDE):
                show_decisions(played, current)
            if current is not None and entry in RELEASE_PAGES:
                show_gaps(current, entry.module)
            chosen.run()
    except TactError as error:
        show_error(error)


def _find_release() -> str:
    """Return the name of the release in the address, else of the release that the session has open.

    Empty outside of a session, and before a session has opened a release.
    """
    if asked := read_parameter("release"):
        return asked
    return "" if get_script_run_ctx(suppress_warning=True) is None else str(st.session_state.get(_RELEASE, ""))


def _find_played(site: Site) -> tuple[Played | None, str]:
    """Return the shown view of an agenda, and the reason why meetings cannot be read, which stops no page.

    The view is None if the address names none, the reader may not see it, or meetings cannot be read. The reason is
    empty if they can be read.
    """
    try:
        return find_played(), ""
    except TactError as error:
        return None, _word_error(error, site)


def _forget_left_page(entry: PageEntry) -> None:
    """Delete the session's state of the page that the reader has left."""
    if st.session_state.setdefault(_PAGE, entry.module) != entry.module:
        st.session_state[_PAGE] = entry.module
        for key in [key for key in st.session_state if str(key).startswith(OF_PAGE)]:
            del st.session_state[key]


def show_error(error: Exception) -> bool:
    """Show the words of an error in the page, even of an unexpected one. Return True: nothing else has to be shown.

    Parts of a page are drawn again by themselves, and Streamlit calls this function for errors in them. Streamlit's own
    words are not used, because they name a service on the internet on which the product does not run.
    """
    st.error(escape_markdown(_word_error(error, read_site())))
    return True


def _word_error(error: Exception, site: Site) -> str:
    """Return the words of an error for the reader.

    They say what is wrong and what to do only on a local map; elsewhere this is written to the log.
    """
    if not isinstance(error, TactError):
        return _("This page has a fault. Open it again. If that does not help, tell who runs the map.")
    if site.tier == "partner" and find_accounts() is None:
        changed = _("A file was changed or damaged after it was checked. Nothing of it is shown.")
        return f"{changed} {error}" if isinstance(error, ReleaseDamaged) else str(error)
    _LOG.error("%s", error)
    return _("Something in this release cannot be read. Tell who runs the map.")


def _show_frame(entry: PageEntry, current: CurrentRelease | None, played: Played | None, problem: str) -> None:
    names = bar.list_area_names(current) if current and entry.area else {}
    area = find_area(current, names, "") if current else ""
    title = [names[area]] if area else []
    st.set_page_config(page_title=" · ".join([*title, _(entry.title), "TACT Map"]), layout="wide", menu_items={})
    reader = find_reader()
    has_meetings = find_store(read_whole_site()) is not None
    site = read_site()
    offered = PAGES if has_meetings else tuple(page for page in PAGES if page in (entry, *RELEASE_PAGES))
    listed = (page for page in offered if page.right in reader.rights and site.covers(page.module))
    pages = [(page.address or "./", _(page.title), page is entry) for page in listed]
    with st.container(key="top"):
        newest = (site.find_newest() or "") if played else ""
        strip = render_strip(played, current, newest, problem)
        picture = entry.module if has_picture(entry.module, site.tier) and site.covers(entry.module) else ""
        may_add = may_write() and entry.module != "agenda"
        parts = (site, current, pages, entry.pathways, area, picture, reader.name, strip)
        st.html(bar.render_bar(*parts, has_areas=entry.area, may_add=may_add))
