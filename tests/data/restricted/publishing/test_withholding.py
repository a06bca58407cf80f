"""What is withheld so that all public numbers together say little of one child."""

from contextlib import nullcontext
from dataclasses import replace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from data.disclosure.attacks import membership, reading
from data.disclosure.attacks.membership import attacker
from data.disclosure.cell_key import CellKey
from data.errors import ReleaseRefused
from data.release import Release, names
from data.restricted import publishing
from data.restricted.publishing import withholding
from data.tables.spec import TableSpec
from tests.helpers import small_worlds

TOTALS = tuple(TableSpec("children", level, grain) for level in ("country", "region") for grain in ("year", "whole"))
OF_COUNTRIES = tuple(
    TableSpec("children", "country", grain, (by,))
    for by in ("pathway", "stage", "form", "axis", "sex", "age_band", "found")
    for grain in ("year", "whole")
)


@pytest.mark.slow
@pytest.mark.parametrize(("limit", "refused"), [(0.15, True), (0.25, False)])
def test_a_release_that_says_too_much_without_breakdowns_of_counties_is_refused(tmp_path, monkeypatch, limit, refused):
    for module in (membership, attacker):
        monkeypatch.setattr(module, "LIMITS", (0.10, limit))
    frame = small_worlds.encounters(np.random.default_rng(1), 300, 200)
    vault = small_worlds.MemoryVault(encounter=frame)
    with pytest.raises(ReleaseRefused, match="all numbers together") if refused else nullcontext():
        small_worlds.release(vault, tmp_path, plan={"partner": (), "public": (*TOTALS, *OF_COUNTRIES)})
    assert len(names(tmp_path)) == (not refused)


@pytest.mark.slow
def test_a_reader_of_the_published_files_finds_the_same_counties_without_a_breakdown(tmp_path, monkeypatch):
    for module in (membership, attacker):
        monkeypatch.setattr(module, "LIMITS", (0.10, 0.12))
    frame = small_worlds.encounters(np.random.default_rng(2), 2000, 1400)
    pathways = TableSpec("children", "region", "whole", ("pathway",))
    vault = small_worlds.MemoryVault(encounter=frame)
    small_worlds.release(vault, tmp_path, plan={"partner": (), "public": (*TOTALS, OF_COUNTRIES[1], pathways)})
    release = Release.open(tmp_path, "public")
    published, areas = reading.read_published(release), reading.read_areas(release)
    table = published.tables[pathways].to_pandas()
    is_silent = (table["state"] == "withheld").groupby(table["area"].astype(str)).all()
    without = set(is_silent.index[is_silent])
    assert 0 < len(without) < len(is_silent)
    # Before the choice, nothing of the breakdown was withheld; the rates come from the other tables.
    planned = pa.Table.from_pandas(table.assign(state="few"), preserve_index=False)
    basis = replace(published, tables={spec: t for spec, t in published.tables.items() if spec != pathways})
    everything = replace(published, tables={**basis.tables, pathways: planned})
    mechanism = CellKey.from_manifest(release.manifest["tact"])
    again = membership.survey(everything, areas, mechanism, release.k, basis=basis)
    assert {area for area, advantage in again.items() if advantage.high > 0.12} == without


@pytest.mark.slow
def test_one_child_changes_nothing_that_is_withheld_in_the_other_country(tmp_path, monkeypatch):
    """Whether a county loses its breakdown is a draw near the limit: it must not depend on the other country."""
    for module in (membership, attacker):
        monkeypatch.setattr(module, "LIMITS", (0.10, 0.05))  # so that worlds are drawn
    public = (
        *(TableSpec("children", level, "year") for level in ("country", "region")),
        TableSpec("children", "region", "whole", ("pathway",)),
    )

    def survey(frame, folder):
        small_worlds.release(small_worlds.MemoryVault(encounter=frame), folder, plan={"partner": (), "public": public})
        release = Release.open(folder, "public")
        published = reading.read_published(release), reading.read_areas(release)
        mechanism = CellKey.from_manifest(release.manifest["tact"])
        return membership.survey(*published, mechanism, release.k, worlds=(400,))

    orders = []
    for seed in (1, 3):
        frame = small_worlds.encounters(np.random.default_rng(seed), 300, 200)
        child = {"municipality": "9001", "date": "2006-07-01", "child": small_worlds.child("new")}
        with monkeypatch.context() as patch:
            patch.setattr(withholding, "_quieten_areas", lambda *_: ({}, {}, frozenset()))
            patch.setattr(publishing, "audit_tiers", lambda *_: None)
            both = [frame, pd.concat([frame, frame.iloc[[0]].assign(**child)], ignore_index=True)]
            without, with_child = (survey(rows, tmp_path / f"{seed} {len(rows)}") for rows in both)
        orders.append(list(without) == list(with_child))
        assert {area: without[area] for area in without if area.startswith("AL")} == {
            area: with_child[area] for area in with_child if area.startswith("AL")
        }
    assert orders == [False, False], "the child must change which counties are the most exposed"
