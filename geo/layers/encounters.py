"""Children met for the first time, as circles: all, or of one pathway or one stage.

A table of a release has one breakdown, so pathway and stage are choices of one option, never crossed.
"""

from __future__ import annotations

from collections.abc import Mapping

from geo.layers.core import Choice, Option, palette
from geo.layers.core.words import mark
from geo.layers.reading.counted import Counted, Slice

_PATHWAY, _STAGE = mark("Pathway"), mark("Stage")
WHICH_CHILDREN = Option(
    "of",
    mark("Of these"),
    (
        Choice("all", mark("All children met")),
        Choice("pathway-internal", mark("pathway inside the country"), _PATHWAY),
        Choice("pathway-al_to_gr", mark("pathway from Albania to Greece"), _PATHWAY),
        Choice("pathway-other_cross_border", mark("pathway across another border"), _PATHWAY),
        Choice("pathway-none_known", mark("no pathway known"), _PATHWAY),
        Choice("stage-at_risk", mark("at risk"), _STAGE),
        Choice("stage-recruited", mark("recruited"), _STAGE),
        Choice("stage-in_exploitation", mark("in exploitation"), _STAGE),
        Choice("stage-identified", mark("identified"), _STAGE),
        Choice("stage-returning", mark("returning"), _STAGE),
        Choice("stage-reintegrating", mark("reintegrating"), _STAGE),
    ),
)


def _locate(chosen: Mapping[str, str]) -> Slice:
    by, _, category = chosen["of"].partition("-")
    return Slice("children") if by == "all" else Slice("children", by, category)


COUNTED = Counted(
    title=mark("Children met for the first time"),
    unit=mark("children"),
    kind="circle",
    colours=(palette.COUNTS,),
    options=(WHICH_CHILDREN,),
    locate=_locate,
    note=mark(
        "Each child counts once, where and when a partner first met it; later meetings with the same child "
        "are not counted. A pathway is told of children of every stage, also of those at risk. It does not "
        "say how many children there are: where nobody looks, hardly anybody is met."
    ),
)
LAYER = COUNTED.as_layer(
    "encounters",
    mark("Children met"),
    mark("Where did the partners meet children for the first time?"),
)
