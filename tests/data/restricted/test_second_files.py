"""A second month, the year so far, and a corrected file come out right: nothing doubled, nothing lost, few questions."""

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
    answers, asked, facts = {}, [], ""
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
        assert len(asked) == len(set(asked)) <= 3
        answers |= {doubt.name: wanted[doubt.name] for doubt in doubts}


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
    (how, layout, sizes, kept)
    for how, layout in [("again", "sheets"), ("again", "one"), ("sorted", "one"), ("running", "sheets"), ("none", "one")]
    for sizes in [(20, 17), (3, 3), (2, 9), (3, 1)]
    for kept in (True, False)
]


@vary("how,layout,sizes,kept", WAYS, *WAYS[::3], WAYS[1])
def test_months_and_corrections_come_out_right(importer, tmp_path, how, layout, sizes, kept):
    first, second = month(1, sizes[0]), month(2, sizes[1], children="L-{}")

    def bring(*months, **wanted):
        used = layout if len(months) > 1 else "one"
        mappings = find_mappings(importer.workspace, "ARSIS") if kept else {}
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
