"""The address at which QGIS reads the layers from this server, and a file for QGIS that points there."""

from __future__ import annotations

import re
from functools import lru_cache, partial

import streamlit as st

from dashboard.pages.download.tokens import show_tokens
from dashboard.site import FEATURES
from dashboard.site.current_release import CurrentRelease, list_levels, may_download
from dashboard.site.reader import find_accounts
from dashboard.site.text import _, find_language, speak
from dashboard.widgets.page_frame import offer_file
from data.release import Release
from geo.export import qgis
from geo.layers import find_layer
from geo.layers.core import Layer
from geo.layers.core.words import LEVELS
from geo.layers.output import terms, wide

_SERVER = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?=/|$)")


def show_address(current: CurrentRelease) -> None:
    """Show the address where programs get in: with a token where people sign in, else on the public tier alone."""
    accounts = find_accounts()
    if not may_download(current.release) or (accounts is None and current.tier == "partner"):
        return
    address = make_address(st.context.url or "")
    st.caption(_("Live in QGIS: add a WFS / OGC API Features layer with the address {address}", address=f"`{address}`"))
    if address != FEATURES:
        _offer_layer_file(current, address, needs_token=accounts is not None)
    if accounts is not None:
        show_tokens(accounts)


def _offer_layer_file(current: CurrentRelease, address: str, *, needs_token: bool) -> None:
    offer_file(
        _("Download the layers for QGIS"),
        partial(make_layer_file, current, address, find_language(), needs_token=needs_token),
        current,
        f"{terms.name_files(current.release, invented=current.release.invented)}-live.qlr",
        "application/octet-stream",
        key="download-live",
    )


@lru_cache(maxsize=4)
def make_layer_file(current: CurrentRelease, address: str, language: str, *, needs_token: bool = False) -> bytes:
    """Return a QLR file with every layer at each level, as the address gives them, named in a language.

    needs_token : QGIS sends what the person has stored there as `qgis.AUTHENTICATION`.
    """
    release = current.release
    with speak(language):
        layers = [
            _describe_layer(release, find_layer(name), level)
            for name, levels in list_levels(current).items()
            for level in levels
        ]
        title = _("TACT Map, release {name}", name=release.name)
        if release.invented:
            title = f"{title} ({_(terms.INVENTED)})"
    source = qgis.Source(address, qgis.AUTHENTICATION if needs_token else "")
    return qgis.format_layer_file(title, source, layers, release.k).encode()


def _describe_layer(release: Release, layer: Layer, level: str) -> qgis.ServedLayer:
    """Return a layer as QGIS shall show it: its usual choices and, if it has periods, the longest and last one."""
    data = layer.read(release, wide.choose_latest_view(release, level))
    chosen = {option.id: option.default for option in layer.list_options(release, level)}
    if not layer.of_figures:
        chosen["period_label"] = next(
            label
            for label in wide.build_long_table(release, layer)["period_label"].unique()
            if label in data.legend.period
        )
    condition = " AND ".join(f"\"{name}\" = '{value}'" for name, value in chosen.items())
    return qgis.ServedLayer(f"{layer.id}_{level}", f"{_(layer.title)}: {_(LEVELS[level])}", data, condition)


def make_address(page: str) -> str:
    """Return the address for QGIS on the server of a page; the path alone where the page has no address."""
    found = _SERVER.match(page)
    return f"{found[0]}{FEATURES}" if found else FEATURES
