"""Who may see which tier at which address, and what the web process receives."""

import os
import shutil
from pathlib import Path

import pytest

from dashboard import site
from dashboard.site import current_release, reader
from data.errors import InputError
from data.release import MANIFEST, WITHDRAWN, Release
from data.release.signed_list import Publisher
from data.release.stamp import format_stamped
from geo.layers.reading.tables import load_table
from tests.helpers.small_release import make

VARIABLES = ("TACT_RELEASES", "TACT_TIER", "TACT_DERIVED", "TACT_PUBLISHER")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_this_machines_own_address_shows_the_partner_tier(host):
    assert site.allowed_tier(host) == "partner"
    assert site.allowed_tier(host, "partner") == "partner"
    assert site.allowed_tier(host, "public") == "public"


@pytest.mark.parametrize(
    "host", ["0.0.0.0", "::", "192.168.1.5", "127.0.0.2.example", "localhost.example", "", "127.1"]
)
def test_any_other_address_shows_the_public_tier_only(host):
    assert site.allowed_tier(host) == "public"
    with pytest.raises(InputError, match="partner tier is not shown"):
        site.allowed_tier(host, "partner")


def test_an_unknown_tier_is_refused_by_name():
    with pytest.raises(InputError, match="'vault'"):
        site.allowed_tier("127.0.0.1", "vault")


def test_the_environment_loses_keys_and_the_keyring():
    environment = {
        "TACT_VAULT_KEY": "k",
        "TACT_IDENTIFIER_KEY": "i",
        "tact_workspace": "w",
        "DBUS_SESSION_BUS_ADDRESS": "d",
        "PYTHON_KEYRING_BACKEND": "p",
        "PATH": "/bin",
        "LANG": "sq_AL.UTF-8",
    }
    assert site.clean_environment(environment) == {"PATH": "/bin", "LANG": "sq_AL.UTF-8"}


def test_the_command_names_the_releases_what_was_derived_and_the_tier_and_no_other_folder(tmp_path):
    command = site.make_serve_command(site.Site(tmp_path / "releases", "public", tmp_path / "derived"), "0.0.0.0", 8642)
    assert command[1:3] == ["-m", "dashboard.server"]
    assert command[3:] == [
        *("--releases", str(tmp_path / "releases")),
        *("--derived", str(tmp_path / "derived")),
        *("--tier", "public", "--host", "0.0.0.0", "--port", "8642"),
    ]


def test_without_a_folder_of_what_was_derived_none_is_named(tmp_path):
    command = site.make_serve_command(site.Site(tmp_path / "releases", "public"), "0.0.0.0", 8642)
    assert command[3:] == [
        *("--releases", str(tmp_path / "releases")),
        *("--tier", "public", "--host", "0.0.0.0", "--port", "8642"),
    ]


def test_of_a_publisher_the_command_names_the_folder_and_the_key(tmp_path):
    shown = site.Site.of_publisher(Publisher(tmp_path, "ab" * 32, "public"))
    command = site.make_serve_command(shown, "127.0.0.1", 8642, name="map.example.org")
    assert command[3:7] == ["--published", str(tmp_path), "--signed-by", "ab" * 32]
    assert "--releases" not in command
    assert "--derived" not in command


def test_a_publisher_that_is_announced_is_read(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    chosen = site.Site.of_publisher(Publisher(tmp_path, "ab" * 32, "public"))
    site.announce_site(chosen)
    assert site.read_site() == chosen
    assert site.read_site().work_folder is None


def test_what_is_announced_is_read(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that what is announced is undone afterwards
    chosen = site.Site(tmp_path, "partner", tmp_path / "derived")
    site.announce_site(chosen)
    assert site.read_site() == chosen


@pytest.mark.parametrize(
    ("blocked", "hidden"),
    [
        ("", set()),
        ("communities\n", {"communities"}),
        ("communities\ndark_figure\n", {"communities", "dark_figure"}),
        (None, {"communities", "dark_figure"}),
    ],
)
def test_what_governance_does_not_approve_now_is_hidden_at_once(demo_world, tmp_path, blocked, hidden):
    releases = Path(shutil.copytree(demo_world / "releases", tmp_path / "releases"))
    shown = site.Site(releases, "partner")
    before = current_release.open_current_release(shown)
    levels = current_release.list_levels(before)
    (releases / "blocked").unlink() if blocked is None else (releases / "blocked").write_text(blocked)
    after = current_release.open_current_release(shown)
    assert after.without == hidden
    assert ("communities" in current_release.list_levels(after)) == ("communities" not in hidden)
    assert current_release.list_levels(before) == levels
    assert any(name.startswith("communities") for name in after.release.tables) == ("communities" not in hidden)


def test_pages_and_layers_read_a_table_from_one_cache(demo_world):
    release = Release.open(demo_world / "releases", "public")
    current = current_release.follow_release(release)
    table = current_release.read_table(current, "children_region_year")
    assert len(table)
    assert table is load_table(release, "children_region_year")
    assert current_release.read_table(current, "nothing").empty


def test_what_was_announced_is_read_and_anything_unclear_is_public(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    with pytest.raises(InputError, match="tact serve"):
        site.read_site()
    monkeypatch.setenv("TACT_RELEASES", str(tmp_path))
    assert site.read_site() == site.Site(tmp_path, "public")
    monkeypatch.setenv("TACT_TIER", "Partner ")
    assert site.read_site().tier == "public"
    site.announce_site(site.Site(tmp_path, "public", derived=tmp_path / "derived"))
    site.announce_site(site.Site(tmp_path, "partner"))
    assert site.read_site() == site.Site(tmp_path, "partner")
    assert os.environ["TACT_TIER"] == "partner"
    assert site.read_site().derived is None, "what was announced of another site must be gone"


def test_a_site_without_a_release_has_none(tmp_path):
    assert site.Site(tmp_path, "partner").release() is None
    assert site.Site(tmp_path, "partner").list_releases() == []


def test_a_release_that_was_taken_back_is_not_listed(tmp_path):
    for number, name in enumerate(("first", "second", "third"), start=1):
        (tmp_path / name / "public").mkdir(parents=True)
        text = format_stamped({"tact": {"sequence": number}})
        (tmp_path / name / "public" / MANIFEST).write_text(text, encoding="utf-8")
    for current, listed in (("third", ["third", "second", "first"]), ("second", ["second", "first"])):
        (tmp_path / "current").write_text(current)
        assert site.Site(tmp_path, "public").list_releases() == listed


def test_a_reader_keeps_the_release_that_they_have_open_until_it_is_taken_back(tmp_path):
    make(tmp_path, name="first", sequence=1)
    make(tmp_path, name="second", sequence=2)
    for asked, shown in (("", "second"), ("first", "first"), ("second", "second"), ("../first", "second")):
        assert site.Site(tmp_path, "partner", asked=asked).release().name == shown
    (tmp_path / "current").write_text("first\n", encoding="utf-8")
    assert site.Site(tmp_path, "partner", asked="second").release().name == "first"


def test_a_name_goes_along_with_the_public_tier_alone(tmp_path):
    command = site.make_serve_command(site.Site(tmp_path, "public"), "127.0.0.1", 8642, name="map.example.org")
    assert command[-8:] == ["--tier", "public", "--host", "127.0.0.1", "--port", "8642", "--name", "map.example.org"]
    for name in (None, "map.example.org", "map.example.org:8443", "map"):
        site.check_name(name, "public")
    with pytest.raises(InputError, match="--tier public"):
        site.check_name("map.example.org", "partner")


@pytest.mark.parametrize("name", ["", "https://map.example.org", "map.example.org/x", "*", "Map", "a b", "x:", "a\n"])
def test_what_is_no_host_name_is_refused(name):
    with pytest.raises(InputError, match="not the name of a host"):
        site.check_name(name, "public")


def test_people_sign_in_to_the_partner_tier_alone_also_by_a_name(tmp_path):
    command = site.make_serve_command(
        site.Site(tmp_path, "partner"), "127.0.0.1", 8642, accounts=tmp_path / "accounts.sqlite"
    )
    assert command[-2:] == ["--accounts", str(tmp_path / "accounts.sqlite")]
    command = site.make_serve_command(
        site.Site(tmp_path, "partner"), "127.0.0.1", 8642, accounts=tmp_path / "a", access=tmp_path / "access.toml"
    )
    assert command[-4:] == ["--accounts", str(tmp_path / "a"), "--access", str(tmp_path / "access.toml")]
    site.check_name("map.example.org", "partner", people=True)
    with pytest.raises(InputError, match="People sign in to the partner tier"):
        site.check_name(None, "public", people=True)


def test_a_reader_sees_and_writes_what_their_role_allows(tmp_path, monkeypatch):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    site.announce_site(site.Site(tmp_path, "partner", tmp_path))
    assert (site.read_site().tier, site.read_site().work_folder) == ("partner", tmp_path)
    monkeypatch.setenv(reader.PEOPLE, "yes")
    assert (site.read_site().tier, site.read_site().work_folder) == ("public", None), (
        "nobody, without the door's header"
    )
    for role, tier, folder in (
        ("manager", "partner", tmp_path),
        ("partner", "partner", None),
        ("guest", "public", None),
    ):
        headers = {reader.HEADER: reader.write_header("Ελένη", role)}
        monkeypatch.setattr(reader, "_finders", [lambda headers=headers: headers])
        assert (site.read_site().tier, site.read_site().work_folder) == (tier, folder)
        assert reader.find_reader().name == "Ελένη"


@pytest.mark.parametrize(
    ("role", "countries", "seen", "saves"),
    [
        ("manager", (), ["derived", "plans"], True),
        ("partner", (), ["derived", "plans"], False),
        ("manager", ("AL",), [], False),
    ],
)
def test_on_a_server_plans_are_saved_beside_the_accounts(tmp_path, monkeypatch, role, countries, seen, saves):
    for name in VARIABLES:
        monkeypatch.setenv(name, "")
    site.announce_site(site.Site.of_publisher(Publisher(tmp_path / "sent", "ab" * 32, "partner")))
    assert site.read_site().plan_folders == (tmp_path / "sent" / "derived",)
    assert site.read_site().work_folder is None, "where nobody signs in"
    monkeypatch.setenv(reader.PEOPLE, str(tmp_path / "accounts.sqlite"))
    headers = {reader.HEADER: reader.write_header("Ελένη", role, countries)}
    monkeypatch.setattr(reader, "_finders", [lambda: headers])
    assert [folder.name for folder in site.read_site().plan_folders] == seen
    assert site.read_site().work_folder == (tmp_path / "plans" if saves else None)


def test_a_release_that_was_taken_back_is_shown_to_nobody_who_asks_for_it(tmp_path):
    for number, name in enumerate(("2008-05-001", "2008-05-002", "2008-05-003"), start=1):
        make(tmp_path, name=name, sequence=number)
    shown = site.Site(tmp_path, "partner", asked="2008-05-002")
    assert shown.release().name == "2008-05-002"
    (tmp_path / WITHDRAWN).write_text("2008-05-002\n")
    assert shown.release().name == "2008-05-003"
    assert shown.list_releases() == ["2008-05-003", "2008-05-001"]
    current = current_release.open_current_release(shown)
    assert current_release.open_earlier_release(shown, current).release.name == "2008-05-001"
    (tmp_path / WITHDRAWN).write_text("2008-05-002\n2008-05-003\n")
    assert (shown.release().name, shown.list_releases()) == ("2008-05-001", ["2008-05-001"])
