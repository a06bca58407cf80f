"""Files as partners really keep them go in with at most three questions, the second month with none."""

import datetime as dt
from functools import cache

import pytest

from data.errors import FileRefused, InputError
from data.reference import area_table, town_table
from data.restricted.intake import guess_kind, mapping, read_file
from data.restricted.intake.mapping import ColumnMapping
from data.restricted.intake.recognition import answer, recognise
from data.restricted.keys import Secret
from data.restricted.vault import Counts, Vault
from data.schema.kinds import KINDS
from geo.places import Places
from tests.helpers.messy_files import FILES
from tests.helpers.partner_files import Hasher

TODAY = dt.date(2009, 6, 30)
PLACES = Places(area_table(), town_table())
READ = [messy for messy in FILES if not messy.refused]
MOST_QUESTIONS = 3


def names(files):
    return [messy.name for messy in files]


def partner_of(messy):
    return None if messy.name == "activityinfo" else "INVENTED"


def ask(path, messy, mappings=None, **more):
    more = {"resolve": PLACES.resolve, "partner": partner_of(messy), "today": TODAY, **more}
    return recognise(path, mappings=mappings or {}, **more)


def reply(messy, question):
    """Return what the data officer of a messy file answers to a question."""
    if question.topic == "days":
        return messy.answers["days"]
    if question.topic == "words":
        return messy.answers["words"].get(question.column, {})
    answers = messy.answers[question.topic]
    return {part: answers[part] for part in question.parts if part in answers}


def learn(path, messy):
    """Answer all questions about a file; return the mapping, and how many questions there were."""
    learnt, asked = ColumnMapping(skip={k: tuple(v) for k, v in messy.answers.get("skip", {}).items()}), 0
    while questions := ask(path, messy, {messy.kind: learnt}).questions:
        before = learnt
        for question in questions:
            asked += 1
            learnt = learnt.extend(answer(question, reply(messy, question)))
        assert learnt != before, questions
    return learnt, asked


@pytest.fixture(scope="module")
def learn_once(tmp_path_factory):
    """Return a function that writes a messy file and answers its questions once: path, mapping, how many there were."""

    @cache
    def learn_named(name):
        messy = next(messy for messy in READ if messy.name == name)
        path = messy.write(tmp_path_factory.mktemp(name))
        return path, *learn(path, messy)

    return learn_named


def read(path, messy, learnt):
    more = {"resolve": PLACES.resolve, "hash_identifier": Hasher(), "today": TODAY}
    return read_file(path, messy.kind, mapping=learnt, partner=partner_of(messy), **more)


@pytest.mark.always(
    "sq-merged",
    "el-semicolon",
    "utf16-tabs",
    "kobo",
    "odk",
    "primero",
    "activityinfo",
    "htcds",
    "birth-years",
    "day-numbers",
    "months",
    "sheets",
    "places",
    "codes",
    "effort-sq",
    "service-el",
    "community-sq",
    "indicator-sq",
    "figure-el",
    "parts",
    "slashes",
    "old-excel",
    "kobo-repeat",
    "sq-subtotals",
    "greeklish-notes",
)
@pytest.mark.slow
@pytest.mark.parametrize("messy", READ, ids=names(READ))
def test_each_row_is_in_or_comes_back_for_a_reason_that_a_person_would_give(learn_once, messy):
    path, learnt, asked = learn_once(messy.name)
    assert guess_kind(path) == messy.kind
    assert asked <= MOST_QUESTIONS
    intake = read(path, messy, learnt)
    assert intake.rows == len(messy.rows)
    accepted = iter(intake.accepted.to_dict("records"))
    for line, expected in messy.rows.items():
        faults = intake.rejects[intake.rejects["line"] == line]
        if isinstance(expected, tuple):
            assert faults["column"].tolist() == [expected[0]], line
            assert expected[1] in faults["reason"].iloc[0]
        else:
            assert faults.empty, (line, faults["reason"].tolist())
            record = next(accepted)
            assert {name: record[name] for name in expected} == expected, line
    notes = " ".join(intake.notes)
    assert all(f"line {line}" in notes for line in messy.left_out)


@pytest.mark.parametrize("messy", READ, ids=names(READ))
def test_the_second_month_has_no_question(tmp_path, learn_once, messy):
    path, learnt, _ = learn_once(messy.name)
    file = mapping.file_for(tmp_path, "INVENTED")
    mapping.save(file, messy.kind, learnt)
    mappings = {kind: mapping.read(file, kind) for kind in KINDS}
    assert mappings[messy.kind] == learnt
    assert guess_kind(path, mappings) == messy.kind
    assert ask(path, messy, mappings).questions == ()


@pytest.mark.parametrize("messy", [m for m in FILES if m.refused], ids=lambda messy: messy.name)
def test_what_never_goes_in_is_refused_before_any_question(tmp_path, messy):
    path = messy.write(tmp_path)
    with pytest.raises(FileRefused, match=messy.refused):
        ask(path, messy, kind="encounter")
    with pytest.raises(FileRefused, match=messy.refused):
        read(path, messy, ColumnMapping(constants=messy.answers.get("constants", {})))


@pytest.mark.parametrize(("name", "number", "other"), [("kobo", "_id", "_uuid"), ("odk", "KEY", "ReviewState")])
def test_an_edited_submission_is_a_correction(tmp_path, name, number, other):
    (messy,) = (messy for messy in FILES if messy.name == name)
    path = messy.write(tmp_path)
    learnt, _ = learn(path, messy)
    first = read(path, messy, learnt).accepted
    text = path.read_text(encoding="utf-8")
    assert number in text
    # In Kobo an edit gives a submission another _uuid; its _id stays. In ODK its KEY stays.
    edited = text.replace("u-1", "u-9") if other == "_uuid" else text.replace("a1,,", "a1,edited,")
    path.write_text(edited.replace("at_risk", "recruited", 1).replace("at risk", "recruited", 1), encoding="utf-8")
    second = read(path, messy, learnt).accepted
    assert second["identity"].tolist() == first["identity"].tolist()
    assert (second["content"] != first["content"]).tolist() == [True, False]
    with Vault.create(tmp_path / "vault", Secret(bytes(range(32)))) as vault:
        assert vault.add("encounter", first, "a.csv") == Counts(2, 0, 0)
        assert vault.add("encounter", second, "b.csv") == Counts(0, 1, 1)


def test_an_age_between_two_bands_is_asked_once_where_children_share_it_and_no_name_or_day_in_its_column(tmp_path):
    head = "date,municipality,child_id,age_band,stage,pathway,form,axis,found"
    ages = ("9-11 as a date", *["rreth 10"] * 3, *["8-12"] * 3, "about 6", "Artan", "2007-10-13", "10/11", "11")
    rows = [f"2008-03-04,Tirana,K-{n},{age},at_risk,internal,begging,protection,reported" for n, age in enumerate(ages)]
    path = tmp_path / "ages.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    (question,) = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY).questions
    assert dict(question.rows) == {"rreth 10": 3, "8-12": 3}
    assert question.proposal == {}
    assert question.parts == dict.fromkeys(["rreth 10", "8-12"], ("6-9", "10-13", "unknown"))
    with pytest.raises(InputError, match="Allowed: 6-9, 10-13, unknown"):
        answer(question, {"rreth 10": "0-5"})
    learnt = answer(question, {"rreth 10": "10-13", "8-12": "10-13"})
    file = read_file(path, "encounter", resolve=PLACES.resolve, hash_identifier=Hasher(), mapping=learnt, partner="P")
    assert file.accepted_rows == 7


def test_ages_that_a_spreadsheet_made_days_of_are_asked_by_their_band_and_never_by_a_day_that_may_be_of_birth(tmp_path):
    head = "date,municipality,child_id,age_band,stage,pathway,form,axis,found"
    days = (
        "2008-12-10",
        "12.10.2008",
        "39792",
        "10-Dhj",
        "Oct-13",
        "2013-10-01",
        "6-Sep",
        "2008-12-08",
        "2001-09-06",
        "7",
    )
    rows = [f"2008-03-04,Tirana,K-{n},{day},at_risk,internal,begging,protection,reported" for n, day in enumerate(days)]
    path = tmp_path / "ages.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    (question,) = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY).questions
    assert dict(question.rows) == {"10-12 as a date": 4, "10-13 as a date": 2, "6-9 as a date": 1}
    assert dict(question.proposal) == {"10-12 as a date": "10-13", "10-13 as a date": "10-13", "6-9 as a date": "6-9"}
    assert question.parts["10-12 as a date"] == ("10-13", "unknown")
    learnt = answer(question, question.proposal)
    assert (
        recognise(path, resolve=PLACES.resolve, mappings={"encounter": learnt}, partner="P", today=TODAY).questions
        == ()
    )
    file = read_file(
        path, "encounter", resolve=PLACES.resolve, hash_identifier=Hasher(), mapping=learnt, partner="P", today=TODAY
    )
    assert file.accepted.age_band.tolist() == ["10-13"] * 6 + ["6-9", "6-9"]
    assert file.rejects.line.tolist() == [9, 10]


def test_a_place_that_is_near_no_known_one_is_asked_where_three_children_share_it(tmp_path):
    head = "date,municipality,child_id,stage,pathway,form,axis,found"
    towns = ("Fushë Gjelbër",) * 3 + ("Xyzland", "Tirana")
    rows = [f"2008-03-04,{town},K-{n},at_risk,internal,begging,protection,reported" for n, town in enumerate(towns)]
    path = tmp_path / "towns.csv"
    path.write_text("\n".join([head, *rows]), encoding="utf-8")
    (question,) = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY).questions
    assert dict(question.rows) == {"Fushë Gjelbër": 3}


def write_towns(folder, *rows, heads=()):
    head = ["date", "municipality", "child_id", "stage", "pathway", "form", "axis", "found", *heads]
    lines = [
        ["2008-03-04", town, f"K-{n}", "at_risk", "internal", "begging", "protection", "reported", *more]
        for n, (town, *more) in enumerate(rows)
    ]
    path = folder / "towns.csv"
    path.write_text("\n".join(map(",".join, [head, *lines])), encoding="utf-8")
    return path


def look_at(path, mapping=None):
    more = {"resolve": PLACES.resolve, "partner": "P", "today": TODAY}
    questions = recognise(path, mappings={"encounter": mapping or ColumnMapping()}, **more).questions
    return questions, read_file(path, "encounter", hash_identifier=Hasher(), mapping=mapping, **more)


def test_towns_that_nothing_confirms_are_asked_about_once_with_their_municipality(tmp_path):
    path = write_towns(tmp_path, ("Koplik",), ("Fushë Krujë",), ("Koplik",), ("Tirana",), ("Gradishtë",))
    (question,), before = look_at(path)
    assert dict(question.rows) == {"Koplik": 2, "Fushë Krujë": 1, "Gradishtë": 1}
    assert question.proposal["Koplik"].endswith("(municipality 10944413)")
    assert before.rejects.line.tolist() == [2, 3, 4, 6]
    assert before.rejects.reason.unique().tolist() == ["is a town, and a village elsewhere may have the same name"]
    assert "10944413" in before.rejects.allowed[0]
    learnt = answer(question, question.proposal)
    file = tmp_path / "P.toml"
    mapping.save(file, "encounter", learnt)
    questions, after = look_at(path, mapping.read(file, "encounter"))
    assert (questions, after.accepted_rows) == ((), 5)


@pytest.mark.parametrize(
    ("heading", "right", "wrong"),
    [
        ("Qarku", "Shkodër", "Vlorë"),
        ("Komuna", "Malësi e Madhe", "Tirana"),
        ("country", "AL", ""),
        ("Shteti", "Shqipëri", ""),
        ("Περιφέρεια", "Shkodra", "Attica"),
    ],
)
def test_a_town_is_read_where_a_county_municipality_or_country_of_its_row_agrees(tmp_path, heading, right, wrong):
    path = write_towns(tmp_path, ("Koplik", right), ("Koplik", right), heads=(heading,))
    questions, file = look_at(path, ColumnMapping(columns={"municipality": "municipality"}))
    assert (questions, file.accepted.municipality.tolist()) == ((), ["10944413"] * 2)
    path = write_towns(tmp_path, ("Koplik", right), ("Koplik", wrong), heads=(heading,))
    questions, file = look_at(path, ColumnMapping(columns={"municipality": "municipality"}))
    assert (len(questions), file.rejects.line.tolist()) == (1, [3])


def test_a_name_of_several_places_is_read_where_its_row_names_the_county_of_one(tmp_path):
    path = write_towns(tmp_path, ("Novoselë", "Vlorë"), ("Ηράκλειο", "Κρήτη"), ("Ηράκλειο", "Αττική"), heads=("Qarku",))
    questions, file = look_at(path)
    assert (questions, file.accepted.municipality.tolist()) == ((), ["10944428", "9305", "9170"])
    path = write_towns(tmp_path, ("Ηράκλειο", "Κρήτη"), ("Ηράκλειο", ""), heads=("Qarku",))
    questions, file = look_at(path)
    assert (len(questions), file.rejects.line.tolist()) == (1, [3])


def test_a_column_of_counties_is_said_to_find_the_place_and_others_not_to_be_read(tmp_path):
    path = write_towns(tmp_path, ("Koplik", "Shkodër", "x"), heads=("Qarku", "Vërejtje"))
    notes = look_at(path)[1].notes
    assert "Read to find the place, but not stored: 'Qarku'." in notes
    assert any(
        note.startswith("Not read and not stored, because kind encounter does not have them: 'Vërejtje'.")
        for note in notes
    )
    recognition = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY)
    assert (recognition.placing, recognition.unread) == (("Qarku",), ["Vërejtje"])
    assert "Qarku" in recognition.unknown, "an officer may still say that it is another column"


def test_beside_a_country_the_county_of_a_row_still_counts(tmp_path):
    rows = [("Koplik", "AL", "Shkodër"), ("Novoselë", "AL", "Vlorë"), ("Koplik", "AL", ""), ("Koplik", "AL", "Vlorë")]
    questions, file = look_at(write_towns(tmp_path, *rows, heads=("country", "Qarku")))
    assert file.accepted.municipality.tolist() == ["10944413", "10944428", "10944413"]
    assert ([dict(question.rows) for question in questions], file.rejects.line.tolist()) == (
        [{"Koplik (Vlorë)": 1}],
        [5],
    )


def test_where_a_child_comes_from_is_confirmed_by_no_county_of_the_meeting(tmp_path):
    path = write_towns(tmp_path, ("Shkodër", "Shkodër", "Koplik"), heads=("Qarku", "origin"))
    (question,), _ = look_at(path)
    assert (question.column, list(question.parts)) == ("origin", ["Koplik"])


def write_codes(folder, **columns):
    head = ["date", "municipality", "stage", "pathway", "form", "axis", "found", *columns]
    same = ["2008-03-04", "Tirana", "at_risk", "internal", "begging", "protection", "reported"]
    path = folder / "codes.csv"
    lines = [[*same, *cells] for cells in zip(*columns.values(), strict=True)]
    path.write_text("\n".join(map(",".join, [head, *lines])), encoding="utf-8")
    return path


def test_a_code_of_each_child_is_looked_for_in_columns_of_codes_the_likeliest_first(tmp_path):
    path = write_codes(
        tmp_path,
        Qendra=["Q1", "Q1", "Q1", "Q2"],
        Rendi=["1", "2", "3", "4"],
        Shenime=["erdhi me motrën 2 herë", "e pamë te sheshi me nënën", "", "i sëmurë"],
        Mbyllur=["5.3.2008", "6.3.2008", "", "7/3/2008"],
        Gjendja=["mirë", "keq", "mirë", "mirë"],
        Bosh=[""] * 4,
        Dosja=["D-01", "D-02", "D-01", "D 07"],
    )
    recognition = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY)
    (question,) = recognition.questions
    assert question.parts == {"child_id": ("Dosja",)}  # Qendra repeats within one day and place
    assert recognition.worded == ("Qendra", "Gjendja", "Dosja")
    assert "With it each child is counted once" in question.text
    assert "Ask the partner to add a column" in question.without


def test_a_heading_that_may_mean_a_code_comes_first_also_if_it_counts_the_rows(tmp_path):
    path = write_codes(tmp_path, Dosja=["D-01", "D-02"], Code=["1", "2"])
    (question,) = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY).questions
    assert question.parts == {"child_id": ("Code", "Dosja")}
    assert question.proposal == {"child_id": "Code"}


def test_a_file_without_codes_of_children_says_what_to_ask_of_the_partner(tmp_path):
    path = write_codes(tmp_path, Shenime=["iku", "i sëmurë"])
    recognition = recognise(path, resolve=PLACES.resolve, partner="P", today=TODAY)
    assert recognition.blocks
    assert "Ask the partner to add a column" in recognition.lacking
    with pytest.raises(FileRefused, match="Ask the partner to add a column"):
        read_file(path, "encounter", resolve=PLACES.resolve, hash_identifier=Hasher(), partner="P")


def write_hours(folder, heading):
    path = folder / "hours.csv"
    rows = "\n".join(f"2008-03-{n:02},Tirana,{n},other" for n in range(1, 6))
    path.write_text(f"Data,Bashkia,{heading},Lloji\n{rows}", encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "heading",
    ["Orë në terren", "Ore pune", "Ώρες εργασίας στο πεδίο", "ores ergasias", "Outreach hours", "work_h", "h"],
)
def test_hours_are_not_proposed_as_days_and_are_refused_as_days(tmp_path, heading):
    path = write_hours(tmp_path, heading)
    (question,) = recognise(path, resolve=PLACES.resolve, kind="effort", partner="P", today=TODAY).questions
    assert (dict(question.parts), dict(question.proposal)) == ({"days": (heading,)}, {})
    with pytest.raises(InputError, match=f"'{heading}' holds hours and is not read as days"):
        answer(question, {"days": heading})
    with pytest.raises(InputError, match=r"The mapping: .* holds hours"):
        mapping.check(ColumnMapping(columns={"days": heading}), "effort")


def test_days_with_a_remark_on_hours_are_days(tmp_path):
    path = write_hours(tmp_path, "Ditë (8 orë)")
    recognition = recognise(path, resolve=PLACES.resolve, kind="effort", partner="P", today=TODAY)
    assert recognition.questions == ()
    assert recognition.sample.cells["days"][0] == "1.0"
