"""Count 10 million points by 403 areas and 400 categories, compared with a bare scan of the file and with SedonaDB.

    python -m benchmarks.counting --peers PYTHON [--rows 10000000] [--many 100000000] [--repeats 5] [--json]
    python -m benchmarks.counting --study 50

`--peers` names a Python that has the peers (pip install duckdb sedonadb, in an environment of its own: MIT,
Apache-2.0). All methods read the same Parquet file of invented records, each in a process of its own. All that count
points must give the same table, and so must all that count codes (otherwise exit code 1). The first repeat is cold: it
also loads the areas and builds the index. Of the other repeats, the best is reported. The floor is a scan of the file
by DuckDB that groups by the two categories. `--study N` runs a study of N invented worlds on a local Dask cluster, with
one worker and then with two.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from benchmarks.studies import clusters
from data.workspace.cluster import start_workers

AREAS, QUARTERS, KINDS = 403, 20, 20
WORKERS = 2
BATCH = 1_000_000
SCAN, POINTS = "scan, DuckDB", "points, ours"

# Each program gets the folder, the file of records and the number of repeats; it prints the seconds of each repeat and
# its peak memory in MB, and writes its table beside the records.
FRAME = """
import json, pyarrow.parquet as pq, re, sys, time
folder, records, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3])
{start}
seconds, cpu = [], []
for repeat in range(repeats):
    began, busy = time.perf_counter(), time.process_time()
    {count}
    seconds.append(time.perf_counter() - began)
    cpu.append(time.process_time() - busy)
pq.write_table(table, folder + '/table.parquet')
peak = re.search(r'VmHWM:\\s+(\\d+)', open('/proc/self/status').read())  # Linux; getrusage would name the parent's
print(json.dumps([seconds, cpu, int(peak[1]) / 1024]))
"""
OURS = {
    "start": "import geopandas\nfrom pathlib import Path\n"
    "from data.restricted.bulk_counts import Columns, count_files\nfrom geo.point_index import PointIndex",
    "count": "areas = areas if repeat else geopandas.read_parquet(folder + '/areas.parquet')\n"
    "    index = index if repeat else PointIndex(list(areas['area']), areas.geometry.to_numpy())\n"
    "    table = count_files([Path(records)], {columns}, index, workers=2).tabulate(('quarter', 'kind'))",
}
DUCK = {
    "start": "import duckdb",
    "count": "table = duckdb.sql(f\"{query} from read_parquet('{{records}}') group by all\").to_arrow_table()",
}
JOIN = (
    "select a.area, p.quarter, p.kind, count(*) as records from points p join areas a "
    "on ST_Intersects(a.geometry, ST_SetSRID(ST_Point(p.longitude, p.latitude), 4326)) "
    "group by a.area, p.quarter, p.kind"
)
SEDONA = {
    "start": "import pyarrow, sedonadb\nsession = sedonadb.connect()",
    "count": "session.read_parquet(folder + '/areas.parquet').to_view('areas', overwrite=True)\n"
    "    session.read_parquet(records).to_view('points', overwrite=True)\n"
    f"    table = pyarrow.table(session.sql('{JOIN}'))",
}


@dataclass(frozen=True)
class Run:
    """The cost of a method: seconds (cold, and best of the other repeats), processor seconds, and peak memory in MB.

    Processor and memory are those of the process itself, without the workers of a cluster.
    """

    method: str
    rows: int
    cold: float
    best: float
    cpu: float = 0.0
    peak: float = 0.0


def draw_areas(seed: int = 0) -> gpd.GeoDataFrame:
    """Return AREAS invented areas that share winding borders, about 190 points each, in EPSG:4326."""
    rng = np.random.default_rng(seed)
    box = shapely.box(19.0, 35.0, 28.0, 42.0)
    seeds = shapely.MultiPoint(rng.uniform((19.0, 35.0), (28.0, 42.0), (AREAS, 2)))
    cells = shapely.intersection(shapely.get_parts(shapely.voronoi_polygons(seeds, extend_to=box)), box)
    lines = shapely.get_parts(shapely.node(shapely.union_all(shapely.boundary(cells))))
    faces = shapely.get_parts(shapely.polygonize([_wind(line, rng) for line in lines]))
    return gpd.GeoDataFrame({"area": [f"A{k:03}" for k in range(len(faces))]}, geometry=np.asarray(faces), crs=4326)


def _wind(line: shapely.LineString, rng: np.random.Generator) -> shapely.LineString:
    step = shapely.length(line) / 32
    points = shapely.get_coordinates(shapely.segmentize(line, step * 1.001))
    points[1:-1] += rng.normal(0.0, step / 6, points[1:-1].shape)
    return shapely.LineString(points)


def write_records(path: Path, rows: int, codes: list[str], seed: int = 1) -> None:
    """Write invented records: a point, the code of an area (drawn independently of the point), a quarter, a kind."""
    rng = np.random.default_rng(seed)
    quarters = pa.array([f"{2006 + q // 4}-Q{q % 4 + 1}" for q in range(QUARTERS)])
    words = {"quarter": quarters, "kind": pa.array([f"kind {k:02}" for k in range(KINDS)]), "area": pa.array(codes)}
    starts = [*range(0, rows, BATCH), rows]
    writer = None
    for size in (end - start for start, end in pairwise(starts)):
        columns = {"longitude": rng.uniform(19.0, 28.0, size), "latitude": rng.uniform(35.0, 42.0, size)}
        columns |= {name: pa.array(rng.integers(0, len(values), size)) for name, values in words.items()}
        batch = pa.table(columns | {name: values.take(columns[name]) for name, values in words.items()})
        writer = writer or pq.ParquetWriter(path, batch.schema)
        writer.write_table(batch)
    if writer:
        writer.close()


def run(python: str, method: str, program: dict[str, str], folder: Path, records: Path, rows: int, repeats: int) -> Run:
    """Run a program, which writes its table into the folder, and return its cost. Raises SystemExit if it fails."""
    command = [python, "-c", FRAME.format(**program), str(folder), str(records), str(repeats)]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    if process.returncode:
        sys.exit(f"{method} failed:\n{process.stderr[-2000:]}")
    seconds, cpu, peak = json.loads(process.stdout.splitlines()[-1])
    return Run(method, rows, seconds[0], min(seconds[1:] or seconds), min(cpu[1:] or cpu), peak)


def read_table(folder: Path) -> list[tuple[object, ...]]:
    table = pq.read_table(folder / "table.parquet").to_pylist()
    return sorted((str(row["area"]), str(row["quarter"]), str(row["kind"]), int(row["records"])) for row in table)


def ours(columns: str) -> dict[str, str]:
    return OURS | {"count": OURS["count"].format(columns=columns)}


DASK = ours("Columns(('quarter', 'kind'))")
DASK |= {
    "start": f"{DASK['start']}\nfrom data.workspace.cluster import start_workers\n"
    f"workers = start_workers({WORKERS}, is_open=True)\ncluster = workers.__enter__()",
    "count": DASK["count"].replace("workers=2", "cluster=cluster.scheduler_address"),
}


def duck(query: str) -> dict[str, str]:
    return DUCK | {"count": DUCK["count"].format(query=query)}


def compare(peers: str, rows: int, many: int, repeats: int, turns: int) -> tuple[list[Run], bool]:
    """Return the runs of all methods, and whether all that count points, and all that count codes, give the same table.

    The machine is faster at some times than at others, so the scan and the points run in turn.
    """
    points, codes = ours("Columns(('quarter', 'kind'))"), ours("Columns(('quarter', 'kind'), 'area')")
    scan = duck("select quarter, kind, count(*) as records, sum(longitude), sum(latitude)")
    by_code = duck("select area, quarter, kind, count(*) as records")
    with tempfile.TemporaryDirectory() as name:
        folder, areas = Path(name), draw_areas()
        areas.to_parquet(folder / "areas.parquet")
        records = folder / "records.parquet"
        write_records(records, rows, list(areas["area"]))
        runs: list[Run] = []
        tables: dict[bool, list[list[tuple[object, ...]]]] = {}  # of points, of codes
        for method, python, program in (
            *([(SCAN, peers, scan), (POINTS, sys.executable, points)] * turns),
            ("points, SedonaDB", peers, SEDONA),
            ("codes, DuckDB", peers, by_code),
            ("codes, ours", sys.executable, codes),
            ("points, ours on Dask", sys.executable, DASK),
        ):
            runs.append(run(python, method, program, folder, records, rows, repeats))
            if program is not scan:
                tables.setdefault("codes" in method, []).append(read_table(folder))
        if many:
            write_records(records, many, list(areas["area"]))
            runs.append(run(sys.executable, POINTS, points, folder, records, many, 1))
    return runs, all(table == same[0] for same in tables.values() for table in same)


def time_study(worlds: int) -> list[Run]:
    """Time the study of clusters with one worker and with WORKERS workers.

    `cold` of each Run includes the start of the workers and a first world on each of them; `best` does not.
    """
    runs = []
    for workers in (1, WORKERS):
        began = time.perf_counter()
        with start_workers(workers, is_open=True) as cluster:
            clusters.study(workers, first_seed=1, cluster=cluster.scheduler_address)
            ready = time.perf_counter()
            clusters.study(worlds, cluster=cluster.scheduler_address)
            end = time.perf_counter()
        runs.append(Run(f"study, workers: {workers}", worlds, end - began, end - ready))
    return runs


def describe(runs: list[Run]) -> None:
    print(f"{'method':<24} {'rows':>12} {'cold':>8} {'best':>8} {'cpu':>8} {'MB':>6}")
    for r in runs:
        print(f"{r.method:<24} {r.rows:12,} {r.cold:7.2f}s {r.best:7.2f}s {r.cpu:7.2f}s {r.peak:6.0f}")
    turns = [
        (first.best, second.best) for first, second in pairwise(runs) if (first.method, second.method) == (SCAN, POINTS)
    ]
    if ratios := [points / scan for scan, points in turns]:
        spread = f"{len(ratios)} turns; {min(ratios):.2f} to {max(ratios):.2f}"
        print(f"Points take {median(ratios):.2f} times the scan (median of {spread})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--peers", metavar="PYTHON", help="a Python that has duckdb and sedonadb")
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--many", type=int, default=100_000_000, help="rows of one more run of ours; 0 for none")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--turns", type=int, default=5, help="how often the scan and the points run in turn")
    parser.add_argument("--study", type=int, metavar="WORLDS", help="run the study alone")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    if not (arguments.peers or arguments.study):
        parser.error("give --peers or --study")
    runs, same = (
        (time_study(arguments.study), True)
        if arguments.study
        else compare(arguments.peers, arguments.rows, arguments.many, arguments.repeats, arguments.turns)
    )
    print(json.dumps([asdict(r) for r in runs], indent=1)) if arguments.json else describe(runs)
    if not same:
        sys.exit("The tables differ.")


if __name__ == "__main__":
    main()
