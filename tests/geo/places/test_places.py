"""Areas by name and code: three scripts, grammatical cases, and nothing is guessed."""

import unicodedata

import pytest
from anyascii import anyascii
from hypothesis import example, given
from hypothesis import strategies as st

from data.reference import area_table, list_predecessors, town_table
from geo.places import Places
from tests.helpers.nonempty import nonempty
from tests.helpers.reference import read_rows

TABLE = area_table()
PLACES = Places(TABLE)
OLDER = list_predecessors(TABLE)
MUNICIPALITIES = TABLE[TABLE["level"] == "municipality"]


def without_accents(text: str) -> str:
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def counted(code: str) -> str:
    return OLDER.get(code, code)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Tiranë", "10944420"),
        ("Tirana", "10944420"),
        ("TIRANE", "10944420"),
        ("Bashkia e Tiranës", "10944420"),
        ("Τίρανα", "10944420"),
        ("Durrësi", "10944377"),
        ("Durrësit", "10944377"),
        ("Δυρράχιο", "10944377"),
        ("Shkodra", "10944415"),
        ("Shkodrës", "10944415"),
        ("Korça", "10944402"),
        ("Fushe-Arrez", "10944412"),
        ("Vau I Dejes", "10944416"),
        ("Malësia e Madhe", "10944413"),
        ("Ura Vajgurore", "10944372"),
        ("Δράμας", "9002"),
        ("Δράμα", "9002"),
        ("Dramas", "9002"),
        ("Drama", "9002"),
        ("Αθήνα", "9186"),
        ("ΔΗΜΟΣ ΑΘΗΝΑΙΩΝ", "9186"),
        ("Dimos Athinaion", "9186"),
        ("Municipality of Athens", "9186"),
        ("Selanik", "9031"),
        ("Ioannina", "9084"),
        ("Γιάννενα", "9084"),
        ("Πειραιάς", "9205"),
        ("Άγ. Δημήτριος", "9194"),
        ("Ayios Dimitrios", "9194"),
        ("Nea Smirni", "9200"),
        ("Khania", "9325"),
        ("Halandri", "9178"),
        ("Κως", "9284"),
        ("Σάμος", "9264"),
        ("Paros", "9294"),
        ("Poros", "9210"),
        ("Heraklion", "9305"),
        ("Ηρακλείου (Κρήτης)", "9305"),
        ("Irakleio, Attica", "9170"),
        ("Νέο Ηράκλειο", "9170"),
        ("ΗΡΩΙΚΗΣ ΝΗΣΟΥ ΚΑΣΟΥ", "9281"),
        ("9001", "9001"),
        ("9001.0", "9001"),
        (" 10944377 ", "10944377"),
    ],
)
def test_a_municipality_is_found_by_what_people_write(text, code):
    match = PLACES.resolve(text)
    # Τίρανα and Selanik are names in another language.
    assert (match.code, match.finding in ("one", "exonym"), match.reason) == (code, True, "")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Durrës", "AL-02"),
        ("Qarku i Durrësit", "AL-02"),
        ("AL.EL", "AL-03"),
        ("AL.EB", "AL-03"),
        ("Αττική", "GR-I"),
        ("Περιφέρεια Κρήτης", "GR-M"),
        ("EL30", "GR-I"),
        ("gr.esye31", "GR-I"),
        ("Dytiki Makedonia", "GR-C"),
        ("Mount Athos", "GR-69"),
        ("Αγίου Όρους", "GR-69"),
    ],
)
def test_a_region_is_found_at_its_level(text, code):
    assert PLACES.resolve(text, level="region").code == code


@pytest.mark.parametrize("text", ["Albania", "Shqipëri", "Αλβανία", "AL"])
def test_a_country_is_found_at_its_level(text):
    assert PLACES.resolve(text, level="country").code == "AL"


@pytest.mark.parametrize("code", sorted(OLDER))
def test_a_municipality_of_2019_counts_in_its_predecessor(code):
    row = TABLE.loc[code]
    for text in (code, row["name_en"], row["name_local"]):
        assert PLACES.resolve(text, "GR").code == code.split("-")[0]


@pytest.mark.parametrize("text", ["Ηρακλείου", "ΗΡΑΚΛΕΙΟΥ", "Irakleiou", "Ηράκλειο"])
def test_a_name_that_stands_twice_is_never_guessed(text):
    match = PLACES.resolve(text)
    assert match.code is None
    assert "2 areas" in match.reason
    assert [candidate[-5:-1] for candidate in match.candidates] == ["9170", "9305"]


def test_a_county_is_no_municipality_and_says_so():
    match = PLACES.resolve("AL-02")
    assert match.code is None
    assert match.finding == "elsewhere"
    assert "is not a municipality, but Durrës, Albania (county AL-02)" in match.reason


@pytest.mark.parametrize("text", ["Qarku i Beratit", "Tirana county", "Περιφέρεια Κρήτης"])
def test_a_name_that_says_county_or_region_is_no_municipality(text):
    match = PLACES.resolve(text)
    assert (match.code, match.finding) == (None, "elsewhere")
    assert PLACES.resolve(text, level="region").code


def test_mount_athos_has_no_municipality():
    match = PLACES.resolve("Άγιο Όρος")
    assert match.code is None
    assert "GR-69" in match.reason


def test_a_name_of_the_other_country_is_not_taken():
    match = PLACES.resolve("Tirana", country="GR")
    assert match.code is None
    assert "10944420" in match.reason


def test_a_county_and_a_town_of_one_name_are_told_apart_or_reported():
    match = PLACES.resolve("Durrës", level=None)
    assert (match.code, match.finding) == (None, "several")
    assert match.candidates == ("Durrës, Durrës (municipality 10944377)", "Durrës, Albania (county AL-02)")


@pytest.mark.parametrize("name", TABLE.name_en[(TABLE.level == "region") & (TABLE.country == "AL")])
def test_every_county_has_a_municipality_of_its_name_and_a_column_says_which(name):
    county = PLACES.resolve(name, level="region").code
    town = PLACES.resolve(name).code
    assert (TABLE.level[county], TABLE.level[town]) == ("region", "municipality")
    for text in (f"Qarku {name}", f"{name} county", f"{name} (county)"):
        assert PLACES.resolve(text, level=None).code == county
    for text in (f"Bashkia {name}", f"{name} municipality"):
        assert PLACES.resolve(text, level=None).code == town


@pytest.mark.parametrize(
    ("text", "near"), [("Tirna", "10944420"), ("Thesaloniki city", "9031"), ("Gjirokaster1", "10944394")]
)
def test_an_unknown_name_brings_the_nearest(text, near):
    match = PLACES.resolve(text)
    assert match.code is None
    assert "not a known area" in match.reason
    assert any(near in candidate for candidate in match.candidates)


@pytest.mark.parametrize(
    "text", ["Atlantis", "London", "Skopje", "Tetovo", "internal", "no idea", "Neverland", "lagja 5", "Ohrid"]
)
def test_what_is_like_no_name_brings_none(text):
    match = PLACES.resolve(text)
    assert (match.code, match.finding, match.candidates) == (None, "none", ())


@pytest.mark.parametrize("text", ["", "   ", "Springfield", "?", "12", "9999", "Ω" * 500, "<img src=x>"])
def test_nonsense_is_no_area(text):
    assert PLACES.resolve(text).code is None
    assert PLACES.resolve(text).reason


@pytest.mark.parametrize("value", [None, 9001, 1.5, float("nan")])
def test_what_is_no_text_is_no_area(value):
    assert PLACES.resolve(value).code is None


def test_every_name_of_the_table_finds_its_own_area():
    twice = {"9170", "9305"}
    for code, row in nonempty(MUNICIPALITIES.iterrows()):
        for text in (row["name_en"], row["name_local"]):
            codes = PLACES.find(text, row["country"])
            assert {counted(c) for c in codes} == {counted(code)} or code in twice & codes


@example("9299", "name_local", str.upper, anyascii, "{}")
@given(
    st.sampled_from(sorted(MUNICIPALITIES.index)),
    st.sampled_from(["name_en", "name_local"]),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase, str]),
    st.sampled_from([str, without_accents, anyascii]),
    st.sampled_from(["{}", "  {}  ", "Δήμος {}", "Municipality of {}"]),
)
def test_case_accents_and_script_do_not_change_what_is_found(code, column, case, script, frame):
    text = frame.format(case(script(MUNICIPALITIES.loc[code, column])))
    match = PLACES.resolve(text, MUNICIPALITIES.loc[code, "country"])
    # Two names stand for two areas each; in Latin letters the island of Chalki reads as the other name of Chalkida.
    has_two = code in {"9170", "9305"} or (code == "9299" and script is anyascii)
    assert match.code in ({counted(code), None} if has_two else {counted(code)})


@pytest.mark.slow
@given(st.text(max_size=40))
def test_any_text_gets_an_area_or_a_reason(text):
    match = PLACES.resolve(text)
    assert (match.code is None) == bool(match.reason)
    assert match.code is None or match.code in MUNICIPALITIES.index


def test_the_official_names_of_the_census_are_all_found():
    names = [row["name"] for row in read_rows("greece_census_names.csv")]
    unknown = [n for n in names if PLACES.resolve(n, "GR").code is None]
    assert set(unknown) == {"ΗΡΑΚΛΕΙΟΥ", "ΑΓΙΟ ΟΡΟΣ (ΑΥΤΟΔΙΟΙΚΗΤΟ)"}
    codes = {PLACES.resolve(n, "GR").code for n in names} - {None}
    assert len(codes) == 325 - 2  # all but the two named Irakleio


@pytest.mark.parametrize("text", ["Duress", "Elbassan", "Thesaloniki", "bashkia Duress", "Duress (Albania)"])
def test_a_name_that_only_sounds_like_a_place_is_respelled(text):
    match = PLACES.resolve(text)
    assert match.code
    assert match.respelled


@pytest.mark.parametrize(
    "text", ["Durrësi", "TIRANE", "Θεσσαλονίκης", "bashkia Tiranë", "Durrës (Albania)", "Athina", "10944377"]
)
def test_case_accents_endings_and_words_around_a_name_are_no_other_spelling(text):
    match = PLACES.resolve(text)
    assert match.code
    assert not match.respelled


@pytest.fixture(scope="module")
def with_towns():
    return Places(area_table(), town_table())


@pytest.mark.parametrize(
    ("town", "code"),
    [
        ("Fushë Krujë", "10944378"),
        ("Fushë-Krujës", "10944378"),
        ("FUSHE KRUJE", "10944378"),
        ("Koplik", "10944413"),
        ("Burreli", "10944376"),
        ("Bajram Curri", "10944408"),
        ("Ζεφύρι", "9232"),
        ("Zefyri", "9232"),
        ("Diavata", "9028"),
    ],
)
def test_a_town_is_read_as_the_municipality_in_which_it_lies_and_said(with_towns, town, code):
    match = with_towns.resolve(town)
    assert (match.code, match.respelled, match.finding) == (code, True, "town")
    assert match.candidates[0].endswith(f"(municipality {code})")
    assert PLACES.resolve(town).code is None


def test_a_town_with_its_county_or_municipality_beside_it_is_sure(with_towns):
    matches = [with_towns.resolve(text) for text in ("Koplik (Shkodër)", "Koplik, Albania", "Koplik, Malësi e Madhe")]
    assert [(match.code, match.finding) for match in matches] == [("10944413", "one")] * 3


@pytest.mark.parametrize("town", ["Menidi", "Μενίδι", "Περαία"])
def test_a_town_of_two_municipalities_is_asked_about(with_towns, town):
    match = with_towns.resolve(town)
    assert (match.code, match.finding, len(match.candidates)) == (None, "several", 2)


def test_towns_take_no_name_from_an_area_and_none_from_a_person_and_are_no_area_for_figures(with_towns):
    for area in MUNICIPALITIES.itertuples():
        assert (
            with_towns.resolve(area.name_local, area.country).code == PLACES.resolve(area.name_local, area.country).code
        )
    assert with_towns.resolve("Maria").code is None
    assert with_towns.resolve("Koplik", level=None).code is None


@pytest.mark.parametrize(
    ("crossing", "code"),
    [
        ("Kapshtica", "10944400"),
        ("Kapshticë", "10944400"),
        ("Krystallopigi", "9071"),
        ("Κρυσταλλοπηγή", "9071"),
        ("Qafë Botë", "10944425"),
        ("Qafa e Botës", "10944425"),
        ("Σαγιάδα", "9079"),
        ("Tre Urat", "10944398"),
        ("Μέρτζιανη", "9085"),
        ("Evzoni", "9041"),
        ("Εύζωνοι", "9041"),
        ("Promachonas", "9055"),
        ("Κήποι", "9006"),
        ("Hani i Hotit", "10944413"),
        ("Muriqan", "10944415"),
        ("Qafë Thanë", "10944404"),
        ("Morina", "10944407"),
        ("Qafë Morinë", "10944408"),
        ("Κτίσματα", "9087"),
    ],
)
def test_a_border_crossing_is_read_as_its_municipality_and_said(with_towns, crossing, code):
    match = with_towns.resolve(crossing)
    assert (match.code, match.finding) == (code, "town")


@pytest.mark.parametrize("name", ["Kakavia", "Κακαβιά"])
def test_a_crossing_that_both_countries_call_by_one_name_is_asked_unless_the_country_stands_beside(with_towns, name):
    assert with_towns.resolve(name).finding == "several"
    assert [with_towns.resolve(name, country).code for country in ("AL", "GR")] == ["10944393", "9087"]
