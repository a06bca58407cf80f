"""Invented worlds over the real areas, with a known truth.

Every child, meeting, outreach day, service, estimate and indicator here is invented. The product is tested on such
worlds: its maps before there are data, its risk model and planner against a truth that no real programme knows.

**Need.** Children newly in need in region r, on pathway p, in quarter t:

    need = E · exp(country + surface + trend),  E = people · national share of children

The surface is BYM2 (Riebler et al. 2016) with standard deviation `log_sd`, of which the variance share `structured` is
smooth over neighbours: risk is partly regional, partly local history. Internal, cross-border and at-risk surfaces share
the variance share `shared`, since poverty and routes drive all of them. The trend is a random walk with a small drift
for each country. Within a region the need is spread over municipalities by people and a second BYM2 effect of
`local_log_sd`; the parts add up to the region exactly. People of municipalities are invented (known large towns first,
then a log-normal tail) and sum to the published population of the region.

**Shift.** In `shift_regions` (Tirana and Durrës) the share of internal among internal and
cross-border need is `internal_before` until quarter `shift_begins`, `internal_after` from quarter
`shift_complete`, linear between; internal children met elsewhere have more and more often these
two cities as destination.

**Effort.** Outreach days of a quarter grow by `effort_growth`. They are divided among municipalities in
proportion to plan^(1−f) · finds^f with f = `effort_follows_finds`, so that the search depends on
earlier finds (Ensign et al. 2018): an error that the risk model must avoid. The plan favours the
towns where the programme has offices and never includes most municipalities.

**Detection.** A region finds with probability detection · exp(N(0, `detection_log_sd`²)), common to
both ways; an expected share `reported_share` is reported to the programme, the rest discovered by
outreach in proportion to (days of the region)^`gamma`, shared among municipalities by need and
days^γ with saturation: at most nine in ten children are found anywhere. So nothing is discovered
without effort, and twice the effort finds less than twice the children.
Counts are negative binomial with size `dispersion` for a region, surface, way and quarter:

    discovered ~ NegBin(k1 · need · detection · days^γ)     reported ~ NegBin(k2 · need · detection · δ)

with k1 and k2 such that about `children` are met. These are the likelihoods of the risk model.

**Children.** A child is met once to eight times; later meetings follow after 20 days or more, some in
other municipalities and by other partners, most often known by a shared programme number. Stages
only go forward. Form depends on pathway, sex and age. A share `at_risk_share` is met before any
exploitation; it is smaller than in the programme's plan, so that the worlds have enough children
on a pathway (1,400 over 624 cells) to judge the risk model.

Without `signal` the rates are flat over areas and time within a country; effort, detection and
counts still vary, which causes false alarms. `hotspot` adds a moving hotspot.
"""

from __future__ import annotations

import pandas as pd

from data.workspace.threads import on_one_thread
from risk.worlds import children as _children
from risk.worlds import programme
from risk.worlds.ground import build_ground
from risk.worlds.need import draw_need
from risk.worlds.outreach import draw_first_meetings, set_up_course
from risk.worlds.parameters import DEFAULT_SEED, WorldParameters
from risk.worlds.partner_files import write_partner_files
from risk.worlds.truth import Truth
from risk.worlds.world import World

__all__ = [
    "DEFAULT_SEED",
    "Truth",
    "World",
    "WorldParameters",
    "read_population",
    "simulate",
    "simulate_default_areas",
    "write_partner_files",
]


@on_one_thread
def simulate(
    parameters: WorldParameters,
    areas: pd.DataFrame,
    neighbours: list[tuple[str, str]],
    population: pd.Series | None = None,
) -> World:
    """Draw a world; the same arguments give the same world, on any machine and with any Python.

    areas : the area table (index code; level, country, parent, counted).
    neighbours : pairs of codes that touch, of regions and of municipalities together; areas without a pair are
        islands.
    population : people by region code; by default the newest published figures of data/reference.
    """
    people = read_population() if population is None else population
    land = build_ground(areas, neighbours, people, parameters.seed)
    true = draw_need(land, parameters)
    met = draw_first_meetings(set_up_course(land, parameters, true))
    effort, slots = _children.draw_effort_records(land, parameters, met.days)
    encounters, child = _children.draw_encounter_records(land, parameters, met, slots)
    records = {
        "encounter": encounters,
        "effort": effort,
        "service": programme.draw_services(land, parameters, met.days),
        "community": programme.draw_communities(land, parameters),
        "indicator": programme.draw_indicators(land, parameters, met),
    }
    truth = Truth.of(land, parameters.periods, true, met, child)
    return World(parameters, truth, records, areas)


def simulate_default_areas(parameters: WorldParameters) -> World:
    """Draw a world over the areas, borders and populations that the product ships."""
    from data.reference import area_table
    from geo import areas

    places = areas.load_areas()
    pairs = [pair for level in ("region", "municipality") for pair in places.neighbours(level)]
    return simulate(parameters, area_table(), pairs)


def read_population() -> pd.Series:
    """Read the newest published population of each region that the product ships, by code."""
    from data.reference import figures

    table = figures()
    table = table[table["measure"] == "population"].sort_values("year", kind="stable")
    newest: pd.Series = table.groupby("area")["number"].last().astype(float)
    return newest
