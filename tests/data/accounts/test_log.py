"""The audit log only grows, and what is done to it behind the product's back is found."""

import re
import sqlite3
from contextlib import closing

import pytest

from data.accounts.log import Event, note, read_log, verify_log
from data.errors import WorkspaceError


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


@pytest.mark.parametrize("content", ["[]", "{"])
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
