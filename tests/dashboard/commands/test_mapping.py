"""`tact mapping draft`, the options of `tact import` that say how a file is read, dry runs and the list of imports."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from dashboard.commands import asking
from dashboard.commands import mapping as commands
from tests.helpers.messy_files import FILES
from tests.helpers.partner_files import ROW, text_of, workbook, write

pytestmark = pytest.mark.slow

MESSY = {messy.name: messy for messy in FILES}


@pytest.fixture
def practice(tact, tmp_path: Path) -> Path:
    folder = tmp_path / "practice"
    assert tact("--workspace", folder, "init", "--practice").code == 0
    return folder


@pytest.fixture
def run(tact, practice):
    return lambda *words: tact("--workspace", practice, *words)


def options(answers):
    return [word for column, code in answers.items() for word in ("--set", f"{column}={code}")]


def test_a_file_is_described_asked_about_and_the_answers_are_kept(run, tmp_path):
    messy = MESSY["sq-titles"]
    path = messy.write(tmp_path)
    refused = run("import", path, "--partner", "Kept")
    assert refused.code == 2
    assert "Headings read in row 4: 'Nr.', 'Data e takimit'" in refused.out
    draft = run("mapping", "draft", path, "--partner", "Kept", "--json").json
    assert (draft["kind"], draft["line"], draft["sheet"]) == ("encounter", 4, 1)
    assert [question["topic"] for question in draft["questions"]] == ["constants"]
    assert draft["mapping"] is None
    answer = run("mapping", "draft", path, "--partner", "Kept", *options(messy.answers["constants"]))
    assert f"Next: tact import {path} --partner Kept" in answer.out
    assert run("import", path, "--partner", "Kept", "--json").json["accepted"] == 3
    assert run("mapping", "draft", path, "--partner", "Kept", "--json").json["questions"] == []


def test_what_an_import_is_told_holds_for_that_call(run, tmp_path):
    messy = MESSY["sheets"]
    path = messy.write(tmp_path)
    words = ["--sheet", "Rastet", "--heading-row", "2", *options(messy.answers["constants"]), "--partner", "Once"]
    assert run("import", path, *words, "--json").json["accepted"] == 1
    assert run("import", path, "--partner", "Once").code == 2


def test_a_copied_command_answers_what_is_likely_and_decides_nothing_else(run, tmp_path):
    path = MESSY["headings"].write(tmp_path)
    (line,) = (line for line in run("mapping", "draft", path, "--partner", "C").out.splitlines() if line[:4] == "Next")
    command = shlex.split(line.partition(": tact ")[2])
    assert command[-4:] == ["--column", "date=Dta e takimit", "--column", "municipality=Bashkija"]
    assert "Next: tact import" in run(*command).out
    assert run("import", path, "--partner", "C", "--json").json["accepted"] == 1
    unsure = run("mapping", "draft", MESSY["codes"].write(tmp_path), "--partner", "D").out
    assert "--set sex.1=CODE" in unsure


def test_a_word_of_few_children_leads_to_no_question_that_is_not_asked(run, tmp_path):
    rows = [ROW | {"child_id": f"K-{n}", "record_number": str(n), "form": "shitje xhamash"} for n in range(3)]
    single, three = (write(tmp_path, text_of(some), f"{len(some)}.csv") for some in (rows[:1], rows))
    few, more = (run("import", path, "--partner", "F", "--dry-run").out for path in (single, three))
    assert "--set form.WORD=CODE" in few
    assert "mapping draft" not in few
    assert "xhamash" not in few
    assert "mapping draft" in more
    assert run("mapping", "draft", single, "--partner", "F", "--json").json["questions"] == []


def test_an_unsure_word_of_our_tables_is_asked_about_even_of_one_child(run, tmp_path):
    path = write(tmp_path, text_of([ROW | {"pathway": "Cross-border"}]))
    output = run("import", path, "--partner", "ARSIS", "--dry-run").out
    assert "line 2, pathway 'Cross-border': may mean more than one category" in output
    assert "mapping draft" in output
    (question,) = run("mapping", "draft", path, "--partner", "ARSIS", "--json").json["questions"]
    assert (list(question["parts"]), question["proposal"]) == (["Cross-border"], {})
    assert "al_to_gr" in question["parts"]["Cross-border"]
    listed = run("mapping", "draft", path, "--partner", "ARSIS").out
    assert (
        "Cross-border (1 row): internal (internal trafficking), al_to_gr (trafficking from Albania to Greece)" in listed
    )
    run("mapping", "draft", path, "--partner", "ARSIS", "--set", "pathway.Cross-border=al_to_gr")
    assert run("import", path, "--partner", "ARSIS", "--json").json["accepted"] == 1


def test_a_place_is_kept_by_its_code(run, practice, tmp_path):
    path = MESSY["places"].write(tmp_path)
    draft = run("mapping", "draft", path, "--partner", "E", "--json").json
    (question,) = draft["questions"]
    label = question["proposal"]["Elbsan"]
    assert run("import", path, "--partner", "E", "--json").json["accepted"] == 1
    run("mapping", "draft", path, "--partner", "E", "--set", f"municipality.Elbsan={label}")
    assert run("import", path, "--partner", "E", "--json").json["accepted"] == 2


def test_a_mapping_replaces_the_kept_one_only_when_the_import_succeeds(run, practice, tmp_path):
    good = write(tmp_path, text_of([ROW]), "good.csv")
    bad = write(tmp_path, "a,b\n1,2", "bad.csv")
    rules, saved = tmp_path / "rules.toml", practice / "mappings" / "arsis.toml"
    rules.write_text('[encounter.values.stage]\n"first" = "at_risk"\n')
    assert run("import", good, "--partner", "ARSIS", "--mapping", rules, "--json").code == 0
    first = saved.read_text()
    assert "first" in first
    rules.write_text('[encounter.values.stage]\n"second" = "at_risk"\n')
    for files in ([bad], [good, bad]):
        assert run("import", *files, "--partner", "ARSIS", "--mapping", rules, "--json").code == 2
        assert saved.read_text() == first
    assert run("import", good, "--partner", "ARSIS", "--mapping", rules, "--json").code == 0
    assert saved.read_text() == rules.read_text()


def test_the_mapping_of_another_partner_is_refused(run, practice, tmp_path):
    good = write(tmp_path, text_of([ROW | {"partner": ""}]), "good.csv")
    rules = tmp_path / "rules.toml"
    rules.write_text('[encounter.constants]\npartner = "Amaro Drom"\n')
    refused = run("import", good, "--partner", "ARSIS", "--mapping", rules)
    assert refused.code == 2
    assert "rules.toml is the mapping of 'Amaro Drom', and the import is for 'ARSIS'." in refused.err
    assert "--partner" in refused.err
    assert run("import", good, "--partner", "amaro  drom", "--mapping", rules, "--json").json["accepted"] == 1
    kept_file = practice / "mappings" / "amaro-drom.toml"
    kept_file.write_text("")
    refused = run("import", good, "--partner", "ARSIS", "--mapping", kept_file).err
    assert "amaro-drom.toml is the kept mapping of another partner, and the import is for 'ARSIS'." in refused
    assert "a line partner" not in refused
    assert run("import", good, "--partner", "Amaro Drom", "--mapping", kept_file).code == 0


def test_a_drafted_mapping_names_its_partner_as_the_officer_wrote_it(run, practice, tmp_path):
    good = write(tmp_path, text_of([ROW | {"partner": ""}]), "good.csv")
    run("mapping", "draft", good, "--partner", "Drita e Fëmijëve", "--set", "form.lypje=begging")
    kept_file = practice / "mappings" / "drita-e-fëmijëve.toml"
    assert 'partner = "Drita e Fëmijëve"\n' in kept_file.read_text(encoding="utf-8")
    refused = run("import", good, "--partner", "ARSIS", "--mapping", kept_file)
    assert "is the mapping of 'Drita e Fëmijëve', and the import is for 'ARSIS'." in refused.err
    done = run("import", good, "--partner", "drita e fëmijëve", "--json").json
    assert (done["accepted"], done["files"][0]["notes"]) == (1, [])


def test_a_mapping_with_no_heading_of_the_file_is_noted(run, tmp_path):
    good = write(tmp_path, text_of([ROW]), "good.csv")
    rules = tmp_path / "rules.toml"
    rules.write_text('[encounter.columns]\ndate = "Kur"\n')
    note = "The mapping names headings, and none of them is in this file"
    assert note in run("import", good, "--partner", "ARSIS", "--mapping", rules).out
    rules.write_text('[encounter.columns]\ndate = "date"\nstage = "Faza"\n')
    assert note not in run("import", good, "--partner", "ARSIS", "--mapping", rules).out


def test_a_dry_run_says_what_would_happen_and_stores_nothing(run, practice, tmp_path):
    path = write(tmp_path, text_of([ROW | {"record_number": "1"}, ROW | {"stage": "x"}]), "dry.csv")
    before = run("imports", "--json").json
    dry = run("import", path, "--dry-run", "--json").json
    assert (dry["accepted"], dry["rejected"], dry["stored"], dry["files"][0]["rejects"]) == (1, 1, False, None)
    assert not list((practice / "rejects").rglob("*.csv"))
    assert run("imports", "--json").json == before
    real = run("import", path, "--json").json
    assert (real["accepted"], real["stored"]) == (1, True)
    assert run("import", path, "--dry-run", "--json").json["already_known"] == 1
    *_, last = run("imports", "--json").json
    assert (last["kind"], last["accepted"], last["rejected"]) == ("encounter", 1, 1)
    head, newest, *_ = run("imports").out.splitlines()
    assert head.split()[-5:] == ["new", "corrected", "known", "already", "rejected"]
    assert newest.startswith(str(last["number"]))
    assert last["at"][:19] in newest  # imports of one minute have their second
    assert "dry.csv" not in run("imports").out
    assert (last["partner"], "named in its rows" in run("imports").out) == ("", True)


def test_an_import_is_undone_after_a_yes(run, tmp_path):
    path = write(tmp_path, text_of([ROW | {"record_number": "1"}]), "a.csv")
    run("import", path)
    asked = run("undo", "1")
    assert "1 new, 0 corrected. Undoing it removes 1 record. Published numbers" in asked.err
    assert (asked.code, "--yes" in asked.err) == (2, True)
    assert run("undo", "1", "--yes", "--json").json == {"undone": 1, "removed": 1, "restored": 0, "kept": 0}
    assert run("imports", "--json").json == []
    assert "There is no import 1" in run("undo", "1", "--yes").err
    assert run("import", path, "--json").json["accepted"] == 1


@pytest.mark.always("words0-COLUMN=VALUE", "words3-cannot be the same for all rows")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--set", "axis"], "COLUMN=VALUE"),
        (["--set", "axes=prevention"], "no column 'axes'"),
        (["--set", "axis=preventing"], "not allowed in axis"),
        (["--set", "child_id=K-1"], "cannot be the same for all rows"),
        (["--days", "first"], "'day first', 'month first'"),
        (["--sheet", "Tjetër"], "There is no sheet"),
        (["--heading-row", "28"], "Row 28 is empty"),
    ],
)
def test_a_wrong_option_names_what_is_allowed(run, tmp_path, words, message):
    answer = run("import", MESSY["sheets"].write(tmp_path), "--partner", "W", *words)
    assert answer.code == 2
    assert message in answer.out + answer.err


def find_next(answer):
    """Return the words of the command that `tact mapping draft` says to run next."""
    (line,) = (line for line in answer.out.splitlines() if line.startswith("Next"))
    return shlex.split(line.partition(": tact ")[2])


def write_two_tables(tmp_path):
    """Write a workbook with children on the first sheet and days of outreach below a title on the second."""
    children = [list(ROW), *([*(ROW | {"child_id": f"K-{n}"}).values()] for n in range(3))]
    outreach = [["2008"], [], ["Data", "Bashkia", "Ditë", "Puna"], *[["2008-03-04", "Tiranë", 2, "rruga"]] * 3]
    return workbook(tmp_path, ("Fëmijët", children), ("Terreni", outreach), name="two tables.xlsx")


@pytest.mark.parametrize("partner", [["--partner", "Two"], []])
def test_the_next_commands_read_the_same_table_with_the_same_answers(run, tmp_path, partner):
    path = write_two_tables(tmp_path)
    table = ["--kind", "effort", "--sheet", "Terreni", "--heading-row", "3", "--column", "kind=Puna"]
    draft = run("mapping", "draft", path, *partner, *table)
    assert "kind: 'Puna'" in draft.out
    words = find_next(draft)
    assert words[:2] == ["mapping", "draft"]
    assert words[-2:] == ["--set", "kind.rruga=CODE"]
    answered = run(*(word.replace("CODE", "street_outreach").replace("NAME", "Two") for word in words))
    words = find_next(answered)
    assert words[0] == "import"
    (imported,) = run(*words, "--json").json["files"]
    assert (imported["kind"], imported["accepted"]) == ("effort", 3)


def test_how_the_table_of_one_kind_is_read_does_not_hinder_files_of_another(run, tmp_path):
    table = ["--kind", "effort", "--sheet", "Terreni", "--heading-row", "3", "--column", "kind=Puna"]
    run("mapping", "draft", write_two_tables(tmp_path), "--partner", "ARSIS", *table)
    children = write(tmp_path, text_of([ROW | {"child_id": f"K-{n}"} for n in range(3)]), "children.csv")
    assert run("import", children, "--partner", "ARSIS", "--json").json["accepted"] == 3


def test_an_import_names_the_draft_that_reads_the_same_table(run, tmp_path):
    table = ["--kind", "effort", "--sheet", "Terreni", "--heading-row", "3"]
    words = [*table, "--column", "kind=Puna", "--partner", "Two", "--dry-run"]
    answer = run("import", write_two_tables(tmp_path), *words)
    assert f"--partner Two {' '.join(table)}\n" in answer.out


def test_what_a_form_says_is_kept_before_an_import_that_takes_no_form(run, tmp_path):
    path = write(tmp_path, text_of([ROW]), "export.csv")
    survey = [("type", "name", "label"), ("text", "child_id", "Child code")]
    form = workbook(tmp_path, ("survey", survey), ("choices", [("list_name", "name", "label")]), name="form.xlsx")
    words = find_next(run("mapping", "draft", path, "--form", form))
    assert words == ["mapping", "draft", str(path), "--partner", "NAME", "--form", str(form)]


@pytest.mark.parametrize("kind", [["--kind", "encounter"], []])
@pytest.mark.parametrize("words", [["import"], ["mapping", "draft"]])
@pytest.mark.parametrize("option", [["--column", "days=Ditë"], ["--set", "kind=street_outreach"]])
def test_an_option_for_a_column_that_the_kind_of_record_lacks_is_refused(run, tmp_path, words, option, kind):
    refused = run(*words, write_two_tables(tmp_path), "--partner", "P", *kind, *option)
    column = option[1].partition("=")[0]
    assert refused.code == 2
    assert f"The options: encounter has no column '{column}'. It has: date, municipality, child_id, " in refused.err


def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(run, tmp_path):
    refused = run("mapping", "draft", write_two_tables(tmp_path), "--kind", "children")
    assert (refused.code, "No record kind 'children'. There are: encounter, " in refused.err) == (2, True)


def test_an_option_of_a_call_with_files_of_several_kinds_is_for_those_that_have_its_column(run, tmp_path):
    children = write(tmp_path, text_of([{k: v for k, v in ROW.items() if k != "axis"}]), "children.csv")
    days = write(tmp_path, "date,municipality,days,kind,partner\n2008-03-04,Tirana,2,other,ARSIS\n", "days.csv")
    assert run("import", children, days, "--set", "axis=protection", "--json").json["accepted"] == 2
    assert "effort has no column 'axis'" in run("import", days, "--set", "axis=protection").err


def test_the_next_command_leaves_the_order_of_days_to_the_officer(run, tmp_path):
    path = MESSY["slashes"].write(tmp_path)
    asked = run("mapping", "draft", path).out
    assert asked.strip().endswith("--partner NAME --days ORDER")
    assert run("mapping", "draft", path, "--partner", "L", "--days", "ORDER").code == 2
    assert run("mapping", "draft", path, "--partner", "L", "--days", "day first").code == 0


def test_a_form_explains_names_and_codes_of_an_export(run, tmp_path):
    answers = {"q1": "2008-03-04", "q2": "10944377", "q3": "K-1", "q4": "2", "q5": "1", "q6": "c", "q7": "at_risk"}
    export = write(tmp_path, text_of([answers | {"_id": "5", "_uuid": "u"}]), "export.csv")
    survey = [
        ("type", "name", "label::English (en)", "label::Shqip (sq)"),
        *[("date", "q1", "", "Data e takimit"), ("text", "q2", "", "Bashkia"), ("text", "q3", "Child code", "")],
        *[("select_one sexes", "q4", "Sex", "Gjinia"), ("select_multiple forms", "q5", "", "Forma e shfrytëzimit")],
        *[
            ("select_one ways", "q6", "How found", ""),
            ("select_one stages", "q7", "Stage", "Faza"),
            ("note", "x", "", ""),
        ],
    ]
    choices = [
        ("list_name", "name", "label::English (en)", "label::Shqip (sq)"),
        *[("sexes", 1, "", "Djalë"), ("sexes", 2, "Girl", "Vajzë"), ("forms", 1, "", "lypje")],
        *[("ways", "c", "Police", "policia"), ("ways", "d", "", "Qumështi")],
    ]
    form = workbook(tmp_path, ("survey", survey), ("choices", choices), name="form.xlsx")
    words = options({"pathway": "internal", "axis": "protection"})
    answer = run("mapping", "draft", export, "--partner", "Form", "--form", form, *words)
    assert "Next: tact import" in answer.out, answer
    assert run("import", export, "--partner", "Form", "--json").json["accepted"] == 1
    refused = run("mapping", "draft", export, "--form", workbook(tmp_path, ("a", [("b",)]), name="no.xlsx"))
    assert "is no form of Kobo or ODK" in refused.err


def test_questions_are_asked_on_a_terminal_and_an_empty_answer_takes_what_is_likely(run, tmp_path, monkeypatch):
    replies = iter(["", "", "4", "2", "2"])
    monkeypatch.setattr(commands, "can_ask", lambda: True)
    monkeypatch.setattr(asking, "_prompt", lambda *_, **__: next(replies))
    path = write(
        tmp_path,
        text_of([{k: v for k, v in ROW.items() if k not in ("stage", "pathway", "axis")}])
        .replace("date", "dta", 1)
        .replace("municipality", "municipalty", 1),
        "asked.csv",
    )
    answer = run("mapping", "draft", path, "--partner", "Asked")
    assert "Next: tact import" in answer.out, answer
    assert list(replies) == []
    assert run("import", path, "--partner", "ARSIS", "--json").code == 2
    assert run("import", path, "--partner", "Asked", "--set", "stage=at_risk", "--json").json["rejected"] == 1


def answer_by(monkeypatch, *replies):
    """Answer questions with these replies, then press Ctrl+C; return the list to which each question is added."""
    asked, rest = [], iter(replies)

    def prompt(question, **_more):
        asked.append(question)
        reply = next(rest, None)
        if reply is None:
            raise KeyboardInterrupt
        return reply

    monkeypatch.setattr(commands, "can_ask", lambda: True)
    monkeypatch.setattr(asking, "_prompt", prompt)
    return asked


def write_incomplete(tmp_path):
    rows = [{k: v for k, v in ROW.items() if k not in ("stage", "axis")} | {"child_id": f"K-{n}"} for n in range(3)]
    return write(tmp_path, text_of([row | {"form": "xhamash"} for row in rows]), "incomplete.csv")


def test_a_question_that_is_left_open_is_asked_once_and_the_answers_to_the_others_are_kept(run, tmp_path, monkeypatch):
    path = write_incomplete(tmp_path)
    asked = answer_by(monkeypatch, "1", "", "")
    draft = run("mapping", "draft", path, "--partner", "Left")
    assert draft.code == 0
    assert asked == [
        "  stage [Enter: leave it open]",
        "  axis [Enter: leave it open]",
        "  xhamash (3 rows) [Enter: leave it open]",
    ]
    assert "  2  street_work (child labour in the street)\n  3  sexual_exploitation\n" in draft.err
    assert "Not answered yet:\n  axis\n  form: 'xhamash' (3 rows)\n" in draft.out
    assert "an import may refuse the file. The same command asks again." in draft.out
    asked = answer_by(monkeypatch, "2", "")
    draft = run("mapping", "draft", path, "--partner", "Left")
    assert [question.split()[0] for question in asked] == ["axis", "xhamash"]
    assert "An import rejects the rows that they are about. The same command asks again." in draft.out


def test_what_is_likely_can_be_left_open_too(run, tmp_path, monkeypatch):
    path = write(tmp_path, text_of([ROW]).replace("municipality", "municipalty", 1), "likely.csv")
    asked = answer_by(monkeypatch, "-")
    assert "Not answered yet:\n  municipality\n" in run("mapping", "draft", path, "--partner", "Likely").out
    assert asked == ["  municipality [Enter: municipalty; -: leave it open]"]


def test_ctrl_c_at_a_question_keeps_the_answers_before_it(run, tmp_path, monkeypatch):
    path = write_incomplete(tmp_path)
    answer_by(monkeypatch, "1")
    draft = run("mapping", "draft", path, "--partner", "Stop")
    assert draft.code == 130
    assert "Kept for Stop: " in draft.out
    assert "Not answered yet:\n  axis\n  form: 'xhamash' (3 rows)\n" in draft.out
    open_questions = run("mapping", "draft", path, "--partner", "Stop", "--json").json["questions"]
    assert [list(question["parts"]) for question in open_questions] == [["axis"], ["xhamash"]]


def test_a_file_without_codes_of_children_is_refused_on_the_terminal_with_what_to_ask_of_the_partner(
    run, tmp_path, monkeypatch
):
    row = {name: value for name, value in ROW.items() if name != "programme_number"}
    path = write(tmp_path, text_of([row]).replace("child_id", "Dosja", 1), "codes.csv")
    listed = run("mapping", "draft", path, "--partner", "Codes").out
    assert "With it each child is counted once" in listed
    assert "the file cannot be imported. Without the partner's own code of each child" in listed
    monkeypatch.setattr(commands, "can_ask", lambda: True)
    monkeypatch.setattr(asking, "_prompt", lambda *_, **__: "0")
    refused = run("mapping", "draft", path, "--partner", "Codes")
    assert (refused.code, "Ask the partner to add a column" in refused.err) == (2, True)


def test_the_answers_before_a_refusal_are_kept(run, tmp_path, monkeypatch):
    row = {name: value for name, value in ROW.items() if name != "programme_number"}
    text = text_of([row]).replace("municipality", "municipalty", 1).replace("child_id", "Dosja", 1)
    path = write(tmp_path, text, "codes.csv")
    asked = answer_by(monkeypatch, "", "0")
    refused = run("mapping", "draft", path, "--partner", "Codes")
    assert ([question.split()[0] for question in asked], refused.code) == (["municipality", "child_id"], 2)
    questions = run("mapping", "draft", path, "--partner", "Codes", "--json").json["questions"]
    assert [question["column"] for question in questions] == ["child_id"]


def test_a_column_that_is_read_to_find_the_place_is_told_from_one_that_is_not_read(run, tmp_path):
    rows = [ROW | {"child_id": f"K-{n}", "Qarku": "Tiranë", "Vërejtje": ""} for n in range(3)]
    path = write(tmp_path, text_of(rows), "county.csv")
    draft = run("mapping", "draft", path)
    assert "\n  read to find the place, but not stored: 'Qarku'\n  not read: 'Vërejtje'\n" in draft.out
    assert run("mapping", "draft", path, "--json").json["placing"] == ["Qarku"]


def test_no_word_that_may_be_a_name_is_shown(run, tmp_path):
    rows = [ROW | {"child_id": f"K-{n}"} for n in range(9)]
    rows[3] |= {"stage": "Planted Child", "municipality": "Plantedburg"}
    rows[4] |= {"sex": "Plantedfirst"}
    # A word in small letters is shown, but not where the columns of a row seem to be shifted.
    rows[5] |= {"found": "plantedname", "date": "never"}
    path = write(tmp_path, text_of(rows).replace("stage", "Faza", 1), "private.csv")
    for words in (["mapping", "draft", path], ["mapping", "draft", path, "--json"], ["import", path, "--dry-run"]):
        answer = run(*words)
        assert answer.code == 0
        assert "planted" not in (answer.out + answer.err).casefold()


def test_a_slip_in_the_name_of_a_partner_is_refused_and_a_new_partner_is_taken_when_said(run, tmp_path):
    path = write(tmp_path, text_of([ROW | {"partner": ""}]), "a.csv")
    assert run("import", path, "--partner", "BKTF", "--json").json["accepted"] == 1
    assert run("import", path, "--partner", "BKTF", "--json").json["already_known"] == 1
    slip = run("import", path, "--partner", "BKFT")
    assert slip.code == 2
    assert "'BKFT' is a new partner, and the name is nearly that of 'BKTF'. No row was imported." in slip.out
    assert "--new-partner" in slip.out
    assert run("import", path, "--partner", "BKFT", "--new-partner", "--json").json["accepted"] == 1
    assert run("import", path, "--partner", "ARSIS", "--json").json["accepted"] == 1


@pytest.mark.always("words0")
@pytest.mark.parametrize("words", [["import"], ["mapping", "draft"]])
def test_names_of_children_are_refused_before_the_kind_is_asked(run, tmp_path, words):
    for name, between in (("names.csv", ","), ("semicolons.csv", ";")):
        path = write(tmp_path, "Emri,Mbiemri,Datelindja\nAna,Hoxha,2001-02-03\n".replace(",", between), name)
        answer = run(*words, path)
        assert answer.code == 2
        assert "seems to contain names ('Emri', 'Mbiemri'); dates of birth ('Datelindja')" in answer.out + answer.err
        assert "If it is not about children, say which kind it is with --kind" in answer.out + answer.err
        assert "Hoxha" not in answer.out + answer.err
    other = write(tmp_path, "Ngjyra,Madhesia\ne kuqe,e madhe\n", "other.csv")
    answer = run(*words, other)
    assert "fit no kind of record" in answer.out + answer.err
