"""The sequence of meetings with a child in an invented world."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.workspace.types import Floats, Ints
from risk.numbers import stream
from risk.worlds.ground import Ground, choose
from risk.worlds.meeting import MeetingTable, OutreachSlots
from risk.worlds.parameters import WorldParameters
from risk.worlds.profiles import compute_partner_shares

MOST_MEETINGS = 8
_AGAIN = 0.52  # probability of another meeting
_PAUSE = 20, 70.0  # fewest days between meetings; mean of the additional days
_RETURNING = 4  # position of the stage "returning"
_LAST_STAGE = 5


def draw_journeys(land: Ground, parameters: WorldParameters, first: MeetingTable, slots: OutreachSlots) -> MeetingTable:
    """Return `first` with the further meetings of each child, up to eight in all and until the world's last day."""
    rng = stream(parameters.seed, "journeys")
    searched_days = _mark_searched_days(land, parameters, slots)
    places = _Places.build(land, slots)
    parts, now = [first], first
    for step in range(1, MOST_MEETINGS):
        go_on = rng.random(len(now.child)) < _AGAIN
        pause = _PAUSE[0] + np.floor(rng.exponential(_PAUSE[1], len(now.child))).astype(np.int64)
        alive = go_on & (now.date + pause < parameters.edges[-1])
        now = _meet_again(land, rng, now.take(alive), step, pause[alive], places, searched_days)
        parts.append(now)
    return MeetingTable.join(parts)


@dataclass(frozen=True)
class _Places:
    """Weights of the M municipalities where children are met again.

    region, country : in the same region or country, (R, M) and (countries, M). home : after a return, (1, M). greece :
    position of Greece, -1 if the world does not have it.
    """

    region: Floats
    country: Floats
    home: Floats
    greece: int

    @classmethod
    def build(cls, land: Ground, slots: OutreachSlots) -> _Places:
        worked = np.bincount(slots.municipality, slots.days, len(land.people))
        weight = worked / max(worked.sum(), 1.0) + 0.1 * land.people / max(land.people.sum(), 1.0)
        weight = weight + 1e-9
        where = land.country_of_municipality
        region = weight * (land.region_of == np.arange(len(land.regions))[:, None])
        country = weight * (where == np.arange(len(land.countries))[:, None])
        albania = land.countries.index("AL") if "AL" in land.countries else 0
        region[region.sum(axis=1) == 0] = weight
        greece = land.countries.index("GR") if "GR" in land.countries else -1
        return cls(region, country, country[[albania]], greece)


def _mark_searched_days(land: Ground, parameters: WorldParameters, slots: OutreachSlots) -> tuple[np.ndarray, int]:
    """Return whether outreach was recorded in a municipality on each day, (M, days), and the first day."""
    first = int(parameters.edges[0])
    searched = np.zeros((len(land.people), int(parameters.edges[-1]) - first), dtype=bool)
    for day in range(7):
        rows = slots.length > day
        searched[slots.municipality[rows], slots.start[rows] + day - first] = True
    return searched, first


def _meet_again(
    land: Ground,
    rng: np.random.Generator,
    now: MeetingTable,
    step: int,
    pause: Ints,
    places: _Places,
    searched_days: tuple[np.ndarray, int],
) -> MeetingTable:
    """Draw the next meeting with each child of `now`, `pause` days after that one."""
    count = len(now.child)
    date = now.date + pause
    # Stages only go forward, and a child at risk seldom becomes a victim.
    u = rng.random(len(now.stage))
    forward = np.where(now.stage == 0, u < 0.06, u < 0.5).astype(np.int64)
    further = ((now.stage > 0) & (u < 0.1)).astype(np.int64)
    stage: Ints = np.minimum(now.stage + forward + further, _LAST_STAGE)
    municipality = _choose_places(land, rng, now, stage, places)
    where = land.country_of_municipality
    stays = (where[municipality] == where[now.municipality]) & (rng.random(count) < 0.8)
    other = choose(rng.random(count), compute_partner_shares(land), land.region_of[municipality])
    partner = np.where(stays, now.partner, other)
    searched = searched_days[0][municipality, date - searched_days[1]]
    way = (searched & (rng.random(count) < 0.6)).astype(np.int64)
    steps = np.full(count, step)
    return MeetingTable(now.child, steps, date, municipality, partner, stage, way, now.pathway, now.known_pathway)


def _choose_places(land: Ground, rng: np.random.Generator, now: MeetingTable, stage: Ints, places: _Places) -> Ints:
    """Draw the municipality of each next meeting: mostly the same, else nearby, elsewhere or back home."""
    count = len(stage)
    u = rng.random((4, count))
    where = land.country_of_municipality[now.municipality]
    nearby = choose(u[1], places.region, land.region_of[now.municipality])
    elsewhere = choose(u[1], places.country, where)
    home = choose(u[1], places.home)
    moved = np.where(u[0] < 0.78, now.municipality, np.where(u[0] < 0.92, nearby, elsewhere))
    returns = (stage >= _RETURNING) & (now.pathway == 1) & (where == places.greece)
    settled: Ints = np.where(returns & (u[2] < 0.8), home, moved)
    return settled
