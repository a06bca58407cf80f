"""The Trends page: children met and outreach of an area over time, changes, breaks, and forecasts."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative.evaluation import format_verdict, is_beaten
from dashboard.narrative.shift import list_shifts
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.trends import breaks, charts, summary
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease, name_regions
from dashboard.site.text import _, escape_markdown
from dashboard.widgets import address, markup, page_frame
from risk.model.breaks import read_breaks


def show() -> None:
    """Show the page."""
    current = current_release.open_current_release(read_site())
    if current is None:
        page_frame.show_no_release()
        return
    st.title(_("Trends"), anchor=False)
    if "encounters" not in current_release.list_levels(current):
        st.html(markup.render_paragraphs([_("This release has only published figures, so there are no trends.")]))
        return
    st.fragment(_show_public if current.tier == "public" else _show_partner)(current)
    _show_statements(current)


def _show_public(current: CurrentRelease) -> None:
    area = address.find_area(current, name_regions(current), summary.find_first_area(current))
    st.subheader(name_regions(current)[area], anchor=False)
    met = summary.read_met(current, area, "all")
    with st.container(width=_YEARS):
        st.altair_chart(charts.draw_met(met, met.head(0), {}), width="stretch")
        st.html(markup.render_paragraphs(["; ".join(charts.list_signs([met]))]))
        st.html(markup.render_table(summary.tabulate_years(current, area)))
        st.html(markup.render_paragraphs([_("Outreach is published in ranges. More outreach finds more children.")]))


def _show_partner(current: CurrentRelease) -> None:
    pathways = summary.name_pathways(current)
    pathway = address.read_pathway(list(pathways))
    area = address.find_area(current, name_regions(current), summary.find_first_area(current))
    st.subheader(f"{name_regions(current)[area]} · {pathways[pathway]}", anchor=False)
    met, days = summary.read_met(current, area, pathway), summary.read_effort(current, area)
    ahead, shares = summary.read_expected(current, area, pathway), summary.read_share(current, area)
    manifest = current_release.read_risk_manifest(current)
    accepted = read_breaks(read_site().derived)
    marks = breaks.name_breaks(current, accepted, area, pathway)
    periods = [*met["period"], *ahead["period"]]
    st.altair_chart(charts.draw_met(met, ahead, marks), width="stretch")
    st.altair_chart(charts.draw_effort(days, periods, last=shares.empty), width="stretch")
    if len(shares):
        st.altair_chart(charts.draw_share(shares, periods), width="stretch")
    st.html(markup.render_paragraphs(["; ".join([_(_LINES), *charts.list_signs([met, days])]) + "."]))
    if manifest and is_beaten(manifest.evaluation):
        st.warning(escape_markdown(format_verdict(manifest.evaluation)))
    _show_section(_("Changes here"))
    st.html(markup.render_list([*marks.values(), *breaks.list_changes(current, accepted, area, pathway), _(_EFFORT)]))
    breaks.ask_about_breaks(current, accepted, area, pathway)
    with st.expander(_("Changes of counts in all areas")):
        st.dataframe(summary.tabulate_count_changes(current, pathway), hide_index=True)
    with st.expander(_("Table")):
        st.dataframe(summary.tabulate_series(current, area, pathway), hide_index=True)


_YEARS = 640  # pixels: few bars need no more
_LINES = (
    "Thin lines: the true number of children identified or met lies on them; for the forecast, the 80 % "
    "interval. Band: 95 % interval of the share"
)
_EFFORT = "More outreach finds more children: read every change together with the outreach days."


def _show_statements(current: CurrentRelease) -> None:
    if sentences := list_shifts(speak_to_reader(current), current):
        _show_section(_("Has the share of internal trafficking grown?"))
        st.html(markup.render_paragraphs([_(_SHIFTS)]))
        st.html(markup.render_list(sentences))
    elif current.tier == "partner" and current_release.read_risk_manifest(current) is None:
        page_frame.show_no_risk()


_SHIFTS = (
    "The last complete year compared with the first, by one model of both cities. Noise, chance and repeated tests "
    "in each year are taken into account; more outreach alone does not change a share."
)


def _show_section(title: str) -> None:
    st.header(title, anchor=False)
