"""A second month, the year so far, and a corrected file come out right: nothing doubled, nothing lost."""

import random
from collections import Counter
from dataclasses import replace

import pytest

from data.restricted.doubts import DoubtfulFile
from data.restricted.imports import find_mappings
from tests.data.restricted.test_doubts import month
from tests.helpers.partner_files import text_of, workbook, write
from tests.helpers.repetitions import vary

MONTHS = ["Janar", "Shkurt", "Mars", "Prill", "Maj"]


def number(months, how):
    """Return the rows of several months, each with its record number.

    how : "none"; "running" over the whole file; "again" from 1 in each month; "sorted" as that, by number.
    """
    rows = [row | {"record_number": str(n + 1)} for of_month in months for n, row in enumerate(of_month)]
    if how in ("none", "running"):
        rows = [row | {"record_number": str(n + 1) if how == "running" else ""} for n, row in enumerate(rows)]
    return sorted(rows, key=lambda row: int(row["record_number"])) if how == "sorted" else rows


def save(folder, months, how, layout):
    rows = number(months, how)
    if layout == "one":
        return write(folder, text_of(rows))
    parts = [[row for row in rows if row["date"][5:7] == part[0]["date"][5:7]] for part in months]
    sheets = zip(MONTHS, parts, strict=False)
    return workbook(folder, *((name, [list(part[0]), *(list(row.values()) for row in part)]) for name, part in sheets))


def settle(importer, path, **wanted):
    """Import a file, answer what is asked, and return the result, the names of all questions, and their facts."""
    answers, asked, rehearsed, facts = {}, [], [], ""
    wanted = {"numbers": "new", "period": "replaces", "changes": "right"} | wanted
    while True:
        for way in (replace(importer, answers=answers, rehearse=True), replace(importer, answers=answers)):
            before, doubts = importer.vault.read_state(), ()
            try:
                taken = way.import_file(path, kind="encounter", partner=None if importer.mappings == {} else "ARSIS")
            except DoubtfulFile as doubtful:
                assert importer.vault.read_state() == before
                doubts = doubtful.doubts
                facts += " ".join(str(fact) for doubt in doubts for fact in doubt.facts)
            if not way.rehearse:
                assert [doubt.name for doubt in doubts] == rehearsed
            rehearsed = [doubt.name for doubt in doubts]
        if not doubts:
            return taken, asked, facts
        asked += rehearsed
        assert len(asked) <= 3
        for doubt in doubts:  # an answer that is not offered is given once
            again = asked.count(doubt.name) > 1
            answers[doubt.name] = "adds" if again else wanted[doubt.name]


def stored(importer):
    names = ["child", "date", "municipality", "stage"]
    rows = [row for batch in importer.vault.read("encounter", names) for row in batch.to_pylist()]
    return Counter((row["child"], row["date"], row["stage"]) for row in rows)


def check(importer, *months):
    """Check that these rows are stored, each once."""
    rows = [row for of_month in months for row in of_month]
    now = stored(importer)
    days = Counter((row["date"], row["stage"]) for row in rows)
    assert Counter((day, stage) for _, day, stage in now.elements()) == days
    assert len({child for child, *_ in now}) == len({row["child_id"] for row in rows})


WAYS = [
    (how, layout, sizes, keeps)
    for how, layout in [
        ("again", "sheets"),
        ("again", "one"),
        ("sorted", "one"),
        ("running", "sheets"),
        ("none", "one"),
    ]
    for sizes in [(20, 17), (3, 3), (2, 9), (3, 1)]
    for keeps in (True, False)
]


@vary("how,layout,sizes,keeps", WAYS, *WAYS[::3], WAYS[1])
def test_months_and_corrections_come_out_right(importer, tmp_path, how, layout, sizes, keeps):
    first, second = month(1, sizes[0]), month(2, sizes[1], children="L-{}")

    def bring(*months, **wanted):
        used = layout if len(months) > 1 else "one"
        mappings = find_mappings(importer.workspace, "ARSIS") if keeps else {}
        way = replace(importer, mappings=mappings)
        taken, asked, facts = settle(way, save(tmp_path, months, how, used), **wanted)
        check(importer, *months)
        return taken, asked, facts

    assert bring(first)[0].accepted == sizes[0]
    taken, asked, _ = bring(first, second)
    assert (taken.accepted, taken.changed, taken.already_known) == (sizes[1], 0, sizes[0])
    assert asked == (["numbers"] if how in ("again", "sorted") else [])
    assert bring(first, second)[0].already_known == sum(sizes)  # the same again
    layout = "one"
    assert bring(first, second)[0].already_known == sum(sizes)
    first = [first[0] | {"stage": "recruited"}, *first[1:]]
    taken, asked, facts = bring(first, second)
    assert taken.accepted + taken.changed == 1
    if how != "running":
        assert asked[-1] == "period"
        assert "1 rows are new or corrected, and 1 rows of the earlier" in facts
    first = first[:-1]
    if how != "running":  # where numbers run, those of all later rows are others
        taken, asked, facts = bring(first, second)
        assert "0 rows are new or corrected, and 1 rows of the earlier" in facts
        assert asked[-1] == "period"


FAULTS = [
    {"age_band": "x"},
    {"age_band": "54"},
    {"sex": "xx"},
    {"stage": "wrong"},
    {"date": "never"},
    {"date": "2030-01-01"},
    {"municipality": "Xyz"},
    {"child_id": ""},
    {"form": "qqq"},
    {"country": "GR"},
    {"community": "qqq"},
]


def refuse(importer, path, **answers):
    """Return the question on versions of a file that was refused; nothing is stored."""
    before = importer.vault.read_state()
    with pytest.raises(DoubtfulFile) as caught:
        replace(importer, answers=answers).import_file(path, kind="encounter")
    assert importer.vault.read_state() == before
    (doubt,) = [doubt for doubt in caught.value.doubts if doubt.name == "period"]
    return doubt, str(caught.value)


@vary("rows,fault", [(rows, fault) for rows in (4, 9) for fault in FAULTS], *((4, fault) for fault in FAULTS[::3]))
def test_a_rejected_row_with_a_number_keeps_the_record_that_is_stored(importer, tmp_path, rows, fault):
    first = number([month(1, rows)], "running")
    settle(importer, write(tmp_path, text_of(first)))
    second = [first[0] | fault, first[1] | {"stage": "recruited"}, *first[3:]]  # one wrong, one corrected, one deleted
    taken, asked, facts = settle(importer, write(tmp_path, text_of(second)))
    assert asked == ["period"]
    assert "1 rows of the earlier" in facts
    assert (taken.rejected, taken.changed) == (1, 1)
    check(importer, [first[0], second[1], *first[3:]])
    importer.vault.undo(taken.number)
    check(importer, first)


@vary("rows,fault", [(rows, fault) for rows in (3, 9) for fault in FAULTS], *((3, fault) for fault in FAULTS[::3]))
def test_a_file_without_numbers_replaces_nothing_while_rows_are_rejected(importer, tmp_path, rows, fault):
    first = number([month(1, rows)], "none")
    settle(importer, write(tmp_path, text_of(first)))
    second = [first[0] | fault, first[1] | {"stage": "recruited"}, *first[3:]]
    path = write(tmp_path, text_of(second))
    for way in (replace(importer, rehearse=True), importer):
        doubt, _ = refuse(way, path)
        assert list(doubt.answers) == ["adds"]
        assert any("nobody can say which rows of the earlier import" in fact for fact in doubt.facts)
        assert any(fact.startswith("Line 2: ") for fact in doubt.facts)
        _, text = refuse(way, path, period="replaces")
        lists = list(importer.workspace.rejects.glob("*/*.csv"))
        assert bool(lists) is not way.rehearse
    assert str(lists[0]) in text
    settle(importer, path, period="adds")
    check(importer, [*first, second[1]])
    importer.vault.undo(2)
    second[0] = first[0] | {"stage": "recruited"}
    settle(importer, write(tmp_path, text_of(second)))
    check(importer, second)


# What else a row may be that the file has and nobody can read.
UNSURE = {
    "a number twice": lambda rows: [*rows[:4], rows[4] | {"record_number": "4"}, *rows[5:]],
    "no number": lambda rows: [*rows[:2], rows[2] | {"record_number": "", "age_band": "x"}, *rows[3:]],
    "no partner": lambda rows: [*rows[:2], rows[2] | {"partner": ""}, *rows[3:]],
    "a remark": lambda rows: [*rows[:2], dict.fromkeys(rows[2], "") | {"date": "Shih mbrapa"}, *rows[3:]],
    "a number alone": lambda rows: [*rows[:2], dict.fromkeys(rows[2], "") | {"record_number": "3"}, *rows[3:]],
    "a day for a number": lambda rows: [*rows[:2], rows[2] | {"record_number": "17.08.1999"}, *rows[3:]],
}


@pytest.mark.parametrize("rows", [9, 12])
@pytest.mark.parametrize("change", UNSURE.values(), ids=UNSURE)
def test_a_rejected_row_whose_number_is_not_sure_stops_a_file_from_replacing(importer, tmp_path, rows, change):
    first = number([month(1, rows)], "running")
    settle(importer, write(tmp_path, text_of(first)))
    path = write(tmp_path, text_of(change(first)))
    assert list(refuse(importer, path)[0].answers) == ["adds"]
    settle(importer, path, period="adds")
    check(importer, first)


@pytest.mark.parametrize("rows", [3, 6, 9])
@pytest.mark.parametrize("fault", FAULTS[::4])
def test_a_number_that_the_stored_rows_lack_says_nothing(importer, tmp_path, rows, fault):
    first = number([month(1, rows)], "none")
    settle(importer, write(tmp_path, text_of(first)))
    numbered = number([month(1, rows)], "running")
    path = write(tmp_path, text_of([numbered[0] | fault, *numbered[1:]]))
    assert list(refuse(importer, path)[0].answers) == ["adds"]
    path = write(tmp_path, text_of(numbered))
    taken, asked, _ = settle(importer, path)
    assert (taken.accepted, taken.already_known, "period" in asked) == (0, rows, False)
    check(importer, first)


PARTS = [
    (first, last, how) for first, last in [(15, 15), (5, 25), (10, 3), (25, 10), (2, 2)] for how in ("running", "none")
]


@vary("first,last,how", PARTS, *PARTS[::4])
@pytest.mark.parametrize("change", [{}, {"stage": "recruited"}])
def test_a_file_that_overlaps_partly_loses_no_row_of_other_days(importer, tmp_path, first, last, how, change):
    """The second file begins with a day in the first month and ends with one in the second."""
    january, february = number([month(1, 28), month(2, 28)], how)[:28], number([month(1, 28), month(2, 28)], how)[28:]
    settle(importer, write(tmp_path, text_of(january)))
    second = [*january[first - 1 :], *february[:last]]
    second[0] |= change
    taken, asked, facts = settle(importer, write(tmp_path, text_of(second)), period="days")
    assert taken.accepted + taken.changed == last + bool(change)
    assert asked in ([], ["period"])
    check(importer, [*january[: first - 1], *second])
    if asked:
        assert f"{first - 1} of the rows that are not in this file are of days before its first" in facts


@pytest.mark.parametrize("how", ["again", "sorted", "running", "none"])
@pytest.mark.parametrize("sizes", [(3, 3, 3, 3), (2, 1, 3, 4), (9, 1, 5, 2)])
@pytest.mark.parametrize("same_children", [True, False])
def test_the_year_so_far_each_month_comes_out_right(importer, tmp_path, how, sizes, same_children):
    """Every file has all months before; in each, a row of the first month is corrected."""
    months = [month(n + 1, size, children="K-{}" if same_children else f"{n}-{{}}") for n, size in enumerate(sizes)]
    if same_children:
        months = [[row | {"child_id": f"{n}{row['child_id']}"} for row in part] for n, part in enumerate(months)]
    for last in range(1, len(months) + 1):
        months[0] = [months[0][0] | {"date": f"2008-01-{last + 9}"}, *months[0][1:]]
        settle(importer, save(tmp_path, months[:last], how, "one"), numbers="correct" if how == "running" else "new")
        check(importer, *months[:last])


@vary("how", ["again", "running", "none"])
@vary("sizes", [(3, 3, 3), (1, 1, 1), (20, 3, 9), (3, 20, 20)])
def test_months_with_no_day_in_common_each_go_in_and_their_corrections_too(importer, tmp_path, how, sizes):
    months = [month(n + 1, size, children=f"{n}-{{}}") for n, size in enumerate(sizes)]
    start = 0
    for n, part in enumerate(months):
        rows = [row | {"record_number": "" if how == "none" else str(k + 1 + start)} for k, row in enumerate(part)]
        start += len(part) if how == "running" else 0
        for changed in (rows, [rows[0] | {"stage": "recruited"}, *rows[1:]]):
            settle(importer, write(tmp_path, text_of(changed)))
            check(importer, *months[:n], changed)
        months[n] = changed


@vary(
    "numbers,period",
    [(n, p) for n in ("new", "correct") for p in ("replaces", "days", "adds")],
    ("correct", "replaces"),
)
@vary("how,layout", [("again", "sheets"), ("again", "one"), ("sorted", "one")])
@pytest.mark.parametrize("sizes", [(3, 2), (20, 17), (4, 9)])
def test_no_answer_loses_a_row_that_is_in_the_file(importer, tmp_path, how, layout, sizes, numbers, period):
    january, february = month(1, sizes[0]), month(2, sizes[1], children="L-{}")
    settle(importer, save(tmp_path, [january], how, "one"))
    before = stored(importer)
    first, last = january[0]["date"], january[-1]["date"]
    january = [january[0] | {"stage": "recruited"}, *january[1:-1]]
    path = save(tmp_path, [january, february], how, layout)
    _, asked, facts = settle(importer, path, numbers=numbers, period=period)
    assert asked[:2] == ["numbers", "period"]
    assert "2 rows of the earlier" in facts
    now = stored(importer)
    gone = {day for _, day, _ in (before - now)}
    corrected = any((day, stage) == (first, "recruited") for _, day, stage in now)
    assert gone <= {last, *([first] if corrected else [])}  # the row that is not in the file, and the one it corrects
    if (numbers, period) == ("new", "replaces"):
        check(importer, january, february)


def change_year(draw, months):
    """Change months in place as a partner does from file to file: a row corrected or deleted, or a month more."""
    step = draw.choice(["more", "more", "stage", "day", "delete", "same"]) if months else "more"
    part = draw.choice([part for part in months if len(part) > 2] or [[]])
    if step == "more" and len(months) < len(MONTHS):
        rows = month(len(months) + 1, draw.randint(3, 12), children=f"{len(months)}-{{}}")
        months.append([row | {"record_number": ""} for row in rows])
    elif part and step == "delete":
        part.pop(draw.randrange(len(part)))
    elif part and step in ("stage", "day"):
        place = draw.randrange(len(part))
        day = draw.choice(part)["date"]
        part[place] = part[place] | ({"stage": "recruited"} if step == "stage" else {"date": day})


@vary("seed", range(60), *range(12))
def test_drawn_years_with_corrections_come_out_as_the_last_file(importer, tmp_path, seed):
    draw = random.Random(seed)
    how, months = ["again", "sorted", "none"][seed % 3], []
    keeps = draw.random() < 0.5
    for _ in range(6):
        change_year(draw, months)
        layout = draw.choice(["one", "sheets"]) if len(months) > 1 and how != "sorted" else "one"
        way = replace(importer, mappings=find_mappings(importer.workspace, "ARSIS") if keeps else {})
        settle(way, save(tmp_path, months, how, layout))
        check(importer, *months)
    if imports := importer.vault.list_imports():
        importer.vault.undo(imports[0]["number"])  # the first file is in the later ones
        assert importer.vault.count("encounter") == (sum(map(len, months)) if len(imports) > 1 else 0)


@pytest.mark.parametrize("how", ["running", "none"])
@pytest.mark.parametrize("rows", [3, 6, 9])
@pytest.mark.parametrize("change", [{}, {"stage": "recruited"}])
def test_a_file_of_one_partner_removes_no_row_of_another(importer, tmp_path, how, rows, change):
    ours = number([month(1, rows)], how)
    theirs = [row | {"partner": "BKTF", "child_id": f"B-{n}"} for n, row in enumerate(ours)]
    importer.import_file(write(tmp_path, text_of([*ours, *theirs])))
    second = [ours[0] | change, *ours[2:]]
    settle(importer, write(tmp_path, text_of(second)))
    check(importer, second, theirs)


@pytest.mark.parametrize("day", range(1, 6))
@pytest.mark.parametrize("fault", [{"days": "many"}, {"municipality": "Xyz"}])
def test_a_rejected_row_of_outreach_stops_a_file_from_replacing(importer, tmp_path, day, fault):
    effort = {"municipality": "Tiranë", "days": "2", "kind": "other", "partner": "ARSIS"}
    outreach = [effort | {"date": f"2008-03-{n:02}"} for n in range(1, 6)]
    importer.import_file(write(tmp_path, text_of(outreach)))
    outreach[day - 1] |= fault
    with pytest.raises(DoubtfulFile) as caught:
        replace(importer, answers={"period": "replaces"}).import_file(write(tmp_path, text_of(outreach)))
    assert list(caught.value.doubts[0].answers) == ["adds"]
    assert importer.vault.count("effort") == 5
