"""`tact gaps`: what a partner did not send, and the data officer's answers on it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from dashboard.commands.output import Json, emit, format_table
from dashboard.commands.workspace import open_release, open_workspace
from dashboard.narrative.completeness import tabulate_findings
from dashboard.narrative.speech import Speech
from data.errors import InputError
from data.release.completeness import sort_gaps
from data.workspace.folding import is_same_partner
from geo import areas as geography
from risk.model.gaps import answer_gap, read_answers, remove_answer

app = typer.Typer(help="Gaps: a partner sent cases but no outreach days, or nothing yet.", no_args_is_help=True)

_Partner = Annotated[str, typer.Argument(help="The partner, as tact gaps list names it.")]
_Place = Annotated[str, typer.Option("--place", help="Code of a country. Default: every country with a gap.")]
_AGAIN = "To use it in the risk model: tact risk"


@app.command("list")
def list_gaps(context: typer.Context, as_json: Json = False) -> None:
    """List what the current release lacks, and which gaps need an answer."""
    workspace = open_workspace(context, or_demo=True)
    release = open_release(workspace, silent=True)
    questions = sort_gaps(release, read_answers(workspace.derived))
    kinds = {"needs an answer": questions.open, "file comes later": questions.late, "known": questions.answered}
    table = tabulate_findings(Speech("en", geography.read_areas(release.areas_file)), questions)
    rows = [(state, finding) for finding, state in table.itertuples(index=False, name=None)]
    answers = [asdict(answer) for answer in questions.answers]
    emit(
        {**{word: [asdict(gap) for gap in gaps] for word, gaps in kinds.items()}, "answers": answers},
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
    """Store why records of a partner are missing. What they block is free again once tact risk has run."""
    workspace = open_workspace(context)
    questions = sort_gaps(open_release(workspace, silent=True), read_answers(workspace.derived))
    gaps = [gap for gap in (*questions.open, *questions.late, *questions.answered) if gap.state != "began"]
    gaps = [gap for gap in gaps if is_same_partner(gap.partner, partner) and place in ("", gap.country)]
    if not gaps:
        raise InputError(f"No gap of {partner!r}. See: tact gaps list")
    new = [answer_gap(workspace.derived, gap, why, note) for gap in gaps]
    emit([asdict(a) for a in new], as_json, *(f"Answered: {a.partner} in {a.place}, {why}." for a in new), _AGAIN)


@app.command()
def remove(context: typer.Context, partner: _Partner, place: _Place = "", as_json: Json = False) -> None:
    """Remove the answers on a partner's gaps."""
    workspace = open_workspace(context)
    answers = [a for a in read_answers(workspace.derived) if is_same_partner(a.partner, partner)]
    chosen = [entry for entry in answers if place in ("", entry.place)]
    if not chosen:
        raise InputError(f"No answer on {partner!r}. See: tact gaps list")
    for entry in chosen:
        remove_answer(workspace.derived, entry)
    emit([asdict(entry) for entry in chosen], as_json, f"Removed: {len(chosen)} answers.", _AGAIN)
