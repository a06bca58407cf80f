"""The Overview page, on which the product opens: findings, a map and a ranked list of unmet need, and what is new."""

from __future__ import annotations

import streamlit as st
from markupsafe import Markup

from dashboard.narrative.answer import word_advice
from dashboard.narrative.digest import describe_news
from dashboard.narrative.risk import name_pathways
from dashboard.narrative.speech import speak_to_reader
from dashboard.narrative.usual_plan import compute_usual_plan
from dashboard.pages.overview import partner, public
from dashboard.pages.overview.alerts import render_alerts
from dashboard.pages.overview.content import Content, render_answer
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, load_areas, open_earlier_release, read_risk_manifest
from dashboard.site.text import _, cache_by_language, html, join_markup
from dashboard.widgets import address, page_frame
from dashboard.widgets.address import read_parameter
from dashboard.widgets.picture import render_key, render_map, show_choices

_SEEN = "overview-area"


def show() -> None:
    """Show the page. The list is a part of its own, so that a change of its country or order draws only this part."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    if _show_news(current):
        return
    if current.tier == "partner" and read_risk_manifest(current) is None:
        _show_advice_alone(current)
        return
    pathway = address.read_pathway(list(name_pathways()))
    content = _make_content(current)
    with st.container(key="overview"):
        st.html(_render_answer(current))
        with st.container(key="overview-map"):
            st.html(_render_map(current))
        with st.container(key="overview-list"):
            page_frame.show_part(_show_list, current, pathway)
        st.html(render_alerts(content.alerts(open_earlier_release(read_site(), current))))
        show_choices(content.areas, address.read_area())


def _show_advice_alone(current: CurrentRelease) -> None:
    """Show what is known before `tact risk` has run: the advice of the Reallocate page, and what to do."""
    if not read_site().countries:
        with st.spinner(_("Calculating the plan. The first plan of a release takes about a minute.")):
            plan = compute_usual_plan(current)
        advice, noise = word_advice(speak_to_reader(current), plan), _("Numbers carry noise that protects children.")
        basis = _("For this advice alone, this page calculated the model from this release.") if plan else ""
        st.html(render_answer([advice], partner.list_links(plan)[:1], f"{basis} {noise}".strip()))
    page_frame.show_no_risk()


@cache_by_language(maxsize=16)
def _make_content(current: CurrentRelease) -> Content:
    make_content = partner.make_content if current.tier == "partner" else public.make_content
    return make_content(speak_to_reader(current), current)


@cache_by_language(maxsize=16)
def _render_answer(current: CurrentRelease) -> Markup:
    content = _make_content(current)
    return render_answer(content.findings, content.links, content.note)


@cache_by_language(maxsize=16)
def _render_map(current: CurrentRelease) -> Markup:
    content = _make_content(current)
    return render_map(load_areas(current.release), content.marks, content.flows, render_key(content.key))


@cache_by_language(maxsize=256)
def _render_rows(current: CurrentRelease, pathway: str, country: str, order: str) -> Markup:
    return _make_content(current).render_rows(country, order, pathway)


def _show_list(current: CurrentRelease, pathway: str) -> None:
    t, chosen, content = speak_to_reader(current), address.read_area(), _make_content(current)
    if chosen != st.session_state.get(_SEEN):  # the list follows an area that was chosen elsewhere
        st.session_state[_SEEN] = chosen
        if country := content.find_country(chosen):
            address.set_choice("land", country)
    with st.container(key="overview-choices", horizontal=True):
        countries = {code: t.name_area(code) for code in content.countries}
        shown = address.pick_segment("land", _("Country"), countries)
        order = address.pick_from_menu("rank", _("Rank by"), content.orders, next(iter(content.orders)))
    st.html(_render_rows(current, pathway, shown, order))
    if words := content.word_area(chosen, pathway):
        st.html(words)


def _show_news(current: CurrentRelease) -> bool:
    """Show what is new if the address asks for it and there is an earlier release; return whether it was shown."""
    earlier = open_earlier_release(read_site(), current) if read_parameter("news") == "1" else None
    if earlier is None:
        return False
    with st.container(key="news"):
        st.html(_render_news(current, earlier))
    return True


def _render_news(current: CurrentRelease, earlier: CurrentRelease) -> Markup:
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
