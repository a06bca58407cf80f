"""`tact publish` and a server that shows what it wrote."""

import re
import shutil

import pytest

from data.accounts.database import Accounts
from data.release import current_name
from data.workspace import Workspace
from tests.dashboard.test_server import start, stop
from tests.helpers.accounts import hash_cheaply, sign_in_cookie
from tests.helpers.conversation import open_page
from tests.helpers.entry import keep_cookie
from tests.helpers.paths import ROOT


@pytest.fixture
def demo(demo_world, tmp_path):
    return shutil.copytree(demo_world, tmp_path / "demo")


def test_it_says_what_to_do_and_which_key_a_server_needs(tact, demo, tmp_path):
    done = tact("--workspace", demo, "publish", "--to", tmp_path / "public")
    assert done.code == 0
    again = tact("--workspace", demo, "publish", "--to", tmp_path / "public", "--json").json
    assert again["key"] in done.out
    assert (again["written"], again["removed"], again["tier"]) == (0, 0, "public")
    partner = tact("--workspace", demo, "publish", "--to", tmp_path / "partner", "--tier", "partner")
    documented = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    for output in (done.out, partner.out):
        line = re.sub(r"\S+/ root@SERVER", "FOLDER/ root@$NAME", re.search("rsync .*", output)[0])
        assert f"\n    {line}\n" in documented


def test_the_line_that_shows_the_folder_is_printed_and_another_tier_is_named(tact, demo, tmp_path):
    done = tact("--workspace", demo, "publish", "--to", tmp_path / "public")
    line = re.search(r"tact (serve --published (\S+) --signed-by \S+) (--tier public)\n", done.out)
    assert line[2] == str(tmp_path / "public")
    refusal = tact(*line[1].split())
    assert (refusal.code, refusal.err.strip()) == (2, f"{line[2]} was published for the public tier. Add: {line[3]}")


def test_it_says_that_the_results_of_the_risk_model_are_missing(tact, demo, tmp_path):
    missing = "no results of the risk model yet. Run tact risk"
    for tier in ("public", "partner"):
        assert missing not in tact("--workspace", demo, "publish", "--to", tmp_path / tier, "--tier", tier).out
    shutil.rmtree(demo / "derived")
    for tier in ("public", "partner"):
        done = tact("--workspace", demo, "publish", "--to", tmp_path / tier, "--tier", tier)
        assert (done.code, missing in done.out) == (0, True)


def test_no_results_are_missing_where_a_release_has_only_published_figures(tact, tmp_path):
    folder = tmp_path / "practice"
    tact("--workspace", folder, "init", "--practice")
    tact("--workspace", folder, "release", "--figures-only")
    done = tact("--workspace", folder, "publish", "--to", tmp_path / "public")
    assert (done.code, "risk model" in done.out) == (0, False)


def test_bad_input_is_named(tact, demo, tmp_path):
    assert tact("--workspace", demo, "publish", "--to", tmp_path / "server", "--tier", "secret").code == 2
    assert tact("--workspace", demo, "publish", "--to", demo / "server").code == 2
    assert tact("--workspace", tmp_path / "none", "publish", "--to", tmp_path / "server").code == 3
    key = tact("--workspace", demo, "publish", "--to", tmp_path / "server", "--json").json["key"]
    for options in (
        ("--published", tmp_path / "server"),
        ("--signed-by", key),
        ("--published", tmp_path / "server", "--signed-by", "00" * 32, "--tier", "public"),
        ("--published", tmp_path / "server", "--signed-by", key, "--tier", "partner"),
        ("--published", tmp_path / "nowhere", "--signed-by", key, "--tier", "public"),
    ):
        refusal = tact("serve", *options)
        assert refusal.code == 2, options
        assert "Traceback" not in refusal.err


@pytest.mark.slow
def test_a_server_shows_what_was_published_until_it_is_changed_and_again_when_it_is_mended(tact, demo, tmp_path):
    server = tmp_path / "server"
    key = tact("--workspace", demo, "publish", "--to", server, "--json").json["key"]
    name = current_name(Workspace.open(demo).releases)
    manifest = server / "releases" / name / "public" / "datapackage.json"
    served = start(None, tmp_path / "seen", "--published", server, "--signed-by", key, "--tier", "public")
    try:
        assert name in " ".join(open_page(served.url, "method").texts)
        manifest.write_text(manifest.read_text(encoding="utf-8").replace("invented", "counted"), encoding="utf-8")
        assert name not in " ".join(open_page(served.url, "method").texts)
        tact("--workspace", demo, "publish", "--to", server)
        page = open_page(served.url, "method")
    finally:
        stop(served)
    assert (page.ended, page.errors) == ("FINISHED_SUCCESSFULLY", [])
    assert name in " ".join(page.texts)


@pytest.mark.slow
def test_on_a_server_of_partners_a_guest_sees_the_public_tier(tact, demo, tmp_path, monkeypatch):
    hash_cheaply(monkeypatch)
    accounts = Accounts.open_or_create(tmp_path / "accounts.sqlite")
    server, name = tmp_path / "server", current_name(Workspace.open(demo).releases)
    key = tact("--workspace", demo, "publish", "--tier", "partner", "--to", server, "--json").json["key"]
    options = ("--published", server, "--signed-by", key, "--tier", "partner", "--accounts", accounts.path)
    served, texts = start(None, tmp_path / "seen", *options), {}
    try:
        for role in ("partner", "guest"):
            keep_cookie(served.url, sign_in_cookie(accounts, role, int(served.url.rpartition(":")[2]), ""))
            page = open_page(served.url, "method")
            assert (page.ended, page.errors) == ("FINISHED_SUCCESSFULLY", [])
            texts[role] = " ".join(page.texts)
    finally:
        stop(served)
    assert name in texts["partner"]
    assert name in texts["guest"]
    assert ["Partner tier" in texts[role] for role in ("partner", "guest")] == [True, False]
    assert ["Public tier" in texts[role] for role in ("partner", "guest")] == [False, True]
