"""Which contents of a column count as personal data, and which do not."""

import time

import pytest

from data.personal.content import find_birth_day, find_personal_content, find_personal_number, recognise_degrees

# Numbers of submissions with digits like those of a phone number.
UUIDS = [
    "eadf058c-0030-4946-8293-afca8d6e3c82",
    "33e497b2-3027-4432-8895-32c9ea28ddad",
    "uuid:8802EE7F-3026-4668-8579-C713003D25DC",
    "d7ea3603-0030-4219-9838-3e58566a6325",
]
PERSONAL = {
    "phone numbers": [
        "+355 69 123 4567",
        "069 123 4567",
        "0691234567",
        "6971234567",
        "00355 69 123 4567",
        "+30 210 123 4567",
        "210 1234567",
        "call 069 123 4567 please",
        "(069) 123 4567",
        "+355\u00a069\u00a0123\u00a04567",
        "069\u2011123\u20114567",
        "069\u2013123\u20134567",
    ],
    "coordinates": [
        "41.3275, 19.8187",
        "41.3275 19.8187 0 0",
        "19.8187;41.3275",
        "POINT (19.81 41.32)",
        "41°19'N 19°49'E",
        "https://goo.gl/maps/abc",
        "8GJ5XX22+4F",
    ],
    "addresses": ["someone@example.org"],
    "identity numbers": ["J51101001A", "j51101001a", "01059012342", "010590 12342"],
    "dates of birth": ["1995-05-12", "12/05/1995", "12.05.1995"],
}


@pytest.mark.parametrize(("sort", "value"), [(s, v) for s, vs in PERSONAL.items() for v in vs])
def test_content_of_personal_data(sort, value):
    assert find_personal_content([value], year=2007) == sort
    assert find_personal_content(["", value], year=2007) == sort


@pytest.mark.parametrize(
    "value", ["someone@example.org", "+355 69 123 4567", "069 123 4567", "41.3275, 19.8187", "https://goo.gl/maps/abc"]
)
def test_one_value_that_cannot_be_anything_else_is_enough(value):
    values = [f"2007-{n:04d}" for n in range(20_000)]
    assert find_personal_content([*values, value, *values], "number") is not None
    assert find_personal_content(["at_risk", value, "recruited"], "coded") is not None


@pytest.mark.parametrize(
    "values",
    [
        ["2007-0193"],
        ["AR-2007-000123"],
        ["2007/06/0012"],
        ["10944377"],
        ["12345678"],
        ["20070601124"],
        ["69/2007"],
        ["2007-06-01", "2006-07-02"],
        ["ARSIS"],
        ["12.5", "41.32"],
        ["Census 2011"],
        ["1/2/2007"],
        ["<img src=x onerror=alert(1)>"],
        ["tdh-6912"],
        ["6970000000", "1", "2"],
        ["2007-W22"],
        ["00123456789"],
        ["A+12"],
        ["TIR-0042"],
        ["A1B2"],
        ["TIR-KOR", "ATH-THE"],
        ["case 12", "Rasti 0042"],
        ["not known", "i panjohur", "n/a"],
        ["K-0412", "K-0413", "Arben"],
        ["Child A", "Femija B"],
        ["R-10000001", "R-20000001"],
        [f"{n:07d}" for n in range(3_000)],
        [],
    ],
)
def test_innocent_content(values):
    assert find_personal_content(values, "number", year=2007) is None


def test_numbers_of_documents_pass_where_they_are_hashed():
    assert find_personal_content(["J51101001A"], "identifier") is None
    assert find_personal_content(["J51101001A"]) == "identity numbers"


@pytest.mark.parametrize("text", ["ID: J51101001A", "nr j51101001a", "tel 069\u2011123\u20114567", "069\u00a01234567"])
def test_a_number_of_a_person_within_a_cell(text):
    assert find_personal_number(text)


@pytest.mark.parametrize(
    ("born", "year", "sort"),
    [("1995", 2007, "dates of birth"), ("2006", 2007, None), ("1960", 2007, None), ("1995", None, None)],
)
def test_dates_of_birth_lie_some_years_before_the_records(born, year, sort):
    assert find_personal_content([f"{born}-05-12", f"{born}-06-01"], year=year) == sort


def test_single_degrees_of_both_countries():
    assert recognise_degrees(["41.32751", "39,07421", ""]) == "latitude"
    assert recognise_degrees(["19.81872", "23.72754"]) == "longitude"
    assert recognise_degrees(["41.3", "12.5"]) is None


@pytest.mark.parametrize("text", ["3.2.1996", "1996-02-03", "3/2/96", "3 shkurt 1996", "1996-02-03 00:00:00"])
def test_a_whole_day_among_years_of_birth(text):
    assert find_birth_day(["1996", text])
    assert not find_birth_day(["1996", "11", "10-13", "8 vjeç", "10 - 13 vjeç", ""])


NAMES = [
    "Arben Hoxha",
    "arben hoxha",
    "ARBEN HOXHA",
    "Hoxha, Arben",
    "A. Hoxha",
    "Arben-Hoxha",
    "ArbenHoxha",
    "Arben i Hoxhës",
    "Besa D'Angelo",
    "Μαρία Παπαδοπούλου",
    "ΜΑΡΙΑ ΠΑΠΑΔΟΠΟΥΛΟΥ",
]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("holds", ["identifier", "number"])
def test_one_full_name_where_a_code_belongs_is_enough(name, holds):
    codes = [f"K-{n:04d}" for n in range(7_000)]
    assert find_personal_content([*codes, name, *codes], holds) == "names"


@pytest.mark.parametrize("holds", ["identifier", "number"])
@pytest.mark.parametrize(
    ("cell", "sort"),
    [
        ("Arben Hoxha 0691234567", "names"),
        ("0691234567 Arben Hoxha", "names"),
        ("Arben Hoxha, 14", "names"),
        ("Case 7 arben hoxha (12)", "names"),
        ("Dosja Arben Hoxha 12", "names"),
        ("ΜΑΡΙΑ ΠΑΠΑΔΟΠΟΥΛΟΥ 2007", "names"),
        ("Arben 0691234567", "phone numbers"),
        ("mother: 6971234567", "phone numbers"),
        ("Ana-0691234567", "phone numbers"),
        ("Arben +355 69 123 4567", "phone numbers"),
        ("Arben J51101001A", "identity numbers"),
        ("Besa 01059012342", "identity numbers"),
        ("Besa someone@example.org", "addresses"),
    ],
)
def test_one_name_with_digits_where_a_code_belongs_is_enough(cell, sort, holds):
    codes = [f"K-{n:04d}" for n in range(7_000)]
    expected = "phone numbers" if sort == "names" and "069" in cell else sort
    assert find_personal_content([*codes, cell, *codes], holds) == expected


@pytest.mark.parametrize("holds", ["identifier", "number"])
@pytest.mark.parametrize(
    "cell",
    [
        "K 12",
        "TIR 2007 014",
        "TIR KOR 2007 014",
        "Rasti 14",
        "Rasti i ri 14",
        "Dosja nr. 14",
        "Dosja numer 14",
        "Grupi i vogel 3",
        "Foster Home 3",
        "Qendra Durrës 5",
        "Case 7",
        "Case number 7",
        "Case 2007 06 0012",
        "Case 20070601124",
        "2007-Tirana-Durres-4",
        "K 0412 B 2007",
        "TIR-6912345678",
        "nr J51101001A",
    ],
)
def test_words_beside_the_digits_of_a_code(cell, holds):
    assert find_personal_content([cell, "K-0412"], holds) is None


@pytest.mark.parametrize("holds", ["identifier", "number"])
def test_words_beside_many_numbers_are_the_beginning_of_codes_and_beside_few_a_name(holds):
    def judge(count, *more):
        return find_personal_content([f"Tdh Tirana {n}" for n in range(count)] + list(more), holds)

    assert (judge(11), judge(12)) == ("names", None)
    assert judge(12, "Arben Hoxha 7") == "names"
    others = [f"K-{n}" for n in range(109)]
    assert (judge(12, *others[:108]), judge(12, *others)) == (None, "names")


def test_one_long_cell_of_a_code_takes_no_long_time():
    begin = time.perf_counter()
    for cell in ("a" * 500_000, "12345678 " * 60_000, "Ab " * 200_000, "a1" * 250_000, "Ab Cd Ef 7 " * 50_000):
        find_personal_content([cell, "K-0412"], "identifier")
    assert time.perf_counter() - begin < 10


def test_first_names_alone_are_told_where_they_are_many():
    assert find_personal_content(["Arben", "Besa", "K-0412"], "identifier") == "names"
    assert find_personal_content(["Arben", "K-0413", "K-0412"], "identifier") is None
    assert find_personal_content(["TIR", "KOR", "abc"], "identifier") is None


def test_names_that_fill_an_unknown_column():
    assert find_personal_content(["Arben Hoxha", "Besa Kola", ""], "unknown") == "names"
    assert find_personal_content(["Seen again", "Met mother", "Arben Hoxha"], "unknown") is None
    assert find_personal_content(["Arben Hoxha", "Besa Kola"], "unknown", of_children=False) is None


def test_names_of_organisations_are_nobody():
    assert (
        find_personal_content(["Arben Hoxha Foundation", "Terre Des Hommes", "Municipal social service"], "text")
        is None
    )


@pytest.mark.parametrize(
    "text",
    [
        "met in the park, born 12.05.1997",
        "12.05.1997",
        "lindur më 3.4.1996 në Fier",
        "Datëlindja: 1999-01-31",
        "γεννήθηκε 3/4/1996",
        "née le 3 avril 1996",
        "born in 2001",
        "a girl (12 May 1997)",
        "a boy, 12.5.97",
    ],
)
@pytest.mark.parametrize("holds", ["text", "unknown"])
def test_a_birth_within_a_text(text, holds):
    assert (
        find_personal_content(["seen twice", "nothing to report", text, "x", "y"], holds, year=2007) == "dates of birth"
    )


@pytest.mark.parametrize(
    "text",
    [
        "seen again 12.05.2007",
        "first met 3.4.2005",
        "second of 3 children, born abroad",
        "birth certificate asked for 12.05.2007",
        "law of 8.5.1962",
        "room 12.14.97",
        "1997-05-12-0042",
        "moved 3 times in 2003",
    ],
)
def test_days_that_are_nobodys_birth(text):
    assert find_personal_content([text, "x", "y"], "unknown", year=2007) is None


def test_rows_that_are_not_about_children_may_hold_old_days():
    assert find_personal_content(["Census of 1.4.2001", "x", "y"], "text", of_children=False, year=2007) is None
    assert find_personal_content(["born 12.5.1997", "x", "y"], "text", of_children=False) == "dates of birth"
    assert find_personal_content(["those born in 2005", "x"], "text", of_children=False) is None


def test_a_column_of_years_of_birth():
    assert find_personal_content(["1995", "1997", "1999", ""], "unknown", year=2007) == "dates of birth"
    assert find_personal_content(["2005", "2006", "2007"], "unknown", year=2007) is None
    assert find_personal_content(["1995", "1997", "1999"], "number", year=2007) is None


@pytest.mark.parametrize("text", UUIDS)
@pytest.mark.parametrize("holds", ["number", "identifier", "text", "unknown"])
def test_the_number_of_a_submission_is_no_phone_number(text, holds):
    assert find_personal_content([text, "K-1"], holds) is None
    assert find_personal_content([text, "+355 69 123 4567"], holds) == "phone numbers"
