"""The risk model of a release, calculated and written beside it; for `tact risk` and the desk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data.errors import InputError
from data.release import Release, list_earlier
from data.release.completeness import Questions, sort_gaps
from data.release.result import Result, latest, newest
from data.tables.spec import TIERS, Tier
from data.workspace import Workspace
from data.workspace.types import Progress
from data.workspace.version import code_version
from geo import areas as geography
from geo.travel import read_links
from risk.access.tables import Times, read_roads
from risk.model import RiskModel
from risk.model.breaks import Break, read_breaks
from risk.model.gaps import read_answers
from risk.planning.advice import prepare_advice
from risk.report import KIND, assess


def list_scored_tiers(public: Release) -> tuple[Tier, ...]:
    """List the tiers of a release that have numbers for a model: the public tier has none before a year is final.

    Raises ReleaseError if the public tier has no table of children by year.
    """
    return TIERS if len(public.table("children_region_year")) else ("partner",)


def score_release(
    workspace: Workspace,
    release: Release,
    tick: Progress,
    *,
    evaluation: Mapping[str, Any] | None = None,
    files: tuple[Path | None, Path | None] = (None, None),
) -> tuple[Result, InputError | None]:
    """Write the results of the model for a tier of a release, and for partners the usual plan.

    evaluation: plain values of an evaluation of forecasts and of a calibration; default: the last ones that are still
    valid. files: of travel
    times and of ferries; default: the times of the last result. Returns the result, and any error of the usual plan.
    Raises FileRefused and InputError for these files and for the table of breaks, ReleaseDamaged for a breaks table
    that is not signed or a changed result, ReleaseError if there is no table to fit, and NoMode if the fit fails.
    """
    times = _read_times(workspace, release, *files)
    breaks = read_breaks(workspace.derived)
    evaluation = {**_read_evaluation(workspace, release, breaks), **(evaluation or {})}
    model, folder = RiskModel(), workspace.derived
    # The public tier says which countries wait for records of a partner, and has no table that tells it.
    partner = Release.open(workspace.releases, "partner", release.name)
    questions = sort_gaps(partner, read_answers(folder))
    if release.tier == "public":
        questions = Questions(waiting=questions.waiting)
    result = assess(
        release,
        folder,
        model=model,
        evaluation=evaluation,
        times=times,
        breaks=breaks,
        questions=questions,
        progress=tick,
    )
    if release.tier != "partner":
        return result, None
    # The first screen shows a plan before anybody makes one.
    tick(0, None, "Preparing the usual plan")
    earlier = list_earlier(workspace.releases, release.name)
    opened = Release.open(workspace.releases, "partner", release.name, release.without, folder)
    return result, prepare_advice(opened, folder, model.fit_, earlier)


def _read_evaluation(workspace: Workspace, release: Release, breaks: Sequence[Break]) -> dict[str, Any]:
    """Return the evaluation in the newest result, if it has the same code and breaks; empty if not."""
    last = newest(workspace.derived, release.name, release.tier, release.checksum, KIND)
    if last is None or last.manifest["code_version"] != code_version():
        return {}
    evaluation = dict(last.manifest.get("evaluation") or {})
    return evaluation if evaluation.get("breaks", []) == [asdict(series_break) for series_break in breaks] else {}


def _read_times(workspace: Workspace, release: Release, travel: Path | None, ferries: Path | None) -> Times:
    """Read the files of travel times; without a file, return those of the newest result in the workspace.

    A file with only a heading removes earlier times. Raises the errors of geo.travel.read_links, and InputError for a
    measured time between areas of two levels.
    """
    last = latest(workspace.derived, "partner", KIND)
    earlier = Times() if last is None else Times.read(last.manifest)
    areas = geography.read_areas(release.areas_file)
    codes = [str(code) for level in ("region", "municipality") for code in areas.frame(level).index]
    times = Times(
        earlier.uploaded if travel is None else read_links(travel, codes),
        earlier.ferries if ferries is None else read_links(ferries, codes, sources=True),
        read_roads(workspace.derived),
    ).among(codes)
    for link in times.uploaded:
        if areas.table["level"][link.start] != areas.table["level"][link.end]:
            msg = (
                f"{link.start} and {link.end} are of two levels. Give times between regions or between municipalities."
            )
            raise InputError(msg)
    return times
