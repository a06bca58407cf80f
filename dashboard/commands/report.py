"""`tact report`: write yearly tables of a release in the breakdowns and codes of a standard."""

from __future__ import annotations

from typing import Annotated

import typer

from dashboard.commands.export import Folder, Receiver, ReleaseName, TierName, open_to_write
from dashboard.commands.languages import check_language, make_language_option
from dashboard.commands.output import Json, emit
from dashboard.site.text import speak, translate
from data.workspace.files import fill_folder
from geo.export.report import write_report
from geo.export.standards import LAYER, find_standard


def report(
    context: typer.Context,
    to: Folder,
    standard: Annotated[str, typer.Option(help="eurostat, ctdc, htcds or sdg.")],
    tier: TierName = "public",
    release: ReleaseName = None,
    receiver: Receiver = None,
    language: Annotated[str, make_language_option("the explanations")] = "en",
    as_json: Json = False,
) -> None:
    """Write yearly tables of a release in the breakdowns and codes of a standard, with crosswalk and codebook."""
    chosen = find_standard(standard)
    check_language(language, "explanations")
    opened = open_to_write(context, to, tier, release, receiver, [f"report-{chosen.id}"], [LAYER])
    with speak(language), fill_folder(to) as part:
        paths = [str(to / path.name) for path in write_report(opened, part, chosen, translate)]
    emit(
        {"files": paths, "standard": chosen.id, "release": opened.name, "tier": tier, "for": receiver}, as_json, *paths
    )
