"""The line above each page of a release that says what is missing in it, and what follows."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative.completeness import read_gaps, read_late
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, html

_LAST_QUARTER = ("overview", "situation", "trends", "method")


def show_gaps(current: CurrentRelease, page: str) -> None:
    """Show what is missing in the release, with a link to what each partner sent; nothing if nothing is missing.

    Pages that show the number of the last quarter also say if its records are still coming.
    """
    late = read_late(current) if page in _LAST_QUARTER else []
    if sentences := [*read_gaps(current), *late]:
        link = html('<a href="method" target="_self">{}</a>', _("What each partner sent"))
        shown = link if current.tier == "partner" else ""
        st.html(html('<p class="gapline" role="status">{} {}</p>', " ".join(sentences), shown))
