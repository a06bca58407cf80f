"""Invented worlds with a known truth, on which the risk model and the planner are tried: docs/risk-model.md section 17.

Counts are drawn from the likelihoods of the risk model as in risk.worlds, unless `laws` (benchmarks/worlds/laws.py)
name others.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from benchmarks.worlds.laws import LAWS, change_meetings, change_parameters, change_records, draw_need_by_laws
from benchmarks.worlds.parameters import WorldParameters
from benchmarks.worlds.truth import Truth
from data.reference import area_table
from data.workspace.threads import on_one_thread
from risk import worlds
from risk.worlds import read_population
from risk.worlds.ground import Ground, build_ground
from risk.worlds.outreach import draw_first_meetings, set_up_course

__all__ = ["LAWS", "Truth", "World", "WorldParameters", "read_population", "simulate", "simulate_default_areas"]


@dataclass(frozen=True)
class World(worlds.World):
    """An invented world, the laws it follows, and the truth behind its records."""

    parameters: WorldParameters
    truth: Truth


def simulate(
    parameters: WorldParameters, areas: pd.DataFrame, neighbours: list[tuple[str, str]], population: pd.Series
) -> World:
    """Draw a world; the same arguments give the same world, on any machine and with any Python.

    areas : the area table (index code; level, country, parent, counted).
    neighbours : pairs of codes that touch, of regions and of municipalities together; areas without a pair are
        islands.
    population : people by code, of regions and, where known, of municipalities.

    Raises InputError if the area table lacks a level or the region of a municipality, or if a law is unknown.
    """
    return _simulate(parameters, build_ground(areas, neighbours, population, parameters.seed), areas)


def simulate_default_areas(parameters: WorldParameters) -> World:
    """Draw a world over the areas, borders and populations that the product ships."""
    return _simulate(parameters, worlds.build_default_ground(parameters), area_table())


@on_one_thread
def _simulate(original: WorldParameters, land: Ground, areas: pd.DataFrame) -> World:
    parameters = change_parameters(original)
    true = draw_need_by_laws(land, parameters)
    meetings = change_meetings(parameters, draw_first_meetings(set_up_course(land, parameters, true)))
    records, child = worlds.draw_records(land, parameters, meetings)
    truth = Truth.build(land, parameters.periods, true, meetings, child)
    return World(original, dict(change_records(parameters, records)), areas, truth)
