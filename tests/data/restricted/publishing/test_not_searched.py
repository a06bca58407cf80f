from collections import defaultdict
from datetime import date

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.reference import area_table
from data.release import Release
from data.restricted.publishing import published_table
from data.restricted.publishing.not_searched import correct_not_searched
from data.tables.grid import Grid
from data.tables.periods import Calendar, Period
from data.tables.spec import CATEGORIES, COUNTED, TableSpec
from tests.helpers import small_worlds
from tests.helpers.nonempty import nonempty

pytestmark = pytest.mark.slow

AREAS = small_worlds.area_table()
# The programme's second quarter is the first one of the release, so that a year begins before the whole time.
GRID = Grid(AREAS, Calendar(6), date(2006, 9, 1), date(2007, 8, 31))
LEVELS, GRAINS = ("country", "region", "municipality"), ("quarter", "year", "whole")
TOTALS = [TableSpec("children", level, grain) for level in LEVELS for grain in GRAINS]
SPECS = [
    *TOTALS,
    *(TableSpec("children", level, "year", ("sex",)) for level in LEVELS),
    TableSpec("encounters", "municipality", "quarter"),
    TableSpec("encounters", "region", "whole"),
    TableSpec("flows", "region", "whole", ("origin",)),
    TableSpec("model", "municipality", "quarter", ("crossing", "found")),
]


def shape(spec):
    names = [GRID.codes[spec.level] if c == "origin" else CATEGORIES[c] for c in spec.breakdown]
    return len(GRID.codes[spec.level]), len(GRID.periods(spec.grain)), *map(len, names)


def publish(numbers, searched, withheld):
    tables = {
        spec: published_table.tabulate_counts(
            spec,
            numbers[spec],
            numbers[TableSpec("children", spec.level, spec.grain)],
            searched[spec.level, spec.grain],
            GRID,
            "partner",
            Policy(),
            CellKey(),
        ).without(withheld[spec])
        for spec in SPECS
    }
    return tables, correct_not_searched(tables)


def draw(seed):
    """Return random noisy numbers (mostly zero), masks of cells with outreach, and masks of withheld cells."""
    rng = np.random.default_rng(seed)
    numbers = {spec: rng.poisson(0.03, shape(spec)) * rng.integers(1, 9, shape(spec)) for spec in SPECS}
    searched = {(s.level, s.grain): rng.random(shape(s)) < 0.2 for s in TOTALS}
    withheld = {spec: rng.random(shape(spec)) < 0.2 for spec in SPECS}
    return numbers, searched, withheld


def list_chain(area, parents):
    return [area] if not area else [area, *list_chain(parents.get(area, ""), parents)]


def find_wrong(frames, parents):
    """Return the cells "not searched" that contain a published number of their measure: table, area, period."""
    periods, empty = defaultdict(set), {}
    for measure, name, frame in frames:
        cells = zip(*(frame[column].tolist() for column in ("area", "period", "state", "value")), strict=True)
        for area, period, state, value in cells:
            if state == "not_searched":
                empty[measure, name, area, period] = None
            elif state == "number" and value > 0:
                for holder in list_chain(area, parents):
                    periods[measure, holder].add(period)
    return [
        (name, area, period)
        for measure, name, area, period in empty
        if any(holds(Period.parse(period), Period.parse(shorter)) for shorter in periods[measure, area])
    ]


def holds(longer, shorter):
    return longer.grain == "whole" or longer.contains(shorter)


def frames(tables):
    return [(spec.measure, spec.name, table.frame()) for spec, table in tables.items()]


@settings(max_examples=6)
@given(st.integers(0, 10**6))
def test_not_searched_never_stands_above_a_number(seed):
    before, after = publish(*draw(seed))
    wrong = find_wrong(frames(before), AREAS["parent"])
    assert find_wrong(frames(after), AREAS["parent"]) == []
    for spec, table in after.items():
        old, new = before[spec].frame(), table.frame()
        changed = old["state"].ne(new["state"])
        named = {(area, period) for name, area, period in wrong if name == spec.name}
        assert set(zip(old["area"][changed], old["period"][changed], strict=True)) == named, "nothing else changes"
        assert set(old["state"][changed]) <= {"not_searched"}
        assert set(new["state"][changed]) <= {"almost_none"}
        pd.testing.assert_frame_equal(old.drop(columns="state"), new.drop(columns="state"))


@settings(max_examples=6)
@given(st.integers(0, 10**6))
def test_a_withheld_number_leaves_no_trace_in_the_state_of_a_total(seed):
    numbers, searched, withheld = draw(seed)
    others = {spec: np.where(withheld[spec] & bool(spec.breakdown), 7, n) for spec, n in numbers.items()}
    for table, other in nonempty(
        zip(*(publish(n, searched, withheld)[1].values() for n in (numbers, others)), strict=True)
    ):
        assert (table.state == other.state).all()


@pytest.mark.long
def test_random_worlds_have_such_cells():
    assert sum(len(find_wrong(frames(publish(*draw(seed))[0]), AREAS["parent"])) for seed in range(5)) > 50


@pytest.mark.long
def test_no_total_of_the_demo_says_not_searched_above_a_number(scored):
    release = Release.open(scored.releases, "partner")
    counted = [
        (name.split("_")[0], name, release.table(name)) for name in release.tables if name.split("_")[0] in COUNTED
    ]
    assert find_wrong(counted, area_table()["parent"]) == []
    states = pd.concat([frame["state"] for _, _, frame in counted])
    assert (states == "not_searched").sum() > 100
