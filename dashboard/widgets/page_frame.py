"""The frame of every page: style sheet, bar, banner of invented data; and pages without content."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import streamlit as st
from markupsafe import Markup

from dashboard.site import Site
from dashboard.site.text import _, html
from data.release import Release

_STYLES = Path(__file__).resolve().parents[2] / "static" / "theme.css"
_MOST_PERIODS = 60
_TIERS = {"partner": "Partner tier: protected, not anonymous", "public": "Public tier"}


def show_frame(site: Site, release: Release | None) -> None:
    """Show the bar, and the banner if the numbers are invented."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    st.html(_read_styles(f"/{base}" if base else ""))
    with st.container(key="top"):
        st.html(_render_bar(site, release))
        if release is not None and release.invented:
            st.html(
                html(
                    '<div class="invented" role="note">{}</div>',
                    _("Invented data. Nothing on this page is about real children."),
                )
            )


def _render_bar(site: Site, release: Release | None) -> Markup:
    return html(
        '<div class="topbar"><strong>TACT Map</strong><span class="lands">{}</span>'
        '<span class="tier">{}</span><span class="release">{}</span></div>',
        _("Albania and Greece"),
        _(_TIERS[site.tier]),
        _("No release yet") if release is None else _format_release(release),
    )


def _format_release(release: Release) -> Markup:
    """Return the name of the release and whether it was checked. The Method page explains how."""
    name = html("{}", _("Release {name}", name=release.name))
    audit = release.manifest["tact"].get("audit")
    if not isinstance(audit, dict):
        return name
    if not audit.get("passed"):
        return name + html(" · {}", _("not tested"))
    return name + html(
        ' · <a href="method" target="_self" title="{}">{}</a>',
        _("Before a release is published, the product attacks it to test the protection. See Method."),
        _("tested before release"),
    )


def show_no_risk() -> None:
    """Show what to do if the risk model was not fitted to the release."""
    _show_to_do(
        _("The risk model has not been calculated for this release"),
        _("A data officer can do that in less than a minute:"),
        "tact risk",
        _("Then it is shown here and as a new layer on the map."),
    )


def show_no_access() -> None:
    """Show what to do if access to services was not calculated for the release."""
    _show_to_do(
        _("Access to services has not been calculated for this release"),
        _("A data officer can do that in less than a minute:"),
        "tact risk",
        _("Then it is shown here and as a new layer on the map."),
    )


def show_no_release() -> None:
    """Show what to do if there is no release."""
    _show_to_do(
        _("There is no release to show yet"),
        _("A data officer imports the partners' files and makes a release:"),
        "tact import FILE\ntact release",
        _("Then it is shown here. To try the product first, build the demo with invented data:"),
        "tact demo",
    )


def _show_to_do(title: str, sentence: str, command: str, hint: str, other: str = "") -> None:
    with st.container(key="empty"):
        st.html(
            html(
                "<h2>{}</h2><p>{}</p><pre>{}</pre><p>{}</p>{}",
                title,
                sentence,
                command,
                hint,
                html("<pre>{}</pre>", other) if other else "",
            )
        )


@lru_cache(maxsize=4)
def _read_styles(base: str) -> str:
    """Return the style sheet with the addresses of its fonts under the base path of the site."""
    text = _STYLES.read_text(encoding="utf-8").replace("url(fonts/", f"url({base}/assets/fonts/")
    # Only the map's frame needs it.
    text = text.replace("@import url(leaflet/leaflet.css);", "")
    # The slider spans from the middle of the first bar to that of the last, so it must know how many.
    counts = (f".st-key-strip:has(.bars.n{n}){{--periods:{n}}}" for n in range(2, _MOST_PERIODS + 1))
    return f"<style>{text}{''.join(counts)}</style>"
