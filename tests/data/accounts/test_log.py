"""The audit log only grows, and what is done to it behind the product's back is found."""

import datetime as dt
import re
import sqlite3
from contextlib import closing

import pytest

from data.accounts import database, log
from data.accounts.database import Accounts
from data.accounts.log import Event, count_old, note, read_log, shorten_log, verify_log
from data.errors import InputError, WorkspaceError
from tests.helpers.accounts import make_accounts


@pytest.fixture
def rows(accounts):
    for page in ("map", "risk", "flows", "trends"):
        note(accounts, Event.SAW, "Elira", page=page, area="AL-11")
    return accounts


def tamper(accounts, *statements):
    """Change the file as somebody with another program would."""
    with closing(sqlite3.connect(accounts.path)) as connection:
        connection.executescript("DROP TRIGGER log_keeps_rows; DROP TRIGGER log_keeps_words;")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_whole_log_holds(rows):
    verdict = verify_log(rows)
    assert (verdict.rows, verdict.problem, verdict.head[0]) == (4, "", 4)
    assert [entry.content["page"] for entry in read_log(rows, "Elira")] == ["map", "risk", "flows", "trends"]
    assert read_log(rows, "Nikos") == []


def test_rows_of_a_person_are_found_by_an_index_also_in_a_file_from_before_with_a_row_that_is_no_json(
    tmp_path, now, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(database, "MIGRATIONS", database.MIGRATIONS[:7])
        old = make_accounts(tmp_path, now)
        for name in ("Elira", "Nikos", "Elira", "Zana"):
            note(old, Event.SAW, name)
        tamper(old, "UPDATE log SET content = '{' WHERE number = 4")
    accounts = Accounts.open(old.path)
    note(accounts, Event.SAW, "Nikos")
    with accounts.read() as connection:
        asked = {"person": "Elira", "most": 1}
        plan = connection.execute(f"EXPLAIN QUERY PLAN {log._ROWS_OF_PERSON}", asked).fetchall()
    assert ["USING INDEX log_of_people" in row["detail"] for row in plan] == [True]
    numbers = [[entry.number for entry in read_log(accounts, name)] for name in ("Elira", "Nikos", "Zana")]
    assert numbers == [[1, 3], [2, 5], []]
    assert [entry.number for entry in read_log(accounts, "Elira", 1)] == [3]
    assert "Row 4 cannot be read" in verify_log(accounts).problem


@pytest.mark.parametrize("content", ["[]", "{", "{}", '{"person": "Elira"}', "[" * 100_000], ids=lambda text: text[:9])
def test_a_row_that_cannot_be_read_says_how_it_is_found(rows, content):
    tamper(rows, f"UPDATE log SET content = '{content}' WHERE number = 3")
    with pytest.raises(WorkspaceError):
        read_log(rows)
    assert "3" in verify_log(rows).problem


def test_the_last_rows_are_read_alone(rows):
    assert [entry.number for entry in read_log(rows, most=2)] == [3, 4]


def test_an_empty_log_holds(accounts):
    assert verify_log(accounts).problem == ""


@pytest.mark.parametrize("statement", ["DELETE FROM log", "UPDATE log SET moment = ''"])
def test_the_product_itself_can_neither_change_nor_remove_a_row(rows, statement):
    with pytest.raises(WorkspaceError, match="only grows"), rows.write() as connection:
        connection.execute(statement)
    assert verify_log(rows).rows == 4


@pytest.mark.parametrize(
    ("statement", "good", "words"),
    [
        ("UPDATE log SET content = replace(content, 'risk', 'map') WHERE number = 2", 1, "Entry 2 .* changed"),
        ("UPDATE log SET moment = '2020-01-01T00:00:00Z' WHERE number = 3", 2, "Entry 3 .* changed"),
        ("UPDATE log SET content = '[]' WHERE number = 3", 2, "Row 3 cannot be read"),
        ("DELETE FROM log WHERE number = 1", 0, "Entry 1 is missing"),
        ("DELETE FROM log WHERE number = 3", 2, "Entry 3 is missing"),
        ("DELETE FROM log WHERE number > 2", 2, "Rows 3 to 4 are missing at the end"),
        ("DELETE FROM log", 0, "Rows 1 to 4 are missing"),
        ("UPDATE log SET number = 9 WHERE number = 4", 3, "Entry 9 .* changed"),
    ],
)
def test_the_first_broken_row_is_named(rows, statement, good, words):
    tamper(rows, statement)
    verdict = verify_log(rows)
    assert verdict.rows == good
    assert re.search(words, verdict.problem), verdict.problem


@pytest.fixture
def old_rows(rows, now):
    """Return a log with four rows of 14 November 2023 and two of a month later."""
    now[0] += 30 * 86_400
    for page in ("coverage", "method"):
        note(rows, Event.SAW, "Elira", page=page)
    return rows


DAY = dt.date(2023, 12, 1)


def test_old_rows_go_when_their_number_is_named_and_what_stays_still_holds(old_rows):
    assert count_old(old_rows, DAY) == 4
    with pytest.raises(InputError, match="4 rows are older than 2023-12-01, not 5"):
        shorten_log(old_rows, DAY, 5)
    assert verify_log(old_rows).rows == 6
    last = read_log(old_rows)[3]
    shorten_log(old_rows, DAY, 4)
    verdict = verify_log(old_rows)
    assert (verdict.rows, verdict.start, verdict.head[0], verdict.problem) == (3, 4, 7, "")
    assert [entry.content.get("page") for entry in read_log(old_rows)] == ["coverage", "method", None]
    assert read_log(old_rows)[-1].content["sha256"] == last.sha256
    assert count_old(old_rows, DAY) == 0
    shorten_log(old_rows, DAY, 0)
    assert verify_log(old_rows).rows == 3, "nothing to say"


def test_others_write_while_a_long_log_is_checked_before_it_is_shortened(old_rows, monkeypatch):
    verify = log._verify

    def verify_while_another_writes(connection):
        note(old_rows, Event.SAW, "Nikos", page="map")
        return verify(connection)

    monkeypatch.setattr(database, "_BUSY", 0.1)
    monkeypatch.setattr(log, "_verify", verify_while_another_writes)
    shorten_log(old_rows, DAY, 4)
    monkeypatch.undo()
    assert [entry.content["person"] for entry in read_log(old_rows)] == ["Elira", "Elira", "Nikos", ""]
    assert verify_log(old_rows).problem == ""


def test_a_log_is_shortened_again_and_its_last_row_stays(old_rows, now):
    shorten_log(old_rows, DAY, 4)
    now[0] += 30 * 86_400
    note(old_rows, Event.SAW, "Elira", page="map")
    far = dt.date(2030, 1, 1)
    shorten_log(old_rows, far, count_old(old_rows, far))
    verdict = verify_log(old_rows)
    assert (verdict.rows, verdict.start, verdict.problem) == (2, 7, "")


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("DELETE FROM log WHERE number = 5", "Entry 5 is missing"),
        ("UPDATE log_start SET number = 3", "does not follow|missing"),
        ("DELETE FROM log_start", "Entries 1 to 4 are missing"),
        ("UPDATE log SET content = replace(content, 'method', 'map') WHERE number = 6", "Entry 6 .* changed"),
    ],
)
def test_what_is_done_to_a_shortened_log_is_found_and_it_is_not_shortened_again(old_rows, statement, words):
    shorten_log(old_rows, DAY, 4)
    tamper(old_rows, statement)
    assert re.search(words, verify_log(old_rows).problem)
    with pytest.raises(WorkspaceError, match="nothing was removed"):
        shorten_log(old_rows, dt.date(2030, 1, 1), 2)


def test_who_removes_the_first_rows_and_moves_the_beginning_is_found(old_rows):
    row = read_log(old_rows)[1]
    tamper(old_rows, "DELETE FROM log WHERE number <= 2", f"INSERT INTO log_start VALUES (1, 2, '{row.sha256}')")
    assert "begins after row 2" in verify_log(old_rows).problem


def test_the_product_itself_removes_no_row_after_the_beginning(old_rows):
    shorten_log(old_rows, DAY, 4)
    with pytest.raises(WorkspaceError, match="only grows"), old_rows.write() as connection:
        connection.execute("DELETE FROM log WHERE number = 5")
