"""Who can reach which services, how far the nearest is, where the gaps are, and who carries the services."""

from __future__ import annotations

import streamlit as st

from dashboard import coveragepage, frame, legend, mapview, picking, prose, reading, situation
from dashboard.access import site
from dashboard.geometry import areas_of
from dashboard.reading import Held
from dashboard.state import Situation
from dashboard.text import _, translated
from geo.layers import layer
from geo.layers.access import MEANT
from geo.layers.table import table as layer_table

__all__ = ["show"]


def show() -> None:
    """Draw the page."""
    of = reading.held(site())
    if of is None:
        frame.empty()
        return
    st.title(_("Coverage"), anchor=False)
    if "services" not in reading.levels(of):
        st.html(prose.paragraphs([_("This release holds published figures alone, and no services.")]))
        return
    if coveragepage.has_access(of):
        st.html(prose.paragraphs([_(_QUESTION), _(_GAP)]))
        with st.container(border=True, key="gaps"):
            st.html(prose.listed(coveragepage.headlines(of)))
        st.fragment(_reached)(of)
    elif of.tier == "public":
        st.html(prose.paragraphs([_(_PUBLIC)]))
        st.fragment(_services)(of)
    else:
        frame.without_access()
    _carried(of)


_QUESTION = "Which services can children in need reach, how far is the nearest, and where is there a gap?"
_GAP = (
    "A gap is named where children in need can reach less than half as many places as their country has for "
    "each of them, where that is at least 80 % sure, and where all services in reach are shown."
)
_PUBLIC = (
    "The public tier shows services by county and region alone. How many of them children in need can reach, "
    "and where there are gaps, is worked out from numbers that are not public."
)


def _reached(of: Held) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="choices"):
        shown = picking.segments("show", _("Show"), coveragepage.shown())
        kind = picking.menu("services", _("Services"), coveragepage.kinds(of), "all")
    if coveragepage.none_shown(of, kind):
        st.html(prose.paragraphs([_("Of these services none is shown, to protect people.")]))
    _map(of, coveragepage.view(of, shown, kind))
    st.dataframe(coveragepage.table(of, kind), hide_index=True)
    st.caption(translated(MEANT))
    with st.expander(_("How this is worked out")):
        st.html(prose.listed(coveragepage.reckoned(of)))


def _services(of: Held) -> None:
    kind = picking.menu("services", _("Services"), coveragepage.kinds(of), "all")
    seen = coveragepage.view(of, "", kind)
    _map(of, seen)
    rows = layer_table(of.release, layer("services"), seen.view()).reset_index()
    st.dataframe(situation.told_apart(rows), hide_index=True)


def _map(of: Held, seen: Situation) -> None:
    with st.container(key="mapbox"):
        values = situation.values(of, areas_of(of.release), seen)
        mapview.show(situation.within(of), values, on_click=lambda: None)
        st.html(legend.legend(coveragepage.map_marks(of, seen)))


def _carried(of: Held) -> None:
    st.header(_("Who carries the services"), anchor=False)
    st.html(prose.narrow(prose.table(coveragepage.carriers(of))))
    st.html(prose.paragraphs(coveragepage.hint(of)))
