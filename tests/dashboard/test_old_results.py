"""Results of an older version of the risk model: each page opens with them, and says first how to renew them."""

import pyarrow.parquet as pq
import pytest

from dashboard.web.page_list import RELEASE_PAGES
from data.release import Release
from data.release.derived import publish
from data.release.result import MANIFEST, Table
from tests.helpers.pages import run_framed_page
from tests.helpers.repetitions import vary

_LATER = {"tipping", "certainty", "surely", "statement", "ways_warning"}  # columns that older versions did not write
_OF_FILE = {"kind", "format", "release", "tier", "release_sha256", "code_version", "libraries", "resources", "created"}


@pytest.fixture(scope="module")
def old(demo_world, tmp_path_factory):
    """Return a folder of results in which that of the demo has no column and no entry of later versions."""
    derived = tmp_path_factory.mktemp("old") / "derived"
    for tier in ("partner", "public"):
        release = Release.open(demo_world / "releases", tier, derived=demo_world / "derived")
        result = release.result("risk")
        about = {key: value for key, value in result.manifest.items() if key not in {*_OF_FILE, "sha256", "gaps"}}
        tables = [read_table(entry) for entry in result.resources if entry["tact"]["measure"] != "sensitivity"]
        publish(derived, release, "risk", tables, about)
    assert len(list(derived.glob(f"*/risk-*/{MANIFEST}"))) == 2
    return derived


def read_table(entry) -> Table:
    about, rows = entry["tact"], pq.read_table(entry["path"])
    rows = rows.drop_columns([name for name in rows.column_names if name in _LATER])
    return Table(about["measure"], about["level"], about["grain"], tuple(about["breakdown"]), entry["title"], rows)


@pytest.mark.slow(seconds=15)
@vary("tier", ["partner", "public"])
def test_each_page_opens_and_says_first_how_to_renew_them(demo_world, old, monkeypatch, tier):
    for page in RELEASE_PAGES:
        text = run_framed_page(monkeypatch, demo_world / "releases", old, page.module, tier)
        assert "These results come from an earlier version" in text, page.module
