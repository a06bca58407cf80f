"""Views: addresses of pages, as a meeting shows them; who may see a view, and its name."""

from __future__ import annotations

import re
from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

from dashboard.map.view import parse_address
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, list_levels, open_current_release, read_area_names
from dashboard.site.reader import Reader
from dashboard.site.text import _
from dashboard.web.admission import find_right
from dashboard.web.page_list import PAGES, PageEntry
from dashboard.web.pictures import has_picture
from dashboard.web.rooms import clean_view
from dashboard.widgets.address import ADD, PLAYED, RELEASE
from data.errors import TactError

_VALUE = re.compile(r"[A-Za-z0-9_.,:;/+-]*")
ADDRESSES = frozenset(page.address for page in PAGES)


def may_see(site: Site, reader: Reader, view: str) -> bool:
    """Return whether a reader may get the address of a view. This depends on the page and the layers of their tier.

    The address of the form that adds a view to an agenda contains the address of that view.
    """
    if find_right(f"/{urlsplit(view).path}") not in reader.rights:
        return False
    narrow = site.narrow(reader)
    if narrow.countries and not _is_within(narrow, view):
        return False
    page, parameters = split_view(view)
    added = clean_view(parameters.get(ADD), ADDRESSES)
    if added is not None and not may_see(site, reader, added):
        return False
    if narrow.tier == site.tier:
        return True
    if has_picture(page.module, "partner") and not has_picture(page.module, narrow.tier):
        return False
    if page.module != "situation":
        return True
    asked = parse_address(parameters)
    try:
        current = open_current_release(replace(narrow, asked=parameters.get(RELEASE, "")))
    except TactError:
        return False
    offered = list_levels(current) if current else {}
    return all(name in offered and asked.level in ("", *offered[name]) for name in asked.layers if name)


def split_view(view: str) -> tuple[PageEntry, dict[str, str]]:
    """Return the page of a view and its parameters. The view must be one that `clean_view` has returned."""
    asked = urlsplit(view)
    return next(page for page in PAGES if page.address == asked.path), dict(parse_qsl(asked.query))


def detach_view(view: str) -> tuple[str, str]:
    """Return a view without the parameters of an agenda, and the name of the release in it; empty if it has none.

    A parameter whose value has blanks or characters that no page writes is left out, because addresses are stored
    without a check for personal data.
    """
    page, parameters = split_view(view)
    query = urlencode({n: value for n, value in parameters.items() if n not in PLAYED and _VALUE.fullmatch(value)})
    return (f"{page.address}?{query}" if query else page.address), parameters.get(RELEASE, "")


def name_view(view: str, current: CurrentRelease | None) -> str:
    """Return the name of a view in the reader's language: its page, and the area that it is about."""
    page, parameters = split_view(view)
    area = parameters.get("area", "")
    names = dict(read_area_names(current)) if current is not None and area else {}
    return " · ".join([_(page.title), *([str(names[area])] if area in names else [])])


def _is_within(site: Site, view: str) -> bool:
    """Return whether the page of a view is within the limit of a site, and the view names no area outside of it."""
    page, parameters = split_view(view)
    try:
        release = site.release()
    except TactError:
        return False
    named = {word for value in parameters.values() for word in re.split(r"[^\w-]+", value)}
    return site.covers(page.module) and release is not None and not named & release.outside
