"""Services, their staff and places, by area: all, on one axis of work, or of one duty bearer."""

from __future__ import annotations

from collections.abc import Mapping

from data.disclosure.policy import FEWEST
from data.release import Release
from geo.layers.core import Choice, Layer, Option, palette
from geo.layers.core.words import Message, mark
from geo.layers.reading.counted import Counted, Slice

__all__ = ["AXES", "BEARERS", "COUNTED", "LAYER", "OF"]

_AXIS, _BEARER = mark("Axis"), mark("Duty bearer")
_WHAT = Option(
    "what",
    mark("Show"),
    (
        Choice("services", mark("Services")),
        Choice("staff", mark("Staff")),
        Choice("capacity", mark("Places")),
    ),
)
OF = Option(
    "of",
    mark("Of these"),
    (
        Choice("all", mark("All services")),
        Choice("axis-prevention", mark("prevention"), _AXIS),
        Choice("axis-protection", mark("protection"), _AXIS),
        Choice("axis-assisted_voluntary_return", mark("assisted voluntary return"), _AXIS),
        Choice("axis-reintegration", mark("reintegration"), _AXIS),
        Choice("axis-coordination", mark("coordination"), _AXIS),
        Choice("duty_bearer-state", mark("the state"), _BEARER),
        Choice("duty_bearer-anti_trafficking_police", mark("anti-trafficking police"), _BEARER),
        Choice("duty_bearer-municipality", mark("municipalities"), _BEARER),
        Choice("duty_bearer-school", mark("schools"), _BEARER),
        Choice("duty_bearer-ngo", mark("NGOs"), _BEARER),
        Choice("duty_bearer-community", mark("communities"), _BEARER),
    ),
)
AXES: tuple[Choice, ...] = tuple(c for c in OF.choices if c.group == _AXIS)
BEARERS: tuple[Choice, ...] = tuple(c for c in OF.choices if c.group == _BEARER)


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
    options=(_WHAT, OF),
    locate=_locate,
    note=mark(
        "Services for protection, shelter and return stand by county or region only, and only where at "
        "least three operators work. Where any may be missing, a total is the least that there is."
    ),
    units={"staff": mark("members of staff"), "capacity": mark("places")},
    least=_least,
)
LAYER = Layer(
    "services",
    mark("Services"),
    mark("Which services are at work where, and who carries them?"),
    "fill",
    (_WHAT, OF),
    COUNTED.levels,
    COUNTED.periods,
    COUNTED.read,
    COUNTED.rows,
    COUNTED.offers,
)
