"""The same records and keys give the same numbers and files, for any order of rows and in any process."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pandas as pd
import pytest

from data.tables.spec import TIERS
from risk import worlds
from risk.worlds import DEFAULT_SEED
from tests.helpers.paths import ROOT

KEYS = {"TACT_VAULT_KEY": "c3" * 32, "TACT_IDENTIFIER_KEY": "d4" * 32}
KINDS = ("effort", "encounter", "community", "indicator")
FORMATS = ("csv", "xlsx", "gpkg", "geojson", "parquet")

pytestmark = pytest.mark.slow


def run(words, seed=0, **keys):
    """Run Python in a new process, whose sets have an order that depends on the seed; return its output."""
    environment = os.environ | KEYS | keys | {"PYTHONHASHSEED": str(seed)}
    done = subprocess.run(
        [sys.executable, *words], cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


# Runs commands one after another: most of the work of a short one is to load what all of them need.
COMMANDS = """
import json, sys
from pathlib import Path
import pytest
from dashboard.cli import main
from tests.helpers.quick import use_few_worlds
from tests.helpers.small_policy import write_broad_policy
use_few_worlds(pytest.MonkeyPatch())
for words in json.loads(sys.argv.pop()):
    sys.argv[1:] = words
    try:
        main()
    except SystemExit as end:
        assert not end.code, words
    if "init" in words:
        write_broad_policy(Path(words[1]))
"""


def tact(workspace, *commands, seed=0, **keys):
    """Run commands in a new process."""
    listed = [["--workspace", str(workspace), *map(str, words)] for words in commands]
    return run(["-c", COMMANDS, json.dumps(listed)], seed, **keys)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return partner files of an invented world that need no mapping."""
    world = worlds.simulate_default_areas(worlds.WorldParameters(seed=5, children=150))
    written = sorted(worlds.write_partner_files(world, tmp_path_factory.mktemp("files"), False))
    kind_files = [path for path in written if any(f"-{kind}.csv" in path.name for kind in KINDS)]
    return [path for path in kind_files if "terre" in path.name or "effort" in path.name]


def released(folder, files, seed, **keys):
    workspace = folder / "workspace"
    tact(workspace, ["init", "--practice"], ["import", *files], ["release"], seed=seed, **keys)
    return workspace


@pytest.fixture(scope="module")
def first(files, tmp_path_factory):
    return released(tmp_path_factory.mktemp("first"), files, 1)


def tables(workspace):
    """Return the bytes of every table of both tiers."""
    return {
        f"{tier}/{path.name}": path.read_bytes()
        for tier in TIERS
        for path in sorted(workspace.glob(f"releases/*/{tier}/*.parquet"))
    }


def manifests(workspace):
    packages = [json.loads(p.read_text("utf-8")) for p in sorted(workspace.glob("releases/*/*/datapackage.json"))]
    for package in packages:
        assert package.pop("created") == package["tact"].pop("created")
        del package["sha256"]  # of a text with the time in it
    return packages


def differing(left, right):
    assert set(left) == set(right)
    return sorted(name for name in left if left[name] != right[name])


def test_another_process_and_another_order_of_rows_and_files_make_the_same_release(first, files, tmp_path):
    shuffled = []
    for number, path in enumerate(reversed(files)):
        rows = pd.read_csv(path, dtype="str", keep_default_na=False)
        shuffled.append(tmp_path / path.name)
        rows.sample(frac=1, random_state=number).to_csv(shuffled[-1], index=False)
    again = released(tmp_path, shuffled, 3)
    assert len(tables(first)) > 20
    assert differing(tables(first), tables(again)) == []
    assert manifests(first) == manifests(again)


@pytest.mark.long
def test_another_identifier_key_gives_other_noise_and_the_same_rest(first, files, tmp_path):
    other = released(tmp_path, files, 1, TACT_IDENTIFIER_KEY="e5" * 32)
    changed = differing(tables(first), tables(other))
    assert changed
    measures = {name.partition("/")[2].removesuffix(".parquet").partition("_")[0] for name in changed}
    assert measures <= {"children", "encounters", "model", "flows", "indicators", "completeness"}


@pytest.mark.long
def test_a_seed_makes_the_same_demo_with_the_same_noise(demo_world, tmp_path):
    program = "from pathlib import Path; from dashboard.commands import demo; demo.release_demo(Path({!r}), {})"
    run(["-c", program.format(str(tmp_path / "again"), DEFAULT_SEED)], seed=4, **dict.fromkeys(KEYS, ""))
    assert differing(tables(demo_world), tables(tmp_path / "again")) == []


def content(path):
    """Return the bytes of a file; for a GeoPackage its rows, because GDAL may order the pages differently."""
    if path.suffix != ".gpkg":
        return path.read_bytes()
    with closing(sqlite3.connect(path)) as file:
        names = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        rows = {name: file.execute(f'SELECT * FROM "{name}"').fetchall() for name in names}
    return {name: content for name, content in rows.items() if not name.startswith("rtree_")}


@pytest.mark.long
@pytest.mark.parametrize("tier", TIERS)
def test_another_process_makes_the_same_files(first, tmp_path, tier):
    formats = [word for name in FORMATS for word in ("--format", name)]
    exports = []
    for seed in (1, 2):
        workspace, folder = tmp_path / f"workspace-{seed}", tmp_path / str(seed)
        shutil.copytree(first, workspace)
        receiver = ("--for", "Invented Partner") if tier == "partner" else ()
        tact(workspace, ["export", "--to", folder, "--tier", tier, *receiver, *formats], seed=seed)
        exports.append({path.name: content(path) for path in folder.iterdir()})
    assert len(exports[0]) > 40
    assert differing(*exports) == []
