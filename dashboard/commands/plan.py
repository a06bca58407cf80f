"""`tact plan`: which units to move where, kept beside the release; the briefing; what plans are worth."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from dashboard.commands.export import note_receiver
from dashboard.commands.output import Json, emit, progress, table
from dashboard.commands.workspace import open_workspace
from data.errors import InputError
from data.release import Release
from data.release.result import Result
from data.restricted import governance
from data.workspace import Workspace, files
from geo import areas as geography
from risk import handover
from risk.handover import HandedOver
from risk.planning import inputs, posts, saved
from risk.planning.inputs import Ground, Setting
from risk.planning.saved import Author

_USUAL = Setting()
_TITLE, _ROLE = "Proposed moves", "data officer"
_ALMOST = 0.99
_HEAD = ("units", "what", "from", "to", "brings", "95 %", "better than staying")


def plan(
    context: typer.Context,
    moves: Annotated[int, typer.Option(min=0, help="The most units that move.")] = _USUAL.moves,
    budget: Annotated[
        float | None, typer.Option(min=0, help="The most hours of travel between old and new posts.")
    ] = None,
    pathway: Annotated[
        str, typer.Option(help=f"Whose need counts: {', '.join(inputs.PATHWAYS)}.")
    ] = _USUAL.pathway,
    floor: Annotated[
        float, typer.Option(min=0, max=1, help="Share of today's capacity that every area keeps.")
    ] = _USUAL.floor,
    services_floor: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="The same of services, for areas with Roma and Egyptian communities."
        ),
    ] = _USUAL.services_floor,
    exploration: Annotated[
        float, typer.Option(min=0, max=1, help="Share of outreach for areas where too little was looked.")
    ] = _USUAL.exploration,
    equity: Annotated[
        float, typer.Option(min=0, max=1, help="How much the worst-off areas count.")
    ] = _USUAL.equity,
    cost: Annotated[float, typer.Option(min=0, max=1, help="How dear a move may be.")] = _USUAL.cost,
    robustness: Annotated[
        float, typer.Option(min=0, max=1, help="How much the bad cases count.")
    ] = _USUAL.robustness,
    per_quarter: Annotated[
        int, typer.Option(min=1, help="The most units that move in one quarter.")
    ] = _USUAL.per_quarter,
    seconds: Annotated[float, typer.Option(min=1, help="For finding the plan.")] = _USUAL.seconds,
    table_of_posts: Annotated[
        Path | None, typer.Option("--posts", help="Your table of posts; default: a draft of the release.")
    ] = None,
    tasks: Annotated[
        Path | None, typer.Option(help="Your table of tasks that duty bearers could take over.")
    ] = None,
    capacity: Annotated[
        Path | None, typer.Option(help="Your table of the room that duty bearers have.")
    ] = None,
    free_share: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, help="In place of --capacity: share of the places in the release that are free."
        ),
    ] = None,
    draft: Annotated[
        Path | None, typer.Option("--draft", help="Write that draft into this file and stop.")
    ] = None,
    kept: Annotated[
        str | None, typer.Option("--open", help="Take a plan that was kept, by its name; see --list.")
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the plans that were kept.")] = False,
    title: Annotated[
        str | None, typer.Option(help="Keep the plan, under this title. Without one it is shown alone.")
    ] = None,
    role: Annotated[str, typer.Option(help=f"Who makes it: {', '.join(saved.ROLES)}.")] = _ROLE,
    briefing: Annotated[
        Path | None, typer.Option("--briefing", help="Write the two pages for the board into this PDF.")
    ] = None,
    pictures: Annotated[
        Path | None, typer.Option("--pictures", help="Write its pictures for slides into this folder.")
    ] = None,
    language: Annotated[str, typer.Option(help="Of the briefing: en, sq, el.")] = "en",
    receiver: Annotated[
        str | None,
        typer.Option("--for", help="Who receives the briefing of real records, under which agreement."),
    ] = None,
    release: Annotated[str | None, typer.Option(help="A release's name; default: the current one.")] = None,
    as_json: Json = False,
) -> None:
    """Propose which units to move where, or say that changing nothing is best. Partner tier.

    With a title, or for a briefing, it is kept beside the release, in the folder derived of the workspace.
    """
    workspace = open_workspace(context, or_demo=True)
    opened = _open(workspace, release)
    if briefing is not None or pictures is not None:
        _check_language(language)
    if listed:
        _list(workspace, opened, as_json=as_json)
        return
    if draft is not None:
        if draft.exists():
            msg = (
                f"{draft} exists already and may hold corrections: it is not written over. Give another name."
            )
            raise InputError(msg)
        ground = _ground(opened, None)
        files.write_text(draft, posts.written(ground.table))
        emit({"draft": str(draft)}, as_json, f"Written: {draft}. Correct it, then: tact plan --posts {draft}")
        return
    if kept is None:
        setting = Setting(
            pathway,
            moves,
            budget,
            floor,
            services_floor,
            exploration,
            equity,
            cost,
            robustness,
            per_quarter,
            seconds,
        )
        given = _Tables(table_of_posts, tasks, capacity, free_share)
        told = _made(opened, setting, given, Author(role, _today()), _TITLE if title is None else title)
        keep = title is not None or briefing is not None or pictures is not None
        result = saved.keep(workspace.derived, opened, told) if keep else None
    else:
        result = _kept(workspace, opened, kept)
        told = result.manifest
    written = (
        [] if result is None else _briefed(workspace, opened, result, briefing, pictures, language, receiver)
    )
    emit(
        {"plan": None if result is None else str(result.folder), **_answer(told), "files": written},
        as_json,
        *_told(told, opened),
        *(f"Written: {one}" for one in written),
        'Not kept. To keep it: --title "..."' if result is None else f"Kept: {result.folder}",
    )


def _open(workspace: Workspace, name: str | None) -> Release:
    blocked = governance.read(workspace).blocked
    return Release.open(workspace.releases, "partner", name, blocked, workspace.derived)


def _today() -> str:
    return dt.datetime.now(dt.UTC).date().isoformat()


def _ground(opened: Release, given: Path | None) -> Ground:
    with progress("Reading posts and need"):
        ground = Ground.of(opened)
        return ground if given is None else ground.holding(posts.read(given, ground.posts.areas))


@dataclass(frozen=True)
class _Tables:
    """The tables that a manager gives: posts, tasks, room of duty bearers or the share of places free."""

    posts: Path | None
    tasks: Path | None
    capacity: Path | None
    free_share: float | None


def _made(opened: Release, setting: Setting, given: _Tables, author: Author, title: str) -> Mapping[str, Any]:
    ground = _ground(opened, given.posts)
    handed = _handed(opened, given)
    with progress("Looking for the best moves") as tick:
        found = inputs.made(ground, setting, progress=tick)
        points = inputs.frontier_of(ground, setting, progress=tick)
    return saved.told(ground, setting, found, author, title=title, points=points, handed=handed)


def _handed(opened: Release, given: _Tables) -> tuple[handover.Tables, HandedOver] | None:
    """Hand over what the table of tasks holds, into the room that is given; nothing without such a table."""
    if given.tasks is None and given.capacity is None and given.free_share is None:
        return None
    if given.tasks is None or (given.capacity is None) == (given.free_share is None):
        msg = "A hand-over needs --tasks FILE and either --capacity FILE or --free-share SHARE, not both."
        raise InputError(msg)
    tables = handover.Tables.read(given.tasks, given.capacity, given.free_share)
    found = tables.over(opened, list(_names(opened)))
    return None if found is None else (tables, found)


def _kept(workspace: Workspace, opened: Release, name: str) -> Result:
    """Find a kept plan by its name, or by its title where only one has it."""
    found = saved.kept(workspace.derived, opened)
    named = [result for result in found if name in (result.folder.name, result.manifest["title"])]
    if len(named) == 1:
        return named[0]
    if named:
        msg = f"{len(named)} plans are called {name!r}. Give one of their names; tact plan --list shows them."
        raise InputError(msg)
    known = ", ".join(f"{r.folder.name} ({r.manifest['title']})" for r in found) or "none"
    msg = f"No plan {name!r} of release {opened.name}. There are: {known}."
    raise InputError(msg)


def _list(workspace: Workspace, opened: Release, *, as_json: bool) -> None:
    found = saved.kept(workspace.derived, opened)
    rows = [
        (
            result.folder.name,
            m["author"]["date"],
            m["author"]["role"],
            m["title"],
            m["parameters"]["pathway"],
            f"{m['plan']['moved']} moves",
            f"{m['plan']['gain']['mean']:+.1f}",
            "advised" if m["plan"]["recommended"] else "change nothing",
        )
        for result in found
        for m in (result.manifest,)
    ]
    answer = [
        {"plan": name, "date": date, "role": role, "title": title, **_answer(result.manifest)}
        for result, (name, date, role, title, *_) in zip(found, rows, strict=True)
    ]
    emit(answer, as_json, *(table(rows) if rows else [f"No plan of release {opened.name} was kept yet."]))


def _answer(told: Mapping[str, Any]) -> dict[str, Any]:
    """Give the keys of the answer in JSON."""
    names = ("recommended", "probability", "moved", "cost", "gain", "gap", "proven", "broken_today")
    return {**{name: told["plan"][name] for name in names}, "moves": told["moves"]}


def _told(told: Mapping[str, Any], opened: Release) -> Iterator[str]:
    """Say a plan to a person: the answer first, then move by move."""
    found, names = told["plan"], _names(opened)
    gain, met = found["gain"], found["today"]["met"]["mean"]
    sure = _percent(found["probability"])
    if found["recommended"]:
        yield f"Make {found['moved']} moves: it is {sure} sure that they meet over 3 % more need than today."
    else:
        yield "Change nothing: no moves are sure enough to bring over 3 % more than today."
        yield f"The best that were found, {found['moved']} moves, are {sure} sure to."
    yield (
        f"  Met today: the need of {met:.0f} children a quarter; with the moves {gain['mean']:+.1f} "
        f"(95 %: {gain['low']:+.1f} to {gain['high']:+.1f}). {found['cost']:.0f} hours of travel."
    )
    if told["posts_drafted"]:
        yield "  Posts are a draft made of the release. Correct it: tact plan --draft FILE"
    rows = [_HEAD, *(_row(move, names) for move in told["moves"])]
    if len(rows) > 1:
        yield ""
        yield from table(rows)
        yield ""
    yield from _later(told, names)


def _later(told: Mapping[str, Any], names: Mapping[str, str]) -> Iterator[str]:
    """Say when the moves are made, and what goes over to duty bearers."""
    for phase in told["phases"]:
        if moves := phase["moves"]:
            listed = ", ".join(
                f"{one['units']} from {names[one['start']]} to {names[one['end']]}" for one in moves
            )
            yield f"Quarter {phase['quarter']}: {listed}."
    if left := sum(one["units"] for one in told["left"]):
        yield f"After the fourth quarter: {left} more."
    for one in told["handover"]:
        to = handover.WORDS[one["to"]]
        yield f"{names[one['area']]}: {one['axis']} of {one['partner']} to {to} in quarter {one['quarter']}."
    for one in told["stays"]:
        yield f"{names[one['area']]}: {one['axis']} stays with {one['partner']}: {one['why']}."


def _row(move: Mapping[str, Any], names: Mapping[str, str]) -> tuple[str, ...]:
    gain = move["gain"]
    return (
        str(move["units"]),
        move["kind"],
        names.get(move["start"], move["start"]),
        names.get(move["end"], move["end"]),
        f"{gain['mean']:+.1f}",
        f"{gain['low']:+.1f} to {gain['high']:+.1f}",
        _percent(move["beats_staying"]),
    )


def _percent(chance: float) -> str:
    """Say a chance that was counted over draws: never that it is certain."""
    return "over 99 %" if chance > _ALMOST else f"{100 * chance:.0f} %"


def _names(opened: Release) -> Mapping[str, str]:
    frame = geography.read(opened.areas_file).frame("region")
    return dict(zip(frame.index.astype(str), frame["name_en"].astype(str), strict=True))


def _check_language(language: str) -> None:
    from dashboard import briefing as pages

    if language not in pages.LANGUAGES:
        msg = f"No briefing in {language!r}. There are: {', '.join(pages.LANGUAGES)}."
        raise InputError(msg)


def _briefed(
    workspace: Workspace,
    opened: Release,
    result: Result,
    pdf: Path | None,
    folder: Path | None,
    language: str,
    receiver: str | None,
) -> Sequence[str]:
    """Write what was asked for; of real records it is noted first for whom."""
    if pdf is None and folder is None:
        return []
    if pdf is not None and not pdf.absolute().parent.is_dir():
        msg = f"There is no folder {pdf.absolute().parent} to write the briefing to. Make it first."
        raise InputError(msg)
    from dashboard import briefing as pages

    if not opened.invented:
        formats = ["pdf"] * (pdf is not None) + ["png"] * (folder is not None)
        note_receiver(workspace, opened, receiver, formats, [result.folder.name])
    written = []
    if pdf is not None:
        files.write_bytes(pdf, pages.make(result.manifest, opened, language))
        written.append(str(pdf))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for name, picture in pages.pictures(result.manifest, opened, language).items():
            files.write_bytes(folder / name, picture)
            written.append(str(folder / name))
    return written


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(plan)
