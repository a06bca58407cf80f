"""The page Records shows numbers, and no child."""

import pytest

from data.restricted.intake import mapping
from data.restricted.intake.mapping import ColumnMapping
from tests.dashboard.desk.test_pages import words_on
from tests.dashboard.desk.test_release import make_practice, unlock
from tests.helpers.desk import make_desk, open_section


@pytest.mark.slow
def test_it_counts_and_names_no_child(copied, tmp_path):
    desk = unlock(copied("practice at the desk", make_practice, tmp_path / "practice"))
    page = open_section(desk, "records")
    assert not page.exception
    shown = words_on(page)
    assert "ARSIS" in shown
    assert "Mar 2008" in shown
    assert "100 %" in shown
    assert ">30<" in shown
    assert "K-1" not in shown
    assert "R-1" not in shown
    with desk.open_vault() as (vault, _keys):
        (batch,) = vault.read("encounter", ["child"])
    assert not [child for child in batch["child"].to_pylist() if child in shown]
    page.selectbox(key="kind").set_value("community")
    page.run()
    assert not page.exception
    assert "2008" in words_on(page)


@pytest.mark.slow
def test_a_place_that_somebody_answered_has_the_kind_of_record(copied, tmp_path):
    desk = unlock(copied("practice at the desk", make_practice, tmp_path / "practice"))
    for kind in ("encounter", "effort"):
        answers = ColumnMapping(value_names={"municipality": {"Koplik": "10944413"}})
        mapping.keep(desk.workspace.mappings, "ARSIS", kind, answers)
    shown = words_on(open_section(desk, "records")).rpartition("Places that somebody answered")[2]
    assert shown.count("Koplik") == 2
    assert "Encounters with children" in shown
    assert "Outreach" in shown


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_without_records_it_says_what_to_do(tmp_path, language):
    page = open_section(make_desk(tmp_path)[0], "records", language)
    assert not page.exception
    assert len(page.info) == 1
