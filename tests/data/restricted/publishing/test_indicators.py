"""Indicators in a release: people are protected as children are, services need operators, other things are exact."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.restricted.counting.other_records import Services
from data.restricted.publishing.indicators import find_axis, find_bearer, find_counted, tabulate_indicators
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import CATEGORIES
from tests.helpers import small_worlds

NOISE = CellKey.from_policy(DEFAULT_POLICY)
COUNTRY, REGION = "AL", small_worlds.REGIONS["AL"][0]
YEAR, NEXT = "2006-06-01/P1Y", "2007-06-01/P1Y"


def make_grid(final=None):
    return Grid(small_worlds.area_table(), Calendar(6), date(2006, 6, 1), date(2008, 5, 31), final)


class Vault:
    def __init__(self, *rows):
        base = {
            "area": COUNTRY, "period": YEAR, "indicator": "prevention_children", "value": 40.0, "target": 50.0,
            "unit": "children at risk reached", "source": "Report", "partner": "ARSIS",
        }  # fmt: skip
        self.rows = pd.DataFrame([{**base, **row} for row in rows])

    def read(self, kind, columns):
        assert kind == "indicator"
        return small_worlds.batches(self.rows[list(columns)])


def record_keys(names):
    return np.array([int(name[:16], 16) for name in names], np.uint64)


def services_of(grid, *rows):
    """Return services of a country that each have an axis, a duty bearer and the number of an operator."""
    number = len(rows)
    return Services(
        grid,
        place=np.full(number, grid.names["101"]),
        operator=np.array([operator for _axis, _bearer, operator in rows], np.int64),
        axis=np.array([CATEGORIES["axis"].index(axis) for axis, _bearer, _operator in rows], np.int64),
        bearer=np.array([CATEGORIES["duty_bearer"].index(bearer) for _axis, bearer, _operator in rows], np.int64),
        start=np.full(number, "2006-06-01", "datetime64[D]"),
        end=np.full(number, "NaT", "datetime64[D]"),
        staff=np.full(number, np.nan),
        capacity=np.full(number, np.nan),
        giver=np.full(number, -1),
        taker=np.full(number, -1),
    )


def tabulate(*rows, grid=None, published=(), keys=record_keys, services=()):
    grid = grid or make_grid()
    given = services_of(grid, *services)
    result = tabulate_indicators(Vault(*rows), grid, given, DEFAULT_POLICY, NOISE, keys, dict(published))
    return result.table.to_pandas(), result.blocks


@pytest.mark.parametrize(
    ("unit", "counted"),
    [
        ("children at risk reached", "people"),
        ("girls in school", "people"),
        ("% of children in school", "people"),
        ("fëmijë", "people"),
        ("plans of reintegration", "people"),  # one for each child
        ("Meetings across the border", "things"),
        ("staff trained", "things"),
        ("staffed shelters", "people"),  # a word that no list has is protected
        ("social services able to protect victims", "services"),
        ("Shelters", "services"),
    ],
)
def test_what_a_unit_counts_is_people_unless_it_begins_with_another_word(unit, counted):
    assert find_counted(unit) == counted


def test_a_code_names_its_axis_and_its_duty_bearer():
    assert find_axis("prevention_services_school") == "prevention"
    assert find_axis("return_assisted") == find_axis("assisted_voluntary_return") == "assisted_voluntary_return"
    assert find_axis("preventive_work") == ""
    assert find_bearer("prevention_services_anti_trafficking_police") == "anti_trafficking_police"
    assert find_bearer("prevention_school_places") == ""


def test_a_number_of_people_has_noise_and_a_margin_and_its_target_is_exact():
    rows, _ = tabulate(*({"value": 12.0, "indicator": f"prevention_children_{n}"} for n in range(1000)))
    assert (rows["margin"] == 5).all()
    assert (rows["target"] == 50).all()
    assert set(rows["state"]) == {"number"}
    assert set(rows["value"]) == {float(n) for n in range(7, 18)}
    assert rows["value"].mean() == pytest.approx(12, abs=0.3)
    assert rows["value"].var() == pytest.approx(DEFAULT_POLICY.variance_near_k, rel=0.15)


def test_a_true_zero_stays_zero_and_a_share_of_people_is_withheld():
    rows, _ = tabulate({"value": 0.0}, {"value": 12.5, "indicator": "prevention_share", "unit": "% of children"})
    assert rows.set_index("indicator")["state"].to_dict() == {
        "prevention_children": "almost_none",
        "prevention_share": "withheld",
    }
    assert rows["value"].isna().all()


def test_a_number_of_people_is_drawn_once_and_repeated_whatever_changes():
    first, blocks = tabulate({"value": 40.0})
    again, more = tabulate({"value": 41.0}, published=blocks)
    assert again["value"].tolist() == first["value"].tolist()
    assert not more
    # The block names nobody.
    assert not any(b"ARSIS" in blob or b"prevention" in blob for blob in blocks.values())


def test_the_same_number_of_two_partners_has_one_draw():
    rows, _ = tabulate({}, {"partner": "Terre des hommes"})
    assert len(rows) == 2
    assert len(set(rows["value"])) == 1


def test_a_partner_that_knows_its_own_number_does_not_know_the_noise_on_another():
    pairs = [{"indicator": f"prevention_children_{n}", "value": 40.0} for n in range(100)]
    rows, _ = tabulate(*pairs, *({**row, "value": 41.0, "partner": "Terre des hommes"} for row in pairs))
    shown = rows.pivot_table(index="indicator", columns="partner", values="value")
    differences = shown["Terre des hommes"] - shown["ARSIS"]
    assert differences.nunique() > 5
    assert np.corrcoef(shown["ARSIS"], shown["Terre des hommes"])[0, 1] < 0.4


def test_people_wait_until_their_year_is_final_and_other_things_do_not():
    meetings = {"indicator": "coordination_meetings", "unit": "meetings", "period": NEXT, "value": 3.0}
    rows, _ = tabulate({}, {"period": NEXT}, meetings, grid=make_grid(date(2007, 5, 31)))
    assert sorted(zip(rows["indicator"], rows["period"], strict=True)) == [
        ("coordination_meetings", NEXT),
        ("prevention_children", YEAR),
    ]


@pytest.mark.parametrize(
    ("operators", "bearers", "axis", "of_ngos"),
    [
        ((1, 1, 1, 1), ("ngo",) * 4, "withheld", "withheld"),  # four services of one operator
        (range(18), CATEGORIES["duty_bearer"] * 3, "number", "number"),  # three of each duty bearer
        ((1, 2, 3, 4), ("ngo", "state", "state", "state"), "number", "withheld"),
        ((), (), "withheld", "withheld"),
    ],
)
def test_services_of_restricted_axes_are_withheld_as_in_the_tables_of_services(operators, bearers, axis, of_ngos):
    services = [("protection", bearer, operator) for bearer, operator in zip(bearers, operators, strict=True)]
    names = ("protection_services", "protection_services_ngo", "shelters_open", "prevention_services")
    rows, _ = tabulate(*({"unit": "services", "value": 4.0, "indicator": name} for name in names), services=services)
    assert rows.set_index("indicator")["state"].to_dict() == {
        "protection_services": axis,
        "protection_services_ngo": of_ngos,
        "shelters_open": "withheld",  # of no axis
        "prevention_services": "number",
    }
    few, _ = tabulate({"unit": "services", "value": 2.0, "indicator": "protection_services"}, services=services)
    assert few["state"].tolist() == ["withheld"]


def test_counties_have_prevention_and_coordination_alone_and_municipalities_nothing():
    rows, _ = tabulate(
        {"area": REGION},
        {"area": REGION, "indicator": "protection_children"},
        {"area": REGION, "indicator": "shelters_open", "unit": "shelters", "value": 9.0},
        {"area": "101"},
    )
    assert rows[["area", "indicator"]].to_numpy().tolist() == [[REGION, "prevention_children"]]


def test_indicators_of_periods_that_have_not_ended_are_left_out():
    rows, _ = tabulate({"period": "2008-06-01/P1Y", "unit": "meetings"})
    assert rows.empty
