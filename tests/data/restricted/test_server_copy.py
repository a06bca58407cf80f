"""A copy for a server: nothing of the vault or of another tier is in it, and only what was signed is believed."""

import json
import random
import shutil
from contextlib import contextmanager

import pytest
from filelock import FileLock

from data.errors import InputError, ReleaseDamaged, ReleaseError, WorkspaceError
from data.release import MANIFEST, WITHDRAWN, Release, audits, current_name, signed_list
from data.release.signed_list import BREAKS, LISTS, Publisher, believe
from data.release.stamp import format_stamped, read_stamped
from data.restricted import server_copy
from data.restricted.keys import Secret
from data.restricted.publishing.releases_folder import withdraw_newer
from data.workspace import Workspace, files
from risk.model.breaks import Break, accept_break, read_breaks
from tests.helpers.audit_reports import write as write_report

KEY = Secret(bytes(range(32)))


@pytest.fixture
def workspace(demo_world, tmp_path):
    """Return a copy of the demo with an audit report and an accepted break."""
    opened = Workspace.open(shutil.copytree(demo_world, tmp_path / "demo"))
    for tier in ("partner", "public"):
        write_report(opened.derived, Release.open(opened.releases, tier))
    accept_break(opened.derived, Break("2008-03-01/P3M", "AL", "a new law", "manager", "2009-06-01"), ["AL"])
    return opened


@pytest.fixture
def trust(monkeypatch):
    """Return a context in which this process believes a publisher."""

    @contextmanager
    def trust_publisher(publisher, own_folders=()):
        with monkeypatch.context() as patch:
            patch.setattr(signed_list, "_publisher", [])
            patch.setattr(signed_list, "_own_folders", [])
            believe(publisher, own_folders)
            yield

    return trust_publisher


def list_places(folder):
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def publish(workspace, target, tier="public", key=KEY):
    copy = server_copy.publish_copy(workspace, tier, target, key)
    return copy, Publisher(target, copy.key, tier)


def add_release(workspace, name):
    """Add a release that differs from the current one in its name and number alone, and make it current."""
    last = workspace.releases / current_name(workspace.releases)
    for tier in ("partner", "public"):
        folder = shutil.copytree(last / tier, workspace.releases / name / tier)
        described = read_stamped(folder / MANIFEST, "")
        about = described["tact"] | {"sequence": described["tact"]["sequence"] + 1}
        (folder / MANIFEST).write_text(format_stamped(described | {"tact": about}), encoding="utf-8")
    (workspace.releases / "current").write_text(name)


def read_all(publisher, *, breaks=True):
    """Open the release that a publisher shows and read all of it; return its name."""
    shown = publisher.find_whole().current
    folder = publisher.folder
    release = Release.open(folder / "releases", publisher.tier, shown, publisher.read_blocked(), folder / "derived")
    assert release.check() == []
    audits.newest(folder / "derived", shown, publisher.tier, release.checksum)
    assert not breaks or read_breaks(folder / "derived")
    return shown


def test_of_the_workspace_only_one_tier_of_releases_and_results_is_in_it(workspace, tmp_path, trust):
    copy, publisher = publish(workspace, tmp_path / "server")
    places = list_places(tmp_path / "server")
    assert len(places) == copy.written + 1
    assert [place for place in places if "partner" in place] == []
    assert {place.split("/")[0] for place in places} == {"releases", "derived", LISTS}
    assert {place.rsplit(".", 1)[1] for place in places} == {"json", "parquet", "csv", "list"}
    with trust(publisher):
        assert read_all(publisher) == copy.release == current_name(workspace.releases)


def test_a_copy_for_partners_has_both_tiers_under_one_list_and_is_no_copy_for_the_public(workspace, tmp_path, trust):
    copy, publisher = publish(workspace, tmp_path / "server", "partner")
    files = publisher.find_whole().files
    for tier in ("partner", "public"):
        assert f"releases/{copy.release}/{tier}/{MANIFEST}" in files
        assert [place for place in files if place.startswith(f"derived/{copy.release}/risk-{tier}-")]
        with trust(publisher):
            assert Release.open(tmp_path / "server" / "releases", tier, copy.release).check() == []
    assert Publisher(publisher.folder, publisher.key, "public").find_whole() is None


def test_of_results_and_audits_the_newest_alone_are_in_it(workspace, tmp_path, trust):
    name = current_name(workspace.releases)
    release = Release.open(workspace.releases, "public", derived=workspace.derived)
    (newest,) = (result for result in release.added if result.manifest["kind"] == "risk")
    old = shutil.copytree(newest.folder, newest.folder.with_name("risk-public-0000")) / "manifest.json"
    old.write_text(format_stamped({**newest.manifest, "created": "2000-01-01T00:00:00.000000Z"}), encoding="utf-8")
    write_report(workspace.derived, release, created="2000-01-01T00:00:00Z")
    _, publisher = publish(workspace, tmp_path / "server")
    places = list_places(tmp_path / "server" / "derived" / name)
    assert {place.split("/")[0] for place in places if place.startswith("risk-")} == {newest.folder.name}
    assert len([place for place in places if place.startswith("audit-")]) == 1
    with trust(publisher):
        shown = Release.open(tmp_path / "server" / "releases", "public", name, (), tmp_path / "server" / "derived")
        assert [result.folder.name for result in shown.added] == [result.folder.name for result in release.added]
        report = audits.newest(tmp_path / "server" / "derived", name, "public", shown.checksum)
        assert report.created > "2001"


def test_nothing_is_written_twice_and_what_is_no_longer_shown_goes(workspace, tmp_path):
    target = tmp_path / "server"
    first, _ = publish(workspace, target)
    again, _ = publish(workspace, target)
    assert again.number > first.number
    assert (again.written, again.removed) == (0, 0)
    add_release(workspace, "2009-06-001")
    new, publisher = publish(workspace, target)
    assert 0 < new.written < first.written
    assert new.removed == 0, "the release before is shown with it"
    add_release(workspace, "2009-06-002")
    publish(workspace, target)
    last, _ = publish(workspace, target)
    assert last.removed > 0
    assert not (target / "releases" / first.release).exists()
    assert len(publisher.read_lists()) == 2
    assert publisher.find_whole().current == "2009-06-002"


@pytest.mark.parametrize("seed", range(3))
def test_in_whatever_order_files_arrive_one_release_or_the_other_is_shown(workspace, tmp_path, trust, seed):
    here, server = tmp_path / "here", tmp_path / "server"
    first, _ = publish(workspace, here)
    shutil.copytree(here, server)
    publisher = Publisher(server, first.key, "public")
    with trust(publisher):
        assert read_all(publisher) == first.release
    add_release(workspace, "2009-06-001")
    accept_break(workspace.derived, Break("2008-06-01/P3M", "AL", "another law", "manager", "2009-06-01"), ["AL"])
    publish(workspace, here)
    places = sorted(place for place in list_places(here) if not (server / place).exists() or "breaks" in place)
    random.Random(seed).shuffle(places)
    shown = []
    for place in places:
        (server / place).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(here / place, server / place)
        shown.append(publisher.find_whole().current)
        with trust(publisher):
            assert read_all(publisher, breaks=False) == shown[-1]
    assert shown == sorted(shown)
    assert set(shown) == {first.release, "2009-06-001"}
    with trust(publisher):
        assert read_all(publisher) == "2009-06-001"


def test_a_file_that_nobody_signed_is_not_believed_however_well_it_is_made(workspace, tmp_path, trust):
    server = tmp_path / "server"
    copy, publisher = publish(workspace, server)
    manifest = server / "releases" / copy.release / "public" / MANIFEST
    described = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(format_stamped(described | {"title": "forged"}), encoding="utf-8")
    assert publisher.find_whole() is None
    with trust(publisher), pytest.raises(ReleaseDamaged, match="tact publish"):
        Release.open(server / "releases", "public", copy.release)


def test_results_audits_and_breaks_that_nobody_signed_are_not_believed(workspace, tmp_path, trust):
    server = tmp_path / "server"
    copy, publisher = publish(workspace, server)
    derived, release = server / "derived", Release.open(server / "releases", "public", copy.release)
    accept_break(workspace.derived, Break("2008-09-01/P3M", "AL", "a third law", "manager", "2009-06-01"), ["AL"])
    shutil.copy2(workspace.derived / BREAKS, derived / BREAKS)
    write_report(derived, release, created="2030-01-01T00:00:00Z")
    result = next(derived.rglob("risk-public-*/manifest.json"))
    forged = json.loads(result.read_text(encoding="utf-8")) | {"created": "2999-01-01T00:00:00.000000Z"}
    other = result.parent.with_name("risk-public-0000")
    other.mkdir()
    (other / "manifest.json").write_text(format_stamped(forged), encoding="utf-8")
    plan, elsewhere = (shutil.copytree(other, tmp_path / name / "plan") for name in ("plans", "elsewhere"))
    with trust(publisher, [plan.parent]):
        assert read_stamped(plan / "manifest.json", ""), "of the server itself"
        with pytest.raises(ReleaseDamaged, match="elsewhere"):
            read_stamped(elsewhere / "manifest.json", "")
        with pytest.raises(ReleaseDamaged, match="breaks"):
            read_breaks(derived)
        with pytest.raises(ReleaseDamaged, match="2030"):
            audits.newest(derived, copy.release, "public", release.checksum)
        with pytest.raises(ReleaseDamaged, match="risk-public-0000"):
            Release.open(server / "releases", "public", copy.release, derived=derived)


def test_a_list_of_another_key_or_changed_by_a_letter_is_passed_over(workspace, tmp_path):
    server = tmp_path / "server"
    _, publisher = publish(workspace, server)
    path = next((server / LISTS).iterdir())
    whole = path.read_bytes()
    for place in range(0, len(whole) - 1, 97):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert publisher.read_lists() == [], place
    path.write_bytes(whole)
    assert len(publisher.read_lists()) == 1
    _, other = publish(workspace, tmp_path / "other", key=Secret.random())
    shutil.copy2(next((tmp_path / "other" / LISTS).iterdir()), server / LISTS / "99999999999.list")
    assert len(publisher.read_lists()) == 1
    assert other.key != publisher.key


def test_what_governance_does_not_approve_does_not_leave_and_is_hidden_with_the_first_list_that_says_so(
    workspace, tmp_path
):
    server = tmp_path / "server"
    (workspace.releases / "blocked").write_text("")
    publish(workspace, server, "partner")
    communities = {place for place in list_places(server) if "/communities" in place}
    assert communities
    (workspace.releases / "blocked").write_text("communities\n")
    _, publisher = publish(workspace, tmp_path / "fresh", "partner")
    assert [place for place in list_places(tmp_path / "fresh") if "/communities" in place] == []
    new, _ = publish(workspace, server, "partner")
    (server / next(iter(publisher.find_whole().files))).unlink()
    here = Publisher(server, new.key, "partner")
    assert here.find_whole() is None
    assert here.read_blocked() == {"communities"}
    assert {place for place in list_places(server) if "/communities" in place} == set(), "the first one removes them"


@pytest.mark.parametrize("way", ["current", WITHDRAWN])
def test_a_release_that_was_taken_back_leaves_with_the_next_copy(workspace, tmp_path, way):
    server, first = tmp_path / "server", current_name(workspace.releases)
    add_release(workspace, "2009-06-001")
    publish(workspace, server)
    assert (server / "releases" / "2009-06-001").is_dir()
    (workspace.releases / way).write_text(first if way == "current" else "2009-06-001\n")
    _, publisher = publish(workspace, server)
    assert publisher.find_whole().current == first
    assert [place for place in list_places(server) if "2009-06-001" in place] == []


def test_a_release_that_was_taken_back_is_not_the_one_before_the_next(workspace, tmp_path):
    server, first = tmp_path / "server", current_name(workspace.releases)
    add_release(workspace, "2009-06-001")
    publish(workspace, server)
    (workspace.releases / "current").write_text(first)
    withdraw_newer(workspace.releases)
    add_release(workspace, "2009-06-002")
    publish(workspace, server)
    assert sorted(path.name for path in (server / "releases").iterdir()) == sorted([first, "2009-06-002"])


def test_a_list_from_a_new_folder_is_later_than_those_of_the_old_one(workspace, tmp_path, monkeypatch):
    old, new, server = tmp_path / "old", tmp_path / "new", tmp_path / "server"
    monkeypatch.setattr(server_copy.time, "time", lambda: 1_700_000_000.0)
    (workspace.releases / "blocked").write_text("")
    for _ in range(3):
        publish(workspace, old, "partner")
    (workspace.releases / "blocked").write_text("communities\n")
    monkeypatch.setattr(server_copy.time, "time", lambda: 1_700_000_100.0)
    copy, _ = publish(workspace, new, "partner")
    shutil.copytree(old, server)
    shutil.copytree(new, server, dirs_exist_ok=True)
    assert Publisher(server, copy.key, "partner").read_blocked() == {"communities"}


def test_two_that_publish_to_one_folder_wait_for_each_other(workspace, tmp_path, monkeypatch):
    monkeypatch.setattr(server_copy, "_PATIENCE", 0.05)
    with FileLock(tmp_path / ".server.lock"), pytest.raises(WorkspaceError, match="Another tact publish"):
        publish(workspace, tmp_path / "server")
    assert publish(workspace, tmp_path / "server")[0].written


def test_without_a_list_nothing_is_believed_any_more_and_nothing_is_approved(workspace, tmp_path, trust):
    server = tmp_path / "server"
    copy, publisher = publish(workspace, server)
    with trust(publisher):
        assert read_all(publisher) == copy.release
        shutil.rmtree(server / LISTS)
        assert publisher.read_blocked() == {"communities", "dark_figure"}
        with pytest.raises(ReleaseDamaged):
            Release.open(server / "releases", "public", copy.release)


def test_stopped_at_any_file_the_folder_shows_what_was_published_before(workspace, tmp_path, monkeypatch):
    server = tmp_path / "server"
    first, publisher = publish(workspace, server)
    add_release(workspace, "2009-06-001")
    write, left = files.write_bytes, [0]

    def stop(path, data, **options):
        if left[0] == 0:
            raise KeyboardInterrupt
        left[0] -= 1
        write(path, data, **options)

    for number in range(0, 12, 3):
        left[0] = number
        with monkeypatch.context() as patch:
            patch.setattr(files, "write_bytes", stop)
            with pytest.raises(KeyboardInterrupt):
                publish(workspace, server)
        assert publisher.find_whole().current == first.release
    publish(workspace, server)
    assert publisher.find_whole().current == "2009-06-001"


def test_a_first_copy_that_was_stopped_is_made_whole_by_the_next(workspace, tmp_path, monkeypatch):
    server = tmp_path / "server"
    with monkeypatch.context() as patch:
        patch.setattr(server_copy.SignedList, "format", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            publish(workspace, server)
    assert list_places(server)
    _, publisher = publish(workspace, server)
    assert publisher.find_whole() is not None


def test_folders_that_hold_something_else_are_refused(workspace, tmp_path):
    used = tmp_path / "used"
    used.mkdir()
    (used / "photo.jpg").write_bytes(b"x")
    with pytest.raises(InputError, match=r"photo\.jpg"):
        publish(workspace, used)
    with pytest.raises(InputError, match="in the workspace"):
        publish(workspace, workspace.path / "server")
    with pytest.raises(InputError, match="no folder"):
        publish(workspace, used / "photo.jpg")
    publish(workspace, tmp_path / "server", "partner")
    with pytest.raises(InputError, match="another workspace, tier or signing key"):
        publish(workspace, tmp_path / "server")
    assert Publisher(tmp_path / "server", "00" * 32, "partner").read_lists() == []


def test_a_damaged_table_is_not_published_and_without_a_release_nothing_is(workspace, tmp_path):
    table = next((workspace.releases / current_name(workspace.releases) / "public").glob("*.parquet"))
    table.write_bytes(table.read_bytes()[:-1] + b"x")
    with pytest.raises(ReleaseDamaged, match=table.name):
        publish(workspace, tmp_path / "server")
    assert not (tmp_path / "server").exists()
    (workspace.releases / "current").unlink()
    with pytest.raises(ReleaseError, match="tact release"):
        publish(workspace, tmp_path / "server")


@pytest.mark.parametrize("key", ["", "ab", "zz" * 32, "AB" * 32])
def test_what_is_no_public_key_is_refused(tmp_path, key):
    with pytest.raises(InputError, match="64 hexadecimal digits"):
        Publisher(tmp_path, key, "public")
