"""The Agenda page: the views of a meeting in order, what was decided, and what has changed since the last one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from dashboard.narrative.speech import Speech, make_legible, speak_to_reader
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease, may_download
from dashboard.site.reader import find_reader, keep_reader
from dashboard.site.text import LANGUAGE_NAMES, _, escape_markdown, html, join_markup
from dashboard.web.agenda.decisions import change, name_plans, word_details
from dashboard.web.agenda.papers import make_minutes_in, name_paper, word_about
from dashboard.web.agenda.previous import render_previous
from dashboard.web.agenda.state import address_item, list_numbers, may_write, read_meetings
from dashboard.web.rooms import clean_view
from dashboard.web.views import ADDRESSES, detach_view, name_view
from dashboard.widgets import markup, page_frame
from dashboard.widgets.address import ADD, AGENDA, pick_from_menu, read_parameter, renew_menu, tell_apart
from data.accounts.database import Accounts
from data.accounts.meetings import (
    Item,
    Meeting,
    add_item,
    create_meeting,
    find_previous,
    move_item,
    remove_item,
    remove_meeting,
)
from data.accounts.rights import Right
from data.message import Message
from data.personal.free_text import LONGEST, WRITE_NO_NAME, check_free_text

_NEW = ""
_MEETING, _TITLE, _DAY, _SENTENCE, _REFUSED, _ADDED = (
    f"agenda-{name}" for name in ("meeting", "title", "day", "sentence", "refused", "added")
)


def show() -> None:
    """Show the Agenda page."""
    current = page_frame.open_shown_release()
    if current is None:
        return
    with st.container(key="agenda"):
        st.title(_("Agenda"), anchor=False)
        meetings = read_meetings()
        if may_write():
            _offer_to_add(current, meetings)
        elif not meetings:
            st.html(markup.render_paragraphs([_("There is no agenda that you may see yet."), _(_PREPARED)]))
        if meetings:
            _show_meeting(current, meetings)


_FIRST = "No meeting is prepared yet. An agenda is made of views: a page as it looks for an area, a layer or a period."
_THEN = "Then give the meeting a title and a day. It is played here, and decisions are noted beside each view."
_PREPARED = "A programme manager prepares it: with Share, Add to an agenda, on any page."


def _offer_to_add(current: CurrentRelease, meetings: Sequence[Meeting]) -> None:
    """Show the form that adds the view named in the address to an agenda; without such a view, show how to add one."""
    if refused := st.session_state.pop(_REFUSED, ""):
        st.error(escape_markdown(refused))
    if st.session_state.pop(_ADDED, False):
        st.success(_("The view is on the agenda."))
    view = clean_view(read_parameter(ADD), ADDRESSES)
    if not view or detach_view(view)[0].partition("?")[0] == "agenda":
        how = _("To add a view, open it on any page and choose Share, Add to an agenda.")
        st.html(markup.render_paragraphs([how] if meetings else [_(_FIRST), how, _(_THEN)]))
        if not meetings:
            link = html('<a class="first" href="./" target="_self">{}</a>', _("Open Overview"))
            st.html(html('<div class="finding"><div class="onward">{}</div></div>', link))
        return
    names = tell_apart({_NEW: _("A new meeting"), **{meeting.key: label_meeting(meeting) for meeting in meetings}})
    known = [meeting.key for meeting in meetings]
    with st.container(border=True, key="agenda-add"):
        st.html(html("<h2>{}</h2><p>{}</p>", _("Add this view"), name_view(view, current)))
        first = known.index(chosen) + 1 if (chosen := read_parameter(AGENDA)) in known else min(1, len(known))
        key = st.selectbox(
            _("To the agenda of"), list(names), format_func=names.__getitem__, index=first, key=renew_menu(_MEETING)
        )
        with st.form("agenda-form", border=False):
            if not key:
                left, right = st.columns([3, 1])
                left.text_input(_("Title of the meeting"), max_chars=LONGEST, key=_TITLE)
                right.date_input(_("Day of the meeting"), format="DD/MM/YYYY", key=_DAY)
            guests = _("Who may see the view reads this sentence too, guests included.")
            st.text_input(_("One sentence: what the view says or asks"), max_chars=LONGEST, key=_SENTENCE, help=guests)
            st.caption(_(WRITE_NO_NAME))
            add = partial(_add, view, current.release.name)
            st.form_submit_button(_("Add to the agenda"), type="primary", on_click=add)


def _add(view: str, release: str) -> None:
    state, person = st.session_state, find_reader().name
    key, sentence = str(state.get(_MEETING) or ""), " ".join(str(state[_SENTENCE]).split())
    title = " ".join(str(state.get(_TITLE, "")).split())
    if not sentence or not (key or title):
        state[_REFUSED] = _("Write a sentence, and the title of a new meeting.")
        return
    (bare_view, pinned), known = detach_view(view), read_site().list_releases()

    def add(store: Accounts) -> None:
        check_free_text([title, sentence], Message("A title or sentence"))
        item = Item(bare_view, pinned if pinned in known else release, sentence)
        if key:
            add_item(store, key, item, person)
        st.query_params[AGENDA] = key or create_meeting(store, title, str(state[_DAY]), person, item)
        st.query_params.pop(ADD, None)
        state[_ADDED], state[_SENTENCE], state[_TITLE] = True, "", ""

    change(add, _REFUSED)


def label_meeting(meeting: Meeting) -> str:
    """Return the title and day of a meeting."""
    return f"{make_legible(meeting.title)} ({meeting.day})"


def _show_meeting(current: CurrentRelease, meetings: Sequence[Meeting]) -> None:
    names = {meeting.key: label_meeting(meeting) for meeting in meetings}
    key = pick_from_menu(AGENDA, _("Meeting"), names, next(iter(names)))
    meeting, t = next(meeting for meeting in meetings if meeting.key == key), speak_to_reader(current)
    numbers, previous = list_numbers(meeting, find_reader()), find_previous(list(meetings), meeting)
    st.header(escape_markdown(make_legible(meeting.title, LONGEST)), anchor=False)
    st.html(html('<p class="notes">{}</p>', word_about(meeting, current)))
    if numbers:
        start = address_item(meeting, 0 if previous else numbers[0])
        st.html(html('<p class="next"><a data-exact href="{}" target="_self">{}</a></p>', start, _("Show the agenda")))
    if previous is not None:
        st.html(render_previous(t, current, previous))
    plans = name_plans(current, [decision for number in numbers for decision in meeting.items[number - 1].decisions])
    for number in numbers:
        _show_item(t, current, meeting, number, plans)
    if numbers:
        _offer_papers(current, meeting)
    if may_write():
        _offer_to_remove(meeting)


def _offer_papers(current: CurrentRelease, meeting: Meeting) -> None:
    """Offer the minutes to readers of the partner tier, and the slides if files may be downloaded."""
    with st.container(horizontal=True, vertical_alignment="center", key="agenda-papers"):
        if Right.SEE_PARTNER in find_reader().rights:
            for language, name in LANGUAGE_NAMES.items():
                make = keep_reader(partial(make_minutes_in, meeting, current))
                page_frame.offer_file(
                    _("Minutes (PDF, {language})", language=name),
                    partial(make, language),
                    current,
                    name_paper(meeting, "minutes", language),
                    "application/pdf",
                    key=f"agenda-minutes-{language}",
                )
        if may_download(current.release):
            links = join_markup(
                html('<a href="slides/{0}.pdf?lang={1}" download lang="{1}">{2}</a>', meeting.key, language, name)
                for language, name in LANGUAGE_NAMES.items()
            )
            st.html(html('<p class="agendaslides">{} {}</p>', _("Slides (PDF):"), links))


def _show_item(t: Speech, current: CurrentRelease, meeting: Meeting, number: int, plans: Mapping[str, str]) -> None:
    item = meeting.items[number - 1]
    with st.container(horizontal=True, vertical_alignment="center", key=f"agenda-item-{number}"):
        link = html(
            '<a data-exact href="{}" target="_self">{}</a>',
            address_item(meeting, number),
            name_view(item.view, current),
        )
        about = _("release {name}", name=item.release)
        decided = join_markup(
            html("<li>{} <span>{}</span></li>", decision.what, word_details(t, decision, plans))
            for decision in item.decisions
        )
        st.html(
            html(
                '<div class="agendaitem"><p><b>{}.</b> {}</p><p class="notes">{} · {}</p>{}</div>',
                number,
                item.sentence,
                link,
                about,
                html("<ul>{}</ul>", decided) if decided else "",
            )
        )
        if may_write():
            with st.container(horizontal=True, width="content"):
                _offer_order(meeting, number)


def _offer_order(meeting: Meeting, number: int) -> None:
    item = meeting.items[number - 1]
    steps = (("up", _("Up"), -1, number > 1), ("down", _("Down"), 1, number < len(meeting.items)))
    for name, words, step, is_possible in steps:

        def move(store: Accounts, step: int = step) -> None:
            move_item(store, meeting.key, item.id, step, find_reader().name)

        key = f"agenda-{name}-{item.id}"
        st.button(words, key=key, on_click=change, args=(move, _REFUSED), disabled=not is_possible)

    def remove(store: Accounts) -> None:
        remove_item(store, meeting.key, item.id, find_reader().name)

    st.button(_("Remove"), key=f"agenda-remove-{item.id}", on_click=change, args=(remove, _REFUSED))


def _offer_to_remove(meeting: Meeting) -> None:
    def remove(store: Accounts) -> None:
        remove_meeting(store, meeting.key, find_reader().name)

    if not any(item.decisions for item in meeting.items):
        words = _("Remove this meeting and its agenda")
        st.button(words, key="agenda-remove-meeting", on_click=change, args=(remove, _REFUSED), type="tertiary")
