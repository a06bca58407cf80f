"""The Trends page: a small chart of each area, and a large one of the chosen area with changes, breaks and forecast."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import streamlit as st
from markupsafe import Markup
from streamlit.delta_generator import DeltaGenerator

from dashboard.narrative.evaluation import warn_of_model
from dashboard.narrative.shift import list_shifts
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.trends import breaks, cells, multiples, summary
from dashboard.pages.trends.drawing import describe_trend
from dashboard.pages.trends.view import TrendView, ask_view, read_view
from dashboard.site import current_release, read_site
from dashboard.site.current_release import CurrentRelease, name_regions, read_country_names
from dashboard.site.text import _, cache_by_language, escape_markdown, html
from dashboard.widgets import markup, page_frame
from dashboard.widgets.chart import show_chart
from risk.model.breaks import Break, read_breaks


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="trends-title"):
        st.title(_("Trends"), anchor=False)
    if "encounters" not in current_release.list_levels(current):
        page_frame.show_text(_("This release has only published figures, so there are no trends."))
        return
    page_frame.show_part(_show_public if current.tier == "public" else _show_partner, current)
    if sentences := list_shifts(speak_to_reader(current), current):
        with st.expander(_("Has the share of internal trafficking grown?")):
            page_frame.show_text(
                _(
                    "The last complete year compared with the first, by one model of both cities. Noise, chance and "
                    "repeated tests in each year are taken into account; more outreach alone does not change a share."
                )
            )
            st.html(markup.render_list(sentences))
    elif current.tier == "partner" and current_release.read_risk_manifest(current) is None:
        page_frame.show_no_risk()


def _show_public(current: CurrentRelease) -> None:
    view = read_view(current)
    grid, detail = _open_columns()
    with grid:
        st.html(_render_public_cells(current, view))
    with detail:
        st.subheader(name_regions(current)[view.area], anchor=False)
        _show_chart(current, (), view, view.area, None)
        st.html(_render_years(current, view.area))
        page_frame.show_text(_("Outreach is published in ranges. More outreach finds more children."))
    _show_table_of_areas(current, view.pathway)


@cache_by_language(maxsize=128)
def _render_public_cells(current: CurrentRelease, view: TrendView) -> Markup:
    listed = cells.list_multiples(current, (), {}, view.pathway, view.measure)
    note = cells.word_scales(current, view.measure)
    return multiples.render_multiples(listed, read_country_names(current), view.area, {}, note)


@cache_by_language(maxsize=256)
def _render_years(current: CurrentRelease, area: str) -> Markup:
    return markup.render_table(summary.tabulate_years(current, area))


def _open_columns() -> tuple[DeltaGenerator, DeltaGenerator]:
    with st.container(key="trends"):
        return st.container(key="cells"), st.container(key="trend")


def _show_table_of_areas(current: CurrentRelease, pathway: str) -> None:
    with st.expander(_("Table: all areas")):
        st.dataframe(_tabulate_areas(current, pathway), hide_index=True)


@cache_by_language(maxsize=32)
def _tabulate_areas(current: CurrentRelease, pathway: str) -> pa.Table:
    return pa.Table.from_pandas(summary.tabulate_areas(current, pathway))


def _show_partner(current: CurrentRelease) -> None:
    pathway, accepted = read_view(current).pathway, read_breaks(read_site().derived)
    badges = cells.judge_changes(current, accepted, pathway)
    if answer := cells.find_answer(current, badges):
        st.html(markup.render_lead(answer))
    manifest = current_release.read_risk_manifest(current)
    if warning := warn_of_model(manifest.evaluation if manifest else None):
        st.warning(escape_markdown(warning))
    view = ask_view(current)
    grid, detail = _open_columns()
    with grid:
        listed = cells.list_multiples(current, accepted, badges, pathway, view.measure)
        note = cells.word_scales(current, view.measure)
        st.html(multiples.render_multiples(listed, read_country_names(current), view.area, view.choices, note))
    with detail:
        _show_trend(current, accepted, view)
    with st.expander(_("Changes of counts in all areas")):
        st.dataframe(summary.tabulate_count_changes(current, pathway), hide_index=True)
    _show_table_of_areas(current, pathway)


def _show_trend(current: CurrentRelease, accepted: Sequence[Break], view: TrendView) -> None:
    """Show the large chart of the chosen area, that of a second area if one is chosen, and sentences on changes."""
    pathways, names = summary.name_pathways(current), summary.name_others(current)
    area, pathway = view.area, view.pathway
    st.subheader(f"{names[area]} · {pathways[pathway]}", anchor=False)
    most = summary.find_most(current, view.areas, pathway)
    for code in view.areas:
        if code != area:
            st.html(html('<p class="other">{}</p>', names[code]))
        _show_chart(current, accepted, view, code, most)
    page_frame.show_text(*breaks.list_latest_changes(current, accepted, area, pathway))
    with st.expander(_("Breaks and changes found here")):
        effort = _("More outreach finds more children: read every change together with the outreach days.")
        st.html(markup.render_list([*breaks.list_details(current, accepted, area, pathway), effort]))
    breaks.ask_about_breaks(current, accepted, area, pathway)
    with st.expander(_("Table")):
        st.dataframe(_tabulate_series(current, area, pathway), hide_index=True)


@cache_by_language(maxsize=256)
def _tabulate_series(current: CurrentRelease, area: str, pathway: str) -> pa.Table:
    return pa.Table.from_pandas(summary.tabulate_series(current, area, pathway))


def _show_chart(
    current: CurrentRelease, accepted: Sequence[Break], view: TrendView, area: str, most: float | None
) -> None:
    drawn = describe_trend(read_site(), current, tuple(accepted), area, view.pathway, view.measure, most)
    if drawn is None:
        page_frame.show_text(_("no number"))
        return
    chart, signs = drawn
    show_chart(chart, width="stretch")
    st.html(markup.render_note("; ".join(signs)))
