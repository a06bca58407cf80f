"""How columns are understood: counts, groups of headings, marks, several children in a row, repeats of ODK and Kobo."""

import csv
import io
import random
import zipfile

import pytest

from data.personal.headings import find_personal_heading
from data.restricted.intake import guess_kind, has_children, read_file
from data.restricted.intake.headings import match_headings, read_meanings
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.memory_file import MemoryFile
from data.restricted.intake.recognition import NO_COLUMN, answer, read_place_label, recognise
from data.schema.kinds import KINDS
from tests.data.restricted.intake.test_no_silent_damage import EACH_SEED, PLACES, TODAY, parts_of
from tests.helpers.messy_files import write_book, write_text
from tests.helpers.partner_files import Hasher

HEADS = {
    "date": "Data e takimit",
    "municipality": "Bashkia",
    "child_id": "Kodi i fëmijës",
    "stage": "Faza",
    "pathway": "Rruga",
    "form": "Forma e shfrytëzimit",
    "axis": "Boshti",
    "found": "Si u gjet",
    "sex": "Gjinia",
}
MORE = {"resolve": PLACES.resolve, "partner": "INVENTED", "today": TODAY}


def cells(number=1, **changed):
    """Return a row by our column."""
    row = {
        "date": f"2008-03-{number:02}",
        "municipality": "Durrës",
        "child_id": f"K-{number}",
        "stage": "në rrezik",
        "pathway": "brenda vendit",
        "form": "lypje",
        "axis": "mbrojtje",
        "found": "terren",
        "sex": "vajzë",
    }
    return {name: text for name, text in {**row, **changed}.items() if text is not None}


def write(folder, rows, heads=None, book=False):
    heads = {**HEADS, **(heads or {})}
    table = [[heads.get(name, name) for name in rows[0]], *([*row.values()] for row in rows)]
    return (write_book("columns", {"Rastet": table}) if book else write_text("columns", table))(folder)


def ask(path, mapping=None):
    return recognise(path, mappings={"encounter": mapping or ColumnMapping()}, kind="encounter", **MORE)


def read(path, mapping=None):
    return read_file(path, "encounter", mapping=mapping, hash_identifier=Hasher(), **MORE)


# -- counts of children --

COUNTS = (
    *("Nr. i fëmijëve", "Numri i fëmijëve", "numri i personave", "Sa fëmijë", "Fëmijë gjithsej", "Nr femijeve"),
    *("No. of children", "Number of children", "# children", "How many children", "Children met", "Total cases"),
    *("Αριθμός παιδιών", "Αρ. παιδιών", "Πόσα παιδιά", "Πλήθος ατόμων", "Arithmos paidion", "Numri i të miturve"),
)
NO_COUNTS = (
    *("Nr. i fëmijës", "Kodi i fëmijëve", "Nr. i fëmijëve në familje", "Number of children in the household"),
    *("Child number", "Αριθμός παιδιού", "Κωδικός παιδιών", "Numri i regjistrit", "Case number", "Nr. i fishës"),
)


@pytest.mark.parametrize("heading", COUNTS)
def test_a_count_of_children_is_never_a_child(tmp_path, heading):
    rows = [cells(n, child_id=str(1 + n % 3)) for n in range(1, 9)]
    path = write(tmp_path, rows, {"child_id": heading})
    (question,) = ask(path).questions
    assert (question.column, question.parts["child_id"]) == ("child_id", ())
    earlier = ColumnMapping(columns={"child_id": heading})  # as an earlier version proposed it
    assert ask(path, earlier).questions[0].column == "child_id"
    for mapping in (None, earlier):
        with pytest.raises(Exception, match="no column for child_id") as refusal:
            read(path, mapping)
        assert "Perhaps" not in str(refusal.value)


@pytest.mark.parametrize("heading", COUNTS)
def test_a_row_that_counts_several_children_is_never_one(tmp_path, heading):
    rows = [cells(n) | {heading: count} for n, count in enumerate(("1", "3", "1", "2"), 1)]
    path = write(tmp_path, rows)
    file = read(path)
    assert (ask(path).questions, file.accepted["date"].str[-1:].tolist()) == ((), ["1", "3"])
    assert file.rejects["reason"].str.contains("counts several children").tolist() == [True, True]


@pytest.mark.parametrize("heading", NO_COUNTS)
def test_a_number_of_something_else_rejects_no_row(tmp_path, heading):
    is_code = "child_id" in read_meanings("encounter", heading)
    rows = [cells(n, child_id=str(n + 1)) if is_code else cells(n) | {heading: str(n + 1)} for n in (1, 2)]
    assert read(write(tmp_path, rows, {"child_id": heading} if is_code else None)).rejected_rows == 0


# -- headings with the name of a group --

GROUPS = ("Child.{}", "child/{}", "g1.{}", "g1__{}", "group_a/{}", "data.child.{}", "section2/g3.{}", "Case__{}")


@pytest.mark.parametrize("group", [*GROUPS, "Child {}", "child_{}", "Fëmija {}", "Παιδί {}"])
def test_a_known_heading_is_read_without_its_group(tmp_path, group):
    heads = {"sex": group.format("Sex"), "stage": group.format("stage"), "form": group.format("form")}
    path = write(tmp_path, [cells(1), cells(2, sex="djalë")], heads)
    file = read(path)
    assert (ask(path).questions, file.unknown_columns) == ((), ())
    assert file.accepted["sex"].tolist() == ["female", "male"]


@pytest.mark.parametrize(
    "heading",
    [
        *("parent/sex", "Mother.Age", "caregiver__age", "prindi/gjinia", "Nëna.Mosha", "babai/mosha"),
        *("Γονέας.Φύλο", "κηδεμόνας/ηλικία", "interviewer/sex", "birth/date", "birth.date", "residence/municipality"),
    ],
)
def test_a_group_about_somebody_else_is_not_the_child(heading):
    assert not read_meanings("encounter", heading)


@pytest.mark.parametrize(
    "group",
    ["referral", "registration", "closing", "transfer", "follow_up", "court", "closure", "intake", "exit", "review"],
)
@pytest.mark.parametrize("name", ["date", "municipality"])
def test_a_day_or_place_of_an_unknown_group_is_not_sure(group, name):
    assert read_meanings("encounter", f"{group}.{name}")[name] < 0.9


# -- columns under other headings --

OTHER_HEADS = {
    "stage": ("Statusi", "Gjendja", "Κατάσταση", "Where the case stands", "Niveli"),
    "axis": ("Shtylla", "Puna e bërë", "Πυλώνας", "Pillar", "Komponenti"),
    "form": ("Lloji i punës", "Puna", "Είδος εργασίας", "Type of work", "Çfarë u pa"),
    "found": ("Kanali", "Rrethanat", "Δίοδος", "Channel", "Hyrja"),
    "sex": ("Djalë a vajzë", "V/D", "Παιδί: κορίτσι;", "Boy?", "Gj."),
}


@EACH_SEED
def test_columns_with_our_words_are_asked_in_one_question(tmp_path, seed):
    draw = random.Random(seed)
    names = draw.sample(sorted(OTHER_HEADS), draw.randint(1, 5))
    heads = {name: draw.choice(OTHER_HEADS[name]) for name in names}
    path = write(tmp_path, [cells(n) for n in range(1, 7)], heads, book=draw.random() < 0.5)
    (question,) = ask(path).questions
    assert {name: allowed[0] for name, allowed in question.parts.items()} == heads == dict(question.proposal)
    mapping = answer(question, question.proposal)
    assert (ask(path, mapping).questions, read(path, mapping).accepted_rows) == ((), 6)
    assert set(read(path, mapping).accepted["sex"]) == {"female"}
    none = answer(question, dict.fromkeys(question.parts, NO_COLUMN))
    assert set(none.ignore) == set(heads.values())
    left = ask(path, none).questions  # what the file needs is asked for all rows; the rest stays empty
    assert {part for question in left for part in question.parts} == set(names) - {"sex"}
    assert len(left) <= 1


@pytest.mark.parametrize(
    "words", [("aktiv", "anuluar"), ("hapur", "mbyllur"), ("po", "jo"), ("1", "2"), ("nuk dihet", "")]
)
@pytest.mark.parametrize("heading", ["Statusi", "Shënime"])
def test_a_column_with_other_words_is_not_asked_about(tmp_path, heading, words):
    rows = [cells(n, sex=None) | {heading: words[n % 2]} for n in range(1, 7)]
    assert ask(write(tmp_path, rows)).questions == ()


# -- a column for each answer --

FORMS = {
    "begging": ("Lypje", "Begging", "Επαιτεία", "lypje"),
    "street_work": ("Punë në rrugë", "Street work", "Εργασία στο δρόμο", "punë rruge"),
    "sexual_exploitation": ("Shfrytëzim seksual", "Sexual exploitation", "Σεξουαλική εκμετάλλευση", "seksual"),
    "crime": ("Vjedhje", "Crime", "Κλοπή", "vjedhje"),
}
MARKS = (
    ("po", "jo"),
    ("x", ""),
    ("1", "0"),
    ("ναι", "όχι"),
    ("✓", ""),
    ("True", "False"),
    ("X", "-"),
    ("Po", "Jo"),
    ("ΝΑΙ", "ΟΧΙ"),
    ("yes", "no"),
)
SPLIT = (
    "{}",
    "form/{}",
    "Forma: {}",
    "Forma ({})",
    "rasti/forma/{}",
    "form.{}",
    "Forma - {}",
    "form__{}",
    "form_{}",
    "{}",
)


@pytest.mark.parametrize("book", [False, True])
@pytest.mark.parametrize("number", range(10))
def test_a_column_for_each_form_is_one_column(tmp_path, number, book):
    draw = random.Random(number)
    (yes, no), heading, codes = MARKS[number], SPLIT[number], draw.sample(sorted(FORMS), 3)
    language = draw.randrange(4)
    rows = [
        cells(n, form=None) | {heading.format(FORMS[c][language]): yes if c == code else no for c in codes}
        for n, code in enumerate(codes, 1)
    ]
    path = write(tmp_path, rows, book=book)
    file = read(path)
    assert (ask(path).questions, file.unknown_columns) == ((), ())
    assert file.accepted["form"].tolist() == codes
    both = dict(rows[0]) | {heading.format(FORMS[codes[1]][language]): yes}
    file = read(write(tmp_path, [both]))
    assert file.accepted["form"].tolist() == [codes[0]]
    assert any("several answers in form" in note for note in file.notes)


@pytest.mark.parametrize("mark", ["k", "ndoshta", "?!", "2", "ok", "herë-herë", "maybe", "ίσως", "3", "ja"])
def test_another_mark_is_asked_about(tmp_path, mark):
    rows = [cells(n, form=None) | {"Lypje": "po", "Vjedhje": "jo"} for n in range(1, 6)]
    rows += [cells(n, form=None) | {"Lypje": mark, "Vjedhje": "jo"} for n in range(6, 10)]
    path = write(tmp_path, rows)
    (question,) = ask(path).questions
    assert (dict(question.rows), read(path).rejected_rows) == ({f"begging_marked_{mark}": 4}, 4)
    mapping = answer(question, {f"begging_marked_{mark}": "begging"})
    assert (ask(path, mapping).questions, read(path, mapping).accepted_rows) == ((), 9)


@pytest.mark.parametrize("number", range(10))
def test_answers_below_a_merged_question_are_read(tmp_path, number):
    draw = random.Random(number)
    codes, (yes, no) = draw.sample(sorted(FORMS), 3), MARKS[number]
    shared = [name for name in HEADS if name != "form"]
    table = [
        [*(HEADS[name] for name in shared), draw.choice(["Forma", "Forma e shfrytëzimit", "Format"]), "", ""],
        ["" for _ in shared] + [FORMS[code][draw.randrange(3)] for code in codes],
        *(
            [cells(n)[name] for name in shared] + [yes if c == code else no for c in codes]
            for n, code in enumerate(codes, 1)
        ),
    ]
    path = write_book("merged", {"Rastet": table})(tmp_path)
    assert (ask(path).questions, read(path).accepted["form"].tolist()) == ((), codes)


@pytest.mark.parametrize("number", range(10))
def test_kinds_of_help_have_a_column_each(tmp_path, number):
    (yes, no), heads = MARKS[number], ("Sociale", "Ligjore", "Psikologjike", "Ekonomike")
    names = ("Legal", "Psychological", "Economic", "Health") if number % 2 else heads
    rows = [cells(1) | dict(zip(names, (yes, yes, no, no), strict=True)), cells(2) | dict.fromkeys(names, no)]
    helped = [set(cell.split(";")) for cell in read(write(tmp_path, rows)).accepted["help"]]
    assert (len(helped[0]), helped[1]) == (2, {"unknown"})


@pytest.mark.parametrize("number", range(10))
def test_answers_that_contradict_the_column_with_all_of_them_reject_the_row(tmp_path, number):
    draw = random.Random(number)
    first, other = draw.sample(sorted(FORMS), 2)
    yes, no = draw.choice([("1", "0"), ("True", "False"), ("TRUE", "FALSE")])
    group = draw.choice(["form", "rasti/form", "g1.form"])
    heads = {"form": group, first: f"{group}/{first}", other: f"{group}/{other}"}
    marks = [
        (first, yes, no),
        (f"{first} {other}", yes, yes),
        (other, yes, no),
        (f"{first} {other}", no, yes),
        (first, "", ""),
    ]
    rows = [cells(n, form=form) | {first: a, other: b} for n, (form, a, b) in enumerate(marks, 1)]
    file = read(write(tmp_path, rows, heads))
    assert file.accepted["date"].str[-1:].tolist() == ["1", "2", "5"]
    assert (file.rejects["line"].tolist(), file.rejects["reason"].str.contains("single answers").all()) == (
        [4, 5],
        True,
    )


# -- several children in a row --

BESIDE = (
    *(("Fëmija {} kodi", "Fëmija {} mosha", "Fëmija {} gjinia"), ("child{}_code", "child{}_age", "child{}_sex")),
    *(("Child {} code", "Child {} age", "Child {} sex"), ("Παιδί {} κωδικός", "Παιδί {} ηλικία", "Παιδί {} φύλο")),
    *(("Kodi i fëmijës {}", "Mosha e fëmijës {}", "Gjinia e fëmijës {}"), ("Child code {}", "Age {}", "Sex {}")),
    *(("children[{}]/child_code", "children[{}]/age", "children[{}]/sex"), ("child_id_{}", "age_{}", "sex_{}")),
    *(("Fëmija {}/kodi", "Fëmija {}/mosha", "Fëmija {}/gjinia"), ("Child{}.Code", "Child{}.Age", "Child{}.Sex")),
    *(("Fëmija {}: kodi", "Fëmija {}: mosha", "Fëmija {}: gjinia"), ("Child code ({})", "Age ({})", "Sex ({})")),
)


def write_beside(folder, heads, first="1", book=False):
    """Write a file with two and three children in its rows; the second row has one."""
    shared = ("date", "municipality", "stage", "pathway", "form", "axis", "found")
    rows = []
    for n, count in enumerate((2, 1, 3), 1):
        row = {name: cells(n)[name] for name in shared} | {"Nr. i regjistrit": f"R-{n}"}
        for child in (1, 2, 3):
            values = (f"C-{n}{child}", 5 + child, "m" if child % 2 else "f") if child <= count else ("", "", "")
            number = first if child == 1 else str(child)
            row |= {head.format(number).strip(): str(v) for head, v in zip(heads, values, strict=True)}
        rows.append(row)
    return write(folder, rows, book=book)


@pytest.mark.parametrize("book", [False, True])
@pytest.mark.parametrize("heads", BESIDE)
def test_each_child_in_a_row_is_a_record(tmp_path, heads, book):
    path = write_beside(tmp_path, heads, book=book)
    assert (ask(path).questions, has_children(path), guess_kind(path)) == ((), True, "encounter")
    file = read(path)
    stored = file.accepted
    assert (file.rejected_rows, stored["child"].nunique()) == (0, 6)
    assert stored["record_number"].tolist() == ["R-1-1", "R-1-2", "R-2-1", "R-3-1", "R-3-2", "R-3-3"]
    assert stored["sex"].tolist() == ["male", "female", "male", "male", "female", "male"]
    assert stored["age_band"].tolist() == ["6-9"] * 6
    assert any("read as a row for each" in note for note in file.notes)


@pytest.mark.parametrize(
    "heads",
    [heads for heads in BESIDE if heads[0].endswith("{}") and heads[0] != "child_id_{}"]
    + [("Kodi i fëmijës.{}", "Mosha.{}", "Gjinia.{}")],
)
def test_the_first_child_may_have_no_number(tmp_path, heads):
    heads = [head.replace("_{}", "{}").replace(".{}", "{}") for head in heads]
    assert read(write_beside(tmp_path, heads, first="")).accepted["child"].nunique() == 6


@pytest.mark.parametrize("heads", BESIDE)
def test_one_code_beside_several_children_rejects_the_row(tmp_path, heads):
    rows = [
        cells(n, sex=None) | {head.format(k): v for k in (1, 2) for head, v in zip(heads[1:], cell, strict=True)}
        for n, cell in enumerate((("8", "f"), ("", "")), 1)
    ]
    rows[1][heads[1].format(1)] = "9"
    file = read(write(tmp_path, rows))
    assert (file.accepted["age_band"].tolist(), file.rejects["line"].tolist()) == (["6-9"], [2])
    assert "one code of a child" in file.rejects["reason"][0]


def test_merged_children_above_their_columns_are_read(tmp_path):
    shared = [name for name in HEADS if name not in ("child_id", "sex")]
    for number, (first, second) in enumerate(
        [("Fëmija 1", "Fëmija 2"), ("Child 1", "Child 2"), ("Παιδί 1", "Παιδί 2")]
    ):
        table = [
            [*(HEADS[name] for name in shared), first, "", second, ""],
            [*("" for _ in shared), "Kodi", "Gjinia", "Kodi", "Gjinia"],
            *([cells(n)[name] for name in shared] + [f"A-{n}", "f", f"B-{n}", "m"] for n in (1, 2)),
        ]
        path = write_book(f"children-{number}", {"Rastet": table})(tmp_path)
        mapping = ColumnMapping()
        for question in ask(path).questions:
            mapping = mapping.extend(answer(question, question.proposal))
        assert read(path, mapping).accepted["sex"].tolist() == ["female", "male"] * 2


@pytest.mark.parametrize(
    "headings",
    [
        ("1. Mosha", "2. Gjinia"), ("Forma 1", "Forma 2"), ("Data 1", "Data 2"), ("Mosha 0-5", "Mosha 6-9"),
        ("Takimi 1", "Takimi 2"), ("Shërbimi 1", "Shërbimi 2"), ("Viti 2007", "Viti 2008"), ("Q1", "Q2"),
        ("Fëmija 1 mosha", "Shënime"), ("Faqja 1", "Faqja 2"),
    ],
)  # fmt: skip
def test_other_numbers_split_no_row(tmp_path, headings):
    rows = [cells(n, sex=None) | dict.fromkeys(headings, "7") for n in (1, 2)]
    path = write(tmp_path, rows)
    assert not any("row for each" in note for note in ask(path).notes)


# -- repeats --


def draw_repeats(seed):
    """Return the tables of a form and of its children, and the days of the children whose submission is there."""
    draw = random.Random(seed)
    kobo = bool(seed % 2)
    group = draw.choice(["", "meeting-" if not kobo else "meeting/"])
    key_headings = ("_index",) if kobo else ("KEY",)
    link = draw.choice([("_parent_index",), ("_submission__id",)]) if kobo else ("PARENT_KEY", "KEY")
    form = [
        ("SubmissionDate", f"{group}date", f"{group}municipality", "found", *(("_id",) if kobo else ()), *key_headings)
    ]
    children = [("child_code", "sex", "stage", "pathway", "form", "axis", *link)]
    days, number = [], 0
    for n in range(1, draw.randint(4, 7)):
        key = str(n) if kobo else f"uuid:{n}"
        form.append(("2008-04-01", f"2008-03-{n:02}", "Durrës", "reported", *((str(100 + n),) if kobo else ()), key))
        for child in range(draw.randint(0 if n > 1 else 1, 3)):
            number += 1
            named = str(100 + n) if link == ("_submission__id",) else key
            links = (named,) if kobo else (named, f"{named}/child[{child + 1}]")
            children.append((f"K-{number}", "f", "at_risk", "internal", "begging", "protection", *links))
            days.append(f"2008-03-{n:02}")
    children.append(("K-99", "f", "at_risk", "internal", "begging", "protection", *["999"] * len(link)))
    return form, children, days


@pytest.mark.parametrize("as_zip", [False, True])
@pytest.mark.parametrize("seed", range(12))
def test_repeats_are_read_with_their_submissions(tmp_path, seed, as_zip):
    form, children, days = draw_repeats(seed)
    path = write_book("form", {"form": form, "child": children} if seed % 3 else {"child": children, "form": form})(
        tmp_path
    )
    if as_zip:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            for name, table in (("form.csv", form), ("form-child.csv", children)):
                text = io.StringIO()
                csv.writer(text).writerows(table)
                archive.writestr(name, text.getvalue())
            archive.writestr("media/picture.jpg", b"never opened")
        path = MemoryFile("form.zip", content.getvalue())
    seen, file = ask(path), read(path)
    assert (seen.questions, sorted(file.accepted["date"])) == ((), days)
    assert file.accepted["record_number"].is_unique
    assert file.rejects["reason"].tolist() == ["the submission of the row is missing"]
    without = len(form) - 1 - len(set(days))
    assert any("without a row" in note for note in file.notes) == bool(without)


@pytest.mark.parametrize("content", [b"PK\x03\x04", b"PK\x03\x04" + b"a.csv" * 9])
def test_a_damaged_archive_is_refused(content):
    with pytest.raises(Exception, match="damaged"):
        read(MemoryFile("form.zip", content))


def test_all_parts_of_questions_are_within_three_questions(tmp_path):
    heads = {name: OTHER_HEADS[name][0] for name in ("stage", "axis", "sex")} | {"date": "Dita", "child_id": "Kodi"}
    seen = ask(write(tmp_path, [cells(n) for n in range(1, 7)], heads))
    assert len(seen.questions) <= 3
    assert heads.keys() == set(parts_of(seen))


@pytest.mark.parametrize("heading", ["Faza", "Στάδιο", "Φάση", "Phase", "stage"])
@pytest.mark.parametrize(
    "texts", [("Parandalim", "Mbrojtje"), ("Πρόληψη", "Προστασία"), ("Prevention", "Protection", "Prevention")]
)
def test_words_of_the_axis_under_a_heading_of_the_stage_are_asked_as_the_axis(heading, texts, tmp_path):
    rows = [cells(number, stage=text, axis=None) for number, text in enumerate(texts * 4, 1)]
    path = write(tmp_path, rows, {"stage": heading})
    column, constants = ask(path).questions
    assert (column.topic, column.proposal) == ("column", {"axis": heading})
    assert list(constants.parts) == ["stage"]
    assert not ask(path, ColumnMapping(columns={"axis": heading}, constants={"stage": "at_risk"})).questions


@pytest.mark.parametrize("text", ["në rrezik", "rekrutuar"])
def test_one_word_of_a_stage_keeps_the_column(text, tmp_path):
    rows = [cells(number, stage=word, axis=None) for number, word in enumerate(("Parandalim", "Mbrojtje", text) * 3, 1)]
    assert "stage" in [reading.column for reading in ask(write(tmp_path, rows)).readings]


@pytest.mark.parametrize(
    "heading", [f"{start} {n} {end}" for start in ("Admin", "admin") for n in (1, 2, 3) for end in ("Name", "Code")]
)
def test_an_administrative_area_is_no_name_of_a_person(heading):
    assert find_personal_heading(heading, frozenset({"names"})) is None


@pytest.mark.parametrize(
    ("place", "code"),
    [("Ηράκλειο (Κρήτη)", "9305"), ("Ηράκλειο (Αττική)", "9170"), ("Crete (municipality 9305)", "9305")],
)
def test_an_answer_with_a_region_in_brackets_is_the_municipality(place, code, tmp_path):
    assert PLACES.resolve(read_place_label(place), None, "municipality").code == code
    path = write(tmp_path, [cells(number, municipality="Ηράκλειο") for number in range(1, 5)])
    (question,) = ask(path).questions
    assert not ask(path, answer(question, {"Ηράκλειο": place})).questions


@pytest.mark.parametrize("group", ["form", "help", "axis"])
@pytest.mark.parametrize("asked", ["sex", "age", "Gjinia", "Mosha"])
def test_a_question_in_a_group_is_no_answer(group, asked):
    heading = f"{group}.{asked}"
    layout = match_headings(KINDS["encounter"], ["child_id", heading], ColumnMapping())
    assert (layout.ticks, [layout.columns.get(name) for name in ("sex", "age_band")].count(1)) == ({}, 1)


@pytest.mark.parametrize("mark", ["(po/jo)", "(ναι/όχι)", "[x]", "(yes/no)"])
@pytest.mark.parametrize("names", [("Lypje", "Vjedhje"), ("Επαιτεία", "Κλοπή"), ("begging", "labour")])
def test_an_answer_may_name_its_marks(names, mark):
    layout = match_headings(KINDS["encounter"], ["child_id", *(f"{name} {mark}" for name in names)], ColumnMapping())
    assert sorted(layout.ticks["form"]) == [1, 2]


@pytest.mark.parametrize("seed", range(10))
def test_a_submission_may_say_how_many_children_its_repeats_have(tmp_path, seed):
    form, children, _ = draw_repeats(seed)
    counted = [[*form[0], "Number of children"], *([*row, 2] for row in form[1:])]
    path = write_book("form", {"form": counted, "child": children})(tmp_path)
    assert (
        read(path).rejected_rows == read(write_book("form", {"form": form, "child": children})(tmp_path)).rejected_rows
    )
