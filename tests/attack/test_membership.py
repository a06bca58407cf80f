"""The membership attack: what it must find, what it must not find, and that it is as strong as documented."""

from dataclasses import replace
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import poisson

from data.disclosure.attacks import membership, sequence
from data.disclosure.attacks.bounds import Published
from data.disclosure.attacks.membership.attacker import Attacker, Child
from data.disclosure.attacks.membership.one_number import compute_advantage, find_largest_advantage
from data.disclosure.attacks.membership.rates import Rates, read_rates
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.tables.spec import CATEGORIES, TableSpec
from tests.helpers.nonempty import nonempty

YEARS = ("2006-06-01/P1Y", "2007-06-01/P1Y")
WHOLE = "2006-06-01/2008-05-31"
REGION_YEAR = TableSpec("children", "region", "year")
COUNTRY_YEAR = TableSpec("children", "country", "year")
REGION_SEX = TableSpec("children", "region", "whole", ("sex",))
SEX = len(CATEGORIES["sex"])


class Bare(CellKey):
    """A mechanism that publishes true counts, for a weak release."""

    def publish(self, counts, keys, scale=1):
        return counts

    def channel(self, n_max, scale=1, k=None):
        channel = super().channel(n_max, scale, k)
        return type(channel)(np.eye(n_max + 1, channel.matrix.shape[1]), 0, k)


def rates(*by_year, sex=(0.6, 0.3, 0.1)):
    children = np.array([by_year, [40.0] * len(by_year)])
    periods = np.arange(len(by_year))
    return Rates(
        ("AL-11", "AL-02"),
        ("AL", "AL"),
        children,
        {"sex": np.array([sex, sex])},
        {"year": periods, "whole": np.zeros_like(periods)},
    )


def test_one_number_alone_is_told_exactly():
    # Nobody else there and no threshold: 0 is certain without the child, and shows 52 times in 100 with it.
    assert compute_advantage([0.0], CellKey(), None)[0] == pytest.approx(0.48, abs=0.005)
    assert compute_advantage([0.0], CellKey(), 11)[0] == 0
    assert compute_advantage([0.0], Bare(), None)[0] == 1
    assert find_largest_advantage(Bare(), 11) > find_largest_advantage(CellKey(), 11)


def test_a_number_of_any_size_is_judged_in_little_memory():
    few, many, most = compute_advantage([100.0, 1e4, 1e7], CellKey(), 15)
    assert few > most > 0
    assert many == pytest.approx(most, rel=1e-9)


@given(rate=st.floats(0, 80), k=st.sampled_from([None, 11, 15]))
def test_an_advantage_is_a_chance(rate, k):
    assert 0 <= compute_advantage([rate], CellKey(), k)[0] <= 1


@pytest.mark.parametrize(("rate", "k"), [(2.0, None), (10.0, 11), (25.0, 11)])
def test_a_trained_attacker_does_as_well_as_anybody_could_with_one_number(rate, k):
    attacker = Attacker(rates(rate), CellKey(), k, [REGION_YEAR])
    advantage = attacker.attack(Child(0, 0), 40_000, seed=1)
    best = compute_advantage([rate], CellKey(), k)[0]
    assert advantage.low <= best + 0.005
    assert best <= advantage.high + 0.005


def test_who_knows_all_others_sees_the_distance_of_two_rows_of_the_noise():
    """20 others: 1/2 of the sum of |P(n | 21) - P(n | 20)|; three siblings shift the count by three."""
    table = np.zeros((30, 60))
    for count in range(30):
        row = CellKey().table()[min(count, len(CellKey().table()) - 1)]
        table[count, 20 + count - len(row) // 2 : 21 + count + len(row) // 2] = row
    for siblings in (1, 3):
        distance = np.abs(table[20 + siblings] - table[20]).sum() / 2
        known = compute_advantage([20.0], CellKey(), None, known=1.0, siblings=siblings)[0]
        assert known == pytest.approx(distance, abs=1e-9)


@given(
    rate=st.floats(0, 60), k=st.sampled_from([None, 11]), known=st.sampled_from([0.0, 0.5]), siblings=st.integers(1, 2)
)
def test_one_sibling_more_never_tells_less(rate, k, known, siblings):
    few, more = (compute_advantage([rate], CellKey(), k, known, number)[0] for number in (siblings, siblings + 1))
    assert -1e-9 <= few <= more + 1e-9 <= 1 + 2e-9


@pytest.mark.parametrize("table", [REGION_YEAR, COUNTRY_YEAR])
@pytest.mark.parametrize(("known", "siblings"), [(0.0, 2), (0.0, 3), (0.5, 1), (1.0, 1), (1.0, 2)])
def test_a_stronger_attacker_does_as_well_as_anybody_could_with_one_number(table, known, siblings):
    of_one_region = replace(rates(14.0), children=np.array([[14.0], [0.0]]))
    attacker = Attacker(of_one_region, CellKey(), 11, [table], known=known, siblings=siblings)
    advantage = attacker.attack(Child(0, 0), 20_000, seed=1)
    best = compute_advantage([14.0], CellKey(), 11, known, siblings)[0]
    assert advantage.low - 0.01 <= best <= advantage.high + 0.01


@pytest.mark.parametrize(("period", "k"), [(0, 11), (1, 20)])
@pytest.mark.parametrize("table", [REGION_YEAR, COUNTRY_YEAR])
def test_a_trained_attacker_reads_each_period_under_its_own_threshold(table, period, k):
    mechanism = CellKey.from_policy(DEFAULT_POLICY)
    of_one_region = replace(rates(12.0, 12.0), children=np.array([[12.0, 12.0], [0.0, 0.0]]))
    attacker = Attacker(of_one_region, mechanism, 20, [table], thresholds={table: (11, 20)})
    advantage = attacker.attack(Child(0, period), 40_000, seed=1)
    best = compute_advantage([12.0], mechanism, k)[0]
    assert advantage.low - 0.005 <= best <= advantage.high + 0.005


def draw_sums(rates_of_years, added, k):
    """Return the chance of each sum of yearly numbers by a long way, (numbers,); the first year has `added` more."""
    sums = {0: 1.0}
    for year, rate in enumerate(rates_of_years):
        of_year = {}
        for others in range(60):
            count = others + (added if year == 0 else 0)
            row = CellKey().table()[min(count, len(CellKey().table()) - 1)]
            for noise, chance in zip(range(-5, 6), row, strict=True):
                of_year[count + noise] = of_year.get(count + noise, 0.0) + chance * poisson.pmf(others, rate)
        joined = {}
        for (first, chance), (second, more) in product(sums.items(), of_year.items()):
            number = first + second
            joined[number] = joined.get(number, 0.0) + chance * more
        sums = joined
    shown = {}
    for number, chance in sums.items():
        place = number if number >= k else -1
        shown[place] = shown.get(place, 0.0) + chance
    return shown


@pytest.mark.parametrize("level", ["region", "country"])
@pytest.mark.parametrize(("known", "k"), [(0.0, 11), (0.0, 0), (1.0, 11)])
def test_a_number_of_the_whole_programme_tells_what_a_sum_of_its_years_can_tell(level, known, k):
    of_years = (9.0, 4.0, 6.0)
    of_one_region = replace(rates(*of_years), children=np.array([of_years, (0.0, 0.0, 0.0)]))
    attacker = Attacker(of_one_region, CellKey(), k, [TableSpec("children", level, "whole")], known=known)
    advantage = attacker.attack(Child(0, 0), 40_000, seed=1)
    if known:  # each year has as many others as the attacker knows, and three draws of noise hide the child
        single = Attacker(of_one_region, CellKey(), k, [TableSpec("children", level, "year")], known=known)
        assert advantage.high < single.attack(Child(0, 0), 40_000, seed=1).low
        return
    without, there = (draw_sums(of_years, added, k) for added in (0, 1))
    best = sum(abs(there.get(n, 0) - without.get(n, 0)) for n in nonempty({*without, *there})) / 2
    assert advantage.low - 0.005 <= best <= advantage.high + 0.005


def test_more_tables_tell_more_and_a_weak_mechanism_most():
    child = Child(0, 0, {"sex": 2})
    tables = [REGION_YEAR, TableSpec("children", "region", "whole"), REGION_SEX]
    few = rates(4.0, 3.0)
    single = Attacker(few, CellKey(), None, tables[:1]).attack(child, 16_000, 1)
    more = Attacker(few, CellKey(), None, tables).attack(child, 16_000, 1)
    weak = Attacker(few, Bare(), None, tables).attack(child, 16_000, 1)
    hidden = Attacker(few, CellKey(), 11, tables).attack(child, 16_000, 1)
    assert hidden.high < single.low
    assert single.high < more.low
    assert more.high < weak.low


def test_the_same_seed_gives_the_same():
    attacker = Attacker(rates(12.0, 9.0), CellKey(), 11, [REGION_YEAR, REGION_SEX])
    child = Child(0, 1, {"sex": 2})
    assert attacker.attack(child, 2000, 7) == attacker.attack(child, 2000, 7)


def test_a_region_of_more_children_than_can_be_drawn_is_judged_without_drawing_them(monkeypatch):
    many = Attacker(rates(3e6, 12.0), CellKey(), 11, [REGION_YEAR, REGION_SEX])
    monkeypatch.setattr(Attacker, "attack", lambda *_: pytest.fail("it draws millions of children"))
    advantage = many.survey(Child(0, 1, {"sex": 2}), (3000,), 1)
    alone = compute_advantage([12.0], CellKey(), 11)[0]
    assert advantage.low == 0
    assert alone / 2 < advantage.value < 2 * alone
    assert advantage.high == pytest.approx(2 * advantage.value, abs=0.001)


def test_the_worst_child_is_where_a_number_can_be_told():
    attacker = Attacker(rates(10.0, 0.5), CellKey(), 11, [REGION_YEAR])
    assert attacker.list_worst_children(1) == [Child(0, 0, {})]


def rows(areas, periods, values, name=None, categories=()):
    index = [(a, p, c) for a in areas for p in periods for c in (categories or ("",))]
    columns = {"area": [a for a, _, _ in index], "period": [p for _, p, _ in index]}
    if name:
        columns[name] = [c for _, _, c in index]
    columns["value"] = pa.array(values, pa.int64())
    columns["state"] = ["few" if v is None else "number" for v in values]
    return pa.table(columns)


AREAS = pd.DataFrame(
    {"level": ["country", "region", "region", "region"], "parent": ["", "AL", "AL", "AL"]},
    index=["AL", "AL-11", "AL-02", "AL-01"],
)
TABLES = {
    REGION_YEAR: rows(["AL-11", "AL-02", "AL-01"], YEARS, [40, 50, None, None, None, 20]),
    COUNTRY_YEAR: rows(["AL"], YEARS, [52, 73]),
    REGION_SEX: rows(["AL-11", "AL-02", "AL-01"], [WHOLE], [60, 30, None] * 3, "sex", CATEGORIES["sex"]),
}


def test_rates_are_read_from_what_is_shown_and_hidden_ones_from_what_a_total_leaves():
    rates_read = read_rates(Published("r", TABLES, {}, 11), AREAS)
    assert rates_read.children.tolist() == [[40, 50], [6, 3], [6, 20]]
    assert rates_read.shares["sex"].sum(axis=1) == pytest.approx(1)
    assert (rates_read.shares["sex"] > 0).all()
    assert rates_read.coarser["whole"].tolist() == [0, 0]


@settings(max_examples=30)
@given(values=st.lists(st.none() | st.integers(11, 90), min_size=6, max_size=6))
def test_no_rate_is_below_nothing_whatever_is_hidden(values):
    tables = {**TABLES, REGION_YEAR: rows(["AL-11", "AL-02", "AL-01"], YEARS, values)}
    rates_read = read_rates(Published("r", tables, {}, 11), AREAS)
    assert (rates_read.children > 0).all()
    assert np.isfinite(rates_read.children).all()


def test_a_release_that_tells_too_much_is_found_and_named():
    tables = {**TABLES, REGION_YEAR: rows(["AL-11", "AL-02", "AL-01"], YEARS, [11, 11, 11, 12, None, 20])}
    release = Published("r", tables, {}, 11)
    findings, went = membership.attack(release, AREAS, Bare(), 11, children=1, worlds=(4000,))
    assert {f.cell["area"] for f in findings} <= {"AL-11", "AL-02", "AL-01"}
    assert findings
    assert went["one_number"] > membership.LIMITS[0]
    assert not any(char.isdigit() for f in findings for char in f.reason)


def test_a_tier_without_a_threshold_is_told_and_never_refused():
    findings, went = membership.attack(Published("r", TABLES, {}, 11), AREAS, Bare(), None, children=1, worlds=(400,))
    assert not findings
    assert went["all_numbers"] > 0


def test_a_release_says_what_stronger_attackers_gain():
    _, measured = membership.attack(Published("r", TABLES, {}, 11), AREAS, CellKey(), 11, worlds=(3000,))
    for numbers in ("one_number", "all_numbers"):
        plain, two, three, half, everybody = (
            measured[f"{numbers}{who}"]
            for who in ("", "_two_siblings", "_three_siblings", "_half_known", "_all_others_known")
        )
        assert plain < two < three
        assert plain - 0.03 < half < everybody


def test_what_an_earlier_release_showed_is_attacked_under_its_own_threshold():
    """A raised threshold hides 12 only in the new release: who reads both knows it still."""
    values = [12, 30, 12, 30, None, 30]
    first, later = rows(["AL-11", "AL-02", "AL-01"], YEARS[:1], values[::2]), [None, 30] * 3
    tables = {REGION_YEAR: rows(["AL-11", "AL-02", "AL-01"], YEARS, later), COUNTRY_YEAR: rows(["AL"], YEARS, [60, 90])}
    before, after = (
        Published(name, shown, {"children": CellKey().knowledge(1, k)}, k)
        for name, shown, k in (("a", {REGION_YEAR: first}, 11), ("b", tables, 20))
    )
    joined = sequence.join_releases([before, replace(before, k=15), after])
    assert [joined.threshold(REGION_YEAR, period) for period in YEARS] == [11, 20]
    assert joined.threshold(COUNTRY_YEAR, YEARS[0]) == 20
    assert read_rates(joined, AREAS).children.tolist() == [[12, 30], [12, 30], [11, 30]]

    mechanism = CellKey.from_policy(DEFAULT_POLICY)
    advantages = [membership.attack(joined, AREAS, mechanism, 20)[1]["one_number"]]
    advantages += [float(compute_advantage([12.0, 11.0], mechanism, k).max()) for k in (11, 20)]
    assert advantages[0] == pytest.approx(advantages[1], abs=1e-4)
    assert advantages[1] > 3 * advantages[2]
    survey = partial(membership.survey, areas=AREAS, mechanism=mechanism, k=20, worlds=[16_000])
    known, new = (survey(release)["AL-11"] for release in (joined, replace(joined, k_before={})))
    assert known.child.period == 0
    assert known.value > new.value


def test_a_release_of_figures_alone_has_nobody_to_look_for():
    assert membership.attack(Published("r", {}, {}, 11), AREAS, CellKey(), 11) == ([], {})
