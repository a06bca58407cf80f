"""Undo: an import that is taken back leaves the vault as if it had never been."""

import hashlib

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from data.errors import InputError
from data.restricted.keys import Secret
from data.restricted.vault import Undone, Vault, removal, tables
from tests.helpers.records import frame

KEY = Secret(bytes(range(32)))
SLOW_FIXTURE = HealthCheck.function_scoped_fixture
RECORDS = frame("encounter", 10)
STAGES = ("at_risk", "recruited", "identified")


@pytest.fixture
def vault(tmp_path):
    with Vault.create(tmp_path / "vault", KEY) as vault:
        yield vault


def say(records):
    """Return records as a file gives them: `records` maps the number of a record to one of three contents."""
    chosen = RECORDS.iloc[list(records)].copy()
    chosen["stage"] = [STAGES[content] for content in records.values()]
    chosen["content"] = [
        hashlib.blake2b(bytes([number, content]), digest_size=16).digest() for number, content in records.items()
    ]
    return chosen.reset_index(drop=True)


def dump(vault, steps):
    """Return all records and their history, with the step of each import instead of its number."""
    stored = []
    for table in ("encounter", "encounter_history"):
        rows = vault._connection.execute(f"SELECT identity, content, batch, stage, child FROM {table}").fetchall()
        stages = dict(vault._connection.execute("SELECT code, text FROM term WHERE \"column\" = 'encounter.stage'"))
        # A mark that a record was removed repeats what it had then: its import may be taken back later.
        stages_of = [(i, c, steps[b], stages[s] if any(c) else "", child) for i, c, b, s, child in rows]
        stored.append(sorted(stages_of))
    return stored


def run(vault, files, undone):
    """Import files, and undo imports after the step that `undone` maps to their positions; return the steps."""
    numbers, steps = {}, {}
    for step, records in enumerate(files):
        if records:
            vault.add("encounter", say(records), f"{step}.csv")
            numbers[step] = vault.list_imports()[-1]["number"]
            steps[numbers[step]] = step
        for other in undone.get(step, ()):
            if other in numbers:
                vault.undo(numbers[other])
                del steps[numbers.pop(other)]
    return steps


IMPORTS = st.lists(st.dictionaries(st.integers(0, 3), st.integers(0, 2), min_size=1), min_size=1, max_size=6)


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[SLOW_FIXTURE])
@given(files=IMPORTS, data=st.data())
def test_any_sequence_equals_the_same_without_what_was_undone(tmp_path_factory, files, data):
    undone = {}
    for position in range(len(files)):
        if data.draw(st.booleans()):
            undone.setdefault(data.draw(st.integers(position, len(files) - 1)), []).append(position)
    without = {position for positions in undone.values() for position in positions}
    folder = tmp_path_factory.mktemp("undo")
    with Vault.create(folder / "with", KEY) as vault, Vault.create(folder / "without", KEY) as other:
        steps = run(vault, files, undone)
        expected = run(other, [{} if n in without else records for n, records in enumerate(files)], {})
        assert dump(vault, steps) == dump(other, expected)
        texts = 'SELECT "column", text FROM term ORDER BY 1, 2'
        assert vault._connection.execute(texts).fetchall() == other._connection.execute(texts).fetchall()
        assert vault.check() == []


def remove(vault, numbers):
    """Remove records from a vault as a file does that takes the place of earlier ones; return its number."""
    with vault.importing("encounter", "removal.csv") as records:
        records.add(say({9: 0}))
        records.flush()
        connection = vault._connection
        connection.execute("CREATE TEMP TABLE gone (identity BLOB)")
        identities = [[bytes(identity)] for identity in RECORDS["identity"].iloc[list(numbers)]]
        connection.executemany("INSERT INTO temp.gone VALUES (?)", identities)
        records.remove_gone()
        connection.execute("DROP TABLE temp.gone")
    return records.number


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=[SLOW_FIXTURE])
@given(first=IMPORTS, then=IMPORTS, gone=st.sets(st.integers(0, 3)), data=st.data())
def test_records_that_a_file_removed_come_back_with_its_undo(tmp_path_factory, first, then, gone, data):
    """Imports, a removal and further imports, of which any are taken back in any order, equal those that stay."""
    undone = data.draw(st.permutations(range(len(first) + len(then) + 1)))
    undone = undone[: data.draw(st.integers(0, len(undone)))]
    files = [*first, None, *then]
    folder, states = tmp_path_factory.mktemp("removal"), []
    for name, left_out in (("with", ()), ("without", undone)):
        with Vault.create(folder / name, KEY) as vault:
            numbers = {}
            for step, records in enumerate(files):
                if step in left_out:
                    continue
                if records is None:
                    numbers[step] = remove(vault, gone)
                else:
                    vault.add("encounter", say(records), f"{step}.csv")
                    numbers[step] = vault.list_imports()[-1]["number"]
            for step in undone if name == "with" else ():
                vault.undo(numbers.pop(step))
            states.append(dump(vault, {number: step for step, number in numbers.items()}))
            assert vault.check() == []
    assert states[0] == states[1]


def test_a_forgotten_child_does_not_come_back_with_an_undo(vault):
    vault.add("encounter", say({0: 0, 2: 0}), "a.csv")
    number = remove(vault, {0})
    vault.forget([RECORDS["programme_child"].iloc[0]])  # the removed record alone says whose number it is
    vault.undo(number)
    assert vault.count("encounter") == 1


def test_what_is_taken_away_is_said(vault):
    vault.add("encounter", say({0: 0, 1: 0}), "a.csv")
    vault.add("encounter", say({1: 1, 2: 0, 3: 0}), "b.csv")
    vault.add("encounter", say({2: 2}), "c.csv")
    number = vault.list_imports()[1]["number"]
    assert vault.undo(number) == Undone(removed=1, restored=1, remaining=1)
    assert [i["number"] for i in vault.list_imports()] == [number - 1, number + 1]


def test_the_same_file_twice_stays_after_one_of_them_is_undone(vault):
    vault.add("encounter", say({0: 0, 1: 0}), "a.csv")
    vault.add("encounter", say({0: 0, 1: 0}), "a.csv")
    assert vault.undo(vault.list_imports()[0]["number"]) == Undone(0, 2, 0)
    assert vault.undo(vault.list_imports()[0]["number"]) == Undone(2, 0, 0)
    assert not vault.has_records()


@pytest.mark.parametrize("kind", list(tables.TABLES))
def test_every_kind_can_be_undone(vault, kind):
    vault.add(kind, frame(kind, 5), "a.csv")
    assert vault.undo(vault.list_imports()[0]["number"]) == Undone(5, 0, 0)
    assert not vault.has_records()
    assert vault._connection.execute("SELECT count(*) FROM term").fetchone() == (0,)


def test_an_undo_that_fails_midway_leaves_everything(vault, monkeypatch):
    vault.add("encounter", say({0: 0}), "a.csv")
    vault.add("encounter", say({0: 1, 1: 0}), "b.csv")
    steps = {i["number"]: i["number"] for i in vault.list_imports()}
    before = dump(vault, steps)
    monkeypatch.setattr(removal, "sweep", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        vault.undo(max(steps))
    assert dump(vault, steps) == before
    assert len(vault.list_imports()) == 2


def test_an_unknown_import_and_one_of_an_earlier_version_are_refused(vault):
    vault.add("encounter", say({0: 0}), "a.csv")
    with pytest.raises(InputError, match="no import 7"):
        vault.undo(7)
    vault._connection.execute("DELETE FROM undoable")
    with pytest.raises(InputError, match="earlier version"):
        vault.undo(vault.list_imports()[0]["number"])
    assert vault.has_records()


# -- the history keeps nothing that was removed --


def test_a_forgotten_child_is_in_no_history(vault):
    vault.add("encounter", say({0: 0, 2: 0}), "a.csv")
    vault.add("encounter", say({0: 1, 2: 0}), "b.csv")
    child = RECORDS.child[0]
    vault.forget([child])
    for table in ("encounter", "encounter_history"):
        rows = vault._connection.execute(f"SELECT 1 FROM {table} WHERE child = ?", (bytes.fromhex(child),)).fetchall()
        assert rows == [], table
    assert vault._connection.execute("SELECT count(*) FROM encounter_history").fetchone() == (1,)


def test_a_child_that_a_correction_replaced_is_forgotten_and_expires_too(vault):
    vault.add("encounter", say({0: 0}), "a.csv")
    other = say({0: 1}).assign(child="ab" * 32, programme_child="", date="2009-01-10")
    vault.add("encounter", other, "b.csv")
    assert vault.find_unknown([RECORDS.child[0]]) == frozenset()
    day = pd.Timestamp("2008-06-01").date()
    vault.expire(day)
    assert vault._connection.execute("SELECT count(*) FROM encounter_history").fetchone() == (0,)
    assert vault.has_records()


def test_a_partner_that_leaves_takes_its_history_along(vault):
    vault.add("encounter", say({0: 0}).assign(partner="arsis"), "a.csv")
    vault.add("encounter", say({0: 1}).assign(partner="arsis"), "b.csv")
    vault.withdraw("arsis")
    assert vault._connection.execute("SELECT count(*) FROM encounter_history").fetchone() == (0,)


def test_the_number_of_an_undone_import_is_never_given_again(vault):
    for number in (1, 2):
        vault.add("encounter", say({number: 0}), f"{number}.csv")
    vault.undo(2)
    vault.add("encounter", say({3: 0}), "3.csv")
    assert [entry["number"] for entry in vault.list_imports()] == [1, 3]
    with pytest.raises(InputError):
        vault.undo(2)
