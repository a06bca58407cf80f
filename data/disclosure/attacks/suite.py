"""All attacks on the numbers of a release, while it is being made and in an audit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from data.disclosure.attacks import (
    averaging,
    completeness,
    dark_figure,
    homogeneity,
    indicators,
    membership,
    reading,
    sequence,
)
from data.disclosure.attacks.bounds import BoundsAttack, Finding, Published, list_findings
from data.disclosure.attacks.bounds.lattice import Table
from data.disclosure.cell_key import CellKey
from data.message import Message
from data.release import Release

Outcome = tuple[str, list[Finding], Mapping[str, float]]


def attack_numbers(earlier: Sequence[Published], release: Release, *, thorough: bool = True) -> Iterator[Outcome]:
    """Attack a release together with the `earlier` releases of its tier, which are sorted from the oldest.

    Yields for each attack its name, its findings and its statistics; a release without tables of counts is attacked
    only by threshold, indicators and completeness. The partner tier is protected, not anonymous: there the membership
    attack returns statistics but no findings, and runs only if `thorough`. On the public tier, without `thorough`, it
    tries fewer children in fewer worlds.
    """
    mechanism = CellKey.from_manifest(release.manifest["tact"])
    k = release.k if release.tier == "public" else None
    # Numbers below the threshold k in the counted tables; k is None if the tier has no threshold.
    findings: list[Finding] = []
    for spec in reading.list_specifications(release).values() if k is not None else ():
        frame = release.table(spec.name)
        frame = frame[frame["value"].notna()]
        low = frame[frame["value"].to_numpy(np.int64) < (k or 0)]
        cells, reason = low[["area", "period", *spec.breakdown]], Message("shows a number below the threshold")
        findings += list_findings("threshold", spec.name, cells, reason)
    yield "threshold", findings, {}
    yield "indicators", indicators.attack(release), {}
    yield "completeness", completeness.attack(release), {}
    if not reading.list_specifications(release):
        return
    releases, areas = [*earlier, reading.read_published(release)], reading.read_areas(release)
    system = BoundsAttack.from_releases(releases, areas)
    bounds = system.system.solve()
    statistics = {"unknowns": system.lattice.size, "ties": len(system.system.ties.total), "sweeps": bounds.sweeps}
    statistics["contradictions"] = bounds.contradictions
    yield "bounds", system.report(system.judge(bounds)), statistics
    yield "homogeneity", homogeneity.report_homogeneous(system, bounds), {}
    yield "averaging", *averaging.attack(releases, system, mechanism)
    everything = sequence.join_releases(releases)
    changed, repeated = sequence.attack(releases)
    yield "sequence", changed, repeated
    yield "dark_figure", dark_figure.attack(releases, release.tier), {}
    if thorough:
        yield "membership", *membership.attack(everything, areas, mechanism, k)
    elif k is not None:
        yield "membership", *membership.attack(everything, areas, mechanism, k, children=2, worlds=(2000,))


def find_disclosed_cells(
    releases: Sequence[Published], areas: pd.DataFrame, mechanism: CellKey
) -> list[tuple[Table, int]]:
    """Find the cells of the last release that averaging or homogeneity discloses, as table and flat index."""
    system = BoundsAttack.from_releases(releases, areas)
    guesses = averaging.guess_totals(releases, system, mechanism)
    sure = [(table, cell) for table, cell, chance in guesses if chance >= averaging.CERTAIN]
    breakdowns = homogeneity.find_homogeneous(system, system.system.solve())
    return [*sure, *((table, int(cell)) for table, cells in breakdowns for cell in cells)]
