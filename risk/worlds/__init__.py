"""Invented worlds over the real areas: docs/risk-model.md section 17.

Every child, meeting, outreach day, service, estimate and indicator here is invented. The product is tested on such
worlds: its maps before real data exist, its risk model and planner against a truth that no real programme knows
(benchmarks/worlds). Counts are drawn from the likelihoods of the risk model. The search goes where children were found
earlier, which must not mislead the model. Without `signal` only effort, detection and counts vary, so that every alarm
is false.
"""

from __future__ import annotations

import pandas as pd

from data.tables.population import interpolate_population
from data.workspace.threads import on_one_thread
from data.workspace.types import Ints
from risk.worlds import children, programme
from risk.worlds.ground import Ground, build_ground
from risk.worlds.need import draw_need
from risk.worlds.outreach import FirstMeetings, draw_first_meetings, set_up_course
from risk.worlds.parameters import DEFAULT_SEED, WorldParameters
from risk.worlds.partner_files import write_partner_files
from risk.worlds.world import World

__all__ = [
    "DEFAULT_SEED",
    "World",
    "WorldParameters",
    "build_default_ground",
    "draw_records",
    "read_population",
    "simulate_default_areas",
    "write_partner_files",
]


@on_one_thread
def simulate_default_areas(parameters: WorldParameters) -> World:
    """Draw a world over the areas, borders and populations that the product ships.

    The same parameters give the same world, on any machine and with any Python.
    """
    from data.reference import area_table

    land = build_default_ground(parameters)
    meetings = draw_first_meetings(set_up_course(land, parameters, draw_need(land, parameters)))
    records, _ = draw_records(land, parameters, meetings)
    return World(parameters, records, area_table())


def build_default_ground(parameters: WorldParameters) -> Ground:
    """Return the areas, borders and populations that the product ships as the ground of a world."""
    from data.reference import area_table
    from geo import areas

    places = areas.load_areas()
    pairs = [pair for level in ("region", "municipality") for pair in places.neighbours(level)]
    return build_ground(area_table(), pairs, read_population(parameters), parameters.seed)


def draw_records(
    land: Ground, parameters: WorldParameters, meetings: FirstMeetings
) -> tuple[dict[str, pd.DataFrame], Ints]:
    """Draw the records of each kind, and the true child of each row of the encounters, from 0."""
    effort, slots = children.draw_effort_records(land, parameters, meetings.days)
    encounters, child = children.draw_encounter_records(land, parameters, meetings, slots)
    services = programme.draw_services(land, parameters, meetings.days)
    records = {
        "encounter": encounters,
        "effort": effort,
        "service": services,
        "community": programme.draw_communities(land, parameters),
        "indicator": programme.draw_indicators(land, parameters, meetings, services),
    }
    return records, child


def read_population(parameters: WorldParameters) -> pd.Series:
    """Return the people of each area in the middle of a world's time, by code, from the figures that ship."""
    from data.reference import figures

    middle = parameters.periods[parameters.quarters // 2]
    return interpolate_population(figures(), [middle])[middle]
