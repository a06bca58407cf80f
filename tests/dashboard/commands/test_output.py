"""The output of the terminal for names that come from outside."""

import io
import json

import pytest
from rich.console import Console
from typer.exceptions import TyperException

from dashboard.commands import output

COMMANDS = "\x1b]0;owned\x07\x1b[2Jname\r\x9b2J"


@pytest.fixture
def terminal(monkeypatch):
    """Replace the console by one that shows progress bars; return its output."""
    screen = io.StringIO()
    monkeypatch.setattr(output, "console", Console(file=screen, force_terminal=True, width=200))
    return screen


@pytest.mark.parametrize("name", ["report[/].csv", "[red]a[/red].csv", "[link=http://x]a.csv", "a\\[b].csv"])
def test_progress_names_a_file_whatever_its_name(terminal, name):
    with output.progress(name) as tick:
        tick(1, 2)
    assert name in terminal.getvalue()


def test_a_terminal_is_given_no_commands_by_a_name(terminal, capsys):
    output.emit({}, False, COMMANDS, "two\nlines\tand a tab")
    output.say(COMMANDS)
    with output.progress(COMMANDS) as tick:
        tick(1, 1)
    shown = capsys.readouterr().out + terminal.getvalue()
    assert not any(command in shown for command in ("owned\x07", "\x1b]0", "\x1b[2J", "\x9b"))
    assert "two\nlines\tand a tab" in shown
    assert "name" in shown


def test_a_script_gets_the_name_as_it_is(capsys):
    output.emit({"file": COMMANDS}, True)
    assert json.loads(capsys.readouterr().out) == {"file": COMMANDS}


@pytest.mark.parametrize("ending", ["'a'.", "'serv'. Did you mean 'serve'?"])
def test_a_sentence_ends_with_one_sign(ending):
    assert output.format_error(TyperException(f"No such command {ending}")) == f"There is no command {ending}"
