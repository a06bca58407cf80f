"""The thread of the desk's process that listens to its command: what goes wrong does not end it unheard."""

import io
import json
import os
import sys

import pytest

from dashboard.desk import server
from dashboard.web.gate import Entry
from data.errors import VaultError, WorkspaceError
from data.restricted import keys

LINE = json.dumps(keys.format_keys(keys.Keys.random())) + "\n"


class Failing:
    """A desk whose vault cannot be opened, each time for another reason."""

    def __init__(self, *faults):
        self.faults = list(faults)

    def unlock(self, secrets):
        raise self.faults.pop(0)


class Ended(BaseException):
    """What stands for the end of the process."""


def end(code):
    raise Ended


def listen(monkeypatch, desk, lines, output):
    monkeypatch.setattr(sys, "stdin", io.StringIO(LINE * lines))
    monkeypatch.setattr(os, "_exit", end)
    with pytest.raises(Ended):
        server._unlock_at_each_line(desk, Entry("tact-desk", 8662), "http://127.0.0.1:8662", output)


def test_each_line_is_answered_whatever_keeps_the_vault_shut(monkeypatch, capsys):
    faults = VaultError("wrong key"), WorkspaceError("no workspace"), OSError(5, "Input/output error")
    output = io.StringIO()
    listen(monkeypatch, Failing(*faults), 3, output)
    assert output.getvalue().count("http://127.0.0.1:8662/?") == 3
    errors = capsys.readouterr().err
    assert all(str(fault) in errors for fault in faults)


def test_the_process_ends_where_its_command_hears_nothing_any_more(monkeypatch):
    output = io.StringIO()
    output.close()
    listen(monkeypatch, Failing(VaultError("wrong key"), VaultError("wrong key")), 2, output)
