"""What counts as personal data, by heading in four languages and by content; and what does not."""

import pytest

from data._personal import content_shows, degrees_of, heading_shows, list_headings, median_year, plain_heading
from data.schema import KINDS

CHILDREN = KINDS["encounter"].refuses

HEADINGS = {
    "names": [
        "Name",
        "First name",
        "childName",
        "Full_Name",
        "nickname",
        "Mother's name",
        "Emri",
        "Emri i fëmijës",
        "Mbiemri",
        "EMËR MBIEMËR",
        "Atësia",
        "Όνομα",
        "ΟΝΟΜΑΤΕΠΩΝΥΜΟ",
        "Επώνυμο παιδιού",
        "Πατρώνυμο",
        "Onoma",
        "Nom",
        "Nom de l'enfant",
        "Prénom",
        "Surnom",
        "details/child_full_name",
    ],
    "birth dates": [
        "Date of birth",
        "DOB",
        "d.o.b.",
        "birthday",
        "BirthDate",
        "Datëlindja",
        "Data e lindjes",
        "Viti i lindjes",
        "Ημερομηνία γέννησης",
        "γεννήθηκε",
        "Date de naissance",
        "Né(e) le",
        "year of birth",
    ],
    "phone numbers": [
        "Phone",
        "Telephone",
        "mobile",
        "WhatsApp",
        "phonenumber",
        "Telefon",
        "Numri i telefonit",
        "Celular",
        "Τηλέφωνο",
        "Κινητό",
        "Τηλ.",
        "Téléphone",
        "Numéro de téléphone",
    ],
    "coordinates": [
        "Latitude",
        "lng",
        "GPS",
        "geopoint",
        "Coordinates",
        "Gjerësia gjeografike",
        "Koordinatat",
        "Συντεταγμένες",
        "Γεωγραφικό πλάτος",
        "Coordonnées",
    ],
    "addresses": ["Address", "E-mail", "Adresa", "Διεύθυνση", "Adresse", "Courriel"],
    "identity numbers": ["Passport no", "Numri personal", "ΑΜΚΑ", "Αρ. ταυτότητας", "Passeport"],
}


@pytest.mark.parametrize(("sort", "heading"), [(s, h) for s, hs in HEADINGS.items() for h in hs])
def test_a_heading_of_personal_data(sort, heading):
    assert heading_shows(heading, CHILDREN) == sort
    assert heading_shows(heading.upper(), CHILDREN) == sort
    assert heading_shows(f"group/{heading}", CHILDREN) == sort


@pytest.mark.parametrize(
    "heading",
    [
        "Municipality name",
        "Emri i bashkisë",
        "Όνομα δήμου",
        "Nom de la commune",
        "mobile units",
        "Vendlindja",
        "Place of birth",
        "remarks",
        "Vërejtje",
        "Παρατηρήσεις",
        "Age",
        "Mosha",
        "Ηλικία",
        "Social worker",
        "latest",
        "telegram group",
        "Project name",
        "Emri i shkollës",
        "number of visits",
        "renamed",
        "Kodi",
        "Muaji",
    ],
)
def test_innocent_headings(heading):
    assert heading_shows(heading, CHILDREN) is None


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_headings_are_innocent(kind):
    for column in KINDS[kind].given:
        assert heading_shows(column.name, CHILDREN) is None
        assert heading_shows(column.label, CHILDREN) is None


def test_a_kind_says_what_it_refuses():
    assert heading_shows("Name", KINDS["figure"].refuses) is None
    assert heading_shows("Latitude", KINDS["community"].refuses) == "coordinates"


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
    "identity numbers": ["J51101001A", "01059012342"],
    "birth dates": ["1995-05-12", "12/05/1995", "12.05.1995"],
}


@pytest.mark.parametrize(("sort", "value"), [(s, v) for s, vs in PERSONAL.items() for v in vs])
def test_content_of_personal_data(sort, value):
    assert content_shows([value], year=2007) == sort
    assert content_shows(["", value], year=2007) == sort


@pytest.mark.parametrize(
    "value",
    [
        "someone@example.org",
        "+355 69 123 4567",
        "069 123 4567",
        "41.3275, 19.8187",
        "https://goo.gl/maps/abc",
    ],
)
def test_one_value_that_cannot_be_anything_else_is_enough(value):
    values = [f"2007-{n:04d}" for n in range(20_000)]
    assert content_shows([*values, value, *values], free=False) is not None
    assert content_shows(["at_risk", value, "recruited"], coded=True) is not None


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
        ["Municipal social service"],
        ["12.5", "41.32"],
        ["Census 2011"],
        ["1/2/2007"],
        ["<img src=x onerror=alert(1)>"],
        ["tdh-6912"],
        ["6970000000", "1", "2"],
        ["2007-W22"],
        ["00123456789"],
        ["A+12"],
        ["R-10000001", "R-20000001"],
        [f"{n:07d}" for n in range(3_000)],
        [],
    ],
)
def test_innocent_content(values):
    assert content_shows(values, free=False, year=2007) is None


def test_numbers_of_documents_pass_where_they_are_hashed():
    assert content_shows(["J51101001A"], hashed=True) is None
    assert content_shows(["J51101001A"]) == "identity numbers"


@pytest.mark.parametrize(
    ("born", "year", "sort"),
    [
        ("1995", 2007, "birth dates"),
        ("2006", 2007, None),
        ("1960", 2007, None),
        ("1995", None, None),
    ],
)
def test_dates_of_birth_lie_some_years_before_the_records(born, year, sort):
    assert content_shows([f"{born}-05-12", f"{born}-06-01"], year=year) == sort


def test_single_degrees_of_both_countries():
    assert degrees_of(["41.32751", "39,07421", ""]) == "latitude"
    assert degrees_of(["19.81872", "23.72754"]) == "longitude"
    assert degrees_of(["41.3", "12.5"]) is None


def test_the_median_year_of_a_column_of_days():
    assert median_year(["2006-06-01", "31/05/2008", "x", "2007-01-01"]) == 2007
    assert median_year(["x"]) is None


@pytest.mark.parametrize("heading", ["", "0691234567", "a@b.al", "x" * 61, "a\u202eb", "<b>"])
def test_a_heading_that_may_be_content_is_named_by_its_position(heading):
    assert plain_heading(heading, 4) == "column 5"
    assert list_headings(["Emri", heading], [0, 1]) == "'Emri', 'column 2'"
