"""Whom a plan serves: the share of need that is met by country, where communities live, and by area."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from dashboard.pages.reallocate.summary import children, percent
from dashboard.site.current_release import CurrentRelease, read_area_names, read_country_names
from dashboard.site.text import _
from geo.layers.core.words import mark

Told = Mapping[str, Any]

_GROUPS = {
    "country": mark("{country}"),
    "communities": mark("{country}: areas where Roma and Egyptian communities live"),
    "elsewhere": mark("{country}: other areas"),
}


def by_group(current: CurrentRelease, told: Told) -> pd.DataFrame:
    """Give the share of need that is met, by country, and where communities live and elsewhere."""
    land = read_country_names(current)
    rows = [
        (
            _(_GROUPS[one["group"]], country=land.get(one["area"], one["area"])),
            int(one["areas"]),
            children(one["need"]),
            percent(one["today"]),
            percent(one["planned"]),
        )
        for one in told["equity"]
    ]
    head = [_("Where"), _("Areas"), _("Children in need a quarter"), _("Need met today"), _("As planned")]
    return pd.DataFrame(rows, columns=head)


def by_area(current: CurrentRelease, told: Told) -> pd.DataFrame:
    """Give for each area the units and the share of need that is met, today and as planned."""
    known = read_area_names(current)
    rows = [
        (
            str(known.get(one["area"], one["area"])),
            _units(one["units_today"], one["units_planned"]),
            children(one["need"]),
            percent(one["today"] / one["need"]) if one["need"] else "–",
            percent(one["planned"] / one["need"]) if one["need"] else "–",
        )
        for one in told["coverage"]
    ]
    head = [
        _("County or region"),
        _("Units"),
        _("Children in need a quarter"),
        _("Need met today"),
        _("As planned"),
    ]
    return pd.DataFrame(rows, columns=head)


def _units(today: Mapping[str, int], planned: Mapping[str, int]) -> str:
    """Write the units of each kind, and what becomes of them where that changes."""
    told = [
        f"{kind}: {count}" if count == planned[kind] else f"{kind}: {count} → {planned[kind]}"
        for kind, count in today.items()
        if count or planned[kind]
    ]
    return ", ".join(told) or "–"
