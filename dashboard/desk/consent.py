"""The officer's consent, before an import or a release deletes records that are kept too long."""

from __future__ import annotations

import streamlit as st

from dashboard.site.text import _
from data.restricted.governance.retention import Overdue


def ask_consent(overdue: Overdue, key: str) -> bool:
    """Show how many overdue records will be deleted, and return whether they may be.

    The officer is asked only if `overdue` has doubts; otherwise the result is True. key : a name for this question that
    no other question on the page has.
    """
    if not overdue.count:
        return True
    st.warning(
        _(
            "{count} records are about children without an encounter since {day}. They are deleted first, as "
            "governance.toml says. If that is wrong, raise months in that file.",
            count=overdue.count,
            day=overdue.since,
        )
    )
    if not overdue.doubts:
        return True
    return st.checkbox(_("Yes, delete these {count} records", count=overdue.count), key=f"overdue-{key}")
