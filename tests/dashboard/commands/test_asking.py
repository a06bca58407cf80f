"""Commands that ask questions: without a terminal, with wrong answers, and when the user interrupts."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from dashboard.commands import asking
from data.workspace import Workspace
from tests.helpers.paths import ROOT

PASSPHRASE = "katër fjalë të rastit"
VARIABLE = "TACT_BACKUP_PASSPHRASE"


@pytest.fixture(autouse=True)
def nobody(monkeypatch):
    """Simulate that there is no terminal, and no passphrase in the environment."""
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.setattr(sys, "stdin", io.StringIO())


@pytest.fixture
def practice(tact, tmp_path: Path) -> Path:
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    return folder


@pytest.fixture
def terminal(monkeypatch):
    """Return a function that simulates a person at a terminal who gives these answers."""

    def sit(*answers: str) -> list[str]:
        asked, left = [], iter(answers)

        def prompt(text, **_how):
            asked.append(text)
            return next(left)

        monkeypatch.setattr(typer, "prompt", prompt)
        monkeypatch.setattr(asking, "can_ask", lambda: True)
        monkeypatch.setattr("dashboard.commands.backup.can_ask", lambda: True)
        return asked

    return sit


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_without_a_terminal_the_variable_for_the_passphrase_is_named(tact, practice, tmp_path, command):
    file = tmp_path / "b.backup"
    if command == "restore":
        file.write_bytes(b"something")
    refused = tact("--workspace", practice, command, file, "--json")
    assert (refused.code, refused.json["error"]) == (2, "InputError")
    assert VARIABLE in refused.json["message"]
    answer = tact("--workspace", practice, command, file)
    assert (answer.code, VARIABLE in answer.err) == (2, True)


def test_a_question_that_nobody_can_answer_is_an_error(monkeypatch):
    from data.errors import InputError

    with pytest.raises(InputError, match=r"Cannot ask .They confirm"):
        asking.ask_hidden("They confirm")
    monkeypatch.setattr(sys, "stdin", io.StringIO("word\n"))
    assert asking.ask_hidden("They confirm") == "word"
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(InputError):
        asking.ask_hidden("They confirm")


def test_the_file_is_looked_at_before_the_passphrase_is_asked_for(tact, practice, tmp_path, terminal):
    asked = terminal()
    there = tmp_path / "there"
    there.write_bytes(b"a file of somebody's")
    refused = tact("--workspace", practice, "backup", there, "--json")
    assert (refused.code, "already exists" in refused.json["message"]) == (2, True)
    refused = tact("--workspace", practice, "restore", tmp_path / "none", "--json")
    assert (refused.code, "no backup" in refused.json["message"]) == (2, True)
    assert asked == []


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_backups")
def test_a_short_passphrase_is_refused_before_it_is_typed_again(tact, practice, tmp_path, terminal):
    asked = terminal("short")
    refused = tact("--workspace", practice, "backup", tmp_path / "b", "--json")
    assert (refused.code, "at least 12" in refused.json["message"], len(asked)) == (2, True, 1)
    asked = terminal(PASSPHRASE, "another one of them")
    refused = tact("--workspace", practice, "backup", tmp_path / "b", "--json")
    assert (refused.code, "different" in refused.json["message"], len(asked)) == (2, True, 2)
    terminal(PASSPHRASE, PASSPHRASE, PASSPHRASE)
    assert tact("--workspace", practice, "backup", tmp_path / "b").code == 0
    assert tact("--workspace", tmp_path / "new", "restore", tmp_path / "b").code == 0


@pytest.mark.slow
@pytest.mark.usefixtures("cheap_backups")
def test_a_restore_counts_the_releases_that_stand_there(tact, practice, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, PASSPHRASE)
    assert tact("--workspace", practice, "release", "--figures-only").code == 0
    tact("--workspace", practice, "backup", tmp_path / "b")
    assert "Releases: 1, of which 1 came" in tact("--workspace", tmp_path / "n", "restore", tmp_path / "b").out
    again = tact("--workspace", practice, "restore", tmp_path / "b", "--replace")
    assert "Releases: 1, of which 0 came from the backup, 1 were already there" in again.out


def test_a_backup_without_the_people_is_said_and_noticed_by_a_script(tact, practice, tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, PASSPHRASE)
    accounts = Workspace.open(practice).accounts
    accounts.parent.mkdir(exist_ok=True)
    accounts.write_bytes(b"no database " * 500)
    done = tact("--workspace", practice, "backup", tmp_path / "b")
    assert (done.code, "NOT in the backup" in done.err, (tmp_path / "b").is_file()) == (3, True, True)


# -- stopped by hand --


def test_stopping_at_a_question_is_an_exit_code(tact, practice, tmp_path, terminal, monkeypatch):
    terminal()
    monkeypatch.setattr(typer, "prompt", lambda *_a, **_k: (_ for _ in ()).throw(typer.Abort()))
    answer = tact("--workspace", practice, "backup", tmp_path / "b")
    assert (answer.code, "Stopped by hand" in answer.err) == (130, True)
    as_json = tact("--workspace", practice, "backup", tmp_path / "b", "--json")
    assert (as_json.code, as_json.json["error"]) == (130, "Stopped")


def test_stopping_while_the_program_still_loads_is_an_exit_code(stoppable):
    code = "import dashboard.cli as c, sys; sys.stdout.write('here'); sys.stdout.flush(); c.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout.read(4) == "here"
    time.sleep(0.05)
    os.kill(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err.strip()) == (130, "Stopped by hand.")


@pytest.mark.parametrize("late", [False, True])
def test_a_release_that_is_stopped_says_whether_anything_was_published(tact, practice, monkeypatch, late):
    from data.workspace import files

    publish = files.publish_folder

    def stopped(folder, target):
        if late:
            publish(folder, target)
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "publish_folder", stopped)
    answer = tact("--workspace", practice, "release", "--figures-only")
    published = [path.name for path in (practice / "releases").iterdir() if path.name[0].isdigit()]
    assert answer.code == 130
    sentence = f"Published: {published[0]}." if late else "Nothing was published."
    assert sentence in answer.err
