"""Children by the stage at which they were first met, as a table whose cells are bars."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from markupsafe import Markup

from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, load_areas
from dashboard.site.text import _, html, join_markup, translate
from dashboard.widgets.cell import format_cell
from data.tables.spec import CATEGORIES
from geo.layers.encounters import WHICH_CHILDREN

_STAGE = "stage-"


@dataclass(frozen=True)
class Bar:
    """The words of a number or a state, and the length of its bar (0 to 1)."""

    words: str
    length: float = 0.0


def read_stages(current: CurrentRelease, areas: Mapping[str, str], period: str) -> pd.DataFrame:
    """Return a table of bars: a row for each stage (index: its words) and a column for each area (its name).

    areas : the name of each country, county or region by code. All bars have the same scale. Empty if the release does
    not have all stages of all these areas for the period.
    """
    labels = {choice.id: translate(choice.label) for choice in WHICH_CHILDREN.choices if choice.id.startswith(_STAGE)}
    cells = {
        name: [_read_cell(current, code, period, f"{_STAGE}{stage}") for stage in CATEGORIES["stage"]]
        for code, name in areas.items()
    }
    if any(cell is None for column in cells.values() for cell in column):
        return pd.DataFrame()
    complete = {name: [cell for cell in column if cell is not None] for name, column in cells.items()}
    most = max((cell["value"] for c in complete.values() for cell in c if not math.isnan(cell["value"])), default=1.0)
    bars = {name: [_make_bar(current, cell, max(most, 1.0)) for cell in column] for name, column in complete.items()}
    return pd.DataFrame(bars, index=[labels[f"{_STAGE}{stage}"] for stage in CATEGORIES["stage"]])


def _read_cell(current: CurrentRelease, area: str, period: str, choice: str) -> dict[Any, Any] | None:
    level, options = str(load_areas(current.release).table.loc[area, "level"]), (("of", choice),)
    if not current_release.has_layer(current, "encounters", level, options):
        return None
    if period not in current_release.list_periods(current, "encounters", level, period, options):
        return None
    frame = current_release.read_layer(current, "encounters", level, period, options).frame
    return frame.loc[area].to_dict()


def _make_bar(current: CurrentRelease, cell: Mapping[Any, Any], most: float) -> Bar:
    length = 0.0 if math.isnan(cell["value"]) else cell["value"] / most
    return Bar(format_cell(current, cell), length)


def render_stages(bars: pd.DataFrame) -> Markup:
    """Return the bars as markup, or if there are none, a sentence that says so."""
    if bars.empty:
        return html('<p class="notes">{}</p>', _("This release has no children by stage for this period."))
    head = join_markup(html('<th scope="col">{}</th>', name) for name in ("", *bars))
    rows = join_markup(
        html(
            '<tr><th scope="row">{}</th>{}</tr>',
            stage,
            join_markup(
                html('<td><i style="width:{}%"></i><span>{}</span></td>', f"{100 * bar.length:.1f}", bar.words)
                for bar in row
            ),
        )
        for stage, row in zip(bars.index, bars.itertuples(index=False, name=None), strict=True)
    )
    return html('<table class="funnel"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>', head, rows)
