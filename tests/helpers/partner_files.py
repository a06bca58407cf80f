"""Make partner files for tests, and replacements for the objects that intake receives."""

import csv
import datetime as dt
import hashlib
import io

import openpyxl
import pytest

from data.errors import FileRefused
from data.reference import area_table
from data.restricted.intake import read_file

TODAY = dt.date(2009, 6, 30)
AREAS = area_table()
KNOWN = {"tiranë": "10944377", "tirana": "10944377", "athens": "9186", "fier": "AL-04"}

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
        self.named = frozenset({code} - {None})
        self.respelled = False
        self.reason = "" if code else "a reason that repeats the text"
        self.finding = "one" if code else "none"


class Resolver:
    """A place resolver that knows the codes and a few names, and records its calls."""

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
    """A replacement for the keyed hash that records its inputs."""

    def __init__(self):
        self.inputs = []

    def __call__(self, texts):
        self.inputs.extend(texts)
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
