"""Effort, services and communities: what is counted without noise, and which numbers may be shown."""

from collections import Counter, defaultdict
from datetime import date
from functools import cache
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.restricted.counting import other_records as plain
from data.restricted.counting.few_operators import hide_few_operators
from data.restricted.publishing import published_table
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import CATEGORIES, OPEN_AXES, TableSpec
from tests.helpers import small_worlds
from tests.helpers.nonempty import nonempty

RESTRICTED_AXES = frozenset(CATEGORIES["axis"]) - OPEN_AXES

GRID = Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2007, 5, 31))
PROTECTION = CATEGORIES["axis"].index("protection")


def services(*changes):
    base = {
        "municipality": "101",
        "operator": "A",
        "duty_bearer": "ngo",
        "axis": "prevention",
        "staff": 2,
        "capacity": 10,
        "valid_from": "2006-01-01",
        "valid_to": "",
        "handed_from": "",
        "handed_to": "",
        "help": "unknown",
    }
    return plain.read_services(small_worlds.batches(pd.DataFrame([{**base, **c} for c in changes])), GRID)


def test_effort_days_add_up_over_places_and_periods():
    frame = pd.DataFrame(
        {
            "date": ["2006-06-02", "2006-08-31", "2006-09-01"],
            "municipality": ["101", "102", "9261-2"],
            "days": [0.5, 1.25, 2.0],
        }
    )
    effort = plain.read_effort(small_worlds.batches(frame), GRID)
    assert effort.days("region", "quarter")[0].tolist() == [1.75, 0, 0, 0]
    assert effort.days("country", "whole").ravel().tolist() == [1.75, 2.0]
    assert effort.days("municipality", "quarter")[GRID.codes["municipality"].index("9261")].tolist() == [0, 2.0, 0, 0]


def test_services_count_at_the_end_of_a_period():
    records = services({"valid_to": "2006-09-15"}, {"valid_from": "2006-09-01"}, {"valid_from": "2008-01-01"})
    sums = records.table(TableSpec("services", "municipality", "quarter"), 3)
    assert sums.numbers[0].tolist() == [1, 1, 1, 1]
    assert not sums.withheld.any()


@pytest.mark.parametrize(
    "operators", [("Άρσις", "ΑΡΣΙΣ", "B"), ("Shtëpia e Fëmijës", "Shtepia e femijes", "B"), ("«A.B.»", "A. B", "C")]
)
def test_spellings_of_one_operator_are_no_two_operators(operators):
    records = services(*({"axis": "protection", "operator": name} for name in operators))
    sums = records.table(TableSpec("services", "region", "quarter", ("axis",)), 3)
    assert sums.withheld[0, 0, PROTECTION]


def test_shelters_show_by_region_only_and_only_with_three_operators():
    three = [{"axis": "protection", "operator": o} for o in ("A", "B", "C")]
    axis = TableSpec("services", "region", "quarter", ("axis",))
    protection = CATEGORIES["axis"].index("protection")
    few, enough = services(*three[:2], {"operator": " a "}), services(*three)
    for records, shown in ((few, 0), (enough, 3)):
        sums = records.table(axis, 3)
        assert sums.numbers[0, 0, protection] == shown
        assert sums.withheld[0, 0, protection] == (not shown)
        assert sums.withheld[1, 0, protection]  # none there, and that looks the same as few
        assert not sums.partial.any()
        fine = records.table(TableSpec("services", "municipality", "quarter", ("axis",)), 3)
        assert fine.numbers[..., protection].sum() == 0
        assert fine.withheld[..., protection].all()
        total = records.table(TableSpec("services", "region", "quarter"), 3).numbers
        assert total[0, 0] == sums.numbers[0, 0].sum()


@pytest.mark.parametrize("measure", ["services", "staff", "capacity"])
def test_a_total_is_exact_only_where_every_axis_is_shown(measure):
    def partial(records, level):
        return records.table(TableSpec(measure, level, "quarter"), 3).partial

    restricted = sorted(RESTRICTED_AXES)
    north = [{"axis": axis, "operator": o} for axis in restricted for o in ("A", "B", "C")]
    for records in (services({}), services(*north[:-1])):
        for level in ("country", "region", "municipality"):
            assert partial(records, level).all()
    records = services(*north)
    regions = partial(records, "region")
    assert not regions[0].any()
    assert regions[1:].all()
    assert partial(records, "municipality").all()
    assert partial(records, "country").all(), "other regions may hide some"
    south = [{**service, "municipality": "201"} for service in north]
    countries = partial(services(*north, *south), "country")
    assert not countries[0].any(), "every region of this country shows all"
    assert countries[1].all()


def test_a_country_is_whole_where_enough_operators_run_what_its_regions_hide():
    north = [{"axis": "protection", "operator": o} for o in ("A", "B", "C")]
    south = [{"axis": "protection", "operator": o, "municipality": "201"} for o in ("A", "B")]
    spec = TableSpec("services", "country", "quarter", ("axis",))
    protection = CATEGORIES["axis"].index("protection")
    for hidden in ((), south[:1], south):
        sums = services(*north, *hidden).table(spec, 3)
        assert (sums.numbers[0, 0, protection], sums.partial[0, 0, protection]) == (3, True)


OPEN_ALONE = [("duty_bearer",), ("carrier",), ("help",)]
SERVICE = st.fixed_dictionaries(
    {
        "municipality": st.sampled_from(["101", "102", "201", "202", "9001", "9002", "9261", "9261-1"]),
        "operator": st.sampled_from("ABCD"),
        "duty_bearer": st.sampled_from(["state", "school", "ngo"]),
        "axis": st.sampled_from(CATEGORIES["axis"]),
        "help": st.sampled_from(["legal", "social;legal", "legal;shelter", "shelter", "other_help", "unknown"]),
        "staff": st.none() | st.integers(0, 3),
        "capacity": st.integers(0, 9),
        "valid_from": st.sampled_from(["2006-01-01", "2006-10-01"]),
        "valid_to": st.sampled_from(["", "2007-01-31"]),
    }
)


def at_work(service, day):
    return service["valid_from"] <= day and not (service["valid_to"] and service["valid_to"] < day)


def place(service, level):
    code = service["municipality"][:4]
    region = next(r for r, codes in small_worlds.MUNICIPALITIES.items() if code in codes)
    return {"municipality": code, "region": region, "country": region[:2]}[level]


def too_few(listed, level, measure):
    """Return the services on a restricted axis of which fewer than three operators in the area have one above zero."""
    run = {}
    for service in listed:
        if service.get(measure, 1):
            run.setdefault((place(service, level), service["axis"]), set()).add(service["operator"])
    few = [service for service in listed if len(run.get((place(service, level), service["axis"]), ())) < 3]
    return [service for service in few if service["axis"] in RESTRICTED_AXES]


def hidden(now, level, measure, by):
    """Return the services of a moment that must not influence any number at a level."""
    if level == "municipality" or by in OPEN_ALONE:
        return [service for service in now if service["axis"] in RESTRICTED_AXES]
    few = too_few(now, "region", measure)
    return few if level == "region" else too_few(few, "country", measure)


@pytest.mark.slow
@settings(max_examples=50, deadline=None)
@given(
    st.lists(SERVICE, max_size=24),
    st.sampled_from(["services", "staff", "capacity"]),
    st.sampled_from(["country", "region", "municipality"]),
    st.sampled_from([(), ("axis",), *OPEN_ALONE]),
    st.sampled_from(GRID.periods("quarter")),
)
def test_what_too_few_run_changes_no_table_and_no_number_is_too_small(listed, measure, level, by, period):
    spec, day = TableSpec(measure, level, "quarter", by), period.end.isoformat()
    whole = published(listed, spec)
    now = [service for service in listed if at_work(service, day)]
    gone = hidden(now, level, measure, by)
    seen = [{**service, "valid_from": day, "valid_to": day} for service in now if service not in gone]
    for mine, other in nonempty(zip(whole, published(seen, spec), strict=True)):
        frames = [f[f["period"] == period.id].reset_index(drop=True) for f in (mine, other)]
        assert frames[0].equals(frames[1])
    for table in whole:
        check_truth(table[table["period"] == period.id], now, spec)


def published(listed, spec):
    """Return the table of each tier; a service that starts later is added, for the other cells of the table."""
    sums = services(*listed, {"valid_from": "2009-01-01"}).table(spec, 3)
    return [
        make(spec, sums.numbers, GRID, sums.withheld, sums.partial).frame()
        for make in (published_table.tabulate_sums, published_table.tabulate_classes)[
            : 2 if spec.measure == "services" else 1
        ]
    ]


def carry(service):
    return "partner" if service["duty_bearer"] in ("ngo", "community") else "state"


def check_truth(frame, now, spec):
    for row in frame.to_dict("records"):
        there = [o for o in now if place(o, spec.level) == row["area"]]
        if spec.breakdown in OPEN_ALONE:
            there = [o for o in there if o["axis"] in OPEN_AXES]
        there = [o for o in there if all(row[name] in o.get(name, carry(o)).split(";") for name in spec.breakdown)]
        amounts = [1 if spec.measure == "services" else o[spec.measure] for o in there]
        true = sum(a for a in amounts if a is not None)
        if row["state"] == "number":
            assert row["value"] == true
            assert None not in amounts
        elif row["state"] == "class":
            assert row["low"] <= true
            if pd.notna(row["high"]):
                assert true <= row["high"]
                assert None not in amounts
            else:
                assert row["low"] > 0


def test_a_country_does_not_give_away_what_its_regions_hide():
    north = [{"axis": "protection", "operator": o} for o in ("A", "B", "C")]
    south = [{"axis": "protection", "operator": o, "municipality": "201"} for o in ("A", "B")]
    spec = TableSpec("services", "country", "quarter")
    assert services(*north, *south).table(spec, 3).numbers[0, 0] == 3
    south.append({"axis": "protection", "operator": "D", "municipality": "202"})
    assert services(*north, *south).table(spec, 3).numbers[0, 0] == 6
    axis = services(*north, *south).table(TableSpec("services", "country", "quarter", ("axis",)), 3)
    assert not axis.partial[0, 0, CATEGORIES["axis"].index("protection")]


def test_staff_that_nobody_knows_is_no_number():
    records = services({"staff": None}, {"municipality": "102", "staff": None}, {"municipality": "102", "staff": 3})
    sums = records.table(TableSpec("staff", "municipality", "quarter", ("axis",)), 3)
    assert np.isnan(sums.numbers[0, 0, 0])
    assert (sums.numbers[1, 0, 0], sums.partial[1, 0, 0]) == (3, True), "and somebody's is not known"
    assert (sums.numbers[2, 0, 0], sums.partial[2, 0, 0]) == (0, False)


@pytest.mark.parametrize("measure", ["staff", "capacity"])
@pytest.mark.parametrize("level", ["region", "country"])
@pytest.mark.parametrize("nothing", [None, 0])
def test_places_that_fewer_than_three_operators_have_are_withheld(measure, level, nothing):
    """With one number above zero, the sum of three operators is the number of one of them."""
    three = [{"axis": "protection", "operator": o, measure: n} for o, n in (("A", 12), ("B", nothing), ("C", nothing))]
    for by in (("axis",), ("axis", "duty_bearer")):
        sums = services(*three).table(TableSpec(measure, level, "quarter", by), 3)
        assert sums.withheld[0, 0, PROTECTION].all()
        assert not sums.numbers[0, 0, PROTECTION].any()
    more = [{"axis": "protection", "operator": o, measure: 5} for o in ("D", "E")]
    sums = services(*three, *more).table(TableSpec(measure, level, "quarter", ("axis",)), 3)
    partial = nothing is None or level == "country"  # other regions may hide some
    assert (sums.numbers[0, 0, PROTECTION], sums.partial[0, 0, PROTECTION]) == (22, partial)


def test_the_latest_estimate_stands_and_sources_of_one_year_span_a_range():
    frame = pd.DataFrame(
        {
            "area": ["AL-11", "AL-11", "AL-11", "101", "AL-11"],
            "group": ["roma", "roma", "roma", "roma", "egyptian"],
            "estimate": [50, 400, 900, 7, 10],
            "year": [2004, 2006, 2006, 2006, 2020],
        }
    )
    communities = plain.read_communities(small_worlds.batches(frame), GRID)
    low, high = communities.range(TableSpec("communities", "region", "year"))
    assert (low[0, 0, 0], high[0, 0, 0]) == (400, 900)
    assert np.isnan(low[0, 0, 1]), "an estimate of a later year"
    assert np.isnan(low[1]).all()


DOERS = TableSpec("services", "country", "quarter", ("axis", "duty_bearer"))
BEARERS = CATEGORIES["duty_bearer"]


def of_operators(**counts):
    """Return services on axis_bearer=(operators), each operator with one service."""
    rows = []
    for name, number in counts.items():
        axis = next(a for a in CATEGORIES["axis"] if name.startswith(a))
        bearer = name[len(axis) + 1 :]
        rows += [{"axis": axis, "duty_bearer": bearer, "operator": f"{name} {i}"} for i in range(number)]
    return services(*rows)


def test_open_axes_show_every_duty_bearer_of_a_country():
    sums = of_operators(prevention_school=1, prevention_ngo=2, coordination_state=1).table(DOERS, 3)
    axis, first = CATEGORIES["axis"].index("prevention"), sums.numbers[0, 0]
    assert [first[axis, BEARERS.index(b)] for b in ("school", "ngo", "state")] == [1, 2, 0]
    assert not sums.withheld[0, 0, axis].any()


def test_a_cell_of_a_restricted_axis_needs_three_operators_of_its_own():
    sums = of_operators(protection_ngo=4, protection_state=3, protection_municipality=2, protection_school=1)
    sums = sums.table(DOERS, 3)
    shown = {b for b in BEARERS if not sums.withheld[0, 0, PROTECTION, BEARERS.index(b)]}
    assert shown <= {"ngo", "state"}
    # Where there are none looks the same as where there are few.
    assert sums.withheld[0, 0, PROTECTION, BEARERS.index("community")]


def test_what_is_left_of_a_total_has_enough_operators():
    # Of seven services of protection six would be shown: the seventh would follow from the total.
    sums = of_operators(protection_ngo=3, protection_state=3, protection_school=1, prevention_school=2).table(DOERS, 3)
    hidden = sums.withheld[0, 0, PROTECTION]
    counts = {"ngo": 3, "state": 3, "school": 1}
    rest = sum(counts.get(b, 0) for b, gone in zip(BEARERS, hidden, strict=True) if gone)
    assert rest >= 3


@pytest.mark.parametrize(("bearers", "most"), [(2, 9), (3, 8), (4, 7)])
def test_no_withheld_cell_with_few_operators_follows_from_the_published_sums(bearers, most):
    """Try all small axes: what a reader sees fits at least two numbers of services in each cell with few operators.

    A reader sees the total of the axis, the cells that are shown and which are withheld, and knows the rule.
    """
    cells = [(0, 0), *((k, n) for n in range(1, most + 1) for k in range(1, n + 1))]  # operators, services
    possible, few = defaultdict(set), set()
    for axis in product(cells, repeat=bearers):
        total, operators = sum(n for _k, n in axis), [k for k, _n in axis]
        if total <= most and sum(operators) >= 3:
            hidden = hide(tuple(operators))
            assert all(gone for k, gone in zip(operators, hidden, strict=True) if k < 3)
            seen = total, tuple(None if gone else n for gone, (_k, n) in zip(hidden, axis, strict=True))
            for place, (k, n) in enumerate(axis):
                if hidden[place]:
                    possible[seen, place].add(n)
                    few |= {(seen, place)} if k < 3 else set()
    assert len(few) >= 2 * bearers
    assert all(len(possible[cell]) > 1 for cell in few)


@cache
def hide(operators):
    names = iter(range(sum(operators)))
    return tuple(hide_few_operators([{next(names) for _ in range(k)} for k in operators], 3))


def test_operators_who_work_for_two_duty_bearers_count_once_together():
    assert hide_few_operators([{1, 2}, {1, 2}, {3, 4, 5}, {3, 4, 5, 6}], 3).tolist() == [True, True, True, False]


@pytest.mark.slow
@settings(max_examples=6, deadline=None)
@given(st.lists(SERVICE, min_size=12, max_size=24), st.randoms(use_true_random=False))
def test_no_table_by_duty_bearer_carrier_or_help_tells_who_works_on_restricted_axes(listed, random):
    others = [
        {**service, "duty_bearer": random.choice(BEARERS), "help": random.choice(KINDS)}
        if service["axis"] in RESTRICTED_AXES
        else service
        for service in listed
    ]
    for level, by in product(("country", "region", "municipality"), OPEN_ALONE):
        spec = TableSpec("services", level, "quarter", by)
        for mine, other in zip(published(listed, spec), published(others, spec), strict=True):
            assert mine.equals(other)


@pytest.mark.parametrize("level", ["country", "region"])
def test_services_by_duty_bearer_and_by_carrier_are_those_of_prevention_and_coordination(level):
    records = of_operators(protection_ngo=3, protection_state=3, prevention_ngo=2, coordination_school=1)
    by_bearer, by_carrier = (records.table(TableSpec("services", level, "quarter", by), 3) for by in OPEN_ALONE[:2])
    assert dict(zip(BEARERS, by_bearer.numbers[0, 0], strict=True)) == {
        **dict.fromkeys(BEARERS, 0), "ngo": 2, "school": 1
    }  # fmt: skip
    assert by_carrier.numbers[0, 0].tolist() == [2, 0, 0, 0, 1]
    assert not by_bearer.partial.any(), "nothing of these axes is withheld"
    assert not by_carrier.partial.any()


KINDS = CATEGORIES["help"]


def count_by_help(level, *changes):
    frame, _public = published(changes, TableSpec("services", level, "quarter", ("help",)))
    first = frame[(frame["area"] == frame["area"].iloc[0]) & (frame["period"] == frame["period"].iloc[0])]
    return {row["help"]: (row["state"], row["value"], row["low"]) for row in first.to_dict("records")}


def test_a_service_counts_once_in_each_kind_of_help_that_it_gives():
    legal = {"help": "social;legal"}
    cells = count_by_help("municipality", legal, {"help": "legal"}, {"help": "health", "axis": "protection"})
    assert {kind: value for kind, (state, value, _low) in cells.items() if state == "number"} == {
        **dict.fromkeys(KINDS, 0), "social": 1, "legal": 2
    }  # fmt: skip


@pytest.mark.parametrize("silent", ["unknown", "shelter", "legal;shelter"])
def test_where_kinds_of_help_are_not_known_there_may_be_more_of_each(silent):
    cells = count_by_help("municipality", {"help": "social;legal"}, {"help": silent})
    assert cells["legal"][0] == "class"
    assert cells["legal"][2] == 1
    assert {cells[kind][0] for kind in KINDS if kind not in ("social", "legal")} == {"no_data"}


@pytest.mark.slow
@settings(max_examples=15, deadline=None)
@given(st.lists(SERVICE, max_size=16), st.sampled_from(["services", "staff", "capacity"]))
def test_no_table_tells_a_shelter_from_a_service_whose_kind_is_not_known(listed, measure):
    other = [{**service, "help": "unknown"} if "shelter" in service["help"] else service for service in listed]
    for level in ("country", "region", "municipality"):
        spec = TableSpec(measure, level, "quarter", ("help",))
        for mine, blind in zip(published(listed, spec), published(other, spec), strict=True):
            assert mine.equals(blind)


def test_what_several_tables_need_is_computed_once(monkeypatch):
    records = of_operators(protection_ngo=3, prevention_school=1)
    calls = Counter()
    for name in ("_compute_carriers", "_compute_hidden_cells"):
        compute = getattr(plain.Services, name)
        monkeypatch.setattr(
            plain.Services,
            name,
            lambda *arguments, n=name, f=compute: (calls.update([(n, *arguments[1:])]), f(*arguments))[1],
        )
    for level, by in (("country", DOERS.breakdown), ("country", ("carrier",)), ("region", ("carrier",))):
        for measure in ("services", "capacity"):
            records.table(TableSpec(measure, level, "quarter", by), 3)
    assert len(calls) == 3 * len(GRID.periods("quarter")), "carriers, and cells of services and of places"
    assert set(calls.values()) == {1}


def test_who_carries_a_service_follows_its_hand_over():
    ngo = {"duty_bearer": "ngo", "handed_from": "ngo", "handed_to": "municipality"}
    town = {**ngo, "duty_bearer": "municipality", "valid_from": "2006-09-15"}
    back = {"handed_from": "municipality", "handed_to": "ngo", "valid_from": "2007-03-10"}
    handed = services(
        {**ngo, "valid_to": "2007-01-31"},  # works on beside the municipality for a while
        {**town, "valid_to": "2007-03-09"},
        {**back, "duty_bearer": "ngo"},
        {"duty_bearer": "school"},
        {"duty_bearer": "community"},
    )
    sums = handed.table(TableSpec("services", "region", "quarter", ("carrier",)), 3).numbers[0]
    carriers = CATEGORIES["carrier"]
    quarters = [{c: int(n) for c, n in zip(carriers, quarter, strict=True) if n} for quarter in sums]
    assert quarters == [
        {"partner": 2, "state": 1},
        {"partner": 1, "shared": 2, "state": 1},
        {"partner": 1, "handed_over": 1, "state": 1},
        {"partner": 1, "returned": 1, "state": 1},
    ]
