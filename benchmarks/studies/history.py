"""An invented world that advances quarter by quarter, with outreach chosen for each quarter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.studies.observe import key_shapes, publish_counts, select_modelled_areas
from benchmarks.worlds import WorldParameters, read_population
from benchmarks.worlds.laws import change_parameters, draw_need_by_laws
from benchmarks.worlds.truth import Truth
from data.disclosure.cell_key import CellKey
from data.disclosure.policy import DEFAULT_POLICY
from data.reference import area_table
from data.tables.spec import CATEGORIES
from data.workspace.types import Floats, Ints
from geo import areas as geography
from risk.model.observations import CROSSING, Observations
from risk.numbers import apportion, stream
from risk.worlds.ground import build_ground
from risk.worlds.outreach import Course, FirstMeetings, set_up_course, update_memory, weigh_municipalities

_KEYS = 2**24


@dataclass(frozen=True, eq=False)
class Place:
    """The world of a history: the course of its quarters, and the parts that a release shows.

    truth : true need and areas, without meetings. model_regions : positions of the regions that the model knows.
    pairs : pairs of regions that touch. mechanism : the noise of published counts.
    """

    course: Course
    truth: Truth
    model_regions: Ints
    pairs: Sequence[tuple[str, str]]
    mechanism: CellKey

    def need(self, t: int) -> Floats:
        """Return the true need of a quarter over all known pathways, in the regions that the model knows, (A,)."""
        return np.asarray(self.course.need.region[self.model_regions, : len(CROSSING), t].sum(axis=1))

    def budget(self, t: int) -> float:
        """Return the total days of outreach in a quarter."""
        return float(self.course.outreach.budget[:, t].sum())


def place(parameters: WorldParameters) -> Place:
    """Draw a world over the product's own areas and populations, before its first quarter.

    Laws that change meetings have no effect: reports always count in the quarter of the meeting.
    """
    parameters = change_parameters(parameters)
    areas = geography.load_areas()
    pairs = [pair for level in ("region", "municipality") for pair in areas.neighbours(level)]
    land = build_ground(area_table(), pairs, read_population(parameters), parameters.seed)
    course = set_up_course(land, parameters, draw_need_by_laws(land, parameters))
    nobody = np.zeros((len(land.people), len(CATEGORIES["pathway"]), 2, parameters.quarters))
    meetings = FirstMeetings(nobody[:, 0, 0], nobody, nobody.astype(np.int64))
    truth = Truth.build(land, parameters.periods, course.need, meetings, np.zeros(0, np.int64))
    positions = {str(code): position for position, code in enumerate(land.regions)}
    model_regions = np.array([positions[code] for code in select_modelled_areas(truth.areas).index])
    usual = CellKey.from_policy(DEFAULT_POLICY)
    return Place(course, truth, model_regions, areas.neighbours("region"), usual)


def assign_days_of_regions(course: Course, t: int, finds: Floats, days: Ints) -> Floats:
    """Divide the outreach days of each region, (R,), among its municipalities as the programme does; return them, (M,).

    Days of a region are lost if no municipality in it has a positive weight.
    """
    weight = weigh_municipalities(course.land, course.parameters, course.outreach, t, finds)
    shared = np.zeros(len(weight))
    for region in np.flatnonzero(days):
        inside = np.flatnonzero((course.land.region_of == region) & (weight > 0))
        if len(inside):
            shared[inside] = apportion(weight[inside], int(days[region]))
    return shared


class History:
    """The quarters of a world so far, and what a release after the last of them shows.

    `passed` is the number of quarters. The same place and the same days give the same history.
    """

    def __init__(self, where: Place) -> None:
        """Start before the first quarter."""
        parameters = where.course.parameters
        self.place = where
        self.passed = 0
        self._days = np.zeros((len(where.model_regions), parameters.quarters))
        self._finds = np.zeros(len(where.course.land.people))
        self._counts = np.zeros((len(where.model_regions), parameters.quarters, len(CROSSING), 2), np.int64)
        self._find_rng = stream(parameters.seed, "finds")
        self._record_rng = stream(parameters.seed, "told")
        # A cell has the same key in every release that shows it.
        self._keys = np.random.default_rng([parameters.seed, 0]).integers(0, _KEYS, key_shapes(self._counts)[0])

    @property
    def children(self) -> Floats:
        """Children met on known pathways in each quarter so far, (quarters,)."""
        children: Floats = self._counts[:, : self.passed].sum(axis=(0, 2, 3)).astype(float)
        return children

    def go_on(self, days: Ints | None = None) -> None:
        """Draw the next quarter with whole days of outreach in each region, (A,); by default the usual days."""
        world, t = self.place.course, self.passed
        if days is None:
            laid = world.plan_days(t, self._finds)
        else:
            everywhere = np.zeros(len(world.land.regions), np.int64)
            everywhere[self.place.model_regions] = days
            laid = assign_days_of_regions(world, t, self._finds, everywhere)
        finds = world.draw_finds(world.expect_finds(t, laid), self._find_rng)
        self._finds = update_memory(self._finds, finds)
        self._days[:, t] = world.land.sum_by_region(laid)[self.place.model_regions]
        by_region = world.land.sum_by_region(finds)[self.place.model_regions][:, : len(CROSSING)].astype(np.int64)
        # The pathway of some children is not recorded; the model's table leaves them out.
        self._counts[:, t] = self._record_rng.binomial(by_region, 1.0 - world.parameters.unknown_pathway)
        self.passed += 1

    def observe(self) -> Observations:
        """Return the observations of all quarters until now, as published under the default policy."""
        parameters, t = self.place.course.parameters, self.passed
        exact = self._counts[:, :t]
        # The key of a total is made of all its records, so it is new each time that records are added.
        whole = np.random.default_rng([parameters.seed, 1, t]).integers(0, _KEYS, key_shapes(exact)[1])
        protected = self.place.mechanism, (self._keys[:, :t], whole)
        place = self.place
        return publish_counts(
            place.truth.areas, parameters.periods[:t], exact, self._days[:, :t], place.pairs, protected
        )
