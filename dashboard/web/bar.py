"""The bar of every page: pages, area, pathway, period, language, address, projector, tier and release.

It is plain markup; its links and choices change the address. dashboard/static/shell.js opens the new address without
loading the page again, and updates the bar from the address.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from markupsafe import Markup

from dashboard.map import name_asset
from dashboard.site import ACCOUNT, NEWS, Site
from dashboard.site.current_release import (
    CurrentRelease,
    has_earlier_release,
    load_areas,
    may_download,
    name_regions,
    read_area_names,
    read_country_names,
)
from dashboard.site.text import LANGUAGE_NAMES, _, cache_by_language, find_language, format_period, html, join_markup
from data.message import mark
from data.release import Release
from data.tables.periods import Period
from data.tables.spec import Tier
from geo.layers.output import terms

_TIERS = {"partner": mark("Partner tier"), "public": mark("Public tier")}
_PATHWAYS = {"all": mark("All"), "internal": mark("Internal"), "cross_border": mark("Cross-border")}


@cache_by_language(maxsize=16)
def list_area_names(current: CurrentRelease) -> dict[str, str]:
    """Return the names of the areas in the bar, by code: countries, counties and regions. Shared: never change it."""
    table = load_areas(current.release).table
    shown = table[table["level"].isin(["country", "region"])]
    return {str(code): str(name) for code, name in read_area_names(current)[shown.index].items()}


def render_bar(
    site: Site,
    current: CurrentRelease | None,
    pages: Sequence[tuple[str, str, bool]],
    pathways: Sequence[str],
    area: str = "",
    picture: str = "",
    person: str = "",
    strip: Markup | str = "",
    *,
    has_areas: bool = False,
    may_add: bool = False,
) -> Markup:
    """Return the bar of the map. `pages` has, for each page, its address, its title and whether it is shown.

    area : the chosen area if the bar offers it, else the offered area that contains it. has_areas : whether areas are
    offered. picture : the name of the page's picture, if it has one. person : who has signed in; empty if nobody does.
    strip : the strip of the shown view of an agenda. may_add : whether the view can be added to an agenda.
    """
    release = current.release if current else None
    period = _word_period(release) if release else ""
    has_news = site.covers("overview") and current is not None and has_earlier_release(site, current)
    return render_header(
        pages,
        [
            _render_areas(current, area) if current and has_areas else "",
            _render_release(current, tuple(pathways)) if current else "",
            render_dark() + html('<button class="projector" aria-pressed="false">{}</button>', _("Projector")),
            _render_share(picture if release and may_download(release) else "", may_add=may_add),
            render_languages(),
            _render_chip(current, site.tier, has_news=has_news),
        ],
        _("The map's computer is not answering. The map opens again by itself as soon as it does."),
        person=_render_person(person),
        meeting=html(
            '<button class="meet" aria-expanded="false" data-script="{}">{}</button>',
            name_asset("meeting.js"),
            _("Meeting"),
        ),
        period=html('<span class="period" title="{}: {}">{}</span>', _("Records of"), period, period) if period else "",
        line=join_markup([_render_news(release), strip]),
    )


def render_header(
    pages: Sequence[tuple[str, str, bool]],
    choices: Iterable[Markup | str],
    lost: str,
    name: str = "TACT Map",
    person: Markup | str = "",
    meeting: Markup | str = "",
    period: Markup | str = "",
    line: Markup | str = "",
) -> Markup:
    """Return a bar: links to the pages, period, who has signed in, the button of meetings, choices, and a line below.

    pages : address, title and whether it is shown, for each page. lost : the text if the server does not answer.
    """
    return html(
        '<header class="topbar" lang="{}" data-lost="{}" data-copied="{}" data-skip="{}" data-name="{}">'
        '<div class="pages"><a class="brand" href="./" target="_self">{}</a>'
        '<button class="menu" aria-expanded="false" aria-controls="tact-pages">{}</button>'
        '<nav id="tact-pages" aria-label="{}">{}</nav>{}</div><div class="choices">{}</div>{}</header>',
        find_language(),
        lost,
        _("Copied"),
        _("Skip to the page"),
        name,
        name,
        _("Pages"),
        _("Pages"),
        # The last ones are in the menu on a phone.
        join_markup([_render_pages(tuple(pages)), person, meeting, render_dark()]),
        join_markup([period, person, meeting]),
        join_markup(choices),
        line,
    )


@cache_by_language(maxsize=256)
def _render_pages(pages: tuple[tuple[str, str, bool], ...]) -> Markup:
    return join_markup(
        html('<a href="{}" target="_self"{}>{}</a>', address, Markup(' aria-current="page"') if shown else "", title)
        for address, title, shown in pages
    )


@cache_by_language(maxsize=512)
def _render_areas(current: CurrentRelease, area: str) -> Markup:
    countries, names = load_areas(current.release).table["country"], list_area_names(current)
    groups = []
    for country, name in read_country_names(current).items():
        inside = [code for code in name_regions(current) if countries[code] == country]
        options = [(name, country), *((names[code], code) for code in inside)]
        rows = join_markup(html('<option value="{}">{}</option>', code, words) for words, code in options)
        groups.append(html('<optgroup label="{}">{}</optgroup>', name, rows))
    return html(
        '<div class="area"><span aria-hidden="true">{0}</span>'
        '<select data-name="area" data-shown="{1}" aria-label="{0}"><option value="">{2}</option>{3}</select></div>',
        _("Area"),
        area,
        _("Both countries") if len(groups) > 1 else _("All"),
        join_markup(groups),
    )


@cache_by_language(maxsize=64)
def _render_release(current: CurrentRelease, pathways: tuple[str, ...]) -> Markup:
    """Return the pathways of a page, and a warning if the data of the release is invented."""
    release = current.release
    shown = [_render_pathways(pathways) if pathways else "", render_invented() if release.invented else ""]
    return join_markup(shown)


def _render_pathways(pathways: Sequence[str]) -> Markup:
    buttons = (
        html('<button data-pathway="{}" aria-pressed="false">{}</button>', code, _(_PATHWAYS[code]))
        for code in pathways
    )
    return html('<div class="pathway" role="group" aria-label="{}">{}</div>', _("Pathway"), join_markup(buttons))


def _word_period(release: Release) -> str:
    first, last = (release.manifest["tact"].get(name) for name in ("first", "last"))
    if not first or not last:
        return ""
    return format_period(Period(date.fromisoformat(first), date.fromisoformat(last), "whole").id)


def render_invented() -> Markup:
    """Return the warning that the data is invented."""
    return html(
        '<span class="invented" role="note">{} <span>{}</span></span>',
        _("Invented data."),
        _("Nothing on this page is about real children."),
    )


@cache_by_language(maxsize=128)
def _render_share(picture: str, *, may_add: bool) -> Markup:
    """Return the menu to share a page: its address, its picture in three formats, and the page on paper."""
    files = (
        html('<a href="picture/{}.{}" data-picture download>{}</a>', picture, kind, kind.upper())
        for kind in ("png", "svg", "pdf")
    )
    return html(
        '<details class="share"><summary>{}</summary><div><button class="copy">{}</button>{}'
        '<button class="print">{}</button>{}</div></details>',
        _("Share"),
        _("Copy the address of this view"),
        html('<p>{}</p><p class="files">{}</p>', _("A picture with its legend"), join_markup(files)) if picture else "",
        _("Print this page"),
        html('<button class="add">{}</button>', _("Add to an agenda")) if may_add else "",
    )


@cache_by_language(maxsize=8)
def render_dark() -> Markup:
    """Return the button that turns the page dark or light."""
    return html('<button class="dark" aria-pressed="false">{}</button>', _("Dark"))


@cache_by_language(maxsize=8)
def render_languages() -> Markup:
    """Return the languages as links."""
    links = (
        html(
            '<a data-lang="{0}" href="?lang={0}" target="_self" lang="{0}" hreflang="{0}" title="{1}"{2}>{3}</a>',
            code,
            name,
            Markup(' aria-current="true"') if code == find_language() else "",
            code.upper(),
        )
        for code, name in LANGUAGE_NAMES.items()
    )
    return html('<div class="languages" role="group" aria-label="{}">{}</div>', _("Language"), join_markup(links))


@cache_by_language(maxsize=64)
def _render_chip(current: CurrentRelease | None, tier: Tier, *, has_news: bool) -> Markup:
    """Return tier and release in a few words that open an explanation.

    has_news : whether there is an earlier release, so that the explanation links to what is new.
    """
    release = current.release if current else None
    name = _("No release yet") if release is None else _("release {name}", name=release.name)
    sentences = [_(terms.TIERS[tier])]
    if release is not None:
        words = _word_period(release)
        sentences += [_explain_audit(release), f"{_('Records of')}: {words}." if words else ""]
    news = html('<p><a href="{}" target="_self">{}</a></p>', NEWS, _("What is new")) if has_news else ""
    return html(
        '<details class="chip {}"><summary>{}<span> · {}</span></summary><div>{}{}'
        '<p><a href="method" target="_self">{}</a></p></div></details>',
        tier,
        _(_TIERS[tier]),
        name,
        join_markup(html("<p>{}</p>", sentence) for sentence in sentences if sentence),
        news,
        _("How the numbers are made and protected"),
    )


def _render_person(name: str) -> Markup:
    """Return the person who has signed in, as a link to their account with the sign-out; empty if nobody signs in."""
    if not name:
        return Markup("")
    words = _("{name}: your account, sign out", name=name)
    return html(
        '<a class="person" href=".{0}" target="_self" title="{1}" aria-label="{1}">{2}</a>', ACCOUNT, words, name
    )


def _render_news(release: Release | None) -> Markup:
    """Return the message that there is a newer release than the shown one; it is hidden until there is."""
    return html(
        '<div class="fresh" role="status" data-release="{}" hidden><b>{}</b><button data-words="{}"></button>'
        '<a href="{}" target="_self">{}</a></div>',
        release.name if release else "",
        _("New release"),
        _("Show release {name}", name="{name}"),
        NEWS,
        _("What is new"),
    )


def _explain_audit(release: Release) -> str:
    """Return a sentence on whether the protection of a release was tested; empty if its manifest does not say."""
    audit = release.manifest["tact"].get("audit")
    if not isinstance(audit, dict):
        return ""
    if not audit.get("passed"):
        return _("The protection of this release was not tested.")
    return _("Before this release was published, the product attacked it to test its protection, and it held.")
