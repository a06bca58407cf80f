import os
import stat

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import CorruptVault, VaultError, WorkspaceError, WrongKey
from data.restricted.keys import Keys, Secret
from data.restricted.vault import Counts, PublishedBlock, Vault, health, importing, open_vault, tables
from data.workspace import Workspace
from tests.helpers.records import COLUMNS, frame

KEY = Secret(bytes(range(32)))


@pytest.fixture
def vault(tmp_path):
    with Vault.create(tmp_path / "vault", KEY) as vault:
        yield vault


def everything(vault, kind, columns=None, **options):
    """Return a kind of records as a frame of texts and numbers, in the order of identity."""
    batches = list(vault.read(kind, columns, **options))
    if not batches:
        return pd.DataFrame()
    table = pa.Table.from_batches(batches)
    plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pa.table(plain, table.column_names).to_pandas()


def expected(kind, *frames):
    whole = pd.concat(frames).sort_values("identity", ignore_index=True)
    return whole[list(COLUMNS[kind])]


# -- records in and out --


@pytest.mark.parametrize("kind", list(COLUMNS))
def test_what_goes_in_comes_out(vault, kind):
    records = frame(kind, 200)
    assert vault.add(kind, records, "a.csv") == Counts(200, 0, 0)
    contents = everything(vault, kind)
    pd.testing.assert_frame_equal(contents, expected(kind, records), check_dtype=False)
    assert vault.kinds() == [kind]
    assert vault.check() == []


def test_the_tables_hold_the_columns_of_the_record_kinds():
    schema = pytest.importorskip("data.schema")
    how = {"hash": "hash", "whole": "integer", "year": "integer", "decimal": "real"}
    assert set(tables.TABLES) == set(schema.KINDS)
    for name, kind in schema.KINDS.items():
        stored = {c.name: how.get(c.type, "term or text") for c in kind.columns if c.stored}
        assert {
            column: "term or text" if storage in ("term", "text") else storage
            for column, storage in tables.TABLES[name].items()
        } == stored


@pytest.mark.parametrize("shape", ["frame", "table", "batch", "categorical", "object", "large"])
def test_chunks_may_come_in_any_dress(vault, shape):
    records = frame("encounter", 60)
    table = pa.Table.from_pandas(records, preserve_index=False)
    given_as = {
        "frame": records,
        "table": table,
        "batch": table.combine_chunks().to_batches()[0],
        "categorical": records.astype({"stage": "category", "partner": "category", "child": "category"}),
        "object": records.astype(object),
        "large": table.cast(
            pa.schema([(f.name, pa.large_string() if f.type == pa.string() else f.type) for f in table.schema])
        ),
    }
    vault.add("encounter", given_as[shape], "a.csv")
    pd.testing.assert_frame_equal(everything(vault, "encounter"), expected("encounter", records), check_dtype=False)


def test_missing_values_become_empty_text_and_null(vault):
    records = frame("service", 40).astype(object)
    records.loc[::2, "handed_to"] = None
    records.loc[::2, "operator"] = float("nan")
    records["staff"] = [float("nan"), 4.0] * 20
    vault.add("service", records, "a.csv")
    contents = everything(vault, "service")
    assert (contents["operator"] == "").sum() == 20
    assert contents["staff"].isna().sum() == 20
    assert sorted(contents["staff"].dropna().unique()) == [4]
    batch = next(vault.read("service"))
    assert batch.schema.field("staff").type == pa.int64()
    assert batch["handed_to"].null_count == 0


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.text(max_size=20), min_size=1, max_size=12))
def test_any_text_survives(tmp_path_factory, texts):
    texts = [t.encode("utf-8", "ignore").decode() for t in texts]
    records = frame("figure", len(texts))
    records["note"] = records["source"] = pd.Series(texts, dtype="str")
    with Vault.create(tmp_path_factory.mktemp("v") / "vault", KEY) as vault:
        vault.add("figure", records, "a.csv")
        contents = everything(vault, "figure")
    pd.testing.assert_frame_equal(contents, expected("figure", records), check_dtype=False)


def test_reading_gives_one_dictionary_and_bounded_chunks(vault):
    vault.add("encounter", frame("encounter", 500), "a.csv")
    batches = list(vault.read("encounter", ["stage", "child", "identity", "batch"], chunk_rows=128))
    assert [len(b) for b in batches] == [128, 128, 128, 116]
    assert pa.types.is_dictionary(batches[0].schema.field("stage").type)
    assert batches[0].schema.field("child").type == pa.string()
    assert batches[0].schema.field("identity").type == pa.binary(16)
    assert all(b["stage"].dictionary.equals(batches[0]["stage"].dictionary) for b in batches)
    identities = [i.as_py() for b in batches for i in b["identity"]]
    assert identities == sorted(identities)


def test_an_empty_kind_gives_no_batch(vault):
    assert list(vault.read("encounter")) == []
    assert vault.add("encounter", frame("encounter", 3).iloc[:0], "a.csv") == Counts()
    assert not vault.has_records()


def test_unknown_kinds_and_columns_are_named(vault):
    with pytest.raises(VaultError, match="encounters"):
        vault.read("encounters")
    with pytest.raises(VaultError, match="child_id"):
        vault.read("encounter", ["child_id"])
    with pytest.raises(VaultError, match="none at all"):
        vault.read("encounter", [])
    with pytest.raises(VaultError, match="nothing"), vault.importing("nothing", "a.csv"):
        pass


# -- the same file, corrections --


def test_the_partners_of_each_kind_are_listed(vault):
    for kind in ("encounter", "service", "figure"):
        with vault.importing(kind, "a.csv", "Sender") as records:
            records.add(frame(kind, 3))
    for kind, name in (("encounter", "partner"), ("service", "operator")):
        assert vault.partners(kind) == sorted(set(everything(vault, kind, [name])[name]) - {""})
        assert vault.partners(kind)
    assert vault.partners("figure") == []
    with pytest.raises(VaultError, match="no record kind"):
        vault.partners("people")


def test_the_same_file_again_changes_no_record_and_is_listed(vault):
    vault.add("encounter", frame("encounter", 300), "a.csv")
    before = [row for kind in COLUMNS for row in vault._connection.execute(f"SELECT * FROM {kind}")]
    assert vault.add("encounter", frame("encounter", 300), "a.csv") == Counts(0, 0, 300)
    assert [row for kind in COLUMNS for row in vault._connection.execute(f"SELECT * FROM {kind}")] == before
    assert [(i["accepted"], i["already_known"]) for i in vault.list_imports()] == [(300, 0), (0, 300)]
    assert [i["rejected"] for i in vault.list_imports()] == [None, None]  # as those of an earlier version


def test_a_correction_replaces_and_is_counted(vault):
    vault.add("encounter", frame("encounter", 100), "a.csv")
    corrected = frame("encounter", 10, first=95, version=1)
    assert vault.add("encounter", corrected, "b.csv") == Counts(5, 5, 0)
    contents = everything(vault, "encounter")
    rest = frame("encounter", 100).iloc[:95]
    pd.testing.assert_frame_equal(contents, expected("encounter", rest, corrected), check_dtype=False)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2)), max_size=12), min_size=1, max_size=6),
    st.sampled_from([1, 3, 1000]),
)
def test_however_records_repeat_it_is_as_if_they_came_one_by_one(tmp_path_factory, chunks, buffered_rows):
    state, model = {}, Counts()
    for record, version in (r for chunk in chunks for r in chunk):
        if record not in state:
            model += Counts(accepted=1)
        elif state[record] == version:
            model += Counts(already_known=1)
        else:
            model += Counts(changed=1)
        state[record] = version
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "_BUFFERED_ROWS", buffered_rows)
        patch.setattr(importing, "_ROWS_PER_WRITE", 4)
        with Vault.create(tmp_path_factory.mktemp("v") / "vault", KEY) as vault:
            with vault.importing("effort", "a.csv") as batch:
                for chunk in chunks:
                    rows = [frame("effort", 1, first=record, version=v) for record, v in chunk]
                    batch.add(pd.concat(rows) if rows else frame("effort", 0))
            assert batch.counts == model
            last = [frame("effort", 1, first=record, version=v) for record, v in state.items()]
            contents = everything(vault, "effort")
            if last:
                pd.testing.assert_frame_equal(contents, expected("effort", *last), check_dtype=False)
            else:
                assert contents.empty


# -- all or nothing --


def test_a_file_that_is_refused_midway_leaves_nothing(vault):
    def refused():
        with vault.importing("encounter", "a.csv") as batch:
            batch.add(frame("encounter", 50))
            batch.flush()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        refused()
    assert not vault.has_records()
    assert vault._connection.execute("SELECT (SELECT count(*) FROM term), (SELECT count(*) FROM batch)").fetchone() == (
        0,
        0,
    )
    assert vault.add("encounter", frame("encounter", 50), "a.csv") == Counts(50, 0, 0)


BAD = {
    "no identity": lambda f: f.drop(columns="identity"),
    "a raw identifier": lambda f: f.assign(child_id="Ana Marku"),
    "a hash that is none": lambda f: f.assign(child="Ana Marku"),
    "a hash of the right length": lambda f: f.assign(child="Ana Marku" + 55 * " "),
    "a short identity": lambda f: f.assign(identity=[b"x"] * len(f)),
    "a missing content": lambda f: f.assign(content=[None] * len(f)),
    "mixed types": lambda f: f.assign(stage=pd.Series(["Ana Marku", 7] * (len(f) // 2), dtype=object)),
}


@pytest.mark.parametrize("fault", list(BAD))
def test_records_of_a_wrong_form_are_refused_and_never_shown(vault, fault):
    with pytest.raises(VaultError) as refused:
        vault.add("encounter", BAD[fault](frame("encounter", 10)), "a.csv")
    assert "Ana" not in str(refused.value)
    assert refused.value.__suppress_context__ or refused.value.__context__ is None
    assert not vault.has_records()


@pytest.mark.parametrize("value", ["many", 1.5])
def test_a_number_that_is_none_is_refused_and_never_shown(vault, value):
    records = frame("service", 4).assign(staff=pd.Series([value] * 4))
    with pytest.raises(VaultError, match="staff") as refused:
        vault.add("service", records, "a.csv")
    assert str(value) not in str(refused.value)


# -- keys, files, kinds --


def test_a_wrong_key_is_a_wrong_key(vault, capfd):
    vault.add("encounter", frame("encounter", 10), "a.csv")
    wrong = Secret.random()
    with pytest.raises(WrongKey, match="does not belong") as refused:
        Vault.open(vault.folder, wrong)
    for secret in (KEY, wrong):
        assert secret.reveal().hex() not in str(refused.value)
    (vault.folder / "vault.check").unlink()
    with pytest.raises(WrongKey, match="either the key"):
        Vault.open(vault.folder, wrong)
    assert capfd.readouterr() == ("", ""), "SQLCipher's own log must be off"


@pytest.mark.parametrize("damage", ["removed", "garbage", "another format", "one digit"])
def test_a_lost_check_value_is_renewed_by_the_right_key(vault, damage):
    check = vault.folder / "vault.check"
    text = check.read_text()
    if damage == "removed":
        check.unlink()
    else:
        new = {"garbage": "\x00\xff", "another format": "[1]", "one digit": text.replace('"mac": "', '"mac": "0')}
        check.write_text(new[damage])
    assert vault.check() == [] or "is damaged" in vault.check()[0]
    with Vault.open(vault.folder, KEY) as again:
        assert again.check() == []
    assert check.read_text() == text


def test_nothing_personal_stands_unencrypted_on_the_disk(vault):
    vault.add("encounter", frame("encounter", 2000), "Ana_Marku.csv", "arsis")
    needles = [b"arsis", b"in_exploitation", b"10944377", b"SQLite format", b"Ana_Marku", b"encounter"]
    needles += [bytes.fromhex(frame("encounter", 1)["child"][0])]
    written = b"".join(p.read_bytes() for p in vault.folder.parent.rglob("*") if p.is_file())
    assert len(written) > 100_000
    assert [n for n in needles if n in written] == []
    assert KEY.reveal() not in written
    assert KEY.reveal().hex().encode() not in written


def test_the_name_of_the_file_is_not_kept(vault):
    vault.add("encounter", frame("encounter", 5), "/home/x/Ana_Marku.csv", "arsis")
    rows = vault._connection.execute("SELECT * FROM batch").fetchall()
    assert len(rows) == 1
    assert b"Ana" not in repr(rows).encode()
    assert rows[0][1] == "encounter"


@pytest.mark.skipif(os.name == "nt", reason="POSIX modes")
def test_files_are_closed_to_others_and_doctor_looks(tmp_path):
    old = os.umask(0)
    try:
        with Vault.create(tmp_path / "vault", KEY) as vault:
            vault.add("encounter", frame("encounter", 50), "a.csv")
            modes = {p.name: stat.S_IMODE(p.stat().st_mode) for p in vault.folder.iterdir()}
            assert set(modes.values()) == {0o600}
            assert "vault.db-wal" in modes
            assert stat.S_IMODE(vault.folder.stat().st_mode) == 0o700
            (vault.folder / "vault.db").chmod(0o644)
            assert any("chmod" in p for p in vault.check())
    finally:
        os.umask(old)


def test_a_vault_is_never_made_over_another(vault):
    vault.add("encounter", frame("encounter", 5), "a.csv")
    with pytest.raises(VaultError, match="already"):
        Vault.create(vault.folder, KEY)
    assert vault.has_records()


def test_an_interrupted_making_leaves_nothing(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(health, "write", killed)
    with pytest.raises(KeyboardInterrupt):
        Vault.create(tmp_path / "vault", KEY)
    assert list(tmp_path.iterdir()) == []


def test_no_vault_names_the_command(tmp_path):
    with pytest.raises(VaultError, match="tact init"):
        Vault.open(tmp_path / "vault", KEY)
    (tmp_path / "vault.before-2026").mkdir()
    with pytest.raises(VaultError, match=r"vault\.before-2026"):
        Vault.open(tmp_path / "vault", KEY)


def test_a_lost_vault_is_answered_with_the_way_back_and_not_with_a_new_one(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "real")
    with pytest.raises(VaultError, match=r"tact --workspace '.*w' restore FILE") as lost:
        Vault.open(workspace.vault, KEY)
    assert "init" not in str(lost.value)
    (tmp_path / "w" / "vault.before-2026").mkdir()
    with pytest.raises(VaultError, match=r"vault\.before-2026"):
        Vault.open(workspace.vault, KEY)


def test_a_vault_of_another_version_is_named(vault):
    vault._connection.execute("PRAGMA user_version = 9")
    vault.close()
    with pytest.raises(VaultError, match="another version"):
        Vault.open(vault.folder, KEY)


def test_the_vault_and_its_workspace_are_of_one_kind(tmp_path):
    workspace = Workspace.create(tmp_path / "w", "real")
    both = Keys.random()
    Vault.create(workspace.vault, both.vault, kind="invented").close()
    with pytest.raises(WorkspaceError, match="never mix"):
        open_vault(workspace, both)
    invented = Workspace.create(tmp_path / "i", "invented")
    Vault.create(invented.vault, both.vault, kind="invented").close()
    with open_vault(invented, both) as vault:
        assert vault.kind == "invented"


@pytest.mark.parametrize("kind", ["real", "invented"])
def test_a_vault_takes_the_kind_of_the_workspace_around_it(tmp_path, kind):
    workspace, both = Workspace.create(tmp_path / "w", kind), Keys.random()
    for enter in (Vault.create, Vault.open):
        with enter(workspace.vault, both) as vault:
            assert vault.kind == kind
    with pytest.raises(WrongKey):
        Vault.open(workspace.vault, both.identifier)


def test_neither_the_vault_nor_its_errors_show_the_key(vault):
    assert "00010203" not in repr(vault)
    assert "secret" in repr(vault._key)


# -- areas and publications --


def test_areas_in_use_are_those_of_records_not_of_corrected_ones(vault):
    records = frame("encounter", 5).assign(municipality="9999", origin="", destination="8888")
    vault.add("encounter", records, "a.csv")
    vault.add("community", frame("community", 30), "b.csv")
    assert vault.area_codes_in_use() == {"9999", "8888", "AL-11", "GR-I", "9261"}
    corrected = frame("encounter", 5, version=1).assign(municipality="7777", origin="", destination="")
    vault.add("encounter", corrected, "c.csv")
    assert vault.area_codes_in_use() == {"7777", "AL-11", "GR-I", "9261"}


def test_a_publication_is_confirmed_or_discarded(vault):
    vault.stage_publication("r1", {"a": b"12", "b": b"3"})
    assert (vault.staged_publication(), vault.published_blocks()) == ("r1", {})
    vault.confirm_publication("r1")
    assert vault.staged_publication() is None
    assert vault.published_blocks() == {"a": PublishedBlock(b"12", "r1"), "b": PublishedBlock(b"3", "r1")}
    vault.stage_publication("r2", {"b": b"4"})
    vault.discard_publication("r2")
    vault.stage_publication("r3", {"b": b"5"})
    vault.stage_publication("r3", {"b": b"6"})
    vault.confirm_publication("r3")
    assert vault.published_blocks() == {"a": PublishedBlock(b"12", "r1"), "b": PublishedBlock(b"6", "r3")}
    for settle in (vault.confirm_publication, vault.discard_publication):
        with pytest.raises(VaultError, match="Nothing is staged"):
            settle("r3")


def test_an_unfinished_publication_stands_in_the_way_and_doctor_names_it(vault):
    vault.stage_publication("r1", {})
    with pytest.raises(VaultError, match="r1 was not finished"):
        vault.stage_publication("r2", {"a": b"1"})
    assert any("r1" in problem for problem in vault.check())
    vault.close()
    with Vault.open(vault.folder, KEY) as again:
        assert again.staged_publication() == "r1"


def test_doctor_finds_a_number_that_stands_for_nothing(vault):
    vault.add("encounter", frame("encounter", 20), "a.csv")
    vault._connection.execute("""DELETE FROM term WHERE "column" = 'encounter.stage'""")
    assert any("are damaged" in problem for problem in vault.check())


def test_a_reader_sees_one_moment_while_another_writes(vault):
    vault.add("encounter", frame("encounter", 300), "a.csv")
    reading = vault.read("encounter", ["stage"], chunk_rows=100)
    seen = len(next(reading))
    vault.add("encounter", frame("encounter", 300, first=300), "b.csv")
    assert seen + sum(len(b) for b in reading) == 300
    assert sum(len(b) for b in vault.read("encounter", ["stage"])) == 600


def test_reading_cannot_write(vault):
    with pytest.raises(VaultError), vault._reading() as connection:
        connection.execute("DELETE FROM meta")


def test_a_damaged_file_is_no_wrong_key(vault):
    vault.close()
    path = vault.folder / "vault.db"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    with pytest.raises(CorruptVault, match="tact restore"):
        Vault.open(vault.folder, KEY)
