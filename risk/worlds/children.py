"""Outreach records and meetings with children of an invented world, as frames of records."""

from __future__ import annotations

import numpy as np
import pandas as pd

from data.tables.spec import CATEGORIES
from data.workspace.types import Floats, Ints
from risk.numbers import stream
from risk.worlds import profiles
from risk.worlds.frames import format_days, format_numbers, make_categories, make_identifiers, make_programme_numbers
from risk.worlds.ground import Ground, choose
from risk.worlds.journeys import draw_journeys
from risk.worlds.meeting import MeetingTable, OutreachSlots
from risk.worlds.need import compute_internal_share
from risk.worlds.outreach import FirstMeetings
from risk.worlds.parameters import WorldParameters


def _cut_calendar(parameters: WorldParameters) -> tuple[Ints, Ints, Ints]:
    """Return start, length and quarter of each whole week, and of single days where a quarter begins or ends in a week.

    start : day since 1970. length : 7 or 1 days. quarter : position.
    """
    edges = parameters.edges.tolist()
    start, length, quarter = [], [], []
    for q in range(parameters.quarters):
        day = edges[q]
        while day < edges[q + 1]:
            # Day 0, the first of January 1970, was a Thursday.
            whole = (day + 3) % 7 == 0 and day + 7 <= edges[q + 1]
            start.append(day)
            length.append(7 if whole else 1)
            quarter.append(q)
            day += length[-1]
    return np.array(start), np.array(length), np.array(quarter)


def draw_effort_records(land: Ground, parameters: WorldParameters, days: Floats) -> tuple[pd.DataFrame, OutreachSlots]:
    """Draw records of effort: outreach days, (M, T), are divided among weeks, partners and kinds of outreach.

    A record is of a week, or of a day where a week would cross the end of a quarter. So each record lies in one
    quarter, and the days of the records add up to `days`. Return the frame, ordered by date, and the same records as
    arrays, ordered by municipality and quarter.
    """
    rng = stream(parameters.seed, "outreach")
    whole = days.astype(np.int64)
    m, q = np.nonzero(whole)
    each = np.repeat(np.arange(len(m)), whole[m, q])
    start, length, quarter = _cut_calendar(parameters)
    weight = np.where(length == 7, 5.0, 0.6)
    table = np.zeros((parameters.quarters, len(start)))
    table[quarter, np.arange(len(start))] = weight
    slot = choose(rng.random(len(each)), table, q[each])
    shares = profiles.compute_partner_shares(land)
    partner = choose(rng.random(len(each)), shares, land.region_of[m[each]])
    kind = choose(rng.random(len(each)), profiles.compute_outreach_shares(land), land.region_of[m[each]])
    count = len(profiles.PARTNERS), len(profiles.OUTREACH)
    key = ((m[each] * parameters.quarters + q[each]) * len(start) + slot) * count[0] + partner
    key, amount = np.unique(key * count[1] + kind, return_counts=True)
    key, kind = np.divmod(key, count[1])
    key, partner = np.divmod(key, count[0])
    key, slot = np.divmod(key, len(start))
    municipality, quarter_of = np.divmod(key, parameters.quarters)
    slots = OutreachSlots(municipality, quarter_of, start[slot], length[slot], partner, amount.astype(float))
    frame = pd.DataFrame(
        {
            "date": format_days(slots.start),
            "span": make_categories((slots.length == 7).astype(int), ("day", "week")),
            "municipality": make_categories(municipality, land.municipalities),
            "partner": make_categories(partner, profiles.PARTNERS),
            "days": slots.days,
            "kind": make_categories(kind, profiles.OUTREACH),
        }
    )
    order = np.lexsort((kind, partner, municipality, slots.start))
    return frame.iloc[order].reset_index(drop=True), slots


def draw_encounter_records(
    land: Ground, parameters: WorldParameters, meetings: FirstMeetings, slots: OutreachSlots
) -> tuple[pd.DataFrame, Ints]:
    """Draw all meetings with all children, ordered by date; also return the true child of each row, from 0, (rows,)."""
    first = _draw_first_meetings(land, parameters, meetings.counts, slots)
    every = draw_journeys(land, parameters, first, slots)
    order = np.lexsort((every.step, every.child, every.date))
    every = every.take(order)
    return _build_encounter_frame(land, parameters, every), every.child


def _draw_first_meetings(land: Ground, parameters: WorldParameters, counts: Ints, slots: OutreachSlots) -> MeetingTable:
    """Draw the day, partner, stage and known pathway of each first meeting.

    counts : first meetings by municipality, pathway, way of finding and quarter, (M, P, F, T).
    """
    m, p, f, q = np.nonzero(counts)
    each = np.repeat(np.arange(len(m)), counts[m, p, f, q])
    m, p, f, q = m[each], p[each], f[each], q[each]
    rng = stream(parameters.seed, "first")
    date = _draw_days(parameters, rng.random(len(m)), q)
    partner = choose(rng.random(len(m)), profiles.compute_partner_shares(land), land.region_of[m])
    discoveries = np.flatnonzero(f == 1)
    # A record of effort in the municipality and quarter of each discovery, in proportion to its days.
    key = slots.municipality * parameters.quarters + slots.quarter
    total = np.cumsum(slots.days)
    want = m[discoveries] * parameters.quarters + q[discoveries]
    begin = np.searchsorted(key, want, side="left")
    end = np.searchsorted(key, want, side="right")
    before = np.where(begin > 0, total[begin - 1], 0.0)
    point = before + rng.random(len(discoveries)) * (total[end - 1] - before)
    hit: Ints = np.clip(np.searchsorted(total, point, side="right"), begin, end - 1)
    into = np.floor(rng.random(len(discoveries)) * slots.length[hit]).astype(np.int64)
    date[discoveries] = slots.start[hit] + into
    partner[discoveries] = slots.partner[hit]
    stage = choose(rng.random(len(m)), profiles.FIRST_STAGE, p)
    hidden = (p != 3) & (rng.random(len(m)) < parameters.unknown_pathway)
    zero = np.zeros(len(m), dtype=np.int64)
    return MeetingTable(np.arange(len(m)), zero, date, m, partner, stage, f, p, np.where(hidden, 3, p))


def _draw_days(parameters: WorldParameters, uniform: Floats, quarter: Ints) -> Ints:
    """Return a day in each of these quarters, in days since 1970, (n,).

    uniform : a random number from 0 to 1 for each. quarter : positions of the quarters. Both are (n,).
    """
    start, length, quarter_of = _cut_calendar(parameters)
    first = np.array([start[quarter_of == q].min() for q in range(parameters.quarters)])
    total = np.array([length[quarter_of == q].sum() for q in range(parameters.quarters)])
    day: Ints = first[quarter] + np.floor(uniform * total[quarter]).astype(np.int64)
    return day


def _build_encounter_frame(land: Ground, parameters: WorldParameters, every: MeetingTable) -> pd.DataFrame:
    """Return the meetings as a frame with the columns of a partner's file."""
    size = int(every.child.max()) + 1 if len(every.child) else 0
    rng = stream(parameters.seed, "profile")
    person = profiles.draw_people(rng, land, every, size)
    origin, destination = _draw_origins_and_destinations(land, parameters, every, size)
    axis = choose(rng.random(len(every.child)), profiles.AXIS_BY_STAGE, every.stage)
    places = (*land.municipalities, "")
    country = land.country_of_municipality[every.municipality]
    # Partners that do not number their records have empty record numbers.
    number = np.zeros(len(every.child), dtype=np.int64)
    for partner, digit in profiles.NUMBERED.items():
        rows = every.partner == partner
        number[rows] = digit * 10_000_000 + np.arange(1, int(rows.sum()) + 1)
    frame = {
        "date": format_days(every.date),
        "municipality": make_categories(every.municipality, land.municipalities),
        "child_id": make_identifiers(every.child, every.partner, size),
        "programme_number": make_programme_numbers(rng, every, size, parameters.linked_share),
        "country": make_categories(country, land.countries),
        "stage": make_categories(every.stage, CATEGORIES["stage"]),
        "pathway": make_categories(every.known_pathway, CATEGORIES["pathway"]),
        "form": make_categories(person.form[every.child], CATEGORIES["form"]),
        "axis": make_categories(axis, CATEGORIES["axis"]),
        "found": make_categories(every.way, CATEGORIES["found"]),
        "sex": make_categories(person.sex[every.child], CATEGORIES["sex"]),
        "age_band": make_categories(person.age_band(every), CATEGORIES["age_band"]),
        "community": make_categories(person.community[every.child], profiles.COMMUNITIES),
        "origin": make_categories(origin, places),
        "destination": make_categories(destination, places),
        "partner": make_categories(every.partner, profiles.PARTNERS),
        "record_number": format_numbers("R", number, 8, blank=number == 0),
        "household_number": _draw_households(parameters, every, size),
    }
    return pd.DataFrame(frame)


def _draw_households(parameters: WorldParameters, every: MeetingTable, size: int) -> pd.Series:
    """Draw the household number of each row, empty for three of ten; siblings are first met in one municipality.

    Each partner has numbers of its own, and writes the same one for all children of a household.
    """
    rng = stream(parameters.seed, "household")
    place = np.zeros(size, np.int64)
    place[every.child[every.step == 0]] = every.municipality[every.step == 0]
    order = np.lexsort((rng.random(size), place))
    alone = (rng.random(size) < 0.6) | (np.diff(place[order], prepend=-1) != 0)
    household = np.empty(size, np.int64)
    household[order] = np.cumsum(alone)
    number = household[every.child] * len(profiles.PARTNERS) + every.partner
    return format_numbers("F", number, 6, blank=rng.random(len(number)) < 0.3)


def _draw_origins_and_destinations(
    land: Ground, parameters: WorldParameters, every: MeetingTable, size: int
) -> tuple[Ints, Ints]:
    """Draw the positions of origin and destination for each row of meetings; the last position means unknown.

    Most children in internal trafficking who are met in a city of the shift were brought there. Most others come from
    the place where they are met, and during the shift more and more of them are on the way to such a city. Children
    who are trafficked from Albania to Greece come from Albania and are met in either country.
    """
    first = every.take(every.step == 0)
    first = first.take(np.argsort(first.child))
    here, none = first.municipality, len(land.municipalities)
    country = land.country_of_municipality[here]
    flow = profiles.build_flow(land, parameters, compute_internal_share(parameters))
    u = stream(parameters.seed, "flow").random((5, size))
    quarter = np.searchsorted(parameters.edges[:-1], first.date, side="right") - 1
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
        np.where(brought, here, choose(u[1], target_table, country * parameters.quarters + quarter)),
        np.where(greek, here, choose(u[1], flow.abroad)),
        np.where(greek, here, none),
        np.full(size, none),
    )
    origin = np.where(u[3] < 0.15, none, np.choose(first.pathway, origins))
    target = np.where(u[4] < 0.25, none, np.choose(first.pathway, targets))
    return origin[every.child], target[every.child]
