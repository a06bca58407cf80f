"""The inputs of the Reallocate page: the sentence, and folded limits, presets, weights and rules; and the posts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from dashboard.pages.reallocate import planner, sentence, session
from dashboard.pages.reallocate.session import Workplace
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, capitalise, escape_markdown
from dashboard.widgets import address, page_frame
from dashboard.widgets.upload import ask_files
from data.errors import InputError, ReleaseError
from data.message import mark
from data.tables.spec import Level
from risk.planning.inputs import Setting
from risk.planning.problem import MOST_SETTLING
from risk.planning.summary import ROLES


@dataclass(frozen=True)
class Preset:
    """A set of weights: its name, what it means, and its weights in per cent, in the order of PRESET_WEIGHTS."""

    name: str
    meaning: str
    weights: tuple[int, ...]


@dataclass(frozen=True)
class Limit:
    """An upper limit of a plan, which is a whole number.

    name : its parameter in the address. start : the default; None for no limit. least, most : the bounds of the number.
    """

    name: str
    label: str
    hint: str
    start: int | None
    least: int
    most: int


LEVELS = {"region": mark("Counties and regions"), "municipality": mark("Municipalities")}
_MOST_HOURS = 10_000
# The weights that a preset sets, by their names in the address.
PRESET_WEIGHTS = ("worst", "bad")
PRESETS = {
    "most": Preset(mark("Most children"), mark("every child counts the same"), (0, 0)),
    "fairest": Preset(mark("Fairest"), mark("the worst-served areas first"), (60, 0)),
    "safest": Preset(mark("Safest"), mark("good also in the worst cases"), (0, 60)),
}
_PRESET = "plan-preset"
_FILE, _REFUSED = "plan-file", "plan-file-refused"
ANYBODY = ROLES[0]  # the role for a plan that nobody has saved yet


def ask_setting(current: CurrentRelease) -> Setting:
    """Ask for the limits and weights of a plan and return them; every choice is kept in the address."""
    first = Setting()
    sentence.ask_sentence(current, read_setting())
    sentence.show_rules(current, read_setting(), session.read_workplace(read_setting().level))
    with st.container(key="choosing"), st.expander(_("More settings")):
        left, middle, right = st.columns(3, gap="medium")
        with left:
            _ask_preset(first)
            between = {name: _(words) for name, words in LEVELS.items()}
            address.pick_segment("between", _("Units move between"), between, labelled=True)
            for limit in _limits(first)[1:]:
                address.pick_number(limit.name, limit.label, limit.most, limit.start, limit.hint, least=limit.least)
        with middle:
            for share in _sliders(first):
                address.pick_share(*share)
        with right:
            for share in _rules(first):
                address.pick_share(*share)
    return read_setting()


def read_setting() -> Setting:
    """Return the limits and weights of a plan from the address; a default replaces a missing or wrong value."""
    first = Setting()
    limits, shares = _limits(first), (*_sliders(first), *_rules(first))
    within = address.read_parameter("within")
    return session.read_setting(
        {
            "pathway": address.read_pathway(list(sentence.NEEDS)),
            "within": within if within.isupper() else "",
            session.RULES: address.read_parameter(session.RULES),
            "between": address.read_choice("between", list(LEVELS)),
            **{limit.name: address.read_whole(limit.name, limit.least, limit.most, limit.start) for limit in limits},
            **{name: address.read_whole(name, 0, 100, start) for name, _label, start, _hint in shares},
        }
    )


def _limits(first: Setting) -> Sequence[Limit]:
    return (
        Limit(
            "moves",
            _("Maximum number of moves"),
            _("All units that move, added together. Empty: {most}.", most=sentence.MOST),
            first.moves,
            0,
            sentence.MOST,
        ),
        Limit(
            "hours",
            _("Maximum hours of travel"),
            _("Travel between old and new posts, all moves added together. Empty: no limit."),
            None,
            0,
            _MOST_HOURS,
        ),
        Limit(
            "pace",
            _("Maximum number of moves per quarter"),
            _(
                "How many units can move in one quarter; the others move in the next quarters. Empty: {most}.",
                most=sentence.MOST,
            ),
            first.per_quarter,
            1,
            sentence.MOST,
        ),
        Limit(
            "settle",
            _("Weeks for which a moved team meets nobody"),
            _(
                "While a team settles in, it misses the children whom it would have met. The advice counts them as "
                "a loss. Empty: {most}.",
                most=MOST_SETTLING,
            ),
            first.settling,
            0,
            MOST_SETTLING,
        ),
    )


def _ask_preset(first: Setting) -> None:
    """Show a choice of three sets of weights. None of them is marked if the weights in use are not one of them."""
    starts = {name: start for name, _label, start, _hint in _sliders(first)}
    weights = {name: address.read_number(name, 100, starts[name]) for name in PRESET_WEIGHTS}
    marked = (code for code, preset in PRESETS.items() if tuple(weights.values()) == preset.weights)
    st.session_state[_PRESET] = next(marked, None)
    st.radio(
        _("Which plan"),
        list(PRESETS),
        format_func=lambda code: _(PRESETS[code].name),
        key=_PRESET,
        help="  \n".join(f"{_(preset.name)}: {_(preset.meaning)}" for preset in PRESETS.values()),
        on_change=_take_preset,
    )


def _take_preset() -> None:
    preset = PRESETS.get(st.session_state[_PRESET])
    for name, weight in zip(PRESET_WEIGHTS, preset.weights if preset else (), strict=bool(preset)):
        address.set_choice(name, weight)


def _sliders(first: Setting) -> Sequence[tuple[str, str, int, str]]:
    return (
        (
            "worst",
            _("Weight of the worst-served areas"),
            round(100 * first.equity),
            _("0: every child counts the same. 100: only the worst-served areas count."),
        ),
        (
            "dear",
            _("Weight of travel"),
            round(100 * first.cost),
            _("0: distance does not matter. The higher, the more a long move must gain."),
        ),
        (
            "bad",
            _("Weight of the worst cases"),
            round(100 * first.robustness),
            _("0: the average of all cases counts. 100: only the worst tenth of cases counts."),
        ),
    )


def _rules(first: Setting) -> Sequence[tuple[str, str, int, str]]:
    return (
        (
            "floor",
            _("Minimum for every county or region"),
            round(100 * first.floor),
            _("Part of today's outreach and services that each county or region keeps, so that none loses all help."),
        ),
        (
            "kept",
            _("Minimum for areas with Roma and Egyptian communities"),
            round(100 * first.services_floor),
            _("Each of these areas has at least this part of the services that the worst-served of them has today."),
        ),
        (
            "unsearched",
            _("Share for areas with too little outreach"),
            round(100 * first.exploration),
            _(
                "Part of the outreach goes to such areas, chosen at random, to learn more "
                "about them. This reduces the need met elsewhere; set it to 0 to see by how "
                "much."
            ),
        ),
    )


def ask_role(key: str) -> str:
    """Ask for the role of the person who decides, never for a name, and return it; `key` : the key of the widget."""
    names = {role: capitalise(_(role)) for role in ROLES}
    chosen: str = st.selectbox(_("Your role"), ROLES, format_func=names.__getitem__, key=address.renew_menu(key))
    return chosen


def ask_posts(current: CurrentRelease, work: Workplace, level: Level) -> None:
    """Offer the table of posts for download, and ask for a corrected one.

    For real records, the command with which a data officer writes the table is shown instead of the download.
    """
    page_frame.show_text(
        _("The plan uses the table of posts that was uploaded here.")
        if work.posts
        else _(
            "The posts are an estimate: outreach teams, calculated from the outreach days of the release, without "
            "services. To plan with the real posts, download the table, correct it and upload it."
        ),
        _(
            "One row for each area and kind of unit: units; how many children one unit can meet or help in a quarter; "
            "committed units, which may not move; and the largest number of units in the area (empty: no limit)."
        ),
    )
    left, right = st.columns([1, 2], vertical_alignment="top")
    with left:
        if current_release.may_download(current.release):
            try:
                text = planner.write_posts_file(current, work.posts, level)
            except (InputError, ReleaseError):
                return  # The page has already shown why there is no table.
            name = "posts.csv"
            st.download_button(_("Download the table of posts"), text, name, "text/csv", on_click="ignore")
        else:
            st.caption(_("Tables of real records cannot be downloaded here; the data officer writes them:"))
            option = "" if level == "region" else f" --level {level}"
            st.code(f"tact plan draft FILE{option}", language=None)
        if work.posts:
            st.button(_("Use the estimated posts again"), on_click=session.set_posts, args=("",))
    with right:
        args = current, level
        ask_files(_("Upload the corrected table"), type="csv", key=_FILE, on_change=_take_posts, args=args)
    if refused := st.session_state.get(_REFUSED, ""):
        st.error(escape_markdown(refused))
        st.caption(_("The file was not used; the plan still uses the posts from before."))


def _take_posts(current: CurrentRelease, level: Level) -> None:
    file = st.session_state.get(_FILE)
    st.session_state[_REFUSED] = ""
    if file is None:
        return
    try:
        session.set_posts(planner.read_posts(current, file.name, file.getvalue(), level))
    except InputError as error:
        st.session_state[_REFUSED] = str(error)
