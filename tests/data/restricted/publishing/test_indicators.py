"""Indicators in a release: people are protected, services of restricted axes withheld, other things are exact."""

from dataclasses import replace
from datetime import date

import numpy as np
import pandas as pd
import pytest

from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.restricted.publishing.book import Book
from data.restricted.publishing.indicators import classify_unit, find_axis, find_bearer, tabulate_indicators
from data.tables.grid import Grid
from data.tables.periods import Calendar
from data.tables.spec import TableSpec
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
            "unit": "children at risk reached", "source": "Report", "partner": "ARSIS", "batch": 1,
        }  # fmt: skip
        self.rows = pd.DataFrame([{**base, **row} for row in rows])

    def read(self, kind, columns):
        assert kind == "indicator"
        return small_worlds.batches(self.rows[list(columns)])


def record_keys(names):
    return np.array([int(name[:16], 16) for name in names], np.uint64)


def tabulate(*rows, grid=None, published=()):
    book = Book(dict(published))
    table = tabulate_indicators(Vault(*rows), grid or make_grid(), NOISE, record_keys, book)
    return table.to_pandas(), book.staged()


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
        ("working groups", "people"),  # a word that no list has is protected
        ("social services of protection", "services"),
        ("Shelters", "services"),
        ("municipalities with a day centre", "services"),
        ("qendra ditore", "services"),
        ("ΚΈΝΤΡΑ ΗΜΈΡΑΣ", "services"),
        # People go before all other words.
        ("services for children", "people"),
        ("social services able to protect victims", "people"),
        ("shelters for girls", "people"),
        ("Meetings on single cases", "people"),
        ("staff, and families helped", "people"),
        ("tasks (pupils)", "people"),
        ("euro for beneficiaries", "people"),
        ("services: fëmijë të mitur", "people"),
        ("services, Viktima", "people"),
        ("staff: nxenes", "people"),
        ("meetings: ΠΑΙΔΙΆ", "people"),
        ("meetings: κοριτσιών", "people"),
        ("services: θυμάτων", "people"),
        ("tasks: υποθέσεις", "people"),
        ("Shkolla me mësues të trajnuar", "things"),
        ("marrëveshje të nënshkruara", "things"),
        ("Σχολεία που εντάχθηκαν", "things"),
        ("πολιτικές", "things"),
        ("ΕΚΠΑΙΔΕΎΣΕΙΣ", "things"),
        ("shërbime sociale", "services"),
        ("Υπηρεσίες πρόληψης", "services"),
        ("qendra dhe shkolla", "services"),
        # The words for meetings are those for encounters with a child.
        ("takime", "people"),
        ("συναντήσεις", "people"),
        ("shërbime për të mitur", "people"),
        ("shkolla me familje rome", "people"),
        ("trajnime: gra", "people"),
        ("shërbime, të mbijetuar", "people"),
        ("υπηρεσίες: ωφελούμενοι", "people"),
        ("σχολεία με εφήβους", "people"),
        ("εκπαιδεύσεις: περιπτώσεις", "people"),
        ("προσωπικό", "people"),
    ],
)
def test_what_a_unit_counts_is_people_unless_no_word_names_them_and_it_begins_with_another(unit, counted):
    assert classify_unit(unit) == counted


def test_a_code_names_its_axis_and_its_duty_bearer():
    assert find_axis("prevention_services_school") == "prevention"
    assert find_axis("return_assisted") == find_axis("assisted_voluntary_return") == "assisted_voluntary_return"
    assert find_axis("preventive_work") == ""
    assert find_bearer("prevention_services_anti_trafficking_police") == "anti_trafficking_police"
    assert find_bearer("prevention_school_places") == ""


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("% of children in school", 100.0),
        ("% of children in school", 0.0),
        ("Share of girls", 1.0),
        ("përqindja e fëmijëve", 4.0),
        ("ΠΟΣΟΣΤΌ παιδιών", 50.0),
        ("children", 1e19),  # more than a whole number of 64 bits
    ],
)
def test_a_share_of_people_and_what_is_no_count_are_withheld(unit, value):
    rows, _ = tabulate({"unit": unit, "value": value})
    assert rows["state"].tolist() == ["withheld"]
    assert rows[["value", "margin"]].isna().all(axis=None)


def test_a_word_that_begins_like_share_names_no_share():
    rows, _ = tabulate({"unit": "cases shared with the police"})
    assert rows["state"].tolist() == ["number"]


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


def test_services_of_restricted_axes_show_neither_value_nor_target():
    names = ("protection_services", "return_services_ngo", "services_open", "prevention_services")
    rows, _ = tabulate(*({"unit": "services", "value": 400.0, "indicator": name} for name in names))
    rows = rows.set_index("indicator")
    assert rows["state"].to_dict() == {**dict.fromkeys(names, "withheld"), "prevention_services": "number"}
    assert rows[["value", "target"]].notna().all(axis=1).to_dict() == {
        **dict.fromkeys(names, False),
        "prevention_services": True,
    }
    assert rows.drop("prevention_services")[["value", "target", "margin"]].isna().all(axis=None)


@pytest.mark.parametrize("unit", ["shelters", "Centres", "service places", "services and shelters"])
def test_shelters_are_restricted_whatever_the_code_says(unit):
    shelters = {"unit": unit, "value": 9.0, "indicator": "prevention_places"}
    rows, _ = tabulate(shelters, {**shelters, "area": REGION})
    assert rows[["area", "state"]].to_numpy().tolist() == [[COUNTRY, "withheld"]]
    assert rows[["value", "target"]].isna().all(axis=None)


def test_people_have_numbers_for_periods_of_the_release_alone():
    odd = ("2006-07-01/P1Y", "2006-07-01/P3M", "2006-06-01/2007-06-30")
    good = ("2006-06-01/P1M", "2006-06-01/P3M", YEAR, "2006-06-01/2008-05-31")
    rows, blocks = tabulate(*({"period": period} for period in (*odd, *good)))
    shown = rows.set_index("period")["value"].notna()
    assert shown.to_dict() == {**dict.fromkeys(odd, False), **dict.fromkeys(good, True)}
    assert set(rows.loc[rows["value"].isna(), "state"]) == {"withheld"}
    assert set(blocks) == {f"indicators|{COUNTRY}|{period}" for period in good}
    things, _ = tabulate({"period": odd[0], "unit": "meetings", "value": 3.0})
    assert things["value"].tolist() == [3.0]


def test_of_two_imports_of_one_number_the_newest_is_shown():
    meetings = {"indicator": "coordination_meetings", "unit": "meetings"}
    rows, _ = tabulate(
        {**meetings, "value": 9.0, "source": "Last report", "batch": 1},
        {**meetings, "value": 4.0, "source": "A report", "batch": 3},
        {**meetings, "value": 7.0, "source": "Middle report", "batch": 2},
    )
    assert rows[["value", "source"]].to_numpy().tolist() == [[4.0, "A report"]]


def test_a_newer_report_of_people_leaves_no_older_one_of_things():
    rows, _ = tabulate(
        {"unit": "staff", "period": NEXT}, {"period": NEXT, "batch": 2}, grid=make_grid(date(2007, 5, 31))
    )
    assert rows.empty


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


@pytest.mark.parametrize("frozen", [True, False])
def test_numbers_of_people_are_repeated_only_where_the_policy_repeats_numbers(tmp_path, frozen):
    policy = replace(small_worlds.ONE_YEAR, frozen=frozen)
    days = pd.DataFrame([{"date": "2006-06-02", "municipality": "101", "days": 1.0}])
    plan = {"partner": (TableSpec("effort", "country", "year"),), "public": ()}
    vault, shown = small_worlds.MemoryVault(effort=days), []
    for reported in (100.0, 900.0):
        vault.records["indicator"] = Vault({"value": reported}).rows
        name = small_worlds.release(vault, tmp_path, plan=plan, policy=policy).name
        shown += pd.read_parquet(tmp_path / name / "partner" / "indicators.parquet")["value"].tolist()
    assert shown[0] == pytest.approx(100, abs=5)
    assert shown[1] == (shown[0] if frozen else pytest.approx(900, abs=5))
