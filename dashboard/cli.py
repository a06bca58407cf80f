"""The `tact` command: what a data officer does behind the wall, and how the map is started.

Exit codes: 0 done · 1 unexpected, or stopped by hand · 2 wrong input or wrong use · 3 workspace ·
4 vault · 5 release refused, or an audit that found something · 6 comes with a later version ·
7 `doctor` found problems. With --json, the answer is one JSON object on standard output; progress and
messages go to standard error.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands import areas, demo, export, importing, later, release, serve, upkeep
from dashboard.commands.output import fail
from data.errors import TactError

__all__ = ["app", "main"]

app = typer.Typer(
    name="tact",
    help="Protected maps of child trafficking, services and communities in Albania and Greece.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


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
) -> None:
    """Choose the workspace."""
    context.obj = workspace


for module in (upkeep, demo, importing, areas, release, later, export, serve):
    module.register(app)


def main() -> None:
    """Run the command line; a TactError becomes a message and its exit code."""
    try:
        app()
    except TactError as error:
        fail(error, as_json="--json" in sys.argv)


if __name__ == "__main__":
    main()
