"""The picture of the Coverage page: where gaps are likely, and the map of the chosen services."""

from __future__ import annotations

from dashboard.briefing.sheet import Sheet
from dashboard.briefing.view_sheet import draw_view
from dashboard.narrative import access
from dashboard.pages.coverage import matrix, summary
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, list_levels
from dashboard.site.text import _
from dashboard.widgets import address


def make_sheet(_site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet for the services and the measure in the address; None if the page has no map."""
    has_access = access.has_access(current)
    if "services" not in list_levels(current) or not (has_access or current.tier == "public"):
        return None
    services, area = summary.name_services(current), address.read_area()
    kind = address.read_choice("services", ["all", *services])
    shown = address.read_choice("show", list(summary.name_measures())) if has_access else ""
    sentences = [matrix.word_answer(current, area, kind)] if has_access else []
    heading = f"{_('Coverage')} · {services.get(kind, kind)}"
    return draw_view(current, summary.make_view(current, shown, kind, area), heading, sentences)
