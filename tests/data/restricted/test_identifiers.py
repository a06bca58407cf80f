"""A child's code and a partner's name are recognised in all spellings, and stored children keep their hashes."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import FileRefused
from data.restricted import forgetting, intake
from data.restricted.vault import creation
from data.workspace.folding import is_same_partner, normalize_code, normalize_identifier
from tests.helpers.partner_files import ROW, text_of, write

SPELLINGS = [
    "K-12",
    "K\u201312",
    "K\u221212",
    "K\u201412",
    "K 12",
    "K12",
    "k-12",
    "\u039a-12",
    "\u03ba12",
    "K - 12",
    "\uff2b12",
    "K\u00a012",
]
OTHERS = ["K-1-2", "K-123", "L-12", "12", "K-12-1", "KK-12", "K.12", "K/12", "\u0393-12", "K-012"]


def take(importer, folder, *codes, day=1, **more):
    rows = [ROW | {"child_id": code, "date": f"2008-03-{day + n:02}"} | more for n, code in enumerate(codes)]
    path = write(folder, text_of(rows))
    return replace(importer, answers={"period": "adds", "changes": "right"}, new_partner=True).import_file(path)


def children(importer):
    return {row for batch in importer.vault.read("encounter", ["child"]) for row in batch.column("child").to_pylist()}


@pytest.mark.parametrize("name", ["child_id", "programme_number"])
def test_all_spellings_are_one_child_and_other_codes_are_others(importer, tmp_path, name):
    rows = [ROW | {name: code, "date": f"2008-03-{n + 1:02}"} for n, code in enumerate([*SPELLINGS, *OTHERS])]
    importer.import_file(write(tmp_path, text_of(rows)))
    assert len(children(importer)) == 1 + len(OTHERS)


@pytest.mark.parametrize("stored", SPELLINGS)
def test_a_child_that_an_earlier_version_stored_keeps_its_hash(importer, tmp_path, monkeypatch, stored):
    with monkeypatch.context() as earlier:
        earlier.setattr("data.restricted.intake.identity.normalize_code", normalize_identifier)
        take(importer, tmp_path, stored)
    monkeypatch.delitem(importer.vault._meta, creation.NORMAL_CODES)
    before = children(importer)
    take(importer, tmp_path, *SPELLINGS, day=5)
    assert children(importer) == before
    take(importer, tmp_path, *OTHERS, day=5)
    assert len(children(importer)) == 1 + len(OTHERS)
    secrets, vault = importer.secrets, importer.vault
    hashes = forgetting.hash_child(secrets, intake.child_names("ARSIS", "K-12", ""), vault)
    assert forgetting.forget_child(importer.workspace, vault, secrets, hashes)[0] == 1 + len(SPELLINGS)
    assert take(importer, tmp_path, *SPELLINGS, day=5).rejected == len(SPELLINGS)


def test_two_spellings_that_an_earlier_version_stored_as_two_stay_two(importer, tmp_path, monkeypatch):
    with monkeypatch.context() as earlier:
        earlier.setattr("data.restricted.intake.identity.normalize_code", normalize_identifier)
        take(importer, tmp_path, "K-12", "K12")
    monkeypatch.delitem(importer.vault._meta, creation.NORMAL_CODES)
    before = children(importer)
    take(importer, tmp_path, "K-12", "K12", "K 12", day=5)
    assert len(before) == 2
    assert children(importer) == before


@pytest.mark.parametrize("code", SPELLINGS)
def test_the_form_of_a_code_is_its_own_form(code):
    assert normalize_code(code) == "k-12" == normalize_code(normalize_code(code))


@given(st.text("aKk19-\u2013 \u03ba\u039a.", max_size=8))
def test_a_code_that_has_its_form_is_read_as_one_with_blanks_around_it(code):
    assert normalize_code(code) == normalize_code(f" {code} ")


NAMES = ["ARSIS", "\u0391RSIS", "arsis", "\u0391RS\u0399S", " Arsis ", "\uff21RSIS"]
NEAR = [
    "ARSIS NGO",
    "NGO ARSIS",
    "ARSIS-Tirana",
    "Qendra ARSIS",
    "ARSI",
    "ARSSIS",
    "Arsis Foundation",
    "\u0391RSIS MKO",
]


def test_a_partner_is_the_same_in_all_spellings(importer, tmp_path):
    for day, name in enumerate(NAMES):
        take(importer, tmp_path, f"K-{day}", day=day + 1, partner=name)
    assert importer.vault.partners() == ["ARSIS"]
    assert len(children(importer)) == len(NAMES)
    assert all(is_same_partner("Terre des hommes", name) for name in ("terre-des-hommes", "Terre  des\u2013hommes"))


@pytest.mark.parametrize("name", NEAR)
def test_a_partner_of_nearly_the_same_name_is_asked_in_rows_and_with_the_file(importer, tmp_path, name):
    take(importer, tmp_path, "K-1")
    path = write(tmp_path, text_of([ROW | {"partner": name}]), "b.csv")
    other = write(tmp_path, text_of([ROW | {"partner": ""}]), "c.csv")
    for way in ({"path": path}, {"path": other, "partner": name}):
        with pytest.raises(FileRefused) as caught:
            importer.import_file(**way)
        assert "'ARSIS'" in str(caught.value)
    both = [ROW | {"partner": "BKTF"}, ROW | {"partner": "BKTF Albania"}]
    with pytest.raises(FileRefused):
        importer.import_file(write(tmp_path, text_of(both), "d.csv"))


@pytest.mark.parametrize("partner", ["ΑRSIS", "arsis", " ARSIS ", "ΑΡSΙS", "ARSIS"])  # some with Greek letters
@pytest.mark.parametrize("code", ["K-12", "Κ12"])
def test_a_child_is_forgotten_however_its_partner_is_written(importer, tmp_path, partner, code):
    take(importer, tmp_path, "K-12")
    secrets, vault = importer.secrets, importer.vault
    hashes = forgetting.hash_child(secrets, intake.child_names(partner.replace("Ρ", "R"), code, ""), vault)
    assert forgetting.forget_child(importer.workspace, vault, secrets, hashes)[0] == 1
    assert take(importer, tmp_path, "K-12", day=5).rejected == 1
