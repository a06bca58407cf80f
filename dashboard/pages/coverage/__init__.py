"""The Coverage page: a matrix of gaps by area and axis, duty bearer or kind of help, and a map of chosen services."""

from __future__ import annotations

import pyarrow as pa
import streamlit as st
from markupsafe import Markup

from dashboard import map as live_map
from dashboard.map import legend, marks
from dashboard.map.shapes import describe_shapes
from dashboard.map.view import MapView
from dashboard.narrative import access
from dashboard.pages.coverage import matrix, summary
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, list_countries, load_areas, read_country_names
from dashboard.site.text import _, cache_by_language, translate
from dashboard.widgets import address, markup, page_frame
from dashboard.widgets.layer_table import tabulate_layer
from geo.layers import find_layer
from geo.layers.access import NOTE


def show() -> None:
    """Show the page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="coverage"):
        st.title(_("Coverage"), anchor=False)
    if "services" not in current_release.list_levels(current):
        page_frame.show_text(_("This release has only published figures, no services."))
        return
    if access.has_access(current):
        page_frame.show_part(_show_reached, current)
    elif current.tier == "public":
        page_frame.show_text(
            _(
                "The public tier shows services for counties and regions only. Access and gaps are calculated from "
                "numbers that are not public."
            )
        )
        page_frame.show_part(_show_services, current)
    else:
        page_frame.show_no_access()
    if not summary.has_kinds_of_help(current):
        page_frame.show_text(
            _(
                "This release has no kinds of help. A data officer can add the breakdown “help” to policy.toml "
                "(docs/policy.md) and make a release."
            )
        )
    with st.expander(_("Who runs the services of prevention and coordination")):
        for part in _render_carriers(current):
            st.html(part)


@cache_by_language(maxsize=16)
def _render_carriers(current: CurrentRelease) -> tuple[Markup, Markup]:
    table = markup.render_narrow(markup.render_table(summary.tabulate_carriers(current)))
    return table, markup.render_paragraphs(summary.suggest_handover(current))


def _show_reached(current: CurrentRelease) -> None:
    area, lands = address.read_area(), read_country_names(current)
    country = list_countries(current, area)[0]
    lead = st.empty()
    with st.container(key="coverage-row"):
        with st.container(key="coverage-matrix"):
            choices = {"axes": _("Axes of work"), "bearers": _("Duty bearers")}
            choices |= {"kinds": _("Kinds of help")} if summary.has_kinds_of_help(current) else {}
            columns = address.pick_segment("columns", _("Columns"), choices)
            st.html(markup.render_lands(lands, country))
            cells = st.empty()
        with st.container(key="coverage-map"):
            kind = address.pick_from_menu("services", _("Services"), summary.name_services(current), "all")
            shown = address.pick_segment("show", _("Show"), summary.name_measures())
            if summary.all_withheld(current, kind):
                page_frame.show_text(_("These services are withheld to protect people."))
            _show_map(current, summary.make_view(current, shown, kind, area))
        lead.html(markup.render_lead(matrix.word_answer(current, area, kind)))
        cells.html(matrix.render_matrix(current, country, columns, kind, area))
    with st.expander(_("Table")):
        st.dataframe(_tabulate_access(current, kind), hide_index=True)
        st.caption(translate(NOTE))
    with st.expander(_("All findings")):
        st.html(_render_headlines(current))
    with st.expander(_("How this is calculated")):
        gap = _(
            "A gap is named where it is likely that a child in need can reach less than half as many service places as "
            "the national average, and where no service within reach is withheld."
        )
        st.html(markup.render_list([gap, *access.describe_access(current)]))


@cache_by_language(maxsize=64)
def _tabulate_access(current: CurrentRelease, kind: str) -> pa.Table:
    return pa.Table.from_pandas(summary.tabulate_access(current, kind))


@cache_by_language(maxsize=16)
def _render_headlines(current: CurrentRelease) -> Markup:
    reach = matrix.list_reach(current, list_countries(current, ""))
    return markup.render_list([*summary.list_headlines(current), *reach])


def _show_services(current: CurrentRelease) -> None:
    kind = address.pick_from_menu("services", _("Services"), summary.name_services(current), "all")
    view = summary.make_view(current, "", kind, address.read_area())
    _show_map(current, view)
    with st.expander(_("Table")):
        st.dataframe(_tabulate_services(current, kind), hide_index=True)


@cache_by_language(maxsize=64)
def _tabulate_services(current: CurrentRelease, kind: str) -> pa.Table:
    view = summary.make_view(current, "", kind)
    rows = tabulate_layer(current.release, find_layer("services"), view.view())
    return pa.Table.from_pandas(rows, preserve_index=False)


def _show_map(current: CurrentRelease, view: MapView) -> None:
    areas = load_areas(current.release)

    def choose_area() -> None:
        place = live_map.read_clicked_place()
        if place is not None and (code := areas.locate(*place, view.level)):
            address.write_area(code)

    with st.container(key="mapbox"):
        values = marks.describe_view(current, areas, view)
        live_map.show_map(describe_shapes(current, in_page=True), values, on_click=choose_area)
        st.html(_render_legend(current, view))


@cache_by_language(maxsize=256)
def _render_legend(current: CurrentRelease, view: MapView) -> Markup:
    return legend.render_legend(marks.read_marks(current, view))
