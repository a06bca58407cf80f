"""`tact risk`: the risk model of a release, and how well it would have predicted each quarter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
import typer

from dashboard.commands.output import Json, Tick, emit, format_table, progress, say
from dashboard.commands.workspace import check_tier, open_release, open_workspace
from dashboard.narrative.detection import INTERVALS, describe_intervals, describe_share_found
from dashboard.narrative.evaluation import describe_checks, format_verdict
from dashboard.narrative.shift import word_shifts
from dashboard.narrative.speech import Speech
from dashboard.site.current_release import load_areas
from data.disclosure.cell_key import CellKey
from data.errors import ReleaseError
from data.reference import area_table
from data.release import Release, names
from data.release.result import Result
from data.restricted import governance
from data.tables.spec import TIERS, Tier
from data.workspace import Workspace
from geo import areas as geography
from risk.access.tables import Times
from risk.evaluation.calibration import calibrate as calibrate_model
from risk.evaluation.model_checks import Check
from risk.evaluation.risk_model import evaluate_blocks, evaluate_model
from risk.model.breaks import read_breaks
from risk.model.observations import Observations, build_channel
from risk.planning.scoring import list_scored_tiers, score_release
from risk.report.manifest import EvaluationSummary, ModelCard, read_calibration
from risk.report.shift import AreaShift
from risk.report.tables import SEED

_ANY = 10**6  # children; more than any invented count, so that the channel holds each


def score(workspace: Workspace, tick: Tick, *, tiers: Sequence[Tier] = TIERS, name: str | None = None) -> list[Result]:
    """Compute the risk model of a release for each of `tiers`, write the results to the workspace and return them.

    name : the name of the release; None for the current one.
    """
    return [_assess(workspace, tier, name, {}, tick) for tier in tiers]


def _assess(
    workspace: Workspace,
    tier: Tier,
    name: str | None,
    evaluation: dict[str, Any],
    tick: Tick,
    files: tuple[Path | None, Path | None] = (None, None),
) -> Result:
    opened = _open(workspace, tier, name)
    result, problem = score_release(workspace, opened, tick, evaluation=evaluation, files=files)
    if problem is not None:
        from dashboard.commands.plan import word_error

        say(f"The usual plan could not be prepared; all else is. {word_error(opened, problem, options=False)}")
    return result


def _open(workspace: Workspace, tier: Tier, name: str | None) -> Release:
    blocked = governance.read(workspace).blocked
    return Release.open(workspace.releases, tier, name, blocked)


def risk(
    context: typer.Context,
    tier: Annotated[str | None, typer.Option(help="partner or public; default: both.")] = None,
    release: Annotated[str | None, typer.Option(help="Name of the release. Default: the current one.")] = None,
    evaluate: Annotated[
        bool,
        typer.Option(
            "--evaluate", help="Also compare the model with simpler forecasts (partner tier, takes a minute)."
        ),
    ] = False,
    travel: Annotated[
        Path | None, typer.Option(help="CSV of travel times between counties and regions: from,to,minutes[,source].")
    ] = None,
    ferries: Annotated[
        Path | None, typer.Option(help="CSV of ferries: from,to,minutes,source. Minutes include waiting and boarding.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Also say whether the model fits the release (partner tier).")
    ] = False,
    calibrate: Annotated[
        int,
        typer.Option(
            min=0, max=10_000, help="Also fit the model to so many data sets that it invents (100: three minutes)."
        ),
    ] = 0,
    as_json: Json = False,
) -> None:
    """Score counties, regions and municipalities: where more children are found than people and effort explain.

    The result is written to the folder derived of the workspace and has the tier of the release. On the
    partner tier it also says who can reach which services. Travel times that you give are kept for later
    runs; a file with only a heading removes them.
    """
    asked = None if tier is None else check_tier(tier)
    workspace = open_workspace(context, or_demo=True)
    opened = _open(workspace, asked or "public", release)
    if opened.tables == ("figures",):
        raise ReleaseError(
            f"Release {opened.name} has only published figures, so there is no risk to estimate. Import records "
            "(tact import FILE), make a release (tact release), and try again."
        )
    tiers = list_scored_tiers(opened) if asked is None else (asked,)
    evaluation = _evaluation(workspace, release) if evaluate else {}
    if calibrate:
        evaluation |= {"simulation": _calibrate(workspace, release, calibrate)}
        evaluation.setdefault("breaks", list(map(asdict, read_breaks(workspace.derived))))
    with progress("Calculating the risk model") as tick:
        results = [
            _assess(
                workspace, tier_name, release, evaluation if tier_name == "partner" else {}, tick, (travel, ferries)
            )
            for tier_name in tiers
        ]
    checked = next((r.manifest for r in results if check and r.manifest["tier"] == "partner"), {})
    for result in results:
        open_release(workspace, result.manifest["tier"], release)  # prints what is missing
    emit(
        {
            "results": [str(r.folder) for r in results],
            "evaluation": evaluation,
            **({"checks": checked.get("checks", [])} if check else {}),
        },
        as_json,
        *(line for result in results for line in _describe_result(workspace, result)),
        *_verdicts(evaluation),
        *_describe_checks(workspace, checked),
        *(f"Written: {result.folder}" for result in results),
    )


def _evaluation(workspace: Workspace, name: str | None) -> dict[str, Any]:
    opened = _open(workspace, "partner", name)
    breaks = read_breaks(workspace.derived)
    seen = replace(Observations.from_release(opened, geography.read_areas(opened.areas_file)), breaks=breaks)
    earlier = {size: replace(known, breaks=breaks) for size, known in _earlier(workspace, opened).items()}
    with progress("Forecasting from each earlier quarter") as tick:
        scores = evaluate_model(seen, earlier=earlier, progress=tick).as_dict()
    return {
        **scores,
        "blocks": evaluate_blocks(seen),
        "as_known_then": sorted(earlier),
        "breaks": list(map(asdict, breaks)),
    }


def _calibrate(workspace: Workspace, name: str | None, worlds: int) -> dict[str, Any]:
    """Return the calibration of the model with the areas, outreach and noise of a release, as plain values."""
    opened = _open(workspace, "partner", name)
    seen = Observations.from_release(opened, geography.read_areas(opened.areas_file))
    noise = CellKey.from_manifest(opened.manifest["tact"])
    with progress("Fitting invented data") as tick:
        seen = replace(seen, channel=build_channel(noise, np.array([_ANY]), None))
        return asdict(calibrate_model(seen, worlds, SEED, tick))


def _describe_checks(workspace: Workspace, about: Mapping[str, Any]) -> list[str]:
    if not about:
        return []
    t, calibrated = Speech("en", load_areas(_open(workspace, "partner", about["release"]))), read_calibration(about)
    return describe_checks(t, [Check(**check) for check in about["checks"]], calibrated)


def _earlier(workspace: Workspace, newest: Release) -> dict[int, Observations]:
    """Return the observations of each release before `newest`, by the number of their quarters.

    They are what was known when each forecast would have been made. A release with figures alone is left out; of two
    with the same number of quarters the earlier one counts. Raises ReleaseDamaged: without a damaged release, forecasts
    would be judged with data that nobody knew then.
    """
    observations: dict[int, Observations] = {}
    listed = names(workspace.releases)  # damaged ones come last
    for name in listed[listed.index(newest.name) + 1 :]:  # of two with as many quarters the earlier one counts
        with suppress(ReleaseError):  # raised for a release with figures alone
            release = _open(workspace, "partner", name)
            seen = Observations.from_release(release, geography.read_areas(release.areas_file))
            observations[len(seen.quarters)] = seen
    return observations


def _format_times(times: Times) -> list[str]:
    if not (times.uploaded or times.ferries):
        return []
    counts = f"{len(times.uploaded)} measured or entered, {len(times.ferries)} by ferry"
    return [f"Travel times from files: {counts}. The others are estimates."]


def _describe_result(workspace: Workspace, result: Result) -> list[str]:
    """Return the result for a tier in words, as lines for the terminal."""
    about = result.manifest
    card, tier = about["card"], about["tier"]
    lines = [f"Release {about['release']}, {tier} tier: {card['areas']} counties and regions."]
    if "municipalities" in about:
        inside, (alone, every) = about["municipalities"]["areas"], about["municipalities"]["region_only"]
        share = f"{100 * alone / every:.0f} %"
        lines.append(f"  {inside} municipalities inside them; in {share} of cases only the average of their region.")
    if tier == "partner":
        area_names = dict(area_table()["name_en"])
        opened = _open(workspace, tier, about["release"])
        intervals = opened.table(INTERVALS) if INTERVALS in opened.tables else pd.DataFrame()
        lines += [f"  {text}" for text in describe_intervals(intervals, area_names)]
        lines += [f"  {text}" for text in describe_share_found(ModelCard.read(card), area_names, opened)]
    statements = about["statements"]
    shifts = [AreaShift.read(shift) for shift in statements.get("shifts", ())]
    years = str(statements.get("first_year", "")), str(statements.get("last_year_ends", ""))
    t = Speech("en", load_areas(_open(workspace, tier, about["release"])))
    lines += [f"  {text}" for text in word_shifts(t, shifts, years)]
    lines += [f"  {line}" for line in _format_times(Times.read(about))]
    return lines + [f"  {problem}" for problem in [about.get("ledger_problem")] if problem]


def _verdicts(evaluation: dict[str, Any]) -> list[str]:
    if "scores" not in evaluation:
        return []
    scores: dict[str, list[float]] = {}
    for row in evaluation["scores"]:
        scores.setdefault(str(row["forecaster"]), []).append(float(row["crps"]))
    rows = [("", "average error in children, next to fourth quarter (smaller is better)")]
    rows += [(name, "  ".join(f"{value:.2f}" for value in values)) for name, values in scores.items()]
    return [format_verdict(EvaluationSummary.read(evaluation)), *format_table(rows)]
