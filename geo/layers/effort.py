"""Outreach days by area: they show where children were looked for, and help to interpret every other number."""

from __future__ import annotations

from data.message import mark
from geo.layers.core import palette
from geo.layers.reading.counted import Counted, Slice

COUNTED = Counted(
    title=mark("Outreach days"),
    unit=mark("outreach days"),
    kind="fill",
    colours=palette.EFFORT,
    options=(),
    locate=lambda _choices: Slice("effort"),
    note=mark(
        "Working days of outreach in streets, communities, schools and at the border. They do not say "
        "how many children are there."
    ),
)
LAYER = COUNTED.as_layer("effort", mark("Outreach"), mark("Where did the partners do outreach, and how much?"))
