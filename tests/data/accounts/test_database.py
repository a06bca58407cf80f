"""The file of accounts: private, of one version, and written by several processes at once."""

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing

import pytest

from data.accounts import database
from data.accounts.database import Accounts
from data.accounts.log import Event, note, read_log, verify_log
from data.accounts.people import invite, list_people
from data.errors import WorkspaceError
from tests.helpers.paths import ROOT


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_file_and_folder_are_for_their_owner_alone(accounts):
    with accounts.read() as connection:  # keeps the files beside it open
        note(accounts, Event.SAW, "Elira", page="map")
        assert connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
        files = list(accounts.path.parent.iterdir())
        assert len(files) == 3
        assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(accounts.path.parent.stat().st_mode) == 0o700


def test_without_a_file_it_says_how_one_is_made(tmp_path):
    with pytest.raises(WorkspaceError, match="tact people invite"):
        Accounts.open(tmp_path / "accounts.sqlite")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_a_newer_version_another_program_or_no_database_is_named(accounts, tmp_path):
    with closing(sqlite3.connect(accounts.path)) as connection:
        connection.execute("PRAGMA user_version = 99")
    with pytest.raises(WorkspaceError, match="newer version"):
        Accounts.open(accounts.path)
    other, text = tmp_path / "other.sqlite", tmp_path / "text"
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE birds (name TEXT)")
    text.write_text("no database at all " * 100)
    for path, words in ((other, "another program"), (text, "no file of accounts")):
        before = path.read_bytes()
        with pytest.raises(WorkspaceError, match=words):
            Accounts.open(path)
        assert path.read_bytes() == before


def test_an_older_file_is_brought_up_to_this_version_whole_or_not_at_all(accounts, monkeypatch):
    invite(accounts, "Elira", "partner")
    first = database.MIGRATIONS
    monkeypatch.setattr(database, "MIGRATIONS", (*first, "ALTER TABLE people ADD COLUMN phone TEXT;\nSELECT nonsense;"))
    with pytest.raises(WorkspaceError, match="nothing was changed"):
        Accounts.open(accounts.path)
    monkeypatch.setattr(database, "MIGRATIONS", (*first, "ALTER TABLE people ADD COLUMN phone TEXT;"))
    upgraded = Accounts.open(accounts.path)
    with upgraded.read() as connection:
        assert connection.execute("SELECT name, phone FROM people").fetchone()["name"] == "Elira"
        assert connection.execute("PRAGMA user_version").fetchone()[0] == len(first) + 1


def test_an_error_undoes_the_row_of_the_log_too(accounts):
    def fail():
        with accounts.write() as connection:
            connection.execute("INSERT INTO attempts VALUES ('x', 1, 1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with accounts.read() as connection:
        assert connection.execute("SELECT count(*) FROM attempts").fetchone()[0] == 0


@pytest.mark.slow
def test_several_processes_write_one_chain(accounts):
    script = (
        "import sys; from pathlib import Path; from data.accounts.database import Accounts\n"
        "from data.accounts.log import Event, note\n"
        "accounts = Accounts.open(Path(sys.argv[1]))\n"
        "for i in range(40): note(accounts, Event.SAW, sys.argv[2], page=str(i))\n"
    )
    names = ("Elira", "Nikos", "Zana")
    command = [sys.executable, "-c", script, str(accounts.path)]
    processes = [subprocess.Popen([*command, name], cwd=ROOT) for name in names]
    assert [process.wait(timeout=60) for process in processes] == [0, 0, 0]
    assert verify_log(accounts).problem == ""
    assert {name: sum(1 for _ in read_log(accounts, name)) for name in names} == dict.fromkeys(names, 40)
    assert list_people(accounts) == []
