"""Cells that a person reads at once: empty ones of systems, footnotes, days with weekdays or times, bounds of ages."""

# ruff: noqa: E501 - rows of tables stay on one line

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import recognise
from tests.helpers.partner_files import ROW, TODAY, Resolver, read, read_rows, reasons, refusal, text_of, write

EMPTY = ["NULL", "null", "\\N", "NaN", "None", "-", "—", "?", "(null)", "#N/A", "#N/D", "#NV", "#Δ/Υ"]
OPTIONAL = ["sex", "age_band", "community", "origin", "destination", "victim_status", "help", "country"]
DAYS = st.dates(dt.date(2007, 1, 1), dt.date(2008, 12, 30))
WEEKDAYS = {
    "sq": ["e hënë", "e martë", "e mërkurë", "e enjte", "e premte", "e shtunë", "e diel"],
    "el": ["Δευτέρα", "Τρίτη", "Τετάρτη", "Πέμπτη", "Παρασκευή", "Σάββατο", "Κυριακή"],
    "en": ["Mon", "Tue", "Wed", "Thursday", "Friday", "Sat", "Sunday"],
}
MONTHS = {
    "sq": ["janar", "shkurt", "mars", "prill", "maj", "qershor", "korrik", "gusht", "shtator", "tetor", "nëntor", "dhjetor"],
    "el": ["Ιανουαρίου", "Φεβρουαρίου", "Μαρτίου", "Απριλίου", "Μαΐου", "Ιουνίου", "Ιουλίου", "Αυγούστου", "Σεπτεμβρίου", "Οκτωβρίου", "Νοεμβρίου", "Δεκεμβρίου"],
    "en": ["January", "Feb", "March", "Apr", "May", "June", "Jul", "August", "Sept", "Oct", "November", "Dec"],
}  # fmt: skip


@pytest.mark.parametrize("text", EMPTY)
@pytest.mark.parametrize("column", OPTIONAL)
def test_an_empty_cell_of_a_system_is_empty(tmp_path, column, text):
    intake = read_rows(tmp_path, {column: text})
    expected = read_rows(tmp_path, {column: ""})
    assert (intake.rejected_rows, intake.accepted.equals(expected.accepted)) == (0, True)


@pytest.mark.parametrize("text", EMPTY)
@pytest.mark.parametrize("column", ["staff", "valid_from", "valid_to", "capacity"])
def test_an_empty_number_or_day_of_a_system_is_empty(tmp_path, column, text):
    row = {
        "municipality": "Tiranë",
        "operator": "A",
        "duty_bearer": "ngo",
        "axis": "protection",
        "valid_from": "2007-01-01",
    }
    intake = read(write(tmp_path, text_of([row | {column: text}])), "service")
    if column == "valid_from":
        assert list(reasons(intake)) == [column]
    else:
        assert intake.rejected_rows == 0


@pytest.mark.parametrize("text", EMPTY)
def test_a_code_that_is_not_there_joins_no_rows(tmp_path, text):
    rows = [{"record_number": text, "programme_number": text, "child_id": f"K-{n}"} for n in range(3)]
    intake = read_rows(tmp_path, *rows)
    if text.startswith("#"):
        return
    assert (intake.accepted_rows, intake.accepted.child.nunique()) == (3, 3)


@pytest.mark.parametrize("text", ["#REF!", "#DIV/0!", "#VALUE!"])
def test_another_error_still_rejects_its_row(tmp_path, text):
    assert list(reasons(read_rows(tmp_path, {"sex": text}))) == ["sex"]


def test_a_word_of_the_mapping_keeps_its_meaning(tmp_path):
    mapping = ColumnMapping(value_names={"sex": {"NULL": "male", "-": "female"}})
    intake = read_rows(tmp_path, {"sex": "NULL"}, {"sex": "-", "child_id": "K-2"}, mapping=mapping)
    assert intake.accepted.sex.tolist() == ["male", "female"]


def test_an_empty_word_in_one_of_two_columns_hides_nothing(tmp_path):
    rows = [{k: v for k, v in ROW.items() if k != "age_band"} | {"Mosha": "NULL", "Viti i lindjes": "1998"}]
    assert read(write(tmp_path, text_of(rows))).accepted.age_band.tolist() == ["6-9"]


@given(day=DAYS)
@settings(max_examples=15, deadline=None)
def test_eight_digits_are_a_day(tmp_path_factory, day):
    assert read_rows(tmp_path_factory.mktemp("a"), {"date": f"{day:%Y%m%d}"}).accepted.date.tolist() == [str(day)]


def test_days_of_birth_in_eight_digits_refuse_the_file(tmp_path):
    rows = [ROW | {"aside": f"199603{n:02}", "child_id": f"K-{n}"} for n in range(1, 9)]
    assert "dates of birth" in refusal(tmp_path, text_of(rows))


@given(
    days=st.lists(DAYS, min_size=2, max_size=6, unique=True),
    time=st.sampled_from(
        [" 00:00:00", " 12:00:00 AM", ", 0:00", " 09:15", " 12:00:00 πμ", " 00:00:00.000", " 0:00:00 PD"]
    ),
)
@settings(max_examples=25, deadline=None)
def test_a_time_behind_a_day_changes_nothing(tmp_path_factory, days, time):
    folder = tmp_path_factory.mktemp("a")
    plain, timed = ([{"date": f"{day:%d/%m/%Y}{end}", "child_id": f"K-{day}"} for day in days] for end in ("", time))
    bare, late = read_rows(folder, *plain), read_rows(folder, *timed)
    assert bare.accepted.equals(late.accepted)
    assert (bare.rejected_rows, bare.slashes) == (late.rejected_rows, late.slashes)


@given(day=DAYS, language=st.sampled_from(["sq", "el", "en"]), shift=st.integers(0, 6), data=st.data())
@settings(max_examples=60, deadline=None)
def test_a_weekday_beside_a_day_is_left_out_and_compared(tmp_path_factory, day, language, shift, data):
    weekday = WEEKDAYS[language][(day.weekday() + shift) % 7]
    written = data.draw(
        st.sampled_from(
            [
                f"{day:%d.%m.%Y}",
                f"{day.day} {MONTHS[language][day.month - 1]} {day.year}",
                f"{day.day} {MONTHS[language][day.month - 1]} '{day:%y}",
                f"{day}",
            ]
        )
    )
    form = data.draw(st.sampled_from(["{} {}", "{}, {}", "{1} {0}", "{1} ({0})", "{1}, {0}"]))
    case = data.draw(st.sampled_from([str, str.upper, str.capitalize]))
    intake = read_rows(tmp_path_factory.mktemp("a"), {"date": form.format(case(weekday), written)})
    assert intake.accepted.date.tolist() == [str(day)]
    assert any("a weekday that is not that of their day" in note for note in intake.notes) == bool(shift)


NUMERALS = ["I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"]


@settings(max_examples=40, deadline=None)
@given(
    DAYS,
    st.sampled_from(["{}.{}.{}", "{}/{}/{}", "{} {} {}", "{}-{}-{}", "{}. {}. {}"]),
    st.sampled_from([str, str.lower]),
)
def test_a_month_in_roman_numerals_is_read(tmp_path_factory, day, form, case):
    text = form.format(day.day, case(NUMERALS[day.month - 1]), day.year)
    assert read_rows(tmp_path_factory.mktemp("a"), {"date": text}).accepted.date.tolist() == [str(day)]


@pytest.mark.parametrize("code", ["88", "97", "98", "99", "888", "998", "999", "-1", "-9", "-99", "99,00", "98.0"])
def test_a_code_for_an_age_that_is_not_known_is_asked(tmp_path, code):
    rows = [{"age_band": "9"}, {"age_band": code}]
    assert reasons(read_rows(tmp_path, *rows), 3) == {"age_band": "18 or older, or a code for an age that is not known"}
    path = write(
        tmp_path, text_of([ROW, *(ROW | {"child_id": child, "age_band": code} for child in ("B-7", "B-8", "B-9"))])
    )
    asked = [part for question in recognise(path, resolve=Resolver(), today=TODAY).questions for part in question.parts]
    assert code in asked
    answered = ColumnMapping(value_names={"age_band": {code: "unknown"}})
    assert sorted(read(path, mapping=answered).accepted.age_band) == ["10-13", *["unknown"] * 3]


DITTO = [
    '"',
    "”",
    "〃",
    "»",
    "''",
    "-//-",
    '-"-',
    "- // -",
    "//",
    "ομοίως",
    "Ομοίως",
    "ομ.",
    "po ashtu",
    "ditto",
    "idem",
    "si më lart",
]


@pytest.mark.parametrize("mark", DITTO)
@pytest.mark.parametrize("column", ["child_id", "municipality", "sex", "age_band", "date", "form"])
def test_a_ditto_mark_is_the_cell_above(tmp_path, column, mark):
    rows = [ROW, ROW | {column: mark}, ROW | {column: mark}]
    intake, plain = read(write(tmp_path, text_of(rows))), read(write(tmp_path, text_of([ROW] * 3)))
    assert intake.accepted.equals(plain.accepted)
    assert [note for note in intake.notes if "ditto marks" in note and "2 cells" in note]


@pytest.mark.parametrize("mark", DITTO)
def test_a_ditto_mark_in_the_first_row_or_below_an_unreadable_row_is_rejected(tmp_path, mark):
    rows = [ROW | {"child_id": "A-1", "sex": mark}, ROW | {"child_id": "A-2"}, ROW | {"child_id": "A-3", "sex": mark}]
    lines = text_of(rows).splitlines()
    lines.insert(3, "a,b,c,d,e,f,g,h,i,j,k,l,m,n,o,p,q,r,s,t,u,v,w,x,y,z,a,b,c,d,e,f")
    intake = read(write(tmp_path, "\n".join(lines) + "\n"))
    assert (intake.accepted_rows, intake.rejected_rows) == (1, 3)


@pytest.mark.parametrize("text", ["mars '08", "Μάρτιος ’08", "March '08"])
def test_a_month_alone_lacks_its_day(tmp_path, text):
    assert reasons(read_rows(tmp_path, {"date": text})) == {"date": "the day is missing"}


@pytest.mark.parametrize("mark", ["*", "**", " *", "²", "¹", "†", " ³", "⁽¹⁾"])
@pytest.mark.parametrize(
    ("column", "text"),
    [("age_band", "11"), ("age_band", "8 vjeç"), ("date", "4.3.2008"), ("municipality", "Tiranë"), ("sex", "vajzë")],
)
def test_a_footnote_mark_is_left_out_and_said(tmp_path, column, text, mark):
    intake, plain = (read_rows(tmp_path, {column: cell}) for cell in (text + mark, text))
    assert intake.accepted.equals(plain.accepted)
    assert [f"In {column}, footnote marks" in note for note in intake.notes] == [True]


def test_a_sign_at_the_end_of_a_code_belongs_to_it(tmp_path):
    codes = [{"child_id": code} for code in ("K-1*", "K-1")]
    assert read_rows(tmp_path, *codes).accepted.child.nunique() == 2


@pytest.mark.parametrize("heading", ["Mosha²", "Mosha*", "Mosha ¹", "Ηλικία³", "Age†", "age_band²", "Mosha (vite)*"])
def test_a_footnote_mark_in_a_heading_is_left_out(tmp_path, heading):
    rows = [{heading if k == "age_band" else k: v for k, v in ROW.items()}]
    assert read(write(tmp_path, text_of(rows))).accepted.age_band.tolist() == ["10-13"]


@pytest.mark.parametrize(
    "heading", ["Emri²", "Name²", "Emri*", "Ονοματεπώνυμο²", "Telefoni³", "Datëlindja²", "First name ¹"]
)
def test_a_footnote_mark_hides_no_personal_heading(tmp_path, heading):
    assert "seems to contain" in refusal(tmp_path, text_of([ROW | {heading: ""}]))


@pytest.mark.parametrize(
    ("age", "band"),
    [
        *((age, "14-17") for age in ("mbi 14", "Mbi 15 vjeç", "άνω των 14", "πάνω από 15 ετών", "over 14", ">14", "14+", "më shumë se 16")),
        *((age, "0-5") for age in ("nën 5", "κάτω των 5", "under 4", "< 3", "2 vjeç e 6 muaj", "2 ετών και 6 μηνών", "2 years 6 months", "5 vjeç 11 muaj")),
        *((age, "6-9") for age in ("9 vjeç e 11 muaj", "8 years, 2 months", "7 ετών 1 μηνός")),
        *((age, "6-9") for age in ("8 vjeç e gjysmë", "8 e gjysmë", "9½", "8 1/2 vjeç", "7 ετών και μισό", "6 years and half")),
        *((age, "6-9") for age in ("mosha 9", "Mosha: 7", "ηλικία 8", "age 6", "vj. 9", "9 v.")),
    ],
)  # fmt: skip
def test_a_bound_or_an_age_with_months_is_read_where_one_band_holds_it(tmp_path, age, band):
    assert read_rows(tmp_path, {"age_band": age}).accepted.age_band.tolist() == [band]


@pytest.mark.parametrize(
    "age", ["mbi 13", "mbi 9", "nën 6", "nën 12", "άνω των 10", "mbi 17", "17+", "mbi 18", "9 vjeç e 14 muaj"]
)
def test_a_bound_that_two_bands_may_hold_is_rejected(tmp_path, age):
    assert list(reasons(read_rows(tmp_path, {"age_band": age}))) == ["age_band"]
