"""What a reader has on the desk while planning: choices in the address, posts, decisions, the plan opened.

Choices and the plan that was opened stand in the address. Posts and decisions stay in the session until they
are kept with a plan (risk/planning/saved.py), which brings them back wherever it is opened.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from data.release.result import Result
from risk.handover import Tables
from risk.planning import saved
from risk.planning.inputs import PATHWAYS, Setting
from risk.planning.saved import Author, Decided

_POSTS, _DECIDED, _OPENED, _HANDED = "plan-posts", "plan-decided", "plan-opened", "plan-handed"
_PLAN = "plan"
_SHARE = 100
# The name of each choice in the address, which no other page may use, and the setting's field that it is.
ADDRESS: dict[str, str] = {
    "need": "pathway",
    "moves": "moves",
    "hours": "budget",
    "worst": "equity",
    "dear": "cost",
    "bad": "robustness",
    "floor": "floor",
    "kept": "services_floor",
    "unsearched": "exploration",
    "pace": "per_quarter",
}
_SHARES = {"equity", "cost", "robustness", "floor", "services_floor", "exploration"}


@dataclass(frozen=True)
class Desk:
    """What lies on the desk.

    posts : as a table, empty for the draft. follows : the name of the plan that was opened. handover :
    the tables that were given for a hand-over to duty bearers.
    """

    posts: str = ""
    decided: tuple[Decided, ...] = ()
    follows: str = ""
    handover: Tables = field(default_factory=Tables)


def desk() -> Desk:
    """Give what lies on the desk."""
    state = st.session_state
    return Desk(
        state.get(_POSTS, ""), state.get(_DECIDED, ()), state.get(_OPENED, ""), state.get(_HANDED, Tables())
    )


def setting(picked: Mapping[str, str | int | None]) -> Setting:
    """Make a setting of what was picked, by the names of the address; raises InputError."""
    values: dict[str, Any] = {}
    for name, value in picked.items():
        part = ADDRESS[name]
        values[part] = value / _SHARE if part in _SHARES and isinstance(value, int) else value
    budget = values.pop("budget", None)
    return Setting(**values, budget=None if budget is None else float(budget))


def written(told: Mapping[str, Any]) -> dict[str, str]:
    """Write the setting of a kept plan as it stands in an address."""
    chosen = saved.setting_of(told)
    found: dict[str, str] = {}
    for name, part in ADDRESS.items():
        value = getattr(chosen, part)
        if value is None or value in PATHWAYS:
            found[name] = value or "none"
        else:
            found[name] = str(round(value * _SHARE if part in _SHARES else value))
    return found


def name_of(result: Result) -> str:
    """Give the name of a kept plan in an address: the mark of what is in it."""
    return result.folder.name.rpartition("-")[2]


def arrive(kept: list[Result]) -> bool:
    """Open the plan that the address names, unless it lies there already; False where it is not kept.

    What else the address says of the choices holds: it may have been changed since.
    """
    asked = str(st.query_params.get(_PLAN, ""))
    if asked in ("", st.session_state.get(_OPENED, "")):
        if st.session_state.get(_OPENED) and not asked:
            st.query_params[_PLAN] = st.session_state[_OPENED]
        return True
    found = next((one for one in kept if name_of(one) == asked), None)
    if found is None:
        del st.query_params[_PLAN]
        return False
    _lay(found)
    for name, value in written(found.manifest).items():
        if name not in st.query_params:
            st.query_params[name] = value
    return True


def open_plan(result: Result) -> None:
    """Open a kept plan: its choices, posts and decisions take the place of those on the desk."""
    _lay(result)
    st.query_params.update({**written(result.manifest), _PLAN: name_of(result)})


def _lay(result: Result) -> None:
    told = result.manifest
    st.session_state[_POSTS] = "" if told["posts_drafted"] else str(told["posts"])
    st.session_state[_DECIDED] = saved.decided_of(told)
    st.session_state[_OPENED] = name_of(result)
    st.session_state[_HANDED] = saved.handover_of(told)


def remember_kept(result: Result) -> None:
    """Let what is decided from now on follow the plan that was kept."""
    st.session_state[_OPENED] = name_of(result)
    st.query_params[_PLAN] = name_of(result)


def give_posts(posts: str) -> None:
    """Plan with other posts; empty for the draft."""
    st.session_state[_POSTS] = posts


def give_tables(given: Tables) -> None:
    """Hand over by other tables; empty ones hand nothing over."""
    st.session_state[_HANDED] = given


def decide(one: Decided) -> None:
    """Take a decision up, in the place of an earlier one on the same move."""
    st.session_state[_DECIDED] = saved.decided_again(desk().decided, one)


def undo(one: Decided) -> None:
    """Take a decision back."""
    st.session_state[_DECIDED] = tuple(other for other in desk().decided if other != one)


def author(role: str) -> Author:
    """Give who decides today."""
    return Author(role, datetime.now(UTC).strftime("%Y-%m-%d"))
