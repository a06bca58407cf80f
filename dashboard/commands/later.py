"""Commands that come with a later version and say so."""

from __future__ import annotations

import typer

from dashboard.commands.output import Json
from data.errors import NotYet

__all__ = ["register"]


def plan(as_json: Json = False) -> None:  # noqa: ARG001
    """Propose moves of staff and capacity (comes with a later version)."""
    msg = "The planner comes with a later version. The map and the exports work without it."
    raise NotYet(msg)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command()(plan)
