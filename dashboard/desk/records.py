"""Records: their number, how complete they are, and possible doubles. The page shows no single child."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from dashboard.desk import words
from dashboard.desk.frame import show_note, show_title
from dashboard.desk.state import Desk
from dashboard.desk.summary import name_areas
from dashboard.site.text import _, format_number, html
from dashboard.widgets.address import renew_menu
from dashboard.widgets.markup import render_table
from data.restricted import quality

_MONTHS = 12  # shown at once; earlier months are folded


def show(desk: Desk) -> None:
    """Show counts and completeness of a kind of record, possible doubles, and the places that an officer has chosen."""
    show_title(desk, _("Records"), _("What is in the vault, in numbers. They are true numbers: keep them here."))
    with desk.open_vault() as (vault, _keys):
        kinds = vault.kinds()
    if not kinds:
        st.info(_("There is no record yet. Start with the page Files."))
        return
    kind = st.selectbox(
        _("Kind of record"), kinds, format_func=lambda name: _(words.KINDS[name]), key=renew_menu("kind"), width=320
    )
    with desk.open_vault() as (vault, _keys):
        months = quality.count_months(vault, kind)
        shares = quality.rate_columns(vault, kind)
        doubles = quality.count_doubles(vault) if kind == "encounter" else {}
    left, right = st.columns([3, 2], gap="large")
    with left:
        st.html(html("<h2>{}</h2>", _("How many there are")))
        st.html(render_table(tabulate_months(months.head(_MONTHS))))
        if len(months) > _MONTHS:
            with st.expander(_("Earlier months")):
                st.html(render_table(tabulate_months(months.iloc[_MONTHS:])))
    with right:
        st.html(html("<h2>{}</h2>", _("How complete they are")))
        rows = [
            (words.name_column(kind, name), _("{share} %", share=format_number(round(100 * share))))
            for name, share in sorted(shares.items(), key=lambda item: item[1])
        ]
        st.html(render_table(pd.DataFrame(rows, columns=[_("Column"), _("Filled in")])))
        if kind == "encounter":
            _show_doubles(doubles)
    _show_places(desk)


def tabulate_months(months: pd.DataFrame) -> pd.DataFrame:
    """Return a table of the numbers of records, with a row for each month and a column for each partner.

    months : the numbers by month and partner, see `count_months`. If there are several partners, the last column has
    the sums.
    """
    table = {_("Month"): [words.word_month(str(month)) for month in months.index]}
    for partner in months.columns:
        table[str(partner) or _("Nobody named")] = [format_number(number) for number in months[partner]]
    if len(months.columns) > 1:
        table[_("All")] = [format_number(number) for number in months.sum(axis=1)]
    return pd.DataFrame(table)


def _show_doubles(doubles: dict[str, tuple[int, int]]) -> None:
    st.html(html("<h2>{}</h2>", _("Perhaps there twice")))
    note = _("The same partner met the same child on the same day in the same municipality more than once.")
    if not doubles:
        show_note(_("No encounter looks as if it was there twice."))
        return
    rows = [(partner, format_number(same), format_number(other)) for partner, (same, other) in doubles.items()]
    head = [_("Partner"), _("In one import"), _("In several imports")]
    st.html(render_table(pd.DataFrame(rows, columns=head)))
    show_note(f"{note} {_('In several imports: perhaps an edited form without a lasting number.')}")


def _show_places(desk: Desk) -> None:
    with desk.open_vault() as (vault, _keys):
        places = quality.list_answered_places(desk.workspace.mappings, sorted(vault.partners()))
    if not places:
        return
    st.html(html("<h2>{}</h2>", _("Places that somebody answered")))
    names = name_areas()
    rows = [
        (place.partner, _(words.KINDS[place.kind]), place.word, names.get(place.code, place.code)) for place in places
    ]
    head = [_("Partner"), _("Kind of record"), _("Word in the file"), _("Place")]
    st.html(render_table(pd.DataFrame(rows, columns=head)))
