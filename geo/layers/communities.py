"""Roma and Egyptian communities as partners estimate them: a range of people for each area, never a settlement.

The layer is drawn as outlines with a violet hatch, never as a fill. geo/layers/__init__.py says with which other layers
it may be combined.
"""

from __future__ import annotations

from data.message import mark
from geo.layers.core import Choice, Option, palette
from geo.layers.core.words import COMMUNITIES_NOTE
from geo.layers.reading.counted import Counted, Slice

CAUTION = mark(
    "Communities are shown so that services reach them. Nothing here says that a community causes trafficking."
)
_GROUP = Option(
    "group",
    mark("Community"),
    (
        Choice("roma", mark("Roma")),
        Choice("egyptian", mark("Egyptian")),
        Choice("roma_and_egyptian", mark("Roma and Egyptian together")),
    ),
    whole=False,
)


COUNTED = Counted(
    title=mark("Roma and Egyptian communities"),
    unit=mark("people (estimate)"),
    kind="hatch",
    colours=palette.VIOLET,
    options=(_GROUP,),
    locate=lambda choices: Slice("communities", category=choices["group"], column="group"),
    note=COMMUNITIES_NOTE,
)
LAYER = COUNTED.as_layer(
    "communities",
    mark("Communities"),
    mark("Where do Roma and Egyptian communities live, and about how many people belong to them?"),
    "community",
)
