"""QGIS reads every collection of partners whole, with a token; left out where QGIS for Python is not installed."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from data.accounts.database import Accounts
from data.release import Release
from geo.export import list_layers
from geo.layers.output import wide
from tests.helpers import small_release
from tests.helpers.accounts import hash_cheaply, make_token_as
from tests.helpers.browser import free_port, wait_for
from tests.helpers.paths import ROOT

# Debian's python3-qgis belongs to the Python of the system, which has no package of this project.
PYTHON = "/usr/bin/python3"
QGIS = Path("/usr/lib/python3/dist-packages/qgis/core")
NUMBERS = ("value", "margin", "low", "high")
READ = """
import json, os, sys
from qgis.core import QgsApplication, QgsAuthMethodConfig, QgsVectorLayer
address, token, *names = sys.argv[1:]
application = QgsApplication([], False)
application.initQgis()
entry = QgsAuthMethodConfig("APIHeader")
entry.setId("tactmap")
entry.setName("TACT Map")
entry.setConfig("Authorization", "Bearer " + token)
QgsApplication.authManager().setMasterPassword("invented", True)
QgsApplication.authManager().storeAuthenticationConfig(entry)
for name in names:
    source = f"typename='{name}' url='{address}' version='OGC_API_FEATURES' pageSize='250' authcfg='tactmap'"
    layer = QgsVectorLayer(source, name, "OAPIF")
    columns = ("code", "period", "state", "tier", "value", "margin", "low", "high")
    rows = [[row[column] for column in columns] for row in layer.getFeatures()]
    print("READ", json.dumps([name, layer.crs().authid(), rows], default=lambda _null: None), flush=True)
os._exit(0)
"""


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Serve a small release of partners to people who sign in; yield it, the address of its layers and a token."""
    hash_cheaply(monkeypatch)
    releases = small_release.make_both(tmp_path / "releases")
    accounts = Accounts.open_or_create(tmp_path / "accounts" / "accounts.sqlite")
    command = [sys.executable, "-m", "dashboard.server", "--releases", str(releases), "--tier", "partner"]
    command += ["--port", str(free_port()), "--accounts", str(accounts.path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
    try:
        token = make_token_as(accounts, "Besa", "researcher")
        yield Release.open(releases, "partner"), f"{wait_for(process)}/features", token
    finally:
        process.terminate()
        process.communicate(timeout=10)


@pytest.mark.long
@pytest.mark.skipif(not QGIS.is_dir(), reason="QGIS for Python (Debian: python3-qgis) is not installed")
def test_qgis_reads_every_collection_whole_by_paging_with_a_token(served, tmp_path):
    release, address, token = served
    tables = {
        f"{layer.id}_{level}{named}": wide.build_long_table(release, layer).query("level == @level")
        for layer in list_layers(release)
        for level in layer.levels(release)
        for named in ("", f"_{release.name}")
    }
    home = {**os.environ, "HOME": str(tmp_path), "XDG_RUNTIME_DIR": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    home.pop("PYTHONPATH", None)
    answer = subprocess.run(
        [PYTHON, "-c", READ, address, token, *tables], env=home, capture_output=True, text=True, timeout=300, check=True
    )
    lines = [json.loads(line.removeprefix("READ ")) for line in answer.stdout.splitlines() if line.startswith("READ ")]
    assert [name for name, _, _ in lines] == list(tables)
    for name, crs, rows in lines:
        table = tables[name]
        assert crs == "OGC:CRS84"
        assert [[text or "" for text in row[:4]] for row in rows] == table[["code", "period", "state", "tier"]].astype(
            "str"
        ).to_numpy().tolist()
        numbers = table[list(NUMBERS)].astype("float64").astype(object)
        assert [row[4:] for row in rows] == numbers.where(numbers.notna(), None).to_numpy().tolist(), name
