"""Invented worlds over the real areas, with a known truth: docs/risk-model.md section 17.

Every child, meeting, outreach day, service, estimate and indicator here is invented. The product is tested on such
worlds: its maps before real data exist, its risk model and planner against a truth that no real programme knows. Counts
are drawn from the likelihoods of the risk model, unless `laws` (risk/worlds/laws.py) name others. The search goes where
children were found earlier, which must not mislead the model. Without `signal` only effort, detection and counts vary,
so that every alarm is false.
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from data.tables.population import interpolate_population
from data.workspace.threads import on_one_thread
from risk.worlds import children as _children
from risk.worlds import programme
from risk.worlds.ground import build_ground
from risk.worlds.laws import LAWS, change_meetings, change_parameters, change_records, draw_need_by_laws
from risk.worlds.outreach import draw_first_meetings, set_up_course
from risk.worlds.parameters import DEFAULT_SEED, WorldParameters
from risk.worlds.partner_files import write_partner_files
from risk.worlds.truth import Truth
from risk.worlds.world import World

__all__ = [
    "DEFAULT_SEED",
    "LAWS",
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
    population : people by code, of regions and, where known, of municipalities; by default the published figures of
        data/reference in the middle of the world's time.

    Raises InputError if the area table lacks a level or the region of a municipality, or if a law is unknown.
    """
    people = read_population(parameters) if population is None else population
    original, parameters = parameters, change_parameters(parameters)
    land = build_ground(areas, neighbours, people, parameters.seed)
    true = draw_need_by_laws(land, parameters)
    meetings = change_meetings(parameters, draw_first_meetings(set_up_course(land, parameters, true)))
    effort, slots = _children.draw_effort_records(land, parameters, meetings.days)
    encounters, child = _children.draw_encounter_records(land, parameters, meetings, slots)
    services = programme.draw_services(land, parameters, meetings.days)
    records: Mapping[str, pd.DataFrame] = {
        "encounter": encounters,
        "effort": effort,
        "service": services,
        "community": programme.draw_communities(land, parameters),
        "indicator": programme.draw_indicators(land, parameters, meetings, services),
    }
    records = change_records(parameters, records)
    truth = Truth.build(land, parameters.periods, true, meetings, child)
    return World(original, truth, dict(records), areas)


def simulate_default_areas(parameters: WorldParameters) -> World:
    """Draw a world over the areas, borders and populations that the product ships."""
    from data.reference import area_table
    from geo import areas

    places = areas.load_areas()
    pairs = [pair for level in ("region", "municipality") for pair in places.neighbours(level)]
    return simulate(parameters, area_table(), pairs)


def read_population(parameters: WorldParameters) -> pd.Series:
    """Return the people of each area in the middle of a world's time, by code, from the figures that ship."""
    from data.reference import figures

    middle = parameters.periods[parameters.quarters // 2]
    return interpolate_population(figures(), [middle])[middle]
