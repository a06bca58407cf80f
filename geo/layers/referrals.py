"""Victims and potential victims of trafficking identified in a year, as published, by country only."""

from __future__ import annotations

from data.message import mark
from geo.layers.core import Choice, Option, palette
from geo.layers.reading.published import Figure, Published

_FIGURES = {
    "victims": Figure("victims", "number", mark("people identified in the year")),
    "children": Figure("children_victims", "number", mark("children identified in the year")),
    "mobile-units": Figure("found_by_mobile_units", "number", mark("people identified by mobile units in the year")),
}
_WHO = Option(
    "who",
    mark("Who"),
    (
        Choice("victims", mark("All victims and potential victims")),
        Choice("children", mark("children")),
        Choice("mobile-units", mark("identified by mobile units")),
    ),
)
_PUBLISHED = Published(
    title=mark("Victims identified (published figures)"),
    kind="circle",
    colours=(palette.COUNTS,),
    options=(_WHO,),
    figures=_FIGURES,
    note=mark(
        "People whom the authorities identified as victims or potential victims in a year. It is not "
        "the number of all victims, and the two countries count differently."
    ),
    moving=True,
)
LAYER = _PUBLISHED.as_layer(
    "referrals",
    mark("Victims identified"),
    mark("How many victims of trafficking did each country identify in a year?"),
    "published",
)
