"""`tact templates`: empty Excel forms for partners."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from data.restricted.intake.templates import write_templates


def templates(to: Annotated[Path, typer.Option("--to", help="Folder for the forms.")], as_json: Json = False) -> None:
    """Write an empty Excel form for each kind of record."""
    paths = [str(path) for path in write_templates(to)]
    emit({"files": paths}, as_json, *paths)
