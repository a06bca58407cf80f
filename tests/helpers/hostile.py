"""Build a workspace in which every text from outside is hostile, only with the command line."""

from __future__ import annotations

import csv
import io
import json
import shutil
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import pytest
from filelock import FileLock

from data.schema.kinds import KINDS
from geo.areas import load_areas
from tests.helpers.small_policy import write_broad_policy

MARKUP = '<img src=x onerror="window.hostile=1">'
PAYLOADS = (
    MARKUP,
    '=HYPERLINK("http://127.0.0.1/x")',
    "{{7*7}}{7*7}%d${7*7}",
    "</script><script>window.hostile=1</script>",
    "[x](javascript:window.hostile=1)",
    ":material/delete: :red[x]",
    "$x^2$ `x` **x**",
    "<b onclick='window.hostile=1'>x</b>",
    "A;=1+1",
    "@SUM(1+1)",
    '" onmouseover="window.hostile=1',
    "_x003D_1+1",
)
# Without a slash, because it is used as a file name.
FILE_NAME = f"=1+1 {MARKUP} {{{{7*7}}}} [x](javascript:window.hostile=1) $x^2$ ; =1+1"
# Long before the years of the figures that ship with the product.
FIRST_YEAR = 1990
FORMATS = ("csv", "xlsx", "gpkg", "geojson", "parquet")
# Values with which the examples of the columns make a correct row that the map shows.
_FITTING = {
    "community": {"area": "AL-04"},
    "indicator": {"area": "AL-04"},
    "figure": {"share": "", "year": "2024", "period": "2024", "status": "provisional"},
}


def text_columns(kind: str) -> list[str]:
    """List the columns in which intake accepts free text."""
    return [c.name for c in KINDS[kind].file_columns if c.type in ("text", "identifier")]


def other_columns(kind: str) -> list[str]:
    return [c.name for c in KINDS[kind].file_columns if c.type not in ("text", "identifier")]


def token(payload: str, kind: str, column: str) -> str:
    """Return a hostile text that names the kind and column where it was written. A code of a child is no phrase."""
    text = f"{payload} {kind}.{column}"
    return text.replace(" ", "_") if column in ("child_id", "programme_number") else text


def good_row(kind: str) -> dict[str, str]:
    return {c.name: c.example for c in KINDS[kind].file_columns} | _FITTING.get(kind, {})


def hostile_rows(kind: str) -> list[dict[str, str]]:
    """Return rows in which every free text is hostile, one row for each payload."""
    return [
        good_row(kind) | {column: token(payload, kind, column) for column in text_columns(kind)} for payload in PAYLOADS
    ]


def figure_rows() -> list[dict[str, str]]:
    """Return hostile figures that are shown: for each payload two of a county, and one of Greece in a separate year."""
    rows = []
    for number, row in enumerate(hostile_rows("figure")):
        county = f"AL-{number % 12 + 1:02d}"
        rows += [row | {"area": county, "measure": measure} for measure in ("population", "roma")]
        year = str(FIRST_YEAR + number)
        rows.append(row | {"area": "GR", "measure": "victims", "year": year, "period": year})
    return rows


def spoiled_rows(kind: str) -> list[dict[str, str]]:
    """Return rows with one hostile column that is not free text, one row for each column and payload."""
    return [
        good_row(kind) | {column: token(payload, kind, column)}
        for payload in PAYLOADS
        for column in other_columns(kind)
    ]


def write(path: Path, rows: list[dict[str, str]]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def boundaries(folder: Path) -> Path:
    """Write the shapes of Albania's municipalities with hostile names, properties and file name; return the path.

    Only the codes are normal.
    """
    cells = load_areas().frame("municipality")
    cells = cells[(cells["country"] == "AL") & cells.geometry.notna()]
    names = [f"{PAYLOADS[i % len(PAYLOADS)]} {i}" for i in range(len(cells))]
    columns: dict[str, Any] = {"code": list(cells.index), MARKUP: names, "=1+1": names, "{{7*7}}": names}
    path = folder / f"{FILE_NAME}.geojson"
    frame = gpd.GeoDataFrame(columns, geometry=list(cells.geometry), crs=4326)
    path.write_text(json.dumps({**json.loads(frame.to_json()), "name": MARKUP}), encoding="utf-8")
    return path


@dataclass
class Hostile:
    """The workspace, and the output of the commands."""

    path: Path
    answers: dict[str, Any] = field(default_factory=dict)
    output: str = ""

    def tact(self, *words: object) -> Any:
        """Run a command with --json, check that it succeeds, and return its JSON."""
        out, err = io.StringIO(), io.StringIO()
        from dashboard.cli import main

        words_given = ["tact", "--workspace", str(self.path), *map(str, words), "--json"]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, "argv", words_given)
            patch.setenv("XDG_CONFIG_HOME", str(self.path.parent / "config"))
            patch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring")
            with pytest.raises(SystemExit) as end, redirect_stdout(out), redirect_stderr(err):
                main()
        assert not end.value.code, out.getvalue() + err.getvalue()
        self.output += out.getvalue() + err.getvalue()
        return json.loads(out.getvalue())


def build_once(shared: Path) -> Hostile:
    """Build the workspace once for all workers. Tests never change it: those that run commands use `copy`."""
    folder, answers = shared / "hostile-world", shared / "hostile-world.json"
    with FileLock(shared / "hostile-world.lock"):
        if not answers.exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            world = build(folder)
            answers.write_text(json.dumps([world.answers, world.output]), encoding="utf-8")
    return Hostile(folder / "workspace", *json.loads(answers.read_text(encoding="utf-8")))


def copy(world: Hostile, folder: Path) -> Hostile:
    """Copy the workspace and its keys into a folder, so that commands can be run in it."""
    shutil.copytree(world.path.parent, folder, dirs_exist_ok=True)
    return replace(world, path=folder / world.path.name)


def build(folder: Path) -> Hostile:
    """Build the workspace: import hostile files of every kind and hostile boundaries, then release."""
    world = Hostile(folder / "workspace")
    world.tact("init", "--practice")
    write_broad_policy(world.path)
    rows = {kind: hostile_rows(kind) for kind in KINDS} | {"figure": figure_rows()}
    files = [write(folder / f"{kind} {MARKUP}.csv".replace("/", ""), rows[kind]) for kind in rows]
    world.answers["good"] = world.tact("import", *files, "--new-partner")
    bad = [write(folder / f"{kind}-bad {{{{7}}}}.csv", spoiled_rows(kind)) for kind in KINDS]
    world.answers["bad"] = world.tact("import", *bad, "--new-partner")
    world.answers["mapped"] = _by_mapping(world, folder)
    world.answers["areas"] = world.tact("areas", "import", boundaries(folder), "--credit", FILE_NAME)
    world.answers["release"] = world.tact("release")
    return world


def _by_mapping(world: Hostile, folder: Path) -> Any:
    """Import a partner's file with a hostile partner name, hostile headings and hostile words for categories."""
    row = good_row("effort")
    del row["partner"]
    row["kind"], theirs = MARKUP, {"date": MARKUP, "days": "=1+1", "kind": "{{7*7}}"}
    lines = [f"{ours} = {json.dumps(name)}" for ours, name in theirs.items()]
    rules = folder / "mapping.toml"
    text = "\n".join(["[columns]", *lines, "[values.kind]", f'{json.dumps(MARKUP)} = "street_outreach"'])
    rules.write_text(text, encoding="utf-8")
    file = write(folder / "mapped.csv", [{theirs.get(name, name): value for name, value in row.items()}])
    return world.tact("import", file, "--kind", "effort", "--partner", PAYLOADS[7], "--new-partner", "--mapping", rules)
