"""The button to upload a file to a page."""

from __future__ import annotations

from typing import Any

import streamlit as st

from dashboard.site.reader import find_reader
from dashboard.site.text import _, html
from data.accounts.rights import Right


def ask_files(label: str, **more: Any) -> Any:  # noqa: ANN401 (as Streamlit has it)
    """Ask for one file or several. `more` and the result are those of `st.file_uploader`.

    If the reader's role does not allow uploads, a message says so and the result is None: the server would refuse the
    files (dashboard/web/admission.py).
    """
    if Right.UPLOAD not in find_reader().rights:
        st.caption(f"{label}: {_('Your role does not include this.')}")
        return None
    words = _("Choose files, or drop them here") if more.get("accept_multiple_files") else _("Choose a file")
    # Streamlit's own words on the button are English in every language.
    st.html(html("<style>:root {{ --drop: '{}'; }}</style>", words))
    return st.file_uploader(label, **more)
