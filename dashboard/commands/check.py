"""`tact check`: whether a table that was made from exports may be published, and to whom."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.export import TierName
from dashboard.commands.languages import check_language, make_language_option
from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import check_tier, open_workspace
from dashboard.narrative.table_check import (
    explain_check,
    list_limits,
    list_product_tables,
    say_audience,
    say_reason,
    say_remedy,
)
from dashboard.site.text import speak
from data.disclosure.table_check import AUDIENCES, Audience, Check, Comparison
from data.errors import InputError
from data.release import list_earlier, read_blocked, shown_name
from data.restricted import intake
from data.tables.spec import Tier
from geo.places import index_areas

_REFUSED = 5  # exit code: not to be published to whom it is for
_NEEDED: dict[Tier, Audience] = {"public": "everyone", "partner": "partners"}


def check(
    context: typer.Context,
    table: Annotated[Path, typer.Argument(help="A CSV or XLSX file with a row of headings.")],
    releases: Annotated[
        Path | None, typer.Option(help="Folder of releases. Default: that of the workspace, or of the demo.")
    ] = None,
    tier: TierName = "public",
    own_columns: Annotated[
        list[str] | None,
        typer.Option(
            "--own", help="Heading of a column of your own, which counts no children; may be given several times."
        ),
    ] = None,
    language: Annotated[str, make_language_option("the answer")] = "en",
    as_json: Json = False,
) -> None:
    """Check whether a table that was made from exports may be published: to everyone, to partners, or to nobody.

    --tier says for whom it is: public for everyone, partner for the programme's partners.
    """
    needed = _NEEDED[check_tier(tier)]
    check_language(language, "answer")
    if table.is_file() and intake.has_children(table):
        file = shlex.quote(str(table))
        raise InputError(
            f"{table} holds records of children, and this command checks tables that were made from exports. How a "
            f"partner's file is read: tact mapping draft {file} --partner NAME. What an import would do: tact import "
            f"{file} --partner NAME --dry-run"
        )
    content = table.read_bytes()
    folder, derived = releases, None
    if folder is None:
        workspace = open_workspace(context, or_demo=True)
        folder, derived = workspace.releases, workspace.derived
    elif not folder.is_dir():
        raise InputError(f"{folder} is no folder of releases.")
    name = shown_name(folder)
    shown = [] if name is None else [name, *list_earlier(folder, name)]
    tables = Comparison(
        folder,
        shown,
        index_areas(),
        tier="partner" if any(folder.glob("*/partner")) else "public",
        derived=derived,
        blocked=read_blocked(folder),
        list_tables=list_product_tables,
    )
    result = tables.check(table.name, content, own_columns or ())
    with speak(language):
        emit(_describe(result), as_json, *_format(result))
    if AUDIENCES.index(result.audience) > AUDIENCES.index(needed):
        raise SystemExit(_REFUSED)


def _describe(result: Check) -> dict[str, object]:
    findings = [{**asdict(f), "why": say_reason(f), "instead": say_remedy(f)} for f in result.findings]
    return {**asdict(result), "findings": findings}


def _format(result: Check) -> Iterator[str]:
    yield say_audience(result)
    yield ""
    yield from (f"- {line}" for line in explain_check(result))
    yield from list_limits(result)
