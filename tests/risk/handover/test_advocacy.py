"""The register of policies: what is right is stored once, and nothing about a person, and nothing of a wrong file."""

import pytest

from data.errors import FileRefused, InputError
from data.release.signed_list import ADVOCACY
from risk.handover.advocacy import COLUMNS, TEMPLATE, AdvocacyEntry, add_policies, read_policies, remove_policy

HEAD = ",".join(COLUMNS)
ROW = "Protocol on street children,AL-11,proposed,2008-03-12,Minutes of the county council"


@pytest.fixture
def write(tmp_path):
    def write_file(text):
        path = tmp_path / "register of march.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write_file


def test_the_template_goes_in_as_it_is(tmp_path, write):
    (entry,) = add_policies(tmp_path, write(TEMPLATE))
    assert read_policies(tmp_path) == (entry,)
    assert (entry.area, entry.status, entry.duty_bearer) == ("AL-11", "adopted", "municipality")


def test_the_same_policy_in_another_status_takes_the_place_of_the_earlier_one(tmp_path, write):
    add_policies(tmp_path, write(f"{HEAD}\n{ROW}\nLaw on begging,GR,adopted,2009-01-02,Official gazette\n"))
    add_policies(tmp_path, write(f"{HEAD}\n{ROW.replace('proposed,2008-03-12', 'adopted,2009-02-01')}\n"))
    assert [(e.what, e.status, e.date) for e in read_policies(tmp_path)] == [
        ("Protocol on street children", "adopted", "2009-02-01"),
        ("Law on begging", "adopted", "2009-01-02"),
    ]
    remove_policy(tmp_path, read_policies(tmp_path)[0])
    assert [e.what for e in read_policies(tmp_path)] == ["Law on begging"]


@pytest.mark.parametrize(
    "heading",
    ["Emri", "name of child", "Telefon", "contact phone", "ονοματεπώνυμο", "Date of birth", "e-mail", "Adresa"],
)
def test_a_column_for_a_person_refuses_the_whole_file_and_repeats_no_cell(tmp_path, write, heading):
    with pytest.raises(FileRefused) as refused:
        add_policies(tmp_path, write(f"{HEAD},{heading}\n{ROW},Xhensila Hoxha 0691234567\n"))
    assert "names no person" in str(refused.value)
    assert "Hoxha" not in str(refused.value)
    assert not (tmp_path / ADVOCACY).exists()


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (("AL-11", "Tirana"), "'Tirana' is no area"),
        (("proposed", "soon"), "status is 'soon'. Write one of: proposed, discussed"),
        (("2008-03-12", "12/03/2008"), "'12/03/2008' is no day"),
        (("Minutes of the county council", ""), "What and source"),
        (("Minutes of the county council", "call +355 69 123 4567"), "phone numbers"),
        (("Protocol on street children", "=HYPERLINK(1)"), "What and source begin with a word"),
    ],
)
def test_a_wrong_row_is_named_and_nothing_of_its_file_is_taken(tmp_path, write, change, fault):
    with pytest.raises(InputError, match="row 3") as refused:
        add_policies(tmp_path, write(f"{HEAD}\n{ROW.replace('Protocol', 'Plan')}\n{ROW.replace(*change)}\n"))
    assert fault in str(refused.value)
    assert read_policies(tmp_path) == ()


def test_an_unknown_or_missing_column_is_refused(tmp_path, write):
    with pytest.raises(FileRefused, match="the register has no column 'budget'"):
        add_policies(tmp_path, write(f"{HEAD},budget\n{ROW},1\n"))
    with pytest.raises(FileRefused, match="has no column source"):
        add_policies(tmp_path, write("what,area,status,date\na,AL,adopted,2008-01-01\n"))


def test_a_table_that_somebody_damaged_is_not_shown(tmp_path):
    (tmp_path / ADVOCACY).write_text(
        "what,area,status,date,source,duty_bearer,note,by\nLaw,XX,adopted,2008-01-01,s,,,\n"
    )
    with pytest.raises(InputError, match="row 2: 'XX' is no area"):
        read_policies(tmp_path)
    assert AdvocacyEntry("a", "AL", "adopted", "2008-01-01", "b").by == "data officer"
