"""A programme that is still running: some years are final, the quarters of the current year are provisional."""

import os
import subprocess
import sys
from datetime import date

import pytest

from dashboard.commands import demo, publish
from dashboard.commands.risk import score
from dashboard.web.page_list import RELEASE_PAGES
from data.release import Release
from data.restricted import keys
from data.restricted.publication import release_workspace
from data.restricted.vault import Vault
from data.tables.spec import TIERS
from data.workspace import Workspace
from geo.areas import pack_areas
from risk.planning.scoring import list_scored_tiers
from tests.conftest import Scored
from tests.helpers.pages import open_page
from tests.helpers.paths import ROOT
from tests.helpers.repetitions import vary

DAYS = {
    "before a year is final": (date(2006, 12, 15), "2006-11-001", "2006-05-31"),
    "in the third year": (date(2008, 10, 15), "2008-08-001", "2008-05-31"),
}

BEHIND_THE_WALL = """
import sys, os
vault, releases = sys.argv[1:]
seen = []
def hook(event, arguments):
    if event == "open" and str(arguments[0]).startswith(vault):
        seen.append(str(arguments[0]))
sys.addaudithook(hook)
os.environ.update(TACT_RELEASES=releases, TACT_TIER="partner")
from streamlit.testing.v1 import AppTest
from dashboard.web.page_list import RELEASE_PAGES
import dashboard.server
for module, *_rest in RELEASE_PAGES:
    script = f"from dashboard.pages import {module}; {module}.show()"
    app = AppTest.from_string(script, default_timeout=120).run()
    assert not app.exception, (module, app.exception)
app = AppTest.from_file("dashboard/web/script/app.py", default_timeout=120).run()
assert not app.exception
assert seen == [], seen
loaded = [name for name in sys.modules if name.startswith(("sqlcipher3", "keyring", "data.restricted"))]
assert not loaded, loaded
print("clean")
"""


def open_here(monkeypatch, workspace):
    for module, *_rest in RELEASE_PAGES:
        open_page(monkeypatch, Scored(workspace.releases, workspace.derived), module)


def open_behind_the_wall(_monkeypatch, workspace):
    """Open all pages in a process that opens no file of the vault and loads nothing that could read it."""
    done = subprocess.run(
        [sys.executable, "-c", BEHIND_THE_WALL, str(workspace.vault), str(workspace.releases)],
        cwd=ROOT, env={**os.environ, "TACT_DERIVED": str(workspace.derived)},
        capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert "clean" in done.stdout, done.stderr[-2000:]


@pytest.fixture
def release_until(tmp_path, monkeypatch, few_worlds):
    """Return a function that releases a world on a day, and returns its workspace and what is new."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def release(day, children):
        workspace = Workspace.create(tmp_path / "world", "invented")
        keys.store(workspace.key_id, keys.create_from_seed(5))
        secrets = keys.load(workspace.key_id)
        with Vault.create(workspace.vault, secrets) as vault:
            records = demo._build_world(5, children).records
            demo.import_records(workspace, vault, secrets, records)
            return workspace, release_workspace(workspace, vault, secrets, pack_areas(workspace.areas), None, day)

    return release


@pytest.mark.slow
@vary("when", DAYS)
def test_the_public_has_the_years_that_are_final_and_a_tier_without_one_is_not_scored(release_until, when):
    day, name, final = DAYS[when]
    workspace, new = release_until(day, children=100)
    assert (new.name, new.final) == (name, final)
    public = Release.open(workspace.releases, "public")
    years = public.table("children_region_year")["period"].unique()
    assert len(years) == int(final[:4]) - 2006
    assert list_scored_tiers(public) == (("partner", "public") if len(years) else ("partner",))
    assert tuple(
        tier for tier in TIERS if publish._word_missing(workspace, Release.open(workspace.releases, tier))
    ) == list_scored_tiers(public)


@pytest.mark.long
@pytest.mark.usefixtures("few_draws")
@pytest.mark.parametrize("when", DAYS)
@pytest.mark.parametrize("open_pages", [open_here, open_behind_the_wall])
def test_every_page_shows_it(release_until, monkeypatch, when, open_pages):
    workspace, _new = release_until(DAYS[when][0], children=300)
    tiers = list_scored_tiers(Release.open(workspace.releases, "public"))
    score(workspace, lambda *_, **__: None, tiers=tiers)
    open_pages(monkeypatch, workspace)
