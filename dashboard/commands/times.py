"""Travel times that somebody gives to `tact risk`: read from files, or kept from the result before."""

from __future__ import annotations

from pathlib import Path

from data.release import Release, result
from data.workspace import Workspace
from geo import areas as geography
from geo.travel import read_links
from risk.access.tables import Times
from risk.report import KIND

__all__ = ["given", "told"]


def given(workspace: Workspace, release: Release, travel: Path | None, ferries: Path | None) -> Times:
    """Read the files; what no file is given for stays as in the newest result of the workspace.

    A file with a heading alone takes away what was given before. Raises FileRefused and InputError for what
    cannot be read, see geo.travel.read_links.
    """
    last = result.latest(workspace.derived, "partner", KIND)
    kept = Times() if last is None else Times.told(last.manifest)
    codes = [str(code) for code in geography.read(release.areas_file).frame("region").index]
    return Times(
        kept.uploaded if travel is None else read_links(travel, codes),
        kept.ferries if ferries is None else read_links(ferries, codes, sources=True),
    ).among(codes)


def told(times: Times) -> list[str]:
    """Say what was given, for people; nothing where nothing was."""
    if not (times.uploaded or times.ferries):
        return []
    counts = f"{len(times.uploaded)} measured or entered, {len(times.ferries)} by ferry"
    return [f"Travel times given: {counts}. The others are worked out from straight lines."]
