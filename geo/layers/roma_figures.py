"""Published figures on Roma and Egyptian inhabitants, and "no published figure" where there is none.

Figures of different sources differ by a factor of 2 to 14, so no rates are computed from them.
"""

from __future__ import annotations

from data.message import mark
from geo.layers.core import Choice, Option, palette
from geo.layers.core.words import COMMUNITIES_NOTE
from geo.layers.reading.published import Figure, Published

_PEOPLE, _OF_AREA = mark("people"), mark("% of the area's population")
_FIGURES = {
    "roma": Figure("roma", "number", _PEOPLE),
    "egyptian": Figure("egyptian", "number", _PEOPLE),
    "roma-share": Figure("roma", "share", _OF_AREA),
    "egyptian-share": Figure("egyptian", "share", _OF_AREA),
    "together-share": Figure("roma_and_egyptian", "share", _OF_AREA),
    "national-share": Figure("roma_share_of_national", "share", mark("% of the country's Roma population")),
}
_FIGURE = Option(
    "figure",
    mark("Figure"),
    (
        Choice("roma", mark("Roma, number")),
        Choice("egyptian", mark("Egyptians, number")),
        Choice("roma-share", mark("Roma, share of the area's population")),
        Choice("egyptian-share", mark("Egyptians, share of the area's population")),
        Choice("together-share", mark("Roma and Egyptians, share of the area's population")),
        Choice("national-share", mark("Roma, share of the country's Roma population")),
    ),
)
_PUBLISHED = Published(
    title=mark("Published figures"),
    kind="hatch",
    colours=palette.VIOLET,
    options=(_FIGURE,),
    figures=_FIGURES,
    note=COMMUNITIES_NOTE,
)
LAYER = _PUBLISHED.as_layer(
    "roma_figures",
    mark("Roma and Egyptian figures"),
    mark("How many Roma and Egyptian people live where, according to published figures?"),
    "community",
)
