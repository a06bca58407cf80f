"""The inputs of a plan: posts, need and places from a release, and rules and aims from the settings of a reader.

Everything is read from a release of the partner tier and the results derived from it, so a plan has that
tier too. The same release, posts, settings and decisions give the same plan, unless the time is up.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist

import numpy as np

from data.errors import InputError, ReleaseError
from data.release import Release
from data.release.completeness import Questions, read_questions
from data.tables.spec import CATEGORIES, OPEN_AXES, Level, table_name
from data.workspace.types import Bools, Floats, Progress
from geo import areas as geography
from geo.islands import choose_ways, find_islands, find_region
from geo.travel import Travel
from risk.access import compute_reach
from risk.access.tables import CATCHMENT, Times
from risk.model import Fit, RiskModel
from risk.model.detection import draw_yearly_need
from risk.model.municipalities import fit_municipalities
from risk.model.observations import PATHWAYS as _MODEL_PATHWAYS
from risk.model.observations import Observations
from risk.planning import compute_floor as _floor
from risk.planning import compute_frontier, plan_moves
from risk.planning import posts as tables
from risk.planning.islands import Division
from risk.planning.problem import MOST_SETTLING, SETTLING, Aims, Decision, Posts, Rules, Solver
from risk.planning.result import Plan, Point
from risk.report.manifest import read_manifest

ALL = "all"
PATHWAYS = (ALL, *_MODEL_PATHWAYS)
LEVELS: tuple[Level, ...] = ("region", "municipality")
_DRAWS, _SEED = 400, 0
_GAP = 2e-4  # of the need met, between counties and regions
_YEAR = 4  # quarters
_WORKING_DAY = 480.0  # minutes
_AWAY_MINUTES, _AROUND = 120.0, 60.0  # farthest that a team works from its county or region, or its municipality
_TIMES = [NormalDist().inv_cdf((i + 0.5) / 20) for i in range(20)]  # quantiles of the logarithm of an uncertain time
_UNDER_SEARCHED = 0.5  # of the outreach days that would be fair for the children who live there


class NoPosts(ReleaseError):
    """The table of posts has no unit."""


@dataclass(frozen=True)
class Setting:
    """The settings of a reader; `risk.planning.problem.Rules` and `Aims` explain the values.

    level : between which areas units move, one of LEVELS. pathway : whose need counts, one of PATHWAYS. moves : maximum
    number of moves. budget : maximum hours of travel between old and new posts, None for no limit. floor : share of
    today's capacity that every county or region keeps, also where units move between municipalities. services_floor :
    share of the services of the worst-served area with Roma and Egyptian communities that each of these areas keeps.
    per_quarter : maximum number of moves in one quarter. seconds : time limit. settling : weeks for which a moved unit
    meets nobody. All shares and weights are from 0 to 1.
    country : code of the country within which units move; empty for all. keep, at_most : least and largest number of
    teams in areas, by their codes, such as (("AL-10", 2),). Moves that are forbidden or required are decisions
    (`risk.planning.problem.Decision`), not settings. Raises InputError for a value out of range.
    """

    pathway: str = ALL
    moves: int = 10
    budget: float | None = None
    floor: float = 0.5
    services_floor: float = 1.0
    exploration: float = 0.1
    equity: float = 0.0
    cost: float = 0.0
    robustness: float = 0.0
    per_quarter: int = 4
    seconds: float = 20.0
    level: Level = "region"
    country: str = ""
    keep: tuple[tuple[str, int], ...] = ()
    at_most: tuple[tuple[str, int], ...] = ()
    settling: int = SETTLING

    def __post_init__(self) -> None:
        for name in ("floor", "services_floor", "exploration", "equity", "cost", "robustness"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise InputError(f"{name} is {getattr(self, name)!r}; it must be from 0 to 1.")
        if self.pathway not in PATHWAYS:
            raise InputError(f"No pathway {self.pathway!r}. There are: {', '.join(PATHWAYS)}.")
        if self.level not in LEVELS:
            raise InputError(f"No plan by {self.level!r}. There are: {', '.join(LEVELS)}.")
        if (
            self.moves < 0
            or self.per_quarter < 1
            or self.seconds <= 0.0
            or (self.budget is not None and self.budget < 0.0)
        ):
            raise InputError("Moves and hours must be 0 or more, moves per quarter 1 or more, and seconds above 0.")
        _check_units(self.keep, self.at_most)
        if not 0 <= self.settling <= MOST_SETTLING:
            raise InputError(f"settling is {self.settling!r}; it must be from 0 to {MOST_SETTLING} weeks.")

    @property
    def aims(self) -> Aims:
        """The weights of the goal."""
        return Aims(self.equity, self.cost, self.robustness)

    @property
    def solver(self) -> Solver:
        """The effort of the solver; a tenth of a per cent of the need met would be a large part of a usual gain."""
        return Solver(seconds=self.seconds, gap=_GAP if self.level == "region" else Solver.gap)


@dataclass(frozen=True, eq=False)
class PlanInputs:
    """The inputs of a plan.

    release, checksum : name and checksum of the release. table, posts : today's posts, as a table and with travel.
    reach_by_search : share of the capacity of a unit that reaches each area, (A, S): of one that searches (True), and
    of a service (False). needs : for each of PATHWAYS, draws of the children in need per quarter, on average over the
    last year, (d, A), docs/planner.md eq. (12). communities : mask of areas with a known estimate of Roma or Egyptian
    communities, (A,). under_searched : mask of areas with less than half of their fair share of outreach, (A,), eq.
    (13). countries : code of the country of each area, (A,). travel_provisional : whether any travel time is that of
    a straight line across water. unknown_ways : mask of the areas whose ways cannot be told, (A,). is_draft : whether
    the posts are estimated from the release. level : of the areas. blocked : why no plan is advised
    (`Questions.blocked` in data/release/completeness.py); empty if nothing blocks it. division : of the areas of the
    table into the A places of the plan, where some areas are archipelagos.
    """

    release: str
    checksum: str
    table: tables.PostsTable
    posts: Posts
    reach_by_search: Mapping[bool, Floats]
    needs: Mapping[str, Floats]
    communities: Bools
    under_searched: Bools
    countries: tuple[str, ...]
    travel_provisional: bool
    unknown_ways: Bools
    is_draft: bool
    level: Level
    division: Division
    blocked: str = ""

    @classmethod
    def read(cls, release: Release, level: Level = "region", fit: Fit | None = None) -> PlanInputs:
        """Read the inputs of a level from a release; the posts are estimated.

        fit : that of the regions, if it is known; else the model is fitted. Travel times are those of the risk result.
        Raises ReleaseError if the release is of the public tier or lacks a table that is needed, and NoMode if the
        posterior of a fit has no proper mode.
        """
        if release.tier != "partner":
            raise ReleaseError("A plan needs the partner tier: the public tier has no staff, and days only in classes.")
        areas = geography.read_areas(release.areas_file)
        questions = read_questions(release)
        fit = fit or _fit_regions(release, areas, questions)
        regions, observations = fit.observations, fit.observations
        if level != "region":
            observations = Observations.from_release(release, areas, level).leave_out(questions.late)
        silent = np.isin(observations.areas, observations.list_areas_in(regions.silent_places))
        result = release.result("risk")
        times = Times.read(result.manifest if result else {})
        travel, division = times.compute_travel(areas, level).select(observations.areas), None
        if level == "region":
            towns = times.compute_travel(areas, "municipality")
            islands = find_islands(areas, travel, towns)
            division = Division.find(observations.areas, islands, _read_days(release, observations.quarters))
            travel = choose_ways(division.places, travel, towns)
        needs = _draw_need(fit, observations, silent)
        communities = _find_communities(release, observations.areas, level)
        source = release.name, release.checksum
        inputs = cls.build(source, observations, travel, needs, communities, silent, division)
        return replace(inputs, blocked=questions.blocked)

    @classmethod
    def build(
        cls,
        source: tuple[str, str],
        observations: Observations,
        travel: Travel,
        needs: Mapping[str, Floats],
        communities: Bools | None = None,
        silent: Bools | None = None,
        division: Division | None = None,
    ) -> PlanInputs:
        """Build the inputs from observations and draws of need; the posts are estimated.

        source : name and checksum of the release. travel : between the places of the division. needs : by area of the
        observations. communities, silent : masks of these areas; none by default. division : of them into places; by
        default each is one.
        """
        division = division or Division.find(observations.areas, (), {})
        nowhere, area_of = np.zeros(len(observations.areas), dtype=bool), division.area_of
        silent = nowhere if silent is None else silent
        draft, countries = tables.draft_posts(observations), tuple(observations.countries[i] for i in area_of)
        needs = {name: division.divide_need(need) for name, need in needs.items()}
        reach = compute_unit_reach(countries, observations.regions, travel, needs[ALL].mean(axis=0))
        return cls(
            *source,
            draft,
            _place_posts(draft, division, countries, observations.regions, travel, silent[area_of], reach),
            reach,
            needs,
            (nowhere if communities is None else communities)[area_of],
            _find_under_searched(observations)[area_of],
            countries,
            bool(travel.provisional.any()),
            _find_cut_off(countries, travel),
            is_draft=True,
            level="region" if observations.regions is None else "municipality",
            division=division,
        )

    def with_posts(self, table: tables.PostsTable) -> PlanInputs:
        """Return the same inputs with other posts; need and places do not depend on them.

        At the level of municipalities, raises InputError for kinds of unit that could be a shelter: services for
        protection, return and reintegration are shown only by county or region (see OPEN_AXES in data/tables/spec.py).
        """
        if self.level == "municipality":
            _refuse_shelters(table)
        units, committed, room = self.division.place_units(table)
        placed = replace(
            self.posts,
            kinds=table.kinds,
            units=units,
            room=room,
            committed=committed,
            reach=_stack_reach(table, self.reach_by_search),
        )
        blocked = "" if self.blocked == "late" else self.blocked  # these posts do not follow from outreach days
        return replace(self, table=table, posts=placed, is_draft=False, blocked=blocked)

    def make_rules(self, setting: Setting) -> Rules:
        """Return the rules of a setting; raise InputError for an unknown country."""
        if setting.country and setting.country not in self.countries:
            known = ", ".join(sorted(set(self.countries)))
            raise InputError(f"No country {setting.country!r} in this plan. There are: {known}.")
        inside = np.array([not setting.country or code == setting.country for code in self.countries])
        services = self.posts.compute_capacity(self.posts.units)[:, ~self.posts.searching].sum(axis=1)
        in_communities = services[self.communities]
        return Rules(
            moves=setting.moves,
            budget=setting.budget,
            inside=inside if setting.country else None,
            keep=setting.keep,
            at_most=setting.at_most,
            floor=_floor(self.posts, setting.floor),
            communities=self.communities,
            services_floor=setting.services_floor * float(in_communities.min(initial=np.inf))
            if len(in_communities)
            else 0.0,
            under_searched=self.under_searched & inside,
            exploration=setting.exploration,
            settling=setting.settling,
        )


def make_plan(
    ground: PlanInputs, setting: Setting, decisions: Sequence[Decision] = (), progress: Progress | None = None
) -> Plan:
    """Compute the plan for a setting.

    Raises the same errors as `risk.planning.plan_moves`, and NoPosts where there is no unit at all.
    """
    if not ground.table.units.sum():
        raise NoPosts("There are no posts to move. Give a table of posts with units in at least one row.")
    return plan_moves(
        ground.posts,
        ground.needs[setting.pathway],
        ground.make_rules(setting),
        setting.aims,
        decisions=decisions,
        solver=setting.solver,
        progress=progress,
    )


def make_frontier(
    ground: PlanInputs,
    setting: Setting,
    decisions: Sequence[Decision] = (),
    progress: Progress | None = None,
    plan: Plan | None = None,
) -> tuple[Point, ...]:
    """Compute the gains for other maximum numbers of moves, up to twice that of the setting, but at least up to 4.

    plan : that of the setting, if it is made already. Raises the same errors as `risk.planning.compute_frontier`.
    """
    most = max(2 * setting.moves, 4)
    limits = sorted({0, *(round(most * part) for part in (0.1, 0.2, 0.35, 0.5, 0.75, 1.0))})
    return compute_frontier(
        ground.posts,
        ground.needs[setting.pathway],
        limits,
        ground.make_rules(setting),
        setting.aims,
        decisions=decisions,
        # Between municipalities most of these plans would take all of their time.
        solver=setting.solver if setting.level == "region" else Solver(seconds=setting.seconds / 4.0),
        progress=progress,
        known=plan if setting.level == "region" else None,
    )


def _check_units(keep: tuple[tuple[str, int], ...], at_most: tuple[tuple[str, int], ...]) -> None:
    """Raise InputError for an area that is named twice, a number below 0, or a largest number below the least."""
    for limits in (keep, at_most):
        for area, units in limits:
            if units < 0 or [name for name, _ in limits].count(area) > 1:
                raise InputError(f"{area}={units}: name each area once, with a number of units from 0.")
    for area, most in at_most:
        if most < (least := dict(keep).get(area, 0)):
            raise InputError(f"{area} cannot keep {least} units and have at most {most}. Change one of the two.")


def _refuse_shelters(table: tables.PostsTable) -> None:
    """Raise InputError for a kind of unit that is no outreach team or open service, whatever column `searches` says."""
    allowed = [tables.OUTREACH, *(axis for axis in CATEGORIES["axis"] if axis in OPEN_AXES)]
    for kind in table.kinds:
        if kind.name not in allowed:
            raise InputError(
                f"Units that move between municipalities are of one of these kinds: {', '.join(allowed)}. Where "
                "shelters and other protected services are is planned by county or region only."
            )


def _read_days(release: Release, quarters: Sequence[str]) -> dict[str, float]:
    """Return the days of outreach of the last year by municipality; empty where the release has no such table."""
    name = table_name("effort", "municipality", "quarter")
    if name not in release.tables:
        return {}
    rows = release.table(name).astype({"area": str, "period": str})
    rows = rows[rows["period"].isin(list(quarters[-_YEAR:]))]
    return {str(code): float(days) for code, days in rows.groupby("area")["value"].sum().items()}


def compute_unit_reach(
    countries: Sequence[str], regions: Sequence[str] | None, travel: Travel, need: Floats
) -> dict[bool, Floats]:
    """Return the share of a unit that reaches each area, (A, A), if it searches and if not, docs/planner.md eq. (61).

    A service has a catchment in its country, with shares by need, (A,). A team works where it is posted: in its county
    or region, or, between municipalities, within an hour in the municipalities of its county or region, by need. Across
    water without an entered travel time nobody is served. What uncertain times let reach an area is the mean, eq. (88).
    """
    land = np.array(countries)
    joined, minutes = (land[:, None] == land) * travel.reached, travel.people
    services = compute_reach(need, joined * _average_times(CATCHMENT.weight, minutes, travel.spread))
    if regions is None:
        return {True: np.eye(len(need)), False: services}
    near = (np.array(regions)[:, None] == regions) & ~travel.provisional & (minutes <= _AROUND)
    by_need = compute_reach(need, near.astype(float))
    return {True: by_need * _average_times(value_days, minutes, travel.spread), False: services}


def _average_times(value: Callable[[Floats], Floats], minutes: Floats, spread: Floats) -> Floats:
    """Return the mean of a value of times with a spread of their logarithm, (A, A), docs/planner.md eq. (88)."""
    return np.asarray(np.mean([value(minutes * np.exp(spread * z)) for z in _TIMES], axis=0))


def value_days(minutes: Floats) -> Floats:
    """Return what is left of a working day of eight hours after the way there and back, docs/planner.md eq. (62)."""
    return np.maximum(1.0 - 2.0 * minutes / _WORKING_DAY, 0.0)


def _stack_reach(table: tables.PostsTable, reach: Mapping[bool, Floats]) -> Floats:
    return np.stack([reach[kind.search] for kind in table.kinds])


def _place_posts(
    table: tables.PostsTable,
    division: Division,
    countries: Sequence[str],
    regions: tuple[str, ...] | None,
    travel: Travel,
    silent: Bools,
    reach: Mapping[bool, Floats],
) -> Posts:
    """Return the posts with units in the centres of their areas; no unit moves to another country. Costs are hours.

    silent : mask of the areas on which no statement is possible, (A,). No unit moves or works there. Teams of a county
    or region may work for a part of their days in others within two hours, but not across water without an entered
    travel time.
    """
    land = np.array(countries)
    same = (land[:, None] == land) & ~silent
    near = same & ~travel.provisional & (travel.minutes <= _AWAY_MINUTES) & ~np.eye(len(land), dtype=bool)
    units, committed, room = division.place_units(table)
    divided = tuple(map(find_region, division.places)) if len(division.places) > len(division.parts) else None
    return Posts(
        division.places,
        division.places,
        table.kinds,
        units,
        _stack_reach(table, reach),
        np.where(same, travel.minutes / 60.0, np.inf),
        room,
        committed,
        regions or divided,
        np.where(near, _average_times(value_days, travel.minutes, travel.spread), 0.0).T if regions is None else None,
    )


def _find_cut_off(countries: Sequence[str], travel: Travel) -> Bools:
    """Return a mask of the areas whose ways cannot be told, (A,).

    All ways to them lead over water without an entered time, or those of more than half of their people do.
    """
    land, regions, known = np.array(countries), np.array(list(map(find_region, travel.codes))), travel.reached >= 0.5
    other = (land[:, None] == land) & (regions[:, None] != regions)
    return np.asarray(np.any(other, axis=1) & ~np.any(other & known, axis=1) | ~np.diag(known))


def _fit_regions(release: Release, areas: geography.Areas, questions: Questions) -> Fit:
    """Fit the model to the regions, with the series breaks of the risk result and without late cells."""
    manifest = read_manifest(release)
    observations = replace(Observations.from_release(release, areas), breaks=manifest.trends.breaks if manifest else ())
    return RiskModel().fit(observations.leave_out(questions.late)).fit_


def _draw_need(fit: Fit, observations: Observations, silent: Bools) -> dict[str, Floats]:
    """Draw the children in need per quarter, eq. (12), on all pathways together and on each, (d, A).

    fit : of the regions. observations : those of the regions, or of the municipalities in them. silent : mask of the
    areas on which no statement is possible, (A,); their need is 0.
    """
    if observations is fit.observations:
        need = draw_yearly_need(fit.draws(_DRAWS, _SEED), observations, _SEED)
    else:
        need = fit_municipalities(fit, observations).draw_yearly_need(_DRAWS, _SEED)
    need[:, silent] = 0.0
    return {ALL: need.sum(axis=2), **{name: need[..., column] for column, name in enumerate(observations.pathways)}}


def _find_communities(release: Release, areas: tuple[str, ...], level: Level) -> Bools:
    """Return a mask of the areas with a known estimate of communities, (A,); all False if the release has none."""
    name = table_name("communities", level, "year")
    if name not in release.tables:
        return np.zeros(len(areas), bool)
    rows = release.table(name)
    known_areas = set(rows.loc[rows["state"].isin(["number", "class"]), "area"].astype(str))
    return np.array([area in known_areas for area in areas], dtype=bool)


def _find_under_searched(observations: Observations) -> Bools:
    """Return a mask of the areas with less than half of their fair share of outreach in the last year, (A,).

    Fair is a share of the country's outreach days equal to the share of its expected children, eq. (13).
    """
    days, land = observations.effort[:, -_YEAR:].sum(axis=1), np.array(observations.countries)
    children = observations.expected[:, -_YEAR:].mean(axis=1)
    fair = np.zeros(len(days))
    for country in observations.country_names:
        inside = land == country
        fair[inside] = children[inside] / children[inside].sum() * days[inside].sum()
    return np.asarray(days < _UNDER_SEARCHED * fair)
