"""Which headings count as personal data, in four languages, and which do not."""

import pytest

from data.personal.headings import find_personal_heading, is_about_others, list_headings, plain_heading
from data.schema.kinds import KINDS
from tests.helpers.nonempty import nonempty

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
        "Pseudonimi",
        "Inicialet",
        "Ον/μο",
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
    "dates of birth": [
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
    "addresses": ["Address", "E-mail", "Adresa", "Διεύθυνση", "Adresse", "Courriel", "Dieuthinsi", "Posta elektronike"],
    "identity numbers": ["Passport no", "Numri personal", "ΑΜΚΑ", "ΑΔΤ", "Αρ. ταυτότητας", "Passeport"],
}


@pytest.mark.parametrize(("sort", "heading"), [(s, h) for s, hs in HEADINGS.items() for h in hs])
def test_a_heading_of_personal_data(sort, heading):
    assert find_personal_heading(heading, CHILDREN) == sort
    assert find_personal_heading(heading.upper(), CHILDREN) == sort
    assert find_personal_heading(f"group/{heading}", CHILDREN) == sort


@pytest.mark.parametrize(
    "heading",
    [
        "Municipality name",
        "Emri i bashkisë",
        "Όνομα δήμου",
        "Nom de la commune",
        "mobile units",
        "Vendlindja",
        "Vendi i lindjes",
        "Bashkia e lindjes",
        "Emri i qendrës",
        "Όνομα κέντρου",
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
    assert find_personal_heading(heading, CHILDREN) is None


@pytest.mark.parametrize("kind", KINDS)
def test_our_own_headings_are_innocent(kind):
    for column in nonempty(KINDS[kind].file_columns):
        assert find_personal_heading(column.name, CHILDREN) is None
        assert find_personal_heading(column.label, CHILDREN) is None


def test_a_kind_says_what_it_refuses():
    assert find_personal_heading("Name", KINDS["figure"].refuses) is None
    assert find_personal_heading("Latitude", KINDS["community"].refuses) == "coordinates"


@pytest.mark.parametrize("heading", ["", "0691234567", "a@b.al", "x" * 61, "a\u202eb", "<b>"])
def test_a_heading_that_may_be_content_is_named_by_its_position(heading):
    assert plain_heading(heading, 4) == "column 5"
    assert list_headings(["Emri", heading], [0, 1]) == "'Emri', 'column 2'"


def test_places_organisations_and_staff_have_names_that_are_no_childs():
    others = ["School", "Emri i shkollës", "Fshati", "Operator", "Χωριό", "Social worker", "Punonjësi social"]
    assert all(map(is_about_others, others))
    assert not any(map(is_about_others, ["Child", "remarks", "Kush", "Παιδί"]))
