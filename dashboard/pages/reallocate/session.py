"""The state of a reader's planning: choices in the address, posts, decisions, the opened plan.

Choices and the opened plan are kept in the address. Posts and decisions stay in the session until they are saved with a
plan (risk/planning/saved.py). Opening this plan restores them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import streamlit as st

from dashboard.widgets import address
from data.tables.spec import Level
from risk.handover import Tables
from risk.planning import saved
from risk.planning.inputs import Setting
from risk.planning.saved import SavedPlan
from risk.planning.summary import Author, AuthoredDecision

_POSTS, _DECIDED, _OPENED, _HANDED = "plan-posts", "plan-decided", "plan-opened", "plan-handed"
_PLAN, _BETWEEN = "plan", "plan-between"
_SHARE = 100
# The name of each choice in the address, which no other page may use, and the field of Setting that it sets.
ADDRESS: dict[str, str] = {
    "between": "level",
    "pathway": "pathway",
    "moves": "moves",
    "hours": "budget",
    "worst": "equity",
    "dear": "cost",
    "bad": "robustness",
    "floor": "floor",
    "kept": "services_floor",
    "unsearched": "exploration",
    "pace": "per_quarter",
    "settle": "settling",
    "within": "country",
}
RULES, _RULE = "rules", re.compile(r"([A-Z][A-Z0-9-]{0,9})(>=|<=)(\d{1,3})")
_SIGNS = {"keep": ">=", "at_most": "<="}
_SHARES = {"equity", "cost", "robustness", "floor", "services_floor", "exploration"}


@dataclass(frozen=True)
class Workplace:
    """The data of the plan that a reader works on, without the choices in the address.

    posts : a table of posts as CSV, empty for the estimated posts. follows : the name of the saved plan that was
    opened; empty for none. handover : the tables for a hand-over to duty bearers.
    """

    posts: str = ""
    decisions: tuple[AuthoredDecision, ...] = ()
    follows: str = ""
    handover: Tables = field(default_factory=Tables)


def read_workplace(level: Level | None = None) -> Workplace:
    """Return the reader's posts, decisions, opened plan and tables in the session.

    level : the area level of the plan, which is remembered; None for the level that was used last.
    """
    state = st.session_state
    if level is not None:
        state[_BETWEEN] = level
    return Workplace(
        state.get(_name_key(_POSTS), ""),
        state.get(_name_key(_DECIDED), ()),
        state.get(_OPENED, ""),
        state.get(_HANDED, Tables()),
    )


def _name_key(what: str) -> str:
    """Return the session key of a value at the level in use; each level has its own key, because area codes differ."""
    level = st.session_state.get(_BETWEEN, "region")
    return what if level == "region" else f"{what}-{level}"


def read_setting(choices: Mapping[str, str | int | None]) -> Setting:
    """Return the setting for choices by their names in the address (shares in per cent); None means no limit.

    Raises InputError for a wrong choice.
    """
    values: dict[str, Any] = {}
    for name, part in ADDRESS.items():
        value = choices[name]
        values[part] = value / _SHARE if part in _SHARES and isinstance(value, int) else value
    budget = values.pop("budget", None)
    values |= {name: tuple(units.items()) for name, units in read_rules(choices[RULES]).items()}
    return Setting(**values, budget=None if budget is None else float(budget))


def read_rules(text: object) -> dict[str, dict[str, int]]:
    """Return the least and the largest number of teams by area, under "keep" and "at_most", from the address's text.

    A largest number below the least is left out.
    """
    rules = _RULE.findall(str(text))
    keep, most = ({area: int(n) for area, sign, n in rules if sign == wanted} for wanted in _SIGNS.values())
    return {"keep": keep, "at_most": {area: n for area, n in most.items() if n >= keep.get(area, 0)}}


def write_rules(rules: Mapping[str, Mapping[str, int]], changed: str) -> None:
    """Write the rules into the address; a rule of the kind that was `changed` removes one that contradicts it."""
    keep, most = rules["keep"], rules["at_most"]
    clash = {area for area in keep if keep[area] > most.get(area, keep[area])}
    st.query_params[RULES] = _format_rules({
        name: [(area, n) for area, n in units.items() if name == changed or area not in clash]
        for name, units in rules.items()
    })  # fmt: skip


def _format_rules(rules: Mapping[str, Iterable[tuple[str, int]]]) -> str:
    return ",".join(f"{area}{_SIGNS[name]}{units}" for name, units_of in rules.items() for area, units in units_of)


def write_setting(setting: Setting) -> dict[str, str]:
    """Return a setting as the parameters of a page's address, with shares in per cent; "none" means no limit."""
    address: dict[str, str] = {}
    for name, part in ADDRESS.items():
        value = getattr(setting, part)
        if value is None or isinstance(value, str):
            address[name] = value or "none"
        else:
            address[name] = str(round(value * _SHARE if part in _SHARES else value))
    return {**address, RULES: _format_rules({"keep": setting.keep, "at_most": setting.at_most}) or "none"}


def open_from_address(plans: Sequence[SavedPlan]) -> bool:
    """Open the plan that the address names, unless it is open already; return False if it is not in `plans`.

    Choices in the address are kept, because the reader may have changed them since the plan was saved. If the address
    names no plan, the name of the opened plan is written into it.
    """
    asked = str(st.query_params.get(_PLAN, ""))
    if asked in ("", st.session_state.get(_OPENED, "")):
        if st.session_state.get(_OPENED) and not asked:
            st.query_params[_PLAN] = st.session_state[_OPENED]
        return True
    plan = next((plan for plan in plans if plan.address == asked), None)
    if plan is None:
        del st.query_params[_PLAN]
        return False
    _restore(plan)
    for name, value in write_setting(plan.summary.setting).items():
        if name not in st.query_params:
            st.query_params[name] = value
    return True


def open_plan(plan: SavedPlan) -> None:
    """Open a saved plan: its choices, posts, decisions and tables replace those in the address and the session."""
    _restore(plan)
    st.query_params.update({**write_setting(plan.summary.setting), _PLAN: plan.address})


def _restore(plan: SavedPlan) -> None:
    st.session_state[_BETWEEN], work = plan.summary.setting.level, make_workplace(plan)
    st.session_state[_name_key(_POSTS)] = work.posts
    st.session_state[_name_key(_DECIDED)] = work.decisions
    st.session_state[_OPENED] = work.follows
    st.session_state[_HANDED] = work.handover


def make_workplace(plan: SavedPlan) -> Workplace:
    """Return the data of a saved plan without its setting."""
    summary = plan.summary
    posts = "" if summary.posts_drafted else summary.posts
    return Workplace(posts, summary.decisions, plan.address, summary.handover_tables)


def find_in_address(plans: Sequence[SavedPlan], level: Level) -> Workplace:
    """Return the data of the saved plan that the address names.

    Empty if the address names none of `plans`, or a plan of another level.
    """
    asked = address.read_parameter(_PLAN)
    plan = next((plan for plan in plans if plan.address == asked and plan.summary.setting.level == level), None)
    return Workplace() if plan is None else make_workplace(plan)


def remember_saved(plan: SavedPlan) -> None:
    """Set a plan that was just saved as the opened one, in the session and in the address."""
    st.session_state[_OPENED] = st.query_params[_PLAN] = plan.address


def set_posts(posts: str) -> None:
    """Replace the posts of the plan by a table of posts as CSV; an empty text stands for the estimated posts."""
    st.session_state[_name_key(_POSTS)] = posts


def set_tables(tables: Tables) -> None:
    """Replace the tables of the hand-over. With empty tables nothing is handed over."""
    st.session_state[_HANDED] = tables


def add_decision(new: AuthoredDecision) -> None:
    """Add a decision, which replaces an earlier decision on the same move."""
    st.session_state[_name_key(_DECIDED)] = saved.replace_decision(read_workplace().decisions, new)


def remove_decision(removed: AuthoredDecision) -> None:
    """Remove a decision from those in the session, if it is there."""
    decisions = read_workplace().decisions
    st.session_state[_name_key(_DECIDED)] = tuple(other for other in decisions if other != removed)


def name_author(role: str) -> Author:
    """Return the author of decisions with this role and today's date (UTC)."""
    return Author(role, datetime.now(UTC).strftime("%Y-%m-%d"))
