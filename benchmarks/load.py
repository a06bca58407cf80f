"""Measure the command line with one million invented encounters: import, repeated import, release.

    python benchmarks/load.py [--rows 1000000] [--repeats 3] [--keep DIR] [--json]

Prints seconds (median over the repeats), peak resident memory of the command and the ratio to the floor,
which is a scan of the same file with Arrow that groups by place and date. Exit code 1 when a target of
benchmarks/README.md is missed. Each repeat starts with a new workspace and an empty home folder.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path

ROWS = 1_000_000
# A child of the default world is met 1.8 times.
CHILDREN_PER_ROW = 0.6
TARGETS = {"import": (60.0, 2048.0), "release": (30.0, 2048.0)}


@dataclass(frozen=True)
class Run:
    """The cost of one step: seconds, peak resident memory in MiB, and the output of the command if it is JSON."""

    step: str
    seconds: float
    peak: float
    answer: object = None


def measured(step: str, command: list[str], home: Path) -> Run:
    """Run a command to its end; return its cost, with that of the processes that it started.

    Raises SystemExit if the command fails.
    """
    environment = os.environ | {"HOME": str(home), "XDG_CONFIG_HOME": str(home / ".config")}
    environment |= {"XDG_DATA_HOME": str(home / ".local/share")}
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, stderr=err, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        err.seek(0)
        if process.returncode:
            message = (out.read() + err.read()).decode(errors="replace")[-2000:]
            sys.exit(f"{' '.join(command)} failed with exit code {process.returncode}:\n{message}")
        text = out.read().decode()
    # The kernel counts kibibytes on Linux and bytes on a Mac.
    peak = usage.ru_maxrss / (1024.0**2 if sys.platform == "darwin" else 1024.0)
    return Run(step, seconds, peak, json.loads(text) if text.strip().startswith("{") else None)


MAKE = """
import sys
from pathlib import Path
from risk import worlds
rows, folder = int(sys.argv[1]), Path(sys.argv[2])
parameters = worlds.WorldParameters(children=max(1, int(rows * {share})))
world = worlds.simulate_default_areas(parameters)
assert len(world.records["encounter"]) >= rows, len(world.records["encounter"])
world.records["encounter"].iloc[:rows].to_csv(folder / "invented-load-encounter.csv", index=False)
world.records["effort"].to_csv(folder / "invented-load-effort.csv", index=False)
"""

FLOOR = """
import sys
import pyarrow.csv as csv
table = csv.read_csv(sys.argv[1])
grouped = table.group_by(["municipality", "date"]).aggregate([([], "count_all")])
assert sum(grouped["count_all"].to_pylist()) == int(sys.argv[2])
"""


def python(step: str, code: str, *arguments: object, home: Path) -> Run:
    """Run Python code in a separate process, and return its cost. Raises SystemExit if it fails."""
    return measured(step, [sys.executable, "-c", code, *map(str, arguments)], home)


def one_round(rows: int, folder: Path, home: Path) -> list[Run]:
    """Build a workspace, run all steps on the files, and return the cost of each step.

    Raises SystemExit if a command fails, if the import does not accept all rows, or if the repeated import does not
    know all of them.
    """
    workspace = folder / "workspace"
    shutil.rmtree(workspace, ignore_errors=True)
    tact = [str(Path(sys.executable).with_name("tact")), "--workspace", str(workspace)]
    encounters, effort = (folder / f"invented-load-{kind}.csv" for kind in ("encounter", "effort"))
    bring = [*tact, "import", "--json", "--kind", "encounter", str(encounters)]
    measured("init", [*tact, "init", "--practice", "--json"], home)
    measured("effort", [*tact, "import", "--json", "--kind", "effort", str(effort)], home)
    steps = [
        python("floor", FLOOR, encounters, rows, home=home),
        measured("import", bring, home),
        measured("import again", bring, home),
        measured("release", [*tact, "release", "--json"], home),
    ]
    accepted = _find(steps[1].answer, "accepted")
    already_known = _find(steps[2].answer, "already_known")
    if (accepted, already_known) != (rows, rows):
        sys.exit(f"{rows} rows were sent, {accepted} accepted, and {already_known} known the second time.")
    return steps


def _find(answer: object, key: str) -> object:
    """Return the value of a key in the output, at any depth; None if it is not there."""
    if isinstance(answer, dict):
        if key in answer:
            return answer[key]
        return next((match for value in answer.values() if (match := _find(value, key)) is not None), None)
    if isinstance(answer, list):
        return next((match for value in answer if (match := _find(value, key)) is not None), None)
    return None


def summary(rounds: list[list[Run]]) -> list[dict[str, object]]:
    """Return a row for each step: its median and largest seconds over the rounds, peak memory, ratio and target.

    The ratio is that of the seconds to those of the floor. `met` is None for a step without a target.
    """
    by_step: dict[str, list[Run]] = {}
    for runs in rounds:
        for run in runs:
            by_step.setdefault(run.step, []).append(run)
    floor = statistics.median(run.seconds for run in by_step["floor"])
    table = []
    for step, runs in by_step.items():
        seconds = statistics.median(run.seconds for run in runs)
        peak = max(run.peak for run in runs)
        most = TARGETS.get(step)
        met = None if most is None else seconds < most[0] and peak < most[1]
        line = {"step": step, "seconds": seconds, "slowest": max(run.seconds for run in runs)}
        table.append(line | {"peak_mib": peak, "times_floor": seconds / floor, "target": most, "met": met})
    return table


def show(table: list[dict[str, object]]) -> None:
    """Print the table."""
    print(f"{'step':<14}{'seconds':>9}{'slowest':>9}{'peak MiB':>10}{'x floor':>9}  target")
    for line in table:
        target = line["target"]
        words = "" if not target else f"under {target[0]:.0f} s and {target[1]:.0f} MiB: "
        words += {None: "", True: "met", False: "MISSED"}[line["met"]]
        print(
            f"{line['step']:<14}{line['seconds']:>9.2f}{line['slowest']:>9.2f}"
            f"{line['peak_mib']:>10.0f}{line['times_floor']:>9.1f}  {words}"
        )


def main() -> int:
    """Run the benchmark; return the exit code (1 if a target is not met)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--keep", type=Path, help="work in this folder and leave it there")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    folder = arguments.keep or Path(tempfile.mkdtemp(prefix="tact-load-"))
    folder.mkdir(parents=True, exist_ok=True)
    home = folder / "home"
    home.mkdir(exist_ok=True)
    try:
        preparation = python("make", MAKE.format(share=CHILDREN_PER_ROW), arguments.rows, folder, home=home)
        rounds = [one_round(arguments.rows, folder, home) for _ in range(arguments.repeats)]
    finally:
        if arguments.keep is None:
            shutil.rmtree(folder)
    table = summary([[preparation], *rounds]) if rounds else []
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.platform()}
    if arguments.json:
        runs = [asdict(run) for runs in rounds for run in runs]
        print(json.dumps({"rows": arguments.rows, "machine": machine, "steps": table, "runs": runs}, indent=2))
    else:
        print(f"{arguments.rows:,} encounters, {arguments.repeats} rounds, {machine}")
        show(table)
    return int(any(line["met"] is False for line in table))


if __name__ == "__main__":
    sys.exit(main())
