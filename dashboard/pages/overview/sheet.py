"""The picture of the Overview page: its findings, and its map with the best moves."""

from __future__ import annotations

from dashboard.briefing.sheet import Sheet
from dashboard.briefing.view_sheet import draw_marks, make_key_part, read_source
from dashboard.narrative.speech import speak_to_reader
from dashboard.pages.overview import partner, public
from dashboard.site import Site
from dashboard.site.current_release import CurrentRelease, read_risk_manifest
from dashboard.site.text import _

_MOST = 6  # arrows, as on the page


def make_sheet(_site: Site, current: CurrentRelease) -> Sheet | None:
    """Return the sheet of the page.

    None on the partner tier if the risk model was not fitted, because the page then has no map.
    """
    if current.tier == "partner" and read_risk_manifest(current) is None:
        return None
    make_content = partner.make_content if current.tier == "partner" else public.make_content
    content = make_content(speak_to_reader(current), current)
    noise = _("Numbers carry noise that protects children.")
    return Sheet(
        [draw_marks(current, content.marks, content.flows[:_MOST])],
        [make_key_part(content.key, [read_source(current, "risk"), noise])],
        current.release.invented,
        _("Overview"),
        [
            f"{finding.lead} ({finding.detail})." if finding.detail else f"{finding.lead}."
            for finding in content.findings
        ],
    )
