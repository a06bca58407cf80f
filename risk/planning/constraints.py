"""The layouts of units that the rules allow, as rows of a mixed-integer programme.

Columns: flows of units from site to site, units of each kind at each site, then outings, the work of teams in other
areas, in units. If the units are whole, so are the flows: they are a transportation problem. Each rule is a group of
rows, docs/planner.md eq. (27) to (32) and (60), so that a rule can be left out or relaxed when rules clash.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, OptimizeResult, milp

from data.errors import InputError
from data.workspace.types import Bools, Floats, Ints
from risk.planning.exploration import Exploration
from risk.planning.problem import AWAY, Decision, Posts, Rules

MANY = 3000  # flows that one programme takes together
_LOOSE = 1e-5  # units: outings are known to the tolerance of the solver only
RULE_BY_DECISION = {"accept": "accepted", "decline": "declined", "lock": "locked"}


@dataclass(frozen=True, eq=False)
class Row:
    """Rows of one rule: `matrix` @ (flows, units, outings) must be at least `least`, (rows,), in the rule's own units.

    required : total amount that the rule requires, or the limit that it sets.
    """

    rule: str
    matrix: sparse.csr_array
    least: Floats
    required: float


@dataclass(frozen=True, eq=False)
class Region:
    """The layouts that rules allow. flows : start site, end site and kind of each flow, (3, F)."""

    posts: Posts
    rules: Rules
    decisions: tuple[Decision, ...]
    explored: Exploration
    flows: Ints

    @classmethod
    def build(cls, posts: Posts, rules: Rules, decisions: Sequence[Decision], explored: Exploration) -> Region:
        """Build the region: flows lead from sites with units to sites that may have units, at a finite cost.

        With more than MANY flows no team works outside the area where it is posted.
        """
        start, end, kind = np.indices((len(posts.sites), len(posts.sites), len(posts.kinds)))
        open_ways = (posts.units[start, kind] > 0) & (start != end) & np.isfinite(posts.cost[start, end])
        open_ways &= posts.room[end] > 0
        flows = np.stack(np.nonzero(open_ways))
        posts = replace(posts, day_worth=None) if flows.shape[1] > MANY else posts
        return cls(posts, rules, tuple(decisions), explored, flows)

    @property
    def size(self) -> int:
        """The number of columns: flows, units, outings."""
        return int(self.flows.shape[1] + self.posts.capacity_matrix.shape[1])

    @property
    def unit_columns(self) -> slice:
        """The columns of the units."""
        return slice(self.flows.shape[1], self.flows.shape[1] + self.posts.units.size)

    @cached_property
    def cost(self) -> Floats:
        """Cost of one unit of each flow, (F,)."""
        start, end, _ = self.flows
        return np.asarray(self.posts.cost[start, end])

    def build_balance(self) -> tuple[sparse.csr_array, Floats]:
        """Return matrix and right side of the rows units - in + out = units today, docs/planner.md eq. (27).

        `in` and `out` are the units that come to and leave each site, by kind.
        """
        start, end, kind = self.flows
        kinds, flows = len(self.posts.kinds), self.flows.shape[1]
        column = np.arange(flows)
        out = _build_matrix(start * kinds + kind, column, np.ones(flows), (self.posts.units.size, flows))
        into = _build_matrix(end * kinds + kind, column, np.ones(flows), (self.posts.units.size, flows))
        same = sparse.eye_array(self.posts.units.size, self.size - flows)
        return sparse.csr_array(sparse.hstack([out - into, same])), self.posts.units.ravel().astype(float)

    def build_leaving(self) -> sparse.csr_array:
        """Return the rows that add up the units that leave each site, by kind, docs/planner.md eq. (28)."""
        start, _, kind = self.flows
        place, flows = start * len(self.posts.kinds) + kind, self.flows.shape[1]
        return _build_matrix(place, np.arange(flows), np.ones(flows), (self.posts.units.size, self.size))

    def build_capacity(self, kinds: Bools) -> sparse.csr_array:
        """Return the rows that add up capacity in each area, (A, columns). kinds : mask of kinds that count, (K,)."""
        added = sparse.kron(sparse.eye_array(len(self.posts.areas)), kinds[None, :].astype(float))
        empty = sparse.csr_array((len(self.posts.areas), self.flows.shape[1]))
        return sparse.csr_array(sparse.hstack([empty, added @ self.posts.capacity_matrix]))

    def build_outings(self) -> sparse.csr_array:
        """Return the rows AWAY of the units - outings, by site and kind, (S K, columns), docs/planner.md eq. (62)."""
        site, _, kind = self.posts.outings
        place, columns = site * len(self.posts.kinds) + kind, np.arange(len(site))
        out = _build_matrix(place, columns, np.ones(len(site)), (self.posts.units.size, len(site)))
        empty = sparse.csr_array((self.posts.units.size, self.flows.shape[1]))
        return sparse.csr_array(sparse.hstack([empty, AWAY * sparse.eye_array(self.posts.units.size), -out]))

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows of every rule that may be relaxed."""
        return (*self._build_limits(), *self._build_floors(), *self._build_stays(), *self._build_decisions())

    def _build_limits(self) -> Iterator[Row]:
        """Build the rows of moves, budget and country, docs/planner.md eq. (29), and of units by area, eq. (60)."""
        rules, flows = self.rules, self.flows.shape[1]
        if rules.moves is not None:
            yield Row("moves", self._build_flow_rows([-np.ones(flows)]), np.array([-float(rules.moves)]), rules.moves)
        if rules.budget is not None:
            yield Row("budget", self._build_flow_rows([-self.cost]), np.array([-rules.budget]), rules.budget)
        if rules.inside is not None:
            outside = ~(rules.inside[self.flows[0]] & rules.inside[self.flows[1]])
            yield Row("country", self._build_flow_rows([-outside.astype(float)]), np.zeros(1), 0.0)
        for rule, sign, limits in (("keep", 1.0, rules.keep), ("at_most", -1.0, rules.at_most)):
            if limits:
                count = np.array([float(units) for _, units in limits])
                rows = sparse.vstack([sign * self._build_unit_row(area) for area, _ in limits])
                yield Row(rule, sparse.csr_array(rows), sign * count, float(count.sum()))

    def _build_floors(self) -> Iterator[Row]:
        """Build the rows of the floors and of exploration, docs/planner.md eq. (30) and (31)."""
        rules, posts = self.rules, self.posts
        every = np.ones(len(posts.kinds), dtype=bool)
        if rules.floor is not None:
            rows = sparse.csr_array(sparse.csr_array(posts.floor_members) @ self.build_capacity(every))
            yield Row("floor", rows, rules.floor, float(rules.floor.sum()))
        if rules.communities is not None and rules.services_floor > 0:
            least = np.where(rules.communities, rules.services_floor, 0.0)
            yield Row("services_floor", self.build_capacity(~posts.searching), least, float(least.sum()))
        if self.explored.least:
            reaching = self.build_capacity(posts.searching)[self.explored.areas]
            row = sparse.csr_array(reaching.sum(axis=0)[None, :])
            yield Row("exploration", row, np.array([self.explored.least]), self.explored.least)

    def _build_stays(self) -> Iterator[Row]:
        """Build the rows of commitments and room, docs/planner.md eq. (32)."""
        posts, out = self.posts, -self.build_leaving()
        free = (posts.committed - posts.units).ravel().astype(float)
        yield Row("commitments", out, free, float(posts.committed.sum()))
        room = sparse.kron(sparse.eye_array(len(posts.sites)), np.ones((1, len(posts.kinds))))
        before, after = (sparse.csr_array((len(posts.sites), n)) for n in (self.flows.shape[1], posts.outings.shape[1]))
        matrix = sparse.csr_array(-sparse.hstack([before, room, after]))
        yield Row("room", matrix, -posts.room.astype(float), float(posts.room.sum()))

    def _build_decisions(self) -> Iterator[Row]:
        """Build the rows of accepted and declined moves and of locks, docs/planner.md eq. (32)."""
        for decided, rule in RULE_BY_DECISION.items():
            decisions = [d for d in self.decisions if d.decided == decided]
            if not decisions:
                continue
            sign = 1.0 if decided == "accept" else -1.0
            rows = self._build_flow_rows([sign * self._find_flows(d) for d in decisions])
            least = np.array([float(d.units) if decided == "accept" else 0.0 for d in decisions])
            required = sum(self._count_units(d) for d in decisions) if decided == "lock" else least.sum()
            yield Row(rule, rows, least, float(required))

    def _build_flow_rows(self, values: Sequence[Floats]) -> sparse.csr_array:
        """Return rows over all columns from one value for each flow, (rows, F)."""
        flows = sparse.csr_array(np.array(values))
        return sparse.csr_array(sparse.hstack([flows, sparse.csr_array((len(values), self.size - flows.shape[1]))]))

    def _build_unit_row(self, area: str) -> sparse.csr_array:
        """Return the row that adds up the teams in an area; all units where no kind searches."""
        posts = self.posts
        kinds = posts.searching if posts.searching.any() else np.ones(len(posts.kinds), dtype=bool)
        counted = (posts.contains(area)[:, None] & kinds).ravel().astype(float)
        row = np.zeros((1, self.size))
        row[0, self.unit_columns] = counted
        return sparse.csr_array(row)

    def _find_flows(self, decision: Decision) -> Floats:
        """Return 1 for each flow that a decision is about, else 0, (F,); raise InputError for an unknown name."""
        end = "" if decision.decided == "lock" else decision.end
        start_at, end_at, kind_at = self.flows
        mask = self._find_sites(decision.start)[start_at] & self._find_sites(end)[end_at]
        return np.asarray(mask & _is_named([k.name for k in self.posts.kinds], decision.kind)[kind_at], float)

    def _find_sites(self, name: str) -> Bools:
        """Return a mask of the sites that a decision names, or that lie in the region that it names, (S,)."""
        inside = self.posts.contains(name)
        return inside if inside.any() else _is_named(self.posts.sites, name)

    def _count_units(self, decision: Decision) -> int:
        sites = self._find_sites(decision.start)
        kinds = _is_named([kind.name for kind in self.posts.kinds], decision.kind)
        return int(self.posts.units[np.ix_(sites, kinds)].sum())

    def join_columns(self, flows: Ints | Floats, units: Ints, outings: Floats | None = None) -> Floats:
        """Join flows, (F,), units, (S, K), and outings, (D,), none by default, to one vector of columns."""
        away = np.zeros(self.posts.outings.shape[1]) if outings is None else outings
        return np.concatenate([flows, units.ravel(), away])

    def find_broken(self, flows: Ints, units: Ints, outings: Floats | None = None) -> tuple[str, ...]:
        """Return the names of the rules that a layout breaks. flows : (F,). units : (S, K). outings : (D,)."""
        columns = self.join_columns(flows, units, outings)
        return tuple(row.rule for row in self.rows if (row.matrix @ columns < row.least - 1e-6).any())

    def lay_out(self, flows: Ints) -> Ints:
        """Return the layout, (S, K), to which flows, (F,), lead."""
        matrix, today = self.build_balance()
        units = np.rint(today - matrix[:, : len(flows)] @ flows).astype(np.int64)
        return np.asarray(units.reshape(self.posts.units.shape))

    def find_cheapest(self, units: Ints, outings: Floats, timer: Timer) -> Ints | None:
        """Find the cheapest whole flows, (F,), to units, (S, K), and outings, (D,), docs/planner.md eq. (41).

        None if time is up, or if no flows to this layout keep the rules.
        """
        change = units - self.posts.units
        layout, free = np.append(units.ravel(), outings), np.append(np.zeros(units.size), np.full(len(outings), _LOOSE))
        costs = np.append(self.cost + 1e-6 * (1.0 + self.cost.max(initial=0.0)), np.zeros(len(layout)))
        low, high = np.maximum(layout - free, 0.0), layout + free
        bounds = Bounds(np.append(np.zeros(len(self.cost)), low), np.append(self._bound_flows(change), high))
        whole = np.append(np.ones(len(self.cost)), np.zeros(len(layout)))
        answer = solve_milp(costs, [*self.build_constraints()], bounds, whole, timer, 0.0)
        return None if answer.x is None else np.rint(answer.x[: len(self.cost)]).astype(np.int64)

    def _bound_flows(self, change: Ints) -> Floats:
        """Return the largest number of units on each flow, (F,): all units of its start, or 0 if none has to move.

        change : units of the layout minus units today, (S, K).
        """
        start, end, kind = self.flows
        unchanged = (change[start, kind] >= 0) & (change[end, kind] <= 0)
        if any(d.decided == "accept" for d in self.decisions):
            unchanged[:] = False  # any other move may have to compensate an accepted one
        return np.where(unchanged, 0.0, self.posts.units[start, kind].astype(float))

    def build_constraints(self, without: frozenset[str] = frozenset()) -> Iterator[LinearConstraint]:
        """Yield the constraints over flows and units, except those of the rules named in `without`."""
        matrix, equal = self.build_balance()
        yield LinearConstraint(matrix, equal, equal)
        yield LinearConstraint(self.build_leaving(), -np.inf, self.posts.units.ravel().astype(float))
        yield LinearConstraint(self.build_outings(), 0.0, np.inf)
        for row in self.rows:
            if row.rule not in without:
                yield LinearConstraint(row.matrix, row.least, np.inf)

    def build_bounds(self) -> tuple[Floats, Floats]:
        """Return the lower and upper bounds of flows, units and outings, (columns,) each."""
        start, _, kind = self.flows
        most = np.full(self.size - len(start), float(self.posts.units.sum()))
        upper = np.append(self.posts.units[start, kind], most)
        return np.zeros(self.size), upper.astype(float)


@dataclass
class Timer:
    """A time limit shared by several solves."""

    seconds: float

    def __post_init__(self) -> None:
        """Start the timer."""
        self._until = time.monotonic() + self.seconds

    @property
    def remaining(self) -> float:
        """Seconds left, but at least 0.1, so that the solver can end properly."""
        return max(self._until - time.monotonic(), 0.1)

    def split(self, share: float) -> Timer:
        """Return a new timer with `share` (0 to 1) of the seconds left."""
        return Timer(share * self.remaining)

    @property
    def over(self) -> bool:
        """Whether the time is up."""
        return time.monotonic() >= self._until


def solve_milp(
    costs: Floats,
    constraints: list[LinearConstraint],
    bounds: Bounds,
    whole: Floats,
    timer: Timer,
    gap: float,
    *,
    presolve: bool = True,
) -> OptimizeResult:
    """Minimise the costs, (columns,), with HiGHS; `whole` is 1 where a column must be a whole number, else 0.

    gap : relative gap at which the solver may end. The result's `x` is None if no solution was found.
    """
    options = {"time_limit": timer.remaining, "mip_rel_gap": gap, "presolve": presolve}
    return milp(costs, integrality=whole, bounds=bounds, constraints=constraints, options=options)


def _is_named(names: Sequence[str], name: str) -> Bools:
    """Return a mask of the names that are `name`; all of them if it is empty."""
    mask = np.array([name in ("", other) for other in names], dtype=bool)
    if not mask.any():
        raise InputError(f"A decision names {name!r}, which is in no post. Copy the names from the table of moves.")
    return mask


def _build_matrix(row: Ints, column: Ints, value: Floats, shape: tuple[int, int]) -> sparse.csr_array:
    return sparse.csr_array(sparse.coo_array((value, (row, column)), shape=shape))
