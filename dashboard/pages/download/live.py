"""The address at which QGIS reads the layers from this server."""

from __future__ import annotations

import re

import streamlit as st

from dashboard.site import FEATURES
from dashboard.site.current_release import CurrentRelease
from dashboard.site.reader import find_accounts
from dashboard.site.text import _

_SERVER = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?=/|$)")


def show_address(current: CurrentRelease) -> None:
    """Show the address, where programs without a cookie get in: of the public tier, if nobody signs in."""
    if current.tier == "public" and find_accounts() is None:
        address = make_address(st.context.url or "")
        st.caption(
            _("Live in QGIS: add a WFS / OGC API Features layer with the address {address}", address=f"`{address}`")
        )


def make_address(page: str) -> str:
    """Return the address for QGIS on the server of a page; the path alone where the page has no address."""
    found = _SERVER.match(page)
    return f"{found[0]}{FEATURES}" if found else FEATURES
