"""Values that may be wrong never go in without a question or a note: each class of damage, with drawn variants."""

import datetime as dt
import random

import openpyxl
import pytest
import xlsxwriter
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from python_calamine import CalamineWorkbook

from data.reference import area_table, town_table
from data.restricted.intake import read_file
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import answer, recognise
from data.restricted.intake.values import UNSURE_WORD, check_values
from data.restricted.intake.xlsx_rows import _list_merged
from data.schema import get_kind
from geo.places import Places
from tests.helpers.messy_files import write_book, write_text
from tests.helpers.nonempty import nonempty
from tests.helpers.old_excel import write_old_workbook
from tests.helpers.partner_files import Hasher
from tests.helpers.repetitions import vary

TODAY = dt.date(2009, 6, 30)
PLACES = Places(area_table(), town_table())
AREAS = area_table()
TOWNS = AREAS[(AREAS["level"] == "municipality") & AREAS["counted"]]
HEAD = ("date", "municipality", "child_id", "stage", "pathway", "form", "axis", "found")
EACH_SEED = vary("seed", range(12), *range(4))  # four have each format and each length


def row(day="2008-03-04", place="Durrës", child="K-1", stage="at_risk"):
    return (day, place, child, stage, "internal", "begging", "protection", "reported")


def write(folder, rows, *more, book=False):
    head, lines = [*HEAD, *more], [list(cells) for cells in rows]
    return (
        write_book("damage", {"Rastet": [head, *lines]})(folder)
        if book
        else write_text("damage", [head, *lines])(folder)
    )


def look(path, mapping=None):
    """Return what the officer is asked about a file, and what an import of it does."""
    mapping, more = mapping or ColumnMapping(), {"resolve": PLACES.resolve, "partner": "INVENTED", "today": TODAY}
    seen = recognise(path, mappings={"encounter": mapping}, kind="encounter", **more)
    file = read_file(path, "encounter", mapping=mapping, hash_identifier=Hasher(), **more)
    return seen, file


def parts_of(seen):
    return [part for question in seen.questions for part in question.parts]


@EACH_SEED
def test_a_municipality_and_another_county_beside_it_are_asked_once_a_pair(tmp_path, seed):
    draw = random.Random(seed)
    # A name that several places have is asked by itself.
    known = [code for code in TOWNS.index if PLACES.resolve(TOWNS["name_local"][code]).finding == "one"]
    town = draw.choice(known)
    others = AREAS[(AREAS["level"] == "region") & (AREAS["country"] == TOWNS["country"][town])].index
    county = draw.choice([code for code in others if code != TOWNS["parent"][town]])
    heading = draw.choice(["Qarku", "County", "Περιφέρεια", "Νομός", "Rrethi"])
    parent = TOWNS["parent"][town]
    rows = [
        (*row(place=TOWNS["name_local"][town], child=f"K-{n}"), AREAS["name_en"][c])
        for n, c in enumerate([county] * 3 + [parent])
    ]
    path = write(tmp_path, rows, heading)
    seen, file = look(path)
    pair = f"{TOWNS['name_en'][town]} ({AREAS['name_en'][county]})"
    assert (parts_of(seen), seen.questions[0].rows, dict(seen.questions[0].proposal)) == ([pair], {pair: 3}, {})
    assert (file.accepted["municipality"].tolist(), file.rejected_rows) == ([town], 3)
    seen, file = look(path, answer(seen.questions[0], {pair: town}))
    assert (seen.questions, file.accepted["municipality"].tolist()) == ((), [town] * 4)


@pytest.mark.parametrize(
    ("place", "country", "fits"),
    [
        *[
            (place, "GR", False)
            for place in ("Αυλώνα", "Αυλώνας", "Χιμάρα", "Άγιοι Σαράντα", "Δίβρη", "Δέλβινο", "Φίερι")
        ],
        *[
            (place, "AL", True)
            for place in ("Αυλώνα", "Αυλώνας", "Χιμάρα", "Άγιοι Σαράντα", "Δίβρη", "Κορυτσά", "Φίερι")
        ],
        *[(place, "AL", False) for place in ("Selanik", "Janina", "Konica", "Kosturi", "Preveza", "Filat", "Arta")],
    ],
)
def test_a_name_in_another_language_never_beats_the_country_of_the_other_places(tmp_path, place, country, fits):
    beside = {"GR": ("Αθήνα", "Ωρωπός"), "AL": ("Τίρανα", "Δυρράχιο")}[country]
    if country == "AL" and not fits:
        beside = ("Tiranë", "Durrës")
    seen, file = look(write(tmp_path, [row(place=name, child=f"K-{n}") for n, name in enumerate([*beside, place])]))
    is_local = PLACES.resolve(place).finding == "one"  # as Preveza, the name of the place in Latin letters
    assert parts_of(seen) == ([] if fits or is_local else [place])
    assert file.accepted_rows == (3 if fits or is_local else 2)


ASKED, IDENTIFIED = "asked", "identified"
SAME_WORDS = (  # column, what they mean, and the words in English, Albanian and Greek
    ("stage", ASKED, "victim", "viktimë", "θύμα"),
    ("stage", ASKED, "Victim", "Viktimë", "Θύμα"),
    ("stage", ASKED, "victims", "viktima", "θύματα"),
    ("stage", ASKED, "victim of trafficking", "viktimë e trafikimit", "θύμα εμπορίας"),
    ("stage", ASKED, "VICTIM OF TRAFFICKING", "viktimë trafikimi", "θύμα εμπορίας ανθρώπων"),
    ("stage", ASKED, "identified", "i identifikuar", "ταυτοποιημένο"),
    ("stage", ASKED, "Identified", "e identifikuar", "αναγνωρισμένο"),
    ("stage", ASKED, "identified victim", "viktimë e identifikuar", "αναγνωρισμένο θύμα"),
    ("stage", IDENTIFIED, "formally identified", "identifikuar formalisht", "επίσημα αναγνωρισμένο"),
    (
        "stage",
        IDENTIFIED,
        "formally identified victim",
        "viktimë e identifikuar formalisht",
        "επίσημα αναγνωρισμένο θύμα",
    ),
    ("stage", IDENTIFIED, "official victim", "viktimë zyrtare", "επίσημο θύμα"),
    ("stage", "at_risk", "at risk", "në rrezik", "σε κίνδυνο"),
    ("stage", "in_exploitation", "exploitation", "shfrytëzim", "εκμετάλλευση"),
    ("stage", "returning", "return", "kthim", "επιστροφή"),
    ("stage", "reintegrating", "reintegration", "riintegrim", "επανένταξη"),
    ("pathway", ASKED, "cross-border", "ndërkufitar", "διασυνοριακή"),
    ("pathway", ASKED, "international", "ndërkombëtar", "διεθνής"),
    ("pathway", ASKED, "abroad", "jashtë vendit", "στο εξωτερικό"),
    ("pathway", "internal", "within the country", "brenda vendit", "εντός χώρας"),
    ("victim_status", "victim", "victim of trafficking", "viktimë e trafikimit", "θύμα εμπορίας"),
    ("victim_status", "potential_victim", "potential victim", "viktimë e mundshme", "πιθανό θύμα"),
)


@pytest.mark.parametrize(("column", "meaning", "english", "albanian", "greek"), SAME_WORDS)
def test_the_three_languages_ask_the_same(column, meaning, english, albanian, greek):
    for word in (english, albanian, greek):
        checked = check_values(get_kind("encounter").column(column), [word, "other words"], today=TODAY)
        reason = checked.faults.get(0, ("",))[0]
        assert (ASKED if reason == UNSURE_WORD else checked.values[0]) == meaning, word


def test_in_a_column_of_our_codes_identified_is_our_code():
    checked = check_values(get_kind("encounter").column("stage"), ["identified", "at_risk", ""], today=TODAY)
    assert checked.values[:2] == ["identified", "at_risk"]


@EACH_SEED
@pytest.mark.parametrize("later", [0, 1])
def test_excel_days_with_day_and_month_exchanged_are_asked(tmp_path, seed, later):
    draw = random.Random(seed)
    year, month = draw.choice([2006, 2007, 2008]), draw.randint(1, 12)
    span = draw.choice([28, 360])  # days of one month, or of a year
    start = dt.date(year, month if span == 28 else 1, 1)
    days = sorted(draw.sample([start + dt.timedelta(days=n) for n in range(span)], 24))
    typed = [day for day in days if day.day > 12][:later]
    cells = [
        day if day in typed else day.replace(month=day.day, day=day.month) if day.day <= 12 else f"{day:%d/%m/%Y}"
        for day in days
    ]
    path = write(tmp_path, [row(cell, child=f"K-{n}") for n, cell in enumerate(cells)], book=True)
    seen, file = look(path)
    (question,) = seen.questions
    (part,) = question.parts
    exact = sorted(f"{day}" for day in days)
    wrong = set(file.accepted["date"]) - set(exact)
    assert not wrong
    _, file = look(path, answer(question, {part: "exchanged"}))
    assert sorted(file.accepted["date"]) == exact
    _, file = look(path, answer(question, {part: "as written"}))
    assert file.accepted_rows == 24


@EACH_SEED
def test_a_file_with_the_month_first_after_an_answer_that_the_day_is_first(tmp_path, seed):
    draw = random.Random(seed)
    year, month = draw.choice([2007, 2008]), draw.randint(1, 12)
    last = 12 if seed % 2 else 28
    days = sorted(draw.sample([dt.date(year, month, day) for day in range(1, last + 1)], 8))
    path = write(tmp_path, [row(f"{day:%m/%d/%Y}", child=f"K-{n}") for n, day in enumerate(days)])
    mapping = ColumnMapping(slashes="day first")
    seen, file = look(path, mapping)
    assert set(file.accepted["date"]) <= {f"{day}" for day in days}
    (question,) = seen.questions
    (part,) = question.parts
    reply = answer(question, {part: "month first" if question.topic == "days" else "exchanged"})
    _, file = look(path, mapping.extend(reply))
    assert sorted(file.accepted["date"]) == [f"{day}" for day in days]


@EACH_SEED
def test_likely_days_ask_nothing(tmp_path, seed):
    draw = random.Random(seed)
    span = draw.choice([28, 90, 360])
    days = [dt.date(2008, 1, 1) + dt.timedelta(days=draw.randrange(span)) for _ in range(30)]
    path = write(tmp_path, [row(day, child=f"K-{n}") for n, day in enumerate(days)], book=seed % 2 == 0)
    seen, file = look(path)
    assert (seen.questions, file.accepted_rows) == ((), 30)


def test_a_lonely_day_is_noted(tmp_path):
    days = [dt.date(2008, 3, n) for n in range(1, 21)]
    path = write(tmp_path, [row(day, child=f"K-{n}") for n, day in enumerate([*days, dt.date(2003, 3, 4)])])
    _, file = look(path)
    assert any("more than a year" in note and "line 22" in note for note in file.notes)


@EACH_SEED
def test_the_date_system_of_the_workbook_counts_for_day_numbers(tmp_path, seed):
    draw = random.Random(seed)
    first = draw.choice([dt.date(1904, 1, 1), dt.date(1899, 12, 30)])
    days = [dt.date(2007, 1, 1) + dt.timedelta(days=draw.randrange(600)) for _ in range(4)]
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904 if first.year == 1904 else book.epoch
    book.active.append(HEAD)
    for n, day in enumerate(days):
        number = (day - first).days
        book.active.append(row(draw.choice([number, str(number), day]), child=f"K-{n}"))
    path = tmp_path / "days.xlsx"
    book.save(path)
    _, file = look(path)
    assert file.accepted["date"].tolist() == [f"{day}" for day in days]


@pytest.mark.parametrize("since_1904", [True, False])
def test_the_date_system_of_an_old_workbook_counts(tmp_path, since_1904):
    cells = row((dt.date(2008, 3, 4) - dt.date(1904, 1, 1)).days if since_1904 else 39511)
    path = write_old_workbook(tmp_path / "old.xls", [[*HEAD], [*cells]], since_1904=since_1904)
    assert look(path)[1].accepted["date"].tolist() == ["2008-03-04"]


@pytest.mark.parametrize(
    ("place", "code"),
    [
        *(("Itali", "IT"), ("Italia", "IT"), ("ITALI", "IT"), ("Ιταλία", "IT"), ("Italy", "IT"), ("Italia ", "IT")),
        *(("Kosovë", "XK"), ("Kosova", "XK"), ("Kosovo", "XK"), ("Κόσοβο", "XK"), ("Mali i Zi", "ME"), ("SHBA", "US")),
        *(
            ("Gjermani", "DE"),
            ("Γερμανία", "DE"),
            ("Greqi", "GR"),
            ("Greece", "GR"),
            ("Ελλάδα", "GR"),
            ("Tiranë", "10944420"),
        ),
    ],
)
@pytest.mark.parametrize("column", ["origin", "destination"])
def test_a_country_as_origin_or_destination_is_kept_as_abroad(tmp_path, place, code, column):
    rows = [(*row(child="K-1"), place), (*row(child="K-2"), "")]
    rows = [(*cells[:4], "other_cross_border", *cells[5:]) for cells in rows]
    seen, file = look(write(tmp_path, rows, column))
    assert (seen.questions, file.accepted[column].tolist()) == ((), [code, ""])
    assert any("a country stands" in note for note in file.notes) == (len(code) == 2)


def test_a_country_abroad_is_in_another_country_than_internal_trafficking(tmp_path):
    _, file = look(write(tmp_path, [(*row(), "Durrës", "Itali")], "origin", "destination"))
    assert file.rejects.column.tolist() == ["pathway"]


@EACH_SEED
def test_a_formula_or_error_rejects_a_row_only_in_a_column_that_is_read(tmp_path, seed):
    draw = random.Random(seed)
    bad = draw.choice(["=1+1", "=SUM(A1:A2)", "=#REF!", "#N/A", "#REF!"])
    place = draw.randrange(len(HEAD) + 1)  # the last column is not read
    cells = [*row(), "x"]
    cells[place] = bad
    path = write(
        tmp_path, [cells, [*row(child="K-2"), "x"], *[[""] * len(HEAD) + ["=1+1"]] * 3], "Shuma jonë", book=True
    )
    _, file = look(path)
    is_read = place < len(HEAD)
    assert (file.accepted_rows, file.rejected_rows) == ((1, 1) if is_read else (2, 0))
    assert file.rejects.column.tolist() == ([HEAD[place]] if is_read else [])


@EACH_SEED
def test_vertically_merged_cells_hold_for_each_of_their_rows(tmp_path, seed):
    draw = random.Random(seed)
    rows, merged, filled = [list(row(f"2008-03-{n + 1:02}", child=f"K-{n}")) for n in range(8)], [], 0
    expected = [list(cells) for cells in rows]
    for column in draw.sample(range(len(HEAD)), 3):
        first = draw.randrange(6)
        last = draw.randint(first + 1, 7)
        for n in range(first + 1, last + 1):
            expected[n][column], rows[n][column] = rows[first][column], None
        filled += last - first
        merged.append(f"{chr(65 + column)}{first + 2}:{chr(65 + column)}{last + 2}")
    path = write_book("merged", {"Rastet": [HEAD, *rows]}, {"Rastet": merged})(tmp_path)
    _, file = look(path)
    assert file.rejected_rows == 0
    assert file.accepted["date"].tolist() == [cells[0] for cells in expected]
    assert any(f"{filled} cells were filled" in note for note in file.notes)


@pytest.mark.parametrize("column", ["stage", "pathway", "form", "axis", "found"])
@pytest.mark.parametrize("word", ["qq aa", "zz ww", "Xx yy zz"])
def test_a_word_that_no_question_shows_is_counted_and_can_be_answered(tmp_path, column, word):
    cells = dict(zip(HEAD, row(), strict=True)) | {column: word}
    path = write(tmp_path, [tuple(cells.values()), row(child="K-2")])
    seen, file = look(path)
    assert (seen.questions, seen.unanswered, file.rejected_rows) == ((), True, 1)
    assert any(f"In {column}," in note and word not in note for note in seen.notes)
    code = next(iter(get_kind("encounter").column(column).allowed))
    seen, file = look(path, ColumnMapping(value_names={column: {word: code}}))
    assert (seen.unanswered, file.accepted_rows) == (False, 2)


@EACH_SEED
def test_merged_cells_are_those_that_another_library_finds_in_a_file_of_a_third(tmp_path, seed):
    """XlsxWriter writes the file, calamine says which cells are merged; openpyxl reads the rows."""
    draw, path = random.Random(seed), tmp_path / "merged.xlsx"
    with xlsxwriter.Workbook(path) as book:
        for title in ("Rastet & <një>", "Tjetër"):
            sheet = book.add_worksheet(title)
            sheet.write_row(0, 0, HEAD)
            for column in draw.sample(range(30), 6):
                first = draw.randrange(1, 900)
                sheet.merge_range(first, column, first + draw.randint(1, 9), column, "x")
    book = CalamineWorkbook.from_path(path)
    for title in nonempty(book.sheet_names):
        ranges = book.get_sheet_by_name(title).merged_cell_ranges
        expected = sorted(tuple((row + 1, column + 1) for row, column in corners) for corners in ranges)
        assert sorted(_list_merged(path, title)) == expected
        assert len(expected) == 6
