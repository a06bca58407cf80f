"""Outreach days by area: where somebody looked, without which no other number can be read right."""

from __future__ import annotations

from geo.layers.core import palette
from geo.layers.core.words import mark
from geo.layers.reading.counted import Counted, Slice

COUNTED = Counted(
    title=mark("Outreach effort"),
    unit=mark("outreach days"),
    kind="fill",
    colours=palette.EFFORT,
    options=(),
    locate=lambda _chosen: Slice("effort"),
    note=mark(
        "Days that teams spent in the street, in communities, in schools and at the border. It does not "
        "say how many children there are."
    ),
)
LAYER = COUNTED.as_layer(
    "effort",
    mark("Effort"),
    mark("Where did the partners look, and how much?"),
)
