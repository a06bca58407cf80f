"""Rules that no layout can keep together: which they are, and what would free them.

A smallest set of rules that clash is found by leaving out one after the other (the deletion filter of
Chinneck and Dravnieks 1991). Then each rule of the set is eased alone, by as little as possible.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint

from data.errors import InputError
from data.workspace.types import Floats
from risk.planning.constraints import RULES, Region, Row, Timer, run

_SECONDS = 30.0
_INFEASIBLE = 2  # scipy.optimize.milp's word for it
_NAMED = 3  # areas in a sentence


@dataclass(frozen=True)
class Clash:
    """A rule that clashes with others. `frees` is what it would have to become, None where that is no help.

    asked and frees are the limit of moves or budget; of other rules how much is asked for in all (children
    a quarter, or units), and how much of it can be had. where : areas, sites or moves in which it falls
    short.
    """

    rule: str
    asked: float
    frees: float | None
    where: tuple[str, ...] = ()

    @property
    def _enough(self) -> float:
        """What would do, in whole moves or tenths of the budget, rounded so that it does."""
        tenths = 1.0 if self.rule == "moves" else 10.0
        return float(np.ceil((self.frees or 0.0) * tenths - 1e-6) / tenths)

    @property
    def words(self) -> str:
        """Say it in a sentence."""
        name = RULES[self.rule]
        if self.frees is None:
            return f"{name} ({self.asked:.3g}): easing it alone is not enough"
        if self.rule in ("moves", "budget"):
            return f"{name}: {self._enough:g} instead of {self.asked:g} would do"
        places = ", ".join(self.where[:_NAMED]) + (" and others" if len(self.where) > _NAMED else "")
        return f"{name}: {self.frees:.3g} of {self.asked:.3g} can be kept ({places} would fall short)"


class RulesClash(InputError):
    """No layout keeps all rules; `clashes` says which of them stand against each other."""

    def __init__(self, found: tuple[Clash, ...]) -> None:
        super().__init__(
            "No plan keeps all rules. These clash; ease one of them: "
            + "; ".join(clash.words for clash in found)
            + "."
        )
        self.clashes = found


def find_clashes(region: Region) -> tuple[Clash, ...]:
    """Find a smallest set of rules that clash; empty where they do not."""
    timer = Timer(_SECONDS)
    if not _impossible(region, frozenset(), timer):
        return ()
    out: frozenset[str] = frozenset()
    needed = []
    for row in region.rows:
        if _impossible(region, out | {row.rule}, timer):
            out |= {row.rule}
        else:
            needed.append(row)
    return tuple(_eased(region, row, timer) for row in needed)


def _impossible(region: Region, without: frozenset[str], timer: Timer) -> bool:
    low, high = region.bounds()
    rows = list(region.constraints(without))
    found = run(np.zeros(region.size), rows, Bounds(low, high), _whole(region), timer, 0.0)
    return bool(found.status == _INFEASIBLE)


def _eased(region: Region, row: Row, timer: Timer) -> Clash:
    """Ease one rule by as little as possible, all others kept."""
    count = len(row.least)
    low, high = region.bounds()
    own = LinearConstraint(sparse.hstack([row.matrix, sparse.eye_array(count)]), row.least, np.inf)
    others = [_with_slack(one, count) for one in region.constraints(frozenset({row.rule}))]
    bounds = Bounds(np.append(low, np.zeros(count)), np.append(high, np.full(count, np.inf)))
    costs = np.append(np.zeros(region.size), np.ones(count))
    whole = np.append(_whole(region), np.zeros(count))
    found = run(costs, [*others, own], bounds, whole, timer, 0.0)
    if found.x is None:
        return Clash(row.rule, row.asked, None)
    short = np.where(found.x[region.size :] > 1e-6, found.x[region.size :], 0.0)
    change = short.sum() if row.rule in ("moves", "budget") else -short.sum()
    eased = round(row.asked + float(change), 6)
    return Clash(row.rule, round(row.asked, 6), eased, _where(region, row, short))


def _whole(region: Region) -> Floats:
    return np.append(np.zeros(len(region.cost)), np.ones(region.posts.units.size))


def _with_slack(one: LinearConstraint, count: int) -> LinearConstraint:
    wider = sparse.hstack([one.A, sparse.csr_array((one.A.shape[0], count))])
    return LinearConstraint(sparse.csr_array(wider), one.lb, one.ub)


def _where(region: Region, row: Row, short: Floats) -> tuple[str, ...]:
    posts = region.posts
    names: tuple[str, ...] = {
        "floor": posts.areas,
        "services_floor": posts.areas,
        "exploration": (", ".join(np.array(posts.areas)[region.explored.areas]),),
        "commitments": tuple(site for site in posts.sites for _ in posts.kinds),
        "room": posts.sites,
        "accepted": tuple(
            f"{d.kind} from {d.start} to {d.end}" for d in region.decisions if d.decided == "accept"
        ),
        "locked": tuple(f"{d.kind} at {d.start}" for d in region.decisions if d.decided == "lock"),
    }.get(row.rule, ())
    worst = np.argsort(-short, kind="stable")
    return tuple(names[at] for at in worst if names and short[at] > 0)
