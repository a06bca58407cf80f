"""Laws that invented worlds may follow in addition to the risk model's likelihoods: docs/risk-model.md section 17.

A model that is tried only on worlds drawn from its own likelihood beats its rivals by construction. Each law here
changes one part of a world in a way that the model does not know. `WorldParameters.laws` names laws, which are applied
in that order. Without a law a world stays as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
import pandas as pd

from benchmarks.worlds.parameters import WorldParameters
from data.errors import InputError
from data.workspace.types import Floats
from risk.numbers import stream
from risk.worlds.ground import Ground
from risk.worlds.need import SMALL, Need, draw_need
from risk.worlds.outreach import FirstMeetings
from risk.worlds.profiles import PARTNERS

Records = Mapping[str, pd.DataFrame]

_CONTAGION = 0.7  # share of the need that follows from that of the quarter before
_STAYS = 0.5  # of what follows, in the same region; the rest is shared by its neighbours
_SEASON_SD = 0.6  # of the log need in the quarter in which a region's season is strongest
_TAIL = 1.3  # exponent of the Pareto law of hot places; they have no variance below 2
_DELAYS = (0.5, 0.25, 0.15, 0.1)  # share of reports that are dated so many quarters after the meeting
_RISE, _RISE_QUARTERS = 3.0, 4  # factor of internal trafficking in the last quarters, in the counties of the shift
_PARTNER_SHARE = 0.75  # of the reports of a region, by the partner that starts or stops there
_LOCKED = 4  # quarters of the lockdown, the last ones
_DAYS_LEFT, _REPORTS_LEFT = 0.15, 0.25  # shares of outreach days and of reports that remain in them


@dataclass(frozen=True)
class Law:
    """A law: its description, and what changes the parameters, need, first meetings or records (by kind) of a world.

    A function is None where the law changes nothing.
    """

    about: str
    parameters: Callable[[WorldParameters], WorldParameters] | None = None
    need: Callable[[Ground, WorldParameters, Need], Need] | None = None
    meetings: Callable[[WorldParameters, FirstMeetings], FirstMeetings] | None = None
    records: Callable[[WorldParameters, Records], Records] | None = None


def select_laws(parameters: WorldParameters) -> list[Law]:
    """Return the laws of a world, in their order; raise InputError for the name of an unknown law."""
    unknown = [name for name in parameters.laws if name not in LAWS]
    if unknown:
        raise InputError(f"No law of invented worlds is named {unknown[0]!r}; there are {', '.join(LAWS)}.")
    return [LAWS[name] for name in parameters.laws]


def change_parameters(parameters: WorldParameters) -> WorldParameters:
    """Return the parameters as the laws of a world change them; raise InputError for an unknown law."""
    for law in select_laws(parameters):
        parameters = law.parameters(parameters) if law.parameters else parameters
    return parameters


def draw_need_by_laws(land: Ground, parameters: WorldParameters) -> Need:
    """Draw the true need of a world and change it by its laws; the total need stays children / detection."""
    need = _add_hotspot(land, parameters, draw_need(land, parameters))
    for law in select_laws(parameters):
        need = law.need(land, parameters, need) if law.need else need
    return need


def change_meetings(parameters: WorldParameters, meetings: FirstMeetings) -> FirstMeetings:
    """Return the first meetings as the laws of a world change them."""
    for law in select_laws(parameters):
        meetings = law.meetings(parameters, meetings) if law.meetings else meetings
    return meetings


def change_records(parameters: WorldParameters, records: Records) -> Records:
    """Return the records as the laws of a world change them."""
    for law in select_laws(parameters):
        records = law.records(parameters, records) if law.records else records
    return records


def leave_out_file(records: Records, partner: str) -> Records:
    """Return the records without the file of its outreach days that a partner sent."""
    effort = records["effort"]
    return {**records, "effort": effort[effort["partner"] != partner].reset_index(drop=True)}


def _add_hotspot(land: Ground, parameters: WorldParameters, need: Need) -> Need:
    """Add the hotspot to the log rate: it moves to a neighbouring region every three quarters.

    There is none if the parameters have no signal or no hotspot, or if no regions touch.
    """
    if not (parameters.signal and parameters.hotspot and len(land.region_edges)):
        return need
    extra = np.zeros((len(land.regions), parameters.quarters))
    rng = stream(parameters.seed, "hotspot")
    region = int(rng.choice(np.unique(land.region_edges)))
    for quarter in range(parameters.quarters):
        if quarter and quarter % 3 == 0:
            pairs = land.region_edges[(land.region_edges == region).any(axis=1)]
            region = int(rng.choice(pairs[pairs != region]))
        extra[region, quarter] = parameters.hotspot
    return _with_region(land, need, need.region * np.exp(extra)[:, None, :])


def _draw_partner(parameters: WorldParameters) -> str:
    return str(stream(parameters.seed, "missing").choice(PARTNERS))


def _stop_one_partner(parameters: WorldParameters, records: Records) -> Records:
    """Let a partner send no encounter and no outreach days after three quarters of the time."""
    partner, turn = _draw_partner(parameters), parameters.quarter_starts[int(0.75 * parameters.quarters)]
    for kind in ("encounter", "effort"):
        frame = records[kind]
        stays = (frame["partner"] != partner) | (frame["date"].astype(str) < f"{turn:%Y-%m-%d}")
        records = {**records, kind: frame[stays].reset_index(drop=True)}
    return records


def _spread_by_contagion(land: Ground, parameters: WorldParameters, need: Need) -> Need:
    """Let children who come into need bring others into need in the next quarter, there and in neighbouring regions.

    This is the endemic-epidemic model of Held, Höhle and Hofmann (2005), docs/risk-model.md eq. (73). The rows of its
    matrix `flow` add up to 1, so that the whole need neither grows nor dies out.
    """
    size = len(land.regions)
    touch = np.zeros((size, size))
    touch[land.region_edges[:, 0], land.region_edges[:, 1]] = 1.0
    touch = np.maximum(touch, touch.T) * (land.region_people > 0)
    degree = touch.sum(axis=1, keepdims=True)
    flow = np.where(degree > 0, (1.0 - _STAYS) * touch / np.maximum(degree, 1.0), 0.0)
    flow += np.diag(np.where(degree[:, 0] > 0, _STAYS, 1.0))
    rng, region = stream(parameters.seed, "contagion"), need.region.copy()
    for t in range(1, parameters.quarters):
        cases = rng.poisson(region[:, :, t - 1])
        region[:, :, t] = (1.0 - _CONTAGION) * need.region[:, :, t] + _CONTAGION * (flow.T @ cases)
    return _with_region(land, need, region)


def _move_with_seasons(land: Ground, parameters: WorldParameters, need: Need) -> Need:
    """Let need move between the regions of a country over the year; each region has a season for each pathway."""
    rng = stream(parameters.seed, "seasons")
    strength, peak = rng.standard_normal(need.region.shape[:2]), rng.integers(0, 4, need.region.shape[:2])
    when = np.cos(0.5 * np.pi * (np.arange(parameters.quarters) - peak[:, :, None]))
    region = need.region * np.exp(_SEASON_SD * strength[:, :, None] * when)
    for country in range(len(land.countries)):
        inside = land.country_of == country
        before, after = (values[inside].sum(axis=0) for values in (need.region, region))
        region[inside] *= before / np.maximum(after, SMALL)
    return _with_region(land, need, region)


def _heat_places(land: Ground, parameters: WorldParameters, need: Need) -> Need:
    """Multiply the need of municipalities by heavy-tailed factors, so that a few of them have most of the need."""
    heat = (1.0 - stream(parameters.seed, "heat").random(len(land.people))) ** (-1.0 / _TAIL)
    municipality = need.municipality * heat[:, None, None]
    municipality *= need.municipality.sum() / max(municipality.sum(), SMALL)
    return replace(need, municipality=municipality, region=land.sum_by_region(municipality))


def _raise_internal(land: Ground, parameters: WorldParameters, need: Need) -> Need:
    """Let internal trafficking in the counties of the shift, Tirana and Durrës, be three times as large in a year."""
    region, planted = need.region.copy(), np.isin(land.regions, parameters.shift_regions)
    region[planted, 0, -_RISE_QUARTERS:] *= _RISE
    return _with_region(land, need, region)


def _start_and_stop_partners(land: Ground, parameters: WorldParameters, need: Need) -> Need:
    """Let the partner with the most reports start late in a third of the regions, and stop early in another third."""
    rng = stream(parameters.seed, "partners")
    kind, when = rng.integers(0, 3, len(land.regions)), rng.random(len(land.regions))
    turn = (parameters.quarters * (0.25 + 0.5 * when))[:, None]
    quarter = np.arange(parameters.quarters)
    absent = np.where(kind[:, None] == 0, quarter < turn, (kind[:, None] == 1) & (quarter >= turn))
    return replace(need, reporting=need.reporting * np.where(absent, 1.0 - _PARTNER_SHARE, 1.0))


def _delay_reports(parameters: WorldParameters, meetings: FirstMeetings) -> FirstMeetings:
    """Delay reports by up to three quarters after the meeting; those due after the last quarter are missing."""
    rng = stream(parameters.seed, "delays")
    counts, expected = meetings.counts.copy(), meetings.expected.copy()
    counts[:, :, 0], expected[:, :, 0] = 0, 0.0
    late = rng.multinomial(meetings.counts[:, :, 0], _DELAYS)
    for quarters, share in enumerate(_DELAYS[: parameters.quarters]):
        remaining = parameters.quarters - quarters
        counts[:, :, 0, quarters:] += late[..., :remaining, quarters]
        expected[:, :, 0, quarters:] += share * meetings.expected[:, :, 0, :remaining]
    return replace(meetings, counts=counts, expected=expected)


def _lock_down(parameters: WorldParameters, meetings: FirstMeetings) -> FirstMeetings:
    """Let outreach and reports collapse in the last year, while the need goes on."""
    rng, last = stream(parameters.seed, "lockdown"), slice(-_LOCKED, None)
    days, counts, expected = meetings.days.copy(), meetings.counts.copy(), meetings.expected.copy()
    days[:, last] = rng.binomial(meetings.days[:, last].astype(np.int64), _DAYS_LEFT)
    left = (days[:, last] / np.maximum(meetings.days[:, last], 1.0)) ** parameters.gamma
    share = np.stack([np.full(left.shape, _REPORTS_LEFT), left], axis=1)[:, None]  # (M, 1, F, quarters)
    counts[..., last] = rng.binomial(meetings.counts[..., last], share)
    expected[..., last] *= share
    return replace(meetings, days=days, counts=counts, expected=expected)


def _with_region(land: Ground, need: Need, region: Floats) -> Need:
    """Return need with new values by region, (R, P, T); municipalities change in proportion.

    The values are scaled, so that the total stays as before.
    """
    region = region * (need.region.sum() / max(region.sum(), SMALL))
    change = np.divide(region, need.region, where=need.region > 0, out=np.zeros_like(region))
    return replace(need, region=region, municipality=need.municipality * change[land.region_of])


LAWS: Mapping[str, Law] = MappingProxyType({
    "contagion": Law("need follows from that of neighbours in the quarter before", need=_spread_by_contagion),
    "seasons": Law("need moves between regions over the year", need=_move_with_seasons),
    "hot-places": Law("a few municipalities hold most of the need", need=_heat_places),
    "delays": Law("half of the reports are dated up to three quarters late", meetings=_delay_reports),
    "partners": Law("the main reporting partner of a region starts or stops", need=_start_and_stop_partners),
    "lockdown": Law("outreach and reports collapse for the last year, need does not", meetings=_lock_down),
    "missing-file": Law("the file with the outreach days of a partner is missing",
                        records=lambda parameters, records: leave_out_file(records, _draw_partner(parameters))),
    "partner-stops": Law("a partner sends nothing in the last quarter of the time", records=_stop_one_partner),
    "unfollowed-rise": Law(
        "internal trafficking in Tirana and Durrës rises threefold, and outreach stays where it was",
        lambda parameters: replace(parameters, effort_frozen=_RISE_QUARTERS), need=_raise_internal,
    ),
    "effort": Law("outreach goes where children were found", lambda p: replace(p, effort_follows_finds=1.0)),
})  # fmt: skip
