"""Tokens on the Download page: with a token, a reader's program may read layers from a map that asks for sign-in."""

from __future__ import annotations

from datetime import UTC, date, datetime

import streamlit as st

from dashboard.site.reader import find_reader
from dashboard.site.text import _, escape_markdown, translate_message
from data.accounts.database import Accounts
from data.accounts.tokens import DAYS, LONGEST, end_token, list_tokens, make_token
from data.errors import TactError

_TITLE, _NEW, _REFUSED = "token-title", "token-new", "token-refused"


def show_tokens(accounts: Accounts) -> None:
    """Show the reader's tokens and a form to make one.

    A new token is shown until the reader hides it or ends a token.
    """
    state, name = st.session_state, find_reader().name
    with st.expander(_("Tokens for QGIS, R and Python"), expanded=bool(state.get(_NEW) or state.get(_REFUSED))):
        st.caption(
            _(
                "A program with a token reads the layers that you may read, for {days} days, and nothing else. Give a "
                "token to nobody: whoever has it reads as you. It goes into the header Authorization of each request.",
                days=DAYS,
            )
        )
        with st.form("token", border=False):
            st.text_input(_("Name of the program"), max_chars=LONGEST, key=_TITLE, placeholder="QGIS")
            st.form_submit_button(_("Make a token"), on_click=_make, args=(accounts,))
        if refused := state.pop(_REFUSED, ""):
            st.error(escape_markdown(refused))
        if secret := state.get(_NEW):
            st.success(_("Copy it now. It is not shown again."))
            st.code(f"Bearer {secret}", language=None, wrap_lines=True)
            st.button(_("Hide the token"), on_click=lambda: state.pop(_NEW, None))
        for token in list_tokens(accounts, name):
            with st.container(horizontal=True, vertical_alignment="center"):
                used = _("last used {day}", day=_find_day(token.seen)) if token.seen else _("never used")
                st.markdown(
                    f"**{escape_markdown(token.title)}** · {_('until {day}', day=_find_day(token.end))} · {used}",
                    width="stretch",
                )
                st.button(
                    _("End {name}", name=escape_markdown(token.title)),
                    key=f"token-end-{token.number}",
                    on_click=_end,
                    args=(accounts, token.number),
                )


def _make(accounts: Accounts) -> None:
    state = st.session_state
    try:
        state[_NEW] = make_token(accounts, find_reader().name, state[_TITLE])
    except TactError as error:
        state[_REFUSED] = translate_message(error.message)
    else:
        state[_TITLE] = ""


def _end(accounts: Accounts, number: int) -> None:
    st.session_state.pop(_NEW, None)
    end_token(accounts, find_reader().name, number)


def _find_day(moment: float) -> date:
    return datetime.fromtimestamp(moment, UTC).date()
