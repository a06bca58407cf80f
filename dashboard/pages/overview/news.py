"""The list of what is new in a release, which replaces the Overview if the address has `news=1`."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.narrative.digest import describe_news
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, open_earlier_release
from dashboard.site.text import _, html, join_markup
from dashboard.widgets.address import read_parameter


def show_news(current: CurrentRelease) -> bool:
    """Show what is new if the address asks for it and there is an earlier release; return whether it was shown."""
    earlier = open_earlier_release(read_site(), current) if read_parameter("news") == "1" else None
    if earlier is None:
        return False
    with st.container(key="news"):
        st.html(render_news(current, earlier))
    return True


def render_news(current: CurrentRelease, earlier: CurrentRelease) -> Markup:
    """Return what is new since the earlier release, with a link back to the Overview.

    Raises InputError for releases of different tiers.
    """
    topics = describe_news(current, earlier)
    sections = join_markup(
        html(
            "<section><h2>{}</h2><ul>{}</ul></section>",
            topic.title,
            join_markup(html("<li>{}</li>", sentence) for sentence in topic.sentences),
        )
        for topic in topics
    )
    return html(
        '<div class="digest"><h1>{}</h1><p>{} {}</p>{}<p class="onward"><a href="./" target="_self">{}</a></p></div>',
        _("What is new"),
        _("Release {now}, compared with release {before}.", now=current.release.name, before=earlier.release.name),
        _("A number is named only if the noise of both releases cannot explain its change.")
        if topics
        else _("Nothing changed that noise cannot explain."),
        sections,
        _("Overview"),
    )
