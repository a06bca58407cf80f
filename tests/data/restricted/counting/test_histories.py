from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.disclosure.cell_key import CellKey
from data.restricted.counting import encounters as counting
from data.restricted.counting.histories import count_histories
from data.tables.grid import Grid
from data.tables.periods import Calendar
from tests.data.restricted.counting.test_encounters import BASE
from tests.helpers import small_worlds

PARTNERS = ("A", "B", "C")
GRID = Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2007, 5, 31))
QUIET = CellKey(variance=1e-6, largest=1)  # noise that changes nothing


def meet(number, partner, **changes):
    return {**BASE, "child": small_worlds.child(number), "partner": partner, **changes}


def count(rows, mechanism=QUIET, keys=small_worlds.KEYS):
    frame = pd.DataFrame(rows)
    records = counting.load_encounters(small_worlds.batches(frame), GRID.names, PARTNERS)
    counts = count_histories(counting.read_encounters(records, GRID, keys), len(PARTNERS), mechanism)
    return {
        country: {
            "".join(p for p, on in zip(PARTNERS, row, strict=True) if on): int(n)
            for row, n in zip(histories.on_list, histories.children, strict=True)
        }
        for country, histories in counts.items()
    }


def test_a_child_stands_once_with_all_partners_that_met_it_in_its_country():
    shared = small_worlds.child(99)
    rows = [
        meet(1, "A"),
        meet(1, "A", date="2006-12-01"),
        meet(2, "B"),
        # One child under two names, linked by the programme's number.
        meet(3, "A", programme_child=shared),
        meet(4, "C", programme_child=shared, date="2007-02-01"),
        # Meeting a child at risk is prevention.
        meet(5, "A", stage="at_risk"),
    ]
    assert count(rows)["AL"] == {"A": 1, "B": 1, "AC": 1}


def test_two_spellings_of_a_partner_are_no_two_lists():
    rows = [meet(1, "Arsis"), meet(1, "ARSIS"), meet(2, "B")]
    records = counting.load_encounters(small_worlds.batches(pd.DataFrame(rows)), GRID.names, ("ARSIS", "Arsis", "B"))
    encounters = counting.read_encounters(records, GRID, small_worlds.KEYS)
    on_list = count_histories(encounters, 3, QUIET)["AL"].on_list
    assert sorted(on_list.sum(axis=1)) == [1, 1]


def test_a_later_encounter_in_the_other_country_puts_no_child_on_a_list():
    counts = count([meet(1, "A"), meet(1, "B", municipality="9001", date="2007-01-05")])
    assert counts == {"AL": {"A": 1}, "GR": {}}


def test_what_leaves_has_noise_and_no_history_that_nobody_has():
    rows = [meet(n, "ABC"[n % 3]) for n in range(60)]
    seen = []
    for salt in range(40):

        def keys(names, salt=salt):
            rng = np.random.default_rng([salt, len(names)])
            return rng.integers(0, 2**63, len(names)).astype(np.uint64)

        counts = count(rows, CellKey(), keys)["AL"]
        assert set(counts) == {"A", "B", "C"}
        seen += counts.values()
    assert min(seen) < 20 < max(seen)
    assert all(15 <= n <= 25 for n in seen)
    assert np.mean(seen) == pytest.approx(20, abs=0.6)


@pytest.mark.parametrize("partners", [(), tuple(f"P{n}" for n in range(80))])
def test_none_or_many_partners_can_be_counted(partners):
    rows = [meet(n, partner) for n, partner in enumerate(("", *partners))]
    records = counting.load_encounters(small_worlds.batches(pd.DataFrame(rows)), GRID.names, partners)
    histories = count_histories(counting.read_encounters(records, GRID, small_worlds.KEYS), len(partners), QUIET)
    assert histories["AL"].on_list.sum() == histories["AL"].children.sum() == len(partners)
