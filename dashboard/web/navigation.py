"""The list of pages. A page can be opened only through this module."""

from __future__ import annotations

import logging
from collections.abc import Callable
from importlib import import_module
from typing import NamedTuple

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from dashboard.site import Site, follow_asked, read_site
from dashboard.site.current_release import CurrentRelease, keep_open, open_current_release
from dashboard.site.reader import Reader, find_reader, follow_headers
from dashboard.site.text import _, escape_markdown, follow_language
from dashboard.web import bar
from dashboard.web.pictures import has_picture
from dashboard.widgets.activity import note_page
from dashboard.widgets.address import find_area, read_language, read_parameter
from data.accounts.rights import Right
from data.errors import ReleaseDamaged, TactError
from data.message import mark

_LOG = logging.getLogger(__name__)
_MODEL = ("internal", "cross_border")
_EVERY = ("all", *_MODEL)


class PageEntry(NamedTuple):
    """A page: folder in dashboard/pages, title, address, right that it needs, which choices of the bar it follows."""

    module: str
    title: str
    address: str
    right: Right
    area: bool = False
    pathways: tuple[str, ...] = ()


# In the order of the bar. The first one opens by itself, at the root.
PAGES = (
    PageEntry("overview", mark("Overview"), "", Right.SEE_PUBLIC, area=True, pathways=_MODEL),
    PageEntry("situation", mark("Map"), "map", Right.SEE_PUBLIC, area=True, pathways=_MODEL),
    PageEntry("risk", mark("Risk"), "risk", Right.SEE_PUBLIC, area=True, pathways=_MODEL),
    PageEntry("flows", mark("Flows"), "flows", Right.SEE_PUBLIC, area=True, pathways=_EVERY),
    PageEntry("coverage", mark("Coverage"), "coverage", Right.SEE_PUBLIC, area=True),
    PageEntry("trends", mark("Trends"), "trends", Right.SEE_PUBLIC, area=True, pathways=_EVERY),
    PageEntry("reallocate", mark("Reallocate"), "reallocate", Right.SEE_PUBLIC, area=True, pathways=_EVERY),
    PageEntry("programme", mark("Programme"), "programme", Right.SEE_PUBLIC, area=True),
    PageEntry("download", mark("Download"), "download", Right.EXPORT),
    PageEntry("method", mark("Method"), "method", Right.SEE_PUBLIC),
)
# Streamlit's own title of each page, which nobody sees, is sent again with every change.
_NO_TITLE = "-"
_READER = "reader"  # the name of whose session it is
_RELEASE = "opened-release"  # that the session has open, also when a newer one is there


def _load_show(module: str) -> Callable[[], None]:
    shown: Callable[[], None] = import_module(f"dashboard.pages.{module}").show
    return shown


def run_page() -> None:
    """Show the requested page inside the frame that all pages share."""
    # Asked for each text, because a part of a page is drawn anew in a thread of its own.
    follow_language(read_language)
    follow_headers(lambda: st.context.headers)
    follow_asked(_find_release)
    reader = find_reader()
    _forget_other_reader(reader)
    pages = [
        st.Page(_load_show(entry.module), title=_NO_TITLE, url_path=entry.address, default=entry is PAGES[0])
        for entry in PAGES
    ]
    chosen = st.navigation(pages, position="hidden")
    entry = PAGES[pages.index(chosen)]
    site, failure, current = read_site(), None, None
    try:
        current = open_current_release(site)
        if current is not None:
            st.session_state[_RELEASE] = current.release.name
    except TactError as error:
        failure = error
    _show_frame(entry, current)
    try:
        if entry.right not in reader.rights:
            st.info(_("Your role does not include this page. Ask your data officer if you need it."))
            return
        if failure:
            raise failure
        note_page(entry.module, current)
        with keep_open(site, current):
            chosen.run()
    except TactError as error:
        show_error(error)


def _find_release() -> str:
    """Return the release that is asked for in the address, else the one that was the newest when the session began."""
    if asked := read_parameter("release"):
        return asked
    return "" if get_script_run_ctx(suppress_warning=True) is None else str(st.session_state.get(_RELEASE, ""))


def _forget_other_reader(reader: Reader) -> None:
    """Empty the session if somebody else had it: a browser keeps it when its conversation ends and begins again."""
    if st.session_state.setdefault(_READER, reader.name) != reader.name:
        st.session_state.clear()
        st.session_state[_READER] = reader.name


def show_error(error: Exception) -> bool:
    """Show in the page what an error says, also one that nobody expected. Return that this is all there is to show.

    Parts of a page are drawn anew by themselves; Streamlit calls this for the errors in them. Its own words for readers
    speak of a place in the internet where the product does not run.
    """
    st.error(escape_markdown(_word_error(error, read_site())))
    return True


def _word_error(error: Exception, site: Site) -> str:
    """Return what an error says: which file is damaged, and what to do. Everybody else is not told of files."""
    if not isinstance(error, TactError):
        return _("This page has a fault. Open it again. If that does not help, tell who runs the map.")
    if site.tier == "partner":
        changed = _("A file was changed or damaged after it was checked. Nothing of it is shown.")
        return f"{changed} {error}" if isinstance(error, ReleaseDamaged) else str(error)
    _LOG.error("%s", error)
    return _("Something in this release cannot be read. Tell who runs the map.")


def _show_frame(entry: PageEntry, current: CurrentRelease | None) -> None:
    names = bar.list_area_names(current) if current and entry.area else {}
    area = find_area(current, names, "") if current else ""
    title = [names[area]] if area else []
    st.set_page_config(page_title=" · ".join([*title, _(entry.title), "TACT Map"]), layout="wide", menu_items={})
    reader = find_reader()
    pages = [(page.address or "./", _(page.title), page is entry) for page in PAGES if page.right in reader.rights]
    with st.container(key="top"):
        site = read_site()
        picture = entry.module if has_picture(entry.module, site.tier) else ""
        st.html(bar.render_bar(site, current, pages, names, entry.pathways, area, picture, reader.name))
