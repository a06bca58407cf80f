"""Draw synthetic records of encounters from the published counts of a release.

One row is one child, in the columns of a partner's file. Totals come first: children by area and period. Each
breakdown is then fitted within these totals by itself, because no table has two breakdowns: of all populations that
agree with the tables, breakdowns independent of each other have the largest entropy.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from data.release import Release
from data.schema import INVENTED, get_kind
from data.tables.population import interpolate_population
from data.tables.spec import CATEGORIES
from data.workspace.types import Bools, Ints
from geo.export.synthetic.fitting import Margin, draw_whole, fit_cells
from geo.export.synthetic.margins import TOTAL, Published, list_categories
from geo.layers.reading import tables

Texts = npt.NDArray[np.object_]

MARK = "synthetic"  # in the column `invented` of each row, by which an import knows that the row is not real
PARTNER = "Synthetic records"
_KIND = get_kind("encounter")
_BREAKDOWNS = tuple(column.name for column in _KIND.file_columns if column.name in CATEGORIES and column.required)
_OPTIONAL = tuple(column.name for column in _KIND.file_columns if column.name in CATEGORIES and not column.required)


def draw_records(release: Release, published: Published, seed: int) -> pd.DataFrame:
    """Return synthetic records, one row for each child, as texts in the columns of a file of encounters.

    The first column is `invented`, with `MARK` in every row. The same release and seed give the same rows.
    """
    rng = np.random.default_rng(seed)
    # The municipalities in each area of `published.areas`; Mount Athos has none.
    codes, parents = tables.list_areas(release, "municipality"), tables.load_areas(release)["parent"]
    municipalities = [[c for c in codes if area in (parents[c], parents.get(parents[c]))] for area in published.areas]
    counts = _draw_totals(published, np.array([bool(codes) for codes in municipalities]), rng)
    area, period = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    columns = {name: _draw_categories(published, name, counts, rng) for name in list_drawn(published)}
    columns["municipality"] = _draw_municipalities(release, published, municipalities, area, period, rng)
    start = np.array([p.start for p in published.periods], "datetime64[D]")
    length = np.array([(p.end - p.start).days + 1 for p in published.periods])
    day = start[period] + rng.integers(0, length[period]).astype("timedelta64[D]")
    columns["date"] = np.datetime_as_string(day, unit="D")
    order = np.lexsort((rng.permutation(len(day)), day))
    number = pd.Series(np.arange(1, len(day) + 1)).astype(str).str.zfill(6)
    rows = pd.DataFrame(columns).iloc[order].reset_index(drop=True)
    countries = tables.load_areas(release)["country"]
    rows = rows.assign(
        country=rows["municipality"].map(countries), child_id="SYN-" + number, record_number=f"{MARK}-" + number
    )
    rows = rows.reindex(columns=[column.name for column in _KIND.file_columns], fill_value="").assign(partner=PARTNER)
    rows.insert(0, INVENTED, MARK)
    return rows


def list_drawn(published: Published) -> tuple[str, ...]:
    """List the columns of categories that are drawn: those with a table, and those that a file must have."""
    return (*_BREAKDOWNS, *(name for name in _OPTIONAL if name in published.frames))


def list_without_table(published: Published) -> tuple[str, ...]:
    """List the drawn columns for which the release has no table: each of their categories has the same chance."""
    return tuple(name for name in list_drawn(published) if name not in published.frames)


def _draw_totals(published: Published, possible: Bools, rng: np.random.Generator) -> Ints:
    """Return the number of children of each area in each period, shape (areas, periods).

    possible : whether a row can name a municipality of the area, shape (areas,).
    """
    margins = published.list_margins(TOTAL)
    start = np.repeat(possible.astype(float), len(published.periods))
    blocks = np.repeat(np.where(possible, 0, -1), len(published.periods))
    return draw_whole(fit_cells(start, margins), margins, blocks, rng).reshape(len(possible), -1)


def _draw_categories(published: Published, breakdown: str, counts: Ints, rng: np.random.Generator) -> Texts:
    """Return the category of each child, in the order of areas and periods."""
    categories = list_categories(breakdown)
    totals = counts.ravel()
    blocks = np.repeat(np.arange(len(totals)), len(categories))
    whole = Margin("total", np.arange(len(totals))[:, None] == blocks, totals.astype(float), totals.astype(float))
    margins = published.list_margins(breakdown)
    fitted = fit_cells(np.ones(len(blocks)), [*margins, whole])
    block_counts = draw_whole(fitted, margins, blocks, rng).reshape(len(totals), -1)
    positions = [rng.permutation(np.repeat(np.arange(len(categories)), of_block)) for of_block in block_counts]
    return np.asarray(np.array(categories, object)[np.concatenate(positions)])


def _draw_municipalities(
    release: Release,
    published: Published,
    municipalities: list[list[str]],
    area: Ints,
    period: Ints,
    rng: np.random.Generator,
) -> Texts:
    """Draw a municipality within the area of each child, in proportion to population, as texts of shape (children,).

    No count by municipality is public. area, period : for each child, the positions in `municipalities` and in
    `published.periods`, shape (children,).
    """
    people = interpolate_population(tables.load_table(release, "figures"), [p.id for p in published.periods])
    codes = np.empty(len(area), object)
    for place, inside in enumerate(municipalities):
        for when in range(len(published.periods) if inside else 0):
            here = np.flatnonzero((area == place) & (period == when))
            weight = people.iloc[:, when].reindex(inside).fillna(0.0).to_numpy() + 1.0
            codes[here] = rng.choice(np.array(inside, object), len(here), p=weight / weight.sum())
    return codes
