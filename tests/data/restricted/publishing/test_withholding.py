"""What is withheld so that all public numbers together say little of one child."""

import numpy as np
import pytest

from data.disclosure.attacks import membership, reading
from data.disclosure.attacks.membership import attacker
from data.disclosure.cell_key import CellKey
from data.release import Release
from data.tables.spec import TableSpec
from tests.helpers import small_worlds

TOTALS = tuple(TableSpec("children", level, grain) for level in ("country", "region") for grain in ("year", "whole"))
OF_COUNTRIES = tuple(
    TableSpec("children", "country", grain, (by,))
    for by in ("pathway", "stage", "form", "axis", "sex", "age_band", "found")
    for grain in ("year", "whole")
)


@pytest.mark.slow
def test_breakdowns_of_a_country_are_withheld_where_counties_alone_do_not_help(tmp_path, monkeypatch):
    for module in (membership, attacker):
        monkeypatch.setattr(module, "LIMITS", (0.10, 0.15))
    frame = small_worlds.encounters(np.random.default_rng(1), 300, 200)
    vault = small_worlds.MemoryVault(encounter=frame)
    small_worlds.release(vault, tmp_path, plan={"partner": (), "public": (*TOTALS, *OF_COUNTRIES)})
    release = Release.open(tmp_path, "public")
    states = {spec: set(release.table(spec.name)["state"]) for spec in (*TOTALS, *OF_COUNTRIES)}
    assert all(states[spec] == {"withheld"} for spec in OF_COUNTRIES)
    assert "withheld" not in states[TOTALS[0]] | states[TOTALS[1]]
    mechanism = CellKey.from_manifest(release.manifest["tact"])
    attacked = reading.read_published(release), reading.read_areas(release), mechanism, release.k
    findings, numbers = membership.attack(*attacked)
    assert findings == []
    assert numbers["all_numbers"] < 0.15
