"""What the rounded estimate from capture histories says about one child.

The attacker of these tests knows all other children, their histories and even the noise of all other histories; only
the noise of what the child touches is unknown. Its advantage must not exceed that from one number of a release.
"""

from functools import lru_cache
from itertools import product

import numpy as np
import pytest

from data.capture import estimate_population, round_estimate
from data.disclosure.cell_key import CellKey

MECHANISM = CellKey()
# Three lists: cells A, B, AB, C, AC, BC, ABC.
A, AB, ABC = 0, 2, 6
PLENTY = (400, 300, 60, 350, 55, 50, 9)
FEW = (60, 50, 7, 55, 6, 7, 1)  # about as many common children as an estimate needs


@lru_cache(maxsize=4096)
def publish(table):
    """Return what the command shows of a noisy table."""
    return round_estimate(estimate_population(np.array(table), replicates=20))


def list_outcomes(table, cells):
    """Return the probability of each answer when the noise of some cells is drawn again."""
    channel = MECHANISM.channel(max(table) + 1).matrix
    chances = {}
    for values in product(*(np.flatnonzero(channel[table[cell]]) for cell in cells)):
        noisy = list(table)
        for cell, value in zip(cells, values, strict=True):
            noisy[cell] = int(value)
        chance = np.prod([channel[table[cell], value] for cell, value in zip(cells, values, strict=True)])
        answer = publish(tuple(noisy))
        chances[answer] = chances.get(answer, 0.0) + float(chance)
    return chances


def measure_advantage(before, after, cells):
    """Return the total variation distance between the answers of two tables, 0 to 1."""
    first, second = list_outcomes(before, cells), list_outcomes(after, cells)
    return sum(abs(first.get(answer, 0.0) - second.get(answer, 0.0)) for answer in first | second) / 2


def add(table, *changes):
    changed = list(table)
    for cell, by in changes:
        changed[cell] += by
    return tuple(changed)


LIMIT = float(MECHANISM.channel(20).total_variation().max())  # a child alone in its cell: .48


@pytest.mark.always("of few", "of few, on all lists")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("table", "changes", "cells"),
    [
        (PLENTY, ((AB, 1),), (AB,)),
        (FEW, ((AB, 1),), (AB,)),
        (FEW, ((ABC, 1),), (ABC,)),
        (PLENTY, ((A, -1), (AB, 1)), (A, AB)),
        (FEW, ((A, -1), (ABC, 1)), (A, ABC)),
    ],
    ids=["one child more", "of few", "of few, on all lists", "one list more", "of few, two lists more"],
)
def test_two_vaults_that_differ_by_one_child_cannot_be_told_apart(table, changes, cells):
    assert measure_advantage(table, add(table, *changes), cells) <= LIMIT


@pytest.mark.slow
def test_the_attack_sees_an_estimate_without_noise():
    tables = [add(FEW, (AB, by)) for by in range(8)]
    assert len({publish(table) for table in tables}) > 1
