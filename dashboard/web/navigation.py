"""The list of pages. A page can be opened only through this module."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Literal

import streamlit as st

from dashboard.site import read_site
from dashboard.site.current_release import open_current_release
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import page_frame
from data.errors import ReleaseError, TactError

# Section, module in dashboard/pages, title, address. The first one opens by itself.
PAGES: tuple[tuple[str, str, str, str], ...] = (
    ("Look", "situation", "Situation", "situation"),
    ("Look", "risk", "Risk", "risk"),
    ("Look", "flows", "Flows", "flows"),
    ("Look", "coverage", "Coverage", "coverage"),
    ("Look", "trends", "Trends", "trends"),
    ("Decide", "reallocate", "Reallocate", "reallocate"),
    ("Take away", "download", "Download", "download"),
    ("Take away", "method", "Method", "method"),
)
# A path that Streamlit asks for and never serves: the default page stands at the root.
_ROOT = "start"


def _load_show(module: str) -> Callable[[], None]:
    shown: Callable[[], None] = import_module(f"dashboard.pages.{module}").show
    return shown


def _list_pages() -> dict[str, list[st.Page]]:
    sections: dict[str, list[st.Page]] = {}
    for section, module, title, address in PAGES:
        if find_spec(f"dashboard.pages.{module}") is None:
            continue
        show, first = _load_show(module), not sections
        listed = sections.setdefault(_(section), [])
        if first:
            # Streamlit serves it at the root only; an address that names it opens it too.
            listed.append(st.Page(show, title=_(title), url_path=_ROOT, default=True))
        hidden: Literal["visible", "hidden"] = "hidden" if first else "visible"
        listed.append(st.Page(show, title=_(title), url_path=address, visibility=hidden))
    return sections


def run_page() -> None:
    """Show the requested page inside the frame that all pages share."""
    st.set_page_config(page_title="TACT Map", layout="wide", menu_items={})
    chosen = st.navigation(_list_pages(), position="sidebar")
    where = read_site()
    try:
        shown = open_current_release(where)
    except ReleaseError as error:
        page_frame.show_frame(where, None)
        st.error(escape_markdown(str(error)))
        return
    page_frame.show_frame(where, shown.release if shown else None)
    try:
        chosen.run()
    except TactError as error:  # such as a damaged table of the workspace: it says which, and what to do
        st.error(escape_markdown(str(error)))
