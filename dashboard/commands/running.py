"""The `tact` application: all commands, and the message and exit code of each error.

A command's module is imported when the command is used: to load the libraries of all commands takes seconds on an old
laptop.
"""

from __future__ import annotations

import ast
import sys
import tempfile
from collections.abc import Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.core import TyperCommand, TyperGroup, TyperOption
from typer.exceptions import TyperException
from typer.main import get_command

from dashboard.commands.completion import read_asked_words
from dashboard.commands.output import fail, format_error
from data.errors import DiskFull, InputError, TactError
from data.workspace.files import NO_ROOM

# Each command, and where it is: a module of this package, and a function or a group of commands in it.
COMMANDS = {
    "init": "init:init",
    "templates": "templates:templates",
    "doctor": "doctor:doctor",
    "keys": "keys:app",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "demo": "demo:demo",
    "import": "import_:import_files",
    "pull": "pull:pull_submissions",
    "imports": "import_:list_imports",
    "undo": "undo:undo",
    "mapping": "mapping:app",
    "release": "release:release",
    "releases": "release:list_releases",
    "audit": "audit:audit",
    "risk": "risk:risk",
    "reproduce": "reproduce:reproduce",
    "estimate": "estimate:estimate",
    "second": "second:second",
    "forget": "forget:forget",
    "withdraw": "forget:withdraw",
    "export": "export:export",
    "atlas": "atlas:atlas",
    "report": "report:report",
    "synthetic": "synthetic:synthetic",
    "check": "check:check",
    "count": "count:count",
    "publish": "publish:publish",
    "serve": "serve:serve",
    "people": "people:app",
    "log": "log:app",
    "meetings": "meetings:app",
    "desk": "desk:desk",
    "plan": "plan:app",
    "ledger": "ledger:app",
    "areas": "areas:app",
    "policy": "policy:app",
    "breaks": "breaks:app",
    "gaps": "gaps:app",
    "advocacy": "advocacy:app",
    "travel": "travel:travel",
    "completion": "completion:completion",
}


def _show_version(show: bool) -> None:
    if show:
        typer.echo(f"tact {version('tact-map')}")
        raise typer.Exit


def _choose_workspace(
    context: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            envvar="TACT_WORKSPACE",
            help="Folder of the workspace. Default: a folder under your user data directory.",
        ),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Choose the workspace."""
    context.obj = workspace


def build_app(words: Sequence[str] = ()) -> typer.Typer:
    """Return the application with the command that the words of a command line name.

    If they name no command, the application has all commands, each only with the beginning of its help: this is enough
    for the list of commands and for the message on a wrong name.
    """
    app = typer.Typer(
        name="tact",
        help="Protected maps of child trafficking, services and communities in Albania and Greece.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
    )
    app.callback()(_choose_workspace)
    name = _find_command(words)
    if name not in COMMANDS:
        for known in COMMANDS:
            app.command(known, help=_read_sentence(known))(lambda: None)
        return app
    module, attribute = COMMANDS[name].split(":")
    command = getattr(import_module(f"dashboard.commands.{module}"), attribute)
    if isinstance(command, typer.Typer):
        app.add_typer(command, name=name)
    else:
        app.command(name)(command)
    return app


def _read_sentence(name: str) -> str:
    """Return the help of a command, read from the source text of its module: importing all modules takes seconds.

    It is the first paragraph of the function's docstring, or the help of a group of commands.
    """
    module, attribute = COMMANDS[name].split(":")
    for node in ast.parse(Path(__file__).with_name(f"{module}.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef) and node.name == attribute:
            return (ast.get_docstring(node) or "").split("\n\n")[0]
        if (
            isinstance(node, ast.Assign)
            and ast.unparse(node.targets[0]) == attribute
            and isinstance(node.value, ast.Call)
        ):
            return next(str(ast.literal_eval(word.value)) for word in node.value.keywords if word.arg == "help")
    raise LookupError(f"dashboard/commands/{module}.py has no {attribute}")


def _find_command(words: Sequence[str]) -> str:
    """Return the first word that is neither --workspace nor its folder; empty if there is none."""
    rest = iter(words)
    for word in rest:
        if word == "--workspace":
            next(rest, None)
        elif not word.startswith("--workspace="):
            return word
    return ""


def _hide_types_of_flags(command: object) -> None:
    """Leave the type of flags out of the help of a command and its subcommands: a flag takes no value."""
    assert isinstance(command, TyperCommand | TyperGroup)
    for parameter in command.get_params(typer.Context(command)):
        if isinstance(parameter, TyperOption) and parameter.is_bool_flag:
            parameter.metavar = ""
    for below in command.commands.values() if isinstance(command, TyperGroup) else ():
        _hide_types_of_flags(below)


def run() -> int:
    """Run the command line and return the exit code.

    For an error that the user can act on, the message is printed and the process exits with its code (SystemExit).
    Raises KeyboardInterrupt if the user stops the command.
    """
    as_json = "--json" in sys.argv
    try:
        asked = read_asked_words()
        command = get_command(build_app(sys.argv[1:] if asked is None else asked))
        _hide_types_of_flags(command)
        code = command(prog_name="tact", standalone_mode=False)
    except SystemExit as stop:
        code = stop.code
    except typer.Abort:
        raise KeyboardInterrupt from None
    except (TactError, TyperException) as error:
        # A group without a command has printed its help, and has nothing more to say.
        code = fail(error, as_json=as_json) if format_error(error) else 0
    except OSError as error:
        fail(_explain(error), as_json=as_json)
    return code if isinstance(code, int) else 0


def _explain(error: OSError) -> TactError:
    """Return an error that names the path that could not be used, or the full disk; raise any other error again."""
    if error.errno in NO_ROOM:
        where = f" ({error.filename})" if error.filename else ""
        return DiskFull(
            f"The disk is full{where}. What was not finished was not stored, and nothing was lost. Free some space, "
            f"for the workspace and for temporary files ({tempfile.gettempdir()}), and run the command again."
        )
    if error.filename is None:
        raise error
    return InputError(f"{error.filename}: {error.strerror}. Check the path, and that you may use it.")
