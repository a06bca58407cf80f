"""Reconciled numbers add up in every direction, stay near the published ones and need only published tables."""

from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.disclosure.attacks.reading import read_areas, read_published
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.disclosure.reconciliation import RECONCILED, SHOWN, add_column, reconcile
from data.release import Release
from data.tables.periods import GRAINS, Period
from data.tables.spec import TIERS, TableSpec
from tests.helpers import counted, small_worlds
from tests.helpers.nonempty import nonempty
from tests.helpers.repetitions import vary

MECHANISM = CellKey.from_policy(DEFAULT_POLICY)
YEAR = "2006-06-01/P1Y"
QUARTERS = [f"2006-{month:02}-01/P3M" for month in (6, 9, 12)] + ["2007-03-01/P3M"]
AREAS = pd.DataFrame({"parent": {"AL": "", "AL-01": "AL", "AL-02": "AL"}})
# Public tables of all kinds of the default plan: some breakdowns by year, some for the whole time alone.
PLAN = {
    "partner": small_worlds.SMALL_PLAN["partner"],
    "public": (
        *(TableSpec("children", level, grain) for level in ("country", "region") for grain in ("year", "whole")),
        *(TableSpec("children", "country", grain, ("stage",)) for grain in ("year", "whole")),
        *(TableSpec("children", level, "whole", ("sex",)) for level in ("country", "region")),
        TableSpec("children", "region", "whole", ("stage",)),
    ),
}


def published(rows, *breakdown):
    """Return a table of area, period, categories and number; None is withheld."""
    frame = pd.DataFrame(rows, columns=["area", "period", *breakdown, "value"]).astype({"value": "Int64"})
    state = np.where(
        frame["value"].isna(), "withheld", np.where(frame["value"].eq(0).fillna(False), "almost_none", "number")
    )
    frame["value"] = frame["value"].replace(0, pd.NA)
    return as_table(frame.assign(state=state, margin=float(MECHANISM.largest)))


def as_table(frame):
    """Return a frame as a table with the types of a release: texts and whole numbers."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    kinds = [(f.name, pa.string() if pa.types.is_large_string(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(kinds))


def numbers_of(tables, areas=AREAS, mechanism=None, k=None):
    numbers = reconcile(tables, areas, mechanism or CellKey(), lambda _level: k or 1)
    return {spec.name: numbers[spec].tolist() for spec in numbers}


def as_frames(tables, numbers):
    """Return each table as a frame with the column `number` (reconciled), and with `shown`."""
    return {
        spec: tables[spec].to_pandas().assign(number=values, shown=tables[spec].to_pandas()["state"].isin(SHOWN))
        for spec, values in numbers.items()
    }


def list_sums(frames, areas):
    """Yield each sum in the tables: its name, then number and `shown` of the total and of each part."""
    by_cell = {}
    for spec, frame in frames.items():
        columns = ["area", "period", *spec.breakdown, "number", "shown"]
        for *cell, number, shown in zip(*(frame[column].tolist() for column in columns), strict=True):
            by_cell[spec.measure, spec.breakdown, *cell] = (number, shown, spec)
    parents, inside = dict(areas["parent"]), {}
    periods = [Period.parse(p) for p in {cell[3] for cell in by_cell}]
    around_of = {p.id: [o.id for o in periods if GRAINS.index(o.grain) > GRAINS.index(p.grain)
                        and p.start <= o.end and o.start <= p.end] for p in periods}  # fmt: skip
    for (measure, by, area, period, *rest), (number, shown, spec) in by_cell.items():
        if by and measure == "children":
            inside.setdefault((("category", by[0]), measure, (), area, period), []).append((number, shown))
        for outer in around_of[period]:
            key = (("period", spec.grain), measure, by, area, outer, *rest)
            inside.setdefault(key, []).append((number, shown))
        around = parents.get(area, "")
        if measure == "children" and around:
            inside.setdefault((("area", spec.level), measure, by, around, period, *rest), []).append((number, shown))
    for (way, *cell), parts in inside.items():
        if tuple(cell) in by_cell:
            number, shown, _ = by_cell[tuple(cell)]
            yield way, (number, shown), parts


def check_sums(tables, numbers, areas):
    """Check every sum: exactly if all parts are shown; otherwise the total is at least the sum of its shown parts."""
    ways = set()
    for way, (number, shown), parts in list_sums(as_frames(tables, numbers), areas):
        ways.add(way[0])
        if shown and all(known for _, known in parts):
            assert number == sum(part for part, _ in parts), way
        if shown:
            assert number >= sum(part for part, known in parts if known), way
    assert ways == {"category", "period", "area"}


def draw_tables(world, tier, values, withheld=0.0, seed=0):
    """Return the published tables of a tier; some cells are withheld at random."""
    rng, tables = np.random.default_rng(seed), {}
    for spec, table in world.shown(MECHANISM, values, tier).tables.items():
        frame = table.to_pandas(types_mapper={pa.int64(): pd.Int64Dtype()}.get)
        if tier == "partner":
            frame.loc[frame["value"].eq(0), ["value", "state"]] = [pd.NA, "almost_none"]
        hidden = rng.random(len(frame)) < withheld
        frame.loc[hidden, "value"] = pd.NA
        frame.loc[hidden, "state"] = "withheld"
        tables[spec] = as_table(frame)
    return tables


def test_areas_are_moved_as_far_as_their_variance_says():
    """40 against 20 + 14, each with variance 2: each of the three numbers takes a third of the difference, 6."""
    tables = {
        TableSpec("children", "country", "year"): published([("AL", YEAR, 40)]),
        TableSpec("children", "region", "year"): published([("AL-01", YEAR, 20), ("AL-02", YEAR, 14)]),
    }
    assert numbers_of(tables) == {"children_country_year": [38], "children_region_year": [22, 16]}


def test_the_wider_noise_near_the_threshold_takes_more_of_the_difference():
    """Variances 2, 6 and 2: of the difference of 10 the number 11 takes 6, the others take 2 each."""
    tables = {
        TableSpec("children", "country", "year"): published([("AL", YEAR, 61)]),
        TableSpec("children", "region", "year"): published([("AL-01", YEAR, 11), ("AL-02", YEAR, 40)]),
    }
    numbers = numbers_of(tables, mechanism=MECHANISM)
    assert numbers == {"children_country_year": [59], "children_region_year": [17, 42]}


def test_quarters_add_up_to_the_year():
    tables = {
        TableSpec("children", "region", "year"): published([("AL-01", YEAR, 40)]),
        TableSpec("children", "region", "quarter"): published(
            [("AL-01", q, n) for q, n in zip(QUARTERS, (9, 9, 9, 8), strict=True)]
        ),
    }
    assert numbers_of(tables) == {"children_region_quarter": [10, 10, 10, 9], "children_region_year": [39]}


def test_categories_are_a_second_reading_of_their_total():
    """The sum 36 has variance 6, the total 40 has variance 2: (40 / 2 + 36 / 6) / (1 / 2 + 1 / 6) = 39."""
    tables = {
        TableSpec("children", "region", "year"): published([("AL-01", YEAR, 40)]),
        TableSpec("children", "region", "year", ("sex",)): published(
            [("AL-01", YEAR, "female", 20), ("AL-01", YEAR, "male", 16), ("AL-01", YEAR, "unknown", 0)], "sex"
        ),
    }
    assert numbers_of(tables) == {"children_region_year": [39], "children_region_year_sex": [21, 17, 1]}


@pytest.mark.parametrize("seed", range(8))
def test_no_other_whole_numbers_that_add_up_are_nearer(seed):
    """Try all whole numbers for two regions and two quarters."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(5, 9, (2, 2))
    truth = np.concatenate([truth.sum(axis=0, keepdims=True), truth])
    drawn = np.concatenate([truth, truth.sum(axis=1, keepdims=True)], axis=1) + rng.integers(-4, 6, (3, 3))
    periods, areas = [*QUARTERS[:2], YEAR], ["AL", "AL-01", "AL-02"]
    rows = {
        TableSpec("children", level, grain): published(
            [(areas[a], periods[p], drawn[a, p]) for a in area for p in period]
        )
        for level, area in (("country", [0]), ("region", [1, 2]))
        for grain, period in (("quarter", [0, 1]), ("year", [2]))
    }
    atoms = np.stack(np.meshgrid(*[np.arange(1, 20)] * 4, indexing="ij"), -1).reshape(-1, 2, 2)
    regions = np.concatenate([atoms, atoms.sum(axis=2, keepdims=True)], axis=2)
    distance = ((np.concatenate([regions.sum(axis=1, keepdims=True), regions], axis=1) - drawn) ** 2).sum(axis=(1, 2))
    numbers = numbers_of(rows)
    region, country = numbers["children_region_quarter"], numbers["children_country_quarter"]
    mine = np.array([[*country, *numbers["children_country_year"]],
                     *([*region[2 * r : 2 * r + 2], numbers["children_region_year"][r]] for r in (0, 1))])  # fmt: skip
    assert ((mine - drawn) ** 2).sum() == distance.min()


def test_a_withheld_number_is_found_inside_but_not_shown():
    tables = {
        TableSpec("children", "country", "year"): published([("AL", YEAR, 40)]),
        TableSpec("children", "region", "year"): published([("AL-01", YEAR, 30), ("AL-02", YEAR, None)]),
    }
    numbers = reconcile(tables, AREAS, CellKey())
    spec = TableSpec("children", "region", "year")
    assert numbers[spec].tolist() == [30, 10]
    assert add_column(tables[spec], numbers[spec])["reconciled"].to_pylist() == [30, None]


def test_a_table_without_rows_has_no_numbers():
    """Years and the whole programme have no numbers until they are final."""
    quarter, year = (TableSpec("children", "region", grain) for grain in ("quarter", "year"))
    tables = {quarter: published([("AL-01", QUARTERS[0], 5)])}
    tables[year] = tables[quarter].slice(0, 0)
    assert numbers_of(tables) == {"children_region_quarter": [5], "children_region_year": []}
    assert numbers_of({year: tables[year]}) == {"children_region_year": []}


@pytest.mark.parametrize("seed", range(4))
def test_a_table_that_adds_up_stays_as_it_is(seed):
    world = counted.small(seed, last="2008-05-31")
    tables = draw_tables(world, "partner", world.counts)
    for spec, values in nonempty(reconcile(tables, world.areas, MECHANISM).items()):
        assert (values == world.counts[spec].ravel()).all(), spec.name


@pytest.mark.always("0-partner", "0-public")
@pytest.mark.slow
@pytest.mark.parametrize(("seed", "tier"), [*product(range(4), TIERS)])
def test_parts_equal_totals_in_every_direction(seed, tier):
    world = counted.small(seed, rows=1500, children=1000, plan=PLAN, last="2008-05-31")
    k = 11 if tier == "public" else None
    for withheld in (0.0, 0.05):
        tables = draw_tables(world, tier, world.drawn(MECHANISM), withheld, seed)
        numbers = reconcile(tables, world.areas, MECHANISM, lambda _level: k or 1)
        assert min(values.min() for values in numbers.values()) >= 0
        check_sums(tables, numbers, world.areas)
        for spec, values in numbers.items():
            rows = add_column(tables[spec], values, k).to_pandas()
            assert rows.loc[~rows["state"].isin(SHOWN), "reconciled"].isna().all()
            assert not (rows["reconciled"] < (k or 0)).any()


@pytest.mark.always("0-partner", "0-public")
@pytest.mark.slow
@pytest.mark.parametrize(("seed", "tier"), [*product(range(6), TIERS)])
def test_even_numbers_that_contradict_each_other_are_made_to_add_up(seed, tier):
    """Repeated numbers describe records of different days, so published numbers may be far from adding up."""
    rng, world = np.random.default_rng(seed), counted.small(seed, plan=PLAN, last="2008-05-31")
    values = {spec: rng.poisson(rng.choice([0.3, 5, 30]), n.shape) for spec, n in world.counts.items()}
    tables = draw_tables(world, tier, values)
    numbers = reconcile(tables, world.areas, MECHANISM, partial(Policy(k_municipal=1).threshold, tier))
    assert min(array.min() for array in numbers.values()) >= 0
    check_sums(tables, numbers, world.areas)


def test_the_same_tables_give_the_same_numbers_in_any_order():
    world = counted.small(5)
    tables = draw_tables(world, "partner", world.drawn(MECHANISM))
    first = reconcile(tables, world.areas, MECHANISM)
    orders = {spec: np.random.default_rng(1).permutation(len(table)) for spec, table in tables.items()}
    shuffled = {spec: tables[spec].take(pa.array(orders[spec])) for spec in reversed(tables)}
    again = reconcile(shuffled, world.areas[::-1], MECHANISM)
    assert set(first) == set(again) == {spec for spec in tables if spec.measure in RECONCILED}
    for spec, numbers in first.items():
        assert (numbers[orders[spec]] == again[spec]).all()


def test_a_later_year_changes_no_number_of_a_year():
    world = counted.small(3, last="2008-05-31")
    tables = draw_tables(world, "partner", world.drawn(MECHANISM))
    of_year = {
        spec: (
            table,
            table["period"].to_pandas().map(lambda p: Period.parse(YEAR).contains(Period.parse(p))).to_numpy(),
        )
        for spec, table in tables.items()
    }
    both = reconcile(tables, world.areas, MECHANISM)
    alone = reconcile({s: t.filter(pa.array(m)) for s, (t, m) in of_year.items() if m.any()}, world.areas, MECHANISM)
    assert {spec.grain for spec in alone} == {"quarter", "year"}
    for spec, numbers in alone.items():
        assert (numbers == both[spec][of_year[spec][1]]).all()


@pytest.mark.slow
def test_a_release_holds_what_its_own_files_give(tmp_path, few_worlds):
    """Everybody who has the files of a release can compute the column; no record is needed."""
    frame = small_worlds.encounters(np.random.default_rng(2), 600, 400)
    small_worlds.release(small_worlds.MemoryVault(encounter=frame), tmp_path, plan=PLAN)
    for tier in TIERS:
        release = Release.open(tmp_path, tier)
        tables = read_published(release).tables
        bare = {s: t.drop_columns(["reconciled"]) if s.measure in RECONCILED else t for s, t in tables.items()}
        k = release.k if tier == "public" else None
        numbers = reconcile(
            bare, read_areas(release), CellKey.from_manifest(release.manifest["tact"]), release.find_threshold
        )
        for spec, table in tables.items():
            if spec in numbers:
                assert add_column(bare[spec], numbers[spec], k).equals(table)
            else:
                assert "reconciled" not in table.column_names
        check_sums(bare, numbers, read_areas(release))


@pytest.mark.long
@vary("worlds", (2, 5), 2)
def test_reconciled_numbers_are_nearer_to_the_truth(worlds):
    """Compare the mean distance from the true counts with that of published numbers, over the product's areas."""
    gains = {}
    for seed in range(101, 101 + worlds):
        world = counted.default_world(seed=seed)
        drawn = world.drawn(MECHANISM)
        tables = draw_tables(world, "partner", drawn)
        numbers = reconcile(tables, world.areas, MECHANISM)
        check_sums({s: tables[s] for s in numbers}, numbers, world.areas)
        for spec, values in numbers.items():
            truth = world.counts[spec]
            before, after = np.abs(drawn[spec] - truth).mean(), np.abs(values.reshape(truth.shape) - truth).mean()
            if before:  # else every number was drawn as it is, and nothing can be gained
                gains.setdefault(spec.name, []).append(1 - after / before)
    assert len(gains["children_region_quarter"]) == worlds
    assert min(gains["children_region_quarter"]) >= 0.15
    for name in ("municipality_quarter", "region_year", "region_quarter_pathway", "region_quarter_stage"):
        assert len(gains[f"children_{name}"]) == worlds, name
        assert np.mean(gains[f"children_{name}"]) >= 0.15, name


def test_a_number_of_a_municipality_stays_at_its_threshold_or_above():
    county, places = TableSpec("children", "region", "year"), TableSpec("children", "municipality", "year")
    areas = pd.DataFrame({"parent": {"AL-01": "", "101": "AL-01", "102": "AL-01"}})
    tables = {county: published([("AL-01", YEAR, 2)]), places: published([("101", YEAR, 4), ("102", YEAR, 0)])}
    every, threshold = (
        reconcile(tables, areas, CellKey(), lambda level, k=k: k if level == "municipality" else 1)[places].tolist()
        for k in (1, 3)
    )
    assert every == [3, 0]
    assert threshold == [3, 0]
    lower = {**tables, places: published([("101", YEAR, 3), ("102", YEAR, 0)]), county: published([("AL-01", YEAR, 1)])}
    every, threshold = (
        reconcile(lower, areas, CellKey(), lambda level, k=k: k if level == "municipality" else 1)[places].tolist()
        for k in (1, 3)
    )
    assert every[0] < 3 <= threshold[0]
