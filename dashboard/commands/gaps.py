"""`tact gaps`: what a partner did not send, and the data officer's answers on it."""

from __future__ import annotations

import datetime as dt
from dataclasses import asdict
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.workspace import open_release, open_workspace
from dashboard.narrative.completeness import word_finding
from dashboard.narrative.speech import Speech
from data.errors import InputError
from data.release.completeness import find_gaps
from data.workspace.folding import is_same_partner
from geo import areas as geography
from risk.model.gaps import ANSWERS, GapAnswer, answer_gap, read_answers, remove_answer
from risk.report.gaps import sort_gaps

app = typer.Typer(help="Gaps: a partner sent cases but no outreach days, or nothing yet.", no_args_is_help=True)

_Partner = Annotated[str, typer.Argument(help="The partner, as tact gaps list names it.")]
_Place = Annotated[str, typer.Option("--place", help="Code of a country. Default: every country with a gap.")]
_AGAIN = "To use it in the risk model: tact risk"


@app.command("list")
def list_gaps(context: typer.Context, as_json: Json = False) -> None:
    """List what the current release lacks, and which gaps need an answer."""
    workspace = open_workspace(context, or_demo=True)
    release = open_release(workspace)
    answers = read_answers(workspace.derived)
    questions = sort_gaps(release, answers)
    t = Speech("en", geography.read_areas(release.areas_file))
    kinds = (("needs an answer", questions.open), ("file comes later", questions.late), ("known", questions.answered))
    rows = [(word_finding(t, gap), word) for word, gaps in kinds for gap in gaps]
    emit(
        {**{word: [asdict(gap) for gap in gaps] for word, gaps in kinds}, "answers": [asdict(a) for a in answers]},
        as_json,
        *(format_table(rows) if rows else ["Each partner that sent cases sent its outreach days too."]),
        *(["To answer: tact gaps answer PARTNER none|right|closed|later"] if questions.open else []),
    )


@app.command()
def answer(
    context: typer.Context,
    partner: _Partner,
    why: Annotated[
        str,
        typer.Argument(
            help="none: no outreach there in these quarters. right: the numbers are complete. closed: the partner has "
            "closed. later: the file comes later."
        ),
    ],
    place: _Place = "",
    note: Annotated[str, typer.Option(help="The reason; nothing about a person.")] = "",
    as_json: Json = False,
) -> None:
    """Say why records of a partner are missing. What they block is free again once tact risk has run."""
    workspace = open_workspace(context)
    if why not in ANSWERS:
        raise InputError(f"No answer {why!r}. There are: {', '.join(ANSWERS)}.")
    findings = find_gaps(open_release(workspace))
    gaps = [gap for gap in findings if is_same_partner(gap.partner, partner) and place in ("", gap.country)]
    gaps = [gap for gap in gaps if gap.state != "began"]
    if not gaps:
        raise InputError(f"No gap of {partner!r}. See: tact gaps list")
    today = dt.datetime.now(dt.UTC).date().isoformat()
    new = [GapAnswer(g.partner, g.country, g.first, g.last, why, note, "data officer", today) for g in gaps]
    for entry in new:
        answer_gap(workspace.derived, entry, findings)
    emit(
        [asdict(entry) for entry in new], as_json, *(f"Answered: {e.partner} in {e.place}, {why}." for e in new), _AGAIN
    )


@app.command()
def remove(context: typer.Context, partner: _Partner, place: _Place = "", as_json: Json = False) -> None:
    """Remove the answers on a partner's gaps."""
    workspace = open_workspace(context)
    answers = [a for a in read_answers(workspace.derived) if is_same_partner(a.partner, partner)]
    chosen = [entry for entry in answers if place in ("", entry.place)]
    if not chosen:
        raise InputError(f"No answer on {partner!r}. See: tact gaps list")
    for entry in chosen:
        remove_answer(workspace.derived, entry.partner, entry.place, entry.first)
    emit([asdict(entry) for entry in chosen], as_json, f"Removed: {len(chosen)} answers.", _AGAIN)
