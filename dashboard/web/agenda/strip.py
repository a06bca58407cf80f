"""The strip in the bar while a view of an agenda is shown: its sentence, the views around it, its decisions."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from dashboard.narrative.speech import make_legible
from dashboard.site.current_release import CurrentRelease
from dashboard.site.text import _, html, join_markup
from dashboard.web.agenda.state import Played, address_item
from dashboard.widgets.address import DECIDE, read_parameter
from data.personal.free_text import LONGEST


def render_strip(played: Played | None, current: CurrentRelease | None, newest: str, problem: str = "") -> Markup:
    """Return the strip; empty if no view of an agenda is shown.

    newest : the name of the newest release. problem : why meetings cannot be read; then the strip shows only this.
    """
    if problem:
        return _render_section([html('<p role="alert">{}</p>', problem)])
    if played is None:
        return Markup("")
    about = _word_release(played, current.release.name if current else "", newest)
    note = html('<span class="pin">{}</span>', about) if about else Markup("")
    steps = ((-1, "agendaback", _("Previous")), (1, "agendanext", _("Next")))
    links = [
        html('<a class="{}" data-exact href="{}" target="_self">{}</a>', name, address, words)
        for step, name, words in steps
        if (address := played.find_beside(step))
    ]
    if played.item is not None:
        is_open = bool(read_parameter(DECIDE))
        decide = address_item(played.meeting, played.number, decide=not is_open)
        words = _("Decisions ({count})", count=len(played.item.decisions))
        links.append(
            html(
                '<a class="agendadecide" data-exact aria-expanded="{}" href="{}" target="_self">{}</a>',
                str(is_open).lower(),
                decide,
                words,
            )
        )
    whole = f"agenda?agenda={played.meeting.key}"
    links.append(html('<a data-exact href="{}" target="_self">{}</a>', whole, _("Whole agenda")))
    return _render_section([_render_place(played), note, html("<div>{}</div>", join_markup(links))])


def _render_section(parts: Sequence[Markup]) -> Markup:
    return html('<section class="agendastrip" aria-label="{}">{}</section>', _("Agenda"), join_markup(parts))


def _word_release(played: Played, shown: str, newest: str) -> str:
    """Return a note if the shown release is not the newest, or not that of the view, which is gone; else empty."""
    if played.item is not None and played.item.release != shown:
        return _("Release {name} is not here any more; you see another one.", name=played.item.release)
    return _("Release {name}; the newest is {newest}.", name=shown, newest=newest) if shown != newest else ""


def _render_place(played: Played) -> Markup:
    item, count = played.item, len(played.meeting.items)
    if item is None:
        return html("<p><b>{}</b> {}</p>", _("Opening"), make_legible(played.meeting.title, LONGEST))
    place = _("{number} of {count}", number=played.number, count=count)
    return html("<p><b>{}</b> {}</p>", place, make_legible(item.sentence, LONGEST))
