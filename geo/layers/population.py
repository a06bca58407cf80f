"""Population as censuses published it, each figure with its census and year."""

from __future__ import annotations

from geo.layers.core import Layer, palette
from geo.layers.core.words import mark
from geo.layers.reading.published import Figure, Published

__all__ = ["FIGURE", "LAYER"]

FIGURE = Figure("population", "number", mark("inhabitants"))
_PUBLISHED = Published(
    title=mark("Population"),
    kind="fill",
    colours=palette.POPULATION,
    options=(),
    figures={"population": FIGURE},
    note=mark(
        "Published census figures of different years, beside the programme's own numbers and never "
        "mixed with them."
    ),
)
LAYER = Layer(
    "population",
    mark("Population"),
    mark("How many people live in each area?"),
    "fill",
    (),
    _PUBLISHED.levels,
    _PUBLISHED.periods,
    _PUBLISHED.read,
    _PUBLISHED.rows,
    _PUBLISHED.offers,
    "published",
    of_figures=True,
)
