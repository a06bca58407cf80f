"""The page Release: a trial publishes nothing, two people publish, and care of the records asks before it acts."""

import datetime as dt
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from streamlit.runtime.scriptrunner import RerunData, get_script_run_ctx

from dashboard.desk import release, releasing
from dashboard.desk.hand import Hand
from dashboard.desk.state import Desk
from dashboard.site.text import _, escape_markdown, speak, translate_message, write_day
from data.disclosure.attacks.audit import ATTACKS, WRITING, Audit
from data.disclosure.attacks.bounds import Finding
from data.disclosure.policy import Policy
from data.errors import InputError, ReleaseError, WorkspaceError
from data.message import Message
from data.reference import area_table
from data.release import WITHDRAWN, Release, current_name, names
from data.release.contents import Contents, count_contents
from data.restricted import backup, drafts, governance, keys, publication, publishing
from data.restricted.governance import second_person
from data.restricted.imports import Importer, undo_import
from data.restricted.publishing import NewRelease, coverage
from data.restricted.publishing.draft import Draft
from data.restricted.vault import Vault, open_vault
from data.tables.periods import Calendar
from data.workspace import Workspace
from geo.areas import BOUNDARIES, pack_areas
from geo.places import Places
from tests.dashboard.commands.test_governance import (
    COMMUNITY,
    COMPLETE,
    ENCOUNTER,
    SECOND,
    WORDS,
    encounters,
    name_partners,
    note_backup,
    write_csv,
)
from tests.dashboard.desk.test_pages import words_on
from tests.helpers.desk import Clocks, open_section
from tests.helpers.partner_files import AREAS
from tests.helpers.repetitions import vary
from tests.helpers.small_policy import SMALL_POLICY, write_coarse_policy

MODEL = """
[[partner]]
measures = ["model"]
levels = ["region"]
periods = ["quarter"]
breakdowns = ["crossing and found"]

[[partner]]
measures = ["effort"]
levels = ["region"]
periods = ["quarter"]

[[public]]
measures = ["effort"]
levels = ["region"]
periods = ["year"]
"""

COUNTRIES = """
[[partner]]
measures = ["children"]
levels = ["country"]
periods = ["year"]

[[public]]
measures = ["children"]
levels = ["country"]
periods = ["year"]
"""

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("few_worlds")]


def make_practice(folder, kind="invented"):
    """Make a workspace with some invented records."""
    workspace = Workspace.create(folder, kind)
    governance.write_missing(workspace)
    name_partners(folder, ENCOUNTER["partner"], COMMUNITY["partner"])
    write_coarse_policy(folder)
    secrets = keys.create(workspace.key_id)
    with tempfile.TemporaryDirectory() as files, Vault.create(workspace.vault, secrets) as vault:
        importer = Importer(workspace, vault, secrets, Places(AREAS).resolve)
        for path in (encounters(Path(files, "e.csv")), write_csv(Path(files, "c.csv"), [COMMUNITY])):
            importer.import_file(path)


def make_real(folder):
    """Make a workspace that counts as real, with a complete file and a second person."""
    make_practice(folder, "real")
    (folder / "governance.toml").write_text(COMPLETE, encoding="utf-8")
    with open_vault(Workspace.open(folder)) as vault:
        second_person.appoint(vault, SECOND, WORDS, None)


def unlock(folder):
    """Return the unlocked desk of a workspace."""
    desk = Desk(Workspace.open(folder), Clocks())
    desk.unlock(keys.load(desk.workspace.key_id))
    return desk


@pytest.fixture
def practice(copied, tmp_path):
    return unlock(copied("practice at the desk", make_practice, tmp_path / "practice"))


@pytest.fixture
def real(copied, tmp_path):
    return unlock(copied("real at the desk", make_real, tmp_path / "real"))


def bring_in(desk, folder, number, **changes):
    """Import some encounters, of other children than those that are there."""
    path = encounters(folder / "more.csv", number, **{"child_id": f"L-{changes['date']}", **changes})
    path.write_text(path.read_text("utf-8").replace("R-", f"R-{changes['date']}-"), encoding="utf-8")
    with desk.open_vault() as (vault, secrets):
        answers = {"changes": "right"}  # one child for all rows
        Importer(desk.workspace, vault, secrets, Places(AREAS).resolve, answers=answers).import_file(path)


def quiet(*_):
    """Show no progress."""


def publish(desk, words):
    """Publish what a trial of now would hold."""
    return releasing.publish(desk, words, releasing.read_standing(desk).basis)


def count(desk):
    with open_vault(desk.workspace) as vault:
        return vault.count("encounter")


def test_a_trial_says_what_a_release_would_hold_and_publishes_nothing(practice):
    before = sorted(practice.workspace.releases.iterdir())
    trial = releasing.try_release(practice, None, quiet).release
    assert names(practice.workspace.releases) == []
    assert current_name(practice.workspace.releases) is None
    assert sorted(p for p in practice.workspace.releases.iterdir() if p.name != ".lock") == before
    with open_vault(practice.workspace) as vault:
        assert vault.staged_publication() is None
        assert vault.published_blocks() == {}
    new = publish(practice, "")
    assert (new.name, new.contents, new.withheld) == (trial.name, trial.contents, trial.withheld)
    for tier in ("partner", "public"):
        assert count_contents(Release.open(practice.workspace.releases, tier)) == trial.contents[tier]


def test_the_page_tries_publishes_and_says_it(practice):
    page = open_section(practice, "release")
    page.button(key="try").click().run()
    assert not page.exception
    assert "What release" in words_on(page)
    assert names(practice.workspace.releases) == []
    page.checkbox(key="all-in").check()
    page.run()
    next(button for button in page.button if button.label == "Publish it").click()
    page.run()
    assert not page.exception
    assert len(names(practice.workspace.releases)) == 1
    assert "is published" in words_on(page)


def test_real_records_need_the_second_person_at_the_desk_too(real):
    with pytest.raises(InputError, match="not the passphrase"):
        publish(real, "another passphrase")
    assert names(real.workspace.releases) == []
    new = publish(real, WORDS)
    approvals = (real.workspace.path / "approvals.csv").read_text(encoding="utf-8")
    assert new.name in approvals
    assert SECOND in approvals


def test_without_a_complete_file_nothing_can_be_tried_or_published(real):
    (real.workspace.path / "governance.toml").write_text(governance.TEMPLATE, encoding="utf-8")
    page = open_section(real, "release")
    assert "governance.toml" in words_on(page)
    assert not [button for button in page.button if button.key == "try"]
    with pytest.raises(WorkspaceError, match="not complete"):
        publish(real, WORDS)


def test_an_attack_that_succeeds_is_told_and_stops_the_trial(practice, monkeypatch):
    from data.errors import ReleaseRefused

    def refuse(*_args, **_more):
        raise ReleaseRefused("Release x is refused:\n  cell 1 of a table")

    monkeypatch.setattr(releasing, "try_release", refuse)
    page = open_section(practice, "release")
    page.button(key="try").click().run()
    assert "would be refused" in words_on(page)
    assert "cell 1 of a table" in words_on(page)
    assert not [button for button in page.button if button.label == "Publish it"]


@pytest.mark.always("sq")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("sq", "children (AL-01): numri i vërtetë mund të llogaritet nga pjesët e tij dhe nga publikimet e mëparshme"),
        ("el", "children (AL-01): ο πραγματικός αριθμός υπολογίζεται από τα μέρη του και από προηγούμενες εκδόσεις"),
    ],
    ids=["sq", "el"],
)
def test_what_an_attack_found_is_told_in_the_language_of_the_officer(practice, monkeypatch, language, sentence):
    reason = Message("the true number can be calculated from its parts and earlier releases")
    draft = Draft.for_trial(Policy(), {}, None, None)

    def refuse(*_args, **_more):
        raise draft.refusal([Finding("averaging", "children", {"area": "AL-01"}, reason)] * 25)

    monkeypatch.setattr(releasing, "try_release", refuse)
    page = open_section(practice, "release", language)
    page.button(key="try").click().run()
    shown = words_on(page)
    assert sentence in shown
    assert "is refused" not in shown
    assert "more" not in shown


def fill(page, label, value):
    next(field for field in page.text_input if field.label == label).input(value)


def press(page, label):
    next(button for button in page.button if button.label == label).click()
    return page.run()


def test_a_partner_is_taken_out_only_by_its_name(practice):
    earlier = practice.workspace.vault.with_name("vault.before-20260101T000000")
    earlier.mkdir()
    page = open_section(practice, "release")
    page.selectbox(key="withdraw").set_value("ARSIS")
    page.run()
    assert "30 records of ARSIS would be deleted" in words_on(page)
    fill(page, "Type the partner's name again", "Another")
    press(page, "Delete these records")
    assert "That is not ARSIS" in words_on(page)
    assert count(practice) == 30
    fill(page, "Type the partner's name again", "arsis")
    press(page, "Delete these records")
    assert not page.exception
    assert f"{earlier}, kept from before a restore, still contains them" in words_on(page).replace("`", "")
    assert count(practice) == 0


def test_a_partner_and_a_child_that_only_a_draft_has_go(practice):
    with practice.open_vault() as (vault, _keys):
        drafts.write_draft(vault, drafts.Draft("encounter", "Nova", ({"child_id": "N-1"}, {"child_id": "N-2"})))
    page = open_section(practice, "release")
    page.selectbox[0].set_value("Nova")
    fill(page, "The partner's identifier of the child", "N-1")
    next(box for box in page.checkbox if box.label.startswith("Yes.")).check()
    press(page, "Forget this child")
    assert not page.error
    with practice.open_vault() as (vault, _keys):
        assert drafts.read_draft(vault, "encounter").rows == ({"child_id": "N-2"},)
    page.selectbox(key="withdraw").set_value("Nova")
    page.run()
    fill(page, "Type the partner's name again", "Nova")
    press(page, "Delete these records")
    assert not page.error
    with practice.open_vault() as (vault, _keys):
        assert drafts.read_draft(vault, "encounter").rows == ()


def test_a_child_is_forgotten_after_a_yes_and_its_identifier_is_never_shown(practice):
    page = open_section(practice, "release")

    def ask(identifier, sure):
        page.selectbox[0].set_value("ARSIS")
        fill(page, "The partner's identifier of the child", identifier)
        box = next(box for box in page.checkbox if box.label.startswith("Yes."))
        (box.check if sure else box.uncheck)()
        press(page, "Forget this child")
        assert not page.exception
        assert identifier not in words_on(page)

    ask("K-3", sure=False)
    assert count(practice) == 30
    ask("K-999", sure=True)
    assert "No record has what you typed" in words_on(page)
    ask("K-3", sure=True)
    assert count(practice) == 29
    assert "1 record was deleted" in words_on(page)


@pytest.mark.usefixtures("cheap_backups")
def test_a_backup_without_a_name_has_the_usual_one_and_a_restore_asks_for_one(practice, tmp_path, monkeypatch):
    monkeypatch.setattr("dashboard.desk.care.Path.home", lambda: tmp_path)
    page = open_section(practice, "release")
    press(page, "Restore it")
    assert "Name the file of the backup" in words_on(page)
    next(field for field in page.text_input if field.label == "Passphrase of the backup").input(WORDS)
    fill(page, "The same again", WORDS)
    press(page, "Write the backup")
    assert not page.error
    assert (tmp_path / "tact.backup").exists()


@pytest.mark.usefixtures("cheap_backups")
def test_a_backup_is_written_and_comes_back(practice, tmp_path):
    page = open_section(practice, "release")
    target = tmp_path / "b.backup"
    fill(page, "File to write, on this machine", str(target))
    for field in [field for field in page.text_input if field.label == "Passphrase of the backup"][:1]:
        field.input(WORDS)
    fill(page, "The same again", "something else")
    press(page, "Write the backup")
    assert "different" in words_on(page)
    assert not target.exists()
    fill(page, "The same again", WORDS)
    press(page, "Write the backup")
    assert target.exists()
    assert WORDS not in [field.value for field in page.text_input]
    assert WORDS not in words_on(page)
    with open_vault(practice.workspace) as vault:
        vault.withdraw("ARSIS")
    fill(page, "Backup to read, on this machine", str(target))
    [field for field in page.text_input if field.label == "Passphrase of the backup"][-1].input(WORDS)
    next(box for box in page.checkbox if box.label.startswith("Also if the workspace")).check()
    press(page, "Restore it")
    assert practice.is_locked
    assert "Vault key" in [field.label for field in page.text_input]


@pytest.mark.usefixtures("cheap_backups")
@pytest.mark.always("sq")
@pytest.mark.parametrize("language", ["sq", "el"])
def test_a_passphrase_that_does_not_open_the_backup_is_told_in_the_language_of_the_officer(
    practice, tmp_path, language
):
    target = tmp_path / "b.backup"
    with practice.borrow_keys() as secrets:
        backup.write_backup(practice.workspace, secrets, target, WORDS)
    with speak(language):
        place, phrase, button = _("Backup to read, on this machine"), _("Passphrase of the backup"), _("Restore it")
    page = open_section(practice, "release", language)
    fill(page, place, str(target))
    [field for field in page.text_input if field.label == phrase][-1].input("another passphrase")
    press(page, button)
    sentences = {
        "sq": "Fraza e fshehtë nuk e hap {file}. Nëse fraza është e saktë, skedari nuk është kopje rezervë ose është i "
        "dëmtuar: provoni një kopje tjetër. Asgjë nuk u ndryshua.",
        "el": "Η φράση πρόσβασης δεν ανοίγει το {file}. Αν είναι σωστή, το αρχείο δεν είναι αντίγραφο ασφαλείας ή έχει "
        "υποστεί ζημιά: δοκιμάστε άλλο αντίγραφο. Τίποτα δεν άλλαξε.",
    }
    assert escape_markdown(sentences[language].format(file=target)) in words_on(page)


@pytest.mark.always("en-The last backup is of {day}.")
@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "The last backup is of {day}."),
        ("sq", "Kopja e fundit rezervë është e datës {day}."),
        ("el", "Το τελευταίο αντίγραφο ασφαλείας είναι της {day}."),
    ],
)
def test_real_records_without_a_backup_of_the_last_days_are_told_in_the_language_of_the_officer(
    real, practice, language, sentence
):
    for days, is_late in ((4, True), (3, False)):
        note_backup(real.workspace.path, days)
        day = write_day(language, dt.datetime.now(dt.UTC).date() - dt.timedelta(days=days))
        assert (sentence.format(day=day) in words_on(open_section(real, "release", language))) is is_late
    assert "tact backup" not in words_on(open_section(practice, "release", language))


@pytest.mark.always("sq")
@pytest.mark.parametrize(
    ("language", "sentence", "listed"),
    [
        (
            "sq",
            f"Kjo nuk është fraza e fshehtë e {SECOND}. Asgjë nuk u ndryshua dhe asgjë nuk u publikua.",
            "governance.toml, [controllers] names: shkruani organizatat që vendosin bashkë.",
        ),
        (
            "el",
            f"Αυτή δεν είναι η φράση πρόσβασης του ατόμου {SECOND}. Τίποτα δεν άλλαξε και τίποτα δεν δημοσιεύτηκε.",
            "governance.toml, [controllers] names: γράψτε τις οργανώσεις που αποφασίζουν από κοινού.",
        ),
    ],
    ids=["sq", "el"],
)
def test_governance_and_a_wrong_passphrase_are_told_in_the_language_of_the_officer(real, language, sentence, listed):
    with pytest.raises(InputError) as refusal:
        publish(real, "another passphrase")
    with speak(language):
        assert translate_message(refusal.value.message) == sentence
    governed = real.workspace.path / "governance.toml"
    governed.write_text(COMPLETE.replace("names =", "former ="), encoding="utf-8")
    assert listed in words_on(open_section(real, "release", language))


def test_partners_of_governance_are_offered_for_real_records(real, practice):
    assert {"ARSIS", "B", *governance.read(real.workspace).partners} == set(Hand(real).list_partners())
    assert governance.read(practice.workspace).partners
    assert Hand(practice).list_partners() == ["ARSIS", "B"]


def forget_second(desk):
    with open_vault(desk.workspace) as vault:
        vault.write_note("second person", "")


@pytest.mark.always("en")
@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_without_a_second_person_the_page_stays_whole_and_lets_one_choose_a_passphrase(real, language):
    forget_second(real)
    with speak(language):
        notice, button = _("The second person"), _("This person confirms releases")
        labels = [_("A passphrase that only this person knows"), _("The same again")]
    page = open_section(real, "release", language)
    assert notice in words_on(page)
    assert len(page.expander) == 5
    page.button(key="try").click().run()
    assert not page.exception
    assert [box.key for box in page.selectbox if box.key == "withdraw"]

    def choose(first, again):
        next(box for box in page.selectbox if SECOND in box.options).set_value(SECOND)
        fill(page, labels[0], first)
        page.text_input(key="second-again").input(again)
        press(page, button)
        with open_vault(real.workspace) as vault:
            return second_person.read(vault)

    assert choose(WORDS, "another passphrase") is None
    assert choose("short", "short") is None
    assert len(page.expander) == 5
    assert choose(WORDS, WORDS).name == SECOND
    assert notice not in words_on(page)
    assert WORDS not in [field.value for field in page.text_input]
    assert WORDS not in words_on(page)
    assert publish(real, WORDS).name


def test_a_trial_that_fails_leaves_care_of_the_records_on_the_page(practice, monkeypatch):
    def fail(*_args, **_more):
        raise ReleaseError("No encounter lies in the quarters.")

    monkeypatch.setattr(releasing, "try_release", fail)
    page = open_section(practice, "release")
    page.button(key="try").click().run()
    assert "No encounter lies in the quarters" in words_on(page)
    assert len(page.expander) == 5


def test_a_second_person_who_approves_no_more_is_named(real):
    path = real.workspace.path / "governance.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(SECOND, "Invented Person D"), encoding="utf-8")
    page = open_section(real, "release")
    assert f"{SECOND} confirmed releases" in words_on(page)
    with pytest.raises(InputError, match="not the passphrase"):
        releasing.appoint_second(real, "Invented Person D", WORDS + "!")


def find_publish(page):
    return next(button for button in page.button if button.label == "Publish it")


def test_the_page_says_which_years_become_final_and_asks_whether_all_files_are_in(practice, tmp_path):
    policy = practice.workspace.path / "policy.toml"
    today = dt.datetime.now(dt.UTC).date()
    # Of the days of the programme the last year, which began in 2008, is not over.
    policy.write_text(f"[counting]\nfirst = 2007-06-01\nlast = {today.year + 2}-05-31\n{COUNTRIES}")
    bring_in(practice, tmp_path, 2, date="2006-07-01")
    page = open_section(practice, "release")
    assert "2 encounters lie outside the days of the programme" in words_on(page)
    assert "Jun 2007 to May 2008" in words_on(page)
    page.button(key="try").click().run()
    shown = words_on(page)
    assert "It covers the days from 1 June 2007 to " in shown
    assert "These years become final with it: Jun 2007 to May 2008, Jun 2008 to May 2009" in shown
    assert find_publish(page).disabled
    page.checkbox(key="all-in").check()
    page.run()
    find_publish(page).click()
    page.run()
    assert not page.exception
    assert len(names(practice.workspace.releases)) == 1
    page.button(key="try").click().run()
    assert "No year becomes final with it" in words_on(page)
    assert not find_publish(page).disabled


def test_coverage_counts_later_and_other_days(practice, tmp_path):
    bring_in(practice, tmp_path, 3, date="2008-12-05")
    bring_in(practice, tmp_path, 2, date="2005-12-05")

    def find(day, lag=3):
        with open_vault(practice.workspace) as vault:
            return coverage.find_coverage(vault, area_table(), Calendar(), Policy(lag=lag), day)

    assert find(dt.date(2006, 7, 1)) == coverage.Coverage(None, (), 33, 2)
    counts = find(dt.date(2008, 12, 6))
    assert (counts.span.id, counts.later, counts.outside) == ("2006-06-01/2008-11-30", 3, 2)
    assert [year.id for year in counts.years] == ["2006-06-01/P1Y", "2007-06-01/P1Y"]
    assert [year.id for year in find(dt.date(2008, 12, 6), lag=24).years] == []


def approved(desk):
    """Return the releases that have a line in approvals.csv."""
    path = desk.workspace.path / "approvals.csv"
    if not path.exists():
        return []
    return [line.split(",")[1] for line in path.read_text(encoding="utf-8").splitlines()[1:]]


def publish_until(desk, stop):
    """Publish as the second person, with a progress that may raise."""
    with desk.open_vault() as (vault, secrets), vault.writing():
        second = publication.confirm(desk.workspace, vault, lambda _person: WORDS)
        areas = pack_areas(desk.workspace.areas)
        publication.release_workspace(desk.workspace, vault, secrets, areas, stop, second=second)


class Cut(BaseException):
    """What ends a page at any call of Streamlit."""


@vary("first", [publishing._STEPS - 1, 1], ids=["where something is written", "anywhere"])
def test_a_release_that_is_cut_anywhere_is_current_with_its_approval_or_has_none(real, first):
    for last in range(first, publishing._STEPS + 2):

        def stop(done, total, what, last=last):
            if done >= last:
                raise Cut

        try:
            publish_until(real, stop)
        except Cut:
            assert (names(real.workspace.releases), approved(real)) == ([], [])
        else:
            break
    assert last == publishing._STEPS + 1
    assert approved(real) == names(real.workspace.releases) == [current_name(real.workspace.releases)]


@vary("step", ["publish_folder", "point_at", "add_approval"], "add_approval")
def test_what_a_full_disk_stops_leaves_no_current_release_without_approval(real, monkeypatch, step):
    owner = {"publish_folder": publishing.files, "point_at": publishing, "add_approval": publication.logs}[step]

    def fail(*_args, **_more):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(owner, {"add_approval": "append_line"}.get(step, step), fail)
        with pytest.raises(OSError, match="No space"):
            publish_until(real, quiet)
    assert current_name(real.workspace.releases) is None
    with open_vault(real.workspace) as vault, vault.writing():
        publication.recover(real.workspace, vault)
    assert approved(real) == names(real.workspace.releases)
    assert len(approved(real)) == (step == "point_at")


def test_a_button_pressed_meanwhile_does_not_cut_a_publication(practice, monkeypatch):
    whole = publication.release_workspace

    def press_meanwhile(*arguments, rehearse=False, **more):
        if not rehearse:
            get_script_run_ctx().script_requests.request_rerun(RerunData())
        return whole(*arguments, rehearse=rehearse, **more)

    page = open_section(practice, "release")
    page.button(key="try").click().run()
    page.checkbox(key="all-in").check()
    page.run()
    monkeypatch.setattr(publication, "release_workspace", press_meanwhile)
    press(page, "Publish it")
    assert not page.exception
    assert names(practice.workspace.releases) == [current_name(practice.workspace.releases)]
    assert "trial" not in practice.in_hand
    assert "is published" in words_on(page)


def change_policy(desk):
    with (desk.workspace.path / "policy.toml").open("a", encoding="utf-8") as file:
        file.write("# another\n")


def change_governance(desk):
    with (desk.workspace.path / "governance.toml").open("a", encoding="utf-8") as file:
        file.write("# another\n")


def undo_first(desk):
    with desk.open_vault() as (vault, _keys):
        undo_import(desk.workspace, vault, 2)


def forget_one(desk):
    with desk.open_vault() as (vault, _keys):
        vault.forget(["ab" * 32])


def add_records(desk):
    bring_in(desk, desk.workspace.path.parent, 2, date="2008-09-09")


def change_boundaries(desk):
    (desk.workspace.areas / BOUNDARIES).write_bytes(b"other boundaries")


@pytest.mark.always("change_policy", "forget_one", "add_records")
@pytest.mark.parametrize(
    "change", [change_policy, change_governance, change_boundaries, undo_first, forget_one, add_records]
)
def test_a_trial_is_dropped_when_what_it_depends_on_changes(real, change):
    basis = releasing.read_standing(real).basis
    assert releasing.read_standing(real).basis == basis
    contents = {tier: Contents() for tier in ("partner", "public")}
    trial = releasing.Trial(NewRelease("a trial", (), {"partner": 0, "public": 0}, contents), basis, contents)
    real.in_hand["trial"] = trial
    page = open_section(real, "release")
    assert not page.error
    assert "a trial" in words_on(page)
    change(real)
    with pytest.raises(InputError, match="since the trial"):
        releasing.publish(real, WORDS, basis)
    page.run()
    assert not page.exception
    assert "since the trial" in words_on(page)
    assert not [button for button in page.button if button.label == "Publish it"]
    assert "trial" not in real.in_hand
    assert names(real.workspace.releases) == []


def keep_from(desk, year):
    """Let governance.toml delete records of children who were last met before a year."""
    today, path = dt.datetime.now(dt.UTC).date(), desk.workspace.path / "governance.toml"
    months = (today.year - year) * 12 + today.month - 1
    path.write_text(path.read_text("utf-8").replace("months = 1200", f"months = {months}"), encoding="utf-8")


def test_a_trial_deletes_what_is_kept_too_long_so_that_it_is_what_is_published(practice, tmp_path):
    bring_in(practice, tmp_path, 10, date="2006-07-01")
    keep_from(practice, 2007)
    with pytest.raises(InputError, match="10 of 40 records"):
        releasing.try_release(practice, None, quiet)
    with pytest.raises(InputError, match="since the trial"):
        publish(practice, "")
    assert (count(practice), names(practice.workspace.releases)) == (40, [])
    page = open_section(practice, "release")
    assert page.button(key="try").disabled
    page.checkbox(key="overdue-release").check().run()
    page.button(key="try").click().run()
    assert not page.exception
    assert count(practice) == 30
    trial = practice.in_hand["trial"].release
    new = publish(practice, "")
    assert (new.name, new.contents, new.withheld) == (trial.name, trial.contents, trial.withheld)


def test_an_audit_stands_only_under_the_release_that_was_attacked(practice):
    first = publish(practice, "").name
    practice.in_hand["audit"] = Audit(first, (), (), 1.0, practice.workspace.path)
    assert "No attack succeeded" in words_on(open_section(practice, "release"))
    with practice.open_vault() as (vault, secrets):  # as by `tact release`, in another process
        publication.release_workspace(practice.workspace, vault, secrets, pack_areas(practice.workspace.areas))
    shown = words_on(open_section(practice, "release"))
    second = current_name(practice.workspace.releases)
    assert second != first
    assert "No attack succeeded" not in shown
    (practice.workspace.releases / WITHDRAWN).write_text(second)
    assert "No attack succeeded" in words_on(open_section(practice, "release"))


@pytest.mark.long
def test_where_all_releases_were_taken_back_neither_map_nor_audit_are_next(practice):
    (practice.workspace.releases / WITHDRAWN).write_text(publish(practice, "").name)
    page = open_section(practice, "release")
    assert [*page.exception, *page.error, *page.code] == []
    assert "Audit of release" not in words_on(page)


@pytest.mark.long
def test_the_next_steps_after_a_release_are_the_risk_model_and_the_map(practice, few_draws):
    policy = practice.workspace.path / "policy.toml"
    policy.write_text(SMALL_POLICY + MODEL, encoding="utf-8")
    assert "serve" not in " ".join(code.value for code in open_section(practice, "release").code)
    publish(practice, "")
    page = open_section(practice, "release")
    assert [code.value for code in page.code] == [f"tact --workspace {practice.workspace.path} serve"]
    page.button(key="score").click().run()
    assert not page.exception
    assert not [button for button in page.button if button.key == "score"], words_on(page)
    for tier in ("partner", "public"):
        release = Release.open(practice.workspace.releases, tier, derived=practice.workspace.derived)
        assert release.result("risk").manifest["card"]["areas"]


def test_the_page_says_once_that_the_risk_model_is_calculated(practice, monkeypatch):
    publish(practice, "")
    open_models = [True]
    monkeypatch.setattr(releasing, "needs_score", lambda _desk: bool(open_models))
    monkeypatch.setattr(releasing, "score", lambda _desk, _progress: open_models.clear())
    page = open_section(practice, "release")
    assert "The risk model is calculated" not in words_on(page)
    page.button(key="score").click().run()
    assert "The risk model is calculated" in words_on(page)
    assert "The risk model is calculated" not in words_on(page.run())


def test_the_form_of_the_second_person_is_drawn_before_a_trial_begins(real, monkeypatch):
    forget_second(real)
    drawn = []
    monkeypatch.setattr(release, "_ask_second", lambda *_args: drawn.append("form"))
    monkeypatch.setattr(releasing, "try_release", lambda *_args: drawn.append("trial"))
    page = open_section(real, "release")
    drawn.clear()
    page.button(key="try").click().run()
    assert drawn[:2] == ["form", "trial"]


def test_work_that_takes_long_can_be_stopped_and_says_so(practice, monkeypatch):
    publish(practice, "")
    labels, texts, clocks, button = [], [], [], release.st.button
    spinner, bar = release.st.spinner, SimpleNamespace(progress=lambda _share, text: texts.append(text))
    monkeypatch.setattr(release.st, "progress", lambda _share, text: texts.append(text) or bar)
    monkeypatch.setattr(
        release.st,
        "spinner",
        lambda text, *, show_time=False: clocks.append(text) or spinner(text, show_time=show_time),
    )
    monkeypatch.setattr(release.st, "button", lambda label, **more: labels.append(label) or button(label, **more))

    def audit(_desk, progress):
        progress(1, 3, "membership")
        assert labels[-1] == "Stop"
        assert texts[-1] == "33 % · membership"
        assert "Attacking" in clocks
        raise ReleaseError("cut here")

    monkeypatch.setattr(releasing, "audit", audit)
    page = open_section(practice, "release")
    page.button(key="audit").click().run()
    assert "cut here" in words_on(page)
    page.session_state["stopped"] = True
    assert "It was stopped. Nothing was published." in words_on(page.run())
    assert "It was stopped" not in words_on(page.run())


@pytest.mark.parametrize("language", ["en", "sq", "el"])
def test_each_step_of_an_audit_has_a_name(language):
    with speak(language):
        names_of_steps = [releasing.word_step(step) for step in (WRITING, *ATTACKS)]
    assert len(set(names_of_steps)) == len(names_of_steps)
    assert all(name and ":" not in name for name in names_of_steps)
    assert releasing.word_step("tables") == ""
