"""All attacks on the numbers of a release, in one place: a release that is being made and one under audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from data.disclosure.attacks import averaging, forgetting, homogeneity, membership, reading
from data.disclosure.attacks.bounds import BoundsAttack, Finding, Published
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.cell_key import CellKey
from data.release import Release

__all__ = ["attack_numbers", "below_threshold", "given_away"]

Outcome = tuple[str, list[Finding], Mapping[str, float]]


def attack_numbers(
    earlier: Sequence[Published], release: Release, *, thorough: bool = True
) -> Iterator[Outcome]:
    """Attack what a release shows, with the earlier ones of its tier, oldest first.

    Gives for each attack its name, the findings, and how it went. What is published in the partner tier is
    protected, not anonymous: there the membership attack tells how far, and finds nothing, so that only a
    thorough attack makes it; one that is not tries fewer children in fewer worlds.
    """
    mechanism = CellKey.from_manifest(release.manifest["tact"])
    k = release.k if release.tier == "public" else None
    yield "threshold", below_threshold(release, k), {}
    if not reading.specifications(release):
        return
    releases, areas = [*earlier, reading.published(release)], reading.areas_of(release)
    system = BoundsAttack.of(releases, areas)
    bounds = system.system.solve()
    went = {"unknowns": system.lattice.size, "ties": len(system.system.ties.total), "sweeps": bounds.sweeps}
    went["contradictions"] = bounds.contradictions
    yield "bounds", system.findings(system.judge(bounds)), went
    yield "homogeneity", homogeneity.judge(system, bounds), {}
    yield "averaging", *averaging.attack(releases, system, mechanism)
    yield "forgetting", *forgetting.attack(releases)
    if thorough:
        yield "membership", *membership.attack(releases[-1], areas, mechanism, k)
    elif k is not None:
        yield "membership", *membership.attack(releases[-1], areas, mechanism, k, children=2, worlds=(2000,))


def given_away(
    releases: Sequence[Published], areas: pd.DataFrame, mechanism: CellKey
) -> list[tuple[Table, int]]:
    """List the cells of the last release to withhold: those that averaging or their mixture gives away."""
    system = BoundsAttack.of(releases, areas)
    guesses = averaging.guesses(releases, system, mechanism)
    sure = [(table, cell) for table, cell, chance in guesses if chance >= averaging.CERTAIN]
    alike = homogeneity.homogeneous(system, system.system.solve())
    return [*sure, *((table, int(cell)) for table, cells in alike for cell in cells)]


def below_threshold(release: Release, k: int | None) -> list[Finding]:
    """Find numbers in counted tables below the threshold k of a tier; None: it has no threshold."""
    found = []
    for spec in reading.specifications(release).values():
        frame = release.table(spec.name)
        frame = frame[frame["value"].notna()]
        low = frame[frame["value"].to_numpy(np.int64) < (k or 0)]
        for row in low[["area", "period", *spec.breakdown]].to_dict("records"):
            cell = {str(name): str(value) for name, value in row.items()}
            found.append(Finding("threshold", spec.name, cell, "shows a number below the threshold"))
    return found
