"""Services, their staff and places, by area: all, on one axis of work, or of one duty bearer."""

from __future__ import annotations

from collections.abc import Mapping

from data.disclosure.policy import FEWEST
from data.release import Release
from geo.layers.core import Choice, Option, palette
from geo.layers.core.service_choices import WHICH_SERVICES
from geo.layers.core.words import Message, mark
from geo.layers.reading.counted import Counted, Slice

_WHAT = Option(
    "what",
    mark("Show"),
    (
        Choice("services", mark("Services")),
        Choice("staff", mark("Staff")),
        Choice("capacity", mark("Places")),
    ),
)


def _locate(chosen: Mapping[str, str]) -> Slice:
    by, _, category = chosen["of"].partition("-")
    return Slice(chosen["what"]) if by == "all" else Slice(chosen["what"], by, category)


def _least(release: Release, chosen: Mapping[str, str]) -> str:
    """Say what may be missing from a number that is the least that there is, and why."""
    parameters = release.manifest["tact"].get("parameters") or {}
    missing = mark(
        "at least so many: protection, shelter and return are left out where fewer than {operators} "
        "operators work, and in municipalities"
    )
    unreported = mark("{missing}; so is what was not reported")
    told = Message(missing, operators=int(parameters.get("operators", FEWEST)))
    return told if chosen["what"] == "services" else Message(unreported, missing=told)


COUNTED = Counted(
    title=mark("Services"),
    unit=mark("services at work"),
    kind="fill",
    colours=palette.COVERAGE,
    options=(_WHAT, WHICH_SERVICES),
    locate=_locate,
    note=mark(
        "Services for protection, shelter and return stand by county or region only, and only where at "
        "least three operators work. Where any may be missing, a total is the least that there is."
    ),
    units={"staff": mark("members of staff"), "capacity": mark("places")},
    least=_least,
)
LAYER = COUNTED.as_layer(
    "services",
    mark("Services"),
    mark("Which services are at work where, and who carries them?"),
)
