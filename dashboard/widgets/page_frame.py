"""What stands around every page: its title, the bar above it, the banner of an invented world."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.site import Site
from dashboard.site.text import _, html
from dashboard.widgets import theme
from data.release import Release

__all__ = ["around", "empty", "without_access", "without_risk"]

_TIERS = {
    "partner": "Partner tier: protected, not anonymous",
    "public": "Public tier",
}


def around(site: Site, release: Release | None) -> None:
    """Draw the bar, and the banner where the numbers are invented."""
    theme.apply()
    with st.container(key="top"):
        st.html(_bar(site, release))
        if release is not None and release.invented:
            st.html(
                html(
                    '<div class="invented" role="note">{}</div>',
                    _("Invented data. Nothing on this page is about real children."),
                )
            )


def _bar(site: Site, release: Release | None) -> Markup:
    return html(
        '<div class="topbar"><strong>TACT Map</strong><span class="lands">{}</span>'
        '<span class="tier">{}</span><span class="release">{}</span></div>',
        _("Albania and Greece"),
        _(_TIERS[site.tier]),
        _("No release yet") if release is None else _release(release),
    )


def _release(release: Release) -> Markup:
    """Name the release, and say that it was checked; how, the Method page tells."""
    name = html("{}", _("Release {name}", name=release.name))
    audit = release.manifest["tact"].get("audit")
    if not isinstance(audit, dict):
        return name
    if not audit.get("passed"):
        return name + html(" · {}", _("not checked"))
    return name + html(
        ' · <a href="method" target="_self" title="{}">{}</a>',
        _("Before a release is published, the product tries to work out from it what it hides. See Method."),
        _("checked before release"),
    )


def without_risk() -> None:
    """Say what to do while the risk model was not fitted to the release that is shown."""
    with st.container(key="empty"):
        st.html(
            html(
                "<h2>{}</h2><p>{}</p><pre>tact risk</pre><p>{}</p>",
                _("The risk model was not fitted to this release yet"),
                _("A data officer fits it, which takes less than a minute:"),
                _("Then this page shows it, and the map has a layer more."),
            )
        )


def without_access() -> None:
    """Say what to do while access to services was not worked out for the release that is shown."""
    with st.container(key="empty"):
        st.html(
            html(
                "<h2>{}</h2><p>{}</p><pre>tact risk</pre><p>{}</p>",
                _("Access to services was not worked out for this release yet"),
                _("A data officer does that, in less than a minute:"),
                _("Then this page shows it, and the map has a layer more."),
            )
        )


def empty() -> None:
    """Say what to do while there is no release."""
    with st.container(key="empty"):
        st.html(
            html(
                "<h2>{}</h2><p>{}</p><pre>tact import FILE\ntact release</pre><p>{}</p><pre>tact demo</pre>",
                _("There is no release to show yet"),
                _("A data officer imports the partners' files and makes a release:"),
                _("Then this page shows it. To look around first, build an invented world:"),
            )
        )
