"""`tact publish`: what a server needs of the current release, signed, in a folder of its own."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit
from dashboard.commands.workspace import check_tier, open_release, open_workspace
from data.release import Release
from data.restricted import governance, keys, server_copy
from data.workspace import Workspace

# Options of rsync for the files on a server: only the user of the web process may read files of the partner tier.
_MODES = {"public": "--chmod=D755,F644", "partner": "--chown=tact-map:tact-map --chmod=D700,F600"}


def publish(
    context: typer.Context,
    to: Annotated[Path, typer.Option(help="The folder to write: new, or that of an earlier `tact publish`.")],
    tier: Annotated[str, typer.Option(help="partner or public.")] = "public",
    as_json: Json = False,
) -> None:
    """Write what a server needs of the current release into a folder, signed, and nothing else of the workspace."""
    workspace = open_workspace(context, or_demo=True)
    governance.note_blocked(workspace)
    copy = server_copy.publish_copy(workspace, check_tier(tier), to, keys.load_signing(workspace.key_id))
    opened = open_release(workspace, copy.tier, copy.release)
    transfer = f"{_MODES[copy.tier]} {shlex.quote(f'{to}/')} root@SERVER:/srv/tact-map/"
    emit(
        {
            "folder": str(to),
            "release": copy.release,
            "tier": copy.tier,
            "list": copy.number,
            "written": copy.written,
            "bytes": copy.size,
            "removed": copy.removed,
            "key": copy.key,
        },
        as_json,
        f"Wrote the {copy.tier} tier of {copy.release} to {to}: {copy.written} new files, {copy.size / 1e6:.1f} MB; "
        f"{copy.removed} old ones are gone.",
        f"Bring the folder to the server, for example: rsync -a --delete --delay-updates {transfer}",
        f"The server shows only what this key has signed: {copy.key}",
        "To see on this machine what it will show: "
        f"tact serve --published {shlex.quote(str(to))} --signed-by {copy.key} --tier {copy.tier}",
        *(
            ["It is for the programme's partners alone: send it only to a server that they own."]
            if tier == "partner"
            else []
        ),
        *_word_missing(workspace, opened),
    )


def _word_missing(workspace: Workspace, opened: Release) -> list[str]:
    """Return a line if a tier of a release has no results of the risk model, although it can have them."""
    public = Release.open(workspace.releases, "public", opened.name)
    if "children_region_year" not in public.tables or opened.result("risk") is not None:
        return []  # the model needs this table
    from risk.planning.scoring import list_scored_tiers  # late: the model takes seconds to load

    can_have = opened.tier in list_scored_tiers(public)
    return ["It has no results of the risk model yet. Run tact risk, then tact publish again."] if can_have else []
