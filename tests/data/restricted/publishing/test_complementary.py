import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure.attacks.bounds import BoundsAttack, Published
from data.disclosure.channel import Knowledge
from data.restricted.publishing.complementary import withhold_until_safe
from data.tables.spec import TableSpec

YEAR = "2006-06-01/P1Y"
PARTNER = Knowledge(5, 0, 5, 0, 0, 6)
PUBLIC = Knowledge(5, 0, 15, 0, 10, 6)
REGIONS, COUNTRY = TableSpec("children", "region", "year"), TableSpec("children", "country", "year")
NAMES = [f"AL-{n}" for n in range(1, 6)]
AREAS = pd.DataFrame({"level": ["country"] + ["region"] * 5, "parent": [""] + ["AL"] * 5}, index=["AL", *NAMES])


def rows(names, values, k=0):
    states = ["almost_none" if k == 0 and v == 0 else "few" if v < k else "number" for v in values]
    shown = [v if s == "number" else None for v, s in zip(values, states, strict=True)]
    return pa.table(
        {"area": names, "period": [YEAR] * len(names), "value": pa.array(shown, pa.int64()), "state": states}
    )


def attack_on(parts, total, known, k=0, earlier=()):
    tables = {REGIONS: rows(NAMES[: len(parts)], parts, k), COUNTRY: rows(["AL"], [total], k)}
    now = Published("r", tables, {"children": known}, 11)
    return BoundsAttack.from_releases([*earlier, now], AREAS.iloc[: len(parts) + 1])


def taken(attack, release=0):
    cells, failed = withhold_until_safe(attack, release)
    return {table.name(offset)["area"] for table, offset in cells}, len(failed)


def test_nothing_goes_where_nothing_fails():
    assert taken(attack_on([20, 0, 7], 28, PARTNER)) == (set(), 0)


def test_one_number_goes_where_one_is_enough():
    # The total is at most 5, so that the part is 3 to 5; without either number there are six values.
    gone, failed = taken(attack_on([8, 0], 0, PARTNER))
    assert (len(gone), failed) == (1, 0)


def test_else_the_finest_number_that_bounds_it_goes():
    # The total is at most 35 and the first part at least 31: the second is at most 4 whatever it shows.
    assert taken(attack_on([36, 0], 30, PARTNER)) == ({"AL-1"}, 0)


def test_a_hidden_public_cell_whose_total_says_too_much_gets_company():
    gone, failed = taken(attack_on([20, 4, 30, 14], 86, PUBLIC, k=11))
    assert failed == 0
    assert len(gone) == 1
    assert "AL" not in gone


def test_numbers_of_earlier_releases_cannot_be_taken_back():
    tables = {REGIONS: rows(NAMES[:2], [36, 0]), COUNTRY: rows(["AL"], [30])}
    first = Published("r0", tables, {"children": PARTNER}, 11)
    attack = attack_on([36, 0], 30, PARTNER, earlier=[first])
    assert taken(attack, release=1) == (set(), 3)


@pytest.mark.slow
@pytest.mark.parametrize(("known", "k"), [(PARTNER, 0), (PUBLIC, 11)])
@settings(max_examples=60, deadline=None)
@given(
    values=st.lists(st.integers(0, 40), min_size=2, max_size=5),
    off=st.lists(st.integers(-5, 5), min_size=6, max_size=6),
)
def test_afterwards_no_cell_fails_whatever_the_noise(known, k, values, off):
    parts = [max(v + d, 0) for v, d in zip(values, off, strict=False)]
    attack = attack_on(parts, max(sum(values) + off[-1], 0), known, k)
    gone, failed = taken(attack)
    assert failed == 0
    assert len(attack.judge(attack.system.solve())) == 0
    assert len(gone) <= len(parts)
    table = next(t for s, t in attack.lattice.tables.items() if s.level == "region")
    bounds = attack.system.solve()
    here = slice(table.base, table.base + len(parts))
    assert (bounds.low[here] <= values).all()
    assert (np.array(values) <= bounds.high[here]).all()
