"""Late records: the share of a quarter's children that comes by the age of the last quarter."""

from datetime import date

import pandas as pd
import pytest

from data.disclosure.policy import Policy
from data.release import Release
from tests.helpers import small_worlds
from tests.helpers.small_worlds import FEW_PLAN, MemoryVault

POLICY = Policy(last=date(2008, 5, 31))
STARTS = [f"{year}-{month}-01" for year, month in [(2006, "06"), (2006, "09"), (2006, "12"), *[
    (year, month) for year in (2007,) for month in ("03", "06", "09", "12")], (2008, "03")]]  # fmt: skip
CHILDREN = 40


def late_table(folder, monkeypatch, imported):
    """Return the table of a release in which half of each quarter's children came a month after its end."""
    rows = [
        {"date": start, "municipality": "101", "child": small_worlds.child(f"{start}{n}"), "batch": 2 * t + n % 2}
        for t, start in enumerate(STARTS)
        for n in range(CHILDREN)
    ]
    usual = {"programme_child": "", "origin": "", "destination": "", "partner": "BKTF", "found": "discovered"}
    usual |= {"pathway": "internal", "stage": "recruited", "form": "begging", "axis": "prevention"}
    met = pd.DataFrame(rows).assign(**usual, sex="female", age_band="6-9")
    monkeypatch.setattr(MemoryVault, "list_imports", lambda _: imported)
    vault = MemoryVault(encounter=met)
    name = small_worlds.release(vault, folder, plan=FEW_PLAN, policy=POLICY, day=date(2008, 7, 15)).name
    release = Release.open(folder, "partner", name)
    return release.table("late") if "late" in release.tables else None


@pytest.mark.slow(seconds=3)
def test_half_comes_by_the_age_of_the_last_quarter(tmp_path, monkeypatch):
    ends = [pd.Timestamp(start) + pd.DateOffset(months=3) for start in STARTS]
    imported = [
        {"number": 2 * t + late, "at": (end + pd.DateOffset(months=1 + 3 * late)).isoformat()}
        for t, end in enumerate(ends)
        for late in (0, 1)
    ]
    table = late_table(tmp_path, monkeypatch, imported).set_index("area")
    assert set(table["period"]) == {"2008-03-01/P3M"}
    assert table["state"].to_dict() == {"AL": "number", "GR": "cannot_tell"}
    alpha, beta = table.loc["AL", ["alpha", "beta"]]
    assert alpha / (alpha + beta) == pytest.approx(0.5, abs=0.1)


@pytest.mark.slow(seconds=3)
def test_imports_in_one_go_say_nothing(tmp_path, monkeypatch):
    imported = [{"number": n, "at": "2008-07-01T00:00:00"} for n in range(2 * len(STARTS))]
    assert set(late_table(tmp_path, monkeypatch, imported)["state"]) == {"cannot_tell"}
