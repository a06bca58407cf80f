"""Published population figures, each with its source and year."""

from __future__ import annotations

from data.message import mark
from geo.layers.core import palette
from geo.layers.reading.published import Figure, Published

FIGURE = Figure("population", "number", mark("population"))
_PUBLISHED = Published(
    title=mark("Population"),
    kind="fill",
    colours=palette.POPULATION,
    options=(),
    figures={"population": FIGURE},
    note=mark(
        "Census figures of different years. They are shown beside the programme's own numbers and "
        "never mixed with them."
    ),
)
LAYER = _PUBLISHED.as_layer("population", mark("Population"), mark("How many people live in each area?"), "published")
