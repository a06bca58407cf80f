"""Column mappings: a TOML file for each partner, checked when it is read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import InputError
from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping

PLAIN = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


def toml(tmp_path, text):
    path = tmp_path / "arsis.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_no_file_is_an_empty_mapping(tmp_path):
    assert mapping.read(tmp_path / "none.toml", "encounter") == ColumnMapping()


def test_what_holds_for_one_kind_goes_before_what_holds_for_all(tmp_path):
    path = toml(
        tmp_path,
        """
        ignore = ["Remarks"]
        [columns]
        date = "Data"
        stage = "Faza"
        [values.stage]
        "në rrezik" = "at_risk"
        [encounter.columns]
        date = "Data e takimit"
        [encounter.values.stage]
        "rekrutuar" = "recruited"
        [effort]
        ignore = ["Other"]
        [effort.columns]
        days = "Ditë"
        """,
    )
    encounter = mapping.read(path, "encounter")
    assert encounter.columns == {"date": "Data e takimit", "stage": "Faza"}
    assert encounter.value_names == {"stage": {"në rrezik": "at_risk", "rekrutuar": "recruited"}}
    assert encounter.ignore == ("Remarks",)
    effort = mapping.read(path, "effort")
    assert effort.columns == {"date": "Data", "days": "Ditë"}
    assert effort.ignore == ("Remarks", "Other")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[columns]\nphase = 'Faza'", "phase"),
        ("[encounter.columns]\ndays = 'Ditë'", "days"),
        ("[column]\ndate = 'Data'", "column"),
        ("[values.stage]\n'në rrezik' = 'risk'", "risk"),
        ("[values.phase]\na = 'b'", "phase"),
        ("[dates]\nslashes = 'first day'", "first day"),
        ("ignore = 'Remarks'", "ignore"),
        ("[columns]\ndate = 3", "date"),
        ("columns = 'date'", "columns"),
        ("[columns", "TOML"),
    ],
)
def test_a_wrong_mapping_is_refused_and_named(tmp_path, text, named):
    with pytest.raises(InputError, match=named):
        mapping.read(toml(tmp_path, text), "encounter")


@given(PLAIN)
def test_a_partner_name_never_leaves_the_folder(tmp_path_factory, partner):
    folder = tmp_path_factory.getbasetemp()
    try:
        path = mapping.file_for(folder, partner)
    except InputError:
        return
    assert path.parent == folder
    assert path.name[0] not in ".-"


def test_partners_that_differ_in_case_share_a_mapping(tmp_path):
    path, other = (mapping.file_for(tmp_path, name) for name in ("Amaro Drom", "AMARO DROM"))
    assert path == other == tmp_path / "amaro-drom.toml"


def test_a_band_that_no_age_of_a_word_is_in_is_refused_and_a_number_may_be_a_code():
    for word, band in (("rreth 10", "14-17"), ("8-12", "0-5"), ("10-12 as a date", "6-9")):
        with pytest.raises(InputError, match=f"'{word}' is not an age from {band}"):
            mapping.check(ColumnMapping(value_names={"age_band": {word: band}}), "encounter")
    fitting = {
        "rreth 10": "6-9",
        "about 17": "14-17",
        "8-12": "unknown",
        "2": "6-9",
        "big": "14-17",
        "30 months": "0-5",
    }
    mapping.check(ColumnMapping(value_names={"age_band": fitting}), "encounter")


def test_answers_that_an_earlier_version_took_wrongly_are_asked_again_and_the_rest_is_kept(tmp_path):
    path = tmp_path / "arsis.toml"
    path.write_text(
        '[effort.columns]\ndate = "Data"\ndays = "Orë në terren"\n'
        '[encounter.values.age_band]\n"rreth 10" = "14-17"\nvogel = "0-5"\n',
        encoding="utf-8",
    )
    kinds = mapping.read_all(path)
    assert kinds["effort"].columns == {"date": "Data"}
    assert kinds["encounter"].value_names == {"age_band": {"vogel": "0-5"}}


def test_a_mapping_that_the_program_keeps_names_its_partner_beside_other_constants(tmp_path):
    path = mapping.file_for(tmp_path, "ARSIS")
    path.write_text('[constants]\ncountry = "AL"\n', encoding="utf-8")
    assert mapping.keep(tmp_path, "ARSIS", "effort", ColumnMapping(columns={"date": "Data"})) == path
    assert mapping.read_all(path)["encounter"].constants == {"country": "AL", "partner": "ARSIS"}
