"""`tact templates`: empty Excel forms for partners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from data.restricted.intake import templates


def write_templates(
    to: Annotated[Path, typer.Option("--to", help="Folder for the forms.")], as_json: Json = False
) -> None:
    """Write an empty Excel form for each kind of record."""
    written = [str(path) for path in templates.write_templates(to)]
    emit({"files": written}, as_json, *written)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("templates")(write_templates)
