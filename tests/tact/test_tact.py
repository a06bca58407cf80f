"""The package that researchers import: what it promises, that it is light, and what it gives of a release."""

import shutil
import subprocess
import sys
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tact
from data.disclosure.cell_key import CellKey
from tact.channel import Channel
from tests.helpers.manifests import edit_manifest
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import ROOT

# What researchers' programs rest on: a name may be added, none may go.
PROMISED = {
    "STATES", "Channel", "InputError", "Layer", "Release", "ReleaseDamaged", "ReleaseError", "TactError", "open_release"
}  # fmt: skip
OFFERED = {
    "cautions", "channel", "citation", "invented", "k", "layer", "layers", "licence", "long_table", "name", "periods",
    "table", "tables", "tier",
}  # fmt: skip


def test_its_names_are_those_that_it_promises():
    assert set(tact.__all__) == PROMISED
    assert dir(tact) == sorted(PROMISED)
    assert {name for name in vars(tact.Release) if not name.startswith("_")} == OFFERED
    assert all(getattr(tact, name) is not None for name in PROMISED)
    with pytest.raises(AttributeError, match="no attribute 'vault'"):
        _ = tact.vault


def test_the_documentation_names_all_of_it():
    text = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    assert [name for name in sorted(PROMISED) if f"`tact.{name}`" not in text] == []
    assert [name for name in sorted(OFFERED) if f"`{name}`" not in text and f"`{name}(" not in text] == []
    assert (ROOT / "tact" / "py.typed").is_file()


@pytest.mark.always("import tact; tact.open_release-data.restricted")
@pytest.mark.slow
@pytest.mark.parametrize(
    ("lines", "loaded"),
    [("import tact", "numpy"), ("import tact; tact.open_release", "data.restricted"),
     ("import tact; tact.open_release", "sqlcipher3"), ("import tact; tact.open_release", "streamlit")],
)  # fmt: skip
def test_importing_it_loads_little_and_nothing_behind_the_wall(lines, loaded):
    code = f"{lines}; import sys; print({loaded!r} in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@pytest.fixture(scope="module", params=["public", "partner"])
def release(request, demo_world):
    return tact.open_release(demo_world, tier=request.param)


def test_a_release_is_opened_by_its_workspace_or_by_its_folder(release, demo_world):
    same = tact.open_release(str(demo_world / "releases" / release.name), tier=release.tier)
    assert (same.name, same.tables) == (release.name, release.tables)
    assert tact.open_release(demo_world).tier == "public"
    assert release.invented
    assert release.name in release.citation
    assert repr(release) == f"<Release {release.name}, {release.tier} tier>"
    with pytest.raises(tact.ReleaseError, match="No release"):
        tact.open_release(demo_world / "releases" / "2001-01-001")
    with pytest.raises(tact.InputError, match="No tier 'vault'"):
        tact.open_release(demo_world, tier="vault")


def test_a_release_that_was_taken_back_is_not_opened(demo_world, tmp_path):
    name = tact.open_release(demo_world).name
    shutil.copytree(demo_world / "releases" / name / "public", tmp_path / "releases" / name / "public")
    (tmp_path / "releases" / "withdrawn").write_text(f"{name}\n")
    with pytest.raises(tact.ReleaseError, match="was taken back"):
        tact.open_release(tmp_path / "releases" / name)


@pytest.mark.slow
def test_what_governance_does_not_approve_is_left_out(demo_world, tmp_path):
    name = tact.open_release(demo_world).name
    shutil.copytree(demo_world / "releases" / name, tmp_path / "releases" / name)
    (tmp_path / "releases" / "blocked").write_text("communities\n")
    release = tact.open_release(tmp_path / "releases" / name)
    assert not [table for table in release.tables if table.startswith("communities")]
    assert "communities" not in {layer.id for layer in release.layers()}
    with pytest.raises(tact.InputError, match="no layer communities"):
        release.layer("communities")


@pytest.mark.always("public")
@pytest.mark.slow
def test_every_layer_is_a_map_at_each_level(release):
    assert release.layers()
    for layer in release.layers():
        for level in layer.levels:
            frame = release.layer(layer.id, level=level)
            assert isinstance(frame, gpd.GeoDataFrame)
            assert frame.crs.to_epsg() == 4326
            assert frame.geometry.notna().mean() > 0.9
            assert isinstance(frame["state"].dtype, pd.CategoricalDtype)
            assert frame["state"].cat.ordered
            assert list(frame["state"].cat.categories) == list(tact.STATES)
            assert frame["state"].notna().all()
            assert frame.attrs["citation"] == release.citation
            assert frame.attrs["unit"]


def test_a_layer_has_the_numbers_of_its_table(release):
    table = release.table("children_region_whole").set_index("area")
    frame = release.layer("encounters", level="region")
    shown = frame["state"] == "number"
    assert shown.any()
    stored = table.loc[frame.index[shown]]
    assert (frame.loc[shown, "noisy"] == stored["value"].astype(float)).all()
    assert (frame.loc[shown, "value"] == stored["reconciled"].astype(float)).all()
    assert table["state"].cat.ordered


def test_every_state_of_every_table_is_a_category(release):
    for name in nonempty(release.tables):
        frame = release.table(name)
        assert "state" not in frame or frame["state"].notna().all(), name


@pytest.mark.always("public")
@pytest.mark.slow
def test_periods_and_options_are_those_of_the_release(release):
    periods = release.periods("encounters", "region", of="pathway-internal")
    frame = release.layer("encounters", "region", periods[0], of="pathway-internal")
    whole = release.layer("encounters", "region", periods[0])
    assert frame["noisy"].sum() < whole["noisy"].sum()
    assert release.periods("population") == ()
    long = release.long_table("encounters")
    assert set(periods) <= set(long["period"])
    assert long["state"].cat.ordered


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"layer": "secrets"}, "No layer"),
        ({"layer": "encounters", "level": "street"}, "at level 'street'"),
        ({"layer": "encounters", "period": "1999-01-01/P1Y"}, "no period '1999-01-01/P1Y'"),
        ({"layer": "encounters", "of": "names"}, "Option of is no 'names'"),
        ({"layer": "effort", "of": "all"}, "no option 'of'"),
    ],
)
def test_what_a_release_lacks_is_an_error_that_says_what_there_is(release, arguments, words):
    with pytest.raises(tact.InputError, match=words):
        release.layer(**arguments)


@pytest.mark.slow
def test_a_choice_that_a_level_lacks_is_an_error_and_no_map_without_data(release):
    for layer in release.layers():
        rows = release.long_table(layer.id)
        for level in layer.levels:
            for option, choices in layer.options.items():
                here = rows[rows["level"] == level]
                for other in set(layer.options) - {option}:
                    here = here[here[other] == layer.options[other][0]]
                offered = set(here[option].unique())
                for choice in choices:
                    if choice in offered:
                        assert len(release.layer(layer.id, level, **{option: choice}))
                        continue
                    with pytest.raises(tact.InputError, match="at level"):
                        release.layer(layer.id, level, **{option: choice})
    if release.tier == "public":
        with pytest.raises(tact.InputError, match="It has them at: country"):
            release.layer("encounters", "region", of="stage-at_risk")


@pytest.mark.slow
def test_without_a_choice_a_layer_has_the_periods_of_the_first_choice_of_the_release(release):
    for layer in release.layers():
        first = {option: choices[0] for option, choices in layer.options.items()}
        for level in layer.levels:
            periods = release.periods(layer.id, level)
            assert periods == release.periods(layer.id, level, **first)
            for period in periods[:1]:
                frame = release.layer(layer.id, level, period)
                assert frame["state"].equals(release.layer(layer.id, level, period, **first)["state"])
    assert release.periods("risk", "region")


def test_frames_are_copies(release):
    first = release.table("figures")
    first.loc[:, "number"] = 0.0
    assert (release.table("figures")["number"] != 0.0).any()
    frame = release.layer("encounters")
    frame["noisy"] = -1.0
    assert (release.layer("encounters")["noisy"] != -1.0).any()


def test_a_file_that_was_changed_is_an_error(demo_world, tmp_path):
    name = tact.open_release(demo_world).name
    shutil.copytree(demo_world / "releases" / name / "public", tmp_path / name / "public")
    (tmp_path / "blocked").write_text("")
    (tmp_path / name / "public" / "children_region_year.parquet").write_bytes(b"")
    with pytest.raises(tact.ReleaseDamaged):
        tact.open_release(tmp_path / name).table("children_region_year")
    with edit_manifest(tmp_path / name / "public" / "datapackage.json") as manifest:
        manifest["tact"]["knowledge"] = {}
    with pytest.raises(tact.InputError, match="There is noise on: nothing"):
        tact.open_release(tmp_path / name).channel()


# The channel: the same as that of the product, and an interval that keeps its promise.

NOISE = CellKey(2.0, 5, 2**24, 6.0)
SETTINGS = [(1, None), (1, 11), (3, None)]


@cache
def build_channel(scale, k):
    return Channel(NOISE.largest * scale, k, NOISE.table(scale))


@pytest.mark.parametrize(("scale", "k"), SETTINGS)
def test_the_likelihood_is_that_of_the_products_channel(scale, k):
    channel, product_channel = build_channel(scale, k), NOISE.channel(60, scale, k)
    true = np.arange(61)
    for published in range(70):
        assert (channel.likelihood(published, true) == product_channel.shown(published)).all()
    assert np.allclose(channel.likelihood(None, true), product_channel.hidden(), atol=1e-12)


@pytest.mark.parametrize(("scale", "k"), SETTINGS)
def test_all_that_may_be_published_has_probability_one(scale, k):
    channel = build_channel(scale, k)
    true = np.array([0, 1, 7, 15, 40, 5000])
    shown = channel.likelihood(np.arange(5100)[:, None], true).sum(axis=0)
    assert np.allclose(shown + channel.likelihood(None, true), 1.0)


@given(true=st.integers(0, 60), level=st.sampled_from([0.5, 0.8, 0.95, 1.0]), key=st.sampled_from(SETTINGS))
def test_the_interval_contains_the_true_count_with_its_level(true, level, key):
    channel = build_channel(*key)
    hidden, numbers = channel.likelihood(None, true), np.arange(channel.k or 0, true + channel.largest + 1)
    chances = channel.likelihood(numbers, true)
    covered = sum(
        chance
        for number, chance in [*zip(numbers.tolist(), chances, strict=True), *([(None, hidden)] if hidden else [])]
        if chance > 0 and channel.interval(number, level)[0] <= true <= channel.interval(number, level)[1]
    )
    assert covered >= level - 1e-9


def test_the_widest_interval_is_that_of_the_product():
    for scale, k in SETTINGS:
        channel = build_channel(scale, k)
        product_channel = NOISE.channel(100, scale, k)
        for published in [*range(k or 0, 40), *([None] if k else [])]:
            chance = product_channel.hidden() if published is None else product_channel.shown(published)
            assert channel.interval(published, 1.0) == tuple(np.flatnonzero(chance)[[0, -1]])


@pytest.mark.parametrize("arguments", [(5, 0.95), (11, 0.2), (11, 1.5), (-1, 0.95), (11.5, 0.95)])
def test_an_interval_of_what_is_never_published_is_an_error(arguments):
    with pytest.raises(tact.InputError):
        build_channel(1, 11).interval(*arguments)
    with pytest.raises(tact.InputError, match="Nothing is hidden"):
        build_channel(1, None).interval(None)


@pytest.mark.parametrize("published", [[12.0, np.nan], ["12", "withheld"], [{}], 1e300, np.inf, 12.5])
def test_what_is_no_count_is_an_error(published):
    with pytest.raises(tact.InputError, match="whole number from 0"):
        build_channel(1, 11).likelihood(published, 3)
    with pytest.raises(tact.InputError, match="true count"):
        build_channel(1, 11).likelihood(12, -1)


def test_each_measure_has_its_own_noise(release):
    assert release.channel().k == (release.k if release.tier == "public" else None)
    assert release.channel("encounters").largest == 3 * release.channel("children").largest
    with pytest.raises(tact.InputError, match="No noise on 'effort'"):
        release.channel("effort")
