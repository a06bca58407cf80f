"""Plans for the page: inputs and plans are kept, so that a process computes them only once.

The model is fitted once for a release, which takes some seconds; a plan then takes less than one. Sessions
share the results of these functions: never change them.
"""

from __future__ import annotations

import io
from functools import lru_cache

import pandas as pd

from dashboard.narrative.speech import Speech, speak_to_reader
from dashboard.narrative.usual_plan import read_inputs
from dashboard.site.cache import cache_once
from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from data.errors import FileRefused
from data.tables.spec import Level
from data.workspace.safe_text import escape_frame
from risk.handover import HandOverResult, Tables
from risk.planning import posts as tables
from risk.planning.inputs import PlanInputs, Setting, make_frontier, make_plan
from risk.planning.result import Plan, Point
from risk.planning.summary import Author, AuthoredDecision, PlanSummary, check_written, summarise_plan

_NAME = "posts"


def speak(current: CurrentRelease) -> Speech:
    """Return a Speech in the reader's language, with the areas of the release."""
    return speak_to_reader(current)


def read_ground(current: CurrentRelease, posts: str = "", level: Level = "region") -> PlanInputs:
    """Return the inputs of a plan of a level; posts : a table of posts as CSV, empty for the estimated posts.

    Raises ReleaseError if the release is of the public tier or has no data for a plan, and InputError if `posts` is not
    a table of posts.
    """
    return _read_with_posts(current, posts, level) if posts else read_inputs(current, level)


def write_posts_file(current: CurrentRelease, posts: str = "", level: Level = "region") -> bytes:
    """Return the table of posts for people to correct, as CSV with the names of areas in a last column.

    Text that a spreadsheet could execute is made safe. Errors are those of `read_ground`.
    """
    names = read_area_names(current)
    text = tables.write_posts(read_ground(current, posts, level).table)
    rows = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    rows["name"] = [str(names.get(code, "")) for code in rows["area"]]
    return escape_frame(rows).to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


def read_posts(current: CurrentRelease, name: str, content: bytes, level: Level = "region") -> str:
    """Read a file of posts that a reader uploaded, and return it as CSV in the planner's own form.

    Raises FileRefused if the file is not text, InputError with file and row if it is not a table of posts, and
    ReleaseError like `read_ground`.
    """
    text = decode_upload(name, content)
    return tables.write_posts(tables.parse_posts(name, text, read_ground(current, level=level).table.areas))


def decode_upload(name: str, content: bytes) -> str:
    """Return the text of a file that a reader uploaded; raises FileRefused if it is not text."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{name} cannot be read. Save it as CSV in UTF-8, as the table that was downloaded."
        raise FileRefused(msg) from error


@lru_cache(maxsize=32)
def hand_over_tasks(current: CurrentRelease, tables: Tables) -> HandOverResult | None:
    """Hand over the tasks of the tables; None without tasks. See `risk.handover.Tables.hand_over` for errors."""
    areas = load_areas(current.release).frame("region").index
    return tables.hand_over(current.release, [str(code) for code in areas])


@lru_cache(maxsize=32)
def _read_with_posts(current: CurrentRelease, posts: str, level: Level) -> PlanInputs:
    """Return the inputs with these posts in place of the estimated ones; need and areas do not depend on posts."""
    draft = read_ground(current, level=level)
    return draft.with_posts(tables.parse_posts(_NAME, posts, draft.table.areas))


@lru_cache(maxsize=128)
def _make_plan(current: CurrentRelease, posts: str, setting: Setting, decisions: tuple[AuthoredDecision, ...]) -> Plan:
    return make_plan(read_ground(current, posts, setting.level), setting, [authored.decision for authored in decisions])


@cache_once(maxsize=64)
def compute_frontier(
    current: CurrentRelease, posts: str, setting: Setting, decisions: tuple[AuthoredDecision, ...]
) -> tuple[Point, ...]:
    """Compute the gains for other numbers of moves; results and errors as for `risk.planning.inputs.make_frontier`."""
    return make_frontier(
        read_ground(current, posts, setting.level), setting, [authored.decision for authored in decisions]
    )


@cache_once(maxsize=128)
def compute_plan(
    current: CurrentRelease,
    posts: str,
    setting: Setting,
    decisions: tuple[AuthoredDecision, ...],
    author: Author,
    *,
    title: str,
    note: str = "",
    follows: str = "",
    handover: Tables | None = None,
    with_frontier: bool = False,
) -> PlanSummary:
    """Compute a plan and return it in plain values.

    Raises the errors of `risk.planning.inputs.make_plan` and `read_ground`, and with tables also those of
    `hand_over_tasks`; those of `check_written` before anything is computed.
    """
    check_written(title, note)
    handed_over = None if handover is None else hand_over_tasks(current, handover)
    return summarise_plan(
        read_ground(current, posts, setting.level),
        setting,
        _make_plan(current, posts, setting, decisions),
        author,
        title=title,
        note=note,
        decisions=decisions,
        frontier=compute_frontier(current, posts, setting, decisions) if with_frontier else (),
        handed_over=None if handover is None or handed_over is None else (handover, handed_over),
        follows=follows,
    )
