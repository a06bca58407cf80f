"""Names of partners in the rows that are nearly another: asked, and the answer makes them one."""

import pytest

from data.errors import InputError
from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import answer, recognise
from tests.helpers.partner_files import ROW, TODAY, Resolver, read, text_of, write

NEAR = ["Fondi Shpresa OJF", "Fondi Shpresë", "Shpresa", "Fondi Shpresa Albania", "Fondi Shpressa"]
SAME = ["fondi shpresa", "FONDI SHPRESA", "Fondi  Shpresa", "“Fondi Shpresa”"]


def file_of(tmp_path, *partners):
    rows = [ROW | {"child_id": f"K-{n}", "partner": name} for n, name in enumerate(partners)]
    return write(tmp_path, text_of(rows))


def ask(path, partner=None, **more):
    questions = recognise(path, resolve=Resolver(), partner=partner, today=TODAY, **more).questions
    return [question for question in questions if question.column == "partner"]


@pytest.mark.parametrize("name", NEAR)
def test_a_name_near_that_of_the_sender_is_asked_and_becomes_it(tmp_path, name):
    path = file_of(tmp_path, "Fondi Shpresa", name, name)
    (question,) = ask(path, "Fondi Shpresa")
    (word,) = question.parts
    assert (question.parts[word], question.rows[word]) == (("Fondi Shpresa",), 2)
    answers = answer(question, {word: "Fondi Shpresa"})
    mapping.check(answers, "encounter")
    intake = read(path, partner="Fondi Shpresa", mapping=answers)
    assert (intake.rejected_rows, set(intake.accepted.partner)) == (0, {"Fondi Shpresa"})
    assert ask(path, "Fondi Shpresa", mappings={"encounter": answers}) == []


@pytest.mark.parametrize("name", NEAR)
def test_without_a_sender_the_name_of_more_rows_is_proposed(tmp_path, name):
    path = file_of(tmp_path, "Fondi Shpresa", "Fondi Shpresa", name)
    (question,) = ask(path)
    (parts,) = question.parts.values()
    assert parts[0] == "Fondi Shpresa"
    assert len(parts) == 2


@pytest.mark.parametrize("name", [*SAME, "Qendra Drita", "Arsis", ""])
def test_the_same_name_and_another_one_are_not_asked(tmp_path, name):
    assert ask(file_of(tmp_path, "Fondi Shpresa", "Fondi Shpresa", name)) == []


@pytest.mark.parametrize("word", ["Arben Hoxha", "Elira"])
def test_a_person_is_no_spelling_of_a_partner(word):
    answers = ColumnMapping(value_names={"partner": {word: "Fondi Shpresa"}})
    with pytest.raises(InputError, match="name or a number of a person"):
        mapping.check(answers, "encounter")
