"""Names, phone numbers and days of birth in a partner's file leave nothing behind: searched as bytes after the import.

Each file goes through the command line and through what the desk's page calls: whole columns of such data, and single
cells of our columns. Questions are answered, rows are rejected, and then every file of the workspace, of the home and
temporary folder, what was printed and logged, and the opened vault are searched.
"""

import csv
import datetime as dt
import io
import json
import logging
import tempfile
import unicodedata
import zipfile
from pathlib import Path

import openpyxl
import pytest

from dashboard.desk.hand import Hand
from dashboard.desk.state import Desk
from data.errors import TactError
from data.restricted.vault import load_keys, open_vault
from data.workspace import Workspace
from tests.helpers.desk import Clocks
from tests.helpers.old_excel import write_old_workbook
from tests.helpers.partner_files import ROW, text_of
from tests.helpers.repetitions import vary

pytestmark = pytest.mark.slow(seconds=20)

# Name, phone number and day of birth of a child, and a worker's name; invented, and spelt as nothing else here is.
PEOPLE = {
    "sq": ("Xhevahire Mullaymeri", "069 284 7715", "17.08.1999", "Zhuljeta Qepuroja"),
    "el": ("Ζαχαρένια Κουτσογεωργίου", "694 772 8815", "23/09/1998", "Πολυξένη Τζιραλίδου"),
    "en": ("Zebedee Quillfeather", "+355 68 442 9917", "2001-11-19", "Ottilie Wrenchford"),
}
HEADINGS = {
    "sq": ("Emri i fëmijës", "Telefoni", "Datëlindja", "Punonjësi"),
    "el": ("Όνομα παιδιού", "Τηλέφωνο", "Ημερομηνία γέννησης", "Λειτουργός"),
    "en": ("Child name", "Phone", "Date of birth", "Worker"),
}
CELLS = ("child_id", "household_number", "record_number", "municipality", "form", "age_band", "sex", "origin", "q7")
ENDINGS = (".csv", ".xlsx", ".xls")
PARTNER, WORD = "Shtepia e Re", "punë tjetër sezonale"


def list_files(language):
    """Yield (name, rows, may hold the worker's column): a file for each column and each cell that has such data."""
    child, headings = PEOPLE[language][:3], HEADINGS[language]
    for heading, value in zip(headings[:3], child, strict=True):
        yield f"column-{headings.index(heading)}", [row | {heading: value} for row in make_rows(language)]
    for column in CELLS:
        for number, value in enumerate(child):
            rows = make_rows(language)
            rows[3] = rows[3] | {column: value}
            yield f"{column}-{number}", rows


def make_rows(language):
    """Return six rows: a word in three is asked, a day is wrong, with the name of the worker beside."""
    rows = [ROW | {"child_id": f"K-{n}", "record_number": f"R-{n}", "household_number": "", "q7": ""} for n in range(6)]
    worker = {HEADINGS[language][3]: PEOPLE[language][3], "municipality": "10944420", "partner": ""}
    rows = [row | worker for row in rows]
    for number in (0, 1, 4):
        rows[number]["form"] = WORD
    rows[2]["date"] = "2031-01-01"
    return rows


def write(folder, name, rows, ending):
    header = list(rows[0])
    path = folder / f"{name}{ending}"
    if ending == ".xlsx":
        book = openpyxl.Workbook()
        for line in ([header], ([as_day(row[key]) for key in header] for row in rows)):
            for cells in line:
                book.active.append(cells)
        book.save(path)
    elif ending == ".xls":
        write_old_workbook(path, [header, *([row[key] or None for key in header] for row in rows)])
    elif ending == ".ods":
        with zipfile.ZipFile(path, "w") as file:  # stored: the values stand in it as bytes
            file.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
            file.writestr("content.xml", text_of(rows))
    else:
        path.write_text(text_of(rows), encoding="utf-8")
    return path


def as_day(text):
    """Return a day as Excel has it; other texts as they are."""
    for form in ("%d.%m.%Y", "%d/%m/%Y", "%Y-%m-%d"):
        try:
            return dt.datetime.strptime(text, form)  # noqa: DTZ007
        except ValueError:
            continue
    return text


def list_traces(language):
    """Return what must not be found, by what it is, as texts in several spellings."""
    name, phone, born, worker = PEOPLE[language]
    day = as_day(born)
    days = [born, *(day.strftime(form) for form in ("%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%Y%m%d", "%m/%d/%Y"))]
    days.append(str((day - dt.datetime(1899, 12, 30)).days))  # noqa: DTZ001 - as Excel counts
    words = [*name.split(), *worker.split()]
    plain = ["".join(c for c in unicodedata.normalize("NFKD", word) if not unicodedata.combining(c)) for word in words]
    texts = [*words, *plain, phone, phone.replace(" ", ""), phone.replace(" ", "").removeprefix("+355"), *days]
    return {form(text) for text in texts for form in (str, str.lower, str.upper, str.casefold)}


def search(traces, content):
    """Return the traces that bytes have, as UTF-8, UTF-16, or escaped as in JSON."""
    codes = {text: (text.encode(), text.encode("utf-16-le"), json.dumps(text)[1:-1].encode()) for text in traces}
    return {text for text, forms in codes.items() if any(form in content for form in forms)}


def dump(workspace):
    """Return the opened vault as SQL, with texts in BLOBs readable."""
    with open_vault(workspace) as vault:
        connection = vault._connection
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = [row for name in tables for row in connection.execute(f'SELECT * FROM "{name}"')]
    return b"\n".join(cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row)


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return the folders that the program may write to; everything else stays outside."""
    places = {name: tmp_path / name for name in ("home", "temporary", "data", "w", "files")}
    for folder in places.values():
        folder.mkdir()
    monkeypatch.setenv("HOME", str(places["home"]))
    monkeypatch.setenv("TMPDIR", str(places["temporary"]))
    monkeypatch.setattr(tempfile, "tempdir", str(places["temporary"]))
    return places


def import_by_command(tact, workspace, path):
    """Import a file as a careful officer does, and return what was printed."""
    printed = []
    changed = ("--answer", "changes=right", "--answer", "numbers=correct", "--answer", "period=adds")
    for words in (
        ("mapping", "draft", path, "--partner", PARTNER, "--set", f"form.{WORD}=other"),
        ("import", path, "--partner", PARTNER, *changed),
    ):
        answer = tact("--workspace", workspace.path, *words)
        printed += [answer.out, answer.err]
    return "\n".join(printed)


def import_at_desk(hand, path):
    """Import a file as the page Files does, and return what it could show but for the first rows."""
    entry = hand.take(path.name, path.read_bytes(), PARTNER)
    hand.look(entry)
    for question in entry.recognition.questions if entry.recognition else ():
        replies = {part: next(iter(codes), "10944420") for part, codes in question.parts.items()}
        hand.reply(entry, [(question, replies)])
    entry.answers = {"numbers": "correct", "period": "adds", "changes": "right", "families": "right"}
    hand.look(entry)
    try:
        hand.store(entry)
    except TactError as error:
        return str(error)
    return f"{entry.refusal} {entry.result} {entry.trial}"


def check_nothing(traces, folders, workspace, printed):
    written = {path: path.read_bytes() for name in folders if name != "files" for path in list_written(folders[name])}
    by_place = {str(path): search(traces, content) for path, content in written.items()}
    by_place |= {"printed": search(traces, printed.encode()), "vault": search(traces, dump(workspace))}
    assert not {place: texts for place, texts in by_place.items() if texts}
    return {path.parent.name if path.suffix == ".toml" else path.suffix for path in written}


def list_written(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


CASES = [(language, ending) for language in PEOPLE for ending in ENDINGS]


@vary("language,ending", CASES, ("sq", ".csv"))
def test_no_byte_of_a_person_is_left_by_the_command_line(tact, folders, language, ending, caplog):
    caplog.set_level(logging.INFO)
    assert tact("--workspace", folders["w"] / "p", "init", "--practice").code == 0
    workspace = Workspace.open(folders["w"] / "p")
    printed = [
        import_by_command(tact, workspace, write(folders["files"], name, rows, ending))
        for name, rows in list_files(language)
    ]
    accepted = sum(" accepted, " in text for text in printed)
    written = check_nothing(list_traces(language), folders, workspace, "\n".join([*printed, caplog.text]))
    assert written >= {".csv", "mappings"}, "there must be lists of rejected rows and a mapping to search"
    assert accepted >= 5


def test_no_byte_of_a_person_is_left_by_a_file_that_is_no_table(tact, folders):
    assert tact("--workspace", folders["w"] / "p", "init", "--practice").code == 0
    workspace = Workspace.open(folders["w"] / "p")
    path = write(folders["files"], "a", dict(list_files("el"))["column-0"], ".ods")
    assert search(list_traces("el"), path.read_bytes())
    printed = import_by_command(tact, workspace, path)
    assert "OpenDocument" in printed
    check_nothing(list_traces("el"), folders, workspace, printed)


@vary("language,ending", CASES, ("el", ".xlsx"))
def test_no_byte_of_a_person_is_left_by_the_desk(tact, folders, language, ending, caplog):
    caplog.set_level(logging.INFO)
    assert tact("--workspace", folders["w"] / "p", "init", "--practice").code == 0
    workspace = Workspace.open(folders["w"] / "p")
    desk = Desk(workspace, Clocks())
    desk.unlock(load_keys(workspace))
    hand = Hand(desk)
    printed = [import_at_desk(hand, write(folders["files"], name, rows, ending)) for name, rows in list_files(language)]
    written = check_nothing(list_traces(language), folders, workspace, "\n".join([*printed, caplog.text]))
    assert written >= {".csv", "mappings"}


def test_what_is_searched_for_is_found_where_it_is():
    traces = list_traces("el")
    name = PEOPLE["el"][0].split()[0]
    for content in (name.encode(), name.upper().encode("utf-16-le"), json.dumps({"a": name}).encode(), b"x 6947728815"):
        assert search(traces, content)
    table = io.StringIO()
    csv.writer(table).writerow(["K-1", "1998-09-23"])
    assert search(traces, table.getvalue().encode())
    assert not search(traces, b"K-1,2007-05-31,10944420")
