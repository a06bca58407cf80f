"""The table of a layer: the same content as the map, in words that a reader understands."""

from __future__ import annotations

import pandas as pd

from data.message import mark
from data.release import Release
from geo.layers.core import Layer, LayerData, View
from geo.layers.core.words import describe_state, format_number
from geo.layers.reading import tables

COLUMNS = (
    mark("Code"),
    mark("Area"),
    mark("Local name"),
    mark("Country"),
    mark("Value"),
    mark("Margin (±)"),
    mark("State"),
    mark("Source"),
    mark("Note"),
)
NOISY = mark("Published, with noise")


def build_table(release: Release, layer: Layer, view: View, data: LayerData | None = None) -> pd.DataFrame:
    """Build the table: one row per area, in the order of the areas; pass `data` if the layer was already read.

    Value is the text as shown (a class is "50 to 199"), empty where there is only a state. Counts of children have one
    more column: the number as published, with its margin.
    """
    layer_data = data or layer.read(release, view)
    frame, areas = layer_data.frame, tables.load_areas(release)
    names = areas.loc[frame.index]
    columns: tuple[list[str], ...] = (
        list(frame.index),
        list(names["name_en"]),
        list(names["name_local"]),
        list(names["country"].map(areas["name_en"])),
        list(layer_data.texts().values()),
        [format_number(m) for m in frame["margin"]],
        [describe_state(s, release.k, release.find_threshold(view.level)) for s in frame["state"]],
        [_source(layer, layer_data, s, y) for s, y in zip(frame["source"], frame["year"], strict=True)],
        list(frame["note"]),
    )
    table = pd.DataFrame(dict(zip(COLUMNS, columns, strict=True))).set_index(COLUMNS[0])
    if "noisy" in dict(layer.more):
        noisy = list(map(format_noisy, frame["noisy"], frame["noisy_margin"]))
        table.insert(list(table).index(COLUMNS[6]), NOISY, noisy)
    return table


def format_noisy(number: float, margin: float) -> str:
    """Return a published number as text, with its margin if it has one; empty if there is no number."""
    return f"{format_number(number)} ±{format_number(margin)}" if margin > 0 else format_number(number)


def _source(layer: Layer, data: LayerData, source: str, year: float) -> str:
    if not source:
        return "" if layer.of_figures else data.legend.source
    return source if pd.isna(year) or str(int(year)) in source else f"{source}, {int(year)}"
