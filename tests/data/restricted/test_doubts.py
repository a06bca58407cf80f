"""What would change stored records by mistake is asked about, and nothing is stored before."""

from dataclasses import replace

import pytest

from data.restricted import keys
from data.restricted.doubts import DoubtfulFile
from data.restricted.imports import find_mappings
from data.restricted.intake.mapping import ColumnMapping
from tests.helpers.partner_files import ROW, text_of, write
from tests.helpers.repetitions import vary

MUNICIPALITIES = ["Tiranë", "Durrës", "Fier", "Vlorë", "Korçë"]


def month(number, rows, numbers="R-{}", children="K-{}"):
    """Return the rows of a month: each has its day, place and child."""
    return [
        ROW
        | {
            "date": f"2008-{number:02}-{n % 28 + 1:02}",
            "municipality": MUNICIPALITIES[n % 5],
            "child_id": children.format(n),
            "record_number": numbers.format(n + 1),
        }
        for n in range(rows)
    ]


def take(importer, folder, rows, partner=None, name="a.csv", **answers):
    importer = replace(importer, answers=answers)
    return importer.import_file(write(folder, text_of(rows), name), kind="encounter", partner=partner)


def ask(importer, folder, rows, **answers):
    """Return the open questions by name."""
    before = importer.vault.read_state()
    with pytest.raises(DoubtfulFile) as caught:
        take(importer, folder, rows, **answers)
    assert importer.vault.read_state() == before
    return {doubt.name: doubt for doubt in caught.value.doubts}


# Numbers that begin again: more rows, fewer rows, other forms of a number, the same children or others.
@pytest.mark.parametrize(
    ("rows", "numbers", "children"),
    [
        (6, "R-{}", "L-{}"),
        (6, "{}", "L-{}"),
        (9, "{}", "K-{}"),
        (2, "{}", "K-{}"),
        (1, "{}", "L-{}"),
        (12, "{}/08", "L-{}"),
        (4, "Nr. {}", "L-{}"),
        (30, "000{}", "K-{}"),
        (6, "A{}", "{}"),
        (5, "2008/{}", "M{}"),
    ],
)
def test_record_numbers_that_begin_again_overwrite_nothing(importer, tmp_path, rows, numbers, children):
    take(importer, tmp_path, month(1, 6, numbers))
    february = month(2, rows, numbers, children)
    doubt = ask(importer, tmp_path, february)["numbers"]
    assert f"{min(rows, 6)} of {min(rows, 6)} rows" in doubt.text
    assert "2008-01" in doubt.sample[0]
    assert "2008-02" in doubt.sample[0]
    taken = take(importer, tmp_path, february, "ARSIS", numbers="new")
    assert (taken.accepted, taken.changed) == (rows, 0)
    # The answer is kept: March is not asked.
    march = replace(importer, mappings=find_mappings(importer.workspace, "ARSIS"))
    assert take(march, tmp_path, month(3, rows, numbers, children), "ARSIS").accepted == rows
    assert importer.vault.count("encounter") == 6 + 2 * rows


def test_corrections_go_in_without_a_question_where_they_are_few(importer, tmp_path):
    rows = month(1, 6)
    take(importer, tmp_path, rows)
    rows[2] |= {"date": "2008-01-30", "sex": "male"}
    rows[3] |= {"stage": "recruited"}
    assert take(importer, tmp_path, rows).changed == 2
    others = [row | {"stage": "identified"} for row in rows]
    assert take(importer, tmp_path, others).changed == 6
    moved = [row | {"date": row["date"].replace("-01-", "-03-")} for row in rows]
    assert "numbers" in ask(importer, tmp_path, moved)
    assert take(importer, tmp_path, moved, numbers="correct").changed == 6


@vary("rows", [1, 2, 6, 13], 1, 6)
@pytest.mark.parametrize("change", [{"stage": "recruited"}, {"municipality": "Kukës"}, {"date": "2008-01-01"}])
def test_a_corrected_file_without_record_numbers_replaces_or_adds(importer, tmp_path, rows, change):
    first = month(1, rows, "")
    take(importer, tmp_path, first)
    assert take(importer, tmp_path, first).already_known == rows  # the same file again is no question
    second = [row | change if n == rows - 1 else row for n, row in enumerate(first)]
    second = second[1:] if rows > 2 else second  # and a row was deleted
    if second == first:
        return
    gone = len({*map(str, first)} - {*map(str, second)})
    doubt = ask(importer, tmp_path, second)["period"]
    assert f"{gone} rows of the earlier import" in doubt.facts[0]
    replaced = take(importer, tmp_path, second, period="replaces")
    assert replaced.accepted == 1
    assert importer.vault.count("encounter") == len(second)
    assert importer.vault.undo(replaced.number).removed == 1
    assert importer.vault.count("encounter") == len(first)
    assert take(importer, tmp_path, second, period="replaces").accepted == 1
    assert take(importer, tmp_path, second).already_known == len(second)
    third = [*second[:-1], second[-1] | {"form": "domestic_work"}]
    take(importer, tmp_path, third, period="adds")
    assert importer.vault.count("encounter") == len(second) + 1


def test_other_files_of_a_partner_are_no_versions(importer, tmp_path):
    take(importer, tmp_path, month(1, 20, ""))
    take(importer, tmp_path, month(2, 20, ""))  # the same children a month later
    take(importer, tmp_path, month(1, 20, "", "X-{}"))  # another team
    everything = [*month(1, 20, ""), *month(2, 20, ""), *month(3, 20, "")]
    assert take(importer, tmp_path, everything).accepted == 20  # the list of the whole year so far


@pytest.mark.parametrize("rows", [3, 6, 20])
@pytest.mark.parametrize("other", [{"municipality": "Kukës"}, {"found": "discovered"}, {"stage": "recruited"}])
def test_two_teams_that_meet_the_same_children_are_not_asked(importer, tmp_path, rows, other):
    take(importer, tmp_path, month(1, rows, ""))
    days = [row | other | {"date": f"2008-01-{n % 20 + 9:02}"} for n, row in enumerate(month(1, rows, ""))]
    assert take(importer, tmp_path, days).accepted == rows


@pytest.mark.parametrize("rows", [2, 6, 20])
def test_a_list_whose_days_were_all_wrong_is_asked(importer, tmp_path, rows):
    take(importer, tmp_path, month(1, rows, ""))
    wrong = month(1, rows + 1, "")
    assert "period" in ask(
        importer, tmp_path, [row | {"date": wrong[n + 1]["date"]} for n, row in enumerate(wrong[:-1])]
    )


@pytest.mark.parametrize("rows", [1, 2, 5])
def test_a_file_of_corrections_alone_is_not_asked(importer, tmp_path, rows):
    first = month(1, 6)
    take(importer, tmp_path, first)
    assert take(importer, tmp_path, [row | {"stage": "recruited"} for row in first[:rows]]).changed == rows
    assert importer.vault.count("encounter") == 6


def test_each_kind_has_versions(importer, tmp_path):
    effort = {"municipality": "Tiranë", "days": "2", "kind": "other", "partner": "ARSIS"}
    outreach = [effort | {"date": f"2008-03-{day:02}"} for day in range(1, 6)]
    importer.import_file(write(tmp_path, text_of(outreach)))
    outreach[2] |= {"days": "3"}
    with pytest.raises(DoubtfulFile):
        importer.import_file(write(tmp_path, text_of(outreach)))
    replace(importer, answers={"period": "replaces"}).import_file(write(tmp_path, text_of(outreach)))
    assert importer.vault.count("effort") == 5


CHANGES = {
    "one child for all": lambda row, n: row | {"child_id": "F-1"},
    "two children for all": lambda row, n: row | {"child_id": f"F-{n % 2}"},
    "all on one day": lambda row, n: row | {"date": "2008-02-01"},
    "no sex": lambda row, n: row | {"sex": ""},
    "no age": lambda row, n: row | {"age_band": ""},
    "no numbers": lambda row, n: row | {"record_number": ""},
    "community where none was": lambda row, n: row | {"community": "roma"},
    "origin where none was": lambda row, n: row | {"origin": "Kukës"},
    "another heading": lambda row, n: {("Mosha" if k == "age_band" else k): v for k, v in row.items()},
    "a column less": lambda row, n: {k: v for k, v in row.items() if k != "sex"},
    "a column more": lambda row, n: row | {"victim_status": "unknown"},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_file_that_is_read_otherwise_than_the_last_one_is_asked(importer, tmp_path, change):
    take(importer, tmp_path, month(1, 12))
    february = [change(row, n) for n, row in enumerate(month(2, 12, "S-{}", "L-{}"))]
    doubts = ask(importer, tmp_path, february)
    assert list(doubts) == ["changes"]
    assert "last file" in doubts["changes"].facts[0]
    taken = take(importer, tmp_path, february, changes="right")
    assert taken.accepted == 12
    # The next file is compared with this one.
    assert take(importer, tmp_path, [change(row, n) for n, row in enumerate(month(3, 12, "T-{}"))]).accepted == 12
    importer.vault.undo(1)
    assert importer.vault.count("encounter") == 24


def test_a_heading_that_the_product_knows_is_asked_where_the_kept_mapping_names_another(importer, tmp_path):
    mapped = replace(importer, mappings={"encounter": ColumnMapping({"child_id": "Rasti"})})
    january = [{("Rasti" if k == "child_id" else k): v for k, v in row.items()} for row in month(1, 8)]
    assert take(mapped, tmp_path, january).accepted == 8
    february = [row | {"Rasti": "1", "Kodi i fëmijës": f"K-{n}"} for n, row in enumerate(january)]
    february = [row | {"date": "2008-02-03", "record_number": f"S-{n}"} for n, row in enumerate(february)]
    facts = " ".join(ask(mapped, tmp_path, february)["changes"].facts)
    assert "'Kodi i fëmijës' means child_id, but the partner's mapping reads child_id from 'Rasti'" in facts
    assert "child_id has 1 different values in 8 rows; in the last file 8 in 8" in facts


def list_outlines(vault):
    return [name for (name,) in vault._connection.execute("SELECT name FROM meta WHERE name LIKE '%outline%'")]


def test_how_its_files_were_read_leaves_with_a_partner_and_not_that_of_others(importer, tmp_path):
    take(importer, tmp_path, month(1, 6))
    take(importer, tmp_path, [row | {"partner": "BKTF"} for row in month(2, 6)])
    assert len(list_outlines(importer.vault)) == 2
    importer.vault.withdraw("arsis")
    (left,) = list_outlines(importer.vault)
    assert left.endswith(" 2")
    take(importer, tmp_path, month(1, 6))  # it may come back
    assert len(list_outlines(importer.vault)) == 2


def test_a_new_vault_hashes_no_code_as_an_earlier_version_did(importer, tmp_path, monkeypatch):
    """Codes as they are written are looked for only where an earlier version may have hashed them."""
    hashed, usual = [], keys.IdentifierHasher.hash

    def note(hasher, names):
        hashed.extend(names)
        return usual(hasher, names)

    monkeypatch.setattr(keys.IdentifierHasher, "hash", note)
    take(importer, tmp_path, month(1, 6))
    take(importer, tmp_path, month(2, 6, "S-{}", "L-{}"), changes="right")
    codes = {name.rpartition("\x1f")[2] for name in hashed}
    assert {f"k-{n}" for n in range(6)} <= codes
    assert not [code for code in codes if code != code.casefold()]


def test_what_a_file_has_is_counted_beside_the_partners_file_before(importer, tmp_path):
    first = [*month(1, 6), month(1, 1, "S-{}")[0] | {"date": "2008-02-01"}]  # seven rows about six children
    january = take(importer, tmp_path, first)
    take(importer, tmp_path, [row | {"partner": "Qendra"} for row in month(1, 3, "Q-{}")])
    february = take(importer, tmp_path, [*month(2, 4, "T-{}", "L-{}"), first[1]])
    kind, counts, before = importer.vault.count_file(february.number)
    assert (kind, counts[""], before[""]) == ("encounter", {"": 5}, {"": 6})
    assert counts["date"] == {"2008-01": 1, "2008-02": 4}
    assert before["date"] == {"2008-01": 6, "2008-02": 1}
    assert sum(before["municipality"].values()) == 6
    # A later correction does not change what the file said.
    take(importer, tmp_path, [row | {"stage": "recruited"} for row in first])
    assert importer.vault.count_file(january.number) == ("encounter", before, {})


@pytest.mark.parametrize(("total", "agrees"), [("6", True), ("Gjithsej: 6 fëmijë", True), ("7", False)])
def test_a_total_that_is_not_the_number_of_rows_or_children_is_noted(importer, tmp_path, total, agrees):
    last = dict.fromkeys(ROW, "") | {"date": "Gjithsej", "child_id": total}
    last = last if total.isdigit() else last | {"date": total, "child_id": ""}
    taken = take(importer, tmp_path, [*month(1, 6), last])
    assert (taken.accepted, taken.rejected, len(taken.totals)) == (6, 0, 1)
    assert any(note.startswith("The row of totals") for note in taken.notes) is not agrees
    assert not [note for note in taken.notes if total in note and not agrees and "line" not in note]


NO_NUMBERS = ["0", "000", "0.0", "-", "?", "999", "99", "9999", "unknown", "pa kod", "άγνωστο"]


@pytest.mark.parametrize("number", NO_NUMBERS)
def test_a_household_number_that_says_none_joins_no_children_and_a_note_says_so(importer, tmp_path, number):
    rows = [row | {"household_number": number if n < 5 else f"F-{n}"} for n, row in enumerate(month(1, 6))]
    taken = take(importer, tmp_path, rows)
    assert [note for note in taken.notes if "in place of a household_number: 5." in note]
    (batch,) = importer.vault.read("encounter", ["household"])
    assert sorted(map(bool, batch["household"].to_pylist())) == [False] * 5 + [True]


# On nearly all rows of a small file; or on a few of many rows, but of more children than a family has.
@pytest.mark.parametrize(("rows", "crowd"), [(6, 6), (11, 6), (40, 16), (200, 30)])
@pytest.mark.parametrize("number", ["1", "88", "S1", "F-1"])
def test_a_household_number_of_very_many_children_is_asked(importer, tmp_path, rows, crowd, number):
    rows = [row | {"household_number": number if n < crowd else f"F-{n}"} for n, row in enumerate(month(1, rows))]
    doubt = ask(importer, tmp_path, rows)["families"]
    assert f"{crowd} children have the same household number, in lines 2, 3" in doubt.facts[0]
    taken = take(importer, tmp_path, rows, families="none")
    assert taken.accepted == len(rows)
    households = [
        text for batch in importer.vault.read("encounter", ["household"]) for text in batch["household"].to_pylist()
    ]
    assert (households.count(""), len({*households} - {""})) == (crowd, len(rows) - crowd)
    assert take(importer, tmp_path, rows, families="none").already_known == len(rows)
    assert take(importer, tmp_path, rows, families="right").changed == crowd


def test_families_and_children_met_often_are_not_asked(importer, tmp_path):
    large = [row | {"household_number": f"F-{n // 12}"} for n, row in enumerate(month(1, 60))]
    assert take(importer, tmp_path, large).accepted == 60
    one_child = [row | {"household_number": "G-1", "child_id": "L-1"} for row in month(2, 25, "M-{}")]
    assert take(importer, tmp_path, one_child).accepted == 25


def test_a_household_number_that_grows_from_file_to_file_gets_a_note(importer, tmp_path):
    for number in (1, 2, 3):
        rows = month(number, 12, f"{number}-{{}}", f"{number}-{{}}")
        rows = [row | {"household_number": "X" if n < 6 else ""} for n, row in enumerate(rows)]
        notes = take(importer, tmp_path, rows).notes
        assert bool([note for note in notes if "more than 15 children" in note]) == (number == 3)


def write_days(day_first, days):
    """Return a month with days such as 3/1/2008, in one of two orders."""
    rows = month(1, len(days))
    texts = [f"{day}/1/2008" if day_first else f"1/{day}/2008" for day in days]
    return [row | {"date": text} for row, text in zip(rows, texts, strict=True)]


def read_days(importer):
    return sorted(day for batch in importer.vault.read("encounter", ["date"]) for day in batch["date"].to_pylist())


@pytest.mark.parametrize("day_first", [True, False])
def test_days_that_may_be_read_two_ways_are_read_as_in_the_last_file_of_the_partner(importer, tmp_path, day_first):
    order = "day first" if day_first else "month first"
    clear, unclear = write_days(day_first, [3, 4, 25]), write_days(day_first, [5, 6])
    assert take(importer, tmp_path, unclear, "ARSIS").rejected == 2
    rules = {} if day_first else {"encounter": ColumnMapping(slashes="month first")}
    assert take(replace(importer, mappings=rules), tmp_path, clear, "ARSIS").accepted == 3
    later = replace(importer, mappings=find_mappings(importer.workspace, "ARSIS"))
    unclear = [row | {"record_number": f"L-{n}", "child_id": f"L-{n}"} for n, row in enumerate(unclear)]
    taken = take(later, tmp_path, unclear, "ARSIS")
    assert taken.accepted == 2
    assert any(f"read with the {order}: the file does not say so" in note for note in taken.notes)
    assert read_days(importer) == [f"2008-01-{day:02}" for day in (3, 4, 5, 6, 25)]
    other = [row | {"record_number": f"M-{n}"} for n, row in enumerate(write_days(not day_first, [5, 6, 26]))]
    assert take(later, tmp_path, other, "ARSIS").rejected == 3
    assert find_mappings(importer.workspace, "Tjetër")["encounter"].slashes == ""
