"""Record kinds: every column is documented once, and stored records are checked."""

import pandas as pd
import pytest

from data.errors import InputError
from data.reference import area_table
from data.schema import conform, get_kind
from data.schema.codebook import ENTRY, describe
from data.schema.kinds import KINDS
from data.tables.spec import OF_COUNTRIES
from tests.helpers.nonempty import nonempty

STORED = {
    "encounter": "date municipality child programme_child country stage pathway form axis found sex age_band "
    "community origin destination partner record_number victim_status status_decided_by citizenship_group "
    "recruitment_method means_of_control help household",
    "effort": "date span municipality partner days kind",
    "service": "municipality operator duty_bearer axis staff capacity valid_from valid_to handed_from handed_to help",
    "community": "area group estimate year source partner",
    "indicator": "area period indicator value target unit source partner",
    "figure": "area period measure number share source year status note",
}
TIRANA = "10944377"


def encounter(**changes):
    row = {
        "date": "2007-05-31",
        "municipality": TIRANA,
        "child": "a" * 64,
        "programme_child": "",
        "country": "AL",
        "stage": "at_risk",
        "pathway": "internal",
        "form": "begging",
        "axis": "protection",
        "found": "reported",
        "sex": "female",
        "age_band": "10-13",
        "community": "unknown",
        "origin": "",
        "destination": "",
        "partner": "ARSIS",
        "record_number": "",
        **dict.fromkeys((*OF_COUNTRIES, "help"), "unknown"),
        "household": "",
    }
    return pd.DataFrame([row | changes])


@pytest.mark.parametrize("kind", KINDS)
def test_stored_columns_are_the_canonical_ones_in_order(kind):
    assert [c.name for c in get_kind(kind).stored] == STORED[kind].split()


@pytest.mark.parametrize("kind", KINDS)
def test_every_column_says_what_it_means(kind):
    for column in nonempty(get_kind(kind).columns):
        assert column.label
        assert column.meaning.endswith(".")
        assert column.limits
        assert column.example or not column.in_files
        assert set(column.allowed) >= ({column.default} if column.allowed and column.default else set())


@pytest.mark.parametrize("kind", KINDS)
def test_labels_and_names_mean_one_column_each(kind):
    words = [{c.name, c.label.casefold()} for c in get_kind(kind).file_columns]
    assert len(set().union(*words)) == sum(map(len, words))


def test_an_unknown_kind_is_answered_with_the_kinds_there_are():
    with pytest.raises(InputError, match="encounter, effort, service"):
        get_kind("meeting")


def test_a_sound_record_conforms():
    assert len(conform(encounter(), "encounter")) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"date": "31/05/2007"},
        {"municipality": "Tirana"},
        {"municipality": "AL-11"},
        {"child": "K-0412"},
        {"child": ""},
        {"country": ""},
        {"country": "GR"},
        {"stage": "unknown"},
        {"sex": ""},
        {"partner": ""},
        {"origin": "9261", "destination": TIRANA},
        {"pathway": "al_to_gr", "destination": TIRANA},
        {"record_number": "x" * 81},
        {"record_number": "12\n"},
        {"date": "２007-05-31"},
    ],
)
def test_a_record_that_breaks_the_schema_is_refused_without_its_values(changes):
    with pytest.raises(InputError) as refusal:
        conform(encounter(**changes), "encounter")
    assert refusal.value.__cause__ is None
    for value in changes.values():
        assert len(value) < 3 or value not in str(refusal.value)


def outreach(days):
    row = {"date": "2007-05-28", "span": "week", "municipality": TIRANA, "partner": "ARSIS", "kind": "street_outreach"}
    return pd.DataFrame([row | {"days": days}])


@pytest.mark.parametrize("days", [-1.0, 1e6, float("nan")])
def test_a_number_outside_its_limits_or_missing_is_refused(days):
    assert len(conform(outreach(1.5), "effort")) == 1
    with pytest.raises(InputError, match=r"schema: days \("):
        conform(outreach(days), "effort")


def test_a_frame_without_a_column_is_refused():
    with pytest.raises(InputError, match="found"):
        conform(encounter().drop(columns="found"), "encounter")


def test_successors_of_2019_are_no_codes_of_records():
    successors = area_table().index[~area_table()["counted"]]
    assert len(successors) == 12
    for code in successors[:2]:
        with pytest.raises(InputError, match="municipality"):
            conform(encounter(municipality=code, country="GR"), "encounter")


@pytest.mark.parametrize("kind", KINDS)
def test_codebook_describes_every_column_of_a_file(kind):
    entries = describe(kind)
    assert [e["column"] for e in entries] == [c.name for c in get_kind(kind).file_columns]
    assert all(set(e) == set(ENTRY) and e["meaning"] and e["allowed"] and e["needed"] for e in entries)
    assert [c.name for c in get_kind(kind).stored] == STORED[kind].split()


def test_codebook_table_names_each_category_with_its_words():
    entries = {entry["column"]: entry for entry in describe("encounter")}
    assert "al_to_gr (trafficking from Albania to Greece)" in entries["pathway"]["allowed"]
    assert "identifier" in entries["child_id"]["label"]
