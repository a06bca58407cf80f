"""The files of invented partners say that they are invented, and intake reads them as the world has them."""

from functools import cache, partial

import pandas as pd
import pytest

from data.reference import area_table
from data.restricted.intake import read_file
from data.restricted.intake.mapping import read as read_mapping
from data.schema.kinds import KINDS
from geo.places import Places
from risk import worlds as sim
from tests.helpers.nonempty import nonempty
from tests.helpers.partner_files import Hasher


@cache
def read_back(path, partner, mapping=None):
    kind = path.stem.rpartition("-")[2]
    rules = read_mapping(mapping, kind) if mapping else None
    places = Places(area_table())
    return kind, read_file(path, kind, resolve=places.resolve, hash_identifier=Hasher(), mapping=rules, partner=partner)


PARTNERS = {"terre-des-hommes": "Terre des hommes", "arsis": "ARSIS", "bktf": "BKTF", "amaro-drom": "Amaro Drom"}


@pytest.fixture(scope="module")
def written(default, tmp_path_factory):
    folder = tmp_path_factory.mktemp("plain")
    return folder, sim.write_partner_files(default, folder)


def owner_and_mapping(path):
    stem = path.stem.removeprefix("invented-").rpartition("-")[0]
    mapping = path.parent / f"invented-{stem}.toml"
    return PARTNERS[stem], mapping if mapping.exists() and "encounter" in path.name else None


def test_all_files_say_that_they_are_invented(written):
    folder, paths = written
    assert sorted(paths) == sorted(folder.iterdir())
    assert all(path.name.startswith("invented-") for path in paths)
    assert {path.suffix for path in paths} == {".csv", ".xlsx", ".toml"}


@pytest.mark.slow
def test_only_one_heading_and_one_word_need_a_mapping_as_the_handbook_says(written):
    unread = {
        "bktf-encounter.csv": ((), set()),
        "amaro-drom-encounter.xlsx": (("Bashkia e mbërritjes",), {"i identifikuar"}),
    }
    for name, (headings, words) in nonempty(unread.items()):
        path = written[0] / f"invented-{name}"
        intake = read_back(path, owner_and_mapping(path)[0])[1]
        assert (intake.unknown_columns, set(intake.rejects["value"])) == (headings, words)


@pytest.mark.long
def test_intake_takes_every_row_of_every_file_as_it_was_in_the_world(default, written):
    columns = {"encounter": ["date", "municipality", "stage", "found", "origin", "destination", "age_band"]}
    taken = {kind: [] for kind in default.records}
    for path in written[1]:
        if path.suffix == ".toml":
            continue
        partner, mapping = owner_and_mapping(path)
        kind, intake = read_back(path, partner, mapping)
        assert intake.rejects.empty, (path.name, intake.rejects.head())
        assert not intake.unknown_columns
        taken[kind].append(intake.accepted)
    for kind, frames in taken.items():
        together, world_ = pd.concat(frames), default.records[kind]
        assert len(together) == len(world_)
        names = [*columns.get(kind, []), "partner"] if kind == "encounter" else list(world_.columns)
        names = [name for name in names if name in together.columns]
        types = {name: KINDS[kind].column(name).dtype for name in names}
        pair = [frame[names].astype(types).sort_values(names, ignore_index=True) for frame in (together, world_)]
        pd.testing.assert_frame_equal(*pair)
    assert len(pd.concat(taken["encounter"])) >= 500
    # A child with a shared number is one child, whoever met it.
    children = pd.concat(taken["encounter"])["child"].nunique()
    assert default.truth.child.max() + 1 <= children <= 1.1 * default.truth.child.max()


@pytest.mark.long
def test_names_of_places_are_written_in_three_scripts_and_as_codes(written):
    texts = set()
    for path in written[1]:
        if "encounter" in path.name:
            read = pd.read_csv if path.suffix == ".csv" else partial(pd.read_excel, engine="openpyxl")
            texts |= set(read(path, dtype=str).iloc[:, :6].to_numpy().ravel().astype(str))
    assert {"Tirana", "Tiranë", "10944420", "Αθηναίων", "ΑΘΗΝΑΙΩΝ", "Athens"} <= texts


@pytest.mark.long
def test_bad_rows_come_back_and_the_rest_goes_in(default, written, tmp_path):
    wrong = 0
    for path in sim.write_partner_files(default, tmp_path, bad_rows=True):
        if path.suffix == ".toml":
            continue
        partner, mapping = owner_and_mapping(path)
        _, intake = read_back(path, partner, mapping)
        _, plain = read_back(written[0] / path.name, partner, mapping)
        assert intake.accepted_rows == plain.accepted_rows
        wrong += intake.rejected_rows
        assert intake.rejected_rows == {"encounter": 5, "effort": 3}.get(path.stem.rpartition("-")[2], 0)
    assert wrong == 4 * 5 + 4 * 3
