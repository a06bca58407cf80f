"""The homogeneity attack: if nearly all children of an area are in one category, the category of each is known.

A breakdown discloses its area if one category certainly has at least nine in ten of the area's children. For this, the
lower bound of the category is compared with the upper bounds of the other categories, which follow from their own
numbers and from the remainder of the total (Machanavajjhala et al. 2007, on l-diversity).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from data.disclosure.attacks.bounds import BoundsAttack, Finding
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.attacks.bounds.system import Bounds
from data.message import Message
from data.tables.states import STATES
from data.workspace.types import Ints

SHARE = 0.9
_NUMBER = STATES.index("number")
_MANY = 2**31  # more children than exist; keeps sums within 64 bits


def find_homogeneous(attack: BoundsAttack, bounds: Bounds) -> Iterator[tuple[Table, Ints]]:
    """Yield each disclosing breakdown of an area and period: its table and the flat indices of its cells.

    Breakdowns without any number in the last release are left out.
    """
    for table in attack.lattice.tables.values():
        shape = table.shape
        if shape.measure != "children" or not shape.breakdown:
            continue
        cells = np.arange(table.state.size).reshape(len(table.areas) * len(table.periods), -1)
        low, high = bounds.low[table.base + cells], np.minimum(bounds.high[table.base + cells], _MANY)
        others = high.sum(axis=1, keepdims=True) - high
        total = attack.lattice.tables.get(replace(shape, breakdown=()))
        if total is not None and total.periods == table.periods:
            others = np.minimum(others, np.minimum(bounds.high[total.ids], _MANY).reshape(-1, 1) - low)
        certain = (low > 0) & (low * (1 - SHARE) >= others * SHARE)
        shown = (table.state.ravel()[cells] == _NUMBER) & (table.listed.ravel()[cells] == attack.last)
        for row in np.flatnonzero(certain.any(axis=1) & shown.any(axis=1)):
            yield table, cells[row]


def report_homogeneous(attack: BoundsAttack, bounds: Bounds) -> list[Finding]:
    """Return a finding for each disclosing breakdown; the reason contains no count."""
    findings = []
    for table, cells in find_homogeneous(attack, bounds):
        where = {c: v for c, v in table.name(int(cells[0])).items() if c in ("area", "period")}
        reason = Message("nearly all children of this area are of one category")
        findings.append(Finding("homogeneity", table.shape.name, where, reason))
    return findings
