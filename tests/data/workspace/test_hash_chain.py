"""Hash chains: whatever is done to an entry is found and named; a whole chain has no fault."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.errors import WorkspaceError
from data.workspace.hash_chain import append_entries, read_chain

LENGTH = 5


@pytest.fixture(scope="module")
def lines(tmp_path_factory):
    """Return the lines of a whole chain."""
    path = tmp_path_factory.mktemp("chain") / "l.jsonl"
    for number in range(LENGTH):
        append_entries(path, [{"kind": "forecast", "value": number, "text": "Durrës"}])
    return path.read_bytes().splitlines(keepends=True)


def read(tmp_path_factory, lines):
    path = tmp_path_factory.mktemp("chain") / "l.jsonl"
    path.write_bytes(b"".join(lines))
    return read_chain(path)


def test_a_whole_chain_has_no_fault_and_each_entry_names_the_one_before(lines, tmp_path_factory):
    chain = read(tmp_path_factory, lines)
    assert chain.problems == ()
    assert [entry.number for entry in chain.entries] == [1, 2, 3, 4, 5]
    assert [entry.content["value"] for entry in chain.entries] == [0, 1, 2, 3, 4]
    assert [entry.previous for entry in chain.entries[1:]] == [entry.sha256 for entry in chain.entries[:-1]]


@given(data=st.data())
def test_any_changed_byte_is_found(data, lines, tmp_path_factory):
    whole = b"".join(lines)
    place = data.draw(st.integers(0, len(whole) - 2))
    byte = data.draw(st.integers(32, 126).filter(lambda byte: byte != whole[place]))
    chain = read(tmp_path_factory, [whole[:place], bytes([byte]), whole[place + 1 :]])
    line = whole[:place].count(b"\n")
    assert chain.problems
    assert len(chain.entries) <= line, "what stands after a fault never counts"


@given(order=st.permutations(range(LENGTH)), length=st.integers(1, LENGTH))
def test_any_removal_and_any_other_order_is_found_unless_only_the_end_is_cut_off(
    order, length, lines, tmp_path_factory
):
    left = order[:length]
    chain = read(tmp_path_factory, [lines[i] for i in left])
    assert bool(chain.problems) == (left != list(range(length)))


def test_messages_name_the_entry_its_day_and_the_remedy(lines, tmp_path_factory):
    changed = lines[2].replace(b'"value":2', b'"value":9')
    for wrong, message in (
        ([*lines[:2], changed, *lines[3:]], r"^Entry 3 of \d{4}-\d\d-\d\d was changed"),
        ([*lines[:2], *lines[3:]], r"^Entry 3 is missing before entry 4 of \d{4}-"),
        ([lines[1], lines[0], *lines[2:]], r"stands in the wrong place"),
        ([*lines[:2], b"noise\n", *lines[3:]], r"^Line 3 cannot be read"),
        ([*lines[:2], b"[" * 100_000 + b"\n", *lines[3:]], r"^Line 3 cannot be read"),
    ):
        problem = read(tmp_path_factory, wrong).problems[0]
        problems = " ".join(read(tmp_path_factory, wrong).problems)
        assert re.search(message, problem) or re.search(message, problems)
        assert "tact restore" in problem


def test_an_entry_made_anew_with_a_hash_of_its_own_does_not_fit_the_next(lines, tmp_path, tmp_path_factory):
    forged = tmp_path / "l.jsonl"
    forged.write_bytes(b"".join(lines[:2]))
    append_entries(forged, [{"kind": "forecast", "value": 9}])
    chain = read(tmp_path_factory, [*forged.read_bytes().splitlines(keepends=True), *lines[3:]])
    assert "Entry 4" in chain.problems[0]
    assert "does not follow" in chain.problems[0]
    assert len(chain.entries) == 3


def test_a_cut_off_end_is_found_by_whoever_kept_a_later_head(lines, tmp_path_factory):
    number, head = read(tmp_path_factory, lines).head
    short = read(tmp_path_factory, lines[:3])
    assert short.problems == ()
    assert short.find_missing(number, head, "the result x").startswith("Entries 4 to 5 are missing at the end")
    assert read(tmp_path_factory, lines).find_missing(number, head, "x") == ""
    assert "is not the one" in read(tmp_path_factory, lines).find_missing(3, head, "x")


def test_nothing_is_added_to_a_damaged_chain(lines, tmp_path):
    path = tmp_path / "l.jsonl"
    path.write_bytes(b"".join([lines[0], *lines[2:]]))
    before = path.read_bytes()
    with pytest.raises(WorkspaceError, match="Entry 2 is missing"):
        append_entries(path, [{"kind": "forecast"}])
    assert path.read_bytes() == before


def test_the_hash_is_that_of_the_other_fields_as_anyone_can_compute_it(lines):
    import hashlib

    values = json.loads(lines[1])
    sha256 = values.pop("sha256")
    plain = json.dumps(values, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(plain.encode()).hexdigest() == sha256
