"""The governance file: its required content, and what follows from it."""

import datetime as dt
import tomllib

import pytest

from data.disclosure import policy_file
from data.errors import InputError, WorkspaceError
from data.restricted import governance
from data.restricted.governance import FILE, INVENTED, TEMPLATE, logs, read, second_person, write_missing
from data.restricted.governance.second_person import appoint, confirm
from data.restricted.vault import Vault
from data.tables.spec import DEFAULT_PLAN
from data.workspace import Workspace

TODAY = dt.date(2009, 6, 1)
COMPLETE = INVENTED.replace("invented = true", "").replace("months = 1200", "months = 36")


@pytest.fixture
def workspace(tmp_path):
    return Workspace.create(tmp_path / "w", "real")


def write(workspace, text):
    (workspace.path / FILE).write_text(text, encoding="utf-8")
    return read(workspace)


def test_the_empty_file_names_each_missing_item_with_its_remedy(workspace):
    write_missing(workspace)
    assert (workspace.path / FILE).read_text() == TEMPLATE
    missing = read(workspace).missing
    for item in (
        "[controllers] names",
        "[controllers] arrangement",
        "[legal_basis] special_categories",
        "[legal_basis] offences",
        "[impact_assessment] date",
        "[retention] months",
        "[transfer] basis",
        "[communities] partner",
        "[communities] decision",
        "[communities] date",
        "[[approved]]",
    ):
        assert sum(item in line for line in missing) == 1, item
    assert len(missing) == 11
    with pytest.raises(WorkspaceError, match="impact assessment"):
        read(workspace).require()


def test_a_complete_file_lacks_nothing(workspace):
    governed = write(workspace, COMPLETE)
    governed.require()
    assert governed.missing == ()
    assert governed.approvers == ("Invented Person A", "Invented Person B")


def test_what_is_in_the_comments_of_the_empty_file_is_a_whole_one(workspace):
    """Removing each # and filling in the quotes gives a valid file."""
    plain = "\n".join(
        line.removeprefix("# ") if " = " in line or "[[" in line else line for line in TEMPLATE.splitlines()
    )
    fields = tomllib.loads(plain.replace("names = []", "").replace("`tact", "# "))
    assert [block["kind"] for block in fields["agreements"]] == ["partner"]
    assert len(fields["approved"]) == 2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("Invented Person B", "invented  person a", "two different people"),
        ('role = "Invented director"', 'role = " "', "two different people"),
        ("date = 2006-05-02", "date = 2999-05-02", "not in the future"),
        ("date = 2006-05-02", 'date = "soon"', "impact assessment"),
        ("months = 36", "months = 0", "months"),
        ("months = 36", "months = true", "months"),
        ('decision = "approved"', 'decision = "perhaps"', "one of approved, blocked, withdrawn"),
        ('kind = "partner"', 'kind = "press"', "partner, police, migration"),
        ("[controllers]", "[controller]", "organisations"),
        ("[transfer]", "= nonsense", "cannot be read"),
        ("[controllers]", "invented = true\n[controllers]", "invented"),
    ],
)
def test_what_is_wrong_is_named(workspace, old, new, words):
    missing = write(workspace, COMPLETE.replace(old, new)).missing
    assert any(words in line for line in missing)


@pytest.mark.parametrize(
    ("typed", "phrases"),
    [
        ("02.03.2009", ("line {line} says 02.03.2009", "as 2009-03-02 (2009-03-02)")),
        ("2.3.2009  # the board", ("line {line} says 2.3.2009", "(2009-03-02)")),
        ("31/05/2009", ("line {line} says 31/05/2009", "as 2009-03-02.")),
    ],
)
def test_a_day_in_the_european_way_is_told_with_its_line_and_how_to_write_it(workspace, typed, phrases):
    text = COMPLETE.replace("date = 2006-05-02", f"date = {typed}")
    line = next(n for n, words in enumerate(text.splitlines(), 1) if words == f"date = {typed}")
    (missing,) = write(workspace, text).missing
    assert all(words.format(line=line) in missing for words in phrases)
    assert "without quotes" in missing
    assert "rest of this file is checked" in missing


def test_a_file_that_cannot_be_read_says_that_the_other_checks_follow(workspace):
    (missing,) = write(workspace, COMPLETE.replace("[transfer]", "[transfer")).missing
    assert "line" in missing
    assert "rest of this file is checked" in missing


def test_without_a_file_all_is_missing_and_no_layer_of_communities_leaves(workspace):
    governed = read(workspace)
    assert "tact doctor" in governed.missing[0]
    assert governed.kept_since(TODAY) is None
    assert not governed.communities


def test_an_invented_workspace_goes_by_the_invented_file(tmp_path):
    invented = Workspace.create(tmp_path / "i", "invented")
    before = read(invented)
    write_missing(invented)
    assert "INVENTED" in (invented.path / FILE).read_text().splitlines()[0]
    after = read(invented)
    assert (before.communities, before.agreements) == (after.communities, after.agreements)
    assert after.missing == ()
    assert after.kept_since(TODAY) < dt.date(1990, 1, 1)


def test_what_is_there_is_never_written_over(workspace):
    write(workspace, "mine = 1")
    assert [path.name for path in write_missing(workspace)] == [governance.BREACH_FILE, policy_file.FILE]
    assert (workspace.path / FILE).read_text() == "mine = 1"
    assert write_missing(workspace) == []


@pytest.mark.parametrize(
    ("months", "today", "since"),
    [
        (36, "2009-06-01", "2006-06-01"),
        (1, "2009-03-31", "2009-02-28"),
        (12, "2008-02-29", "2007-02-28"),
        (5, "2009-05-15", "2008-12-15"),
        (99_999, "2009-05-15", "0001-01-01"),
    ],
)
def test_records_are_kept_for_so_many_months(workspace, months, today, since):
    governed = write(workspace, COMPLETE.replace("months = 36", f"months = {months}"))
    assert governed.kept_since(dt.date.fromisoformat(today)) == dt.date.fromisoformat(since)


@pytest.mark.parametrize("decision", ["approved", "blocked", "withdrawn", ""])
@pytest.mark.parametrize("measure", ["communities", "dark_figure"])
def test_tables_of_communities_and_of_the_dark_figure_are_in_the_plan_with_approval_alone(workspace, measure, decision):
    head, section, rest = COMPLETE.partition(f"[{measure}]")
    governed = write(workspace, head + section + rest.replace('decision = "approved"', f'decision = "{decision}"', 1))
    plan = governed.permitted(DEFAULT_PLAN)
    for tier, specs in DEFAULT_PLAN.items():
        assert plan[tier] == tuple(s for s in specs if s.measure != measure or decision == "approved")


def test_a_file_from_before_the_dark_figure_is_complete_and_approves_none(workspace):
    governed = write(workspace, COMPLETE.replace('[dark_figure]\ndecision = "approved"\n', ""))
    governed.require()
    assert governed.blocked == {"dark_figure"}


# -- agreements --

AGREEMENTS = """
[[agreements]]
receiver = "Police of A"
kind = "police"
signed = 2009-01-01

[[agreements]]
receiver = "Border Office"
kind = "migration"
signed = 2009-01-01
opened = "One number for the annual report; decided by the board on 2009-02-02."

[[agreements]]
receiver = "Old Friend"
kind = "partner"
signed = 2007-01-01
ends = 2009-05-31

[[agreements]]
receiver = "New Friend"
kind = "partner"
signed = 2009-06-02

[[agreements]]
receiver = "Unclear"
kind = "partner"
signed = 2007-01-01
ends = "some day"
"""


@pytest.mark.parametrize("name", ["Police of A", "Old Friend", "New Friend", "Unclear", "Somebody", ""])
def test_nobody_receives_without_an_agreement_that_runs(workspace, name):
    governed = write(workspace, COMPLETE + AGREEMENTS)
    with pytest.raises(WorkspaceError, match="Nothing was exported"):
        governed.receiver(name, TODAY)


def test_partners_receive_and_an_authority_that_was_opened(workspace):
    governed = write(workspace, COMPLETE + AGREEMENTS)
    assert governed.receiver("invented  partner", TODAY).receiver == "Invented Partner"
    assert governed.receiver("Border Office", TODAY).kind == "migration"
    assert governed.receiver("Old Friend", dt.date(2009, 5, 31)).kind == "partner"


def test_an_agreement_that_says_why_counts_beside_one_that_does_not(workspace):
    again = '[[agreements]]\nreceiver = "Police of A"\nkind = "police"\nsigned = 2009-02-01\nopened = "The board."\n'
    assert write(workspace, COMPLETE + AGREEMENTS + again).receiver("Police of A", TODAY).opened == "The board."


# -- the second person --

WORDS = "fjalë e dytë e fshehtë"


@pytest.fixture
def vault(workspace):
    with Vault.create(workspace.vault, b"k" * 32) as vault:
        yield vault


@pytest.mark.slow
def test_the_second_person_confirms_with_their_own_passphrase(vault):
    assert second_person.read(vault) is None
    person = appoint(vault, "B", WORDS, None)
    assert second_person.read(vault) == person
    assert WORDS not in vault.read_note("second person")
    confirm(person, ("A", "b"), WORDS)
    with pytest.raises(InputError, match="not the passphrase"):
        confirm(person, ("A", "B"), f"{WORDS} ")
    with pytest.raises(WorkspaceError, match="does not approve any more"):
        confirm(person, ("A", "C"), WORDS)
    with pytest.raises(InputError, match="12 characters"):
        appoint(vault, "B", "short", WORDS)


@pytest.mark.slow
def test_another_takes_the_place_with_the_passphrase_or_leaves_a_trace(vault):
    appoint(vault, "B", WORDS, None)
    with pytest.raises(InputError):
        appoint(vault, "C", "another green heap of gravel", "guessed")
    assert second_person.read(vault).name == "B"
    assert appoint(vault, "C", "another green heap of gravel", WORDS).replaced == ""
    replaced = appoint(vault, "D", "a third heap of gravel", None)
    assert replaced.replaced == replaced.since
    assert appoint(vault, "B", WORDS, "a third heap of gravel").replaced == replaced.since


def test_a_log_grows_by_whole_lines_that_no_spreadsheet_runs(tmp_path):
    path = tmp_path / "log.csv"
    logs.append_line(path, ("day", "for"), ("2009-05-31", "A, B"))
    logs.append_line(path, ("day", "for"), ("2009-06-01", "=1+1"))
    assert path.read_text().splitlines() == ["day,for", '2009-05-31,"A, B"', "2009-06-01,'=1+1"]
