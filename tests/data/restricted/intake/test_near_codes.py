"""Codes of children that are nearly others: zeros in front, letters like digits, phrases."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.helpers.partner_files import ROW, Hasher, read, reasons, text_of, write

NUMBERS = st.integers(min_value=1, max_value=99)
PREFIXES = st.sampled_from(["", "K-", "PT-", "DB", "Λ-", "2008/", "rast "])


def read_codes(folder, codes, column="child_id", **more):
    rows = [ROW | {"child_id": "", column: code} for code in codes]
    return read(write(folder, text_of(rows)), **more)


def near_notes(intake):
    return [str(note) for note in intake.notes if "letter for a digit" in str(note)]


@given(prefix=PREFIXES, number=NUMBERS, zeros=st.sets(st.integers(0, 3), min_size=2, max_size=3))
@settings(max_examples=30, deadline=None)
def test_zeros_in_front_are_noted_and_the_children_stay_apart(tmp_path_factory, prefix, number, zeros):
    codes = [f"{prefix}{'0' * count}{number}" for count in sorted(zeros)]
    intake = read_codes(tmp_path_factory.mktemp("a"), [*codes, "Z-55"])
    (note,) = near_notes(intake)
    assert f": 1, in lines {', '.join(str(line + 2) for line in range(len(codes)))}." in note
    assert intake.accepted.child.nunique() == len(codes) + 1


@given(
    prefix=st.sampled_from(["K-", "DB-", "DB", "TX "]),
    number=st.from_regex(r"[1-9]?[01][1-9]?", fullmatch=True).filter(lambda n: n.strip("0")),
    letter=st.sampled_from("oOlI"),
)
@settings(max_examples=30, deadline=None)
def test_a_letter_like_a_digit_is_noted(tmp_path_factory, prefix, number, letter):
    slip = number.replace("0" if letter in "oO" else "1", letter, 1)
    others = [f"{prefix}{n}" for n in range(820, 830)]
    intake = read_codes(tmp_path_factory.mktemp("a"), [*others, f"{prefix}{slip}", f"{prefix}{number}"])
    assert [": 1, in lines 12, 13." in note for note in near_notes(intake)] == [True] * (
        slip != number and not slip.isalpha()
    )


@given(prefix=PREFIXES, number=NUMBERS, zeros=st.sets(st.integers(0, 3), min_size=2, max_size=2))
@settings(max_examples=20, deadline=None)
def test_a_new_code_that_is_nearly_a_stored_one_is_noted(tmp_path_factory, prefix, number, zeros):
    earlier, later = (f"{prefix}{'0' * count}{number}" for count in zeros)
    stored = frozenset(read_codes(tmp_path_factory.mktemp("a"), [earlier]).accepted.child)
    folder = tmp_path_factory.mktemp("b")
    intake = read_codes(folder, ["Z-55", later], find_known=stored.intersection)
    assert [": 1, in lines 3." in note for note in near_notes(intake)] == [True]
    assert set(intake.accepted.child).isdisjoint(stored)
    assert near_notes(read_codes(folder, ["Z-55", earlier], find_known=stored.intersection)) == []


def test_a_slip_beside_a_stored_code(tmp_path):
    stored = frozenset(read_codes(tmp_path, ["DB-03"]).accepted.child)
    intake = read_codes(tmp_path, ["DB-05", "DB-O3"], find_known=stored.intersection)
    assert len(near_notes(intake)) == 1


@pytest.mark.parametrize(
    "codes",
    [
        [f"{prefix}-{number}" for prefix in ("T", "TI") for number in range(1, 21)],
        [f"{prefix}{number}" for prefix in ("A", "AL") for number in range(1, 21)],
        [f"{prefix}-{number}" for prefix in ("I", "L", "O") for number in range(1, 21)],
        ["K-12", "K 12", "K12"],
        ["1-23", "12-3"],
        ["100", "10", "1"],
        ["K-10", "K-1"],
        ["0412", "413"],
    ],
)
def test_other_codes_are_not_noted(tmp_path, codes):
    assert near_notes(read_codes(tmp_path, codes)) == []


def test_programme_numbers_are_compared_too(tmp_path):
    assert len(near_notes(read_codes(tmp_path, ["P-7", "P-007"], "programme_number"))) == 1


def test_codes_of_two_partners_are_not_compared(tmp_path):
    rows = [ROW | {"child_id": "7", "partner": "A"}, ROW | {"child_id": "007", "partner": "B"}]
    assert near_notes(read(write(tmp_path, text_of(rows)), hash_identifier=Hasher())) == []


PHRASES = [
    "vëllai i {}",
    "motra e {}",
    "{} vëllai",
    "vëllai ({})",
    "βλέπε {}",
    "sister of {}",
    "shih {}",
    "rasti {}",
    "njësoj si {}",
]


@given(
    phrase=st.sampled_from([*PHRASES, "fëmija pa dokumente", "i njëjti si më lart", "παιδί από τον δρόμο"]),
    code=st.sampled_from(["SA-03", "SA 03", "sa03", "SA–03"]),
)
@settings(max_examples=40, deadline=None)
def test_a_phrase_in_place_of_a_code_is_rejected(tmp_path_factory, phrase, code):
    codes = ["SA-03", "SA-04", phrase.format(code), "SA-05"]
    intake = read_codes(tmp_path_factory.mktemp("a"), codes)
    assert intake.accepted_rows == 3
    assert reasons(intake, 4) == {"child_id": "is a phrase and no code of a child"}


@pytest.mark.parametrize(
    "codes",
    [
        ["K 12 A", "K 12", "K 13 B"],
        ["Qendra e Fierit 1", "Qendra e Fierit 2", "Qendra e Fierit 3"],
        ["Fier K-1", "Fier K-2", "K-1"],
        ["Fier 12", "12", "13"],
        ["K-1 bis", "K-2"],
    ],
)
def test_codes_of_several_parts_are_codes(tmp_path, codes):
    assert read_codes(tmp_path, codes).accepted_rows == len(codes)
