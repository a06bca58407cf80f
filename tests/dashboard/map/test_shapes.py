"""Shapes are found by the checksum of their areas, also where anybody asks for any checksum."""

import shutil
from collections import Counter

import pytest
from starlette.applications import Starlette

from dashboard.map import shapes
from dashboard.site import Site
from data.release import MANIFEST, WITHDRAWN
from tests.helpers import small_release
from tests.helpers.asgi import ask

NAMES = ("2008-05-001", "2008-05-002", "2008-05-003")


@pytest.fixture(scope="module")
def three(tmp_path_factory):
    """Return a folder of three releases, each with areas of its own."""
    folder, areas = tmp_path_factory.mktemp("three"), small_release.areas()
    for number, name in enumerate(NAMES, start=1):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(small_release, "areas", lambda km2=number: areas.assign(km2=float(km2)))
            small_release.make(folder, "public", name=name, sequence=number)
    return folder


@pytest.fixture
def site(three, tmp_path):
    return Site(shutil.copytree(three, tmp_path / "releases"), "public")


@pytest.fixture
def find(site):
    """Return a function that gives the status of an answer for a checksum."""
    application = Starlette(routes=shapes.make_routes(site))
    return lambda checksum: ask(application, f"/geometry/{checksum[:16]}/region.json").status


def test_whoever_makes_checksums_up_opens_no_release_again(site, find, monkeypatch):
    opened, open_release = Counter(), Site.open_release
    monkeypatch.setattr(Site, "open_release", lambda self, name: opened.update([name]) or open_release(self, name))
    assert [find(digit * 16) for digit in "0123"] == [404] * 4
    assert opened == Counter(NAMES)


def test_shapes_come_and_go_with_their_release(site, find):
    old, middle, new = (site.open_release(name).areas_checksum for name in NAMES)
    moved = site.releases.with_name("moved")
    shutil.move(site.releases / NAMES[2], moved)
    (site.releases / "current").write_text(NAMES[1])
    assert [find(checksum) for checksum in (old, middle, new)] == [200, 200, 404]
    shutil.move(moved, site.releases / NAMES[2])
    (site.releases / "current").write_text(NAMES[2])
    assert [find(checksum) for checksum in (old, middle, new)] == [200, 200, 200]
    (site.releases / WITHDRAWN).write_text(NAMES[1])
    assert [find(checksum) for checksum in (old, middle, new)] == [200, 404, 200]


def test_shapes_come_again_once_a_damaged_manifest_is_put_back(site, find):
    checksum, path = site.open_release(NAMES[0]).areas_checksum, site.releases / NAMES[0] / "public" / MANIFEST
    whole = path.read_bytes()
    path.write_bytes(b"{")
    assert find(checksum) == 404
    path.write_bytes(whole)
    assert find(checksum) == 200


@pytest.mark.parametrize("damage", ["folder", "2008" * 200, ""])
def test_a_damaged_name_of_the_current_release_is_an_answer_and_no_error(site, find, damage):
    checksum, current = site.open_release(NAMES[2]).areas_checksum, site.releases / "current"
    current.unlink()
    if damage == "folder":
        current.mkdir()
    else:
        current.write_text(damage)
    assert find(checksum) in (404, 500)
    assert find("current") == 307
