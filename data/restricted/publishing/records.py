"""The first step of a release: reading records and figures from the vault. Behind the wall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import pandas as pd
import pyarrow as pa

from data.disclosure.policy import Policy
from data.errors import ReleaseError
from data.message import Message
from data.restricted.counting import encounters as counting
from data.restricted.counting.other_records import (
    Effort,
    Estimates,
    Services,
    read_communities,
    read_effort,
    read_services,
)
from data.restricted.vault import Vault
from data.schema.vocabulary import PROVISIONAL
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import FAMILIES, OF_COUNTRIES, Plan

_FIGURE_COLUMNS = ("area", "period", "measure", "number", "share", "source", "year", "status", "note")
_INVENTED = "Invented: "


@dataclass(frozen=True, eq=False)
class Records:
    """All records that a release counts, as numbers, with the grid of their areas and periods.

    partners: the partners that encounters name. senders: these, and after them those that only outreach days name; the
    numbers of partners follow this order, and spellings of one partner have the same number.
    """

    grid: Grid
    partners: tuple[str, ...]
    senders: tuple[str, ...]
    encounters: counting.EncounterColumns
    effort: Effort
    services: Services
    communities: Estimates


def read_records(
    vault: Vault, areas: pd.DataFrame, calendar: Calendar, policy: Policy, plan: Plan, day: date
) -> Records | None:
    """Read all records for a release made on a day; None if no quarter has ended yet, or if there are no records.

    Without records there is still a result if anything was published, because published numbers are repeated. Raises
    ReleaseError if there are encounters, but none in a quarter that has ended, and for an area or a category that is
    not known.
    """
    grid = Grid.for_day(areas, calendar, (policy.first, policy.last), policy.lag, day)
    if grid is None:
        return None
    partners = tuple(vault.partners("encounter"))
    breakdowns = {name for specs in plan.values() for spec in specs for name in spec.breakdown}
    columns = (*counting.COLUMNS, *(name for name in OF_COUNTRIES if name in breakdowns), "batch", "partner")
    measures = {spec.measure for specs in plan.values() for spec in specs}
    columns = (*columns, "household") if measures.intersection(FAMILIES) else columns
    encounters = counting.load_encounters(vault.read("encounter", columns), grid.names, partners)
    days = encounters["day"].astype("datetime64[D]")
    if len(days) and not (grid.period_of(days, "quarter") >= 0).any():
        msg = Message(
            "No encounter lies in the quarters from {start} to {end}. Nothing was published. Check "
            "first and last, the days of the programme, in policy.toml.",
            start=grid.span.start,
            end=grid.span.end,
        )
        raise ReleaseError(msg)
    senders = (*partners, *(name for name in vault.partners("effort") if name not in partners))
    effort = read_effort(vault.read("effort", ("date", "municipality", "days", "partner")), grid, senders)
    services = read_services(vault.read("service"), grid)
    communities = read_communities(vault.read("community", ("area", "group", "estimate", "year")), grid)
    present = len(days) or len(effort.amount) or len(services.start) or len(communities.year)
    if not present and not vault.published_blocks():
        return None
    return Records(grid, partners, senders, encounters, effort, services, communities)


def join_figures(vault: Vault | None, shipped: pd.DataFrame, *, invented: bool) -> pa.Table:
    """Join the product's figures and the figures of the vault into one table without duplicates.

    A figure of the vault replaces the product's provisional figures for its area, period and measure. Figures of an
    invented vault are marked as invented in a column and in the source.
    """
    stored = [batch.to_pandas() for batch in vault.read("figure", _FIGURE_COLUMNS)] if vault else []
    both = pd.concat([shipped[list(_FIGURE_COLUMNS)], *stored], ignore_index=True)
    texts = [c for c in _FIGURE_COLUMNS if c not in ("number", "share", "year")]
    both = both.astype({**dict.fromkeys(texts, "str"), "number": "float64", "share": "float64"})
    both["year"] = both["year"].astype("Int64")
    both["invented"] = invented & (both.index >= len(shipped))
    both = both.drop_duplicates(list(_FIGURE_COLUMNS))
    both["source"] = both["source"].mask(both["invented"], _INVENTED + both["source"])
    ships, key = both.index < len(shipped), pd.MultiIndex.from_frame(both[["area", "period", "measure"]])
    both = both[~(ships & both["status"].isin(PROVISIONAL) & key.isin(key[~ships]))]
    both = both.sort_values(list(_FIGURE_COLUMNS), kind="stable", ignore_index=True)
    return pa.Table.from_pandas(both, preserve_index=False).replace_schema_metadata(None)
