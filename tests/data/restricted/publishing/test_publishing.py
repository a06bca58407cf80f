import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import date
from functools import cache
from itertools import product

import filelock
import frictionless
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.disclosure.policy import DEFAULT_POLICY, Policy
from data.errors import InputError, ReleaseError, ReleaseRefused
from data.release import MANIFEST, WITHDRAWN, Release, current_name, list_earlier, names
from data.restricted import publishing
from data.restricted.publishing import records
from data.restricted.publishing.earlier import explain_refusal
from data.restricted.vault import Vault
from data.tables.spec import CATEGORIES, DEFAULT_PLAN, TIERS, TableSpec
from tests.helpers import small_worlds
from tests.helpers.nonempty import nonempty
from tests.helpers.paths import ROOT

pytestmark = pytest.mark.usefixtures("few_worlds")

SMALL, FEW = {"plan": small_worlds.SMALL_PLAN}, {"plan": small_worlds.FEW_PLAN}


def world(seed=2, rows=400, children=250):
    return small_worlds.encounters(np.random.default_rng(seed), rows, children)


@pytest.fixture(scope="module")
def publication(tmp_path_factory):
    """Make one release with all kinds of records."""
    folder = tmp_path_factory.mktemp("releases")
    effort = pd.DataFrame({"date": ["2006-06-05", "2006-11-06"], "municipality": ["101", "9001"], "days": [3.5, 120.0]})
    service = pd.DataFrame(
        {
            "municipality": ["101", "101", "102", "103"],
            "operator": ["A", "A", "B", "C"],
            "duty_bearer": ["ngo"] * 4,
            "axis": ["prevention", "protection", "protection", "protection"],
            "staff": [2, 3, 4, None],
            "capacity": [10, 5, None, 20],
            "valid_from": ["2006-01-01"] * 4,
            "valid_to": [""] * 4,
            "handed_from": [""] * 4,
            "handed_to": [""] * 4,
            "help": ["social;legal", "unknown", "legal", "shelter"],
        }
    )
    community = pd.DataFrame({"area": ["AL-11"], "group": ["roma"], "estimate": [640], "year": [2005]})
    vault = small_worlds.MemoryVault(encounter=world(), effort=effort, service=service, community=community)
    result = small_worlds.release(vault, folder)
    return result, folder, vault


def test_a_release_has_both_tiers_and_becomes_current(publication):
    result, folder, vault = publication
    assert result.name == "2007-05-001"
    assert current_name(folder) == result.name
    assert names(folder) == [result.name]
    assert vault.staged_publication() is None
    assert len(vault.published_blocks()) > 100
    for tier in TIERS:
        release = Release.open(folder, tier)
        assert [t for t in release.tables if t != "figures"] == [s.name for s in DEFAULT_PLAN[tier]]


@pytest.mark.slow
def test_the_manifest_is_a_valid_data_package(publication):
    _, folder, _ = publication
    for tier in TIERS:
        path = Release.open(folder, tier).folder / MANIFEST
        described = json.loads(path.read_text())
        assert frictionless.Package.metadata_validate(described) is not None
        problems = [e.note for e in frictionless.Package.metadata_validate(described)]
        assert problems == []
        package = frictionless.Package(str(path))
        for resource, written in zip(package.resources, described["resources"], strict=True):
            file = path.parent / written["path"]
            assert file.stat().st_size == written["bytes"]
            table = pq.read_table(file)
            assert [f.name for f in resource.schema.fields] == table.column_names
            codes = {f.name: f.constraints["enum"] for f in resource.schema.fields if "enum" in f.constraints}
            assert {"state", "country", "level", *CATEGORIES} & {*table.column_names} <= {*codes}
            for name, allowed in codes.items():
                assert set(table[name].to_pylist()) <= {*allowed}, (resource.name, name)


def test_the_manifest_says_how_it_was_made(publication):
    result, folder, _ = publication
    partner, public = (Release.open(folder, t).manifest for t in TIERS)
    assert public["licenses"][0]["name"] == "CC-BY-4.0"
    assert partner["licenses"] == [{"name": "other-closed", "title": "Under agreement"}]
    for tier, described in (("partner", partner), ("public", public)):
        about = described["tact"]
        assert (about["release"], about["tier"], about["invented"]) == (result.name, tier, True)
        assert about["k"] == DEFAULT_POLICY.k
        assert (about["first"], about["last"], about["first_month"]) == ("2006-06-01", "2007-05-31", 6)
        assert not {"privacy", "search"} & set(about)
        assert about["audit"]["passed"] is True
        assert {s: len(t) for s, t in about["parameters"]["tables"].items()} == {"1": 20, "3": 16}
        assert sum(about["parameters"]["tables"]["3"][1]) == pytest.approx(1)
        assert about["parameters"]["key_range"] == 2**24
        assert about["code_version"]
        assert result.name in described["citation"]
        assert tier in described["citation"]
        assert described["sources"]
        states = about["suppressed"]["children_region_whole"]
        assert sum(states.values()) == pytest.approx(1, abs=0.001)
    assert public["tact"]["knowledge"]["children"]["hidden_to"] == DEFAULT_POLICY.k - 1 + 5
    assert "encounters" in partner["tact"]["method"]
    assert f"Numbers below {DEFAULT_POLICY.k}" in public["tact"]["method"]
    assert "Numbers below 11" not in partner["tact"]["method"]


def read_texts(folder):
    """Return all that the files of a folder say: each distinct value of each column, descriptions, and other text."""
    texts = set()
    for path in filter(lambda path: path.is_file(), folder.rglob("*")):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            texts |= set(table.column_names)
            texts |= {str(value) for column in table.columns for value in column.unique().to_pylist()}
            texts |= {raw.decode() for raw in (table.schema.metadata or {}).values()}
        else:
            texts.add(path.read_bytes().decode("utf-8", "replace"))
    return texts


def find_keys(folder, hashes):
    """Return the beginnings of those hashes of children that stand anywhere in the files of a folder."""
    everything = "\n".join(read_texts(folder))
    return {start for start in (value[:16] for value in hashes) if start in everything}


def test_the_key_of_no_child_and_no_true_count_is_written(publication):
    _, folder, vault = publication
    hashes = set(vault.records["encounter"]["child"])
    assert len(hashes) > 100
    assert find_keys(folder, hashes) == set()
    for tier in TIERS:
        release = Release.open(folder, tier)
        for spec in DEFAULT_PLAN[tier]:
            if spec.counted and spec.name in release.tables:
                columns = {"area", "period", *spec.breakdown, "value", "state", "margin", "reconciled"}
                assert set(release.table(spec.name).columns) <= columns, spec.name


def test_a_key_that_is_written_into_a_compressed_table_is_found(publication, tmp_path):
    _, folder, vault = publication
    hashes = sorted(vault.records["encounter"]["child"])
    path = next(iter(sorted(folder.rglob("children_*.parquet"))))
    table = pq.read_table(path)
    column = pa.array([hashes[row % len(hashes)] for row in range(len(table))])
    planted = tmp_path / "planted.parquet"
    pq.write_table(table.append_column("key", column), planted, compression="zstd", write_statistics=False)
    assert hashes[0][:16].encode() not in planted.read_bytes()
    assert find_keys(tmp_path, hashes) == {hashes[row % len(hashes)][:16] for row in range(len(table))}


def test_every_area_and_period_has_a_row(publication):
    _, folder, _ = publication
    table = Release.open(folder, "partner").table("children_municipality_quarter_stage")
    assert len(table) == 8 * 4 * 6
    assert list(table.columns) == ["area", "period", "stage", "value", "state", "margin", "reconciled"]
    assert not set(table["area"]) & {"9261-1", "9261-2"}


def test_both_tiers_repeat_the_same_number(publication):
    _, folder, _ = publication
    partner, public = (Release.open(folder, t) for t in TIERS)
    compared = 0
    for spec in DEFAULT_PLAN["public"]:
        if spec.counted:
            keys = ["area", "period", *spec.breakdown]
            both = partner.table(spec.name).merge(public.table(spec.name), on=keys, suffixes=("", "_public"))
            shown = both[both["value_public"].notna()]
            assert (shown["value"] == shown["value_public"]).all()
            few = both[both["state_public"] == "few"]
            assert (few["value"].fillna(0) < DEFAULT_POLICY.k).all()
            compared += len(shown)
    assert compared > 50


def test_public_tables_show_classes_of_effort_and_services_and_no_exact_number(publication):
    _, folder, _ = publication
    public = Release.open(folder, "public")
    effort = public.table("effort_region_year").set_index("area")
    assert (effort.loc["AL-11", "low"], effort.loc["AL-11", "high"]) == (0, 49)
    assert (effort.loc["GR-I", "low"], effort.loc["GR-I", "high"]) == (50, 199)
    assert set(effort["state"]) == {"class"}
    assert effort["value"].isna().all()
    axis = public.table("services_region_year_axis").set_index(["area", "axis"])
    assert axis.loc[("AL-11", "protection"), "state"] == "class"
    assert axis.loc[("GR-I", "protection"), "state"] == "withheld"
    assert not [t for t in public.tables if t.startswith(("capacity", "staff", "flows", "model"))]


def test_partner_tables_show_services_with_capacity_by_region(publication):
    _, folder, _ = publication
    partner = Release.open(folder, "partner")
    capacity = partner.table("capacity_region_quarter_axis").set_index(["area", "period", "axis"])
    assert capacity.loc[("AL-11", "2006-06-01/P3M", "protection"), "state"] == "withheld", "one names no capacity"
    fine = partner.table("services_municipality_quarter_axis").set_index(["area", "period", "axis"])
    assert fine.loc[("101", "2006-06-01/P3M", "protection"), "state"] == "withheld"
    assert fine.loc[("101", "2006-06-01/P3M", "prevention"), "value"] == 1
    total = partner.table("services_municipality_quarter").set_index(["area", "period"])
    first = total.loc[("101", "2006-06-01/P3M")]
    assert (first["state"], first["low"]) == ("class", 1), "its shelter is left out"
    assert pd.isna(first["value"])
    assert total.loc[("103", "2006-06-01/P3M"), "state"] == "withheld", "a shelter stands there alone"
    assert total.loc[("9261", "2006-06-01/P3M"), "state"] == "withheld", "nothing stands there"
    assert total[["value", "high"]].isna().all(axis=None)


def test_communities_stand_by_class_and_group(publication):
    _, folder, _ = publication
    for tier in TIERS:
        table = Release.open(folder, tier).table("communities_region_year").set_index(["area", "group"])
        row = table.loc[("AL-11", "roma")]
        assert (row["state"], row["low"], row["high"]) == ("class", 500, 1999)
        assert table.loc[("AL-11", "egyptian"), "state"] == "no_data"


def test_figures_are_copied_unchanged(publication):
    _, folder, _ = publication
    for tier in TIERS:
        row = Release.open(folder, tier).table("figures").iloc[0]
        assert (row["area"], row["number"], row["source"]) == ("AL-11", 758513.0, "census 2023")


def test_publisher_and_doi_of_the_policy_stand_in_the_manifest_the_doi_for_everybody_alone(tmp_path):
    policy = replace(small_worlds.ONE_YEAR, publisher="ARSIS", doi="10.5281/zenodo.1234567")
    small_worlds.release(None, tmp_path, policy=policy)
    partner, public = (Release.open(tmp_path, tier).manifest for tier in ("partner", "public"))
    assert public["id"] == "https://doi.org/10.5281/zenodo.1234567"
    assert public["citation"].endswith(". ARSIS. https://doi.org/10.5281/zenodo.1234567")
    assert partner["contributors"] == public["contributors"] == [{"title": "ARSIS", "role": "publisher"}]
    assert "id" not in partner
    assert "doi.org" not in partner["citation"]
    assert frictionless.Package.metadata_validate(public) is not None


@pytest.mark.slow
def test_without_a_vault_figures_and_areas_are_released_alone(tmp_path):
    result = small_worlds.release(None, tmp_path)
    assert result.name == "2023-figures-001"
    for tier in TIERS:
        release = Release.open(tmp_path, tier)
        assert release.tables == ("figures",)
        assert release.manifest["tact"]["first"] is None
        assert frictionless.Package.metadata_validate(release.manifest) is not None
    assert small_worlds.release(small_worlds.MemoryVault(), tmp_path).name == "2023-figures-002"
    vault = small_worlds.MemoryVault(encounter=world())
    assert small_worlds.release(vault, tmp_path, **FEW).name == "2007-05-001"


def test_figures_of_the_vault_stand_beside_the_shipped_ones(tmp_path):
    figures = small_worlds.figures().assign(area="AL-02", source="office", note="=1+1")
    figures["year"] = figures["year"].astype("int64")
    small_worlds.release(small_worlds.MemoryVault(figure=pd.concat([figures, figures])), tmp_path)
    table = Release.open(tmp_path, "public").table("figures")
    assert table["area"].tolist() == ["AL-02", "AL-11"]
    assert table["note"].tolist() == ["=1+1", ""]


@pytest.mark.slow
def test_services_or_estimates_alone_make_a_release_too(tmp_path):
    community = pd.DataFrame({"area": ["AL-11"], "group": ["roma"], "estimate": [640], "year": [2005]})
    assert small_worlds.release(small_worlds.MemoryVault(community=community), tmp_path, **FEW).name == "2007-05-001"


@pytest.mark.slow
def test_names_are_listed_by_when_they_were_made_and_never_used_again(tmp_path):
    vault = small_worlds.MemoryVault(encounter=world())
    assert small_worlds.release(vault, tmp_path, **FEW).name == "2007-05-001"
    assert small_worlds.release(None, tmp_path, **FEW).name == "2023-figures-001"
    assert small_worlds.release(vault, tmp_path, **FEW).name == "2007-05-002"
    assert names(tmp_path) == ["2007-05-002", "2023-figures-001", "2007-05-001"]
    shutil.rmtree(tmp_path / "2007-05-002")
    forgetful = small_worlds.MemoryVault(encounter=world())
    assert small_worlds.release(forgetful, tmp_path, **FEW).name == "2007-05-003"
    assert names(tmp_path)[0] == "2007-05-003"


def test_only_one_release_is_made_at_a_time(tmp_path):
    with filelock.FileLock(tmp_path / ".lock"), pytest.raises(ReleaseError, match="Another release"):
        small_worlds.release(None, tmp_path)
    assert names(tmp_path) == []
    small_worlds.release(None, tmp_path)


def test_records_without_a_key_are_refused(tmp_path):
    with pytest.raises(ReleaseError, match="identifier key"):
        small_worlds.release(small_worlds.MemoryVault(encounter=world()), tmp_path, record_keys=None)


def test_a_policy_that_ends_before_it_begins_is_named():
    with pytest.raises(InputError, match="2007-05-01"):
        Policy(first=date(2007, 5, 1), last=date(2007, 1, 1))


@pytest.mark.long
def test_progress_is_told_to_its_end(tmp_path):
    seen = []
    vault = small_worlds.MemoryVault(encounter=world())
    small_worlds.release(vault, tmp_path, progress=lambda d, n, _step: seen.append((d, n)), **SMALL)
    assert seen[-1][0] == seen[-1][1]
    assert [d for d, _ in seen] == sorted({d for d, _ in seen})


@pytest.mark.slow
def test_a_failure_leaves_nothing(tmp_path, monkeypatch):
    vault = small_worlds.MemoryVault(encounter=world())

    def broken(*_):
        raise OSError("disk gone")

    monkeypatch.setattr(publishing, "audit_tiers", broken)
    with pytest.raises(OSError, match="disk gone"):
        small_worlds.release(vault, tmp_path, **FEW)
    assert names(tmp_path) == []
    assert current_name(tmp_path) is None
    assert not list(tmp_path.glob(".tmp*"))


@pytest.mark.slow
@pytest.mark.parametrize("published", [False, True])
def test_a_publication_that_was_interrupted_is_settled(tmp_path, published):
    vault = small_worlds.MemoryVault(encounter=world())
    first = small_worlds.release(vault, tmp_path, **FEW)
    name = "met|AL-11|2006-06-01/2007-05-31"
    vault.stage_publication("2007-05-002", {name: b"x"})
    if published:
        (tmp_path / "2007-05-002").mkdir()
    (tmp_path / ".tmp-2007-05-002-aa").mkdir()
    publishing.recover(vault, tmp_path)
    assert vault.staged_publication() is None
    assert (vault.published[name] == b"x") is published
    assert current_name(tmp_path) == ("2007-05-002" if published else first.name)
    assert not list(tmp_path.glob(".tmp*"))


@pytest.mark.slow
def test_a_release_that_is_lost_is_missed_and_its_name_never_used_again(tmp_path):
    vault = small_worlds.MemoryVault(encounter=world())
    first = small_worlds.release(vault, tmp_path / "releases", **FEW)
    (tmp_path / "releases").rename(tmp_path / "lost")
    with pytest.raises(ReleaseError, match=f"published {first.name}.*backup"):
        small_worlds.release(vault, tmp_path / "releases", **FEW)
    assert names(tmp_path / "releases") == []
    assert vault.staged_publication() is None
    (tmp_path / "lost" / first.name).rename(tmp_path / "releases" / first.name)
    assert small_worlds.release(vault, tmp_path / "releases", **FEW).name != first.name


FIGURE = {
    "area": "AL-11",
    "period": "2009-01-01/P1Y",
    "measure": "population",
    "number": 5.0,
    "share": None,
    "source": "A census",
    "year": 2009,
    "status": "census",
    "note": "",
}


def test_an_imported_figure_replaces_the_provisional_one_that_ships():
    row = {**FIGURE, "area": "AL-11", "source": "The final census", "number": 5.0}
    shipped = pd.DataFrame(
        [
            {**row, "number": 4.0, "source": "Provisional results", "status": "provisional"},
            {**row, "number": 3.0, "source": "Another count", "status": "read"},
            {**row, "number": 2.0, "source": "Provisional results", "status": "provisional", "area": "AL-01"},
        ]
    )
    vault = small_worlds.MemoryVault(encounter=world(), figure=pd.DataFrame([row]))
    figures = records.join_figures(vault, shipped, invented=False).to_pandas()
    assert figures["number"].tolist() == [2.0, 3.0, 5.0]


@pytest.mark.slow
@pytest.mark.parametrize("invented", [True, False])
def test_figures_of_an_invented_workspace_say_that_they_are(tmp_path, invented):
    shipped = small_worlds.figures()
    figures = pd.DataFrame([FIGURE, shipped.iloc[0].to_dict()])
    vault = small_worlds.MemoryVault(encounter=world(), figure=figures)
    small_worlds.release(vault, tmp_path, invented=invented, **FEW)
    for tier in TIERS:
        release = Release.open(tmp_path, tier)
        table = release.table("figures").set_index("year")
        assert table["invented"].to_dict() == {2009: invented, 2023: False}, "a figure that ships is real"
        source = "Invented: A census" if invented else "A census"
        assert table["source"].to_dict() == {2009: source, 2023: "census 2023"}
        about = next(r for r in release.manifest["resources"] if r["name"] == "figures")
        assert about["tact"]["invented"] is invented
        assert about["title"].endswith("some invented") is invented
        assert ("but for those whose source" in release.manifest["description"]) is invented


@pytest.mark.long
@settings(max_examples=4, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 600))
def test_published_numbers_keep_their_promises(tmp_path_factory, seed, children):
    """No public number is from 1 to k - 1; a total and its parts differ only as far as their noise allows."""
    folder = tmp_path_factory.mktemp("r")
    frame = small_worlds.encounters(np.random.default_rng(seed), children + children // 3, children)
    small_worlds.release(small_worlds.MemoryVault(encounter=frame), folder, **SMALL)
    partner, public = (Release.open(folder, t) for t in TIERS)
    for table in nonempty(public.tables):
        if table.startswith("children"):
            assert (public.table(table)["value"].dropna() >= 11).all()
    parents = small_worlds.area_table()["parent"]
    parts = partner.table("children_region_year")
    parts = parts[parts["state"] != "withheld"].assign(
        country=parts["area"].map(parents), value=parts["value"].fillna(0).astype(int)
    )
    years = partner.table("children_country_year").set_index("area")
    whole = years.loc[years["state"] != "withheld", "value"].fillna(0)
    for country, regions in nonempty(parts[parts["country"].isin(whole.index)].groupby("country")):
        if len(regions) == {"AL": 2, "GR": 3}[country]:
            assert abs(whole[country] - regions["value"].sum()) <= (len(regions) + 1) * 5
    stages = partner.table("children_country_whole_stage")
    stages = stages[stages.groupby("area")["state"].transform(lambda s: "withheld" not in set(s))]
    totals = partner.table("children_country_whole").set_index("area")
    total = totals.loc[totals["state"] != "withheld", "value"].fillna(0)
    for country, rows in nonempty(stages[stages["area"].isin(total.index)].groupby("area")):
        assert abs(total[country] - rows["value"].fillna(0).sum()) <= 7 * 5


@pytest.mark.long
def test_row_order_changes_no_number(tmp_path):
    frames = []
    for number in range(2):
        vault = small_worlds.MemoryVault(encounter=world().sample(frac=1, random_state=number))
        small_worlds.release(vault, tmp_path / str(number), **SMALL)
        release = Release.open(tmp_path / str(number), "partner")
        frames.append({r["name"]: r["hash"] for r in release.manifest["resources"]})
    assert frames[0] == frames[1]


@pytest.mark.slow
def test_the_real_vault_serves_a_release(tmp_path):
    with Vault.create(tmp_path / "vault", small_worlds.VAULT_KEY) as vault:
        small_worlds.fill(vault, world(), "world.csv")
        first = small_worlds.release(vault, tmp_path / "releases", **SMALL)
        second = small_worlds.release(vault, tmp_path / "releases", **SMALL)
        assert vault.staged_publication() is None
        assert len(vault.published_blocks()) > 50
    releases = [Release.open(tmp_path / "releases", "partner", n.name) for n in (first, second)]
    hashes = [{r["name"]: r["hash"] for r in h.manifest["resources"]} for h in releases]
    assert hashes[0] == hashes[1]


# -- kill -9 --


def prepared(folder, plan):
    """Make a vault with a release and with records that came later."""
    with Vault.create(folder / "vault", small_worlds.VAULT_KEY) as vault:
        small_worlds.fill(vault, world(), "first.csv")
        name = small_worlds.release(vault, folder / "releases", plan=small_worlds.PLANS[plan]).name
        small_worlds.fill(vault, small_worlds.encounters(np.random.default_rng(3), 2000, 1200), "second.csv")
        return name, stored(vault)


def stored(vault):
    return {name: block.members for name, block in vault.published_blocks().items()}


def start(folder, plan):
    """Start a release in a new process; return the process once the release has begun."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.helpers.small_worlds", str(folder / "releases"), str(folder / "vault"), plan],
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert process.stdout.readline() == b"begin\n"
    return process


@pytest.fixture(scope="module")
def prepare(tmp_path_factory):
    """Return a function that makes the vault of a plan once: folder, release, members, seconds of a whole release.

    Each test works on a copy of the folder.
    """

    @cache
    def prepare_once(plan):
        folder = tmp_path_factory.mktemp("ready")
        before, published = prepared(folder, plan)
        copy = shutil.copytree(folder, tmp_path_factory.mktemp("whole"), dirs_exist_ok=True)
        process = start(copy, plan)
        began = time.monotonic()
        output, _ = process.communicate()
        assert (output, process.returncode) == (b"2007-05-002\n", 0)
        return folder, before, published, time.monotonic() - began

    return prepare_once


@pytest.mark.long
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL on this system")
@pytest.mark.parametrize(("plan", "moment"), [*product(["small"], range(3)), *product(["whole"], range(10))])
def test_killed_at_any_moment_a_release_is_whole_or_is_not(tmp_path, prepare, plan, moment):
    folder, before, published, seconds = prepare(plan)
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    process = start(tmp_path, plan)
    time.sleep(float(np.random.default_rng([31, moment]).uniform(0, seconds * 1.1)))
    process.kill()
    output, _ = process.communicate()
    check(tmp_path, plan, before, published, reported=bool(output))


def check(folder, plan, before, published, *, reported):
    """Check the state after a kill: complete releases, a valid `current`, a matching vault, and a next release."""
    releases = folder / "releases"
    for name in names(releases):
        for tier in TIERS:
            release = Release.open(releases, tier, name)
            assert release.manifest["tact"]["audit"]["passed"]
            for resource in release.manifest["resources"]:
                assert (release.folder / resource["path"]).stat().st_size == resource["bytes"]
    assert current_name(releases) in names(releases)
    with Vault.open(folder / "vault", small_worlds.VAULT_KEY) as vault:
        publishing.recover(vault, releases)
        assert vault.staged_publication() is None
        done = len(names(releases)) > 1
        assert done or not reported
        assert stored(vault) == published, "what was published is never drawn again"
        assert (current_name(releases) != before) == done
        assert not list(releases.glob(".tmp*"))
        following = small_worlds.release(vault, releases, plan=small_worlds.PLANS[plan])
        assert current_name(releases) == following.name
        assert vault.check() == []


@pytest.mark.slow
@pytest.mark.parametrize("area", ["102", "AL-11", "AL"])
def test_children_in_an_area_without_a_programme_refuse_a_release(tmp_path, area):
    """They were shown as zero, and the rest of the country's total was their number. A few stay a zero."""
    vault = small_worlds.MemoryVault(encounter=world())
    policy = replace(small_worlds.ONE_YEAR, no_programme=frozenset({area, "GR-69"}))
    with pytest.raises(ReleaseError, match=f"does not work in {area}, and"):
        small_worlds.release(vault, tmp_path, policy=policy, **SMALL)
    assert names(tmp_path) == []
    encounters = world()
    inside = encounters.index[encounters["municipality"] == "9261"]
    encounters.loc[inside[3:], "municipality"] = "9001"
    encounters = pd.concat([encounters, *[encounters.loc[inside[:3]]] * 20], ignore_index=True)  # of the same children
    policy = replace(policy, no_programme=frozenset({"GR-K"}))
    small_worlds.release(small_worlds.MemoryVault(encounter=encounters), tmp_path, policy=policy, **SMALL)
    table = Release.open(tmp_path, "partner").table("children_region_year").set_index("area")
    assert len(inside) > 3
    assert table["state"]["GR-K"] == "structural_zero"


def test_areas_are_copied_byte_for_byte(tmp_path):
    raw = io.BytesIO()
    table = pq.read_table(io.BytesIO(small_worlds.areas_bytes()))
    pq.write_table(table.append_column("km2", pa.array(np.arange(len(table), dtype=float))), raw)
    small_worlds.release(None, tmp_path, areas_geoparquet=raw.getvalue())
    assert Release.open(tmp_path, "public").areas_file.read_bytes() == raw.getvalue()


@pytest.mark.long
def test_a_table_that_the_plan_gains_later_is_shown_from_then_on(tmp_path):
    vault = small_worlds.MemoryVault(encounter=world())
    small_worlds.release(vault, tmp_path, **SMALL)
    more = {t: (*small_worlds.SMALL_PLAN[t],) for t in TIERS}
    more["partner"] += (TableSpec("children", "region", "whole", ("sex",)),)
    small_worlds.release(vault, tmp_path, plan=more)
    first, second = (Release.open(tmp_path, "partner", n) for n in reversed(names(tmp_path)))
    assert first.table("children_region_whole").equals(second.table("children_region_whole"))
    assert "children_region_whole_sex" in second.tables


@pytest.mark.parametrize("left", ["", "2001-01-001\n"])
def test_a_current_that_points_nowhere_is_mended(tmp_path, left):
    """As after a kill between the renaming of the first release and the first writing of `current`."""
    name = small_worlds.release(None, tmp_path).name
    (tmp_path / "current").write_text(left)
    publishing.recover(None, tmp_path)
    assert current_name(tmp_path) == name


def test_a_release_that_was_taken_back_does_not_return_with_the_next_one(tmp_path):
    old, first, bad = (small_worlds.release(None, tmp_path).name for _ in range(3))
    assert not (tmp_path / WITHDRAWN).exists()
    (tmp_path / "current").write_text(f"{first}\n")
    (tmp_path / WITHDRAWN).write_text(f"{old}\n")
    small_worlds.release(None, tmp_path, rehearse=True)
    assert (tmp_path / WITHDRAWN).read_text() == f"{old}\n", "nothing was published"
    new = small_worlds.release(None, tmp_path).name
    assert (tmp_path / WITHDRAWN).read_text().split() == sorted([old, bad])
    assert list_earlier(tmp_path, new) == [first]
    assert names(tmp_path) == [new, bad, first, old], "what protects numbers reads all that was published"
    shutil.rmtree(tmp_path / new)
    publishing.recover(None, tmp_path)
    assert current_name(tmp_path) == first


@pytest.mark.slow
def test_a_release_from_an_older_backup_is_refused_with_the_way_back(tmp_path):
    encounters = world()
    small_worlds.release(small_worlds.MemoryVault(encounter=encounters), tmp_path, **SMALL)
    older = small_worlds.MemoryVault(encounter=encounters.iloc[:300])
    with pytest.raises(ReleaseRefused, match="does not know the numbers of release 2007-05-001") as refusal:
        small_worlds.release(older, tmp_path, **SMALL)
    again = small_worlds.MemoryVault(encounter=encounters)
    assert small_worlds.release(again, tmp_path, **SMALL).name == "2007-05-002"
    assert explain_refusal(refusal.value, again, tmp_path) is refusal.value, "the vault knows the last release"
