"""Services, their staff and service places, by area: all, or those of one axis of work, duty bearer or kind of help."""

from __future__ import annotations

from collections.abc import Mapping

from data.disclosure.policy import FEWEST
from data.message import Message, mark
from data.release import Release
from geo.layers.core import Choice, Option, palette
from geo.layers.core.service_choices import WHICH_SERVICES
from geo.layers.reading.counted import Counted, Slice

_WHAT = Option(
    "what",
    mark("Show"),
    (Choice("services", mark("Services")), Choice("staff", mark("Staff")), Choice("capacity", mark("Service places"))),
)


def _locate(choices: Mapping[str, str]) -> Slice:
    by, _, category = choices["of"].partition("-")
    return Slice(choices["what"]) if by == "all" else Slice(choices["what"], by, category)


def _least(release: Release, choices: Mapping[str, str]) -> str:
    """Return a text on what may be missing from a number that is only a lower limit, and why."""
    parameters = release.manifest["tact"].get("parameters") or {}
    missing = mark(
        "at least this number: services for protection, return and reintegration are withheld in "
        "municipalities and where fewer than {operators} operators work"
    )
    unreported = mark("{missing}; numbers that were not reported are missing too")
    by = _locate(choices).by
    if by == "help":
        return mark("at least this number: services may give other kinds of help, which are not recorded or not shown")
    if by == "duty_bearer":
        return mark("at least this number: numbers that were not reported are missing")
    sentence = Message(missing, operators=int(parameters.get("operators", FEWEST)))
    return sentence if choices["what"] == "services" else Message(unreported, missing=sentence)


COUNTED = Counted(
    title=mark("Services"),
    unit=mark("services"),
    kind="fill",
    colours=palette.COVERAGE,
    options=(_WHAT, WHICH_SERVICES),
    locate=_locate,
    note=mark(
        "Services for protection, return and reintegration are shown only for counties and regions, and only"
        " where at least three operators work. A total marked “at least” may leave some out."
        " Services of a duty bearer or of a kind of help are those for prevention and coordination."
    ),
    units={"staff": mark("members of staff"), "capacity": mark("service places")},
    least=_least,
)
LAYER = COUNTED.as_layer("services", mark("Services"), mark("Which services work where, and who runs them?"))
