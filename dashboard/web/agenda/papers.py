"""The papers of a meeting: its minutes, which the Agenda page offers, and its agenda as slides, at an address."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from dashboard.briefing.minutes import MinutesText, Paper, Slide, make_minutes, make_slides
from dashboard.briefing.sheet import describe_sheet, draw_sheet
from dashboard.narrative.speech import make_legible, speak_to_reader
from dashboard.pages.download.files import MAKING
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, may_download, open_current_release
from dashboard.site.file_places import NoPlaceError, take_place
from dashboard.site.reader import find_reader, read_as, read_header
from dashboard.site.text import _, find_language, speak
from dashboard.web.agenda.decisions import name_actor, name_plans, word_subject
from dashboard.web.agenda.state import find_meeting, list_numbers
from dashboard.web.pictures import has_picture, make_sheet, refuse
from dashboard.web.views import name_view, split_view
from data.accounts.meetings import Meeting
from data.errors import TactError
from data.personal.free_text import LONGEST
from geo.layers.output import terms

_LOG = logging.getLogger(__name__)


def make_routes(site: Site) -> list[BaseRoute]:
    """Return the route by which readers get the agenda of a meeting as slides."""

    def slides(request: Request) -> Response:
        try:
            with take_place(), read_as(read_header(request.headers)), speak(request.query_params.get("lang", "")):
                return _answer_slides(site.narrow(find_reader()), request.path_params["key"])
        except NoPlaceError as error:
            return refuse(str(error), 503)
        except TactError as error:
            _LOG.error("%s", error)
            return refuse("The slides cannot be made now. Tell who runs the map.", 500)

    return [Route("/slides/{key}.pdf", slides)]


def _answer_slides(site: Site, key: str) -> Response:
    meeting, numbers = find_meeting(key) or (None, ())
    current = open_current_release(site)
    if meeting is None or current is None or not numbers:
        return refuse("There is no such agenda.", 404)
    if not may_download(current.release):
        return refuse("Partner files of real records have a named receiver: see the page Download.", 403)
    with MAKING:
        content = make_slides(_describe_paper(meeting, current), list(_draw_slides(site, meeting, numbers)))
    headers = {
        "Content-Disposition": f'attachment; filename="{name_paper(meeting, "agenda", find_language())}"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type="application/pdf", headers=headers)


def _draw_slides(site: Site, meeting: Meeting, numbers: Sequence[int]) -> Iterator[Slide]:
    for number in numbers:
        item = meeting.items[number - 1]
        current = open_current_release(replace(site, asked=item.release))
        page, parameters = split_view(item.view)
        # If the release of a view is gone, no other release is drawn in its place.
        is_here = current is not None and current.release.name == item.release
        sheet = None
        if current is not None and is_here and has_picture(page.module, current.tier):
            sheet = make_sheet(replace(site, asked=item.release), current, page.module, parameters)
        yield Slide(
            _("{number} of {count}", number=number, count=len(meeting.items)),
            make_legible(item.sentence, LONGEST),
            " · ".join([name_view(item.view, current), _("release {name}", name=item.release)]),
            draw_sheet(sheet, current.release) if sheet is not None and current is not None else "",
            describe_sheet(sheet, current.release) if sheet is not None and current is not None else "",
        )


def make_minutes_in(meeting: Meeting, current: CurrentRelease, language: str) -> bytes:
    """Return the minutes of a meeting in a language as a PDF, with the views that the reader may see.

    The meeting is read again: others may have decided something since the page with its button was drawn.
    """
    meeting, numbers = find_meeting(meeting.key) or (meeting, list_numbers(meeting, find_reader()))
    with speak(language):
        t = speak_to_reader(current)
        items = [meeting.items[number - 1] for number in numbers]
        agenda = [(make_legible(item.sentence, LONGEST), name_view(item.view, current)) for item in items]
        plans = name_plans(current, [decision for item in items for decision in item.decisions])
        decisions = [
            (
                make_legible(decision.what, LONGEST),
                name_actor(t, decision.who),
                t.format_day(decision.due),
                word_subject(t, decision, plans),
            )
            for item in items
            for decision in item.decisions
        ]
        words = MinutesText(
            _("Minutes of the meeting"),
            _("Agenda"),
            agenda,
            _("Decisions"),
            ["", _("What"), _("Who does it"), _("By when"), _("Area or plan")],
            [(str(number), *row) for number, row in enumerate(decisions, 1)],
            _("Nothing was decided."),
            _("Sentences and decisions stand in the language in which they were written."),
        )
        return make_minutes(_describe_paper(meeting, current), words)


def name_paper(meeting: Meeting, what: str, language: str) -> str:
    """Return the file name of a paper. It contains no word that a person typed.

    what : the sort of paper. language : the code of its language.
    """
    return f"tact-{what}-{meeting.day}-{language}.pdf"


def word_about(meeting: Meeting, current: CurrentRelease) -> str:
    """Return the day of a meeting and the releases that its views show."""
    releases = dict.fromkeys(item.release for item in meeting.items)
    day = speak_to_reader(current).format_day(meeting.day)
    return " · ".join([day, *([_("release {name}", name=", ".join(releases))] if releases else [])])


def _describe_paper(meeting: Meeting, current: CurrentRelease) -> Paper:
    release = current.release
    return Paper(
        find_language(),
        make_legible(meeting.title, LONGEST),
        dt.date.fromisoformat(meeting.day),
        word_about(meeting, current),
        _(terms.TIERS[release.tier]),
        " ".join(_(text) for text in terms.list_cautions(release)),
    )
