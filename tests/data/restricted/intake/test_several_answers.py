"""Cells with several answers of which one is not known: that one is asked about, and nothing is lost without a word."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.reference import area_table, town_table
from data.restricted.intake.recognition import answer, recognise
from data.schema import get_kind
from geo.places import Places
from tests.helpers.partner_files import ROW, TODAY, read, text_of, write

PLACES = Places(area_table(), town_table())
COLUMNS = {name: get_kind("encounter").column(name) for name in ("form", "axis", "help", "means_of_control")}
MARKS = ["; ", ";", ", ", "/", " / ", " | ", " dhe ", " και ", " "]


@given(data=st.data(), name=st.sampled_from([*COLUMNS]), mark=st.sampled_from(MARKS))
@settings(max_examples=40, deadline=None)
def test_each_unknown_answer_is_asked_and_its_row_goes_in_as_answered(tmp_path_factory, data, name, mark):
    codes = [code for code in COLUMNS[name].allowed if code not in ("unknown", "other", "none")]
    known = data.draw(st.lists(st.sampled_from(codes), min_size=1, max_size=3, unique=True))
    word = data.draw(st.sampled_from(["xyz", "zbukurim", "kolonja", "qwerty"]))
    meaning = data.draw(st.sampled_from(codes))
    parts = data.draw(st.permutations([*known, word]))
    others = {"form": "begging", "axis": "protection"}
    rows = [ROW | others | {name: mark.join(parts), "child_id": f"K-{n}"} for n in range(3)]
    path = write(tmp_path_factory.mktemp("a"), text_of(rows))
    assert read(path).accepted_rows == 0
    questions = recognise(path, resolve=PLACES.resolve, today=TODAY).questions
    (question,) = [q for q in questions if q.column == name]
    assert (list(question.parts), question.rows) == ([word], {word: 3})
    mapping = answer(question, {word: meaning})
    rules = {"encounter": mapping}
    assert not [
        q for q in recognise(path, resolve=PLACES.resolve, today=TODAY, mappings=rules).questions if q.topic == "words"
    ]
    stored = read(path, mapping=mapping).accepted[name].tolist()
    answers = [meaning if part == word else part for part in parts]
    joint = ";".join(code for code in COLUMNS[name].allowed if code in answers) if COLUMNS[name].many else None
    assert all(value == joint if joint else value in answers for value in stored)
    assert len(stored) == 3


@pytest.mark.parametrize("text", ["puna e xyz", "xyz abc", "në punë te xyz", "xyz;abc"])
def test_a_phrase_without_a_known_code_is_asked_as_a_whole(tmp_path, text):
    rows = [ROW | {"form": text, "child_id": f"K-{n}"} for n in range(3)]
    (question,) = recognise(write(tmp_path, text_of(rows)), resolve=PLACES.resolve, today=TODAY).questions
    assert list(question.parts) == [text]
