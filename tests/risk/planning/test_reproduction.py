"""Stored results are computed again from a release alone, and what is not the same is named with its cause."""

import shutil
from dataclasses import replace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from data.errors import ReleaseError
from data.release import MANIFEST as RELEASE_MANIFEST
from data.release import Release
from data.release.result import Result
from risk.planning import advice, reproduction
from risk.planning.inputs import PlanInputs, Setting, make_frontier, make_plan
from risk.planning.problem import Decision
from risk.planning.reproduction import compare_rows, reproduce_release
from risk.planning.saved import save_plan
from risk.planning.summary import Author, AuthoredDecision, summarise_plan
from tests.helpers.manifests import edit_manifest

MANAGER = Author("programme manager", "2009-06-01")
SETTING = Setting(pathway="internal", moves=2, seconds=5.0)


@pytest.fixture
def public(demo_world, tmp_path):
    """Return copies of the releases and of the one result of the public tier, which takes a second to compute."""
    shutil.copytree(demo_world / "releases", tmp_path / "releases")
    name = (tmp_path / "releases" / "current").read_text().strip()
    folder = next((demo_world / "derived" / name).glob("risk-public-*"))
    shutil.copytree(folder, tmp_path / "derived" / name / folder.name)
    return tmp_path / "releases", tmp_path / "derived"


def find_result(folder):
    return next(folder.glob("*/risk-*"))


def edit_result(result, change):
    """Change the manifest of a result by hand, so that its checksums and its stamp fit."""
    with edit_manifest(result / "manifest.json") as manifest:
        change(manifest)


def list_files(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.slow
def test_what_is_computed_again_is_the_same_and_nothing_is_written(public):
    releases, folder = public
    before = list_files(folder.parent)
    [comparison] = reproduce_release(releases, folder)
    assert (comparison.tier, comparison.kind, comparison.tables) == ("public", "risk", 1)
    assert (comparison.equal, comparison.differences, comparison.causes, comparison.settings) == (True, (), (), ())
    assert list_files(folder.parent) == before


@pytest.mark.long
def test_a_damaged_table_is_named(public):
    releases, folder = public
    (find_result(folder) / "risk_region_year.parquet").write_bytes(b"no table")
    [comparison] = reproduce_release(releases, folder)
    assert not comparison.equal
    assert "risk_region_year.parquet is damaged or was changed" in comparison.causes[0]


def write_changed_table(result):
    """Change one number of a table by hand, and make checksums and stamp fit."""
    path = result / "risk_region_year.parquet"
    table = pq.read_table(path)
    position = table.schema.get_field_index("low")
    lows = table["low"].to_pylist()
    row = next(i for i, low in enumerate(lows) if low is not None)
    lows[row] += 0.25
    pq.write_table(table.set_column(position, table.schema.field(position), pa.array(lows, table["low"].type)), path)
    edit_result(result, lambda _: None)


@pytest.mark.slow
def test_a_table_that_was_changed_together_with_its_checksum_is_found_with_the_largest_difference(public):
    releases, folder = public
    write_changed_table(find_result(folder))
    [comparison] = reproduce_release(releases, folder)
    assert not comparison.equal
    assert [(d.name, d.cells, d.largest) for d in comparison.differences] == [("risk_region_year", 1, 0.25)]
    assert any("manifest was changed after it was written" in cause for cause in comparison.causes)


@pytest.mark.slow
def test_versions_of_the_product_and_of_libraries_are_named(public):
    releases, folder = public
    edit_result(find_result(folder), lambda m: m["libraries"].update(numpy="1.0.0"))
    edit_result(find_result(folder), lambda m: m.update(code_version="0.0.1"))
    [comparison] = reproduce_release(releases, folder)
    assert comparison.differences == ()
    words = " ".join(comparison.causes)
    assert "numpy 1.0.0, now " in words
    assert "scipy" not in words
    assert "Made by version 0.0.1" in words


@pytest.mark.long
def test_a_changed_setting_is_used_and_named(public):
    releases, folder = public
    edit_result(find_result(folder), lambda m: m["parameters"].update(intercept_sd=0.5, draws=10))
    edit_result(find_result(folder), lambda m: m.update(promise="none"))
    [comparison] = reproduce_release(releases, folder)
    assert comparison.settings == ("intercept_sd is 0.5, usually 5.0",)
    assert not comparison.equal
    assert {"risk_region_year", "promise"} <= {difference.name for difference in comparison.differences}
    assert any("draws 10" in cause for cause in comparison.causes)


def test_a_release_of_other_content_and_a_damaged_one_are_named(public):
    releases, folder = public
    name = find_result(folder).parent.name
    (releases / name / "public" / "children_region_year.parquet").write_bytes(b"")
    [comparison] = reproduce_release(releases, folder)
    assert "children_region_year.parquet is damaged" in comparison.causes[0]
    with edit_manifest(releases / name / "public" / RELEASE_MANIFEST):
        pass  # the checksums of the files as they are now
    [comparison] = reproduce_release(releases, folder)
    assert "other content" in comparison.causes[0]


def test_a_manifest_that_cannot_be_read_is_named(public):
    releases, folder = public
    (find_result(folder) / "manifest.json").write_text("{}}")
    [comparison] = reproduce_release(releases, folder)
    assert "manifest.json is damaged" in comparison.causes[0]


def test_without_any_result_it_says_what_to_do(public):
    releases, folder = public
    shutil.rmtree(find_result(folder))
    with pytest.raises(ReleaseError, match="tact risk"):
        reproduce_release(releases, folder)
    with pytest.raises(ReleaseError, match="No release"):
        reproduce_release(releases, folder, "2001-01-001")


@pytest.fixture
def stopped(monkeypatch):
    """Let no model be fitted: what a result says of itself is read without it."""

    def stop(*_args, **_kwargs):
        raise ReleaseError("Stopped.")

    monkeypatch.setattr(reproduction, "compute_result", stop)
    monkeypatch.setattr(advice, "compute_advice", stop)


def test_what_lies_outside_the_release_and_is_missing_is_named(scored, tmp_path, stopped):
    shutil.copytree(scored.derived, tmp_path / "derived")
    name = Release.open(scored.releases, "partner").name
    risk = next((tmp_path / "derived" / name).glob("risk-partner-*"))
    edit_result(risk, lambda m: m.pop("travel"))
    prepared = next((tmp_path / "derived" / name).glob("advice-partner-*"))
    review = {"plan": "plan-partner-gone", "title": "Gone", "release": "x", "then": "do", "now": "do"}
    edit_result(prepared, lambda m: m.update(review=review))
    blocked = frozenset({"communities"})
    causes = {(c.tier, c.kind): " ".join(c.causes) for c in reproduce_release(
        scored.releases, tmp_path / "derived", without=blocked)}  # fmt: skip
    assert "travel times that people entered are missing" in causes["partner", "risk"]
    assert "travel times" not in causes["public", "risk"]
    assert "does not approve this now, so it was left out: communities" in causes["partner", "risk"]
    shutil.rmtree(risk)
    causes = {c.kind: " ".join(c.causes) for c in reproduce_release(scored.releases, tmp_path / "derived")}
    assert "The risk result that it was computed with is missing" in causes["advice"]


def test_the_plan_that_an_advice_judges_again_is_missed(scored, tmp_path):
    release = Release.open(scored.releases, "partner", derived=scored.derived)
    tier = reproduction._Tier(release, scored.derived, [], lambda *_: None)
    result = Result(tmp_path, {"review": {"plan": "plan-partner-gone"}})
    with pytest.raises(ReleaseError, match="plan-partner-gone of an earlier release"):
        tier.find_reviewed(result)


def test_cells_are_compared_to_the_last_bit():
    first = pa.table({"area": ["A", "B"], "value": [1.0, float("nan")]})
    assert compare_rows("t", first, first) is None
    near = pa.table({"area": ["A", "B"], "value": [1.0 + 2**-52, float("nan")]})
    assert compare_rows("t", first, near).largest == 2**-52
    words = pa.table({"area": ["A", "C"], "value": [1.0, float("nan")]})
    assert (compare_rows("t", first, words).cells, compare_rows("t", first, words).largest) == (1, None)
    assert compare_rows("t", first, first.slice(0, 1)).cells > 0
    assert compare_rows("t", first, first.rename_columns(["area", "other"])) is not None


@pytest.mark.long
def test_the_demo_and_a_saved_plan_are_reproduced(demo_world, tmp_path):
    """Everything at both tiers, with a plan that has posts of its own, a decision and other numbers of moves."""
    shutil.copytree(demo_world / "derived", tmp_path / "derived")
    release = Release.open(demo_world / "releases", "partner", derived=tmp_path / "derived")
    ground = PlanInputs.read(release)
    ground = ground.with_posts(ground.table)
    first = make_plan(ground, SETTING).moves[0]
    decision = AuthoredDecision(Decision(first.start, first.end, first.kind, "accept", 1), MANAGER)
    plan = make_plan(ground, SETTING, [decision.decision])
    points = make_frontier(ground, SETTING, [decision.decision])
    summary = summarise_plan(ground, SETTING, plan, MANAGER, title="East", decisions=(decision,), frontier=points)
    folder = tmp_path / "derived"
    save_plan(folder, release, summary)
    # And a plan that says something else than what is computed.
    [right] = folder.glob("*/plan-*")
    save_plan(folder, release, replace(summary, title="West"))
    [changed] = set(folder.glob("*/plan-*")) - {right}
    edit_result(changed, lambda m: m["plan"]["gain"].update(mean=m["plan"]["gain"]["mean"] + 1.0))
    before = list_files(tmp_path)
    comparisons = reproduce_release(demo_world / "releases", folder)
    assert [(c.tier, c.kind) for c in comparisons] == [
        ("partner", "risk"), ("partner", "advice"), ("partner", "plan"), ("partner", "plan"), ("public", "risk")
    ]  # fmt: skip
    [different] = [c for c in comparisons if not c.equal]
    assert (different.result, [d.name for d in different.differences]) == (changed.name, ["plan.gain.mean"])
    assert comparisons[0].tables > 20
    assert list_files(tmp_path) == before
