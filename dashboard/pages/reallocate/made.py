"""Plans as the pages have them: what they stand on, read once a process, and each plan made once.

The model is fitted once for a release, which takes some seconds; a plan on it then takes less than one. What
these functions return is shared between sessions: never change it.
"""

from __future__ import annotations

import io
from functools import lru_cache
from threading import Lock
from typing import Any

import pandas as pd

from dashboard.site.current_release import CurrentRelease, load_areas, read_area_names
from data.errors import FileRefused
from data.workspace.safe_text import shown_frame
from risk.handover import HandedOver, Tables
from risk.planning import Plan, Point, saved
from risk.planning import posts as tables
from risk.planning.inputs import Ground, Setting, frontier_of, made
from risk.planning.saved import Author, Decided

_READING = Lock()
_NAME = "posts"


def ground(current: CurrentRelease, posts: str = "") -> Ground:
    """Give what a plan stands on; `posts` is a table as risk.posts writes it, empty for the draft.

    Raises ReleaseError where the release is of the public tier, and what `read_posts` does.
    """
    if not posts:
        return _drafted(current)
    return _given(current, posts)


def posts_file(current: CurrentRelease, posts: str = "") -> bytes:
    """Give the table of posts for people to correct: as risk.posts writes it, with each area's name behind.

    Text that a spreadsheet could run is made safe. Raises ReleaseError where there is none.
    """
    named = read_area_names(current)
    rows = pd.read_csv(
        io.StringIO(tables.written(ground(current, posts).table)), dtype=str, keep_default_na=False
    )
    rows["name"] = [str(named.get(code, "")) for code in rows["area"]]
    return shown_frame(rows).to_csv(index=False, lineterminator="\n").encode("utf-8-sig")


def read_posts(current: CurrentRelease, name: str, content: bytes) -> str:
    """Read a file of posts and give it as risk.posts writes it.

    Raises FileRefused and InputError, naming file and row, for what is no such table.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        msg = f"{name} cannot be read. Save it as CSV in UTF-8, as the table that was downloaded."
        raise FileRefused(msg) from error
    return tables.written(tables.read_text(name, text, ground(current).posts.areas))


@lru_cache(maxsize=32)
def handed(current: CurrentRelease, given: Tables) -> HandedOver | None:
    """Hand over what tables hold, None without tasks; raises what `risk.handover.Tables.over` does."""
    return given.over(
        current.release, [str(code) for code in load_areas(current.release).frame("region").index]
    )


def _drafted(current: CurrentRelease) -> Ground:
    """One at a time: a second reader waits for the first, instead of fitting the model too."""
    with _READING:
        return _read(current)


@lru_cache(maxsize=4)
def _read(current: CurrentRelease) -> Ground:
    return Ground.of(current.release)


@lru_cache(maxsize=32)
def _given(current: CurrentRelease, posts: str) -> Ground:
    """Put other posts on the same ground; need and places do not depend on them."""
    base = ground(current)
    return base.holding(tables.read_text(_NAME, posts, base.posts.areas))


@lru_cache(maxsize=128)
def plan(current: CurrentRelease, posts: str, setting: Setting, decided: tuple[Decided, ...]) -> Plan:
    """Make a plan; raises what `risk.planning.inputs.made` does."""
    return made(ground(current, posts), setting, [one.decision for one in decided])


@lru_cache(maxsize=64)
def frontier(
    current: CurrentRelease, posts: str, setting: Setting, decided: tuple[Decided, ...]
) -> tuple[Point, ...]:
    """Give what ever more moves would gain, see `risk.planning.inputs.frontier_of`."""
    return frontier_of(ground(current, posts), setting, [one.decision for one in decided])


@lru_cache(maxsize=128)
def told(
    current: CurrentRelease,
    posts: str,
    setting: Setting,
    decided: tuple[Decided, ...],
    author: Author,
    *,
    title: str,
    note: str = "",
    follows: str = "",
    handover: Tables | None = None,
    weighed: bool = False,
) -> dict[str, Any]:
    """Say all of a plan in plain values, as it is kept; with its frontier where it shall be `weighed`."""
    over = None if handover is None else handed(current, handover)
    return saved.told(
        ground(current, posts),
        setting,
        plan(current, posts, setting, decided),
        author,
        title=title,
        note=note,
        decided=decided,
        points=frontier(current, posts, setting, decided) if weighed else (),
        handed=None if handover is None or over is None else (handover, over),
        follows=follows,
    )
