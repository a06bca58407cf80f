"""Invented partner files in the forms that NGOs really use, with the result that an import must give for each row.

They were written before the code that reads them. Every code, place and day is made up; no row is about a real child.
Each file has: its rows by line (or row of the sheet), with the values that must be stored, or with the column and the
reason for which a person would return the row; the answers of the data officer; and the rows, such as totals, that are
left out without a message.
"""

# ruff: noqa: E501 - rows of tables stay on one line

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import openpyxl

from tests.helpers.old_excel import write_old_workbook

Row = Sequence[object]
# The stored values of a row or, for a returned row, the column and words of the reason.
Expected = Mapping[str, object] | tuple[str, str]


@dataclass(frozen=True)
class Messy:
    """A file, the function that writes it, and the result that its import must have.

    rows : the stored values, or the column and the reason of a returned row, by line. answers : those of a data
    officer, by topic and column of the question. left_out : lines left out without a message. refused : words of the
    message if the whole file must be refused.
    """

    name: str
    write: Callable[[Path], Path]
    kind: str = "encounter"
    rows: Mapping[int, Expected] = field(default_factory=dict)
    answers: Mapping[str, object] = field(default_factory=dict)
    left_out: tuple[int, ...] = ()
    refused: str = ""


def write_text(name: str, rows: Sequence[Row], delimiter: str = ",", encoding: str = "utf-8") -> Callable[[Path], Path]:
    """Return a function that writes a table of text into a folder."""

    def write(folder: Path) -> Path:
        out = io.StringIO()
        csv.writer(out, delimiter=delimiter, lineterminator="\r\n").writerows(rows)
        path = folder / f"invented-{name}.csv"
        path.write_bytes(out.getvalue().encode(encoding))
        return path

    return write


def write_book(name: str, sheets: Mapping[str, Sequence[Row]], merge: Mapping[str, Sequence[str]] | None = None):
    """Return a function that writes a workbook into a folder; `merge` names the merged cells of each sheet."""

    def write(folder: Path) -> Path:
        book = openpyxl.Workbook()
        book.remove(book.active)
        for title, rows in sheets.items():
            sheet = book.create_sheet(title)
            for row in rows:
                sheet.append(list(row))
            for cells in (merge or {}).get(title, ()):
                sheet.merge_cells(cells)
        path = folder / f"invented-{name}.xlsx"
        book.save(path)
        return path

    return write


DAY = dt.date(2008, 3, 4)
ALL_ROWS = {"constants": {"axis": "protection", "pathway": "internal", "stage": "at_risk"}}
BOTH = {"axis": "protection", "pathway": "internal"}

FILES = (
    # 1. An Albanian workbook with two title rows, a counter, everyday words, a blank row, totals and a remark.
    Messy(
        "sq-titles",
        write_book(
            "sq-titles",
            {
                "Lista": [
                    ("QENDRA E SHPIKUR (të dhëna të shpikura)",),
                    ("Lista e fëmijëve në situatë rruge, mars 2008",),
                    (),
                    (
                        "Nr.", "Data e takimit", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha",
                        "Forma e shfrytëzimit", "Si u gjet",
                    ),
                    (1, "4.3.08", "Tiranë", "T-01", "M", 11, "Lypje", "ekipi në terren"),
                    (2, DAY, "Elbasan", "T-02", "F", "8 vjeç", "punë në rrugë", "raportuar nga shkolla"),
                    (),
                    (3, "05.03.2008", "Durrës", "T-03", "vajzë", "14", "lypës", "policia"),
                    (4, "6 mars 2008", "Bashkia Vlorë", "T-04", "djalë", 19, "lypje", "policia"),
                    ("Totali", None, None, 4, None, "=SUM(F5:F9)"),
                    ("Shënim: fëmijët takohen çdo javë.",),
                ]
            },
            {"Lista": ("A1:H1", "A2:H2")},
        ),
        rows={
            5: {"date": "2008-03-04", "sex": "male", "age_band": "10-13", "form": "begging", "found": "discovered"},
            6: {"date": "2008-03-04", "sex": "female", "age_band": "6-9", "form": "street_work", "found": "reported"},
            8: {"date": "2008-03-05", "sex": "female", "age_band": "14-17", "form": "begging", "stage": "at_risk"},
            9: ("age_band", "18 or older"),
            11: ("", "only one cell"),
        },
        answers=ALL_ROWS,
        left_out=(10,),
    ),
    # 2. Headings in two rows: a merged group above, and headings that are merged over both rows.
    Messy(
        "sq-merged",
        write_book(
            "sq-merged",
            {
                "Rastet": [
                    ("Raporti mujor (i shpikur)",),
                    ("Data", "Bashkia", "Fëmija", None, None, "Rasti", None, None, None),
                    (None, None, "Kodi", "Gjinia", "Grupmosha", "Faza", "Forma", "Rruga", "Mënyra e gjetjes"),
                    (DAY, "Korçë", "K-1", "femër", "10-13", "në rrezik", "lypje", "i brendshëm", "raportuar"),
                    (DAY, "Korçë", "K-2", "mashkull", "6 - 9 vjeç", "identifikuar zyrtarisht", "vjedhje", "ndërkufitar", "terren"),
                ]
            },
            {"Rastet": ("A1:I1", "A2:A3", "B2:B3", "C2:E2", "F2:I2")},
        ),
        rows={
            4: {"sex": "female", "age_band": "10-13", "stage": "at_risk", "pathway": "internal", "found": "reported"},
            5: {"sex": "male", "age_band": "6-9", "stage": "identified", "form": "crime", "pathway": "other_cross_border"},
        },
        answers={
            "column": {"child_id": "Kodi"},
            "constants": {"axis": "protection"},
            "words": {"pathway": {"ndërkufitar": "other_cross_border"}},
        },
    ),
    # 3. Greek, semicolons, Windows Greek; days with slashes that prove their order.
    Messy(
        "el-semicolon",
        write_text(
            "el-semicolon",
            [
                ("Ημερομηνία", "Δήμος", "Κωδικός παιδιού", "Φύλο", "Ηλικία", "Στάδιο", "Μορφή εκμετάλλευσης", "Εντοπισμός"),
                ("4/3/2008", "Αθηναίων", "ΑΘ-1", "αγόρι", "9 ετών", "σε κίνδυνο", "επαιτεία", "αναφορά"),
                ("25/3/2008", "Θεσσαλονίκη", "ΑΘ-2", "κορίτσι", "13", "σε εκμετάλλευση", "εργασία στο δρόμο", "ομάδα πεδίου"),
                ("26/3/2008", "Πάτρα", "ΑΘ-3", "άγνωστο", "", "σε κίνδυνο", "σεξουαλική εκμετάλλευση", "αναφορά από την αστυνομία"),
                ("Σύνολο", "", "", "", "", "", "", ""),
            ],
            ";",
            "cp1253",
        ),
        rows={
            2: {"date": "2008-03-04", "sex": "male", "age_band": "6-9", "stage": "at_risk", "form": "begging"},
            3: {"date": "2008-03-25", "sex": "female", "age_band": "10-13", "stage": "in_exploitation", "form": "street_work"},
            4: {"sex": "unknown", "age_band": "unknown", "form": "sexual_exploitation", "found": "reported"},
        },
        answers={"constants": {"axis": "protection", "pathway": "none_known"}},
        left_out=(5,),
    ),
    # 4. Greeklish with vertical bars.
    Messy(
        "greeklish-bars",
        write_text(
            "greeklish-bars",
            [
                ("Hmeromhnia", "Dhmos", "Kwdikos paidiou", "Fylo", "Hlikia", "Stadio", "Morfh ekmetalleyshs", "Entopismos"),
                ("2008/03/04", "Athina", "GL-1", "agori", "12", "se kindyno", "epaiteia", "anafora"),
                ("2008/03/05", "Patra", "GL-2", "koritsi", "7", "se kindyno", "ergasia sto dromo", "anafora"),
            ],
            "|",
        ),
        rows={
            2: {"date": "2008-03-04", "sex": "male", "age_band": "10-13", "form": "begging", "stage": "at_risk"},
            3: {"sex": "female", "age_band": "6-9", "form": "street_work", "found": "reported"},
        },
        answers={"constants": {"axis": "protection", "pathway": "none_known"}},
    ),
    # 5. What Excel calls Unicode text: UTF-16 and tabs; here the mark at its beginning is lost.
    Messy(
        "utf16-tabs",
        write_text(
            "utf16-tabs",
            [
                ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Faza", "Forma e shfrytëzimit", "Identifikimi"),
                ("04.03.2008", "Shkodër", "S-1", "Vajzë", "16", "në rrezik", "shfrytëzim seksual", "raportuar"),
                ("05.03.2008", "Shkodër", "S-2", "Djalë", "5", "në rrezik", "lypje", "raportuar"),
            ],
            "\t",
            "utf-16-le",
        ),
        rows={2: {"sex": "female", "age_band": "14-17", "form": "sexual_exploitation"}, 3: {"sex": "male", "age_band": "0-5"}},
        answers={"constants": BOTH},
    ),
    # 6. Kobo: groups, a question with several answers (as one column and as ticks), what Kobo adds.
    Messy(
        "kobo",
        write_text(
            "kobo",
            [
                (
                    "start", "end", "takimi/data", "takimi/bashkia", "femija/kodi_i_femijes", "femija/gjinia", "femija/mosha",
                    "rasti/forma", "rasti/forma/begging", "rasti/forma/street_work", "rasti/faza", "rasti/si_u_gjet",
                    "_id", "_uuid", "_submission_time", "_index",
                ),
                (
                    "2008-03-04T09:00:00.000+01:00", "2008-03-04T09:05:00.000+01:00", "2008-03-04", "10944420", "B-1", "female",
                    "11", "begging street_work", "1", "1", "at_risk", "discovered", "501", "u-1", "2008-03-04T09:06:00", "1",
                ),
                (
                    "2008-03-05T09:00:00.000+01:00", "2008-03-05T09:05:00.000+01:00", "2008-03-05", "tirane", "B-2", "male",
                    "8", "street_work", "0", "1", "at_risk", "reported", "502", "u-2", "2008-03-05T09:06:00", "2",
                ),
            ],
            ";",
        ),
        rows={
            2: {"record_number": "501", "form": "begging", "sex": "female", "age_band": "10-13"},
            3: {"record_number": "502", "form": "street_work", "municipality": "10944420"},
        },
        answers={"constants": BOTH},
    ),
    # 7. Kobo with ticks alone, and the labels of the form as headings.
    Messy(
        "kobo-ticks",
        write_book(
            "kobo-ticks",
            {
                "Takime": [
                    (
                        "Data e takimit", "Bashkia", "Kodi i fëmijës", "Gjinia", "Forma e shfrytëzimit/lypje",
                        "Forma e shfrytëzimit/punë në rrugë", "Forma e shfrytëzimit/vjedhje", "Faza", "Si u gjet", "_id", "_uuid",
                    ),
                    ("2008-03-04", "Fier", "F-1", "Mashkull", 0, 1, 0, "në rrezik", "raportuar", 601, "v-1"),
                    ("2008-03-05", "Lushnjë", "F-2", "Femër", 1, 1, 0, "në rrezik", "terren", 602, "v-2"),
                    ("2008-03-06", "Lushnjë", "F-3", "Femër", 0, 0, 0, "në rrezik", "terren", 603, "v-3"),
                ]
            },
        ),
        rows={
            2: {"form": "street_work", "municipality": "10944388"},
            3: {"form": "begging", "record_number": "602"},
            4: ("form", "missing"),
        },
        answers={"constants": BOTH},
    ),
    # 8. ODK Central: hyphens between group and question, KEY.
    Messy(
        "odk",
        write_text(
            "odk",
            [
                (
                    "SubmissionDate", "meeting-date", "meeting-municipality", "child-child_code", "child-sex", "child-age",
                    "child-type_of_exploitation", "child-stage", "child-how_found", "meta-instanceID", "KEY", "ReviewState",
                ),
                (
                    "2008-03-04T10:00:00Z", "2008-03-04", "Elbasan", "O-1", "boy", "10", "begging", "at risk", "reported",
                    "uuid:a1", "uuid:a1", "",
                ),
                (
                    "2008-03-05T10:00:00Z", "2008-03-05", "Elbasan", "O-2", "girl", "3", "street work", "at risk", "discovered",
                    "uuid:a2", "uuid:a2", "edited",
                ),
            ],
        ),
        rows={
            2: {"record_number": "uuid:a1", "sex": "male", "age_band": "10-13"},
            3: {"record_number": "uuid:a2", "sex": "female", "age_band": "0-5"},
        },
        answers={"constants": BOTH},
    ),
    # 9. Primero (CPIMS+): its labels, and concerns in one cell.
    Messy(
        "primero",
        write_text(
            "primero",
            [
                (
                    "Case ID", "Short ID", "Date of Registration or Interview", "Current Location", "Sex", "Age",
                    "Protection Concerns", "Case Status", "Identified By",
                ),
                ("c-01", "9f1", "04-Mar-2008", "Tirana", "Female", "12", "Child Begging", "Open", "Community outreach"),
                ("c-02", "9f2", "05-Mar-2008", "Tirana", "Male", "15", "Child Labour; Child Begging", "Open", "Police"),
                ("c-03", "9f3", "06-Mar-2008", "Kukës", "Male", "15", "Other", "Closed", "Police"),
            ],
        ),
        rows={
            2: {"date": "2008-03-04", "form": "begging", "found": "discovered", "sex": "female"},
            3: {"form": "labour", "found": "reported", "age_band": "14-17"},
            4: {"form": "other"},
        },
        answers=ALL_ROWS,
    ),
    # 10. ActivityInfo: the partner in a column, a record id, names and codes of places.
    Messy(
        "activityinfo",
        write_book(
            "activityinfo",
            {
                "Encounters": [
                    (
                        "Record ID", "Partner Name", "Start Date", "Municipality Name", "Child Code", "Gender", "Age Group",
                        "Exploitation type", "Case stage", "Source of identification",
                    ),
                    ("ckx1", "INVENTED", DAY, "Gjirokastër", "A-1", "F", "14 to 17 years", "Sexual exploitation", "identified", "Hotline"),
                    ("ckx2", "INVENTED", DAY, "Berat", "A-2", "M", "6-9", "Labour", "at risk", "Outreach"),
                ]
            },
        ),
        rows={
            2: {"record_number": "ckx1", "stage": "identified", "found": "reported", "age_band": "14-17"},
            3: {"record_number": "ckx2", "form": "labour", "found": "discovered"},
        },
        answers={
            "column": {"date": "Start Date"},
            "constants": BOTH,
            "words": {"stage": {"identified": "identified"}},
        },
    ),
    # 11. HTCDS 2.0.
    Messy(
        "htcds",
        write_text(
            "htcds",
            [
                ("cas_Identifier", "prs_Identifier", "prs_Gender", "vic_TypeOfExploitation", "vic_TraffickingStatus",
                 "cas_IncomingReferralDate", "hte_City", "Age"),
                ("h-1", "p-1", "Feminine", "SexualExploitation", "ActualVictimOfTrafficking", "2008-03-04", "Vlorë", "16"),
                ("h-2", "p-2", "Masculine", "ForcedBegging;ChildLabour", "PossibleVictimOfTrafficking", "2008-03-04", "Vlorë", "9"),
                ("h-3", "p-3", "NonSpecifiedUnknown", "ForcedLabour", "PossibleVictimOfTrafficking", "2008-03-05", "Vlorë", "9"),
                ("h-4", "p-4", "Feminine", "ForcedBegging", "PossibleVictimOfTrafficking", "2008-03-05", "Vlorë", "10"),
            ],
        ),
        rows={
            2: {"sex": "female", "form": "sexual_exploitation", "stage": "identified", "record_number": "h-1"},
            3: {"sex": "male", "form": "begging", "stage": "in_exploitation"},
            4: {"sex": "unknown", "form": "labour"},
            5: {"sex": "female", "form": "begging"},
        },
        answers={
            "constants": {**BOTH, "found": "reported"},
            "words": {"stage": {"PossibleVictimOfTrafficking": "in_exploitation"}},
        },
    ),
    # 12. Years of birth: only their age bands are stored.
    Messy(
        "birth-years",
        write_text(
            "birth-years",
            [
                ("Data e takimit", "Bashkia", "Kodi i fëmijës", "Gjinia", "Viti i lindjes", "Faza", "Forma", "Si u gjet"),
                ("10.9.2008", "Tiranë", "V-1", "F", "1996", "në rrezik", "lypje", "terren"),
                ("10.2.2008", "Tiranë", "V-2", "M", "2000", "në rrezik", "lypje", "terren"),
                ("10.2.2008", "Tiranë", "V-3", "M", "1985", "në rrezik", "lypje", "terren"),
                ("10.2.2008", "Tiranë", "V-4", "M", "2009", "në rrezik", "lypje", "terren"),
                ("10.2.2008", "Tiranë", "V-5", "M", "", "në rrezik", "lypje", "terren"),
            ],
        ),
        rows={
            2: {"age_band": "10-13"},
            3: {"age_band": "6-9"},
            4: ("age_band", "18 or older"),
            5: ("age_band", "after the day"),
            6: {"age_band": "unknown"},
        },
        answers={"constants": BOTH},
    ),
    # 13. Days as numbers of Excel, as they come out of a sheet that was saved as CSV.
    Messy(
        "day-numbers",
        write_text(
            "day-numbers",
            [
                ("date", "municipality", "child_id", "sex", "age", "stage", "pathway", "form", "axis", "found"),
                ("39511", "Tirana", "N-1", "female", "7", "at_risk", "internal", "begging", "prevention", "reported"),
                ("2008/03/04", "Tirana", "N-2", "male", "7", "at_risk", "internal", "begging", "prevention", "reported"),
                ("4.3.08", "Tirana", "N-3", "male", "7", "at_risk", "internal", "begging", "prevention", "reported"),
                ("4.3.97", "Tirana", "N-4", "male", "7", "at_risk", "internal", "begging", "prevention", "reported"),
                ("39999999", "Tirana", "N-5", "male", "7", "at_risk", "internal", "begging", "prevention", "reported"),
            ],
        ),
        rows={
            2: {"date": "2008-03-04"},
            3: {"date": "2008-03-04"},
            4: {"date": "2008-03-04", "age_band": "6-9"},
            5: ("date", "two digits"),
            6: ("date", "not a date"),
        },
    ),
    # 14. Names of months in three languages in one file of two offices.
    Messy(
        "months",
        write_text(
            "months",
            [
                ("Date", "Municipality", "Child code", "Sex", "Age", "Stage", "Pathway", "Form of exploitation", "Axis", "Found"),
                ("4 March 2008", "Tirana", "M-1", "F", "7", "at risk", "internal", "begging", "prevention", "reported"),
                ("4 Mars 2008", "Tirana", "M-2", "F", "7", "at risk", "internal", "begging", "prevention", "reported"),
                ("4 Μαρτίου 2008", "Tirana", "M-3", "F", "7", "at risk", "internal", "begging", "prevention", "reported"),
                ("March 4, 2008", "Tirana", "M-4", "F", "7", "at risk", "internal", "begging", "prevention", "reported"),
                ("04-maj-08", "Tirana", "M-5", "F", "7", "at risk", "internal", "begging", "prevention", "reported"),
                ("mars 2008", "Tirana", "M-6", "F", "7", "at risk", "internal", "begging", "prevention", "reported"),
            ],
        ),
        rows={
            2: {"date": "2008-03-04"},
            3: {"date": "2008-03-04"},
            4: {"date": "2008-03-04"},
            5: {"date": "2008-03-04"},
            6: {"date": "2008-05-04"},
            7: ("date", "the day is missing"),
        },
    ),
    # 15. A cover sheet, the list, a summary and a list of codes.
    Messy(
        "sheets",
        write_book(
            "sheets",
            {
                "Kopertina": [("Organizata e shpikur",), ("Raport", 2008)],
                "Rastet": [
                    ("Rastet e vitit 2008",),
                    ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Faza", "Forma", "Si u gjet"),
                    (DAY, "Tiranë", "R-1", "F", 9, "në rrezik", "lypje", "terren"),
                ],
                "Përmbledhje": [("Bashkia", "Vajza", "Djem"), ("Tiranë", 1, 0), ("Totali", 1, 0)],
                "Kodet": [("Forma", "Kodi"), ("lypje", 1)],
            },
        ),
        rows={3: {"sex": "female", "age_band": "6-9", "form": "begging"}},
        answers={"constants": BOTH},
    ),
    # 16. Names of places with mistakes: asked, never guessed.
    Messy(
        "places",
        write_text(
            "places",
            [
                ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Faza", "Forma", "Si u gjet", "Boshti", "Rruga"),
                ("4.3.2008", "Elbsan", "P-1", "F", "në rrezik", "lypje", "terren", "mbrojtje", "i brendshëm"),
                ("4.3.2008", "Elbsan", "P-2", "F", "në rrezik", "lypje", "terren", "mbrojtje", "i brendshëm"),
                ("4.3.2008", "Tirane", "P-3", "F", "në rrezik", "lypje", "terren", "parandalim", "i brendshëm"),
                ("4.3.2008", "Londër", "P-4", "F", "në rrezik", "lypje", "terren", "parandalim", "i brendshëm"),
            ],
        ),
        rows={
            2: {"municipality": "10944380"},
            3: {"municipality": "10944380", "axis": "protection"},
            4: {"municipality": "10944420", "axis": "prevention"},
            5: ("municipality", "known municipality"),
        },
        answers={"words": {"municipality": {"Elbsan": "Elbasan"}}},
    ),
    # 17. Headings with mistakes and abbreviations: asked, never guessed.
    Messy(
        "headings",
        write_text(
            "headings",
            [
                ("Dta e takimit", "Bashkija", "Kodi i fëmijës", "Gjinia", "Mosha (vjeç)", "Faza*", "3. Forma", "Si u gjet?", "Boshti", "Rruga"),
                ("4.3.2008", "Tiranë", "H-1", "F", "9", "në rrezik", "lypje", "terren", "mbrojtje", "i brendshëm"),
            ],
        ),
        rows={2: {"date": "2008-03-04", "municipality": "10944420", "age_band": "6-9"}},
        answers={"column": {"date": "Dta e takimit", "municipality": "Bashkija"}},
    ),
    # 18. Codes and words of a partner's own.
    Messy(
        "codes",
        write_text(
            "codes",
            [
                ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Faza", "Forma", "Si u gjet", "Boshti", "Rruga"),
                *[
                    ("4.3.2008", "Tiranë", f"C-{n}", sex, "në rrezik", form, "terren", "mbrojtje", "i brendshëm")
                    for n, (sex, form) in enumerate(
                        [("1", "lypje"), ("2", "shitje xhamash"), ("1", "shitje xhamash"), ("9", "shitje xhamash")]
                    )
                ],
            ],
            ";",
        ),
        rows={
            2: {"sex": "male"},
            3: {"sex": "female", "form": "street_work"},
            4: {"sex": "male", "form": "street_work"},
            5: {"sex": "unknown", "form": "street_work"},
        },
        answers={
            "words": {
                "sex": {"1": "male", "2": "female", "9": "unknown"},
                "form": {"shitje xhamash": "street_work"},
            }
        },
    ),
    # 19. Outreach of a month in Albanian, with a week, decimal commas and a total.
    Messy(
        "effort-sq",
        write_book(
            "effort-sq",
            {
                "Terreni": [
                    ("Puna në terren (e shpikur)",),
                    ("Data", "Bashkia", "Ditë pune në terren", "Lloji i aktivitetit"),
                    (DAY, "Tiranë", "1,5", "punë në rrugë"),
                    ("2008-W11", "Durrës", 3, "vizitë në shkollë"),
                    ("Gjithsej", None, 4.5, None),
                ]
            },
        ),
        kind="effort",
        rows={
            3: {"days": 1.5, "kind": "street_outreach", "span": "day"},
            4: {"date": "2008-03-10", "kind": "school_visit", "span": "week"},
        },
        left_out=(5,),
    ),
    # 20. Services in Greek.
    Messy(
        "service-el",
        write_text(
            "service-el",
            [
                ("Δήμος", "Φορέας", "Είδος φορέα", "Άξονας", "Προσωπικό", "Θέσεις", "Έναρξη", "Λήξη"),
                ("Αθηναίων", "Ξενώνας (επινοημένος)", "ΜΚΟ", "προστασία", "4", "20", "1/6/2006", ""),
                ("Πάτρα", "Κέντρο (επινοημένο)", "δήμος", "πρόληψη", "2", "", "15/6/2006", "31/12/2008"),
            ],
            ";",
        ),
        kind="service",
        rows={
            2: {"duty_bearer": "ngo", "axis": "protection", "capacity": 20, "valid_from": "2006-06-01"},
            3: {"duty_bearer": "municipality", "axis": "prevention", "valid_to": "2008-12-31"},
        },
    ),
    # 21. Estimates of communities in Albanian.
    Messy(
        "community-sq",
        write_text(
            "community-sq",
            [
                ("Zona", "Grupi", "Numri i vlerësuar", "Viti", "Burimi"),
                ("AL-04", "romë", "1640", "2001", "Regjistrim i shpikur"),
                ("AL-02", "egjiptianë", "900", "2001", "Regjistrim i shpikur"),
            ],
        ),
        kind="community",
        rows={2: {"group": "roma", "estimate": 1640}, 3: {"group": "egyptian", "year": 2001}},
    ),
    # 22. Indicators in Albanian.
    Messy(
        "indicator-sq",
        write_text(
            "indicator-sq",
            [
                ("Zona", "Periudha", "Treguesi", "Vlera", "Objektivi", "Njësia", "Burimi"),
                ("AL-04", "2008", "schools_engaged", "14", "20", "schools", "Raport i shpikur"),
            ],
        ),
        kind="indicator",
        rows={2: {"value": 14.0, "target": 20.0}},
    ),
    # 23. Published figures in Greek.
    Messy(
        "figure-el",
        write_text(
            "figure-el",
            [
                ("Περιοχή", "Περίοδος", "Μέγεθος", "Αριθμός", "Πηγή", "Έτος", "Κατάσταση"),
                ("GR", "2008", "θύματα", "78", "Επινοημένη έκθεση", "2009", "μη επαληθευμένο"),
            ],
        ),
        kind="figure",
        rows={2: {"measure": "victims", "number": 78.0, "status": "unverified"}},
    ),
    # 24. Day, month and year in three columns; several answers in one cell; a cancelled row.
    Messy(
        "parts",
        write_text(
            "parts",
            [
                ("Dita", "Muaji", "Viti", "Bashkia", "Kodi i fëmijës", "Gjinia", "Faza", "Forma", "Si u gjet", "Statusi"),
                ("4", "mars", "2008", "Tiranë", "D-1", "F", "në rrezik", "lypje, punë në rrugë", "terren", "aktiv"),
                ("5", "3", "2008", "Tiranë", "D-2", "F", "në rrezik", "lypje dhe vjedhje", "terren", "aktiv"),
                ("6", "3", "2008", "Tiranë", "D-3", "F", "në rrezik", "lypje", "terren", "anuluar"),
            ],
        ),
        rows={2: {"date": "2008-03-04", "form": "begging"}, 3: {"date": "2008-03-05", "form": "begging"}},
        answers={"constants": BOTH, "skip": {"Statusi": ["anuluar"]}},
        left_out=(4,),
    ),
    # 25. Days that may be read in two ways: one question.
    Messy(
        "slashes",
        write_text(
            "slashes",
            [
                ("Date", "Municipality", "Child code", "Sex", "Stage", "Pathway", "Form", "Axis", "Found"),
                ("4/3/2008", "Tirana", "L-1", "girl", "at risk", "internal", "begging", "prevention", "reported"),
                ("5/3/08", "Tirana", "L-2", "boy", "at risk", "internal", "begging", "prevention", "reported"),
            ],
        ),
        rows={2: {"date": "2008-03-04"}, 3: {"date": "2008-03-05", "sex": "male"}},
        answers={"days": {"date": "day first"}},
    ),
    # 26. The old format of Excel, with a day number and a month as a word.
    Messy(
        "old-excel",
        lambda folder: write_old_workbook(
            folder / "invented-old-excel.xls",
            [
                ["Lista e rasteve (e shpikur)"],
                ["Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Faza", "Forma", "Si u gjet"],
                [39511, "Tiranë", "X-1", "djalë", 9, "në rrezik", "lypje", "terren"],
                ["5 mars 2008", "Krujë", "X-2", "vajzë", 15, "në rrezik", "punë në rrugë", "policia"],
                ["Gjithsej", None, 2],
            ],
        ),
        rows={
            3: {"date": "2008-03-04", "sex": "male", "age_band": "6-9"},
            4: {"date": "2008-03-05", "sex": "female", "age_band": "14-17", "form": "street_work"},
        },
        answers={"constants": BOTH},
        left_out=(5,),
    ),
    # 27. Kobo with a repeat: the children of a meeting in a sheet of their own, another repeat beside it.
    Messy(
        "kobo-repeat",
        write_book(
            "kobo-repeat",
            {
                "Takimi në terren": [
                    ("start", "takimi/data", "takimi/bashkia", "si_u_gjet", "_id", "_uuid", "_submission_time", "_index"),
                    ("2008-03-04T09:00", "2008-03-04", "Elbasan", "discovered", 701, "w-1", "2008-03-04T10:00", 1),
                    ("2008-03-05T09:00", "2008-03-05", "tirane", "reported", 702, "w-2", "2008-03-05T10:00", 2),
                    ("2008-03-06T09:00", "2008-03-06", "Vlorë", "reported", 703, "w-3", "2008-03-06T10:00", 3),
                ],
                "femije": [
                    (
                        "femije/kodi_i_femijes", "femije/gjinia", "femije/mosha", "femije/forma", "femije/faza", "_index",
                        "_parent_table_name", "_parent_index", "_submission__id", "_submission__uuid",
                    ),
                    ("K-1", "female", 11, "begging", "at_risk", 1, "Takimi në terren", 1, 701, "w-1"),
                    ("K-2", "male", 8, "street_work", "at_risk", 2, "Takimi në terren", 1, 701, "w-1"),
                    ("K-3", "male", 15, "begging", "recruited", 3, "Takimi në terren", 2, 702, "w-2"),
                    ("K-4", "male", 15, "begging", "recruited", 4, "Takimi në terren", 9, 709, "w-9"),
                ],
                "materiale": [
                    ("materiale/lloji", "_index", "_parent_table_name", "_parent_index", "_submission__id"),
                    ("fletëpalosje", 1, "Takimi në terren", 1, 701),
                ],
            },
        ),
        rows={
            2: {"date": "2008-03-04", "municipality": "10944380", "record_number": "701-1", "sex": "female", "found": "discovered"},
            3: {"date": "2008-03-04", "municipality": "10944380", "record_number": "701-2", "form": "street_work"},
            4: {"date": "2008-03-05", "municipality": "10944420", "record_number": "702-1", "stage": "recruited"},
            5: ("", "submission of the row is missing"),
        },
        answers={"constants": BOTH},
    ),
    # 28. A sheet for each month: other columns in one, totals, a summary, and the empty form beside them.
    Messy(
        "months-sq",
        write_book(
            "months-sq",
            {
                "Kopertina": [("Organizata e shpikur",)],
                "Janar 2008": [
                    ("Rastet e janarit",),
                    ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Faza", "Forma", "Si u gjet"),
                    (dt.date(2008, 1, 4), "Tiranë", "J-1", "F", 9, "në rrezik", "lypje", "terren"),
                    ("Totali", None, None, 1),
                ],
                "Shkurt 2008": [
                    ("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Faza", "Forma", "Si u gjet"),
                    (dt.date(2008, 2, 4), "Durrës", "J-2", "M", 9, "në rrezik", "lypje", "policia"),
                    (dt.date(2008, 2, 5), "Durrës", "J-3", "M", 21, "në rrezik", "lypje", "policia"),
                ],
                "Mars 2008": [
                    ("Data", "Bashkia", "Kodi i fëmijës", "Mosha", "Gjinia", "Faza", "Forma", "Si u gjet", "Koment"),
                    (DAY, "Vlorë", "J-1", 9, "F", "në rrezik", "punë në rrugë", "terren", "pa koment"),
                ],
                "Përmbledhje": [("Bashkia", "Vajza", "Djem"), ("Tiranë", 1, 0), ("Totali", 1, 0)],
                "Formulari": [("Data", "Bashkia", "Kodi i fëmijës", "Gjinia", "Mosha", "Faza", "Forma", "Si u gjet")],
            },
        ),
        rows={
            2_000_003: {"date": "2008-01-04", "sex": "female", "municipality": "10944420"},
            3_000_002: {"date": "2008-02-04", "sex": "male", "found": "reported"},
            3_000_003: ("age_band", "18 or older"),
            4_000_002: {"date": "2008-03-04", "sex": "female", "age_band": "6-9", "form": "street_work"},
        },
        answers={"constants": BOTH},
        left_out=(2_000_004,),
    ),
    # 29. The same in Greek and English.
    Messy(
        "months-el",
        write_book(
            "months-el",
            {
                month: [
                    ("Ημερομηνία", "Δήμος", "Κωδικός παιδιού", "Φύλο", "Ηλικία", "Στάδιο", "Μορφή εκμετάλλευσης", "Εντοπισμός"),
                    (day, "Αθηναίων", f"ΑΘ-{day.month}", "αγόρι", "9 ετών", "σε κίνδυνο", "επαιτεία", "αναφορά"),
                ]
                for month, day in {
                    "Ιαν.": dt.date(2008, 1, 7), "02 Φεβρουάριος": dt.date(2008, 2, 7), "March-08": dt.date(2008, 3, 7)
                }.items()
            },
        ),
        rows={
            1_000_002: {"date": "2008-01-07", "sex": "male"},
            2_000_002: {"date": "2008-02-07"},
            3_000_002: {"date": "2008-03-07", "form": "begging"},
        },
        answers={"constants": {"axis": "protection", "pathway": "none_known"}},
    ),
    # 30 and 31. Files that are never imported.
    Messy(
        "names",
        write_text(
            "names",
            [
                ("Nr", "Emri i fëmijës", "Data", "Bashkia", "Kodi i fëmijës"),
                ("1", "Emër-i-Shpikur", "4.3.2008", "Tiranë", "E-1"),
            ],
        ),
        refused="names",
    ),
    Messy(
        "birth-days",
        write_text(
            "birth-days",
            [
                ("Data e takimit", "Bashkia", "Kodi i fëmijës", "Viti i lindjes", "Faza", "Forma", "Si u gjet"),
                ("4.3.2008", "Tiranë", "E-1", "3.2.1996", "në rrezik", "lypje", "terren"),
            ],
        ),
        answers={"constants": BOTH},
        refused="dates of birth",
    ),
    # 32. Two months with subtotals of places, headings again below, towns, and what is not known.
    Messy(
        "sq-subtotals",
        write_book(
            "sq-subtotals",
            {
                "Janar 2008": [
                    ("Lista mujore (e shpikur)",),
                    ("Data", "Komuna / Bashkia", "Kodi i femijes", "Gjinia (M/F)", "Mosha (vjeç)", "Lloji i shfrytezimit", "Si u identifikua"),
                    ("14/01/2008", "Elbasan", "E-1", "F", "13", "lypje e detyruar", "nga policia"),
                    ("Nëntotal Elbasan", None, 1),
                    ("Data", "Komuna / Bashkia", "Kodi i femijes", "Gjinia (M/F)", "Mosha (vjeç)", "Lloji i shfrytezimit", "Si u identifikua"),
                    ("17/01/2008", "Rrogozhine", "E-4", "s'dihet", "s'dihet", "shet çamçakëz", "shkolla"),
                    ("Gjithsej", None, 2),
                ],
                "Shkurt 2008": [
                    ("Lista mujore (e shpikur)",),
                    ("Data", "Komuna / Bashkia", "Kodi i femijes", "Gjinia (M/F)", "Mosha (vjeç)", "Lloji i shfrytezimit", "Si u identifikua"),
                    ("29/02/2008", "Fushe Kruje", "E-5", "M", "14 vjec", "lypje", "policia"),
                    ("Totali shkurt", None, 1),
                ],
            },
        ),
        rows={
            1_000_003: {"form": "begging", "age_band": "10-13", "found": "reported"},
            1_000_006: {"form": "street_work", "age_band": "unknown", "sex": "unknown"},
            2_000_003: {"municipality": "10944378", "age_band": "14-17"},
        },
        answers={"constants": BOTH | {"stage": "at_risk"}, "words": {"municipality": {"Fushe Kruje": "10944378"}}},
        left_out=(1_000_004,),
    ),
    # 33. Greek in Latin letters with a title, a sheet of notes, a row of totals, and everyday words.
    Messy(
        "greeklish-notes",
        write_book(
            "greeklish-notes",
            {
                "Sheet1": [
                    ("LISTA PAIDIWN (epinohmena) - FEVROUARIOS 2008",),
                    ("Aa", "Hmer/nia", "Polh", "Kwd. paidiou", "Fylo", "Hlikia", "Ti ekane", "Pos to vrikame"),
                    (1, DAY, "Peristeri", "GK1", "agori", "9", "zhtianeye", "street work"),
                    (2, DAY, "Larisas", "GK2", "koritsi", "11 xr.", "poulouse louloudia", "astynomia"),
                    (3, DAY, "Thes/niki", "GK3", "agori", "dekapente", "klopi", "astynomia"),
                    (4, DAY, "Ano Liosia", "GK4", "koritsi", "5", "epaiteia", "omada dromou"),
                    ("synolo", None, 4),
                ],
                "Sheet2": [("Shmeiwseis",), ("ola epinohmena",)],
            },
        ),
        rows={
            3: {"date": "2008-03-04", "municipality": "9183", "form": "begging", "found": "discovered"},
            4: {"municipality": "9100", "age_band": "10-13", "form": "street_work", "found": "reported"},
            5: {"municipality": "9031", "age_band": "14-17", "form": "crime"},
            6: {"municipality": "9232", "age_band": "0-5", "form": "begging"},
        },
        answers={
            "constants": BOTH | {"stage": "at_risk"},
            "words": {"municipality": {"Ano Liosia": "Fyli, Attica (municipality 9232)"}},
        },
        left_out=(7,),
    ),
)  # fmt: skip
