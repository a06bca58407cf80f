"""Questions about a whole file are the same at the desk and at the command line, and so is what an answer does."""

import json
import re

import pytest

from data.restricted.vault import Vault
from tests.dashboard.desk.test_pages import desk as desk
from tests.dashboard.desk.test_pages import drop, press, words_on
from tests.data.restricted.test_doubts import month
from tests.helpers.desk import open_section
from tests.helpers.partner_files import ROW, text_of, workbook, write

# Each with the file of the second month, and the answer: record numbers, versions, and children.
CASES = {
    "numbers": (lambda rows: month(2, 6), "new", 12),
    "period": (lambda rows: [rows[0] | {"record_number": "", "stage": "recruited"}, *rows[2:]], "replaces", 5),
    "changes": (lambda rows: [row | {"child_id": "F-1"} for row in month(2, 6, "S-{}")], "right", 12),
    "families": (lambda rows: [row | {"household_number": "1"} for row in month(2, 6, "S-{}", "L-{}")], "none", 12),
}


def drop_partner(rows):
    return text_of([row | {"partner": ""} for row in rows])


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_desk_asks_what_the_command_line_asks(desk, tact, tmp_path, name):
    change, answer, stored = CASES[name]
    first = month(1, 6)
    if name == "families":
        first = [row | {"household_number": f"F-{n}"} for n, row in enumerate(first)]
    path = write(tmp_path, drop_partner(first), "january.csv")
    folder = desk.workspace.path
    assert tact("--workspace", folder, "import", path, "--partner", "Qendra", "--json").code == 0
    path = write(tmp_path, drop_partner(change(first)), "february.csv")
    line = ("--workspace", folder, "import", path, "--partner", "Qendra", "--json")
    refused = tact(*line)
    assert refused.code != 0
    (entry,) = json.loads(refused.out)["files"]
    assert [doubt["name"] for doubt in entry["questions"]] == [name]
    draft = tact("--workspace", folder, "mapping", "draft", path, "--partner", "Qendra", "--json").json
    assert draft["doubts"] == entry["questions"]
    page = drop(open_section(desk), path)
    assert not page.exception
    assert entry["questions"][0]["text"] in words_on(page)
    # Places and months of stored records are for the officer's eyes; the output of a command may be stored.
    assert ("stored:" in words_on(page)) == (name == "numbers")
    assert "stored:" not in refused.out + refused.err
    page.radio[0].set_value(answer)
    page = press(page, "Answer")
    dry = tact(*line, "--answer", f"{name}={answer}", "--dry-run").json
    page = press(page, "Import it")
    assert not page.exception
    assert f"{dry['accepted']} row" in words_on(page)
    with desk.open_vault() as (vault, _):
        assert vault.count("encounter") == stored


def ask_both(desk, tact, path, *answers):
    """Return the questions that desk and command line ask, and the page; both must ask the same."""
    line = ("--workspace", desk.workspace.path, "import", path, "--partner", "Qendra", "--json")
    refusals = [tact(*line, *(f"--answer={answer}" for answer in answers), *dry) for dry in (["--dry-run"], [])]
    (first,), (second,) = (json.loads(refused.out)["files"] for refused in refusals)
    assert first["questions"] == second["questions"]
    page = drop(open_section(desk), path)
    assert not page.exception
    assert all(question["text"] in words_on(page) for question in second["questions"])
    return second, page


@pytest.mark.slow
@pytest.mark.parametrize("corrected", [{}, {"stage": "recruited"}])
def test_a_workbook_whose_numbers_begin_again_is_asked_once_with_its_true_difference(desk, tact, tmp_path, corrected):
    rows = [row | {"partner": "", "record_number": str(n + 1)} for n, row in enumerate(month(1, 6))]
    later = [row | {"partner": "", "record_number": str(n + 1)} for n, row in enumerate(month(2, 4, "", "L-{}"))]
    path = write(tmp_path, text_of(rows), "january.csv")
    assert tact("--workspace", desk.workspace.path, "import", path, "--partner", "Qendra").code == 0
    rows[0] |= corrected
    sheets = zip(("Janar", "Shkurt"), (rows, later), strict=True)
    path = workbook(tmp_path, *((name, [list(ROW), *(list(row.values()) for row in part)]) for name, part in sheets))
    entry, page = ask_both(desk, tact, path)
    assert [doubt["name"] for doubt in entry["questions"]] == ["numbers", "period"] if corrected else ["numbers"]
    assert not corrected or "1 rows of the earlier import" in words_on(page)
    for radio, answer in zip(page.radio, ["new", "replaces"], strict=False):
        radio.set_value(answer)
    page = press(press(page, "Answer"), "Import it")
    assert not page.exception
    with desk.open_vault() as (vault, _):
        assert vault.count("encounter") == 10


@pytest.mark.slow
def test_a_file_with_rejected_rows_replaces_nothing_at_the_desk_and_at_the_command_line(desk, tact, tmp_path):
    rows = [row | {"partner": "", "record_number": ""} for row in month(1, 6)]
    path = write(tmp_path, text_of(rows), "january.csv")
    assert tact("--workspace", desk.workspace.path, "import", path, "--partner", "Qendra").code == 0
    path = write(tmp_path, text_of([rows[0] | {"age_band": "x"}, *rows[2:]]), "corrected.csv")
    entry, page = ask_both(desk, tact, path, "period=replaces")
    assert list(entry["questions"][0]["answers"]) == ["adds"]
    assert list(desk.workspace.rejects.glob("*/corrected.csv.rejected.csv"))
    assert "corrected.csv.rejected.csv" in entry["refused"]
    assert len(page.radio[0].options) == 1
    assert "Line 2" in words_on(page)
    path = write(tmp_path, text_of([rows[0], *rows[2:]]), "corrected.csv")
    page = drop(page, path)
    page.radio[0].set_value("replaces")
    page = press(press(page, "Answer"), "Import it")
    with desk.open_vault() as (vault, _):
        assert vault.count("encounter") == 5


@pytest.mark.slow
def test_after_an_import_one_page_says_what_was_understood_and_one_press_takes_it_back(
    desk, tact, tmp_path, monkeypatch
):
    rows = [*month(1, 6), dict.fromkeys(month(1, 1)[0], "") | {"date": "Gjithsej", "child_id": "6"}]
    page = drop(open_section(desk), write(tmp_path, drop_partner(rows), "january.csv"))
    page = press(page, "Import it")
    shown = words_on(page)
    assert "What was understood" in " ".join(box.label for box in page.expander)
    assert re.search(r"Jan\w* 2008", shown)
    assert "Durrës" in shown
    assert "own rows of totals: 6." in shown
    with monkeypatch.context() as slow:  # a large file takes seconds to count
        slow.setattr(Vault, "count_file", lambda *_: pytest.fail("counted again"))
        page = page.run()
        assert "Durrës" in words_on(page)
    # True counts go to a person, never into a file.
    refused = tact("--workspace", desk.workspace.path, "imports", "1", "--json")
    assert refused.code != 0
    assert "Durr" not in refused.out + refused.err
    page = press(page, "Not right: take this import back")
    assert not page.exception
    assert "This import was taken back" in words_on(page)
    with desk.open_vault() as (vault, _):
        assert vault.count("encounter") == 0
