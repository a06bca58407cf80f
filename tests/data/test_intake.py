"""Intake: what is accepted, what comes back and why, what is refused whole, and what is never said."""

import csv
import datetime as dt
import hashlib
import io
import re
import zipfile

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import FileRefused, InputError
from data.intake import REJECT_COLUMNS, guess_kind, is_invented, read_file, read_frame, write_rejects
from data.mapping import ColumnMapping
from data.reference import area_table, figures
from data.schema import KINDS

TODAY = dt.date(2009, 6, 30)
AREAS = area_table()
KNOWN = {"tiranë": "10944377", "tirana": "10944377", "athens": "9186", "fier": "AL-04"}
PLAIN = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

ROW = {
    "date": "2007-05-31",
    "municipality": "Tiranë",
    "child_id": "K-0412",
    "programme_number": "",
    "country": "",
    "stage": "at_risk",
    "pathway": "internal",
    "form": "begging",
    "axis": "protection",
    "found": "reported",
    "sex": "female",
    "age_band": "10-13",
    "community": "",
    "origin": "",
    "destination": "",
    "partner": "ARSIS",
    "record_number": "",
}


class Found:
    def __init__(self, code, candidates=()):
        self.code, self.candidates = code, candidates
        self.reason = "" if code else "a reason that repeats the text"


class Resolver:
    """Knows codes and a few names; counts how often it is asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, text, country=None, level="municipality"):
        self.asked.append((text, country, level))
        code = text if text in AREAS.index else KNOWN.get(text.casefold())
        if code and level and AREAS.level[code] != level:
            code = None
        if code and country and AREAS.country[code] != country:
            code = None
        return Found(code, () if code else ("Tirana (10944377)",))


class Hasher:
    """A stand-in for the keyed hash; keeps what it was given."""

    def __init__(self):
        self.given = []

    def __call__(self, texts):
        self.given.extend(texts)
        return [hashlib.sha256(text.encode()).hexdigest() for text in texts]


def text_of(rows, header=None, delimiter=","):
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator="\r\n")
    header = header or list(rows[0])
    writer.writerow(header)
    writer.writerows([row.get(name, "") for name in header] for row in rows)
    return out.getvalue()


def write(tmp_path, content, name="file.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
    return path


def read(path, kind="encounter", **more):
    more = {"resolve": Resolver(), "hash_identifier": Hasher(), "today": TODAY, **more}
    return read_file(path, kind, **more)


def read_rows(tmp_path, *changes, **more):
    rows = [ROW | change for change in changes]
    header = list(ROW) + [name for name in dict.fromkeys(n for c in changes for n in c) if name not in ROW]
    return read(write(tmp_path, text_of(rows, header)), **more)


def reasons(intake, line=2):
    rejects = intake.rejects[intake.rejects.line == line]
    return dict(zip(rejects.column, rejects.reason, strict=True))


def refusal(tmp_path, content, **more):
    with pytest.raises(FileRefused) as caught:
        read(write(tmp_path, content), **more)
    return str(caught.value)


def identities(intake):
    return sorted(intake.accepted["identity"])


# -- what is accepted --


def test_an_encounter_becomes_canonical(tmp_path):
    hasher = Hasher()
    record = read_rows(tmp_path, {}, hash_identifier=hasher).accepted.iloc[0]
    assert record.drop(["child", "identity", "content"]).to_dict() == {
        "date": "2007-05-31",
        "municipality": "10944377",
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
    }
    assert hasher.given == ["partner:arsis\x1fk-0412"]
    assert re.fullmatch("[0-9a-f]{64}", record.child)
    assert len(record.identity) == len(record.content) == 16


def test_batches_are_what_the_vault_takes(tmp_path):
    intake = read_rows(tmp_path, {"record_number": "1"}, {"record_number": "2"}, {"record_number": "3"})
    batches = list(intake.batches(rows=2))
    assert [b.num_rows for b in batches] == [2, 1]
    names = [c.name for c in KINDS["encounter"].stored]
    assert batches[0].schema.names == [*names, "identity", "content"]
    assert batches[0]["stage"].to_pylist() == ["at_risk", "at_risk"]
    assert batches[1]["record_number"].to_pylist() == ["3"]


@pytest.mark.parametrize("value", ["al_to_gr", "AL to GR", "Albania to Greece", " albania  to greece "])
def test_categories_are_read_as_code_or_in_plain_words(tmp_path, value):
    if value == "AL to GR":
        mapping = ColumnMapping(value_names={"pathway": {"al TO gr": "al_to_gr"}})
    else:
        mapping = None
    intake = read_rows(tmp_path, {"pathway": value}, mapping=mapping)
    assert intake.accepted.pathway.tolist() == ["al_to_gr"]


def test_missing_optional_columns_are_empty_or_unknown(tmp_path):
    needed = {c.name for c in KINDS["encounter"].given if c.required}
    row = {name: value for name, value in ROW.items() if name in needed}
    record = read(write(tmp_path, text_of([row]))).accepted.iloc[0]
    assert (record.sex, record.age_band, record.community, record.origin) == ("unknown",) * 3 + ("",)
    assert record.country == "AL"


def test_the_partner_may_be_named_with_the_import(tmp_path):
    row = {k: v for k, v in ROW.items() if k != "partner"}
    path = write(tmp_path, text_of([row]))
    assert read(path, partner=" Amaro  Drom ").accepted.partner.tolist() == ["Amaro Drom"]
    with pytest.raises(FileRefused, match="--partner"):
        read(path)


def test_another_partner_than_the_named_one_is_a_fault(tmp_path):
    intake = read_rows(tmp_path, {"partner": "BKTF"}, {"partner": ""}, {"partner": "arsis"}, partner="ARSIS")
    assert reasons(intake) == {"partner": "not the partner that was named with the import"}
    assert intake.accepted.partner.tolist() == ["ARSIS", "ARSIS"]


def test_each_distinct_text_and_child_is_looked_up_once(tmp_path):
    resolver, hasher = Resolver(), Hasher()
    rows = [ROW | {"record_number": str(n), "child_id": f"K-{n % 3}"} for n in range(50)]
    read(write(tmp_path, text_of(rows)), resolve=resolver, hash_identifier=hasher)
    asked = [a for a in resolver.asked if a[0]]
    assert len(asked) == len(set(asked)) == 1
    assert sorted(hasher.given) == [f"partner:arsis\x1fk-{n}" for n in range(3)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"child_id": "K-0412"}, {"child_id": " k-0412 "}),
        ({"child_id": "Ｋ-0412"}, {"child_id": "K-0412"}),
        ({"partner": "ARSIS"}, {"partner": "arsis"}),
        ({"programme_number": "P-1"}, {"programme_number": "p-1", "child_id": "other", "partner": "BKTF"}),
        ({"programme_number": "P-1", "child_id": ""}, {"programme_number": "P-1"}),
    ],
)
def test_one_child_however_it_is_written(tmp_path, one, other):
    first, second = read_rows(tmp_path, one, other).accepted.child
    assert first == second


@pytest.mark.parametrize(
    "other", [{"partner": "BKTF"}, {"child_id": "K-0413"}, {"programme_number": "K-0412"}]
)
def test_children_that_are_not_the_same(tmp_path, other):
    first, second = read_rows(tmp_path, {}, other).accepted.child
    assert first != second


def test_the_programme_number_is_stored_as_its_hash(tmp_path):
    record = read_rows(tmp_path, {"programme_number": "P-1"}).accepted.iloc[0]
    assert record.programme_child == record.child != ""


@pytest.mark.parametrize(
    ("date", "span", "day", "kept"),
    [
        ("2007-05-31", "", "2007-05-31", "day"),
        ("2007-05-31", "week", "2007-05-28", "week"),
        ("2007-W22", "", "2007-05-28", "week"),
        ("2007w22", "week", "2007-05-28", "week"),
    ],
)
def test_effort_of_a_day_or_a_week(tmp_path, date, span, day, kept):
    row = {
        "date": date,
        "span": span,
        "municipality": "Tirana",
        "partner": "A",
        "days": "2,5",
        "kind": "other",
    }
    record = read(write(tmp_path, text_of([row])), "effort").accepted.iloc[0]
    assert (record.date, record.span, record.days) == (day, kept, 2.5)


def test_shipped_figures_import_as_they_are(tmp_path):
    path = tmp_path / "figures.csv"
    figures().to_csv(path, index=False)
    intake = read(path, "figure", today=dt.date(2026, 1, 1))
    assert intake.rejects.empty
    known = figures()
    assert intake.accepted[list(known.columns)].equals(known)


def test_a_figure_of_a_year_becomes_an_interval(tmp_path):
    row = {"area": "Fier", "period": "2008", "measure": "roma", "number": "1640", "share": "", "source": "s"}
    row |= {"year": "2008", "status": "census", "note": ""}
    record = read(write(tmp_path, text_of([row])), "figure").accepted.iloc[0]
    assert (record.area, record.period, record.number) == ("AL-04", "2008-01-01/P1Y", 1640)


def test_a_frame_is_checked_as_a_file_is(tmp_path):
    rows = [ROW | {"record_number": str(n)} for n in range(4)] + [ROW | {"stage": "late"}]
    import pandas as pd

    kind = {"resolve": Resolver(), "hash_identifier": Hasher(), "today": TODAY}
    frame = read_frame(pd.DataFrame(rows).astype({"stage": "category"}), "encounter", **kind)
    file = read(write(tmp_path, text_of(rows)))
    assert identities(frame) == identities(file)
    assert frame.rejects.equals(file.rejects)


# -- what comes back --


@pytest.mark.parametrize(
    ("change", "column", "reason"),
    [
        ({"date": ""}, "date", "missing"),
        ({"date": "2007-02-30"}, "date", "a day that is not in the calendar"),
        ({"date": "31.5.07"}, "date", "a year of two digits"),
        ({"date": "5/6/2007"}, "date", "day and month cannot be told apart"),
        ({"date": "yesterday"}, "date", "not a date"),
        ({"date": "39233"}, "date", "not a date"),
        ({"date": "1999-12-31"}, "date", "before 2000-01-01"),
        ({"date": "2009-07-01"}, "date", "in the future"),
        ({"municipality": ""}, "municipality", "missing"),
        ({"municipality": "Tirna"}, "municipality", "does not name exactly one municipality"),
        ({"municipality": "AL-11"}, "municipality", "does not name exactly one municipality"),
        ({"country": "GR"}, "country", "the country is not that of the municipality"),
        ({"country": "Albanien"}, "country", "not one of the categories"),
        ({"stage": "late"}, "stage", "not one of the categories"),
        ({"found": ""}, "found", "missing"),
        ({"child_id": ""}, "child_id", "missing"),
        ({"origin": "nowhere"}, "origin", "does not name exactly one municipality"),
        ({"destination": "Athens"}, None, None),
        (
            {"origin": "Tirana", "destination": "Athens"},
            "pathway",
            "an internal pathway with origin and destination in different countries",
        ),
        (
            {"pathway": "al_to_gr", "origin": "Athens"},
            "pathway",
            "a pathway from Albania to Greece whose origin or destination says otherwise",
        ),
        ({"record_number": "n" * 81}, "record_number", "longer than 80 characters"),
        ({"partner": "a\u202eb"}, "partner", "holds a character that cannot be seen"),
        ({"partner": "a\0b"}, "partner", "holds a character that cannot be seen"),
    ],
)
def test_a_wrong_row_comes_back_with_its_reason(tmp_path, change, column, reason):
    intake = read_rows(tmp_path, {"record_number": "1"}, change)
    assert reasons(intake, line=3) == ({column: reason} if column else {})
    assert intake.rejected_rows == (1 if column else 0)
    assert (intake.rejects.allowed != "").all()


@pytest.mark.parametrize(
    ("kind", "row", "column", "reason"),
    [
        ("effort", {"days": "-1"}, "days", "negative"),
        ("effort", {"days": "0"}, "days", "too small"),
        ("effort", {"days": "1.000,5"}, "days", "not a number"),
        ("effort", {"days": "nan"}, "days", "not a number"),
        ("effort", {"days": "5000"}, "days", "too large"),
        ("effort", {"date": "2007-W53"}, "date", "a week that is not in the calendar"),
        ("effort", {"date": "2007-W22", "span": "day"}, "span", "the date is a week and the span a day"),
        ("service", {"valid_to": "2005-01-01"}, "valid_to", "the last day lies before the first"),
        ("service", {"staff": "1.5"}, "staff", "not a whole number"),
        ("service", {"capacity": "-3"}, "capacity", "negative"),
        ("service", {"handed_from": "ngo"}, "handed_to", "handed over from someone, but to nobody"),
        ("community", {"estimate": "1.640"}, "estimate", "not a whole number"),
        ("indicator", {"indicator": "=cmd"}, "indicator", "not a code"),
        ("indicator", {"period": "2006-06-15/P3M"}, "period", "not a period"),
        ("indicator", {"period": "2031"}, "period", "in the future"),
        ("figure", {"number": ""}, "number", "neither a number nor a share"),
        ("figure", {"share": "25"}, "share", "too large"),
        ("figure", {"measure": "roma_share_of_national"}, "share", "this measure is a share and has none"),
    ],
)
def test_a_wrong_row_of_another_kind(tmp_path, kind, row, column, reason):
    sound = {c.name: c.example for c in KINDS[kind].given} | {"municipality": "Tirana"}
    sound |= {"handed_from": "", "handed_to": "", "year": "2007", "period": "2008", "span": "", "share": ""}
    names = [c.name for c in KINDS[kind].given]
    intake = read(write(tmp_path, text_of([sound, sound | row], names)), kind)
    assert reasons(intake, line=2) == {}
    assert reasons(intake, line=3) == {column: reason}


def test_all_faults_of_a_row_are_listed(tmp_path):
    intake = read_rows(tmp_path, {"date": "", "stage": "late", "municipality": "Tirna", "child_id": ""})
    assert set(reasons(intake)) == {"date", "stage", "municipality", "child_id"}
    assert (intake.rejected_rows, len(intake.rejects)) == (1, 4)


def test_an_unknown_place_comes_with_the_nearest(tmp_path):
    intake = read_rows(tmp_path, {"municipality": "Tirna"})
    assert "Tirana (10944377)" in intake.rejects.allowed[0]
    assert "repeats" not in intake.rejects.reason[0]


def test_lines_are_those_of_the_file(tmp_path):
    text = (
        text_of([ROW])
        + "\r\n"
        + '"2007-05-31\n",Tiranë'
        + "\r\n"
        + text_of([ROW | {"stage": "x"}]).split("\r\n")[1]
    )
    intake = read(write(tmp_path, text))
    assert intake.rejects[["line", "column"]].to_numpy().tolist() == [[4, ""], [6, "stage"]]
    assert intake.rejects.reason[0] == "the row has 2 cells and the header 17"
    assert (intake.rows, intake.accepted_rows, intake.rejected_rows) == (3, 1, 2)


def test_one_record_number_with_two_contents_rejects_both(tmp_path):
    intake = read_rows(
        tmp_path,
        {"record_number": "1"},
        {"record_number": "2"},
        {"record_number": "1", "stage": "recruited"},
        {"record_number": "1", "partner": "BKTF", "stage": "recruited"},
    )
    assert intake.rejects.line.tolist() == [2, 4]
    assert intake.accepted_rows == 2


def test_rejects_are_written_for_a_spreadsheet(tmp_path):
    intake = read_rows(tmp_path, {"stage": "late"}, {"days": "1", "stage": "=cmd|' /C calc'!A0"})
    path = tmp_path / "deep" / "rejects.csv"
    write_rejects(path, intake.rejects)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf")
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert tuple(rows[0]) == REJECT_COLUMNS
    assert rows[1][:3] == ["2", "stage", "not one of the categories"]
    assert "calc" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", " =", "＝"])
def test_rejects_that_begin_with_a_sign_are_text(tmp_path, sign):
    import pandas as pd

    path = tmp_path / "rejects.csv"
    write_rejects(path, pd.DataFrame({"line": [2], "column": ["a"], "reason": [f"{sign}1"], "allowed": [""]}))
    with path.open(encoding="utf-8-sig", newline="") as file:
        assert list(csv.reader(file))[1][2] == f"'{sign}1"


# -- days --


def test_slashes_are_day_first_where_the_column_proves_it(tmp_path):
    intake = read_rows(tmp_path, {"date": "5/6/2007"}, {"date": "31/05/2007"}, {"date": "2007-06-01"})
    assert intake.accepted.date.tolist() == ["2007-06-05", "2007-05-31", "2007-06-01"]
    assert any("day first" in note for note in intake.notes)


@pytest.mark.parametrize("other", ["5/31/2007", "12/12/2006"])
def test_slashes_without_proof_are_rejected(tmp_path, other):
    intake = read_rows(tmp_path, {"date": "5/6/2007"}, {"date": other})
    assert reasons(intake, 2) == {"date": "day and month cannot be told apart"}


def test_slashes_that_prove_both_orders_are_rejected(tmp_path):
    intake = read_rows(tmp_path, {"date": "31/5/2007"}, {"date": "5/31/2007"})
    assert intake.rejected_rows == 2


@pytest.mark.parametrize(("order", "day"), [("day first", "2007-06-05"), ("month first", "2007-05-06")])
def test_the_mapping_may_tell_the_order(tmp_path, order, day):
    intake = read_rows(tmp_path, {"date": "5/6/2007"}, mapping=ColumnMapping(slashes=order))
    assert intake.accepted.date.tolist() == [day]


@pytest.mark.parametrize(
    "text", ["31.5.2007", "31.05.2007", "2007-05-31T10:00:00.000+02:00", "2007-05-31 00:00:00"]
)
def test_days_that_cannot_be_mistaken(tmp_path, text):
    assert read_rows(tmp_path, {"date": text}).accepted.date.tolist() == ["2007-05-31"]


# -- the same again --


def test_the_same_file_twice_has_the_same_records(tmp_path):
    changes = [{"record_number": "1"}, {}, {}, {"stage": "recruited"}]
    first, second = read_rows(tmp_path, *changes), read_rows(tmp_path, *changes)
    assert first.accepted.equals(second.accepted)
    assert len(set(identities(first))) == 4


def test_the_same_number_with_other_content_is_a_correction(tmp_path):
    before = read_rows(tmp_path, {"record_number": "1"}).accepted.iloc[0]
    after = read_rows(tmp_path, {"record_number": "1", "stage": "recruited"}).accepted.iloc[0]
    assert before.identity == after.identity
    assert before.content != after.content


def test_kinds_partners_and_numbers_keep_records_apart(tmp_path):
    intake = read_rows(
        tmp_path,
        {"record_number": "1", "partner": "AB"},
        {"record_number": "1B", "partner": "A"},
        {"record_number": "2", "partner": "AB"},
        {"partner": "AB"},
    )
    assert len(set(identities(intake))) == 4


ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "date": st.sampled_from(["2007-05-31", "2007-06-01", "1.6.2007", "31/05/2007", "x", ""]),
            "municipality": st.sampled_from(["Tiranë", "10944377", "Athens", "nowhere", ""]),
            "child_id": st.sampled_from(["K-1", "k-1", "K-2", ""]),
            "stage": st.sampled_from(["at_risk", "At risk", "recruited", "late"]),
            "record_number": st.sampled_from(["", "1", "2", "3"]),
            "country": st.sampled_from(["", "AL", "GR"]),
        }
    ),
    min_size=1,
    max_size=12,
)


@PLAIN
@given(rows=ROWS)
def test_accepted_and_rejected_are_all_rows(tmp_path, rows):
    intake = read_rows(tmp_path, *rows)
    assert intake.accepted_rows + intake.rejected_rows == intake.rows == len(rows)
    assert intake.rejects.line.nunique() == intake.rejected_rows
    assert len(intake.accepted) == intake.accepted_rows


@PLAIN
@given(rows=ROWS, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(tmp_path, rows, random):
    shuffled = random.sample(rows, len(rows))
    one, other = read_rows(tmp_path, *rows), read_rows(tmp_path, *shuffled)
    assert identities(one) == identities(other)
    assert sorted(one.accepted["content"]) == sorted(other.accepted["content"])
    assert sorted(zip(one.rejects.column, one.rejects.reason, strict=True)) == sorted(
        zip(other.rejects.column, other.rejects.reason, strict=True)
    )


@PLAIN
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Zs"]), min_size=1, max_size=60))
def test_any_text_that_can_be_printed_survives(tmp_path, text):
    if not text.split():
        return
    try:
        intake = read_rows(tmp_path, {"partner": text, "record_number": text})
    except FileRefused:
        return  # It looks like a phone number or the like.
    import unicodedata

    expected = unicodedata.normalize("NFC", " ".join(text.split()))
    if intake.accepted_rows:
        assert intake.accepted.partner.tolist() == [expected]
        assert intake.accepted.record_number.tolist() == [expected]
    else:
        assert not expected.isprintable()


MARKUP = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("kind", KINDS)
def test_markup_stays_plain_text_in_every_text_field(tmp_path, kind):
    given_columns = KINDS[kind].given
    row = {c.name: MARKUP if c.type == "text" else c.example for c in given_columns}
    row |= {"municipality": "Tirana", "origin": "", "destination": "", "handed_from": "", "handed_to": ""}
    row |= {"share": "", "year": "2007", "period": "2008", "span": ""}
    path = write(tmp_path, text_of([row], [c.name for c in given_columns]))
    record = read(path, kind).accepted.iloc[0]
    for column in given_columns:
        if column.type == "text":
            assert record[column.name] == MARKUP


# -- tables in bad shape --


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_any_of_three_delimiters(tmp_path, delimiter):
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


def test_columns_that_stand_twice_are_refused(tmp_path):
    header = [*ROW, "Stage"]
    assert "'Stage', 'stage'" in refusal(tmp_path, text_of([ROW], header))


def test_two_columns_that_mean_the_same_are_refused(tmp_path):
    assert "both mean stage" in refusal(tmp_path, text_of([ROW], [*ROW, "group/stage"]))


def test_a_file_without_a_header_is_refused_and_not_repeated(tmp_path):
    content = "\r\n".join(text_of([ROW | {"child_id": "Planted"}] * 2).split("\r\n")[1:])
    message = refusal(tmp_path, content)
    assert "first row" in message
    assert "Planted" not in message


def test_a_nul_byte_in_the_header_is_no_table(tmp_path):
    assert "not a text table" in refusal(tmp_path, b"date\0,stage\r\n1,2\r\n")


def test_a_cell_of_ten_megabytes_rejects_its_row_only(tmp_path):
    intake = read_rows(
        tmp_path, {"record_number": "1"}, {"partner": "x" * 10_000_000}, {"record_number": "2"}
    )
    assert reasons(intake, 3) == {"": "the row cannot be read as a table"}
    assert (intake.rows, intake.accepted_rows) == (3, 2)


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
    assert reasons(intake, 3) == {"": "the row cannot be read as a table"}
    assert intake.accepted_rows == 2


def test_very_many_unknown_places_are_the_wrong_column(tmp_path):
    rows = [ROW | {"municipality": f"place {n}"} for n in range(1_200)]
    assert "right column" in refusal(tmp_path, text_of(rows))


@pytest.mark.parametrize("content", [b"\x89PNG\r\n\x1a\n\0\0", b"\xd0\xcf\x11\xe0\xa1\xb1", b"%PDF-1.4\n"])
def test_a_file_of_another_format_is_refused(tmp_path, content):
    assert refusal(tmp_path, content)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="cannot be read"):
        read(tmp_path / "none.csv")


def test_progress_is_told_and_may_stop_the_reading(tmp_path):
    path = write(tmp_path, text_of([ROW] * 5))
    told = []
    read(path, progress=lambda done, total: told.append((done, total)))
    assert told == [(5, 5)]

    def stop(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read(path, progress=stop)


# -- workbooks --


def workbook(tmp_path, *sheets, name="file.xlsx"):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for title, rows in sheets:
        sheet = book.create_sheet(title)
        for row in rows:
            sheet.append(row)
    path = tmp_path / name
    book.save(path)
    return path


GOOD = list(ROW.values())


def test_the_sheet_with_our_columns_is_read(tmp_path):
    path = workbook(tmp_path, ("Help", [["Read this"]]), ("Data", [list(ROW), GOOD]))
    intake = read(path)
    assert intake.accepted_rows == 1
    assert intake.notes == ("Sheet 2 of 2 was read.",)


def test_two_sheets_with_our_columns_are_refused(tmp_path):
    path = workbook(tmp_path, ("2006", [list(ROW), GOOD]), ("2007", [list(ROW), GOOD]))
    with pytest.raises(FileRefused, match="sheets 1, 2"):
        read(path)


def test_a_workbook_of_something_else_is_refused(tmp_path):
    with pytest.raises(FileRefused, match="No sheet"):
        read(workbook(tmp_path, ("Planted", [["Besa", "Ana"], [1, 2]])))


def test_a_formula_rejects_its_row(tmp_path):
    path = workbook(tmp_path, ("Data", [list(ROW), GOOD, [*GOOD[:-1], "=1+1"], ["", *GOOD[1:]]]))
    intake = read(path)
    assert reasons(intake, 3) == {"": "the row has a formula"}
    assert reasons(intake, 4) == {"date": "missing"}
    assert (intake.rows, intake.accepted_rows) == (3, 1)


def test_dates_and_codes_of_a_workbook(tmp_path):
    row = [dt.date(2007, 5, 31), 10944377, 412.0, *GOOD[3:]]
    hasher = Hasher()
    record = read(workbook(tmp_path, ("Data", [list(ROW), row])), hash_identifier=hasher).accepted.iloc[0]
    assert (record.date, record.municipality) == ("2007-05-31", "10944377")
    assert hasher.given == ["partner:arsis\x1f412"]


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
    assert "_uuid" in intake.ignored_columns


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
    assert (intake.unknown_columns, intake.ignored_columns) == (("Vërejtje",), ("Kodi",))


def test_a_mapped_column_goes_before_one_of_our_own_name(tmp_path):
    mapping = ColumnMapping({"stage": "Faza"})
    intake = read_rows(tmp_path, {"stage": "kept aside", "Faza": "recruited"}, mapping=mapping)
    assert intake.accepted.stage.tolist() == ["recruited"]
    assert intake.unknown_columns == ("stage",)


def test_missing_columns_are_named_with_the_unknown_ones(tmp_path):
    row = {k: v for k, v in ROW.items() if k != "stage"} | {"Faza": "at_risk"}
    message = refusal(tmp_path, text_of([row]))
    assert "no column for stage" in message
    assert "'Faza'" in message


@pytest.mark.parametrize("kind", KINDS)
def test_the_kind_of_a_file_is_told_by_its_columns(tmp_path, kind):
    path = write(tmp_path, text_of([{c.name: c.example for c in KINDS[kind].given}]))
    assert guess_kind(path) == kind


def test_a_file_of_no_kind(tmp_path):
    assert guess_kind(write(tmp_path, "a,b\r\n1,2\r\n")) is None


def test_files_of_the_invented_world_are_told_by_name(tmp_path):
    assert is_invented(tmp_path / "invented-arsis-encounter.csv")
    assert not is_invented(tmp_path / "arsis-encounter.csv")


def test_an_unknown_kind_is_refused(tmp_path):
    with pytest.raises(InputError, match="encounter"):
        read(write(tmp_path, text_of([ROW])), "meeting")


# -- refused whole --

HEADINGS = {
    "names": [
        "Name", "First name", "childName", "Full_Name", "nickname", "Mother's name", "Emri",
        "Emri i fëmijës", "Mbiemri", "EMËR MBIEMËR", "Atësia", "Όνομα", "ΟΝΟΜΑΤΕΠΩΝΥΜΟ", "Επώνυμο παιδιού", "Πατρώνυμο",
        "Onoma", "Nom", "Nom de l'enfant", "Prénom", "Surnom", "details/child_full_name",
    ],
    "birth dates": [
        "Date of birth", "DOB", "d.o.b.", "birthday", "BirthDate", "Datëlindja", "Data e lindjes",
        "Viti i lindjes", "Ημερομηνία γέννησης", "γεννήθηκε", "Date de naissance", "Né(e) le", "year of birth",
    ],
    "phone numbers": [
        "Phone", "Telephone", "mobile", "WhatsApp", "phonenumber", "Telefon", "Numri i telefonit", "Celular",
        "Τηλέφωνο", "Κινητό", "Τηλ.", "Téléphone", "Numéro de téléphone",
    ],
    "coordinates": [
        "Latitude", "lng", "GPS", "geopoint", "Coordinates", "Gjerësia gjeografike", "Koordinatat",
        "Συντεταγμένες", "Γεωγραφικό πλάτος", "Coordonnées",
    ],
    "addresses": ["Address", "E-mail", "Adresa", "Διεύθυνση", "Adresse", "Courriel"],
    "identity numbers": ["Passport no", "Numri personal", "ΑΜΚΑ", "Αρ. ταυτότητας", "Passeport"],
}  # fmt: skip


@pytest.mark.parametrize(("sort", "heading"), [(s, h) for s, hs in HEADINGS.items() for h in hs])
def test_a_heading_of_personal_data_refuses_the_file(tmp_path, sort, heading):
    message = refusal(tmp_path, text_of([ROW | {heading: "Planted"}]))
    assert sort in message
    assert heading in message or repr(heading) in message
    assert "Planted" not in message


@pytest.mark.parametrize("heading", ["Emri", "Telefoni", "Data e lindjes"])
def test_neither_a_mapping_nor_ignoring_lets_personal_data_in(tmp_path, heading):
    row = ROW | {heading: "x"}
    for mapping in (ColumnMapping(ignore=(heading,)), ColumnMapping({"record_number": heading})):
        names = [n for n in row if n != "record_number"]
        assert repr(heading) in refusal(tmp_path, text_of([row], names), mapping=mapping)


@pytest.mark.parametrize(
    "heading",
    [
        "Municipality name", "Emri i bashkisë", "Όνομα δήμου", "Nom de la commune", "mobile units",
        "Vendlindja", "Place of birth", "remarks", "Vërejtje", "Παρατηρήσεις", "Age", "Mosha", "Ηλικία", "Social worker",
        "latest", "telegram group", "Project name", "Emri i shkollës", "number of visits", "renamed", "Kodi", "Muaji",
    ],
)  # fmt: skip
def test_innocent_headings_are_only_unknown(tmp_path, heading):
    assert read_rows(tmp_path, {heading: "x"}).unknown_columns == (heading,)


PERSONAL = {
    "phone numbers": ["+355 69 123 4567", "069 123 4567", "0691234567", "6971234567", "00355 69 123 4567",
                      "+30 210 123 4567", "210 1234567", "call 069 123 4567 please"],
    "coordinates": ["41.3275, 19.8187", "41.3275 19.8187 0 0", "19.8187;41.3275", "POINT (19.81 41.32)",
                    "41°19'N 19°49'E", "https://goo.gl/maps/abc", "8GJ5XX22+4F"],
    "addresses": ["someone@example.org"],
    "identity numbers": ["J51101001A", "01059012342"],
    "birth dates": ["1995-05-12", "12/05/1995", "12.05.1995"],
}  # fmt: skip


@pytest.mark.parametrize(("sort", "value"), [(s, v) for s, vs in PERSONAL.items() for v in vs])
@pytest.mark.parametrize("column", ["Extra", "partner"])
def test_content_of_personal_data_refuses_the_file(tmp_path, sort, value, column):
    message = refusal(tmp_path, text_of([ROW | {column: value}]))
    assert f"{sort} ('{column}')" in message
    assert value not in message


@pytest.mark.parametrize(
    "value", ["+355 69 123 4567", "0691234567", "someone@example.org", "41.3275, 19.8187"]
)
def test_identifiers_and_numbers_are_looked_through_too(tmp_path, value):
    assert "child_id" in refusal(tmp_path, text_of([ROW | {"child_id": value}]))
    assert "record_number" in refusal(tmp_path, text_of([ROW | {"record_number": value}]))


def test_an_identity_number_as_identifier_is_hashed_and_passes(tmp_path):
    intake = read_rows(tmp_path, {"child_id": "J51101001A"})
    assert "J51101001A" not in intake.accepted.to_csv()


def test_coordinates_in_two_columns_refuse_the_file(tmp_path):
    assert "coordinates ('A', 'B')" in refusal(tmp_path, text_of([ROW | {"A": "41.32751", "B": "19.81872"}]))
    assert "coordinates" in refusal(tmp_path, text_of([ROW | {"A": "41,32751", "B": "19,81872"}]))


@pytest.mark.parametrize(
    "value",
    [
        "2007-0193",
        "AR-2007-000123",
        "2007/06/0012",
        "10944377",
        "12345678",
        "20070601124",
        "69/2007",
        "2006-06-02",
    ],
)
def test_record_numbers_that_are_only_numbers_pass(tmp_path, value):
    assert read_rows(tmp_path, {"record_number": value}).accepted_rows == 1


def test_one_number_among_many_that_could_be_a_phone_passes(tmp_path):
    numbers = [{"record_number": str(n)} for n in (6_970_000_000, 1, 2, 3)]
    assert read_rows(tmp_path, *numbers).accepted_rows == 4


def test_dates_of_the_time_of_the_records_are_no_birth_dates(tmp_path):
    assert read_rows(tmp_path, {"Follow-up": "2007-06-30"}).unknown_columns == ("Follow-up",)


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
    ],
)
def test_no_message_reject_or_exception_repeats_a_cell(tmp_path, change):
    said = ""
    row = ROW | {"child_id": "K-9999-SECRET", "programme_number": "P-7777-SECRET"} | change
    try:
        intake = read(write(tmp_path, text_of([row, row | {"stage": ""}])))
        said = f"{intake!r} {intake.rejects.to_csv()} {intake.notes} {intake.unknown_columns}"
        stored = intake.accepted.to_csv()
        assert not any(secret in stored for secret in SECRETS[1:])
    except InputError as error:
        chain = error
        while chain is not None:
            said += f" {chain}"
            chain = chain.__cause__
    assert said
    assert not any(secret in said for secret in SECRETS)


def test_a_broken_row_is_not_repeated(tmp_path):
    content = text_of([ROW]) + '2007-05-31,"Zamira"-Planted,K-9999-SECRET\r\nZamira-Planted,1\r\n'
    intake = read(write(tmp_path, content))
    assert intake.rejected_rows == 2
    assert "Zamira" not in intake.rejects.to_csv()
