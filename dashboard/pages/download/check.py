"""The check of a reader's own table on the Download page: who may see the table, and what has to change."""

from __future__ import annotations

import streamlit as st

from dashboard.narrative.table_check import explain_check, list_limits, list_product_tables, say_audience
from dashboard.pages.download.files import MAKING
from dashboard.site import read_site
from dashboard.site.current_release import CurrentRelease
from dashboard.site.reader import find_reader
from dashboard.site.text import _, escape_markdown, translate
from dashboard.widgets import markup, page_frame
from dashboard.widgets.upload import ask_files
from data.accounts.rights import Right
from data.disclosure.table_check import Audience, Check, Comparison
from data.errors import TactError
from geo.places import index_areas

_FILE, _OWN, _ANSWER = "check-file", "check-own", f"{page_frame.OF_PAGE}check-answer"
_BOXES = {"everyone": st.success, "partners": st.warning, "nobody": st.error}


def show_check(current: CurrentRelease) -> None:
    """Ask for a table and show who may see it, or say why this page takes no table."""
    with st.expander(_("May I publish this?"), expanded=st.session_state.get(_FILE) is not None):
        sentence = _(
            "You made a table from these files? Here you see who may have it, and what to change. It is not stored."
        )
        page_frame.show_text(sentence)
        site = read_site()
        if site.countries:
            page_frame.show_outside()
            return
        # On the public tier no page takes a file. With accounts only some roles may upload one: see admission.py.
        if site.tier == "public" or Right.UPLOAD not in find_reader().rights:
            page_frame.show_text(_("This page takes no file here. On a machine that has the releases:"))
            st.code("tact check TABLE", language=None)
            return
        # Without `type`: the browser would refuse other kinds itself, and the answer to the table before would stay.
        file = ask_files(_("Your table (CSV or XLSX)"), key=_FILE)
        if file is None:
            st.session_state.pop(_ANSWER, None)
            return
        try:
            _show_answer(current, file.file_id, file.name, file.getvalue())
        except TactError as error:
            st.error(escape_markdown(translate(error.args[0])))


def _show_answer(current: CurrentRelease, file: str, name: str, content: bytes) -> None:
    """Show the result for a file. It is computed again only for another file, release or choice of own columns.

    Raises TactError if the file cannot be read or compared.
    """
    own_columns = tuple(st.session_state.get(_OWN, ()))
    asked = (file, own_columns, current.checksum)
    known: tuple[object, Check] | None = st.session_state.get(_ANSWER)
    if known is None or known[0] != asked:
        st.session_state.pop(_ANSWER, None)
        with st.spinner(_("The table is compared with all releases.")):
            known = asked, _compare(name, content, own_columns)
        st.session_state[_ANSWER] = known
    check = known[1]
    audience: Audience = check.audience
    _BOXES[audience](escape_markdown(f"{name}: {say_audience(check)}"))
    if check.findings:
        st.html(markup.render_list(explain_check(check)))
    choice = sorted({f.column for f in check.findings if f.rule in ("unknown", "unread")} | set(own_columns))
    if choice:
        st.multiselect(_("Columns of your own, which count no children"), choice, key=_OWN, placeholder=_("none"))
    page_frame.show_text(*list_limits(check))


def _compare(name: str, content: bytes, own_columns: tuple[str, ...]) -> Check:
    site = read_site()
    with MAKING:
        releases = Comparison(
            site.releases,
            site.list_releases(),
            index_areas(),
            tier=site.tier,
            derived=site.derived,
            blocked=site.read_blocked(),
            list_tables=list_product_tables,
        )
        return releases.check(name, content, own_columns)
