"""Partners at the desk: who may send real records stands in governance.toml; a change of it counts at once."""

import unicodedata

import pytest

from dashboard.desk import questions
from dashboard.desk.hand import Hand
from dashboard.site.text import speak
from dashboard.site.text import translate_into as translate
from data.restricted import quality
from data.restricted.imports import find_new_partners
from data.workspace.partner_names import find_similar
from tests.dashboard.commands.test_governance import ENCOUNTER, encounters, name_partners
from tests.dashboard.desk.test_pages import words_on
from tests.helpers.desk import make_desk, open_section
from tests.helpers.partner_files import ROW, text_of

NEW = "Qendra e Re"
NOTICE = (
    "This partner is not in {file}. Partners are organisations, never persons. Write an organisation there under "
    "[controllers], or with an agreement of kind “partner”. The desk looks again by itself."
)


@pytest.fixture
def real(tmp_path):
    desk = make_desk(tmp_path, "real")[0]
    (desk.workspace.path / "governance.toml").write_text("[controllers]\nnames = []\n", encoding="utf-8")
    name_partners(desk.workspace.path, "Qendra")
    return desk


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_a_new_partner_is_refused_at_once_and_allowed_when_the_file_names_it(real, tmp_path, monkeypatch, language):
    with speak(language):
        notice = translate(language, NOTICE).partition(".")[2].partition(".")[2].partition("[")[0].strip()
    assert notice
    # A page under test cannot type a new partner, so the list offers it here.
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["Qendra", NEW])
    page = open_section(real, language=language)
    assert notice not in words_on(page)
    page.selectbox(key="partner").set_value(NEW)
    page.run()
    assert notice in words_on(page)
    name_partners(real.workspace.path, "Qendra", NEW)
    page.run()
    assert not page.exception
    assert notice not in words_on(page)


def test_a_refusal_is_looked_at_again_when_the_file_names_the_partner(real, tmp_path):
    hand, path = Hand(real), encounters(tmp_path / "e.csv", 3)
    entry = hand.take(path.name, path.read_bytes(), "")
    hand.look(entry)
    assert (entry.names_unknown, entry.trial) == (True, None)
    name_partners(real.workspace.path, ENCOUNTER["partner"])
    hand.look(entry)
    assert (entry.refusal, entry.names_unknown, entry.trial.accepted) == ("", False, 3)


def test_a_partner_is_the_same_however_its_name_is_composed(real):
    name_partners(real.workspace.path, "Πρωτοβουλία Ελλάδας")
    with real.open_vault() as (vault, _):
        names = [unicodedata.normalize("NFD", "ΠΡΩΤΟΒΟΥΛΊΑ  Ελλάδας"), "Πρωτοβουλία"]
        assert find_new_partners(real.workspace, vault, names) == ["Πρωτοβουλία"]


def test_the_list_has_the_partners_of_the_file(real):
    assert Hand(real).list_partners() == ["Qendra"]
    page = open_section(real)
    assert page.selectbox(key="partner").options == ["Qendra"]


def test_the_list_of_real_partners_takes_no_other_and_says_where_they_are_named(real):
    name_partners(real.workspace.path)
    page = open_section(real)
    assert not page.exception
    assert page.selectbox(key="partner").options == []
    assert page.selectbox(key="partner").disabled
    assert "it names none yet" in words_on(page)
    name_partners(real.workspace.path, "Qendra")
    page.run()
    box = page.selectbox(key="partner")
    assert (box.options, box.disabled, box.proto.accept_new_options) == (["Qendra"], False, False)
    assert "governance.toml first" in box.help
    assert "it names none yet" not in words_on(page)


def test_partners_that_only_operate_services_come_last(tmp_path):
    hand = Hand(make_desk(tmp_path)[0])
    service = "municipality,operator,duty_bearer,axis,valid_from\nTirana,Aaa,ngo,protection,2008-01-01\n"
    encounter = text_of([ROW | {"partner": "Zzz"}])
    for name, text in (("service.csv", service), ("encounter.csv", encounter)):
        entry = hand.take(name, text.encode(), "")
        hand.look(entry)
        hand.store(entry)
    assert hand.list_partners() == ["Zzz", "Aaa"]


def test_partners_are_listed_as_people_count(tmp_path):
    hand = Hand(make_desk(tmp_path)[0])
    names = ["Operator 1", "Operator 2", "operator 3", "Operator 10", "Operator 101", "Zana"]
    entry = hand.take("encounter.csv", text_of([ROW | {"partner": name} for name in names]).encode(), "")
    hand.look(entry)
    hand.store(entry)
    assert hand.list_partners() == names
    with hand.desk.open_vault() as (vault, _):
        assert list(quality.count_months(vault, "encounter").columns) == names


def test_in_practice_a_new_partner_may_be_typed(tmp_path):
    page = open_section(make_desk(tmp_path)[0])
    box = page.selectbox(key="partner")
    assert (box.disabled, box.proto.accept_new_options) == (False, True)
    assert "governance.toml" not in box.help + words_on(page)


def test_the_partner_stays_chosen_when_the_officer_looks_at_another_page(real):
    page = open_section(real)
    page.selectbox(key="partner").set_value("Qendra")
    page.run()
    back = open_section(real)  # Streamlit forgets what stood in a field that was not drawn
    assert back.selectbox(key="partner").value == "Qendra"
    back.selectbox(key="partner").set_value(None)
    back.run()
    assert back.selectbox(key="partner").value is None
    real.lock()
    assert real.in_hand == {}


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_in_practice_a_name_that_is_nearly_a_known_one_is_asked_about(tmp_path, monkeypatch, language):
    # A page under test cannot type a new partner, so the list offers it here.
    monkeypatch.setattr(Hand, "list_partners", lambda hand: ["ARSIS", "BKFT", "BKTF"])
    monkeypatch.setattr(questions, "find_similar", lambda name, known: find_similar(name, {*known} - {"BKFT"}))
    desk = make_desk(tmp_path)[0]
    page = open_section(desk, language=language)
    page.selectbox(key="partner").set_value("BKFT")
    page.run()
    assert not page.exception
    assert len(page.warning) == 1
    assert "BKTF" in page.warning[0].value
    assert desk.in_hand["files"].partner == ""
    page.checkbox(key="partner-new-BKFT").check().run()
    assert desk.in_hand["files"].partner == "BKFT"
    page.selectbox(key="partner").set_value("ARSIS")
    page.run()
    assert (len(page.warning), desk.in_hand["files"].partner) == (0, "ARSIS")


@pytest.mark.parametrize(
    ("name", "known", "similar"),
    [
        ("BKFT", ["ARSIS", "BKTF"], "BKTF"),
        ("BKTX", ["BKTF"], "BKTF"),
        ("bktf", ["BKTF"], ""),
        ("ARSIS", ["BKTF", "Qendra"], ""),
        ("Qendraa", ["Qendra"], "Qendra"),
        ("BKFT", [], ""),
        ("Terre", ["Terre des hommes"], "Terre des hommes"),
        ("TE", ["Terre des hommes"], ""),
    ],
)
def test_only_a_new_name_is_similar(name, known, similar):
    assert find_similar(name, known) == similar
