"""Rows that their file marks as cancelled, deleted or entered twice are not stored."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.restricted.intake.mapping import ColumnMapping
from tests.helpers.partner_files import ROW, read, reasons, text_of, write

MARKS = [
    "anuluar",
    "ANULUAR",
    "Rasti u anulua",
    "fshirë",
    "i përsëritur (dyfish)",
    "e dyfishuar, shih K-3",
    "regjistruar dy herë",
    "ακυρώθηκε",
    "ΑΚΥΡΩΘΗΚΕ",
    "διπλοεγγραφή",
    "Διπλή εγγραφή (βλ. 12)",
    "προς διαγραφή",
    "akyrothike",
    "cancelled",
    "Canceled by coordinator",
    "DUPLICATE of 12",
    "entered in error",
    "deleted 3/4/2008",
    "Anuluar. U hodh dy herë nga kolegët e zyrës së Tiranës; rasti i vërtetë është 12.",
]
REMARKS = [
    "jo anuluar",
    "nuk është dyfish",
    "not cancelled",
    "no duplicate",
    "όχι διπλοεγγραφή",
    "δεν ακυρώθηκε",
    "kontakt i përsëritur",
    "takuar në rrugë",
    "επαναλαμβανόμενη επαφή",
    "met again",
    "",
    "U takua me familjen dhe u fol për shkollën, pastaj u tha se udhëtimi ishte anuluar.",
]
CLOSED = ["po", "x", "1", "ναι", "yes", "TRUE"]


def read_remarks(folder, heading, remarks, **more):
    rows = [ROW | {"child_id": f"K-{number}", heading: remark} for number, remark in enumerate(remarks)]
    return read(write(folder, text_of(rows)), **more)


@given(
    heading=st.sampled_from(["Shënime", "Παρατηρήσεις", "Statusi", "Gjendja e regjistrimit", "remarks"]),
    remarks=st.lists(st.sampled_from([*MARKS, *REMARKS]), min_size=1, max_size=8),
)
@settings(max_examples=40, deadline=None)
def test_a_row_that_a_remark_cancels_is_rejected_with_the_reason(tmp_path_factory, heading, remarks):
    intake = read_remarks(tmp_path_factory.mktemp("a"), heading, remarks)
    lines = [line for line, remark in enumerate(remarks, start=2) if remark in MARKS]
    assert sorted(intake.rejects.line) == lines
    assert intake.accepted_rows == len(remarks) - len(lines)
    assert set(intake.rejects.reason) <= {"marked in the file as cancelled, deleted or entered twice"}


@pytest.mark.parametrize("mark", MARKS)
def test_each_mark_alone(tmp_path, mark):
    assert read_remarks(tmp_path, "Shënime", [mark]).accepted_rows == 0


@pytest.mark.parametrize("remark", REMARKS)
def test_each_other_remark_alone(tmp_path, remark):
    assert read_remarks(tmp_path, "Shënime", [remark]).accepted_rows == 1


@pytest.mark.parametrize("heading", ["Anuluar", "Cancelled?", "Ακυρώθηκε", "Dyfish", "Deleted (yes/no)"])
@pytest.mark.parametrize("tick", CLOSED)
def test_a_tick_under_a_heading_that_says_cancelled(tmp_path, heading, tick):
    assert read_remarks(tmp_path, heading, [tick, "", "0", "jo"]).rejects.line.tolist() == [2]


@pytest.mark.parametrize("column", ["child_id", "municipality", "sex", "form", "date"])
@pytest.mark.parametrize("mark", ["ANULUAR", "ακυρώθηκε"])
def test_a_mark_in_place_of_a_value(tmp_path, column, mark):
    intake = read_remarks(tmp_path, column, [mark])
    assert reasons(intake) == {"": "marked in the file as cancelled, deleted or entered twice"}


@pytest.mark.parametrize(
    ("heading", "state", "stored"),
    [
        ("_validation_status", "Not Approved", 0),
        ("_validation_status", "validation_status_not_approved", 0),
        ("_validation_status", "Approved", 1),
        ("ReviewState", "rejected", 0),
        ("ReviewState", "approved", 1),
        ("ReviewState", "", 1),
    ],
)
def test_a_submission_that_was_refused_on_the_form_server_is_no_record(tmp_path, heading, state, stored):
    assert read_remarks(tmp_path, heading, [state]).accepted_rows == stored


def test_a_column_that_the_mapping_ignores_cancels_nothing(tmp_path):
    intake = read_remarks(tmp_path, "Shënime", ["anuluar"], mapping=ColumnMapping(ignore=["Shënime"]))
    assert intake.accepted_rows == 1


def test_an_organisation_may_have_any_name(tmp_path):
    assert read_remarks(tmp_path, "partner", ["Void"]).accepted_rows == 1


TESTS = [
    "TEST 1",
    "test",
    "TEST-01",
    "Test_2",
    "prova",
    "Provë 3",
    "PROVE",
    "δοκιμή",
    "ΔΟΚΙΜΗ 1",
    "dokimi",
    "test entry",
]


@pytest.mark.parametrize("text", TESTS)
@pytest.mark.parametrize("column", ["child_id", "Shënime", "sex", "municipality"])
def test_a_test_entry_is_rejected_with_the_reason(tmp_path, text, column):
    intake = read_remarks(tmp_path, column, ["K-1" if column == "child_id" else "", text])
    assert reasons(intake, 3) == {"": "a test entry, as the file says"}


@pytest.mark.parametrize("code", ["T-01", "TE-1", "TESTA-1", "K-test", "T1"])
def test_other_codes_are_no_tests(tmp_path, code):
    assert read_remarks(tmp_path, "child_id", [code]).accepted_rows == 1


@pytest.mark.parametrize("remark", ["HIV test", "bëri një test mjekësor", "test negativ", "ka prova", "έκανε τεστ"])
def test_a_remark_about_a_test_rejects_nothing(tmp_path, remark):
    assert read_remarks(tmp_path, "Shënime", [remark]).accepted_rows == 1


def test_codes_that_all_say_test_are_rejected_and_never_silent(tmp_path):
    intake = read_remarks(tmp_path, "child_id", [f"TEST-{number}" for number in range(5)])
    assert (intake.accepted_rows, intake.rejected_rows) == (0, 5)
