"""Meetings as they are stored: agendas in order, decisions beside views, by several writers, whole or not at all."""

import subprocess
import sys

import pytest

from data.accounts import meetings
from data.accounts.database import Accounts
from data.accounts.log import read_log, verify_log
from data.accounts.meetings import (
    MOST_ITEMS,
    Decision,
    Item,
    add_decision,
    add_item,
    create_meeting,
    find_previous,
    list_meetings,
    move_item,
    remove_decision,
    remove_item,
    remove_meeting,
)
from data.errors import InputError, WorkspaceError
from tests.helpers.paths import ROOT

DECISION = Decision("Two more days a week", "municipality", "2026-12-24", "AL-11")


@pytest.fixture
def key(accounts):
    meeting = create_meeting(accounts, "Coordination", "2026-11-27", "Elira")
    for sentence in ("one", "two", "three"):
        add_item(accounts, meeting, Item("map?area=AL-11", "2009-05-001", sentence), "Elira")
    return meeting


def read_sentences(accounts, key):
    return [item.sentence for item in read(accounts, key).items]


def read(accounts, key):
    return next(meeting for meeting in list_meetings(accounts) if meeting.key == key)


def test_an_agenda_has_its_order(accounts, key):
    first, second, third = (item.id for item in read(accounts, key).items)
    move_item(accounts, key, third, -1)
    assert read_sentences(accounts, key) == ["one", "three", "two"]
    move_item(accounts, key, first, -1)  # there is none before it
    move_item(accounts, key, second, 1)
    assert read_sentences(accounts, key) == ["one", "three", "two"]
    remove_item(accounts, key, third)
    assert read_sentences(accounts, key) == ["one", "two"]


def test_what_was_decided_stays_with_its_view_until_it_is_removed_by_itself(accounts, key):
    item = read(accounts, key).items[1].id
    add_decision(accounts, key, item, DECISION, "Elira")
    for remove in (lambda: remove_item(accounts, key, item), lambda: remove_meeting(accounts, key)):
        with pytest.raises(InputError, match="decided"):
            remove()
    (stored,) = read(accounts, key).items[1].decisions
    assert (stored.what, stored.who, stored.due, stored.area) == (
        "Two more days a week",
        "municipality",
        "2026-12-24",
        "AL-11",
    )
    remove_decision(accounts, key, stored.id)
    remove_meeting(accounts, key)
    assert list_meetings(accounts) == []


def test_a_guessed_key_or_a_view_of_another_meeting_changes_nothing(accounts, key):
    other = create_meeting(accounts, "Another", "2026-12-27")
    item = read(accounts, key).items[0].id
    for act in (
        lambda: add_item(accounts, "0" * 16, Item("map", "x", "y")),
        lambda: move_item(accounts, "0" * 16, item, 1),
        lambda: add_decision(accounts, other, item, DECISION),
        lambda: remove_meeting(accounts, "0" * 16),
    ):
        with pytest.raises(InputError, match="agenda"):
            act()
    remove_item(accounts, other, item)
    remove_decision(accounts, other, 1)
    assert read_sentences(accounts, key) == ["one", "two", "three"]


def test_a_meeting_and_its_first_view_are_there_together_or_not_at_all(accounts, monkeypatch):
    first = Item("map", "2009-05-001", "one")
    with monkeypatch.context() as patch:
        patch.setattr(meetings, "MOST_ITEMS", 0)
        with pytest.raises(InputError, match="at most 0"):
            create_meeting(accounts, "Coordination", "2026-11-27", "Elira", first)
    assert list_meetings(accounts) == []
    assert read_log(accounts) == []
    meeting = create_meeting(accounts, "Coordination", "2026-11-27", "Elira", first)
    assert read_sentences(accounts, meeting) == ["one"]
    assert [entry.content["what"] for entry in read_log(accounts)] == ["meeting", "agenda"]


def test_an_agenda_has_a_largest_length(accounts, key):
    for _ in range(MOST_ITEMS - 3):
        add_item(accounts, key, Item("map", "2009-05-001", "more"))
    with pytest.raises(InputError, match="at most 60"):
        add_item(accounts, key, Item("map", "2009-05-001", "one too many"))


def test_the_previous_meeting_is_the_newest_one_before_with_a_decision(accounts, key):
    add_decision(accounts, key, read(accounts, key).items[0].id, DECISION)
    create_meeting(accounts, "Without decisions", "2026-12-01")
    newest = create_meeting(accounts, "Newest", "2026-12-20")
    meetings = list_meetings(accounts)
    assert [meeting.title for meeting in meetings] == ["Newest", "Without decisions", "Coordination"]
    assert find_previous(meetings, meetings[0]).key == key
    assert find_previous(meetings, meetings[2]) is None
    assert newest == meetings[0].key


def test_the_log_says_who_did_it_and_repeats_no_text(accounts, key):
    add_decision(accounts, key, read(accounts, key).items[0].id, DECISION, "Nikos")
    create_meeting(accounts, "On a local map", "2026-12-01")
    rows = [entry.content for entry in read_log(accounts)]
    assert [(row["person"], row["what"]) for row in rows] == [
        ("Elira", "meeting"), *[("Elira", "agenda")] * 3, ("Nikos", "decision"),
    ]  # fmt: skip
    assert {row["name"] for row in rows} == {key}
    assert all(set(row) == {"event", "person", "what", "name"} for row in rows)
    assert verify_log(accounts).problem == ""


WRITER = (
    "import os, sys; from pathlib import Path; from data.accounts.database import Accounts\n"
    "from data.accounts.meetings import Item, add_item, list_meetings\n"
    "accounts = Accounts.open(Path(sys.argv[1]))\n"
    "key = list_meetings(accounts)[0].key\n"
)


def test_two_writers_lose_nothing(accounts, key):
    script = f"{WRITER}for i in range(20): add_item(accounts, key, Item('map', 'x', sys.argv[2] + str(i)))\n"
    command = [sys.executable, "-c", script, str(accounts.path)]
    writers = [subprocess.Popen([*command, name], cwd=ROOT) for name in "ab"]
    assert [writer.wait(timeout=60) for writer in writers] == [0, 0]
    sentences = read_sentences(accounts, key)
    assert len(sentences) == len(set(sentences)) == 43
    assert [name for name in sentences if name[0] == "a"] == [f"a{i}" for i in range(20)]


def test_a_writer_that_is_killed_between_leaves_the_meeting_as_it_was(accounts, key):
    script = (
        f"{WRITER}from data.accounts import meetings\n"
        "meetings._note = lambda *arguments: os._exit(9)\n"
        "add_item(accounts, key, Item('map', 'x', 'never'))\n"
    )
    done = subprocess.run([sys.executable, "-c", script, str(accounts.path)], cwd=ROOT, timeout=60, check=False)
    assert done.returncode == 9
    assert read_sentences(accounts, key) == ["one", "two", "three"]
    add_item(accounts, key, Item("map", "x", "four"))
    assert read_sentences(accounts, key)[-1] == "four"


def test_a_damaged_file_is_named_with_what_to_do(tmp_path):
    path = tmp_path / "meetings.sqlite"
    path.write_bytes(b"no database at all " * 100)
    with pytest.raises(WorkspaceError, match="damaged"):
        list_meetings(Accounts(path))
