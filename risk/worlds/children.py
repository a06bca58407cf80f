"""Outreach records and meetings with children of an invented world, as frames of records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.workspace.types import Floats, Ints
from risk.numbers import stream
from risk.worlds import profiles
from risk.worlds.frames import categories, days_text, identifiers, numbered, padded
from risk.worlds.ground import Ground, choose
from risk.worlds.journeys import first_day_after, journeys
from risk.worlds.meeting import Meeting, Slots
from risk.worlds.need import internal_share
from risk.worlds.outreach import Meetings
from risk.worlds.parameters import WorldParameters


def _calendar(given: WorldParameters) -> tuple[Ints, Ints, Ints]:
    """Cut each quarter into Monday weeks and, at its edges, single days: start, length, quarter."""
    edges = [*_quarter_edges(given).tolist(), first_day_after(given)]
    start, length, quarter = [], [], []
    for q in range(given.quarters):
        day = edges[q]
        while day < edges[q + 1]:
            # Day 0, the first of January 1970, was a Thursday.
            whole = (day + 3) % 7 == 0 and day + 7 <= edges[q + 1]
            start.append(day)
            length.append(7 if whole else 1)
            quarter.append(q)
            day += length[-1]
    return np.array(start), np.array(length), np.array(quarter)


def effort_records(land: Ground, given: WorldParameters, days: Floats) -> tuple[pd.DataFrame, Slots]:
    """Spread the days of each municipality and quarter over weeks, partners and kinds of outreach.

    A stretch of effort is a week, or a day where a week would cross the end of a quarter; so each
    record lies in one quarter, and the days of the records add up to those of the world.
    """
    rng = stream(given.seed, "outreach")
    whole = days.astype(np.int64)
    m, q = np.nonzero(whole)
    each = np.repeat(np.arange(len(m)), whole[m, q])
    start, length, quarter = _calendar(given)
    weight = np.where(length == 7, 5.0, 0.6)
    table = np.zeros((given.quarters, len(start)))
    table[quarter, np.arange(len(start))] = weight
    slot = choose(rng.random(len(each)), table, q[each])
    shares = profiles.partner_shares(land)
    partner = choose(rng.random(len(each)), shares, land.region_of[m[each]])
    kind = choose(rng.random(len(each)), profiles.outreach_shares(land), land.region_of[m[each]])
    count = len(profiles.PARTNERS), len(profiles.OUTREACH)
    key = ((m[each] * given.quarters + q[each]) * len(start) + slot) * count[0] + partner
    key, amount = np.unique(key * count[1] + kind, return_counts=True)
    key, kind = np.divmod(key, count[1])
    key, partner = np.divmod(key, count[0])
    key, slot = np.divmod(key, len(start))
    municipality, quarter_of = np.divmod(key, given.quarters)
    slots = Slots(municipality, quarter_of, start[slot], length[slot], partner, amount.astype(float))
    frame = pd.DataFrame(
        {
            "date": days_text(slots.start),
            "span": categories((slots.length == 7).astype(int), ("day", "week")),
            "municipality": categories(municipality, land.municipalities),
            "partner": categories(partner, profiles.PARTNERS),
            "days": slots.days,
            "kind": categories(kind, profiles.OUTREACH),
        }
    )
    order = np.lexsort((kind, partner, municipality, slots.start))
    return frame.iloc[order].reset_index(drop=True), slots


def encounter_records(
    land: Ground, given: WorldParameters, met: Meetings, slots: Slots
) -> tuple[pd.DataFrame, Ints]:
    """All meetings with all children in the order of their dates, and the true child of each row."""
    first = _first_meetings(land, given, met.counts, slots)
    every = journeys(land, given, first, slots)
    order = np.lexsort((every.step, every.child, every.date))
    every = every.take(order)
    return _encounter_frame(land, given, every), every.child


def _first_meetings(land: Ground, given: WorldParameters, counts: Ints, slots: Slots) -> Meeting:
    """Give each first meeting its day, partner, stage and pathway."""
    m, p, f, q = np.nonzero(counts)
    each = np.repeat(np.arange(len(m)), counts[m, p, f, q])
    m, p, f, q = m[each], p[each], f[each], q[each]
    rng = stream(given.seed, "first")
    date = _any_day(given, rng.random(len(m)), q)
    partner = choose(rng.random(len(m)), profiles.partner_shares(land), land.region_of[m])
    found = np.flatnonzero(f == 1)
    hit = _pick_slot(given, slots, m[found], q[found], rng.random(len(found)))
    into = np.floor(rng.random(len(found)) * slots.length[hit]).astype(np.int64)
    date[found] = slots.start[hit] + into
    partner[found] = slots.partner[hit]
    stage = choose(rng.random(len(m)), profiles.FIRST_STAGE, p)
    hidden = (p != 3) & (rng.random(len(m)) < given.unknown_pathway)
    zero = np.zeros(len(m), dtype=np.int64)
    return Meeting(np.arange(len(m)), zero, date, m, partner, stage, f, p, np.where(hidden, 3, p))


def _any_day(given: WorldParameters, uniform: Floats, quarter: Ints) -> Ints:
    """Draw a day of a quarter."""
    start, length, of = _calendar(given)
    first = np.array([start[of == q].min() for q in range(given.quarters)])
    total = np.array([length[of == q].sum() for q in range(given.quarters)])
    day: Ints = first[quarter] + np.floor(uniform * total[quarter]).astype(np.int64)
    return day


def _pick_slot(given: WorldParameters, slots: Slots, m: Ints, q: Ints, uniform: Floats) -> Ints:
    """Draw, in proportion to its days, one of the records of effort of a municipality and quarter."""
    key = slots.municipality * given.quarters + slots.quarter
    total = np.cumsum(slots.days)
    want = m * given.quarters + q
    left = np.searchsorted(key, want, side="left")
    right = np.searchsorted(key, want, side="right")
    before = np.where(left > 0, total[left - 1], 0.0)
    at = before + uniform * (total[right - 1] - before)
    hit: Ints = np.clip(np.searchsorted(total, at, side="right"), left, right - 1)
    return hit


def _encounter_frame(land: Ground, given: WorldParameters, every: Meeting) -> pd.DataFrame:
    """Lay meetings out as a partner's file has them."""
    size = int(every.child.max()) + 1 if len(every.child) else 0
    rng = stream(given.seed, "profile")
    person = profiles.people(rng, land, every, size)
    origin, destination = _flow(land, given, every, size)
    axis = choose(rng.random(len(every.child)), profiles.AXIS_BY_STAGE, every.stage)
    places = (*land.municipalities, "")
    country = land.country_of_municipality[every.municipality]
    frame = {
        "date": days_text(every.date),
        "municipality": categories(every.municipality, land.municipalities),
        "child_id": identifiers(every.child, every.partner, size),
        "programme_number": numbered(rng, every, size, given.linked_share),
        "country": categories(country, land.countries),
        "stage": categories(every.stage, profiles.STAGES),
        "pathway": categories(every.known_pathway, profiles.PATHWAYS),
        "form": categories(person.form[every.child], profiles.FORMS),
        "axis": categories(axis, profiles.AXES),
        "found": categories(every.found, ("reported", "discovered")),
        "sex": categories(person.sex[every.child], profiles.SEXES),
        "age_band": categories(person.age_band(every), profiles.AGE_BANDS),
        "community": categories(person.community[every.child], profiles.COMMUNITIES),
        "origin": categories(origin, places),
        "destination": categories(destination, places),
        "partner": categories(every.partner, profiles.PARTNERS),
        "record_number": _record_numbers(every),
    }
    return pd.DataFrame(frame)


def _record_numbers(every: Meeting) -> pd.Series:
    """Give records a number in the order of their dates, at the partners that number them."""
    number = np.zeros(len(every.child), dtype=np.int64)
    for partner, digit in profiles.NUMBERED.items():
        rows = every.partner == partner
        number[rows] = digit * 10_000_000 + np.arange(1, int(rows.sum()) + 1)
    return padded("R", number, 8, blank=number == 0)


def _flow(land: Ground, given: WorldParameters, every: Meeting, size: int) -> tuple[Ints, Ints]:
    """Origin and destination of each child, by row; the last position stands for unknown.

    Internal children met in a city of the shift were brought there; those met elsewhere are mostly
    from there, and as the shift goes on more of them are on the way to such a city. Children on the
    way from Albania to Greece come from Albania and are met at either end.
    """
    first = every.take(every.step == 0)
    first = first.take(np.argsort(first.child))
    here, none = first.municipality, len(land.municipalities)
    country = land.country_of_municipality[here]
    flow = profiles.flow_tables(land, given, internal_share(given))
    u = stream(given.seed, "flow").random((5, size))
    quarter = np.searchsorted(_quarter_edges(given), first.date, side="right") - 1
    target_table = flow.target.reshape(-1, none)
    brought = u[2] < np.where(flow.city[here], 0.93, 0.30)
    greek = country == flow.greece
    origins = (
        np.where(brought, choose(u[0], flow.origin, country), here),
        np.where(greek, choose(u[0], flow.albanian), here),
        np.where(greek, none, here),
        here,
    )
    targets = (
        np.where(brought, here, choose(u[1], target_table, country * given.quarters + quarter)),
        np.where(greek, here, choose(u[1], flow.abroad)),
        np.where(greek, here, none),
        np.full(size, none),
    )
    origin = np.where(u[3] < 0.15, none, np.choose(first.pathway, origins))
    target = np.where(u[4] < 0.25, none, np.choose(first.pathway, targets))
    return origin[every.child], target[every.child]


def _quarter_edges(given: WorldParameters) -> Ints:
    """First day of each quarter, in days since 1970."""
    edges = [day.to_datetime64().astype("datetime64[D]").astype(int) for day in given.quarter_starts]
    return np.array(edges, dtype=np.int64)
