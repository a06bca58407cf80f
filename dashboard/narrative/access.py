"""How access to services is calculated, in sentences for the Coverage page and the Method page."""

from __future__ import annotations

from collections.abc import Iterator

from dashboard.narrative.detection import describe_share_found
from dashboard.site import current_release
from dashboard.site.current_release import CurrentRelease, read_area_names, read_country_names, read_risk_manifest
from dashboard.site.text import _, format_number, format_plural
from risk.access.tables import Times


def has_access(current: CurrentRelease) -> bool:
    """Return whether access to services was calculated for the release."""
    return "access" in current_release.list_levels(current)


def describe_access(current: CurrentRelease) -> list[str]:
    """Return sentences on how access is calculated and which travel times were entered.

    Empty if access was not calculated.
    """
    manifest = read_risk_manifest(current)
    notes = manifest.travel if manifest else None
    if not manifest or not notes or not has_access(current):
        return []
    ways = {name: format_number(getattr(notes, name)) for name in ("km_per_hour", "catchment_minutes")}
    ways |= {"detour": format_number(round(notes.detour, 2)), "spread": format_number(round(100.0 * notes.spread))}
    return [
        _(
            "Service places are divided among the children in need who can reach them: the nearer the "
            "service, the more, and none beyond {catchment_minutes} minutes (two-step floating "
            "catchment area)."
        ).format(**ways),
        _("Children in need: the average of the last four quarters, as the risk model estimates it."),
        *describe_share_found(manifest.card, read_country_names(current), current.release),
        _(
            "Where no travel time was entered, the length of the road is estimated from straight lines from town to "
            "town: at least {detour} times as long, and more where nobody lives along them. The speed is {km_per_hour} "
            "km per hour. Such a time may be wrong by {spread} % or more, and the chance of a gap allows for that."
        ).format(**ways),
        _(
            "The time of an area is the average over the people of its municipalities, to the one that is nearest to "
            "most of them: services are taken to be there."
        ),
        _("Travel across water counts only if its time was entered, and travel across the border does not count."),
        *_describe_times(current, notes.times),
    ]


def _describe_times(current: CurrentRelease, times: Times) -> Iterator[str]:
    names = read_area_names(current)
    if times.uploaded:
        yield format_plural(
            "Times entered for {count} pair of areas.", "Times entered for {count} pairs of areas.", len(times.uploaded)
        )
    for link in times.ferries:
        yield _(
            "Ferry between {start} and {end}: {minutes} minutes ({source}).",
            start=names[link.start],
            end=names[link.end],
            minutes=format_number(link.minutes),
            source=link.source,
        )
    if times.roads:
        yield _(
            "Times along roads and ferries are from {source} ({day}).", source=times.roads.source, day=times.roads.day
        )
    if not (times.uploaded or times.ferries or times.roads):
        yield _(
            "No times were entered. A data officer enters them with tact travel, or with tact risk --travel and "
            "--ferries."
        )
