"""The services that a reader may choose: all, those on one axis of work, of one duty bearer, or of one kind of help.

Services of a duty bearer or of a kind of help are shown only on prevention and coordination: on the other axes they
would disclose who works there.
"""

from __future__ import annotations

from data.message import mark
from geo.layers.core import Choice, Option

_AXIS = mark("Axis")
_BEARER = mark("Duty bearer")
_KIND = mark("Kind of help")
WHICH_SERVICES = Option(
    "of",
    mark("Which services"),
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
        Choice("help-social", mark("social help"), _KIND),
        Choice("help-psychological", mark("psychological help"), _KIND),
        Choice("help-legal", mark("legal help"), _KIND),
        Choice("help-economic", mark("economic help"), _KIND),
        Choice("help-health", mark("health care"), _KIND),
        Choice("help-education", mark("education"), _KIND),
        Choice("help-other_help", mark("other help"), _KIND),
    ),
)
AXES: tuple[Choice, ...] = tuple(c for c in WHICH_SERVICES.choices if c.group == _AXIS)
BEARERS: tuple[Choice, ...] = tuple(c for c in WHICH_SERVICES.choices if c.group == _BEARER)
HELP: tuple[Choice, ...] = tuple(c for c in WHICH_SERVICES.choices if c.group == _KIND)
