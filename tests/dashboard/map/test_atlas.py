"""The atlas: one file that asks for nothing outside, runs no other script, and says what the release says."""

import base64
import hashlib
import json
import re

import pytest

from dashboard.map.atlas import write_atlases
from data.disclosure.attacks.surface import readers
from geo.layers import find_layer
from geo.layers.core import View
from geo.layers.reading import tables
from tests.helpers import small_release
from tests.helpers.nonempty import nonempty
from tests.helpers.small_release import HOSTILE

pytestmark = pytest.mark.slow  # to write an atlas

BLOCK = re.compile(r'<script type="application/json" id=([a-z-]+)>(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module", params=["partner", "public"])
def release(request, tmp_path_factory):
    """Return a release whose areas and sources have markup as their names."""
    hostile = ("AL-01", "2011-01-01/P1Y", "population", 7.0, None, HOSTILE, 2011, "read", HOSTILE)
    return small_release.make(tmp_path_factory.mktemp("releases"), request.param, more_figures=[hostile])


@pytest.fixture(scope="module")
def files(release, tmp_path_factory):
    return write_atlases(release, tmp_path_factory.mktemp("atlas"))


@pytest.fixture(scope="module")
def page(files):
    return files[0].read_text(encoding="utf-8")


def data_of(page):
    return {name: json.loads(text) for name, text in BLOCK.findall(page)}


def test_nothing_in_the_file_leads_outside(page):
    assert "<link" not in page
    assert not re.findall(r'<[^>]*\b(?:src|href|action)=["\']?(?!data:)', BLOCK.sub("", page.split("<script>")[0]))
    assert set(re.findall(r"url\((?!\"data:|data:)([^)]*)\)", page.split("</style>")[0])) == set()
    policy = re.search(r'Content-Security-Policy content="([^"]*)"', page)[1]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert not re.search(r"https?:", policy)


def test_only_the_scripts_of_the_product_may_run(page):
    scripts = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    wanted = [f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in scripts]
    assert re.search(r"script-src ([^;]*);", page)[1].split() == wanted
    assert 'tactatlas.start("map_atlas");' in scripts[-1]


def test_text_from_data_is_never_markup(page):
    assert HOSTILE not in page
    shapes = data_of(page)["atlas-shapes"]["geometry/atlas/region.json"]
    assert HOSTILE in [feature["properties"]["name"] for feature in shapes["features"]]


def test_the_file_says_what_every_file_says(page, release):
    text = BLOCK.sub("", page)
    for words in (release.name, f"{release.tier.capitalize()} tier", "Invented data", "Licence", "Cite it as"):
        assert words in text
    assert ("CC-BY-4.0" in text) is (release.tier == "public")
    assert "data-sharing agreement" in text or release.tier == "public"


def test_communities_are_in_a_file_of_their_own(files):
    natures = []
    for path in files:
        layers = data_of(path.read_text(encoding="utf-8"))["atlas-data"]["layers"]
        natures.append({find_layer(layer["id"]).nature == "community" for layer in layers})
        for layer in layers:
            assert "risk" not in layer["over"] or find_layer(layer["id"]).nature != "community"
    assert natures == [{False}, {True}]
    assert files[1].name.endswith("-communities-atlas.html")


@pytest.mark.long
def test_the_same_release_gives_the_same_bytes_and_progress_ends_with_all_views(release, files, tmp_path):
    steps = []
    again = write_atlases(release, tmp_path, lambda done, count: steps.append((done, count)))
    assert [done for done, _ in steps] == list(range(1, len(steps) + 1))
    assert {count for _, count in steps} == {len(steps)}
    assert [path.read_bytes() for path in again] == [path.read_bytes() for path in files]


def test_every_number_and_state_is_that_of_the_layer(release, page):
    """Each view of children in the file, read back, is the layer as map and exports read it."""
    atlas = data_of(page)["atlas-data"]
    (layer,) = [entry for entry in atlas["layers"] if entry["id"] == "encounters"]
    assert {view["period"] for view in layer["choices"][0]["levels"]["region"]} == set(
        find_layer("encounters").rows(release, "region")["period"]
    )
    whole = layer["choices"][0]["levels"]["region"][-1]
    cells = list(readers.read_view(whole, atlas["codes"]["region"], atlas["states"]))
    data = find_layer("encounters").read(release, View("region", small_release.WHOLE))
    assert {"number"} < {state for _area, _period, state, *_numbers in cells}
    for area, period, state, value, margin, *_ends in cells:
        row = data.frame.loc[area]
        assert (period, state) == (small_release.WHOLE, row["state"])
        if state == "number":
            assert (value, margin) == (row["value"], row["margin"])


def test_every_area_with_a_shape_is_in_each_view(release, page):
    atlas = data_of(page)["atlas-data"]
    for level, codes in nonempty(atlas["codes"].items()):
        assert set(codes) <= set(tables.list_areas(release, level))
        for layer in atlas["layers"]:
            for view in [v for choice in layer["choices"] for v in choice["levels"].get(level, ())]:
                assert len(list(readers.read_view(view, codes, atlas["states"]))) == len(codes)
