"""`tact ledger`: the forecasts that were registered, whether the ledger is whole, and a copy for other tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.export import log_receiver
from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.workspace import check_folder, open_release, open_workspace
from dashboard.narrative.track_record import list_sentences
from data.accounts.database import Accounts
from data.accounts.meetings import Meeting, find_local_file, list_meetings
from data.errors import ReleaseError, WorkspaceError
from data.release import Release
from data.release.derived import LEDGER
from data.release.result import list_all_results
from data.tables.periods import Period
from data.workspace import Workspace
from data.workspace.files import fill_folder
from data.workspace.hash_chain import Chain, Entry, read_chain
from geo import areas as geography
from risk.evaluation import hub_files
from risk.evaluation.forecast_ledger import KIND as FORECAST
from risk.model.observations import Observations
from risk.planning.explain import Estimate
from risk.planning.outcomes import MoveOutcome, PlanDecision, follow_plan, list_plan_decisions, list_plan_entries
from risk.report import KIND as RISK
from risk.report.manifest import read_manifest

app = typer.Typer(help="The ledger of forecasts. Needs the partner tier.", no_args_is_help=True)
_BROKEN = 5
_UNSEEN = (
    "Seen are days of outreach and published children. Whether need was met, and what had happened without the move, "
    "cannot be seen: more outreach finds more children."
)


@app.command("list")
def list_entries(
    context: typer.Context,
    accounts: Annotated[
        Path | None, typer.Option("--accounts", help="A copy of a server's file of accounts, for the decisions in it.")
    ] = None,
    as_json: Json = False,
) -> None:
    """List the entries of the ledger, and how right the forecasts were."""
    workspace = open_workspace(context, or_demo=True)
    chain = _read_whole(workspace)
    release = open_release(workspace)
    manifest = read_manifest(release)
    record = manifest.track_record if manifest else None
    outcomes = _follow_plans(workspace, chain, release)
    answer = [_describe_entry(entry) for entry in chain.entries]
    decisions = list(list_plan_decisions(_list_meetings(workspace, accounts), chain, outcomes))
    rows = [("", "registered", "release", "what", ""), *(tuple(map(str, row.values()))[:5] for row in answer)]
    emit(
        {
            "entries": answer,
            "sha256": chain.head[1],
            "track_record": asdict(record) if record else None,
            "plans": [asdict(outcome) for outcome in outcomes],
            "decisions": [asdict(decision) for decision in decisions],
        },
        as_json,
        *(format_table(rows) if answer else ["Nothing is registered yet. Forecasts are registered by: tact risk"]),
        *(list_sentences(record) if answer else ()),
        *_word_outcomes(outcomes),
        *_word_decisions(decisions),
        *([_word_head(chain)] if answer else ()),
    )


@app.command("verify")
def verify(context: typer.Context, as_json: Json = False) -> None:
    """Check that no entry was changed, removed, moved or cut off."""
    workspace = open_workspace(context, or_demo=True)
    chain = read_chain(workspace.derived / LEDGER)
    problems = [*chain.problems, *_find_cut_off(workspace, chain)]
    emit(
        {"entries": len(chain.entries), "sha256": chain.head[1], "problems": problems},
        as_json,
        *(problems or [f"{_word_whole(len(chain.entries))} {_word_head(chain)}"]),
    )
    if problems:
        raise SystemExit(_BROKEN)


@app.command("export")
def export(
    context: typer.Context,
    to: Annotated[Path, typer.Option("--to", help="Folder to write the files to.")],
    receiver: Annotated[
        str | None, typer.Option("--for", help="Name of the receiver, who must have an agreement.")
    ] = None,
    release: Annotated[
        str | None, typer.Option(help="Release whose published counts are written beside. Default: the current one.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Write forecasts and published counts in the format of forecast hubs (hubverse), as CSV."""
    check_folder(to)
    workspace = open_workspace(context, or_demo=True)
    chain = _read_whole(workspace)
    opened = open_release(workspace, name=release)
    observed = hub_files.tabulate_observed(opened)
    releases = list(dict.fromkeys([*hub_files.list_releases(chain), opened.name]))
    log_receiver(workspace, releases, receiver, ["csv"], ["forecasts", "children"])
    with fill_folder(to) as part:
        paths = [str(to / path.relative_to(part)) for path in hub_files.write_hub(chain, opened, observed, part)]
    emit({"files": paths, "for": receiver}, as_json, *paths)


def _read_whole(workspace: Workspace) -> Chain:
    """Read the ledger. Raise WorkspaceError if it is damaged."""
    chain = read_chain(workspace.derived / LEDGER)
    if chain.problems:
        raise WorkspaceError(" ".join(chain.problems))
    return chain


def _follow_plans(workspace: Workspace, chain: Chain, release: Release) -> list[MoveOutcome]:
    """Return the outcome of each move of the registered plans, between the release of its plan and `release`.

    A plan is left out if one of the two releases has no observations.
    """

    @cache
    def observe(name: str) -> Observations | None:
        with suppress(ReleaseError):  # a release that has only figures, or that was taken back
            opened = release if name == release.name else open_release(workspace, name=name, silent=True)
            return Observations.from_release(opened, geography.read_areas(opened.areas_file))
        return None

    outcomes: list[MoveOutcome] = []
    for content in list_plan_entries(chain):
        before, after = observe(content["release"]), observe(release.name)
        if before is not None and after is not None:
            outcomes += follow_plan(content, before, after)
    return outcomes


def _word_outcomes(outcomes: Sequence[MoveOutcome]) -> Iterator[str]:
    if not outcomes:
        return
    rows = [("move", "decided", "seen", "forecast gain", "days where they came", "children there", "")]
    rows += [
        (
            f"{move.units} {move.kind} {move.start} to {move.end}",
            move.decided or "-",
            move.seen,
            _word_gain(move.gain),
            f"{move.end_days.before:.0f} to {move.end_days.after:.0f}",
            f"{move.children.before:.1f} to {move.children.after:.1f}",
            f"(noise of the difference {move.margin:.1f})",
        )
        for move in outcomes
    ]
    yield "Plans of earlier releases, per quarter:"
    yield from format_table(rows)
    yield _UNSEEN


def _list_meetings(workspace: Workspace, accounts: Path | None) -> list[Meeting]:
    """List the meetings of the workspace's accounts, of the local map, and of another file of accounts if given."""
    standard_files = (workspace.accounts, find_local_file(workspace.derived))
    files = [*filter(Path.is_file, standard_files), *([accounts] if accounts else [])]
    return [meeting for file in files for meeting in list_meetings(Accounts.open(file))]


def _word_decisions(decisions: Sequence[PlanDecision]) -> Iterator[str]:
    if not decisions:
        return
    rows = [("decided", "due", "area", "plan", "move", "forecast gain", "seen")]
    for decision in decisions:
        head = (decision.day, decision.due, decision.area or "all", decision.plan)
        seen = {(outcome.start, outcome.end, outcome.kind): outcome.seen for outcome in decision.outcomes}
        for move in decision.moves:
            words = f"{move['units']} {move['kind']} {move['start']} to {move['end']}"
            result = seen.get((move["start"], move["end"], move["kind"]), "nothing yet")
            rows.append((*head, words, _word_gain(Estimate(**move["gain"])), result))
        if not decision.moves:
            rows.append((*head, "not followed", "", ""))
    yield "Decisions of meetings on saved plans:"
    yield from format_table(rows)


def _word_gain(gain: Estimate) -> str:
    return f"{gain.mean:+.1f} ({gain.low:+.1f} to {gain.high:+.1f})"


def _find_cut_off(workspace: Workspace, chain: Chain) -> list[str]:
    """Return a sentence for each entry that a risk result names and that the ledger lacks or has with other content."""
    problems: dict[int, str] = {}
    for result in list_all_results(workspace.derived, "partner", RISK):
        named = result.manifest.get("ledger")
        if named and not (chain.problems and named["number"] > len(chain.entries)):
            place = f"the result {result.folder.parent.name}/{result.folder.name}"
            problem = chain.find_missing(named["number"], named["sha256"], place)
            problems |= {named["number"]: problem} if problem else {}
    return [problems[number] for number in sorted(problems)]


def _describe_entry(entry: Entry) -> dict[str, Any]:
    content = entry.content
    what, mark = f"plan {content.get('plan')}", ""
    if content["kind"] == FORECAST:
        first, last = (Period.parse(content["targets"][i]) for i in (0, -1))
        what = f"forecast of {Period(first.start, last.end, 'whole').label}"
        late = "late, never scored" if content["late"] else ""
        mark = "reconstructed on invented data" if content["reconstructed"] else late
    return {
        "number": entry.number,
        "registered": entry.registered,
        "release": content["release"],
        "what": what,
        "mark": mark,
        "sha256": entry.sha256,
    }


def _word_whole(count: int) -> str:
    if count == 1:
        return "The only entry is as it was registered."
    return f"All {count:,} entries are as they were registered." if count else "Nothing is registered yet."


def _word_head(chain: Chain) -> str:
    number, sha256 = chain.head
    return f"Write this down elsewhere, such as in the minutes: entry {number}, {sha256}"
