"""`tact areas import`: replace the approximate boundaries by official ones."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.message import shorten
from data.reference import area_table
from data.restricted.vault import open_vault
from geo import boundaries
from geo.places import Places

_MAX_NAMES = 10  # areas in a line
app = typer.Typer(help="Official boundaries.", no_args_is_help=True)


@app.command("import")
def import_areas(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="GeoPackage, GeoJSON or Shapefile (also zipped).")],
    country: Annotated[str | None, typer.Option(help="AL or GR, if the file does not say.")] = None,
    code_column: Annotated[str | None, typer.Option(help="The column with codes.")] = None,
    name_column: Annotated[str | None, typer.Option(help="The column with names.")] = None,
    credit: Annotated[
        str | None,
        typer.Option(help="Source, year and licence of the boundaries, shown with every map. Needed for real records."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Import official boundaries; the next release shows them.

    Real records need --credit, because maps and exports name the source.
    """
    workspace = open_workspace(context)
    credit = (credit or "").strip() or None
    if credit is None and not workspace.invented:
        raise InputError("Name the source of the boundaries: --credit 'Source, year, licence'. Nothing was changed.")
    in_use: set[str] = set()
    if workspace.vault.exists():
        with open_vault(workspace) as vault:
            in_use = vault.area_codes_in_use()
    report = boundaries.import_boundaries(
        file,
        area_table(),
        in_use,
        workspace.areas,
        country=country,
        code_column=code_column,
        name_column=name_column,
        credit=credit,
    )
    unmatched = [{"row": u.row, "name": u.name, "reason": u.reason} for u in report.unmatched]
    split = [{"code": joined.code, "parts": list(joined.parts)} for joined in report.split]
    label = Places(area_table()).label
    emit(
        {
            "matched": len(report.matched),
            "unmatched": unmatched,
            "split": split,
            "kept": list(report.unchanged),
            "missing": list(report.missing),
        },
        as_json,
        f"Matched {len(report.matched)} areas; {len(unmatched)} rows not matched.",
        *(f"  row {u['row']}, {u['name']}: {u['reason']}" for u in unmatched),
        *(f"  {label(s.code)} is joined from {', '.join(s.parts)}" for s in report.split),
        *_list_areas("Keep their earlier shape", report.unchanged, label),
        *_list_areas("Without a shape; shown only in tables", report.missing, label),
        *([] if credit else [f"{boundaries.UNNAMED}. To name it: --credit 'Source, year, licence'"]),
        "The next release shows these boundaries: tact release",
    )


def _list_areas(words: str, codes: tuple[str, ...], label: Callable[[str], str]) -> list[str]:
    if not codes:
        return []
    return [f"{words}: {len(codes)} areas, {shorten([*map(label, codes)], _MAX_NAMES)}."]
