"""Returns on the Flows page: the way home of children who were first met while returning.

Their table has few cells, of whole countries, so that its numbers say something. Where they were met comes from the
tables of children by stage.
"""

from __future__ import annotations

import pandas as pd

from dashboard.site.current_release import CurrentRelease, name_regions, read_country_names, read_table
from dashboard.site.text import _, format_number, format_period
from dashboard.widgets.cell import format_cell
from data.message import mark
from data.tables.periods import Period
from data.tables.shown import choose_numbers
from data.tables.spec import table_name

WAYS = {
    "gr_to_al": mark("From Greece to Albania"),
    "al_to_gr": mark("From Albania to Greece"),
    "inside": mark("Inside a country"),
    "unknown": mark("From or to a place that is not known, or abroad"),
}
_OF_PATHWAY = {"internal": ("inside",), "cross_border": ("gr_to_al", "al_to_gr")}  # for others all ways are shown
_NAMED = 5


def _read_cells(current: CurrentRelease, name: str, period: str) -> pd.DataFrame:
    """Read the cells of a table in a period: its rows with the numbers that are shown; empty if there is no table."""
    table = read_table(current, name)
    if table.empty:
        return table
    here = table[table["period"] == period].reset_index(drop=True)
    words = here.drop(columns=["value", "margin", "reconciled"], errors="ignore")
    return pd.concat([words, choose_numbers(here, _find_reach(current, period))], axis=1)


def _find_reach(current: CurrentRelease, period: str) -> float:
    return current.release.find_reach("country", Period.parse(period).grain, "returns")


def _read_ways(current: CurrentRelease, period: str) -> pd.DataFrame:
    return _read_cells(current, table_name("returns", "country", Period.parse(period).grain, "return_way"), period)


def tabulate_returns(current: CurrentRelease, period: str, pathway: str) -> pd.DataFrame:
    """Return the returns of a period in words, a way in each row and the country where the child was met in a column.

    Empty if the release has no returns of the period.
    """
    cells = _read_ways(current, period)
    if cells.empty:
        return pd.DataFrame()
    words = {(row["return_way"], row["area"]): format_cell(current, row) for row in cells.to_dict("records")}
    countries = {code: name for code, name in read_country_names(current).items() if code in set(cells["area"])}
    ways = _OF_PATHWAY.get(pathway, tuple(WAYS))
    columns = {
        _("First met in {country}", country=name): [words[way, code] for way in ways]
        for code, name in countries.items()
    }
    return pd.DataFrame({_("Way home"): [_(WAYS[way]) for way in ways], **columns})


def describe_returns(current: CurrentRelease, period: str, pathway: str) -> str:
    """Return sentences on the returns of a period to Albania, and on where most returning children were first met.

    Empty if the release has no returns of the period.
    """
    cells = _read_ways(current, period)
    if cells.empty:
        return ""
    home = cells[cells["return_way"] == "gr_to_al"]
    # A published zero may hide as many children as the noise is large.
    of_zero = pd.Series(_find_reach(current, period), home.index).where(home["state"] == "almost_none")
    reach = home["margin"].fillna(of_zero).sum(skipna=False)
    sentences = []
    if pathway != "internal" and pd.notna(reach) and home["value"].notna().any():
        sentences.append(
            _(
                "{n} ±{margin} children were on the way home from Greece to Albania when first met ({when}).",
                n=format_number(home["value"].sum()),
                margin=format_number(reach),
                when=format_period(period),
            )
        )
    stages = _read_cells(current, table_name("children", "region", Period.parse(period).grain, "stage"), period)
    if len(stages):
        returning = stages[(stages["stage"] == "returning") & stages["value"].notna()]
        first = returning.sort_values(["value", "area"], ascending=[False, True]).head(_NAMED).to_dict("records")
        names = name_regions(current)
        places = "; ".join(f"{names[row['area']]}: {format_cell(current, row)}" for row in first)
        sentences += [_("Most returning children were first met here: {places}.", places=places)] if first else []
    return " ".join(sentences)
