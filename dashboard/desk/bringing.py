"""Form servers: bring encrypted submissions as a file in hand, and say which may be deleted on the server."""

from __future__ import annotations

import streamlit as st

from dashboard.desk.frame import show_note, tell_errors
from dashboard.desk.hand import FileInHand, Hand
from dashboard.desk.progress import show_progress, was_stopped
from dashboard.site.text import _, escape_markdown, format_plural, translate_message
from data.restricted.forms.servers import FormServer, read_servers


def offer_servers(hand: Hand) -> None:
    """Offer to bring the submissions of each form that `tact pull` knows; show nothing if there is none."""
    with hand.desk.open_vault() as (vault, _keys):
        servers = read_servers(vault)
    with st.container(horizontal=True):
        pressed = [server for server in servers if st.button(_name_button(server), key=f"bring-{server.address}")]
    with st.container(), tell_errors():
        if was_stopped():
            st.info(_("It was stopped. Nothing was brought."))
        for server in pressed:
            _bring(hand, server)
        for problem in hand.problems:
            st.warning(escape_markdown(translate_message(problem)))


def _name_button(server: FormServer) -> str:
    return _("Bring from the form server: {form}", form=escape_markdown(server.name))


def _bring(hand: Hand, server: FormServer) -> None:
    with show_progress(_("Bringing and opening the submissions, in memory only")) as tick:
        hand.bring(server, lambda done, total: tick(done, total, ""))
    st.rerun()


def show_deletable(hand: Hand, entry: FileInHand) -> None:
    """Show which submissions of an imported file may or must be deleted on the server; nothing for other files."""
    if entry.submissions and entry.result is not None and entry.result.forgotten:
        st.warning(_("These submissions are about forgotten children and were not taken. Delete them on the server:"))
        st.code("\n".join(entry.result.forgotten), language=None)
    if not (numbers := hand.list_deletable(entry)):
        return
    title = format_plural(
        "{count} submission is stored here and may be deleted on the server",
        "{count} submissions are stored here and may be deleted on the server",
        len(numbers),
    )
    with st.expander(title):
        show_note(_("Write a backup first: afterwards the records are only here. All others stay on the server."))
        st.code("\n".join(numbers), language=None, height=200)
