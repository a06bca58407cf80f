"""The `tact` command: what a data officer does behind the wall, and how the map is started.

Exit codes: 0 done · 1 unexpected · 2 wrong input or wrong use · 3 workspace · 4 vault · 5 release refused,
or an audit that found something · 6 comes with a later version · 7 `doctor` found problems · 130 stopped by
hand. With --json, the answer is one JSON object on standard output; progress and
messages go to standard error.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated

import typer
from typer.exceptions import TyperException

from dashboard.commands import (
    approving,
    areas,
    demo,
    export,
    forgetting,
    importing,
    later,
    policy,
    release,
    serve,
    upkeep,
)
from dashboard.commands.output import fail
from data.errors import InputError, TactError

__all__ = ["app", "main"]

app = typer.Typer(
    name="tact",
    help="Protected maps of child trafficking, services and communities in Albania and Greece.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"tact {version('tact-map')}")
        raise typer.Exit


@app.callback()
def common(
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


for module in (upkeep, demo, importing, areas, policy, release, approving, forgetting, later, export, serve):
    module.register(app)


def main() -> None:
    """Run the command line; a TactError becomes a message and its exit code."""
    as_json = "--json" in sys.argv
    try:
        code = app(standalone_mode=not as_json)
    except (TactError, TyperException) as error:
        fail(error, as_json=as_json)
    except OSError as error:
        fail(_no_access(error), as_json=as_json)
    raise SystemExit(code if isinstance(code, int) else 0)


def _no_access(error: OSError) -> InputError:
    """Say which path could not be read or written; a bug in the program has no path and stays one."""
    if error.filename is None:
        raise error
    return InputError(f"{error.filename}: {error.strerror}. Check the path, and that you may use it.")


if __name__ == "__main__":
    main()
