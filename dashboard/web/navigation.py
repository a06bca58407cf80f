"""The list of pages. A page can be opened only through this module."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Literal, NamedTuple

import streamlit as st

from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, open_current_release
from dashboard.site.text import _, escape_markdown, follow_language
from dashboard.web import bar
from dashboard.widgets.address import read_area, read_language
from data.errors import ReleaseError, TactError
from geo.layers.core.words import mark

_MODEL = ("internal", "cross_border")
_EVERY = ("all", *_MODEL)


class PageEntry(NamedTuple):
    """A page: folder in dashboard/pages, title, address, and which choices of the bar it follows."""

    module: str
    title: str
    address: str
    area: bool = False
    pathways: tuple[str, ...] = ()


# In the order of the bar. The first one opens by itself.
PAGES: tuple[PageEntry, ...] = tuple(
    entry
    for entry in (
        PageEntry("overview", mark("Overview"), "overview", area=True, pathways=_MODEL),
        PageEntry("situation", mark("Map"), "map", area=True, pathways=_MODEL),
        PageEntry("risk", mark("Risk"), "risk", area=True, pathways=_MODEL),
        PageEntry("flows", mark("Flows"), "flows", area=True, pathways=_EVERY),
        PageEntry("coverage", mark("Coverage"), "coverage", area=True),
        PageEntry("trends", mark("Trends"), "trends", area=True, pathways=_EVERY),
        PageEntry("reallocate", mark("Reallocate"), "reallocate", area=True, pathways=_EVERY),
        PageEntry("programme", mark("Programme"), "programme", area=True),
        PageEntry("download", mark("Download"), "download"),
        PageEntry("method", mark("Method"), "method"),
    )
    if find_spec(f"dashboard.pages.{entry.module}") is not None
)
# Addresses of earlier versions, which people have kept: each opens the page at another one.
OLD_ADDRESSES = {"situation": "map"}
# A path that Streamlit asks for and never serves: the default page stands at the root.
_ROOT = "start"


def _load_show(module: str) -> Callable[[], None]:
    shown: Callable[[], None] = import_module(f"dashboard.pages.{module}").show
    return shown


def _list_pages() -> dict[str, tuple[PageEntry, st.Page]]:
    """Return the pages by their path, the first one also under the root."""
    pages: dict[str, tuple[PageEntry, st.Page]] = {}
    for place, entry in enumerate(PAGES):
        show = _load_show(entry.module)
        if place == 0:
            # Streamlit serves it at the root only; an address that names it opens it too.
            pages[_ROOT] = entry, st.Page(show, title=_(entry.title), url_path=_ROOT, default=True)
        hidden: Literal["visible", "hidden"] = "hidden" if place == 0 else "visible"
        pages[entry.address] = entry, st.Page(show, title=_(entry.title), url_path=entry.address, visibility=hidden)
        for old in (old for old, address in OLD_ADDRESSES.items() if address == entry.address):
            pages[old] = entry, st.Page(show, title=_(entry.title), url_path=old, visibility="hidden")
    return pages


def run_page() -> None:
    """Show the requested page inside the frame that all pages share."""
    # Asked for each text, because a part of a page is drawn anew in a thread of its own.
    follow_language(read_language)
    pages = _list_pages()
    chosen = st.navigation([page for _entry, page in pages.values()], position="hidden")
    entry = next(entry for entry, page in pages.values() if page is chosen)
    if entry.module == "overview" and "layer" in st.query_params:  # kept from when the map opened by itself
        st.switch_page(pages["map"][1], query_params=st.query_params.to_dict())
    where, failure, current = read_site(), "", None
    try:
        current = open_current_release(where)
    except ReleaseError as error:
        failure = str(error)
    _show_frame(entry, current)
    try:
        if failure:
            st.error(escape_markdown(failure))
        else:
            chosen.run()
    except TactError as error:  # such as a damaged table of the workspace: it says which, and what to do
        st.error(escape_markdown(str(error)))


def _show_frame(entry: PageEntry, current: CurrentRelease | None) -> None:
    names = bar.list_area_names(current) if current else {}
    area = read_area()
    title = [names[area]] if entry.area and area in names else []
    st.set_page_config(page_title=" · ".join([*title, _(entry.title), "TACT Map"]), layout="wide", menu_items={})
    pages = [("./" if place == 0 else page.address, _(page.title), page is entry) for place, page in enumerate(PAGES)]
    with st.container(key="top"):
        st.html(bar.render_bar(read_site(), current, pages, names if entry.area else {}, entry.pathways))
