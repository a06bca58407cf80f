"""Intake of badly formatted files and of partners' own columns, and files that are refused as a whole."""

import contextlib
import csv
import datetime as dt
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import FileRefused, InputError
from data.restricted.intake import guess_kind, is_invented
from data.restricted.intake.mapping import ColumnMapping
from data.schema.kinds import KINDS
from tests.helpers.old_excel import write_old_workbook
from tests.helpers.partner_files import (
    ROW,
    Hasher,
    identities,
    read,
    read_rows,
    reasons,
    refusal,
    text_of,
    workbook,
    write,
)

# -- tables in bad shape --


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_any_of_four_delimiters(tmp_path, delimiter):
    intake = read(write(tmp_path, text_of([ROW], delimiter=delimiter)))
    assert intake.accepted_rows == 1


def test_a_line_that_tells_the_separator_is_obeyed(tmp_path):
    assert read(write(tmp_path, "sep=;\r\n" + text_of([ROW], delimiter=";"))).accepted_rows == 1


@pytest.mark.parametrize(
    ("encoding", "partner", "words"),
    [
        ("utf-8", "Οι φίλοι", None),
        ("utf-8-sig", "Οι φίλοι", None),
        ("utf-16", "Οι φίλοι", "UTF-16"),
        ("cp1253", "Οι φίλοι", "Windows Greek"),
        ("cp1252", "Shoqëria çë", "Windows Western"),
        ("cp737", "Οι φίλοι", "DOS Greek"),
        ("cp737", "Κέντρο Ημέρας ΑΘΗΝΑΣ", "DOS Greek"),
        ("cp852", "Shoqëria çë", "DOS Central European"),
    ],
)
def test_encodings_are_found_and_said(tmp_path, encoding, partner, words):
    text = text_of([ROW | {"partner": partner, "municipality": "10944377"}])
    intake = read(write(tmp_path, text, encoding=encoding))
    assert intake.accepted.partner.tolist() == [partner]
    assert [words in note for note in intake.notes] == ([True] if words else [])


def test_an_unknown_encoding_is_refused(tmp_path):
    content = text_of([ROW]).encode() + "Ελλάδα Ελλάδα".encode("cp1253") + b"\xff\xaa\xd2"
    assert "encoding" in refusal(tmp_path, content)


@pytest.mark.parametrize("content", ["", "\r\n\r\n", ",,,\r\n"])
def test_an_empty_file_is_refused(tmp_path, content):
    assert "empty" in refusal(tmp_path, content)


def test_a_header_alone_has_no_rows(tmp_path):
    intake = read(write(tmp_path, text_of([ROW]).split("\r\n")[0]))
    assert (intake.rows, len(intake.accepted), len(intake.rejects)) == (0, 0, 0)


def test_blank_rows_and_blank_last_cells_are_no_rows(tmp_path):
    lines = text_of([ROW]).split("\r\n")
    content = "\r\n".join([lines[0], "", "," * 16, lines[1] + ",,", "  "])
    intake = read(write(tmp_path, content))
    assert (intake.rows, intake.accepted_rows) == (1, 1)


def test_a_record_in_place_of_the_headings_is_not_repeated(tmp_path):
    message = refusal(tmp_path, "Plantedname,Elira,Plantedname,12\r\n")
    assert "first row" in message
    assert "Planted" not in message


def test_columns_that_stand_twice_are_refused(tmp_path):
    header = [*ROW, "Stage"]
    places = f"{header.index('stage') + 1} and {len(header)}"
    assert places in refusal(tmp_path, text_of([ROW], header))


def test_two_columns_that_mean_the_same_are_refused(tmp_path):
    assert "both mean stage" in refusal(tmp_path, text_of([ROW], [*ROW, "group/stage"]))


def test_a_file_without_a_header_is_refused_and_not_repeated(tmp_path):
    content = "\r\n".join(text_of([ROW | {"child_id": "Planted"}] * 2).split("\r\n")[1:])
    message = refusal(tmp_path, content)
    assert "first row" in message
    assert "Planted" not in message


def test_a_nul_byte_in_the_header_is_no_table(tmp_path):
    assert "not a text table" in refusal(tmp_path, b"date\0,stage\r\n1,2\r\n")


@pytest.mark.parametrize(
    ("limit", "reason"), [(2**17, {"": "the row cannot be read"}), (2**30, {"partner": "longer than 80 characters"})]
)
def test_a_cell_of_ten_megabytes_rejects_its_row_only(tmp_path, limit, reason):
    before = csv.field_size_limit(limit)  # one for the whole process, which other readers change
    try:
        intake = read_rows(tmp_path, {"record_number": "1"}, {"partner": "x" * 10_000_000}, {"record_number": "2"})
    finally:
        csv.field_size_limit(before)
    assert reasons(intake, 3) == reason
    assert (intake.rows, intake.accepted_rows) == (3, 2)


@pytest.mark.timeout(20)  # a hundred times what it takes; steps by the square of the length would take minutes
def test_a_long_cell_is_rejected(tmp_path):
    intake = read_rows(tmp_path, {"municipality": "x" * 100_000, "stage": "y" * 100_000})
    assert set(reasons(intake)) == {"municipality", "stage"}
    assert intake.rejects.to_csv().count("x" * 20) == 0


def test_a_quotation_mark_that_is_not_closed_refuses_the_file(tmp_path):
    content = text_of([ROW]) + '2007-05-31,"Tiranë\r\n' + text_of([ROW])
    assert "line 3" in refusal(tmp_path, content)


def test_a_quotation_mark_within_one_line_rejects_its_row(tmp_path):
    broken = text_of([ROW]).split("\r\n")[1].replace("Tiranë", '"Tir"anë')
    intake = read(write(tmp_path, text_of([ROW]) + broken + "\r\n" + text_of([ROW]).split("\r\n")[1]))
    assert reasons(intake, 3) == {"": "the row cannot be read"}
    assert intake.accepted_rows == 2


def test_very_many_unknown_places_are_the_wrong_column(tmp_path):
    rows = [ROW | {"municipality": f"place {n}"} for n in range(1_200)]
    assert "right column" in refusal(tmp_path, text_of(rows))


@given(st.one_of(st.binary(max_size=200), st.binary(max_size=100).map(lambda b: b"PK\x03\x04" + b)))
def test_any_bytes_are_read_or_refused(tmp_path_factory, content):
    path = write(tmp_path_factory.getbasetemp(), content, "any.csv")
    # Nothing else may be raised, whatever the bytes are.
    with contextlib.suppress(FileRefused):
        read(path)


CELLS = st.text(st.sampled_from('ab,;"\n\r\t=0\0ë'), max_size=6)


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(st.lists(CELLS, max_size=8).map("".join))
def test_any_text_below_a_good_header_is_read_or_refused(tmp_path_factory, text):
    path = write(tmp_path_factory.getbasetemp(), text_of([ROW]) + text, "any.csv")
    try:
        intake = read(path)
    except FileRefused:
        return
    assert intake.accepted_rows + intake.rejected_rows == intake.rows
    assert intake.accepted_rows >= 1


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"\xd0\xcf\x11\xe0\xa1\xb1", b"%PDF-1.4\n"])
def test_a_file_of_another_format_is_refused(tmp_path, content):
    assert refusal(tmp_path, content)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "EncryptedPackage".encode("utf-16-le"), "protected by a password"),
        (b"\xd0\xcf\x11\xe0" + b"\0" * 600 + "Workbook".encode("utf-16-le"), "damaged or incomplete"),
        (b"PK\x03\x04" + b"\0" * 26 + b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet", "OpenDocument"),
        (b"\xef\xbb\xbf\r\n<HTML><table><tr><td>date</td></tr></table>", "web page"),
        (b'<?xml version="1.0"?><Workbook/>', "web page or XML"),
    ],
)
def test_what_a_spreadsheet_program_writes_is_named_with_the_remedy(tmp_path, content, fault):
    path = write(tmp_path, content, "list.xls")
    for reading in (read, guess_kind, is_invented):
        with pytest.raises(FileRefused, match=fault) as caught:
            reading(path)
        assert "as .xlsx" in str(caught.value)


@pytest.mark.parametrize("keep", [8, 600, 1_600, 3_000])
def test_a_truncated_workbook_of_the_old_format_is_refused(tmp_path, keep):
    whole = write_old_workbook(tmp_path / "whole.xls", [list(ROW), list(ROW.values())])
    assert read(whole).accepted_rows == 1
    assert refusal(tmp_path, whole.read_bytes()[:keep])


def test_a_workbook_of_the_old_format_has_the_same_records(tmp_path):
    path = write_old_workbook(tmp_path / "a.xls", [["Lista (e shpikur)"], [], list(ROW), list(ROW.values())])
    intake = read(path)
    assert identities(intake) == identities(read_rows(tmp_path, {}))
    assert read(write_old_workbook(path, [list(ROW), [*ROW.values()], []])).rows == 1


@pytest.mark.parametrize("cell", ["#N/A", "=#N/A"])
def test_an_error_in_a_cell_of_the_old_format_rejects_its_row_as_in_the_new_one(tmp_path, cell):
    rows = [["Lista (e shpikur)"], [], list(ROW), GOOD, [*GOOD[:-1], cell], ["Total", *[cell] * (len(GOOD) - 1)]]
    intake = read(write_old_workbook(tmp_path / "a.xls", rows))
    assert reasons(intake, 5) == {"record_number": "the row has a cell with an error"}
    assert (intake.rows, intake.accepted_rows) == (2, 1)
    if cell == "#N/A":
        new = read(workbook(tmp_path, ("Data", rows)))
        assert (reasons(new, 5), new.rows) == (reasons(intake, 5), intake.rows)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="cannot be read"):
        read(tmp_path / "none.csv")


def test_progress_is_told_and_may_stop_the_reading(tmp_path):
    path = write(tmp_path, text_of([ROW] * 5))
    reports = []
    read(path, progress=lambda done, total: reports.append((done, total)))
    assert reports == [(5, 5)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(path, progress=stop)


# -- workbooks --


GOOD = list(ROW.values())


def test_the_sheet_with_our_columns_is_read(tmp_path):
    path = workbook(tmp_path, ("Help", [["Read this"]]), ("Data", [list(ROW), GOOD]))
    intake = read(path)
    assert intake.accepted_rows == 1
    (note,) = intake.notes
    assert note.startswith("Only sheet 2 was read, of 2 sheets with content. To read another one, name it with --sheet")
    assert all(option in note for option in ("--kind", "--heading-row", "at the desk: Something is read wrongly"))


def test_two_sheets_with_our_columns_are_refused(tmp_path):
    path = workbook(tmp_path, ("2006", [list(ROW), GOOD]), ("2007", [list(ROW), GOOD]))
    with pytest.raises(FileRefused, match="sheets 1, 2"):
        read(path)


def test_a_workbook_of_something_else_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="none of them is a column of kind"):
        read(workbook(tmp_path, ("Planted", [["Besa", "Ana"], [1, 2]])))


def test_a_formula_rejects_its_row(tmp_path):
    path = workbook(tmp_path, ("Data", [list(ROW), GOOD, [*GOOD[:-1], "=1+1"], ["", *GOOD[1:]]]))
    intake = read(path)
    assert reasons(intake, 3) == {"record_number": "the row has a formula"}
    assert reasons(intake, 4) == {"date": "missing"}
    assert (intake.rows, intake.accepted_rows) == (3, 1)


def test_dates_and_codes_of_a_workbook(tmp_path):
    row = [dt.date(2007, 5, 31), 10944377, 412.0, *GOOD[3:]]
    hasher = Hasher()
    record = read(workbook(tmp_path, ("Data", [list(ROW), row])), hash_identifier=hasher).accepted.iloc[0]
    assert (record.date, record.municipality) == ("2007-05-31", "10944377")
    assert hasher.inputs == ["partner:arsis\x1f412"]


def test_csv_and_workbook_are_the_same_records(tmp_path):
    csv_file = read_rows(tmp_path, {"record_number": "1"}, {})
    sheet = read(workbook(tmp_path, ("Data", [list(ROW), [*GOOD[:-1], 1], GOOD])))
    assert identities(csv_file) == identities(sheet)


def test_a_workbook_is_told_by_its_content(tmp_path):
    path = workbook(tmp_path, ("Data", [list(ROW), GOOD]))
    assert read(path.rename(tmp_path / "file.csv")).accepted_rows == 1


@pytest.mark.parametrize("keep", [30, 1_000, 4_000, -40])
def test_a_truncated_workbook_is_refused(tmp_path, keep):
    path = workbook(tmp_path, ("Data", [list(ROW), *[GOOD] * 500]))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(FileRefused, match="damaged"):
        read(path)


def test_a_damaged_part_of_a_workbook_is_refused(tmp_path):
    source = workbook(tmp_path, ("Data", [list(ROW), *[GOOD] * 500]))
    path = tmp_path / "broken.xlsx"
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            body = old.read(item)
            new.writestr(item, body[: len(body) // 2] if "sheet1" in item.filename else body)
    with pytest.raises(FileRefused, match="damaged"):
        read(path)


def test_an_archive_of_something_else_is_refused(tmp_path):
    path = tmp_path / "file.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("letter.txt", "hello")
    with pytest.raises(FileRefused, match="not an Excel workbook"):
        read(path)


# -- partners' own columns --


def test_a_kobo_export_is_read_and_its_metadata_ignored(tmp_path):
    kobo = {f"meeting/{k}": v for k, v in ROW.items() if k not in ("country", "partner")}
    kobo |= {"start": "2007-05-31T10:22:00.000+02:00", "end": "", "_id": "17", "_uuid": "a-b"}
    kobo |= {"_submission_time": "2007-06-01T00:00:00", "_index": "1", "__version__": "v1", "remarks": "none"}
    kobo["meeting/stage"] = "in_exploitation"
    intake = read(write(tmp_path, text_of([kobo])), partner="BKTF")
    assert intake.accepted.stage.tolist() == ["in_exploitation"]
    assert intake.unknown_columns == ("remarks",)


def test_a_hyphen_ends_a_group_only_in_exports_of_odk_central(tmp_path):
    row = {("group-date" if k == "date" else k): v for k, v in ROW.items()}
    central = row | {"SubmissionDate": "2007-06-01T10:00:00Z", "KEY": "uuid:1", "meta-instanceName": "x"}
    intake = read(write(tmp_path, text_of([central])))
    assert (intake.accepted.date.tolist(), intake.unknown_columns) == (["2007-05-31"], ())
    assert "no column for date" in refusal(tmp_path, text_of([row]))
    mapped = {("group-q1" if k == "group-date" else k): v for k, v in central.items()}
    mapping = ColumnMapping({"date": "q1"})
    assert read(write(tmp_path, text_of([mapped])), mapping=mapping).accepted.date.tolist() == ["2007-05-31"]


@pytest.mark.parametrize("column", ["_location_latitude", "meeting/_gps_longitude", "_geolocation", "GPS"])
def test_positions_of_a_kobo_export_refuse_the_file(tmp_path, column):
    message = refusal(tmp_path, text_of([ROW | {column: ""}]))
    assert "coordinates" in message
    assert column in message


def test_a_mapping_names_columns_and_values(tmp_path):
    row = {"Data e takimit": "2007-05-31", **{k: v for k, v in ROW.items() if k != "date"}}
    row |= {"stage": "Në rrezik", "Vërejtje": "x", "Kodi": "y"}
    mapping = ColumnMapping({"date": "data e Takimit"}, {"stage": {"në rrezik": "at_risk"}}, ("Kodi",))
    intake = read(write(tmp_path, text_of([row])), mapping=mapping)
    assert intake.accepted[["date", "stage"]].to_numpy().tolist() == [["2007-05-31", "at_risk"]]
    assert intake.unknown_columns == ("Vërejtje",)


def test_a_mapped_column_goes_before_one_of_our_own_name(tmp_path):
    mapping = ColumnMapping({"stage": "Faza"})
    intake = read_rows(tmp_path, {"stage": "kept aside", "Faza": "recruited"}, mapping=mapping)
    assert intake.accepted.stage.tolist() == ["recruited"]
    assert intake.unknown_columns == ("stage",)


def test_missing_columns_are_named_with_the_unknown_ones(tmp_path):
    row = {k: v for k, v in ROW.items() if k != "stage"} | {"Hapi": "at_risk"}
    message = refusal(tmp_path, text_of([row]))
    assert "no column for stage, which is needed for kind encounter" in message
    assert "'Hapi'" in message
    row = {k: v for k, v in row.items() if k != "pathway"}
    assert "no column for stage, pathway, which are needed for kind" in refusal(tmp_path, text_of([row]))


def test_a_date_under_a_foreign_heading_is_a_missing_column_and_no_birth_date(tmp_path):
    row = {("Koha e takimit" if k == "date" else k): v for k, v in ROW.items()}
    message = refusal(tmp_path, text_of([row]))
    assert "no column for date" in message
    assert "'Koha e takimit'" in message


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_a_file_is_told_by_its_columns(tmp_path, kind):
    path = write(tmp_path, text_of([{c.name: c.example for c in KINDS[kind].file_columns}]))
    assert guess_kind(path) == kind


@pytest.mark.parametrize("lacking", ["stage", "date", "municipality"])
def test_the_kind_of_a_file_that_lacks_a_column(tmp_path, lacking):
    row = {name: value for name, value in ROW.items() if name != lacking}
    assert guess_kind(write(tmp_path, text_of([row]))) == "encounter"


@pytest.mark.parametrize("headings", ["a,b", "date,municipality", "date,municipality,partner", "area,source,year"])
def test_a_file_of_no_kind_or_of_several(tmp_path, headings):
    assert guess_kind(write(tmp_path, f"{headings}\r\n1,2\r\n")) is None


def test_invented_records_are_told_by_a_column_whatever_the_name_of_the_file(tmp_path):
    assert is_invented(write(tmp_path, text_of([{"Invented": "yes"} | ROW])))
    assert is_invented(write(tmp_path, text_of([{"about/invented": "yes"} | ROW])))  # in a group of a form
    assert not is_invented(write(tmp_path, text_of([ROW])))


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="encounter"):
        read(write(tmp_path, text_of([ROW])), "meeting")


# -- refused whole --

PERSONAL = {
    "names ('Emri i fëmijës')": {"Emri i fëmijës": "Zamira-Planted"},
    "dates of birth ('Ημερομηνία γέννησης')": {"Ημερομηνία γέννησης": "x"},
    "phone numbers ('Numéro de téléphone')": {"Numéro de téléphone": ""},
    "phone numbers ('Extra' in line 3)": {"Extra": "call 069 123 4567 please"},
    "names ('child_id' in line 3)": {"child_id": "Arben Planted"},
    "names ('programme_number' in line 3)": {"programme_number": "ARBEN PLANTED"},
    "names ('Kush' in line 3)": {"Kush": "Arben Planted"},
    "dates of birth ('Extra' in line 3)": {"Extra": "lives with an aunt, b. 12.05.1997"},
    "phone numbers ('child_id' in line 3)": {"child_id": "+355 69 123 4567"},
    "phone numbers ('record_number' in line 3)": {"record_number": "0691234567"},
    "dates of birth ('partner' in line 3)": {"partner": "12.05.1995"},
    "addresses ('municipality' in line 3)": {"municipality": "someone@example.org"},
    "coordinates ('stage' in line 3)": {"stage": "41.3275, 19.8187"},
    "coordinates ('A' in line 3, 'B' in line 3)": {"A": "41.32751", "B": "19,81872"},
    "identity numbers ('record_number' in line 3)": {"record_number": "J51101001A"},
}


@pytest.mark.parametrize("reason", PERSONAL)
def test_personal_data_refuses_the_whole_file_and_only_names_columns(tmp_path, reason):
    message = refusal(tmp_path, text_of([ROW | dict.fromkeys(PERSONAL[reason], ""), ROW | PERSONAL[reason]]))
    assert reason in message
    assert not any(value in message for value in PERSONAL[reason].values() if len(value) > 1)


def test_personal_data_is_named_before_a_missing_column(tmp_path):
    row = {name: text for name, text in ROW.items() if name != "stage"} | {"Extra": "call 069 123 4567"}
    message = refusal(tmp_path, text_of([row]))
    assert "phone numbers ('Extra' in line 2)" in message
    assert "069" not in message


def test_several_sorts_are_named_at_once(tmp_path):
    message = refusal(tmp_path, text_of([ROW | {"Emri": "x", "Mbiemri": "y", "Tel": "z"}]))
    assert "names ('Emri', 'Mbiemri'); phone numbers ('Tel')" in message


@pytest.mark.parametrize("heading", ["Emri", "Telefoni", "Data e lindjes"])
def test_neither_a_mapping_nor_ignoring_lets_personal_data_in(tmp_path, heading):
    row = ROW | {heading: "x"}
    for mapping in (ColumnMapping(ignore=(heading,)), ColumnMapping({"record_number": heading})):
        names = [n for n in row if n != "record_number"]
        assert repr(heading) in refusal(tmp_path, text_of([row], names), mapping=mapping)


def test_an_identity_number_as_identifier_is_hashed_and_passes(tmp_path):
    intake = read_rows(tmp_path, {"child_id": "J51101001A"})
    assert "J51101001A" not in intake.accepted.to_csv()


def test_one_number_among_many_that_could_be_a_phone_passes(tmp_path):
    numbers = [{"record_number": str(n)} for n in (6_970_000_000, 1, 2, 3)]
    assert read_rows(tmp_path, *numbers).accepted_rows == 4


def test_dates_of_the_time_of_the_records_are_no_birth_dates(tmp_path):
    assert read_rows(tmp_path, {"Follow-up": "2007-06-30"}).unknown_columns == ("Follow-up",)


@pytest.mark.parametrize("heading", ["Social worker", "Shkolla", "Χωριό"])
def test_names_of_staff_schools_and_places_are_no_names_of_children(tmp_path, heading):
    assert read_rows(tmp_path, {heading: "Naim Frashëri"}).unknown_columns == (heading,)


def test_a_table_of_areas_may_have_their_names(tmp_path):
    row = {"area": "Fier", "name": "Fier", "period": "2008", "measure": "roma", "number": "1640", "source": "s"}
    intake = read(write(tmp_path, text_of([row | {"year": "2008", "status": "census"}])), "figure")
    assert (intake.accepted_rows, intake.unknown_columns) == (1, ("name",))


# -- nothing personal is ever said --

SECRETS = ("Zamira-Planted", "K-9999-SECRET", "P-7777-SECRET")


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"date": "Zamira-Planted"},
        {"municipality": "Zamira-Planted"},
        {"stage": "Zamira-Planted"},
        {"origin": "Zamira-Planted", "country": "Zamira-Planted"},
        {"Extra": "Zamira-Planted"},
        {"Extra": "Zamira-Planted +355 69 123 4567"},
        {"Zamira-Planted 0691234567": "x"},
        {"record_number": "Zamira-Planted" * 9},
        {"child_id": "K-9999-SECRET" * 20},
        {"child_id": "K-9999-SECRET\u202e"},
        {"partner": '"Zamira-Planted'},
        {"Emri": "Zamira-Planted"},
    ],
)
def test_no_message_reject_or_exception_repeats_a_cell(tmp_path, change):
    output = ""
    row = ROW | {"child_id": "K-9999-SECRET", "programme_number": "P-7777-SECRET"} | change
    try:
        intake = read(write(tmp_path, text_of([row, row | {"stage": ""}])))
        output = f"{intake!r} {intake.rejects.to_csv()} {intake.notes} {intake.unknown_columns}"
        stored = intake.accepted.to_csv()
        assert not any(secret in stored for secret in SECRETS[1:])
    except InputError as error:
        chain = error
        while chain is not None:
            output += f" {chain}"
            chain = chain.__cause__
    assert output
    assert not any(secret in output for secret in SECRETS)


def test_a_broken_row_is_not_repeated(tmp_path):
    content = text_of([ROW]) + '2007-05-31,"Zamira"-Planted,K-9999-SECRET\r\nZamira-Planted,1\r\n'
    intake = read(write(tmp_path, content))
    assert intake.rejected_rows == 2
    assert "Zamira" not in intake.rejects.to_csv()


@pytest.mark.parametrize(
    ("heading", "values"),
    [("Viti i lindjes", ["1996", "3.2.1996"]), ("Mosha", ["3.2.1996", "4.5.1998"]), ("Mosha", ["1996-02-03", "11"])],
)
def test_days_of_birth_in_a_column_of_ages_refuse_the_file(tmp_path, heading, values):
    rows = [
        {(heading if k == "age_band" else k): (age if k == "age_band" else v) for k, v in ROW.items()} for age in values
    ]
    assert f"dates of birth ('{heading}')" in refusal(tmp_path, text_of(rows))


@pytest.mark.parametrize(
    "day", ["2007-10-13", "2008-12-10T00:00:00", "12.10.2008", "39793", "10-Dec", "Dhj-10", "12/Οκτ"]
)
def test_ages_that_a_spreadsheet_made_days_of_come_back_alone_and_say_why(tmp_path, day):
    intake = read_rows(tmp_path, {"age_band": day}, {"age_band": "10-13", "child_id": "K-2"})
    assert "Excel makes dates of ages such as 10-12" in reasons(intake)["age_band"]
    assert intake.accepted.age_band.tolist() == ["10-13"]
    assert intake.rejects.value.tolist() == [""]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("rreth 12", "10-13"),
        ("afërsisht 8 vjeç", "6-9"),
        ("περίπου 11 χρονών", "10-13"),
        ("peripou 12", "10-13"),
        ("~ 3", "0-5"),
        ("15 (?)", "14-17"),
        ("ca. 16 yrs", "14-17"),
        ("rreth 6 muaj", "0-5"),
    ],
)
def test_an_age_that_is_not_exact_is_read_where_its_band_is_sure(tmp_path, age, band):
    intake = read_rows(tmp_path, {"age_band": age})
    assert intake.accepted.age_band.tolist() == [band]
    assert [note for note in intake.notes if note.startswith("1 row has an approximate age")]


@pytest.mark.parametrize(
    ("age", "band"),
    [
        ("10 ose 11 vjeç", "10-13"),
        ("7 deri në 9", "6-9"),
        ("99 muaj", "6-9"),
        ("2 vjet", "0-5"),
        ("tetë vjeç", "6-9"),
        ("Dymbëdhjetë", "10-13"),
        ("τριών ετών", "0-5"),
        ("dekapente", "14-17"),
        ("five years", "0-5"),
        ("dhjetë deri dymbëdhjetë", "10-13"),
    ],
)
def test_ranges_and_months_are_read_without_a_note(tmp_path, age, band):
    intake = read_rows(tmp_path, {"age_band": age})
    assert intake.accepted.age_band.tolist() == [band]
    assert not [note for note in intake.notes if "approximate" in note]


@pytest.mark.parametrize("age", ["rreth 10", "περίπου 10", "about 10", "~10", "8-12", "rreth 17"])
def test_an_age_that_may_lie_in_two_bands_comes_back_without_its_words(tmp_path, age):
    intake = read_rows(tmp_path, {"age_band": age})
    assert reasons(intake) == {"age_band": "the age may lie in two bands"}
    assert intake.rejects.value.tolist() == [""]


@pytest.mark.parametrize("age", ["10/11", "06/07", "12/05", "12 / 13"])
def test_a_day_and_a_month_or_two_years_are_no_range_of_ages(tmp_path, age):
    intake = read_rows(tmp_path, {"age_band": age})
    assert reasons(intake) == {"age_band": "not an age or a band of ages"}
    assert intake.rejects.value.tolist() == [""]


@pytest.mark.parametrize("age", ["mbi 18", "over 20", "20 vjeç"])
def test_somebody_of_18_or_more_is_no_child(tmp_path, age):
    assert reasons(read_rows(tmp_path, {"age_band": age})) == {"age_band": "18 or older on that day"}


def test_a_cell_of_signs_alone_is_as_good_as_empty(tmp_path):
    intake = read_rows(tmp_path, {"sex": "?", "age_band": "-", "origin": "—"}, {"stage": "-", "child_id": "K-2"})
    (record,) = intake.accepted.itertuples()
    assert (record.sex, record.age_band, record.origin) == ("unknown", "unknown", "")
    assert reasons(intake, 3) == {"stage": "missing"}


def test_a_name_beside_a_code_in_one_heading_refuses_the_file(tmp_path):
    row = {("Emri / Kodi i fëmijës" if k == "child_id" else k): v for k, v in ROW.items()}
    assert "names ('Emri / Kodi i fëmijës')" in refusal(tmp_path, text_of([row]))


def test_unknown_days_of_birth_are_found_beside_days_with_short_years(tmp_path):
    rows = [ROW | {"date": f"{n}.3.07", "aside": f"{n}.2.1996"} for n in range(4, 8)]
    assert "dates of birth ('aside'" in refusal(tmp_path, text_of(rows))


TWO_UNITS = [
    "Mosha në vite ose muaj",
    "Mosha (muaj/vite)",
    "Mosha / Viti i lindjes",
    "Viti i lindjes / Mosha",
    "Age (years or months)",
    "Age in months or years",
    "Age / Year of birth",
    "Ηλικία (έτη ή μήνες)",
    "Ηλικία / Έτος γέννησης",
    "Ηλικία σε μήνες ή έτη",
]


@pytest.mark.parametrize(
    ("heading", "ages", "bands"),
    [
        ("Viti i lindjes", ["00", "01", "96", "1999"], ["6-9", "6-9", "10-13", "6-9"]),
        ("Έτος γέννησης", ["92", "02", "", "2003"], ["14-17", "0-5", "unknown", "0-5"]),
        ("Mosha (muaj)", ["9", "14", "99", "8 vjeç"], ["0-5", "0-5", "6-9", "6-9"]),
        ("Mosha", ["9", "14", "11", "8"], ["6-9", "14-17", "10-13", "6-9"]),
        *((heading, ["9", "14", "11", "8"], ["6-9", "14-17", "10-13", "6-9"]) for heading in TWO_UNITS),
    ],
)
def test_a_number_under_a_heading_of_months_or_of_years_of_birth_is_no_age_in_years(tmp_path, heading, ages, bands):
    rows = [
        {(heading if k == "age_band" else k): (age if k == "age_band" else v) for k, v in ROW.items()}
        | {"child_id": f"K-{number}", "date": "2007-10-13"}
        for number, age in enumerate(ages)
    ]
    mapping = ColumnMapping(columns={"age_band": heading})
    assert read(write(tmp_path, text_of(rows)), mapping=mapping).accepted.age_band.tolist() == bands


def test_two_columns_of_ages_keep_the_units_of_their_headings(tmp_path):
    rows = [{"Mosha (vite)": years, "Mosha (muaj)": months} for years, months in [("", "9"), ("12", ""), ("", "99")]]
    rows = [{k: v for k, v in ROW.items() if k != "age_band"} | row for row in rows]
    assert read(write(tmp_path, text_of(rows))).accepted.age_band.tolist() == ["0-5", "10-13", "6-9"]


@pytest.mark.parametrize("age", ["nën 12", "nën 10", "nën 14"])
def test_under_is_no_november(tmp_path, age):
    assert reasons(read_rows(tmp_path, {"age_band": age})) == {"age_band": "the age may lie in two bands"}
