"""`tact plan`: which units to move where. Plans are made, saved, listed and opened; a briefing is written."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer
from typer.core import TyperGroup

from dashboard.commands.export import log_receiver
from dashboard.commands.languages import check_language, make_language_option
from dashboard.commands.option_groups import expand_options
from dashboard.commands.output import Json, emit, format_table, progress, say
from dashboard.commands.workspace import open_release, open_workspace
from dashboard.narrative import moves as move_words
from dashboard.narrative import plan as plan_words
from dashboard.narrative.judgement import list_risen
from dashboard.narrative.plan_places import list_outings
from dashboard.narrative.speech import Speech
from dashboard.site.current_release import follow_release
from data.errors import InputError
from data.reference import area_table
from data.release import Release
from data.tables.spec import Level
from data.workspace import Workspace, files
from geo import areas as geography
from geo.places import Places
from risk import handover
from risk.handover import HandOverResult
from risk.planning import inputs, posts, saved
from risk.planning.clashes import RulesClash
from risk.planning.inputs import PlanInputs, Setting
from risk.planning.problem import MOST_SETTLING, Decision
from risk.planning.saved import SavedPlan
from risk.planning.summary import ROLES, Author, AuthoredDecision, PlanSummary, summarise_plan

_USUAL = Setting()
_TITLE, _ROLE = "Proposed moves", "data officer"
# The option that loosens each rule, for the message when rules clash.
_LOOSENED = {
    **{rule: f"(--{rule.replace('_', '-')})" for rule in ("moves", "budget", "floor", "services_floor", "exploration")},
    **{rule: f"(--{rule.replace('_', '-')})" for rule in ("country", "keep", "at_most")},
    **dict.fromkeys(("commitments", "room"), "(--posts)"),
    "accepted": "(--require)",
    "declined": "(--forbid)",
}
_ReleaseName = Annotated[str | None, typer.Option("--release", help="Name of the release. Default: the current one.")]

_Level = Annotated[str, typer.Option(help=f"Units move between areas of this level: {' or '.join(inputs.LEVELS)}.")]


def _share(text: str) -> Any:  # noqa: ANN401 (what typer calls an option)
    return typer.Option(min=0, max=1, help=text)


@dataclass(frozen=True)
class LimitOptions:
    """The limits of a plan."""

    moves: Annotated[int, typer.Option(min=0, help="Maximum number of moves.")] = _USUAL.moves
    budget: Annotated[
        float | None, typer.Option(min=0, help="Maximum hours of travel between old and new posts, together.")
    ] = None
    floor: Annotated[float, _share("Minimum for every county or region: share of what reaches it today.")] = (
        _USUAL.floor
    )
    services_floor: Annotated[float, _share("Minimum of services for areas with Roma and Egyptian communities.")] = (
        _USUAL.services_floor
    )
    exploration: Annotated[float, _share("Share of outreach for areas with too little outreach.")] = _USUAL.exploration
    per_quarter: Annotated[int, typer.Option(min=1, help="Maximum number of moves in one quarter.")] = (
        _USUAL.per_quarter
    )
    settling: Annotated[
        int, typer.Option(min=0, max=MOST_SETTLING, help="Weeks for which a moved team meets nobody.")
    ] = _USUAL.settling
    seconds: Annotated[float, typer.Option(min=1, help="Time limit in seconds.")] = _USUAL.seconds
    level: _Level = _USUAL.level


_Texts = list[str] | None


@dataclass(frozen=True)
class RuleOptions:
    """Rules for single countries, areas and moves; areas are given by code or by name."""

    country: Annotated[str, typer.Option(help="Units move only within this country: AL or GR.")] = _USUAL.country
    keep: Annotated[_Texts, typer.Option(help="AREA=NUMBER: the least number of teams in an area. Repeatable.")] = None
    at_most: Annotated[_Texts, typer.Option(help="AREA=NUMBER: the most teams in an area. Repeatable.")] = None
    forbid: Annotated[_Texts, typer.Option(help="AREA=AREA: no unit moves from the first to the second.")] = None
    require: Annotated[_Texts, typer.Option(help="AREA=AREA: a unit moves from the first to the second.")] = None

    def read_setting(self, level: Level) -> dict[str, Any]:
        """Return the values of the setting; raise InputError for an unknown area, or what is no number."""
        return {"country": self.country.upper(), "keep": tuple(_read_units(text, level) for text in self.keep or ()),
                "at_most": tuple(_read_units(text, level) for text in self.at_most or ())}  # fmt: skip


def _read_units(text: str, level: Level) -> tuple[str, int]:
    area, count = _split_pair(text)
    if not count.isdecimal():
        raise InputError(f"{text!r}: {count!r} is no whole number of units. Write it like this: AL-10=2")
    return _find_area(area, level), int(count)


def _split_pair(text: str) -> tuple[str, str]:
    first, sign, second = (part.strip() for part in text.partition("="))
    if not (first and sign and second):
        raise InputError(f"{text!r} is no pair. Write it like this: AL-10=2, or for a move AL-10=AL-11")
    return first, second


def _find_area(text: str, level: Level) -> str:
    """Return the code of an area of the level, or of a county or region, from its code or name."""
    places = Places(area_table())
    matches = [places.resolve(text, level=name) for name in dict.fromkeys((level, "region"))]
    codes = [match.code for match in matches if match.code]
    if not codes:
        raise InputError(f"{matches[-1].reason} Write the code of a county or region, such as AL-10, or its name.")
    return codes[0]


@dataclass(frozen=True)
class AimOptions:
    """The weights of the goal."""

    pathway: Annotated[str, typer.Option(help=f"Whose need counts: {', '.join(inputs.PATHWAYS)}.")] = _USUAL.pathway
    equity: Annotated[float, _share("Weight of the worst-served areas, from 0 to 1.")] = _USUAL.equity
    cost: Annotated[float, _share("Weight of travel: the higher, the more a long move must gain.")] = _USUAL.cost
    robustness: Annotated[float, _share("Weight of the worst cases, from 0 to 1.")] = _USUAL.robustness


@dataclass(frozen=True)
class TableOptions:
    """Tables of a manager: posts, tasks, and the spare capacity of duty bearers or its share."""

    posts: Annotated[Path | None, typer.Option(help="Table of posts (CSV). Default: an estimate from the release.")] = (
        None
    )
    tasks: Annotated[Path | None, typer.Option(help="Table of tasks that duty bearers could take over (CSV).")] = None
    capacity: Annotated[Path | None, typer.Option(help="Table of the spare capacity of duty bearers (CSV).")] = None
    free_share: Annotated[float | None, _share("Instead of --capacity: the share of service places that are free.")] = (
        None
    )


@dataclass(frozen=True)
class BriefingOptions:
    """The briefing of a plan, and its receiver."""

    briefing: Annotated[
        Path | None, typer.Option(help="Write the briefing (two pages for the board) to this PDF file.")
    ] = None
    pictures: Annotated[Path | None, typer.Option(help="Write pictures for slides to this folder.")] = None
    language: Annotated[str, make_language_option("the briefing")] = "en"
    receiver: Annotated[
        str | None, typer.Option("--for", help="Receiver of the briefing, under an agreement. Needed for real records.")
    ] = None

    def check(self) -> None:
        """Raise InputError for an unknown language, or if the folder of the briefing does not exist."""
        check_language(self.language, "briefing")
        if self.briefing is not None and not self.briefing.absolute().parent.is_dir():
            folder = self.briefing.absolute().parent
            raise InputError(f"There is no folder {folder} to write the briefing to. Make it first.")


class _PlanGroup(TyperGroup):
    """The group of commands, which still accepts the old spelling without a subcommand."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # noqa: ANN401 (click's context)
        """Translate an old spelling into a subcommand and print a hint, then parse the arguments."""
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = _translate_old_spelling(args)
            say(f"Hint: this is now written: tact plan {' '.join(args)}")
        return super().parse_args(ctx, args)


def _translate_old_spelling(args: Sequence[str]) -> list[str]:
    """Return the arguments with the subcommand that replaces --list, --open or --draft, otherwise with `make`."""
    rest = list(args)
    if "--list" in rest:
        rest.remove("--list")
        return ["list", *rest]
    for command in ("open", "draft"):
        for position, word in enumerate(rest):
            if word.startswith(f"--{command}="):
                return [command, word.partition("=")[2], *rest[:position], *rest[position + 1 :]]
            if word == f"--{command}" and position + 1 < len(rest):
                return [command, rest[position + 1], *rest[:position], *rest[position + 2 :]]
    return ["make", *rest]


app = typer.Typer(cls=_PlanGroup, help="Propose which units to move where. Needs the partner tier.")


@app.command("make")
@expand_options
def make_plan(
    context: typer.Context,
    limits: LimitOptions,
    rules: RuleOptions,
    aims: AimOptions,
    tables: TableOptions,
    output: BriefingOptions,
    title: Annotated[
        str | None, typer.Option(help="Save the plan under this title. Without a title it is only shown.")
    ] = None,
    role: Annotated[str, typer.Option(help=f"Role of the person who makes the plan: {', '.join(ROLES)}.")] = _ROLE,
    release: _ReleaseName = None,
    as_json: Json = False,
) -> None:
    """Print which outreach teams and services to move, which moves are optional, or to keep things as they are.

    With --title, --briefing or --pictures the plan is saved beside the release.
    """
    workspace, opened = _open_release(context, release)
    output.check()
    author = Author(role, dt.datetime.now(dt.UTC).date().isoformat())
    level = Setting(level=cast("Level", limits.level)).level
    setting = Setting(**asdict(limits), **asdict(aims), **rules.read_setting(level))
    words: tuple[tuple[Literal["decline", "accept"], _Texts], ...] = (
        ("decline", rules.forbid),
        ("accept", rules.require),
    )
    ways = [(decided, *_split_pair(text)) for decided, texts in words for text in texts or ()]
    moves = [Decision(_find_area(s, level), _find_area(e, level), "", decided) for decided, s, e in ways]
    decisions = tuple(AuthoredDecision(move, author) for move in moves)
    plan = _compute_plan(opened, setting, decisions, tables, author, _TITLE if title is None else title)
    if title is None and output.briefing is None and output.pictures is None:
        _emit_plan(opened, plan, None, (), as_json=as_json)
        return
    saved_plan = saved.save_plan(workspace.derived, opened, plan)
    written = _write_briefing(workspace, opened, saved_plan, output)
    _emit_plan(opened, plan, saved_plan, written, as_json=as_json)


@app.command("open")
@expand_options
def open_plan(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Name or title of the saved plan, see tact plan list.")],
    output: BriefingOptions,
    release: _ReleaseName = None,
    as_json: Json = False,
) -> None:
    """Show a saved plan, or write its briefing."""
    workspace, opened = _open_release(context, release)
    output.check()
    plan = _find_plan(workspace, opened, name)
    written = _write_briefing(workspace, opened, plan, output)
    _emit_plan(opened, plan.summary, plan, written, as_json=as_json)


@app.command("list")
def list_plans(context: typer.Context, release: _ReleaseName = None, as_json: Json = False) -> None:
    """List the saved plans of a release."""
    workspace, opened = _open_release(context, release)
    listed = saved.list_saved_plans([workspace.derived], opened)
    answer, rows, t = [], [], _speak(opened)
    for plan in listed.plans:
        summary, author = plan.summary, plan.summary.author
        about = {"plan": plan.name, "date": author.date, "role": author.role, "title": summary.title}
        answer.append({**about, **_answer(summary)})
        rows.append(
            (
                *about.values(),
                summary.setting.pathway,
                f"{summary.verdict.moved} moves",
                f"{summary.verdict.gain.mean:+.1f}",
                plan_words.name_answer(t, summary),
            )
        )
    for message in listed.damaged.values():
        say(message)
    emit(answer, as_json, *(format_table(rows) if rows else [f"No plan of release {opened.name} is saved yet."]))


@app.command("take")
def take_plans(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="A copy of the server's folder of plans.")],
    as_json: Json = False,
) -> None:
    """Take over the plans that people saved on a server. They are registered in the ledger, and published again."""
    if not folder.is_dir():
        raise InputError(f"There is no folder {folder}. Copy the folder of plans from the server first.")
    workspace = open_workspace(context)
    open_of_plan = partial(open_release, workspace, "partner", silent=True)
    taken, refused = saved.take_plans(workspace.derived, folder, open_of_plan)
    for name, why in refused.items():
        say(f"{name} was not taken: {why}")
    emit(
        {"plans": [plan.name for plan in taken], "refused": refused},
        as_json,
        *(f"Taken: {plan.name} ({plan.summary.title}, release {plan.release})" for plan in taken),
        *([] if taken or refused else ["There is no plan that is not here already."]),
    )
    if refused:
        raise SystemExit(InputError.exit_code)


@app.command("draft")
def write_draft(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="File for the table of posts (CSV).")],
    level: _Level = _USUAL.level,
    release: _ReleaseName = None,
    as_json: Json = False,
) -> None:
    """Write the posts that the release shows, as a table to correct. It holds outreach teams only."""
    _workspace, opened = _open_release(context, release)
    if file.exists():
        msg = f"{file} exists already and may contain corrections, so it was not overwritten. Give another name."
        raise InputError(msg)
    ground = _read_ground(opened, None, Setting(level=cast("Level", level)).level)
    files.write_text(file, posts.write_posts(ground.table))
    option = "" if level == _USUAL.level else f" --level {level}"
    emit({"draft": str(file)}, as_json, f"Written: {file}. Correct it, then: tact plan make --posts {file}{option}")


def _open_release(context: typer.Context, name: str | None) -> tuple[Workspace, Release]:
    workspace = open_workspace(context, or_demo=True)
    return workspace, open_release(workspace, name=name)


def _read_ground(opened: Release, file: Path | None, level: Level) -> PlanInputs:
    with progress("Reading posts and need"):
        ground = PlanInputs.read(opened, level=level)
        return ground if file is None else ground.with_posts(posts.read_posts(file, ground.table.areas))


def _compute_plan(
    opened: Release,
    setting: Setting,
    authored: tuple[AuthoredDecision, ...],
    tables: TableOptions,
    author: Author,
    title: str,
) -> PlanSummary:
    decisions = [entry.decision for entry in authored]
    ground = _read_ground(opened, tables.posts, setting.level)
    handed_over = _hand_over(opened, tables)
    with progress("Searching for the best moves") as tick:
        try:
            plan = inputs.make_plan(ground, setting, decisions, tick)
        except RulesClash as error:
            raise InputError(word_error(opened, error)) from error
        points = inputs.make_frontier(ground, setting, decisions, tick, plan)
    return summarise_plan(
        ground, setting, plan, author, title=title, decisions=authored, frontier=points, handed_over=handed_over
    )


def word_error(opened: Release, error: InputError, *, options: bool = True) -> str:
    """Return why there is no plan. If its rules clash, each rule has a line with the option that loosens it.

    Without `options`, the lines name no option, and a last line names the command for a plan with other limits.
    """
    if not isinstance(error, RulesClash):
        return str(error)
    head, lines = plan_words.word_clashes(_speak(opened), error.clashes)
    if not options:
        return "\n".join([head, *(f"  {line}" for line in lines), "  Make a plan with other limits: tact plan make"])
    names = (_LOOSENED.get(clash.rule, "") for clash in error.clashes)
    return "\n".join([head, *(f"  {line} {option}".rstrip() for line, option in zip(lines, names, strict=True))])


def _hand_over(opened: Release, tables: TableOptions) -> tuple[handover.Tables, HandOverResult] | None:
    """Hand over the tasks of a table to duty bearers with spare capacity.

    Returns the tables with the result; None if no option asks for a hand-over, or there are no tasks. Raises InputError
    if an option is missing or contradicts another one.
    """
    if tables.tasks is None and tables.capacity is None and tables.free_share is None:
        return None
    if tables.tasks is None or (tables.capacity is None) == (tables.free_share is None):
        raise InputError("A hand-over needs --tasks FILE and either --capacity FILE or --free-share SHARE, not both.")
    texts = handover.Tables.read(tables.tasks, tables.capacity, tables.free_share)
    areas = geography.read_areas(opened.areas_file).frame("region").index
    result = texts.hand_over(opened, [str(code) for code in areas])
    return None if result is None else (texts, result)


def _find_plan(workspace: Workspace, opened: Release, name: str) -> SavedPlan:
    """Return a saved plan by its name, or by a title that only one plan has.

    Raises InputError if no plan or several plans match, or if the file of the plan is damaged.
    """
    listed = saved.list_saved_plans([workspace.derived], opened)
    if name in listed.damaged:
        raise InputError(listed.damaged[name])
    named = [plan for plan in listed.plans if name in (plan.name, plan.summary.title)]
    if len(named) == 1:
        return named[0]
    if named:
        msg = f"{len(named)} plans have the title {name!r}. Give the name of one of them (see tact plan list)."
        raise InputError(msg)
    known = ", ".join(f"{plan.name} ({plan.summary.title})" for plan in listed.plans) or "none"
    raise InputError(f"No plan {name!r} of release {opened.name}. There are: {known}.")


def _answer(plan: PlanSummary) -> dict[str, Any]:
    """Return the plan as JSON values for scripts."""
    names = ("year", "moved", "cost", "gain", "gap", "proven", "broken_today")
    verdict = asdict(plan.verdict)
    moves = [asdict(move) for move in plan.moves]
    ground = {name: asdict(plan)[name] for name in ("away", "one_more", "totals")}
    return {"answer": plan.answer, **{name: verdict[name] for name in names}, "moves": moves, **ground}


def _emit_plan(
    opened: Release, plan: PlanSummary, saved_plan: SavedPlan | None, written: Sequence[str], *, as_json: bool
) -> None:
    emit(
        {"plan": None if saved_plan is None else str(saved_plan.folder), **_answer(plan), "files": list(written)},
        as_json,
        *_word_plan(opened, _speak(opened), plan),
        *(f"Written: {file}" for file in written),
        'Not saved. To save it: --title "..."' if saved_plan is None else f"Saved: {saved_plan.folder}",
    )


def _speak(opened: Release) -> Speech:
    return Speech("en", geography.read_areas(opened.areas_file))


def _word_plan(opened: Release, t: Speech, plan: PlanSummary) -> Iterator[str]:
    """Yield a plan as lines of text: the verdict, its numbers, the moves, the quarters and the hand-over of tasks."""
    verdict = plan_words.word_verdict(t, plan, list_risen(follow_release(opened)))
    yield verdict.head + "."
    yield from (f"  {text}" for text in verdict.list_sentences())
    if verdict.one_more:
        yield f"  One more team: {verdict.one_more}"
    for figure in plan_words.list_figures(t, plan):
        yield f"  {figure.label}: {figure.value} ({figure.below})"
    if plan.posts_drafted:
        yield "  The posts are an estimate from the release. To correct them: tact plan draft FILE"
    if lack := plan_words.word_lack_of_exploration(t, plan):
        yield f"  {lack}"
    if plan.moves:
        lines = [move_words.head_moves(t), *move_words.word_moves(t, plan)]
        yield ""
        yield from format_table([(row.what, row.start, row.end, row.gain, row.chance) for row in lines])
        yield ""
    yield from list_outings(t, plan)
    for quarter in move_words.word_quarters(t, plan):
        yield f"{quarter.title}: {'; '.join(quarter.lines)}"
    if left := move_words.count_left(t, plan):
        yield left
    yield from move_words.list_handover(t, plan)


def _write_briefing(workspace: Workspace, opened: Release, plan: SavedPlan, output: BriefingOptions) -> list[str]:
    """Write the briefing and the pictures that were asked for, and return their paths.

    For real records the receiver is logged first, see `log_receiver` for its errors.
    """
    formats = ["pdf"] * (output.briefing is not None) + ["png"] * (output.pictures is not None)
    if not formats:
        return []
    if not opened.invented:
        log_receiver(workspace, [opened.name], output.receiver, formats, [plan.name])
    from dashboard import briefing  # the typesetter is loaded only when something is written

    written = []
    if output.briefing is not None:
        files.write_bytes(output.briefing, briefing.make_pdf(plan, opened, output.language))
        written.append(str(output.briefing))
    if output.pictures is not None:
        output.pictures.mkdir(parents=True, exist_ok=True)
        for name, picture in briefing.make_pictures(plan, opened, output.language).items():
            files.write_bytes(output.pictures / name, picture)
            written.append(str(output.pictures / name))
    return written
