from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import Policy
from data.restricted.publishing import published_table
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import CATEGORIES, TableSpec
from data.tables.states import STATES, WORDS
from tests.helpers import small_worlds

GRID = Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2007, 5, 31))
YEARS = TableSpec("children", "region", "year")
SIZE = len(GRID.codes["region"])


def table(values, searched=True, tier="partner", spec=YEARS, total=None, **policy):
    noisy = np.array(values, np.int64).reshape(SIZE, 1, *([2] * len(spec.breakdown)))
    total = noisy if total is None else np.array(total).reshape(SIZE, 1)
    looked = np.broadcast_to(np.array(searched), (SIZE,)).reshape(SIZE, 1)
    chosen = Policy(**policy)
    mechanism = CellKey.from_policy(chosen)
    return published_table.tabulate_counts(spec, noisy, total, looked, GRID, tier, chosen, mechanism).frame()


def test_every_state_has_words():
    assert set(WORDS) == set(STATES)


def test_the_public_tier_shows_numbers_from_k_on_and_nothing_else():
    frame = table([0, 1, 10, 11, 40], tier="public")
    assert frame["state"].tolist() == ["few", "few", "few", "number", "number"]
    assert frame["value"].isna().tolist() == [True, True, True, False, False]
    assert frame["margin"].fillna(0).tolist() == [0, 0, 0, 5, 5]


def test_the_partner_tier_tells_not_searched_from_almost_none():
    frame = table([0, 0, 3, 1, 0], searched=[True, False, False, True, False])
    assert frame["state"].tolist() == ["almost_none", "not_searched", "number", "number", "not_searched"]
    assert frame["value"].fillna(-1).tolist() == [-1, -1, 3, 1, -1]


def test_the_margin_is_the_mechanism_s():
    spec = TableSpec("encounters", "region", "year")
    assert table([20] * SIZE, spec=spec)["margin"].iloc[0] == 15


def test_not_searched_follows_from_the_noisy_total_and_effort_alone():
    """Without outreach, a true 1 that is published as 0 must look like a true 0."""
    spec = TableSpec("children", "region", "year", ("found",))
    values = np.array([[0, 0], [0, 4], [0, 0], [0, 0], [0, 0]])
    frame = table(values, searched=[False, False, True, False, True], spec=spec, total=[0, 4, 0, 0, 0])
    states = frame.set_index(["area", "found"])["state"]
    areas = GRID.codes["region"]
    assert states[areas[0], "discovered"] == "not_searched"
    assert states[areas[0], "reported"] == "almost_none", "what is reported needs nobody to search"
    assert states[areas[1], "reported"] == "almost_none", "somebody was found there"
    assert states[areas[2], "discovered"] == "almost_none"


def test_zero_is_structural_only_where_the_programme_is_not():
    for tier in ("partner", "public"):
        frame = table([0, 0, 0, 0, 0], tier=tier, no_programme=frozenset({"GR-69"})).set_index("area")
        assert frame["state"]["GR-69"] == "structural_zero"
        assert "structural_zero" not in set(frame["state"].drop("GR-69"))
    whole = table([0, 0, 0, 0, 0], no_programme=frozenset({"GR"})).set_index("area")["state"]
    assert set(whole[["GR-I", "GR-K", "GR-69"]]) == {"structural_zero"}


def test_a_flow_to_an_area_without_a_programme_is_no_structural_zero():
    spec = TableSpec("flows", "region", "year", ("origin",))
    noisy = np.zeros((SIZE, 1, SIZE), np.int64)
    policy = Policy(no_programme=frozenset({"GR-69"}))
    none = noisy[..., 0]
    flows = published_table.tabulate_counts(spec, noisy, none, none == 0, GRID, "partner", policy, CellKey())
    assert set(flows.frame()["state"]) == {"almost_none"}


def test_every_cell_has_a_row():
    spec = TableSpec("children", "municipality", "quarter", ("stage",))
    shape = (len(GRID.codes["municipality"]), 4, 6)
    zeros = np.zeros(shape, np.int64)
    none = zeros[..., 0]
    table = published_table.tabulate_counts(spec, zeros, none, none > 0, GRID, "partner", Policy(), CellKey())
    frame = table.frame()
    assert len(frame) == np.prod(shape)
    assert not frame.duplicated(["area", "period", "stage"]).any()


@pytest.mark.slow
@settings(max_examples=40)
@given(st.lists(st.floats(0, 5000), min_size=SIZE, max_size=SIZE))
def test_classes_hold_the_number_and_merge_zero(days):
    spec = TableSpec("effort", "region", "year")
    frame = published_table.tabulate_classes(spec, np.array(days).reshape(SIZE, 1), GRID).frame()
    assert set(frame["state"]) == {"class"}
    assert frame["value"].isna().all()
    high = frame["high"].astype("Float64").fillna(np.inf)
    assert (frame["low"] <= np.array(days)).all()
    assert (np.floor(days) <= high).all()
    assert frame.loc[frame["low"] == 0, "high"].eq(49).all()


def test_estimates_span_the_classes_of_their_sources():
    spec = TableSpec("communities", "region", "year")
    low = np.full((SIZE, 1, 3), np.nan)
    high = low.copy()
    low[0, 0, 0], high[0, 0, 0] = 80, 3000
    frame = published_table.tabulate_estimates(spec, low, high, GRID).frame()
    first = frame.iloc[0]
    assert (first["group"], first["state"], first["low"], first["high"]) == ("roma", "class", 0, 9999)
    assert set(frame["state"].iloc[1:]) == {"no_data"}


SERVICES = TableSpec("services", "region", "year")


def column(*values, kind=float):
    return np.array(values, kind).reshape(SIZE, 1)


def test_effort_says_zero_and_unknown_apart():
    values = column(0, 2, np.nan, 1, 0)
    frame = published_table.tabulate_exact(TableSpec("effort", "region", "year"), values, GRID, "not_searched").frame()
    assert frame["state"].tolist() == ["not_searched", "number", "no_data", "number", "not_searched"]
    assert frame["margin"].isna().all()


def test_a_sum_that_may_be_too_small_claims_no_number():
    partial = column(False, True, True, True, False, kind=bool)
    withheld = column(False, False, False, False, True, kind=bool)
    frame = published_table.tabulate_sums(SERVICES, column(0, 7, 0, np.nan, 4), GRID, withheld, partial).frame()
    assert frame["state"].tolist() == ["number", "class", "withheld", "no_data", "withheld"]
    assert frame["value"].fillna(-1).tolist() == [0, -1, -1, -1, -1]
    assert frame["low"].fillna(-1).tolist() == [-1, 7, -1, -1, -1]
    assert frame["high"].isna().all()


def test_of_a_partial_sum_only_the_lower_end_of_its_class_is_public():
    partial = column(False, True, True, True, True, kind=bool)
    frame = published_table.tabulate_classes(SERVICES, column(4, 4, 2, 0, 30), GRID, partial=partial).frame()
    assert frame["state"].tolist() == ["class", "class", "withheld", "withheld", "class"]
    assert frame["low"].fillna(-1).tolist() == [3, 3, -1, -1, 21]
    assert frame["high"].fillna(-1).tolist() == [5, -1, -1, -1, -1]


PLACES = TableSpec("children", "municipality", "year")
OF_PLACES = [
    PLACES,
    TableSpec("encounters", "municipality", "quarter"),
    TableSpec("children", "municipality", "whole", ("pathway",)),
    TableSpec("model", "municipality", "quarter", ("crossing", "found")),
]


def tabulate(spec, noisy, searched, **policy):
    chosen = Policy(**policy)
    total = noisy.reshape(*noisy.shape[:2], -1).max(axis=2)
    places = spec, noisy, total, searched, GRID, "partner", chosen, CellKey.from_policy(chosen)
    return published_table.tabulate_counts(*places)


@settings(max_examples=20)
@given(st.sampled_from(OF_PLACES), st.integers(1, 8), st.integers(0, 10**6))
def test_what_is_below_the_threshold_of_municipalities_looks_like_zero(spec, k, seed):
    """Which of the noisy numbers below it a cell has changes nothing that partners see."""
    rng = np.random.default_rng(seed)
    shape = (len(GRID.codes[spec.level]), len(GRID.periods(spec.grain)), *(len(CATEGORIES[b]) for b in spec.breakdown))
    noisy, searched = rng.poisson(2, shape), rng.random(shape[:2]) < 0.5
    now = tabulate(spec, noisy, searched, k_municipal=k)
    zero = tabulate(spec, np.where(noisy < k, 0, noisy), searched, k_municipal=1)
    assert (now.state == zero.state).all()
    assert np.array_equal(now.value, zero.value, equal_nan=True)
    assert np.nanmin(np.append(now.value, k)) >= k


@pytest.mark.parametrize(("k", "least", "most"), [(1, 0.90, 0.95), (3, 0.38, 0.46)])
def test_whether_the_only_child_of_a_municipality_exists_is_often_hidden(k, least, most):
    """A true zero shows zero, so a number is proof. A child is in four draws: provisional, final, and encounters."""
    rng, mechanism, trials = np.random.default_rng(1), CellKey(variance_near_k=6.0), 300
    places, seen = len(GRID.codes["municipality"]), []
    for _ in range(trials):
        is_seen = np.zeros(places, bool)
        for measure, scale in (("children", 1), ("encounters", 3)) * 2:
            alone = np.ones((places, 1), np.int64)
            noisy = mechanism.publish(alone, rng.integers(0, mechanism.key_range, alone.shape), scale)
            shown = tabulate(
                TableSpec(measure, "municipality", "year"), noisy, np.ones((places, 1), bool), k_municipal=k
            )
            is_seen |= shown.state[:, 0] == STATES.index("number")
        seen.append(is_seen.mean())
    assert least < np.mean(seen) < most


def test_a_published_zero_of_a_municipality_may_hide_what_noise_and_threshold_allow():
    mechanism = CellKey()
    for spec in OF_PLACES:
        years = 3 if spec.grain == "whole" else 1
        known = published_table.describe_noise(spec, "partner", Policy(), mechanism, years)
        reach = 5 * Policy().scale(spec.measure)
        assert (known.threshold, known.hidden_to) == (3, (2 + reach) * years)
        assert known.largest == ((2 + reach) * 3 if years == 3 else reach), (
            "a year that is hidden is left out of the sum"
        )
    wider = published_table.describe_noise(YEARS, "partner", Policy(), mechanism, 1)
    assert (wider.threshold, wider.hidden_to) == (1, 5)
