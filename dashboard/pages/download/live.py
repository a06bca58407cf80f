"""The address at which QGIS reads the layers from this server, and files for QGIS with this address."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

import streamlit as st

from dashboard.pages.download.tokens import show_tokens
from dashboard.site import FEATURES
from dashboard.site.current_release import CurrentRelease, list_levels, load_areas, may_download
from dashboard.site.reader import find_accounts
from dashboard.site.text import _, find_language, speak
from dashboard.widgets.page_frame import offer_file
from data.release import Release
from geo.export import qgis
from geo.layers import find_layer
from geo.layers.core import Layer, View
from geo.layers.core.words import LEVELS
from geo.layers.output import columns, terms, wide

_SERVER = re.compile(r"https?://[A-Za-z0-9.:\[\]-]+(?=/|$)")


def show_address(current: CurrentRelease) -> None:
    """Show the address for programs and files for QGIS, and if people sign in here, the reader's tokens.

    Nothing is shown to readers who may not download files, and on the partner tier if nobody signs in.
    """
    accounts = find_accounts()
    if not may_download(current.release) or (accounts is None and current.tier == "partner"):
        return
    address = make_address(st.context.url or "")
    st.caption(_("Live in QGIS: add a WFS / OGC API Features layer with the address {address}", address=f"`{address}`"))
    if address != FEATURES:
        _offer_files(current, address, needs_token=accounts is not None)
    if accounts is not None:
        show_tokens(accounts)


def _offer_files(current: CurrentRelease, address: str, *, needs_token: bool) -> None:
    stem = f"{terms.name_files(current.release, invented=current.release.invented)}-live"
    labels = {"qgz": _("Download the project for QGIS"), "qlr": _("Download the layers for QGIS")}
    with st.container(horizontal=True):
        for ending, label in labels.items():
            make = partial(make_file, ending, current, address, find_language(), needs_token=needs_token)
            offer_file(label, make, current, f"{stem}.{ending}", "application/octet-stream", key=f"download-{ending}")


@lru_cache(maxsize=4)
def make_file(ending: str, current: CurrentRelease, address: str, language: str, *, needs_token: bool = False) -> bytes:
    """Return a file with which QGIS opens every layer at each level, with names in a language.

    ending : "qlr" for a file of layers, "qgz" for a project. address : the address at which this server offers the
    layers. needs_token : whether QGIS sends the token that the person has stored in QGIS as `qgis.AUTHENTICATION`.
    """
    release = current.release
    with speak(language):
        layers = list(_list_layers(current))
        title = _("TACT Map, release {name}", name=release.name)
        if release.invented:
            title = f"{title} ({_(terms.INVENTED)})"
    source = qgis.Source(address, qgis.AUTHENTICATION if needs_token else "")
    if ending == "qlr":
        return qgis.format_layer_file(title, source, layers).encode()
    shapes = load_areas(release).frame("country").geometry
    west, south, east, north = shapes.to_crs(3035).total_bounds
    return qgis.pack_project(title, source, layers, (west, south, east, north))


def _list_layers(current: CurrentRelease) -> Iterator[qgis.ServedLayer]:
    """Yield the outline of the countries, then each layer at each level for its last and longest period.

    Layers with several periods follow once more, with all their shortest periods.
    """
    release, levels = current.release, list_levels(current)
    pairs = [
        (find_layer(name), level)
        for name in levels
        for level in sorted(levels[name], key=lambda name: name != "region")
    ]
    shown = [_describe_layer(release, layer, level) for layer, level in pairs]
    outlines = [item for item, (_layer, level) in zip(shown, pairs, strict=True) if level == "country"]
    for outline in outlines[:1]:
        yield replace(outline, title=_("Countries"), data=None, about="")
    yield from shown
    for layer, level in pairs:
        periods = () if layer.of_figures else layer.periods(release, View(level, ""))
        if len(periods) > 1:
            yield _describe_times(release, layer, level, periods)


def _describe_layer(release: Release, layer: Layer, level: str) -> qgis.ServedLayer:
    """Return a layer as QGIS shows it first: with its default choices and, if it has periods, its last longest one."""
    data = layer.read(release, wide.choose_latest_view(release, level))
    shown = {}
    if not layer.of_figures:
        labels = wide.build_long_table(release, layer)["period_label"].unique()
        shown["period_label"] = next(label for label in labels if label in data.legend.period)
    condition = columns.write_filter(release, layer, level, shown)
    about = _explain_columns(release, layer)
    least = release.find_threshold(level)
    return qgis.ServedLayer(f"{layer.id}_{level}", _name_layer(layer, level), data, condition, least, about=about)


def _describe_times(release: Release, layer: Layer, level: str, periods: Sequence[str]) -> qgis.ServedLayer:
    """Return a layer with its default choices and its shortest periods, which QGIS shows one after the other."""
    data = layer.read(release, View(level, periods[-1]))
    condition = columns.write_filter(release, layer, level, period=periods[-1])
    title = _("{layer}, over time", layer=_name_layer(layer, level))
    about = _explain_columns(release, layer)
    least = release.find_threshold(level)
    return qgis.ServedLayer(f"{layer.id}_{level}", title, data, condition, least, is_timed=True, about=about)


def _explain_columns(release: Release, layer: Layer) -> str:
    """Return the question of a layer, how its rows must not be used, and the meaning of each column, in words."""
    table = wide.build_long_table(release, layer)
    # Without the column country: the attack on files would take a number after a country's name as its number.
    meanings = columns.list_meanings(layer, table.columns.drop("country"))
    return "\n".join([_(layer.question), _(columns.DO_NOT_SUM), *(f"{name}: {_(words)}" for name, words in meanings)])


def _name_layer(layer: Layer, level: str) -> str:
    return f"{_(layer.title)}: {_(LEVELS[level])}"


def make_address(page: str) -> str:
    """Return the address for QGIS on the server of a page; only the path if `page` has no server in it."""
    match = _SERVER.match(page)
    return f"{match[0]}{FEATURES}" if match else FEATURES
