"""All layers, in the order of the menu, and the rules on which of them may be combined.

Each file here is a layer. The folders are what all layers use: core/ (what a layer is), reading/ (from a release),
output/ (to tables and files), profile/ (an area in words).

On the partner tier, community layers may be combined with encounters and services (needed to judge access and equity),
with one sentence on what this does not mean; on the public tier with services only. They are never combined with
effort, risk or access (its places per child in need reveal the need that the model estimates). The map, addresses,
exports and the briefing all use these rules.
"""

from __future__ import annotations

from collections.abc import Iterable

from data.errors import InputError
from data.message import mark
from data.tables.spec import Tier
from geo.layers import access, communities, effort, encounters, population, referrals, risk, roma_figures, services
from geo.layers.core import Layer

__all__ = ["LAYERS", "choose_caution", "find_conflict", "find_layer", "find_map_conflict", "group_layers"]

LAYERS: tuple[Layer, ...] = (
    encounters.LAYER,
    services.LAYER,
    access.LAYER,
    effort.LAYER,
    risk.LAYER,
    communities.LAYER,
    population.LAYER,
    roma_figures.LAYER,
    referrals.LAYER,
)
_UNDER_COMMUNITIES: dict[Tier, frozenset[str]] = {
    "partner": frozenset({"encounters", "services"}),
    "public": frozenset({"services"}),
}


def find_layer(name: str) -> Layer:
    """Find a layer by its identifier; raise InputError when there is none."""
    for layer in LAYERS:
        if layer.id == name:
            return layer
    msg = f"No layer {name!r}. There are: {', '.join(layer.id for layer in LAYERS)}."
    raise InputError(msg)


def find_conflict(tier: Tier, names: Iterable[str]) -> str:
    """Return why layers may not be combined in one map, file or address; empty when they may.

    Raises InputError for an unknown layer.
    """
    layers = [find_layer(name) for name in dict.fromkeys(names)]
    others = {layer.id for layer in layers if layer.nature != "community"}
    if len(others) == len(layers) or others <= _UNDER_COMMUNITIES[tier]:
        return ""
    if tier == "public":
        return mark("On the public tier, community layers can be shown alone or with services.")
    return mark("Community layers can be shown only with children identified or met and with services.")


def choose_caution(names: Iterable[str]) -> str:
    """Return the caution for a community layer combined with one that is none; empty if there is no such pair.

    Raises InputError for an unknown layer.
    """
    natures = {find_layer(name).nature == "community" for name in names}
    return communities.CAUTION if len(natures) > 1 else ""


def find_map_conflict(tier: Tier, names: Iterable[str]) -> str:
    """Return why layers cannot be drawn on one map; empty when they can.

    A map has at most one layer of each kind (fill, circle, hatch). Raises InputError for an unknown layer.
    """
    layers = [find_layer(name) for name in dict.fromkeys(names)]
    kinds = [layer.kind for layer in layers]
    if len(set(kinds)) < len(kinds):
        return mark("Two layers of the same kind would hide each other.")
    return find_conflict(tier, names)


def group_layers(tier: Tier, names: Iterable[str]) -> list[list[str]]:
    """Return the layers `names` in as few groups as possible; the layers of one group may be combined.

    Raises InputError for an unknown layer.
    """
    groups: list[list[str]] = []
    for name in dict.fromkeys(names):
        fitting = next((group for group in groups if not find_conflict(tier, [*group, name])), None)
        if fitting is None:
            groups.append([name])
        else:
            fitting.append(name)
    return groups
