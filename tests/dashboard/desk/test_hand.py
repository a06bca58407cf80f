"""Files as partners keep them go in through the desk's own functions, with few questions and then with none."""

from dataclasses import replace

import pytest

from dashboard.desk import summary, words
from dashboard.desk.hand import Basis, Hand
from dashboard.site.text import speak
from data.errors import InputError
from data.message import Message
from data.restricted import forgetting, intake, keys
from data.restricted.governance.retention import Overdue
from data.restricted.imports import Importer
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import MASK
from data.restricted.vault import open_vault
from tests.data.restricted.intake.test_messy_files import MOST_QUESTIONS, READ, names, partner_of, reply
from tests.helpers.desk import make_desk
from tests.helpers.messy_files import FILES
from tests.helpers.partner_files import ROW, text_of, write

MESSY = {messy.name: messy for messy in FILES}


@pytest.fixture
def desk(tmp_path):
    return make_desk(tmp_path)[0]


def take(hand, messy, folder, name=""):
    path = messy.write(folder)
    entry = hand.take(name or path.name, path.read_bytes(), partner_of(messy) or "")
    hand.look(entry)
    return entry


def answer_all(hand, entry, messy):
    """Answer the questions about a file as its officer would; return how many there were."""
    asked = 0
    # What a partner marks as no record is said in its mapping once, as on the command line.
    skip = messy.answers.get("skip", {})
    if skip:
        hand.correct(entry, ColumnMapping(skip={heading: tuple(cells) for heading, cells in skip.items()}))
        hand.look(entry)
    while entry.recognition.questions:
        questions = entry.recognition.questions
        asked += len(questions)
        hand.reply(entry, [(question, as_replies(messy, question)) for question in questions])
        hand.look(entry)
        assert entry.recognition.questions != questions
    return asked


def as_replies(messy, question):
    answer = reply(messy, question)
    return dict.fromkeys(question.parts, answer) if isinstance(answer, str) else answer


@pytest.mark.always("sq-titles")
@pytest.mark.slow
@pytest.mark.parametrize("messy", READ, ids=names(READ))
def test_a_file_goes_in_with_few_questions_and_the_next_month_with_none(desk, tmp_path, messy):
    hand = Hand(desk)
    entry = take(hand, messy, tmp_path)
    assert (entry.refusal, entry.recognition.kind) == ("", messy.kind)
    assert answer_all(hand, entry, messy) <= MOST_QUESTIONS
    good = [line for line, expected in messy.rows.items() if not isinstance(expected, tuple)]
    tried = entry.trial
    assert tried.rejected == len(messy.rows) - len(good)
    with open_vault(desk.workspace) as vault:
        assert vault.list_imports() == []
    hand.store(entry)
    assert replace(entry.result, rejects=None) == tried
    assert (entry.result.rejects is not None) == (tried.rejected > 0)
    next_month = take(Hand(desk), messy, tmp_path, "invented-next.xlsx")
    if entry.partner:
        assert next_month.recognition.questions == ()
        assert next_month.trial.accepted == 0
        assert next_month.trial.already_known == entry.result.accepted
    for reason in entry.result.reasons:
        assert isinstance(reason["reason"], Message)
        for language in ("sq", "el"):
            with speak(language):
                assert words.word_reason(reason["reason"]) != reason["reason"]


@pytest.mark.parametrize("messy", [m for m in FILES if m.refused], ids=lambda messy: messy.name)
def test_what_never_goes_in_is_refused(desk, tmp_path, messy):
    hand = Hand(desk)
    entry = take(hand, messy, tmp_path)
    if entry.recognition is None and not entry.refusal:
        entry.kind = "encounter"
        hand.look(entry)
    assert messy.refused in entry.refusal
    assert entry.trial is None


def test_a_preview_shows_nothing_that_tells_who_a_child_is(desk, tmp_path):
    messy = MESSY["sq-titles"]
    hand = Hand(desk)
    entry = take(hand, messy, tmp_path)
    sample = entry.recognition.sample
    assert set(sample.cells["child_id"]) == {MASK}
    assert sample.cells["sex"][:3] == ("male", "female", "female")
    assert sample.cells["age_band"][3] is None
    shown = str(sample)
    assert not [code for code in ("T-01", "T-02", "T-03", "T-04") if code in shown]
    # The counter, which is no column of ours, and the remark are not there at all.
    assert "Nr." not in shown
    assert "Shënim" not in shown


def test_a_file_whose_column_of_partners_is_empty_needs_its_partner(desk):
    hand = Hand(desk)
    named = hand.take("b.csv", text_of([ROW, ROW | {"partner": "", "record_number": "R-2"}]).encode(), "")
    entry = hand.take("a.csv", text_of([ROW | {"partner": ""}]).encode(), "")
    for file in (named, entry):
        hand.look(file)
    assert (named.needs_partner, summary.find_state(named)) == (False, "some")
    assert (entry.needs_partner, summary.find_state(entry)) == (True, "asked")
    entry.partner = "ARSIS"
    hand.look(entry)
    assert (entry.needs_partner, summary.find_state(entry)) == (False, "ready")


def test_a_year_of_birth_is_masked(desk, tmp_path):
    sample = take(Hand(desk), MESSY["birth-years"], tmp_path).recognition.sample
    assert MASK in sample.cells["age_band"]
    assert not any(str(cell)[-4:].isdigit() for cell in sample.cells["age_band"])


@pytest.mark.slow
def test_an_answer_counts_for_all_files_of_the_partner_in_hand(desk, tmp_path):
    messy = MESSY["sq-titles"]
    hand = Hand(desk)
    first, second = take(hand, messy, tmp_path, "a.xlsx"), take(hand, messy, tmp_path, "b.xlsx")
    answer_all(hand, first, messy)
    hand.look(second)
    assert second.recognition.questions == ()
    hand.store(first)
    hand.look(second)
    assert second.trial.already_known == first.result.accepted


@pytest.mark.slow
def test_a_dry_run_knows_what_the_command_line_did_meanwhile(desk, tmp_path):
    hand, rows = Hand(desk), [ROW | {"partner": "", "child_id": name} for name in ("K-1", "K-2")]
    path = write(tmp_path, text_of(rows))
    entry = hand.take(path.name, path.read_bytes(), "Qendra")
    hand.look(entry)
    assert (entry.trial.accepted, entry.trial.already_known, entry.trial.rejected) == (2, 0, 0)
    secrets = keys.load(desk.workspace.key_id)
    with open_vault(desk.workspace, secrets) as vault:
        Importer(desk.workspace, vault, secrets, hand.places.resolve).import_file(path, partner="Qendra")
    hand.look(entry)
    assert (entry.trial.accepted, entry.trial.already_known, entry.trial.rejected) == (0, 2, 0)
    with open_vault(desk.workspace, secrets) as vault:
        vault.forget(forgetting.hash_child(secrets, intake.child_names("Qendra", "K-1", "")))
    hand.look(entry)
    assert (entry.trial.accepted, entry.trial.already_known, entry.trial.rejected) == (0, 1, 1)


@pytest.mark.slow
def test_an_answer_is_kept_only_with_the_import(desk, tmp_path):
    messy = MESSY["sq-titles"]
    hand = Hand(desk)
    answer_all(hand, take(hand, messy, tmp_path), messy)
    assert take(Hand(desk), messy, tmp_path).recognition.questions


def test_overdue_records_need_consent(desk, tmp_path, monkeypatch):
    messy = MESSY["sq-titles"]
    hand = Hand(desk)
    entry = take(hand, messy, tmp_path)
    answer_all(hand, entry, messy)
    overdue = Overdue(3, 10, None, None, ("That is many.",))
    monkeypatch.setattr("dashboard.desk.hand.find_overdue", lambda workspace, vault: overdue)
    with pytest.raises(InputError, match="That is many"):
        hand.store(entry)
    assert entry.result is None


def test_invented_files_do_not_go_into_a_workspace_of_real_records(tmp_path):
    desk, _ = make_desk(tmp_path, "real")
    path = tmp_path / "x.csv"
    path.write_text("invented,date,municipality,child_id\n1,2008-03-04,AL-01,K-1\n", encoding="utf-8")
    hand = Hand(desk)
    entry = hand.take(path.name, path.read_bytes(), "P")
    hand.look(entry)
    assert "these records are invented" in entry.refusal
    assert entry.trial is None
    # An error would keep the keys of the desk when it is locked.
    assert not [value for value in vars(entry).values() if isinstance(value, BaseException)]


@pytest.mark.slow
def test_answers_may_be_forgotten_and_are_asked_again(desk, tmp_path):
    messy = MESSY["codes"]
    hand = Hand(desk)
    entry = take(hand, messy, tmp_path)
    answer_all(hand, entry, messy)
    hand.store(entry)
    again = take(Hand(desk), messy, tmp_path)
    assert again.recognition.questions == ()
    other = Hand(desk)
    again = take(other, messy, tmp_path)
    other.ask_again(again)
    other.look(again)
    assert again.recognition.questions
    assert take(Hand(desk), messy, tmp_path).recognition.questions


def test_a_sheet_with_the_name_of_a_person_is_refused_and_the_file_stays_readable(desk, tmp_path):
    messy = MESSY["sq-titles"]
    hand = Hand(desk)
    entry = take(hand, messy, tmp_path)
    with pytest.raises(InputError, match="number of the sheet"):
        hand.correct(entry, ColumnMapping(sheet="Besa Kola"))
    assert hand.answers == {}
    hand.look(entry)
    assert entry.recognition is not None


def test_names_of_children_are_refused_before_the_kind_is_asked(desk):
    entry = Hand(desk).take("names.csv", b"Emri,Mbiemri,Datelindja\nAna,Hoxha,2001-02-03\n", "")
    Hand(desk).look(entry, Basis(None, (), {"": {}}))
    assert [(sort, heading) for sort, heading, _ in entry.personal] == [
        ("names", "Emri"),
        ("names", "Mbiemri"),
        ("dates of birth", "Datelindja"),
    ]
    other = Hand(desk).take("other.csv", b"Ngjyra,Madhesia\ne kuqe,e madhe\n", "")
    Hand(desk).look(other, Basis(None, (), {"": {}}))
    assert (other.refusal, other.recognition) == ("", None)


def test_a_file_takes_only_the_place_of_one_with_its_name_and_partner(desk):
    hand = Hand(desk)
    first, other = hand.take("form.csv", b"a", "Qendra"), hand.take("form.csv", b"b", "ARSIS")
    assert list(hand.files.values()) == [first, other]
    assert not other.replaces
    corrected = hand.take("form.csv", b"c", "Qendra")
    assert list(hand.files.values()) == [other, corrected]
    assert corrected.replaces
    assert not hand.take("form.csv", b"c", "Qendra").replaces
    hand.put_away(other)
    assert [entry.partner for entry in hand.files.values()] == ["Qendra"]


def test_a_file_in_the_place_of_two_of_which_one_was_imported_says_that_the_other_was_not(desk):
    hand = Hand(desk)
    _waiting, stored = hand.take("form.csv", b"a", "Qendra"), hand.take("form.csv", b"b", "ARSIS")
    stored.partner, stored.result = "Qendra", object()
    assert hand.take("form.csv", b"c", "Qendra").replaces


@pytest.mark.parametrize(
    ("stages", "state"), [(("at_risk", "qq a"), "some"), (("qq a", "qqq a"), "none"), (("at_risk", "at_risk"), "ready")]
)
def test_ready_means_that_all_rows_go_in(desk, stages, state):
    head = "date,municipality,child_id,stage,pathway,form,axis,found"
    days = zip(("2008-03-04", "2008-03-05"), stages, strict=True)
    rows = [f"{day},Durrës,K-{day},{stage},internal,begging,protection,reported" for day, stage in days]
    hand = Hand(desk)
    entry = hand.take("invented.csv", "\n".join([head, *rows]).encode(), "INVENTED")
    hand.look(entry)
    assert summary.find_state(entry) == state
    hand.correct(entry, ColumnMapping(value_names={"stage": {"qq a": "at_risk", "qqq a": "recruited"}}))
    hand.look(entry)
    assert summary.find_state(entry) == "ready"
