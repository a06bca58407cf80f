"""Release invented worlds as large as the programme with the default policy, attack them, and measure the losses.

Run as a program, it studies many worlds and prints a summary of all:

    python -m tests.helpers.default_worlds 50
"""

import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd

from data.disclosure.attacks.audit import read_earlier
from data.disclosure.attacks.suite import attack_numbers
from data.disclosure.policy import DEFAULT_POLICY
from data.reference import area_table
from data.release import Release
from data.restricted.comparison.invented import hash_encounters
from data.restricted.keys import IdentifierHasher
from data.tables.spec import TIERS
from risk import worlds
from tests.helpers import small_worlds


def released(seed, folder):
    """Release an invented world from a vault in memory into `folder`; return its encounters as a vault has them."""
    records = worlds.simulate_default_areas(worlds.WorldParameters(seed=seed)).records["encounter"]
    hasher = IdentifierHasher(seed.to_bytes(32, "big"))
    frame = hash_encounters(records, hasher).to_pandas()[small_worlds.COLUMNS].astype("str")
    places = {"area_table": area_table(), "areas_geoparquet": small_worlds.areas_bytes(area_table())}
    settings = {**places, "record_keys": hasher.record_keys, "policy": DEFAULT_POLICY}
    small_worlds.release(small_worlds.MemoryVault(encounter=frame), folder, **settings)
    return frame


def attacked(folder):
    """Run every attack on both tiers of the last release.

    Returns the findings in words, and the results of each attack by tier and name.
    """
    words, went = [], {}
    for tier in TIERS:
        release = Release.open(folder, tier)
        for name, findings, numbers in attack_numbers(read_earlier(folder, release), release):
            words += [f"{tier}: {finding.words}" for finding in findings]
            went[f"{tier} {name}"] = dict(numbers)
    return words, went


def cells(frame, release):
    """Return each public county-year with its true number: columns area, country, true, value."""
    table, truth = release.table("children_region_year"), counted(frame)
    places = zip(table["area"], table["period"].str[:4], strict=True)
    compared = table.assign(true=[truth.get(place, 0) for place in places], country=table["area"].str[:2])
    return compared[["area", "country", "true", "value"]].astype({"value": "float64"})


def counted(frame):
    """Return the number of children by region and programme year (as a text) of their first encounter."""
    parents, levels = area_table()["parent"], area_table()["level"]
    numbered = frame[frame["programme_child"] != ""].drop_duplicates("child").set_index("child")
    who = frame["child"].map(numbered["programme_child"]).fillna(frame["child"])
    first = frame.assign(who=who).sort_values("date").drop_duplicates("who")
    region = [c if levels[c] == "region" else parents[c] for c in first["municipality"]]
    day = pd.to_datetime(first["date"])
    year = np.where(day.dt.month >= 6, day.dt.year, day.dt.year - 1).astype(str)
    return pd.Series(1, index=pd.MultiIndex.from_arrays([region, year])).groupby(level=[0, 1]).sum().to_dict()


def loss(table):
    """Return for each country the median relative error of shown values, and the share of children in hidden cells."""
    losses = {}
    for country, part in table.groupby("country"):
        shown = part[part["value"].notna()]
        error = (shown["value"] - shown["true"]).abs() / shown["true"]
        losses[country] = (float(error.median()), float(1 - shown["true"].sum() / part["true"].sum()))
    return losses


def study(seed):
    """Release and attack one world; return its seed, findings, results and public county-years."""
    with tempfile.TemporaryDirectory() as folder:
        frame = released(seed, Path(folder))
        return seed, *attacked(Path(folder)), cells(frame, Release.open(Path(folder), "public"))


def main(count):
    """Study `count` worlds, two at a time; print one line for each and a summary of all."""
    tables, worst, say = [], [], sys.stdout.write
    with ProcessPoolExecutor(2) as workers:
        for seed, findings, went, table in workers.map(study, range(count)):
            numbers = went["public membership"]
            tables.append(table)
            worst.append((numbers["one_number"], numbers["all_numbers"], numbers["all_numbers_low"]))
            numbers = f"advantage {worst[-1]}  (error, hidden) {loss(table)}"
            say(f"{seed}  {numbers}  {findings or 'all attacks failed'}\n")
            sys.stdout.flush()
    say(f"Most over guessing: one number, all numbers, lower end: {np.max(worst, axis=0)}\n")
    say(f"All worlds: (median relative error, share hidden): {loss(pd.concat(tables))}\n")


if __name__ == "__main__":
    main(int(sys.argv[1]))
