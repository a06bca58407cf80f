"""Children met for the first time, as circles: all, those of one pathway, or those of one stage.

A table of a release has one breakdown, so pathway and stage are choices of one option and cannot be combined.
"""

from __future__ import annotations

from collections.abc import Mapping

from data.message import mark
from geo.layers.core import Choice, Option, palette
from geo.layers.reading.counted import Counted, Slice

_PATHWAY, _STAGE = mark("Pathway"), mark("Stage")
WHICH_CHILDREN = Option(
    "of",
    mark("Which children"),
    (
        Choice("all", mark("All children identified or met")),
        Choice("pathway-internal", mark("internal trafficking"), _PATHWAY),
        Choice("pathway-al_to_gr", mark("trafficking from Albania to Greece"), _PATHWAY),
        Choice("pathway-other_cross_border", mark("other cross-border trafficking"), _PATHWAY),
        Choice("pathway-none_known", mark("pathway not known"), _PATHWAY),
        Choice("stage-at_risk", mark("at risk"), _STAGE),
        Choice("stage-recruited", mark("recruited"), _STAGE),
        Choice("stage-in_exploitation", mark("in exploitation"), _STAGE),
        Choice("stage-identified", mark("formally identified as a victim"), _STAGE),
        Choice("stage-returning", mark("returning"), _STAGE),
        Choice("stage-reintegrating", mark("reintegrating"), _STAGE),
    ),
)


def _locate(choices: Mapping[str, str]) -> Slice:
    by, _, category = choices["of"].partition("-")
    return Slice("children") if by == "all" else Slice("children", by, category)


COUNTED = Counted(
    title=mark("Children identified or met by outreach"),
    unit=mark("children"),
    kind="circle",
    colours=(palette.COUNTS,),
    options=(WHICH_CHILDREN,),
    locate=_locate,
    noisy=True,
    note=mark(
        "Each child is counted once, in the area and period of the first encounter. A pathway is "
        "recorded for every child, also for children at risk. This is not the number of all trafficked"
        " children: without outreach hardly any child is met."
    ),
)
LAYER = COUNTED.as_layer(
    "encounters", mark("Children identified or met"), mark("Where were children first identified or met?")
)
